//! Who is calling. A handler that asks for an [`Authenticated`] cannot run without.
//!
//! A client shows a bearer token (RFC 6750) - one of this service, or of an issuer that its connection
//! trusts -, its identifier and secret where its connection takes those with each request (RFC 7617), or a
//! certificate while TLS begins (RFC 8705).

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use accounts::credentials::{Client, Proof, Usage};
use accounts::{Caller, Rights};
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use base64::prelude::{BASE64_STANDARD, Engine};
use openssl::sha::sha256;
use uuid::Uuid;

use crate::error::ApiError;
use crate::known::Admitted;
use crate::login::session;
use crate::requests::Noted;
use crate::tls::ClientCertificate;
use crate::{State, access_token, clock, jwt, origin, secret, token};

/// A caller whose credential is live: a connection, or a person who is logged in. What a person does is
/// not in the provisioning log, which is about connections.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequest for Authenticated {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let shown = Shown::by(request);
        let state = request.app_data::<Data<State>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let state = state.ok_or_else(|| ApiError::internal("the server has no state"))?;
            let address = origin::client(&request, &state.settings.trusted_proxies);
            if let Some(shown) = session::shown(&request, &state) {
                return by_session(&state, address, shown).await.map(Self);
            }
            let shown = shown.ok_or(ApiError::Unauthorized { invalid_token: false })?;
            let now = clock::now();
            let admitted = authenticate(&state, address, &shown).await?;
            let caller = admitted.caller(now);
            // Of one that ended it is still known whose it was, for the provisioning log.
            Noted::with(&request, |noted| noted.caller = Some(caller));
            state.rates.admit(&caller).map_err(too_fast)?;
            if admitted.is_live(now) { Ok(Self(caller)) } else { Err(REFUSED) }
        })
    }
}

/// What a request shows to say whose it is.
enum Shown {
    Bearer(String),
    /// What follows the name of the scheme.
    Basic(String),
    Certificate(Arc<ClientCertificate>),
}

impl Shown {
    /// A certificate counts where nothing else is shown: it may be there for a proxy's sake.
    fn by(request: &HttpRequest) -> Option<Self> {
        let Some(header) = request.headers().get(AUTHORIZATION) else {
            return request.conn_data::<Arc<ClientCertificate>>().cloned().map(Self::Certificate);
        };
        // The name of the scheme has no case (RFC 9110 section 11.1).
        let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim().to_owned();
        if scheme.eq_ignore_ascii_case("Bearer") {
            Some(Self::Bearer(rest))
        } else if scheme.eq_ignore_ascii_case("Basic") {
            Some(Self::Basic(rest))
        } else {
            None
        }
    }

    /// What it is remembered by: the public part of a token of this service, with its secret beside
    /// it, or a digest, so that no secret is kept, and that how long it takes to find it tells nothing
    /// of one.
    fn key(&self) -> (Cow<'_, str>, Option<&str>) {
        let (kind, text) = match self {
            Self::Bearer(text) => match token::parts(text) {
                Some((id, secret)) => return (id.into(), Some(secret)),
                None => ("bearer", text.as_str()),
            },
            Self::Basic(text) => ("basic", text.as_str()),
            Self::Certificate(certificate) => ("certificate", certificate.digest()),
        };
        (token::hex(&sha256(format!("{kind} {text}").as_bytes())).into(), None)
    }
}

/// The token of a request. The name of the scheme has no case (RFC 9110 section 11.1).
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

const REFUSED: ApiError = ApiError::Unauthorized { invalid_token: true };

fn too_fast(seconds: u64) -> ApiError {
    ApiError::RateLimited { seconds, what: "the connection sends more requests than it may" }
}

fn too_strange(seconds: u64) -> ApiError {
    ApiError::RateLimited { seconds, what: "too many tokens from this address are unknown" }
}

/// Who has a session. One that is none is a guess, as a token that was never seen.
async fn by_session(
    state: &State,
    address: Option<IpAddr>,
    shown: secret::Shown,
) -> Result<Caller, ApiError> {
    let now = clock::now();
    state.strangers.admit(address, now).map_err(too_strange)?;
    let Some(caller) = session::caller(state, shown).await? else {
        state.strangers.guesses(address, now).map_err(too_strange)?;
        return Err(REFUSED);
    };
    state.rates.admit(&caller).map_err(too_fast)?;
    Ok(caller)
}

/// Whose a request is. Of one that ended it is known too.
async fn authenticate(
    state: &State,
    address: Option<IpAddr>,
    shown: &Shown,
) -> Result<Arc<Admitted>, ApiError> {
    let (now, changes) = (clock::now(), state.store.catalogue_changes());
    let (key, secret) = shown.key();
    let is_it = |admitted: &&Arc<Admitted>| {
        secret.is_none_or(|secret| token::matches(secret, &admitted.secret_hash))
    };
    if let Some(known) = state.known.get(&key, now, changes).filter(|known| is_it(&known)) {
        return Ok(known);
    }
    let strangers = &state.strangers;
    let insists = || match strangers.insists(address, &key, now) {
        Ok(()) => REFUSED,
        Err(seconds) => too_strange(seconds),
    };
    // What is no token of this service may be made good by an administrator: it is looked up again.
    let is_repeated = strangers.is_unknown(&key, now);
    if is_repeated && secret.is_some() {
        return Err(insists());
    }
    let has_met = state.known.has_met(&key);
    if !has_met {
        strangers.admit(address, now).map_err(too_strange)?;
    }
    let found = look_up(state, shown, has_met).await?;
    if let Some(admitted) = found.iter().find(is_it) {
        remember(state, &key, admitted, now, changes);
        return Ok(Arc::clone(admitted));
    }
    if !found.is_empty() || is_repeated {
        return Err(insists());
    }
    strangers.remember(&key, now);
    strangers.guesses(address, now).map_err(too_strange)?;
    Err(REFUSED)
}

