//! Migrations: embedded, and applied by one process at a time.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::OpenError;
use crate::{postgres, sqlite};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const SQLITE_LOG: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite-log");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Any number that no other program uses: "headcoun" as bytes.
const ADVISORY_LOCK: i64 = i64::from_be_bytes(*b"headcoun");

/// A row of the table in which diesel notes what was applied.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Applies what is missing to a file of SQLite; the names of the applied steps.
pub(crate) fn sqlite(conn: &mut sqlite::Conn) -> Result<Vec<String>, OpenError> {
    // Immediate: a second process waits here, and then finds nothing to do.
    conn.immediate_transaction(|conn| Ok(run::<diesel::sqlite::Sqlite, _>(conn, SQLITE)))
        .map_err(OpenError::Query)?
}

/// As [`sqlite`], to the file of the provisioning log.
pub(crate) fn sqlite_log(conn: &mut sqlite::Conn) -> Result<Vec<String>, OpenError> {
    conn.immediate_transaction(|conn| Ok(run::<diesel::sqlite::Sqlite, _>(conn, SQLITE_LOG)))
        .map_err(OpenError::Query)?
}

/// Applies what is missing to a database of PostgreSQL; the names of the applied steps.
pub(crate) fn postgres(conn: &mut postgres::Conn) -> Result<Vec<String>, OpenError> {
    if is_current(conn)? {
        return Ok(Vec::new());
    }
    conn.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .map_err(OpenError::Query)?;
    let applied = run::<diesel::pg::Pg, _>(conn, POSTGRES);
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
        .map_err(OpenError::Query)?;
    applied
}

/// How many steps have been applied to a file of SQLite, all of which are known.
pub(crate) fn applied_to_sqlite(conn: &mut sqlite::Conn) -> Result<usize, OpenError> {
    applied::<diesel::sqlite::Sqlite, _>(conn, &SQLITE)
}

/// The steps of this program's schema for PostgreSQL.
pub(crate) fn known_postgres() -> Result<Vec<String>, OpenError> {
    known::<diesel::pg::Pg>(&POSTGRES)
}

/// The steps of this program's schema for SQLite.
pub(crate) fn known_sqlite() -> Result<Vec<String>, OpenError> {
    known::<diesel::sqlite::Sqlite>(&SQLITE)
}

fn known<Db: diesel::backend::Backend>(steps: &EmbeddedMigrations) -> Result<Vec<String>, OpenError>
where
    EmbeddedMigrations: MigrationSource<Db>,
{
    let steps = MigrationSource::<Db>::migrations(steps).map_err(OpenError::Migration)?;
    Ok(steps.iter().map(|step| step.name().version().to_string()).collect())
}

/// Whether the steps are all applied, and no other. It only reads, so that a role can serve that may
/// change rows and make no tables, and servers that start wait for nobody.
fn is_current(conn: &mut postgres::Conn) -> Result<bool, OpenError> {
    let Ok(applied) =
        sql_query("SELECT version FROM __diesel_schema_migrations").load::<Step>(conn)
    else {
        // There is no such table, or it may not be read: why comes up when the steps are applied.
        return Ok(false);
    };
    let applied: BTreeSet<String> = applied.into_iter().map(|step| step.version).collect();
    Ok(applied == known_postgres()?.into_iter().collect())
}

fn run<Db, Conn>(conn: &mut Conn, steps: EmbeddedMigrations) -> Result<Vec<String>, OpenError>
where
    Db: diesel::backend::Backend,
    Conn: MigrationHarness<Db>,
    EmbeddedMigrations: MigrationSource<Db>,
{
    applied::<Db, _>(conn, &steps)?;
    let done = conn.run_pending_migrations(steps).map_err(OpenError::Migration)?;
    Ok(done.iter().map(ToString::to_string).collect())
}

/// How many steps have been applied. It fails if one is not among `steps`: a newer program did it.
fn applied<Db, Conn>(conn: &mut Conn, steps: &EmbeddedMigrations) -> Result<usize, OpenError>
where
    Db: diesel::backend::Backend,
    Conn: MigrationHarness<Db>,
    EmbeddedMigrations: MigrationSource<Db>,
{
    let known = known::<Db>(steps)?;
    let applied = conn.applied_migrations().map_err(OpenError::Migration)?;
    match applied.iter().map(ToString::to_string).find(|step| !known.contains(step)) {
        Some(newer) => Err(OpenError::Newer(newer)),
        None => Ok(applied.len()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_databases_have_the_same_steps() {
        let steps = |database: &str| {
            let folder = format!("{}/../../migrations/{database}", env!("CARGO_MANIFEST_DIR"));
            let mut names: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names
        };
        assert_eq!(steps("sqlite"), steps("postgres"));
        assert!(!steps("sqlite").is_empty());
    }
}
