//! The table `change_log`: its entries are sealed when they are written, and looked at page by page.

use accounts::ledger::{Checked, Entry, Seal, Unlogged};
use accounts::{Ledger, Page, Resource, Scope, StorageResult};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use openssl::memcmp;
use scim_protocol::query::Query;
use uuid::Uuid;

use super::log_entries::LogRow;
use super::posted::Write;
use super::statement::Statement;
use super::{Conn, Session};
use crate::error::failed;
use crate::keyring::{Keyring, Sealed};
use crate::schema::change_log;
use crate::search::{Bind, Columns, Pieces, Table};
use crate::types::{Document, Guid, Id, Instant, JsonText, Stamp};

/// What an entry is about, by the kind of its resource: where the version of the resource is.
const CURRENT: &str = "CASE entry.resource_type \
    WHEN 'User' THEN (SELECT resource.version FROM users AS resource \
      WHERE resource.tenant_id = entry.tenant_id AND resource.id = entry.resource_id) \
    WHEN 'Group' THEN (SELECT resource.version FROM \"groups\" AS resource \
      WHERE resource.tenant_id = entry.tenant_id AND resource.id = entry.resource_id) \
    ELSE (SELECT resource.version FROM objects AS resource \
      WHERE resource.tenant_id = entry.tenant_id AND resource.id = entry.resource_id \
      AND resource.resource_type = entry.resource_type) END";

/// Every table of resources, and the kind of a row as SQL.
const TABLES: [(&str, &str); 3] =
    [("'User'", "users"), ("'Group'", "\"groups\""), ("resource.resource_type", "objects")];

impl Ledger for Session {
    fn append(&mut self, tenant: Uuid, entry: &Entry) -> StorageResult<()> {
        let previous = match self.view.seal(entry.resource, entry.version - 1) {
            Some(seal) => Some(seal),
            None => previous_mac(self.conn()?, tenant, entry.resource, entry.version)?,
        };
        let row = sealed(&self.keyring, tenant, entry, previous.as_deref()).map_err(failed)?;
        self.post(Write::Entry(row))
    }

    fn change_log(&mut self, scope: Scope, query: &Query) -> StorageResult<Page> {
        self.page::<LogRow>(Table::ChangeLog, scope, query)
    }

    fn change_log_entry(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        self.find::<LogRow>(Table::ChangeLog, scope, id)
    }

    fn forget_changes(&mut self, tenant: Uuid, resource: Uuid) -> StorageResult<()> {
        let of_resource =
            change_log::tenant_id.eq(Id(tenant)).and(change_log::resource_id.eq(Id(resource)));
        diesel::update(change_log::table.filter(of_resource))
            .set((change_log::changes.eq(None::<JsonText>), change_log::reason.eq(None::<String>)))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn checked_entries(
        &mut self,
        tenant: Uuid,
        after: Option<(Uuid, i64)>,
        limit: u32,
    ) -> StorageResult<Vec<Checked>> {
        let rows = entries(tenant, after, limit).load::<EntryRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| checked(&self.keyring, tenant, row)).collect())
    }

    fn unlogged(
        &mut self,
        tenant: Uuid,
        after: Option<Uuid>,
        limit: u32,
    ) -> StorageResult<Vec<Unlogged>> {
        let mut pieces = Pieces::default();
        for (at, (resource_type, table)) in TABLES.iter().enumerate() {
            pieces.sql(if at == 0 { "" } else { " UNION ALL " });
            pieces.sql(format!("SELECT {resource_type} AS resource_type, resource.id AS id,"));
            pieces.sql(format!(" resource.version AS version FROM {table} AS resource"));
            pieces.sql(" WHERE resource.tenant_id = ").id(tenant);
            if let Some(after) = after {
                pieces.sql(" AND resource.id > ").id(after);
            }
            pieces.sql(" AND NOT EXISTS (SELECT 1 FROM change_log AS entry");
            pieces.sql(" WHERE entry.tenant_id = resource.tenant_id");
            pieces.sql(" AND entry.resource_id = resource.id)");
        }
        pieces.sql(" ORDER BY id LIMIT ").bind(Bind::Integer(limit.into()));
        let rows = Statement::fixed(pieces).load::<UnloggedRow>(self.conn()?).map_err(failed)?;
        let unlogged = |row: UnloggedRow| Unlogged {
            resource_type: row.resource_type,
            resource: row.id.0,
            version: row.version,
        };
        Ok(rows.into_iter().map(unlogged).collect())
    }
}

