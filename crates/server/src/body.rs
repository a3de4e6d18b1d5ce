//! Bodies of requests (RFC 7644 section 3.8).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use accounts::Caller;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{BytesMut, Data, Query};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::TryStreamExt;
use scim_protocol::bulk::MAX_PAYLOAD_SIZE;
use scim_protocol::error::Error;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::authentication::Authenticated;
use crate::error::ApiError;
use crate::{MAX_BODY, State, clock, json, origin, unread};

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// A body of JSON, of a bounded size, from a caller that is known: nothing is read from others.
pub(crate) struct Body {
    pub(crate) caller: Caller,
    pub(crate) value: Value,
}

/// What the bodies that are in memory may take together, in bytes. As JSON they take some times as much.
const ALL_BODIES: usize = 256 * 1024 * 1024;

/// What the bodies that are in memory take.
#[derive(Clone, Default)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// Takes room for the bytes of one body, until what is given is dropped.
    fn share(&self) -> Share {
        Share { of: self.clone(), bytes: 0 }
    }
}

/// The part of a budget that one body takes.
struct Share {
    of: Budget,
    bytes: usize,
}

impl Share {
    /// Takes more room, if there is any.
    fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.bytes += bytes;
        let before = self.of.0.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > ALL_BODIES { Err(ApiError::NoRoom) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
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
        let bytes = bytes(request, payload);
        Box::pin(async move {
            let (caller, bytes) = bytes.await?;
            Ok(Self { caller, value: json::parse(&bytes)? })
        })
    }
}

/// A [`Body`] that may be left out where there is nothing to say; it is an empty object then.
pub(crate) struct OptionalBody(pub(crate) Body);

impl FromRequest for OptionalBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = bytes(request, payload);
        Box::pin(async move {
            let (caller, bytes) = bytes.await?;
            let value = if bytes.is_empty() { json!({}) } else { json::parse(&bytes)? };
            Ok(Self(Body { caller, value }))
        })
    }
}

/// A body of JSON from whoever sends one, so often as an address may.
pub(crate) struct StrangersBody(pub(crate) Value);

impl FromRequest for StrangersBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            admit(&request)?;
            if !is_json(&request) || is_encoded(&request) {
                return Err(ApiError::UnsupportedMediaType);
            }
            Ok(Self(json::parse(&read(&request, BODY_TIMEOUT).await?)?))
        })
    }
}

/// As [`StrangersBody`], or what the page of a browser sends, whose fields are the members.
pub(crate) enum FormOrJson {
    Json(Value),
    Form(Value),
}

