//! What a connection's client proves itself with, besides the tokens of [`tenancy`](crate::tenancy).
//!
//! Several of a connection count at once, so that one can follow another without a gap. Each has an
//! identifier that is no secret, by which it is listed and revoked. What is added and what is revoked gets
//! an entry in the change log of its connection (`told`).

mod told;

use jiff::{SignedDuration, Timestamp};
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Context;
use crate::connections::{Connection, Connections};
use crate::objects;
use crate::refusal::{Code, Refusal};
use crate::tenancy::Token;
use crate::tx::Tx;

/// The longest life of a secret: RFC 7644 section 7.4 asks for a limited one.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 3650);

/// The most tokens and credentials of a connection that are not revoked.
pub const MAX_OF_CONNECTION: usize = 100;

/// The most that an issuer's keys may take that are given with it, in bytes.
pub const MAX_KEYS: usize = 64 * 1024;

/// The longest name of an issuer, an audience, a subject or a key's address, in characters.
const MAX_NAME: usize = 1_000;

/// A means by which a client proves to be a connection's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredential {
    /// Its identifier, which is no secret.
    pub id: String,
    /// The tenant that it reaches.
    pub tenant: Uuid,
    /// The connection that it belongs to.
    pub connection: Uuid,
    /// What has to be shown.
    pub proof: Proof,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends, if it does.
    pub expires: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

impl ClientCredential {
    /// Whether it is accepted at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// What a credential stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// The credential.
    pub credential: ClientCredential,
    /// Its connection.
    pub connection: Connection,
}

/// What a client has to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Proof {
    /// A secret (RFC 6749 section 2.3.1).
    Secret {
        /// SHA-256 of it, in hexadecimal digits.
        hash: String,
    },
    /// A JWT of an issuer that the tenant trusts.
    Issuer(Issuer),
    /// A certificate, shown while TLS begins (RFC 8705).
    Certificate(Certificate),
}

impl Proof {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "secret",
            Self::Issuer(_) => "issuer",
            Self::Certificate(_) => "certificate",
        }
    }

    /// Whether what a client shows could be meant for either. An assertion comes with the identifier of
    /// its client.
    fn is_confused_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Issuer(one), Self::Issuer(other)) => {
                one.usage == Usage::Bearer
                    && other.usage == Usage::Bearer
                    && one.subject == other.subject
                    && one.subject_claim == other.subject_claim
            }
            (Self::Certificate(one), Self::Certificate(other)) => one == other,
            _ => false,
        }
    }

    /// By what it is found when a client shows something; `id` is the credential's.
    pub fn key(&self, id: &str) -> String {
        match self {
            Self::Secret { .. } => id.to_owned(),
            Self::Issuer(Issuer { issuer, audience, .. }) => issuer_key(issuer, audience),
            Self::Certificate(certificate) => certificate.key(),
        }
    }
}

/// Adds what the clients of a connection can prove themselves with.
///
/// # Errors
/// Refuses what is no proof, a life that is over or too long, a connection that there is not or that
/// has too many, and what a connection's clients prove themselves with already: it would not be
/// known whose a request is.
pub fn add(
    tx: &mut dyn Tx,
    context: &Context,
    credential: &ClientCredential,
) -> Result<(), Refusal> {
    let ClientCredential { connection, proof, created, expires, .. } = credential;
    match proof {
        Proof::Secret { .. } => check_life(*created, expires.unwrap_or(Timestamp::MAX))?,
        Proof::Issuer(issuer) => issuer.check()?,
        Proof::Certificate(certificate) => certificate.check()?,
    }
    if expires.is_some_and(|end| end <= *created) {
        return Err(Error::invalid_value("expires: it is over already").into());
    }
    check_room(tx, context, *connection)?;
    let found = tx.credentials_found_by(&[proof.key(&credential.id)])?;
    let is_taken = found.iter().any(|other| {
        other.credential.is_live(*created) && proof.is_confused_with(&other.credential.proof)
    });
    if is_taken {
        let detail = "a connection trusts this already: revoke that first, or use another audience, \
                      subject or certificate";
        return Err(Refusal::rule(Code::CredentialTaken, detail));
    }
    tx.insert_credential(credential)?;
    told::added(tx, context, *connection, &told::credential(credential))
}

/// Adds a token of a connection.
///
/// # Errors
/// Refuses a life that is over or too long, and a connection that there is not or that has too many.
pub fn add_token(tx: &mut dyn Tx, context: &Context, token: &Token) -> Result<(), Refusal> {
    check_life(token.created, token.expires)?;
    check_room(tx, context, token.connection)?;
    tx.insert_token(token)?;
    told::added(tx, context, token.connection, &told::token(token))
}

