//! What becomes of the accounts that have something when it is taken away: each gets a new version
//! and an entry of its own, although nobody asked for a change of this account.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Context;
use crate::account::{Account, Named};
use crate::groups::EXTENSION as GROUP_EXTENSION;
use crate::ledger::{Action, Entry, Versioned};
use crate::provisioning::HEADCOUNT;
use crate::refusal::{Code, Refusal};
use crate::tx::{Resource, Tx};

/// The most accounts that one request takes something from.
const MAX_HOLDERS: u32 = 10_000;

/// Rule R71: takes a deleted skill from every account.
///
/// # Errors
/// [`Code::TooManyHolders`]
pub(crate) fn take_skill(
    tx: &mut dyn Tx,
    context: &Context,
    skill: &Resource,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let holders = tx.users_with_skill(tenant, skill.id, MAX_HOLDERS + 1)?;
    check_number(&holders, "skill")?;
    for holder in holders {
        change_account(tx, context, holder, "R71", |tx, account| {
            let id = account.resource.id;
            let mut skills = tx.skills_of(tenant, &[id])?;
            let Some(at) = skills.iter().position(|(_, held)| held.skill == skill.id) else {
                return Ok(None);
            };
            let (_, taken) = skills.remove(at);
            let rest: Vec<_> = skills.into_iter().map(|(_, held)| held).collect();
            tx.set_skills(tenant, id, &rest)?;
            let old = json!([{
                "value": skill.attributes.get("name"), "type": skill.attributes.get("kind"),
                "proficiency": taken.proficiency.to_value(), "active": taken.active,
            }]);
            Ok(Some(changed("skills", &old, &Value::Null)))
        })?;
    }
    Ok(())
}

/// Rule R76: gives every account and group that has a capacity rule another one.
///
/// # Errors
/// [`Code::TooManyHolders`]
pub(crate) fn replace_capacity_rule(
    tx: &mut dyn Tx,
    context: &Context,
    old: Uuid,
    new: &Named,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let holders = tx.users_with_capacity_rule(tenant, old, MAX_HOLDERS + 1)?;
    check_number(&holders, "capacity rule")?;
    let groups = tx.groups_with_capacity_rule(tenant, old, MAX_HOLDERS + 1)?;
    check_number(&groups, "capacity rule")?;
    for group in groups {
        replace_rule_of_group(tx, context, group, old, new)?;
    }
    for holder in holders {
        change_account(tx, context, holder, "R76", |_, account| {
            let rule = &mut account.standing.capacity_rule;
            let Some(had) = rule.take_if(|rule| rule.id == old) else { return Ok(None) };
            *rule = Some(new.clone());
            Ok(Some(changed("capacityRule", &had.name.into(), &new.name.clone().into())))
        })?;
    }
    Ok(())
}

/// The version and the entry are those of a group that nobody asked to change.
fn replace_rule_of_group(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    old: Uuid,
    new: &Named,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let Some(mut group) = tx.group_for_update(context.caller.scope(), id)? else { return Ok(()) };
    let rule = &mut group.standing.capacity_rule;
    let Some(had) = rule.take_if(|rule| rule.id == old) else { return Ok(()) };
    *rule = Some(new.clone());
    group.resource.version += 1;
    group.resource.last_modified = context.now;
    // It is only false for a name that another group has, and the name stays.
    tx.update_group(tenant, &group)?;
    let change = json!({"attribute": format!("{GROUP_EXTENSION}:capacityRule"), "old": had.name,
        "new": new.name});
    let of = Versioned { resource_type: "Group", id, version: group.resource.version };
    let entry = Entry::new(context, Action::Update, of, vec![change]);
    Ok(tx.append(tenant, &entry.by_rule("R76"))?)
}

fn check_number(holders: &[Uuid], what: &str) -> Result<(), Refusal> {
    if holders.len() <= MAX_HOLDERS as usize {
        return Ok(());
    }
    Err(Refusal::rule(
        Code::TooManyHolders,
        format!(
            "more than {MAX_HOLDERS} accounts or groups have the {what}: disable it, and take it \
             from them before it is deleted"
        ),
    ))
}

/// Changes an account that nobody asked to change. `edit` says what it changed, if anything.
///
/// # Errors
/// What `edit` refuses.
pub(crate) fn change_account(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    rule: &'static str,
    edit: impl FnOnce(&mut dyn Tx, &mut Account) -> Result<Option<Value>, Refusal>,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    // What is deleted keeps what it had.
    let Some(before) = tx.user_for_update(context.caller.scope(), id)? else { return Ok(()) };
    let mut after = before.clone();
    let Some(change) = edit(tx, &mut after)? else { return Ok(()) };
    after.resource.version += 1;
    after.resource.last_modified = context.now;
    tx.update_user(tenant, &before, &after)?;
    let of = Versioned { resource_type: "User", id, version: after.resource.version };
    let entry = Entry::new(context, Action::Update, of, vec![change]);
    Ok(tx.append(tenant, &entry.by_rule(rule))?)
}

/// A change of an attribute of our extension, for the ledger.
pub(crate) fn changed(attribute: &str, old: &Value, new: &Value) -> Value {
    json!({"attribute": format!("{HEADCOUNT}:{attribute}"), "old": old, "new": new})
}
