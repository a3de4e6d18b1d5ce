//! Roles: what their holders may do.
//!
//! A role's `policies` say what it permits; `permissions` is what they come to. Every tenant starts
//! with a role of each of the [`templates`](crate::authorization::templates), its default roles.

mod defaults;
mod refresh;

use std::collections::{BTreeSet, HashMap};

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::Parameters;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::authorization::{Capability, PermissionSet, policies};
use crate::objects::{self, ObjectType};
use crate::refusal::{Code, Refusal};
use crate::revocation::{MAX_HOLDERS, revoke_everywhere};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context, Precondition};

pub(crate) use defaults::furnish;
pub use refresh::refresh;

pub use defaults::{
    Recreated, Restoration, compare_default, employee, master_admin, recreate_defaults,
    restore_default,
};

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
        // What is privileged stays so until somebody says that it is not.
        if let Some(privileged) = before.and_then(|before| before.attributes.get(PRIVILEGED)) {
            after.attributes.entry(PRIVILEGED).or_insert_with(|| privileged.clone());
        }
        add_defaults(&mut after.attributes);
        policies::check(&after.attributes)?;
        before.map_or(Ok(()), |before| check_lock(&before.attributes, &after.attributes))
    }

    fn written(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &Resource,
    ) -> Result<(), Refusal> {
        let given = in_effect(&after.attributes);
        if before.is_some_and(|before| in_effect(&before.attributes) == given) {
            return Ok(());
        }
        Ok(tx.set_role_permissions(context.caller.tenant, after.id, &given)?)
    }

    fn removable(tx: &mut dyn Tx, context: &Context, role: &Resource) -> Result<(), Refusal> {
        check_deletable(&role.attributes)?;
        let holders =
            tx.holders_of_role(context.caller.tenant, role.id, context.now, MAX_HOLDERS + 1)?;
        let holders = holders.len();
        if holders == 0 {
            return Ok(());
        }
        let more = if holders > MAX_HOLDERS as usize { "more than " } else { "" };
        let holders = holders.min(MAX_HOLDERS as usize);
        Err(Refusal::rule(
            Code::RoleInUse,
            format!(
                "the role is granted to {more}{holders} users and groups: revoke it from them, or \
                 disable it; an administrator can also delete it by force"
            ),
        ))
    }

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        roles: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        if wants("userCount") {
            let counts = count_users(tx, caller, roles)?;
            for (role, count) in roles.iter_mut().zip(counts) {
                role.attributes.insert("userCount".to_owned(), count.into());
            }
        }
        for role in roles {
            derive(&mut role.attributes, wants);
        }
        Ok(())
    }
}

/// Deletes a role and every grant of it (rule R32): those who have it get a new version without it.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and a default role.
pub fn delete_forced(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    context.caller.require(Right::Admin)?;
    tx.hold_alone(context.caller.tenant, id)?;
    let role = objects::get::<Roles>(tx, &context.caller, id)?;
    precondition.check(role.version)?;
    check_deletable(&role.attributes)?;
    revoke_everywhere(tx, context, &role)?;
    objects::delete::<Roles>(tx, context, id, precondition)
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
    objects::copy::<Roles>(tx, context, id, name)
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

fn is_immutable(role: &Object) -> bool {
    role.get(BUILTIN_LOCK).is_some_and(|lock| lock == IMMUTABLE)
}

fn is_default(role: &Object) -> bool {
    role.get(DEFAULT) == Some(&Value::Bool(true))
}

/// Says what nobody said, so that it can be filtered by.
fn add_defaults(role: &mut Object) {
    for (attribute, value) in
        [(PRIVILEGED, json!(false)), (DEFAULT, json!(false)), (BUILTIN_LOCK, json!("none"))]
    {
        role.entry(attribute).or_insert(value);
    }
}

/// Refuses to take from a role what it must keep (rules R25 and R41).
fn check_lock(before: &Object, after: &Object) -> Result<(), Refusal> {
    let is_changed = |attribute: &&str| before.get(*attribute) != after.get(*attribute);
    if is_immutable(before) {
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

/// How many users have each of these roles, directly or through groups. What sleeps, since the
/// account was deactivated, does not count.
fn count_users(tx: &mut dyn Tx, caller: &Caller, roles: &[Resource]) -> Result<Vec<i64>, Refusal> {
    let ids: Vec<Uuid> = roles.iter().map(|role| role.id).collect();
    let counts: HashMap<_, _> = tx.count_role_users(caller.tenant, &ids)?.into_iter().collect();
    let mut count = |role: &Resource| {
        if defaults::is_employee(&role.attributes) {
            return count_active(tx, caller);
        }
        Ok(counts.get(&role.id).copied().unwrap_or_default())
    };
    roles.iter().map(&mut count).collect()
}

/// Everybody is an employee, without a grant (rule R27).
fn count_active(tx: &mut dyn Tx, caller: &Caller) -> Result<i64, Refusal> {
    let parameters = Parameters {
        filter: Some("active eq true".to_owned()),
        count: Some("0".to_owned()),
        ..Parameters::default()
    };
    let query = parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict))?;
    let total = tx.users(caller.scope(), &query)?.total.unwrap_or_default();
    Ok(i64::try_from(total).unwrap_or(i64::MAX))
}

/// Rules R32 and R41.
fn check_deletable(role: &Object) -> Result<(), Refusal> {
    let code = match () {
        () if is_immutable(role) => Code::MasterAdminRole,
        () if is_default(role) => Code::DefaultRole,
        () => return Ok(()),
    };
    let name = name_of(role);
    Err(Refusal::rule(code, format!("the default role {name} cannot be deleted")))
}

/// What a role gives to those who have it: nothing, if it is disabled (rule R31).
fn in_effect(role: &Object) -> PermissionSet {
    if role.get(STATE).is_some_and(|state| state == "disabled") {
        return PermissionSet::EMPTY;
    }
    policies::expand(&policies::of(role))
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
