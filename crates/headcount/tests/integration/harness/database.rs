//! A database for one test: made at its start, gone at its end.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

use super::command::{Run, run};

/// The databases that the service runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// An empty database and an empty folder to work in.
pub(crate) struct TestDatabase {
    url: String,
    folder: tempfile::TempDir,
    postgres: Option<PostgresDatabase>,
}

struct PostgresDatabase {
    maintenance_url: String,
    name: String,
}

impl TestDatabase {
    pub(crate) fn create(kind: Database) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (url, postgres) = match kind {
            Database::Sqlite => {
                (format!("sqlite:{}", folder.path().join("test.db").display()), None)
            }
            Database::Postgres => {
                let database = PostgresDatabase::create();
                (database.url(), Some(database))
            }
        };
        Arc::new(Self { url, folder, postgres })
    }

    /// The database of a cluster that one test has to itself.
    pub(crate) fn of_own_cluster(url: String) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Arc::new(Self { url, folder, postgres: None })
    }

    /// The file of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("test.db")
    }

    /// What a query that counts says.
    pub(crate) fn count(&self, query: &str) -> i64 {
        if self.url.starts_with("postgres") {
            let mut psql = psql_command(&self.url, query);
            let answer = run(psql.arg("-At"), Duration::from_secs(60)).succeeded();
            return answer.stdout.trim().parse().expect("a number");
        }
        count_in(&mut self.sqlite(), query)
    }

    /// What a query that counts would say after a statement that no rule, reference or trigger keeps from
    /// being run; which is undone.
    pub(crate) fn count_after(&self, statement: &str, query: &str) -> i64 {
        if self.postgres.is_some() {
            let unguarded = "SET LOCAL session_replication_role = replica";
            let text = format!("BEGIN; {unguarded}; {statement}; {query}; ROLLBACK");
            let mut psql = psql_command(&self.url, &text);
            let answer = run(psql.arg("-At"), Duration::from_secs(60)).succeeded();
            return answer.stdout.trim().parse().expect("a number");
        }
        let mut conn = self.sqlite();
        let unguarded = "PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 5000";
        let begin = format!("{unguarded}; BEGIN IMMEDIATE; {statement}");
        conn.batch_execute(&begin).expect("the statement can be run");
        // The connection ends, and with it what it has begun.
        count_in(&mut conn, query)
    }

    /// The value for `--database`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All that is stored, as text in which a value that is in clear can be found.
    pub(crate) fn dump(&self) -> String {
        if self.postgres.is_some() {
            let mut command = Command::new(program("pg_dump"));
            return run(command.args(["--inserts", "-d", &self.url]), Duration::from_secs(60))
                .succeeded()
                .stdout;
        }
        let files = std::fs::read_dir(self.folder()).expect("the folder of the test is there");
        let bytes = files.flatten().filter_map(|file| std::fs::read(file.path()).ok());
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Whether these bytes are stored anywhere, as they are or in hexadecimal digits.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let digits = server::token::hex(bytes);
        let has = |place: &[u8], part: &[u8]| place.windows(part.len()).any(|one| one == part);
        if self.postgres.is_some() {
            let dump = self.dump();
            return has(dump.as_bytes(), bytes) || dump.contains(&digits);
        }
        let files = std::fs::read_dir(self.folder()).expect("the folder of the test is there");
        let mut files = files.flatten().filter_map(|file| std::fs::read(file.path()).ok());
        files.any(|file| has(&file, bytes) || has(&file, digits.as_bytes()))
    }

    /// Replaces a text in the change log past the service and what protects the log.
    pub(crate) fn forge(&self, old: &str, new: &str) {
        if self.postgres.is_some() {
            let forgery = format!(
                "ALTER TABLE change_log DISABLE TRIGGER USER; UPDATE change_log \
                 SET changes = replace(changes::text, '{old}', '{new}')::json"
            );
            return psql(&self.url, &forgery);
        }
        let forgery = format!(
            "DROP TRIGGER change_log_is_not_edited; \
             UPDATE change_log SET changes = replace(changes, '{old}', '{new}')"
        );
        alter(&self.file(), &forgery);
    }

    /// Runs statements past the service.
    pub(crate) fn execute(&self, statements: &str) {
        if self.postgres.is_some() {
            return psql(&self.url, statements);
        }
        self.sqlite().batch_execute(statements).expect("the statements can be run");
    }

    /// Keeps everybody from writing users until it is dropped.
    pub(crate) fn hold_writes(&self) -> Hold {
        self.hold("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE")
    }

    /// Keeps everybody from bringing the database up to date until it is dropped.
    pub(crate) fn hold_migrations(&self) -> Hold {
        let number = i64::from_be_bytes(*b"headcoun");
        self.hold(&format!("SELECT pg_advisory_lock({number})"))
    }

    fn hold(&self, on_postgres: &str) -> Hold {
        if self.postgres.is_some() {
            let mut conn = PgConnection::establish(&self.url).expect("the database answers");
            conn.batch_execute(on_postgres).expect("the lock is free");
            return Hold { _postgres: Some(conn), _sqlite: None };
        }
        let mut conn = self.sqlite();
        let begin = "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE";
        conn.batch_execute(begin).expect("the lock is free");
        Hold { _postgres: None, _sqlite: Some(conn) }
    }

    fn sqlite(&self) -> SqliteConnection {
        let file = self.folder().join("test.db");
        SqliteConnection::establish(&file.to_string_lossy()).expect("the database can be opened")
    }

    /// Takes a `PostgreSQL` database away from all who are connected, or gives it back.
    pub(crate) fn set_away(&self, is_away: bool) {
        let database = self.postgres.as_ref().expect("it is PostgreSQL");
        let (url, name) = (&database.maintenance_url, &database.name);
        psql(url, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !is_away));
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
        psql(url, &format!("{end} '{name}'"));
    }

    /// The URL of a new role of PostgreSQL that may read and change rows, and nothing else.
    pub(crate) fn url_for_rows_alone(&self) -> String {
        let name = &self.postgres.as_ref().expect("it is a PostgreSQL").name;
        let role = format!("{name}_rows");
        psql(
            &self.url,
            &format!(
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {role} LOGIN; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
            ),
        );
        let server = self
            .url
            .split_once('@')
            .map_or_else(|| self.url.split_once("://").expect("it is a URL").1, |(_, after)| after);
        format!("postgres://{role}@{server}")
    }

    /// Runs a statement as whoever the URL of a `PostgreSQL` names.
    pub(crate) fn run_as(url: &str, statement: &str) -> Run {
        run(&mut psql_command(url, statement), Duration::from_secs(60))
    }

    /// A folder that only this test uses.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A lock that is held until it is dropped.
