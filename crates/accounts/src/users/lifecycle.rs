//! How accounts leave and come back (domain model, sections 4.2 to 4.4).

use jiff::{SignedDuration, Timestamp};
use scim_protocol::schema::ResourceType;
use serde_json::Value;

use super::held::Held;
use super::seats;
use super::settings::Settings;
use crate::Context;
use crate::account::{Account, Standing};
use crate::authorization::Tier;
use crate::connections::{self, guard::Guard};
use crate::guard::{self, Verdict};
use crate::ledger::Source;
use crate::policy::GuardAction;
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Grant, Tx};

/// Checks that an account may be deactivated (rule R57): one connection does not take the whole
/// contact centre away before somebody has looked. Administrators know what they do. Where the
/// tenant only wants to know of it, the alert is raised and the account goes.
///
/// # Errors
/// [`Refusal::Guarded`]; the alert is for another unit of work to raise, since nothing of this one
/// stays.
pub(crate) fn check_guard(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
) -> Result<(), Refusal> {
    let caller = &context.caller;
    if caller.rights.allow(Right::Admin) || context.source != Source::Scim {
        return Ok(());
    }
    let policy = &settings.policy.guard;
    if policy.action == GuardAction::Off {
        return Ok(());
    }
    if tx.departs_ahead(caller.tenant, caller.connection, policy, context.now)
        || guard_of(tx, context)?.is_some_and(|guard| guard.lets_through(policy, context.now))
    {
        return Ok(());
    }
    let window = SignedDuration::from_secs(policy.window_seconds);
    let since = context.now.checked_sub(window).unwrap_or(Timestamp::MIN);
    let before = tx.count_departures(caller.tenant, caller.connection, since)?;
    // Most are below what is always allowed: then nobody needs to be counted. Otherwise so many are
    // that the next departures need not be judged by themselves.
    let enabled = if before < policy.min_count.unsigned_abs() {
        0
    } else {
        let enough = guard::harmless_among(policy, before.saturating_mul(2));
        tx.count_enabled(caller.tenant, enough)?
    };
    let verdict = guard::verdict(policy, before, enabled);
    if verdict == Verdict::Allow {
        let ahead = guard::harmless_ahead(policy, before, enabled);
        tx.allow_ahead(caller.tenant, caller.connection, policy, ahead, context.now);
        return Ok(());
    }
    match verdict {
        Verdict::Hold { retry_after_seconds } => Err(Refusal::Guarded {
            detail: format!(
                "this connection has deactivated {before} accounts within {} seconds, which looks \
                 like a mistake: an administrator can release it; then send the request again",
                policy.window_seconds
            ),
            count: before,
            retry_after_seconds,
        }),
        _ => connections::guard::raise(tx, context, policy, before).map(|_| ()),
    }
}

/// Raises the alert about a unit of work that the guard has refused, in another one: of that one
/// nothing stays.
///
/// # Errors
/// The store's.
pub fn raise_alert(tx: &mut dyn Tx, context: &Context, count: u64) -> Result<(), Refusal> {
    let policy = Settings::of(tx, context)?.policy.guard;
    connections::guard::raise(tx, context, &policy, count).map(|_| ())
}

/// What the guard says of the caller's connection.
fn guard_of(tx: &mut dyn Tx, context: &Context) -> Result<Option<Guard>, Refusal> {
    let caller = &context.caller;
    let connection = tx.object(caller.scope(), ResourceType::connection(), caller.connection)?;
    Ok(connection.map(|connection| Guard::of(&connection.attributes)))
}

