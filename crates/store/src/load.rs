//! How busy the store is, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds by which commits are counted, in units.
pub const BATCH_BOUNDS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// The upper bounds by which it is counted how long units wait, in nanoseconds. A lane that is idle takes
/// one within some microseconds; nobody waits for longer than a request may take.
pub const WAIT_BOUNDS: [u64; 14] = [
    100_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
];

/// How busy the lanes of one kind are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The lanes that there are.
    pub lanes: usize,
    /// Those that run a unit of work.
    pub busy: usize,
    /// Units that wait.
    pub waiting: usize,
    /// Units that lanes have taken so far.
    pub units: u64,
    /// Units for which there was no room so far.
    pub refused: u64,
    /// The units of each commit, by [`BATCH_BOUNDS`]; what only reads is not counted.
    pub batches: Counts,
    /// How long each unit waited until a lane took it, by [`WAIT_BOUNDS`]; whether its caller was still there
    /// or not.
    pub waits: Counts,
}

/// How often something was how large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// How often it was at most as large as each bound says and larger than the one before; then, how often
    /// it was larger than all of them.
    pub counts: Vec<u64>,
    /// All that was counted, together.
    pub sum: u64,
}

/// What [`Counts`] are made from, while several threads count.
pub(crate) struct Tally<const N: usize> {
    bounds: &'static [u64; N],
    counts: [AtomicU64; N],
    larger: AtomicU64,
    sum: AtomicU64,
}

impl<const N: usize> Tally<N> {
    pub(crate) fn by(bounds: &'static [u64; N]) -> Self {
        let (larger, sum) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { bounds, counts: [const { AtomicU64::new(0) }; N], larger, sum }
    }

    /// Counts one.
    pub(crate) fn note(&self, size: u64) {
        let at = self.bounds.partition_point(|bound| *bound < size);
        self.counts.get(at).unwrap_or(&self.larger).fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// Counts how long one took.
    pub(crate) fn note_time(&self, time: Duration) {
        self.note(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    pub(crate) fn told(&self) -> Counts {
        let counts = self.counts.iter().chain([&self.larger]);
        let counts = counts.map(|count| count.load(Ordering::Relaxed)).collect();
        Counts { counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// A kind of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Those that only read.
    Read,
    /// Those that read what one user is, on PostgreSQL.
    LookUp,
    /// Those that write.
    Write,
    /// The one that writes the provisioning log.
    Log,
}

impl Lane {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Read, Self::LookUp, Self::Write, Self::Log];

    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::LookUp => "lookup",
            Self::Write => "write",
            Self::Log => "log",
        }
    }
}
