//! `headcount token`

use accounts::credentials::{self, LONGEST_LIFE};
use accounts::tenancy::{self, Credential, Token};
use accounts::{Refusal, Right, Rights};
use anyhow::{Context, anyhow, ensure};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use scim_protocol::dialect::Dialect;
use server::{clock, token};
use store::Store;

use super::credential::{in_column, last_used, state};
use super::open;
use crate::settings::Settings;

pub(crate) async fn create(settings: &Settings) -> anyhow::Result<()> {
    let tenant = settings.tenant()?.to_owned();
    let dialect: Dialect = settings.dialect.parse()?;
    let rights = settings.scopes.as_deref().map(rights).transpose()?;
    let is_admin = rights.is_some_and(|rights| rights.allow(Right::Admin));
    let usual = || if is_admin { "admin".to_owned() } else { dialect.to_string() };
    let name = settings.connection.clone().unwrap_or_else(usual);
    let expires = expiry(&settings.expires, clock::now())?;
    let store = open(settings)?;
    let made = insert(&store, tenant, name.clone(), dialect, rights, expires).await?;
    eprintln!(
        "token for the connection {name} ({dialect}), valid until {expires}; it is shown only now:"
    );
    println!("{made}");
    Ok(())
}

/// The rights that a list of scopes names.
pub(crate) fn rights(scopes: &str) -> anyhow::Result<Rights> {
    let names = scopes.split([',', ' ']).filter(|name| !name.is_empty());
    Ok(Rights::named(names)?)
}

/// Makes a token, and its connection where there is none; its text.
pub(crate) async fn insert(
    store: &Store,
    tenant: String,
    connection: String,
    dialect: Dialect,
    rights: Option<Rights>,
    expires: Timestamp,
) -> anyhow::Result<String> {
    let made = token::mint().context("the system gives no random numbers")?;
    let (id, secret_hash) = (made.id, made.secret_hash);
    let now = clock::now();
    let inserted = store.write(move |tx| {
        let tenant = tenancy::tenant_named(tx, &tenant)?;
        let context = accounts::Context::of_system(tenant.id, now, clock::new_id);
        let connection = tenancy::ensure_connection(tx, &context, &connection, dialect, rights)?;
        let token = Token {
            id: id.clone(),
            tenant: tenant.id,
            connection: connection.id,
            secret_hash: secret_hash.clone(),
            created: now,
            expires,
            revoked: None,
        };
        credentials::add_token(tx, &context, &token)?;
        Ok::<_, Refusal>(())
    });
    inserted.await?;
    Ok(made.text)
}

pub(crate) async fn list(settings: &Settings) -> anyhow::Result<()> {
    let tenant = settings.tenant()?.to_owned();
    let store = open(settings)?;
    let tokens = store.read(move |tx| {
        let tenant = tenancy::tenant_named(tx, &tenant)?;
        Ok::<_, Refusal>((tx.tokens(tenant.id)?, tx.last_uses(tenant.id)?))
    });
    let (tokens, uses) = tokens.await?;
    println!(
        "{:24}  {:8}  {:8}  {:24}  {:24}  CONNECTION",
        "ID", "STATE", "DIALECT", "EXPIRES", "LAST USED"
    );
    for (token, connection) in tokens {
        let state = state(token.revoked.is_some(), token.is_live(clock::now()));
        let (used, expires) = (last_used(&uses, &token.id), in_column(token.expires));
        println!(
            "{:24}  {state:8}  {:8}  {expires:24}  {used:24}  {}",
            token.id,
            connection.dialect.as_str(),
            connection.name
        );
    }
    Ok(())
}

pub(crate) async fn revoke(settings: &Settings, id: String) -> anyhow::Result<()> {
    // Whoever pastes the whole token means it.
    let id = id.strip_prefix("hc_").unwrap_or(&id);
    let id = id.split('_').next().unwrap_or_default().to_owned();
    let (wanted, now) = (id.clone(), clock::now());
    let store = open(settings)?;
    let revoked = store.write(move |tx| {
        let mut found = tx.credentials(&wanted)?;
        found.retain(|one| one.token.revoked.is_none());
        for Credential { token, connection } in &found {
            let context = accounts::Context::of_system(token.tenant, now, clock::new_id);
            credentials::revoke(tx, &context, connection.id, &wanted)?;
        }
        Ok::<_, Refusal>(found.len())
    });
    ensure!(revoked.await? > 0, "no live token has the id {id:?}");
    eprintln!("revoked {id}");
    Ok(())
}

/// When a token made now ends that is to live so long.
pub(crate) fn expiry(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let wrong =
        || anyhow!("--expires {text:?}: give a duration such as 12h or 90d, at most ten years");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let life = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    ensure!(life > SignedDuration::ZERO && life <= LONGEST_LIFE, wrong());
    now.checked_add(life).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_limited_life() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(expiry("90d", now).unwrap().as_second(), 90 * 86_400);
        assert_eq!(expiry("1s", now).unwrap().as_second(), 1);
        for wrong in ["0s", "-1d", "11y", "4000d", "soon", "", "90"] {
            assert!(expiry(wrong, now).is_err(), "{wrong}");
        }
    }
}
