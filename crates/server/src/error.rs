//! Every refusal as an answer: the one mapping to HTTP (RFC 7644 section 3.12).

use std::fmt;

use accounts::provisioning_log::Problem;
use accounts::{Code, Refusal, StorageError};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use scim_protocol::bulk::MAX_OPERATIONS;
use scim_protocol::error::{Error, ScimType};
use scim_protocol::message;
use serde_json::{Value, json};

use crate::MAX_URL;
use crate::answer::SCIM_JSON;
use crate::body::BodyLimit;
use crate::telemetry::PERSONAL;

/// The URN under which an error says which rule refused.
const HEADCOUNT_ERROR: &str = "urn:ietf:params:scim:api:messages:headcount:2.0:Error";

/// Seconds after which a client may try again what failed for want of the store.
pub(crate) const RETRY_SECONDS: &str = "2";

/// The same where somebody has to make room first.
const RETRY_SECONDS_WHEN_FULL: &str = "60";

/// The longest detail of an error, in characters.
const MAX_DETAIL: usize = 1_000;

/// Why a request is not answered as it wished.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// No token, or one that is not live.
    Unauthorized { invalid_token: bool },
    /// The protocol or a rule refuses it.
    Refused(Refusal),
    /// There is nothing at the path.
    NoSuchPath,
    /// Discovery cannot be filtered (section 4).
    DiscoveryFilter,
    /// Only who is logged in as a person has a session.
    NoSession,
    /// The path does not have the method; these it has.
    MethodNotAllowed(&'static str),
    /// The body is no JSON by its type.
    UnsupportedMediaType,
    /// The body is too large.
    TooLarge(BodyLimit),
    /// A bulk request has too many operations (section 3.7.4).
    TooManyOperations,
    /// A bulk operation refers to a resource that the request does not create (section 3.7.1).
    UnresolvedReference(String),
    /// The body did not come in time.
    TooSlow,
    /// So many come at once that it must wait so many seconds.
    RateLimited { seconds: u64, what: &'static str },
    /// The URL is too long.
    UriTooLong,
    /// So much is being read from others that there is no room for the body.
    NoRoom,
    /// The host that the request names is none (RFC 9112 section 3.2).
    BadHost,
    /// SCIM has it, and the service does not.
    NotImplemented(&'static str),
}

impl ApiError {
    /// So much comes at once that it must wait so many seconds.
    pub(crate) fn too_often(seconds: i64, what: &'static str) -> Self {
        Self::RateLimited { seconds: u64::try_from(seconds).unwrap_or(1), what }
    }

    pub(crate) fn internal(what: &'static str) -> Self {
        Self::Refused(Refusal::Storage(StorageError::Failed(what.into())))
    }

    fn parts(&self) -> (StatusCode, Option<ScimType>, String) {
        let plain = |status, detail: &str| (status, None, detail.to_owned());
        match self {
            Self::Unauthorized { invalid_token: false } => plain(
                StatusCode::UNAUTHORIZED,
                "send a token of this service in the header `Authorization: Bearer …`",
            ),
            Self::Unauthorized { invalid_token: true } => plain(
                StatusCode::UNAUTHORIZED,
                "the token is unknown, expired or revoked: make a new one",
            ),
            Self::Refused(Refusal::Protocol(error)) => {
                (StatusCode::BAD_REQUEST, Some(error.scim_type), error.detail.clone())
            }
            Self::Refused(Refusal::Rule { code, detail }) => {
                let status = StatusCode::from_u16(code.status());
                (status.unwrap_or(StatusCode::BAD_REQUEST), code.scim_type(), detail.clone())
            }
            Self::Refused(Refusal::Guarded { detail, .. }) => plain(StatusCode::FORBIDDEN, detail),
            Self::Refused(refusal @ Refusal::Doubted(_)) => {
                (StatusCode::CONFLICT, Some(ScimType::Uniqueness), refusal.to_string())
            }
            Self::NoRoom
            | Self::Refused(Refusal::Storage(StorageError::Unavailable(_) | StorageError::Again)) => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "the service is busy: try again shortly")
            }
            Self::Refused(Refusal::Storage(StorageError::Full(_))) => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service has no room to store more, and nothing was changed: whoever operates \
                 it must make room; what is there can be read",
            ),
            // What went wrong inside is for the log, not for clients.
            Self::Refused(Refusal::Storage(_)) => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the service failed; its log says why, under the request id of this answer",
            ),
            Self::NoSuchPath => plain(StatusCode::NOT_FOUND, "there is nothing at this path"),
            Self::DiscoveryFilter => {
                plain(StatusCode::FORBIDDEN, "discovery endpoints cannot be filtered")
            }
            Self::NoSession => plain(
                StatusCode::FORBIDDEN,
                "this is for people who are logged in, and the token is that of a connection",
            ),
            Self::MethodNotAllowed(allowed) => (
                StatusCode::METHOD_NOT_ALLOWED,
                None,
                format!("this path has the methods {allowed}"),
            ),
            Self::UnsupportedMediaType => plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send the body as application/scim+json or application/json, in UTF-8 and not \
                 compressed",
            ),
            Self::TooLarge(BodyLimit { bytes, name }) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                None,
                format!("the body is larger than {bytes} bytes, {name}"),
            ),
            Self::TooManyOperations => (
                StatusCode::PAYLOAD_TOO_LARGE,
                None,
                format!("the request has more than {MAX_OPERATIONS} operations, maxOperations"),
            ),
            Self::UnresolvedReference(detail) => plain(StatusCode::CONFLICT, detail),
            Self::TooSlow => {
                plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time: send it again")
            }
            Self::RateLimited { seconds, what } => (
                StatusCode::TOO_MANY_REQUESTS,
                None,
                format!("{what}: send the request again in {seconds} seconds"),
            ),
            Self::UriTooLong => (
                StatusCode::URI_TOO_LONG,
                None,
                format!("the URL is longer than {MAX_URL} bytes: send a query as POST to /.search"),
            ),
            Self::BadHost => plain(
                StatusCode::BAD_REQUEST,
                "the header `Host` must be one host, with a port or not",
            ),
            Self::NotImplemented(what) => {
                (StatusCode::NOT_IMPLEMENTED, None, format!("{what} is not implemented"))
            }
        }
    }

    /// The code of a rule; where the status says it all there is none to add.
    fn code(&self) -> Option<Code> {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::RateLimited { .. } => return Some(Code::RateLimited),
            _ => return None,
        };
        refusal.code().filter(|code| !matches!(code, Code::NotFound | Code::VersionMismatch))
    }

    /// Says what failed inside, which is for the log alone.
    pub(crate) fn log(&self) {
        if let Self::Refused(Refusal::Storage(error)) = self {
            tracing::error!(error = %store::Plain(error), "the store failed");
            tracing::error!(target: PERSONAL, ?error, "the store failed");
        }
    }

    /// Whether the connection is at its end: what is left of the body would be taken for the next
    /// request.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Self::TooSlow)
    }

    /// The rule that refuses, and the code or, where there is none, the keyword or the reason of the
    /// status: as it is counted.
    pub(crate) fn rule_and_code(&self) -> (Option<&'static str>, &'static str) {
        let code = match self {
            Self::Refused(refusal) => refusal.code(),
            _ => self.code(),
        };
        if let Some(code) = code {
            return (code.rule(), code.as_str());
        }
        let (status, scim_type, _) = self.parts();
        let reason = || status.canonical_reason().unwrap_or_default();
        (None, scim_type.map_or_else(reason, ScimType::as_str))
    }

    /// As the provisioning log has it.
    pub(crate) fn problem(&self) -> Problem {
        let (_, scim_type, detail) = self.parts();
        let code = self.code();
        Problem {
            scim_type: scim_type.map(|scim_type| scim_type.as_str().to_owned()),
            code: code.map(|code| code.as_str().to_owned()),
            rule: code.and_then(Code::rule).map(str::to_owned),
            detail: shortened(&detail),
        }
    }

    /// The status and the body of the answer.
    pub(crate) fn status_and_body(&self) -> (u16, Value) {
        let (status, scim_type, detail) = self.parts();
        let mut body = message::error(status.as_u16(), scim_type, &shortened(&detail));
        if let Some(code) = self.code() {
            body[HEADCOUNT_ERROR] = json!({"code": code.as_str()});
            if let Some(rule) = code.rule() {
                body[HEADCOUNT_ERROR]["rule"] = rule.into();
            }
        }
        (status.as_u16(), body)
    }
}

