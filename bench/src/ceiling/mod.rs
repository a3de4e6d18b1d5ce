//! The ceilings: what this machine can do at all, measured in the same run.
//!
//! | Ceiling | For |
//! |---|---|
//! | [`bare`] | reading over HTTP: a handler of the same library that answers the same bytes |
//! | [`postgres`] | `pgbench` with the least SQL that an operation needs |
//! | [`sqlite`] | one connection that runs the same SQL in a loop and commits each operation |

pub mod bare;
pub mod command;
pub mod postgres;
pub mod sqlite;

use serde_json::{Value, json};

use crate::bodies::Newcomer;

/// The texts that are written for a user, as long as those of the service.
#[derive(Clone, Debug)]
pub struct Texts {
    /// What is kept.
    pub document: String,
    /// The same as it is compared.
    pub search: String,
    /// What the log says of a new user.
    pub changes: String,
    /// What the log says of one change.
    pub change: String,
}

impl Texts {
    /// Those of somebody whom Okta would send.
    pub fn new() -> Self {
        let mut document = Newcomer::new("ceiling0", 1_000_000).create();
        if let Some(attributes) = document.as_object_mut() {
            for absent in ["schemas", "externalId", "groups", "password"] {
                attributes.remove(absent);
            }
        }
        let text = document.to_string();
        let one = |(attribute, new): (&String, &Value)| json!({"attribute": attribute, "old": null, "new": new});
        let changes: Vec<Value> = document.as_object().into_iter().flatten().map(one).collect();
        let change = json!([{"attribute": "title", "old": "Agent", "new": "Senior Agent"}]);
        Self {
            search: text.to_lowercase(),
            document: text,
            changes: Value::from(changes).to_string(),
            change: change.to_string(),
        }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::new()
    }
}
