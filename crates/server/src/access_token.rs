//! Access tokens of this service's own (RFC 6749 section 1.4), which `/oauth/token` gives for an hour.
//!
//! They are sealed, not stored: `hca_` and what they stand for, encrypted and authenticated under a
//! key of the installation. A client that asks for a token with each request so writes nothing, and
//! there is nothing to tidy up. A token names the credential for which it was given, which is looked
//! up whenever the token is: what revokes that credential, or its connection, ends the token too.

use accounts::{Rights, StorageError};
use jiff::{SignedDuration, Timestamp};
use openssl::error::ErrorStack;
use store::Store;
use uuid::Uuid;

use crate::seal::SealingKey;

/// How long a token lives, in seconds.
pub(crate) const LIFE: i64 = 3_600;

const PREFIX: &str = "hca_";

/// The longest text that is looked at; those that are made are shorter.
const MAX_TEXT: usize = 512;

/// What tells a sealed token from anything else that is sealed.
const AUDIENCE: &[u8] = b"access token";

/// What seals the access tokens of an installation.
pub(crate) struct AccessTokenKey(SealingKey);

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessToken {
    /// The tenant that it reaches.
    pub(crate) tenant: Uuid,
    /// The credential for which it was given.
    pub(crate) credential: String,
    /// What it may be used for at most; [`Rights::ALL`] is whatever the connection may do.
    pub(crate) rights: Rights,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

impl AccessToken {
    /// A token that is given now, for a credential that ends at some time or never.
    pub(crate) fn new(
        tenant: Uuid,
        credential: &str,
        rights: Rights,
        now: Timestamp,
        end: Option<Timestamp>,
    ) -> Self {
        let usual = now.saturating_add(SignedDuration::from_secs(LIFE)).unwrap_or(now);
        let expires = end.map_or(usual, |end| end.min(usual));
        Self { tenant, credential: credential.to_owned(), rights, expires }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.tenant.as_bytes().to_vec();
        bytes.extend(self.expires.as_second().to_be_bytes());
        bytes.extend(self.rights.bits().to_be_bytes());
        bytes.extend(self.credential.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tenant, rest) = bytes.split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (rights, credential) = rest.split_first_chunk::<2>()?;
        Some(Self {
            tenant: Uuid::from_bytes(*tenant),
            credential: std::str::from_utf8(credential).ok()?.to_owned(),
            rights: Rights::from_bits(u16::from_be_bytes(*rights)),
            expires: Timestamp::from_second(i64::from_be_bytes(*expires)).ok()?,
        })
    }
}

impl AccessTokenKey {
    /// The key that all servers on this database share.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub(crate) async fn of_installation(store: &Store) -> Result<Self, StorageError> {
        Ok(Self(SealingKey::of_installation(store, "access token").await?))
    }

    /// The token as a client sends it.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) fn seal(&self, token: &AccessToken) -> Result<String, ErrorStack> {
        Ok(format!("{PREFIX}{}", self.0.seal(AUDIENCE, &token.to_bytes())?))
    }

    /// The token in a text; `None` if this installation did not make it.
    pub(crate) fn open(&self, text: &str) -> Option<AccessToken> {
        let sealed = text.strip_prefix(PREFIX)?;
        AccessToken::from_bytes(&self.0.open(AUDIENCE, sealed, MAX_TEXT)?)
    }
}

/// Whether a text looks like an access token.
pub(crate) fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_alone() {
        let (key, other) = (SealingKey([1; 32]), SealingKey([2; 32]));
        let (key, other) = (AccessTokenKey(key), AccessTokenKey(other));
        let rights = Rights::named(["scim.users.read"]).unwrap();
        let token = AccessToken::new(Uuid::from_u128(7), "abc", rights, at(1_000), None);
        let text = key.seal(&token).unwrap();
        assert_eq!(key.open(&text), Some(token));
        assert_eq!(other.open(&text), None);
        let last = if text.ends_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{last}", &text[..text.len() - 1]);
        for wrong in [changed.as_str(), "hca_", "hca_AAAA", "", &"hca_A".repeat(1000)] {
            assert_eq!(key.open(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_ends_no_later_than_its_credential() {
        let of = |end| AccessToken::new(Uuid::nil(), "a", Rights::ALL, at(100), end).expires;
        assert_eq!(of(None), at(100 + LIFE));
        assert_eq!(of(Some(at(200))), at(200));
        assert_eq!(of(Some(at(100_000))), at(100 + LIFE));
    }
}
