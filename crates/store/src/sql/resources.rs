//! Reading resources: all tables have the same columns where it matters here.

use accounts::{Named, Page, Resource, Scope, StorageResult};
use diesel::deserialize::{self, QueryableByName};
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel::{OptionalExtension, RunQueryDsl};
use scim_protocol::query::{Query, Start};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::by_part;
use super::catalogue::{TenantRow, of_tenant};
use super::ledger::mac_of;
use super::statement::{CountRow, ResourceRow, Statement};
use super::{Conn, DIALECT, Db, LOCK};
use crate::catalogue::OfTenant;
use crate::error::failed;
use crate::search::{
    Bind, Dialect, Order, Pieces, Table, condition, finds_one, is_in_index, is_look_up,
};

/// What a row of a table becomes.
pub(crate) trait Row: QueryableByName<Db> + Sized + 'static {
    /// What it becomes.
    type Read;
    /// Whether what it holds is read with it, where that spares a statement.
    const HOLDS: bool = false;
    /// What is read besides what every resource has, as SQL.
    fn more(_: &mut Pieces, _: Scope) {}
    /// The version of the resource.
    fn version(&self) -> i64;
    /// Reads it.
    ///
    /// # Errors
    /// The row holds what nobody writes.
    fn read(self) -> StorageResult<Self::Read>;
    /// The resource of a type to which it refers by its identifier alone, and that has a name.
    fn refers_to<'a>(_: &'a mut Self::Read, _: &ResourceType) -> Option<&'a mut Named> {
        None
    }
}

impl Row for ResourceRow {
    type Read = Resource;

    fn version(&self) -> i64 {
        self.version
    }

    fn read(self) -> StorageResult<Resource> {
        Ok(resource(self))
    }
}

/// The externalId is looked up for each row that is returned: as a join, a planner without
/// statistics may read all of a connection's for each row.
pub(super) fn select_what<R: Row>(scope: Scope) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "SELECT resource.id, resource.version, resource.created_at, resource.modified_at, \
         resource.document, (SELECT external.external_id FROM external_ids AS external \
         WHERE external.tenant_id = resource.tenant_id AND external.resource_id = resource.id \
         AND external.connection_id = ",
    );
    pieces.id(scope.connection).sql(") AS external_id");
    R::more(&mut pieces, scope);
    pieces
}

pub(super) fn from(table: Table) -> String {
    format!(" FROM {} AS resource", table.sql())
}

fn select_from<R: Row>(table: Table, scope: Scope) -> Pieces {
    let mut pieces = select_what::<R>(scope);
    pieces.sql(from(table));
    pieces
}

pub(super) fn select<R: Row>(table: Table, scope: Scope) -> Pieces {
    let mut pieces = select_from::<R>(table, scope);
    pieces.extend(visible(table, scope));
    pieces
}

pub(super) fn visible(table: Table, scope: Scope) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(" WHERE resource.deleted_at IS NULL AND resource.tenant_id = ").id(scope.tenant);
    if let Some(is_type) = table.is_type() {
        pieces.sql(" AND ").sql(is_type);
    }
    pieces
}

/// One resource.
pub(crate) fn find<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<R::Read>> {
    let statement = Statement::fixed(by_id::<R>(table, scope, id));
    let row = statement.get_result::<R>(conn).optional().map_err(failed)?;
    row.map(R::read).transpose()
}

pub(crate) fn by_id<R: Row>(table: Table, scope: Scope, id: Uuid) -> Pieces {
    let mut pieces = select::<R>(table, scope);
    pieces.sql(" AND resource.id = ").id(id);
    pieces
}

/// One resource that no other transaction can change before this one ends.
pub(crate) fn find_for_update<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<(R::Read, Option<ForChange>)>> {
    let mut is_it = visible(table, scope);
    is_it.sql(" AND resource.id = ").id(id);
    locked::<R>(conn, table, scope, &is_it)
}

/// As [`find_for_update`], also of what was deleted.
pub(crate) fn find_any_for_update<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<(R::Read, Option<ForChange>)>> {
    locked::<R>(conn, table, scope, &with_id(scope, id))
}

/// As [`find`], also of what was deleted.
pub(crate) fn find_any<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    id: Uuid,
) -> StorageResult<Option<R::Read>> {
    let mut pieces = select_from::<R>(table, scope);
    pieces.extend(with_id(scope, id));
    let row = Statement::fixed(pieces).get_result::<R>(conn).optional().map_err(failed)?;
    row.map(R::read).transpose()
}

/// What a change of a resource needs to know besides the resource itself.
pub(crate) struct ForChange {
    /// What it needs to know of the tenant.
    pub(crate) tenant: OfTenant,
    /// The version that the resource has.
    pub(crate) version: i64,
    /// The seal of the entry of the log that says how it became that.
    pub(crate) seal: Option<Vec<u8>>,
}

/// A row that is to be changed, with the version that it had when the statement began.
struct Locked<R> {
    row: R,
    version_before: i64,
    more: ForChange,
}