pub(crate) struct Hold {
    _postgres: Option<PgConnection>,
    _sqlite: Option<SqliteConnection>,
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(database) = &self.postgres {
            let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name);
            let _ = psql_command(&database.maintenance_url, &statement).output();
            let statement = format!("DROP ROLE IF EXISTS {}_rows", database.name);
            let _ = psql_command(&database.maintenance_url, &statement).output();
        }
    }
}

impl PostgresDatabase {
    fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let maintenance_url = std::env::var("HEADCOUNT_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!(
                "HEADCOUNT_TEST_POSTGRES is not set, so there is no PostgreSQL to test on: \
                 run `cargo xtask test`, which starts one"
            )
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("headcount_test_{}_{number}", std::process::id());
        psql(&maintenance_url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        psql(&maintenance_url, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        Self { maintenance_url, name }
    }

    /// The maintenance URL with the name of this database in the place of its own.
    fn url(&self) -> String {
        let (base, query) = match self.maintenance_url.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (self.maintenance_url.as_str(), None),
        };
        let server = base.rsplit_once('/').expect("the URL names a database").0;
        let mut url = format!("{server}/{}", self.name);
        if let Some(query) = query {
            let _ = write!(url, "?{query}");
        }
        url
    }
}

fn count_in(conn: &mut SqliteConnection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let row = diesel::sql_query(format!("SELECT ({query}) AS count")).get_result::<Row>(conn);
    row.expect("the query can be run").count
}

/// Changes a file of SQLite past the service.
pub(crate) fn alter(file: &Path, statements: &str) {
    let mut conn =
        SqliteConnection::establish(&file.to_string_lossy()).expect("the database can be opened");
    conn.batch_execute(statements).expect("it can be changed");
}

fn psql(url: &str, statement: &str) {
    run(&mut psql_command(url, statement), Duration::from_secs(60)).succeeded();
}

fn psql_command(url: &str, statement: &str) -> Command {
    let mut command = Command::new(program("psql"));
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    command
}

/// A program of PostgreSQL: beside its server's, else the one in `PATH`.
pub(crate) fn program(name: &str) -> OsString {
    let beside = postgres_cluster::find_on_machine().map(|folder| folder.join(name));
    beside.filter(|program| program.exists()).map_or_else(|| name.into(), PathBuf::into_os_string)
}
