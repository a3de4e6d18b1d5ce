//! Groups and their members.

use std::collections::HashMap;

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::fold::fold;
use scim_protocol::immutable;
use scim_protocol::patch::{self, Edit};
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ledger::{Action, append, differences};
use crate::members::{MAX_MEMBERS_IN_ANSWER, Step, carry_out, listed, steps};
use crate::provisioning::TemplateGroup;
use crate::refusal::{Code, Refusal};
use crate::resources::{add, check_size, keep, leave_groups, set_external_id};
use crate::tx::{MemberKind, Page, Resource, Tx};
use crate::{Caller, Context, Precondition, parse_id};

const GROUP: &str = "Group";

/// Creates a group, under an identifier that was never used, with the members that the body lists
/// (RFC 7644 section 3.3).
///
/// # Errors
/// Refuses a name or externalId that is another group's; in the strict dialect, members that do
/// not exist.
pub fn create(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    mut body: Object,
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    let members = take_members(&mut body, leniencies)?;
    check_size(&body)?;
    let group = Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: body,
    };
    if !tx.insert_group(context.caller.tenant, &group)? {
        return Err(name_taken());
    }
    set_external_id(tx, context, GROUP, &group)?;
    let steps: Vec<Step> = members.map(Step::Add).into_iter().collect();
    let net = carry_out(tx, context, group.id, &steps, leniencies)?;
    let mut changes = differences(ResourceType::group(), &Object::new(), &group.attributes);
    changes.extend(net.change());
    append(tx, context, Action::Create, GROUP, &group, changes)?;
    Ok(group)
}

/// Puts an account into a group that a template names (rule R22).
///
/// # Errors
/// Refuses a group that does not exist.
pub(crate) fn admit(
    tx: &mut dyn Tx,
    context: &Context,
    named: &TemplateGroup,
    account: Uuid,
) -> Result<(), Refusal> {
    let group = match (&named.value, &named.display) {
        (Some(id), _) => parse_id(id),
        (None, Some(name)) => {
            tx.groups_named(context.caller.tenant, &[fold(name)])?.first().copied()
        }
        (None, None) => None,
    };
    let unknown = || {
        let name = named.display.as_deref().or(named.value.as_deref()).unwrap_or_default();
        Refusal::rule(
            Code::UnknownGroup,
            format!("template: no group is named {name:?}: create it first, or mend the template"),
        )
    };
    let group = group.ok_or_else(unknown)?;
    let steps = [Step::Add(vec![account])];
    let mut leniencies = Leniencies::new(Dialect::Strict);
    let precondition = Precondition::default();
    let joined = change(tx, context, group, &precondition, &steps, &mut leniencies, |_, _| Ok(()));
    match joined {
        Err(Refusal::Rule { code: Code::NotFound, .. }) => Err(unknown()),
        joined => joined.map(drop),
    }
}

/// Reads a group, without its members.
///
/// # Errors
/// Refuses an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    tx.group(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(GROUP, id))
}

/// The groups of a query, without their members.
///
/// # Errors
/// Refuses to filter or sort by what cannot be searched.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    Ok(tx.groups(caller.scope(), query)?)
}

/// Adds the members, if they are wanted.
///
/// # Errors
/// The store's.
pub fn complete(
    tx: &mut dyn Tx,
    caller: &Caller,
    groups: &mut [Resource],
    wants: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    if !wants("members") {
        return Ok(());
    }
    let ids: Vec<Uuid> = groups.iter().map(|group| group.id).collect();
    let mut members: HashMap<Uuid, Vec<Value>> = HashMap::new();
    for (group, member) in tx.members_of(caller.tenant, &ids)? {
        let kind = match member.kind {
            MemberKind::User => "User",
            MemberKind::Group => "Group",
        };
        let mut value = json!({"value": member.id, "type": kind});
        if let Some(display) = member.display {
            value["display"] = display.into();
        }
        members.entry(group).or_default().push(value);
    }
    add(groups, "members", members);
    Ok(())
}

