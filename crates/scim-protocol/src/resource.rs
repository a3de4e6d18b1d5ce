//! A resource as a client sends it, made into the form in which it is kept (RFC 7643 section 2).
//!
//! The kept form has every attribute under its schema's name, in the schema's order, with values
//! of the schema's types. What is unassigned is absent: absent, `null` and `[]` are one state
//! (section 2.5). Read-only attributes are dropped (RFC 7644 section 3.3). Attributes of an
//! extension are below its URN (section 3.3).

use serde_json::Value;

use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::instant;
use crate::schema::{Attribute, DataType, Mutability, ResourceType};

/// The values of one attribute, members apart: edits compare each with each.
pub const MAX_VALUES: usize = 1_000;

/// Reads the body of a POST or PUT.
///
/// # Errors
/// `invalidSyntax` if the body is no object or names what the dialect does not know;
/// `invalidValue` if a value does not fit its attribute or a required one is missing.
pub fn parse(
    kind: &'static ResourceType,
    body: &Value,
    leniencies: &mut Leniencies,
) -> Result<Object> {
    let Value::Object(body) = body else {
        return Err(Error::invalid_syntax("the body must be a JSON object"));
    };
    check_schemas(kind, body, leniencies)?;
    let mut resource = Object::new();
    for (key, value) in body {
        if key.eq_ignore_ascii_case("schemas") {
            continue;
        }
        if let Some(extension) = kind.extension(key) {
            let attributes = match value {
                Value::Object(members) => {
                    parse_members(&extension.attributes, key, members, leniencies)?
                }
                Value::Null => continue,
                _ => return Err(Error::invalid_value(format!("{key} must be an object"))),
            };
            if !attributes.is_empty() {
                insert_once(&mut resource, &extension.id, Value::Object(attributes))?;
            }
            continue;
        }
        let Some(attribute) = kind.attribute(key) else {
            unknown(key, leniencies)?;
            continue;
        };
        if let Some(value) = parse_attribute(attribute, value, leniencies)? {
            check_count(attribute, value.as_array().map_or(&[], Vec::as_slice))?;
            insert_once(&mut resource, &attribute.name, value)?;
        }
    }
    check_required(kind, &resource)?;
    Ok(in_schema_order(kind, resource))
}

/// The attributes of the type itself that a body has, also those whose value is `null` or `[]`,
/// which [`parse`] leaves out.
pub fn named(kind: &'static ResourceType, body: &Value) -> Vec<&'static str> {
    let names = body.as_object().into_iter().flat_map(Object::keys);
    names.filter_map(|name| kind.attribute(name)).map(|attribute| attribute.name.as_str()).collect()
}

/// Refuses a resource without a required attribute.
///
/// # Errors
/// `invalidValue`, with the attribute's name.
pub fn check_required(kind: &ResourceType, resource: &Object) -> Result<()> {
    for attribute in kind.schema.attributes.iter().filter(|attribute| attribute.required) {
        let missing = match resource.get(&attribute.name) {
            None => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if missing {
            return Err(Error::invalid_value(format!(
                "{} is required and must not be empty",
                attribute.name
            )));
        }
    }
    Ok(())
}

/// The URNs of the schemas whose attributes the resource has; its own schema first.
pub fn schemas(kind: &ResourceType, resource: &Object) -> Vec<Value> {
    let extensions = kind.extensions.iter().map(|extension| &extension.schema.id);
    std::iter::once(&kind.schema.id)
        .chain(extensions.filter(|urn| resource.contains_key(urn.as_str())))
        .map(|urn| Value::String(urn.clone()))
        .collect()
}

/// The same attributes in the order of the schemas.
pub fn in_schema_order(kind: &ResourceType, mut resource: Object) -> Object {
    let common = ResourceType::common_attributes().iter();
    let own = common.chain(&kind.schema.attributes).map(|attribute| &attribute.name);
    let names = own.chain(kind.extensions.iter().map(|extension| &extension.schema.id));
    names.filter_map(|name| resource.shift_remove_entry(name)).collect()
}

/// The members of these names, in this order.
pub(crate) fn in_order(attributes: &[Attribute], mut members: Object) -> Object {
    attributes.iter().filter_map(|a| members.shift_remove_entry(&a.name)).collect()
}

/// Reads the value of an attribute, `None` if it is unassigned or read-only.
///
/// # Errors
/// `invalidValue` if the value does not fit the attribute.
pub fn parse_attribute(
    attribute: &'static Attribute,
    value: &Value,
    leniencies: &mut Leniencies,
) -> Result<Option<Value>> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(None);
    }
    if !attribute.multi_valued {
        return parse_single(attribute, value, leniencies);
    }
    let elements = parse_elements(attribute, value, leniencies)?;
    check_primary(attribute, &elements)?;
    Ok((!elements.is_empty()).then_some(Value::Array(elements)))
}

