//! Who answered reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who answered a read, and why not the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadBy {
    /// The replica.
    Replica,
    /// The primary: the replica was not fit when the read came.
    Away,
    /// The primary: the replica had not replayed enough in time.
    Behind,
    /// The primary, which did not say in time how far it is.
    Unasked,
    /// The primary: no connection to the replica was free in time.
    Busy,
    /// The primary: the replica could not run a statement.
    Failed,
}

impl ReadBy {
    /// Every case.
    pub const ALL: [Self; 6] =
        [Self::Replica, Self::Away, Self::Behind, Self::Unasked, Self::Busy, Self::Failed];

    /// Which database answered.
    pub fn database(self) -> &'static str {
        if self == Self::Replica { "replica" } else { "primary" }
    }

    /// Why.
    pub fn why(self) -> &'static str {
        match self {
            Self::Replica => "current",
            Self::Away => "away",
            Self::Behind => "behind",
            Self::Unasked => "unasked",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

/// What became of reads that a replica might answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaLoad {
    /// How many were answered by whom.
    pub reads: [(ReadBy, u64); ReadBy::ALL.len()],
    /// Whether reads are sent to the replica.
    pub is_used: bool,
    /// How many bytes of the primary's log it had not replayed when it was looked at last; nothing
    /// while it cannot be asked.
    pub lag: Option<u64>,
}

/// Counters for each case.
#[derive(Default)]
pub(super) struct Counts([AtomicU64; ReadBy::ALL.len()]);

impl Counts {
    pub(super) fn add(&self, by: ReadBy) {
        self.0[by as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> [(ReadBy, u64); ReadBy::ALL.len()] {
        ReadBy::ALL.map(|by| (by, self.0[by as usize].load(Ordering::Relaxed)))
    }
}
