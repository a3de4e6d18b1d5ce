//! The table `skill_assignments`, and who has been given what else.

use accounts::{Assignments, SkillAssignment, StorageResult};
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use crate::error::failed;
use crate::schema::{grants, groups, skill_assignments, users};
use crate::types::{Id, Stamp};

impl Assignments for Session {
    fn skills_of(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, SkillAssignment)>> {
        Ok(self.holdings(tenant, users)?.skills.clone())
    }

    fn set_skills(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        skills: &[SkillAssignment],
    ) -> StorageResult<()> {
        self.view.change_holdings();
        let of_user = skill_assignments::tenant_id
            .eq(Id(tenant))
            .and(skill_assignments::user_id.eq(Id(user)));
        diesel::delete(skill_assignments::table.filter(of_user))
            .execute(self.conn()?)
            .map_err(failed)?;
        let rows: Vec<_> = skills
            .iter()
            .map(|skill| {
                (
                    skill_assignments::tenant_id.eq(Id(tenant)),
                    skill_assignments::user_id.eq(Id(user)),
                    skill_assignments::skill_id.eq(Id(skill.skill)),
                    skill_assignments::proficiency.eq(i32::from(skill.proficiency.tenths())),
                    skill_assignments::active.eq(skill.active),
                )
            })
            .collect();
        if !rows.is_empty() {
            diesel::insert_into(skill_assignments::table)
                .values(rows)
                .execute(self.conn()?)
                .map_err(failed)?;
        }
        Ok(())
    }

    fn users_with_skill(
        &mut self,
        tenant: Uuid,
        skill: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>> {
        let users: Vec<Id> = skill_assignments::table
            .filter(skill_assignments::tenant_id.eq(Id(tenant)))
            .filter(skill_assignments::skill_id.eq(Id(skill)))
            .order(skill_assignments::user_id)
            .limit(limit.into())
            .select(skill_assignments::user_id)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(users.into_iter().map(|id| id.0).collect())
    }

    fn count_in_division(
        &mut self,
        tenant: Uuid,
        division: Uuid,
        now: Timestamp,
    ) -> StorageResult<(i64, i64)> {
        let accounts = users::table
            .filter(users::tenant_id.eq(Id(tenant)).and(users::division_id.eq(Id(division))))
            .filter(users::deleted_at.is_null())
            .count()
            .get_result(self.conn()?)
            .map_err(failed)?;
        let granted = grants::table
            .filter(grants::tenant_id.eq(Id(tenant)).and(grants::division_id.eq(Id(division))))
            .filter(grants::purge_at.is_null().or(grants::purge_at.gt(Stamp(now))))
            .count()
            .get_result(self.conn()?)
            .map_err(failed)?;
        Ok((accounts, granted))
    }

    fn users_with_capacity_rule(
        &mut self,
        tenant: Uuid,
        rule: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = users::table
            .filter(users::tenant_id.eq(Id(tenant)).and(users::capacity_rule_id.eq(Id(rule))))
            .filter(users::deleted_at.is_null())
            .order(users::id)
            .limit(limit.into())
            .select(users::id)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn groups_with_capacity_rule(
        &mut self,
        tenant: Uuid,
        rule: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = groups::table
            .filter(groups::tenant_id.eq(Id(tenant)).and(groups::capacity_rule_id.eq(Id(rule))))
            .filter(groups::deleted_at.is_null())
            .order(groups::id)
            .limit(limit.into())
            .select(groups::id)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn count_with_capacity_rule(&mut self, tenant: Uuid, rule: Uuid) -> StorageResult<i64> {
        let of_users: i64 = users::table
            .filter(users::tenant_id.eq(Id(tenant)).and(users::capacity_rule_id.eq(Id(rule))))
            .filter(users::deleted_at.is_null())
            .count()
            .get_result(self.conn()?)
            .map_err(failed)?;
        let of_groups: i64 = groups::table
            .filter(groups::tenant_id.eq(Id(tenant)).and(groups::capacity_rule_id.eq(Id(rule))))
            .filter(groups::deleted_at.is_null())
            .count()
            .get_result(self.conn()?)
            .map_err(failed)?;
        Ok(of_users + of_groups)
    }
}
