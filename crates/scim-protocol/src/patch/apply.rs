//! Carrying edits out on a resource in its kept form.

use serde_json::Value;

use super::{AttributeTarget, Edit, EditTarget, Op};
use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result, ScimType};
use crate::filter::{Predicate, evaluate_element};
use crate::immutable;
use crate::resource;
use crate::schema::{Attribute, Mutability, ResourceType};

/// Carries out a sequence of edits, all or none: on an error `resource` must be thrown away.
///
/// # Errors
/// `invalidValue`, `mutability` and `noTarget` as RFC 7644 section 3.5.2 has them; `tooMany` beyond
/// [`MAX_WORK`].
pub fn apply<'a>(
    kind: &'static ResourceType,
    resource: &mut Object,
    edits: impl IntoIterator<Item = &'a Edit>,
    leniencies: &mut Leniencies,
) -> Result<()> {
    let mut work = 0;
    for edit in edits {
        work += comparisons(resource, edit);
        if work > MAX_WORK {
            let detail = "one PATCH makes too many comparisons: send several requests";
            return Err(Error::new(ScimType::TooMany, detail));
        }
        apply_edit(resource, edit, leniencies)?;
        if edit.op == Op::Remove && resource::lacks_required_extension(kind, resource) {
            return Err(Error::mutability("an extension that is required cannot be removed"));
        }
    }
    resource::check_required(kind, resource)?;
    *resource = resource::in_schema_order(kind, std::mem::take(resource));
    Ok(())
}

/// Comparisons that one PATCH may make: many times what a client needs, and a fraction of a second.
pub const MAX_WORK: usize = 1_000_000;

/// How many comparisons an edit makes at most: of each element with each term of the filter, or
/// with each value that is given. Text that takes long to fold counts for as many as it takes.
fn comparisons(resource: &Object, edit: &Edit) -> usize {
    let EditTarget::Attribute(target) = &edit.target else { return 1 };
    let parent = match target.attribute.extension {
        None => Some(resource),
        Some(schema) => resource.get(&schema.id).and_then(Value::as_object),
    };
    let before = parent.and_then(|parent| parent.get(&target.attribute.attribute.name));
    let elements = before.and_then(Value::as_array).map_or(1, Vec::len);
    let terms = target.filter.as_ref().map_or(0, Predicate::terms);
    let given = match &edit.value {
        Value::Array(values) => values.len(),
        // At most: of few attributes the text is a list.
        Value::String(text) if target.attribute.attribute.multi_valued => {
            1 + text.matches(resource::SEPARATOR).count()
        }
        _ => 1,
    };
    elements * (terms + given) + before.map_or(0, folding) * (terms + 1)
}

/// What folding the texts of a value takes, in comparisons; of ASCII next to nothing.
fn folding(value: &Value) -> usize {
    const BYTES_IN_THE_TIME_OF_ONE: usize = 16;
    match value {
        Value::String(text) if !text.is_ascii() => text.len() / BYTES_IN_THE_TIME_OF_ONE,
        Value::Array(elements) => elements.iter().map(folding).sum(),
        Value::Object(members) => members.values().map(folding).sum(),
        _ => 0,
    }
}

/// Carries out one edit.
///
/// # Errors
/// As [`apply`].
pub fn apply_edit(resource: &mut Object, edit: &Edit, leniencies: &mut Leniencies) -> Result<()> {
    let target = match &edit.target {
        EditTarget::Extension(schema) => {
            let removed = into_object(resource.shift_remove(&schema.id));
            return immutable::check_removal(schema, &removed);
        }
        EditTarget::Attribute(target) => target,
    };
    let Some(schema) = target.attribute.extension else {
        return edit_attribute(resource, edit, target, leniencies);
    };
    let mut members = into_object(resource.get_mut(&schema.id).map(std::mem::take));
    edit_attribute(&mut members, edit, target, leniencies)?;
    let members = resource::in_order(&schema.attributes, members);
    put(resource, &schema.id, (!members.is_empty()).then_some(Value::Object(members)));
    Ok(())
}

fn edit_attribute(
    parent: &mut Object,
    edit: &Edit,
    target: &AttributeTarget,
    leniencies: &mut Leniencies,
) -> Result<()> {
    let attribute = target.attribute.attribute;
    let removes = edit.op == Op::Remove;
    if removes && let Some(sub) = target.sub.filter(|sub| sub.required) {
        return Err(Error::mutability(format!("{}.{} is required", attribute.name, sub.name)));
    }
    let edit = Apply { op: edit.op, attribute, target, value: &edit.value, leniencies };
    let before = parent.get_mut(&attribute.name).map(std::mem::take);
    // Edits of single values of a list look at each of them.
    let whole = !attribute.multi_valued || (target.filter.is_none() && target.sub.is_none());
    let immutable = attribute.mutability == Mutability::Immutable;
    let old = (immutable || (whole && immutable::concerns(attribute))).then(|| before.clone());
    let after = if attribute.multi_valued {
        let elements = match before {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        let elements = edit.elements(elements)?;
        resource::check_count(attribute, &elements)?;
        (!elements.is_empty()).then_some(Value::Array(elements))
    } else {
        edit.single(before)?
    };
    if removes && attribute.required && after.is_none() {
        return Err(Error::mutability(format!("{} is required", attribute.name)));
    }
    let after = immutable::settle(attribute, old.flatten().as_ref(), after)?;
    put(parent, &attribute.name, after);
    Ok(())
}

fn put(parent: &mut Object, name: &str, value: Option<Value>) {
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.shift_remove(name),
    };
}

