//! Taking roles from users and groups outside of a request on them.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Context;
use crate::authorization::DivisionScope;
use crate::ledger::{Action, Entry, Versioned};
use crate::refusal::{Code, Refusal};
use crate::tx::{Resource, Tx};

/// From so many users and groups a role can be taken at once.
pub(crate) const MAX_HOLDERS: u32 = 10_000;

/// Takes a role from every user and group that it is granted to (rule R32). Each of them gets a new
/// version, and an entry of its own for it. The caller has the role alone, so that nobody is granted
/// it meanwhile.
///
/// # Errors
/// Refuses a role that more than [`MAX_HOLDERS`] have.
pub(crate) fn revoke_everywhere(
    tx: &mut dyn Tx,
    context: &Context,
    role: &Resource,
) -> Result<(), Refusal> {
    let holders =
        tx.holders_of_role(context.caller.tenant, role.id, context.now, MAX_HOLDERS + 1)?;
    if holders.len() > MAX_HOLDERS as usize {
        return Err(Refusal::rule(
            Code::RoleInUse,
            format!(
                "the role is granted to more than {MAX_HOLDERS} users and groups, too many to take \
                 it from at once: disable it, and revoke it from some of them first"
            ),
        ));
    }
    for (holder, is_group) in holders {
        if is_group {
            revoke_from_group(tx, context, role, holder)?;
        } else {
            revoke_from_user(tx, context, role, holder)?;
        }
    }
    Ok(())
}

fn revoke_from_user(
    tx: &mut dyn Tx,
    context: &Context,
    role: &Resource,
    id: Uuid,
) -> Result<(), Refusal> {
    let found = tx.user_for_update(context.caller.scope(), id)?;
    let lost = take(tx, context, role, id)?;
    // What is deleted has no versions any more.
    let Some(before) = found else { return Ok(()) };
    let mut after = before.clone();
    begin_version(&mut after.resource, context);
    // It is only false for what the account has and another wants; neither has changed.
    tx.update_user(context.caller.tenant, &before, &after)?;
    log(tx, context, "User", &after.resource, lost)
}

fn revoke_from_group(
    tx: &mut dyn Tx,
    context: &Context,
    role: &Resource,
    id: Uuid,
) -> Result<(), Refusal> {
    let found = tx.group_for_update(context.caller.scope(), id)?;
    let lost = take(tx, context, role, id)?;
    let Some(mut group) = found else { return Ok(()) };
    begin_version(&mut group.resource, context);
    tx.update_group(context.caller.tenant, &group)?;
    log(tx, context, "Group", &group.resource, lost)
}

/// Nobody asked for a change of this user or group, but for one of the role.
fn log(
    tx: &mut dyn Tx,
    context: &Context,
    resource_type: &'static str,
    resource: &Resource,
    lost: Value,
) -> Result<(), Refusal> {
    let of = Versioned { resource_type, id: resource.id, version: resource.version };
    let entry = Entry::new(context, Action::Update, of, vec![lost]).by_rule("R32");
    Ok(tx.append(context.caller.tenant, &entry)?)
}

fn begin_version(resource: &mut Resource, context: &Context) {
    resource.version += 1;
    resource.last_modified = context.now;
}

/// Removes the grants of one user or group; what the change log says of them.
fn take(
    tx: &mut dyn Tx,
    context: &Context,
    role: &Resource,
    holder: Uuid,
) -> Result<Value, Refusal> {
    let tenant = context.caller.tenant;
    let grants = tx.grants_of(tenant, &[holder])?;
    let of_role = grants.iter().filter(|grant| grant.role == role.id);
    let lost: Vec<_> = of_role.map(|grant| (role.id, grant.division)).collect();
    tx.remove_grants(tenant, holder, &lost)?;
    let name = role.attributes.get("name");
    let listed = lost.iter().map(|(role, division)| {
        let division = match division {
            DivisionScope::All => "*".to_owned(),
            DivisionScope::One(id) => id.to_string(),
        };
        json!({"value": role, "display": name, "division": division})
    });
    let listed: Vec<Value> = listed.collect();
    Ok(json!({"attribute": "roles", "old": listed, "new": null}))
}
