//! The store: SQLite and PostgreSQL behind one face.
//!
//! [`Store::write`] runs a unit of work - a plain closure over [`accounts::Tx`] - in one
//! transaction on a thread that owns a connection, and answers after the commit. [`Store::read`]
//! runs one that only reads; on PostgreSQL each of its statements has a snapshot of its own.
//! [`Store::log`] writes to the provisioning log, beside both. SQL is
//! written once, in `sql/`, and compiled for each database by `sqlite.rs` and `postgres.rs`; filters
//! and orders become SQL in `search/`.

// The files of `sql/` are compiled twice, on purpose.
#![allow(clippy::duplicate_mod)]

mod backup;
mod catalogue;
mod checkpoints;
mod departures;
mod error;
mod import;
mod keyring;
mod lane;
mod lane_postgres;
mod lane_sqlite;
mod load;
mod look_up;
mod migrate;
mod patience;
mod plain;
mod postgres;
mod query;
mod queue;
mod replica;
mod schema;
mod search;
mod sqlite;
mod sqlite_file;
mod trigrams;
mod types;
mod unit;
mod url;

use std::iter::repeat_with;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accounts::{RequestLog, Scope, StorageError, Tx};
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

pub use backup::{BackupError, back_up, restore};
pub use error::{OpenError, UnitError};
pub use import::Importer;
pub use load::{BATCH_BOUNDS, Counts, Lane, Load, WAIT_BOUNDS};
pub use look_up::LookUp;
pub use patience::{in_time, within};
pub use plain::Plain;
pub use replica::{ReadBy, ReplicaLoad};
pub use trigrams::{TrigramError, drop_trigrams, make_trigrams};
pub use url::DatabaseUrl;

use catalogue::{Catalogue, View};
use checkpoints::Checkpoints;
use lane::{Lanes, Units};
use lane_postgres::Line;
use replica::Replica;

/// Connections to PostgreSQL that write, and as many that read.
const POSTGRES_LANES: usize = 8;
/// Of those that read, as many look users up as there are processors, from two to so many: with fewer,
/// more are looked up together.
const LOOK_UP_LANES: usize = 4;
/// Readers of SQLite.
const SQLITE_READERS: usize = 4;

/// How long a file is looked at for damage before the service starts on it. A large one is not read
/// to its end: starting must not take longer the more there is. A backup is checked in full.
const CHECK: Duration = Duration::from_secs(2);

/// An open store. Dropping it finishes the work that waits.
pub struct Store {
    reads: Lanes,
    /// Where what waits is looked up together, which spares nothing on SQLite.
    look_ups: Option<Lanes>,
    writes: Lanes,
    catalogue: Arc<Catalogue>,
    log: Lanes,
    steps: Vec<String>,
    replica: Option<Replica>,
}

