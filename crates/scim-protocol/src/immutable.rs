//! What a client can set once (RFC 7643 section 7): attributes and sub-attributes that are
//! `immutable` have no value, or the first they were given.
//!
//! [`patch::apply`](crate::patch::apply) holds every edit to it. Who replaces a resource calls
//! [`carry_over`].
//!
//! # Decided where the RFC leaves a choice
//!
//! - A PUT that leaves an immutable value out, or has `null` or `[]` there, keeps it: absent, null
//!   and empty are one state (RFC 7643 section 2.5), and a client cannot take it away.
//! - Values are the same as a filter sees them: without case unless `caseExact`, instants in any
//!   zone, lists in any order. The first spelling stays.
//! - Immutable sub-attributes of a multi-valued attribute belong to one value: whole values come
//!   and go. Where a whole list is given, a value with the same `value` is the same one.

use std::collections::HashMap;

use serde_json::Value;

use crate::Object;
use crate::error::{Error, Result};
use crate::filter::comparable;
use crate::resource;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};

/// Gives `after`, which is to replace `before`, the immutable values that it leaves out, and
/// refuses it if it has others (RFC 7644 section 3.5.1).
///
/// `User` has no immutable attribute; a group's members have immutable parts:
///
/// ```
/// use scim_protocol::{immutable, schema::ResourceType};
/// use serde_json::json;
///
/// let group = |kind: &str| {
///     let group = json!({"displayName": "Team", "members": [{"value": "1", "type": kind}]});
///     group.as_object().unwrap().clone()
/// };
/// let (before, mut after) = (group("User"), group("Group"));
/// assert!(immutable::carry_over(ResourceType::group(), &before, &mut after).is_err());
/// ```
///
/// # Errors
/// `mutability`, with the name of what cannot be changed; `invalidValue` if it leaves out what is
/// required beside an immutable value.
pub fn carry_over(kind: &ResourceType, before: &Object, after: &mut Object) -> Result<()> {
    for attributes in [ResourceType::common_attributes(), &kind.schema.attributes] {
        carry_over_members(attributes, before, after)?;
    }
    for extension in &kind.extensions {
        let urn = &extension.schema.id;
        let Some(Value::Object(old)) = before.get(urn) else { continue };
        let mut new = members(after.get(urn));
        carry_over_members(&extension.schema.attributes, old, &mut new)?;
        if !new.is_empty() {
            let new = resource::in_order(&extension.schema.attributes, new);
            after.insert(urn.clone(), Value::Object(new));
        }
    }
    resource::check_required(kind, after)?;
    *after = resource::in_schema_order(kind, std::mem::take(after));
    Ok(())
}

fn carry_over_members(attributes: &[Attribute], before: &Object, after: &mut Object) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| concerns(attribute)) {
        let Some(old) = before.get(&attribute.name) else { continue };
        let new = add_omitted(attribute, old, after.get(&attribute.name).cloned());
        if let Some(new) = settle(attribute, Some(old), new)? {
            after.insert(attribute.name.clone(), new);
        }
    }
    Ok(())
}

/// The new value of an attribute, with the immutable parts of the old one that it leaves out.
fn add_omitted(attribute: &Attribute, old: &Value, new: Option<Value>) -> Option<Value> {
    if is_immutable(attribute) {
        return new.or_else(|| Some(old.clone()));
    }
    match (old, new) {
        (Value::Array(old), Some(Value::Array(mut new))) => {
            let mut of_value = by_value(attribute, old.iter());
            for element in new.iter_mut().filter_map(Value::as_object_mut) {
                let Some(same) = of_value.get_mut(&key(attribute, element)) else { continue };
                let fits = |old: &&Object| {
                    let mut filled = element.clone();
                    fill(attribute, old, &mut filled);
                    settle_members(attribute, old, &mut filled).is_ok()
                };
                if let Some(at) = same.iter().position(fits) {
                    fill(attribute, same.swap_remove(at), element);
                }
            }
            Some(Value::Array(new))
        }
        (Value::Object(old), new) => {
            let mut new = members(new.as_ref());
            fill(attribute, old, &mut new);
            (!new.is_empty()).then_some(Value::Object(new))
        }
        (_, new) => new,
    }
}

fn fill(attribute: &Attribute, old: &Object, new: &mut Object) {
    for sub in attribute.sub_attributes.iter().filter(|sub| is_immutable(sub)) {
        if let Some(value) = old.get(&sub.name) {
            new.entry(sub.name.clone()).or_insert_with(|| value.clone());
        }
    }
    *new = resource::in_order(&attribute.sub_attributes, std::mem::take(new));
}

