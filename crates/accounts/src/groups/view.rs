//! A group as clients see it: what is kept beside its attributes, put among them.

use std::collections::HashMap;

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Caller;
use crate::group::Group;
use crate::parse_id;
use crate::refusal::Refusal;
use crate::resources::add;
use crate::tx::{Grant, Member, MemberKind, Resource, Tx};
use crate::users::extension;
use crate::users::view::{Directory, name};

/// The extension of a group with what a contact centre knows.
pub(crate) const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";

/// Attributes of the extension that no group keeps in its document: what they say is kept elsewhere,
/// or follows.
pub(crate) const BESIDE: [&str; 6] =
    ["kind", "enabled", "roleGrants", "capacityRule", "priority", "memberCount"];

/// The group with what is said by one value each.
pub(crate) fn with_standing(group: &Group) -> Resource {
    let Group { resource, standing } = group;
    let mut shown = resource.clone();
    let rule = standing.capacity_rule.as_ref().map(|rule| rule.name.clone().into());
    for (name, value) in [
        ("kind", Some(standing.kind.as_str().into())),
        ("enabled", Some(standing.enabled.into())),
        ("capacityRule", rule),
        ("priority", Some(standing.priority.into())),
    ] {
        if value.is_some() {
            extension::set(&mut shown.attributes, Some(EXTENSION), name, value);
        }
    }
    extension::in_order(ResourceType::group(), &mut shown.attributes);
    shown
}

/// The attributes of the group as a client may change them, without its members.
///
/// # Errors
/// The store's.
pub(crate) fn shown(
    tx: &mut dyn Tx,
    tenant: Uuid,
    group: &Group,
    grants: &[Grant],
) -> Result<Object, Refusal> {
    let mut shown = with_standing(group).attributes;
    if !grants.is_empty() {
        let directory = directory(tx, tenant, grants)?;
        add_grants(&mut shown, &grants.iter().collect::<Vec<_>>(), &directory);
        extension::in_order(ResourceType::group(), &mut shown);
    }
    Ok(shown)
}

/// Adds the attributes that are kept beside groups, if they are wanted; those of the extension are
/// named with its URN before them.
///
/// # Errors
/// The store's.
pub fn complete(
    tx: &mut dyn Tx,
    caller: &Caller,
    groups: &mut [Resource],
    wants: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let ids: Vec<Uuid> = groups.iter().map(|group| group.id).collect();
    let ours = |name: &str| wants(&format!("{EXTENSION}:{name}"));
    if wants("members") {
        let members = members(tx, caller.tenant, &ids)?;
        add(groups, "members", members);
    }
    if ours("roleGrants") {
        add_role_grants(tx, caller.tenant, groups, &ids)?;
    }
    if ours("managers") {
        name_managers(tx, caller.tenant, groups)?;
    }
    if ours("memberCount") {
        let counts: HashMap<Uuid, i64> =
            tx.count_members(caller.tenant, &ids)?.into_iter().collect();
        for group in groups.iter_mut() {
            let count = counts.get(&group.id).copied().unwrap_or_default();
            let attributes = &mut group.attributes;
            extension::set(attributes, Some(EXTENSION), "memberCount", Some(count.into()));
        }
    }
    for group in groups {
        extension::in_order(ResourceType::group(), &mut group.attributes);
    }
    Ok(())
}

fn members(
    tx: &mut dyn Tx,
    tenant: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Value>>, Refusal> {
    let mut members: HashMap<Uuid, Vec<Value>> = HashMap::new();
    for (group, member) in tx.members_of(tenant, ids)? {
        members.entry(group).or_default().push(shown_member(&member));
    }
    Ok(members)
}

/// A member as clients see it, without its address.
pub fn shown_member(member: &Member) -> Value {
    let kind = match member.kind {
        MemberKind::User => "User",
        MemberKind::Group => "Group",
    };
    let mut value = json!({"value": member.id, "type": kind});
    if let Some(display) = &member.display {
        value["display"] = display.as_str().into();
    }
    value
}

fn add_role_grants(
    tx: &mut dyn Tx,
    tenant: Uuid,
    groups: &mut [Resource],
    ids: &[Uuid],
) -> Result<(), Refusal> {
    let grants = tx.grants_of(tenant, ids)?;
    if grants.is_empty() {
        return Ok(());
    }
    let directory = directory(tx, tenant, &grants)?;
    for group in groups {
        let own: Vec<&Grant> = grants.iter().filter(|grant| grant.subject == group.id).collect();
        add_grants(&mut group.attributes, &own, &directory);
    }
    Ok(())
}

fn directory(tx: &mut dyn Tx, tenant: Uuid, grants: &[Grant]) -> Result<Directory, Refusal> {
    let granted = grants.iter().map(|grant| (grant.role, grant.division));
    Directory::of(tx, tenant, granted, std::iter::empty())
}

fn add_grants(attributes: &mut Object, grants: &[&Grant], directory: &Directory) {
    let shown = |grant: &&Grant| {
        let role = directory.roles.get(&grant.role).map_or("", |role| name(role));
        json!({"role": role, "roleId": grant.role, "division": directory.division(grant.division)})
    };
    let shown: Vec<Value> = grants.iter().map(shown).collect();
    let shown = (!shown.is_empty()).then(|| shown.into());
    extension::set(attributes, Some(EXTENSION), "roleGrants", shown);
}

fn managers(attributes: &mut Object) -> impl Iterator<Item = &mut Value> {
    let ours = attributes.get_mut(EXTENSION);
    let listed = ours.and_then(|ours| ours.get_mut("managers")).and_then(Value::as_array_mut);
    listed.into_iter().flatten()
}

fn manager_id(manager: &Value) -> Option<Uuid> {
    parse_id(manager.get("value")?.as_str()?)
}

/// A manager who was deleted since has no name any more.
fn name_managers(tx: &mut dyn Tx, tenant: Uuid, groups: &mut [Resource]) -> Result<(), Refusal> {
    let mut ids: Vec<Uuid> = Vec::new();
    for group in groups.iter_mut() {
        ids.extend(managers(&mut group.attributes).filter_map(|manager| manager_id(manager)));
    }
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let names: HashMap<Uuid, String> = tx.displays_of(tenant, &ids)?.into_iter().collect();
    for group in groups {
        for manager in managers(&mut group.attributes) {
            let name = manager_id(manager).and_then(|id| names.get(&id));
            if let Some(name) = name {
                manager["display"] = name.clone().into();
            }
        }
    }
    Ok(())
}
