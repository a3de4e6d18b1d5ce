//! Versions as entity tags (RFC 7644 section 3.14).

use accounts::Precondition;
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

/// The tag of a version: weak, because a user's groups change without the user.
pub(super) fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// What `If-Match` asks of a resource that is to be changed.
pub(super) fn if_match(request: &HttpRequest) -> Precondition {
    match tags(request, &IF_MATCH) {
        Some(Tags::Versions(versions)) => Precondition::Version(versions),
        // `*` asks that the resource exists, which every change does.
        Some(Tags::Any) | None => Precondition::None,
    }
}

/// Whether `If-None-Match` says that the client has this version.
pub(super) fn is_known(request: &HttpRequest, version: i64) -> bool {
    match tags(request, &IF_NONE_MATCH) {
        Some(Tags::Versions(versions)) => versions.contains(&version),
        Some(Tags::Any) => true,
        None => false,
    }
}

enum Tags {
    Any,
    Versions(Vec<i64>),
}

/// The tags of a header; one that is not ours matches no version.
fn tags(request: &HttpRequest, name: &HeaderName) -> Option<Tags> {
    let mut versions = Vec::new();
    let mut given = false;
    for value in request.headers().get_all(name) {
        given = true;
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Some(Tags::Any);
            }
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            versions.extend(version.and_then(|version| version.parse::<i64>().ok()));
        }
    }
    given.then_some(Tags::Versions(versions))
}
