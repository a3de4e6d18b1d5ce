//! Who is in which group.

use jiff::Timestamp;
use uuid::Uuid;

use super::StorageResult;

/// What a member of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// An account.
    User,
    /// Another group.
    Group,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its identifier.
    pub id: Uuid,
    /// What it is.
    pub kind: MemberKind,
    /// Its name for a person.
    pub display: Option<String>,
}

/// A group that something is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipOf {
    /// The member.
    pub member: Uuid,
    /// The group.
    pub group: Uuid,
    /// The group's name.
    pub display: String,
}

/// A group that holds an account, directly or through other groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOf {
    /// The account.
    pub user: Uuid,
    /// The group.
    pub group: Uuid,
    /// The group's name.
    pub display: String,
    /// Whether the account is one of its members, be it also in it through others.
    pub direct: bool,
}

/// The table of memberships.
pub trait Memberships {
    /// Which of these identifiers are visible users or groups. They stay so until this
    /// transaction ends.
    fn existing(&mut self, tenant: Uuid, ids: &[Uuid]) -> StorageResult<Vec<(Uuid, MemberKind)>>;
    /// Adds many users, if each of them is visible and none is a member yet: whether they were added.
    /// They stay visible until this transaction ends. If not nothing has happened, as where there are too
    /// few for this to be worth it.
    fn add_all_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        users: &[Uuid],
        now: Timestamp,
    ) -> StorageResult<bool>;
    /// Adds members, and gives those that were none before.
    fn add_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        members: &[(Uuid, MemberKind)],
        now: Timestamp,
    ) -> StorageResult<Vec<Uuid>>;
    /// Removes members, and gives those that were some before.
    fn remove_members(
        &mut self,
        tenant: Uuid,
        group: Uuid,
        members: &[Uuid],
    ) -> StorageResult<Vec<Uuid>>;
    /// Removes every member, and gives them.
    fn clear_members(&mut self, tenant: Uuid, group: Uuid) -> StorageResult<Vec<Uuid>>;
    /// A group's members, at most so many, in the order of their identifiers.
    fn members(&mut self, tenant: Uuid, group: Uuid, limit: u32) -> StorageResult<Vec<Member>>;
    /// Whether a group has more members than this.
    fn has_more_members(&mut self, tenant: Uuid, group: Uuid, than: u32) -> StorageResult<bool>;
    /// The members of several groups.
    fn members_of(&mut self, tenant: Uuid, groups: &[Uuid]) -> StorageResult<Vec<(Uuid, Member)>>;
    /// How many members each of these groups has; those without are left out.
    fn count_members(&mut self, tenant: Uuid, groups: &[Uuid]) -> StorageResult<Vec<(Uuid, i64)>>;
    /// The names for a person of those of these users that are visible.
    fn displays_of(&mut self, tenant: Uuid, users: &[Uuid]) -> StorageResult<Vec<(Uuid, String)>>;
    /// Which of these users are no agents.
    fn non_agents(&mut self, tenant: Uuid, users: &[Uuid]) -> StorageResult<Vec<Uuid>>;
    /// Whether a user is in an agent group.
    fn is_in_agent_group(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<bool>;
    /// Removes something from every group, and gives those groups with the new version that each
    /// of them gets.
    fn leave_all(
        &mut self,
        tenant: Uuid,
        member: Uuid,
        now: Timestamp,
    ) -> StorageResult<Vec<(Uuid, i64)>>;
    /// Keeps other transactions of the tenant from putting groups into groups until this one
    /// ends, so that what is read of the nesting stays true.
    fn lock_nesting(&mut self, tenant: Uuid) -> StorageResult<()>;
    /// The groups that hold something, directly or through others.
    fn groups_above(&mut self, tenant: Uuid, member: Uuid) -> StorageResult<Vec<Uuid>>;
    /// The groups that hold several users, directly or through others; each of a user's once.
    fn groups_of(&mut self, tenant: Uuid, users: &[Uuid]) -> StorageResult<Vec<GroupOf>>;
    /// The groups of several members, only those that they are in directly.
    fn memberships_of(
        &mut self,
        tenant: Uuid,
        members: &[Uuid],
    ) -> StorageResult<Vec<MembershipOf>>;
}
