//! What a tenant has for attributes that name things: what discovery advises its clients to use.

use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::discovery::{CanonicalValues, View};
use scim_protocol::filter;
use scim_protocol::fold::fold;
use scim_protocol::query::{Query, Start};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use crate::authorization::Tier;
use crate::provisioning::{ENTERPRISE, HEADCOUNT};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::Tx;
use crate::users::settings::Settings;
use crate::users::view::{is_enabled, name};
use crate::{Caller, Context, parse_id};

/// Names of one attribute that are listed at most; who has more looks them up at their endpoint.
const MAX_NAMES: u32 = 1_000;

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
    let divisions = names(tx, caller, ResourceType::division(), None)?;
    add(&[ENTERPRISE, HEADCOUNT], "division", &divisions);
    add(&ours, "roleGrants.division", &divisions);
    let skills = names(tx, caller, ResourceType::skill(), Some(ENABLED))?;
    add(&[HEADCOUNT], "skills.value", &skills);
    let fit = format!("{ENABLED} and not (validated eq false)");
    let rules = names(tx, caller, ResourceType::capacity_rule(), Some(&fit))?;
    add(&ours, "capacityRule", &rules);
    let templates = names(tx, caller, ResourceType::user_template(), Some(ENABLED))?;
    add(&[HEADCOUNT], "template", &templates);
    add(&[HEADCOUNT], "licenseTier", &Tier::ALL.map(|tier| tier.name().to_owned()));
    Ok(View { canonical_values: values, genesys })
}

/// What can be given to somebody, as a filter.
const ENABLED: &str = "not (state eq \"disabled\")";

fn grantable(tx: &mut dyn Tx, context: &Context) -> Result<Vec<String>, Refusal> {
    let (caller, kind) = (&context.caller, ResourceType::role());
    if caller.rights.allow(Right::Admin) {
        return names(tx, caller, kind, Some(ENABLED));
    }
    let grantable = Settings::of(tx, context)?.grantable(tx, context)?;
    let Some(listed) = grantable.listed() else {
        let unprivileged = format!("{ENABLED} and not (privileged eq true)");
        return names(tx, caller, kind, Some(&unprivileged));
    };
    let folded: Vec<String> = listed.iter().map(|name| fold(name)).collect();
    let ids: Vec<Uuid> = listed.iter().filter_map(|name| parse_id(name)).collect();
    let mut roles = tx.objects_named(caller.tenant, kind, &folded)?;
    roles.extend(tx.objects_with_ids(caller.tenant, kind, &ids)?);
    roles.retain(|role| is_enabled(role) && grantable.allows(role));
    roles.sort_by_key(|role| role.id);
    roles.dedup_by_key(|role| role.id);
    Ok(roles.iter().map(|role| name(role).to_owned()).collect())
}

/// The names of the resources that a filter selects, the oldest ones if there are too many.
fn names(
    tx: &mut dyn Tx,
    caller: &Caller,
    kind: &'static ResourceType,
    filter: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let parse = |text| filter::parse(kind, text, &mut Leniencies::new(Dialect::Strict));
    let filter = filter.map(parse).transpose()?;
    let (start, sort) = (Start::After(None), None);
    let query = Query { filter, sort, start, count: MAX_NAMES, wants_total: false };
    let page = tx.objects(caller.scope(), kind, &query)?;
    Ok(page.resources.iter().map(|one| name(one).to_owned()).collect())
}
