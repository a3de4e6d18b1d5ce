//! Every permission there is.
//!
//! A permission is called `domain:entity:action`. What is kept of a role are these names; the
//! place of a permission in the table is only for [`PermissionSet`], and is
//! another in the next version. Names that are in use stay: a kept policy with a name that is not
//! here gives nothing.

use std::sync::LazyLock;

use super::capability::Capability;
use super::permission_set::PermissionSet;

mod table;

pub use table::ALL;

/// One permission.
#[derive(Debug, PartialEq, Eq)]
pub struct Permission {
    name: &'static str,
    /// The part of the service.
    pub domain: &'static str,
    /// What is acted on.
    pub entity: &'static str,
    /// What is done.
    pub action: &'static str,
    /// What it allows, for a person.
    pub label: &'static str,
    /// Whether it is held in a division. If not, the division of the grant does not matter.
    pub division_aware: bool,
    /// Whether a policy may give it under a condition.
    pub allows_conditions: bool,
    /// What the account's tier must have for it to count (rule R14); nothing means any tier.
    pub requires: &'static [Capability],
}

impl Permission {
    /// `domain:entity:action`
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Which permission: its place in the catalogue of this version. Never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionId(usize);

impl PermissionId {
    /// The permission.
    pub fn permission(self) -> &'static Permission {
        &ALL[self.0]
    }

    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// All permissions, in order.
pub fn all() -> impl Iterator<Item = PermissionId> {
    (0..ALL.len()).map(PermissionId)
}

/// The permission of this name.
pub fn named(name: &str) -> Option<PermissionId> {
    let mut parts = name.splitn(3, ':');
    let key = (parts.next()?, parts.next()?, parts.next()?);
    let of = |permission: &Permission| (permission.domain, permission.entity, permission.action);
    ALL.binary_search_by(|permission| of(permission).cmp(&key)).ok().map(PermissionId)
}

/// The permissions that are held in a division.
pub fn division_aware() -> PermissionSet {
    static DIVISION_AWARE: LazyLock<PermissionSet> =
        LazyLock::new(|| all().filter(|id| id.permission().division_aware).collect());
    *DIVISION_AWARE
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_in_order_and_names_nothing_twice() {
        let key =
            |permission: &Permission| (permission.domain, permission.entity, permission.action);
        for pair in ALL.windows(2) {
            assert!(key(&pair[0]) < key(&pair[1]), "{} {}", pair[0].name(), pair[1].name());
        }
    }

    #[test]
    fn every_permission_is_found_by_its_name() {
        for id in all() {
            assert_eq!(named(id.permission().name()), Some(id));
        }
        for unknown in ["", "directory", "directory:user", "directory:user:fly", "a:b:c:d"] {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn labels_tell_permissions_apart() {
        let labels: BTreeSet<_> = ALL.iter().map(|permission| permission.label).collect();
        assert_eq!(labels.len(), ALL.len());
    }

    #[test]
    fn every_capability_but_core_is_required_by_something() {
        let required: BTreeSet<_> = ALL.iter().flat_map(|permission| permission.requires).collect();
        for capability in Capability::ALL {
            let core = *capability == Capability::Core;
            assert_eq!(required.contains(capability), !core, "{capability}");
        }
    }
}
