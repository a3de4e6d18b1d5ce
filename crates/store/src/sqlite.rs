//! SQLite: the statements of `sql/` compiled for it, and how its connections are opened.

use accounts::{Account, Scope, StorageError, StorageResult};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use uuid::Uuid;

use crate::catalogue::View;
use crate::error::{OpenError, failed};
use crate::keyring::Keyring;
use crate::search::{Columns, Pieces, Sqlite as Dialect, Table};
use crate::sqlite_file::create_private;

pub(crate) type Conn = SqliteConnection;
pub(crate) type Db = diesel::sqlite::Sqlite;

/// A connection that answers what rules ask.
pub(crate) struct Session {
    pub(crate) conn: Conn,
    keyring: Arc<Keyring>,
    /// What it knows of the catalogue.
    pub(crate) view: View,
}

impl Session {
    pub(crate) fn new(conn: Conn, keyring: Arc<Keyring>, view: View) -> Self {
        Self { conn, keyring, view }
    }

    /// The connection, for a statement of a unit of work.
    #[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
    fn conn(&mut self) -> StorageResult<&mut Conn> {
        Ok(&mut self.conn)
    }

    /// The connection, for a statement that reads what no lock protects.
    fn reader(&mut self) -> StorageResult<&mut Conn> {
        self.conn()
    }

    /// Carries out a write at once: there is no way to spare.
    fn post(&mut self, write: Write) -> StorageResult<()> {
        let must_write = write.must_write();
        let values = write.values();
        let written =
            Statement::of_some(write.alone(), values).execute(&mut self.conn).map_err(failed)?;
        if must_write && written != 1 {
            return Err(StorageError::Again);
        }
        Ok(())
    }

    /// Nothing waits for the end.
    #[allow(clippy::unused_self, reason = "PostgreSQL's knows what was read")]
    fn is_ahead(&self) -> bool {
        false
    }

    /// What was posted was carried out, and is undone with all the rest.
    #[allow(clippy::unused_self, reason = "PostgreSQL's forgets something")]
    fn forget_posted(&mut self) {}

    /// A user that is to be changed.
    fn user_to_change(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        self.find_for_update::<AccountRow>(Table::Users, scope, id)
    }
}

const DIALECT: Dialect = Dialect;

/// The time, as the database has it.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// What is asked of each of several is asked in the order in which it is written.
const LATERAL: bool = false;

/// The one writer has what it reads to itself.
const LOCK: Option<&str> = None;

/// The one writer need not pass over what others are taking, nor wait for them.
const SKIP_LOCKED: &str = "";
const WAIT_FOR_LOCKED: &str = "";

/// What stands before and after a query that is run once, for its rows as a list.
const ONE_OF_A_LIST: (&str, &str) = (" IN (", ")");

/// A number from 0 to below 2 to the power of 53.
const RANDOM_NUMBER: &str = "(random() & 9007199254740991)";

macro_rules! for_share {
    ($query:expr) => {
        $query
    };
}

/// The one writer nests alone.
#[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
fn lock_nesting(_: &mut Session, _: Uuid) -> StorageResult<()> {
    Ok(())
}

/// The one writer stands in nobody's way.
#[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
fn lock_parts(_: &mut Session, _: Uuid) -> StorageResult<()> {
    Ok(())
}

/// The one writer deletes alone.
#[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
fn own_membership(_: &mut Session, _: Uuid) -> StorageResult<()> {
    Ok(())
}

use own_membership as share_membership;

/// The one writer counts alone.
#[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
fn lock_holders(_: &mut Session, _: Uuid) -> StorageResult<()> {
    Ok(())
}

/// The one writer has every object to itself.
#[allow(clippy::unnecessary_wraps, reason = "PostgreSQL's can fail")]
fn lock_object(_: &mut Session, _: Uuid, _: Uuid) -> StorageResult<()> {
    Ok(())
}

use lock_object as hold_object;

/// Carries out statements of which none sees what another writes: how many rows each wrote.
fn write_together(conn: &mut Conn, parts: Vec<Pieces>, values: usize) -> QueryResult<Vec<usize>> {
    let write = |part| Statement::of_some(part, values).execute(conn);
    parts.into_iter().map(write).collect()
}

/// The most values of one statement: SQLite takes 32,766.
const VALUES: usize = 32_000;

/// Inserts rows of a table that all have the same columns.
fn insert_all(conn: &mut Conn, table: &'static str, mut rows: Vec<Columns>) -> QueryResult<()> {
    while let Some(width) = rows.first().map(Vec::len) {
        let others = rows.split_off(rows.len().min(VALUES / width));
        let count = rows.len();
        Statement::of_some(Pieces::insert(table, rows), count).execute(conn)?;
        rows = others;
    }
    Ok(())
}

