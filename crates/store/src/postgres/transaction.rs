//! The transaction of a unit of work, which takes as few ways to PostgreSQL and back as it can.
//!
//! Most units read one user, change it and write the entry of the change log. For that no transaction
//! is begun: the user is read without a lock, and what is written waits until the unit is done. It is
//! then one statement, a transaction of its own, which fails if the user has changed since, or the
//! catalogue where the unit depends on it. A unit that asks for what it has to lock begins a transaction
//! there, in which the user is locked first, in the version that was read. Where another unit was faster
//! this one is run again, and then locks before it reads.

use std::mem;

use accounts::{Account, Scope, StorageError, StorageResult};
use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, QueryableByName};
use diesel::row::NamedRow;
use diesel::sql_types::{Binary, Nullable};
use diesel::{OptionalExtension, RunQueryDsl};
use uuid::Uuid;

use super::catalogue::WithTenant;
use super::ledger::mac_of;
use super::posted::Write;
use super::resources::{Row, from, select_what, visible};
use super::statement::{AccountRow, Statement};
use super::{Conn, Db, Session, together};
use crate::error::failed;
use crate::search::{Bind, Pieces, Table};

/// Locks a user that was read. It goes with BEGIN, a way that leaves no room for values, and is prepared
/// when it is first needed: whoever has the table for themselves keeps nobody from connecting.
const HOLD_USER: &str = "PREPARE hold_user (uuid, uuid, bigint) AS \
    SELECT CASE WHEN person.version = $3 THEN 0 ELSE refuse_stale() END FROM users AS person \
    WHERE person.tenant_id = $1 AND person.id = $2 FOR UPDATE";

/// The transaction of a session's unit of work.
#[derive(Default)]
pub(super) struct Transaction {
    state: State,
    /// What waits for the next statement, or for the end.
    posted: Vec<Write>,
    /// The locks that it is to share as soon as there is a transaction.
    held: Vec<Held>,
}

/// A shared lock of an object, of which this unit of work has read what the catalogue of its tenant
/// says in this version.
#[derive(Clone, Copy)]
struct Held {
    number: i64,
    tenant: Uuid,
    version: i64,
}

impl Held {
    /// Takes the lock, and ends the transaction if the version is another one by then.
    fn sql(self) -> String {
        let Self { number, tenant, version } = self;
        let is_same = format!("hold_shared({number}, '{tenant}') / 2 = {version}");
        format!("SELECT CASE WHEN {is_same} THEN 0 ELSE refuse_stale() END")
    }

    /// The condition of a statement that takes the lock: whether the version is still the same.
    fn is_same(self) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.sql("hold_shared(").bind(Bind::Integer(self.number)).sql(", ").id(self.tenant);
        pieces.sql(") / 2 = ").bind(Bind::Integer(self.version));
        pieces
    }
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    /// There is none, and will be none: each statement stands alone.
    #[default]
    None,
    /// It begins with the first statement that needs it.
    Due,
    /// As before, and this user was read, to be changed.
    Ahead { tenant: Uuid, id: Uuid, version: i64 },
    /// It was begun.
    Begun,
}

impl State {
    /// What begins it, if it is yet to begin.
    fn beginning(self) -> Option<String> {
        match self {
            Self::None | Self::Begun => None,
            Self::Due => Some("BEGIN".to_owned()),
            Self::Ahead { tenant, id, version } => {
                Some(format!("BEGIN; EXECUTE hold_user('{tenant}', '{id}', {version})"))
            }
        }
    }
}

impl Session {
    /// Prepares for a unit of work, which can end with [`Self::commit`] or [`Self::roll_back`]. One
    /// that stood in another's way begins its transaction at once.
    pub(crate) fn begin(&mut self, at_once: bool) -> StorageResult<()> {
        self.view.begin();
        self.transaction = Transaction { state: State::Due, ..Transaction::default() };
        if at_once { self.enter() } else { Ok(()) }
    }

    /// Whether nothing was done yet that the database would have to undo.
    pub(crate) fn is_untouched(&self) -> bool {
        self.transaction.state != State::Begun
    }

    /// The connection, for a statement of the unit of work: what must be before it is done.
    ///
    /// # Errors
    /// The transaction cannot be begun, the user that was read has changed, or a write that was
    /// [posted](Self::post) fails.
    pub(super) fn conn(&mut self) -> StorageResult<&mut Conn> {
        self.enter()?;
        self.carry_out()?;
        Ok(&mut self.conn)
    }

    /// The connection, for a statement that reads what no lock of this unit of work protects: no
    /// transaction is begun for it.
    ///
    /// # Errors
    /// As [`Self::conn`].
    pub(super) fn reader(&mut self) -> StorageResult<&mut Conn> {
        if self.transaction.posted.is_empty() { Ok(&mut self.conn) } else { self.conn() }
    }

    /// Carries out a write with the next statement, or at the end.
    ///
    /// # Errors
    /// As [`Self::conn`].
    pub(super) fn post(&mut self, write: Write) -> StorageResult<()> {
        // Of what one statement writes twice only one would stay.
        if self.transaction.posted.iter().any(|posted| posted.table() == write.table()) {
            self.conn()?;
        }
        self.transaction.posted.push(write);
        if self.transaction.state == State::None { self.carry_out() } else { Ok(()) }
    }