/// What the body of an error says, as the provisioning log has it.
pub(crate) fn problem_of(body: &Value) -> Problem {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Problem {
        scim_type: text(&body["scimType"]),
        code: text(&body[HEADCOUNT_ERROR]["code"]),
        rule: text(&body[HEADCOUNT_ERROR]["rule"]),
        detail: text(&body["detail"]).unwrap_or_default(),
    }
}

/// A refusal for the log: without what somebody has sent, which the texts of a database repeat.
pub(crate) fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Storage(error) => store::Plain(error).to_string(),
        _ => refusal.code().map_or("a refusal", Code::as_str).to_owned(),
    }
}

/// Some details repeat what the client sent.
fn shortened(detail: &str) -> String {
    detail.chars().take(MAX_DETAIL).collect()
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().2)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.parts().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthorized { invalid_token } => {
                // RFC 6750 section 3.1: who has sent nothing is told no error.
                let error = if *invalid_token { ", error=\"invalid_token\"" } else { "" };
                let challenge = format!("Bearer realm=\"headcount\"{error}");
                answer.insert_header((WWW_AUTHENTICATE, challenge));
            }
            Self::Refused(refusal) if refusal.code() == Some(Code::LoginFailed) => {
                answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"headcount\""));
            }
            Self::MethodNotAllowed(allowed) => {
                answer.insert_header((ALLOW, *allowed));
            }
            _ if self.ends_connection() => {
                answer.force_close();
            }
            Self::Refused(Refusal::Rule { code: Code::ScopeMissing, .. }) => {
                let challenge = "Bearer realm=\"headcount\", error=\"insufficient_scope\"";
                answer.insert_header((WWW_AUTHENTICATE, challenge));
            }
            Self::RateLimited { seconds, .. } => {
                answer.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            Self::NoRoom => {
                answer.insert_header((RETRY_AFTER, RETRY_SECONDS));
            }
            Self::Refused(Refusal::Storage(error)) => {
                self.log();
                if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
                    let is_full = matches!(error, StorageError::Full(_));
                    let seconds = if is_full { RETRY_SECONDS_WHEN_FULL } else { RETRY_SECONDS };
                    answer.insert_header((RETRY_AFTER, seconds));
                }
            }
            Self::Refused(Refusal::Guarded { retry_after_seconds, .. }) => {
                answer.insert_header((RETRY_AFTER, retry_after_seconds.to_string()));
            }
            _ => {}
        }
        answer.content_type(SCIM_JSON).body(self.status_and_body().1.to_string())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

/// The answer to a path that is not SCIM's.
pub(crate) async fn no_such_path() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NoSuchPath)
}
