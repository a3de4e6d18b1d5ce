//! Paging by cursor (RFC 9865): where a page ended.
//!
//! The next page is what comes after the last resource of a page in the order of the query. So a
//! [`Position`] is all that has to be known of the pages before, and nothing of them is kept.

use serde_json::Value;

use crate::Object;
use crate::filter::comparable;
use crate::resource::is_primary;
use crate::schema::AttributeRef;

/// How long a cursor can be used, in seconds.
pub const CURSOR_TIMEOUT: u32 = 3_600;

/// The last resource of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Its identifier: what is sorted alike, or not at all, is in the order of identifiers.
    pub id: String,
    /// What it is sorted by; `None` if that is unassigned, and in a query without an order.
    pub key: Option<Key>,
}

/// A value by which a resource is sorted, in the form in which it is compared (as in
/// [`search_document`](crate::filter::search_document)).
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// Text, folded unless the attribute is `caseExact`.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A whole number, or an instant as microseconds since 1970.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
}

impl Key {
    /// What a resource in its kept form is sorted by (RFC 7644 section 3.4.2.3): of a multi-valued
    /// attribute the primary value, else the first. `None` if it is unassigned.
    pub fn of(attribute: AttributeRef, resource: &Object) -> Option<Self> {
        let members = match attribute.extension {
            Some(schema) => resource.get(&schema.id)?.as_object()?,
            None => resource,
        };
        let mut value = members.get(&attribute.attribute.name)?;
        if let Value::Array(elements) = value {
            value = elements.iter().find(|element| is_primary(element)).or(elements.first())?;
        }
        if let Some(sub) = attribute.sub {
            value = value.get(&sub.name)?;
        }
        Self::read(comparable(attribute.leaf(), value))
    }

    fn read(comparable: Value) -> Option<Self> {
        match comparable {
            Value::String(text) => Some(Self::Text(text)),
            Value::Bool(truth) => Some(Self::Boolean(truth)),
            Value::Number(number) => {
                number.as_i64().map(Self::Integer).or_else(|| number.as_f64().map(Self::Decimal))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Leniencies};
    use crate::query::Parameters;
    use crate::schema::ResourceType;
    use serde_json::json;

    fn key(sort_by: &str, resource: &Value) -> Option<Key> {
        let parameters = Parameters { sort_by: Some(sort_by.to_owned()), ..Parameters::default() };
        let mut leniencies = Leniencies::new(Dialect::Standard);
        let query = parameters.query(ResourceType::user(), &mut leniencies).expect(sort_by);
        Key::of(query.sort?.attribute, resource.as_object()?)
    }

    #[test]
    fn rfc9865_2_2_a_position_has_the_value_as_it_is_sorted() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let user = json!({
            "userName": "BJensen", "externalId": "AbC", "active": true,
            "meta": {"created": "2026-01-01T01:00:00.5+01:00"},
            "name": {"familyName": "Straße"},
            "emails": [{"value": "First@x.example", "type": "home"},
                       {"value": "Second@x.example", "primary": true}],
            "phoneNumbers": [{"type": "Work"}, {"value": "1"}],
            urn: {"department": "Sales"},
        });
        let text = |text: &str| Some(Key::Text(text.to_owned()));
        for (sort_by, expected) in [
            ("userName", text("bjensen")),
            ("externalId", text("AbC")),
            ("active", Some(Key::Boolean(true))),
            ("meta.created", Some(Key::Integer(1_767_225_600_500_000))),
            ("name.familyName", text("strasse")),
            ("emails", text("second@x.example")),
            ("emails.type", None),
            ("phoneNumbers", None),
            ("phoneNumbers.type", text("work")),
            ("title", None),
            (&format!("{urn}:department"), text("sales")),
            (&format!("{urn}:manager.value"), None),
        ] {
            assert_eq!(key(sort_by, &user), expected, "{sort_by}");
        }
    }

    #[test]
    fn numbers_keep_what_they_are() {
        assert_eq!(Key::read(json!(9_007_199_254_740_993_i64)), Some(Key::Integer((1 << 53) + 1)));
        assert_eq!(Key::read(json!(0.1)), Some(Key::Decimal(0.1)));
        assert_eq!(Key::read(Value::Null), None);
    }
}
