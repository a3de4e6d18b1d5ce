//! Resources as they are sent.

use accounts::{Resource, parse_id};
use actix_web::HttpRequest;
use scim_protocol::projection::Projection;
use scim_protocol::schema::{Attribute, ResourceType, Schema};
use scim_protocol::{Object, instant, resource};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::etag::etag;
use crate::answer::Rendered;
use crate::origin::Origin;
use crate::{BASE_PATH, State};

/// The URL above the endpoints, without a slash at its end.
pub(super) fn base_url(request: &HttpRequest, state: &State) -> String {
    if let Some(url) = &state.settings.public_url {
        return format!("{url}{BASE_PATH}");
    }
    let origin = Origin::of(request, &state.settings.trusted_proxies);
    let scheme = if origin.is_protected { "https" } else { "http" };
    format!("{scheme}://{}{BASE_PATH}", origin.host.as_deref().unwrap_or("localhost"))
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
    let meta = json!({
        "resourceType": kind.name,
        "created": instant::format(found.created),
        "lastModified": instant::format(found.last_modified),
        "location": location,
        "version": etag,
    });
    let mut members = Object::with_capacity(found.attributes.len() + 3);
    members.insert("schemas".to_owned(), resource::schemas(kind, &found.attributes).into());
    members.insert("id".to_owned(), found.id.to_string().into());
    members.extend(found.attributes);
    members.insert("meta".to_owned(), meta);
    address(kind, &mut members, base);
    projection.apply(kind, &mut members);
    Rendered { etag, location, body: to_raw_value(&members) }
}

/// Gives what refers to resources the addresses of those.
fn address(kind: &'static ResourceType, members: &mut Object, base: &str) {
    add_addresses(&kind.schema, members, base);
    for extension in &kind.extensions {
        let schema = &extension.schema;
        if let Some(Value::Object(members)) = members.get_mut(&schema.id) {
            add_addresses(schema, members, base);
        }
    }
}

fn add_addresses(schema: &'static Schema, members: &mut Object, base: &str) {
    for attribute in &schema.attributes {
        let Some(reference) = attribute.sub_attribute("$ref") else { continue };
        let elements = match members.get_mut(&attribute.name) {
            Some(Value::Array(elements)) => elements.as_mut_slice(),
            Some(element) => std::slice::from_mut(element),
            None => continue,
        };
        for element in elements.iter_mut().filter_map(Value::as_object_mut) {
            add_address(attribute, reference, element, base);
        }
    }
}

/// Gives a value of an attribute the address of what it refers to.
pub(super) fn add_address(
    attribute: &Attribute,
    reference: &Attribute,
    element: &mut Object,
    base: &str,
) {
    let Some(endpoint) = endpoint(attribute, reference, element) else { return };
    let Some(id) = element.get("value").and_then(Value::as_str) else { return };
    if parse_id(id).is_some() {
        let address = format!("{base}{endpoint}/{id}");
        element.insert("$ref".to_owned(), address.into());
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
