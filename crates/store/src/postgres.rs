//! PostgreSQL: the statements of `sql/` compiled for it, and how its connections are opened.

use std::sync::Arc;

use accounts::StorageResult;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::ConnectionError;
use uuid::Uuid;

use crate::catalogue::View;
use crate::error::{OpenError, failed};
use crate::keyring::Keyring;
use crate::search::{Bind, Pieces, Postgres as Dialect};

pub(crate) type Conn = PgConnection;
pub(crate) type Db = diesel::pg::Pg;

/// A connection that answers what rules ask.
pub(crate) struct Session {
    pub(crate) conn: Conn,
    keyring: Arc<Keyring>,
    /// What it knows of the catalogue.
    pub(crate) view: View,
    transaction: Transaction,
    /// Whether the statement that locks a user is prepared.
    holds_users: bool,
}

impl Session {
    /// A session whose statements each stand alone.
    pub(crate) fn new(conn: Conn, keyring: Arc<Keyring>, view: View) -> Self {
        Self { conn, keyring, view, transaction: Transaction::default(), holds_users: false }
    }
}

const DIALECT: Dialect = Dialect;

/// The time, as the database has it.
const NOW: &str = "now()";

/// What is asked of each of several is asked of one after the other: as long as nothing is known of new
/// tables, a plan may look at all members or groups of a tenant for each person of a page.
const LATERAL: bool = true;

/// Locks the rows that a SELECT of `resource` finds.
const LOCK: Option<&str> = Some(" FOR UPDATE OF resource");

const SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";
const WAIT_FOR_LOCKED: &str = " FOR UPDATE";

/// What stands before and after a query that is run once, for its rows as a list.
const ONE_OF_A_LIST: (&str, &str) = (" = ANY (ARRAY(", "))");

/// A number from 0 to below 2 to the power of 53.
const RANDOM_NUMBER: &str = "floor(random() * 9007199254740992)::bigint";

macro_rules! for_share {
    ($query:expr) => {
        $query.for_share()
    };
}

fn lock_nesting(session: &mut Session, tenant: Uuid) -> StorageResult<()> {
    let (high, low) = tenant.as_u64_pair();
    lock(session, high ^ low)
}

fn lock_parts(session: &mut Session, tenant: Uuid) -> StorageResult<()> {
    let (high, low) = tenant.as_u64_pair();
    lock(session, !(high ^ low))
}

/// A lock of this transaction, by a number made of the tenant: two tenants that share one wait for
/// each other and nothing worse.
fn lock(session: &mut Session, number: u64) -> StorageResult<()> {
    advise(session, "pg_advisory_xact_lock", number)
}

fn advise(session: &mut Session, function: &'static str, number: u64) -> StorageResult<()> {
    let mut pieces = Pieces::default();
    pieces.sql("SELECT ").sql(function).sql("(").bind(Bind::Integer(number.cast_signed()));
    pieces.sql(")");
    Statement::fixed(pieces).execute(session.conn()?).map_err(failed)?;
    Ok(())
}

/// Keeps whoever is put into groups from being deleted until this transaction ends.
fn share_membership(session: &mut Session, tenant: Uuid) -> StorageResult<()> {
    advise(session, "pg_advisory_xact_lock_shared", membership_number(tenant))
}

/// Waits until nobody is being put into groups, and keeps others from it: who is deleted is to leave
/// them all.
fn own_membership(session: &mut Session, tenant: Uuid) -> StorageResult<()> {
    advise(session, "pg_advisory_xact_lock", membership_number(tenant))
}

fn membership_number(tenant: Uuid) -> u64 {
    let (high, low) = tenant.as_u64_pair();
    (high ^ low).rotate_left(16)
}

fn lock_holders(session: &mut Session, tenant: Uuid) -> StorageResult<()> {
    let (high, low) = tenant.as_u64_pair();
    lock(session, (high ^ low).rotate_left(32))
}

/// A lock of one object alone.
fn lock_object(session: &mut Session, tenant: Uuid, id: Uuid) -> StorageResult<()> {
    session.view.expire();
    lock(session, object_number(tenant, id))
}

/// A lock of one object, which many may share: locking its row would write to it each time. What is
/// asked about the tenant comes with it, read after the lock was had.
fn hold_object(session: &mut Session, tenant: Uuid, id: Uuid) -> StorageResult<()> {
    let number = object_number(tenant, id).cast_signed();
    if session.hold_later(tenant, number) {
        return Ok(());
    }
    session.view.expire();
    let mut pieces = Pieces::default();
    pieces.sql("SELECT hold_shared(").bind(Bind::Integer(number)).sql(", ").id(tenant);
    pieces.sql(") AS of_tenant");
    let held = Statement::fixed(pieces).get_result::<TenantRow>(session.conn()?);
    let TenantRow(of_tenant) = held.map_err(failed)?;
    session.view.learned(tenant, of_tenant, ());
    Ok(())
}

