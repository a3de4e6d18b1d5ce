//! The default roles of a tenant, and how they differ from the templates they were made from.

use std::sync::Arc;

use std::slice;

use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{BUILTIN_LOCK, DEFAULT, DEFAULT_ROLE_ID, Roles, count_users, name_of};
use crate::account::Named;
use crate::authorization::compare::{Comparison, compare};
use crate::authorization::templates::{self, EMPLOYEE, MASTER_ADMIN, Template};
use crate::authorization::{PermissionSet, policies};
use crate::ledger::Action;
use crate::objects::{self, change, insert};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{Resource, StorageError, Tx};
use crate::{Context, Precondition};

/// What restoring a default role changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Restoration {
    /// What the role gets back.
    pub regained: PermissionSet,
    /// What it has besides, and loses.
    pub lost: PermissionSet,
    /// How many users have it.
    pub affected_users: i64,
    /// Whether it was done, or only reported.
    pub done: bool,
}

/// What became of a tenant's default roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recreated {
    /// Those that were missing, by name.
    pub created: Vec<&'static str>,
    /// Those that differed from their template and do no more.
    pub restored: Vec<&'static str>,
}

/// The role that every account has (rule R27).
///
/// # Errors
/// The store's, also for a tenant without the role.
pub fn employee(tx: &mut dyn Tx, tenant: Uuid) -> Result<Named, Refusal> {
    required(tx, tenant, EMPLOYEE)
}

/// The role that some account must keep (rule R40).
///
/// # Errors
/// The store's, also for a tenant without the role.
pub fn master_admin(tx: &mut dyn Tx, tenant: Uuid) -> Result<Named, Refusal> {
    required(tx, tenant, MASTER_ADMIN)
}

fn required(tx: &mut dyn Tx, tenant: Uuid, default_role_id: &str) -> Result<Named, Refusal> {
    let role = find(tx, tenant, default_role_id)?.ok_or_else(|| {
        let missing =
            format!("the tenant has no role {default_role_id}: recreate its default roles");
        StorageError::Failed(missing.into())
    })?;
    Ok(Named { id: role.id, name: name_of(&role.attributes).to_owned() })
}

/// The role that was made from this template. Its name never changes (rule R25), so it is found by
/// it.
fn find(tx: &mut dyn Tx, tenant: Uuid, default_role_id: &str) -> Result<Option<Resource>, Refusal> {
    let found = tx.objects_named(tenant, ResourceType::role(), &[fold(default_role_id)])?;
    let is_made_from_it = |role: &Arc<Resource>| {
        role.attributes.get(DEFAULT_ROLE_ID).is_some_and(|made_from| made_from == default_role_id)
    };
    Ok(found.into_iter().find(is_made_from_it).map(Arc::unwrap_or_clone))
}

/// Gives a new tenant the default roles.
pub(crate) fn furnish(tx: &mut dyn Tx, context: &Context) -> Result<(), Refusal> {
    templates::ALL.iter().try_for_each(|template| create(tx, context, template))
}

fn create(tx: &mut dyn Tx, context: &Context, template: &Template) -> Result<(), Refusal> {
    let mut attributes = template.attributes();
    attributes.insert(DEFAULT_ROLE_ID.to_owned(), json!(template.default_role_id));
    attributes.insert(DEFAULT.to_owned(), json!(true));
    attributes.insert(BUILTIN_LOCK.to_owned(), json!(template.builtin_lock));
    let role = Resource {
        id: (context.new_id)(),
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes,
    };
    insert::<Roles>(tx, context, role)?;
    Ok(())
}

/// Adds the default roles that the tenant lacks, as it does after a version with new ones; with
/// `force` also restores those that differ from their template (rule R34). Roles of the tenant's own
/// are left alone.
///
/// # Errors
/// Refuses if a role of the tenant's own has the name of one that is missing.
pub fn recreate_defaults(
    tx: &mut dyn Tx,
    context: &Context,
    force: bool,
) -> Result<Recreated, Refusal> {
    context.caller.require(Right::Admin)?;
    let mut recreated = Recreated::default();
    for template in templates::ALL {
        let name = template.default_role_id;
        match find(tx, context.caller.tenant, name)? {
            None => {
                create(tx, context, template)?;
                recreated.created.push(name);
            }
            Some(role) if force => {
                let restored = restore(tx, context, role.id, &Precondition::default(), template)?;
                if restored.version != role.version {
                    recreated.restored.push(name);
                }
            }
            Some(_) => {}
        }
    }
    Ok(recreated)
}

/// Gives a default role what its template gives (rule R34), if it is confirmed; until then says what
/// that would change.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and a role of the tenant's
/// own.
pub fn restore_default(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    confirm: bool,
) -> Result<Restoration, Refusal> {
    context.caller.require(Right::Admin)?;
    let role = objects::for_update::<Roles>(tx, context, id)?;
    precondition.check(role.version)?;
    let template = template_of(&role.attributes).ok_or_else(|| is_custom(&role.attributes))?;
    let Comparison { added, removed, .. } = with_template(&role.attributes, template);
    let affected_users = count_users(tx, &context.caller, slice::from_ref(&role))?.iter().sum();
    if confirm {
        restore(tx, context, id, precondition, template)?;
    }
    Ok(Restoration { regained: removed, lost: added, affected_users, done: confirm })
}

/// Gives a role the policies of its template.
fn restore(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    template: &Template,
) -> Result<Resource, Refusal> {
    change::<Roles>(tx, context, id, precondition, Action::Update, |attributes| {
        attributes.insert("policies".to_owned(), template.policies());
        Ok(())
    })
}

/// How a default role differs from its template (rule R35).
///
/// # Errors
/// Refuses an unknown identifier, and a role of the tenant's own.
pub fn compare_default(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
) -> Result<Comparison, Refusal> {
    context.caller.require(Right::Admin)?;
    let role = objects::get::<Roles>(tx, &context.caller, id)?;
    compared(&role.attributes).ok_or_else(|| is_custom(&role.attributes))
}

/// How a role differs from its template, if it has one. What it gives under a condition only, its
/// template gives and it does not; what it gives under a condition and its template does not, it has
/// added.
pub(super) fn compared(role: &Object) -> Option<Comparison> {
    template_of(role).map(|template| with_template(role, template))
}

fn with_template(role: &Object, template: &Template) -> Comparison {
    let template = template.permissions();
    let policies = policies::of(role);
    let added = compare(&policies::expand(&policies), &template).added;
    Comparison { added, ..compare(&policies::expand_unconditional(&policies), &template) }
}

pub(super) fn is_employee(role: &Object) -> bool {
    role.get(DEFAULT_ROLE_ID).is_some_and(|made_from| made_from == EMPLOYEE)
}

fn template_of(role: &Object) -> Option<&'static Template> {
    templates::template(role.get(DEFAULT_ROLE_ID).and_then(Value::as_str)?)
}

fn is_custom(role: &Object) -> Refusal {
    let name = name_of(role);
    Refusal::rule(
        Code::CustomRole,
        format!("the role {name:?} is the tenant's own and has no template: only default roles do"),
    )
}
