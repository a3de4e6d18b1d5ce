//! A tenant that has what the guides name, and the values that a provider sends to it.

use std::cell::Cell;

use serde_json::{Value, json};

use super::page::Mapping;
use super::place::Place;
use crate::harness::*;

/// What stands for the identifier of a manager.
const MANAGER: &str = "(id)";

pub(super) struct World {
    pub(super) scim: Client,
    _server: Server,
    manager: String,
    pushes: Cell<u32>,
}

/// A value on its way to an account.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) source: &'static str,
    /// As the provider writes it.
    pub(super) target: &'static str,
    pub(super) place: Place,
    pub(super) value: Value,
}

impl World {
    pub(super) fn new(database: Database, dialect: Dialect) -> Self {
        let (server, scim) = serve(database, dialect);
        let admin = Administrator::of(&server, "acme");
        admin.set("/Connections", dialect.name(), "genesysAlias", true);
        for division in ["Berlin", "Hamburg"] {
            admin.create("/Divisions", division);
        }
        for (name, kind) in [("Billing", "skill"), ("Spanish", "language")] {
            admin.create_as("/Skills", &json!({"name": name, "kind": kind}));
        }
        let chats = json!([{"media": "chat", "maxCapacity": 2}]);
        admin.create_as("/CapacityRules", &json!({"name": "Two chats", "mediaRules": chats}));
        let manager = scim.post("/Users", &user("manager@example.com")).expect(201).id();
        Self { scim, _server: server, manager, pushes: Cell::new(0) }
    }

    /// The lines of a table, with values that no account has yet.
    pub(super) fn lines(&self, table: &[Mapping<'static>]) -> Vec<Line> {
        self.pushes.set(self.pushes.get() + 1);
        table.iter().map(|mapping| self.line(mapping)).collect()
    }

    fn line(&self, mapping: &Mapping<'static>) -> Line {
        let place = Place::of(mapping.namespace, mapping.target);
        let value = match mapping.sample {
            text if is_json(text) => {
                let text = text.replace(MANAGER, &self.manager);
                serde_json::from_str(&text).expect("a sample is JSON")
            }
            text => json!(text.replace(MANAGER, &self.manager)),
        };
        let value = self.of_one_account(&place, value);
        Line { source: mapping.source, target: mapping.target, place, value }
    }

    /// What only one account may have begins with the number of the push.
    fn of_one_account(&self, place: &Place, value: Value) -> Value {
        let unique = ["userName", "emails", "externalId", "employeeNumber", "externalIds"];
        let part = place.part.as_deref().unwrap_or("value");
        if !unique.contains(&place.attribute.as_str()) || !part.eq_ignore_ascii_case("value") {
            return value;
        }
        let number = self.pushes.get();
        match value {
            Value::String(text) => json!(format!("{number}{text}")),
            Value::Array(elements) => {
                let numbered = elements.into_iter().map(|mut element| {
                    let text = element["value"].as_str().map(|text| format!("{number}{text}"));
                    element["value"] = json!(text);
                    element
                });
                numbered.collect()
            }
            other => other,
        }
    }

    /// A name that no account has yet.
    pub(super) fn new_name(&self) -> String {
        self.pushes.set(self.pushes.get() + 1);
        format!("person{}@example.com", self.pushes.get())
    }

    /// Sees that the account has every value.
    #[track_caller]
    pub(super) fn expect_served(&self, path: &str, lines: &[Line]) {
        let user = self.scim.get(path).expect(200);
        for line in lines {
            let Line { place, value, target, .. } = line;
            assert!(place.is_served(value, &user.body), "{target}: {value}: {}", user.story());
        }
    }
}

fn is_json(sample: &str) -> bool {
    sample.starts_with(['[', '{']) || matches!(sample, "true" | "false")
}

impl Place {
    /// Whether a user has what was sent, in the form in which the service answers it.
    fn is_served(&self, sent: &Value, user: &Value) -> bool {
        let served = self.get(user);
        match (self.attribute.as_str(), sent, served) {
            ("roles", sent, _) => {
                let has = strings(&user["roles"], "value");
                roles(sent).iter().all(|role| has.contains(&role.as_str()))
            }
            (_, Value::Array(sent), Value::Array(served)) => {
                sent.iter().all(|one| served.iter().any(|other| is_within(one, other)))
            }
            ("businessUnits", Value::String(sent), Value::Array(served)) => {
                sent.split(';').map(|name| json!(name)).eq(served.iter().cloned())
            }
            ("manager", Value::String(id), Value::Object(manager)) => manager["value"] == **id,
            (_, Value::String(text), Value::Bool(is)) => text.eq_ignore_ascii_case(&is.to_string()),
            (_, sent, served) => is_within(sent, served),
        }
    }
}

/// The names of roles that were sent, without their divisions.
fn roles(sent: &Value) -> Vec<String> {
    let name = |text: &str| text.split('@').next().unwrap_or_default().trim().to_owned();
    match sent {
        Value::String(text) => text.split(',').map(name).collect(),
        Value::Array(_) => strings(sent, "value").into_iter().map(name).collect(),
        other => panic!("{other} is no role"),
    }
}

/// Whether all that was sent is there; the service may say more.
fn is_within(sent: &Value, served: &Value) -> bool {
    match (sent, served) {
        (Value::Object(sent), Value::Object(served)) => {
            sent.iter().all(|(name, value)| served.get(name) == Some(value))
        }
        _ => sent == served,
    }
}
