//! The roles that every tenant starts with.

use scim_protocol::Object;
use serde_json::{Value, json};

use super::permission_set::PermissionSet;
use super::policies;

/// The template of a default role.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// The role's `defaultRoleId`, which is also its name: roles are granted by name, and the name
    /// of a default role never changes (rule R25).
    pub default_role_id: &'static str,
    /// What the role is for.
    pub description: &'static str,
    /// Whether it gives power over the tenant itself.
    pub privileged: bool,
    /// The role's `builtinLock`.
    pub builtin_lock: &'static str,
    /// Domain, entity and actions of each policy.
    policies: &'static [(&'static str, &'static str, &'static str)],
}

impl Template {
    /// The attributes of a role that is made from it.
    pub fn attributes(&self) -> Object {
        let mut role = Object::new();
        role.insert("name".to_owned(), json!(self.default_role_id));
        role.insert("description".to_owned(), json!(self.description));
        role.insert("privileged".to_owned(), json!(self.privileged));
        role.insert("state".to_owned(), json!("enabled"));
        role.insert("policies".to_owned(), self.policies());
        role
    }

    /// The `policies` of a role that is made from it, or restored to it (rule R34).
    pub fn policies(&self) -> Value {
        let policy = |(domain, entity, actions): &(&str, &str, &str)| {
            json!({
                "domain": domain,
                "entityName": entity,
                "actionSet": actions,
                "allowConditions": false,
            })
        };
        self.policies.iter().map(policy).collect()
    }

    /// What it permits.
    pub fn permissions(&self) -> PermissionSet {
        policies::expand(&policies::of(&self.attributes()))
    }
}

/// The template of this `defaultRoleId`.
pub fn template(default_role_id: &str) -> Option<&'static Template> {
    ALL.iter().find(|template| template.default_role_id == default_role_id)
}

/// The role of the accounts that may do everything; one must remain (rules R40 to R42).
pub const MASTER_ADMIN: &str = "master-admin";

/// The role that every account has (rule R27).
pub const EMPLOYEE: &str = "employee";

