//! Answers: their media type, coding and headers.

use std::io::Write;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    Accept, AcceptEncoding, CONTENT_ENCODING, CONTENT_LOCATION, CONTENT_TYPE, ContentEncoding,
    ETAG, Encoding, HOST, Header, HeaderName, HeaderValue, LOCATION, Quality,
    STRICT_TRANSPORT_SECURITY, VARY,
};
use actix_web::http::uri::Authority;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data, block};
use actix_web::{HttpMessage, HttpResponse, HttpResponseBuilder, ResponseError};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tracing_actix_web::RequestId;

use crate::clock::Stopwatch;
use crate::error::ApiError;
use crate::{MAX_URL, REQUEST_TIMEOUT, State, origin, requests, unread};

/// An answer with a body of JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.content_type(SCIM_JSON);
    with_body(answer, body)
}

/// An answer with a body of JSON that is no message of SCIM.
pub(crate) fn plain_json(status: StatusCode, body: &Value) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.content_type(PLAIN_JSON);
    with_body(answer, body)
}

/// The answer with a body, which is written as bytes: `to_string` passes each piece through a
/// formatter.
fn with_body(mut answer: HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(bytes) => answer.body(bytes),
        Err(error) => unwritten(&error).error_response(),
    }
}

/// What cannot be written as JSON.
pub(crate) fn unwritten(_: &serde_json::Error) -> ApiError {
    ApiError::internal("the answer cannot be written")
}

/// An answer with a resource: its version as `ETag`, and its location where it is new.
pub(crate) fn resource(status: StatusCode, found: Rendered) -> HttpResponse {
    let mut answer = of_resource(status, &found);
    match found.body {
        Ok(text) => answer.body(String::from(Box::<str>::from(text))),
        Err(error) => unwritten(&error).error_response(),
    }
}

/// See [`resource`]; without the body.
pub(crate) fn of_resource(status: StatusCode, found: &Rendered) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((ETAG, found.etag.as_str()));
    // RFC 7643 section 3.1: the same as meta.location.
    answer.insert_header((CONTENT_LOCATION, found.location.as_str()));
    if status == StatusCode::CREATED {
        answer.insert_header((LOCATION, found.location.as_str()));
    }
    answer.content_type(SCIM_JSON);
    answer
}

/// The answer to a client that has the resource already: the headers of the resource without it
/// (RFC 9110 section 15.4.5).
pub(crate) fn not_modified(found: &Rendered) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((ETAG, found.etag.as_str()))
        .insert_header((CONTENT_LOCATION, found.location.as_str()))
        .finish()
}

/// A resource as it is sent.
pub(crate) struct Rendered {
    pub(crate) etag: String,
    pub(crate) location: String,
    pub(crate) body: Text,
}

/// A resource as text, or why it cannot be written. What is read is written where it was put together,
/// not where it is sent: hundreds of small pieces of memory would go from one thread to another.
pub(crate) type Text = serde_json::Result<Box<RawValue>>;

/// SCIM's own media type.
pub(crate) const SCIM_JSON: &str = "application/scim+json; charset=utf-8";

/// What a client may like better, and what is no SCIM.
const PLAIN_JSON: &str = "application/json; charset=utf-8";

/// The smallest body worth compressing, in bytes: smaller ones fit in a few packets anyway.
const WORTH_COMPRESSING: usize = 4 * 1024;

/// Refuses a request whose host is none, and gives every answer, errors too, the media type and
/// coding that the client asks for and the id under which the log has the request.
pub(crate) async fn finish(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let watch = Stopwatch::start();
    let (wants_json, wants_gzip) = (wants_json(&request), wants_gzip(&request));
    let id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let is_protected = is_protected(&request);
    unread::set_aside(&mut request);
    let state = request.app_data::<Data<State>>();
    let _in_flight = state.map(|state| state.settings.telemetry.metrics().enter());
    let leaves = state.is_some_and(|state| state.settings.telemetry.life().leaves());
    let patience = state.map_or(REQUEST_TIMEOUT, |state| state.settings.request_timeout);
    let mut answer = match obstacle(&request) {
        None => store::within(patience, next.call(request)).await?,
        Some(refusal) => request.into_response(refusal.error_response()),
    };
    requests::record(&answer, &watch);
    if leaves {
        // The client's next request then goes to another server, and not to a connection that ends.
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if wants_json && headers.get(CONTENT_TYPE).is_some_and(|value| value == SCIM_JSON) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PLAIN_JSON));
    }
    if is_protected {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if let Some(Ok(id)) = id.map(|id| HeaderValue::from_str(&id)) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if wants_gzip && answer.status().is_success() {
        answer = compressed(answer).await;
    }
    Ok(unread::hold(answer))
}

/// For a year the client comes back over TLS alone (RFC 6797).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Whether TLS protects a request on its way.
fn is_protected(request: &ServiceRequest) -> bool {
    let state = request.app_data::<Data<State>>();
    let trusted = state.map_or(&[][..], |state| &state.settings.trusted_proxies);
    origin::is_protected(request.request(), trusted)
}

/// What is wrong with the head of a request, wherever it goes.
fn obstacle(request: &ServiceRequest) -> Option<ApiError> {
    if !has_host(request) {
        return Some(ApiError::BadHost);
    }
    let url = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    (url > MAX_URL).then_some(ApiError::UriTooLong)
}