impl Store {
    /// Opens a database and brings it up to date.
    ///
    /// # Errors
    /// The database cannot be opened or migrated.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::open_with(url, None)
    }

    /// Opens a database and brings it up to date. What [`TenantStore::read_anywhere`] runs may be
    /// answered by a replica of it, which need not be there yet.
    ///
    /// # Errors
    /// The database cannot be opened or migrated; [`OpenError::Replica`] if not both are PostgreSQL.
    pub fn open_with(url: &DatabaseUrl, replica: Option<&DatabaseUrl>) -> Result<Self, OpenError> {
        let replica = match (url, replica) {
            (_, None) => None,
            (DatabaseUrl::Postgres(_), Some(DatabaseUrl::Postgres(replica))) => Some(replica),
            _ => return Err(OpenError::Replica),
        };
        migrate(url)?;
        let catalogue = Catalogue::new();
        match url {
            DatabaseUrl::Sqlite(path) => {
                let mut writer = sqlite::open_writer(path)?;
                let keyring = Arc::new(sqlite::keyring(&mut writer)?);
                let writer = sqlite::Session::new(
                    writer,
                    Arc::clone(&keyring),
                    View::new(Arc::clone(&catalogue)),
                );
                let mut readers = Vec::new();
                for _ in 0..SQLITE_READERS {
                    let reader = sqlite::open_reader(path)?;
                    let session = sqlite::Session::new(
                        reader,
                        Arc::clone(&keyring),
                        View::new(Arc::clone(&catalogue)),
                    );
                    readers.push(move |units: Units| lane_sqlite::read(session, &units));
                }
                let log = sqlite::Session::new(
                    sqlite::open_log(&sqlite::log_path(path))?,
                    keyring,
                    View::new(Arc::clone(&catalogue)),
                );
                let checkpoints = Checkpoints::start(path)?;
                let (path, log_path) = (path.clone(), sqlite::log_path(path));
                let write = move |units: Units| {
                    let on_commit = || checkpoints.committed();
                    lane_sqlite::write(&path, sqlite::open_writer, writer, &units, on_commit);
                };
                let write_log = move |units: Units| {
                    lane_sqlite::write(&log_path, sqlite::open_log, log, &units, || ());
                };
                Ok(Self {
                    reads: Lanes::start("read", readers)?,
                    look_ups: None,
                    writes: Lanes::start("write", vec![write])?,
                    catalogue,
                    log: Lanes::start("log", vec![write_log])?,
                    steps: migrate::known_sqlite()?,
                    replica: None,
                })
            }
            DatabaseUrl::Postgres(url) => {
                let keyring = Arc::new(postgres::keyring(&mut postgres::open(url)?)?);
                let lanes = |count: usize, run: fn(Line, &Units)| {
                    let line = || Line::new(url.clone(), &keyring, &catalogue);
                    let lane = |line| move |units: Units| run(line, &units);
                    repeat_with(line).take(count).map(lane).collect::<Vec<_>>()
                };
                let look_ups = processors().clamp(2, LOOK_UP_LANES);
                let readers = lanes(POSTGRES_LANES - look_ups, lane_postgres::read);
                let look_ups = lanes(look_ups, lane_postgres::look_up);
                let writers = lanes(POSTGRES_LANES, lane_postgres::write);
                let log = lanes(1, lane_postgres::write);
                let follow = |replica: &String| Replica::start(url, replica, &keyring, &catalogue);
                let replica = replica.map(follow).transpose()?;
                Ok(Self {
                    reads: Lanes::start("read", readers)?,
                    look_ups: Some(Lanes::start("lookup", look_ups)?),
                    writes: Lanes::start("write", writers)?,
                    catalogue,
                    log: Lanes::start("log", log)?,
                    steps: migrate::known_postgres()?,
                    replica,
                })
            }
        }
    }

    /// Whether the database answers, and has the schema of this program: its steps that are missing
    /// there, and those that are there and not this program's.
    ///
    /// # Errors
    /// As [`TenantStore::read`].
    pub async fn check(&self) -> Result<Schema, StorageError> {
        let applied = self.reads.run(Uuid::nil(), None, move |tx| tx.steps()).await?;
        let other = |of: &[String], than: &[String]| {
            of.iter().filter(|step| !than.contains(step)).cloned().collect()
        };
        Ok(Schema { missing: other(&self.steps, &applied), unknown: other(&applied, &self.steps) })
    }

    /// How busy the lanes of a kind are; none if there are no such.
    pub fn load(&self, of: Lane) -> Option<Load> {
        let lanes = match of {
            Lane::Read => &self.reads,
            Lane::LookUp => self.look_ups.as_ref()?,
            Lane::Write => &self.writes,
            Lane::Log => &self.log,
        };
        Some(lanes.load())
    }

    /// What became of reads that a replica might answer, where there is one.
    pub fn replica_load(&self) -> Option<ReplicaLoad> {
        self.replica.as_ref().map(Replica::load)
    }

    /// Runs a unit of work of no tenant that only reads.
    ///
    /// # Errors
    /// As [`TenantStore::read`].
    pub async fn read<T, E>(
        &self,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.of(Uuid::nil()).read(work).await
    }

    /// Runs a unit of work of no tenant, all or nothing.
    ///
    /// # Errors
    /// As [`TenantStore::write`].
    pub async fn write<T, E>(
        &self,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.of(Uuid::nil()).write(work).await
    }

    /// How often units of work of this store have changed what administrators define - connections
    /// and tokens are among that - so that what was read of it can be kept until there are more.
    pub fn catalogue_changes(&self) -> u64 {
        self.catalogue.changes()
    }

    /// Writes to the provisioning log, all or nothing, in a transaction that no other waits for. It
    /// may be run more than once.
    ///
    /// # Errors
    /// As [`TenantStore::write`].
    pub async fn log<T, E>(
        &self,
        work: impl Fn(&mut dyn RequestLog) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.log.run(Uuid::nil(), None, move |tx| work(tx)).await
    }

    /// Runs units of work in the turns of a tenant: those of others do not wait for all of its.
    pub fn of(&self, tenant: Uuid) -> TenantStore<'_> {
        TenantStore { store: self, tenant }
    }
}

/// How the schema of a database differs from that of this program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Steps that were not applied.
    pub missing: Vec<String>,
    /// Steps that this program does not have.
    pub unknown: Vec<String>,
}

/// The store, as the units of work of one tenant use it.
#[derive(Clone, Copy)]
pub struct TenantStore<'a> {
    store: &'a Store,
    tenant: Uuid,
}

