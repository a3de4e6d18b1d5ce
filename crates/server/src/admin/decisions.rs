//! The verbs of rehire cases and of connections: what only somebody who has looked can decide.

use accounts::connections::{Connections, guard};
use accounts::rehire::CaseDecision;
use accounts::rehire_cases::{self, RehireCases};
use accounts::{Refusal, Tx};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{Because, Call, Outcome, Reason};
use crate::scim::Of;

/// Op5.
pub(super) fn same_person(
    tx: &mut dyn Tx,
    call: &Call<Of<RehireCases>>,
    id: Uuid,
    body: &Because,
) -> Result<Outcome, Refusal> {
    close(tx, call, id, body, CaseDecision::Same)
}

/// Op5.
pub(super) fn different_person(
    tx: &mut dyn Tx,
    call: &Call<Of<RehireCases>>,
    id: Uuid,
    body: &Because,
) -> Result<Outcome, Refusal> {
    close(tx, call, id, body, CaseDecision::Different)
}

fn close(
    tx: &mut dyn Tx,
    call: &Call<Of<RehireCases>>,
    id: Uuid,
    body: &Because,
    decision: CaseDecision,
) -> Result<Outcome, Refusal> {
    let context = call.because(&body.reason);
    let closed = rehire_cases::close(tx, &context, id, &call.precondition, decision)?;
    Ok(Outcome::Changed(call.show(tx, closed)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    reason: Reason,
    /// Until when; as long as the guard looks back, if it is not said.
    until: Option<Timestamp>,
}

/// Rule R57.
pub(super) fn release(
    tx: &mut dyn Tx,
    call: &Call<Of<Connections>>,
    id: Uuid,
    body: &Release,
) -> Result<Outcome, Refusal> {
    let released = guard::release(tx, &call.because(&body.reason), id, body.until)?;
    Ok(Outcome::Changed(call.show(tx, released)?))
}
