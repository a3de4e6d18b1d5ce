//! The tables `tenants` and `tokens`.

use accounts::connections::Connection;
use accounts::tenancy::{Credential, Tenant, Token};
use accounts::{Resource, StorageError, StorageResult, Tenancy};
use diesel::prelude::*;
use jiff::Timestamp;
use scim_protocol::fold::fold;
use uuid::Uuid;

use super::Session;
use crate::error::failed;
use crate::schema::{catalogue_versions, objects, tenants, tokens};
use crate::types::{Id, Json, Stamp};

type TenantRow = (Id, String, Stamp);
pub(super) type ConnectionRow = (Id, Json);
type TokenRow = (Id, String, Id, Vec<u8>, Stamp, Stamp, Option<Stamp>);

const TENANT: (tenants::id, tenants::name, tenants::created_at) =
    (tenants::id, tenants::name, tenants::created_at);

fn tenant((id, name, created): TenantRow) -> Tenant {
    Tenant { id: id.0, name, created: created.0 }
}

pub(super) fn connection((id, document): ConnectionRow) -> StorageResult<Connection> {
    let attributes = document.into_object();
    let stub = Resource {
        id: id.0,
        version: 1,
        created: Timestamp::UNIX_EPOCH,
        last_modified: Timestamp::UNIX_EPOCH,
        attributes,
    };
    Connection::of(&stub).map_err(|error| StorageError::Failed(Box::new(error)))
}

fn token((tenant, id, connection, secret_hash, created, expires, revoked): TokenRow) -> Token {
    Token {
        id,
        tenant: tenant.0,
        connection: connection.0,
        secret_hash,
        created: created.0,
        expires: expires.0,
        revoked: revoked.map(|at| at.0),
    }
}

macro_rules! tokens_with_connections {
    () => {
        tokens::table
            .inner_join(
                objects::table.on(objects::tenant_id
                    .eq(tokens::tenant_id)
                    .and(objects::id.eq(tokens::connection_id))
                    .and(objects::deleted_at.is_null())),
            )
            .inner_join(
                catalogue_versions::table.on(catalogue_versions::tenant_id.eq(tokens::tenant_id)),
            )
            .select((
                tokens::all_columns,
                (objects::id, objects::document),
                catalogue_versions::version,
            ))
    };
}

impl Tenancy for Session {
    fn insert_tenant(&mut self, tenant: &Tenant) -> StorageResult<bool> {
        let inserted = diesel::insert_into(tenants::table)
            .values((
                tenants::id.eq(Id(tenant.id)),
                tenants::name.eq(&tenant.name),
                tenants::name_key.eq(fold(&tenant.name)),
                tenants::created_at.eq(Stamp(tenant.created)),
            ))
            .on_conflict_do_nothing()
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(inserted == 1)
    }

    fn tenants(&mut self) -> StorageResult<Vec<Tenant>> {
        let rows: Vec<TenantRow> = tenants::table
            .order(tenants::name_key)
            .select(TENANT)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(rows.into_iter().map(tenant).collect())
    }

    fn tenant_named(&mut self, name: &str) -> StorageResult<Option<Tenant>> {
        let row: Option<TenantRow> = tenants::table
            .filter(tenants::name_key.eq(fold(name.trim())))
            .select(TENANT)
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(row.map(tenant))
    }

    fn insert_token(&mut self, token: &Token) -> StorageResult<()> {
        self.view.write();
        diesel::insert_into(tokens::table)
            .values((
                tokens::tenant_id.eq(Id(token.tenant)),
                tokens::id.eq(&token.id),
                tokens::connection_id.eq(Id(token.connection)),
                tokens::secret_hash.eq(&token.secret_hash),
                tokens::created_at.eq(Stamp(token.created)),
                tokens::expires_at.eq(Stamp(token.expires)),
                tokens::revoked_at.eq(token.revoked.map(Stamp)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn tokens(&mut self, tenant: Uuid) -> StorageResult<Vec<(Token, Connection)>> {
        let rows: Vec<(TokenRow, ConnectionRow, i64)> = tokens_with_connections!()
            .filter(tokens::tenant_id.eq(Id(tenant)))
            .order((tokens::created_at.desc(), tokens::id))
            .load(self.conn()?)
            .map_err(failed)?;
        rows.into_iter().map(|(t, c, _)| Ok((token(t), connection(c)?))).collect()
    }

    fn credentials(&mut self, token_id: &str) -> StorageResult<Vec<Credential>> {
        if let Some(known) = self.known_credential(token_id)? {
            return Ok(vec![known]);
        }
        // The version is read together with the token: one that is newer would vouch for what is old.
        let rows: Vec<(TokenRow, ConnectionRow, i64)> = tokens_with_connections!()
            .filter(tokens::id.eq(token_id))
            .load(self.conn()?)
            .map_err(failed)?;
        let found = rows
            .into_iter()
            .map(|(t, c, at)| Ok((at, Credential { token: token(t), connection: connection(c)? })))
            .collect::<StorageResult<Vec<_>>>()?;
        // Of two tenants that have a token of this name neither is to hide the other.
        if let [(version, only)] = &found[..]
            && !self.view.has_written()
        {
            self.view.keep_credential(*version, only);
        }
        Ok(found.into_iter().map(|(_, credential)| credential).collect())
    }

    fn revoke_token(
        &mut self,
        tenant: Uuid,
        token_id: &str,
        now: Timestamp,
    ) -> StorageResult<usize> {
        self.view.write();
        let token = tokens::table.find((Id(tenant), token_id));
        diesel::update(token.filter(tokens::revoked_at.is_null()))
            .set(tokens::revoked_at.eq(Stamp(now)))
            .execute(self.conn()?)
            .map_err(failed)
    }
}
