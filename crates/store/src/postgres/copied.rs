//! Many members of a group at once, by COPY: it writes the rows of a page together, where INSERT writes,
//! and looks for what is in the way of, one after the other.

use accounts::{MemberKind, StorageResult};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use crate::error::failed;
use crate::schema::memberships;
use crate::types::{Id, Stamp};

/// From so many rows on the ways there and back that COPY takes are worth it.
const MANY: usize = 100;

#[derive(Insertable)]
#[diesel(table_name = memberships, treat_none_as_default_value = false)]
struct MembershipRow {
    tenant_id: Id,
    group_id: Id,
    member_id: Id,
    is_group: bool,
    added_at: Stamp,
}

impl Session {
    /// Adds many members, of whom most likely none is one yet. `false` if there are few, or one is: then
    /// nothing has happened.
    pub(super) fn copy_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        ids: &[Uuid],
        kind: MemberKind,
        now: Timestamp,
    ) -> StorageResult<bool> {
        if ids.len() < MANY {
            return Ok(false);
        }
        let row = |id: &Uuid| MembershipRow {
            tenant_id: Id(tenant),
            group_id: Id(group),
            member_id: Id(*id),
            is_group: kind == MemberKind::Group,
            added_at: Stamp(now),
        };
        let rows = ids.iter().map(row).collect();
        let conn = self.conn()?;
        conn.batch_execute("SAVEPOINT copied").map_err(failed)?;
        let is_copied = copy(conn, rows)?;
        let end = if is_copied { "" } else { "ROLLBACK TO SAVEPOINT copied; " };
        conn.batch_execute(&format!("{end}RELEASE SAVEPOINT copied")).map_err(failed)?;
        Ok(is_copied)
    }
}

/// Whether no row was there already.
fn copy(conn: &mut PgConnection, rows: Vec<MembershipRow>) -> StorageResult<bool> {
    match diesel::copy_from(memberships::table).from_insertable(rows).execute(conn) {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}