impl TenantStore<'_> {
    /// Runs a unit of work that only reads, on a replica where there is one. It sees all that was
    /// acknowledged before, by whatever process; of what is being written it may see something that is
    /// not acknowledged yet.
    ///
    /// # Errors
    /// As [`TenantStore::read`].
    pub async fn read_anywhere<T, E>(
        self,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.look_up(None, work).await
    }

    /// As [`TenantStore::read_anywhere`]; what the unit of work looks up first, if that is known, can be
    /// looked up together with what others do.
    ///
    /// # Errors
    /// As [`TenantStore::read`].
    pub async fn look_up<T, E>(
        self,
        first: Option<LookUp>,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        let Self { store, tenant } = self;
        let work = match &store.replica {
            Some(replica) => match replica.read(tenant, work).await {
                Ok(answer) => return answer,
                Err(work) => work,
            },
            None => work,
        };
        let lanes = store.look_ups.as_ref().filter(|_| first.is_some());
        lanes.unwrap_or(&store.reads).run(tenant, first, move |tx| work(tx)).await
    }

    /// Runs a unit of work that only reads.
    ///
    /// # Errors
    /// What `work` returns; [`StorageError::Unavailable`] if it could not be run.
    pub async fn read<T, E>(
        self,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.store.reads.run(self.tenant, None, move |tx| work(tx)).await
    }

    /// Runs a unit of work, all or nothing. It may be run more than once: where two transactions
    /// stand in each other's way, one is rolled back and run again.
    ///
    /// # Errors
    /// What `work` returns, and then nothing of it was written; [`StorageError::Unavailable`] if
    /// it could not be run or committed.
    pub async fn write<T, E>(
        self,
        work: impl Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        self.store.writes.run(self.tenant, None, move |tx| work(tx)).await
    }
}

/// Brings a database up to date; the names of the steps that were missing. Several processes may
/// do so at once.
///
/// # Errors
/// The database cannot be opened or migrated, or a newer program has migrated it.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut applied = migrate::sqlite(&mut sqlite::open_writer(path)?)?;
            let log = migrate::sqlite_log(&mut sqlite::open_log(&sqlite::log_path(path))?)?;
            applied.extend(log.into_iter().map(|step| format!("{step} (log)")));
            Ok(applied)
        }
        DatabaseUrl::Postgres(url) => migrate::postgres(&mut postgres::open(url)?),
    }
}

/// Looks at the files of SQLite, for two seconds each at most, so that no service starts on a
/// damaged one and writes to it. PostgreSQL looks after its own.
///
/// # Errors
/// [`OpenError::Damaged`], [`OpenError::DamagedLog`], or a file cannot be read.
pub fn check(url: &DatabaseUrl) -> Result<(), OpenError> {
    let DatabaseUrl::Sqlite(path) = url else { return Ok(()) };
    let damage = |path: &Path| {
        if path.exists() { sqlite_file::damage(path, Some(CHECK)) } else { Ok(None) }
    };
    let log = sqlite::log_path(path);
    if let Some(what) = damage(path)? {
        return Err(OpenError::Damaged { path: path.clone(), what });
    }
    match damage(&log)? {
        Some(what) => Err(OpenError::DamagedLog { path: log, what }),
        None => Ok(()),
    }
}

/// The plan by which a page of users, groups or entries of the change log is found, a line for each
/// step: for checking that an index serves it.
///
/// # Errors
/// The database cannot be opened, or the query cannot be searched.
pub fn explain(
    url: &DatabaseUrl,
    kind: &'static ResourceType,
    scope: Scope,
    query: &Query,
) -> Result<Vec<String>, StorageError> {
    let table = search::Table::of(kind);
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut conn = sqlite::open_reader(path).map_err(unopened)?;
            Ok(sqlite::plans::of(&mut conn, sqlite::EXPLAIN, table, scope, query)?.page)
        }
        DatabaseUrl::Postgres(url) => {
            let mut conn = postgres::open(url).map_err(unopened)?;
            postgres::explain(&mut conn, table, scope, query)
        }
    }
}

/// How a database that is as it is carries a query out.
#[derive(Debug, Clone)]
pub struct Plans {
    /// The page, a line for each step.
    pub page: Vec<String>,
    /// Counting all that the query finds, which is done where a page does not tell.
    pub count: Vec<String>,
}

/// The plans of a query, by the statistics that the database has.
///
/// # Errors
/// The database cannot be opened, or the query cannot be searched.
pub fn plans(
    url: &DatabaseUrl,
    kind: &'static ResourceType,
    scope: Scope,
    query: &Query,
) -> Result<Plans, StorageError> {
    let table = search::Table::of(kind);
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut conn = sqlite::open_reader(path).map_err(unopened)?;
            sqlite::plans::of(&mut conn, sqlite::EXPLAIN, table, scope, query)
        }
        DatabaseUrl::Postgres(url) => {
            let mut conn = postgres::open(url).map_err(unopened)?;
            postgres::plans::of(&mut conn, postgres::EXPLAIN, table, scope, query)
        }
    }
}

/// The processors that this program may use.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn unopened(error: OpenError) -> StorageError {
    StorageError::Failed(Box::new(error))
}
