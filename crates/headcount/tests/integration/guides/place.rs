//! Where a value is in a user: what a target of a mapping says.

use serde_json::{Value, json};

use crate::harness::USER;

/// The place of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The extension, if it is not the core schema.
    pub(super) schema: Option<String>,
    pub(super) attribute: String,
    /// What the value among several is known by.
    pub(super) selected: Option<(String, Value)>,
    pub(super) part: Option<String>,
}

impl Place {
    /// Reads a path of SCIM, or what Okta calls an external name.
    pub(super) fn of(namespace: Option<&str>, target: &str) -> Self {
        let head = target.split('[').next().unwrap_or_default();
        let (schema, path) = match head.rfind(':') {
            Some(colon) => (Some(&target[..colon]), &target[colon + 1..]),
            None => (namespace, target),
        };
        let schema = schema.filter(|urn| *urn != USER).map(str::to_owned);
        let path = path.replace(".^[", "[");
        let Some((attribute, rest)) = path.split_once('[') else {
            let (attribute, part) = match path.split_once('.') {
                Some((attribute, part)) => (attribute, Some(part.to_owned())),
                None => (path.as_str(), None),
            };
            return Self { schema, attribute: attribute.to_owned(), selected: None, part };
        };
        let (term, part) = rest.split_once(']').expect("the bracket is closed");
        let (name, value) =
            term.split_once(" eq ").or_else(|| term.split_once("==")).expect("a comparison");
        let value = match value.trim_matches('"') {
            "true" | "True" => json!(true),
            text => json!(text),
        };
        let part = part.strip_prefix('.').map(str::to_owned);
        let selected = Some((name.to_owned(), value));
        Self { schema, attribute: attribute.to_owned(), selected, part }
    }

    /// Puts a value there, in a body that is being written.
    pub(super) fn put(&self, body: &mut Value, value: Value) {
        let holder = match &self.schema {
            None => body,
            Some(urn) => {
                let schemas = body["schemas"].as_array_mut().expect("a body has schemas");
                if !schemas.contains(&json!(urn)) {
                    schemas.push(json!(urn));
                }
                object(body, urn)
            }
        };
        let Some((name, known)) = &self.selected else {
            match &self.part {
                None => holder[&self.attribute] = value,
                Some(part) => object(holder, &self.attribute)[part] = value,
            }
            return;
        };
        let list = &mut holder[&self.attribute];
        if list.is_null() {
            *list = json!([]);
        }
        let list = list.as_array_mut().expect("several values are a list");
        let at = list.iter().position(|element| element[name] == *known).unwrap_or_else(|| {
            list.push(json!({ name: known }));
            list.len() - 1
        });
        list[at][self.part.as_deref().unwrap_or("value")] = value;
    }

    /// What a user has there.
    pub(super) fn get<'a>(&self, user: &'a Value) -> &'a Value {
        let holder = self.schema.as_ref().map_or(user, |urn| &user[urn]);
        let value = member(holder, &self.attribute);
        let value = match &self.selected {
            None => value,
            Some((name, known)) => {
                let found = value.as_array().and_then(|all| all.iter().find(|e| e[name] == *known));
                found.unwrap_or(&Value::Null)
            }
        };
        self.part.as_ref().map_or(value, |part| member(value, part))
    }
}

fn object<'a>(holder: &'a mut Value, name: &str) -> &'a mut Value {
    if holder[name].is_null() {
        holder[name] = json!({});
    }
    &mut holder[name]
}

/// The member of a name, whatever its case.
fn member<'a>(holder: &'a Value, name: &str) -> &'a Value {
    let members = holder.as_object().into_iter().flatten();
    let mut found = members.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map_or(&Value::Null, |(_, value)| value)
}

#[test]
fn a_target_is_read_as_scim_and_as_okta_writes_it() {
    let work = Place::of(None, "emails[type eq \"work\"].value");
    assert_eq!(work, Place::of(Some(USER), "emails.^[type==work].value"));
    let mut body = json!({"schemas": [USER]});
    work.put(&mut body, json!("a@b"));
    Place::of(None, "name.givenName").put(&mut body, json!("Ada"));
    Place::of(None, "urn:x:2.0:User:site").put(&mut body, json!("Mitte"));
    Place::of(None, "roles[primary eq \"True\"].Value").put(&mut body, json!("agent"));
    assert_eq!(
        body,
        json!({"schemas": [USER, "urn:x:2.0:User"],
        "emails": [{"type": "work", "value": "a@b"}], "name": {"givenName": "Ada"},
        "urn:x:2.0:User": {"site": "Mitte"}, "roles": [{"primary": true, "Value": "agent"}]})
    );
    assert_eq!(work.get(&body), "a@b");
    assert_eq!(Place::of(None, "urn:x:2.0:User:site").get(&body), "Mitte");
}
