//! Versions as entity tags (RFC 7644 section 3.14).

use accounts::Precondition;
use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

/// The tag of a version: weak, because a user's groups change without the user.
pub(super) fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// What `If-Match` asks of a resource, and on a change `If-None-Match`.
pub(crate) fn precondition(request: &HttpRequest) -> Precondition {
    let mut precondition = Precondition {
        one_of: match tags(request, &IF_MATCH) {
            Some(Tags::Versions(versions)) => Some(versions),
            // `*` asks that the resource exists, without which there is nothing to check.
            Some(Tags::Any) | None => None,
        },
        ..Precondition::default()
    };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return precondition;
    }
    match tags(request, &IF_NONE_MATCH) {
        Some(Tags::Versions(versions)) => precondition.none_of = Some(versions),
        Some(Tags::Any) => precondition.absent = true,
        None => {}
    }
    precondition
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

/// The tags of a header.
fn tags(request: &HttpRequest, name: &HeaderName) -> Option<Tags> {
    let mut found = Vec::new();
    let mut given = false;
    for value in request.headers().get_all(name) {
        given = true;
        let value = value.to_str().unwrap_or_default();
        if value.split(',').any(|tag| tag.trim() == "*") {
            return Some(Tags::Any);
        }
        found.extend(versions(value));
    }
    given.then_some(Tags::Versions(found))
}

/// The versions in a list of tags; one that is not ours is none. They are compared weakly (RFC 9110
/// section 8.8.3.2), also for `If-Match`: RFC 7644 section 3.14 sends weak tags in it.
pub(super) fn versions(tags: &str) -> Vec<i64> {
    let version = |tag: &str| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        let text = tag.strip_prefix('"')?.strip_suffix('"')?;
        // A tag is compared as text: `"007"` is not the tag of version 7.
        text.parse().ok().filter(|version: &i64| version.to_string() == text)
    };
    tags.split(',').filter_map(version).collect()
}
