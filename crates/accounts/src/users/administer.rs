//! What administrators, and the login service for them, do with accounts.

use serde_json::Value;
use uuid::Uuid;

use super::change::{change, restand};
use super::extension::{self, HEADCOUNT};
use crate::account::AccountState;
use crate::identity::claims;
use crate::ledger::{Action, Source};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Context, Precondition};

/// Records that the person took the account into use (T3, T4): by the link that they were sent, or
/// because they logged in first. Its names are burned: they are never another's (R5).
///
/// # Errors
/// Refuses who is no administrator, an unknown account, one that is deactivated, and one that is in
/// use already.
pub fn activate(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let context = Context { source: Source::Auth, ..context.clone() };
    take_into_use(tx, &context, id, precondition)
}

/// See [`activate`].
pub(crate) fn take_into_use(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    let now = context.now;
    let activated = restand(tx, context, id, precondition, Action::Activate, |standing| {
        if !standing.enabled() {
            return Err(Refusal::rule(
                Code::IllegalTransition,
                "the account is deactivated: reactivate it first",
            ));
        }
        if standing.activated.is_some() {
            return Err(Refusal::rule(
                Code::AlreadyActivated,
                "the person has taken the account into use already",
            ));
        }
        standing.activated = Some(now);
        standing.activation_expires = None;
        Ok(())
    })?;
    tx.burn_claims(context.caller.tenant, id, &claims(&activated.attributes))?;
    Ok(activated)
}

/// Deactivates an account (T9) for the reason of the context (R58). One that is deactivated stays as
/// it is.
///
/// # Errors
/// As [`patch`](super::patch()).
pub fn deactivate(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let reason = context.reason.as_deref().map(Value::from);
    change(tx, context, id, precondition, |attributes| {
        if attributes.insert("active".to_owned(), Value::Bool(false)) != Some(Value::Bool(false)) {
            extension::set(attributes, Some(HEADCOUNT), "deactivationReason", reason);
        }
        Ok(())
    })
}

/// Reactivates an account (T11) for the reason of the context (R58), which needs a seat (R13).
///
/// # Errors
/// As [`patch`](super::patch()).
pub fn reactivate(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    change(tx, context, id, precondition, |attributes| {
        attributes.insert("active".to_owned(), Value::Bool(true));
        Ok(())
    })
}

/// Decides about the tier that an account is to have and that lacks something of its present one
/// (rule R15): it gets that tier and a seat of it, or keeps what it has.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, one that waits for no tier, and a tier
/// without a free seat.
pub fn decide_tier(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    approve: bool,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    restand(tx, context, id, precondition, Action::Update, |standing| {
        let Some(pending) = standing.pending_tier.take() else {
            return Err(Refusal::rule(
                Code::IllegalTransition,
                "the account waits for no other licence tier",
            ));
        };
        if approve {
            standing.tier = pending;
        }
        Ok(())
    })
}

/// T15: deactivates an account that nobody took into use. Whether it was still so.
///
/// # Errors
/// As [`deactivate`].
pub(crate) fn reclaim(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<bool, Refusal> {
    let mut is_pending = false;
    let done = change(tx, context, id, precondition, |attributes| {
        let state = extension::text(attributes, Some(HEADCOUNT), "accountState");
        is_pending = state == Some(AccountState::PendingActivation.as_str());
        if is_pending {
            attributes.insert("active".to_owned(), Value::Bool(false));
            let reason = Some(Value::from("neverActivated"));
            extension::set(attributes, Some(HEADCOUNT), "deactivationReason", reason);
        }
        Ok(())
    });
    match done {
        Err(Refusal::Rule { code: Code::NotFound, .. }) => Ok(false),
        done => done.map(|_| is_pending),
    }
}