impl FromRequest for FormOrJson {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !is_form(request) {
            let body = StrangersBody::from_request(request, payload);
            return Box::pin(async move { Ok(Self::Json(body.await?.0)) });
        }
        let request = request.clone();
        Box::pin(async move {
            admit(&request)?;
            let bytes = read(&request, BODY_TIMEOUT).await?;
            let wrong = || Error::invalid_syntax("the form cannot be read");
            let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
            let fields = Query::<Vec<(String, String)>>::from_query(text).map_err(|_| wrong())?;
            let fields = fields.into_inner().into_iter();
            Ok(Self::Form(fields.map(|(name, value)| (name, Value::from(value))).collect()))
        })
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Counts a request of a stranger against what its address may send.
fn admit(request: &HttpRequest) -> Result<(), ApiError> {
    let state = request.app_data::<Data<State>>();
    let state = state.ok_or_else(|| ApiError::internal("the server has no state"))?;
    let address = origin::client(request, &state.settings.trusted_proxies);
    let admitted = state.limits.of_address(address, clock::now());
    admitted.map_err(|seconds| ApiError::too_often(seconds, "too many requests from this address"))
}

/// The bytes of a body of JSON, and who sent them.
fn bytes(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<(Caller, BytesMut), ApiError>> + use<> {
    let authenticated = Authenticated::from_request(request, payload);
    let request = request.clone();
    async move {
        let Authenticated(caller) = authenticated.await?;
        if !is_json(&request) || is_encoded(&request) {
            return Err(ApiError::UnsupportedMediaType);
        }
        Ok((caller, read(&request, BODY_TIMEOUT).await?))
    }
}

/// The bytes of a form by which somebody who is not known yet is to become known; it is small.
pub(crate) async fn of_stranger(request: &HttpRequest) -> Result<BytesMut, ApiError> {
    read(request, BODY_TIMEOUT).await
}

/// The bytes of a body, if they are not too many and all there in time.
async fn read(request: &HttpRequest, patience: Duration) -> Result<BytesMut, ApiError> {
    let mut payload = unread::take(request);
    let bytes = timeout(patience, read_all(request, &mut payload)).await;
    unread::put_back(request, payload);
    bytes.map_err(|_| ApiError::TooSlow)?
}

async fn read_all(request: &HttpRequest, payload: &mut Payload) -> Result<BytesMut, ApiError> {
    let broken = |_| ApiError::from(Error::invalid_syntax("the body could not be read"));
    let limit = BodyLimit::of(request);
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|n| n > limit.bytes) {
        return Err(ApiError::TooLarge(limit));
    }
    let budget = request.app_data::<Data<State>>().map(|state| state.bodies.clone());
    let mut share = budget.unwrap_or_default().share();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.try_next().await.map_err(broken)? {
        if bytes.len() + chunk.len() > limit.bytes {
            return Err(ApiError::TooLarge(limit));
        }
        share.grow(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    // It is given back with the request, whose body is in memory until then.
    request.extensions_mut().insert(share);
    Ok(bytes)
}

/// Whether the body is compressed, which is not undone.
fn is_encoded(request: &HttpRequest) -> bool {
    let mut encodings = request.headers().get_all(CONTENT_ENCODING);
    encodings.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// `application/scim+json` or `application/json`, in UTF-8 where a charset is named. A client that
/// does not say what it sends is taken to send JSON.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    ["application/scim+json", "application/json"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(media_type))
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            let charset = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset")
                || ["utf-8", "utf8"].iter().any(|known| known.eq_ignore_ascii_case(charset))
        })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread::{self, JoinHandle};

    use actix_web::middleware::from_fn;
    use actix_web::test::TestRequest;
    use actix_web::{App, HttpServer, web};

    use super::*;
    use crate::answer::finish;

    #[test]
    fn bodies_take_no_more_than_there_is_room_for() {
        let budget = Budget::default();
        let mut share = budget.share();
        assert!(share.grow(ALL_BODIES - 10).is_ok());
        assert!(matches!(budget.share().grow(11), Err(ApiError::NoRoom)));
        assert!(budget.share().grow(10).is_ok(), "what was refused takes none");
        drop(share);
        assert!(budget.share().grow(ALL_BODIES).is_ok());
    }

    fn is_json_of(content_type: &str) -> bool {
        is_json(
            &TestRequest::default().insert_header((CONTENT_TYPE, content_type)).to_http_request(),
        )
    }

    #[test]
    fn rfc7644_3_8_types_and_charsets_of_bodies() {
        for accepted in [
            "application/scim+json",
            "Application/JSON ; Charset=\"UTF-8\"",
            "application/json;charset=utf8",
            "application/json;",
            "application/json; profile=x; charset=utf-8",
        ] {
            assert!(is_json_of(accepted), "{accepted}");
        }
        for refused in [
            "text/plain",
            "application/json; charset=iso-8859-1",
            "application/scim+json; charset=utf-16",
            "application/json; charset=",
            "application/jsonx",
            "",
        ] {
            assert!(!is_json_of(refused), "{refused}");
        }
    }

    async fn impatient(request: HttpRequest) -> Result<BytesMut, ApiError> {
        read(&request, Duration::from_millis(200)).await
    }

    /// All that a server sends until it hangs up on a client that sends this and stays.
    fn answer_to(request: &'static str) -> JoinHandle<String> {
        let server = HttpServer::new(|| {
            App::new().wrap(from_fn(finish)).default_service(web::to(impatient))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        actix_web::rt::spawn(server.run());
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("the server hangs up");
            answer
        })
    }

    #[actix_web::test]
    async fn rfc9110_15_5_9_a_body_that_does_not_come_is_408() {
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n";
        let counted = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12";
        let (chunked, counted) = (answer_to(chunked), answer_to(counted));
        let whole = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n12";
        let whole = answer_to(whole);
        let join = || [chunked, counted, whole].map(|answer| answer.join().unwrap());
        let [chunked, counted, whole] = web::block(join).await.unwrap();
        for answer in [chunked, counted] {
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
            assert!(answer.contains("\"status\":\"408\""), "{answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
        assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("12"), "{whole}");
    }

    #[actix_web::test]
    async fn what_is_too_large_is_not_waited_for() {
        let counted = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4194305\r\n\r\n";
        let answer = answer_to(counted);
        let answer = web::block(|| answer.join().unwrap()).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("4194304 bytes"), "{answer}");
    }
}
