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
    let may_exceed = settings.policy.overage == Overage::Allow;
    // Where there may be more accounts than seats, none is missed that is not there.
    if !may_exceed && tx.take_seat_at_end(tenant, tier, account)? {
        return Ok(());
    }
    if tx.take_seat(tenant, tier, account, true)? || may_exceed {
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

/// Whether no more accounts than seats have one, as far as a look at the free seats tells: where one is
/// free, there are no more. Where none is, there may be, also if that is not allowed any more.
///
/// # Errors
/// The store's.
pub(crate) fn are_enough(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    tier: Tier,
) -> Result<bool, Refusal> {
    if settings.seats(tier).is_none() || settings.policy.overage == Overage::Allow {
        return Ok(false);
    }
    Ok(tx.has_free_seat(context.caller.tenant, tier)?)
}

/// Gives the seat of an account back that has none any more (rule R12). Where there may be more accounts
/// than seats, those who leave count one after the other.
///
/// # Errors
/// The store's.
pub(crate) fn release(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    tier: Tier,
    are_enough: bool,
) -> Result<(), Refusal> {
    let Some(total) = settings.seats(tier) else { return Ok(()) };
    let tenant = context.caller.tenant;
    if !are_enough {
        let number = Tier::ALL.iter().position(|one| *one == tier).unwrap_or_default();
        tx.hold_alone(tenant, Uuid::from_u128(tenant.as_u128().wrapping_add(1 + number as u128)))?;
        let now = tx.seats(tenant, tier)?;
        if now.used + now.free >= total {
            return Ok(());
        }
    }
    Ok(tx.put_seat(tenant, tier)?)
}
