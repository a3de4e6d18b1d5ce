//! Answers: their media type and headers.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION,
};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse};
use serde_json::Value;
use tracing_actix_web::RequestId;

/// An answer with a body of JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type(SCIM_JSON).body(body.to_string())
}

/// An answer with a resource: its version as `ETag`, and its location where it is new.
pub(crate) fn resource(status: StatusCode, found: &Rendered) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((ETAG, found.etag.as_str()));
    // RFC 7643 section 3.1: the same as meta.location.
    answer.insert_header((CONTENT_LOCATION, found.location.as_str()));
    if status == StatusCode::CREATED {
        answer.insert_header((LOCATION, found.location.as_str()));
    }
    answer.content_type(SCIM_JSON).body(found.body.to_string())
}

/// A resource as it is sent.
pub(crate) struct Rendered {
    pub(crate) etag: String,
    pub(crate) location: String,
    pub(crate) body: Value,
}

/// SCIM's own media type.
pub(crate) const SCIM_JSON: &str = "application/scim+json; charset=utf-8";

/// Gives every answer, errors too, the media type that the client asks for - SCIM's own if it
/// leaves the choice (RFC 7644 section 3.8) - and the id under which the log has the request.
pub(crate) async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let wants_json = wants_json(&request);
    let id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let mut answer = next.call(request).await?;
    let headers = answer.headers_mut();
    if wants_json && headers.get(CONTENT_TYPE).is_some_and(|value| value == SCIM_JSON) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    if let Some(Ok(id)) = id.map(|id| HeaderValue::from_str(&id)) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    Ok(answer)
}

fn wants_json(request: &ServiceRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    accept.contains("application/json") && !accept.contains("application/scim+json")
}
