//! Departures that the guard against mass deprovisioning has allowed ahead (rule R57). Counting those of
//! an hour for each of them would cost the more the more there are.
//!
//! They are kept in memory, by each server for itself: what a count leaves is shared out by
//! [`accounts::guard::harmless_ahead`], and forgotten after a short time, for accounts may leave in
//! other ways meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::policy::GuardPolicy;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use uuid::Uuid;

/// How long a count is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Connections of which it is known; of those beyond, each departure is counted.
const CONNECTIONS: usize = 10_000;

struct Allowance {
    policy: GuardPolicy,
    counted: Timestamp,
    left: AtomicU64,
}

impl Allowance {
    /// Whether the count is younger than what it is good for, also by a clock that was set back.
    fn is_good(&self, policy: &GuardPolicy, now: Timestamp) -> bool {
        self.policy == *policy && now.duration_since(self.counted).abs() < GOOD_FOR
    }
}

/// The departures of each connection that are allowed ahead.
pub(crate) struct Departures(Cache<(Uuid, Uuid), Arc<Allowance>>);

impl Departures {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CONNECTIONS))
    }

    /// Takes one, if any is left.
    pub(crate) fn take(
        &self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        now: Timestamp,
    ) -> bool {
        let allowed = self.0.get(&(tenant, connection));
        let Some(allowed) = allowed.filter(|allowed| allowed.is_good(policy, now)) else {
            return false;
        };
        let one_less = |left: u64| left.checked_sub(1);
        allowed.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// Allows so many, in the place of those that are left.
    pub(crate) fn allow(
        &self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        count: u64,
        now: Timestamp,
    ) {
        let allowance =
            Allowance { policy: policy.clone(), counted: now, left: AtomicU64::new(count) };
        self.0.insert((tenant, connection), Arc::new(allowance));
    }

    /// Knows of none any more.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accounts::policy::GuardAction;

    const POLICY: GuardPolicy = GuardPolicy {
        max_percent: 20,
        min_count: 25,
        window_seconds: 3600,
        action: GuardAction::Hold,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn r57_so_many_pass_as_were_allowed_and_of_that_connection_alone() {
        let [tenant, connection] = [1, 2].map(Uuid::from_u128);
        let departures = Departures::new();
        assert!(!departures.take(tenant, connection, &POLICY, at(0)));
        departures.allow(tenant, connection, &POLICY, 2, at(0));
        assert!(!departures.take(tenant, tenant, &POLICY, at(0)));
        assert!(!departures.take(connection, connection, &POLICY, at(0)));
        let taken =
            [0, 1, 2].map(|second| departures.take(tenant, connection, &POLICY, at(second)));
        assert_eq!(taken, [true, true, false]);
    }

    #[test]
    fn r57_a_count_is_good_for_a_short_time_and_for_the_policy_that_it_was_judged_by() {
        let [tenant, connection] = [1, 2].map(Uuid::from_u128);
        let departures = Departures::new();
        departures.allow(tenant, connection, &POLICY, 9, at(100));
        let stricter = GuardPolicy { max_percent: 1, ..POLICY };
        assert!(!departures.take(tenant, connection, &stricter, at(100)));
        for (second, is_good) in [(70, false), (71, true), (129, true), (130, false)] {
            assert_eq!(departures.take(tenant, connection, &POLICY, at(second)), is_good);
        }
        departures.clear();
        assert!(!departures.take(tenant, connection, &POLICY, at(100)));
    }
}
