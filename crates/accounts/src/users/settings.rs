//! What a tenant has decided, as far as accounts depend on it.

use std::sync::Arc;

use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::view::name;
use crate::account::Named;
use crate::authorization::Tier;
use crate::policy::TenantPolicy;
use crate::refusal::Refusal;
use crate::tx::{Resource, StorageError, Tx};
use crate::{Context, parse_id};

/// The tenant's policy, its home, its pools of seats and its provisioning rules.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) policy: TenantPolicy,
    pub(crate) home: Named,
    pub(crate) rules: Vec<Arc<Resource>>,
    /// How many seats each tier has; the tiers without a limit are not in it.
    limits: Vec<(Tier, i64)>,
}

impl Settings {
    /// Reads them. They stay what they are until this transaction ends.
    ///
    /// # Errors
    /// The store's, also for a tenant that does not exist.
    pub(crate) fn of(tx: &mut dyn Tx, context: &Context) -> Result<Self, Refusal> {
        let tenant = context.caller.tenant;
        tx.hold(tenant, tenant)?;
        let kinds = [
            ResourceType::tenant(),
            ResourceType::license_tier(),
            ResourceType::provisioning_rule(),
        ];
        let (mut policy, mut limits, mut rules) = (None, Vec::new(), Vec::new());
        for (kind, resource) in tx.objects_of(tenant, &kinds)? {
            match kind {
                "Tenant" => policy = Some(resource),
                "LicenseTier" => limits.extend(limit(&resource)),
                _ => rules.push(resource),
            }
        }
        let missing = || StorageError::Failed("the tenant has no policy".into());
        let tenant = policy.ok_or_else(missing)?;
        let home = tenant.attributes.get("homeDivisionId").and_then(Value::as_str);
        let home = home.and_then(parse_id).ok_or_else(missing)?;
        let divisions =
            tx.objects_with_ids(context.caller.tenant, ResourceType::division(), &[home])?;
        let home_name = divisions.first().map(|division| name(division).to_owned());
        let home = Named { id: home, name: home_name.unwrap_or_default() };
        Ok(Self { policy: TenantPolicy::of(&tenant.attributes)?, home, rules, limits })
    }

    /// How many seats a tier has, if there is a limit.
    pub(crate) fn seats(&self, tier: Tier) -> Option<i64> {
        self.limits.iter().find(|(limited, _)| *limited == tier).map(|(_, total)| *total)
    }

    /// The tiers that have a limit, with it.
    pub(crate) fn limits(&self) -> impl Iterator<Item = (Tier, i64)> {
        self.limits.iter().copied()
    }

    /// The tier of an account whose request names none.
    ///
    /// # Errors
    /// `invalidValue`: the policy names one that does not exist.
    pub(crate) fn default_tier(&self) -> Result<Tier, Refusal> {
        Ok(Tier::read(&self.policy.default_license_tier)?)
    }

    /// The roles that the caller may grant, who is no administrator (rules R30 and R42).
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn grantable(
        &self,
        tx: &mut dyn Tx,
        context: &Context,
    ) -> Result<Grantable, Refusal> {
        let caller = &context.caller;
        let kind = ResourceType::connection();
        let connection = tx.objects_with_ids(caller.tenant, kind, &[caller.connection])?;
        let listed = connection.first().and_then(|c| c.attributes.get("grantableRoles"));
        let own = listed.and_then(Value::as_array).map(|names| {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(Grantable(own.or_else(|| self.policy.grantable_by_scim.clone())))
    }
}

/// The roles that a connection may grant: those of a list, or all without privilege.
#[derive(Debug)]
pub(crate) struct Grantable(Option<Vec<String>>);

impl Grantable {
    /// The names and identifiers of the list, if there is one.
    pub(crate) fn listed(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// Whether a role is one of them.
    pub(crate) fn allows(&self, role: &Resource) -> bool {
        let is_it = |listed: &String| {
            parse_id(listed)
                .map_or_else(|| fold(listed) == fold(name(role)), |id: Uuid| id == role.id)
        };
        match &self.0 {
            Some(listed) => listed.iter().any(is_it),
            None => role.attributes.get("privileged") != Some(&Value::Bool(true)),
        }
    }
}

fn limit(tier: &Resource) -> Option<(Tier, i64)> {
    let total = tier.attributes.get("totalSeats")?.as_i64()?;
    Some((Tier::named(name(tier))?, total))
}
