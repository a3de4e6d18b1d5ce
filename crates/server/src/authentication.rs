//! Who is calling (RFC 6750). A handler that asks for an [`Authenticated`] cannot run without.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use accounts::Caller;
use accounts::tenancy::Credential;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::error::ApiError;
use crate::login::session;
use crate::requests::Noted;
use crate::{State, clock, token};

/// A caller with a token that is live: a connection, or a person who is logged in. What a person does is
/// not in the provisioning log, which is about connections.
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
            if let Some(shown) = session::shown(&request, &state) {
                return session::caller(&state, shown).await?.map(Self).ok_or(REFUSED);
            }
            let bearer = bearer.ok_or(ApiError::Unauthorized { invalid_token: false })?;
            let (caller, is_live) = authenticate(&state, &bearer).await?;
            Noted::with(&request, |noted| noted.caller = Some(caller));
            if is_live { Ok(Self(caller)) } else { Err(REFUSED) }
        })
    }
}

/// The token of a request. The name of the scheme has no case (RFC 9110 section 11.1).
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

const REFUSED: ApiError = ApiError::Unauthorized { invalid_token: true };

/// Who has the token, and whether it is live. Of one that ended it is still known whose it was, for
/// the provisioning log.
async fn authenticate(state: &State, bearer: &str) -> Result<(Caller, bool), ApiError> {
    let (id, secret) = token::parts(bearer).ok_or(REFUSED)?;
    let is_it =
        |credential: &&Arc<Credential>| token::matches(secret, &credential.token.secret_hash);
    let (now, changes) = (clock::now(), state.store.catalogue_changes());
    let known = state.known.get(id, now, changes).filter(|known| is_it(&known));
    let credential = if let Some(known) = known {
        known
    } else {
        let id = id.to_owned();
        let found = state.store.read(move |tx| tx.credentials(&id)).await?;
        let found: Vec<Arc<Credential>> = found.into_iter().map(Arc::new).collect();
        let credential = Arc::clone(found.iter().find(is_it).ok_or(REFUSED)?);
        state.known.keep(&credential, now, changes);
        credential
    };
    Ok((credential.caller(now), credential.token.is_live(now)))
}
