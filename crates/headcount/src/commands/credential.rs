//! `headcount credential`: what clients prove themselves with besides the tokens of `headcount token`.

use std::fs;
use std::path::Path;

use accounts::credentials::{self, Certificate, Client, ClientCredential, Issuer, Keys, Proof};
use accounts::tenancy::{self, Use};
use accounts::{Context as Calling, Refusal};
use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use scim_protocol::dialect::Dialect;
use server::{TOKEN_PATH, clock, token};

use super::open;
use super::token::{expiry, rights};
use crate::arguments::{CertificateArguments, IssuerArguments};
use crate::settings::Settings;

/// Makes a secret; standard output gets the identifier and the secret of the client.
pub(crate) async fn secret(settings: &Settings) -> anyhow::Result<()> {
    let made = token::mint_client_secret().context("the system gives no random numbers")?;
    let expires = expiry(&settings.expires, clock::now())?;
    let proof = Proof::Secret { hash: token::hex(&made.secret_hash) };
    let client = add(settings, made.id, proof, Some(expires)).await?;
    eprintln!(
        "secret for {TOKEN_PATH}, valid until {expires}; it is shown only now. Revoke it by its id {}",
        client.id
    );
    println!("client_id={}", client.connection);
    println!("client_secret={}", made.text);
    Ok(())
}

/// Trusts an issuer; standard output gets the identifier of the client.
pub(crate) async fn issuer(settings: &Settings, arguments: &IssuerArguments) -> anyhow::Result<()> {
    let IssuerArguments { usage, issuer, audience, subject, subject_claim, .. } = arguments.clone();
    let keys = match (&arguments.jwks_url, &arguments.jwks_file) {
        (Some(url), None) => Keys::JwksUrl(url.clone()),
        (None, Some(file)) => Keys::Jwks(keys_in(file)?),
        _ => bail!("give --jwks-url or --jwks-file"),
    };
    let usage = usage.into();
    let proof = Proof::Issuer(Issuer { usage, issuer, audience, subject, subject_claim, keys });
    report(&add(settings, new_id()?, proof, None).await?);
    Ok(())
}

fn keys_in(file: &Path) -> anyhow::Result<serde_json::Value> {
    let text = fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let keys = serde_json::from_str(&text).ok().filter(server::has_keys);
    keys.with_context(|| format!("{} is no set of JSON Web Keys", file.display()))
}

/// Pins a certificate; standard output gets the identifier of the client.
pub(crate) async fn certificate(
    settings: &Settings,
    arguments: &CertificateArguments,
) -> anyhow::Result<()> {
    let (certificate, expires) = match (&arguments.certificate, &arguments.subject) {
        (Some(file), None) => {
            let pem = fs::read(file).with_context(|| format!("{}", file.display()))?;
            let (digits, end) = server::fingerprint(&pem)
                .with_context(|| format!("{} is no certificate in PEM", file.display()))?;
            (Certificate::Fingerprint(digits), Some(end))
        }
        (None, Some(name)) => (Certificate::Subject(name.clone()), None),
        _ => bail!("give --certificate or --subject"),
    };
    report(&add(settings, new_id()?, Proof::Certificate(certificate), expires).await?);
    Ok(())
}

fn report(credential: &ClientCredential) {
    eprintln!("added {}; revoke it by that id", credential.id);
    println!("client_id={}", credential.connection);
}

fn new_id() -> anyhow::Result<String> {
    token::mint_id().context("the system gives no random numbers")
}

/// Adds a credential, and its connection where there is none.
async fn add(
    settings: &Settings,
    id: String,
    proof: Proof,
    expires: Option<Timestamp>,
) -> anyhow::Result<ClientCredential> {
    let tenant = settings.tenant()?.to_owned();
    let dialect: Dialect = settings.dialect.parse()?;
    let rights = settings.scopes.as_deref().map(rights).transpose()?;
    let name = settings.connection.clone().unwrap_or_else(|| dialect.to_string());
    let (store, now) = (open(settings)?, clock::now());
    let added = store.write(move |tx| {
        let tenant = tenancy::tenant_named(tx, &tenant)?;
        let context = Calling::of_system(tenant.id, now, clock::new_id);
        let connection = tenancy::ensure_connection(tx, &context, &name, dialect, rights)?;
        let credential = ClientCredential {
            id: id.clone(),
            tenant: tenant.id,
            connection: connection.id,
            proof: proof.clone(),
            created: now,
            expires,
            revoked: None,
        };
        credentials::add(tx, &context, &credential)?;
        Ok::<_, Refusal>(credential)
    });
    Ok(added.await?)
}

/// Lists the credentials of a tenant, without their secrets.
pub(crate) async fn list(settings: &Settings) -> anyhow::Result<()> {
    let tenant = settings.tenant()?.to_owned();
    let store = open(settings)?;
    let found = store.read(move |tx| {
        let tenant = tenancy::tenant_named(tx, &tenant)?;
        Ok::<_, Refusal>((tx.credentials_of(tenant.id)?, tx.last_uses(tenant.id)?))
    });
    let (clients, uses) = found.await?;
    println!(
        "{:24}  {:8}  {:11}  {:24}  {:24}  {:36}  CONNECTION",
        "ID", "STATE", "KIND", "EXPIRES", "LAST USED", "CLIENT ID"
    );
    for Client { credential, connection } in clients {
        let state = state(credential.revoked.is_some(), credential.is_live(clock::now()));
        let expires = credential.expires.map_or("never".to_owned(), in_column);
        println!(
            "{:24}  {state:8}  {:11}  {expires:24}  {:24}  {}  {}",
            credential.id,
            credential.proof.kind(),
            last_used(&uses, &credential.id),
            connection.id,
            connection.name
        );
    }
    Ok(())
}

/// Revokes a credential.
pub(crate) async fn revoke(settings: &Settings, id: String) -> anyhow::Result<()> {
    // Whoever pastes the whole secret means it.
    let id = id.strip_prefix("hcs_").unwrap_or(&id);
    let id = id.split('_').next().unwrap_or_default().to_owned();
    let (wanted, now) = (id.clone(), clock::now());
    let store = open(settings)?;
    let revoked = store.write(move |tx| {
        let mut found = tx.credentials_with_id(&wanted)?;
        found.retain(|client| client.credential.revoked.is_none());
        for Client { credential, connection } in &found {
            let context = Calling::of_system(credential.tenant, now, clock::new_id);
            credentials::revoke(tx, &context, connection.id, &wanted)?;
        }
        Ok::<_, Refusal>(found.len())
    });
    ensure!(revoked.await? > 0, "no live credential has the id {id:?}");
    eprintln!("revoked {id}");
    Ok(())
}

/// A word for whether a token or credential is accepted.
pub(crate) fn state(is_revoked: bool, is_live: bool) -> &'static str {
    match (is_revoked, is_live) {
        (true, _) => "revoked",
        (_, true) => "live",
        _ => "expired",
    }
}

/// When a token or credential was last used, about.
pub(crate) fn last_used(uses: &[Use], id: &str) -> String {
    uses.iter().find(|last| last.id == id).map_or("never".to_owned(), |last| in_column(last.at))
}

/// An instant, as wide as any other: `2026-11-22T08:30:00.120Z`.
pub(crate) fn in_column(instant: Timestamp) -> String {
    format!("{instant:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_is_as_wide_as_its_column() {
        for milliseconds in [0, 120, 123, 1_790_000_000_100] {
            let instant = Timestamp::from_millisecond(milliseconds).expect("it is one");
            assert_eq!(in_column(instant).len(), 24, "{instant}");
        }
    }
}
