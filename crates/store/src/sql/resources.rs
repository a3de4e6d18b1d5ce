//! Reading users and groups: both tables have the same columns where it matters here.

use accounts::{Page, Resource, Scope, StorageResult};
use diesel::{OptionalExtension, RunQueryDsl};
use scim_protocol::query::Query;
use uuid::Uuid;

use super::statement::{CountRow, ResourceRow, Statement};
use super::{Conn, DIALECT, LOCK};
use crate::error::failed;
use crate::search::{Bind, Pieces, Table, condition, order};

/// The externalId is looked up for each row that is returned: as a join, a planner without
/// statistics may read all of a connection's for each row.
fn select(table: Table, scope: Scope) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "SELECT resource.id, resource.version, resource.created_at, resource.modified_at, \
         resource.document, (SELECT external.external_id FROM external_ids AS external \
         WHERE external.tenant_id = resource.tenant_id AND external.resource_id = resource.id \
         AND external.connection_id = ",
    );
    pieces.id(scope.connection).sql(") AS external_id FROM ");
    pieces.sql(table.sql()).sql(" AS resource").extend(visible(scope));
    pieces
}

fn visible(scope: Scope) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(" WHERE resource.deleted_at IS NULL AND resource.tenant_id = ").id(scope.tenant);
    pieces
}

/// One resource.
pub(crate) fn find(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<Resource>> {
    let mut pieces = select(table, scope);
    pieces.sql(" AND resource.id = ").id(id);
    let row =
        Statement::fixed(pieces).get_result::<ResourceRow>(conn).optional().map_err(failed)?;
    Ok(row.map(resource))
}

/// One resource that no other transaction can change before this one ends. It is read after it
/// was locked, in a statement of its own: one that waits for a lock sees the row as it is then,
/// but what it joins as it was before.
pub(crate) fn find_for_update(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<Resource>> {
    if let Some(lock) = LOCK {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT 1 FROM ").sql(table.sql()).sql(" AS resource");
        pieces.extend(visible(scope)).sql(" AND resource.id = ").id(id).sql(lock);
        Statement::fixed(pieces).execute(conn).map_err(failed)?;
    }
    find(conn, table, scope, id)
}

/// A page of a query's resources, and how many there are in all.
pub(crate) fn page(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Page> {
    let filter = filter(table, scope, query)?;
    let mut resources = Vec::new();
    if query.count > 0 {
        let pieces = page_pieces(table, scope, query, filter.clone())?;
        let rows = Statement::dynamic(pieces).load::<ResourceRow>(conn).map_err(failed)?;
        resources = rows.into_iter().map(resource).collect();
    }
    // A page that ends before it is full is the last one: the total is known.
    let full = resources.len() >= query.count as usize;
    let is_last = !full && (query.start_index == 1 || !resources.is_empty());
    let total = if is_last {
        query.start_index - 1 + resources.len() as u64
    } else {
        count(conn, table, scope, filter)?
    };
    Ok(Page { total, resources })
}

fn filter(table: Table, scope: Scope, query: &Query) -> StorageResult<Pieces> {
    let mut pieces = Pieces::default();
    if let Some(predicate) = &query.filter {
        pieces.sql(" AND ").extend(condition(&DIALECT, table, scope, predicate)?);
    }
    Ok(pieces)
}

fn page_pieces(table: Table, scope: Scope, query: &Query, filter: Pieces) -> StorageResult<Pieces> {
    let offset = i64::try_from(query.start_index - 1).unwrap_or(i64::MAX);
    let mut pieces = select(table, scope);
    pieces.extend(filter).extend(order(&DIALECT, table, scope, query.sort.as_ref())?);
    pieces.sql(" LIMIT ").bind(Bind::Integer(query.count.into()));
    pieces.sql(" OFFSET ").bind(Bind::Integer(offset));
    Ok(pieces)
}

/// The statement of a page behind a prefix that asks for its plan.
pub(crate) fn explained(
    prefix: &str,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Statement> {
    let mut pieces = Pieces::default();
    pieces.sql(prefix);
    let filter = filter(table, scope, query)?;
    pieces.extend(page_pieces(table, scope, query, filter)?);
    Ok(Statement::dynamic(pieces))
}

fn count(conn: &mut Conn, table: Table, scope: Scope, filter: Pieces) -> StorageResult<u64> {
    let mut pieces = Pieces::default();
    pieces.sql("SELECT COUNT(*) AS total FROM ").sql(table.sql()).sql(" AS resource");
    pieces.extend(visible(scope)).extend(filter);
    let row = Statement::dynamic(pieces).get_result::<CountRow>(conn).map_err(failed)?;
    Ok(row.total.unsigned_abs())
}

fn resource(row: ResourceRow) -> Resource {
    let mut attributes = row.document.into_object();
    if let Some(external_id) = row.external_id {
        attributes.shift_insert(0, "externalId".to_owned(), external_id.into());
    }
    Resource {
        id: row.id.0,
        version: row.version,
        created: row.created_at.0,
        last_modified: row.modified_at.0,
        attributes,
    }
}
