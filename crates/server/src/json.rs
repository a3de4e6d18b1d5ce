//! Bodies of JSON in which every name is there once.
//!
//! JSON leaves open what a name means that an object has twice (RFC 8259 section 4), and a parser
//! that takes the last one is not the proxy that took the first. Names of attributes have no case
//! (RFC 7643 section 2.1), so names that differ in nothing else are the same name.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use scim_protocol::error::Error;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// What of a name is shown in an error.
const SHOWN: usize = 100;

/// The values of one body, those in others counted too. Read, each takes many times the two bytes in which
/// it can be sent.
const MAX_VALUES: usize = 500_000;

/// Reads a body.
///
/// # Errors
/// `invalidSyntax`, if it has more than [`MAX_VALUES`] values, if it is no JSON in UTF-8 (RFC 8259 section 8.1) or has a name twice.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let position = error.valid_up_to();
        Error::invalid_syntax(format!("the body must be UTF-8, and is not at byte {position}"))
    })?;
    if text.starts_with('\u{feff}') {
        let detail = "the body must not start with a byte order mark";
        return Err(Error::invalid_syntax(detail));
    }
    let (left, mut reader) = (Cell::new(MAX_VALUES), serde_json::Deserializer::from_str(text));
    let value = Once(&left).deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        Error::invalid_syntax(match error.classify() {
            Category::Data => format!("the body is refused: {error}"),
            _ => format!("the body is no valid JSON: {error}"),
        })
    })
}

/// Reads a value whose objects have every name once, if there are so many values left.
#[derive(Clone, Copy)]
struct Once<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.get().checked_sub(1);
        let too_many = || D::Error::custom(format!("it has more than {MAX_VALUES} values"));
        self.0.set(left.ok_or_else(too_many)?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = elements.next_element_seed(self)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut object, mut names) = (Map::new(), HashSet::new());
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.to_ascii_lowercase()) {
                let shown: String = name.chars().take(SHOWN).collect();
                return Err(A::Error::custom(format!("{shown:?} is there twice in one object")));
            }
            let value = members.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rfc8259_4_names_that_are_there_twice_are_refused() {
        for (text, name) in [
            (r#"{"a":1,"b":2,"a":1}"#, "\"a\""),
            (r#"{"userName":"x","USERNAME":"x"}"#, "\"USERNAME\""),
            (r#"{"a":1,"\u0061":1}"#, "\"a\""),
            (r#"{"name":{"givenName":"x","givenname":"y"}}"#, "\"givenname\""),
            (r#"[{"a":[{"b":null,"b":null}]}]"#, "\"b\""),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.scim_type.as_str(), "invalidSyntax");
            assert!(error.detail.contains(name), "{text}: {}", error.detail);
        }
        let same_in_others = br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#;
        assert_eq!(parse(same_in_others).unwrap(), json!({"a":{"a":1},"b":[{"a":1},{"a":2}]}));
    }

    #[test]
    fn values_are_read_as_serde_json_reads_them() {
        for text in [
            "null",
            "[true,false,0,-1,18446744073709551615,-9223372036854775808,1.5,1e300,-0.0]",
            r#"{"z":"\ud83d\ude00\u0000\n","a":[],"m":{},"":""}"#,
            "99999999999999999999",
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            let found = parse(text.as_bytes()).unwrap();
            assert_eq!(found.to_string(), expected.to_string());
        }
    }

    #[test]
    fn rfc8259_8_1_bodies_are_utf8_without_a_mark() {
        for (bytes, told) in [
            (&b"{\"a\":\"\xff\"}"[..], "byte 6"),
            (b"\xef\xbb\xbf{}", "byte order mark"),
            (b"\xff\xfe{\0}\0", "byte 0"),
            (b"{\"a\":\"\\ud800\"}", "JSON"),
        ] {
            let error = parse(bytes).unwrap_err();
            assert!(error.detail.contains(told), "{}", error.detail);
        }
    }

    #[test]
    fn values_are_bounded() {
        let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert!(parse(list(MAX_VALUES - 1).as_bytes()).is_ok());
        let refused = parse(list(MAX_VALUES).as_bytes()).unwrap_err();
        assert!(refused.detail.contains("more than 500000 values"), "{}", refused.detail);
        let objects = format!("[{}]", vec!["{\"a\":[]}"; MAX_VALUES / 2].join(","));
        assert!(parse(objects.as_bytes()).is_err());
    }

    #[test]
    fn depth_and_names_in_errors_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(100).as_bytes()).is_ok());
        assert!(parse(nested(200).as_bytes()).is_err());
        let name = "n".repeat(1_000_000);
        let twice = format!("{{\"{name}\":1,\"{name}\":1}}");
        assert!(parse(twice.as_bytes()).unwrap_err().detail.len() < 1_000);
    }
}
