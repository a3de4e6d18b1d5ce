//! What users and groups have in common.

use std::collections::HashMap;

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::fold::fold;
use serde_json::Value;
use uuid::Uuid;

use crate::Context;
use crate::ledger::{Action, Entry, Versioned, moved};
use crate::refusal::{Code, Refusal};
use crate::tx::{Resource, Tx};

/// The longest name, address or externalId, in characters: what is looked up by an index must fit
/// into one.
pub const MAX_NAME: usize = 255;

/// The most that the attributes of one resource hold, in bytes of text.
pub const MAX_RESOURCE: usize = 1024 * 1024;

/// Refuses what is too large to be kept or looked up.
pub(crate) fn check_size(attributes: &Object) -> Result<(), Error> {
    let of_name = |name: &'static str| Some((name, attributes.get(name)?.as_str()?));
    let names = ["userName", "displayName", "externalId"].into_iter().filter_map(of_name);
    let emails = attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
    let emails = emails.filter_map(|email| Some(("emails.value", email.get("value")?.as_str()?)));
    for (name, value) in names.chain(emails) {
        // Folding makes some characters longer.
        if value.chars().count() > MAX_NAME || fold(value).len() > 4 * MAX_NAME {
            return Err(Error::invalid_value(format!(
                "{name} must not be longer than {MAX_NAME} characters"
            )));
        }
    }
    if attributes.values().map(size).sum::<usize>() > MAX_RESOURCE {
        return Err(Error::invalid_value(format!(
            "the attributes of one resource must not be larger than {MAX_RESOURCE} bytes in all"
        )));
    }
    Ok(())
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + size(value)).sum()
        }
        _ => 8,
    }
}

/// Gives `after` the attributes of `before` that it does not have and the client did not name:
/// naming one with `null` or `[]` clears it.
pub(crate) fn keep(before: &Object, after: &mut Object, kept: &[&str], named: &[&str]) {
    for name in kept.iter().filter(|name| !named.contains(name)) {
        if let (false, Some(value)) = (after.contains_key(*name), before.get(*name)) {
            after.insert((*name).to_owned(), value.clone());
        }
    }
}

/// Gives each resource its values of an attribute.
pub(crate) fn add(
    resources: &mut [Resource],
    attribute: &str,
    mut values: HashMap<Uuid, Vec<Value>>,
) {
    for resource in resources {
        if let Some(values) = values.remove(&resource.id) {
            resource.attributes.insert(attribute.to_owned(), Value::Array(values));
        }
    }
}

/// Rule R7: sets a resource's externalId in the caller's connection.
pub(crate) fn set_external_id(
    tx: &mut dyn Tx,
    context: &Context,
    kind: &'static str,
    resource: &Resource,
) -> Result<(), Refusal> {
    let external_id = resource.attributes.get("externalId").and_then(Value::as_str);
    if tx.set_external_id(context.caller.scope(), kind, resource.id, external_id)? {
        return Ok(());
    }
    Err(external_id_taken())
}

pub(crate) fn external_id_taken() -> Refusal {
    Refusal::rule(
        Code::ExternalIdTaken,
        "the externalId is or was that of another resource of this connection",
    )
}

/// Takes what is deleted out of its groups: each of them gets a new version, and an entry of its own
/// for it. What the entry of the deleted one says of them.
pub(crate) fn leave_groups(
    tx: &mut dyn Tx,
    context: &Context,
    member: Uuid,
) -> Result<Option<Value>, Refusal> {
    let tenant = context.caller.tenant;
    let mut left = tx.leave_all(tenant, member, context.now)?;
    left.sort_unstable();
    for (group, version) in &left {
        let changes = vec![moved("members", &[], &[member])];
        let of = Versioned { resource_type: "Group", id: *group, version: *version };
        // R51: what is deleted is in no list. Why it was deleted is for its own entry: it may be
        // about the person.
        let entry = Entry::new(context, Action::Update, of, changes).by_rule("R51");
        tx.append(tenant, &Entry { reason: None, ..entry })?;
    }
    let groups: Vec<Uuid> = left.into_iter().map(|(group, _)| group).collect();
    Ok((!groups.is_empty()).then(|| moved("groups", &[], &groups)))
}
