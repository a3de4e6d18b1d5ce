//! Parts of a transaction.

use accounts::{Savepoints, StorageResult};
use diesel::connection::SimpleConnection;
use uuid::Uuid;

use super::{Session, lock_parts};
use crate::error::failed;

impl Savepoints for Session {
    fn lock_parts(&mut self, tenant: Uuid) -> StorageResult<()> {
        lock_parts(self, tenant)
    }

    fn set_savepoint(&mut self) -> StorageResult<()> {
        self.conn()?.batch_execute("SAVEPOINT part").map_err(failed)
    }

    fn release_savepoint(&mut self) -> StorageResult<()> {
        self.conn()?.batch_execute("RELEASE SAVEPOINT part").map_err(failed)
    }

    fn roll_back_to_savepoint(&mut self) -> StorageResult<()> {
        self.view.undo();
        self.forget_posted();
        // Rolling back leaves the savepoint itself in place.
        let roll_back = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";
        self.conn()?.batch_execute(roll_back).map_err(failed)
    }
}
