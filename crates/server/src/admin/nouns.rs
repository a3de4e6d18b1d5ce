//! The verbs of divisions, skills, capacity rules, templates, provisioning rules and connections.

use accounts::capacity_rules::{self, CapacityRules, Question};
use accounts::divisions::{self, Divisions};
use accounts::objects::{self, ObjectType};
use accounts::provisioning_rules::{self, ProvisioningRules};
use accounts::user_templates::{self, UserTemplates};
use accounts::{Refusal, Tx};
use scim_protocol::resource;
use scim_protocol::schema::ResourceType;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::roles::{Copy, Nothing};
use super::{Call, Outcome};
use crate::scim::Of;

/// Rule R24.
pub(super) fn restore_division(
    tx: &mut dyn Tx,
    call: &Call<Of<Divisions>>,
    id: Uuid,
    _: &Nothing,
) -> Result<Outcome, Refusal> {
    let restored = divisions::restore(tx, &call.context, id)?;
    Ok(Outcome::Changed(call.show(tx, restored)?))
}

/// A resource like another, under another name.
pub(super) fn copy<T: ObjectType>(
    tx: &mut dyn Tx,
    call: &Call<Of<T>>,
    id: Uuid,
    body: &Copy,
) -> Result<Outcome, Refusal> {
    let copy = objects::copy::<T>(tx, &call.context, id, body.name.as_deref())?;
    Ok(Outcome::Created(call.show(tx, copy)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replace {
    /// The name or identifier of the rule that comes in its place.
    by: String,
}

/// Rule R76: deletes a rule that accounts have.
pub(super) fn replace_capacity_rule(
    tx: &mut dyn Tx,
    call: &Call<Of<CapacityRules>>,
    id: Uuid,
    body: &Replace,
) -> Result<Outcome, Refusal> {
    capacity_rules::delete_replaced(tx, &call.context, id, &call.precondition, &body.by)?;
    Ok(Outcome::Done)
}

/// Whether one more interaction may come.
pub(super) fn evaluate(
    tx: &mut dyn Tx,
    call: &Call<Of<CapacityRules>>,
    question: &Question,
) -> Result<Outcome, Refusal> {
    let answer = capacity_rules::evaluate(tx, &call.context, question)?;
    Ok(Outcome::Report(answer.to_value()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromAccount {
    /// The account.
    account: Uuid,
    /// The name of the template.
    name: String,
}

/// A template that gives what an account has.
pub(super) fn template_from_account(
    tx: &mut dyn Tx,
    call: &Call<Of<UserTemplates>>,
    body: &FromAccount,
) -> Result<Outcome, Refusal> {
    let made = user_templates::from_account(tx, &call.context, body.account, &body.name)?;
    Ok(Outcome::Created(call.show(tx, made)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DryRun {
    /// A user as a client would send it.
    user: Value,
}

/// What the provisioning rules would make of a new user.
pub(super) fn dry_run(
    tx: &mut dyn Tx,
    call: &Call<Of<ProvisioningRules>>,
    body: &DryRun,
) -> Result<Outcome, Refusal> {
    let mut leniencies = call.context.caller.leniencies();
    let user = resource::parse(ResourceType::user(), &body.user, &mut leniencies)?;
    Ok(Outcome::Report(provisioning_rules::dry_run(tx, &call.context, user)?))
}