/// One edit of one attribute.
pub(super) struct Apply<'a> {
    pub(super) op: Op,
    pub(super) attribute: &'static Attribute,
    pub(super) target: &'a AttributeTarget,
    pub(super) value: &'a Value,
    pub(super) leniencies: &'a mut Leniencies,
}

impl Apply<'_> {
    /// The new value of a single-valued attribute.
    fn single(mut self, before: Option<Value>) -> Result<Option<Value>> {
        if let Some(filter) = &self.target.filter
            && !before.as_ref().is_some_and(|value| evaluate_element(filter, value))
        {
            // There is no room for a second value beside one that the filter does not select.
            let created = self.no_match(before.is_none())?;
            return Ok(created.or(before));
        }
        if let Some(sub) = self.target.sub {
            let mut members = into_object(before);
            self.set_sub(&mut members, sub)?;
            return Ok(self.object(members));
        }
        if self.op == Op::Remove {
            return Ok(None);
        }
        let given = resource::parse_single(self.attribute, self.value, self.leniencies)?;
        match (given, sent_members(self.value)) {
            (Some(Value::Object(given)), None) => Ok(self.merge(into_object(before), given, &[])),
            (given, Some(sent)) if self.attribute.is_complex() => {
                let cleared = self.cleared(sent, given.as_ref());
                Ok(self.merge(into_object(before), into_object(given), &cleared))
            }
            (given, _) => Ok(given),
        }
    }

    /// Sets the given sub-attributes and keeps the others (RFC 7644 section 3.5.2.3).
    fn merge(&self, mut members: Object, given: Object, cleared: &[&str]) -> Option<Value> {
        if cleared.contains(&"value") {
            return None;
        }
        if given.get("value").is_some_and(|value| members.get("value") != Some(value)) {
            // The other sub-attributes described the value that goes.
            members.clear();
        }
        members.extend(given);
        members.retain(|name, _| !cleared.contains(&name.as_str()));
        self.object(members)
    }

    /// The sub-attributes that were sent as unassigned: with null, or what the dialect takes so.
    pub(super) fn cleared(&self, sent: &Object, given: Option<&Value>) -> Vec<&'static str> {
        sent.keys()
            .filter_map(|name| self.attribute.sub_attribute(name))
            .filter(|sub| sub.mutability != Mutability::ReadOnly)
            .filter(|sub| given.is_none_or(|given| given.get(&sub.name).is_none()))
            .map(|sub| sub.name.as_str())
            .collect()
    }

    /// What an edit does whose filter selects nothing: `remove` has nothing to do, the others
    /// have no target - or, where the dialect says so, create what the filter describes (Q4).
    pub(super) fn no_match(&mut self, may_create: bool) -> Result<Option<Value>> {
        if self.op == Op::Remove {
            return Ok(None);
        }
        let clears = match self.value {
            Value::Null => self.leniencies.allow(Leniency::NullValue),
            Value::String(text) if text.is_empty() => {
                self.leniencies.allow(Leniency::EmptyStringClears)
            }
            _ => false,
        };
        if clears {
            return Ok(None);
        }
        match &self.target.template {
            Some(template) if may_create && self.leniencies.allow(Leniency::CreateOnNoMatch) => {
                // Read once more, to count what of it is read leniently: as a filter it was not.
                for (name, value) in template {
                    if let Some(sub) = self.attribute.sub_attribute(name) {
                        resource::parse_attribute(sub, value, self.leniencies)?;
                    }
                }
                self.create(template.clone())
            }
            _ => Err(Error::no_target(format!(
                "no value of {} matches the filter",
                self.attribute.name
            ))),
        }
    }

    /// A new value from a template and what the edit gives; none if the edit gives nothing.
    pub(super) fn create(&mut self, mut members: Object) -> Result<Option<Value>> {
        if self.op == Op::Remove {
            return Ok(None);
        }
        if let Some(sub) = self.target.sub {
            let Some(value) = resource::parse_attribute(sub, self.value, self.leniencies)? else {
                return Ok(None);
            };
            members.insert(sub.name.clone(), value);
        } else {
            let given = resource::parse_single(self.attribute, self.value, self.leniencies)?;
            let Some(Value::Object(given)) = given else { return Ok(None) };
            members.extend(given);
        }
        Ok(self.object(members))
    }

    pub(super) fn set_sub(&mut self, members: &mut Object, sub: &'static Attribute) -> Result<()> {
        let value = match self.op {
            Op::Remove => None,
            Op::Add | Op::Replace => resource::parse_attribute(sub, self.value, self.leniencies)?,
        };
        let refers = sub.name == "value" && !self.attribute.multi_valued;
        if refers && members.get("value") != value.as_ref() {
            members.clear();
        }
        put(members, &sub.name, value);
        Ok(())
    }

    /// The value with these sub-attributes, none if there are none.
    pub(super) fn object(&self, members: Object) -> Option<Value> {
        let members = resource::in_order(&self.attribute.sub_attributes, members);
        (!members.is_empty()).then_some(Value::Object(members))
    }
}

pub(super) fn into_object(value: Option<Value>) -> Object {
    match value {
        Some(Value::Object(members)) => members,
        _ => Object::new(),
    }
}

/// The sub-attributes as they were sent, also as a list of one.
pub(super) fn sent_members(value: &Value) -> Option<&Object> {
    match value {
        Value::Object(members) => Some(members),
        Value::Array(list) if list.len() == 1 => sent_members(&list[0]),
        _ => None,
    }
}
