//! Discovery (RFC 7644 section 4): readable without a token, and not filtered.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::discovery::{self, View};
use scim_protocol::message;
use serde_json::Value;

use super::handlers::pairs;
use super::render::base_url;
use crate::error::ApiError;
use crate::{State, answer};

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn service_provider_config(request: HttpRequest, state: Data<State>) -> Answer {
    let base = base_url(&request, &state);
    one(&request, Some(discovery::service_provider_config(&base)))
}

pub(super) async fn resource_types(request: HttpRequest, state: Data<State>) -> Answer {
    let base = base_url(&request, &state);
    list(&request, discovery::resource_types(&base, &View::default()))
}

pub(super) async fn resource_type(
    request: HttpRequest,
    state: Data<State>,
    id: Path<String>,
) -> Answer {
    let base = base_url(&request, &state);
    one(&request, discovery::resource_type(&id, &base, &View::default()))
}

pub(super) async fn schemas(request: HttpRequest, state: Data<State>) -> Answer {
    let base = base_url(&request, &state);
    list(&request, discovery::schemas(&base, &View::default()))
}

pub(super) async fn schema(request: HttpRequest, state: Data<State>, urn: Path<String>) -> Answer {
    let base = base_url(&request, &state);
    one(&request, discovery::schema(&urn, &base, &View::default()))
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
