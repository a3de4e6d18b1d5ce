//! What depends on a person (rule R55; domain model 2.18): said by other systems, which own it, and
//! for whom they manage by the accounts themselves. It changes no version: it is no part of what an
//! identity provider keeps.

use scim_protocol::error::Error;
use serde_json::{Value, json};
use uuid::Uuid;

use super::USER;
use super::change::change;
use super::extension::{self, ENTERPRISE};
use super::settings::Settings;
use crate::ledger::Source;
use crate::policy::OnDeactivate;
use crate::refusal::{Code, Refusal};
use crate::resources::MAX_NAME;
use crate::rights::Right;
use crate::tx::{Dependency, Tx};
use crate::{Caller, Context, Precondition, parse_id};

/// What other systems may say.
pub(crate) const KINDS: [&str; 5] =
    ["queueMembership", "scheduledReport", "callback", "groupOwner", "flowOwner"];

const QUEUE: &str = "queueMembership";
const MANAGER: &str = "managerOf";
const OPEN: [&str; 2] = ["needsReassign", "dormant"];
const REASSIGNED: &str = "reassignedTo";

/// What depends on a person and has not been given to another; also on one who was deleted, for the
/// work is still there.
///
/// # Errors
/// Refuses who is no administrator, and an account that is unknown or was erased.
pub fn list(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Vec<Dependency>, Refusal> {
    caller.require(Right::Admin)?;
    let account = tx.account(caller.scope(), id)?;
    let kept = account.filter(|account| account.standing.erased.is_none());
    kept.ok_or_else(|| Refusal::not_found(USER, id))?;
    let found = tx.dependencies_of(caller.tenant, &[id])?;
    Ok(found.into_iter().map(|(_, dependency)| dependency).collect())
}

/// Records what another system says depends on a person, in the place of what it said of the same
/// thing before.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, and what is none of the kinds.
pub fn report(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    dependency: &Dependency,
) -> Result<(), Refusal> {
    let caller = &context.caller;
    caller.require(Right::Admin)?;
    tx.user_for_update(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(USER, id))?;
    one_of("kind", &dependency.kind, &KINDS)?;
    one_of("disposition", &dependency.disposition, &OPEN)?;
    let length = dependency.reference.chars().count();
    if length == 0 || length > MAX_NAME {
        let detail = format!("ref must have 1 to {MAX_NAME} characters");
        return Err(Error::invalid_value(detail).into());
    }
    Ok(tx.put_dependency(caller.tenant, id, dependency)?)
}

fn one_of(name: &str, value: &str, known: &[&str]) -> Result<(), Refusal> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(Error::invalid_value(format!("{name} must be one of {}", known.join(", "))).into())
}

/// Gives what depends on a person to another one. Who is managed gets the other as manager.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, what does not depend on the person, and a
/// successor who is not at work.
pub fn reassign(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    kind: &str,
    reference: &str,
    to: Uuid,
) -> Result<(), Refusal> {
    let of_person = list(tx, &context.caller, id)?;
    let is_it = |one: &Dependency| one.kind == kind && one.reference == reference;
    let found = of_person.into_iter().find(is_it).ok_or_else(|| unknown(kind, reference))?;
    let successor = tx.user_for_update(context.caller.scope(), to)?;
    if to == id || !successor.is_some_and(|account| account.standing.enabled()) {
        return Err(Error::invalid_value("to must be another account that is active").into());
    }
    if kind == MANAGER {
        return manage(tx, context, reference, to);
    }
    let tenant = context.caller.tenant;
    tx.put_dependency(tenant, to, &found)?;
    let given = Dependency { disposition: REASSIGNED.to_owned(), ..found };
    Ok(tx.put_dependency(tenant, id, &given)?)
}

fn manage(tx: &mut dyn Tx, context: &Context, who: &str, by: Uuid) -> Result<(), Refusal> {
    let who = parse_id(who).ok_or_else(|| unknown(MANAGER, who))?;
    change(tx, context, who, &Precondition::default(), |attributes| {
        let manager = Some(json!({"value": by}));
        extension::set(attributes, Some(ENTERPRISE), "manager", manager);
        Ok(())
    })?;
    Ok(())
}

fn unknown(kind: &str, reference: &str) -> Refusal {
    Refusal::rule(Code::NotFound, format!("no {kind} {reference} depends on this person"))
}

/// Removes what another system no longer says of a person, who may have been deleted.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, and what was not said.
pub fn remove(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    kind: &str,
    reference: &str,
) -> Result<(), Refusal> {
    let caller = &context.caller;
    caller.require(Right::Admin)?;
    tx.account_for_update(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(USER, id))?;
    match tx.remove_dependencies(caller.tenant, id, kind, Some(reference))? {
        0 => Err(unknown(kind, reference)),
        _ => Ok(()),
    }
}

/// Does what the tenant's policy wants of what depends on a person who leaves: nothing, or to stop an
/// administrator - never an identity provider, security comes first - or to let queues go.
///
/// # Errors
/// [`Code::OpenDependencies`]
pub(crate) fn on_leaving(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    id: Uuid,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let by_admin = context.caller.rights.allow(Right::Admin) && context.source != Source::Timer;
    match settings.policy.on_deactivate {
        OnDeactivate::Autoclean => {
            tx.remove_dependencies(tenant, id, QUEUE, None)?;
            Ok(())
        }
        OnDeactivate::BlockAdmin if by_admin => {
            let open = tx.dependencies_of(tenant, &[id])?;
            let Some((_, first)) = open.first() else { return Ok(()) };
            Err(Refusal::rule(
                Code::OpenDependencies,
                format!(
                    "{} things depend on this person, {} {} among them: reassign them first",
                    open.len(),
                    first.kind,
                    first.reference
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// What the log says of what depends on a person who leaves or is deleted.
///
/// # Errors
/// The store's.
pub(crate) fn left_behind(
    tx: &mut dyn Tx,
    tenant: Uuid,
    id: Uuid,
) -> Result<Option<Value>, Refusal> {
    let open = tx.dependencies_of(tenant, &[id])?;
    let open = value(open.iter().map(|(_, one)| one));
    let change = json!({"attribute": "dependencies", "old": null, "new": open});
    Ok((!open.is_empty()).then_some(change))
}

/// As the attribute `dependencies` has them.
pub(crate) fn value<'a>(dependencies: impl Iterator<Item = &'a Dependency>) -> Vec<Value> {
    let one = |one: &Dependency| json!({"kind": one.kind, "ref": one.reference, "disposition": one.disposition});
    dependencies.map(one).collect()
}
