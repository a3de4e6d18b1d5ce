//! The change log: one entry for every effective change, written in its transaction (rule R81).

use jiff::Timestamp;
use scim_protocol::Object;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Context;
use crate::refusal::Refusal;
use crate::tx::{Resource, Tx};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A resource came to be.
    Create,
    /// It was changed.
    Update,
    /// An account was made active.
    Activate,
    /// An account was made inactive.
    Deactivate,
    /// It was deleted, as far as clients can see.
    Tombstone,
    /// A name that nobody worked under was given up.
    Release,
}

impl Action {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Tombstone => "tombstone",
            Self::Release => "release",
        }
    }
}

/// An entry of the change log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its identifier, which ascends with time.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// The connection that did it.
    pub actor: Uuid,
    /// The request that did it.
    pub request: Uuid,
    /// What happened.
    pub action: Action,
    /// To what kind of resource: `User` or `Group`.
    pub resource_type: &'static str,
    /// To which.
    pub resource: Uuid,
    /// A list of `{attribute, old, new}`. Of members and groups those that came and those that went
    /// are listed, not all that there are.
    pub changes: Value,
    /// The version after the change.
    pub version: i64,
}

/// What an entry is about: a resource in one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versioned {
    pub(crate) resource_type: &'static str,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

impl Entry {
    pub(crate) fn new(
        context: &Context,
        action: Action,
        of: Versioned,
        changes: Vec<Value>,
    ) -> Self {
        Self {
            id: (context.new_id)(),
            at: context.now,
            actor: context.caller.connection,
            request: context.request,
            action,
            resource_type: of.resource_type,
            resource: of.id,
            changes: Value::Array(changes),
            version: of.version,
        }
    }
}

/// Appends the entry of a change that led to this version of a resource.
pub(crate) fn append(
    tx: &mut dyn Tx,
    context: &Context,
    action: Action,
    resource_type: &'static str,
    resource: &Resource,
    changes: Vec<Value>,
) -> Result<(), Refusal> {
    let of = Versioned { resource_type, id: resource.id, version: resource.version };
    Ok(tx.append(context.caller.tenant, &Entry::new(context, action, of, changes))?)
}

/// A change of what lists others: those that came, and those that went.
pub(crate) fn moved(attribute: &str, came: &[Uuid], went: &[Uuid]) -> Value {
    let listed = |ids: &[Uuid]| -> Option<Vec<Value>> {
        (!ids.is_empty()).then(|| ids.iter().map(|id| json!({"value": id})).collect())
    };
    json!({"attribute": attribute, "old": listed(went), "new": listed(came)})
}

/// What differs between two states of a resource, attribute by attribute; those of an extension
/// one by one.
pub fn differences(before: &Object, after: &Object) -> Vec<Value> {
    let mut differences = Vec::new();
    compare("", before, after, &mut differences);
    differences
}

fn compare(prefix: &str, before: &Object, after: &Object, differences: &mut Vec<Value>) {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    for name in after.keys().chain(gone) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        if name.starts_with("urn:") {
            let empty = Object::new();
            let members = |side: Option<&Value>| side.and_then(Value::as_object).cloned();
            let old = members(old).unwrap_or_else(|| empty.clone());
            let new = members(new).unwrap_or(empty);
            compare(&format!("{name}:"), &old, &new, differences);
            continue;
        }
        differences.push(json!({"attribute": format!("{prefix}{name}"), "old": old, "new": new}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r81_every_attribute_that_differs_is_named() {
        let before =
            json!({"title": "a", "active": true, "urn:x": {"department": "d", "costCenter": "c"}});
        let after = json!({"active": false, "nickName": "n", "urn:x": {"department": "e", "costCenter": "c"}});
        let differences = differences(before.as_object().unwrap(), after.as_object().unwrap());
        assert_eq!(
            json!(differences),
            json!([
                {"attribute": "active", "old": true, "new": false},
                {"attribute": "nickName", "old": null, "new": "n"},
                {"attribute": "urn:x:department", "old": "d", "new": "e"},
                {"attribute": "title", "old": "a", "new": null},
            ])
        );
    }
}
