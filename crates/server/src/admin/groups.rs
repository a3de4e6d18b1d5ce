//! The verbs of groups.

use accounts::{Refusal, Tx, groups};
use serde::Deserialize;
use uuid::Uuid;

use super::{Call, Outcome};
use crate::scim::Groups;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Copy {
    /// The name of the copy.
    name: Option<String>,
    /// Whether the members are copied too.
    #[serde(default)]
    with_members: bool,
}

/// Rule R74.
pub(super) fn copy(
    tx: &mut dyn Tx,
    call: &Call<Groups>,
    id: Uuid,
    body: &Copy,
) -> Result<Outcome, Refusal> {
    let copy = groups::copy(tx, &call.context, id, body.name.as_deref(), body.with_members)?;
    Ok(Outcome::Created(call.show(tx, copy)?))
}
