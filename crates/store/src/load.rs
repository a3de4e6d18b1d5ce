//! How busy the store is, for whoever watches it.

/// The upper bounds by which commits are counted, in units.
pub const BATCH_BOUNDS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

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
    /// What was committed together.
    pub batches: Batches,
}

/// Units that were committed together; what only reads is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    /// How many commits had at most so many units as the bound in [`BATCH_BOUNDS`] says, and more than the
    /// one before it.
    pub counts: Vec<u64>,
    /// The units of all of them.
    pub units: u64,
}

/// A kind of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Those that only read.
    Read,
    /// Those that write.
    Write,
    /// The one that writes the provisioning log.
    Log,
}

impl Lane {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Log];

    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Log => "log",
        }
    }
}
