//! Writes of which nobody waits for the result: they can be carried out later in the same unit of work,
//! and several of them in one statement.

use crate::search::{Columns, Pieces};

/// Such a write.
pub(super) enum Write {
    /// Makes a user what it is to be, if it still has the version that it was read in.
    User(Pieces),
    /// An entry of the change log.
    Entry(Columns),
    /// Of one row of another table, without which the unit of work is to be run again.
    One(&'static str, Pieces),
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
            Self::One(table, _) | Self::Of(table, ..) => table,
        }
    }

    /// The number of values on which its text depends.
    pub(super) fn values(&self) -> usize {
        if let Self::Of(_, _, values) = self { *values } else { 0 }
    }

    /// Whether it is to write a row: where it does not, another unit of work was faster.
    pub(super) fn must_write(&self) -> bool {
        matches!(self, Self::User(_) | Self::One(..))
    }

    /// The statement that carries it out by itself.
    pub(super) fn alone(self) -> Pieces {
        match self {
            Self::Entry(row) => Pieces::insert("change_log", [row]),
            Self::User(pieces) | Self::One(_, pieces) | Self::Of(_, pieces, _) => pieces,
        }
    }
}