/// Statements of which none sees what another writes, as the beginning of one.
fn together(parts: impl IntoIterator<Item = Pieces>) -> Pieces {
    let mut pieces = Pieces::default();
    for (at, part) in parts.into_iter().enumerate() {
        pieces.sql(if at == 0 { "WITH " } else { ", " });
        pieces.sql(format!("part_{at} AS (")).extend(part).sql(" RETURNING 1)");
    }
    pieces
}

/// Carries out statements of which none sees what another writes, in one round trip: how many rows
/// each wrote. The text depends on how many values there are.
fn write_together(conn: &mut Conn, parts: Vec<Pieces>, values: usize) -> QueryResult<Vec<usize>> {
    let count = parts.len();
    let mut pieces = together(parts);
    for at in 0..count {
        pieces.sql(if at == 0 { " SELECT ARRAY[" } else { ", " });
        pieces.sql(format!("(SELECT count(*) FROM part_{at})"));
    }
    pieces.sql("] AS written");
    let row: WrittenRow = Statement::of_some(pieces, values).get_result(conn)?;
    Ok(row.written.into_iter().map(|rows| usize::try_from(rows).unwrap_or_default()).collect())
}

/// How many rows were written.
#[derive(QueryableByName)]
struct WrittenRow {
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::BigInt>)]
    written: Vec<i64>,
}

fn object_number(tenant: Uuid, id: Uuid) -> u64 {
    let ((a, b), (c, d)) = (tenant.as_u64_pair(), id.as_u64_pair());
    (a ^ b).rotate_left(17) ^ c ^ d
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

mod together;
mod transaction;
mod values;

use catalogue::TenantRow;
use document::document;
pub(crate) use keys::keyring;
pub(crate) use statement::Statement;
use transaction::Transaction;
use values::insert_all;

/// Opens a connection.
pub(crate) fn open(url: &str) -> Result<Conn, OpenError> {
    establish(&with_defaults(url, &DEFAULTS))
}

/// Opens a connection to a server for which another one can answer: one that is silently gone is not
/// waited for as long.
pub(crate) fn open_replica(url: &str) -> Result<Conn, OpenError> {
    establish(&with_defaults(&with_defaults(url, &IMPATIENT), &DEFAULTS))
}

fn establish(url: &str) -> Result<Conn, OpenError> {
    let mut conn = PgConnection::establish(url).map_err(without_url)?;
    conn.batch_execute("SET client_min_messages = warning; SET application_name = 'headcount';")
        .map_err(OpenError::Query)?;
    Ok(conn)
}

/// Bounds what one statement takes, so that no query holds a lane for ever.
pub(crate) fn bound_statements(conn: &mut Conn) -> Result<(), OpenError> {
    conn.batch_execute("SET statement_timeout = '30s'; SET lock_timeout = '10s';")
        .map_err(OpenError::Query)
}

/// A server that is silently gone is noticed within a minute, unless the URL says otherwise.
const DEFAULTS: [(&str, &str); 4] = [
    ("connect_timeout", "10"),
    ("keepalives_idle", "15"),
    ("keepalives_interval", "5"),
    ("tcp_user_timeout", "30000"),
];

/// A server that is silently gone is noticed within seconds.
const IMPATIENT: [(&str, &str); 2] = [("connect_timeout", "3"), ("tcp_user_timeout", "3000")];

fn with_defaults(url: &str, defaults: &[(&str, &str)]) -> String {
    defaults.iter().filter(|(name, _)| !url.contains(*name)).fold(
        url.to_owned(),
        |url, (name, value)| {
            let separator = if url.contains('?') { '&' } else { '?' };
            format!("{url}{separator}{name}={value}")
        },
    )
}

/// libpq repeats a URL that it cannot read, with the password.
fn without_url(error: ConnectionError) -> OpenError {
    match error {
        ConnectionError::BadConnection(text)
            if text.contains("URI") || text.contains("encoded") =>
        {
            OpenError::Connect(ConnectionError::BadConnection(
                "libpq cannot read the URL: special characters in it must be percent-encoded"
                    .into(),
            ))
        }
        error => OpenError::Connect(error),
    }
}

/// A step of a plan.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    detail: String,
}

/// Asks for a plan.
pub(crate) const EXPLAIN: &str = "EXPLAIN (COSTS OFF) ";

/// The plan of a query's page (for tests). Sequential scans are priced out, because in a small table
/// they are cheapest whatever the indexes are.
pub(crate) fn explain(
    conn: &mut Conn,
    table: crate::search::Table,
    scope: accounts::Scope,
    query: &scim_protocol::query::Query,
) -> StorageResult<Vec<String>> {
    conn.batch_execute("SET enable_seqscan = off").map_err(failed)?;
    Ok(plans::of(conn, "EXPLAIN ", table, scope, query)?.page)
}
