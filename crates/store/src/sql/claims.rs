//! The tables `identity_claims` and `external_ids`: whose a name is. Both are settled by their
//! unique keys, so that of two transactions that want one name exactly one gets it.

use accounts::identity::Claim;
use accounts::{Claims, ExternalIds, Scope, StorageResult};
use diesel::prelude::*;
use diesel::upsert::excluded;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use crate::error::{failed, unless_taken};
use crate::schema::{external_ids, identity_claims};
use crate::types::{Id, Stamp};

impl Claims for Session {
    fn claim(
        &mut self,
        tenant: Uuid,
        account: Uuid,
        claim: &Claim,
        now: Timestamp,
    ) -> StorageResult<bool> {
        use diesel::query_dsl::methods::FilterDsl;
        let insert = diesel::insert_into(identity_claims::table)
            .values((
                identity_claims::tenant_id.eq(Id(tenant)),
                identity_claims::kind.eq(claim.kind.as_str()),
                identity_claims::value_key.eq(&claim.key),
                identity_claims::user_id.eq(Id(account)),
                identity_claims::is_current.eq(true),
                identity_claims::first_used_at.eq(Stamp(now)),
                identity_claims::last_used_at.eq(Stamp(now)),
            ))
            .on_conflict((
                identity_claims::tenant_id,
                identity_claims::kind,
                identity_claims::value_key,
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
        let key = (Id(tenant), claim.kind.as_str(), claim.key.as_str());
        let owned =
            identity_claims::table.find(key).filter(identity_claims::user_id.eq(Id(account)));
        diesel::update(owned)
            .set(identity_claims::is_current.eq(false))
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
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
