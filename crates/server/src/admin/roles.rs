//! The verbs of roles.

use accounts::authorization::PermissionSet;
use accounts::roles::{self, Roles};
use accounts::{Refusal, Tx};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::scim::Of;

/// A verb that needs to be told nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Copy {
    /// The name of the copy.
    pub(super) name: Option<String>,
}

/// Rule R33.
pub(super) fn copy(
    tx: &mut dyn Tx,
    call: &Call<Of<Roles>>,
    id: Uuid,
    body: &Copy,
) -> Result<Outcome, Refusal> {
    let copy = roles::copy(tx, &call.context, id, body.name.as_deref())?;
    Ok(Outcome::Created(call.show(tx, copy)?))
}

/// Rule R35.
pub(super) fn compare_default(
    tx: &mut dyn Tx,
    call: &Call<Of<Roles>>,
    id: Uuid,
    _: &Nothing,
) -> Result<Outcome, Refusal> {
    let compared = roles::compare_default(tx, &call.context, id)?;
    Ok(Outcome::Report(json!({
        "added": names(&compared.added),
        "removed": names(&compared.removed),
        "same": names(&compared.same),
        "needsUpdate": compared.needs_update(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreDefault {
    /// Whether it is to be done; else only what would change is told.
    #[serde(default)]
    confirm: bool,
}

/// Rule R34.
pub(super) fn restore_default(
    tx: &mut dyn Tx,
    call: &Call<Of<Roles>>,
    id: Uuid,
    body: &RestoreDefault,
) -> Result<Outcome, Refusal> {
    let Call { context, precondition, .. } = call;
    let restored = roles::restore_default(tx, context, id, precondition, body.confirm)?;
    Ok(Outcome::Report(json!({
        "restored": restored.done,
        "regained": names(&restored.regained),
        "lost": names(&restored.lost),
        "affectedUsers": restored.affected_users,
    })))
}

/// Rule R32.
pub(super) fn force_delete(
    tx: &mut dyn Tx,
    call: &Call<Of<Roles>>,
    id: Uuid,
    _: &Nothing,
) -> Result<Outcome, Refusal> {
    roles::delete_forced(tx, &call.context, id, &call.precondition)?;
    Ok(Outcome::Done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecreateDefaults {
    /// Whether roles that differ from their template are restored too.
    #[serde(default)]
    force: bool,
}

/// Rule R34.
pub(super) fn recreate_defaults(
    tx: &mut dyn Tx,
    call: &Call<Of<Roles>>,
    body: &RecreateDefaults,
) -> Result<Outcome, Refusal> {
    let recreated = roles::recreate_defaults(tx, &call.context, body.force)?;
    Ok(Outcome::Report(json!({"created": recreated.created, "restored": recreated.restored})))
}

fn names(permissions: &PermissionSet) -> Value {
    permissions.names().collect()
}
