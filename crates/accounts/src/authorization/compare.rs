//! How a role differs from the template it was made from (rule R35).

use super::permission_set::PermissionSet;

/// A role, beside its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// What the role has and the template has not.
    pub added: PermissionSet,
    /// What the template has and the role has not.
    pub removed: PermissionSet,
    /// What both have.
    pub same: PermissionSet,
}

impl Comparison {
    /// Whether the template has permissions that the role lacks, as it does after a version with
    /// new ones.
    pub fn needs_update(&self) -> bool {
        !self.removed.is_empty()
    }
}

/// Compares what a role permits with what its template permits.
pub fn compare(role: &PermissionSet, template: &PermissionSet) -> Comparison {
    Comparison {
        added: role.difference(template),
        removed: template.difference(role),
        same: role.intersect(template),
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    fn set(names: &[&str]) -> PermissionSet {
        names.iter().map(|name| catalogue::named(name).unwrap()).collect()
    }

    #[test]
    fn r35_a_role_is_compared_with_its_template() {
        let role = set(&["directory:user:view", "directory:user:add"]);
        let template = set(&["directory:user:view", "directory:group:view"]);
        let compared = compare(&role, &template);
        assert_eq!(compared.added, set(&["directory:user:add"]));
        assert_eq!(compared.removed, set(&["directory:group:view"]));
        assert_eq!(compared.same, set(&["directory:user:view"]));
        assert!(compared.needs_update());
    }

    #[test]
    fn r35_a_role_with_more_than_its_template_needs_no_update() {
        let template = set(&["directory:user:view"]);
        let role = set(&["directory:user:view", "directory:user:add"]);
        assert!(!compare(&role, &template).needs_update());
        assert!(!compare(&template, &template).needs_update());
    }
}
