//! JWTs of issuers that tenants trust (RFC 7519, RFC 7523, RFC 8725).
//!
//! Issuer, audience and subject are pinned, so that a JWT is believed only for the one client that
//! its connection means; by issuer and audience, which nobody has proved yet, the connections are
//! found that may mean it, and then the issuer's key proves all of it.

mod crypto;
mod keys;

use accounts::StorageError;
use accounts::credentials::{Client, Issuer, Proof, Usage, issuer_key};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header, Validation, dangerous, decode};
use scim_protocol::Object;
use serde_json::Value;

pub(crate) use keys::IssuerKeys;
pub use keys::has_keys;

use crate::{State, clock};

/// The longest JWT that is looked at, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// The most audiences of a JWT that are looked at.
const MAX_AUDIENCES: usize = 8;

/// How far the clocks of an issuer and of this service may be apart, in seconds.
const LEEWAY: i64 = 60;

/// Has the library of JWTs use OpenSSL.
pub(crate) fn install() {
    crypto::install();
}

/// Whether a text looks like a JWT that is signed (RFC 7515 section 7.1).
pub(crate) fn is_one(text: &str) -> bool {
    text.len() <= MAX_TEXT && text.starts_with("eyJ") && text.split('.').count() == 3
}

/// A JWT that is believed.
pub(crate) struct Believed {
    /// Whose it is.
    pub(crate) client: Client,
    /// When it ends.
    pub(crate) ends: Timestamp,
}

/// Whose JWT this is, if any connection that `is_meant` trusts its issuer for this usage, and it is
/// right in all.
///
/// # Errors
/// The store fails.
pub(crate) async fn believe(
    state: &State,
    text: &str,
    usage: Usage,
    is_meant: impl Fn(&Client) -> bool,
) -> Result<Option<Believed>, StorageError> {
    let Some((header, claims)) = is_one(text).then(|| unproved(text)).flatten() else {
        return Ok(None);
    };
    let Some(Value::String(issuer)) = claims.get("iss") else { return Ok(None) };
    let audiences = audiences(&claims);
    let keys: Vec<String> = audiences.iter().map(|of| issuer_key(issuer, of)).collect();
    let now = clock::now();
    let candidates = state.store.read(move |tx| tx.credentials_found_by(&keys)).await?;
    for client in candidates {
        let Proof::Issuer(pinned) = &client.credential.proof else { continue };
        let is_candidate = pinned.usage == usage
            && client.credential.is_live(now)
            && has_subject(&claims, pinned)
            && is_meant(&client);
        if !is_candidate {
            continue;
        }
        let Some(key) = state.issuers.find(&pinned.keys, header.kid.as_deref()).await else {
            continue;
        };
        if let Some(ends) = proved(text, &header, &key, pinned) {
            return Ok(Some(Believed { client, ends }));
        }
    }
    Ok(None)
}

/// What a JWT says of itself, which anybody could have written.
fn unproved(text: &str) -> Option<(Header, Object)> {
    let data = dangerous::insecure_decode::<Object>(text).ok()?;
    let is_taken = crypto::ALGORITHMS.contains(&data.header.alg) && data.header.crit.is_none();
    is_taken.then_some((data.header, data.claims))
}

/// When a JWT ends that is signed with this key and has what is pinned.
fn proved(text: &str, header: &Header, key: &Jwk, pinned: &Issuer) -> Option<Timestamp> {
    let is_for_signatures = !matches!(
        key.common.public_key_use,
        Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
    );
    let is_same = key.common.key_algorithm.is_none_or(|named| named == header.alg.into());
    if !is_for_signatures || !is_same {
        return None;
    }
    let mut validation = Validation::new(header.alg);
    validation.leeway = LEEWAY.unsigned_abs();
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[&pinned.issuer]);
    validation.set_audience(&[&pinned.audience]);
    let key = DecodingKey::from_jwk(key).ok()?;
    let data = decode::<Object>(text, &key, &validation).ok()?;
    if !has_subject(&data.claims, pinned) {
        return None;
    }
    let end = Timestamp::from_second(seconds(data.claims.get("exp")?)?).ok()?;
    end.checked_add(SignedDuration::from_secs(LEEWAY)).ok()
}

/// An instant as JWTs have it, which may have a fraction (RFC 7519 section 2).
fn seconds(value: &Value) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "what is too large is no instant")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

fn has_subject(claims: &Object, pinned: &Issuer) -> bool {
    claims.get(&pinned.subject_claim).and_then(Value::as_str) == Some(pinned.subject.as_str())
}

fn audiences(claims: &Object) -> Vec<String> {
    let of = |value: &Value| value.as_str().map(str::to_owned);
    match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(of).take(MAX_AUDIENCES).collect(),
        Some(one) => of(one).into_iter().collect(),
        None => Vec::new(),
    }
}