fn check_life(from: Timestamp, to: Timestamp) -> Result<(), Refusal> {
    let life = to.duration_since(from);
    if life > SignedDuration::ZERO && life <= LONGEST_LIFE {
        return Ok(());
    }
    Err(Error::invalid_value("expires: give an instant to come, within ten years").into())
}

/// Holds the connection, so that of two that are the last to have room one is refused.
fn check_room(tx: &mut dyn Tx, context: &Context, connection: Uuid) -> Result<(), Refusal> {
    let (tenant, now) = (context.caller.tenant, context.now);
    objects::for_update::<Connections>(tx, context, connection)?;
    let tokens = tx.tokens(tenant)?;
    let tokens = tokens.iter().filter(|(one, _)| one.connection == connection && one.is_live(now));
    let others = tx.credentials_of(tenant)?;
    let others = others.iter().map(|client| &client.credential);
    let others = others.filter(|one| one.connection == connection && one.is_live(now));
    if tokens.count() + others.count() < MAX_OF_CONNECTION {
        return Ok(());
    }
    Err(Refusal::rule(
        Code::TooManyCredentials,
        format!("the connection has {MAX_OF_CONNECTION} tokens and credentials: revoke some"),
    ))
}

/// Checks that a tenant has this connection.
///
/// # Errors
/// [`Code::NotFound`]
pub fn check_connection(tx: &mut dyn Tx, tenant: Uuid, id: Uuid) -> Result<(), Refusal> {
    if tx.objects_with_ids(tenant, ResourceType::connection(), &[id])?.is_empty() {
        return Err(Refusal::not_found("Connection", id));
    }
    Ok(())
}

/// Revokes a token or credential of a connection, by its public identifier.
///
/// # Errors
/// Refuses an identifier that none of the connection has which is not revoked.
pub fn revoke(
    tx: &mut dyn Tx,
    context: &Context,
    connection: Uuid,
    id: &str,
) -> Result<(), Refusal> {
    let (tenant, now) = (context.caller.tenant, context.now);
    let not_found = || Refusal::not_found("credential", format!("{id:?}"));
    let tokens = tx.tokens(tenant)?.into_iter().map(|(token, _)| token);
    let token = tokens.filter(|token| token.connection == connection).find(|token| token.id == id);
    let (revoked, told) = if let Some(token) = token {
        (tx.revoke_token(tenant, id, now)?, told::token(&token))
    } else {
        let credential = tx.credential(tenant, id)?.map(|client| client.credential);
        let own = credential.filter(|one| one.connection == connection);
        let told = told::credential(&own.ok_or_else(not_found)?);
        (tx.revoke_credential(tenant, id, now)?, told)
    };
    if revoked == 0 {
        return Err(not_found());
    }
    told::revoked(tx, context, connection, &told)
}

/// By what the trust in an issuer is found; neither name has a space in it.
pub fn issuer_key(issuer: &str, audience: &str) -> String {
    format!("{issuer} {audience}")
}

/// Somebody whose signed word counts for who a client is: issuer, audience and subject are pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issuer {
    /// What its JWTs are for.
    #[serde(default)]
    pub usage: Usage,
    /// The claim `iss`.
    pub issuer: String,
    /// What is in the claim `aud`.
    pub audience: String,
    /// What the claim [`subject_claim`](Self::subject_claim) says.
    pub subject: String,
    /// The claim that names the client: `sub`, or such as `client_id`, `azp` or `appid`.
    #[serde(default = "usual_claim")]
    pub subject_claim: String,
    /// Where its keys are.
    #[serde(flatten)]
    pub keys: Keys,
}

fn usual_claim() -> String {
    "sub".to_owned()
}

/// What a JWT is for. One that is for the one is refused for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Usage {
    /// To be given for an access token (RFC 7523 section 2.2).
    #[default]
    Assertion,
    /// To be sent with each request, as an access token of the issuer (RFC 6750).
    Bearer,
}

/// The public keys of an issuer (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keys {
    /// They are fetched from this URL.
    JwksUrl(String),
    /// They are these.
    Jwks(serde_json::Value),
}

