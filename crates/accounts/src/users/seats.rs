//! Seats: every enabled account has one of its tier (rules R11 to R13).

use super::settings::Settings;
use crate::Context;
use crate::authorization::Tier;
use crate::policy::Overage;
use crate::refusal::{Code, Refusal};
use crate::tx::Tx;
use uuid::Uuid;

/// Takes a seat for an account (rule R13).
///
/// # Errors
/// Refuses where none is free, unless the tenant's policy allows more accounts than seats.
pub(crate) fn take(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    tier: Tier,
    account: Uuid,
) -> Result<(), Refusal> {
    let Some(total) = settings.seats(tier) else { return Ok(()) };
    let tenant = context.caller.tenant;
    if tx.take_seat(tenant, tier, account, true)? || settings.policy.overage == Overage::Allow {
        return Ok(());
    }
    let used = tx.seats(tenant, tier)?.used;
    Err(Refusal::rule(
        Code::SeatLimitExceeded,
        format!(
            "no seat of {tier} is free: {used} of {total} are used: deactivate an account, use \
             another tier, or have seats added"
        ),
    ))
}

/// Takes seats for so many accounts, of those that nobody else is taking now.
///
/// # Errors
/// Refuses where so many are not free.
pub(crate) fn take_all(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    tier: Tier,
    count: usize,
) -> Result<(), Refusal> {
    let Some(total) = settings.seats(tier).filter(|_| count > 0) else { return Ok(()) };
    let wanted = i64::try_from(count).unwrap_or(i64::MAX);
    let taken = -tx.resize_pool(context.caller.tenant, tier, -wanted)?;
    if taken == wanted {
        return Ok(());
    }
    let detail = format!("of {count} seats of {tier} {taken} are free, of {total} in all");
    Err(Refusal::rule(Code::SeatLimitExceeded, detail))
}

/// Gives the seat of an account back that has none any more (rule R12).
///
/// # Errors
/// The store's.
pub(crate) fn release(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    tier: Tier,
) -> Result<(), Refusal> {
    let Some(total) = settings.seats(tier) else { return Ok(()) };
    let tenant = context.caller.tenant;
    // Where a seat is free, there are no more accounts than seats. Where none is, there may be, also
    // if that is not allowed any more: those who leave count one after the other.
    if settings.policy.overage == Overage::Allow || !tx.has_free_seat(tenant, tier)? {
        let number = Tier::ALL.iter().position(|one| *one == tier).unwrap_or_default();
        tx.hold_alone(tenant, Uuid::from_u128(tenant.as_u128().wrapping_add(1 + number as u128)))?;
        let now = tx.seats(tenant, tier)?;
        if now.used + now.free >= total {
            return Ok(());
        }
    }
    Ok(tx.put_seat(tenant, tier)?)
}