/// Those who may have shown it.
async fn look_up(
    state: &State,
    shown: &Shown,
    has_met: bool,
) -> Result<Vec<Arc<Admitted>>, ApiError> {
    let found = match shown {
        Shown::Bearer(text) => match token::parts(text) {
            Some((id, _)) => return by_token(state, id, has_met).await,
            None if access_token::is_one(text) => by_access_token(state, text).await?,
            None => by_jwt(state, text).await?,
        },
        Shown::Basic(text) => by_password(state, text).await?,
        Shown::Certificate(certificate) => by_certificate(state, certificate).await?,
    };
    Ok(found.map(Arc::new).into_iter().collect())
}

fn remember(
    state: &State,
    key: &str,
    admitted: &Arc<Admitted>,
    now: jiff::Timestamp,
    changes: u64,
) {
    state.known.keep(key, admitted, now, changes);
    if admitted.is_live(now) {
        state.uses.note(admitted.tenant, &admitted.credential, now);
    }
}

/// Whoever may have a token of `headcount token create`. Tokens that were never seen have a line of their
/// own in the store's queue, so that guesses keep nobody waiting but each other.
async fn by_token(state: &State, id: &str, has_met: bool) -> Result<Vec<Arc<Admitted>>, ApiError> {
    let line = if has_met { Uuid::nil() } else { Uuid::max() };
    let id = id.to_owned();
    let found = state.store.of(line).read(move |tx| tx.credentials(&id)).await?;
    Ok(found.into_iter().map(|one| Arc::new(Admitted::of_token(one))).collect())
}

/// Whoever has an access token of this service: what the credential may for which it was given.
async fn by_access_token(state: &State, text: &str) -> Result<Option<Admitted>, ApiError> {
    let Some(token) = state.access_token_key.open(text) else { return Ok(None) };
    let (tenant, id) = (token.tenant, token.credential.clone());
    let client = state.store.of(tenant).read(move |tx| tx.credential(tenant, &id)).await?;
    Ok(client.map(|client| Admitted::of_client(client, token.rights, Some(token.expires))))
}

/// Whoever an issuer says it is that its connection trusts.
async fn by_jwt(state: &State, text: &str) -> Result<Option<Admitted>, ApiError> {
    let believed = jwt::believe(state, text, Usage::Bearer, |_| true).await?;
    Ok(believed
        .map(|jwt::Believed { client, ends }| Admitted::of_client(client, Rights::ALL, Some(ends))))
}

/// Whoever has an identifier and secret of a connection that takes them with each request.
async fn by_password(state: &State, text: &str) -> Result<Option<Admitted>, ApiError> {
    let Some((id, secret)) = user_and_password(text) else { return Ok(None) };
    let client = by_secret(state, &id, &secret).await?;
    let client = client.filter(|client| client.connection.basic_authentication);
    Ok(client.map(|client| Admitted::of_client(client, Rights::ALL, None)))
}

/// Whoever has shown a certificate that is pinned.
async fn by_certificate(
    state: &State,
    certificate: &ClientCertificate,
) -> Result<Option<Admitted>, ApiError> {
    let (keys, now) = (certificate.keys(), clock::now());
    let found = state.store.read(move |tx| tx.credentials_found_by(&keys)).await?;
    let is_it = |client: &Client| {
        matches!(client.credential.proof, Proof::Certificate(_)) && client.credential.is_live(now)
    };
    let client = found.into_iter().find(is_it);
    Ok(client.map(|client| Admitted::of_client(client, Rights::ALL, None)))
}

/// The client that has this identifier, which is its connection's, and secret, which is live.
///
/// # Errors
/// The store fails.
pub(crate) async fn by_secret(
    state: &State,
    client_id: &str,
    secret: &str,
) -> Result<Option<Client>, ApiError> {
    let Some((id, secret)) = token::parts_of_secret(secret) else { return Ok(None) };
    let (keys, now) = (vec![id.to_owned()], clock::now());
    let found = state.store.read(move |tx| tx.credentials_found_by(&keys)).await?;
    Ok(found.into_iter().find(|Client { credential, connection }| {
        let Proof::Secret { hash } = &credential.proof else { return false };
        token::matches_hex(secret, hash)
            && credential.is_live(now)
            && is_client_id(client_id, connection.id)
    }))
}

/// Whether a client identifier is that of a connection.
pub(crate) fn is_client_id(client_id: &str, connection: uuid::Uuid) -> bool {
    accounts::parse_id(client_id) == Some(connection)
}

/// What the scheme Basic carries (RFC 7617 section 2).
pub(crate) fn user_and_password(text: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
