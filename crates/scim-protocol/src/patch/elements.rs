//! Edits of multi-valued attributes.

use serde_json::Value;

use super::Op;
use super::apply::{Apply, into_object, sent_members};
use crate::Object;
use crate::dialect::Leniency;
use crate::error::{Error, Result};
use crate::filter::{comparable, evaluate_element};
use crate::fold::equal_folded;
use crate::immutable;
use crate::resource::{self, QUALIFIERS, is_primary};
use crate::schema::{Attribute, Mutability};

impl Apply<'_> {
    /// The new elements of a multi-valued attribute.
    pub(super) fn elements(mut self, elements: Vec<Value>) -> Result<Vec<Value>> {
        if self.target.filter.is_some() || self.target.sub.is_some() {
            return self.selected(elements);
        }
        if self.op == Op::Remove {
            return self.remove_listed(elements);
        }
        let given = match (self.op, self.value) {
            // RFC 7644 section 3.5.2.1: what is added may be one value.
            (Op::Add, one) if self.is_one_value(one) => {
                let list = Value::Array(vec![self.value.clone()]);
                resource::parse_elements(self.attribute, &list, self.leniencies)?
            }
            _ => resource::parse_elements(self.attribute, self.value, self.leniencies)?,
        };
        resource::check_primary(self.attribute, &given)?;
        resource::check_count(self.attribute, &given)?;
        Ok(match self.op {
            Op::Replace if !given.is_empty() || !says_nothing(self.attribute, self.value) => given,
            _ => add(self.attribute, elements, given),
        })
    }

    fn is_one_value(&self, value: &Value) -> bool {
        match value {
            Value::Object(_) => true,
            Value::Null | Value::Array(_) => false,
            _ if resource::is_joined(self.attribute, value, self.leniencies) => false,
            _ => !self.attribute.is_complex(),
        }
    }

    /// `remove` with a list of values removes those; without one, all (quirk Q6).
    fn remove_listed(&mut self, mut elements: Vec<Value>) -> Result<Vec<Value>> {
        if self.value.is_null() {
            return Ok(Vec::new());
        }
        if !self.leniencies.allow(Leniency::RemoveByValue) {
            return Err(Error::invalid_syntax(
                "remove takes no value: select with a filter in path",
            ));
        }
        let listed = resource::parse_elements(self.attribute, self.value, self.leniencies)?;
        resource::check_count(self.attribute, &listed)?;
        let listed: Vec<Value> = listed.iter().map(|l| comparable(self.attribute, l)).collect();
        elements.retain(|element| {
            let element = comparable(self.attribute, element);
            !listed.iter().any(|listed| describes(listed, &element))
        });
        Ok(elements)
    }

    /// The elements after an edit of those that the filter selects.
    fn selected(&mut self, elements: Vec<Value>) -> Result<Vec<Value>> {
        let filter = self.target.filter.as_ref();
        let selects =
            |element: &Value| filter.is_none_or(|filter| evaluate_element(filter, element));
        if !elements.iter().any(selects) {
            let created = match filter {
                Some(_) => self.no_match(true)?,
                None => self.create(Object::new())?,
            };
            return Ok(add(self.attribute, elements, created.into_iter().collect()));
        }
        let (mut after, mut primary) = (Vec::new(), None);
        for element in elements {
            let edited = selects(&element);
            let Some(element) = (if edited { self.element(element)? } else { Some(element) })
            else {
                continue;
            };
            if edited && is_primary(&element) {
                primary = Some(after.len());
            }
            after.push(element);
        }
        if let Some(primary) = primary {
            demote_others(&mut after, primary);
        }
        // One value given to several elements can make them the same.
        Ok(resource::without_duplicates(self.attribute, after))
    }

    /// One selected element after the edit, if it is still there.
    fn element(&mut self, element: Value) -> Result<Option<Value>> {
        if self.op == Op::Remove && self.target.sub.is_none() {
            return Ok(None);
        }
        let was_described = is_described(&element);
        let old = immutable::concerns(self.attribute).then(|| element.clone());
        let mut members = match self.target.sub {
            // `remove` with a value removes that value and no other (quirk Q8).
            Some(sub) if self.op == Op::Remove && !self.is_listed(sub, &element) => {
                return Ok(Some(element));
            }
            Some(sub) => {
                let mut members = into_object(Some(element));
                self.set_sub(&mut members, sub)?;
                members
            }
            None => self.rewritten(element)?,
        };
        if let Some(Value::Object(old)) = old {
            immutable::settle_members(self.attribute, &old, &mut members)?;
        }
        // An address without the address is nothing (quirk Q8).
        let after = self.object(members);
        Ok(after.filter(|after| is_described(after) || !was_described))
    }

    /// Whether the edit's value, if it has one, is what the element has there.
    fn is_listed(&self, sub: &Attribute, element: &Value) -> bool {
        match (self.value, element.get(&sub.name)) {
            (Value::String(listed), Some(Value::String(text))) => {
                listed == text || (!sub.case_exact && equal_folded(listed, text))
            }
            _ => true,
        }
    }

    /// One selected element after an `add` or `replace` of it as a whole.
    fn rewritten(&mut self, element: Value) -> Result<Object> {
        let given = resource::parse_single(self.attribute, self.value, self.leniencies)?;
        let sent = sent_members(self.value);
        let cleared = sent.map(|sent| self.cleared(sent, given.as_ref())).unwrap_or_default();
        let mut members = into_object(Some(element));
        if self.op == Op::Replace && (given.is_some() || !says_nothing(self.attribute, self.value))
        {
            // What selects the element stays true of it unless the client says otherwise.
            let selecting = self.target.template.as_ref().filter(|_| given.is_some());
            members.retain(|name, _| selecting.is_some_and(|names| names.contains_key(name)));
        }
        members.extend(into_object(given));
        members.retain(|name, _| !cleared.contains(&name.as_str()));
        Ok(members)
    }
}

