//! What a request does to a group's members, without loading them.

use std::collections::{BTreeMap, HashSet};

use scim_protocol::Object;
use scim_protocol::dialect::{Leniencies, Leniency};
use scim_protocol::error::Error;
use scim_protocol::filter::{Operand, Predicate, evaluate_element};
use scim_protocol::patch::{Edit, Op};
use scim_protocol::resource::parse_elements;
use serde_json::Value;
use uuid::Uuid;

use crate::group::{Group, GroupKind};
use crate::holders;
use crate::ledger::moved;
use crate::refusal::{Code, Refusal};
use crate::tx::{Member, MemberKind, Tx};
use crate::users::settings::Settings;
use crate::{Context, parse_id};

/// A group with more members is answered without them after a PATCH, so that the cost of a
/// change follows the change and not the group.
pub const MAX_MEMBERS_IN_ANSWER: u32 = 200;

/// A group with more members is read without making one document of all of them.
pub(crate) const MANY_MEMBERS: u32 = 1000;

/// Steps of one PATCH that read all members at most: each costs what the group is large.
const MAX_LOADING_STEPS: usize = 16;

/// One step of a change to a group's members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Add(Vec<Uuid>),
    Remove(Vec<Uuid>),
    RemoveWhere(Predicate),
    Replace(Vec<Uuid>),
}

