//! Roles: what their holders may do.
//!
//! A role's `policies` say what it permits; `permissions` is what they come to. The roles that every
//! tenant starts with are in [`defaults`](self::furnish).

mod defaults;

use std::collections::BTreeSet;

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::authorization::policies;
use crate::authorization::{Capability, PermissionSet};
use crate::objects::{self, ObjectType};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tenancy::checked_name;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context};

pub(crate) use defaults::furnish;
pub use defaults::{Recreated, compare_default, employee, master_admin, recreate_defaults};

/// `/Roles`
pub struct Roles;

impl ObjectType for Roles {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::role()
    }

    fn check(
        _: &mut dyn Tx,
        _: &Context,
        before: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        complete_state(&mut after.attributes)?;
        policies::check(&after.attributes)?;
        before.map_or(Ok(()), |before| check_lock(&before.attributes, &after.attributes))
    }

    fn complete(
        _: &mut dyn Tx,
        _: &Caller,
        roles: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        for role in roles {
            derive(&mut role.attributes, wants);
        }
        Ok(())
    }
}

/// Makes a role with the policies of another (rule R33): one of the tenant's own, whatever the other
/// is, and nobody has it. Without a name it is called after the other.
///
/// # Errors
/// Refuses an unknown identifier, and a name that a role has.
pub fn copy(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    name: Option<&str>,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let original = objects::get::<Roles>(tx, &context.caller, id)?;
    let mut copy = original.attributes;
    let name = name.map_or_else(|| format!("{} (copy)", name_of(&copy)), str::to_owned);
    for own in [DEFAULT_ROLE_ID, DEFAULT, BUILTIN_LOCK] {
        copy.shift_remove(own);
    }
    copy.insert(NAME.to_owned(), name.into());
    objects::create::<Roles>(tx, context, (context.new_id)(), copy)
}

const NAME: &str = "name";
const STATE: &str = "state";
const PRIVILEGED: &str = "privileged";
const DEFAULT_ROLE_ID: &str = "defaultRoleId";
const DEFAULT: &str = "default";
const BUILTIN_LOCK: &str = "builtinLock";

/// A lock that keeps a role's name, permissions and effect as they are.
const IMMUTABLE: &str = "immutable";

fn name_of(role: &Object) -> &str {
    role.get(NAME).and_then(Value::as_str).unwrap_or_default()
}

fn is_default(role: &Object) -> bool {
    role.get(DEFAULT) == Some(&Value::Bool(true))
}

/// Says what a client left open, and brings what it said into the form in which it is kept.
fn complete_state(role: &mut Object) -> Result<(), Refusal> {
    let name = checked_name(name_of(role))?;
    role.insert(NAME.to_owned(), name.into());
    let state = role.get(STATE).and_then(Value::as_str).unwrap_or("enabled");
    let known = ["enabled", "disabled"].into_iter().find(|known| known.eq_ignore_ascii_case(state));
    let state = known.ok_or_else(|| Error::invalid_value("state is enabled or disabled"))?;
    role.insert(STATE.to_owned(), state.into());
    for (attribute, value) in
        [(PRIVILEGED, json!(false)), (DEFAULT, json!(false)), (BUILTIN_LOCK, json!("none"))]
    {
        role.entry(attribute).or_insert(value);
    }
    Ok(())
}

/// Refuses to take from a role what it must keep (rules R25 and R41).
fn check_lock(before: &Object, after: &Object) -> Result<(), Refusal> {
    let is_changed = |attribute: &&str| before.get(*attribute) != after.get(*attribute);
    let is_immutable = before.get(BUILTIN_LOCK).is_some_and(|lock| lock == IMMUTABLE);
    if is_immutable {
        let kept = |role: &Object| policies::expand_unconditional(&policies::of(role));
        let changed = [NAME, STATE, PRIVILEGED].into_iter().find(is_changed);
        let changed = changed.or((!kept(before).is_subset(&kept(after))).then_some("permissions"));
        if let Some(attribute) = changed {
            return Err(Refusal::rule(
                Code::MasterAdminRole,
                format!(
                    "the {attribute} of the role {} cannot be changed: copy the role and change \
                     the copy",
                    name_of(before)
                ),
            ));
        }
    }
    if is_default(before) && is_changed(&NAME) {
        return Err(Refusal::rule(
            Code::DefaultRoleName,
            "the name of a default role cannot be changed: copy the role and name the copy",
        ));
    }
    Ok(())
}

/// Adds what follows from the policies of a role.
fn derive(role: &mut Object, wants: &dyn Fn(&str) -> bool) {
    let permissions = policies::expand(&policies::of(role));
    if wants("needsUpdate") {
        let needs_update = defaults::compared(role).is_some_and(|found| found.needs_update());
        role.insert("needsUpdate".to_owned(), needs_update.into());
    }
    let mut add = |attribute: &str, names: Vec<&'static str>| {
        if wants(attribute) && !names.is_empty() {
            role.insert(attribute.to_owned(), names.into());
        }
    };
    add("requiredCapabilities", required(&permissions).into_iter().map(Capability::name).collect());
    add("permissions", permissions.names().collect());
}

/// What a tier must have for all of these permissions to count (rule R14).
fn required(permissions: &PermissionSet) -> BTreeSet<Capability> {
    permissions.iter().flat_map(|id| id.permission().requires).copied().collect()
}

#[cfg(test)]
mod tests;
