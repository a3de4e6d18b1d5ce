//! What every resource must be, however it came to be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Value, json};

use crate::Object;
use crate::error::{Error, Result};
use crate::filter::comparable;
use crate::schema::{Attribute, Mutability, ResourceType};

/// The values of one attribute, members apart: edits compare each with each.
pub const MAX_VALUES: usize = 1_000;

/// The members that one request names at once: all that a group of that size has.
pub const MAX_MEMBERS: usize = 50_000;

/// Refuses a resource without what is required: an attribute, a sub-attribute of a value that is
/// there, an extension, and an attribute of an extension that is there. What is read-only is for
/// the service provider to have.
///
/// # Errors
/// `invalidValue`, with the name of what is missing.
pub fn check_required(kind: &ResourceType, resource: &Object) -> Result<()> {
    check_members(&kind.schema.attributes, resource, "")?;
    for extension in &kind.extensions {
        let urn = &extension.schema.id;
        match resource.get(urn) {
            Some(Value::Object(members)) => {
                check_members(&extension.schema.attributes, members, &format!("{urn}:"))?;
            }
            _ if extension.required => {
                return Err(Error::invalid_value(format!("the extension {urn} is required")));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_members(attributes: &[Attribute], members: &Object, parent: &str) -> Result<()> {
    for attribute in attributes {
        let value = members.get(&attribute.name);
        let empty = match value {
            None => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if empty && attribute.required && attribute.mutability != Mutability::ReadOnly {
            return Err(Error::invalid_value(format!(
                "{parent}{} is required and must not be empty",
                attribute.name
            )));
        }
        if !attribute.sub_attributes.iter().any(|sub| sub.required) {
            continue;
        }
        let elements = match value {
            Some(Value::Array(elements)) => elements.as_slice(),
            single => single.map_or(&[][..], std::slice::from_ref),
        };
        let parent = format!("{parent}{}.", attribute.name);
        for element in elements.iter().filter_map(Value::as_object) {
            check_members(&attribute.sub_attributes, element, &parent)?;
        }
    }
    Ok(())
}

/// Whether an extension that every resource has is not there.
pub(crate) fn lacks_required_extension(kind: &ResourceType, resource: &Object) -> bool {
    kind.extensions.iter().any(|e| e.required && !resource.contains_key(&e.schema.id))
}

/// Sub-attributes without which a `value` does not say what it is: the type, by which RFC 7643
/// section 2.4 tells values apart, and who gave an identifier.
pub(crate) const QUALIFIERS: [&str; 2] = ["type", "authority"];

/// The values without those that are there already. Values that have a `value` are the same if
/// they have the same [`QUALIFIERS`] and `value` (RFC 7643 section 2.4): the first counts, and the
/// second adds what the first does not say. Others are the same if they are equal.
pub(crate) fn without_duplicates(attribute: &Attribute, elements: Vec<Value>) -> Vec<Value> {
    // Members come by the hundred thousand: found by a map of texts, not pair by pair.
    let mut places = HashMap::with_capacity(elements.len());
    let mut kept: Vec<Value> = Vec::with_capacity(elements.len());
    for element in elements {
        match places.entry(identity(attribute, &element)) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(element);
            }
            Entry::Occupied(place) => join(attribute, &mut kept[*place.get()], element),
        }
    }
    kept
}

fn identity(attribute: &Attribute, element: &Value) -> String {
    match element {
        Value::Object(members) if members.contains_key("value") => {
            let part = |name| {
                let sub = attribute.sub_attribute(name)?;
                Some(comparable(sub, members.get(name)?))
            };
            let qualifiers = QUALIFIERS.map(|name| Value::from(part(name)));
            json!([qualifiers, part("value")]).to_string()
        }
        Value::Object(_) => element.to_string(),
        simple => comparable(attribute, simple).to_string(),
    }
}

fn join(attribute: &Attribute, first: &mut Value, second: Value) {
    let (Value::Object(members), Value::Object(others)) = (first, second) else { return };
    if others.get("primary") == Some(&Value::Bool(true)) {
        members.insert("primary".to_owned(), Value::Bool(true));
    }
    for (name, value) in others {
        members.entry(name).or_insert(value);
    }
    *members = super::in_order(&attribute.sub_attributes, std::mem::take(members));
}

/// Refuses a second `primary` (RFC 7643 section 2.4).
///
/// # Errors
/// `invalidValue`
pub fn check_primary(attribute: &Attribute, elements: &[Value]) -> Result<()> {
    if elements.iter().filter(|element| is_primary(element)).count() > 1 {
        return Err(Error::invalid_value(format!(
            "{} has more than one value with primary true; at most one may be",
            attribute.name
        )));
    }
    Ok(())
}

/// Refuses more than [`MAX_VALUES`] values, and more than [`MAX_MEMBERS`] members.
pub(crate) fn check_count(attribute: &Attribute, elements: &[Value]) -> Result<()> {
    let name = &attribute.name;
    let most = if name == "members" { MAX_MEMBERS } else { MAX_VALUES };
    if elements.len() > most {
        return Err(Error::invalid_value(format!("{name} has more than {most} values")));
    }
    Ok(())
}

/// Whether an element is the primary one.
pub fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// The longest text that is kept, in bytes.
pub const MAX_TEXT: usize = 65_536;

/// Refuses text that not every database can keep.
pub(super) fn check_text(attribute: &Attribute, value: &Value) -> Result<()> {
    let Value::String(text) = value else { return Ok(()) };
    if text.len() > MAX_TEXT {
        return Err(Error::invalid_value(format!(
            "{} must not be longer than {MAX_TEXT} bytes",
            attribute.name
        )));
    }
    if text.contains('\0') {
        return Err(Error::invalid_value(format!(
            "{} must not contain the character U+0000",
            attribute.name
        )));
    }
    Ok(())
}
