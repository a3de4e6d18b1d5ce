//! Discovery (RFC 7644 section 4), generated from the schemas that are in force.

use serde_json::{Value, json};

use crate::bulk::{MAX_OPERATIONS, MAX_PAYLOAD_SIZE};
use crate::cursor::CURSOR_TIMEOUT;
use crate::query::{DEFAULT_COUNT, MAX_COUNT};
use crate::schema::{self, ResourceType, Schema};

/// The URN of a schema's own schema.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The URN of a resource type's schema.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The URN of the service provider configuration.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// Every schema (`/Schemas`). `base` is the URL above the endpoints, without a slash at its end.
pub fn schemas(base: &str) -> Vec<Value> {
    schema::all().map(|schema| schema_resource(schema, base)).collect()
}

/// The schema of this URN, in any case (`/Schemas/{urn}`).
pub fn schema(urn: &str, base: &str) -> Option<Value> {
    schema::all()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| schema_resource(schema, base))
}

/// A schema as `/Schemas` has it (RFC 7643 section 7), also one that is not in [`schema::all`].
pub fn schema_resource(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes,
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)},
    })
}

/// Every resource type (`/ResourceTypes`).
pub fn resource_types(base: &str) -> Vec<Value> {
    ResourceType::all().into_iter().map(|kind| resource_type_resource(kind, base)).collect()
}

/// The resource type of this name (`/ResourceTypes/{id}`).
pub fn resource_type(name: &str, base: &str) -> Option<Value> {
    ResourceType::all()
        .into_iter()
        .find(|kind| kind.name == name)
        .map(|kind| resource_type_resource(kind, base))
}

/// A resource type as `/ResourceTypes` has it (RFC 7643 section 6), also one that is not in
/// [`ResourceType::all`].
pub fn resource_type_resource(kind: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> = kind
        .extensions
        .iter()
        .map(|extension| json!({"schema": extension.schema.id, "required": extension.required}))
        .collect();
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": kind.schema.id,
        "schemaExtensions": extensions,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", kind.name),
        },
    })
}

/// What the service provider does (`/ServiceProviderConfig`; RFC 7643 section 5, RFC 9865
/// section 4).
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": MAX_OPERATIONS,
            "maxPayloadSize": MAX_PAYLOAD_SIZE,
        },
        "filter": {"supported": true, "maxResults": MAX_COUNT},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A token made with `headcount token create`, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
            "cursorTimeout": CURSOR_TIMEOUT,
        },
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}
