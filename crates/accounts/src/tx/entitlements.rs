//! What accounts have been given: roles, skills and seats.

use jiff::Timestamp;
use uuid::Uuid;

use super::StorageResult;
use crate::authorization::{DivisionScope, PermissionSet, Tier};
use crate::skill_set::Proficiency;

/// A role that a user or group holds somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The user or group.
    pub subject: Uuid,
    /// The role.
    pub role: Uuid,
    /// Where.
    pub division: DivisionScope,
    /// Who granted it: `scim`, `admin`, `bulk`, `template` or `system`.
    pub source: String,
    /// When.
    pub granted: Timestamp,
    /// Whether it sleeps, because the account is disabled.
    pub dormant: bool,
    /// When a sleeping one ends.
    pub purge_at: Option<Timestamp>,
    /// Whether the client calls the role its user's primary one; then it is so in all divisions.
    pub primary: bool,
}

/// A role that a user holds through a group, which it is in directly or through other groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InheritedGrant {
    /// The user.
    pub user: Uuid,
    /// The group that has the grant.
    pub group: Uuid,
    /// Its name.
    pub group_name: String,
    /// Whether every group on the way is enabled: a disabled one confers nothing (rule R73).
    pub enabled: bool,
    /// The role.
    pub role: Uuid,
    /// Where.
    pub division: DivisionScope,
}

/// A skill that a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillAssignment {
    /// The skill.
    pub skill: Uuid,
    /// How well.
    pub proficiency: Proficiency,
    /// Whether it counts.
    pub active: bool,
}

/// Something that depends on a person (rule R55).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it is: `queueMembership`, `scheduledReport`, `callback`, `flowOwner`, `managerOf` or
    /// `groupOwner`.
    pub kind: String,
    /// Which.
    pub reference: String,
    /// What is to become of it: `dormant`, `needsReassign` or `reassignedTo`.
    pub disposition: String,
}

/// The seats of a licence tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeatCount {
    /// Accounts that have one.
    pub used: i64,
    /// Seats that are there to be taken; none in a pool without a limit.
    pub free: i64,
}

/// The table of grants.
pub trait Grants {
    /// The grants of several users or groups, each user's and group's in the order of roles.
    fn grants_of(&mut self, tenant: Uuid, subjects: &[Uuid]) -> StorageResult<Vec<Grant>>;
    /// Adds grants, in the place of those that are there already.
    fn put_grants(&mut self, tenant: Uuid, grants: &[Grant], to_groups: bool) -> StorageResult<()>;
    /// Removes grants of one user or group.
    fn remove_grants(
        &mut self,
        tenant: Uuid,
        subject: Uuid,
        grants: &[(Uuid, DivisionScope)],
    ) -> StorageResult<()>;
    /// Users, at most so many, with grants that slept until an instant.
    fn users_with_ended_grants(
        &mut self,
        tenant: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>>;
    /// What several users hold through groups.
    fn inherited_grants(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<InheritedGrant>>;
    /// The users and groups that hold a role at an instant, at most so many; whether each is a group.
    fn holders_of_role(
        &mut self,
        tenant: Uuid,
        role: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<(Uuid, bool)>>;
    /// How many users hold each of these roles directly or through groups.
    fn count_role_users(&mut self, tenant: Uuid, roles: &[Uuid])
    -> StorageResult<Vec<(Uuid, i64)>>;
    /// Whether a user holds a role, directly or through enabled groups.
    fn holds_role(&mut self, tenant: Uuid, user: Uuid, role: Uuid) -> StorageResult<bool>;
    /// Whether a group, or one that it is in, has a role.
    fn group_confers(&mut self, tenant: Uuid, group: Uuid, role: Uuid) -> StorageResult<bool>;
    /// Users that hold a role directly or through enabled groups and are enabled: how many, and
    /// how many of them have been activated.
    fn holders_at_work(&mut self, tenant: Uuid, role: Uuid) -> StorageResult<(i64, i64)>;
    /// Keeps others of the tenant from asking for this until this transaction ends, so that what
    /// is counted of holders stays true (rule R40).
    fn lock_holders(&mut self, tenant: Uuid) -> StorageResult<()>;
    /// Sets what the policies of a role give.
    fn set_role_permissions(
        &mut self,
        tenant: Uuid,
        role: Uuid,
        permissions: &PermissionSet,
    ) -> StorageResult<()>;
    /// What the policies of these roles give, as it was set.
    fn permissions_of(
        &mut self,
        tenant: Uuid,
        roles: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, PermissionSet)>>;
}

/// The table of skill assignments.
pub trait Assignments {
    /// The skills of several users.
    fn skills_of(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, SkillAssignment)>>;
    /// Gives a user exactly these skills.
    fn set_skills(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        skills: &[SkillAssignment],
    ) -> StorageResult<()>;
    /// The users that have a skill, at most so many.
    fn users_with_skill(
        &mut self,
        tenant: Uuid,
        skill: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>>;
    /// How many users are in a division, and how many grants are in it at an instant.
    fn count_in_division(
        &mut self,
        tenant: Uuid,
        division: Uuid,
        now: Timestamp,
    ) -> StorageResult<(i64, i64)>;
    /// The users that have a capacity rule of their own, at most so many.
    fn users_with_capacity_rule(
        &mut self,
        tenant: Uuid,
        rule: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>>;
    /// The groups that have a capacity rule, at most so many.
    fn groups_with_capacity_rule(
        &mut self,
        tenant: Uuid,
        rule: Uuid,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>>;
    /// How many users and groups have a capacity rule of their own.
    fn count_with_capacity_rule(&mut self, tenant: Uuid, rule: Uuid) -> StorageResult<i64>;
}

/// The table of what depends on people.
pub trait Dependencies {
    /// What depends on each of these people, and is not reassigned: what other systems have said, and
    /// whom they manage.
    fn dependencies_of(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, Dependency)>>;
    /// Records what another system says of a person, in the place of what it said before.
    fn put_dependency(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        dependency: &Dependency,
    ) -> StorageResult<()>;
    /// Removes what was said of a person; everything of a kind if no reference is given. How many.
    fn remove_dependencies(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        kind: &str,
        reference: Option<&str>,
    ) -> StorageResult<usize>;
}

/// The pools of seats (rules R11 to R13).
pub trait Seats {
    /// Takes a seat of a limited pool; `false` if none is free. `wait` waits for those who are
    /// taking the last ones.
    fn take_seat(
        &mut self,
        tenant: Uuid,
        tier: Tier,
        near: Uuid,
        wait: bool,
    ) -> StorageResult<bool>;
    /// Takes a seat of a limited pool with the last that this unit of work writes, which is run again if
    /// none is found then; `false` if this store or this unit cannot do so, and it is to be taken now.
    fn take_seat_at_end(&mut self, tenant: Uuid, tier: Tier, near: Uuid) -> StorageResult<bool>;
    /// Whether a seat of a limited pool is free.
    fn has_free_seat(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<bool>;
    /// Puts a seat back into a limited pool.
    fn put_seat(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<()>;
    /// The seats of a pool, as they are at one instant.
    fn seats(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<SeatCount>;
    /// Adds free seats to a pool, or with a negative number takes so many away; by how many the
    /// pool is larger now.
    fn resize_pool(&mut self, tenant: Uuid, tier: Tier, by: i64) -> StorageResult<i64>;
}