    /// Whether nothing but a user was read, to be changed, so that what is written can wait for the end
    /// even where it may fail: the unit of work is then run again.
    pub(super) fn is_ahead(&self) -> bool {
        matches!(self.transaction.state, State::Ahead { .. })
    }

    /// Shares a lock of an object in the catalogue of a tenant as soon as there is a transaction, if the
    /// unit of work can be run again where what it knows has changed by then; whether it can.
    pub(super) fn hold_later(&mut self, tenant: Uuid, number: i64) -> bool {
        let known = self.view.known(tenant).filter(|_| self.is_ahead() && !self.view.has_written());
        let Some(version) = known else { return false };
        self.transaction.held.push(Held { number, tenant, version });
        true
    }

    /// Forgets what was posted.
    pub(super) fn forget_posted(&mut self) {
        self.transaction.posted.clear();
    }

    /// Commits.
    ///
    /// # Errors
    /// Nothing is committed, and the transaction is over; or the connection is of no more use.
    pub(crate) fn commit(&mut self) -> StorageResult<()> {
        let is_begun = self.transaction.state == State::Begun;
        if !is_begun && (self.changes_user() || self.transaction.posted.is_empty()) {
            return self.carry_out();
        }
        if let Err(error) = self.conn() {
            return self.roll_back().and(Err(error));
        }
        // Where a statement failed and the unit went on, COMMIT alone would roll back and call that a
        // success; a statement before it fails.
        self.conn.batch_execute("SELECT 1; COMMIT").map_err(failed)
    }

    /// Undoes all.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(crate) fn roll_back(&mut self) -> StorageResult<()> {
        self.forget_posted();
        if self.is_untouched() {
            return Ok(());
        }
        self.conn.batch_execute("ROLLBACK").map_err(failed)
    }

    /// A user that is to be changed: read without a lock if nothing was done yet.
    pub(super) fn user_to_change(
        &mut self,
        scope: Scope,
        id: Uuid,
    ) -> StorageResult<Option<Account>> {
        if self.transaction.state != State::Due || !self.transaction.posted.is_empty() {
            return self.find_for_update::<AccountRow>(Table::Users, scope, id);
        }
        let statement = Statement::fixed(unlocked(scope, id));
        let found = statement.get_result::<Unlocked>(&mut self.conn).optional();
        let Some(Unlocked { row, seal }) = found.map_err(failed)? else { return Ok(None) };
        let version = row.version();
        self.transaction.state = State::Ahead { tenant: scope.tenant, id, version };
        self.view.keep_seal(id, version, seal);
        Ok(self.looked_up(scope, vec![row.read()?])?.pop())
    }

    fn enter(&mut self) -> StorageResult<()> {
        let Some(mut beginning) = self.transaction.state.beginning() else { return Ok(()) };
        for held in self.transaction.held.drain(..) {
            beginning.extend(["; ".to_owned(), held.sql()]);
        }
        if !self.holds_users && matches!(self.transaction.state, State::Ahead { .. }) {
            self.conn.batch_execute(HOLD_USER).map_err(failed)?;
            self.holds_users = true;
        }
        let begun = self.conn.batch_execute(&beginning).map_err(failed);
        // If the user could not be held, the transaction is there nevertheless.
        if !matches!(begun, Err(StorageError::Unavailable(_))) {
            self.transaction.state = State::Begun;
        }
        begun
    }

    /// Whether a change of the user that was read is posted.
    fn changes_user(&self) -> bool {
        self.transaction.posted.iter().any(|write| matches!(write, Write::User(_)))
    }

    /// Carries out what is posted, in one statement, which fails where another unit was faster.
    fn carry_out(&mut self) -> StorageResult<()> {
        let posted = mem::take(&mut self.transaction.posted);
        if posted.is_empty() {
            return Ok(());
        }
        let held = mem::take(&mut self.transaction.held);
        let values = posted.iter().map(Write::values).max().unwrap_or_default().max(held.len());
        let must_write: Vec<bool> = posted.iter().map(Write::must_write).collect();
        let mut pieces = together(posted.into_iter().map(Write::alone));
        pieces.sql(" SELECT CASE WHEN TRUE");
        for (at, _) in must_write.into_iter().enumerate().filter(|(_, must_write)| *must_write) {
            pieces.sql(format!(" AND (SELECT count(*) FROM part_{at}) = 1"));
        }
        for held in held {
            pieces.sql(" AND ").extend(held.is_same());
        }
        pieces.sql(" THEN 0 ELSE refuse_stale() END");
        Statement::of_some(pieces, values).execute(&mut self.conn).map_err(failed)?;
        Ok(())
    }
}

/// A user that is to be changed, with the seal of the entry that says how it became what it is.
struct Unlocked {
    row: WithTenant<AccountRow>,
    seal: Option<Vec<u8>>,
}

impl QueryableByName<Db> for Unlocked {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> deserialize::Result<Self> {
        let seal = NamedRow::get::<Nullable<Binary>, _>(row, "seal")?;
        Ok(Self { row: WithTenant::build(row)?, seal })
    }
}

fn unlocked(scope: Scope, id: Uuid) -> Pieces {
    let mut pieces = select_what::<WithTenant<AccountRow>>(scope);
    let seal = mac_of("resource.tenant_id", "resource.id", "resource.version");
    pieces.sql(format!(", {seal} AS seal")).sql(from(Table::Users));
    pieces.extend(visible(Table::Users, scope)).sql(" AND resource.id = ").id(id);
    pieces
}
