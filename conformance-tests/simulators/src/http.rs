//! The client of an identity provider: JSON over HTTP, counted.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use ureq::http;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::traffic::Traffic;

/// How long an answer may take: Okta gives up after 60 seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request is sent that is answered with 429.
const ATTEMPTS: u32 = 10;
/// The longest pause that a simulator makes; a provider would wait as long as it is told.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where a service is, and what it is to be shown.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The base URL, such as `https://scim.example.com/scim/v2`.
    pub base_url: String,
    /// The bearer token.
    pub token: String,
}

/// There was no answer, so that nothing more can be said of the service.
#[derive(Debug, thiserror::Error)]
#[error("{request}: {reason}")]
pub struct Unreachable {
    request: String,
    reason: ureq::Error,
}

/// A request, under the name by which it is counted.
#[derive(Debug)]
pub struct Request {
    /// What the provider does by it, such as `create user`.
    pub kind: &'static str,
    /// The method.
    pub method: http::Method,
    /// Path and query, below the base URL.
    pub path: String,
    /// The body, if there is one.
    pub body: Option<Value>,
}

impl Request {
    /// A GET.
    pub fn get(kind: &'static str, path: impl Into<String>) -> Self {
        Self { kind, method: http::Method::GET, path: path.into(), body: None }
    }

    /// A DELETE.
    pub fn delete(kind: &'static str, path: impl Into<String>) -> Self {
        Self { kind, method: http::Method::DELETE, path: path.into(), body: None }
    }

    /// A POST.
    pub fn post(kind: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { kind, method: http::Method::POST, path: path.into(), body: Some(body) }
    }

    /// A PUT.
    pub fn put(kind: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { kind, method: http::Method::PUT, path: path.into(), body: Some(body) }
    }

    /// A PATCH with these operations, an array (RFC 7644 section 3.5.2).
    pub fn patch(kind: &'static str, path: impl Into<String>, operations: Value) -> Self {
        let mut body =
            serde_json::json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]});
        body["Operations"] = operations;
        Self { kind, method: http::Method::PATCH, path: path.into(), body: Some(body) }
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; `null` where it is empty or no JSON.
    pub body: Value,
    /// The media type.
    pub content_type: String,
    retry_after: Option<u64>,
}

impl Answer {
    /// Whether the service did what it was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The identifier of the resource that was answered.
    pub fn id(&self) -> Option<&str> {
        self.body["id"].as_str().filter(|id| !id.is_empty())
    }

    /// The resources of a list.
    pub fn resources(&self) -> &[Value] {
        self.body["Resources"].as_array().map_or(&[], Vec::as_slice)
    }

    /// What the service says of its refusal.
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or("no detail was given")
    }
}

/// A client of one service that sends what a provider's sends.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    endpoint: Endpoint,
    headers: &'static [(&'static str, &'static str)],
    /// What was sent, and how it was answered.
    pub traffic: Traffic,
}

impl Client {
    /// A client that sends these headers with every request.
    pub fn new(endpoint: Endpoint, headers: &'static [(&'static str, &'static str)]) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .tls_config(tls)
            .build()
            .new_agent();
        let base_url = endpoint.base_url.trim_end_matches('/').to_owned();
        let endpoint = Endpoint { base_url, ..endpoint };
        Self { agent, endpoint, headers, traffic: Traffic::default() }
    }

    /// Sends a request; again after a pause as long as the service says that it is too much (429).
    ///
    /// # Errors
    /// If there is no answer.
    pub fn send(&mut self, request: &Request) -> Result<Answer, Unreachable> {
        let mut wait = Duration::from_secs(1);
        for _ in 1..ATTEMPTS {
            let answer = self.send_once(request)?;
            if answer.status != 429 {
                return Ok(answer);
            }
            let told = answer.retry_after.map_or(wait, Duration::from_secs);
            sleep(told.min(LONGEST_PAUSE));
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
        self.send_once(request)
    }

    /// Sends a request with this token instead of its own.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn send_as(&mut self, token: &str, request: &Request) -> Result<Answer, Unreachable> {
        let own = std::mem::replace(&mut self.endpoint.token, token.to_owned());
        let answer = self.send_once(request);
        self.endpoint.token = own;
        answer
    }

    fn send_once(&mut self, request: &Request) -> Result<Answer, Unreachable> {
        let answer = self.exchange(request).map_err(|reason| Unreachable {
            request: format!("{} {}{}", request.method, self.endpoint.base_url, request.path),
            reason,
        })?;
        self.traffic.count(request.kind, answer.status);
        Ok(answer)
    }

    fn exchange(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut head = http::Request::builder()
            .method(&request.method)
            .uri(format!("{}{}", self.endpoint.base_url, request.path))
            .header("Authorization", format!("Bearer {}", self.endpoint.token));
        for (name, value) in self.headers {
            head = head.header(*name, *value);
        }
        let response = match &request.body {
            None => self.agent.run(head.body(())?)?,
            Some(body) => {
                let head = head.header("Content-Type", "application/scim+json; charset=utf-8");
                self.agent.run(head.body(body.to_string())?)?
            }
        };
        let (parts, mut body) = response.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let text = body.with_config().limit(64 << 20).read_to_vec()?;
        Ok(Answer {
            status: parts.status.as_u16(),
            body: serde_json::from_slice(&text).unwrap_or(Value::Null),
            content_type: header("content-type").unwrap_or_default().to_owned(),
            retry_after: header("retry-after").and_then(|seconds| seconds.parse().ok()),
        })
    }
}

/// A path with a filter, encoded for a query.
pub fn filtered(path: &str, filter: &str) -> String {
    format!("{path}?filter={}", encoded(filter))
}

/// Text as it stands in a query: everything but the unreserved characters of RFC 3986 encoded.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_encoded() {
        assert_eq!(
            filtered("/Users", "userName eq \"a@b.c\""),
            "/Users?filter=userName%20eq%20%22a%40b.c%22"
        );
    }
}