/// Every template.
pub static ALL: &[Template] = &[
    Template {
        default_role_id: MASTER_ADMIN,
        description: "Everything, in a tenant that cannot lose its last one",
        privileged: true,
        builtin_lock: "immutable",
        policies: &[("*", "*", "*")],
    },
    // Nobody grants what they do not have (rule R30), so an admin has what it gives to others.
    Template {
        default_role_id: "admin",
        description: "Administers everything but what only a Master Admin decides",
        privileged: true,
        builtin_lock: "undeletable",
        policies: &[
            ("ai", "*", "*"),
            ("analytics", "*", "*"),
            ("architect", "*", "*"),
            ("audits", "*", "*"),
            ("authorization", "*", "*"),
            ("billing", "*", "*"),
            ("conversation", "*", "*"),
            ("directory", "changeSet", "*"),
            ("directory", "dependency", "*"),
            ("directory", "deprovisionGuard", "*"),
            ("directory", "group", "*"),
            ("directory", "identity", "view"),
            ("directory", "provisioningRule", "*"),
            ("directory", "rehireCase", "*"),
            ("directory", "tenant", "view"),
            ("directory", "user", "activate,add,delete,edit,move,restore,setPassword,unlock,view"),
            ("directory", "userTemplate", "*"),
            ("integrations", "*", "*"),
            ("journey", "*", "*"),
            ("licensing", "seat", "view"),
            ("licensing", "tier", "*"),
            ("licensing", "tierChange", "view"),
            ("outbound", "*", "*"),
            ("quality", "*", "*"),
            ("recording", "*", "*"),
            ("reporting", "*", "*"),
            ("routing", "*", "*"),
            ("telephony", "*", "*"),
            ("wfm", "*", "*"),
        ],
    },
    Template {
        default_role_id: "supervisor",
        description: "Leads agents: sees, hears and evaluates what they do",
        privileged: false,
        builtin_lock: "undeletable",
        policies: &[
            ("analytics", "*", "*"),
            ("conversation", "*", "*"),
            ("directory", "group", "view"),
            ("directory", "user", "view"),
            ("quality", "evaluation", "*"),
            ("quality", "evaluationForm", "view"),
            ("recording", "recording", "view"),
            ("reporting", "*", "*"),
            ("routing", "capacityRule", "assign,view"),
            ("routing", "queue", "view"),
            ("routing", "queueMember", "manage"),
            ("routing", "skill", "assign,view"),
        ],
    },
    Template {
        default_role_id: "agent",
        description: "Serves customers on every channel of the licence",
        privileged: false,
        builtin_lock: "undeletable",
        policies: &[
            ("conversation", "call", "accept,transfer"),
            ("conversation", "callback", "accept,add,view"),
            ("conversation", "chat", "accept,transfer"),
            ("conversation", "email", "accept,send,transfer"),
            ("conversation", "message", "accept,send,transfer"),
            ("directory", "group", "view"),
            ("directory", "user", "view"),
            ("routing", "queue", "view"),
        ],
    },
    Template {
        default_role_id: EMPLOYEE,
        description: "What everybody may do",
        privileged: false,
        builtin_lock: "undeletable",
        policies: &[("directory", "group", "view"), ("directory", "user", "view")],
    },
    Template {
        default_role_id: "read-only",
        description: "Sees everything and changes nothing",
        privileged: false,
        builtin_lock: "undeletable",
        policies: &[("*", "*", "view")],
    },
    Template {
        default_role_id: "trusted-external-user",
        description: "Administration by people of another organisation; no conversations",
        privileged: false,
        builtin_lock: "undeletable",
        policies: &[
            ("audits", "changeLog", "view"),
            ("authorization", "division", "view"),
            ("authorization", "grant", "view"),
            ("authorization", "role", "view"),
            ("directory", "group", "edit,view"),
            ("directory", "user", "activate,edit,unlock,view"),
            ("directory", "userTemplate", "view"),
            ("licensing", "*", "view"),
            ("routing", "capacityRule", "*"),
            ("routing", "queue", "edit,view"),
            ("routing", "queueMember", "manage"),
            ("routing", "skill", "*"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::super::tiers::Tier;
    use super::*;

    fn permissions(default_role_id: &str) -> PermissionSet {
        template(default_role_id).unwrap().permissions()
    }

    fn blocked(default_role_id: &str, tier: Tier) -> Vec<&'static str> {
        permissions(default_role_id).difference(&tier.ceiling()).names().collect()
    }

    #[test]
    fn every_template_is_a_role_that_can_be_kept() {
        for template in ALL {
            assert_eq!(policies::check(&template.attributes()), Ok(()));
        }
        let ids = ["master-admin", "admin", "supervisor", "agent", "employee", "read-only"];
        for id in ids.into_iter().chain(["trusted-external-user"]) {
            assert_eq!(template(id).unwrap().attributes()["name"], id);
        }
        assert_eq!(template("emperor"), None);
    }

    #[test]
    fn r41_the_master_admin_has_every_permission_and_keeps_them() {
        let master = template(MASTER_ADMIN).unwrap();
        assert_eq!(master.permissions(), catalogue::all().collect());
        assert_eq!((master.privileged, master.builtin_lock), (true, "immutable"));
    }

    #[test]
    fn r14_a_supervisor_is_blocked_on_cx1_and_not_on_cx2() {
        let on_cx1 = blocked("supervisor", Tier::Cx1);
        assert!(on_cx1.contains(&"analytics:userObservation:view"), "{on_cx1:?}");
        assert!(!on_cx1.contains(&"conversation:call:monitor"), "{on_cx1:?}");
        assert_eq!(blocked("supervisor", Tier::Cx2), Vec::<&str>::new());
    }

    #[test]
    fn r14_agents_are_blocked_only_on_the_channels_they_have_no_licence_for() {
        assert_eq!(blocked("agent", Tier::Cx2), Vec::<&str>::new());
        let calls = |name: &&str| name.starts_with("conversation:call");
        assert!(blocked("agent", Tier::Cx2d).iter().all(calls));
        assert!(!blocked("agent", Tier::Cx1).iter().any(calls));
    }

    #[test]
    fn r14_employees_are_blocked_nowhere() {
        for tier in Tier::ALL {
            assert_eq!(blocked(EMPLOYEE, tier), Vec::<&str>::new(), "{tier}");
        }
        assert!(!permissions(EMPLOYEE).is_empty());
    }

    #[test]
    fn an_admin_decides_nothing_that_only_a_master_admin_decides() {
        let admin = permissions("admin");
        let everything = permissions(MASTER_ADMIN);
        let withheld: Vec<_> = everything.difference(&admin).names().collect();
        let expected = [
            "directory:identity:release",
            "directory:tenant:edit",
            "directory:user:erase",
            "licensing:seat:edit",
            "licensing:tierChange:approve",
        ];
        assert_eq!(withheld, expected);
        assert!(template("admin").unwrap().privileged);
    }

    #[test]
    fn r30_an_admin_has_what_every_role_without_privilege_gives() {
        let admin = permissions("admin");
        for template in ALL.iter().filter(|template| !template.privileged) {
            let lacking = template.permissions().difference(&admin);
            assert!(lacking.is_empty(), "{}: {lacking:?}", template.default_role_id);
        }
    }

    #[test]
    fn r14_administration_itself_is_blocked_nowhere() {
        let directory = |name: &&str| name.starts_with("directory:") || name.starts_with("auth");
        for tier in Tier::ALL {
            assert_eq!(blocked(MASTER_ADMIN, tier).into_iter().find(directory), None, "{tier}");
        }
    }

    #[test]
    fn r83_a_trusted_external_user_only_administers() {
        let trusted = permissions("trusted-external-user");
        assert!(trusted.iter().all(|id| id.permission().requires.is_empty()));
        assert!(trusted.is_subset(&permissions("admin")));
    }

    #[test]
    fn only_the_administrators_are_privileged() {
        let privileged = ALL.iter().filter(|template| template.privileged);
        let privileged: Vec<_> = privileged.map(|template| template.default_role_id).collect();
        assert_eq!(privileged, ["master-admin", "admin"]);
    }
}
