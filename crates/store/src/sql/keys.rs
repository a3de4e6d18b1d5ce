//! The table `installation_keys`.

use accounts::{InstallationKeys, StorageResult};
use diesel::prelude::*;
use jiff::Timestamp;

use super::Session;
use crate::error::failed;
use crate::schema::installation_keys;
use crate::types::Stamp;

impl InstallationKeys for Session {
    /// Of servers that start together the first one's is inserted, and is what all of them read
    /// in a statement of its own.
    fn installation_key(
        &mut self,
        purpose: &str,
        fresh: &[u8],
        now: Timestamp,
    ) -> StorageResult<Vec<u8>> {
        diesel::insert_into(installation_keys::table)
            .values((
                installation_keys::purpose.eq(purpose),
                installation_keys::key_bytes.eq(fresh),
                installation_keys::created_at.eq(Stamp(now)),
            ))
            .on_conflict_do_nothing()
            .execute(&mut self.0)
            .map_err(failed)?;
        installation_keys::table
            .find(purpose)
            .select(installation_keys::key_bytes)
            .first(&mut self.0)
            .map_err(failed)
    }
}
