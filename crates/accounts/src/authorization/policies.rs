//! Policies: what a role gives, by name and by `*`.

use scim_protocol::Object;
use scim_protocol::error::{Error, Result};
use serde_json::Value;

use super::catalogue::{self, Permission, PermissionId};
use super::conditions::Condition;
use super::permission_set::PermissionSet;

/// Stands for every name.
const ANY: &str = "*";

/// A result, or what is wrong with the policy.
type Checked<T> = std::result::Result<T, String>;

/// One element of a role's `policies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The domain, or `*`.
    pub domain: String,
    /// The entity, or `*`.
    pub entity: String,
    /// The actions, or `*` alone.
    pub actions: Vec<String>,
    /// Whether a condition may be set.
    pub allow_conditions: bool,
    /// The condition under which it gives something, as it was sent.
    pub condition: Option<String>,
}

impl Policy {
    /// Reads an element of `policies`.
    fn read(element: &Value) -> Checked<Self> {
        let required = |name| text(element, name)?.ok_or_else(|| format!("{name} is required"));
        let actions = required("actionSet")?.split(',').map(|action| action.trim().to_owned());
        let allow_conditions = match element.get("allowConditions") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(allow)) => *allow,
            Some(_) => return Err("allowConditions is true or false".to_owned()),
        };
        Ok(Self {
            domain: required("domain")?.trim().to_owned(),
            entity: required("entityName")?.trim().to_owned(),
            actions: actions.collect(),
            allow_conditions,
            condition: text(element, "resourceCondition")?.map(str::to_owned),
        })
    }

    /// What it gives: all that its names match. Names that are unknown match nothing.
    pub fn permissions(&self) -> PermissionSet {
        let actions = |permission: &Permission| {
            self.actions.iter().any(|action| matches(action, permission.action))
        };
        self.of_entity().filter(|id| actions(id.permission())).collect()
    }

    /// The permissions of its domain and entity, whatever the action is.
    fn of_entity(&self) -> impl Iterator<Item = PermissionId> {
        catalogue::all().filter(|id| {
            let permission = id.permission();
            matches(&self.domain, permission.domain) && matches(&self.entity, permission.entity)
        })
    }

    fn check(&self) -> Checked<()> {
        if !catalogue::ALL.iter().any(|permission| matches(&self.domain, permission.domain)) {
            return Err(format!("there is no domain {:?}", self.domain));
        }
        if self.of_entity().next().is_none() {
            return Err(format!("domain {:?} has no entity {:?}", self.domain, self.entity));
        }
        self.check_actions()?;
        self.check_condition()
    }

    fn check_actions(&self) -> Checked<()> {
        if self.actions.len() > 1 && self.actions.iter().any(|action| action == ANY) {
            return Err("* stands for all actions, and alone".to_owned());
        }
        if self.actions.len() > catalogue::ALL.len() {
            return Err("there are more actions than permissions".to_owned());
        }
        let known =
            |action: &&String| self.of_entity().any(|id| matches(action, id.permission().action));
        match self.actions.iter().find(|action| !known(action)) {
            None => Ok(()),
            Some(action) => {
                Err(format!("{}:{} has no action {action:?}", self.domain, self.entity))
            }
        }
    }

    fn check_condition(&self) -> Checked<()> {
        let Some(text) = &self.condition else { return Ok(()) };
        if !self.allow_conditions {
            return Err("a resourceCondition needs allowConditions to be true".to_owned());
        }
        let mut permissions = self.permissions().iter().map(PermissionId::permission);
        if let Some(unfit) = permissions.find(|permission| !permission.allows_conditions) {
            return Err(format!("{} cannot be given under a condition", unfit.name()));
        }
        match text.parse::<Condition>() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the resourceCondition is none: {error}")),
        }
    }
}

/// The member of this name, if there is one; it must be text.
fn text<'a>(element: &'a Value, name: &str) -> Checked<Option<&'a str>> {
    match element.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} is text")),
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern == ANY || pattern == name
}

/// The policies of a role, from its kept attributes.
///
/// What was kept by another version may have names that this one does not know. They give nothing,
/// but must not keep the rest of the role from being read, so nothing is refused here. Nor does an
/// element give anything that has a condition which is no text: it would give too much.
pub fn of(role: &Object) -> Vec<Policy> {
    elements(role).iter().filter_map(|element| Policy::read(element).ok()).collect()
}

/// Refuses policies that a role cannot have.
///
/// # Errors
/// `invalidValue`, naming the element and what is wrong with it: a name that is missing or not in
/// the catalogue, a condition where there can be none, or one that cannot be read (rule R22).
pub fn check(role: &Object) -> Result<()> {
    for (place, element) in elements(role).iter().enumerate() {
        Policy::read(element)
            .and_then(|policy| policy.check())
            .map_err(|wrong| Error::invalid_value(format!("policies[{place}]: {wrong}")))?;
    }
    Ok(())
}

