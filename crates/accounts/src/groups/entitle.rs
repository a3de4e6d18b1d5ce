//! Giving a group what a request wishes for it, and the rules that stand in the way.

use std::collections::{BTreeSet, HashSet};

use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::view::EXTENSION;
use super::wish::{RoleWish, Wish, kind};
use crate::group::{Group, GroupKind};
use crate::members;
use crate::refusal::{Code, Refusal};
use crate::resources::check_size;
use crate::rights::Right;
use crate::role_text::DivisionText;
use crate::tx::{Grant, MemberKind, Resource, Tx};
use crate::users::settings::Settings;
use crate::users::{entitle, extension};
use crate::{Context, parse_id};

/// What becomes of a group, `group`, that looks as `shown` and has `held`, when a client wants it to
/// look as `wanted`: its new state, and the grants that it has then.
///
/// # Errors
/// Refuses another kind than it has, what groups of its kind have not, names of what does not exist
/// (R22), a capacity rule that is not fit to be used (R76), and roles that the caller may not grant
/// (R30, R31, R42).
pub(crate) fn settle(
    tx: &mut dyn Tx,
    context: &Context,
    group: &Group,
    held: &[Grant],
    shown: &Object,
    mut wanted: Object,
    leniencies: &mut Leniencies,
) -> Result<(Group, Vec<Grant>), Refusal> {
    if kind(&wanted)?.is_some_and(|kind| kind != group.standing.kind) {
        return Err(Error::mutability("kind: the kind of a group never changes").into());
    }
    check_managers(tx, context, shown, &mut wanted, leniencies)?;
    let wish = Wish::take(shown, &mut wanted)?;
    check_size(&wanted)?;
    let mut after = group.clone();
    after.resource.attributes = in_order(wanted);
    let standing = &mut after.standing;
    standing.enabled = wish.enabled.unwrap_or(standing.enabled);
    standing.priority = wish.priority.unwrap_or(standing.priority);
    if let Some(rule) = &wish.capacity_rule {
        let rule = Some(rule.as_str()).filter(|rule| !rule.is_empty());
        if rule.is_some() && standing.kind != GroupKind::Agent {
            return Err(wrong_kind("capacityRule", "agent"));
        }
        standing.capacity_rule = rule
            .map(|name| crate::capacity_rules::assignable(tx, context.caller.tenant, name))
            .transpose()?;
    }
    let grants = match &wish.role_grants {
        Some(wished) => grants(tx, context, group, wished, held)?,
        None => held.to_vec(),
    };
    Ok((after, grants))
}

/// Who puts somebody into a group gives them its roles and those of the groups above it (rules R30 and
/// R42): a connection may do so only with roles that it may grant.
///
/// # Errors
/// [`Code::RoleNotGrantable`]
pub(crate) fn check_conferred(
    tx: &mut dyn Tx,
    context: &Context,
    group: Uuid,
) -> Result<(), Refusal> {
    if context.caller.rights.allow(Right::Admin) {
        return Ok(());
    }
    let tenant = context.caller.tenant;
    let mut groups = tx.groups_above(tenant, group)?;
    groups.push(group);
    let mut roles: Vec<Uuid> = tx.grants_of(tenant, &groups)?.iter().map(|g| g.role).collect();
    if roles.is_empty() {
        return Ok(());
    }
    roles.sort_unstable();
    roles.dedup();
    let roles = tx.objects_with_ids(tenant, ResourceType::role(), &roles)?;
    let grantable = Settings::of(tx, context)?.grantable(tx, context)?;
    match roles.iter().find(|role| !grantable.allows(role)) {
        None => Ok(()),
        Some(role) => Err(Refusal::rule(
            Code::RoleNotGrantable,
            format!(
                "members: this group gives the role {}, which this connection may not grant: an \
                 administrator can add it to the connection's grantableRoles, or change the group",
                crate::users::view::name(role)
            ),
        )),
    }
}

fn in_order(mut attributes: Object) -> Object {
    extension::in_order(ResourceType::group(), &mut attributes);
    scim_protocol::resource::in_schema_order(ResourceType::group(), attributes)
}

fn wrong_kind(attribute: &str, kind: &str) -> Refusal {
    Refusal::rule(
        Code::WrongGroupKind,
        format!("{attribute}: only a group of the kind {kind} has it: leave it out"),
    )
}

