//! Who is calling (RFC 6750). A handler that asks for an [`Authenticated`] cannot run without.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use accounts::Caller;
use accounts::tenancy::Credential;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use crate::error::ApiError;
use crate::requests::Noted;
use crate::{State, clock, token};

/// A caller with a token that is live.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequest for Authenticated {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let bearer = bearer(request).map(str::to_owned);
        let state = request.app_data::<Data<State>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let state = state.ok_or_else(|| ApiError::internal("the server has no state"))?;
            let bearer = bearer.ok_or(ApiError::Unauthorized { invalid_token: false })?;
            let address = request.peer_addr().map(|address| address.ip());
            let (caller, is_live) = authenticate(&state, address, &bearer).await?;
            Noted::with(&request, |noted| noted.caller = Some(caller));
            state.rates.admit(&caller).map_err(too_fast)?;
            if is_live { Ok(Self(caller)) } else { Err(REFUSED) }
        })
    }
}

fn too_fast(seconds: u64) -> ApiError {
    ApiError::RateLimited { seconds, what: "the connection sends more requests than it may" }
}

fn too_strange(seconds: u64) -> ApiError {
    ApiError::RateLimited { seconds, what: "too many tokens from this address are unknown" }
}

/// The token of a request. The name of the scheme has no case (RFC 9110 section 11.1).
fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

const REFUSED: ApiError = ApiError::Unauthorized { invalid_token: true };

/// Who has the token, and whether it is live. Of one that ended it is still known whose it was, for
/// the provisioning log.
async fn authenticate(
    state: &State,
    address: Option<IpAddr>,
    bearer: &str,
) -> Result<(Caller, bool), ApiError> {
    let (now, changes) = (clock::now(), state.store.catalogue_changes());
    let strangers = &state.strangers;
    let insists = |id: &str| match strangers.insists(address, id, now) {
        Ok(()) => REFUSED,
        Err(seconds) => too_strange(seconds),
    };
    let (id, secret) = token::parts(bearer).ok_or_else(|| insists(""))?;
    let is_it =
        |credential: &&Arc<Credential>| token::matches(secret, &credential.token.secret_hash);
    let of = |credential: &Credential| (credential.caller(now), credential.token.is_live(now));
    if let Some(known) = state.known.get(id, now, changes).filter(|known| is_it(&known)) {
        return Ok(of(&known));
    }
    if strangers.is_unknown(id, now) {
        return Err(insists(id));
    }
    let has_met = state.known.has_met(id);
    if !has_met {
        strangers.admit(address, now).map_err(too_strange)?;
    }
    let found = look_up(state, id, has_met).await?;
    if let Some(credential) = found.iter().find(is_it) {
        state.known.keep(credential, now, changes);
        return Ok(of(credential));
    }
    if !found.is_empty() {
        return Err(insists(id));
    }
    strangers.remember(id, now);
    strangers.guesses(address, now).map_err(too_strange)?;
    Err(REFUSED)
}

/// Those who may have a token. Tokens that were never seen have a line of their own in the store's queue,
/// so that guesses keep nobody waiting but each other.
async fn look_up(state: &State, id: &str, has_met: bool) -> Result<Vec<Arc<Credential>>, ApiError> {
    let line = if has_met { Uuid::nil() } else { Uuid::max() };
    let id = id.to_owned();
    let found = state.store.of(line).read(move |tx| tx.credentials(&id)).await?;
    Ok(found.into_iter().map(Arc::new).collect())
}
