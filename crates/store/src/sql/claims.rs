//! The tables `identity_claims` and `external_ids`: whose a name is. Both are settled by their
//! unique keys, so that of two transactions that want one name exactly one gets it.

use std::collections::HashMap;

use accounts::identity::{Claim, ClaimKind, Release};
use accounts::{Claims, ExternalIds, Scope, StorageError, StorageResult};
use diesel::prelude::*;
use diesel::upsert::excluded;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use crate::error::{failed, unless_taken};
use crate::schema::{external_ids, identity_claims};
use crate::types::{Id, Stamp};

impl Session {
    fn hash(&self, tenant: Uuid, claim: &Claim) -> StorageResult<Vec<u8>> {
        self.1.of_claim(tenant, claim).map_err(|error| StorageError::Failed(Box::new(error)))
    }
}

impl Claims for Session {
    fn claim(
        &mut self,
        tenant: Uuid,
        account: Uuid,
        claim: &Claim,
        now: Timestamp,
    ) -> StorageResult<bool> {
        use diesel::query_dsl::methods::FilterDsl;
        let hash = self.hash(tenant, claim)?;
        let insert = diesel::insert_into(identity_claims::table)
            .values((
                identity_claims::tenant_id.eq(Id(tenant)),
                identity_claims::kind.eq(claim.kind.as_str()),
                identity_claims::value_hash.eq(hash),
                identity_claims::user_id.eq(Id(account)),
                identity_claims::is_current.eq(true),
                identity_claims::burned.eq(false),
                identity_claims::first_used_at.eq(Stamp(now)),
                identity_claims::last_used_at.eq(Stamp(now)),
            ))
            .on_conflict((
                identity_claims::tenant_id,
                identity_claims::kind,
                identity_claims::value_hash,
            ))
            .do_update()
            .set((
                identity_claims::is_current.eq(true),
                identity_claims::last_used_at.eq(excluded(identity_claims::last_used_at)),
            ));
        // The owner renews its claim; for anybody else no row is written.
        let written = FilterDsl::filter(
            insert,
            identity_claims::user_id.eq(excluded(identity_claims::user_id)),
        )
        .execute(&mut self.0)
        .map_err(failed)?;
        Ok(written == 1)
    }

    fn retire_claim(&mut self, tenant: Uuid, account: Uuid, claim: &Claim) -> StorageResult<()> {
        let key = (Id(tenant), claim.kind.as_str(), self.hash(tenant, claim)?);
        let owned =
            identity_claims::table.find(key).filter(identity_claims::user_id.eq(Id(account)));
        diesel::update(owned)
            .set(identity_claims::is_current.eq(false))
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }

    fn owners(&mut self, tenant: Uuid, claims: &[Claim]) -> StorageResult<Vec<(Claim, Uuid)>> {
        let mut owned = Vec::new();
        for kind in [ClaimKind::UserName, ClaimKind::Email] {
            let mut hashed = HashMap::new();
            for claim in claims.iter().filter(|claim| claim.kind == kind) {
                hashed.insert(self.hash(tenant, claim)?, claim);
            }
            if hashed.is_empty() {
                continue;
            }
            let rows: Vec<(Vec<u8>, Id)> = identity_claims::table
                .filter(identity_claims::tenant_id.eq(Id(tenant)))
                .filter(identity_claims::kind.eq(kind.as_str()))
                .filter(identity_claims::value_hash.eq_any(hashed.keys()))
                .select((identity_claims::value_hash, identity_claims::user_id))
                .load(&mut self.0)
                .map_err(failed)?;
            let of_claims = rows.iter().filter_map(|(hash, id)| Some((*hashed.get(hash)?, id.0)));
            owned.extend(of_claims.map(|(claim, id)| (claim.clone(), id)));
        }
        owned.sort();
        Ok(owned)
    }

    fn burn_claims(&mut self, tenant: Uuid, account: Uuid, claims: &[Claim]) -> StorageResult<()> {
        for claim in claims {
            let key = (Id(tenant), claim.kind.as_str(), self.hash(tenant, claim)?);
            let owned =
                identity_claims::table.find(key).filter(identity_claims::user_id.eq(Id(account)));
            diesel::update(owned)
                .set(identity_claims::burned.eq(true))
                .execute(&mut self.0)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn release_claim(&mut self, tenant: Uuid, claim: &Claim) -> StorageResult<Release> {
        let key = (Id(tenant), claim.kind.as_str(), self.hash(tenant, claim)?);
        let found = identity_claims::table.find(key);
        let free = found
            .clone()
            .filter(identity_claims::burned.eq(false).and(identity_claims::is_current.eq(false)));
        if diesel::delete(free).execute(&mut self.0).map_err(failed)? == 1 {
            return Ok(Release::Released);
        }
        let burned: Option<bool> =
            found.select(identity_claims::burned).first(&mut self.0).optional().map_err(failed)?;
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
            diesel::delete(external_ids::table.find(key)).execute(&mut self.0).map_err(failed)?;
            return Ok(true);
        };
        let set = diesel::insert_into(external_ids::table)
            .values((
                external_ids::tenant_id.eq(Id(scope.tenant)),
                external_ids::connection_id.eq(Id(scope.connection)),
                external_ids::resource_type.eq(resource_type),
                external_ids::resource_id.eq(Id(resource)),
                external_ids::external_id.eq(external_id),
            ))
            .on_conflict((
                external_ids::tenant_id,
                external_ids::resource_id,
                external_ids::connection_id,
            ))
            .do_update()
            .set(external_ids::external_id.eq(external_id))
            .execute(&mut self.0);
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
            .first(&mut self.0)
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
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }
}
