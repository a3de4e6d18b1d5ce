//! Why an account may do something, or why not (domain model 6.1; Op24).

use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::USER;
use super::complete::{held, holder};
use super::held::is_over;
use super::view::{Directory, shown};
use crate::Caller;
use crate::authorization::explain::explain;
use crate::authorization::{DivisionScope, Explanation, catalogue};
use crate::names;
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::Tx;

/// An explanation, with what it says of divisions in words.
#[derive(Debug)]
pub struct Explained {
    /// The explanation.
    pub explanation: Explanation,
    /// The same in one sentence.
    pub summary: String,
    /// The division of each source, `*` for all.
    pub divisions: Vec<String>,
}

/// Explains whether an account may do something in a division, or in any if none is named.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, and a permission or division that there is
/// not.
pub fn explain_access(
    tx: &mut dyn Tx,
    caller: &Caller,
    id: Uuid,
    permission: &str,
    division: Option<&str>,
) -> Result<Explained, Refusal> {
    caller.require(Right::Admin)?;
    let tenant = caller.tenant;
    let found = tx.user(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(USER, id))?;
    let unknown = || Error::invalid_value(format!("permission: there is no {permission:?}"));
    let permission = catalogue::named(permission).ok_or_else(unknown)?;
    let kind = ResourceType::division();
    let division =
        division.map(|name| names::resolve_one(tx, tenant, kind, "division", name)).transpose()?;
    let home = [(Uuid::nil(), DivisionScope::One(found.standing.division.id))];
    let user = shown(found, caller.now);
    let mut own = tx.grants_of(tenant, &[id])?;
    own.retain(|grant| !is_over(grant, caller.now));
    let through = tx.inherited_grants(tenant, &[id])?;
    let scopes = own.iter().map(|grant| (grant.role, grant.division));
    let scopes = scopes.chain(through.iter().map(|grant| (grant.role, grant.division)));
    let directory = Directory::of(tx, tenant, scopes.chain(home), std::iter::empty())?;
    let (own, through): (Vec<_>, Vec<_>) = (own.iter().collect(), through.iter().collect());
    let grants = held(&user, &own, &through, &directory);
    let explanation = explain(holder(&user), &grants, permission, division.map(|one| one.id));
    let name = |id| directory.division(DivisionScope::One(id)).to_owned();
    let summary = explanation.summary(name);
    let of_source = |scope| directory.division(scope).to_owned();
    let divisions = explanation.sources.iter().map(|one| of_source(one.division)).collect();
    Ok(Explained { explanation, summary, divisions })
}
