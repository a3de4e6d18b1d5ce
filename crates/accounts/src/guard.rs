//! The guard against mass deprovisioning (rule R57): a wrong mapping in an identity provider must
//! not take the whole contact centre away before somebody has looked.

use crate::policy::{GuardAction, GuardPolicy};

/// What the guard says of one deactivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is one of few.
    Allow,
    /// It is one of too many; it is done, and somebody should look.
    Alert,
    /// It is one of too many, and is refused.
    Hold {
        /// After how long the window is past, whenever it began: when to try again.
        retry_after_seconds: i64,
    },
}

/// Judges one more deactivation.
///
/// `deactivations_in_window` are those that the connection has carried out before it in the window,
/// `enabled_accounts` are those that the tenant still has, the one to be deactivated among them. The
/// percentage is of both together, which is what the tenant had when the window began: measured by
/// what is left, the limit would sink with each deactivation.
///
/// Deactivations are too many if they are more than both the percentage and the smallest number that
/// is always allowed; since that is at least one, a single leaver is never caught.
pub fn verdict(
    policy: &GuardPolicy,
    deactivations_in_window: u64,
    enabled_accounts: u64,
) -> Verdict {
    let with_this = u128::from(deactivations_in_window) + 1;
    let population = u128::from(deactivations_in_window) + u128::from(enabled_accounts);
    let min_count = u128::from(policy.min_count.max(1).unsigned_abs());
    let max_percent = u128::from(policy.max_percent.max(0).unsigned_abs());
    let too_many = with_this > min_count && with_this * 100 > max_percent * population;
    match policy.action {
        GuardAction::Alert if too_many => Verdict::Alert,
        GuardAction::Hold if too_many => {
            Verdict::Hold { retry_after_seconds: policy.window_seconds }
        }
        _ => Verdict::Allow,
    }
}

/// How many enabled accounts make one more deactivation harmless, however many there are besides:
/// nobody needs to count further.
pub fn harmless_among(policy: &GuardPolicy, deactivations_in_window: u64) -> u64 {
    let with_this = deactivations_in_window.saturating_add(1);
    let max_percent = policy.max_percent.max(0).unsigned_abs();
    match with_this.saturating_mul(100).checked_div(max_percent) {
        Some(population) => population.saturating_sub(deactivations_in_window).saturating_add(1),
        // Of nothing every part is too much.
        None => 0,
    }
}

/// How many servers may count at once without letting more through together than is harmless.
const COUNTING_AT_ONCE: u64 = 16;

/// How many departures after one that is allowed are so too, and need not be counted one by one: a
/// part of those that the limit leaves, since other servers over the same database may judge the same
/// connection by the same numbers. `enabled_accounts` may be less than there are.
pub fn harmless_ahead(
    policy: &GuardPolicy,
    deactivations_in_window: u64,
    enabled_accounts: u64,
) -> u64 {
    let population = deactivations_in_window.saturating_add(enabled_accounts);
    let max_percent = policy.max_percent.max(0).unsigned_abs();
    let limit =
        policy.min_count.max(1).unsigned_abs().max(population.saturating_mul(max_percent) / 100);
    limit.saturating_sub(deactivations_in_window.saturating_add(1)) / COUNTING_AT_ONCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: GuardPolicy = GuardPolicy {
        max_percent: 20,
        min_count: 25,
        window_seconds: 3600,
        action: GuardAction::Hold,
    };

    const HELD: Verdict = Verdict::Hold { retry_after_seconds: 3600 };

    /// How many of so many accounts one connection can deactivate.
    fn allowed(policy: &GuardPolicy, accounts: u64) -> u64 {
        let stops = |done: &u64| verdict(policy, *done, accounts - done) != Verdict::Allow;
        (0..accounts).find(stops).unwrap_or(accounts)
    }

    #[test]
    fn r57_the_limit_is_the_larger_of_the_number_and_the_percentage() {
        for (accounts, limit) in [(10, 10), (25, 25), (26, 25), (125, 25), (130, 26), (1000, 200)] {
            assert_eq!(allowed(&POLICY, accounts), limit, "of {accounts}");
        }
        assert_eq!(verdict(&POLICY, 199, 801), Verdict::Allow);
        assert_eq!(verdict(&POLICY, 200, 800), HELD);
        assert_eq!(verdict(&POLICY, u64::MAX, u64::MAX), HELD);
    }

    #[test]
    fn r57_counting_further_than_is_harmless_changes_nothing() {
        for max_percent in [0, 1, 7, 20, 33, 100] {
            let policy = GuardPolicy { max_percent, min_count: 3, ..POLICY };
            for done in [0, 2, 3, 4, 10, 99] {
                let enough = harmless_among(&policy, done);
                for enabled in (0..enough + 20).chain([1_000_000]) {
                    let counted = verdict(&policy, done, enabled.min(enough));
                    assert_eq!(counted, verdict(&policy, done, enabled), "{max_percent} {done}");
                }
            }
        }
    }

    #[test]
    fn r57_what_servers_let_through_without_counting_is_within_the_limit() {
        for (max_percent, min_count) in [(0, 1), (1, 3), (20, 25), (33, 400), (100, 25)] {
            let policy = GuardPolicy { max_percent, min_count, ..POLICY };
            for (done, accounts) in
                [(0_u64, 1_u64), (0, 400), (24, 400), (300, 1100), (2000, 100_000)]
            {
                let ahead = harmless_ahead(&policy, done, accounts.saturating_sub(done));
                let last = done + COUNTING_AT_ONCE * ahead;
                if ahead > 0 {
                    let judged = verdict(&policy, last, accounts.saturating_sub(last));
                    assert_eq!(judged, Verdict::Allow, "{max_percent} {min_count} {done}");
                }
                let limit = done + COUNTING_AT_ONCE * (ahead + 1);
                let over = verdict(&policy, limit, accounts.saturating_sub(limit));
                assert_ne!(over, Verdict::Allow, "{max_percent} {min_count} {done} of {accounts}");
            }
        }
    }

    #[test]
    fn r57_a_single_leaver_is_never_caught() {
        let policy = GuardPolicy { max_percent: 1, min_count: 1, ..POLICY };
        for accounts in [0, 1, 2, 50, 100, 1000] {
            assert_eq!(verdict(&policy, 0, accounts), Verdict::Allow, "of {accounts}");
        }
        assert_eq!(verdict(&policy, 1, 49), HELD);
    }

    #[test]
    fn r57_the_guard_can_be_off_or_only_watch() {
        let policy = GuardPolicy { action: GuardAction::Off, ..POLICY };
        assert_eq!(verdict(&policy, 999, 1), Verdict::Allow);
        let policy = GuardPolicy { action: GuardAction::Alert, ..POLICY };
        assert_eq!(verdict(&policy, 999, 1), Verdict::Alert);
        assert_eq!(verdict(&policy, 0, 1000), Verdict::Allow);
    }
}
