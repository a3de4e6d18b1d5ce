//! What an entry says of the attributes that changed.

use scim_protocol::Object;
use scim_protocol::schema::{Attribute, ResourceType};
use serde_json::{Value, json};
use uuid::Uuid;

/// A change of what lists others: those that came, and those that went.
pub(crate) fn moved(attribute: &str, came: &[Uuid], went: &[Uuid]) -> Value {
    let listed = |ids: &[Uuid]| match ids {
        [] => Value::Null,
        // Not by the macro, which would make each list a second time.
        _ => ids.iter().map(|id| json!({"value": id})).collect(),
    };
    let change = [("attribute", attribute.into()), ("old", listed(went)), ("new", listed(came))];
    change.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What differs between two states of a resource, attribute by attribute; those of an extension
/// one by one. Of what no client ever sees, such as a password, it says that it changed, and not
/// what it was or is.
pub fn differences(kind: &'static ResourceType, before: &Object, after: &Object) -> Vec<Value> {
    let mut differences = Vec::new();
    for name in names(before, after) {
        let (old, new) = (before.get(name), after.get(name));
        let Some(schema) = kind.extension(name) else {
            differences.extend(difference(name, kind.attribute(name), old, new));
            continue;
        };
        let empty = Object::new();
        let old = old.and_then(Value::as_object).unwrap_or(&empty);
        let new = new.and_then(Value::as_object).unwrap_or(&empty);
        for inner in names(old, new) {
            let (old, new) = (old.get(inner), new.get(inner));
            let full = format!("{name}:{inner}");
            differences.extend(difference(&full, schema.attribute(inner), old, new));
        }
    }
    differences
}

/// What a resource has that was not there before: as [`differences`] from nothing.
pub(crate) fn appearances(kind: &'static ResourceType, after: Object) -> Vec<Value> {
    let mut appearances = Vec::with_capacity(after.len());
    for (name, new) in after {
        match (kind.extension(&name), new) {
            (Some(schema), Value::Object(members)) => {
                appearances.extend(members.into_iter().map(|(inner, new)| {
                    appearance(format!("{name}:{inner}"), schema.attribute(&inner), new)
                }));
            }
            (None, new) => {
                let attribute = kind.attribute(&name);
                appearances.push(appearance(name, attribute, new));
            }
            (Some(_), _) => {}
        }
    }
    appearances
}

fn appearance(name: String, attribute: Option<&Attribute>, new: Value) -> Value {
    let hides = |attribute: &Attribute| {
        attribute.is_hidden() || attribute.sub_attributes.iter().any(Attribute::is_hidden)
    };
    let new = match attribute {
        Some(attribute) if hides(attribute) => shown(attribute, &new),
        Some(_) => Some(new),
        None => None,
    };
    change(name, None, new)
}

/// The names of both: first those of the new state.
fn names<'a>(before: &'a Object, after: &'a Object) -> impl Iterator<Item = &'a String> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    after.keys().chain(gone)
}

fn difference(
    name: &str,
    attribute: Option<&Attribute>,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Value> {
    if old == new {
        return None;
    }
    let visible = |value: Option<&Value>| shown(attribute?, value?);
    Some(change(name.to_owned(), visible(old), visible(new)))
}

/// The values are moved: `json!` would copy each of them.
fn change(name: String, old: Option<Value>, new: Option<Value>) -> Value {
    let members = [("attribute", Some(name.into())), ("old", old), ("new", new)];
    let members = members.map(|(name, value)| (name.to_owned(), value.unwrap_or_default()));
    Value::Object(members.into_iter().collect())
}

/// The part of a value that clients may see.
fn shown(attribute: &Attribute, value: &Value) -> Option<Value> {
    if attribute.is_hidden() {
        return None;
    }
    if !attribute.sub_attributes.iter().any(Attribute::is_hidden) {
        return Some(value.clone());
    }
    Some(match value {
        Value::Array(elements) => {
            elements.iter().filter_map(|element| shown(attribute, element)).collect()
        }
        Value::Object(members) => {
            let seen = members.iter().filter_map(|(name, value)| {
                Some((name.clone(), shown(attribute.sub_attribute(name)?, value)?))
            });
            Value::Object(seen.collect())
        }
        _ => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn object(value: &Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn r81_every_attribute_that_differs_is_named() {
        let before = object(&json!({"title": "a", "active": true,
            ENTERPRISE: {"department": "d", "costCenter": "c"}}));
        let after = object(&json!({"active": false, "nickName": "n",
            ENTERPRISE: {"department": "e", "costCenter": "c"}}));
        assert_eq!(
            json!(differences(ResourceType::user(), &before, &after)),
            json!([
                {"attribute": "active", "old": true, "new": false},
                {"attribute": "nickName", "old": null, "new": "n"},
                {"attribute": format!("{ENTERPRISE}:department"), "old": "d", "new": "e"},
                {"attribute": "title", "old": "a", "new": null},
            ])
        );
    }

    /// A value for every attribute of the schemas; what is to be found has this text.
    fn value(attribute: &Attribute, text: &str) -> Value {
        let one = if attribute.is_complex() {
            let subs = attribute.sub_attributes.iter();
            Value::Object(subs.map(|sub| (sub.name.clone(), value(sub, text))).collect())
        } else {
            json!(if attribute.is_hidden() { format!("secret {text}") } else { text.to_owned() })
        };
        if attribute.multi_valued { json!([one]) } else { one }
    }

    /// A resource that has every attribute of its schemas.
    fn all(kind: &'static ResourceType, text: &str) -> Object {
        let of = |attributes: &'static [Attribute]| -> Object {
            attributes.iter().map(|a| (a.name.clone(), value(a, text))).collect()
        };
        let mut all = of(&kind.schema.attributes);
        for extension in &kind.extensions {
            all.insert(extension.schema.id.clone(), of(&extension.schema.attributes).into());
        }
        all
    }

    #[test]
    fn r81_what_the_schema_hides_is_named_and_its_values_are_not() {
        let mut hidden = 0;
        for kind in ResourceType::all() {
            let (before, after) = (all(kind, "old"), all(kind, "new"));
            let secrets = |object: &Object| json!(object).to_string().matches("secret").count();
            hidden += secrets(&after);
            let differences = json!(differences(kind, &before, &after));
            assert!(!differences.to_string().contains("secret"), "{differences}");
            let from_nothing = super::differences(kind, &Object::new(), &after);
            assert_eq!(appearances(kind, after), from_nothing);
            let names = differences.as_array().unwrap().iter().map(|change| &change["attribute"]);
            let of_extensions: usize =
                kind.extensions.iter().map(|extension| extension.schema.attributes.len()).sum();
            assert_eq!(names.count(), kind.schema.attributes.len() + of_extensions);
        }
        assert!(hidden > 0, "the schemas hide the password at least");
    }

    #[test]
    fn r81_what_is_hidden_in_a_complex_attribute_is_left_out_of_its_values() {
        let attribute: Attribute = serde_json::from_value(json!({
            "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "label"}, {"name": "value", "returned": "never"},
                {"name": "pin", "mutability": "writeOnly"}]}))
        .unwrap();
        let keys = json!([{"label": "a", "value": "s", "pin": "t"}, {"value": "s"}]);
        assert_eq!(shown(&attribute, &keys), Some(json!([{"label": "a"}, {}])));
    }

    #[test]
    fn r81_what_no_schema_has_shows_no_value() {
        let after = object(&json!({"shoeSize": 44}));
        let found = differences(ResourceType::user(), &Object::new(), &after);
        assert_eq!(json!(found), json!([{"attribute": "shoeSize", "old": null, "new": null}]));
    }
}