/// Makes those grants of a disabled account sleep that do not yet (section 4.4): of one whose person
/// left, those of privileged roles end at once and the others after a time, also if they were given
/// meanwhile. What sleeps already keeps its end. Who was not here yet finds everything.
pub(crate) fn put_to_sleep(
    context: &Context,
    settings: &Settings,
    has_left: bool,
    held: &Held,
) -> Vec<Grant> {
    let days = settings.policy.rehire.restore_grants_days;
    let end = context.now.checked_add(SignedDuration::from_hours(24 * days)).ok();
    let purge_at = end.filter(|_| has_left);
    let is_privileged = |grant: &Grant| {
        let role = held.directory.roles.get(&grant.role);
        role.is_some_and(|role| role.attributes.get("privileged") == Some(&Value::Bool(true)))
    };
    let ends = |grant: &Grant| has_left && !grant.dormant && is_privileged(grant);
    let kept = held.grants.iter().filter(|grant| !ends(grant)).cloned();
    let asleep = |grant: Grant| {
        if grant.dormant { grant } else { Grant { dormant: true, purge_at, ..grant } }
    };
    kept.map(asleep).filter(|grant| !super::held::is_over(grant, context.now)).collect()
}

/// Wakes the grants of an account.
pub(crate) fn wake(grants: &mut [Grant]) {
    for grant in grants {
        grant.dormant = false;
        grant.purge_at = None;
    }
}

/// The standing of an account that is deactivated now.
pub(crate) fn deactivated(standing: &Standing, now: Timestamp) -> Standing {
    Standing {
        seat_since: None,
        deactivated: Some(standing.deactivated.unwrap_or(now)),
        locked_until: None,
        activation_sent: None,
        activation_expires: None,
        ..standing.clone()
    }
}

/// The standing of an account that is enabled now.
pub(crate) fn reactivated(standing: &Standing, now: Timestamp) -> Standing {
    Standing {
        seat_since: Some(standing.seat_since.unwrap_or(now)),
        deactivated: None,
        tombstoned: None,
        ..standing.clone()
    }
}

/// What an account that was deleted had may be gone since: the home division takes the place of its
/// division (R56), and it has no capacity rule of its own any more.
///
/// # Errors
/// The store's.
pub(crate) fn find_again(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    standing: &mut Standing,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let mut is_there = |kind, id| -> Result<bool, Refusal> {
        tx.hold(tenant, id)?;
        Ok(!tx.objects_with_ids(tenant, kind, &[id])?.is_empty())
    };
    let division = standing.division.id;
    if division != settings.home.id && !is_there(ResourceType::division(), division)? {
        standing.division = settings.home.clone();
    }
    if let Some(rule) = &standing.capacity_rule
        && !is_there(ResourceType::capacity_rule(), rule.id)?
    {
        standing.capacity_rule = None;
    }
    Ok(())
}

/// Takes the seat that a change needs, before the one that it gives back is released (rules R11-R13,
/// R15).
pub(crate) fn take_seat(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    before: Option<&Standing>,
    after: &Account,
) -> Result<(), Refusal> {
    let had = before.filter(|before| before.enabled()).map(|before| before.tier);
    let wants = after.standing.enabled().then_some(after.standing.tier);
    match wants {
        Some(tier) if had != Some(tier) => {
            seats::take(tx, context, settings, tier, after.resource.id)
        }
        _ => Ok(()),
    }
}

/// The seat that an account had and is to have no more.
pub(crate) struct Freed {
    tier: Tier,
    /// See [`seats::are_enough`].
    are_enough: bool,
}

/// The seat that a change gives back: asked before the account is written, so that a store can write all
/// of it together.
///
/// # Errors
/// The store's.
pub(crate) fn freed_seat(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    before: &Standing,
    after: &Standing,
) -> Result<Option<Freed>, Refusal> {
    let has = after.enabled().then_some(after.tier);
    let Some(tier) = before.enabled().then_some(before.tier).filter(|tier| has != Some(*tier))
    else {
        return Ok(None);
    };
    let are_enough = seats::are_enough(tx, context, settings, tier)?;
    Ok(Some(Freed { tier, are_enough }))
}

/// Releases a seat, after the account was written: only then it can be counted who has one.
///
/// # Errors
/// The store's.
pub(crate) fn release_seat(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    freed: Option<&Freed>,
) -> Result<(), Refusal> {
    let Some(Freed { tier, are_enough }) = freed else { return Ok(()) };
    seats::release(tx, context, settings, *tier, *are_enough)
}