#[path = "sql/assignments.rs"]
mod assignments;
#[path = "sql/by_part.rs"]
mod by_part;
#[path = "sql/catalogue.rs"]
mod catalogue;
#[path = "sql/claims.rs"]
mod claims;
#[path = "sql/credentials.rs"]
mod credentials;
#[path = "sql/dependencies.rs"]
mod dependencies;
#[path = "sql/document.rs"]
mod document;
#[path = "sql/grants.rs"]
mod grants;
#[path = "sql/groups.rs"]
mod groups;
#[path = "sql/holdings.rs"]
mod holdings;
#[path = "sql/import.rs"]
mod import;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/ledger.rs"]
mod ledger;
#[path = "sql/log_entries.rs"]
mod log_entries;
#[path = "sql/logins.rs"]
mod logins;
#[path = "sql/memberships.rs"]
mod memberships;
#[path = "sql/objects.rs"]
mod objects;
#[path = "sql/plans.rs"]
pub(crate) mod plans;
#[path = "sql/posted.rs"]
mod posted;
#[path = "sql/reading.rs"]
mod reading;
#[path = "sql/requests.rs"]
mod requests;
#[path = "sql/resources.rs"]
mod resources;
#[path = "sql/savepoints.rs"]
mod savepoints;
#[path = "sql/seats.rs"]
mod seats;
#[path = "sql/statement.rs"]
mod statement;
#[path = "sql/steps.rs"]
mod steps;
#[path = "sql/tenancy.rs"]
mod tenancy;
#[path = "sql/users.rs"]
mod users;

use document::document;
pub(crate) use keys::keyring;
use posted::Write;
use statement::{AccountRow, Statement};

/// Opens the writer, which makes the file where there is none.
pub(crate) fn open_writer(path: &Path) -> Result<Conn, OpenError> {
    let mut conn = open_or_make(path)?;
    write_ahead(&mut conn).map_err(OpenError::Query)?;
    // A commit is on disk before it is answered: FULL makes the log safe, not only the file.
    // What is erased is overwritten in the file too.
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .map_err(OpenError::Query)?;
    conn.batch_execute(WRITER_MEMORY).map_err(OpenError::Query)?;
    Ok(conn)
}

/// The pages of a large transaction stay in memory until it is committed, up to 64 MiB, instead of
/// going to the log and back whenever there are more than are kept. Checkpoints are made beside the
/// writer; it makes one itself when 16,000 pages are in the log, for the log begins anew only when all
/// of it is in the file, and beside a busy writer it never is.
const WRITER_MEMORY: &str = "PRAGMA cache_size = -16384; PRAGMA cache_spill = 16384; \
    PRAGMA wal_autocheckpoint = 16000;";

/// Opens a file to make checkpoints of it.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Conn, OpenError> {
    let mut conn = open(path)?;
    conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA cache_size = 0;")
        .map_err(OpenError::Query)?;
    Ok(conn)
}

/// Gives the file a write-ahead log, once for all. SQLite does not wait for others there, whatever
/// the timeout: of two programs that open a new file together, one would be told that it is locked.
fn write_ahead(conn: &mut Conn) -> QueryResult<()> {
    const ATTEMPTS: u32 = 500;
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 1..ATTEMPTS {
        match conn.batch_execute("PRAGMA journal_mode = WAL;") {
            Err(error) if error.to_string().contains("database is locked") => thread::sleep(PAUSE),
            done => return done,
        }
    }
    conn.batch_execute("PRAGMA journal_mode = WAL;")
}

/// The file of the provisioning log, beside that of all the rest: a transaction there never makes one
/// here wait, and can be lost.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("-log");
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Opens the writer of the provisioning log, whose path is [`log_path`].
pub(crate) fn open_log(path: &Path) -> Result<Conn, OpenError> {
    let mut conn = open_or_make(path)?;
    write_ahead(&mut conn).map_err(OpenError::Query)?;
    // What the disk does not have yet is lost with the machine, and with nothing less.
    conn.batch_execute("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")
        .map_err(OpenError::Query)?;
    Ok(conn)
}

/// Opens a reader, of both files.
pub(crate) fn open_reader(path: &Path) -> Result<Conn, OpenError> {
    let mut conn = open(path)?;
    let log = log_path(path).to_string_lossy().into_owned();
    diesel::sql_query("ATTACH DATABASE ? AS log")
        .bind::<diesel::sql_types::Text, _>(log)
        .execute(&mut conn)
        .map_err(OpenError::Query)?;
    conn.batch_execute("PRAGMA query_only = ON;").map_err(OpenError::Query)?;
    Ok(conn)
}

/// Nobody but the owner of a new file reads it: the keys of the installation are in it. SQLite gives
/// what it makes beside it the same rights.
fn open_or_make(path: &Path) -> Result<Conn, OpenError> {
    // If it is there already, that is right; why else it cannot be made, opening it says.
    let _ = create_private(path);
    open(path)
}

/// Opens a file without making it one that the service writes to.
pub(crate) fn open_as_it_is(path: &Path) -> Result<Conn, OpenError> {
    open(path)
}

fn open(path: &Path) -> Result<Conn, OpenError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
    )
    .map_err(OpenError::Query)?;
    Ok(conn)
}

/// Runs a statement without values that is prepared once: what begins and ends each unit of work
/// would else be parsed each time.
pub(crate) fn run_prepared(conn: &mut Conn, sql: &'static str) -> QueryResult<usize> {
    let mut pieces = Pieces::default();
    pieces.sql(sql);
    Statement::fixed(pieces).execute(conn)
}

/// A step of a plan.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

/// Asks for a plan.
pub(crate) const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
