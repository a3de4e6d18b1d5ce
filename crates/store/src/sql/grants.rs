//! The tables `grants` and `role_permissions`: who holds which role where, directly or through
//! groups.
//!
//! What groups confer is never stored for a user: it is found by way of the memberships, up from
//! users or down from groups. A group that is disabled confers nothing, and neither does what it
//! is in confer anything through it.

use accounts::authorization::{DivisionScope, PermissionSet, Tier, catalogue::named};
use accounts::{Grant, Grants, InheritedGrant, StorageResult};
use diesel::prelude::*;
use diesel::upsert::excluded;
use jiff::Timestamp;
use uuid::Uuid;

use super::holdings::scope_id;
use super::statement::{CountRow, HolderRow, HoldersRow, Statement};
use super::{Session, lock_holders};
use crate::error::failed;
use crate::schema::{grants, objects, role_permissions};
use crate::search::{Bind, Pieces};
use crate::types::{Id, Stamp};

#[derive(Insertable)]
#[diesel(table_name = grants)]
#[diesel(treat_none_as_default_value = false)]
struct GrantRow {
    tenant_id: Id,
    subject_id: Id,
    role_id: Id,
    scope_id: Id,
    division_id: Option<Id>,
    is_group: bool,
    source: String,
    granted_at: Stamp,
    dormant: bool,
    is_primary: bool,
    purge_at: Option<Stamp>,
}

fn row(tenant: Uuid, grant: &Grant, is_group: bool) -> GrantRow {
    let division_id = match grant.division {
        DivisionScope::All => None,
        DivisionScope::One(id) => Some(Id(id)),
    };
    GrantRow {
        tenant_id: Id(tenant),
        subject_id: Id(grant.subject),
        role_id: Id(grant.role),
        scope_id: scope_id(grant.division),
        division_id,
        is_group,
        source: grant.source.clone(),
        granted_at: Stamp(grant.granted),
        dormant: grant.dormant,
        is_primary: grant.primary,
        purge_at: grant.purge_at.map(Stamp),
    }
}

/// `above`: the groups that hold each of these users, with whether each on the way is enabled.
///
/// SQLite takes the tables of a CROSS JOIN in the order in which they are written: up from the few
/// that are asked for. Left to itself it may go through all that the tenant has.
fn above_users(tenant: Uuid, users: &[Uuid]) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "WITH RECURSIVE above (user_id, group_id, enabled) AS ( \
         SELECT m.member_id, m.group_id, g.enabled FROM memberships AS m \
         CROSS JOIN \"groups\" AS g \
         WHERE g.tenant_id = m.tenant_id AND g.id = m.group_id AND m.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND m.member_id IN (").ids(users).sql(
        ") UNION SELECT above.user_id, m.group_id, (above.enabled AND g.enabled) FROM above \
         CROSS JOIN memberships AS m CROSS JOIN \"groups\" AS g \
         WHERE m.member_id = above.group_id \
         AND g.tenant_id = m.tenant_id AND g.id = m.group_id AND m.tenant_id = ",
    );
    pieces.id(tenant).sql(")");
    pieces
}

/// `holders`: the users that hold a role, directly or through groups that are enabled.
fn holders_of(tenant: Uuid, role: Uuid) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "WITH RECURSIVE conferring (group_id) AS ( \
         SELECT gr.subject_id FROM grants AS gr \
         JOIN \"groups\" AS g ON g.tenant_id = gr.tenant_id AND g.id = gr.subject_id \
         WHERE gr.is_group AND g.enabled AND g.deleted_at IS NULL AND gr.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND gr.role_id = ").id(role).sql(
        " UNION SELECT m.member_id FROM conferring \
         CROSS JOIN memberships AS m CROSS JOIN \"groups\" AS g \
         WHERE m.group_id = conferring.group_id \
         AND g.tenant_id = m.tenant_id AND g.id = m.member_id \
         AND m.is_group AND g.enabled AND m.tenant_id = ",
    );
    pieces.id(tenant).sql(
        "), holders (user_id) AS ( \
         SELECT gr.subject_id FROM grants AS gr \
         WHERE NOT gr.is_group AND NOT gr.dormant AND gr.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND gr.role_id = ").id(role).sql(
        " UNION SELECT m.member_id FROM conferring CROSS JOIN memberships AS m \
         WHERE m.group_id = conferring.group_id AND NOT m.is_group AND m.tenant_id = ",
    );
    pieces.id(tenant).sql(")");
    pieces
}

