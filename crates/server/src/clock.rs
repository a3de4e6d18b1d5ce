//! The one place that reads the clock and makes identifiers.

use std::time::{Duration, Instant};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use uuid::Uuid;

/// The time, in the milliseconds in which it is shown.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Trunc))
        .unwrap_or(now)
}

/// An identifier that is unique and ascends with time.
#[allow(clippy::disallowed_methods)]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A time to stop at, whatever happens to the clock meanwhile.
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    pub(crate) fn has_passed(&self) -> bool {
        Instant::now() >= self.0
    }
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
