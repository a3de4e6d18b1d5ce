//! Login identities and who owns them (rules R1-R6).
//!
//! A userName, and an e-mail address that is primary or of type `work`, is claimed by the account
//! that first uses it. The claim is never given to another account: not after a rename, not after
//! deactivation, not after DELETE. Its owner may come back to it. Only one that nobody ever worked under
//! can be released: a typing error (R5).

use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::resource::is_primary;
use serde_json::Value;
use uuid::Uuid;

use crate::refusal::{Code, Refusal};
use crate::tx::Tx;
use crate::{Context, users};

/// What kind of name is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimKind {
    /// A `userName`.
    UserName,
    /// An e-mail address.
    Email,
}

impl ClaimKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::Email => "email",
        }
    }

    pub(crate) fn refusal(self) -> Refusal {
        // The owner is not named: the caller may not be allowed to know of it (R3).
        match self {
            Self::UserName => Refusal::rule(
                Code::UserNameTaken,
                "userName is or was used by another account of the tenant, and stays with it: \
                 if this is the same person, update or reactivate that account; \
                 if it is another, choose another userName",
            ),
            Self::Email => Refusal::rule(
                Code::IdentityReserved,
                "an e-mail address is or was used by another account of the tenant, and stays with \
                 it: if this is the same person, update or reactivate that account; \
                 if it is another, use another address",
            ),
        }
    }
}

/// What became of an identity that was to be released (rule R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Nobody owns it any more.
    Released,
    /// It stays: its account uses it now.
    Current,
    /// It stays: somebody may have worked under it.
    Burned,
    /// Nobody owned it.
    Unknown,
}

/// Releases a name or address that was mistyped and that nobody worked under (rule R5), so that the
/// person whose it is can have it: what an administrator of the tenant may do, and no SCIM client.
/// The account that gives it up gets a new version and an entry in the change log.
///
/// # Errors
/// Refuses an identity that is burned or that its account uses now, and one that nobody owns.
pub fn release(tx: &mut dyn Tx, context: &Context, value: &str) -> Result<(), Refusal> {
    let key = normalise(value);
    let claims =
        [ClaimKind::UserName, ClaimKind::Email].map(|kind| Claim { kind, key: key.clone() });
    let owners = tx.owners(context.caller.tenant, &claims)?;
    let mut accounts: Vec<Uuid> = owners.iter().map(|(_, account)| *account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() {
        return Err(Refusal::rule(Code::NotFound, "nobody owns this userName or address"));
    }
    for account in accounts {
        let of_account = owners.iter().filter(|(_, owner)| *owner == account);
        let of_account: Vec<&Claim> = of_account.map(|(claim, _)| claim).collect();
        users::give_up(tx, context, account, &of_account)?;
    }
    Ok(())
}

/// A login identity in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// What it is.
    pub kind: ClaimKind,
    /// Its normal form.
    pub key: String,
}

/// The identities that an account with these attributes claims, sorted, so that two transactions
/// that claim the same ones wait for each other instead of deadlocking.
pub fn claims(attributes: &Object) -> Vec<Claim> {
    let user_name = attributes.get("userName").and_then(Value::as_str);
    let user_name = user_name.map(|name| Claim { kind: ClaimKind::UserName, key: normalise(name) });
    let emails = attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
    let emails = emails
        .filter(|email| is_login(email))
        .filter_map(|email| email.get("value")?.as_str())
        .map(|address| Claim { kind: ClaimKind::Email, key: normalise(address) });
    let mut claims: Vec<Claim> = user_name.into_iter().chain(emails).collect();
    claims.sort();
    claims.dedup();
    claims
}

/// Home and other addresses are contact data only: two people may share one.
fn is_login(email: &Value) -> bool {
    let work = email.get("type").and_then(Value::as_str);
    is_primary(email) || work.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
}

/// Rule R2: trimmed, folded as SCIM compares without case, the domain as A-labels. No dot or plus
/// is taken out: which of those a mail system ignores is its own affair.
pub fn normalise(identity: &str) -> String {
    let key = fold(identity.trim());
    let Some((local, domain)) = key.rsplit_once('@') else { return key };
    match idna::domain_to_ascii(domain) {
        Ok(domain) => format!("{local}@{domain}"),
        Err(_) => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r2_identities_are_compared_in_their_normal_form() {
        assert_eq!(normalise("  Ada@Example.COM "), "ada@example.com");
        assert_eq!(normalise("ada@BÜCHER.example"), normalise("ADA@xn--bcher-kva.example"));
        assert_ne!(normalise("a.da@example.com"), normalise("ada@example.com"));
        assert_ne!(normalise("ada+x@example.com"), normalise("ada@example.com"));
        assert_eq!(normalise("DOMAIN\\Ada"), "domain\\ada");
    }

    #[test]
    fn r3_primary_and_work_addresses_are_claimed_others_are_not() {
        let attributes = json!({"userName": "Ada", "emails": [
            {"value": "Ada@work.example", "type": "Work"}, {"value": "ada@work.example"},
            {"value": "family@home.example", "type": "home"},
            {"value": "me@home.example", "type": "home", "primary": true}]});
        let keys: Vec<_> = claims(attributes.as_object().unwrap())
            .into_iter()
            .map(|claim| (claim.kind.as_str(), claim.key))
            .collect();
        let expected =
            [("userName", "ada"), ("email", "ada@work.example"), ("email", "me@home.example")];
        assert_eq!(keys, expected.map(|(kind, key)| (kind, key.to_owned())));
    }
}
