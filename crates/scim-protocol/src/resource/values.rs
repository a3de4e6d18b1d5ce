//! The values of attributes, as clients write them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use serde_json::Value;

use super::check::{check_count, check_primary, check_text, without_duplicates};
use super::in_order;
use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::instant;
use crate::schema::{Attribute, DataType, Mutability};

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
    check_count(attribute, &elements)?;
    Ok((!elements.is_empty()).then_some(Value::Array(elements)))
}

/// Reads the values of a multi-valued attribute; no two of them the same (RFC 7643 section 2.4).
///
/// # Errors
/// `invalidValue` if a value does not fit the attribute.
pub fn parse_elements(
    attribute: &'static Attribute,
    value: &Value,
    leniencies: &mut Leniencies,
) -> Result<Vec<Value>> {
    let split = is_joined(attribute, value, leniencies).then(|| split(value, leniencies));
    let values = match split.as_ref().unwrap_or(value) {
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
    Ok(without_duplicates(attribute, elements))
}

/// Whether a text is a list of values: Entra ID sends no lists in attributes of one's own, so that
/// several business units come as `Sales;Support`.
pub(crate) fn is_joined(attribute: &Attribute, value: &Value, leniencies: &Leniencies) -> bool {
    attribute.multi_valued
        && attribute.name == "businessUnits"
        && leniencies.permits(Leniency::JoinedList)
        && value.as_str().is_some_and(|text| text.contains(SEPARATOR))
}

/// Between the values of a list in one text.
pub(crate) const SEPARATOR: char = ';';

fn split(joined: &Value, leniencies: &mut Leniencies) -> Value {
    leniencies.allow(Leniency::JoinedList);
    let text = joined.as_str().unwrap_or_default();
    text.split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty()).collect()
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
        (DataType::Binary, Value::String(text)) => {
            is_base64(text) || leniencies.allow(Leniency::NotBase64)
        }
        (DataType::String | DataType::Reference, Value::String(_))
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

fn is_base64(text: &str) -> bool {
    STANDARD_PAD_INDIFFERENT.decode(text).is_ok() || URL_SAFE_PAD_INDIFFERENT.decode(text).is_ok()
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
        Value::Array(_) => return wrong(),
        bare => {
            if attribute.sub_attribute("value").is_none() || !leniencies.allow(Leniency::BareValue)
            {
                return wrong();
            }
            &Object::from_iter([("value".to_owned(), bare.clone())])
        }
    };
    let mut unwrapped = unwrap_json(attribute, members, leniencies);
    // What was in the text may be such a text again, and must not wait for the client's next echo.
    while let Some(inner) = unwrapped.as_ref().and_then(|u| unwrap_json(attribute, u, leniencies)) {
        unwrapped = Some(inner);
    }
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
    let (key, value) = members.iter().find(|(key, _)| key.eq_ignore_ascii_case("value"))?;
    let value = value.as_array().filter(|list| list.len() == 1).map_or(value, |list| &list[0]);
    let text = value.as_str().filter(|text| text.starts_with('{'))?;
    let Ok(Value::Object(inner)) = serde_json::from_str(text) else { return None };
    let value = inner.get("value").or_else(|| inner.get("displayName"))?;
    leniencies.allow(Leniency::JsonInString).then_some(())?;
    let mut merged = members.clone();
    merged.insert(key.clone(), value.clone());
    if let Some(display) = inner.get("displayName") {
        merged.retain(|key, _| !key.eq_ignore_ascii_case("display"));
        merged.insert("display".to_owned(), display.clone());
    }
    Some(merged)
}

pub(super) fn parse_members(
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

pub(super) fn insert_once(object: &mut Object, name: &str, value: Value) -> Result<()> {
    if object.insert(name.to_owned(), value).is_some() {
        return Err(Error::invalid_syntax(format!("{name} is given twice")));
    }
    Ok(())
}

pub(super) fn unknown(name: &str, leniencies: &mut Leniencies) -> Result<()> {
    if leniencies.allow(Leniency::UnknownAttribute) {
        return Ok(());
    }
    Err(Error::invalid_syntax(format!("{name} is no attribute of this resource type")))
}
