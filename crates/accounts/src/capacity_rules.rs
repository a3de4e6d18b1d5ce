//! Capacity rules as resources: how much work of which kind an agent gets at once. What they mean is
//! in [`capacity`](crate::capacity).

mod evaluation;

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::account::Named;
use crate::capacity::validate;
use crate::holders;
use crate::names;
use crate::objects::{self, ObjectType};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Context, Precondition};

pub use evaluation::{Answer, Question, evaluate};

const DEFAULT: &str = "default";
const VALIDATED: &str = "validated";
const MESSAGES: &str = "messages";

/// `/CapacityRules`
pub struct CapacityRules;

impl ObjectType for CapacityRules {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::capacity_rule()
    }

    /// Rule R76: a rule that is not valid may be kept, and not be anybody's.
    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        state_validity(&mut after.attributes);
        let default = is_true(&after.attributes, DEFAULT);
        if !is_true(&after.attributes, VALIDATED) {
            let was_valid = before.is_some_and(|before| is_true(&before.attributes, VALIDATED));
            if default {
                return Err(invalid("default", after));
            }
            if was_valid {
                tx.hold_alone(context.caller.tenant, after.id)?;
                check_unassigned(tx, context, after, "the rule would not be valid any more")?;
            }
        }
        if default { check_only_default(tx, context, after) } else { Ok(()) }
    }

    fn removable(tx: &mut dyn Tx, context: &Context, rule: &Resource) -> Result<(), Refusal> {
        check_unassigned(tx, context, rule, "the rule would be gone")
    }

    fn copied(attributes: &mut Object) {
        attributes.shift_remove(DEFAULT);
    }
}

/// The capacity rule of this name or identifier, for an account or group to be given it. It is not
/// deleted before this transaction ends, nor made invalid.
///
/// # Errors
/// Refuses a name that no rule has (R22) and a rule that is not valid (R76).
pub fn assignable(tx: &mut dyn Tx, tenant: Uuid, name: &str) -> Result<Named, Refusal> {
    let (kind, attribute) = (ResourceType::capacity_rule(), "capacityRule");
    let named = names::resolve_one(tx, tenant, kind, attribute, name)?;
    tx.hold(tenant, named.id)?;
    // It may have changed while this waited for it.
    let found = tx.objects_with_ids(tenant, kind, &[named.id])?;
    match found.first() {
        None => Err(names::unknown(kind, attribute, name)),
        Some(rule) if is_true(&rule.attributes, VALIDATED) => Ok(named),
        Some(rule) => Err(invalid(attribute, rule)),
    }
}

/// Deletes a capacity rule, after all accounts and groups that have it have got another one (rule
/// R76).
///
/// # Errors
/// As [`objects::delete`] and [`assignable`]; also a rule that is to replace itself, and one that
/// more accounts or groups have than are changed at once.
pub fn delete_replaced(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    by: &str,
) -> Result<(), Refusal> {
    context.caller.require(Right::Admin)?;
    let tenant = context.caller.tenant;
    tx.hold_alone(tenant, id)?;
    objects::get::<CapacityRules>(tx, &context.caller, id)?;
    let new = assignable(tx, tenant, by)?;
    if new.id == id {
        return Err(Refusal::rule(
            Code::CapacityRuleInUse,
            "a rule cannot be replaced by itself: name another one",
        ));
    }
    holders::replace_capacity_rule(tx, context, id, &new)?;
    objects::delete::<CapacityRules>(tx, context, id, precondition)
}

fn state_validity(attributes: &mut Object) {
    let validation = validate(attributes);
    let messages: Vec<Value> = validation.messages().map(Value::from).collect();
    attributes.insert(VALIDATED.to_owned(), validation.is_valid().into());
    attributes.shift_remove(MESSAGES);
    if !messages.is_empty() {
        attributes.insert(MESSAGES.to_owned(), messages.into());
    }
}

fn check_unassigned(
    tx: &mut dyn Tx,
    context: &Context,
    rule: &Resource,
    why: &str,
) -> Result<(), Refusal> {
    match tx.count_with_capacity_rule(context.caller.tenant, rule.id)? {
        0 => Ok(()),
        holders => Err(Refusal::rule(
            Code::CapacityRuleInUse,
            format!("{holders} users and groups have the rule, and {why}: give them another first"),
        )),
    }
}

fn check_only_default(tx: &mut dyn Tx, context: &Context, rule: &Resource) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    // Two rules must not both find that there is no other.
    objects::hold_type_alone::<CapacityRules>(tx, context)?;
    let rules = tx.all_objects(tenant, ResourceType::capacity_rule())?;
    let other = rules.iter().find(|one| one.id != rule.id && is_true(&one.attributes, DEFAULT));
    match other {
        None => Ok(()),
        Some(other) => Err(Refusal::rule(
            Code::DefaultTaken,
            format!(
                "the default of the tenant is {:?}: make it an ordinary rule first",
                name_of(other)
            ),
        )),
    }
}

fn invalid(attribute: &str, rule: &Resource) -> Refusal {
    let messages = rule.attributes.get(MESSAGES).and_then(Value::as_array);
    let messages: Vec<&str> = messages.into_iter().flatten().filter_map(Value::as_str).collect();
    Refusal::rule(
        Code::CapacityRuleInvalid,
        format!(
            "{attribute}: the rule {:?} cannot be used before it is corrected: {}",
            name_of(rule),
            messages.join("; ")
        ),
    )
}

fn is_true(attributes: &Object, name: &str) -> bool {
    attributes.get(name) == Some(&Value::Bool(true))
}

fn name_of(rule: &Resource) -> &str {
    rule.attributes.get("name").and_then(Value::as_str).unwrap_or_default()
}
