//! The login door: how a person comes to a password, logs in with it, and is kept out (rules R60 to
//! R68).
//!
//! - [`password`]: which passwords are good enough.
//! - [`attempts`]: logging in, failing to, and the lock that follows.
//! - [`links`]: links that are mailed, by which people choose their passwords.
//! - [`letters`]: what is in those mails, and when they are sent again.
//! - [`sessions`]: people who are logged in, and what they may do.
//!
//! Nothing here computes a hash: that takes longer than a transaction may. Whoever calls has a password
//! hashed, or compared with the hash that [`attempts::candidate`] finds, outside of any unit of work;
//! what they found out is believed only if nothing has changed meanwhile. Whether a secret is the right
//! one is told by a function that is handed in.

pub mod attempts;
pub mod by_client;
pub mod letters;
pub mod links;
pub mod password;
pub mod sessions;

use scim_protocol::Object;
use scim_protocol::resource::is_primary;
use serde_json::Value;
use uuid::Uuid;

use crate::Context;
use crate::account::Account;
use crate::ledger::{Actor, Source};
use crate::refusal::{Code, Refusal};

/// Tells whether a secret that was shown has this hash.
pub type Proof<'a> = &'a dyn Fn(&[u8]) -> bool;

/// The context of what a person does with their own account.
pub(crate) fn by_person(context: &Context, person: Uuid) -> Context {
    Context { actor: Actor::Account(person), source: Source::Auth, ..context.clone() }
}

/// The address to which a link of an account is sent: the primary one, else that of work, else the
/// userName if it is one. Others a person may share.
pub fn address(attributes: &Object) -> Option<&str> {
    let emails = attributes.get("emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_work = |email: &&Value| {
        let kind = email.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let best =
        emails.iter().find(|email| is_primary(email)).or_else(|| emails.iter().find(is_work));
    let address = best.and_then(|email| email.get("value")?.as_str());
    let user_name = || attributes.get("userName").and_then(Value::as_str);
    address.or_else(user_name).map(str::trim).filter(|address| is_address(address))
}

/// Whether text can be an address: what is none is not worth a mail.
fn is_address(text: &str) -> bool {
    let is_plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_control() || c == ' ');
    text.rsplit_once('@').is_some_and(|(local, domain)| is_plain(local) && is_plain(domain))
}

/// The names of an account that its password must not be.
pub fn names(attributes: &Object) -> Vec<&str> {
    let emails = attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
    let addresses = emails.filter_map(|email| email.get("value")?.as_str());
    let user_name = attributes.get("userName").and_then(Value::as_str);
    let display = attributes.get("displayName").and_then(Value::as_str);
    user_name.into_iter().chain(display).chain(addresses).collect()
}

/// Checks that an account is enabled and in use.
///
/// # Errors
/// [`Code::IllegalTransition`]
pub(crate) fn require_active(account: &Account) -> Result<(), Refusal> {
    let illegal = |detail| Err(Refusal::rule(Code::IllegalTransition, detail));
    if !account.standing.enabled() {
        return illegal("the account is deactivated: reactivate it first");
    }
    if account.standing.activated.is_none() {
        return illegal("nobody has taken the account into use: send the activation link");
    }
    Ok(())
}

/// The refusal of a tenant whose people log in through their identity provider only.
pub(crate) fn passwords_disabled() -> Refusal {
    Refusal::rule(
        Code::PasswordsDisabled,
        "the tenant's people log in through their identity provider (ssoRequired): there are no \
         passwords here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r63_a_link_goes_to_an_address_that_is_the_persons_own() {
        let of = |attributes: Value| address(attributes.as_object().unwrap()).map(str::to_owned);
        let home = json!({"value": "family@home.example", "type": "home"});
        let work = json!({"value": " ada@work.example ", "type": "Work"});
        let main = json!({"value": "ada@main.example", "primary": true});
        let all = json!({"userName": "u@x.example", "emails": [home, work, main]});
        assert_eq!(of(all), Some("ada@main.example".to_owned()));
        let worker = json!({"userName": "ada", "emails": [home, work]});
        assert_eq!(of(worker), Some("ada@work.example".to_owned()));
        let named = json!({"userName": "ada@x.example", "emails": [home]});
        assert_eq!(of(named), Some("ada@x.example".to_owned()));
        for none in ["ada", "@", "ada@", "@x", "a da@x.example", "ada@x\n.example"] {
            assert_eq!(of(json!({"userName": none, "emails": [home]})), None, "{none:?}");
        }
    }
}
