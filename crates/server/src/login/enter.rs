//! `POST /login`: a name and a password for a session.

use accounts::login::attempts::{self, Candidate, Login, failed};
use accounts::login::{names, password, sessions};
use accounts::{Context, Refusal, Session, tenants};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing_actix_web::RequestId;

use super::session::{account_view, cookie};
use super::{context, read, unkept};
use crate::answer;
use crate::body::StrangersBody;
use crate::error::ApiError;
use crate::secret::{Kind, NewSecret};
use crate::{State, clock};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    /// The name of the tenant.
    tenant: String,
    /// The userName, or a login address.
    user_name: String,
    password: String,
    /// The password that is to take its place.
    new_password: Option<String>,
    /// Whether the session is for a browser, which gets a cookie that no script can read.
    #[serde(default)]
    cookie: bool,
}

/// Whoever cannot be let in is answered alike and after as long, whatever the cause: a hash is computed
/// and a unit of work is run also for who does not exist.
pub(super) async fn login(
    request: HttpRequest,
    state: Data<State>,
    request_id: RequestId,
    StrangersBody(body): StrangersBody,
) -> Result<HttpResponse, ApiError> {
    let body: Body = read(body, "tenant, userName, password, and newPassword and cookie or not")?;
    let [tenant, name] = [&body.tenant, &body.user_name].map(|text| text.trim().to_lowercase());
    let counted = state.limits.under_name(&tenant, &name, clock::now());
    counted.map_err(|seconds| ApiError::too_often(seconds, "too many tries under this name"))?;
    let found = find(&state, body.tenant, body.user_name, request_id).await?;
    let given = password::prepare(&body.password);
    let is_possible = given.chars().count() <= password::MAX_LENGTH;
    let expected = found.as_ref().map(|(_, candidate)| candidate.password.clone());
    let given = if is_possible { given } else { String::new() };
    let is_right = state.hasher.verify(given, expected).await? && is_possible;
    let (context, candidate) = match found {
        Some(found) if is_right => found,
        found => return Err(refuse(&state, found).await?.into()),
    };
    let new_password = match &body.new_password {
        Some(new) => Some(hashed(&state, &context, &candidate, new).await?),
        None => None,
    };
    let (mut entered, token) = enter(&request, &state, context, candidate, new_password).await?;
    if body.cookie {
        let mut answer = answer::plain_json(StatusCode::OK, &entered);
        let set = answer.add_cookie(&cookie(&state, token));
        set.map_err(|_| ApiError::internal("the cookie cannot be written"))?;
        return Ok(unkept(answer));
    }
    entered["token"] = token.into();
    Ok(unkept(answer::plain_json(StatusCode::OK, &entered)))
}

type Found = Option<(Context, Candidate)>;

/// The account in which somebody wants to log in, if anybody can.
async fn find(
    state: &State,
    tenant: String,
    name: String,
    request_id: RequestId,
) -> Result<Found, ApiError> {
    let Some(tenant) = state.store.read(move |tx| tx.tenant_named(&tenant)).await? else {
        return Ok(None);
    };
    let context = context(state, tenant.id, request_id);
    let caller = context.caller;
    let found = state.store.of(tenant.id).read(move |tx| attempts::candidate(tx, &caller, &name));
    Ok(found.await?.map(|candidate| (context, candidate)))
}

/// Writes down that the password was wrong. Who does not exist costs a unit of work too.
async fn refuse(state: &State, found: Found) -> Result<Refusal, ApiError> {
    match found {
        None => state.store.write(|_| Ok::<_, Refusal>(())).await?,
        Some((context, candidate)) => {
            let store = state.store.of(context.caller.tenant);
            store.write(move |tx| attempts::fail(tx, &context, candidate.id, context.now)).await?;
        }
    }
    Ok(failed())
}

/// The hash of the password that is to take the place of the one that was right.
async fn hashed(
    state: &State,
    context: &Context,
    candidate: &Candidate,
    new: &str,
) -> Result<String, ApiError> {
    let (caller, id) = (context.caller, candidate.id);
    let new = password::prepare(new);
    let checked = new.clone();
    let check = state.store.of(caller.tenant).read(move |tx| {
        let account = tx.user(caller.scope(), id)?.ok_or_else(failed)?;
        let policy = tenants::policy(tx, &caller)?.passwords;
        password::check(&policy, &checked, &names(&account.resource.attributes))
    });
    check.await?;
    state.hasher.hash(new).await
}

/// Begins a session: what is told of it, and its token.
async fn enter(
    request: &HttpRequest,
    state: &State,
    context: Context,
    candidate: Candidate,
    new_password: Option<String>,
) -> Result<(Value, String), ApiError> {
    let tenant = context.caller.tenant;
    let secret = NewSecret::make(Kind::Session, tenant, candidate.id);
    let secret = secret.map_err(|_| ApiError::internal("the system gives no random numbers"))?;
    // A password takes a while, and the session begins after it.
    let now = clock::now();
    let context = Context { now, ..context };
    let expires = now.checked_add(sessions::LIFE).unwrap_or(now);
    let session = Session {
        user: candidate.id,
        secret_hash: secret.hash.clone(),
        created: now,
        seen: now,
        expires,
    };
    let view = account_view(request, state)?;
    let account = state.store.of(tenant).write(move |tx| {
        let (candidate, session) = (&candidate, session.clone());
        let login = Login { candidate, new_password: new_password.as_deref(), session };
        let account = attempts::enter(tx, &context, &login)?;
        view.of(tx, &context.caller, account)
    });
    let account = account.await?.body.map_err(|error| answer::unwritten(&error))?;
    let told = json!({
        "expiresAt": expires,
        "idleSeconds": sessions::IDLE.as_secs(),
        "account": account,
    });
    Ok((told, secret.text))
}