impl<R: Row> QueryableByName<Db> for Locked<R> {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> deserialize::Result<Self> {
        let tenant = TenantRow::build(row)?.0;
        let seal = NamedRow::get::<Nullable<Binary>, _>(row, "seal")?;
        let version_before = NamedRow::get::<BigInt, _>(row, "version_before")?;
        let row = R::build(row)?;
        let more = ForChange { tenant, version: row.version(), seal };
        Ok(Self { row, version_before, more })
    }
}

/// A row that is locked now, with what its change needs. A statement that waits for the lock has the
/// row as it is then, but what it looks up beside it as it was before: such a row is read again.
fn locked<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    is_it: &Pieces,
) -> StorageResult<Option<(R::Read, Option<ForChange>)>> {
    let mut pieces = select_what::<R>(scope);
    pieces.sql(format!(
        ", (SELECT before.version FROM {} AS before WHERE before.tenant_id = resource.tenant_id \
         AND before.id = resource.id) AS version_before, {} AS seal",
        table.sql(),
        mac_of("resource.tenant_id", "resource.id", "resource.version")
    ));
    of_tenant(&mut pieces);
    pieces.sql(from(table)).extend(is_it.clone()).sql(LOCK.unwrap_or_default());
    let found = Statement::fixed(pieces).get_result::<Locked<R>>(conn).optional();
    let Some(found) = found.map_err(failed)? else { return Ok(None) };
    if found.row.version() == found.version_before {
        return Ok(Some((found.row.read()?, Some(found.more))));
    }
    let mut pieces = select_from::<R>(table, scope);
    pieces.extend(is_it.clone());
    let row = Statement::fixed(pieces).get_result::<R>(conn).optional().map_err(failed)?;
    Ok(row.map(R::read).transpose()?.map(|row| (row, None)))
}

fn with_id(scope: Scope, id: Uuid) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(" WHERE resource.tenant_id = ").id(scope.tenant);
    pieces.sql(" AND resource.id = ").id(id);
    pieces
}

/// Resources that were deleted and not erased, the last deleted first.
pub(crate) fn deleted_page<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    start: u64,
    count: u64,
) -> StorageResult<Page<R::Read>> {
    let deleted = || {
        let mut pieces = Pieces::default();
        pieces.sql(" WHERE resource.deleted_at IS NOT NULL AND resource.erased_at IS NULL");
        pieces.sql(" AND resource.tenant_id = ").id(scope.tenant);
        pieces
    };
    let number = |number: u64| Bind::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let mut pieces = select_from::<R>(table, scope);
    pieces.extend(deleted()).sql(" ORDER BY resource.deleted_at DESC, resource.id LIMIT ");
    pieces.bind(number(count)).sql(" OFFSET ").bind(number(start));
    let rows = Statement::fixed(pieces).load::<R>(conn).map_err(failed)?;
    let resources = rows.into_iter().map(R::read).collect::<StorageResult<_>>()?;
    let mut pieces = Pieces::default();
    pieces.sql("SELECT COUNT(*) AS total FROM ").sql(table.sql()).sql(" AS resource");
    pieces.extend(deleted());
    let counted = Statement::fixed(pieces).get_result::<CountRow>(conn).map_err(failed)?;
    Ok(Page { total: Some(counted.total.unsigned_abs()), has_next: false, resources })
}

/// A page of a query's resources.
pub(crate) fn page<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Page<R::Read>> {
    match query.start {
        Start::Index(index) => by_index::<R>(conn, table, scope, query, index),
        Start::After(_) => by_cursor::<R>(conn, table, scope, query),
    }
}

fn by_index<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
    index: u64,
) -> StorageResult<Page<R::Read>> {
    if finds_one(table, query.filter.as_ref())
        && let Some(page) = one_at_most::<R>(conn, table, scope, query)?
    {
        return Ok(page);
    }
    let mut resources = Vec::new();
    if query.count > 0 {
        resources = load::<R>(conn, table, scope, query, query.count)?;
    }
    // A page that ends before it is full is the last one: the total is known.
    let full = resources.len() >= query.count as usize;
    let is_last = !full && (index == 1 || !resources.is_empty());
    let total = if is_last {
        index - 1 + resources.len() as u64
    } else {
        count(conn, table, scope, query)?
    };
    Ok(Page { total: Some(total), has_next: false, resources })
}

/// What a name or address finds, unless that are several, which are then to be put in order.
fn one_at_most<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Option<Page<R::Read>>> {
    let mut pieces = by_filter::<R>(table, scope, query)?;
    pieces.sql(TWO);
    let rows = Statement::fixed(pieces).load::<R>(conn).map_err(failed)?;
    if rows.len() > 1 {
        return Ok(None);
    }
    let resources = rows.into_iter().map(R::read).collect::<StorageResult<_>>()?;
    Ok(Some(page_of_one(resources, query)))
}

/// So many tell whether there is one. It is written out: PostgreSQL would make a plan anew for each
/// value of a limit that is bound.
pub(crate) const TWO: &str = " LIMIT 2";

