//! `POST /activation/{secret}` and `/password-reset/{secret}`: a password by a mailed link (Op16), and
//! `POST /password-reset`: such a link for who has forgotten theirs.

use accounts::login::{links, password};
use accounts::{Purpose, Refusal};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, rt};
use serde::Deserialize;
use serde_json::json;
use tracing_actix_web::RequestId;

use super::page::{self, Way};
use super::{context, read, unkept};
use crate::answer;
use crate::body::{FormOrJson, StrangersBody};
use crate::error::ApiError;
use crate::secret::{Kind, Shown};
use crate::{State, clock};

/// T3.
pub(super) async fn activate(
    state: Data<State>,
    request_id: RequestId,
    secret: Path<String>,
    body: FormOrJson,
) -> Result<HttpResponse, ApiError> {
    let (way, chosen) = body.password()?;
    let shown = Shown::read(Kind::Activation, &secret);
    page::answer(way, choose(&state, request_id, shown, Purpose::Activation, &chosen).await)
}

/// Rule R67.
pub(super) async fn reset(
    state: Data<State>,
    request_id: RequestId,
    secret: Path<String>,
    body: FormOrJson,
) -> Result<HttpResponse, ApiError> {
    let (way, chosen) = body.password()?;
    let shown = Shown::read(Kind::Reset, &secret);
    page::answer(way, choose(&state, request_id, shown, Purpose::Reset, &chosen).await)
}

/// Looks at the link, judges the password, hashes it, and then uses the link, if it is still good.
async fn choose(
    state: &State,
    request_id: RequestId,
    shown: Option<Shown>,
    purpose: Purpose,
    chosen: &str,
) -> Result<(), ApiError> {
    // What is no secret is answered like one that has ended.
    let Some(shown) = shown else { return Err(links::ended().into()) };
    let context = context(state, shown.tenant, request_id);
    let (caller, user, proof) = (context.caller, shown.of, shown.clone());
    let store = state.store.of(shown.tenant);
    let opened = store
        .read(move |tx| links::open(tx, &caller, user, purpose, &|hash: &[u8]| proof.proves(hash)));
    let opened = opened.await?;
    let chosen = password::prepare(chosen);
    let names: Vec<&str> = opened.names.iter().map(String::as_str).collect();
    password::check(&opened.policy, &chosen, &names)?;
    let hash = state.hasher.hash(chosen).await?;
    let taken = store.write(move |tx| {
        let proves = |hash: &[u8]| shown.proves(hash);
        links::take(tx, &context, user, purpose, &proves, &hash)
    });
    Ok(taken.await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Ask {
    /// The name of the tenant.
    tenant: String,
    /// The userName, or a login address.
    user_name: String,
}

/// Always answered at once and alike, whoever there is: the work is done after the answer.
pub(super) async fn ask(
    state: Data<State>,
    request_id: RequestId,
    StrangersBody(body): StrangersBody,
) -> Result<HttpResponse, ApiError> {
    let Ask { tenant, user_name } = read(body, "tenant and userName")?;
    let [of, name] = [&tenant, &user_name].map(|text| text.trim().to_lowercase());
    // One name is not asked for more often than it is tried; the answer does not say so.
    let is_counted = state.limits.under_name(&format!("reset {of}"), &name, clock::now()).is_ok();
    if let (true, Ok(turn)) = (is_counted, state.asking.clone().try_acquire_owned()) {
        rt::spawn(async move {
            let _turn = turn;
            if let Err(error) = mail_link(&state, request_id, tenant, user_name).await {
                tracing::error!(?error, "a link to another password could not be queued");
            }
        });
    }
    let told =
        "If there is such an account, a link to choose another password is on its way to it.";
    Ok(unkept(answer::plain_json(StatusCode::ACCEPTED, &json!({"detail": told}))))
}

async fn mail_link(
    state: &State,
    request_id: RequestId,
    tenant: String,
    name: String,
) -> Result<(), Refusal> {
    let found = state.store.read(move |tx| Ok::<_, Refusal>(tx.tenant_named(&tenant)?)).await?;
    let Some(tenant) = found else { return Ok(()) };
    let context = context(state, tenant.id, request_id);
    state.store.of(tenant.id).write(move |tx| links::ask(tx, &context, &name)).await
}

impl FormOrJson {
    /// The password that was chosen, and how the answer is to look.
    fn password(self) -> Result<(Way, String), ApiError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Chosen {
            password: String,
        }
        let (way, value) = match self {
            Self::Json(value) => (Way::Json, value),
            Self::Form(value) => (Way::Page, value),
        };
        let Chosen { password } = read(value, "password")?;
        Ok((way, password))
    }
}
