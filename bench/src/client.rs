//! One kept-alive connection to a SCIM server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::Uri;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// SCIM's media type (RFC 7644 section 3.1).
const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// Where a SCIM server is, and how it is asked.
#[derive(Debug)]
pub struct Target {
    /// `host:port`
    authority: String,
    host: HeaderValue,
    /// The path of the base URL, without a slash at its end.
    path: String,
    authorization: Option<HeaderValue>,
}

impl Target {
    /// The server at a base URL such as `http://127.0.0.1:8080/scim/v2`.
    ///
    /// # Errors
    /// If it is not an `http` URL. TLS is not measured: whoever ends it is another program.
    pub fn new(base_url: &str, token: Option<&str>) -> Result<Self> {
        let uri: Uri = base_url.parse().with_context(|| format!("--base-url {base_url:?}"))?;
        ensure!(uri.scheme_str() == Some("http"), "--base-url {base_url:?}: give an http:// URL");
        let authority = uri.authority().context("the base URL names no host")?;
        let port = authority.port_u16().unwrap_or(80);
        let authorization =
            token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))).transpose()?;
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
            host: HeaderValue::from_str(authority.as_str())?,
            path: uri.path().trim_end_matches('/').to_owned(),
            authorization,
        })
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, to its end.
    pub body: Bytes,
}

impl Reply {
    /// Whether the body has these bytes somewhere.
    pub fn has(&self, text: &str) -> bool {
        let text = text.as_bytes();
        text.is_empty() || self.body.windows(text.len()).any(|window| window == text)
    }

    /// The body as a value of a type.
    ///
    /// # Errors
    /// If it is not JSON of this type; the error has the beginning of the body.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| self.story())
    }

    /// The identifier of the resource that was answered.
    ///
    /// # Errors
    /// If it has none.
    pub fn id(&self) -> Result<String> {
        #[derive(serde::Deserialize)]
        struct Resource {
            id: String,
        }
        Ok(self.json::<Resource>()?.id)
    }

    /// The status and the beginning of the body, for people.
    pub fn story(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let beginning: String = text.chars().take(300).collect();
        format!("{} {beginning}", self.status)
    }
}

/// A request, with a path below the base URL.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: String,
    body: Option<Bytes>,
}

impl Call {
    /// A GET of a path with its query.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None }
    }

    /// A DELETE of a path.
    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None }
    }

    /// A POST to a path.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body.into()) }
    }

    /// A PUT of a path.
    pub fn put(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::PUT, path: path.into(), body: Some(body.into()) }
    }

    /// A PATCH of a path.
    pub fn patch(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::PATCH, path: path.into(), body: Some(body.into()) }
    }

    /// The method and the path, for people.
    pub fn story(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A connection; it is made anew when the server has closed it.
#[derive(Debug)]
pub struct Client {
    target: Arc<Target>,
    sender: SendRequest<Full<Bytes>>,
    /// Whether an answer may still come that nobody waits for.
    lost: bool,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn connect(target: &Arc<Target>) -> Result<Self> {
        Ok(Self { target: Arc::clone(target), sender: open(target).await?, lost: false })
    }

    /// Sends a request and reads the answer to its end.
    ///
    /// # Errors
    /// If there is no answer in time, or none that is HTTP.
    pub async fn send(&mut self, call: &Call) -> Result<Reply> {
        if self.lost || self.sender.is_closed() || self.sender.ready().await.is_err() {
            self.sender = open(&self.target).await?;
            self.lost = false;
        }
        // Until it is answered: who gives up waiting must not send anything behind it.
        self.lost = true;
        let reply = timeout(PATIENCE, self.exchange(call)).await;
        let reply = reply.with_context(|| format!("{}: no answer in time", call.story()))?;
        self.lost = reply.is_err();
        reply.with_context(|| call.story())
    }

    async fn exchange(&mut self, call: &Call) -> Result<Reply> {
        let request = self.request(call)?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?;
        Ok(Reply { status, body: body.to_bytes() })
    }

    /// Sends a request that must succeed; what was answered.
    ///
    /// # Errors
    /// As [`Client::send`], and if the status is not one of success.
    pub async fn expect(&mut self, call: &Call) -> Result<Reply> {
        let reply = self.send(call).await?;
        if !(200..300).contains(&reply.status) {
            bail!("{}: {}", call.story(), reply.story());
        }
        Ok(reply)
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{}{}", self.target.path, call.path))
            .header(HOST, &self.target.host)
            .header(ACCEPT, SCIM_JSON);
        if let Some(authorization) = &self.target.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, SCIM_JSON);
        }
        Ok(request.body(Full::new(call.body.clone().unwrap_or_default()))?)
    }
}

async fn open(target: &Target) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(&target.authority)
        .await
        .with_context(|| format!("cannot connect to {}", target.authority))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors are those of the requests.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

/// Text as it stands in a query.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |&byte: &u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.as_bytes().iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_encoded() {
        assert_eq!(encoded("userName eq \"a@b.c\""), "userName%20eq%20%22a%40b.c%22");
    }

    #[test]
    fn a_base_url_may_end_with_a_slash() {
        let target = Target::new("http://localhost/scim/v2/", Some("t")).unwrap();
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("localhost:80", "/scim/v2"));
        assert!(Target::new("https://localhost/", None).is_err());
    }

    #[test]
    fn what_is_asked_for_is_found_in_the_body() {
        let reply = Reply { status: 200, body: Bytes::from_static(b"{\"id\":\"abc\"}") };
        assert!(reply.has("abc") && reply.has("") && !reply.has("abd"));
        assert!(!Reply { status: 200, body: Bytes::new() }.has("abc"));
    }
}