pub(crate) fn by_filter<R: Row>(
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Pieces> {
    let mut pieces = select::<R>(table, scope);
    pieces.extend(filter(table, scope, query)?);
    Ok(pieces)
}

/// The page of a query by index that finds one at most.
pub(super) fn page_of_one<T>(found: Vec<T>, query: &Query) -> Page<T> {
    let index = if let Start::Index(index) = query.start { index } else { 1 };
    let total = found.len() as u64;
    let wanted = found.into_iter().skip(usize::try_from(index - 1).unwrap_or(usize::MAX));
    let resources = wanted.take(query.count as usize).collect();
    Page { total: Some(total), has_next: false, resources }
}

/// One resource more than is wanted tells whether there is a next page.
fn by_cursor<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
) -> StorageResult<Page<R::Read>> {
    let mut resources = load::<R>(conn, table, scope, query, query.count + 1)?;
    let has_next = resources.len() > query.count as usize;
    resources.truncate(query.count as usize);
    let is_whole = !has_next && query.start == Start::After(None);
    let total = match query.wants_total {
        false => None,
        true if is_whole => Some(resources.len() as u64),
        true => Some(count(conn, table, scope, query)?),
    };
    Ok(Page { total, has_next, resources })
}

/// The first resources of a query from where it starts, one part after the other.
fn load<R: Row>(
    conn: &mut Conn,
    table: Table,
    scope: Scope,
    query: &Query,
    limit: u32,
) -> StorageResult<Vec<R::Read>> {
    let mut resources = Vec::new();
    let is_look_up = query.sort.is_none() && is_look_up(table, query.filter.as_ref());
    let statement = if is_look_up { Statement::fixed } else { Statement::dynamic };
    for part in parts::<R>(table, scope, query)? {
        let found = u32::try_from(resources.len()).unwrap_or(limit);
        if found >= limit {
            break;
        }
        let statement = statement(part.limited(i64::from(limit - found)));
        for row in statement.load::<R>(conn).map_err(failed)? {
            resources.push(row.read()?);
        }
    }
    Ok(resources)
}

/// A statement that finds the resources of a page, or some of them.
pub(super) struct Part {
    /// What is before the limit.
    pub(super) selected: Pieces,
    pub(super) offset: Option<i64>,
    /// What is after it.
    pub(super) end: Pieces,
}

impl Part {
    pub(super) fn limited(self, limit: i64) -> Pieces {
        let mut pieces = self.selected;
        pieces.sql(" LIMIT ").bind(Bind::Integer(limit));
        if let Some(offset) = self.offset {
            pieces.sql(" OFFSET ").bind(Bind::Integer(offset));
        }
        pieces.extend(self.end);
        pieces
    }
}

/// The statements of a page, each for what comes after what those before it find.
pub(super) fn parts<R: Row>(table: Table, scope: Scope, query: &Query) -> StorageResult<Vec<Part>> {
    if let Some(parts) = by_part::parts::<R>(table, scope, query)? {
        return Ok(parts);
    }
    let order = Order::of(&DIALECT, table, scope, query.sort.as_ref())?;
    let filter = filter(table, scope, query)?;
    let part = |condition: Option<Pieces>, offset: Option<i64>| {
        let mut selected = select::<R>(table, scope);
        selected.extend(filter.clone());
        if let Some(condition) = condition {
            selected.sql(" AND ").extend(condition);
        }
        selected.extend(order.by());
        Part { selected, offset, end: Pieces::default() }
    };
    Ok(match &query.start {
        Start::Index(index) => {
            vec![part(None, Some(i64::try_from(index - 1).unwrap_or(i64::MAX)))]
        }
        Start::After(None) => vec![part(None, None)],
        Start::After(Some(position)) => {
            let after = order.after(position)?;
            after.into_iter().map(|condition| part(Some(condition), None)).collect()
        }
    })
}

pub(super) fn filter(table: Table, scope: Scope, query: &Query) -> StorageResult<Pieces> {
    let mut pieces = Pieces::default();
    if let Some(predicate) = &query.filter {
        pieces.sql(" AND ").extend(condition(&DIALECT, table, scope, predicate)?);
    }
    Ok(pieces)
}

fn count(conn: &mut Conn, table: Table, scope: Scope, query: &Query) -> StorageResult<u64> {
    let row = Statement::dynamic(counted(table, scope, query)?).get_result::<CountRow>(conn);
    Ok(row.map_err(failed)?.total.unsigned_abs())
}

pub(super) fn counted(table: Table, scope: Scope, query: &Query) -> StorageResult<Pieces> {
    let filtered_in_index = |filter| is_in_index(table, filter);
    let in_index = query.filter.as_ref().is_none_or(filtered_in_index);
    let mut pieces = Pieces::default();
    pieces.sql("SELECT ").sql(DIALECT.count(in_index)).sql(" AS total");
    pieces.sql(from(table));
    pieces.sql(by_part::index(table, query).unwrap_or_default());
    pieces.extend(visible(table, scope)).extend(filter(table, scope, query)?);
    Ok(pieces)
}

/// What every resource has, of a row.
pub(crate) fn resource(row: ResourceRow) -> Resource {
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
