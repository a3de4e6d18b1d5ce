//! What an account may do: what its roles give, under the ceiling of its tier.
//!
//! Permissions are additive; nothing denies (rule R26). Nothing is cached, so a change counts from
//! its commit on (rule R36).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::catalogue::{self, PermissionId};
use super::permission_set::PermissionSet;
use super::tiers::Tier;

/// The permission that granting a role takes.
const GRANT: &str = "authorization:grant:add";

/// Where something is permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DivisionScope {
    /// In every division, also those that are yet to come.
    All,
    /// In one.
    One(Uuid),
}

impl DivisionScope {
    /// Whether what is held here is held there too.
    pub fn covers(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

/// How a grant came to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// It is the account's own.
    Direct,
    /// It is the grant of a group that the account is in (rule R29).
    Group {
        /// The group.
        id: Uuid,
        /// Its name.
        name: String,
        /// Whether it is enabled: a disabled group confers no roles (rule R73).
        enabled: bool,
    },
}

/// A role that an account has somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldGrant {
    /// The role.
    pub role: Uuid,
    /// Its name.
    pub role_name: String,
    /// Whether it is enabled: a disabled role grants nothing (rule R31).
    pub role_enabled: bool,
    /// What its policies give.
    pub permissions: PermissionSet,
    /// Where it is granted.
    pub division: DivisionScope,
    /// How it came to the account.
    pub via: Via,
    /// Whether it sleeps, since the account was deactivated.
    pub dormant: bool,
}

impl HeldGrant {
    /// Whether it gives what its role permits.
    pub fn is_live(&self) -> bool {
        let by_group = matches!(self.via, Via::Group { enabled: false, .. });
        self.role_enabled && !self.dormant && !by_group
    }
}

/// What limits an account besides its roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Whether its state is `active`: enabled, activated and not locked.
    pub active: bool,
    /// Its licence tier.
    pub tier: Tier,
}

/// Permissions, each with where it is held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopedPermissions(BTreeMap<DivisionScope, PermissionSet>);

impl ScopedPermissions {
    fn add(&mut self, scope: DivisionScope, permissions: PermissionSet) {
        if permissions.is_empty() {
            return;
        }
        let held = self.0.entry(scope).or_default();
        *held = held.union(&permissions);
    }

    /// Whether exactly this is in.
    pub fn contains(&self, permission: PermissionId, scope: DivisionScope) -> bool {
        self.0.get(&scope).is_some_and(|held| held.contains(permission))
    }

    /// What is held in all of the scope, be it in every division. Permissions without a division
    /// are held everywhere.
    pub fn within(&self, scope: DivisionScope) -> PermissionSet {
        let covering = self.0.iter().filter(|(held, _)| held.covers(scope));
        covering.fold(PermissionSet::EMPTY, |all, (_, held)| all.union(held))
    }

    /// What is held somewhere.
    pub fn anywhere(&self) -> PermissionSet {
        self.0.values().fold(PermissionSet::EMPTY, |all, held| all.union(held))
    }

    /// How many permissions, each counted for each scope.
    pub fn len(&self) -> usize {
        self.0.values().map(PermissionSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order of the catalogue; of one permission the whole tenant first, then by division.
    pub fn iter(&self) -> impl Iterator<Item = (PermissionId, DivisionScope)> + '_ {
        self.anywhere().iter().flat_map(move |permission| {
            let scopes = self.0.iter().filter(move |(_, held)| held.contains(permission));
            scopes.map(move |(scope, _)| (permission, *scope))
        })
    }

    /// As `effectivePermissions` and `blockedPermissions` have them: `permission@division`, with
    /// `*` for every division and for permissions that have none. `name` gives the name of a
    /// division.
    pub fn texts(&self, name: impl Fn(Uuid) -> String) -> Vec<String> {
        let text = |(permission, scope): (PermissionId, DivisionScope)| {
            let permission = permission.permission().name();
            match scope {
                DivisionScope::All => format!("{permission}@*"),
                DivisionScope::One(division) => format!("{permission}@{}", name(division)),
            }
        };
        self.iter().map(text).collect()
    }
}

/// What an account may do, and what its roles give in vain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// What it may do. Nothing, unless it is active.
    pub effective: ScopedPermissions,
    /// What its roles give and its tier does not allow (rule R14), be it active or not.
    pub blocked: ScopedPermissions,
}

impl Access {
    /// What an account with these grants may do.
    pub fn of(holder: Holder, grants: &[HeldGrant]) -> Self {
        let ceiling = holder.tier.ceiling();
        let mut access = Self::default();
        for (scope, given) in given(grants).0 {
            access.blocked.add(scope, given.difference(&ceiling));
            if holder.active {
                access.effective.add(scope, given.intersect(&ceiling));
            }
        }
        access
    }

    /// Whether it may do this in all of the scope. A permission that has no division is the same in
    /// any.
    pub fn allows(&self, permission: PermissionId, scope: DivisionScope) -> bool {
        self.effective.within(scope).contains(permission)
    }

    /// `blockedPermissionCount`
    pub fn blocked_count(&self) -> usize {
        self.blocked.len()
    }

    /// What it lacks to grant a role with these permissions in this scope (rule R30): the right to
    /// grant there, and every permission of the role. Nothing means that it may.
    ///
    /// What is blocked by its own tier can be passed on: the tier says what an account uses, not
    /// what it is trusted with, and the other account has a ceiling of its own. Who has a permission
    /// under a condition only does not have it to pass on, so this must be asked of the access by
    /// grants with what their policies give
    /// [without a condition](super::policies::expand_unconditional).
    pub fn lacks_to_grant(&self, role: &PermissionSet, scope: DivisionScope) -> PermissionSet {
        let may_use = self.effective.within(scope);
        let trusted_with = may_use.union(&self.blocked.within(scope));
        let the_right: PermissionSet = catalogue::named(GRANT).into_iter().collect();
        role.difference(&trusted_with).union(&the_right.difference(&may_use))
    }
}

/// What the grants give that count, whatever the tier is.
pub fn given(grants: &[HeldGrant]) -> ScopedPermissions {
    let live = grants.iter().filter(|grant| grant.is_live());
    scoped(live.map(|grant| (grant.permissions, grant.division)))
}

/// How many permissions are given in vain, of those that roles give in divisions (rule R14).
pub fn blocked_count(
    tier: Tier,
    given: impl Iterator<Item = (PermissionSet, DivisionScope)>,
) -> usize {
    let ceiling = tier.ceiling();
    scoped(given).0.values().map(|given| given.difference(&ceiling).len()).sum()
}

fn scoped(given: impl Iterator<Item = (PermissionSet, DivisionScope)>) -> ScopedPermissions {
    let divided = catalogue::division_aware();
    let mut all = ScopedPermissions::default();
    for (permissions, division) in given {
        all.add(division, permissions.intersect(&divided));
        all.add(DivisionScope::All, permissions.difference(&divided));
    }
    all
}
