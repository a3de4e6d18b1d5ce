//! The provisioning log, and what connections did beyond the RFC.

use accounts::provisioning_log::Entry;
use accounts::{LeniencyUse, Page, RequestLog, Requests, Resource, Scope, StorageResult};
use diesel::prelude::*;
use jiff::Timestamp;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::resources::{find, page};
use super::statement::{ResourceRow, Statement};
use super::{Session, document};
use crate::error::failed;
use crate::schema::{leniency_uses, provisioning_log};
use crate::search::{Bind, Pieces, Table};
use crate::types::{Id, Json, SearchJson, Stamp};

/// Rows of one statement: SQLite takes 32,766 values.
const ROWS: usize = 500;

impl Requests for Session {
    fn logged_requests(&mut self, scope: Scope, query: &Query) -> StorageResult<Page> {
        page::<ResourceRow>(self.conn()?, Table::ProvisioningLog, scope, query)
    }

    fn logged_request(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        find::<ResourceRow>(self.conn()?, Table::ProvisioningLog, scope, id)
    }

    fn count_leniencies(&mut self, tenant: Uuid, uses: &[LeniencyUse]) -> StorageResult<()> {
        // In one order, so that two servers do not wait for each other.
        let mut uses: Vec<&LeniencyUse> = uses.iter().collect();
        uses.sort_by_key(|used| (used.connection, &used.leniency));
        for used in uses {
            count(self, tenant, used)?;
        }
        Ok(())
    }

    fn leniencies_of(
        &mut self,
        tenant: Uuid,
        connections: &[Uuid],
    ) -> StorageResult<Vec<LeniencyUse>> {
        let rows: Vec<(Id, String, i64, Stamp)> = leniency_uses::table
            .filter(leniency_uses::tenant_id.eq(Id(tenant)))
            .filter(leniency_uses::connection_id.eq_any(connections.iter().map(|id| Id(*id))))
            .order((leniency_uses::connection_id, leniency_uses::leniency))
            .select((
                leniency_uses::connection_id,
                leniency_uses::leniency,
                leniency_uses::uses,
                leniency_uses::last_seen,
            ))
            .load(self.conn()?)
            .map_err(failed)?;
        let used =
            |(connection, leniency, uses, last_seen): (Id, String, i64, Stamp)| LeniencyUse {
                connection: connection.0,
                leniency,
                count: uses.unsigned_abs(),
                last_seen: last_seen.0,
            };
        Ok(rows.into_iter().map(used).collect())
    }
}

fn count(session: &mut Session, tenant: Uuid, used: &LeniencyUse) -> StorageResult<()> {
    let uses = i64::try_from(used.count).unwrap_or(i64::MAX);
    let mut pieces = Pieces::default();
    pieces.sql(
        "INSERT INTO leniency_uses AS kept (tenant_id, connection_id, leniency, uses, last_seen) \
         VALUES (",
    );
    pieces.id(tenant).sql(", ").id(used.connection).sql(", ");
    pieces.bind(Bind::Text(used.leniency.clone())).sql(", ").bind(Bind::Integer(uses)).sql(", ");
    pieces.bind(Bind::Stamp(Stamp(used.last_seen))).sql(
        ") ON CONFLICT (tenant_id, connection_id, leniency) DO UPDATE \
         SET uses = kept.uses + excluded.uses, last_seen = CASE \
         WHEN excluded.last_seen > kept.last_seen THEN excluded.last_seen ELSE kept.last_seen END",
    );
    Statement::fixed(pieces).execute(session.conn()?).map_err(failed)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = provisioning_log)]
struct EntryRow {
    tenant_id: Id,
    id: Id,
    at: Stamp,
    connection_id: Id,
    resource_id: Option<Id>,
    status: i32,
    is_clear: bool,
    document: Json,
    search: SearchJson,
}

fn row(tenant: Uuid, entry: &Entry) -> EntryRow {
    let kind = ResourceType::provisioning_log_entry();
    let (document, search) = document(kind, &entry.resource.attributes);
    EntryRow {
        tenant_id: Id(tenant),
        id: Id(entry.resource.id),
        at: Stamp(entry.resource.created),
        connection_id: Id(entry.connection),
        resource_id: entry.about.map(Id),
        status: entry.status.into(),
        is_clear: entry.is_clear,
        document: Json(Value::Object(document)),
        search: SearchJson(Value::Object(search)),
    }
}

impl RequestLog for Session {
    fn insert_requests(&mut self, tenant: Uuid, entries: &[Entry]) -> StorageResult<()> {
        for entries in entries.chunks(ROWS) {
            let rows: Vec<EntryRow> = entries.iter().map(|entry| row(tenant, entry)).collect();
            diesel::insert_into(provisioning_log::table)
                .values(&rows)
                .execute(self.conn()?)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn forget_requests_before(
        &mut self,
        tenant: Uuid,
        oldest: Timestamp,
        limit: u32,
    ) -> StorageResult<usize> {
        let mut these = Pieces::default();
        these.sql(" AND at < ").bind(Bind::Stamp(Stamp(oldest))).sql(" ORDER BY at LIMIT ");
        these.bind(Bind::Integer(limit.into()));
        forget(self, tenant, these)
    }

    fn forget_requests_but(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        keep: u32,
        limit: u32,
    ) -> StorageResult<usize> {
        let mut these = Pieces::default();
        these.sql(" AND connection_id = ").id(connection).sql(" ORDER BY id DESC LIMIT ");
        these.bind(Bind::Integer(limit.into())).sql(" OFFSET ").bind(Bind::Integer(keep.into()));
        forget(self, tenant, these)
    }

    fn forget_persons(&mut self, tenant: Uuid) -> StorageResult<()> {
        let of_tenant = provisioning_log::table.filter(provisioning_log::tenant_id.eq(Id(tenant)));
        diesel::delete(of_tenant.filter(provisioning_log::is_clear))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }
}

/// Takes the entries of a tenant away that a condition, an order and a limit select.
fn forget(session: &mut Session, tenant: Uuid, these: Pieces) -> StorageResult<usize> {
    let mut pieces = Pieces::default();
    pieces.sql("DELETE FROM provisioning_log WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND id IN (SELECT id FROM provisioning_log WHERE tenant_id = ").id(tenant);
    pieces.extend(these).sql(")");
    Statement::fixed(pieces).execute(session.conn()?).map_err(failed)
}
