//! A SCIM client that sends what it is told and hides nothing of the answer.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http;

use super::{Answer, PATCH_OP};

/// A client of one server, with or without a token.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base_url: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(base_url: &str, token: Option<&str>) -> Self {
        let agent = agent(ureq::tls::TlsConfig::default());
        Self {
            agent,
            base_url: base_url.to_owned(),
            token: token.map(ToOwned::to_owned),
            headers: Vec::new(),
        }
    }

    /// The same client, sending one more header with every request.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client, speaking TLS like this.
    pub(crate) fn with_tls(&self, tls: ureq::tls::TlsConfig) -> Self {
        Self { agent: agent(tls), ..self.clone() }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// GET with query parameters, which are encoded here.
    #[track_caller]
    pub(crate) fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.get(&with_parameters(path, parameters))
    }

    /// GET with a filter.
    #[track_caller]
    pub(crate) fn filter(&self, path: &str, filter: &str) -> Answer {
        self.query(path, &[("filter", filter)])
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body)
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body)
    }

    /// PATCH with these operations, an array.
    #[track_caller]
    pub(crate) fn patch(&self, path: &str, operations: &Value) -> Answer {
        self.json("PATCH", path, &json!({"schemas": [PATCH_OP], "Operations": operations}))
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    #[track_caller]
    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some(("application/scim+json", &body.to_string())))
    }

    /// Sends a request with a body of any content type, or without one.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<(&str, &str)>) -> Answer {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// As `send`, for the tests in which the server may be gone.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &str)>,
    ) -> Result<Answer, ureq::Error> {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.base_url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = match body {
            None => self.agent.run(request.body(())?)?,
            Some((content_type, text)) => {
                let has_type = self.headers.iter().any(|(name, _)| name == "Content-Type");
                if !has_type {
                    request = request.header("Content-Type", content_type);
                }
                self.agent.run(request.body(text.to_owned())?)?
            }
        };
        let sent = format!("{method} {path} {}", body.map_or("", |(_, text)| text));
        Answer::read(sent, response)
    }
}

fn agent(tls: ureq::tls::TlsConfig) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .tls_config(tls)
        .build()
        .new_agent()
}

fn with_parameters(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
