//! The login door over HTTP: the table of its routes, and what they share. The rules are those of
//! [`accounts::login`].
//!
//! Who is not logged in says who they are in the body, and is counted ([`limits`]); passwords are
//! compared and hashed outside of any unit of work ([`hashing`]). Nobody is told who has an account: what
//! is wrong is answered alike, and takes as long.

mod enter;
mod events;
pub(crate) mod hashing;
pub(crate) mod limits;
mod page;
mod passwords;
pub(crate) mod sent;
pub(crate) mod session;

use accounts::{Context, Source};
use actix_web::web::{self, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing_actix_web::RequestId;
use uuid::Uuid;

use crate::body::BodyLimit;
use crate::error::ApiError;
use crate::scim::only;
use crate::telemetry::{Route, Routed};
use crate::{State, clock};
use scim_protocol::error::Error;

/// The largest body at the door, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// The path of the link to the first password.
pub(crate) const ACTIVATION: &str = "/activation";

/// The path of the link to another one.
pub(crate) const RESET: &str = "/password-reset";

/// Every path of the login door.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let limit = BodyLimit { bytes: MAX_BODY, name: "the largest that is read here" };
    let resource = |path: &'static str, rest: &'static str| {
        let route = Routed::new(Route([path, rest, "", ""]));
        web::resource(format!("{path}{rest}")).app_data(limit).app_data(route)
    };
    config
        .service(
            resource("/login", "").route(post().to(enter::login)).default_service(other("POST")),
        )
        .service(
            resource("/session", "").route(get().to(session::read)).default_service(only("GET")),
        )
        .service(
            resource("/logout", "").route(post().to(session::end)).default_service(only("POST")),
        )
        .service(
            resource(ACTIVATION, "/{secret}")
                .route(get().to(page::activation))
                .route(post().to(passwords::activate))
                .default_service(other("GET, POST")),
        )
        .service(
            resource(RESET, "").route(post().to(passwords::ask)).default_service(other("POST")),
        )
        .service(
            resource(RESET, "/{secret}")
                .route(get().to(page::reset))
                .route(post().to(passwords::reset))
                .default_service(other("GET, POST")),
        )
        .service(
            resource("/internal/v1/login-events", "")
                .route(post().to(events::report))
                .default_service(only("POST")),
        );
}

/// Refuses the methods that a path for everybody does not have.
fn other(allowed: &'static str) -> actix_web::Route {
    web::to(
        move || async move { Err::<HttpResponse, ApiError>(ApiError::MethodNotAllowed(allowed)) },
    )
}

/// The context of what somebody does who is not logged in.
fn context(state: &State, tenant: Uuid, request_id: RequestId) -> Context {
    let context = Context::of_system(tenant, clock::now(), clock::new_id);
    Context {
        request: Uuid::from_bytes(*request_id.as_bytes()),
        source: Source::Auth,
        sends_mail: state.sends_mail(),
        ..context
    }
}

/// A body as a struct, whose members are all that it may have. What is wrong is named, and not shown:
/// it may be a password.
fn read<T: DeserializeOwned>(value: Value, members: &str) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|_| {
        Error::invalid_value(format!("the body must be an object with {members}")).into()
    })
}

/// What an answer has that must not be kept by anybody on the way.
fn unkept(mut answer: HttpResponse) -> HttpResponse {
    use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let referrer = HeaderName::from_static("referrer-policy");
    headers.insert(referrer, HeaderValue::from_static("no-referrer"));
    answer
}

/// The path and query of a request as they may be logged: without the secret of a link.
pub(crate) fn without_secret(request: &HttpRequest) -> &str {
    for known in [ACTIVATION, RESET] {
        if request.path().strip_prefix(known).is_some_and(|rest| rest.starts_with('/')) {
            return known;
        }
    }
    request.uri().path_and_query().map_or("", |asked| asked.as_str())
}

/// The header that tells whether a browser sends a request for a page of another site.
fn is_from_elsewhere(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_secret_of_a_link_is_not_logged() {
        for (path, logged) in [
            ("/activation/hci_x", "/activation"),
            ("/password-reset/hcr_x", "/password-reset"),
            ("/password-reset", "/password-reset"),
            ("/activations", "/activations"),
            ("/scim/v2/Users?count=1", "/scim/v2/Users?count=1"),
        ] {
            let request = TestRequest::with_uri(path).to_http_request();
            assert_eq!(without_secret(&request), logged);
        }
    }
}
