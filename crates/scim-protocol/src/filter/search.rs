//! The form of a resource in which a database compares it.

use serde_json::Value;

use crate::Object;
use crate::fold::fold;
use crate::instant;
use crate::schema::{Attribute, DataType, ResourceType};

/// The resource with every value as it is compared: text folded unless `caseExact`, instants as
/// microseconds since 1970, decimals as `f64`. The shape and names are the resource's own. What no
/// client sees is not there: no filter can ask for it.
pub fn search_document(kind: &'static ResourceType, resource: &Object) -> Object {
    let seen = Seen::ByClients;
    let mut document = Object::new();
    for (name, value) in resource {
        if let Some(attribute) = kind.attribute(name) {
            if attribute.is_hidden() {
                continue;
            }
            document.insert(name.clone(), compared(attribute, value, seen));
        } else if let (Some(schema), Value::Object(members)) = (kind.extension(name), value) {
            document.insert(name.clone(), compared_members(&schema.attributes, members, seen));
        }
    }
    document
}

/// A value as it is compared, with the sub-attributes that no client sees.
pub(crate) fn comparable(attribute: &Attribute, value: &Value) -> Value {
    compared(attribute, value, Seen::ByNobody)
}

/// Which sub-attributes are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Those that clients see.
    ByClients,
    /// Those that nobody sees, too.
    ByNobody,
}

fn compared(attribute: &Attribute, value: &Value, seen: Seen) -> Value {
    match value {
        Value::Array(elements) => {
            elements.iter().map(|element| compared(attribute, element, seen)).collect()
        }
        Value::Object(members) => compared_members(&attribute.sub_attributes, members, seen),
        Value::String(text) if attribute.data_type == DataType::DateTime => {
            instant::parse(text).map_or(Value::Null, |instant| instant::micros(instant).into())
        }
        Value::String(text) if attribute.is_text() && !attribute.case_exact => fold(text).into(),
        Value::Number(number) if attribute.data_type == DataType::Decimal => {
            // Whole ones too: a database would compare those with all their digits.
            number.as_f64().map_or(Value::Null, Value::from)
        }
        other => other.clone(),
    }
}

fn compared_members(attributes: &[Attribute], members: &Object, seen: Seen) -> Value {
    let find = |name: &str| {
        attributes.iter().find(|a| a.name == name && (seen == Seen::ByNobody || !a.is_hidden()))
    };
    let compared =
        |(name, value): (&String, &Value)| Some((name.clone(), compared(find(name)?, value, seen)));
    Value::Object(members.iter().filter_map(compared).collect())
}
