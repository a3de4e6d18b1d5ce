//! Policies: what a role gives, by name and by `*`.

use scim_protocol::Object;
use scim_protocol::error::{Error, Result};
use serde_json::Value;

use super::catalogue::{self, Permission};
use super::conditions::Condition;
use super::permission_set::PermissionSet;

/// Stands for every name.
const ANY: &str = "*";

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
    /// Reads an element of `policies`; nothing if it does not say what it gives.
    fn of(element: &Value) -> Option<Self> {
        let text = |name| element.get(name).and_then(Value::as_str).map(str::trim);
        Some(Self {
            domain: text("domain")?.to_owned(),
            entity: text("entityName")?.to_owned(),
            actions: text("actionSet")?.split(',').map(|action| action.trim().to_owned()).collect(),
            allow_conditions: element.get("allowConditions") == Some(&Value::Bool(true)),
            condition: element.get("resourceCondition").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// What it gives: all that its names match. Names that are unknown match nothing.
    pub fn permissions(&self) -> PermissionSet {
        let matched = |permission: &Permission| {
            matches(&self.domain, permission.domain)
                && matches(&self.entity, permission.entity)
                && self.actions.iter().any(|action| matches(action, permission.action))
        };
        catalogue::all().filter(|id| matched(id.permission())).collect()
    }

    fn check(&self) -> std::result::Result<(), String> {
        let mut known = catalogue::ALL.iter().filter(|of| matches(&self.domain, of.domain));
        if known.clone().next().is_none() {
            return Err(format!("there is no domain {:?}", self.domain));
        }
        if !known.any(|of| matches(&self.entity, of.entity)) {
            return Err(format!("domain {:?} has no entity {:?}", self.domain, self.entity));
        }
        self.check_actions()?;
        self.check_condition()
    }

    fn check_actions(&self) -> std::result::Result<(), String> {
        if self.actions.len() > 1 && self.actions.iter().any(|action| action == ANY) {
            return Err("* stands for all actions, and alone".to_owned());
        }
        for action in &self.actions {
            let one = Self { actions: vec![action.clone()], ..self.clone() };
            if one.permissions().is_empty() {
                return Err(format!("{}:{} has no action {action:?}", self.domain, self.entity));
            }
        }
        Ok(())
    }

    fn check_condition(&self) -> std::result::Result<(), String> {
        let Some(text) = &self.condition else { return Ok(()) };
        if !self.allow_conditions {
            return Err("a resourceCondition needs allowConditions to be true".to_owned());
        }
        let unfit = self.permissions().iter().map(|id| id.permission());
        if let Some(permission) = unfit.into_iter().find(|of| !of.allows_conditions) {
            return Err(format!("{} cannot be given under a condition", permission.name()));
        }
        let condition: std::result::Result<Condition, _> = text.parse();
        condition.map(|_| ()).map_err(|error| format!("the resourceCondition is none: {error}"))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern == ANY || pattern == name
}

/// The policies of a role, from its kept attributes.
///
/// What was kept by another version may have names that this one does not know. They give nothing,
/// but must not keep the rest of the role from being read, so nothing is refused here.
pub fn of(role: &Object) -> Vec<Policy> {
    elements(role).iter().filter_map(Policy::of).collect()
}

/// Refuses policies that a role cannot have.
///
/// # Errors
/// `invalidValue`, naming the element and what is wrong with it: a name that is missing or not in
/// the catalogue, a condition where there can be none, or one that cannot be read (rule R22).
pub fn check(role: &Object) -> Result<()> {
    for (place, element) in elements(role).iter().enumerate() {
        let missing = || "domain, entityName and actionSet are required".to_owned();
        Policy::of(element)
            .ok_or_else(missing)
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