/// The host becomes part of every `location`, so it must be one (RFC 9112 section 3.2). A request
/// without is of HTTP/1.0: the parser refuses a later one.
fn has_host(request: &ServiceRequest) -> bool {
    let mut hosts = request.headers().get_all(HOST);
    let Some(host) = hosts.next() else { return true };
    hosts.next().is_none() && host.to_str().is_ok_and(is_host)
}

/// Whether a text is a host, with a port or not.
pub(crate) fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    text.bytes().all(plain) && text.parse::<Authority>().is_ok()
}

/// Whether the client likes `application/json` better than SCIM's own type, which is sent where it
/// likes both alike and also where it likes neither (RFC 7644 section 3.8; RFC 9110 section 12.5.1).
/// Of two that it likes alike, one that it names counts more than one that is in a range.
fn wants_json(request: &ServiceRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    let weight = |media_type: &str| {
        let ranges = accept.iter().filter_map(|range| {
            let precision = match range.item.essence_str() {
                "*/*" => 0,
                "application/*" => 1,
                named if named == media_type => 2,
                _ => return None,
            };
            Some((precision, range.quality))
        });
        let (precision, quality) = ranges.max()?;
        (quality > Quality::ZERO).then_some((quality, precision))
    };
    weight("application/json") > weight("application/scim+json")
}

fn wants_gzip(request: &ServiceRequest) -> bool {
    let known = [Encoding::identity(), Encoding::gzip()];
    let accept = AcceptEncoding::parse(request);
    accept.is_ok_and(|accept| accept.negotiate(known.iter()) == Some(Encoding::gzip()))
}

/// The answer with its body compressed, if that is large. The tag stays: it is weak, and names the
/// resource in every coding.
async fn compressed(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, answer) = answer.into_parts();
    let (mut answer, body) = answer.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) if bytes.len() >= WORTH_COMPRESSING => {
            let plain = bytes.clone();
            match block(move || gzip(&plain)).await {
                Ok(Ok(packed)) => {
                    let coding = HeaderValue::from_static(ContentEncoding::Gzip.as_str());
                    answer.headers_mut().insert(CONTENT_ENCODING, coding);
                    BoxBody::new(packed)
                }
                _ => BoxBody::new(bytes),
            }
        }
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => body,
    };
    ServiceResponse::new(request, answer.set_body(body))
}

fn gzip(plain: &Bytes) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ACCEPT, ACCEPT_ENCODING};
    use actix_web::test::TestRequest;

    use super::*;

    fn with(name: &HeaderName, values: &[&str]) -> ServiceRequest {
        let request = TestRequest::default();
        let add =
            |request: TestRequest, value: &&str| request.append_header((name.clone(), *value));
        values.iter().fold(request, add).to_srv_request()
    }

    #[test]
    fn rfc7644_3_8_the_media_type_is_the_one_that_the_client_likes_best() {
        for json in [
            "application/json",
            "APPLICATION/JSON; charset=UTF-8",
            "application/json, */*",
            "application/json, text/plain, */*",
            "application/json;q=0.9, */*;q=0.8",
            "application/json, application/scim+json;q=0.5",
            "application/json;q=0.1, application/scim+json;q=0",
            "application/json;q=0.1",
        ] {
            assert!(wants_json(&with(&ACCEPT, &[json])), "{json}");
        }
        for scim in [
            "",
            "*/*",
            "application/*",
            "application/scim+json",
            "application/scim+json; charset=utf-8",
            "application/json, application/scim+json",
            "application/json;q=0.5, */*",
            "application/json;q=0",
            "*/*, application/json;q=0",
            "application/json;q=0.5, application/scim+json;q=0.6",
            // Nothing that there is: SCIM's own type all the same.
            "text/html",
            "*/*;q=0",
            "application/jsonp",
            // Malformed
            "application/json;q=x",
            ";;,,/,*",
            "*; q=.2",
        ] {
            assert!(!wants_json(&with(&ACCEPT, &[scim])), "{scim}");
        }
        assert!(wants_json(&with(&ACCEPT, &["text/html", "application/json"])));
        assert!(!wants_json(&with(&ACCEPT, &["application/json", "application/scim+json"])));
    }

    #[test]
    fn rfc9110_12_5_3_codings_that_the_client_takes() {
        for accepted in ["gzip", "GZIP", "deflate, gzip;q=1.0, *;q=0.5", "br, gzip;q=0.1"] {
            assert!(wants_gzip(&with(&ACCEPT_ENCODING, &[accepted])), "{accepted}");
        }
        for refused in ["", "identity", "gzip;q=0", "br", "identity, gzip;q=0", "*;q=0", "gzip;q=x"]
        {
            assert!(!wants_gzip(&with(&ACCEPT_ENCODING, &[refused])), "{refused}");
        }
        assert!(!wants_gzip(&with(&ACCEPT_ENCODING, &[])));
    }

    #[test]
    fn rfc9112_3_2_a_host_is_a_name_or_address_with_a_port_or_not() {
        for host in ["localhost", "scim.example.com:8443", "10.0.0.1", "[::1]:8080", "my_backend"] {
            assert!(has_host(&with(&HOST, &[host])), "{host}");
        }
        for host in
            ["", "a b", "a/b", "a\"b", "<script>", "user@host", "a?b", "a\\b", "[::1", "a,b"]
        {
            assert!(!has_host(&with(&HOST, &[host])), "{host}");
        }
        assert!(!has_host(&with(&HOST, &["a", "b"])));
    }
}
