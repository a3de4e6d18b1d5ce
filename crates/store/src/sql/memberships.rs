//! The table `memberships`.

use accounts::{GroupOf, Member, MemberKind, MembershipOf, Memberships, StorageResult};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Bool, Nullable, Text};
use jiff::Timestamp;
use uuid::Uuid;

use super::statement::{CountRow, IdRow, Statement};
use super::{DIALECT, Session, lock_nesting, own_membership, share_membership};
use crate::error::failed;
use crate::schema::{groups, memberships, users};
use crate::search::{Bind, Dialect, Pieces};
use crate::types::{Guid, Id, Stamp};

/// From so many on two ways more to the database are worth it.
const MANY: usize = 100;

/// Identifiers that are bound in one statement: below the limits of both databases.
const CHUNK: usize = 5_000;

fn chunks(ids: &[Uuid]) -> impl Iterator<Item = Vec<Id>> {
    ids.chunks(CHUNK).map(|chunk| chunk.iter().copied().map(Id).collect())
}

fn uuids(ids: Vec<Id>) -> impl Iterator<Item = Uuid> {
    ids.into_iter().map(|id| id.0)
}

impl Session {
    /// Those of these resources that are in a table, in the order of their identifiers.
    fn of_table(
        &mut self,
        table: &'static str,
        tenant: Uuid,
        ids: &[Uuid],
    ) -> StorageResult<Vec<Uuid>> {
        let mut pieces = Pieces::default();
        pieces
            .sql("SELECT resource.id FROM ")
            .sql(table)
            .sql(" AS resource WHERE resource.tenant_id = ");
        pieces.id(tenant).sql(" AND resource.deleted_at IS NULL AND resource.id");
        DIALECT.one_of(&mut pieces, ids);
        pieces.sql(" ORDER BY resource.id");
        let rows = Statement::fixed(pieces).load::<IdRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| row.id.0).collect())
    }

    /// Whether all of these users were visible and none was a member: in one statement, which looks for
    /// none that is in the way.
    fn try_all(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        users: &[Uuid],
        now: Timestamp,
    ) -> StorageResult<bool> {
        let mut pieces = Pieces::default();
        pieces.sql("INSERT INTO memberships (tenant_id, group_id, member_id, is_group, added_at) ");
        pieces.sql("SELECT ").id(tenant).sql(", ").id(group).sql(", resource.id, FALSE, ");
        pieces.bind(Bind::Stamp(Stamp(now))).sql(" FROM ");
        DIALECT.ids(&mut pieces, users);
        // For SQLite CROSS JOIN says in which order: it would go through all users for these.
        pieces.sql(" AS each CROSS JOIN users AS resource WHERE resource.tenant_id = ").id(tenant);
        pieces.sql(" AND resource.id = each.id AND resource.deleted_at IS NULL");
        match Statement::fixed(pieces).execute(self.conn()?) {
            Ok(added) => Ok(added == users.len()),
            Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Adds members of one kind: one statement whose text does not depend on how many there are.
    fn add_chunk(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        ids: &[Uuid],
        kind: MemberKind,
        now: Timestamp,
    ) -> StorageResult<impl Iterator<Item = Uuid> + use<>> {
        let mut pieces = Pieces::default();
        pieces.sql("INSERT INTO memberships (tenant_id, group_id, member_id, is_group, added_at) ");
        pieces.sql("SELECT ").id(tenant).sql(", ").id(group).sql(", each.id, ");
        pieces.sql(if kind == MemberKind::Group { "TRUE" } else { "FALSE" }).sql(", ");
        pieces.bind(Bind::Stamp(Stamp(now))).sql(" FROM ");
        DIALECT.ids(&mut pieces, ids);
        pieces.sql(" AS each WHERE TRUE ON CONFLICT (tenant_id, group_id, member_id) DO NOTHING");
        pieces.sql(" RETURNING member_id AS id");
        let rows = Statement::fixed(pieces).load::<IdRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| row.id.0))
    }
}

