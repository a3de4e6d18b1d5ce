//! Indexes of trigrams on PostgreSQL: a part of a name is found in a tenant of a million without
//! reading the names.
//!
//! They are no part of the schema, for they cost a tenth of each create and as much of each change,
//! and identity providers do not look for parts of names. Whoever has people who do makes them; the
//! statements are the same with and without.

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::error::OpenError;
use crate::{DatabaseUrl, postgres};

/// Trigrams, and what puts the tenant into one index with them. Both are trusted: whoever may create
/// in the database may make them.
const EXTENSIONS: [&str; 2] = ["pg_trgm", "btree_gin"];

/// The indexes: what they are called, and of what.
const INDEXES: [(&str, &str); 2] = [
    (
        "users_by_parts_of_names",
        "users USING gin (tenant_id, user_name_key gin_trgm_ops, display_name_key gin_trgm_ops, \
         ((search #>> '{\"name\",\"familyName\"}') COLLATE \"C\") gin_trgm_ops, \
         ((search #>> '{\"name\",\"givenName\"}') COLLATE \"C\") gin_trgm_ops)",
    ),
    ("user_emails_by_parts_of_values", "user_emails USING gin (tenant_id, value_key gin_trgm_ops)"),
];

/// Why there are no indexes of trigrams.
#[derive(Debug, thiserror::Error)]
pub enum TrigramError {
    /// SQLite reads the index of the names instead.
    #[error("indexes of trigrams are for PostgreSQL: SQLite looks for parts in the indexes it has")]
    Sqlite,
    /// An extension cannot be had.
    #[error(
        "PostgreSQL's extension {name} cannot be made ({why}). It comes with PostgreSQL (Debian: in \
         postgresql; Red Hat: in postgresql-contrib), and takes a role that may CREATE in the \
         database, such as its owner: or let one that may run CREATE EXTENSION {name}"
    )]
    Extension {
        /// Which one.
        name: &'static str,
        /// What the database says.
        why: String,
    },
    /// The database cannot be opened, or refuses an index.
    #[error(transparent)]
    Database(#[from] OpenError),
}

/// The name of an index.
#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Makes the indexes that are not there, while the service goes on; their names.
///
/// # Errors
/// [`TrigramError`]
pub fn make_trigrams(url: &DatabaseUrl) -> Result<Vec<&'static str>, TrigramError> {
    let mut conn = open(url)?;
    for name in EXTENSIONS {
        conn.batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS {name}"))
            .map_err(|error| refused(name, error))?;
    }
    // One that was begun and not finished is kept, and not used.
    for name in found(&mut conn, "NOT indisvalid")? {
        drop_index(&mut conn, &name)?;
    }
    let there = found(&mut conn, "indisvalid")?;
    let mut made = Vec::new();
    for (name, of) in INDEXES.into_iter().filter(|(name, _)| !there.iter().any(|is| is == name)) {
        let make = format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {of}");
        conn.batch_execute(&make).map_err(OpenError::Query)?;
        made.push(name);
    }
    // What is looked for in a document is weighed by statistics that an index has first to have.
    conn.batch_execute("ANALYZE users").map_err(OpenError::Query)?;
    Ok(made)
}

/// Takes the indexes away, while the service goes on; the names of those that were there. The
/// extensions stay, for others may use them.
///
/// # Errors
/// [`TrigramError`]
pub fn drop_trigrams(url: &DatabaseUrl) -> Result<Vec<String>, TrigramError> {
    let mut conn = open(url)?;
    let there = found(&mut conn, "TRUE")?;
    for name in &there {
        drop_index(&mut conn, name)?;
    }
    Ok(there)
}

fn open(url: &DatabaseUrl) -> Result<postgres::Conn, TrigramError> {
    match url {
        DatabaseUrl::Sqlite(_) => Err(TrigramError::Sqlite),
        DatabaseUrl::Postgres(url) => Ok(postgres::open(url)?),
    }
}

/// The indexes that are there, in some state.
fn found(conn: &mut postgres::Conn, state: &str) -> Result<Vec<String>, OpenError> {
    let names = INDEXES.map(|(name, _)| format!("to_regclass('{name}')")).join(", ");
    let query = format!(
        "SELECT indexrelid::regclass::text AS name FROM pg_index \
         WHERE indexrelid IN ({names}) AND {state} ORDER BY name"
    );
    let rows = sql_query(query).load::<Named>(conn).map_err(OpenError::Query)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

fn drop_index(conn: &mut postgres::Conn, name: &str) -> Result<(), OpenError> {
    conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        .map_err(OpenError::Query)
}

fn refused(name: &'static str, error: DieselError) -> TrigramError {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => {
            OpenError::Query(error).into()
        }
        error => TrigramError::Extension { name, why: error.to_string() },
    }
}
