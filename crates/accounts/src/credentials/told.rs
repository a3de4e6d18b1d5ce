//! What the change log says of tokens and credentials: which connection got what, and what was revoked
//! (rule R81). They are part of their connection's version, as members are of their group's.
//!
//! Nothing here can be used by whoever reads it: no secret, and no hash of one.

use scim_protocol::instant;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Certificate, ClientCredential, Issuer, Keys, Proof};
use crate::Context;
use crate::connections::Connections;
use crate::ledger::Action;
use crate::objects;
use crate::refusal::Refusal;
use crate::tenancy::Token;
use crate::tx::Tx;

/// What entries name as what changed.
const CREDENTIALS: &str = "credentials";

/// Writes that a connection has one more.
pub(super) fn added(
    tx: &mut dyn Tx,
    context: &Context,
    connection: Uuid,
    told: &Value,
) -> Result<(), Refusal> {
    let change = json!({"attribute": CREDENTIALS, "old": null, "new": [told]});
    objects::note::<Connections>(tx, context, connection, Action::CredentialAdded, change)
}

/// Writes that one of a connection's is good no longer.
pub(super) fn revoked(
    tx: &mut dyn Tx,
    context: &Context,
    connection: Uuid,
    told: &Value,
) -> Result<(), Refusal> {
    let change = json!({"attribute": CREDENTIALS, "old": [told], "new": null});
    objects::note::<Connections>(tx, context, connection, Action::CredentialRevoked, change)
}

/// What is said of a token.
pub(super) fn token(token: &Token) -> Value {
    json!({"id": token.id, "kind": "token", "expires": instant::format(token.expires)})
}

/// What is said of another credential: of an issuer and a certificate, who is believed.
pub(super) fn credential(credential: &ClientCredential) -> Value {
    let mut told = match &credential.proof {
        Proof::Secret { .. } => json!({}),
        Proof::Issuer(issuer) => of_issuer(issuer),
        Proof::Certificate(Certificate::Fingerprint(digits)) => json!({"fingerprint": digits}),
        Proof::Certificate(Certificate::Subject(name)) => json!({"subject": name}),
    };
    told["id"] = credential.id.clone().into();
    told["kind"] = credential.proof.kind().into();
    if let Some(end) = credential.expires {
        told["expires"] = instant::format(end).into();
    }
    told
}

fn of_issuer(trusted: &Issuer) -> Value {
    let Issuer { usage, issuer, audience, subject, subject_claim, keys } = trusted;
    let mut told = json!({
        "usage": usage, "issuer": issuer, "audience": audience, "subject": subject,
        "subjectClaim": subject_claim,
    });
    match keys {
        Keys::JwksUrl(url) => told["jwksUrl"] = url.clone().into(),
        // They may be many; their names tell which they are.
        Keys::Jwks(keys) => told["keyIds"] = key_ids(keys),
    }
    told
}

/// The names of the keys of a set (RFC 7517 section 4.5).
fn key_ids(keys: &Value) -> Value {
    let keys = keys.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().filter_map(|key| key.get("kid")?.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn of(proof: Proof, expires: Option<Timestamp>) -> Value {
        let (tenant, connection) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (id, created) = ("id".to_owned(), Timestamp::UNIX_EPOCH);
        credential(&ClientCredential {
            id,
            tenant,
            connection,
            proof,
            created,
            expires,
            revoked: None,
        })
    }

    #[test]
    fn r81_of_a_secret_no_hash_is_told() {
        let told = of(Proof::Secret { hash: "0f".repeat(32) }, Some(Timestamp::UNIX_EPOCH));
        let expected = json!({"id": "id", "kind": "secret", "expires": "1970-01-01T00:00:00Z"});
        assert_eq!(told, expected);
        let (tenant, connection) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let told = token(&Token {
            id: "id".to_owned(),
            tenant,
            connection,
            secret_hash: vec![0x0f; 32],
            created: Timestamp::UNIX_EPOCH,
            expires: Timestamp::UNIX_EPOCH,
            revoked: None,
        });
        let expected = json!({"id": "id", "kind": "token", "expires": "1970-01-01T00:00:00Z"});
        assert_eq!(told, expected);
    }

    #[test]
    fn r81_of_an_issuer_it_is_told_whom_it_vouches_for() {
        let keys = json!({"keys": [{"kid": "one", "kty": "RSA", "n": "…"}, {"kty": "RSA"}]});
        let issuer = Issuer {
            usage: super::super::Usage::Bearer,
            issuer: "https://i".to_owned(),
            audience: "a".to_owned(),
            subject: "s".to_owned(),
            subject_claim: "azp".to_owned(),
            keys: Keys::Jwks(keys),
        };
        let told = of(Proof::Issuer(issuer.clone()), None);
        let expected = json!({
            "usage": "bearer", "issuer": "https://i", "audience": "a", "subject": "s",
            "subjectClaim": "azp", "keyIds": ["one"], "id": "id", "kind": "issuer",
        });
        assert_eq!(told, expected);
        let fetched = Issuer { keys: Keys::JwksUrl("https://i/k".to_owned()), ..issuer };
        assert_eq!(of(Proof::Issuer(fetched), None)["jwksUrl"], "https://i/k");
    }

    #[test]
    fn r81_of_a_certificate_it_is_told_which_it_is() {
        let pinned = Certificate::Fingerprint("0f".repeat(32));
        assert_eq!(of(Proof::Certificate(pinned), None)["fingerprint"], "0f".repeat(32));
        let subject = Certificate::Subject("CN=okta".to_owned());
        assert_eq!(of(Proof::Certificate(subject), None)["subject"], "CN=okta");
    }
}
