//! The one place that reads the clock and makes identifiers.

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