impl Issuer {
    /// Checks what an administrator has given.
    ///
    /// # Errors
    /// `invalidValue` for names that are none and for keys that cannot be fetched safely.
    pub fn check(&self) -> Result<(), Refusal> {
        let Self { issuer, audience, subject, subject_claim, keys, .. } = self;
        for (what, name) in [
            ("issuer", issuer),
            ("audience", audience),
            ("subject", subject),
            ("subjectClaim", subject_claim),
        ] {
            let is_name = (1..=MAX_NAME).contains(&name.chars().count())
                && !name.chars().any(|c| c.is_control() || c == ' ');
            if !is_name {
                let detail = format!("{what}: give 1 to {MAX_NAME} characters without spaces");
                return Err(Error::invalid_value(detail).into());
            }
        }
        match keys {
            Keys::JwksUrl(url) if !is_safe(url) => Err(Error::invalid_value(
                "jwksUrl: give an https URL (http on a loopback address alone), without user, \
                 password and fragment",
            )
            .into()),
            Keys::Jwks(keys) if keys.to_string().len() > MAX_KEYS => {
                Err(Error::invalid_value(format!("jwks: at most {MAX_KEYS} bytes")).into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether keys that come from there can be believed to be the issuer's: nobody in between may put
/// others in their place.
fn is_safe(url: &str) -> bool {
    let is_plain = url.len() <= MAX_NAME && url.bytes().all(|byte| byte.is_ascii_graphic());
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !is_plain || authority.is_empty() || url.contains('#') || authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match scheme {
        "https" => !host.is_empty(),
        "http" => {
            host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        _ => false,
    }
}

/// Which certificate a client shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Certificate {
    /// The one with this SHA-256, in lower-case hexadecimal digits, whoever signed it (RFC 8705
    /// section 2.2).
    Fingerprint(String),
    /// Any with this subject that an authority has signed which the server trusts (RFC 8705 section
    /// 2.1), as RFC 4514 writes it.
    Subject(String),
}

impl Certificate {
    /// By what it is found.
    pub fn key(&self) -> String {
        match self {
            Self::Fingerprint(digits) => format!("sha256:{digits}"),
            Self::Subject(name) => format!("subject:{name}"),
        }
    }

    /// Checks what an administrator has given.
    ///
    /// # Errors
    /// `invalidValue` for what is no fingerprint and no name.
    pub fn check(&self) -> Result<(), Refusal> {
        let is_right = match self {
            Self::Fingerprint(digits) => {
                digits.len() == 64
                    && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            }
            Self::Subject(name) => {
                name.contains('=') && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
            }
        };
        if is_right {
            return Ok(());
        }
        Err(Error::invalid_value(
            "give the SHA-256 of the certificate in 64 lower-case hexadecimal digits, or its \
             subject such as CN=okta,O=Example",
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_where_nobody_can_put_others() {
        for safe in [
            "https://login.example.com/keys?x=1",
            "https://login.example.com:8443",
            "http://127.0.0.1:8080/keys",
            "http://[::1]/keys",
            "http://localhost:1/",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in [
            "",
            "keys",
            "https://",
            "https:///keys",
            "http://login.example.com/keys",
            "http://127.0.0.1.example.com/keys",
            "http://127.0.0.1@example.com/keys",
            "https://user:secret@example.com/keys",
            "https://example.com/keys#x",
            "https://example.com/a b",
            "file:///etc/passwd",
            "ftp://example.com/keys",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }

    #[test]
    fn what_is_pinned_is_kept_as_it_was_given() {
        let text = r#"{"issuer":"https://i","audience":"a","subject":"s","jwksUrl":"https://i/k"}"#;
        let issuer: Issuer = serde_json::from_str(text).unwrap();
        assert_eq!((issuer.usage, issuer.subject_claim.as_str()), (Usage::Assertion, "sub"));
        issuer.check().unwrap();
        let proof = Proof::Issuer(issuer);
        let kept: Proof = serde_json::from_value(serde_json::to_value(&proof).unwrap()).unwrap();
        assert_eq!(kept, proof);
        assert_eq!(kept.key("x"), "https://i a");
        let spaced = text.replace("\"a\"", "\"a b\"");
        assert!(serde_json::from_str::<Issuer>(&spaced).unwrap().check().is_err());
    }

    #[test]
    fn a_certificate_is_named_by_its_digest_or_its_subject() {
        for (certificate, is_right) in [
            (Certificate::Fingerprint("0f".repeat(32)), true),
            (Certificate::Fingerprint("0F".repeat(32)), false),
            (Certificate::Fingerprint("0f".repeat(31)), false),
            (Certificate::Subject("CN=okta".to_owned()), true),
            (Certificate::Subject("okta".to_owned()), false),
        ] {
            assert_eq!(certificate.check().is_ok(), is_right, "{certificate:?}");
        }
    }
}
