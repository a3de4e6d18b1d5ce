//! Provisioning rules: which template fills what a client does not send.

use std::sync::Arc;

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Context;
use crate::names;
use crate::objects::ObjectType;
use crate::provisioning::{
    self, DEFAULT_PRIORITY, Match, Mode, TemplateGroup, apply_template, check_filter, first_match,
};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};

/// `/ProvisioningRules`
pub struct ProvisioningRules;

impl ObjectType for ProvisioningRules {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::provisioning_rule()
    }

    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        _: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        let attributes = &mut after.attributes;
        attributes.entry("priority").or_insert_with(|| DEFAULT_PRIORITY.into());
        check_filter(text(attributes, "filter")).map_err(|error| {
            Error::invalid_value(format!("filter cannot be used: {}", error.detail))
        })?;
        let (tenant, kind) = (context.caller.tenant, ResourceType::user_template());
        let template = text(attributes, "template");
        let template = names::resolve_one(tx, tenant, kind, "template", template)?;
        // A template is not deleted while a rule comes to have it.
        names::hold(tx, tenant, kind, "template", &[template])
    }
}

/// What provisioning does to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The rule that matched.
    pub matched: Match,
    /// The groups that the account is to join.
    pub groups: Vec<TemplateGroup>,
}

/// Completes the body of a new user, in its kept form, by the first of these rules that matches it.
///
/// A template that is disabled fills nothing, and the rules behind its own do not count either.
///
/// # Errors
/// Refuses a rule whose filter cannot be read any more, a template that is gone, and a `skillSet`
/// that cannot be read.
pub fn complete_user(
    tx: &mut dyn Tx,
    tenant: Uuid,
    rules: &[Arc<Resource>],
    user: &mut Object,
) -> Result<Option<Completed>, Refusal> {
    let Some(matched) = first_match(rules.iter().map(|rule| &rule.attributes), user)? else {
        return Ok(None);
    };
    let groups = fill(tx, tenant, &matched.template, matched.mode, user)?;
    Ok(Some(Completed { matched, groups }))
}

/// Completes the body of a new user by a template; the groups that the account is to join. One that
/// is disabled fills nothing.
///
/// # Errors
/// Refuses a template that does not exist, and a `skillSet` that cannot be read.
pub fn fill(
    tx: &mut dyn Tx,
    tenant: Uuid,
    template: &str,
    mode: Mode,
    user: &mut Object,
) -> Result<Vec<TemplateGroup>, Refusal> {
    let kind = ResourceType::user_template();
    let found = names::find(tx, tenant, kind, "template", &[template])?;
    match found.first().filter(|one| provisioning::is_enabled(&one.attributes)) {
        Some(template) => Ok(apply_template(user, &template.attributes, mode)?),
        None => Ok(Vec::new()),
    }
}

/// What would become of a new user: which rule matches, and the user as it would be created.
///
/// # Errors
/// As [`complete_user`]
pub fn dry_run(tx: &mut dyn Tx, context: &Context, mut user: Object) -> Result<Value, Refusal> {
    context.caller.require(Right::Admin)?;
    let tenant = context.caller.tenant;
    let rules = tx.all_objects(tenant, ResourceType::provisioning_rule())?;
    let completed = complete_user(tx, tenant, &rules, &mut user)?;
    let Some(Completed { matched, groups }) = completed else {
        return Ok(json!({"rule": null, "template": null, "user": user, "groups": []}));
    };
    let group = |group: &TemplateGroup| json!({"value": group.value, "display": group.display});
    let groups: Vec<Value> = groups.iter().map(group).collect();
    Ok(json!({
        "rule": matched.rule, "template": matched.template, "mode": matched.mode.as_str(),
        "user": user, "groups": groups,
    }))
}

fn text<'a>(attributes: &'a Object, name: &str) -> &'a str {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default()
}
