//! Putting in many accounts at once, in few statements.

use accounts::identity::{Claim, claims};
use accounts::{Account, NewAccount, Resource, Scope, StorageError, StorageResult, Taken};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use serde_json::Value;

use super::claims::external_id_row;
use super::ledger::sealed;
use super::users::{EmailRow, UserRow, insert_emails, user_row};
use super::{Session, insert_all, write_together};
use crate::error::{failed, unless_taken};
use crate::search::Pieces;

/// Accounts that are put together in memory.
const CHUNK: usize = 1000;

impl Session {
    /// All of them or none; `false` if a name is somebody's.
    pub(crate) fn import(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool> {
        AnsiTransactionManager::begin_transaction(self.conn()?).map_err(failed)?;
        let done = self.add_users(scope, users);
        if matches!(done, Ok(true)) {
            AnsiTransactionManager::commit_transaction(self.conn()?).map_err(failed)?;
        } else {
            AnsiTransactionManager::rollback_transaction(self.conn()?).map_err(failed)?;
        }
        done
    }

    /// See [`accounts::Users::insert_users`].
    pub(super) fn add_users(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool> {
        for chunk in users.chunks(CHUNK) {
            self.conn()?;
            if !unless_taken(self.add_accounts(scope, chunk))? {
                return Ok(false);
            }
        }
        for user in users {
            self.view.add_user(user.account.resource.id);
        }
        Ok(true)
    }

    /// An account by itself, with all that belongs to it: what keeps it from being added, if
    /// anything does.
    pub(super) fn add_whole(
        &mut self,
        scope: Scope,
        user: &NewAccount,
    ) -> StorageResult<Option<Taken>> {
        let (tenant, account) = (scope.tenant, &user.account);
        let (id, created) = (account.resource.id, account.resource.created);
        let (row, emails) = user_row(tenant, account);
        let claimed = claims(&account.resource.attributes);
        let entry = sealed(&self.keyring, tenant, &user.entry, None).map_err(failed)?;
        let values = emails.len().max(claimed.len());
        let mut parts = vec![
            Pieces::insert("users", [row.columns()]),
            Pieces::insert("change_log", [entry]),
            self.insert_claims(tenant, id, &claimed, created),
        ];
        if !emails.is_empty() {
            parts.push(insert_emails(emails));
        }
        let external_id = external_id(account);
        if let Some(external_id) = external_id {
            let row = external_id_row(scope, "User", id, external_id);
            let mut insert = Pieces::insert("external_ids", [row]);
            insert.sql(" ON CONFLICT DO NOTHING");
            parts.push(insert);
        }
        self.view.add_user(id);
        let written = match write_together(self.conn()?, parts, values) {
            // Nothing else of it has a key that another row can have.
            Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                return Ok(Some(Taken::EmployeeNumber));
            }
            written => written.map_err(failed)?,
        };
        if written[2] < claimed.len() {
            let taken = self.claimed_by_another(tenant, id, &claimed)?;
            let vanished = || StorageError::Failed("a claim is nobody's and was not made".into());
            return Ok(Some(Taken::Name(taken.ok_or_else(vanished)?)));
        }
        let has_external_id = external_id.is_none() || written.last() == Some(&1);
        Ok((!has_external_id).then_some(Taken::ExternalId))
    }

    fn add_accounts(&mut self, scope: Scope, chunk: &[NewAccount]) -> QueryResult<()> {
        let rows = chunk.iter().map(|user| user_row(scope.tenant, &user.account));
        let (rows, emails): (Vec<_>, Vec<_>) = rows.unzip();
        insert_all(&mut self.conn, "users", rows.into_iter().map(UserRow::columns).collect())?;
        let emails = emails.into_iter().flatten().map(EmailRow::columns);
        insert_all(&mut self.conn, "user_emails", emails.collect())?;
        self.add_claims(scope, chunk)?;
        self.add_external_ids(scope, chunk)?;
        let entries =
            chunk.iter().map(|user| sealed(&self.keyring, scope.tenant, &user.entry, None));
        insert_all(&mut self.conn, "change_log", entries.collect::<QueryResult<_>>()?)
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
        let rows = claimed.iter().map(|(claim, account)| {
            let Resource { id, created, .. } = account.resource;
            self.claim_row(scope.tenant, id, claim, created)
        });
        let rows = rows.collect();
        insert_all(&mut self.conn, "identity_claims", rows)
    }

    fn add_external_ids(&mut self, scope: Scope, chunk: &[NewAccount]) -> QueryResult<()> {
        let rows = chunk.iter().filter_map(|NewAccount { account, .. }| {
            let external_id = external_id(account)?;
            Some(external_id_row(scope, "User", account.resource.id, external_id))
        });
        insert_all(&mut self.conn, "external_ids", rows.collect())
    }
}

fn external_id(account: &Account) -> Option<&str> {
    account.resource.attributes.get("externalId").and_then(Value::as_str)
}
