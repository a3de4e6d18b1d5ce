//! Groups and their members, and what a contact centre knows of them: what a group is for, the roles
//! that it gives its members, and how much work they get at once.
//!
//! What a group gives is kept beside its attributes: `wish` reads what of a request differs from how
//! the group looks now, `entitle` turns names into what they name, and `change` does it, with the
//! rules that stand in the way. `view` puts it all together for clients.

mod change;
mod entitle;
mod view;
mod wish;

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::fold::fold;
use scim_protocol::immutable;
use scim_protocol::patch::{self, Edit};
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use self::change::{change, lock};
use self::entitle::{settle, write_grants};
pub(crate) use self::view::EXTENSION;
use self::view::{shown, with_standing};
use crate::authorization::DivisionScope;
use crate::group::{Group, GroupStanding};
use crate::ledger::{Action, appearances, append, differences};
use crate::members::{MANY_MEMBERS, MAX_MEMBERS_IN_ANSWER, Step, carry_out, listed, steps};
use crate::provisioning::TemplateGroup;
use crate::refusal::{Code, Refusal};
use crate::resources::{keep, leave_groups, set_external_id};
use crate::rights::Right;
use crate::tx::{Grant, Member, Page, Resource, Tx};
use crate::users::{extension, keep_extended, master_admins};
use crate::{Caller, Context, Precondition, parse_id};

pub use self::view::{complete, shown_member};

const GROUP: &str = "Group";

/// Attributes of the extension that stay if a PUT does not name them: a client that does not know
/// them must not change whom a group gives what.
const GIVEN: [&str; 3] = ["enabled", "roleGrants", "capacityRule"];

/// Creates a group, under an identifier that was never used, with the members that the body lists
/// (RFC 7644 section 3.3).
///
/// # Errors
/// Refuses a name or externalId that is another group's; in the strict dialect, members that do
/// not exist; what a group of its kind has not, names of what does not exist (R22), and roles that
/// the caller may not grant (R30, R31, R42).
pub fn create(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    mut body: Object,
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::WriteGroups)?;
    let members = take_members(&mut body, leniencies)?;
    insert(tx, context, id, body, members, leniencies)
}

fn insert(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    body: Object,
    members: Option<Vec<Uuid>>,
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let resource = Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: Object::new(),
    };
    let standing = GroupStanding::of_kind(wish::kind(&body)?.unwrap_or_default());
    let empty = Group { resource, standing };
    let (group, grants) = settle(tx, context, &empty, &[], &Object::new(), body, leniencies)?;
    if !tx.insert_group(tenant, &group)? {
        return Err(name_taken());
    }
    set_external_id(tx, context, GROUP, &group.resource)?;
    write_grants(tx, tenant, id, &[], &grants)?;
    let steps: Vec<Step> = members.map(Step::Add).into_iter().collect();
    let net = carry_out(tx, context, &group, &steps, leniencies)?;
    let looks = shown(tx, tenant, &group, &grants)?;
    let mut changes = appearances(ResourceType::group(), looks);
    changes.extend(net.change());
    append(tx, context, Action::Create, GROUP, &group.resource, changes)?;
    Ok(with_standing(&group))
}

/// Rule R74: creates a group that is of the same kind and gives the same as another: its grants, its
/// capacity rule with its priority, and its description; its members only if they are asked for. It
/// is named `<name> (copy)` unless a name is given.
///
/// # Errors
/// As [`create`]; also an unknown identifier and a caller who is no administrator.
pub fn copy(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    name: Option<&str>,
    with_members: bool,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let tenant = context.caller.tenant;
    let found = tx.group(context.caller.scope(), id)?;
    let original = found.ok_or_else(|| Refusal::not_found(GROUP, id))?;
    let grants = tx.grants_of(tenant, &[id])?;
    let body = copied(&original, &grants, name)?;
    let members = if with_members { tx.members(tenant, id, u32::MAX)? } else { Vec::new() };
    let members: Vec<Uuid> = members.into_iter().map(|member| member.id).collect();
    let mut leniencies = Leniencies::new(Dialect::Strict);
    insert(tx, context, (context.new_id)(), body, Some(members), &mut leniencies)
}

/// The body of a copy.
fn copied(original: &Group, grants: &[Grant], name: Option<&str>) -> Result<Object, Refusal> {
    let display = original.resource.attributes.get("displayName").and_then(Value::as_str);
    let name = name.map_or_else(
        || format!("{} (copy)", display.unwrap_or_default()),
        |name| name.trim().to_owned(),
    );
    if name.is_empty() {
        return Err(Refusal::rule(Code::BadName, "name: the copy needs a name"));
    }
    let mut body = Object::from_iter([("displayName".to_owned(), name.into())]);
    let like = with_standing(original).attributes;
    for copied in ["kind", "description", "priority"] {
        let value = extension::get(&like, Some(EXTENSION), copied).cloned();
        extension::set(&mut body, Some(EXTENSION), copied, value);
    }
    let rule = original.standing.capacity_rule.as_ref().map(|rule| rule.id.to_string().into());
    extension::set(&mut body, Some(EXTENSION), "capacityRule", rule);
    let granted = grants.iter().map(|grant| {
        let division = match grant.division {
            DivisionScope::All => "*".to_owned(),
            DivisionScope::One(id) => id.to_string(),
        };
        json!({"role": grant.role, "division": division})
    });
    let granted: Vec<Value> = granted.collect();
    let granted = (!granted.is_empty()).then(|| granted.into());
    extension::set(&mut body, Some(EXTENSION), "roleGrants", granted);
    Ok(body)
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
    let joined = change(tx, context, group, &precondition, &steps, &mut leniencies, None);
    match joined {
        Err(Refusal::Rule { code: Code::NotFound, .. }) => Err(unknown()),
        joined => joined.map(drop),
    }
}