/// Whether the attribute or one of its sub-attributes is immutable.
pub(crate) fn concerns(attribute: &Attribute) -> bool {
    is_immutable(attribute) || attribute.sub_attributes.iter().any(is_immutable)
}

fn is_immutable(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::Immutable
}

/// What an attribute becomes that was `old` and is to be `new`.
pub(crate) fn settle(
    attribute: &Attribute,
    old: Option<&Value>,
    new: Option<Value>,
) -> Result<Option<Value>> {
    let Some(old) = old.filter(|_| concerns(attribute)) else { return Ok(new) };
    if is_immutable(attribute) {
        return match new {
            Some(new) if is_same(attribute, old, &new) => Ok(Some(old.clone())),
            _ => Err(refusal(&attribute.name)),
        };
    }
    match (old, new) {
        (Value::Array(old), Some(Value::Array(mut new))) => {
            settle_elements(attribute, old, &mut new)?;
            Ok(Some(Value::Array(new)))
        }
        (Value::Object(old), new) => {
            let mut new = members(new.as_ref());
            settle_members(attribute, old, &mut new)?;
            Ok((!new.is_empty()).then_some(Value::Object(new)))
        }
        (_, new) => Ok(new),
    }
}

/// Refuses a value that was `old` and has other immutable sub-attributes.
pub(crate) fn settle_members(attribute: &Attribute, old: &Object, new: &mut Object) -> Result<()> {
    for sub in attribute.sub_attributes.iter().filter(|sub| is_immutable(sub)) {
        let Some(value) = old.get(&sub.name) else { continue };
        match new.get_mut(&sub.name) {
            Some(given) if is_same(sub, value, given) => *given = value.clone(),
            _ => return Err(refusal(&format!("{}.{}", attribute.name, sub.name))),
        }
    }
    Ok(())
}

/// Refuses a list in which one of the old values has other immutable sub-attributes.
fn settle_elements(attribute: &Attribute, old: &[Value], new: &mut [Value]) -> Result<()> {
    let mut of_value = by_value(attribute, old.iter());
    let mut others = Vec::new();
    for element in new.iter_mut().filter_map(Value::as_object_mut) {
        let key = key(attribute, element);
        let Some(same) = of_value.get_mut(&key) else { continue };
        let settled = same.iter().position(|old| settle_members(attribute, old, element).is_ok());
        match settled {
            Some(at) => drop(same.swap_remove(at)),
            None => others.push((key, element)),
        }
    }
    // An old value that is not in the list as it was is there with a change - or is gone, and the
    // other one is new.
    for (key, element) in others {
        if let Some(changed) = of_value.get(&key).and_then(|same| same.first()) {
            settle_members(attribute, changed, element)?;
        }
    }
    Ok(())
}

type Key = Option<String>;

fn by_value<'a>(
    attribute: &Attribute,
    elements: impl Iterator<Item = &'a Value>,
) -> HashMap<Key, Vec<&'a Object>> {
    let mut of_value: HashMap<Key, Vec<&Object>> = HashMap::new();
    for element in elements.filter_map(Value::as_object) {
        of_value.entry(key(attribute, element)).or_default().push(element);
    }
    // What has no `value` is not known again.
    of_value.remove(&None);
    of_value
}

fn key(attribute: &Attribute, element: &Object) -> Key {
    let value = element.get("value")?;
    Some(comparable(attribute.sub_attribute("value")?, value).to_string())
}

fn is_same(attribute: &Attribute, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            let is_in = |one: &Value, all: &[Value]| all.iter().any(|x| is_same(attribute, one, x));
            a.len() == b.len() && a.iter().all(|x| is_in(x, b)) && b.iter().all(|x| is_in(x, a))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(name, value): (&String, &Value)| {
                attribute
                    .sub_attribute(name)
                    .zip(b.get(name))
                    .is_some_and(|(sub, other)| is_same(sub, value, other))
            };
            a.len() == b.len() && a.iter().all(same)
        }
        (Value::Number(x), Value::Number(y)) if x.is_f64() || y.is_f64() => {
            x.as_f64() == y.as_f64()
        }
        _ => comparable(attribute, a) == comparable(attribute, b),
    }
}

/// Refuses to take an extension away that has an immutable value.
pub(crate) fn check_removal(schema: &Schema, removed: &Object) -> Result<()> {
    schema.attributes.iter().try_for_each(|a| settle(a, removed.get(&a.name), None).map(|_| ()))
}

fn members(value: Option<&Value>) -> Object {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn refusal(name: &str) -> Error {
    Error::mutability(format!("{name} is immutable: it can be set once and not be changed"))
}
