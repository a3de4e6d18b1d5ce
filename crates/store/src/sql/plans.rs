//! How the database would carry a query out.

use accounts::{Scope, StorageResult};
use diesel::RunQueryDsl;
use scim_protocol::query::Query;

use super::resources::{counted, parts};
use super::statement::{ResourceRow, Statement};
use super::{Conn, Step};
use crate::Plans;
use crate::error::failed;
use crate::search::{Pieces, Table};

/// The plans of a query's page and of counting what it finds, behind a prefix that asks for them.
pub(crate) fn of(
    conn: &mut Conn,
    prefix: &'static str,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Plans> {
    let mut page = Vec::new();
    for part in parts::<ResourceRow>(table, scope, query)? {
        page.extend(explained(conn, prefix, part.limited(query.count.into()))?);
    }
    let count = explained(conn, prefix, counted(table, scope, query)?)?;
    Ok(Plans { page, count })
}

fn explained(
    conn: &mut Conn,
    prefix: &'static str,
    statement: Pieces,
) -> StorageResult<Vec<String>> {
    let mut pieces = Pieces::default();
    pieces.sql(prefix).extend(statement);
    let steps = Statement::dynamic(pieces).load::<Step>(conn).map_err(failed)?;
    Ok(steps.into_iter().map(|step| step.detail).collect())
}
