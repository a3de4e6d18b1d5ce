//! Answers: their media type and headers.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// An answer with a body of JSON.
pub(crate) fn json(request: &HttpRequest, status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type(media_type(request)).body(body.to_string())
}

/// An answer with a resource: its version as ETag, and its location where it is new.
pub(crate) fn resource(request: &HttpRequest, status: StatusCode, found: &Rendered) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((ETAG, found.etag.as_str()));
    if status == StatusCode::CREATED {
        answer.insert_header((LOCATION, found.location.as_str()));
    }
    answer.content_type(media_type(request)).body(found.body.to_string())
}

/// A resource as it is sent.
pub(crate) struct Rendered {
    pub(crate) etag: String,
    pub(crate) location: String,
    pub(crate) body: Value,
}

/// What the client asks for; SCIM's own type if it leaves the choice (RFC 7644 section 3.8).
fn media_type(request: &HttpRequest) -> &'static str {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    if accept.contains("application/json") && !accept.contains("application/scim+json") {
        return "application/json; charset=utf-8";
    }
    "application/scim+json; charset=utf-8"
}