impl Memberships for Session {
    fn existing(&mut self, tenant: Uuid, ids: &[Uuid]) -> StorageResult<Vec<(Uuid, MemberKind)>> {
        // Locking each of them would write to each.
        share_membership(self, tenant)?;
        let mut existing = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let found = self.of_table("users", tenant, chunk)?;
            let all_found = found.len() == chunk.len();
            existing.extend(found.into_iter().map(|id| (id, MemberKind::User)));
            if all_found {
                continue;
            }
            let found = self.of_table("\"groups\"", tenant, chunk)?;
            existing.extend(found.into_iter().map(|id| (id, MemberKind::Group)));
        }
        Ok(existing)
    }

    fn add_all_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        users: &[Uuid],
        now: Timestamp,
    ) -> StorageResult<bool> {
        if users.len() < MANY {
            return Ok(false);
        }
        share_membership(self, tenant)?;
        self.conn()?.batch_execute("SAVEPOINT members").map_err(failed)?;
        let are_added = self.try_all(tenant, group, users, now)?;
        let end = if are_added { "" } else { "ROLLBACK TO SAVEPOINT members; " };
        self.conn()?.batch_execute(&format!("{end}RELEASE SAVEPOINT members")).map_err(failed)?;
        self.view.change_holdings();
        Ok(are_added)
    }

    fn add_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        members: &[(Uuid, MemberKind)],
        now: Timestamp,
    ) -> StorageResult<Vec<Uuid>> {
        self.view.change_holdings();
        if members.iter().any(|(_, kind)| *kind == MemberKind::Group) {
            self.view.nest();
        }
        let mut added = Vec::with_capacity(members.len());
        for kind in [MemberKind::User, MemberKind::Group] {
            let of_kind = members.iter().filter(|(_, of)| *of == kind);
            let ids: Vec<Uuid> = of_kind.map(|(id, _)| *id).collect();
            for chunk in ids.chunks(CHUNK) {
                added.extend(self.add_chunk(tenant, group, chunk, kind, now)?);
            }
        }
        Ok(added)
    }

    fn remove_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        members: &[Uuid],
    ) -> StorageResult<Vec<Uuid>> {
        self.view.change_holdings();
        let mut removed = Vec::new();
        for chunk in chunks(members) {
            let listed = memberships::tenant_id
                .eq(Id(tenant))
                .and(memberships::group_id.eq(Id(group)))
                .and(memberships::member_id.eq_any(chunk));
            let ids: Vec<Id> = diesel::delete(memberships::table.filter(listed))
                .returning(memberships::member_id)
                .get_results(self.conn()?)
                .map_err(failed)?;
            removed.extend(uuids(ids));
        }
        Ok(removed)
    }

    fn clear_members(&mut self, tenant: Uuid, group: Uuid) -> StorageResult<Vec<Uuid>> {
        self.view.change_holdings();
        let all = memberships::tenant_id.eq(Id(tenant)).and(memberships::group_id.eq(Id(group)));
        let ids: Vec<Id> = diesel::delete(memberships::table.filter(all))
            .returning(memberships::member_id)
            .get_results(self.conn()?)
            .map_err(failed)?;
        Ok(uuids(ids).collect())
    }

    fn members(&mut self, tenant: Uuid, group: Uuid, limit: u32) -> StorageResult<Vec<Member>> {
        let mut pieces = members_of(tenant, &[group]);
        pieces.sql(" LIMIT ").bind(Bind::Integer(limit.into()));
        let rows = Statement::fixed(pieces).load::<MemberRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| member(row).1).collect())
    }

    fn has_more_members(&mut self, tenant: Uuid, group: Uuid, than: u32) -> StorageResult<bool> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT COUNT(*) AS total FROM (SELECT 1 AS one FROM memberships AS held ");
        pieces.sql("WHERE held.tenant_id = ").id(tenant).sql(" AND held.group_id = ").id(group);
        pieces.sql(" LIMIT ").bind(Bind::Integer(i64::from(than) + 1)).sql(") AS held_now");
        let row = Statement::fixed(pieces).get_result::<CountRow>(self.conn()?).map_err(failed)?;
        Ok(row.total > i64::from(than))
    }

    fn members_of(&mut self, tenant: Uuid, groups: &[Uuid]) -> StorageResult<Vec<(Uuid, Member)>> {
        let mut members = Vec::new();
        for chunk in groups.chunks(CHUNK) {
            let of_groups = Statement::fixed(members_of(tenant, chunk));
            let rows = of_groups.load::<MemberRow>(self.conn()?).map_err(failed)?;
            members.extend(rows.into_iter().map(member));
        }
        Ok(members)
    }

    fn count_members(&mut self, tenant: Uuid, groups: &[Uuid]) -> StorageResult<Vec<(Uuid, i64)>> {
        let mut counts = Vec::with_capacity(groups.len());
        for chunk in chunks(groups) {
            let rows: Vec<(Id, i64)> = memberships::table
                .filter(memberships::tenant_id.eq(Id(tenant)))
                .filter(memberships::group_id.eq_any(chunk))
                .group_by(memberships::group_id)
                .select((memberships::group_id, diesel::dsl::count_star()))
                .load(self.conn()?)
                .map_err(failed)?;
            counts.extend(rows.into_iter().map(|(group, count)| (group.0, count)));
        }
        Ok(counts)
    }

    fn displays_of(&mut self, tenant: Uuid, ids: &[Uuid]) -> StorageResult<Vec<(Uuid, String)>> {
        let mut displays = Vec::with_capacity(ids.len());
        for chunk in chunks(ids) {
            let rows: Vec<(Id, String)> = users::table
                .filter(users::tenant_id.eq(Id(tenant)).and(users::id.eq_any(chunk)))
                .filter(users::deleted_at.is_null())
                .select((users::id, users::display))
                .load(self.conn()?)
                .map_err(failed)?;
            displays.extend(rows.into_iter().map(|(user, display)| (user.0, display)));
        }
        Ok(displays)
    }

    fn non_agents(&mut self, tenant: Uuid, ids: &[Uuid]) -> StorageResult<Vec<Uuid>> {
        let mut found = Vec::new();
        for chunk in chunks(ids) {
            let others: Vec<Id> = users::table
                .filter(users::tenant_id.eq(Id(tenant)).and(users::id.eq_any(chunk)))
                .filter(users::is_agent.eq(false).and(users::deleted_at.is_null()))
                .order(users::id)
                .select(users::id)
                .load(self.conn()?)
                .map_err(failed)?;
            found.extend(uuids(others));
        }
        Ok(found)
    }

    fn is_in_agent_group(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<bool> {
        let of_agents = memberships::table
            .inner_join(
                groups::table.on(groups::tenant_id
                    .eq(memberships::tenant_id)
                    .and(groups::id.eq(memberships::group_id))),
            )
            .filter(memberships::tenant_id.eq(Id(tenant)))
            .filter(memberships::member_id.eq(Id(user)))
            .filter(groups::kind.eq("agent"))
            // Of a membership only what the index has, or SQLite goes through all of the tenant's.
            .select(memberships::group_id);
        diesel::select(diesel::dsl::exists(of_agents)).get_result(self.conn()?).map_err(failed)
    }

    fn leave_all(
        &mut self,
        tenant: Uuid,
        id: Uuid,
        now: Timestamp,
    ) -> StorageResult<Vec<(Uuid, i64)>> {
        self.view.change_holdings();
        own_membership(self, tenant)?;
        // By the key, which SQLite would otherwise go through for all groups of the tenant.
        let mut pieces = Pieces::default();
        pieces.sql("DELETE FROM memberships WHERE tenant_id = ").id(tenant);
        pieces.sql(" AND group_id IN (SELECT held.group_id FROM memberships AS held");
        pieces.sql(" WHERE held.tenant_id = ").id(tenant).sql(" AND held.member_id = ").id(id);
        pieces.sql(") AND member_id = ").id(id).sql(" RETURNING group_id AS id");
        let rows = Statement::fixed(pieces).load::<IdRow>(self.conn()?).map_err(failed)?;
        let left: Vec<Id> = rows.into_iter().map(|row| row.id).collect();
        let mut changed = Vec::with_capacity(left.len());
        for chunk in left.chunks(CHUNK) {
            let of_tenant = groups::tenant_id.eq(Id(tenant));
            let rows: Vec<(Id, i64)> = diesel::update(
                groups::table.filter(of_tenant.and(groups::id.eq_any(chunk.to_vec()))),
            )
            .set((groups::version.eq(groups::version + 1), groups::modified_at.eq(Stamp(now))))
            .returning((groups::id, groups::version))
            .get_results(self.conn()?)
            .map_err(failed)?;
            changed.extend(rows.into_iter().map(|(group, version)| (group.0, version)));
        }
        Ok(changed)
    }

    fn lock_nesting(&mut self, tenant: Uuid) -> StorageResult<()> {
        lock_nesting(self, tenant)
    }

    /// In one statement: a walk up would be one for each level, and nesting may be deep. SQLite
    /// takes the tables of a CROSS JOIN in the order in which they are written.
    fn groups_above(&mut self, tenant: Uuid, member: Uuid) -> StorageResult<Vec<Uuid>> {
        let mut pieces = Pieces::default();
        pieces.sql("WITH RECURSIVE above (id) AS (SELECT group_id FROM memberships");
        pieces.sql(" WHERE tenant_id = ").id(tenant).sql(" AND member_id = ").id(member);
        pieces.sql(" UNION SELECT held.group_id FROM above CROSS JOIN memberships AS held");
        pieces.sql(" WHERE held.tenant_id = ").id(tenant).sql(" AND held.member_id = above.id)");
        pieces.sql(" SELECT id FROM above");
        let rows = Statement::fixed(pieces).load::<IdRow>(self.conn()?).map_err(failed)?;
        Ok(rows.into_iter().map(|row| row.id.0).collect())
    }

    fn groups_of(&mut self, tenant: Uuid, users: &[Uuid]) -> StorageResult<Vec<GroupOf>> {
        Ok(self.holdings(tenant, users)?.groups.clone())
    }

    fn memberships_of(
        &mut self,
        tenant: Uuid,
        members: &[Uuid],
    ) -> StorageResult<Vec<MembershipOf>> {
        let mut found = Vec::new();
        for chunk in chunks(members) {
            let rows: Vec<(Id, Id, String)> = memberships::table
                .inner_join(
                    groups::table.on(groups::tenant_id
                        .eq(memberships::tenant_id)
                        .and(groups::id.eq(memberships::group_id))),
                )
                .filter(memberships::tenant_id.eq(Id(tenant)))
                .filter(memberships::member_id.eq_any(chunk))
                .order((memberships::member_id, memberships::group_id))
                .select((memberships::member_id, memberships::group_id, groups::display))
                .load(self.conn()?)
                .map_err(failed)?;
            found.extend(rows.into_iter().map(|(member, group, display)| MembershipOf {
                member: member.0,
                group: group.0,
                display,
            }));
        }
        Ok(found)
    }
}

