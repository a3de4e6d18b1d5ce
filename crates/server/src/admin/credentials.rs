//! The verbs of connections that are about what their clients prove themselves with. A secret is in the
//! answer that makes it, and nowhere after.

use accounts::connections::Connections;
use accounts::credentials::{self, Certificate, ClientCredential, Issuer, Keys, Proof, Usage};
use accounts::tenancy::Token;
use accounts::{Refusal, StorageError, Tx};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use scim_protocol::error::Error;
use scim_protocol::instant;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Outcome};
use crate::scim::Of;
use crate::{TOKEN_PATH, jwt, token};

type Connection = Call<Of<Connections>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Life {
    expires: Timestamp,
}

/// A bearer token, to be sent with each request.
pub(super) fn create_token(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    body: &Life,
) -> Result<Outcome, Refusal> {
    let made = token::mint().map_err(no_randomness)?;
    let token = Token {
        id: made.id,
        tenant: call.context.caller.tenant,
        connection: id,
        secret_hash: made.secret_hash,
        created: call.context.now,
        expires: body.expires,
        revoked: None,
    };
    credentials::add_token(tx, &call.context, &token)?;
    Ok(Outcome::Report(json!({
        "id": token.id,
        "kind": "token",
        "token": made.text,
        "expires": instant::format(token.expires),
    })))
}

/// A client's secret (RFC 6749 section 2.3.1), which it gives for access tokens.
pub(super) fn create_secret(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    body: &Life,
) -> Result<Outcome, Refusal> {
    let made = token::mint_client_secret().map_err(no_randomness)?;
    let proof = Proof::Secret { hash: token::hex(&made.secret_hash) };
    let credential = credential(call, id, made.id, proof, Some(body.expires));
    credentials::add(tx, &call.context, &credential)?;
    let mut report = shown(&credential);
    report["clientId"] = id.to_string().into();
    report["clientSecret"] = made.text.into();
    report["tokenEndpoint"] = TOKEN_PATH.into();
    Ok(Outcome::Report(report))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Trust {
    #[serde(default)]
    usage: Usage,
    issuer: String,
    audience: String,
    subject: String,
    subject_claim: Option<String>,
    jwks_url: Option<String>,
    jwks: Option<Value>,
    expires: Option<Timestamp>,
}

/// An issuer whose JWTs say who the client is (RFC 7523).
pub(super) fn trust_issuer(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    body: &Trust,
) -> Result<Outcome, Refusal> {
    let keys = match (&body.jwks_url, &body.jwks) {
        (Some(url), None) => Keys::JwksUrl(url.clone()),
        (None, Some(keys)) if jwt::has_keys(keys) => Keys::Jwks(keys.clone()),
        _ => {
            let detail = "give jwksUrl, or jwks with the keys themselves";
            return Err(Error::invalid_value(detail).into());
        }
    };
    let proof = Proof::Issuer(Issuer {
        usage: body.usage,
        issuer: body.issuer.clone(),
        audience: body.audience.clone(),
        subject: body.subject.clone(),
        subject_claim: body.subject_claim.clone().unwrap_or_else(|| "sub".to_owned()),
        keys,
    });
    added(tx, call, id, proof, body.expires)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    fingerprint: Option<String>,
    subject: Option<String>,
    expires: Option<Timestamp>,
}

/// A certificate that the client shows while TLS begins (RFC 8705).
pub(super) fn pin_certificate(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    body: &Pin,
) -> Result<Outcome, Refusal> {
    let certificate = match (&body.fingerprint, &body.subject) {
        (Some(digits), None) => Certificate::Fingerprint(digits.clone()),
        (None, Some(name)) => Certificate::Subject(name.clone()),
        _ => return Err(Error::invalid_value("give a fingerprint or a subject").into()),
    };
    added(tx, call, id, Proof::Certificate(certificate), body.expires)
}

fn added(
    tx: &mut dyn Tx,
    call: &Connection,
    connection: Uuid,
    proof: Proof,
    expires: Option<Timestamp>,
) -> Result<Outcome, Refusal> {
    let id = token::mint_id().map_err(no_randomness)?;
    let credential = credential(call, connection, id, proof, expires);
    credentials::add(tx, &call.context, &credential)?;
    let mut report = shown(&credential);
    report["clientId"] = connection.to_string().into();
    Ok(Outcome::Report(report))
}

fn credential(
    call: &Connection,
    connection: Uuid,
    id: String,
    proof: Proof,
    expires: Option<Timestamp>,
) -> ClientCredential {
    let (tenant, created) = (call.context.caller.tenant, call.context.now);
    ClientCredential { id, tenant, connection, proof, created, expires, revoked: None }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The tokens and credentials of a connection, newest first, without their secrets.
pub(super) fn list(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    _: &Nothing,
) -> Result<Outcome, Refusal> {
    let (tenant, now) = (call.context.caller.tenant, call.context.now);
    credentials::check_connection(tx, tenant, id)?;
    let uses = tx.last_uses(tenant)?;
    let tokens = tx.tokens(tenant)?.into_iter().map(|(token, _)| token);
    let tokens = tokens.filter(|token| token.connection == id).map(|token| {
        let mut shown = json!({
            "id": token.id,
            "kind": "token",
            "created": instant::format(token.created),
            "expires": instant::format(token.expires),
            "live": token.is_live(now),
        });
        put(&mut shown, "revoked", token.revoked);
        shown
    });
    let others = tx.credentials_of(tenant)?.into_iter().map(|client| client.credential);
    let others = others.filter(|credential| credential.connection == id).map(|credential| {
        let mut shown = shown(&credential);
        shown["live"] = credential.is_live(now).into();
        shown
    });
    let mut credentials: Vec<Value> = tokens.chain(others).collect();
    for shown in &mut credentials {
        let last = uses.iter().find(|last| shown["id"] == last.id).map(|last| last.at);
        put(shown, "lastUsed", last);
    }
    Ok(Outcome::Report(json!({"clientId": id, "credentials": credentials})))
}

/// A credential as administrators see it. Nothing in it is secret: of a secret there is its hash, which
/// is left out.
fn shown(credential: &ClientCredential) -> Value {
    let mut shown = match &credential.proof {
        Proof::Secret { .. } => json!({}),
        proof => serde_json::to_value(proof).unwrap_or_default(),
    };
    shown["id"] = credential.id.clone().into();
    shown["kind"] = credential.proof.kind().into();
    shown["created"] = instant::format(credential.created).into();
    put(&mut shown, "expires", credential.expires);
    put(&mut shown, "revoked", credential.revoked);
    shown
}

fn put(shown: &mut Value, name: &str, at: Option<Timestamp>) {
    if let Some(at) = at {
        shown[name] = instant::format(at).into();
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    id: String,
}

/// A token or credential ends at once, with the access tokens that were given for it.
pub(super) fn revoke(
    tx: &mut dyn Tx,
    call: &Connection,
    id: Uuid,
    body: &Revoke,
) -> Result<Outcome, Refusal> {
    credentials::revoke(tx, &call.context, id, &body.id)?;
    Ok(Outcome::Done)
}

fn no_randomness(error: ErrorStack) -> Refusal {
    Refusal::Storage(StorageError::Failed(Box::new(error)))
}
