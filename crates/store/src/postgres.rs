//! PostgreSQL: the statements of `sql/` compiled for it, and how its connections are opened.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;

use crate::error::{OpenError, failed};
use crate::search::Postgres as Dialect;

pub(crate) type Conn = PgConnection;
pub(crate) type Db = diesel::pg::Pg;

/// A connection that answers what rules ask.
pub(crate) struct Session(pub(crate) Conn);

const DIALECT: Dialect = Dialect;

const LOCK: &str = " FOR UPDATE OF resource";

macro_rules! for_share {
    ($query:expr) => {
        $query.for_share()
    };
}

#[path = "sql/claims.rs"]
mod claims;
#[path = "sql/document.rs"]
mod document;
#[path = "sql/groups.rs"]
mod groups;
#[path = "sql/ledger.rs"]
mod ledger;
#[path = "sql/memberships.rs"]
mod memberships;
#[path = "sql/resources.rs"]
mod resources;
#[path = "sql/statement.rs"]
mod statement;
#[path = "sql/tenancy.rs"]
mod tenancy;
#[path = "sql/users.rs"]
mod users;

use document::document;

/// Opens a connection.
pub(crate) fn open(url: &str) -> Result<Session, OpenError> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute("SET client_min_messages = warning; SET application_name = 'headcount';")
        .map_err(OpenError::Query)?;
    Ok(Session(conn))
}

/// The plan of a query's page, a line for each step (for tests). Sequential scans are priced out,
/// because in a small table they are cheapest whatever the indexes are.
pub(crate) fn explain(
    conn: &mut Conn,
    scope: accounts::Scope,
    table: crate::search::Table,
    query: &scim_protocol::query::Query,
) -> accounts::StorageResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        detail: String,
    }
    conn.batch_execute("SET enable_seqscan = off").map_err(failed)?;
    let statement = resources::explained("EXPLAIN ", table, scope, query)?;
    let steps = statement.load::<Step>(conn).map_err(failed);
    conn.batch_execute("RESET enable_seqscan").map_err(failed)?;
    Ok(steps?.into_iter().map(|step| step.detail).collect())
}