/// Reads the values of a multi-valued attribute; no two of them equal (RFC 7643 section 2.4).
///
/// # Errors
/// `invalidValue` if a value does not fit the attribute.
pub fn parse_elements(
    attribute: &'static Attribute,
    value: &Value,
    leniencies: &mut Leniencies,
) -> Result<Vec<Value>> {
    let values = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(values) => values.as_slice(),
        single => {
            if !leniencies.allow(Leniency::ObjectForList) {
                return Err(Error::invalid_value(format!("{} must be a list", attribute.name)));
            }
            std::slice::from_ref(single)
        }
    };
    let mut elements = Vec::with_capacity(values.len());
    for value in values {
        if let Some(element) = parse_single(attribute, value, leniencies)? {
            elements.push(element);
        }
    }
    Ok(without_duplicates(elements))
}

fn without_duplicates(elements: Vec<Value>) -> Vec<Value> {
    // Members come by the hundred thousand: equality by a set of texts, not pair by pair.
    let mut seen = std::collections::HashSet::with_capacity(elements.len());
    elements.into_iter().filter(|element| seen.insert(element.to_string())).collect()
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

/// Refuses more than [`MAX_VALUES`] values.
pub(crate) fn check_count(attribute: &Attribute, elements: &[Value]) -> Result<()> {
    if elements.len() > MAX_VALUES && attribute.name != "members" {
        return Err(Error::invalid_value(format!(
            "{} has more than {MAX_VALUES} values",
            attribute.name
        )));
    }
    Ok(())
}

/// Whether an element is the primary one.
pub fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Reads one value: that of a single-valued attribute, or one of a multi-valued one. `None` if
/// it is unassigned.
///
/// # Errors
/// `invalidValue` if the value does not fit the attribute.
pub fn parse_single(
    attribute: &'static Attribute,
    value: &Value,
    leniencies: &mut Leniencies,
) -> Result<Option<Value>> {
    if attribute.is_complex() {
        return parse_complex(attribute, value, leniencies);
    }
    check_text(attribute, value)?;
    let fits = match (attribute.data_type, value) {
        (_, Value::Null) => return Ok(None),
        (_, Value::Array(list)) if list.len() == 1 && !attribute.multi_valued => {
            if leniencies.allow(Leniency::ListForObject) {
                return parse_single(attribute, &list[0], leniencies);
            }
            false
        }
        (_, Value::String(text)) if text.is_empty() && !attribute.required => {
            // In the RFC an empty string is a value; identity providers mean "no value".
            if leniencies.allow(Leniency::EmptyStringClears) {
                return Ok(None);
            }
            attribute.is_text()
        }
        (DataType::String | DataType::Reference | DataType::Binary, Value::String(_))
        | (DataType::Boolean, Value::Bool(_))
        | (DataType::Decimal, Value::Number(_)) => true,
        (DataType::Integer, Value::Number(number)) => number.is_i64(),
        (DataType::DateTime, Value::String(text)) => instant::parse(text).is_some(),
        // What has a fraction or more digits than 64 bits was not read as it was written.
        (DataType::String, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            if leniencies.allow(Leniency::NumberAsString) {
                return Ok(Some(Value::String(number.to_string())));
            }
            false
        }
        (DataType::Boolean, Value::String(text)) => {
            if let Some(truth) = boolean(text)
                && leniencies.allow(Leniency::StringBoolean)
            {
                return Ok(Some(Value::Bool(truth)));
            }
            false
        }
        _ => false,
    };
    if !fits {
        return Err(Error::invalid_value(format!(
            "{} must be {}",
            attribute.name,
            type_in_words(attribute.data_type)
        )));
    }
    Ok(Some(value.clone()))
}

/// The longest text that is kept, in bytes.
pub const MAX_TEXT: usize = 65_536;

/// Refuses text that not every database can keep.
fn check_text(attribute: &Attribute, value: &Value) -> Result<()> {
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

/// `true` and `false` as text, in any case.
pub fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn type_in_words(data_type: DataType) -> &'static str {
    match data_type {
        DataType::String => "a string",
        DataType::Boolean => "true or false",
        DataType::Decimal => "a number",
        DataType::Integer => "a whole number",
        DataType::DateTime => "a date and time such as 2026-11-22T08:30:00Z",
        DataType::Binary => "base64 text",
        DataType::Reference => "a URI",
        DataType::Complex => "an object",
    }
}

fn parse_complex(
    attribute: &'static Attribute,
    value: &Value,
    leniencies: &mut Leniencies,
) -> Result<Option<Value>> {
    let wrong = || Err(Error::invalid_value(format!("{} must be an object", attribute.name)));
    let members = match value {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        Value::Array(list) if !attribute.multi_valued => match list.as_slice() {
            [] => return Ok(None),
            [single] if leniencies.allow(Leniency::ListForObject) => {
                return parse_complex(attribute, single, leniencies);
            }
            _ => return wrong(),
        },
        Value::String(text) if text.is_empty() && leniencies.allow(Leniency::EmptyStringClears) => {
            return Ok(None);
        }
        bare => {
            if attribute.sub_attribute("value").is_none() || !leniencies.allow(Leniency::BareValue)
            {
                return wrong();
            }
            &Object::from_iter([("value".to_owned(), bare.clone())])
        }
    };
    let unwrapped = unwrap_json(attribute, members, leniencies);
    let members = unwrapped.as_ref().unwrap_or(members);
    let parsed = parse_members(&attribute.sub_attributes, &attribute.name, members, leniencies)?;
    Ok((!parsed.is_empty()).then_some(Value::Object(parsed)))
}

/// `{"value": "{\"value\":\"Admin\",\"displayName\":\"Admin\"}"}` is the object in the text.
fn unwrap_json(
    attribute: &Attribute,
    members: &Object,
    leniencies: &mut Leniencies,
) -> Option<Object> {
    if attribute.name != "roles" {
        return None;
    }
    let text = members.get("value")?.as_str().filter(|text| text.starts_with('{'))?;
    let Ok(Value::Object(inner)) = serde_json::from_str(text) else { return None };
    leniencies.allow(Leniency::JsonInString).then_some(())?;
    let mut merged = members.clone();
    let value = inner.get("value").or_else(|| inner.get("displayName"))?;
    merged.insert("value".to_owned(), value.clone());
    if let Some(display) = inner.get("displayName") {
        merged.insert("display".to_owned(), display.clone());
    }
    Some(merged)
}

fn parse_members(
    attributes: &'static [Attribute],
    parent: &str,
    members: &Object,
    leniencies: &mut Leniencies,
) -> Result<Object> {
    let find = |name: &str| attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name));
    let has_display = members.keys().any(|key| key.eq_ignore_ascii_case("display"));
    let mut found = Object::new();
    for (key, value) in members {
        let mut attribute = find(key);
        if attribute.is_none() && key.eq_ignore_ascii_case("displayName") {
            attribute = find("display")
                .filter(|_| !has_display && leniencies.allow(Leniency::DisplayNameForDisplay));
        }
        let Some(attribute) = attribute else {
            unknown(&format!("{parent}.{key}"), leniencies)?;
            continue;
        };
        if let Some(value) = parse_attribute(attribute, value, leniencies)? {
            insert_once(&mut found, &attribute.name, value)?;
        }
    }
    Ok(in_order(attributes, found))
}

