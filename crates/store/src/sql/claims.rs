//! The tables `identity_claims` and `external_ids`: whose a name is. Both are settled by their
//! unique keys, so that of two transactions that want one name exactly one gets it.

use std::collections::HashMap;

use accounts::identity::{Claim, ClaimKind, Release};
use accounts::{Claims, ExternalIds, Scope, StorageResult};
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use super::posted::Write;
use super::statement::Statement;
use crate::error::{failed, unless_taken};
use crate::schema::{external_ids, identity_claims};
use crate::search::{Bind, Columns, Pieces};
use crate::types::{Id, Stamp};

impl Session {
    pub(super) fn hash(&self, tenant: Uuid, claim: &Claim) -> Vec<u8> {
        self.keyring.of_claim(tenant, claim)
    }

    /// A row of a claim that is made now.
    pub(super) fn claim_row(
        &self,
        tenant: Uuid,
        account: Uuid,
        claim: &Claim,
        now: Timestamp,
    ) -> Columns {
        vec![
            ("tenant_id", Bind::Id(Id(tenant))),
            ("kind", Bind::Text(claim.kind.as_str().to_owned())),
            ("value_hash", Bind::Bytes(self.hash(tenant, claim))),
            ("user_id", Bind::Id(Id(account))),
            ("is_current", Bind::Boolean(true)),
            ("burned", Bind::Boolean(false)),
            ("first_used_at", Bind::Stamp(Stamp(now))),
            ("last_used_at", Bind::Stamp(Stamp(now))),
        ]
    }

    /// The statement that makes claims. The owner renews its claim; for anybody else no row is
    /// written.
    pub(super) fn insert_claims(
        &self,
        tenant: Uuid,
        account: Uuid,
        claims: &[Claim],
        now: Timestamp,
    ) -> Pieces {
        let rows = claims.iter().map(|claim| self.claim_row(tenant, account, claim, now));
        let mut pieces = Pieces::insert("identity_claims", rows);
        pieces.sql(
            " ON CONFLICT (tenant_id, value_hash, kind) DO UPDATE SET is_current = TRUE, \
             last_used_at = excluded.last_used_at WHERE identity_claims.user_id = excluded.user_id",
        );
        pieces
    }

    /// The first of the claims that is another's.
    pub(super) fn claimed_by_another(
        &mut self,
        tenant: Uuid,
        account: Uuid,
        claims: &[Claim],
    ) -> StorageResult<Option<Claim>> {
        let owners = self.owners(tenant, claims)?;
        let of_other = |claim: &&Claim| {
            owners.iter().any(|(owned, owner)| owned == *claim && *owner != account)
        };
        Ok(claims.iter().find(of_other).cloned())
    }
}

impl Claims for Session {
    fn claim(
        &mut self,
        tenant: Uuid,
        account: Uuid,
        claims: &[Claim],
        now: Timestamp,
    ) -> StorageResult<Option<Claim>> {
        if claims.is_empty() {
            return Ok(None);
        }
        let pieces = self.insert_claims(tenant, account, claims, now);
        let written = Statement::of_some(pieces, claims.len()).execute(self.conn()?);
        if written.map_err(failed)? == claims.len() {
            return Ok(None);
        }
        self.claimed_by_another(tenant, account, claims)
    }

