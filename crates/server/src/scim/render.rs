//! Resources as they are sent.

use accounts::{Resource, parse_id};
use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use scim_protocol::projection::Projection;
use scim_protocol::schema::{Attribute, ResourceType};
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

/// A resource with what the service provider adds - `schemas`, `id`, `meta` and the addresses of
/// what it refers to - and without what the client does not want.
pub(super) fn render(
    kind: &'static ResourceType,
    found: Resource,
    projection: &Projection,
    base: &str,
) -> Rendered {
    let location = format!("{base}{}/{}", kind.endpoint, found.id);
    let etag = etag(found.version);
    let mut members = Object::new();
    members.insert("id".to_owned(), found.id.to_string().into());
    let schemas = resource::schemas(kind, &found.attributes);
    members.extend(found.attributes);
    address(kind, &mut members, base);
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

/// Gives what refers to resources the addresses of those.
fn address(kind: &'static ResourceType, members: &mut Object, base: &str) {
    for attribute in &kind.schema.attributes {
        add_addresses(attribute, members.get_mut(&attribute.name), base);
    }
    for extension in &kind.extensions {
        let Some(Value::Object(members)) = members.get_mut(&extension.schema.id) else { continue };
        for attribute in &extension.schema.attributes {
            add_addresses(attribute, members.get_mut(&attribute.name), base);
        }
    }
}

fn add_addresses(attribute: &Attribute, value: Option<&mut Value>, base: &str) {
    let Some(reference) = attribute.sub_attribute("$ref") else { return };
    let elements = match value {
        Some(Value::Array(elements)) => elements.as_mut_slice(),
        Some(element) => std::slice::from_mut(element),
        None => return,
    };
    for element in elements.iter_mut().filter_map(Value::as_object_mut) {
        let Some(endpoint) = endpoint(attribute, reference, element) else { continue };
        let Some(id) = element.get("value").and_then(Value::as_str) else { continue };
        if parse_id(id).is_some() {
            let address = format!("{base}{endpoint}/{id}");
            element.insert("$ref".to_owned(), address.into());
        }
    }
}

/// Where the resource is that a value refers to: the type is said by the value, or there is only
/// one that it can be. A user's groups are groups, whatever their `type` says.
fn endpoint(
    attribute: &Attribute,
    reference: &Attribute,
    element: &Object,
) -> Option<&'static str> {
    let types = &reference.reference_types;
    let said =
        element.get("type").and_then(Value::as_str).filter(|said| types.iter().any(|t| t == said));
    let only = types.first().filter(|_| types.len() == 1).map(String::as_str);
    let name = if attribute.name == "groups" { Some("Group") } else { said.or(only) }?;
    ResourceType::all().into_iter().find(|kind| kind.name == name).map(|kind| kind.endpoint)
}
