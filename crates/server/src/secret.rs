//! Secrets of people: what is in a mailed link, and the token of a session. Each names its tenant and
//! account, so that it is found by a primary key, and is proved by 256 random bits, of which only
//! the SHA-256 is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use uuid::Uuid;

/// What a secret is good for: what its text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The link to the first password.
    Activation,
    /// The link to another one.
    Reset,
    /// A session.
    Session,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Activation => "hci_",
            Self::Reset => "hcr_",
            Self::Session => "hcs_",
        }
    }
}

/// Two identifiers and 256 bits.
const LENGTH: usize = 64;

/// A secret that was just made: the only moment at which it is known.
pub(crate) struct NewSecret {
    /// The whole, to be sent once.
    pub(crate) text: String,
    /// What is kept of it.
    pub(crate) hash: Vec<u8>,
}

/// A secret that was shown.
#[derive(Clone)]
pub(crate) struct Shown {
    /// The tenant that it says it is of.
    pub(crate) tenant: Uuid,
    /// The account that it says it is of.
    pub(crate) of: Uuid,
    hash: [u8; 32],
}

impl NewSecret {
    /// Makes a secret.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) fn make(kind: Kind, tenant: Uuid, of: Uuid) -> Result<Self, ErrorStack> {
        let mut secret = [0; 32];
        rand_bytes(&mut secret)?;
        let mut bytes = Vec::with_capacity(LENGTH);
        for part in [&tenant.as_bytes()[..], of.as_bytes(), &secret] {
            bytes.extend_from_slice(part);
        }
        let text = format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { text, hash: sha256(&secret).to_vec() })
    }
}

impl Shown {
    /// Reads a secret; none if it does not look like one of this kind.
    pub(crate) fn read(kind: Kind, text: &str) -> Option<Self> {
        let text = text.strip_prefix(kind.prefix()).filter(|text| text.len() <= 2 * LENGTH)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == LENGTH)?;
        let (ids, secret) = bytes.split_at(32);
        let (tenant, of) = ids.split_at(16);
        Some(Self {
            tenant: Uuid::from_slice(tenant).ok()?,
            of: Uuid::from_slice(of).ok()?,
            hash: sha256(secret),
        })
    }

    /// What is kept of it, if it is one.
    pub(crate) fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// Whether its hash is this one, in a time that does not tell how much of it is.
    pub(crate) fn proves(&self, expected: &[u8]) -> bool {
        expected.len() == self.hash.len() && openssl::memcmp::eq(&self.hash, expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_what_it_is_of_and_is_proved() {
        let (tenant, of) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let one = NewSecret::make(Kind::Session, tenant, of).unwrap();
        let other = NewSecret::make(Kind::Session, tenant, of).unwrap();
        let shown = Shown::read(Kind::Session, &one.text).unwrap();
        assert_eq!((shown.tenant, shown.of), (tenant, of));
        assert!(shown.proves(&one.hash));
        assert!(!shown.proves(&other.hash) && !shown.proves(&[]) && !shown.proves(&one.hash[1..]));
        assert!(Shown::read(Kind::Reset, &one.text).is_none(), "of another kind");
    }

    #[test]
    fn what_is_no_secret_is_not_looked_up() {
        let long = format!("hcs_{}", "A".repeat(1_000_000));
        for text in ["", "hcs_", "hcs_é", "hcs_AAAA", "hc_a_b", &long] {
            assert!(Shown::read(Kind::Session, text).is_none(), "{}", text.len());
        }
    }
}
