//! The attributes of accounts that are computed when they are read.

use std::collections::HashMap;

use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::dependencies;
use super::extension::{self, ENTERPRISE, HEADCOUNT};
use super::held::is_over;
use super::view::{Directory, add_grants, add_skills, is_enabled, name};
use super::{form, genesys};
use crate::authorization::templates::EMPLOYEE;
use crate::authorization::{
    Access, DivisionScope, HeldGrant, Holder, PermissionSet, Tier, Via, blocked_count, policies,
};
use crate::refusal::Refusal;
use crate::resources::add;
use crate::tx::{Grant, InheritedGrant, Resource, SkillAssignment, Tx};
use crate::{Caller, parse_id};

/// Adds the attributes that are kept beside accounts, if they are wanted; those of extensions are
/// named with their URN before them.
///
/// # Errors
/// The store's.
pub fn complete(
    tx: &mut dyn Tx,
    caller: &Caller,
    users: &mut [Resource],
    wants: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.id).collect();
    let ours = |name: &str| wants(&format!("{HEADCOUNT}:{name}"));
    if wants("groups") {
        add(users, "groups", groups(tx, caller, &ids)?);
    }
    if wants("entitlements") {
        for user in users.iter_mut() {
            let tier = extension::text(&user.attributes, Some(HEADCOUNT), "licenseTier");
            let entitlement = json!([{"value": tier, "type": "licenseTier"}]);
            extension::set(&mut user.attributes, None, "entitlements", Some(entitlement));
        }
    }
    if wants(&format!("{ENTERPRISE}:manager")) {
        name_managers(tx, caller, users)?;
    }
    if ours("blockedPermissionCount") {
        count_blocked(tx, caller, users, &ids)?;
    }
    if ours("dependencies") {
        let found = tx.dependencies_of(caller.tenant, &ids)?;
        for user in users.iter_mut() {
            let own = found.iter().filter(|(of, _)| *of == user.id).map(|(_, one)| one);
            let own = dependencies::value(own);
            let own = (!own.is_empty()).then(|| own.into());
            extension::set(&mut user.attributes, Some(HEADCOUNT), "dependencies", own);
        }
    }
    let effective = ["effectiveRoles", "effectivePermissions", "blockedPermissions"];
    let wants_effective = effective.iter().any(|name| ours(name));
    let wants_grants = wants("roles") || ours("roleGrants");
    let wants_genesys =
        caller.genesys && genesys::GIVEN.iter().any(|(urn, name)| wants(&format!("{urn}:{name}")));
    let wants_skills = ours("skills") || ours("skillSet") || wants_genesys;
    let (mut grants, mut inherited) = (Vec::new(), Vec::new());
    if wants_grants || wants_effective {
        grants = tx.grants_of(caller.tenant, &ids)?;
        grants.retain(|grant| !is_over(grant, caller.now));
    }
    if wants_effective {
        inherited = tx.inherited_grants(caller.tenant, &ids)?;
    }
    let skills = if wants_skills { tx.skills_of(caller.tenant, &ids)? } else { Vec::new() };
    if wants_grants || wants_effective || wants_skills {
        let directory = directory(tx, caller, &grants, &inherited, &skills)?;
        for user in users.iter_mut() {
            let id = user.id;
            let own: Vec<&Grant> = grants.iter().filter(|grant| grant.subject == id).collect();
            if wants_grants {
                add_grants(&mut user.attributes, &own, &directory);
            }
            if wants_skills {
                let own: Vec<&SkillAssignment> =
                    skills.iter().filter(|(user, _)| *user == id).map(|(_, skill)| skill).collect();
                add_skills(&mut user.attributes, &own, &directory);
            }
            if wants_effective {
                let through: Vec<_> = inherited.iter().filter(|grant| grant.user == id).collect();
                add_effective(user, &held(user, &own, &through, &directory), &directory);
            }
        }
    }
    for user in users {
        if wants_genesys {
            genesys::add(&mut user.attributes);
        }
        extension::in_order(form(caller), &mut user.attributes);
    }
    Ok(())
}

