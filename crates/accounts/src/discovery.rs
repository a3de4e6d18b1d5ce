//! What a tenant has for attributes that name things: what discovery advises its clients to use.

use scim_protocol::discovery::{CanonicalValues, View};
use scim_protocol::schema::ResourceType;
use std::sync::Arc;

use serde_json::Value;

use crate::authorization::Tier;
use crate::provisioning::{ENTERPRISE, HEADCOUNT};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::users::settings::Settings;
use crate::users::view::is_enabled;
use crate::{Caller, Context};

/// Names of one attribute that are listed at most; who has more looks them up at their endpoint.
const MAX_NAMES: usize = 1_000;

/// What discovery says to a caller: the names that the caller's tenant has, of roles those that it
/// may grant. Whoever may not read users is told what strangers are.
///
/// # Errors
/// The store's.
pub fn view(tx: &mut dyn Tx, context: &Context) -> Result<View, Refusal> {
    let caller = &context.caller;
    let genesys = caller.genesys;
    if !caller.rights.allow(Right::ReadUsers) {
        return Ok(View { genesys, ..View::default() });
    }
    let user = ResourceType::user().schema.id.as_str();
    let group = ResourceType::group().extensions.first().map(|e| e.schema.id.as_str());
    let mut values = CanonicalValues::default();
    let mut add = |urns: &[&str], path: &str, names: &[String]| {
        for urn in urns {
            values.add(urn, path, names.iter().cloned());
        }
    };
    let ours = [Some(HEADCOUNT), group];
    let ours: Vec<&str> = ours.into_iter().flatten().collect();
    let roles = grantable(tx, context)?;
    add(&[user], "roles.value", &roles);
    add(&ours, "roleGrants.role", &roles);
    let divisions = names(tx, caller, ResourceType::division(), |_| true)?;
    add(&[ENTERPRISE, HEADCOUNT], "division", &divisions);
    add(&ours, "roleGrants.division", &divisions);
    let skills = names(tx, caller, ResourceType::skill(), is_enabled)?;
    add(&[HEADCOUNT], "skills.value", &skills);
    let is_fit = |rule: &Resource| {
        is_enabled(rule) && rule.attributes.get("validated") != Some(&Value::Bool(false))
    };
    let rules = names(tx, caller, ResourceType::capacity_rule(), is_fit)?;
    add(&ours, "capacityRule", &rules);
    let templates = names(tx, caller, ResourceType::user_template(), is_enabled)?;
    add(&[HEADCOUNT], "template", &templates);
    add(&[HEADCOUNT], "licenseTier", &Tier::ALL.map(|tier| tier.name().to_owned()));
    Ok(View { canonical_values: values, genesys })
}

fn grantable(tx: &mut dyn Tx, context: &Context) -> Result<Vec<String>, Refusal> {
    let caller = &context.caller;
    let settings = Settings::of(tx, context)?;
    let grantable = settings.grantable(tx, context)?;
    let is_admin = caller.rights.allow(Right::Admin);
    names(tx, caller, ResourceType::role(), |role| {
        is_enabled(role) && (is_admin || grantable.allows(role))
    })
}

fn names(
    tx: &mut dyn Tx,
    caller: &Caller,
    kind: &'static ResourceType,
    is_listed: impl Fn(&Resource) -> bool,
) -> Result<Vec<String>, Refusal> {
    let all = tx.all_objects(caller.tenant, kind)?;
    let name = |one: &Arc<Resource>| one.attributes.get("name")?.as_str().map(str::to_owned);
    Ok(all.iter().filter(|one| is_listed(one)).filter_map(name).take(MAX_NAMES).collect())
}
