//! The table `installation_keys`.

use accounts::{InstallationKeys, StorageResult};
use diesel::dsl::sql;
use diesel::prelude::*;
use jiff::Timestamp;

use super::{Conn, NOW, Session};
use crate::error::{OpenError, failed};
use crate::keyring::Keyring;
use crate::schema::installation_keys::{created_at, key_bytes, purpose, table};
use crate::types::{Instant, Stamp};

impl InstallationKeys for Session {
    /// Of servers that start together the first one's is inserted, and is what all of them read
    /// in a statement of its own.
    fn installation_key(
        &mut self,
        for_what: &str,
        fresh: &[u8],
        now: Timestamp,
    ) -> StorageResult<Vec<u8>> {
        diesel::insert_into(table)
            .values((purpose.eq(for_what), key_bytes.eq(fresh), created_at.eq(Stamp(now))))
            .on_conflict_do_nothing()
            .execute(self.conn()?)
            .map_err(failed)?;
        table.find(for_what).select(key_bytes).first(self.conn()?).map_err(failed)
    }
}

/// The keys of the store itself, made where there are none.
pub(crate) fn keyring(conn: &mut Conn) -> Result<Keyring, OpenError> {
    Keyring::of_installation(|for_what, fresh| {
        let now = sql::<Instant>(NOW);
        diesel::insert_into(table)
            .values((purpose.eq(for_what), key_bytes.eq(fresh), created_at.eq(now)))
            .on_conflict_do_nothing()
            .execute(conn)
            .map_err(OpenError::Query)?;
        table.find(for_what).select(key_bytes).first(conn).map_err(OpenError::Query)
    })
}
