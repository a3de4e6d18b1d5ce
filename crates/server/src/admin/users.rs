//! The verbs of users.

use accounts::users::{self, dependencies};
use accounts::{Dependency, Precondition, Refusal, StorageError, Tx, erase, identity};
use scim_protocol::query::MAX_COUNT;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::roles::Nothing;
use super::{Because, Call, Outcome, Reason};
use crate::scim::Users;

type Result = std::result::Result<Outcome, Refusal>;

/// T9, rule R58.
pub(super) fn deactivate(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Because) -> Result {
    let context = call.because(&body.reason);
    let changed = users::deactivate(tx, &context, id, &call.precondition)?;
    Ok(Outcome::Changed(call.show(tx, changed)?))
}

/// T11, rule R58.
pub(super) fn reactivate(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Because) -> Result {
    let context = call.because(&body.reason);
    let changed = users::reactivate(tx, &context, id, &call.precondition)?;
    Ok(Outcome::Changed(call.show(tx, changed)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    reason: Reason,
    /// Whether it is to be active, which needs a seat.
    #[serde(default)]
    active: bool,
}

/// T12.
pub(super) fn restore(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Restore) -> Result {
    let restored = users::restore(tx, &call.because(&body.reason), id, body.active)?;
    Ok(Outcome::Changed(call.show(tx, restored)?))
}

/// T14, rule R59.
pub(super) fn erase(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Because) -> Result {
    erase::erase(tx, &call.because(&body.reason), id)?;
    Ok(Outcome::Done)
}

/// Rule R15.
pub(super) fn approve_tier(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Because,
) -> Result {
    decide_tier(tx, call, id, body, true)
}

/// Rule R15.
pub(super) fn reject_tier(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Because) -> Result {
    decide_tier(tx, call, id, body, false)
}

fn decide_tier(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Because,
    approve: bool,
) -> Result {
    let precondition: &Precondition = &call.precondition;
    let decided = users::decide_tier(tx, &call.because(&body.reason), id, precondition, approve)?;
    Ok(Outcome::Changed(call.show(tx, decided)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseIdentity {
    /// The userName or address.
    value: String,
    reason: Reason,
}

/// Rule R5.
pub(super) fn release_identity(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    body: &ReleaseIdentity,
) -> Result {
    identity::release(tx, &call.because(&body.reason), &body.value)?;
    Ok(Outcome::Done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainAccess {
    /// `domain:entity:action`
    permission: String,
    /// The name or identifier of a division; any, if it is not said.
    division: Option<String>,
}

/// Section 6.1 of the domain model.
pub(super) fn explain_access(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &ExplainAccess,
) -> Result {
    let caller = &call.context.caller;
    let division = body.division.as_deref();
    let found = users::explain_access(tx, caller, id, &body.permission, division)?;
    let source = |(source, division): (&accounts::authorization::Source, &String)| {
        let group = match &source.via {
            accounts::authorization::Via::Direct => Value::Null,
            accounts::authorization::Via::Group { id, name, .. } => {
                json!({"value": id, "display": name})
            }
        };
        let obstacles = source.obstacles.iter();
        let obstacles = obstacles.map(|one| json!({"code": one.code(), "detail": one.sentence()}));
        json!({
            "role": {"value": source.role, "display": source.role_name},
            "division": division,
            "via": if group.is_null() { "direct" } else { "group" },
            "group": group,
            "counts": source.counts(),
            "obstacles": obstacles.collect::<Vec<_>>(),
        })
    };
    let sources = found.explanation.sources.iter().zip(&found.divisions).map(source);
    Ok(Outcome::Report(json!({
        "permission": body.permission,
        "division": body.division,
        "allowed": found.explanation.allowed,
        "summary": found.summary,
        "sources": sources.collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListDeleted {
    /// The first, counted from 1.
    #[serde(rename = "startIndex", default = "one")]
    start_index: u64,
    /// How many at most.
    #[serde(default = "hundred")]
    count: u64,
}

fn one() -> u64 {
    1
}

fn hundred() -> u64 {
    100
}

/// Op13. It is no SCIM resource type: what is deleted is in no list of SCIM (RFC 7644 section 3.6).
pub(super) fn list_deleted(tx: &mut dyn Tx, call: &Call<Users>, body: &ListDeleted) -> Result {
    let start = body.start_index.max(1) - 1;
    let count = body.count.min(MAX_COUNT.into());
    let page = users::list_deleted(tx, &call.context.caller, start, count)?;
    let found = page.resources.into_iter().map(|one| call.render(one).body);
    let found = found.collect::<serde_json::Result<Vec<_>>>();
    let found = found.map_err(|error| StorageError::Failed(Box::new(error)))?;
    Ok(Outcome::Report(json!({
        "totalResults": page.total,
        "startIndex": start + 1,
        "itemsPerPage": found.len(),
        "Resources": found,
    })))
}

/// Rule R55.
pub(super) fn list_dependencies(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    _: &Nothing,
) -> Result {
    let found = dependencies::list(tx, &call.context.caller, id)?;
    let found = found
        .iter()
        .map(|one| json!({"kind": one.kind, "ref": one.reference, "disposition": one.disposition}));
    Ok(Outcome::Report(json!({"dependencies": found.collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    kind: String,
    #[serde(rename = "ref")]
    reference: String,
    /// What is to become of it when the person leaves.
    disposition: Option<String>,
}

/// Rule R55.
pub(super) fn report_dependency(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Report,
) -> Result {
    let disposition = body.disposition.as_deref().unwrap_or("needsReassign").to_owned();
    let (kind, reference) = (body.kind.clone(), body.reference.clone());
    dependencies::report(tx, &call.context, id, &Dependency { kind, reference, disposition })?;
    Ok(Outcome::Done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reassign {
    kind: String,
    #[serde(rename = "ref")]
    reference: String,
    /// The account that it depends on from now on.
    to: Uuid,
}

/// Rule R55, Op42.
pub(super) fn reassign_dependency(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Reassign,
) -> Result {
    dependencies::reassign(tx, &call.context, id, &body.kind, &body.reference, body.to)?;
    Ok(Outcome::Done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remove {
    kind: String,
    #[serde(rename = "ref")]
    reference: String,
}

/// Rule R55.
pub(super) fn remove_dependency(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Remove,
) -> Result {
    dependencies::remove(tx, &call.context, id, &body.kind, &body.reference)?;
    Ok(Outcome::Done)
}
