//! The table `change_log`.

use accounts::ledger::Entry;
use accounts::{Ledger, StorageResult};
use diesel::prelude::*;
use uuid::Uuid;

use super::Session;
use crate::error::failed;
use crate::schema::change_log;
use crate::types::{Id, Json, Stamp};

impl Ledger for Session {
    fn append(&mut self, tenant: Uuid, entry: &Entry) -> StorageResult<()> {
        diesel::insert_into(change_log::table)
            .values((
                change_log::tenant_id.eq(Id(tenant)),
                change_log::id.eq(Id(entry.id)),
                change_log::at.eq(Stamp(entry.at)),
                change_log::actor_id.eq(Id(entry.actor)),
                change_log::request_id.eq(Id(entry.request)),
                change_log::action.eq(entry.action.as_str()),
                change_log::resource_type.eq(entry.resource_type),
                change_log::resource_id.eq(Id(entry.resource)),
                change_log::changes.eq(Json(entry.changes.clone())),
                change_log::version.eq(entry.version),
            ))
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }
}
