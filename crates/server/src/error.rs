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

use crate::answer::SCIM_JSON;
use crate::body::BodyLimit;

/// The URN under which an error says which rule refused.
const HEADCOUNT_ERROR: &str = "urn:ietf:params:scim:api:messages:headcount:2.0:Error";

/// Seconds after which a client may try again what failed for want of the store.
const RETRY_SECONDS: &str = "2";

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
    /// Too many requests came from one address, or under one name.
    TooManyRequests { retry_after_seconds: i64 },
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
    /// The host that the request names is none (RFC 9112 section 3.2).
    BadHost,
    /// SCIM has it, and the service does not.
    NotImplemented(&'static str),
}

impl ApiError {
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
            Self::Refused(Refusal::Storage(StorageError::Unavailable(_) | StorageError::Again)) => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "the service is busy: try again shortly")
            }
            // What went wrong inside is for the log, not for clients.
            Self::Refused(Refusal::Storage(_)) => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the service failed; its log says why, under the request id of this answer",
            ),
            Self::NoSuchPath => plain(StatusCode::NOT_FOUND, "there is nothing at this path"),
            Self::DiscoveryFilter => {
                plain(StatusCode::FORBIDDEN, "discovery endpoints cannot be filtered")
            }
            Self::TooManyRequests { retry_after_seconds } => (
                StatusCode::TOO_MANY_REQUESTS,
                None,
                format!("that was too often: come again in {retry_after_seconds} seconds"),
            ),
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
        let Self::Refused(refusal) = self else { return None };
        refusal.code().filter(|code| !matches!(code, Code::NotFound | Code::VersionMismatch))
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
            // What is left of the body would be taken for the next request.
            Self::TooSlow => {
                answer.force_close();
            }
            Self::Refused(Refusal::Storage(error)) => {
                tracing::error!(error = ?error, "the store failed");
                if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
                    answer.insert_header((RETRY_AFTER, RETRY_SECONDS));
                }
            }
            Self::TooManyRequests { retry_after_seconds }
            | Self::Refused(Refusal::Guarded { retry_after_seconds, .. }) => {
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
