//! A database for one test: made at its start, gone at its end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use store::DatabaseUrl;
use uuid::Uuid;

use super::Raw;

/// The databases that the store runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// An identifier as it is written in a statement.
    pub(crate) fn id(self, id: Uuid) -> String {
        match self {
            Self::Sqlite => format!("X'{}'", id.simple()),
            Self::Postgres => format!("'{id}'"),
        }
    }

    /// So many zeros, as bytes are written in a statement.
    pub(crate) fn zeros(self, length: usize) -> String {
        let hex = "00".repeat(length);
        match self {
            Self::Sqlite => format!("X'{hex}'"),
            Self::Postgres => format!("'\\x{hex}'"),
        }
    }
}

/// An empty database.
pub(crate) struct TestDatabase {
    pub(crate) kind: Kind,
    pub(crate) url: DatabaseUrl,
    place: Place,
}

enum Place {
    Folder(#[allow(dead_code, reason = "it is held until the test ends")] tempfile::TempDir),
    Server { maintenance_url: String, name: String },
}

impl TestDatabase {
    pub(crate) fn create(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder can be made");
                let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
                Self { kind, url, place: Place::Folder(folder) }
            }
            Kind::Postgres => Self::on_server(),
        }
    }

    fn on_server() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let maintenance_url = std::env::var("HEADCOUNT_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!(
                "HEADCOUNT_TEST_POSTGRES is not set, so there is no PostgreSQL to test on: \
                 run `cargo xtask test`, which starts one"
            )
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("store_test_{}_{number}", std::process::id());
        let mut maintenance = connect(&maintenance_url);
        let locale = locale(&mut maintenance);
        execute(&mut maintenance, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        execute(&mut maintenance, &format!("CREATE DATABASE {name} TEMPLATE template0{locale}"));
        // A deadlock is only looked for after this time, which tests would have to sit out.
        execute(&mut maintenance, &format!("ALTER DATABASE {name} SET deadlock_timeout = '50ms'"));
        let url = DatabaseUrl::Postgres(named(&maintenance_url, &name));
        Self { kind: Kind::Postgres, url, place: Place::Server { maintenance_url, name } }
    }

    /// A connection that knows nothing of the store.
    pub(crate) fn raw(&self) -> Raw {
        Raw::open(&self.url)
    }

    /// The file in which SQLite has the provisioning log.
    #[track_caller]
    pub(crate) fn log_file(&self) -> PathBuf {
        let DatabaseUrl::Sqlite(path) = &self.url else { panic!("PostgreSQL has no files") };
        path.with_file_name("test-log.db")
    }

    /// As [`Self::raw`], to where the provisioning log is.
    pub(crate) fn raw_log(&self) -> Raw {
        match self.kind {
            Kind::Sqlite => Raw::open(&DatabaseUrl::Sqlite(self.log_file())),
            Kind::Postgres => self.raw(),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Server { maintenance_url, name } = &self.place
            && let Ok(mut maintenance) = PgConnection::establish(maintenance_url)
        {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = maintenance.batch_execute(&drop);
        }
    }
}

/// A locale that does not order by code point, where the server has one: what forgot to ask for
/// the collation "C" is found out by it.
fn locale(maintenance: &mut PgConnection) -> &'static str {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        known: bool,
    }
    let query = "SELECT current_setting('server_version_num')::int >= 150000 AND EXISTS \
                 (SELECT 1 FROM pg_collation WHERE collprovider = 'i') AS known";
    let found: Known = diesel::sql_query(query).get_result(maintenance).expect("it answers");
    if found.known { " LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" } else { "" }
}

/// The maintenance URL with another database in the place of its own.
fn named(maintenance_url: &str, name: &str) -> String {
    let (base, query) = maintenance_url.split_once('?').unwrap_or((maintenance_url, ""));
    let server = base.rsplit_once('/').expect("the URL names a database").0;
    if query.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{query}") }
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("HEADCOUNT_TEST_POSTGRES names a server that answers")
}

fn execute(conn: &mut PgConnection, statement: &str) {
    conn.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}
