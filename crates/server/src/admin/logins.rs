//! The verbs of users at the login door.

use accounts::login::attempts::{self, Outcome as Ended};
use accounts::login::links::{self, Mode};
use accounts::{Refusal, Tx, users};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::roles::Nothing;
use super::{Call, Outcome};
use crate::scim::Users;

type Result = std::result::Result<Outcome, Refusal>;

/// T3 and T4.
pub(super) fn activate(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, _: &Nothing) -> Result {
    let activated = users::activate(tx, &call.context, id, &call.precondition)?;
    Ok(Outcome::Changed(call.show(tx, activated)?))
}

/// T6, Op15.
pub(super) fn send_activation(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    _: &Nothing,
) -> Result {
    let sent = links::send_activation(tx, &call.context, id, &call.precondition)?;
    Ok(Outcome::Accepted(call.show(tx, sent)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// How.
    mode: How,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum How {
    Link,
    ForceChange,
}

/// Rule R67, Op17.
pub(super) fn reset_password(
    tx: &mut dyn Tx,
    call: &Call<Users>,
    id: Uuid,
    body: &Reset,
) -> Result {
    let mode = match body.mode {
        How::Link => Mode::Link,
        How::ForceChange => Mode::ForceChange,
    };
    let reset = links::reset_password(tx, &call.context, id, &call.precondition, mode)?;
    Ok(Outcome::Accepted(call.show(tx, reset)?))
}

/// T8, Op18.
pub(super) fn unlock(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, _: &Nothing) -> Result {
    let unlocked = attempts::unlock(tx, &call.context, id, &call.precondition)?;
    Ok(Outcome::Changed(call.show(tx, unlocked)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// When; now, if it is not said.
    at: Option<Timestamp>,
    /// How it ended; well, if it is not said.
    outcome: Option<Said>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Said {
    Success,
    Failure,
}

/// Op19, rules R65 and R68.
pub(super) fn login(tx: &mut dyn Tx, call: &Call<Users>, id: Uuid, body: &Login) -> Result {
    let ended = match body.outcome {
        Some(Said::Failure) => Ended::Failure,
        _ => Ended::Success,
    };
    attempts::report(tx, &call.context, &id.to_string(), ended, body.at)?;
    Ok(Outcome::Done)
}
