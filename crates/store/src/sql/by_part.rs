//! A page of the users who have a part in their name, in the order of their identifiers: first those
//! among the next few rows, then all others, found in the index of the name.

use accounts::{Scope, StorageResult};
use scim_protocol::query::{Query, Start};
use uuid::Uuid;

use super::DIALECT;
use super::resources::{Part, Row, filter, select, select_what, visible};
use crate::search::{Dialect, NEXT_FEW, Order, Pieces, Table, index_of_part};

/// Read from the index of the name, if the filter is by a part of it.
pub(super) fn index(table: Table, query: &Query) -> Option<String> {
    let index = index_of_part(table, query.filter.as_ref()?)?;
    Some(DIALECT.by_index(index))
}

/// The statements of a page; none if the query is not by a part of a name, or in another order.
pub(super) fn parts<R: Row>(
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Option<Vec<Part>>> {
    let Some(index) = index(table, query).filter(|_| query.sort.is_none()) else {
        return Ok(None);
    };
    let order = Order::of(&DIALECT, table, scope, None)?;
    let (after, offset) = match &query.start {
        Start::Index(index) => (None, i64::try_from(index - 1).unwrap_or(i64::MAX)),
        Start::After(None) => (None, 0),
        Start::After(Some(position)) => (order.after(position)?.pop(), 0),
    };
    let mut found = Pieces::default();
    found.sql(" AND resource.id IN (SELECT resource.id FROM ").sql(table.sql());
    found.sql(" AS resource").sql(index);
    found.extend(visible(table, scope)).extend(filter(table, scope, query)?);
    if offset > 0 {
        // What is before the page is among the next few rows too.
        return Ok(Some(vec![far::<R>(table, scope, found, &order, offset)]));
    }
    let near = near::<R>(table, scope, query, &order, after.as_ref())?;
    found.sql(" AND resource.id > ").extend(edge(table, scope, after.as_ref()));
    Ok(Some(vec![near, far::<R>(table, scope, found, &order, offset)]))
}

/// Reads the next few rows, however few of them are found.
fn near<R: Row>(
    table: Table,
    scope: Scope,
    query: &Query,
    order: &Order,
    after: Option<&Pieces>,
) -> StorageResult<Part> {
    let mut selected = select_what::<R>(scope);
    selected.sql(" FROM (SELECT * ").extend(next_few(table, scope, after));
    selected.sql(format!(" LIMIT {NEXT_FEW}) AS resource"));
    selected.extend(visible(table, scope)).extend(filter(table, scope, query)?);
    selected.extend(order.by());
    Ok(Part { selected, offset: None, end: Pieces::default() })
}

/// Finds which users are on the page before it reads a row of theirs.
fn far<R: Row>(table: Table, scope: Scope, found: Pieces, order: &Order, offset: i64) -> Part {
    let mut selected = select::<R>(table, scope);
    selected.extend(found).extend(order.by());
    let mut end = Pieces::default();
    end.sql(")").extend(order.by());
    Part { selected, offset: (offset > 0).then_some(offset), end }
}

/// The last of the next few rows, or what is after them all.
fn edge(table: Table, scope: Scope, after: Option<&Pieces>) -> Pieces {
    let mut edge = Pieces::default();
    edge.sql("COALESCE((SELECT resource.id ").extend(next_few(table, scope, after));
    edge.sql(format!(" LIMIT 1 OFFSET {}), ", NEXT_FEW - 1)).id(Uuid::max()).sql(")");
    edge
}

/// The rows from where a page begins, in its order, also those that are not to be seen.
fn next_few(table: Table, scope: Scope, after: Option<&Pieces>) -> Pieces {
    let mut rows = Pieces::default();
    rows.sql("FROM ").sql(table.sql()).sql(" AS resource WHERE resource.tenant_id = ");
    rows.id(scope.tenant);
    if let Some(after) = after {
        rows.sql(" AND ").extend(after.clone());
    }
    rows.sql(" ORDER BY resource.id");
    rows
}
