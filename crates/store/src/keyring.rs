//! The keys of the installation that the store itself uses, and what it makes with them.

use accounts::identity::Claim;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use openssl::rand::rand_bytes;
use sha2::Sha256;
use uuid::Uuid;

use crate::error::OpenError;

/// The length of what the keys make, and of the keys.
const LENGTH: usize = 32;

/// A code that has taken its key in, and the parts of nothing yet.
type Keyed = Hmac<Sha256>;

/// Keys of HMAC-SHA256, one for each purpose. It has no `Debug`: nothing may print it.
pub(crate) struct Keyring {
    claims: Keyed,
    change_log: Keyed,
}

/// An entry of the change log as it is sealed.
pub(crate) struct Sealed<'a> {
    pub(crate) tenant: Uuid,
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) actor_type: &'a str,
    pub(crate) actor: Option<Uuid>,
    pub(crate) source: &'a str,
    pub(crate) request: Uuid,
    pub(crate) action: &'a str,
    pub(crate) resource_type: &'a str,
    pub(crate) resource: Uuid,
    pub(crate) version: i64,
    pub(crate) rule: Option<&'a str>,
    /// What [`Keyring::digest`] makes of the changes and the reason.
    pub(crate) digest: &'a [u8],
    /// The seal of the entry before it of the same resource.
    pub(crate) previous: Option<&'a [u8]>,
}

impl Keyring {
    /// The keys that all servers on a database share. `shared` gives the one for a purpose, and
    /// keeps the fresh one that it is handed if there is none.
    pub(crate) fn of_installation(
        mut shared: impl FnMut(&'static str, &[u8]) -> Result<Vec<u8>, OpenError>,
    ) -> Result<Self, OpenError> {
        let mut key = |purpose| -> Result<Keyed, OpenError> {
            let mut fresh = [0; LENGTH];
            rand_bytes(&mut fresh)?;
            let key = shared(purpose, &fresh)?;
            if key.len() != LENGTH {
                return Err(OpenError::Key(purpose));
            }
            Keyed::new_from_slice(&key).map_err(|_| OpenError::Key(purpose))
        };
        Ok(Self { claims: key("claims")?, change_log: key("change log")? })
    }

    /// What is kept of a claim: whoever does not have the key cannot tell whose name it was, nor try
    /// names. The same name of two tenants has nothing in common. As a userName and as an e-mail
    /// address, which mostly are one, a name has its claims side by side.
    pub(crate) fn of_claim(&self, tenant: Uuid, claim: &Claim) -> Vec<u8> {
        authenticate(&self.claims, &[tenant.as_bytes(), claim.key.as_bytes()])
    }

    /// What stays of what an entry says about its resource when that is erased. It is different for
    /// equal changes, and nobody without the key can try what they may have been.
    pub(crate) fn digest(
        &self,
        tenant: Uuid,
        id: Uuid,
        changes: &str,
        reason: Option<&str>,
    ) -> Vec<u8> {
        let [given, reason] = optional(reason.map(str::as_bytes));
        let parts: [&[u8]; 6] =
            [b"changes", tenant.as_bytes(), id.as_bytes(), changes.as_bytes(), given, reason];
        authenticate(&self.change_log, &parts)
    }

    /// The seal of an entry.
    pub(crate) fn seal(&self, entry: &Sealed<'_>) -> Vec<u8> {
        let (at, version) = (entry.at.as_microsecond().to_be_bytes(), entry.version.to_be_bytes());
        let [by_somebody, actor] =
            optional(entry.actor.as_ref().map(|id| id.as_bytes().as_slice()));
        let [by_rule, rule] = optional(entry.rule.map(str::as_bytes));
        let [continues, previous] = optional(entry.previous);
        let parts: [&[u8]; 18] = [
            b"entry",
            entry.tenant.as_bytes(),
            entry.id.as_bytes(),
            &at,
            entry.actor_type.as_bytes(),
            by_somebody,
            actor,
            entry.source.as_bytes(),
            entry.request.as_bytes(),
            entry.action.as_bytes(),
            entry.resource_type.as_bytes(),
            entry.resource.as_bytes(),
            &version,
            by_rule,
            rule,
            entry.digest,
            continues,
            previous,
        ];
        authenticate(&self.change_log, &parts)
    }
}

/// What is there and is empty is not what is not there.
fn optional(part: Option<&[u8]>) -> [&[u8]; 2] {
    match part {
        Some(part) => [b"some", part],
        None => [b"none", b""],
    }
}

/// The code of a sequence of parts, each behind its length, so that no two sequences are alike.
fn authenticate(key: &Keyed, parts: &[&[u8]]) -> Vec<u8> {
    let mut code = key.clone();
    for part in parts {
        code.update(&(part.len() as u64).to_be_bytes());
        code.update(part);
    }
    code.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use accounts::identity::ClaimKind;

    use super::*;

    fn keyring(byte: u8) -> Keyring {
        Keyring::of_installation(|_, _| Ok(vec![byte; LENGTH])).unwrap()
    }

    #[test]
    fn r3_the_hash_of_a_claim_is_of_one_installation_and_tenant() {
        let (tenant, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let claim = |kind, key: &str| Claim { kind, key: key.to_owned() };
        let ada = claim(ClaimKind::UserName, "ada");
        let hash = keyring(1).of_claim(tenant, &ada);
        assert_eq!(hash.len(), LENGTH);
        assert_eq!(keyring(1).of_claim(tenant, &ada), hash);
        assert_ne!(keyring(2).of_claim(tenant, &ada), hash);
        assert_ne!(keyring(1).of_claim(other, &ada), hash);
        assert_ne!(keyring(1).of_claim(tenant, &claim(ClaimKind::UserName, "bob")), hash);
        let email = claim(ClaimKind::Email, "ada");
        assert_eq!(keyring(1).of_claim(tenant, &email), hash, "side by side with the name");
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        let short = Keyring::of_installation(|_, _| Ok(vec![1; 16]));
        assert!(matches!(short, Err(OpenError::Key("claims"))));
    }
}