/// The members that a body or value lists. What is no identifier of ours names nobody.
pub(crate) fn listed(
    elements: &[Value],
    leniencies: &mut Leniencies,
) -> Result<Vec<Uuid>, Refusal> {
    let mut ids = Vec::with_capacity(elements.len());
    for element in elements {
        let value = element.get("value").and_then(Value::as_str).unwrap_or_default();
        match parse_id(value) {
            Some(id) => ids.push(id),
            None => unknown("members", "user or group", value, leniencies)?,
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Somebody who does not exist is left out, or refused where nothing is lenient about it.
///
/// # Errors
/// [`Code::UnknownMember`]
pub(crate) fn unknown(
    attribute: &str,
    kind: &str,
    id: impl std::fmt::Display,
    leniencies: &mut Leniencies,
) -> Result<(), Refusal> {
    if leniencies.allow(Leniency::UnknownMember) {
        return Ok(());
    }
    Err(Refusal::rule(Code::UnknownMember, format!("{attribute}: no {kind} has the id {id}")))
}

/// The step that an edit of `members` is.
fn step(edit: &Edit, leniencies: &mut Leniencies) -> Result<Step, Refusal> {
    let Some(target) = edit.targets("members") else {
        return Err(Error::invalid_path("the path does not name members").into());
    };
    if target.sub.is_some() || (target.filter.is_some() && edit.op != Op::Remove) {
        return Err(
            Error::mutability("a member cannot be changed: remove it and add another").into()
        );
    }
    if let Some(filter) = &target.filter {
        return Ok(match selected_id(filter) {
            Some(id) => Step::Remove(parse_id(id).into_iter().collect()),
            None => Step::RemoveWhere(filter.clone()),
        });
    }
    let absent = edit.value.is_null();
    if edit.op == Op::Remove && absent {
        return Ok(Step::Replace(Vec::new()));
    }
    if edit.op == Op::Remove && !leniencies.allow(Leniency::RemoveByValue) {
        let detail = "remove takes no value: use members[value eq \"id\"] as path";
        return Err(Error::invalid_syntax(detail).into());
    }
    let one = edit.op == Op::Add && edit.value.is_object();
    let value = if one { &Value::Array(vec![edit.value.clone()]) } else { &edit.value };
    let elements = parse_elements(target.attribute.attribute, value, leniencies)?;
    let ids = match edit.op {
        // What is no identifier is no member either, and need not be removed.
        Op::Remove => elements.iter().filter_map(|e| parse_id(e.get("value")?.as_str()?)).collect(),
        Op::Add | Op::Replace => listed(&elements, leniencies)?,
    };
    Ok(match edit.op {
        Op::Add => Step::Add(ids),
        Op::Remove => Step::Remove(ids),
        Op::Replace => Step::Replace(ids),
    })
}

/// The steps that edits of `members` are. Clients send one edit for each member; what can be done
/// at once is.
pub(crate) fn steps(edits: &[&Edit], leniencies: &mut Leniencies) -> Result<Vec<Step>, Refusal> {
    let mut steps: Vec<Step> = Vec::new();
    for edit in edits {
        match (steps.last_mut(), step(edit, leniencies)?) {
            (Some(Step::Add(before)), Step::Add(ids))
            | (Some(Step::Remove(before)), Step::Remove(ids)) => before.extend(ids),
            (_, step) => steps.push(step),
        }
    }
    if steps.iter().filter(|step| step.loads()).count() > MAX_LOADING_STEPS {
        return Err(Refusal::rule(
            Code::TooMuchWork,
            format!(
                "one PATCH may replace all members, or remove them by a filter other than \
                 members[value eq \"id\"], {MAX_LOADING_STEPS} times: send several requests"
            ),
        ));
    }
    Ok(steps)
}

impl Step {
    /// Whether somebody may leave the group by it.
    pub(crate) fn may_remove(&self) -> bool {
        !matches!(self, Self::Add(_))
    }

    /// Whether it reads all members.
    fn loads(&self) -> bool {
        match self {
            Self::RemoveWhere(_) => true,
            Self::Replace(ids) => !ids.is_empty(),
            Self::Add(_) | Self::Remove(_) => false,
        }
    }
}

/// The identifier in `[value eq "…"]`.
fn selected_id(filter: &Predicate) -> Option<&str> {
    match filter.equalities()?.as_slice() {
        [(attribute, Operand::Text(id))] if attribute.leaf().name == "value" => Some(id),
        _ => None,
    }
}

/// The net effect of a sequence of steps.
#[derive(Debug, Default)]
pub(crate) struct Net(BTreeMap<Uuid, bool>);

impl Net {
    fn record(&mut self, ids: Vec<Uuid>, added: bool) {
        for id in ids {
            // Out and in again, or in and out again, is no change.
            if self.0.insert(id, added).is_some_and(|before| before != added) {
                self.0.remove(&id);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody has come.
    pub(crate) fn adds(&self) -> bool {
        self.0.values().any(|came| *came)
    }

    /// For the ledger.
    pub(crate) fn change(&self) -> Option<Value> {
        let ids = |added: bool| -> Vec<Uuid> {
            self.0.iter().filter(|(_, kept)| **kept == added).map(|(id, _)| *id).collect()
        };
        (!self.is_empty()).then(|| moved("members", &ids(true), &ids(false)))
    }
}

/// Carries out steps on a group that is locked by this transaction.
pub(crate) fn carry_out(
    tx: &mut dyn Tx,
    context: &Context,
    group: &Group,
    steps: &[Step],
    leniencies: &mut Leniencies,
) -> Result<Net, Refusal> {
    let tenant = context.caller.tenant;
    let id = group.resource.id;
    let mut net = Net::default();
    for step in steps {
        match step {
            Step::Add(ids) => net.record(add(tx, context, group, ids, leniencies)?, true),
            Step::Remove(ids) => net.record(tx.remove_members(tenant, id, ids)?, false),
            Step::RemoveWhere(filter) => {
                let members = tx.members(tenant, id, u32::MAX)?;
                let matching: Vec<Uuid> =
                    members.iter().filter(|m| matches(filter, m)).map(|m| m.id).collect();
                net.record(tx.remove_members(tenant, id, &matching)?, false);
            }
            Step::Replace(ids) if ids.is_empty() => {
                net.record(tx.clear_members(tenant, id)?, false);
            }
            Step::Replace(ids) => {
                let wanted: HashSet<&Uuid> = ids.iter().collect();
                let members = tx.members(tenant, id, u32::MAX)?;
                let gone: Vec<Uuid> =
                    members.iter().map(|m| m.id).filter(|id| !wanted.contains(id)).collect();
                net.record(tx.remove_members(tenant, id, &gone)?, false);
                net.record(add(tx, context, group, ids, leniencies)?, true);
            }
        }
    }
    Ok(net)
}

fn add(
    tx: &mut dyn Tx,
    context: &Context,
    group: &Group,
    ids: &[Uuid],
    leniencies: &mut Leniencies,
) -> Result<Vec<Uuid>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let id = group.resource.id;
    if ids.contains(&id) {
        return Err(Refusal::rule(Code::OwnMember, "members: a group cannot be its own member"));
    }
    let tenant = context.caller.tenant;
    let is_for_agents = group.standing.kind == GroupKind::Agent;
    if !is_for_agents && tx.add_all_members(tenant, id, &ids, context.now)? {
        return Ok(ids);
    }
    let existing = tx.existing(tenant, &ids)?;
    if existing.len() < ids.len() {
        let known: HashSet<&Uuid> = existing.iter().map(|(id, _)| id).collect();
        for id in ids.iter().filter(|id| !known.contains(id)) {
            unknown("members", "user or group", id, leniencies)?;
        }
    }
    refuse_cycle(tx, tenant, id, &existing)?;
    if is_for_agents {
        make_agents(tx, context, &existing)?;
    }
    Ok(tx.add_members(tenant, id, &existing, context.now)?)
}

/// Only agents are in an agent group: who joins it becomes one, if the tenant wants that (domain
/// model 2.8).
fn make_agents(
    tx: &mut dyn Tx,
    context: &Context,
    joining: &[(Uuid, MemberKind)],
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    if let Some((id, _)) = joining.iter().find(|(_, kind)| *kind == MemberKind::Group) {
        return Err(Refusal::rule(
            Code::NotAnAgent,
            format!("members: {id} is a group, and an agent group holds people only: add those"),
        ));
    }
    let users: Vec<Uuid> = joining.iter().map(|(id, _)| *id).collect();
    let others = tx.non_agents(tenant, &users)?;
    let Some(first) = others.first() else { return Ok(()) };
    if !Settings::of(tx, context)?.policy.auto_agent {
        return Err(Refusal::rule(
            Code::NotAnAgent,
            format!("members: the user {first} is no agent: make it one before it joins"),
        ));
    }
    for id in others {
        holders::change_account(tx, context, id, "groups.autoAgent", |_, account| {
            account.standing.agent = true;
            Ok(Some(holders::changed("agent", &false.into(), &true.into())))
        })?;
    }
    Ok(())
}

/// A group that is, through others, a member of `group` cannot hold it.
fn refuse_cycle(
    tx: &mut dyn Tx,
    tenant: Uuid,
    group: Uuid,
    added: &[(Uuid, MemberKind)],
) -> Result<(), Refusal> {
    if added.iter().all(|(_, kind)| *kind == MemberKind::User) {
        return Ok(());
    }
    // Two transactions could close a cycle together without touching a common group.
    tx.lock_nesting(tenant)?;
    let above: HashSet<Uuid> = tx.groups_above(tenant, group)?.into_iter().collect();
    if let Some((id, _)) = added.iter().find(|(id, _)| above.contains(id)) {
        return Err(Refusal::rule(
            Code::OwnMember,
            format!("members: the group {id} holds this group, directly or through others"),
        ));
    }
    Ok(())
}

fn matches(filter: &Predicate, member: &Member) -> bool {
    let kind = match member.kind {
        MemberKind::User => "User",
        MemberKind::Group => "Group",
    };
    let mut element = Object::new();
    element.insert("value".into(), member.id.to_string().into());
    element.insert("type".into(), kind.into());
    if let Some(display) = &member.display {
        element.insert("display".into(), display.clone().into());
    }
    evaluate_element(filter, &Value::Object(element))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn out_and_in_again_is_no_change() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut net = Net::default();
        net.record(vec![a, b], true);
        net.record(vec![a], false);
        assert_eq!(
            net.change(),
            Some(json!({"attribute": "members", "old": null, "new": [{"value": b}]}))
        );
        net.record(vec![b], false);
        assert!(net.is_empty());
        assert_eq!(net.change(), None);
    }
}
