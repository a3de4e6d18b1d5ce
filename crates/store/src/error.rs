//! What goes wrong below the store's face, in its own words.

use std::path::PathBuf;

use accounts::{Refusal, StorageError, StorageResult};
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL has another form.
    #[error("{0:?} is no database URL: use sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Url(String),
    /// There is nothing that could be a replica.
    #[error(
        "a read replica is a standby of PostgreSQL: give --read-database postgres://USER@HOST/DATABASE \
         with a --database that is PostgreSQL too, or none"
    )]
    Replica,
    /// The database cannot be reached or opened.
    #[error("the database cannot be opened: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A file of SQLite is not what SQLite wrote.
    #[error(
        "{} is damaged ({what}). Keep a copy of it, then restore the newest backup: headcount restore \
         FILE --overwrite", .path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite says of it.
        what: String,
    },
    /// The file of the provisioning log is not what SQLite wrote.
    #[error(
        "{} is damaged ({what}). It holds the provisioning log and nothing else: move it away, and it \
         begins anew", .path.display()
    )]
    DamagedLog {
        /// Which file.
        path: PathBuf,
        /// What SQLite says of it.
        what: String,
    },
    /// A file of SQLite cannot be checked.
    #[error("the database cannot be checked: {0}")]
    Check(#[from] rusqlite::Error),
    /// A statement that prepares a connection failed.
    #[error("the database cannot be prepared: {0}")]
    Query(#[source] DieselError),
    /// A migration failed.
    #[error("the database cannot be migrated: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// The database was made by a newer program.
    #[error("the database was migrated by a newer version of headcount (step {0}): upgrade first")]
    Newer(String),
    /// A key of the installation is damaged.
    #[error("installation_keys: the key for {0:?} is none of this program's")]
    Key(&'static str),
    /// The system has no randomness to give, or cannot use a key.
    #[error("a key cannot be made: {0}")]
    Crypto(#[from] openssl::error::ErrorStack),
    /// A thread could not be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// An error of a rule, in which the store finds its own.
pub trait UnitError: From<StorageError> + Send + 'static {
    /// The store's error, if it is one.
    fn storage(&self) -> Option<&StorageError>;
}

impl UnitError for StorageError {
    fn storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

impl UnitError for Refusal {
    fn storage(&self) -> Option<&StorageError> {
        match self {
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}

/// A diesel error as the store's.
pub(crate) fn failed(error: DieselError) -> StorageError {
    use DatabaseErrorKind::{
        ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand,
    };
    let DieselError::DatabaseError(kind, information) = &error else {
        return StorageError::Failed(Box::new(error));
    };
    let message = information.message();
    match kind {
        // Read-only: the server that was the primary is a standby now.
        ClosedConnection | UnableToSendCommand | ReadOnlyTransaction => {
            StorageError::Unavailable(message.to_owned())
        }
        SerializationFailure => StorageError::Again,
        // libpq's result has a code for it, of which diesel hands on the text alone.
        _ if message.contains("deadlock detected") => StorageError::Again,
        // Who holds the lock ends in time: a bulk request, say.
        _ if message.contains("due to lock timeout") => StorageError::Again,
        _ if is_full(message) => StorageError::Full(message.to_owned()),
        _ if is_passing(message) => StorageError::Unavailable(message.to_owned()),
        _ => StorageError::Failed(Box::new(error)),
    }
}

/// Whether there is no room on a disk: SQLite's words, and the system's as PostgreSQL repeats them.
fn is_full(message: &str) -> bool {
    const FULL: [&str; 3] =
        ["database or disk is full", "No space left on device", "Disk quota exceeded"];
    FULL.iter().any(|full| message.contains(full))
}

/// Whether the database says of itself that it will be back, or may be.
fn is_passing(message: &str) -> bool {
    const PASSING: [&str; 9] = [
        "database is locked",
        // A quota that is used up, too, which SQLite does not tell from a disk that is broken.
        "disk I/O error",
        "the database system is in recovery mode",
        "the database system is not yet accepting connections",
        "the database system is shutting down",
        "the database system is starting up",
        "terminating connection",
        "server closed the connection",
        "no connection to the server",
    ];
    PASSING.iter().any(|passing| message.contains(passing))
}

/// `false` if the one unique key that the statement can violate is another row's.
pub(crate) fn unless_taken<T>(written: QueryResult<T>) -> StorageResult<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, RunQueryDsl, SqliteConnection};

    use super::*;

    #[test]
    fn a_database_without_room_is_full_and_not_broken() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.batch_execute("CREATE TABLE t (x BLOB); PRAGMA max_page_count = 4").unwrap();
        let written =
            diesel::sql_query("INSERT INTO t VALUES (zeroblob(65536))").execute(&mut conn);
        let error = failed(written.unwrap_err());
        assert!(matches!(error, StorageError::Full(_)), "{error:?}");
    }
}
