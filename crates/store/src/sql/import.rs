//! Putting in many accounts at once, in few statements.

use accounts::identity::claims;
use accounts::{Scope, StorageResult};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use serde_json::Value;

use super::Session;
use super::ledger::{SealedRow, sealed};
use super::statement::Statement;
use super::users::{insert_emails, user_row};
use crate::error::failed;
use crate::import::Import;
use crate::schema::{change_log, users};
use crate::search::{Bind, Pieces};
use crate::types::Stamp;

/// Accounts of one statement: their values are below the limits of both databases.
const CHUNK: usize = 1000;

impl Session {
    /// All of them or none.
    pub(crate) fn import(&mut self, scope: Scope, imports: &[Import]) -> StorageResult<()> {
        AnsiTransactionManager::begin_transaction(&mut self.0).map_err(failed)?;
        let done = imports.chunks(CHUNK).try_for_each(|chunk| self.import_chunk(scope, chunk));
        if done.is_ok() {
            AnsiTransactionManager::commit_transaction(&mut self.0).map_err(failed)?;
        } else {
            AnsiTransactionManager::rollback_transaction(&mut self.0).map_err(failed)?;
        }
        done
    }

    fn import_chunk(&mut self, scope: Scope, imports: &[Import]) -> StorageResult<()> {
        let rows = imports.iter().map(|import| user_row(scope.tenant, &import.account));
        let (rows, emails): (Vec<_>, Vec<_>) = rows.unzip();
        diesel::insert_into(users::table).values(rows).execute(&mut self.0).map_err(failed)?;
        insert_emails(&mut self.0, &emails.into_iter().flatten().collect::<Vec<_>>())?;
        self.import_claims(scope, imports)?;
        self.import_external_ids(scope, imports)?;
        let entries =
            imports.iter().map(|import| sealed(&self.1, scope.tenant, &import.entry, None));
        let entries: Vec<SealedRow> = entries.collect();
        diesel::insert_into(change_log::table)
            .values(entries)
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }

    fn import_claims(&mut self, scope: Scope, imports: &[Import]) -> StorageResult<()> {
        let mut values = Values::of(
            "INSERT INTO identity_claims (tenant_id, kind, value_hash, user_id, is_current, \
             burned, first_used_at, last_used_at) VALUES ",
        );
        for Import { account, .. } in imports {
            let first_used = Stamp(account.resource.created);
            for claim in claims(&account.resource.attributes) {
                let row = values.row();
                row.id(scope.tenant).sql(", ").bind(Bind::Text(claim.kind.as_str().to_owned()));
                row.sql(", ").bind(Bind::Bytes(self.hash(scope.tenant, &claim))).sql(", ");
                row.id(account.resource.id).sql(", TRUE, FALSE, ").bind(Bind::Stamp(first_used));
                row.sql(", ").bind(Bind::Stamp(first_used)).sql(")");
            }
        }
        values.insert(self)
    }

    fn import_external_ids(&mut self, scope: Scope, imports: &[Import]) -> StorageResult<()> {
        let mut values = Values::of(
            "INSERT INTO external_ids (tenant_id, connection_id, resource_type, resource_id, \
             external_id) VALUES ",
        );
        for Import { account, .. } in imports {
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

    fn insert(self, session: &mut Session) -> StorageResult<()> {
        if self.rows > 0 {
            Statement::of_some(self.pieces, self.rows).execute(&mut session.0).map_err(failed)?;
        }
        Ok(())
    }
}
