//! Sessions: who has one, what they see of it, and how it ends.

use accounts::login::sessions;
use accounts::{Caller, Refusal, Right, Rights, users};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::dialect::Dialect;
use serde_json::json;
use uuid::Uuid;

use super::{is_from_elsewhere, unkept};
use crate::answer;
use crate::authentication::{Authenticated, bearer};
use crate::error::ApiError;
use crate::scim::{self, Users, View};
use crate::secret::{Kind, Shown};
use crate::{State, clock};

/// The cookie of a session. Over TLS its name has a prefix that no other host can set.
const COOKIE: &str = "headcount_session";
const COOKIE_OVER_TLS: &str = "__Host-headcount_session";

/// The cookie that gives a browser a session: no script reads it, and no other site's page sends it.
pub(super) fn cookie(state: &State, token: String) -> Cookie<'static> {
    let is_secure = is_secure(state);
    Cookie::build(if is_secure { COOKIE_OVER_TLS } else { COOKIE }, token)
        .path("/")
        .http_only(true)
        .secure(is_secure)
        .same_site(SameSite::Strict)
        .finish()
}

fn is_secure(state: &State) -> bool {
    state.settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
}

/// The token of a session that a request shows, in a header or in a cookie. What a page of another site
/// has a browser send is not the person's will.
pub(crate) fn shown(request: &HttpRequest, state: &State) -> Option<Shown> {
    if let Some(bearer) = bearer(request) {
        return Shown::read(Kind::Session, bearer);
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && is_from_elsewhere(request) {
        return None;
    }
    let name = if is_secure(state) { COOKIE_OVER_TLS } else { COOKIE };
    Shown::read(Kind::Session, request.cookie(name)?.value())
}

/// Who has a session, as a caller; none if it has ended.
pub(crate) async fn caller(state: &State, shown: Shown) -> Result<Option<Caller>, ApiError> {
    let asks = Caller {
        tenant: shown.tenant,
        connection: Uuid::nil(),
        dialect: Dialect::Standard,
        rights: Rights::NONE,
        genesys: false,
        switches: accounts::connections::Switches::NONE,
        now: clock::now(),
        person: None,
    };
    let store = state.store.of(shown.tenant);
    let look = store.read(move |tx| sessions::look(tx, &asks, shown.of, shown.hash()));
    let Some(person) = look.await? else { return Ok(None) };
    if person.is_to_be_seen {
        let session = person.session.clone();
        store.write(move |tx| tx.see_session(asks.tenant, &session, asks.now)).await?;
    }
    Ok(Some(Caller { rights: person.rights, person: Some(person.session.user), ..asks }))
}

/// How the account of a person is shown to them.
pub(super) fn account_view(request: &HttpRequest, state: &State) -> Result<View<Users>, ApiError> {
    let kind = scim_protocol::schema::ResourceType::user();
    let mut leniencies = scim_protocol::dialect::Leniencies::new(Dialect::Standard);
    let projection = scim::parameters(request)?.projection(kind, &mut leniencies)?;
    Ok(View::new(request, state, projection))
}

/// `GET /session`: who I am, and what I may do. Everybody reads their own account.
pub(super) async fn read(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, ApiError> {
    let Some(person) = caller.person else { return Err(ApiError::NoSession) };
    let view = account_view(&request, &state)?;
    let own = Caller { rights: Rights::of(Right::ReadUsers), ..caller };
    let account = state.store.of(caller.tenant).read(move |tx| {
        let account = users::get(tx, &own, person)?;
        Ok::<_, Refusal>(view.of(tx, &own, account)?.body)
    });
    let scopes: Vec<_> = caller.rights.names().collect();
    let account = account.await?.map_err(|error| answer::unwritten(&error))?;
    let told = json!({"account": account, "scopes": scopes});
    Ok(unkept(answer::plain_json(StatusCode::OK, &told)))
}

/// `POST /logout`: ends the session.
pub(super) async fn end(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, ApiError> {
    let shown = shown(&request, &state).filter(|_| caller.person.is_some());
    let Some(shown) = shown else { return Err(ApiError::NoSession) };
    let tenant = shown.tenant;
    let store = state.store.of(tenant);
    store.write(move |tx| tx.remove_session(tenant, shown.of, shown.hash())).await?;
    let mut answer = HttpResponse::NoContent().finish();
    let removed = answer.add_removal_cookie(&cookie(&state, String::new()));
    removed.map_err(|_| ApiError::internal("the cookie cannot be written"))?;
    Ok(unkept(answer))
}
