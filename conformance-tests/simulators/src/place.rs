//! Where a value is in a SCIM resource.

use std::fmt;

use serde_json::{Map, Value, json};

/// The enterprise extension of users (RFC 7643 section 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The target of one line of a provider's mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An attribute: `title`.
    Simple(&'static str),
    /// A part of one: `name.givenName`.
    Part(&'static str, &'static str),
    /// A part of the value that has a type: `emails[type eq "work"].value`.
    Typed(&'static str, &'static str, &'static str),
    /// An attribute of the enterprise extension.
    Enterprise(&'static str),
    /// A part of one: `manager.value`.
    EnterprisePart(&'static str, &'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(name) => f.write_str(name),
            Self::Part(name, part) => write!(f, "{name}.{part}"),
            Self::Typed(name, kind, part) => write!(f, "{name}[type eq \"{kind}\"].{part}"),
            Self::Enterprise(name) => write!(f, "{ENTERPRISE}:{name}"),
            Self::EnterprisePart(name, part) => write!(f, "{ENTERPRISE}:{name}.{part}"),
        }
    }
}

impl Place {
    /// What a resource has there; `null` if nothing.
    pub fn read<'a>(&self, resource: &'a Value) -> &'a Value {
        match self {
            Self::Simple(name) => &resource[*name],
            Self::Part(name, part) => &resource[*name][*part],
            Self::Typed(name, kind, part) => {
                typed(&resource[*name], kind).map_or(&Value::Null, |value| &value[*part])
            }
            Self::Enterprise(name) => &resource[ENTERPRISE][*name],
            Self::EnterprisePart(name, part) => &resource[ENTERPRISE][*name][*part],
        }
    }

    /// Puts a value there, in a resource that is being written.
    pub fn write(&self, resource: &mut Map<String, Value>, value: Value) {
        match self {
            Self::Simple(name) => {
                resource.insert((*name).to_owned(), value);
            }
            Self::Part(name, part) => object(resource, name)[*part] = value,
            Self::Typed(name, kind, part) => {
                let values = resource.entry(*name).or_insert_with(|| json!([]));
                if typed(values, kind).is_none() {
                    push(values, json!({ "type": kind }));
                }
                if let Some(element) = typed_mut(values, kind) {
                    element[*part] = value;
                }
            }
            Self::Enterprise(name) => object(resource, ENTERPRISE)[*name] = value,
            Self::EnterprisePart(name, part) => {
                object(resource, ENTERPRISE)[*name] = json!({ *part: value });
            }
        }
    }
}

fn object<'a>(resource: &'a mut Map<String, Value>, name: &str) -> &'a mut Value {
    resource.entry(name).or_insert_with(|| json!({}))
}

fn push(values: &mut Value, element: Value) {
    if let Some(values) = values.as_array_mut() {
        values.push(element);
    }
}

fn is_of(element: &Value, kind: &str) -> bool {
    element["type"].as_str().is_some_and(|text| text.eq_ignore_ascii_case(kind))
}

fn typed<'a>(values: &'a Value, kind: &str) -> Option<&'a Value> {
    values.as_array()?.iter().find(|element| is_of(element, kind))
}

fn typed_mut<'a>(values: &'a mut Value, kind: &str) -> Option<&'a mut Value> {
    values.as_array_mut()?.iter_mut().find(|element| is_of(element, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_at_its_place() {
        let places = [
            Place::Simple("title"),
            Place::Part("name", "givenName"),
            Place::Typed("emails", "work", "value"),
            Place::Typed("emails", "work", "primary"),
            Place::Typed("emails", "other", "value"),
            Place::Enterprise("department"),
            Place::EnterprisePart("manager", "value"),
        ];
        let mut resource = Map::new();
        for (number, place) in places.iter().enumerate() {
            place.write(&mut resource, json!(number));
        }
        let resource = Value::Object(resource);
        for (number, place) in places.iter().enumerate() {
            assert_eq!(place.read(&resource), number, "{place} of {resource}");
        }
        assert_eq!(resource["emails"].as_array().map(Vec::len), Some(2));
        assert!(Place::Typed("emails", "home", "value").read(&resource).is_null());
    }
}
