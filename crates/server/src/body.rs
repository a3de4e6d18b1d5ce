//! Bodies of requests (RFC 7644 section 3.8).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use accounts::Caller;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use scim_protocol::bulk::MAX_PAYLOAD_SIZE;
use scim_protocol::error::Error;
use serde_json::Value;
use tokio::time::timeout;

use crate::MAX_BODY;
use crate::authentication::Authenticated;
use crate::error::ApiError;
use crate::json;

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

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
            let bytes = read(&request, &mut payload, BODY_TIMEOUT).await?;
            Ok(Self { caller, value: json::parse(&bytes)? })
        })
    }
}

/// The bytes of a body, if they are all there in time.
async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    patience: Duration,
) -> Result<web::Bytes, ApiError> {
    let bytes = timeout(patience, web::Bytes::from_request(request, payload)).await;
    bytes.map_err(|_| ApiError::TooSlow)?.map_err(|error| ApiError::body(&error))
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

    use actix_web::test::TestRequest;
    use actix_web::{App, HttpServer};

    use super::*;

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

    async fn impatient(
        request: HttpRequest,
        payload: web::Payload,
    ) -> Result<web::Bytes, ApiError> {
        read(&request, &mut payload.into_inner(), Duration::from_millis(200)).await
    }

    /// What a server answers to a head that promises ten bytes, and to these.
    fn answer_to(body: &'static str) -> std::thread::JoinHandle<String> {
        let server = HttpServer::new(|| App::new().default_service(web::to(impatient)));
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        actix_web::rt::spawn(server.run());
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n";
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer).unwrap();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        })
    }

    #[actix_web::test]
    async fn rfc9110_15_5_9_a_body_that_does_not_come_is_408() {
        let half = answer_to("12345");
        let whole = answer_to("1234567890");
        let (half, whole) =
            web::block(|| (half.join().unwrap(), whole.join().unwrap())).await.unwrap();
        assert!(half.starts_with("HTTP/1.1 408"), "{half}");
        assert!(
            half.contains("\"status\":\"408\"") && half.contains("connection: close"),
            "{half}"
        );
        assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
    }
}