    fn retire_claim(&mut self, tenant: Uuid, account: Uuid, claim: &Claim) -> StorageResult<()> {
        let key = (Id(tenant), self.hash(tenant, claim), claim.kind.as_str());
        let owned =
            identity_claims::table.find(key).filter(identity_claims::user_id.eq(Id(account)));
        diesel::update(owned)
            .set(identity_claims::is_current.eq(false))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn owners(&mut self, tenant: Uuid, claims: &[Claim]) -> StorageResult<Vec<(Claim, Uuid)>> {
        let mut owned = Vec::new();
        for kind in [ClaimKind::UserName, ClaimKind::Email] {
            let mut hashed = HashMap::new();
            for claim in claims.iter().filter(|claim| claim.kind == kind) {
                hashed.insert(self.hash(tenant, claim), claim);
            }
            if hashed.is_empty() {
                continue;
            }
            let rows: Vec<(Vec<u8>, Id)> = identity_claims::table
                .filter(identity_claims::tenant_id.eq(Id(tenant)))
                .filter(identity_claims::kind.eq(kind.as_str()))
                .filter(identity_claims::value_hash.eq_any(hashed.keys()))
                .select((identity_claims::value_hash, identity_claims::user_id))
                .load(self.conn()?)
                .map_err(failed)?;
            let of_claims = rows.iter().filter_map(|(hash, id)| Some((*hashed.get(hash)?, id.0)));
            owned.extend(of_claims.map(|(claim, id)| (claim.clone(), id)));
        }
        owned.sort();
        Ok(owned)
    }

    fn burn_claims(&mut self, tenant: Uuid, account: Uuid, claims: &[Claim]) -> StorageResult<()> {
        if claims.is_empty() {
            return Ok(());
        }
        let mut pieces = Pieces::default();
        pieces.sql("UPDATE identity_claims SET burned = TRUE WHERE tenant_id = ").id(tenant);
        pieces.sql(" AND user_id = ").id(account).sql(" AND NOT burned AND (");
        for (at, claim) in claims.iter().enumerate() {
            pieces.sql(if at == 0 { "(kind = " } else { " OR (kind = " });
            pieces.bind(Bind::Text(claim.kind.as_str().to_owned())).sql(" AND value_hash = ");
            pieces.bind(Bind::Bytes(self.hash(tenant, claim))).sql(")");
        }
        pieces.sql(")");
        self.post(Write::Of("identity_claims", pieces, claims.len()))
    }

    fn release_claim(&mut self, tenant: Uuid, claim: &Claim) -> StorageResult<Release> {
        let key = (Id(tenant), self.hash(tenant, claim), claim.kind.as_str());
        let found = identity_claims::table.find(key);
        let free = found
            .clone()
            .filter(identity_claims::burned.eq(false).and(identity_claims::is_current.eq(false)));
        if diesel::delete(free).execute(self.conn()?).map_err(failed)? == 1 {
            return Ok(Release::Released);
        }
        let burned: Option<bool> =
            found.select(identity_claims::burned).first(self.conn()?).optional().map_err(failed)?;
        Ok(match burned {
            None => Release::Unknown,
            Some(true) => Release::Burned,
            Some(false) => Release::Current,
        })
    }
}

impl ExternalIds for Session {
    fn set_external_id(
        &mut self,
        scope: Scope,
        resource_type: &'static str,
        resource: Uuid,
        external_id: Option<&str>,
    ) -> StorageResult<bool> {
        let key = (Id(scope.tenant), Id(resource), Id(scope.connection));
        let Some(external_id) = external_id else {
            diesel::delete(external_ids::table.find(key)).execute(self.conn()?).map_err(failed)?;
            return Ok(true);
        };
        let row = external_id_row(scope, resource_type, resource, external_id);
        let mut pieces = Pieces::insert("external_ids", [row]);
        pieces.sql(
            " ON CONFLICT (tenant_id, resource_id, connection_id) \
             DO UPDATE SET external_id = excluded.external_id",
        );
        let set = Statement::fixed(pieces).execute(self.conn()?);
        unless_taken(set)
    }

    fn owner_of_external_id(
        &mut self,
        scope: Scope,
        resource_type: &'static str,
        external_id: &str,
    ) -> StorageResult<Option<Uuid>> {
        let owner: Option<Id> = external_ids::table
            .filter(external_ids::tenant_id.eq(Id(scope.tenant)))
            .filter(external_ids::external_id.eq(external_id))
            .filter(external_ids::connection_id.eq(Id(scope.connection)))
            .filter(external_ids::resource_type.eq(resource_type))
            .select(external_ids::resource_id)
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(owner.map(|id| id.0))
    }

    fn forget_external_ids(
        &mut self,
        tenant: Uuid,
        resource_type: &'static str,
        resource: Uuid,
    ) -> StorageResult<()> {
        let of_resource = external_ids::tenant_id
            .eq(Id(tenant))
            .and(external_ids::resource_id.eq(Id(resource)))
            .and(external_ids::resource_type.eq(resource_type));
        diesel::delete(external_ids::table.filter(of_resource))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }
}

/// A row of what a connection calls a resource.
pub(super) fn external_id_row(
    scope: Scope,
    resource_type: &str,
    resource: Uuid,
    external_id: &str,
) -> Columns {
    vec![
        ("tenant_id", Bind::Id(Id(scope.tenant))),
        ("connection_id", Bind::Id(Id(scope.connection))),
        ("resource_type", Bind::Text(resource_type.to_owned())),
        ("resource_id", Bind::Id(Id(resource))),
        ("external_id", Bind::Text(external_id.to_owned())),
    ]
}
