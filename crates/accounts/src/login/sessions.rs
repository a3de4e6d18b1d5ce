//! People who are logged in.
//!
//! A session is a row; what ends it takes the row away, so that it is over on every server with the
//! next request. What a person may do follows from their roles each time, and is not kept.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::rights::{Right, Rights};
use crate::tx::{Session, Tx};
use crate::{Caller, roles, tenants};

/// How long a session lives at the most.
pub const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// How long it lives unused.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// How exactly it is written down when a session was last used.
const SEEN: SignedDuration = SignedDuration::from_secs(60);

/// Sessions that are over and are taken away at once.
const BATCH: u32 = 1_000;

/// A person who is logged in.
#[derive(Clone)]
pub struct Person {
    /// Their session.
    pub session: Session,
    /// What they may do.
    pub rights: Rights,
    /// Whether the use is to be written down.
    pub is_to_be_seen: bool,
}

/// Whose session this is, if it is one that goes on. A Master Admin may do what an administrator
/// may; what others may do is bound to divisions, for which no right is narrow enough: they have none.
///
/// # Errors
/// The store's.
pub fn look(
    tx: &mut dyn Tx,
    caller: &Caller,
    user: Uuid,
    secret_hash: &[u8],
) -> Result<Option<Person>, Refusal> {
    let tenant = caller.tenant;
    let session = tx.session(tenant, user, secret_hash)?;
    let Some(session) = session.filter(|session| goes_on(session, caller.now)) else {
        return Ok(None);
    };
    let account = tx.user(caller.scope(), session.user)?;
    let is_active = account.is_some_and(|account| {
        let standing = &account.standing;
        standing.enabled() && standing.activated.is_some() && standing.locked_until.is_none()
    });
    if !is_active || tenants::policy(tx, caller)?.sso_required {
        return Ok(None);
    }
    let master = roles::master_admin(tx, tenant)?.id;
    let is_master = tx.holds_role(tenant, session.user, master)?;
    let rights = if is_master { Rights::of(Right::Admin) } else { Rights::NONE };
    let is_to_be_seen = caller.now.duration_since(session.seen) >= SEEN;
    Ok(Some(Person { session, rights, is_to_be_seen }))
}

/// Whether a session has not ended at an instant.
fn goes_on(session: &Session, now: Timestamp) -> bool {
    now < session.expires && now.duration_since(session.seen) < IDLE
}

/// Takes away what is over (called by the timers); how many.
///
/// # Errors
/// The store's.
pub(crate) fn forget(tx: &mut dyn Tx, tenant: Uuid, now: Timestamp) -> Result<usize, Refusal> {
    let unused_since = now.checked_sub(IDLE).unwrap_or(Timestamp::MIN);
    Ok(tx.forget_sessions(tenant, now, unused_since, BATCH)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_unused_and_at_the_latest_after_its_life() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |minutes| start + SignedDuration::from_mins(minutes);
        let session = |seen| Session {
            user: Uuid::nil(),
            secret_hash: Vec::new(),
            created: start,
            seen: at(seen),
            expires: start + LIFE,
        };
        assert!(goes_on(&session(0), at(29)));
        assert!(!goes_on(&session(0), at(30)), "unused");
        assert!(goes_on(&session(719), at(719)));
        assert!(!goes_on(&session(719), at(720)), "too old");
    }
}