/// Seals an entry that follows on another one of its resource.
pub(super) fn sealed(
    keyring: &Keyring,
    tenant: Uuid,
    entry: &Entry,
    previous: Option<&[u8]>,
) -> QueryResult<Columns> {
    let changes = serde_json::to_string(&entry.changes);
    let changes = changes.map_err(|error| DieselError::SerializationError(Box::new(error)))?;
    let reason = entry.reason.as_deref();
    let digest = keyring.digest(tenant, entry.id, &changes, reason);
    let mac = keyring.seal(&Sealed {
        tenant,
        id: entry.id,
        at: entry.at,
        actor_type: entry.actor.kind(),
        actor: entry.actor.id(),
        source: entry.source.as_str(),
        request: entry.request,
        action: entry.action.as_str(),
        resource_type: entry.resource_type,
        resource: entry.resource,
        version: entry.version,
        rule: entry.rule,
        digest: &digest,
        previous,
    });
    let word = |text: &str| Bind::Text(text.to_owned());
    Ok(vec![
        ("tenant_id", Bind::Id(Id(tenant))),
        ("id", Bind::Id(Id(entry.id))),
        ("at", Bind::Stamp(Stamp(entry.at))),
        ("actor_type", word(entry.actor.kind())),
        ("actor_id", Bind::MaybeId(entry.actor.id().map(Id))),
        ("source", word(entry.source.as_str())),
        ("request_id", Bind::Id(Id(entry.request))),
        ("action", word(entry.action.as_str())),
        ("resource_type", word(entry.resource_type)),
        ("resource_id", Bind::Id(Id(entry.resource))),
        ("version", Bind::Integer(entry.version)),
        ("rule", Bind::Maybe(entry.rule.map(str::to_owned))),
        ("reason", Bind::Maybe(reason.map(str::to_owned))),
        ("changes", Bind::Written(JsonText(changes))),
        ("changes_digest", Bind::Bytes(digest)),
        ("mac", Bind::Bytes(mac)),
    ])
}

/// The seal of the entry before, which this transaction has locked with its resource.
fn previous_mac(
    conn: &mut Conn,
    tenant: Uuid,
    resource: Uuid,
    version: i64,
) -> StorageResult<Option<Vec<u8>>> {
    if version <= 1 {
        return Ok(None);
    }
    let last = change_log::table
        .filter(change_log::tenant_id.eq(Id(tenant)))
        .filter(change_log::resource_id.eq(Id(resource)))
        .filter(change_log::version.le(version - 1))
        .order(change_log::version.desc())
        .select((change_log::version, change_log::mac))
        .first::<(i64, Vec<u8>)>(conn)
        .optional()
        .map_err(failed)?;
    Ok(last.filter(|(found, _)| *found == version - 1).map(|(_, mac)| mac))
}

/// The seal of the entry of a version, as SQL: the last one up to it, if that is of this very version.
/// As an equality, PostgreSQL would as soon look for it among all entries of the resource, by the other
/// index that begins with it.
pub(super) fn mac_of(tenant: &str, resource: &str, version: &str) -> String {
    format!(
        "(SELECT CASE WHEN sealed.version = {version} THEN sealed.mac END FROM change_log AS sealed \
         WHERE sealed.tenant_id = {tenant} AND sealed.resource_id = {resource} \
         AND sealed.version <= {version} ORDER BY sealed.version DESC LIMIT 1)"
    )
}

