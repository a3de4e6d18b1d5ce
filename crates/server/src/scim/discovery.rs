//! Discovery (RFC 7644 section 4): readable without a token, and not filtered.

use accounts::Context;
use actix_web::FromRequest;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::discovery::{self, View};
use scim_protocol::message;
use serde_json::Value;

use super::handlers::pairs;
use super::render::base_url;
use crate::authentication::Authenticated;
use crate::error::ApiError;
use crate::{State, answer, clock};

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn service_provider_config(request: HttpRequest, state: Data<State>) -> Answer {
    let base = base_url(&request, &state);
    one(&request, Some(discovery::service_provider_config(&base)))
}

pub(super) async fn resource_types(request: HttpRequest, state: Data<State>) -> Answer {
    let (base, view) = (base_url(&request, &state), view(&request, &state).await?);
    list(&request, discovery::resource_types(&base, &view))
}

pub(super) async fn resource_type(
    request: HttpRequest,
    state: Data<State>,
    id: Path<String>,
) -> Answer {
    let (base, view) = (base_url(&request, &state), view(&request, &state).await?);
    one(&request, discovery::resource_type(&id, &base, &view))
}

pub(super) async fn schemas(request: HttpRequest, state: Data<State>) -> Answer {
    let (base, view) = (base_url(&request, &state), view(&request, &state).await?);
    list(&request, discovery::schemas(&base, &view))
}

pub(super) async fn schema(request: HttpRequest, state: Data<State>, urn: Path<String>) -> Answer {
    let (base, view) = (base_url(&request, &state), view(&request, &state).await?);
    one(&request, discovery::schema(&urn, &base, &view))
}

/// What discovery says to whoever asks: a stranger, also one with a token that is none, is told what
/// is the same for all.
async fn view(request: &HttpRequest, state: &Data<State>) -> Result<View, ApiError> {
    let caller = match Authenticated::from_request(request, &mut Payload::None).await {
        Ok(Authenticated(caller)) => caller,
        Err(ApiError::Unauthorized { .. }) => return Ok(View::default()),
        Err(error) => return Err(error),
    };
    let context = Context::of_scim(caller, clock::new_id(), clock::now(), clock::new_id);
    let store = state.store.of(caller.tenant);
    Ok(store.read_anywhere(move |tx| accounts::discovery::view(tx, &context)).await?)
}

fn one(request: &HttpRequest, resource: Option<Value>) -> Answer {
    refuse_filter(request)?;
    let resource = resource.ok_or(ApiError::NoSuchPath)?;
    Ok(answer::json(StatusCode::OK, &resource))
}

fn list(request: &HttpRequest, resources: Vec<Value>) -> Answer {
    refuse_filter(request)?;
    let body = message::list_response(resources.len() as u64, 1, resources);
    Ok(answer::json(StatusCode::OK, &body))
}

fn refuse_filter(request: &HttpRequest) -> Result<(), ApiError> {
    let pairs = pairs(request)?;
    if pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
        return Err(ApiError::DiscoveryFilter);
    }
    Ok(())
}
