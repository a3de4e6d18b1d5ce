//! Bodies of requests (RFC 7644 section 3.8).

use std::future::Future;
use std::pin::Pin;

use accounts::Caller;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use scim_protocol::bulk::MAX_PAYLOAD_SIZE;
use scim_protocol::error::Error;
use serde_json::Value;

use crate::MAX_BODY;
use crate::authentication::Authenticated;
use crate::error::ApiError;

/// A body of JSON, of a bounded size, from a caller that is known: nothing is read from others.
pub(crate) struct Body {
    pub(crate) caller: Caller,
    pub(crate) value: Value,
}

/// How large the bodies of an endpoint may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit {
    /// In bytes.
    pub(crate) bytes: usize,
    /// What the limit is called where a client can look it up.
    pub(crate) name: &'static str,
}

impl BodyLimit {
    /// Of every endpoint but one.
    const GENERAL: Self = Self { bytes: MAX_BODY, name: "the largest that is read" };

    /// Of `/Bulk` (RFC 7644 section 3.7.4).
    pub(crate) fn bulk() -> Self {
        Self { bytes: MAX_PAYLOAD_SIZE, name: "maxPayloadSize" }
    }

    fn of(request: &HttpRequest) -> Self {
        request.app_data().copied().unwrap_or(Self::GENERAL)
    }
}

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let authenticated = Authenticated::from_request(request, payload);
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let Authenticated(caller) = authenticated.await?;
            if !is_json(&request) || is_encoded(&request) {
                return Err(ApiError::UnsupportedMediaType);
            }
            let limit = BodyLimit::of(&request);
            let bytes = web::Payload::from_request(&request, &mut payload).await;
            let bytes = bytes.map_err(|_| Error::invalid_syntax("the body could not be read"))?;
            let bytes = bytes.to_bytes_limited(limit.bytes).await;
            let bytes = bytes
                .map_err(|_| ApiError::TooLarge(limit))?
                .map_err(|_| Error::invalid_syntax("the body could not be read"))?;
            let value = serde_json::from_slice(&bytes).map_err(|error| {
                Error::invalid_syntax(format!("the body is no valid JSON: {error}"))
            })?;
            Ok(Self { caller, value })
        })
    }
}

/// Whether the body is compressed, which is not undone.
fn is_encoded(request: &HttpRequest) -> bool {
    request.headers().get(CONTENT_ENCODING).is_some_and(|value| value != "identity")
}

/// `application/scim+json` or `application/json`, with any parameters. A client that does not say
/// what it sends is taken to send JSON.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    ["application/scim+json", "application/json"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(media_type))
}
