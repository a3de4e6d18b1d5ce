//! Attributes of extensions, by their URN and name.

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::Value;

pub(crate) use crate::provisioning::{ENTERPRISE, HEADCOUNT};

/// The value of an attribute: of the type itself if there is no URN.
pub(crate) fn get<'a>(attributes: &'a Object, urn: Option<&str>, name: &str) -> Option<&'a Value> {
    match urn {
        None => attributes.get(name),
        Some(urn) => attributes.get(urn)?.get(name),
    }
}

/// Text that an attribute holds.
pub(crate) fn text<'a>(attributes: &'a Object, urn: Option<&str>, name: &str) -> Option<&'a str> {
    get(attributes, urn, name)?.as_str()
}

/// Sets an attribute, or takes it away. What an extension has is in the order of its schema; one
/// that has nothing is not there.
pub(crate) fn set(
    attributes: &mut Object,
    urn: Option<&'static str>,
    name: &str,
    value: Option<Value>,
) {
    let Some(urn) = urn else {
        match value {
            Some(value) => attributes.insert(name.to_owned(), value),
            None => attributes.shift_remove(name),
        };
        return;
    };
    let held = attributes.entry(urn).or_insert_with(|| Value::Object(Object::new()));
    let Value::Object(members) = held else { return };
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.shift_remove(name),
    };
    if members.is_empty() {
        attributes.shift_remove(urn);
    }
}

/// Puts the attributes of the extensions into the order of their schemas.
pub(crate) fn in_order(kind: &'static ResourceType, attributes: &mut Object) {
    for extension in &kind.extensions {
        let Some(Value::Object(members)) = attributes.get_mut(&extension.schema.id) else {
            continue;
        };
        let place = |name: &str| extension.schema.attributes.iter().position(|a| a.name == name);
        if members.keys().map(|name| place(name)).is_sorted_by(|one, next| one < next) {
            continue;
        }
        let mut placed: Vec<(usize, String, Value)> = std::mem::take(members)
            .into_iter()
            .filter_map(|(name, value)| Some((place(&name)?, name, value)))
            .collect();
        placed.sort_unstable_by_key(|(place, ..)| *place);
        *members = placed.into_iter().map(|(_, name, value)| (name, value)).collect();
    }
}

/// Sets attributes of an extension.
pub(crate) fn set_all(
    attributes: &mut Object,
    urn: &'static str,
    values: impl IntoIterator<Item = (&'static str, Value)>,
) {
    let held = attributes.entry(urn).or_insert_with(|| Value::Object(Object::new()));
    let Value::Object(members) = held else { return };
    members.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
}
