//! The one way in which a group changes.

use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::entitle::{check_conferred, settle, write_grants};
use super::view::{shown, with_standing};
use super::{GROUP, name_taken};
use crate::group::Group;
use crate::ledger::{Action, append, differences};
use crate::members::{Step, carry_out};
use crate::refusal::Refusal;
use crate::resources::set_external_id;
use crate::tx::{Grant, Resource, Tx};
use crate::users::master_admins;
use crate::{Context, Precondition};

/// Makes of what a client sees what it wants to see.
pub(crate) type Edit<'a> =
    Box<dyn FnOnce(&mut Object, &mut Leniencies) -> Result<(), Refusal> + 'a>;

/// Changes a group: its members by `steps`, and the rest by `edit`, which is left out where only
/// members change, so that nothing else needs to be read. A change that changes nothing leaves no
/// trace.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and what rules refuse.
pub(crate) fn change(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    steps: &[Step],
    leniencies: &mut Leniencies,
    edit: Option<Edit<'_>>,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let before = lock(tx, context, id, precondition)?;
    let mut after = match edit {
        Some(edit) => After::of(tx, context, &before, edit, leniencies)?,
        None => After { group: before.clone(), grants: None, changes: Vec::new() },
    };
    let loses = after.loses(&before) || steps.iter().any(Step::may_remove);
    let watch = if loses { master_admins::watch_group(tx, context, id)? } else { None };
    let net = carry_out(tx, context, &after.group, steps, leniencies)?;
    let is_enabled = !before.standing.enabled && after.group.standing.enabled;
    if net.adds() || is_enabled {
        check_conferred(tx, context, id)?;
    }
    if after.group == before && after.grants.is_none() && net.is_empty() {
        return Ok(with_standing(&before));
    }
    after.group.resource.version += 1;
    after.group.resource.last_modified = context.now;
    if !tx.update_group(tenant, &after.group)? {
        return Err(name_taken());
    }
    let external_id = |group: &Group| group.resource.attributes.get("externalId").cloned();
    if external_id(&after.group) != external_id(&before) {
        set_external_id(tx, context, GROUP, &after.group.resource)?;
    }
    if let Some((had, has)) = &after.grants {
        write_grants(tx, tenant, id, had, has)?;
    }
    if let Some(watch) = watch {
        watch.check(tx, context)?;
    }
    let mut changes = after.changes;
    changes.extend(net.change());
    append(tx, context, Action::Update, GROUP, &after.group.resource, changes)?;
    Ok(with_standing(&after.group))
}

/// A group that no other transaction can change before this one ends, in the expected version.
///
/// # Errors
/// Refuses an unknown identifier and a version that is not the expected one.
pub(crate) fn lock(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Group, Refusal> {
    let found = tx.group_for_update(context.caller.scope(), id)?;
    let group = found.ok_or_else(|| Refusal::not_found(GROUP, id))?;
    precondition.check(group.resource.version)?;
    Ok(group)
}

/// What a group becomes.
struct After {
    group: Group,
    /// The grants that it had and those that it has, if they differ.
    grants: Option<(Vec<Grant>, Vec<Grant>)>,
    /// For the ledger.
    changes: Vec<Value>,
}

impl After {
    fn of(
        tx: &mut dyn Tx,
        context: &Context,
        before: &Group,
        edit: Edit<'_>,
        leniencies: &mut Leniencies,
    ) -> Result<Self, Refusal> {
        let tenant = context.caller.tenant;
        let had = tx.grants_of(tenant, &[before.resource.id])?;
        let looked = shown(tx, tenant, before, &had)?;
        let mut wanted = looked.clone();
        edit(&mut wanted, leniencies)?;
        let (group, has) = settle(tx, context, before, &had, &looked, wanted, leniencies)?;
        if group == *before && had == has {
            return Ok(Self { group, grants: None, changes: Vec::new() });
        }
        let looks = shown(tx, tenant, &group, &has)?;
        let changes = differences(ResourceType::group(), &looked, &looks);
        let grants = (had != has).then_some((had, has));
        Ok(Self { group, grants, changes })
    }

    /// Whether it may confer less than before.
    fn loses(&self, before: &Group) -> bool {
        self.grants.is_some() || (before.standing.enabled && !self.group.standing.enabled)
    }
}
