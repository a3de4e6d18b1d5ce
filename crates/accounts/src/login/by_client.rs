//! Passwords that a client sends (rule R64): whether they are kept is the tenant's policy.

use scim_protocol::Object;
use uuid::Uuid;

use super::{names, password, passwords_disabled};
use crate::Caller;
use crate::policy::FromScim;
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tenants;
use crate::tx::Tx;

/// Whether a password that a client sends is to be hashed, because it is kept. Identity providers send
/// one whether asked or not, so that it is ignored unless the tenant wants it. `account` is the one
/// that there is, `body` what is sent.
///
/// # Errors
/// [`Code::PasswordsDisabled`], [`Code::WeakPassword`] and [`Code::ScopeMissing`], where it would be
/// kept.
pub fn is_kept(
    tx: &mut dyn Tx,
    caller: &Caller,
    account: Option<Uuid>,
    body: &Object,
    clear: &str,
) -> Result<bool, Refusal> {
    let policy = tenants::policy(tx, caller)?;
    if policy.passwords.from_scim == FromScim::Ignore {
        return Ok(false);
    }
    caller.require(Right::SetPasswords)?;
    if policy.sso_required {
        return Err(passwords_disabled());
    }
    let found = account.map(|id| tx.user(caller.scope(), id)).transpose()?.flatten();
    let kept = found.map(|account| account.resource.attributes).unwrap_or_default();
    let all: Vec<&str> = names(&kept).into_iter().chain(names(body)).collect();
    password::check(&policy.passwords, clear, &all)?;
    Ok(true)
}

/// The refusal of a password that is kept and could not be hashed before the transaction.
pub(crate) fn alone() -> Refusal {
    Refusal::rule(
        Code::WeakPassword,
        "password: it is kept only if it is sent in a request of its own, not in a bulk request",
    )
}
