//! The tables `client_credentials` and `credential_uses`.

use accounts::credentials::{Client, ClientCredential, Proof};
use accounts::tenancy::Use;
use accounts::{Credentials, StorageError, StorageResult};
use diesel::prelude::*;
use diesel::upsert::excluded;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use super::tenancy::{ConnectionRow, connection};
use crate::error::failed;
use crate::schema::{client_credentials, credential_uses, objects};
use crate::types::{Id, Json, Stamp};

type CredentialRow = (Id, String, Id, String, Json, Stamp, Option<Stamp>, Option<Stamp>);

/// The most that is found by what a client shows. Only what is pinned the same in as many tenants is
/// ever cut off.
const MOST_FOUND: i64 = 100;

fn client(
    (tenant, id, of, _, proof, created, expires, revoked): CredentialRow,
    row: ConnectionRow,
) -> StorageResult<Client> {
    let proof: Proof = serde_json::from_value(proof.0).map_err(unreadable)?;
    let credential = ClientCredential {
        id,
        tenant: tenant.0,
        connection: of.0,
        proof,
        created: created.0,
        expires: expires.map(|at| at.0),
        revoked: revoked.map(|at| at.0),
    };
    Ok(Client { credential, connection: connection(row)? })
}

fn unreadable(error: serde_json::Error) -> StorageError {
    StorageError::Failed(Box::new(error))
}

macro_rules! with_connections {
    () => {
        client_credentials::table
            .inner_join(
                objects::table.on(objects::tenant_id
                    .eq(client_credentials::tenant_id)
                    .and(objects::id.eq(client_credentials::connection_id))
                    .and(objects::deleted_at.is_null())),
            )
            .select((client_credentials::all_columns, (objects::id, objects::document)))
    };
}

impl Credentials for Session {
    fn insert_credential(&mut self, credential: &ClientCredential) -> StorageResult<()> {
        self.view.write();
        let proof = serde_json::to_value(&credential.proof).map_err(unreadable)?;
        diesel::insert_into(client_credentials::table)
            .values((
                client_credentials::tenant_id.eq(Id(credential.tenant)),
                client_credentials::id.eq(&credential.id),
                client_credentials::connection_id.eq(Id(credential.connection)),
                client_credentials::lookup.eq(credential.proof.key(&credential.id)),
                client_credentials::proof.eq(Json(proof)),
                client_credentials::created_at.eq(Stamp(credential.created)),
                client_credentials::expires_at.eq(credential.expires.map(Stamp)),
                client_credentials::revoked_at.eq(credential.revoked.map(Stamp)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn credentials_of(&mut self, tenant: Uuid) -> StorageResult<Vec<Client>> {
        let rows: Vec<(CredentialRow, ConnectionRow)> = with_connections!()
            .filter(client_credentials::tenant_id.eq(Id(tenant)))
            .order((client_credentials::created_at.desc(), client_credentials::id))
            .load(self.conn()?)
            .map_err(failed)?;
        rows.into_iter().map(|(credential, of)| client(credential, of)).collect()
    }

    fn credentials_found_by(&mut self, keys: &[String]) -> StorageResult<Vec<Client>> {
        let rows: Vec<(CredentialRow, ConnectionRow)> = with_connections!()
            .filter(client_credentials::lookup.eq_any(keys))
            .filter(client_credentials::revoked_at.is_null())
            .order((client_credentials::created_at, client_credentials::id))
            .limit(MOST_FOUND)
            .load(self.conn()?)
            .map_err(failed)?;
        rows.into_iter().map(|(credential, of)| client(credential, of)).collect()
    }

    fn credential(&mut self, tenant: Uuid, id: &str) -> StorageResult<Option<Client>> {
        let row: Option<(CredentialRow, ConnectionRow)> = with_connections!()
            .filter(client_credentials::tenant_id.eq(Id(tenant)))
            .filter(client_credentials::id.eq(id))
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        row.map(|(credential, of)| client(credential, of)).transpose()
    }

    fn credentials_with_id(&mut self, id: &str) -> StorageResult<Vec<Client>> {
        let rows: Vec<(CredentialRow, ConnectionRow)> = with_connections!()
            .filter(client_credentials::id.eq(id))
            .load(self.conn()?)
            .map_err(failed)?;
        rows.into_iter().map(|(credential, of)| client(credential, of)).collect()
    }

    fn revoke_credential(
        &mut self,
        tenant: Uuid,
        id: &str,
        now: Timestamp,
    ) -> StorageResult<usize> {
        self.view.write();
        let credential = client_credentials::table.find((Id(tenant), id));
        diesel::update(credential.filter(client_credentials::revoked_at.is_null()))
            .set(client_credentials::revoked_at.eq(Stamp(now)))
            .execute(self.conn()?)
            .map_err(failed)
    }

    fn note_uses(&mut self, uses: &[Use]) -> StorageResult<()> {
        for Use { tenant, id, at } in uses {
            diesel::insert_into(credential_uses::table)
                .values((
                    credential_uses::tenant_id.eq(Id(*tenant)),
                    credential_uses::id.eq(id),
                    credential_uses::used_at.eq(Stamp(*at)),
                ))
                .on_conflict((credential_uses::tenant_id, credential_uses::id))
                .do_update()
                .set(credential_uses::used_at.eq(excluded(credential_uses::used_at)))
                .execute(self.conn()?)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn last_uses(&mut self, tenant: Uuid) -> StorageResult<Vec<Use>> {
        let rows: Vec<(String, Stamp)> = credential_uses::table
            .filter(credential_uses::tenant_id.eq(Id(tenant)))
            .select((credential_uses::id, credential_uses::used_at))
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(rows.into_iter().map(|(id, at)| Use { tenant, id, at: at.0 }).collect())
    }
}