fn elements(role: &Object) -> &[Value] {
    role.get("policies").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// All that the policies give, be it under a condition.
pub fn expand(policies: &[Policy]) -> PermissionSet {
    union(policies.iter())
}

/// What the policies give without a condition. Who has something under a condition only cannot
/// pass it on (rule R30).
pub fn expand_unconditional(policies: &[Policy]) -> PermissionSet {
    union(policies.iter().filter(|policy| policy.condition.is_none()))
}

fn union<'a>(policies: impl Iterator<Item = &'a Policy>) -> PermissionSet {
    policies.fold(PermissionSet::EMPTY, |all, policy| all.union(&policy.permissions()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONDITION: &str =
        r#"{"variableName":"Queue.id","operator":"EQ","operands":[{"type":"QUEUE","value":"q1"}]}"#;

    fn role(policies: &Value) -> Object {
        Object::from_iter([("policies".to_owned(), policies.clone())])
    }

    fn policy(domain: &str, entity: &str, actions: &str) -> Value {
        json!({"domain": domain, "entityName": entity, "actionSet": actions})
    }

    fn names(policies: &Value) -> Vec<&'static str> {
        expand(&of(&role(policies))).names().collect()
    }

    fn refusal(policy: &Value) -> String {
        check(&role(&json!([policy]))).unwrap_err().detail
    }

    #[test]
    fn r26_permissions_of_policies_are_additive() {
        let policies = json!([
            policy("directory", "user", "view, add"),
            policy("directory", "user", "view"),
            policy("audits", "changeLog", "view"),
        ]);
        assert_eq!(check(&role(&policies)), Ok(()));
        let expected = ["audits:changeLog:view", "directory:user:add", "directory:user:view"];
        assert_eq!(names(&policies), expected);
    }

    #[test]
    fn a_star_stands_for_every_name() {
        let everything = json!([policy("*", "*", "*")]);
        assert_eq!(names(&everything).len(), catalogue::ALL.len());
        assert_eq!(check(&role(&everything)), Ok(()));
        let log = json!([policy("audits", "*", "*")]);
        assert_eq!(names(&log), ["audits:changeLog:export", "audits:changeLog:view"]);
        let users = json!([policy("*", "user", "erase")]);
        assert_eq!(names(&users), ["directory:user:erase"]);
        let views = names(&json!([policy("*", "*", "view")]));
        assert!(views.contains(&"directory:user:view") && views.contains(&"wfm:schedule:view"));
        assert!(views.iter().all(|name| name.ends_with(":view")));
    }

    #[test]
    fn r22_a_policy_with_an_unknown_name_is_refused() {
        let cases = [
            (policy("space", "user", "view"), r#"there is no domain "space""#),
            (policy("audits", "user", "view"), r#"domain "audits" has no entity "user""#),
            (policy("directory", "user", "view,fly"), r#"directory:user has no action "fly""#),
            (policy("directory", "user", ""), r#"directory:user has no action """#),
            (policy("directory", "user", "view,,add"), r#"directory:user has no action """#),
            (policy("Directory", "user", "view"), r#"there is no domain "Directory""#),
            (policy("directory", "user", "view,*"), "* stands for all actions, and alone"),
            (json!({"domain": "audits", "entityName": "*"}), "actionSet is required"),
            (json!({"domain": 1, "entityName": "*", "actionSet": "*"}), "domain is text"),
        ];
        for (policy, detail) in cases {
            assert_eq!(refusal(&policy), format!("policies[0]: {detail}"));
        }
        let many = policy("directory", "user", &["view"; 1000].join(","));
        assert_eq!(refusal(&many), "policies[0]: there are more actions than permissions");
    }

    #[test]
    fn the_refused_policy_is_named_by_its_place() {
        let policies = json!([policy("audits", "*", "*"), policy("space", "*", "*")]);
        let refused = check(&role(&policies)).unwrap_err();
        assert_eq!(refused.detail, r#"policies[1]: there is no domain "space""#);
    }

    #[test]
    fn a_kept_name_that_is_gone_gives_nothing_and_spoils_nothing() {
        let kept = json!([policy("audits", "changeLog", "view,burn"), policy("space", "*", "*")]);
        assert_eq!(names(&kept), ["audits:changeLog:view"]);
        assert_eq!(names(&json!([null, 7, {"domain": "*"}])), Vec::<&str>::new());
    }

    #[test]
    fn a_condition_is_kept_as_it_was_sent() {
        let text = format!(" {CONDITION} ");
        let mut conditional = policy("recording", "recording", "view");
        conditional["allowConditions"] = json!(true);
        conditional["resourceCondition"] = json!(text);
        let role = role(&json!([conditional, policy("audits", "*", "view")]));
        assert_eq!(check(&role), Ok(()));
        let policies = of(&role);
        assert_eq!(policies[0].condition.as_deref(), Some(text.as_str()));
        assert_eq!(expand(&policies).len(), 2);
        let unconditional: Vec<_> = expand_unconditional(&policies).names().collect();
        assert_eq!(unconditional, ["audits:changeLog:view"]);
    }

    #[test]
    fn a_condition_is_refused_where_there_can_be_none() {
        let conditional = |actions: Value, allow: bool, condition: Value| {
            json!({
                "domain": actions[0], "entityName": actions[1], "actionSet": actions[2],
                "allowConditions": allow, "resourceCondition": condition,
            })
        };
        let refused = refusal(&conditional(json!(["audits", "*", "view"]), true, json!(CONDITION)));
        assert_eq!(refused, "policies[0]: audits:changeLog:view cannot be given under a condition");
        let users = json!(["directory", "user", "*"]);
        let refused = refusal(&conditional(users.clone(), false, json!(CONDITION)));
        assert_eq!(refused, "policies[0]: a resourceCondition needs allowConditions to be true");
        let refused = refusal(&conditional(users.clone(), true, json!("{}")));
        assert!(refused.starts_with("policies[0]: the resourceCondition is none: "), "{refused}");
        // A condition that cannot be understood must not turn into none.
        let unreadable = conditional(users, true, json!({"conjunction": "AND"}));
        assert_eq!(refusal(&unreadable), "policies[0]: resourceCondition is text");
        assert_eq!(names(&json!([unreadable])), Vec::<&str>::new());
    }
}
