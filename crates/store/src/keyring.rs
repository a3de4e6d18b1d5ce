//! The keys of the installation that the store itself uses, and what it makes with them.

use accounts::identity::Claim;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use uuid::Uuid;

use crate::error::OpenError;

/// The length of what the keys make, and of the keys.
const LENGTH: usize = 32;

/// Keys of HMAC-SHA256, one for each purpose. It has no `Debug`: nothing may print it.
pub(crate) struct Keyring {
    claims: PKey<Private>,
}

impl Keyring {
    /// The keys that all servers on a database share. `shared` gives the one for a purpose, and
    /// keeps the fresh one that it is handed if there is none.
    pub(crate) fn of_installation(
        mut shared: impl FnMut(&'static str, &[u8]) -> Result<Vec<u8>, OpenError>,
    ) -> Result<Self, OpenError> {
        let mut key = |purpose| -> Result<PKey<Private>, OpenError> {
            let mut fresh = [0; LENGTH];
            rand_bytes(&mut fresh)?;
            let key = shared(purpose, &fresh)?;
            if key.len() != LENGTH {
                return Err(OpenError::Key(purpose));
            }
            Ok(PKey::hmac(&key)?)
        };
        Ok(Self { claims: key("claims")? })
    }

    /// What is kept of a claim: whoever does not have the key cannot tell whose name it was, nor try
    /// names. The same name of two tenants has nothing in common.
    pub(crate) fn of_claim(&self, tenant: Uuid, claim: &Claim) -> Result<Vec<u8>, ErrorStack> {
        authenticate(
            &self.claims,
            &[tenant.as_bytes(), claim.kind.as_str().as_bytes(), claim.key.as_bytes()],
        )
    }
}

/// The code of a sequence of parts, each behind its length, so that no two sequences are alike.
fn authenticate(key: &PKey<Private>, parts: &[&[u8]]) -> Result<Vec<u8>, ErrorStack> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    for part in parts {
        signer.update(&(part.len() as u64).to_be_bytes())?;
        signer.update(part)?;
    }
    signer.sign_to_vec()
}

#[cfg(test)]
mod tests {
    use accounts::identity::ClaimKind;

    use super::*;

    fn keyring(byte: u8) -> Keyring {
        Keyring::of_installation(|_, _| Ok(vec![byte; LENGTH])).unwrap()
    }

    #[test]
    fn r3_the_hash_of_a_claim_is_of_one_installation_tenant_and_kind() {
        let (tenant, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let claim = |kind, key: &str| Claim { kind, key: key.to_owned() };
        let ada = claim(ClaimKind::UserName, "ada");
        let hash = keyring(1).of_claim(tenant, &ada).unwrap();
        assert_eq!(hash.len(), LENGTH);
        assert_eq!(keyring(1).of_claim(tenant, &ada).unwrap(), hash);
        assert_ne!(keyring(2).of_claim(tenant, &ada).unwrap(), hash);
        assert_ne!(keyring(1).of_claim(other, &ada).unwrap(), hash);
        let email = claim(ClaimKind::Email, "ada");
        assert_ne!(keyring(1).of_claim(tenant, &email).unwrap(), hash);
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        let short = Keyring::of_installation(|_, _| Ok(vec![1; 16]));
        assert!(matches!(short, Err(OpenError::Key("claims"))));
    }
}
