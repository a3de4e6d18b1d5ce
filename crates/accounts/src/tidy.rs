//! What is done to the attributes of every resource of [`Objects`](crate::Objects) before its own
//! rules see them: the name is trimmed, defaults are written, and a word that a rule depends on is
//! one of those that there are, in one spelling.

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::fold::fold;
use scim_protocol::schema::{Attribute, Mutability, ResourceType};
use serde_json::Value;

/// What an attribute is that the client does not say, in the types that have it with this word.
const DEFAULTS: [(&str, &str); 4] =
    [("state", "enabled"), ("kind", "skill"), ("mode", "fillMissing"), ("dialect", "standard")];

/// Puts attributes in order; `max_name` is the longest name, in characters.
///
/// # Errors
/// `invalidValue`, which names the attribute and what it may be.
pub(crate) fn tidy(
    kind: &ResourceType,
    max_name: usize,
    attributes: &mut Object,
) -> Result<(), Error> {
    let own = &kind.schema.attributes;
    for (name, default) in DEFAULTS {
        let has_word = |known: &&Attribute| {
            known.name == name && known.canonical_values.iter().any(|word| word == default)
        };
        if own.iter().any(|attribute| has_word(&attribute)) {
            attributes.entry(name).or_insert_with(|| default.into());
        }
    }
    for attribute in own.iter().filter(|one| one.mutability != Mutability::ReadOnly) {
        if let Some(value) = attributes.get_mut(&attribute.name) {
            use_canonical_words(attribute, &attribute.name, value)?;
        }
    }
    if let Some(Value::String(name)) = attributes.get_mut("name") {
        *name = checked_name(name, max_name)?;
    }
    Ok(())
}

fn checked_name(name: &str, max: usize) -> Result<String, Error> {
    let name = name.trim();
    // Folding makes some characters longer, and what is looked up by an index must fit into it.
    let fits = name.chars().count() <= max && fold(name).len() <= 4 * max;
    if name.is_empty() || !fits || name.chars().any(char::is_control) {
        return Err(Error::invalid_value(format!(
            "name must have 1 to {max} characters, none of them a control character"
        )));
    }
    Ok(name.to_owned())
}

fn use_canonical_words(attribute: &Attribute, path: &str, value: &mut Value) -> Result<(), Error> {
    match value {
        Value::Array(elements) => {
            elements.iter_mut().try_for_each(|one| use_canonical_words(attribute, path, one))
        }
        Value::Object(members) => attribute.sub_attributes.iter().try_for_each(|sub| {
            let path = format!("{path}.{}", sub.name);
            let member = members.get_mut(&sub.name);
            member.map_or(Ok(()), |member| use_canonical_words(sub, &path, member))
        }),
        Value::String(text) if !attribute.canonical_values.is_empty() => {
            let words = &attribute.canonical_values;
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
            let wrong =
                || Error::invalid_value(format!("{path} must be one of {}", words.join(", ")));
            *text = word.ok_or_else(wrong)?.clone();
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tidied(kind: &ResourceType, given: &Value) -> Result<Value, String> {
        let mut attributes = given.as_object().unwrap().clone();
        tidy(kind, 255, &mut attributes).map_err(|error| error.detail)?;
        Ok(Value::Object(attributes))
    }

    #[test]
    fn defaults_are_written_and_words_are_spelled_in_one_way() {
        let skill = ResourceType::skill();
        assert_eq!(
            tidied(skill, &json!({"name": " Thai "})),
            Ok(json!({"name": "Thai", "state": "enabled", "kind": "skill"}))
        );
        assert_eq!(
            tidied(skill, &json!({"name": "Thai", "kind": "LANGUAGE", "state": "Disabled"})),
            Ok(json!({"name": "Thai", "kind": "language", "state": "disabled"}))
        );
        let division = json!({"name": "Berlin"});
        assert_eq!(tidied(ResourceType::division(), &division), Ok(division));
    }

    #[test]
    fn what_a_rule_cannot_understand_is_refused_with_what_it_can() {
        let nested = json!({"name": "t", "skills": [{"value": "s", "type": "trade"}]});
        for (kind, given, expected) in [
            (
                ResourceType::skill(),
                json!({"name": "s", "state": "off"}),
                "state must be one of enabled, disabled",
            ),
            (ResourceType::user_template(), nested, "skills.type must be one of skill, language"),
        ] {
            assert_eq!(tidied(kind, &given), Err(expected.to_owned()));
        }
        let name = "name must have 1 to 255 characters, none of them a control character";
        let long = "n".repeat(256);
        // U+FDFA is one character, and folded 33 bytes.
        let grows = "\u{fdfa}".repeat(100);
        for wrong in ["  ", "a\u{7}b", &long, &grows] {
            let refused = tidied(ResourceType::division(), &json!({"name": wrong}));
            assert_eq!(refused, Err(name.to_owned()), "{wrong:?}");
        }
        assert!(tidied(ResourceType::division(), &json!({"name": "n".repeat(255)})).is_ok());
    }
}