/// An entry with what it is compared with, all of one snapshot.
#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = Guid)]
    id: Id,
    #[diesel(sql_type = Instant)]
    at: Stamp,
    #[diesel(sql_type = Text)]
    actor_type: String,
    #[diesel(sql_type = Nullable<Guid>)]
    actor_id: Option<Id>,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Guid)]
    request_id: Id,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    resource_type: String,
    #[diesel(sql_type = Guid)]
    resource_id: Id,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Document>)]
    changes: Option<JsonText>,
    #[diesel(sql_type = Binary)]
    changes_digest: Vec<u8>,
    #[diesel(sql_type = Binary)]
    mac: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    previous_mac: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    current_version: Option<i64>,
    #[diesel(sql_type = Bool)]
    erased: bool,
}

#[derive(QueryableByName)]
struct UnloggedRow {
    #[diesel(sql_type = Text)]
    resource_type: String,
    #[diesel(sql_type = Guid)]
    id: Id,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

fn entries(tenant: Uuid, after: Option<(Uuid, i64)>, limit: u32) -> Statement {
    let mut pieces = Pieces::default();
    pieces.sql(
        "SELECT entry.id, entry.at, entry.actor_type, entry.actor_id, entry.source, \
         entry.request_id, entry.action, entry.resource_type, entry.resource_id, entry.version, \
         entry.rule, entry.reason, entry.changes, entry.changes_digest, entry.mac, ",
    );
    pieces.sql(mac_of("entry.tenant_id", "entry.resource_id", "entry.version - 1"));
    pieces.sql(" AS previous_mac, ");
    pieces.sql(CURRENT).sql(" AS current_version, ");
    pieces.sql(
        "EXISTS (SELECT 1 FROM change_log AS later WHERE entry.changes IS NULL \
         AND later.tenant_id = entry.tenant_id AND later.resource_id = entry.resource_id \
         AND later.version > entry.version AND later.action = 'erase') AS erased \
         FROM change_log AS entry WHERE entry.tenant_id = ",
    );
    pieces.id(tenant);
    if let Some((resource, version)) = after {
        pieces.sql(" AND (entry.resource_id, entry.version) > (").id(resource).sql(", ");
        pieces.bind(Bind::Integer(version)).sql(")");
    }
    pieces.sql(" ORDER BY entry.resource_id, entry.version LIMIT ");
    pieces.bind(Bind::Integer(limit.into()));
    Statement::fixed(pieces)
}

fn checked(keyring: &Keyring, tenant: Uuid, row: EntryRow) -> Checked {
    let seal = match is_as_written(keyring, tenant, &row) {
        _ if row.version > 1 && row.previous_mac.is_none() => Seal::Unclear,
        true => Seal::Whole,
        false => Seal::Broken,
    };
    Checked {
        id: row.id.0,
        resource_type: row.resource_type,
        resource: row.resource_id.0,
        version: row.version,
        current: row.current_version,
        seal,
    }
}

fn is_as_written(keyring: &Keyring, tenant: Uuid, row: &EntryRow) -> bool {
    let says_what_it_said = match &row.changes {
        Some(JsonText(changes)) => {
            let digest = keyring.digest(tenant, row.id.0, changes, row.reason.as_deref());
            is_same(&digest, &row.changes_digest)
        }
        // The entry that tells of the erasure has a seal of its own.
        None => row.erased && row.reason.is_none(),
    };
    let seal = keyring.seal(&Sealed {
        tenant,
        id: row.id.0,
        at: row.at.0,
        actor_type: &row.actor_type,
        actor: row.actor_id.map(|id| id.0),
        source: &row.source,
        request: row.request_id.0,
        action: &row.action,
        resource_type: &row.resource_type,
        resource: row.resource_id.0,
        version: row.version,
        rule: row.rule.as_deref(),
        digest: &row.changes_digest,
        previous: row.previous_mac.as_deref(),
    });
    says_what_it_said && is_same(&seal, &row.mac)
}

fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && memcmp::eq(one, other)
}