fn insert_once(object: &mut Object, name: &str, value: Value) -> Result<()> {
    if object.insert(name.to_owned(), value).is_some() {
        return Err(Error::invalid_syntax(format!("{name} is given twice")));
    }
    Ok(())
}

fn unknown(name: &str, leniencies: &mut Leniencies) -> Result<()> {
    if leniencies.allow(Leniency::UnknownAttribute) {
        return Ok(());
    }
    Err(Error::invalid_syntax(format!("{name} is no attribute of this resource type")))
}

fn check_schemas(
    kind: &'static ResourceType,
    body: &Object,
    leniencies: &mut Leniencies,
) -> Result<()> {
    let given = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas"));
    let urns = match given {
        Some((_, Value::Array(urns))) => urns.as_slice(),
        None | Some((_, Value::Null)) => &[],
        Some(_) => return Err(Error::invalid_syntax("schemas must be a list of URNs")),
    };
    let mut own = false;
    for urn in urns {
        let Some(urn) = urn.as_str() else {
            return Err(Error::invalid_syntax("schemas must be a list of URNs"));
        };
        let is_own = kind.schema.id.eq_ignore_ascii_case(urn);
        own |= is_own;
        let known = is_own || kind.extension(urn).is_some();
        if !known && !leniencies.allow(Leniency::UnknownSchema) {
            return Err(Error::invalid_syntax(format!("{urn} is no schema of {}", kind.name)));
        }
    }
    if !own && !leniencies.allow(Leniency::MissingSchemas) {
        return Err(Error::invalid_syntax(format!("schemas must list {}", kind.schema.id)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
