//! When Entra stops provisioning.

/// How many failures are looked at.
const MANY: u64 = 5_000;
/// So many of a hundred that fail are too many then.
const PERCENT: u64 = 40;
/// So many failures are too many of however many.
const TOO_MANY: u64 = 40_000;

/// What a cycle has tried, and whether Entra goes on.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    attempted: u64,
    failed: u64,
    cause: Option<String>,
}

impl Quarantine {
    /// A cycle begins.
    pub(super) fn begin(&mut self) {
        *self = Self::default();
    }

    /// Something was tried.
    pub(super) fn count(&mut self, succeeded: bool) {
        self.attempted += 1;
        self.failed += u64::from(!succeeded);
        if self.cause.is_none() && are_too_many(self.attempted, self.failed) {
            self.cause = Some(format!("{} of {} operations failed", self.failed, self.attempted));
        }
    }

    /// The service shows that nothing can be expected of it: at once.
    pub(super) fn enter(&mut self, cause: String) {
        self.cause = Some(cause);
    }

    /// Why nothing is provisioned, if so.
    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

fn are_too_many(attempted: u64, failed: u64) -> bool {
    failed > TOO_MANY || (failed >= MANY && failed * 100 > attempted * PERCENT)
}

#[cfg(test)]
mod tests {
    use super::are_too_many;

    #[test]
    fn failures_count_when_they_are_many_or_most() {
        for (attempted, failed, stops) in [
            (4_999, 4_999, false),
            (5_000, 5_000, true),
            (12_500, 5_000, false),
            (12_499, 5_000, true),
            (1_000_000, 40_000, false),
            (1_000_000, 40_001, true),
        ] {
            assert_eq!(are_too_many(attempted, failed), stops, "{failed} of {attempted}");
        }
    }
}
