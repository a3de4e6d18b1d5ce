//! Resources as they are sent.

use accounts::Resource;
use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use scim_protocol::projection::Projection;
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, instant, message, resource};
use serde_json::{Value, json};

use super::etag::etag;
use crate::answer::Rendered;
use crate::{BASE_PATH, State};

/// The URL above the endpoints, without a slash at its end.
pub(super) fn base_url(request: &HttpRequest, state: &State) -> String {
    if let Some(url) = &state.settings.public_url {
        return format!("{url}{BASE_PATH}");
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    format!("http://{}{BASE_PATH}", host.unwrap_or("localhost"))
}

/// A resource with what the service provider adds - `schemas`, `id`, `meta` and the values of
/// `related` - and without what the client does not want.
pub(super) fn render(
    kind: &'static ResourceType,
    found: Resource,
    related: Option<(&str, Vec<Value>)>,
    projection: &Projection,
    base: &str,
) -> Rendered {
    let location = format!("{base}{}/{}", kind.endpoint, found.id);
    let etag = etag(found.version);
    let mut members = Object::new();
    members.insert("id".to_owned(), found.id.to_string().into());
    let schemas = resource::schemas(kind, &found.attributes);
    members.extend(found.attributes);
    if let Some((name, values)) = related
        && !values.is_empty()
    {
        members.insert(name.to_owned(), Value::Array(values));
    }
    let meta = json!({
        "resourceType": kind.name,
        "created": instant::format(found.created),
        "lastModified": instant::format(found.last_modified),
        "location": location,
        "version": etag,
    });
    members.insert("meta".to_owned(), meta);
    let mut members = message::with_schemas(schemas, members);
    projection.apply(kind, &mut members);
    Rendered { etag, location, body: Value::Object(members) }
}