/// The grants that a group is to have (rules R22, R28, R30, R31 and R42).
fn grants(
    tx: &mut dyn Tx,
    context: &Context,
    group: &Group,
    wished: &[RoleWish],
    held: &[Grant],
) -> Result<Vec<Grant>, Refusal> {
    if !wished.is_empty() && group.standing.kind != GroupKind::Access {
        return Err(wrong_kind("roleGrants", "access"));
    }
    let settings = Settings::of(tx, context)?;
    // A group is in no division of its own.
    let default = entitle::default_scope(&settings, settings.home.id);
    let texts: Vec<(&str, Option<&DivisionText>)> =
        wished.iter().map(|(role, division)| (role.as_str(), division.as_ref())).collect();
    let scoped = entitle::scoped(tx, context, default, "roleGrants", &texts)?;
    let before: BTreeSet<_> = held.iter().map(|grant| (grant.role, grant.division)).collect();
    let wanted: BTreeSet<_> = scoped.iter().map(|(role, division)| (role.id, *division)).collect();
    if wanted == before {
        return Ok(held.to_vec());
    }
    context.caller.require(Right::AssignRoles)?;
    let is_new = |granted: &&(Resource, _)| !before.contains(&(granted.0.id, granted.1));
    let new: Vec<&Resource> = scoped.iter().filter(is_new).map(|(role, _)| role).collect();
    entitle::check_new(tx, context, &settings, &new)?;
    let grant = |(role, division)| {
        let known = held.iter().find(|grant| (grant.role, grant.division) == (role, division));
        known.cloned().unwrap_or_else(|| Grant {
            subject: group.resource.id,
            role,
            division,
            source: context.source.as_str().to_owned(),
            granted: context.now,
            dormant: false,
            purge_at: None,
            primary: false,
        })
    };
    Ok(wanted.into_iter().map(grant).collect())
}

/// Writes what differs between the grants that a group had and those that it has.
///
/// # Errors
/// The store's.
pub(crate) fn write_grants(
    tx: &mut dyn Tx,
    tenant: Uuid,
    group: Uuid,
    before: &[Grant],
    after: &[Grant],
) -> Result<(), Refusal> {
    let gone = before.iter().filter(|grant| !after.contains(grant));
    let gone: Vec<_> = gone.map(|grant| (grant.role, grant.division)).collect();
    tx.remove_grants(tenant, group, &gone)?;
    let new: Vec<Grant> = after.iter().filter(|grant| !before.contains(grant)).cloned().collect();
    Ok(tx.put_grants(tenant, &new, true)?)
}

/// Who is named as a manager must exist, as members must; one who was there before may be deleted
/// meanwhile. Only the identifier is kept.
fn check_managers(
    tx: &mut dyn Tx,
    context: &Context,
    shown: &Object,
    wanted: &mut Object,
    leniencies: &mut Leniencies,
) -> Result<(), Refusal> {
    let Some(Value::Array(listed)) = extension::get(wanted, Some(EXTENSION), "managers") else {
        return Ok(());
    };
    let known = extension::get(shown, Some(EXTENSION), "managers").and_then(Value::as_array);
    let known: HashSet<&str> = known.into_iter().flatten().filter_map(value_of).collect();
    let ids: Vec<Uuid> = listed
        .iter()
        .filter_map(value_of)
        .filter(|id| !known.contains(id))
        .filter_map(parse_id)
        .collect();
    let existing = if ids.is_empty() { vec![] } else { tx.existing(context.caller.tenant, &ids)? };
    let is_user =
        |id: &str| parse_id(id).is_some_and(|id| existing.contains(&(id, MemberKind::User)));
    let mut managers: Vec<Value> = Vec::with_capacity(listed.len());
    for id in listed.iter().map(|manager| value_of(manager).unwrap_or_default()) {
        let manager = json!({"value": id});
        if !known.contains(id) && !is_user(id) {
            members::unknown("managers", "user", id, leniencies)?;
        } else if !managers.contains(&manager) {
            managers.push(manager);
        }
    }
    let managers = (!managers.is_empty()).then(|| managers.into());
    extension::set(wanted, Some(EXTENSION), "managers", managers);
    Ok(())
}

fn value_of(element: &Value) -> Option<&str> {
    element.get("value")?.as_str()
}
