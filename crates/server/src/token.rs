//! Bearer tokens, `hc_<id>_<secret>`, and the secrets of clients, `hcs_<id>_<secret>`.
//!
//! The id is public: a token is found, listed and revoked by it. The secret is 256 random bits, of
//! which only the SHA-256 is kept - enough for a secret that nobody can guess, and quick.

use std::fmt::Write;

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;

const TOKEN: &str = "hc_";
const CLIENT_SECRET: &str = "hcs_";

/// A token that was just made: the only moment at which its secret is known.
pub struct NewToken {
    /// The public part.
    pub id: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// The whole, to be shown once.
    pub text: String,
}

/// Makes a token.
///
/// # Errors
/// The system has no randomness to give.
pub fn mint() -> Result<NewToken, ErrorStack> {
    mint_with(TOKEN)
}

/// Makes the secret of a client (RFC 6749 section 2.3.1).
///
/// # Errors
/// The system has no randomness to give.
pub fn mint_client_secret() -> Result<NewToken, ErrorStack> {
    mint_with(CLIENT_SECRET)
}

/// An identifier for what has no secret.
///
/// # Errors
/// The system has no randomness to give.
pub fn mint_id() -> Result<String, ErrorStack> {
    let mut id = [0; 12];
    rand_bytes(&mut id)?;
    Ok(hex(&id))
}

fn mint_with(prefix: &str) -> Result<NewToken, ErrorStack> {
    let mut secret = [0; 32];
    rand_bytes(&mut secret)?;
    let (id, secret) = (mint_id()?, hex(&secret));
    let text = format!("{prefix}{id}_{secret}");
    Ok(NewToken { id, secret_hash: hash(&secret), text })
}

/// The public and the secret part of a token; `None` if it does not look like one.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    parts_after(TOKEN, text)
}

/// The public and the secret part of a client's secret; `None` if it does not look like one.
pub(crate) fn parts_of_secret(text: &str) -> Option<(&str, &str)> {
    parts_after(CLIENT_SECRET, text)
}

fn parts_after<'a>(prefix: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let (id, secret) = text.strip_prefix(prefix)?.split_once('_')?;
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    (is_hex(id, 24) && is_hex(secret, 64)).then_some((id, secret))
}

/// Whether a secret has this hash in hexadecimal digits, in a time that does not tell how much of it
/// is right.
pub(crate) fn matches_hex(secret: &str, expected: &str) -> bool {
    let actual = hex(&hash(secret));
    actual.len() == expected.len() && openssl::memcmp::eq(actual.as_bytes(), expected.as_bytes())
}

/// Whether a secret has this hash, in a time that does not tell how much of it is right.
pub(crate) fn matches(secret: &str, expected: &[u8]) -> bool {
    let actual = hash(secret);
    actual.len() == expected.len() && openssl::memcmp::eq(&actual, expected)
}

fn hash(secret: &str) -> Vec<u8> {
    sha256(secret.as_bytes()).to_vec()
}

/// Bytes in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_id_and_proved_by_its_secret() {
        let (one, other) = (mint().unwrap(), mint().unwrap());
        assert_ne!(one.text, other.text);
        let (id, secret) = parts(&one.text).unwrap();
        assert_eq!(id, one.id);
        assert!(matches(secret, &one.secret_hash));
        assert!(!matches(secret, &other.secret_hash));
        assert!(!matches(secret, &[]));
        let secret_of_client = mint_client_secret().unwrap();
        assert!(parts(&secret_of_client.text).is_none());
        assert!(parts_of_secret(&secret_of_client.text).is_some());
        assert!(parts_of_secret(&one.text).is_none());
        assert!(!one.secret_hash.windows(8).any(|w| secret.as_bytes().windows(8).any(|s| s == w)));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in ["", "hc_", "hc_a_b", "x", "hc_é_é", &"hc_0".repeat(1000)] {
            assert!(parts(text).is_none(), "{text}");
        }
    }
}
