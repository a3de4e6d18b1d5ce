//! Putting in many accounts at once, in few statements.

use accounts::identity::{Claim, claims};
use accounts::{Account, NewAccount, Scope, StorageResult};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use serde_json::Value;

use super::Session;
use super::ledger::{SealedRow, sealed};
use super::statement::Statement;
use super::users::{add_emails, user_row};
use crate::error::{failed, unless_taken};
use crate::schema::{change_log, users};
use crate::search::{Bind, Pieces};
use crate::types::Stamp;

/// Accounts of one statement: their values are below the limits of both databases.
const CHUNK: usize = 1000;

impl Session {
    /// All of them or none; `false` if a name is somebody's.
    pub(crate) fn import(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool> {
        AnsiTransactionManager::begin_transaction(&mut self.0).map_err(failed)?;
        let done = self.add_users(scope, users);
        if matches!(done, Ok(true)) {
            AnsiTransactionManager::commit_transaction(&mut self.0).map_err(failed)?;
        } else {
            AnsiTransactionManager::rollback_transaction(&mut self.0).map_err(failed)?;
        }
        done
    }

    /// See [`accounts::Users::insert_users`].
    pub(super) fn add_users(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool> {
        for chunk in users.chunks(CHUNK) {
            if !unless_taken(self.add_accounts(scope, chunk))? {
                return Ok(false);
            }
        }
        for user in users {
            self.2.add_user(user.account.resource.id);
        }
        Ok(true)
    }

    fn add_accounts(&mut self, scope: Scope, chunk: &[NewAccount]) -> QueryResult<usize> {
        let rows = chunk.iter().map(|user| user_row(scope.tenant, &user.account));
        let (rows, emails): (Vec<_>, Vec<_>) = rows.unzip();
        diesel::insert_into(users::table).values(rows).execute(&mut self.0)?;
        add_emails(&mut self.0, &emails.into_iter().flatten().collect::<Vec<_>>())?;
        self.add_claims(scope, chunk)?;
        self.add_external_ids(scope, chunk)?;
        let entries = chunk.iter().map(|user| sealed(&self.1, scope.tenant, &user.entry, None));
        let entries: Vec<SealedRow> = entries.collect();
        diesel::insert_into(change_log::table).values(entries).execute(&mut self.0)
    }

    /// In the order in which one account claims its own, so that of two transactions with common
    /// names one waits for the other.
    fn add_claims(&mut self, scope: Scope, chunk: &[NewAccount]) -> QueryResult<()> {
        let mut claimed: Vec<(Claim, &Account)> = Vec::new();
        for NewAccount { account, .. } in chunk {
            let own = claims(&account.resource.attributes);
            claimed.extend(own.into_iter().map(|claim| (claim, account)));
        }
        claimed.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut values = Values::of(
            "INSERT INTO identity_claims (tenant_id, kind, value_hash, user_id, is_current, \
             burned, first_used_at, last_used_at) VALUES ",
        );
        for (claim, account) in claimed {
            let first_used = Stamp(account.resource.created);
            let row = values.row();
            row.id(scope.tenant).sql(", ").bind(Bind::Text(claim.kind.as_str().to_owned()));
            row.sql(", ").bind(Bind::Bytes(self.hash(scope.tenant, &claim))).sql(", ");
            row.id(account.resource.id).sql(", TRUE, FALSE, ").bind(Bind::Stamp(first_used));
            row.sql(", ").bind(Bind::Stamp(first_used)).sql(")");
        }
        values.insert(self)
    }

    fn add_external_ids(&mut self, scope: Scope, chunk: &[NewAccount]) -> QueryResult<()> {
        let mut values = Values::of(
            "INSERT INTO external_ids (tenant_id, connection_id, resource_type, resource_id, \
             external_id) VALUES ",
        );
        for NewAccount { account, .. } in chunk {
            let attributes = &account.resource.attributes;
            let Some(external_id) = attributes.get("externalId").and_then(Value::as_str) else {
                continue;
            };
            let row = values.row();
            row.id(scope.tenant).sql(", ").id(scope.connection).sql(", 'User', ");
            row.id(account.resource.id).sql(", ").bind(Bind::Text(external_id.to_owned())).sql(")");
        }
        values.insert(self)
    }
}

/// An INSERT of some rows.
struct Values {
    pieces: Pieces,
    rows: usize,
}

impl Values {
    fn of(insert: &str) -> Self {
        let mut pieces = Pieces::default();
        pieces.sql(insert);
        Self { pieces, rows: 0 }
    }

    /// Begins a row, which whoever writes it ends.
    fn row(&mut self) -> &mut Pieces {
        self.rows += 1;
        self.pieces.sql(if self.rows == 1 { "(" } else { ", (" })
    }

    fn insert(self, session: &mut Session) -> QueryResult<()> {
        if self.rows > 0 {
            Statement::of_some(self.pieces, self.rows).execute(&mut session.0)?;
        }
        Ok(())
    }
}