/// Whether a changed group is too large to be sent back without being asked for.
///
/// # Errors
/// The store's.
pub fn is_large(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<bool, Refusal> {
    let members = tx.members(caller.tenant, id, MAX_MEMBERS_IN_ANSWER + 1)?;
    Ok(members.len() > MAX_MEMBERS_IN_ANSWER as usize)
}

/// Replaces a group (RFC 7644 section 3.5.1). A body without `members` leaves the group without
/// any; one without `externalId` (`named` has the attributes of the body) leaves it.
///
/// # Errors
/// As [`create`]; also an unknown identifier and a version that is not the expected one.
pub fn replace(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    mut body: Object,
    named: &[String],
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    let members = take_members(&mut body, leniencies)?.unwrap_or_default();
    let steps = [Step::Replace(members)];
    change(tx, context, id, precondition, &steps, leniencies, |attributes, _| {
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        keep(attributes, &mut body, &["externalId"], &named);
        immutable::carry_over(ResourceType::group(), attributes, &mut body)?;
        *attributes = body;
        Ok(())
    })
}

/// Changes a group by a sequence of edits (RFC 7644 section 3.5.2), all or none. Members that are
/// not named are neither read nor written.
///
/// # Errors
/// As [`replace`], and what [`patch::apply`] refuses.
pub fn patch(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    edits: &[Edit],
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    let (of_members, others): (Vec<&Edit>, Vec<&Edit>) =
        edits.iter().partition(|edit| edit.targets("members").is_some());
    let steps = steps(&of_members, leniencies)?;
    change(tx, context, id, precondition, &steps, leniencies, |attributes, leniencies| {
        patch::apply(ResourceType::group(), attributes, others, leniencies)?;
        Ok(())
    })
}

/// Deletes a group; its members stay (R72).
///
/// # Errors
/// Refuses an unknown identifier and a version that is not the expected one.
pub fn delete(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let mut group = tx
        .group_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(GROUP, id))?;
    precondition.check(group.version)?;
    group.version += 1;
    group.last_modified = context.now;
    let net = carry_out(
        tx,
        context,
        id,
        &[Step::Replace(Vec::new())],
        &mut Leniencies::new(context.caller.dialect),
    )?;
    tx.tombstone_group(tenant, &group)?;
    tx.forget_external_ids(tenant, GROUP, id)?;
    let mut changes = differences(ResourceType::group(), &group.attributes, &Object::new());
    changes.extend(net.change());
    changes.extend(leave_groups(tx, context, id)?);
    append(tx, context, Action::Tombstone, GROUP, &group, changes)?;
    Ok(())
}

/// The one way in which a group changes; a change that changes nothing leaves no trace.
fn change(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    steps: &[Step],
    leniencies: &mut Leniencies,
    edit: impl FnOnce(&mut Object, &mut Leniencies) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let before = tx
        .group_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(GROUP, id))?;
    precondition.check(before.version)?;
    let mut after = before.clone();
    edit(&mut after.attributes, leniencies)?;
    check_size(&after.attributes)?;
    let net = carry_out(tx, context, id, steps, leniencies)?;
    if after.attributes == before.attributes && net.is_empty() {
        return Ok(before);
    }
    after.version += 1;
    after.last_modified = context.now;
    if !tx.update_group(tenant, &after)? {
        return Err(name_taken());
    }
    if after.attributes.get("externalId") != before.attributes.get("externalId") {
        set_external_id(tx, context, GROUP, &after)?;
    }
    let mut changes = differences(ResourceType::group(), &before.attributes, &after.attributes);
    changes.extend(net.change());
    append(tx, context, Action::Update, GROUP, &after, changes)?;
    Ok(after)
}

fn take_members(
    body: &mut Object,
    leniencies: &mut Leniencies,
) -> Result<Option<Vec<Uuid>>, Refusal> {
    match body.shift_remove("members") {
        Some(Value::Array(elements)) => Ok(Some(listed(&elements, leniencies)?)),
        _ => Ok(None),
    }
}

fn name_taken() -> Refusal {
    Refusal::rule(
        Code::GroupNameTaken,
        "another group has the displayName: find it by displayName and update it, or choose another",
    )
}
