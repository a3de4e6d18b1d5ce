//! Reading the change log, as SCIM resources.

use scim_protocol::query::Query;
use uuid::Uuid;

use crate::Caller;
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Page, Resource, Tx};

/// Reads an entry.
///
/// # Errors
/// Refuses a caller who is no administrator, and an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(Right::Admin)?;
    let found = tx.change_log_entry(caller.scope(), id)?;
    found.ok_or_else(|| Refusal::not_found("ChangeLogEntry", id))
}

/// The entries of a query.
///
/// # Errors
/// Refuses a caller who is no administrator, and to filter or sort by what cannot be searched: the
/// changes and the reason.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    caller.require(Right::Admin)?;
    Ok(tx.change_log(caller.scope(), query)?)
}
