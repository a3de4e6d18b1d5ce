//! Templates of accounts: what a provisioning rule fills in (domain model 2.10).

mod from_account;
mod references;

use std::sync::Arc;

use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::ledger::Action;
use crate::names;
use crate::objects::{self, ObjectType};
use crate::provisioning_rules::ProvisioningRules;
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Context, Precondition, parse_id};

pub use from_account::from_account;

/// `/UserTemplates`
pub struct UserTemplates;

impl ObjectType for UserTemplates {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::user_template()
    }

    /// What a template names exists (rule R22): whoever writes it can still correct it, and who is
    /// provisioned by it cannot.
    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        _: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        references::check(tx, context, &after.attributes)
    }

    /// The provisioning rules follow a new name.
    fn written(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &Resource,
    ) -> Result<(), Refusal> {
        let Some(before) = before else { return Ok(()) };
        let name = |template: &Resource| template.attributes.get("name").cloned();
        if name(before) == name(after) {
            return Ok(());
        }
        let mut rules = rules_with(tx, context, before)?;
        rules.retain(|rule| named_by(rule).is_some_and(|text| parse_id(text).is_none()));
        rules.iter().try_for_each(|rule| follow(tx, context, rule.id, name(after)))
    }

    fn removable(tx: &mut dyn Tx, context: &Context, template: &Resource) -> Result<(), Refusal> {
        let rules = rules_with(tx, context, template)?;
        let Some(rule) = rules.first() else { return Ok(()) };
        let name = rule.attributes.get("name").and_then(Value::as_str).unwrap_or_default();
        Err(Refusal::rule(
            Code::TemplateInUse,
            format!(
                "the provisioning rule {name:?} has the template: give it another one, or delete it"
            ),
        ))
    }
}

/// Gives a provisioning rule the new name of its template.
fn follow(
    tx: &mut dyn Tx,
    context: &Context,
    rule: Uuid,
    name: Option<Value>,
) -> Result<(), Refusal> {
    let always = Precondition::default();
    objects::change::<ProvisioningRules>(tx, context, rule, &always, Action::Update, |rule| {
        rule.extend(name.map(|name| ("template".to_owned(), name)));
        Ok(())
    })?;
    Ok(())
}

/// The provisioning rules that have a template.
fn rules_with(
    tx: &mut dyn Tx,
    context: &Context,
    template: &Resource,
) -> Result<Vec<Resource>, Refusal> {
    let mut rules = tx.all_objects(context.caller.tenant, ResourceType::provisioning_rule())?;
    rules.retain(|rule| named_by(rule).is_some_and(|name| names::means(name, template)));
    Ok(rules.into_iter().map(Arc::unwrap_or_clone).collect())
}

fn named_by(rule: &Resource) -> Option<&str> {
    rule.attributes.get("template").and_then(Value::as_str)
}
