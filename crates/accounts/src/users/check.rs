//! Rules about the attributes that an account keeps.

use std::collections::HashSet;

use scim_protocol::Object;
use scim_protocol::fold::fold;
use serde_json::Value;
use uuid::Uuid;

use super::extension::{self, ENTERPRISE};
use super::settings::Settings;
use crate::refusal::{Code, Refusal};
use crate::tx::Tx;
use crate::{Context, parse_id};

/// People above somebody at most: who has more is in a circle of which somebody else is a part.
const MAX_LEVELS: usize = 1_000;

/// Rule R9: at most one address of each type.
///
/// # Errors
/// [`Code::RepeatedType`]
pub(crate) fn addresses(attributes: &Object) -> Result<(), Refusal> {
    let emails = attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
    let mut seen = HashSet::new();
    let types = emails.filter_map(|email| email.get("type")?.as_str());
    for kind in types.filter(|kind| !kind.is_empty()) {
        if !seen.insert(fold(kind)) {
            return Err(Refusal::rule(
                Code::RepeatedType,
                format!("emails: two addresses are of type {kind}: give each its own type"),
            ));
        }
    }
    Ok(())
}

/// Rule R10: what a tenant asks of a new account.
///
/// # Errors
/// [`Code::Incomplete`]
pub(crate) fn required(attributes: &Object, settings: &Settings) -> Result<(), Refusal> {
    if !settings.policy.strict_required {
        return Ok(());
    }
    let name = |part| attributes.get("name").and_then(|name| name.get(part)).is_some();
    let emails = attributes.get("emails").and_then(Value::as_array);
    let missing = match () {
        () if !name("givenName") => "name.givenName",
        () if !name("familyName") => "name.familyName",
        () if emails.is_none_or(Vec::is_empty) => "emails",
        () => return Ok(()),
    };
    Err(Refusal::rule(Code::Incomplete, format!("{missing} is missing, which the tenant requires")))
}

/// The address of a manager follows from the identifier, and is not kept.
fn forget_address(attributes: &mut Object) {
    let enterprise = attributes.get_mut(ENTERPRISE);
    let manager = enterprise.and_then(|members| members.get_mut("manager"));
    if let Some(Value::Object(manager)) = manager {
        manager.shift_remove("$ref");
    }
}

/// A manager who is the account itself is none, and nobody is above themselves. One that does not
/// exist is kept as sent: identity providers may send people in any order.
///
/// The account itself is locked, and those above it stay where they are from when they are looked
/// at: of two transactions that would close a circle together one waits for the other, and sees it.
///
/// # Errors
/// [`Code::ManagerCycle`]
pub(crate) fn manager(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    before: Option<&Object>,
    attributes: &mut Object,
) -> Result<(), Refusal> {
    let manager = |attributes: &Object| {
        let manager = extension::get(attributes, Some(ENTERPRISE), "manager")?;
        Some(manager.get("value")?.as_str()?.to_owned())
    };
    let Some(wanted) = manager(attributes) else { return Ok(()) };
    if parse_id(&wanted).is_some() {
        forget_address(attributes);
    }
    if before.and_then(manager).is_some_and(|before| before == wanted) {
        return Ok(());
    }
    let mut above = parse_id(&wanted);
    if above == Some(account) {
        extension::set(attributes, Some(ENTERPRISE), "manager", None);
        return Ok(());
    }
    for _ in 0..MAX_LEVELS {
        let Some(id) = above else { return Ok(()) };
        let next = tx.manager_of(context.caller.tenant, id)?;
        above = next.as_deref().and_then(parse_id);
        if above == Some(account) {
            return Err(Refusal::rule(
                Code::ManagerCycle,
                "manager: this account is above that one already: nobody can be above themselves",
            ));
        }
    }
    Ok(())
}
