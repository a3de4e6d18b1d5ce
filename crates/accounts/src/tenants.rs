//! The tenant as a resource: its policy.

use scim_protocol::schema::ResourceType;

use crate::names;
use crate::objects::ObjectType;
use crate::policy::{DefaultDivision, TenantPolicy};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context};

/// `/Tenants`, of which each caller sees its own.
pub struct Tenants;

impl ObjectType for Tenants {
    const READ: Right = Right::Admin;
    const CREATABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::tenant()
    }

    /// The policy can be read, and what it newly names exists (rule R22).
    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        // What provisions accounts goes by the policy, and holds it.
        tx.hold_alone(context.caller.tenant, after.id)?;
        let policy = TenantPolicy::of(&after.attributes)?;
        let old = before.map(|before| TenantPolicy::of(&before.attributes)).transpose()?;
        let tenant = context.caller.tenant;
        if let DefaultDivision::Named(name) = &policy.default_division
            && old.as_ref().is_none_or(|old| old.default_division != policy.default_division)
        {
            let attribute = "provisioning.defaultDivision";
            names::resolve_one(tx, tenant, ResourceType::division(), attribute, name)?;
        }
        if let Some(roles) = &policy.grantable_by_scim
            && old.as_ref().is_none_or(|old| old.grantable_by_scim != policy.grantable_by_scim)
        {
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            names::resolve(tx, tenant, ResourceType::role(), "grantableByScim", &roles)?;
        }
        Ok(())
    }
}

/// What the tenant has decided.
///
/// # Errors
/// The store's; also a tenant that does not exist.
pub fn policy(tx: &mut dyn Tx, caller: &Caller) -> Result<TenantPolicy, Refusal> {
    policy_of(tx, caller)?.ok_or_else(|| Refusal::not_found("Tenant", caller.tenant))
}

/// What the tenant has decided, if there is one.
///
/// # Errors
/// The store's.
pub(crate) fn policy_of(tx: &mut dyn Tx, caller: &Caller) -> Result<Option<TenantPolicy>, Refusal> {
    let kind = ResourceType::tenant();
    let found = tx.objects_with_ids(caller.tenant, kind, &[caller.tenant])?;
    Ok(found.first().map(|found| TenantPolicy::of(&found.attributes)).transpose()?)
}