fn groups(
    tx: &mut dyn Tx,
    caller: &Caller,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Value>>, Refusal> {
    let mut groups: HashMap<Uuid, Vec<Value>> = HashMap::new();
    for found in tx.groups_of(caller.tenant, ids)? {
        let way = if found.direct { "direct" } else { "indirect" };
        let group = json!({"value": found.group, "display": found.display, "type": way});
        groups.entry(found.user).or_default().push(group);
    }
    Ok(groups)
}

/// Says what the managers are called who have an account.
fn name_managers(tx: &mut dyn Tx, caller: &Caller, users: &mut [Resource]) -> Result<(), Refusal> {
    let manager = |user: &Resource| {
        let manager = extension::get(&user.attributes, Some(ENTERPRISE), "manager")?;
        manager.get("value")?.as_str().and_then(parse_id)
    };
    let mut ids: Vec<Uuid> = users.iter().filter_map(manager).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let names: HashMap<Uuid, String> = tx.displays_of(caller.tenant, &ids)?.into_iter().collect();
    for user in users {
        let Some(name) = manager(user).and_then(|id| names.get(&id)) else { continue };
        let enterprise = user.attributes.get_mut(ENTERPRISE);
        if let Some(manager) = enterprise.and_then(|members| members.get_mut("manager")) {
            manager["displayName"] = name.as_str().into();
        }
    }
    Ok(())
}

/// How much of what each account holds is in vain. Disabled roles give nothing, and what a disabled
/// account has counts as if it were enabled.
fn count_blocked(
    tx: &mut dyn Tx,
    caller: &Caller,
    users: &mut [Resource],
    ids: &[Uuid],
) -> Result<(), Refusal> {
    let tenant = caller.tenant;
    let grants = tx.grants_of(tenant, ids)?;
    let inherited = tx.inherited_grants(tenant, ids)?;
    let employee = tx.objects_named(tenant, ResourceType::role(), &[EMPLOYEE.to_owned()])?;
    let employee = employee.first().map(|role| role.id);
    let mut roles: Vec<Uuid> = grants.iter().map(|grant| grant.role).collect();
    roles.extend(inherited.iter().map(|grant| grant.role).chain(employee));
    roles.sort_unstable();
    roles.dedup();
    let given: HashMap<Uuid, PermissionSet> =
        tx.permissions_of(tenant, &roles)?.into_iter().collect();
    for user in users {
        let home = extension::text(&user.attributes, Some(HEADCOUNT), "divisionId");
        let home = home.and_then(parse_id).map_or(DivisionScope::All, DivisionScope::One);
        let own = grants.iter().filter(|grant| grant.subject == user.id && !grant.dormant);
        let through = inherited.iter().filter(|grant| grant.user == user.id && grant.enabled);
        let held = own.map(|grant| (grant.role, grant.division));
        let held = held.chain(through.map(|grant| (grant.role, grant.division)));
        let held = held.chain(employee.map(|role| (role, home)));
        let held = held.filter_map(|(role, division)| Some((*given.get(&role)?, division)));
        let count = blocked_count(holder(user).tier, held);
        let (attributes, name) = (&mut user.attributes, "blockedPermissionCount");
        extension::set(attributes, Some(HEADCOUNT), name, Some(count.into()));
    }
    Ok(())
}

fn directory(
    tx: &mut dyn Tx,
    caller: &Caller,
    grants: &[Grant],
    inherited: &[InheritedGrant],
    skills: &[(Uuid, SkillAssignment)],
) -> Result<Directory, Refusal> {
    let own = grants.iter().map(|grant| (grant.role, grant.division));
    let through = inherited.iter().map(|grant| (grant.role, grant.division));
    let skills = skills.iter().map(|(_, skill)| skill.skill);
    Directory::of(tx, caller.tenant, own.chain(through), skills)
}

/// Every grant of an account, its own, those of its groups, and that of the role which everybody has.
pub(crate) fn held(
    user: &Resource,
    own: &[&Grant],
    through: &[&InheritedGrant],
    directory: &Directory,
) -> Vec<HeldGrant> {
    let of = |role: Uuid, division, via, dormant| {
        let resource = directory.roles.get(&role)?;
        Some(HeldGrant {
            role,
            role_name: name(resource).to_owned(),
            role_enabled: is_enabled(resource),
            permissions: policies::expand(&policies::of(&resource.attributes)),
            division,
            via,
            dormant,
        })
    };
    let home = extension::text(&user.attributes, Some(HEADCOUNT), "divisionId").and_then(parse_id);
    let home = home.map_or(DivisionScope::All, DivisionScope::One);
    let enabled = user.attributes.get("active") == Some(&Value::Bool(true));
    let employee = directory.employee.and_then(|role| of(role, home, Via::Direct, !enabled));
    let own =
        own.iter().filter_map(|grant| of(grant.role, grant.division, Via::Direct, grant.dormant));
    let through = through.iter().filter_map(|grant| {
        let via =
            Via::Group { id: grant.group, name: grant.group_name.clone(), enabled: grant.enabled };
        of(grant.role, grant.division, via, false)
    });
    employee.into_iter().chain(own).chain(through).collect()
}

/// What limits an account besides its roles.
pub(crate) fn holder(user: &Resource) -> Holder {
    let text = |name| extension::text(&user.attributes, Some(HEADCOUNT), name);
    Holder {
        active: text("accountState") == Some("active"),
        tier: text("licenseTier").and_then(Tier::named).unwrap_or(Tier::Cx1),
    }
}

fn add_effective(user: &mut Resource, held: &[HeldGrant], directory: &Directory) {
    let access = Access::of(holder(user), held);
    let enabled = user.attributes.get("active") == Some(&Value::Bool(true));
    let live = held.iter().filter(|grant| enabled && grant.is_live());
    let role = |grant: &HeldGrant| {
        let division = directory.division(grant.division);
        match &grant.via {
            Via::Direct => json!({"role": grant.role_name, "division": division, "via": "direct"}),
            Via::Group { name, .. } => json!({"role": grant.role_name, "division": division,
                "via": "group", "group": name}),
        }
    };
    let roles: Vec<Value> = live.map(role).collect();
    let texts = |permissions: &crate::authorization::ScopedPermissions| {
        permissions.texts(|id| directory.division(DivisionScope::One(id)).to_owned())
    };
    let (effective, blocked) = (texts(&access.effective), texts(&access.blocked));
    for (name, value) in [
        ("effectiveRoles", Value::from(roles)),
        ("effectivePermissions", effective.into()),
        ("blockedPermissions", blocked.into()),
    ] {
        let is_there = value.as_array().is_some_and(|values| !values.is_empty());
        extension::set(&mut user.attributes, Some(HEADCOUNT), name, is_there.then_some(value));
    }
}