/// A member with its name as a user or as a group.
#[derive(QueryableByName)]
struct MemberRow {
    #[diesel(sql_type = Guid)]
    group_id: Id,
    #[diesel(sql_type = Guid)]
    member_id: Id,
    #[diesel(sql_type = Bool)]
    is_group: bool,
    #[diesel(sql_type = Nullable<Text>)]
    display: Option<String>,
}

/// The members of these groups. Each name is looked up: for a join a planner that does not know how
/// many members there are may read all people.
fn members_of(tenant: Uuid, groups: &[Uuid]) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "SELECT held.group_id, held.member_id, held.is_group, CASE WHEN held.is_group \
         THEN (SELECT g.display FROM \"groups\" AS g \
         WHERE g.tenant_id = held.tenant_id AND g.id = held.member_id) \
         ELSE (SELECT u.display FROM users AS u \
         WHERE u.tenant_id = held.tenant_id AND u.id = held.member_id) END AS display \
         FROM memberships AS held WHERE held.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND held.group_id");
    DIALECT.one_of(&mut pieces, groups);
    pieces.sql(" ORDER BY held.group_id, held.member_id");
    pieces
}

fn member(row: MemberRow) -> (Uuid, Member) {
    let kind = if row.is_group { MemberKind::Group } else { MemberKind::User };
    (row.group_id.0, Member { id: row.member_id.0, kind, display: row.display })
}