/// Appends the values that are not there yet; a new primary takes the place of the old one.
fn add(attribute: &Attribute, mut elements: Vec<Value>, given: Vec<Value>) -> Vec<Value> {
    // Each is compared with each: what that takes of each is made once.
    let mut known: Vec<Value> = elements.iter().map(|e| comparable(attribute, e)).collect();
    for value in given {
        let key = comparable(attribute, &value);
        let same = known.iter().position(|element| is_same(&key, element));
        let is_there = match same {
            Some(at) if describes(&key, &known[at]) => true,
            // Without a `value` only the whole tells whether it is there.
            None if value.get("value").is_none() => {
                known.iter().any(|element| describes(&key, element))
            }
            _ => false,
        };
        if is_there {
            continue;
        }
        let primary = is_primary(&value);
        let mut at = elements.len();
        if let Some(same) = same {
            let mut members = into_object(Some(std::mem::take(&mut elements[same])));
            members.extend(into_object(Some(value)));
            elements[same] = Value::Object(resource::in_order(&attribute.sub_attributes, members));
            known[same] = comparable(attribute, &elements[same]);
            at = same;
        } else {
            elements.push(value);
            known.push(key);
        }
        if primary {
            demote_others(&mut elements, at);
            demote_others(&mut known, at);
        }
    }
    elements
}

/// Whether the element says all that `given` says, both as they are compared.
fn describes(given: &Value, element: &Value) -> bool {
    match given {
        Value::Object(given) => given.keys().all(|name| agrees(given, element, name)),
        _ => given == element,
    }
}

/// Whether both have the same `value`, and the same `type` and `authority` if they are given: no
/// two elements of an attribute may (RFC 7643 section 2.4).
fn is_same(given: &Value, element: &Value) -> bool {
    let Value::Object(given) = given else { return false };
    given.contains_key("value")
        && agrees(given, element, "value")
        && QUALIFIERS.iter().all(|name| !given.contains_key(*name) || agrees(given, element, name))
}

fn agrees(given: &Object, element: &Value, name: &str) -> bool {
    match (given.get(name), element.get(name)) {
        // RFC 7643 section 2.4: an element that does not say so is not the primary one.
        (Some(Value::Bool(false)), None) => name == "primary",
        (given, value) => given == value,
    }
}

/// Whether an element has anything to say beyond its place among the others.
fn is_described(element: &Value) -> bool {
    let says_nothing = |name: &str| name == "primary" || QUALIFIERS.contains(&name);
    element.as_object().is_some_and(|e| e.keys().any(|name| !says_nothing(name)))
}

/// Whether nothing of what was sent is for this attribute, so that replacing it by what was read
/// would lose what nobody asked to clear.
fn says_nothing(attribute: &Attribute, sent: &Value) -> bool {
    let writable = |name: &String| {
        attribute.sub_attribute(name).is_some_and(|sub| sub.mutability != Mutability::ReadOnly)
    };
    match sent {
        Value::Object(members) => !members.keys().any(writable),
        Value::Array(elements) => {
            !elements.is_empty() && elements.iter().all(|element| says_nothing(attribute, element))
        }
        _ => false,
    }
}

fn demote_others(elements: &mut [Value], primary: usize) {
    for (at, element) in elements.iter_mut().enumerate() {
        if at != primary
            && is_primary(element)
            && let Some(members) = element.as_object_mut()
        {
            members.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}