impl Grants for Session {
    fn grants_of(&mut self, tenant: Uuid, subjects: &[Uuid]) -> StorageResult<Vec<Grant>> {
        Ok(self.holdings(tenant, subjects)?.grants.clone())
    }

    fn put_grants(&mut self, tenant: Uuid, wanted: &[Grant], to_groups: bool) -> StorageResult<()> {
        self.view.change_holdings();
        for wanted in wanted {
            diesel::insert_into(grants::table)
                .values(row(tenant, wanted, to_groups))
                .on_conflict((
                    grants::tenant_id,
                    grants::subject_id,
                    grants::role_id,
                    grants::scope_id,
                ))
                .do_update()
                .set((
                    grants::source.eq(excluded(grants::source)),
                    grants::granted_at.eq(excluded(grants::granted_at)),
                    grants::dormant.eq(excluded(grants::dormant)),
                    grants::is_primary.eq(excluded(grants::is_primary)),
                    grants::purge_at.eq(excluded(grants::purge_at)),
                ))
                .execute(self.conn()?)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn remove_grants(
        &mut self,
        tenant: Uuid,
        subject: Uuid,
        unwanted: &[(Uuid, DivisionScope)],
    ) -> StorageResult<()> {
        self.view.change_holdings();
        for (role, division) in unwanted {
            let key = (Id(tenant), Id(subject), Id(*role), scope_id(*division));
            diesel::delete(grants::table.find(key)).execute(self.conn()?).map_err(failed)?;
        }
        Ok(())
    }

    fn users_with_ended_grants(
        &mut self,
        tenant: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = grants::table
            .filter(grants::tenant_id.eq(Id(tenant)))
            .filter(grants::dormant.and(grants::purge_at.le(Stamp(now))))
            .filter(grants::is_group.eq(false))
            .order(grants::subject_id)
            .limit(limit.into())
            .select(grants::subject_id)
            .distinct()
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn inherited_grants(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<InheritedGrant>> {
        Ok(self.holdings(tenant, users)?.inherited.clone())
    }

    fn holders_of_role(
        &mut self,
        tenant: Uuid,
        role: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<(Uuid, bool)>> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT DISTINCT subject_id, is_group FROM grants WHERE tenant_id = ");
        pieces.id(tenant).sql(" AND role_id = ").id(role);
        pieces.sql(" AND (purge_at IS NULL OR purge_at > ").bind(Bind::Stamp(Stamp(now))).sql(")");
        pieces.sql(format!(" ORDER BY subject_id LIMIT {limit}"));
        let rows = Statement::dynamic(pieces).load::<HolderRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| (row.subject_id.0, row.is_group)).collect())
    }

    fn count_role_users(
        &mut self,
        tenant: Uuid,
        roles: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, i64)>> {
        let mut counts = Vec::with_capacity(roles.len());
        for role in roles {
            let mut pieces = holders_of(tenant, *role);
            pieces.sql(" SELECT COUNT(*) AS total FROM holders");
            let row = Statement::fixed(pieces).get_result::<CountRow>(self.conn()?);
            counts.push((*role, row.map_err(failed)?.total));
        }
        Ok(counts)
    }

    fn holds_role(&mut self, tenant: Uuid, user: Uuid, role: Uuid) -> StorageResult<bool> {
        if let Some(held) = self.view.holdings(tenant, &[user]) {
            let own = held.grants.iter().any(|grant| grant.role == role && !grant.dormant);
            let conferred = |grant: &InheritedGrant| grant.role == role && grant.enabled;
            return Ok(own || held.inherited.iter().any(conferred));
        }
        // What it has itself, and what the groups above it have: each by its key.
        let mut pieces = above_users(tenant, &[user]);
        pieces.sql(" SELECT (SELECT COUNT(*) FROM grants AS own WHERE own.tenant_id = ").id(tenant);
        pieces.sql(" AND own.subject_id = ").id(user).sql(" AND own.role_id = ").id(role);
        pieces.sql(" AND NOT own.dormant) + (SELECT COUNT(*) FROM above CROSS JOIN grants AS gr");
        pieces.sql(" WHERE above.enabled AND gr.tenant_id = ").id(tenant);
        pieces.sql(" AND gr.subject_id = above.group_id AND gr.role_id = ").id(role);
        pieces.sql(") AS total");
        let row = Statement::fixed(pieces).get_result::<CountRow>(self.conn()?).map_err(failed)?;
        Ok(row.total > 0)
    }

    fn group_confers(&mut self, tenant: Uuid, group: Uuid, role: Uuid) -> StorageResult<bool> {
        let mut pieces = above_users(tenant, &[group]);
        pieces.sql(" SELECT (SELECT COUNT(*) FROM grants AS own WHERE own.tenant_id = ").id(tenant);
        pieces.sql(" AND own.subject_id = ").id(group).sql(" AND own.role_id = ").id(role);
        pieces.sql(") + (SELECT COUNT(*) FROM above CROSS JOIN grants AS gr");
        pieces.sql(" WHERE gr.tenant_id = ").id(tenant);
        pieces.sql(" AND gr.subject_id = above.group_id AND gr.role_id = ").id(role);
        pieces.sql(") AS total");
        let row = Statement::fixed(pieces).get_result::<CountRow>(self.conn()?).map_err(failed)?;
        Ok(row.total > 0)
    }

    fn holders_at_work(&mut self, tenant: Uuid, role: Uuid) -> StorageResult<(i64, i64)> {
        let mut pieces = holders_of(tenant, role);
        pieces.sql(
            " SELECT COUNT(*) AS enabled, COUNT(u.activated_at) AS activated FROM holders \
             CROSS JOIN users AS u WHERE u.id = holders.user_id AND u.active AND u.tenant_id = ",
        );
        pieces.id(tenant);
        let row =
            Statement::fixed(pieces).get_result::<HoldersRow>(self.conn()?).map_err(failed)?;
        Ok((row.enabled, row.activated))
    }

    fn lock_holders(&mut self, tenant: Uuid) -> StorageResult<()> {
        lock_holders(self, tenant)
    }

    fn set_role_permissions(
        &mut self,
        tenant: Uuid,
        role: Uuid,
        permissions: &PermissionSet,
    ) -> StorageResult<()> {
        self.view.write();
        // The catalogue's version follows from the resource.
        diesel::update(objects::table.find((Id(tenant), Id(role))))
            .set(objects::id.eq(Id(role)))
            .execute(self.conn()?)
            .map_err(failed)?;
        let of_role =
            role_permissions::tenant_id.eq(Id(tenant)).and(role_permissions::role_id.eq(Id(role)));
        diesel::delete(role_permissions::table.filter(of_role))
            .execute(self.conn()?)
            .map_err(failed)?;
        let rows: Vec<_> = permissions
            .iter()
            .map(|id| {
                let permission = id.permission();
                (
                    role_permissions::tenant_id.eq(Id(tenant)),
                    role_permissions::role_id.eq(Id(role)),
                    role_permissions::permission.eq(permission.name()),
                    role_permissions::division_aware.eq(permission.division_aware),
                    role_permissions::blocked_tiers.eq(blocked_tiers(permission)),
                )
            })
            .collect();
        diesel::insert_into(role_permissions::table)
            .values(rows)
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn permissions_of(
        &mut self,
        tenant: Uuid,
        roles: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, PermissionSet)>> {
        let version = self.catalogue_version(tenant)?;
        let (mut found, mut missing) = (Vec::with_capacity(roles.len()), Vec::new());
        for role in roles {
            match version.and_then(|version| self.view.permissions(tenant, version, *role)) {
                Some(known) => found.push((*role, known)),
                None => missing.push(*role),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let ids: Vec<Id> = missing.iter().map(|role| Id(*role)).collect();
        let rows: Vec<(Id, String)> = role_permissions::table
            .filter(role_permissions::tenant_id.eq(Id(tenant)))
            .filter(role_permissions::role_id.eq_any(ids))
            .select((role_permissions::role_id, role_permissions::permission))
            .load(self.conn()?)
            .map_err(failed)?;
        for role in missing {
            let own = rows.iter().filter(|(of, _)| of.0 == role);
            let own: PermissionSet = own.filter_map(|(_, name)| named(name)).collect();
            if let Some(version) = version {
                self.view.keep_permissions(tenant, version, role, own);
            }
            found.push((role, own));
        }
        Ok(found)
    }
}

/// A bit for each tier that does not allow the permission, in the order of the catalogue.
fn blocked_tiers(permission: &accounts::authorization::Permission) -> i32 {
    let blocked =
        Tier::ALL.iter().enumerate().filter(|(_, tier)| !tier.lacks(permission).is_empty());
    blocked.fold(0, |bits, (at, _)| bits | 1 << at)
}
