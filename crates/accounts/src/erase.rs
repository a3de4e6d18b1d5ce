//! Erasure: what a person may ask for (rule R59), and cannot be undone.

use scim_protocol::Object;
use uuid::Uuid;

use crate::Context;
use crate::ledger::{Action, Entry, Versioned};
use crate::refusal::{Code, Refusal};
use crate::rehire_cases;
use crate::tx::Tx;
use crate::users::{self, USER};

/// Erases a deleted account (transition T14): its attributes, addresses and externalIds, and what the
/// change log says about it; its skills, what depended on it, and what rehire cases say. What stays is its identifier, when it was created and changed, that
/// and by whom, and its claims, which hold no names and go on blocking them (R3).
///
/// The reason stays in the log; it must not name the person.
///
/// # Errors
/// Refuses an unknown identifier, and an account that is not deleted or was erased already.
pub fn erase(tx: &mut dyn Tx, context: &Context, id: Uuid) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let mut account = tx
        .account_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(USER, id))?;
    if account.standing.tombstoned.is_none() || account.standing.erased.is_some() {
        return Err(Refusal::rule(
            Code::IllegalTransition,
            "only an account that was deleted can be erased, and only once: delete it first",
        ));
    }
    account.resource.attributes = Object::new();
    account.resource.version += 1;
    account.resource.last_modified = context.now;
    account.standing.erased = Some(context.now);
    tx.erase_user(tenant, &account)?;
    tx.forget_external_ids(tenant, USER, id)?;
    tx.forget_changes(tenant, id)?;
    tx.set_skills(tenant, id, &[])?;
    for kind in users::dependencies::KINDS {
        tx.remove_dependencies(tenant, id, kind, None)?;
    }
    rehire_cases::forget(tx, context, id)?;
    let of = Versioned { resource_type: USER, id, version: account.resource.version };
    let entry = Entry::new(context, Action::Erase, of, Vec::new());
    Ok(tx.append(tenant, &entry)?)
}
