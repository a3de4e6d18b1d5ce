//! What time does to accounts: called every few minutes, in bounded batches. What one server does
//! the others find done, so that any number of them may do it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::authorization::Tier;
use crate::ledger::{Action, Entry, Source, Versioned};
use crate::login::sessions;
use crate::refusal::Refusal;
use crate::tx::{SeatCount, Tx, atomically};
use crate::users::{self, settings::Settings};
use crate::{Context, Precondition};

/// Accounts of one tenant that one call changes for one reason.
const BATCH: u32 = 100;

/// What one call did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Accounts whose sleeping grants ended.
    pub purged: usize,
    /// Accounts that nobody took into use, and that have given their seats back.
    pub reclaimed: usize,
    /// Sessions that are over.
    pub forgotten: usize,
    /// The tiers whose seats are limited.
    pub pools: Vec<Pool>,
}

/// The seats of a tier that are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The tier.
    pub tier: Tier,
    /// The seats that there are to be.
    pub total: i64,
    /// The seats that there are.
    pub seats: SeatCount,
}

impl Pool {
    /// Whether the seats that are free and those that accounts have are all that there are (rule R19).
    pub fn adds_up(&self) -> bool {
        self.seats.free == (self.total - self.seats.used).max(0)
    }
}

/// Does what is due in one tenant, for the service itself.
///
/// # Errors
/// The store's.
pub fn tick(tx: &mut dyn Tx, context: &Context) -> Result<Ticked, Refusal> {
    let context = &Context { source: Source::Timer, ..context.clone() };
    let settings = Settings::of(tx, context)?;
    Ok(Ticked {
        purged: purge_grants(tx, context)?,
        reclaimed: reclaim_seats(tx, context, &settings)?,
        forgotten: sessions::forget(tx, context.caller.tenant, context.now)?,
        pools: pools(tx, context, &settings)?,
    })
}

/// Section 4.4: grants that slept too long are gone.
fn purge_grants(tx: &mut dyn Tx, context: &Context) -> Result<usize, Refusal> {
    let ended = tx.users_with_ended_grants(context.caller.tenant, context.now, BATCH)?;
    let mut purged = 0;
    for id in ended {
        purged += usize::from(purge_grants_of(tx, context, id)?);
    }
    Ok(purged)
}

fn purge_grants_of(tx: &mut dyn Tx, context: &Context, id: Uuid) -> Result<bool, Refusal> {
    let tenant = context.caller.tenant;
    let Some(before) = tx.account_for_update(context.caller.scope(), id)? else {
        return Ok(false);
    };
    let mut ended = tx.grants_of(tenant, &[id])?;
    ended.retain(|grant| users::is_over(grant, context.now));
    if ended.is_empty() {
        return Ok(false);
    }
    let keys: Vec<_> = ended.iter().map(|grant| (grant.role, grant.division)).collect();
    tx.remove_grants(tenant, id, &keys)?;
    if before.standing.tombstoned.is_some() {
        // What is deleted has no versions any more.
        return Ok(true);
    }
    let mut after = before.clone();
    after.resource.version += 1;
    after.resource.last_modified = context.now;
    tx.update_user(tenant, &before, &after)?;
    let gone: Vec<Value> = ended.iter().map(|grant| json!({"value": grant.role})).collect();
    let changes = vec![json!({"attribute": "roles", "old": gone, "new": null})];
    let of = Versioned { resource_type: users::USER, id, version: after.resource.version };
    tx.append(tenant, &Entry::new(context, Action::Update, of, changes))?;
    Ok(true)
}

/// T15: accounts that nobody took into use give their seats back, where the tenant wants that.
fn reclaim_seats(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
) -> Result<usize, Refusal> {
    let Some(days) = settings.policy.reclaim_pending_after_days else { return Ok(0) };
    let patience = SignedDuration::from_hours(24 * days);
    let since = context.now.checked_sub(patience).unwrap_or(Timestamp::MIN);
    let pending = tx.users_pending_since(context.caller.tenant, since, BATCH)?;
    let mut reclaimed = 0;
    for id in pending {
        let done = atomically(tx, |tx| users::reclaim(tx, context, id, &Precondition::default()));
        match done {
            Ok(is_done) => reclaimed += usize::from(is_done),
            Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
            // A rule keeps it, such as that of the last Master Admin.
            Err(_) => {}
        }
    }
    Ok(reclaimed)
}

/// The pools of the tenant, counted.
fn pools(tx: &mut dyn Tx, context: &Context, settings: &Settings) -> Result<Vec<Pool>, Refusal> {
    let mut pools = Vec::new();
    for (tier, total) in settings.limits() {
        let seats = tx.seats(context.caller.tenant, tier)?;
        pools.push(Pool { tier, total, seats });
    }
    Ok(pools)
}
