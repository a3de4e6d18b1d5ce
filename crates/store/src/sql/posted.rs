//! Writes of which nobody waits for the result: they can be carried out later in the same unit of work,
//! and several of them in one statement.

use crate::search::{Columns, Pieces};

/// Such a write.
pub(super) enum Write {
    /// Makes a user what it is to be, if it still has the version that it was read in.
    User(Pieces),
    /// An entry of the change log.
    Entry(Columns),
    /// Of one of the other tables; with how many values its text depends on.
    #[allow(dead_code, reason = "SQLite carries each out at once, whatever its table")]
    Of(&'static str, Pieces, usize),
}

impl Write {
    /// The table to which it writes.
    #[allow(dead_code, reason = "SQLite carries each out at once, whatever its table")]
    pub(super) fn table(&self) -> &'static str {
        match self {
            Self::User(_) => "users",
            Self::Entry(_) => "change_log",
            Self::Of(table, ..) => table,
        }
    }

    /// The number of values on which its text depends.
    pub(super) fn values(&self) -> usize {
        if let Self::Of(_, _, values) = self { *values } else { 0 }
    }

    /// The statement that carries it out by itself.
    pub(super) fn alone(self) -> Pieces {
        match self {
            Self::Entry(row) => Pieces::insert("change_log", [row]),
            Self::User(pieces) | Self::Of(_, pieces, _) => pieces,
        }
    }
}