/// Reads a group, without what is kept beside it.
///
/// # Errors
/// Refuses an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(Right::ReadGroups)?;
    let found = tx.group(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(GROUP, id))?;
    Ok(with_standing(&found))
}

/// The groups of a query, without what is kept beside them.
///
/// # Errors
/// Refuses to filter or sort by what cannot be searched.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    caller.require(Right::ReadGroups)?;
    let page = tx.groups(caller.scope(), query)?;
    let resources = page.resources.iter().map(with_standing).collect();
    Ok(Page { total: page.total, has_next: page.has_next, resources })
}

/// Whether a changed group is too large to be sent back without being asked for.
///
/// # Errors
/// The store's.
pub fn is_large(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<bool, Refusal> {
    Ok(tx.has_more_members(caller.tenant, id, MAX_MEMBERS_IN_ANSWER)?)
}

/// The members of a group, if they are too many to be made one document of.
///
/// # Errors
/// The store's.
pub fn many_members(
    tx: &mut dyn Tx,
    caller: &Caller,
    id: Uuid,
) -> Result<Option<Vec<Member>>, Refusal> {
    if !tx.has_more_members(caller.tenant, id, MANY_MEMBERS)? {
        return Ok(None);
    }
    Ok(Some(tx.members(caller.tenant, id, u32::MAX)?))
}

/// Replaces a group (RFC 7644 section 3.5.1). A body without `members` leaves the group without
/// any. One without `externalId` (`named` has the attributes of the body, those of extensions with
/// their URN before them) leaves it, as one without the extension leaves that; `enabled`,
/// `roleGrants` and `capacityRule` are only changed by a body that names them.
///
/// # Errors
/// As [`create`]; also an unknown identifier, a version that is not the expected one, and to take
/// the last Master Admin away (R40).
pub fn replace(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    mut body: Object,
    named: &[String],
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::WriteGroups)?;
    let members = take_members(&mut body, leniencies)?.unwrap_or_default();
    let edit: change::Edit<'_> = Box::new(move |attributes, _| {
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        keep(attributes, &mut body, &["externalId"], &named);
        if !named.iter().any(|name| name.starts_with(EXTENSION)) {
            keep(attributes, &mut body, &[EXTENSION], &[]);
        }
        for name in GIVEN {
            if !named.contains(&format!("{EXTENSION}:{name}").as_str()) {
                keep_extended(attributes, &mut body, EXTENSION, name);
            }
        }
        immutable::carry_over(ResourceType::group(), attributes, &mut body)?;
        *attributes = body;
        Ok(())
    });
    change(tx, context, id, precondition, &[Step::Replace(members)], leniencies, Some(edit))
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
    context.caller.require(Right::WriteGroups)?;
    let (of_members, others): (Vec<&Edit>, Vec<&Edit>) =
        edits.iter().partition(|edit| edit.targets("members").is_some());
    let steps = steps(&of_members, leniencies)?;
    let only_members = others.is_empty();
    let edit: change::Edit<'_> = Box::new(move |attributes, leniencies| {
        patch::apply(ResourceType::group(), attributes, others, leniencies)?;
        Ok(())
    });
    let edit = (!only_members).then_some(edit);
    change(tx, context, id, precondition, &steps, leniencies, edit)
}

/// Deletes a group, and what its members had through it; they stay (R72).
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and to take the last
/// Master Admin away (R40).
pub fn delete(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    context.caller.require(Right::Delete)?;
    let tenant = context.caller.tenant;
    let mut group = lock(tx, context, id, precondition)?;
    let watch = master_admins::watch_group(tx, context, id)?;
    let grants = tx.grants_of(tenant, &[id])?;
    let looked = shown(tx, tenant, &group, &grants)?;
    let mut leniencies = context.caller.leniencies();
    let net = carry_out(tx, context, &group, &[Step::Replace(Vec::new())], &mut leniencies)?;
    write_grants(tx, tenant, id, &grants, &[])?;
    group.resource.version += 1;
    group.resource.last_modified = context.now;
    tx.tombstone_group(tenant, &group)?;
    tx.forget_external_ids(tenant, GROUP, id)?;
    let mut changes = differences(ResourceType::group(), &looked, &Object::new());
    changes.extend(net.change());
    changes.extend(leave_groups(tx, context, id)?);
    if let Some(watch) = watch {
        watch.check(tx, context)?;
    }
    append(tx, context, Action::Tombstone, GROUP, &group.resource, changes)
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
