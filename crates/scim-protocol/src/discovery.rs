//! Discovery (RFC 7644 section 4), generated from the schemas that are in force.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::bulk::{MAX_OPERATIONS, MAX_PAYLOAD_SIZE};
use crate::cursor::CURSOR_TIMEOUT;
use crate::fold::fold;
use crate::query::{DEFAULT_COUNT, MAX_COUNT};
use crate::schema::{self, Attribute, ResourceType, Schema};

/// The URN of a schema's own schema.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The URN of a resource type's schema.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The URN of the service provider configuration.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// What differs in discovery from one caller to another. A stranger's is the default: what is the
/// same for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// What the caller's tenant has for attributes that name things.
    pub canonical_values: CanonicalValues,
    /// Whether the caller's connection has [`ResourceType::user_with_genesys`].
    pub genesys: bool,
}

/// Values that a tenant's clients are advised to use, such as the names of its roles, by the URN of
/// a schema and the path of an attribute in it.
///
/// ```
/// use scim_protocol::discovery::{self, CanonicalValues, View};
///
/// let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
/// let mut canonical_values = CanonicalValues::default();
/// canonical_values.add(urn, "roles.value", ["Admin", "Agent"]);
/// let view = View { canonical_values, ..View::default() };
/// let user = discovery::schema(urn, "https://example.com/scim/v2", &view).unwrap();
/// assert!(user.to_string().contains(r#""canonicalValues":["Admin","Agent"]"#));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CanonicalValues(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl CanonicalValues {
    /// Adds values of an attribute (`licenseTier`) or sub-attribute (`roles.value`), named as the
    /// schema names it.
    pub fn add<T: Into<String>>(
        &mut self,
        urn: &str,
        path: &str,
        values: impl IntoIterator<Item = T>,
    ) {
        let of_schema = self.0.entry(urn.to_owned()).or_default();
        let known = of_schema.entry(path.to_owned()).or_default();
        known.extend(values.into_iter().map(Into::into));
    }

    /// The schema with these values behind its own.
    fn added_to<'a>(&self, schema: &'a Schema) -> Cow<'a, Schema> {
        let Some(of_schema) = self.0.get(&schema.id) else { return Cow::Borrowed(schema) };
        let mut schema = schema.clone();
        for attribute in &mut schema.attributes {
            let name = attribute.name.clone();
            extend(attribute, of_schema.get(&name));
            for sub in &mut attribute.sub_attributes {
                let path = format!("{name}.{}", sub.name);
                extend(sub, of_schema.get(&path));
            }
        }
        Cow::Owned(schema)
    }
}

/// A value that is there already, as the attribute is compared, is not added.
fn extend(attribute: &mut Attribute, values: Option<&Vec<String>>) {
    let case_exact = attribute.case_exact;
    let compared = |value: &String| if case_exact { value.clone() } else { fold(value) };
    let known = &mut attribute.canonical_values;
    let mut seen: HashSet<String> = known.iter().map(compared).collect();
    let new = values.into_iter().flatten().filter(|value| seen.insert(compared(value)));
    known.extend(new.cloned());
}

/// Every schema (`/Schemas`): of the resource types, their extensions, and of discovery itself.
/// `base` is the URL above the endpoints, without a slash at its end.
pub fn schemas(base: &str, view: &View) -> Vec<Value> {
    served_schemas(view).map(|schema| published(schema, base, view)).collect()
}

/// The schema of this URN, in any case (`/Schemas/{urn}`).
pub fn schema(urn: &str, base: &str, view: &View) -> Option<Value> {
    served_schemas(view)
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| published(schema, base, view))
}

fn served_schemas(view: &View) -> impl Iterator<Item = &'static Schema> {
    served(view).flat_map(ResourceType::schemas).chain(schema::of_discovery())
}

fn published(schema: &Schema, base: &str, view: &View) -> Value {
    schema_resource(&view.canonical_values.added_to(schema), base)
}

/// The resource types in the form that the caller has them.
fn served(view: &View) -> impl Iterator<Item = &'static ResourceType> + use<> {
    let genesys = view.genesys;
    ResourceType::all().into_iter().map(move |kind| match kind.name {
        "User" if genesys => ResourceType::user_with_genesys(),
        _ => kind,
    })
}

/// A schema as `/Schemas` has it (RFC 7643 section 7), also one that is not served.
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
pub fn resource_types(base: &str, view: &View) -> Vec<Value> {
    served(view).map(|kind| resource_type_resource(kind, base)).collect()
}

/// The resource type of this name (`/ResourceTypes/{id}`).
pub fn resource_type(name: &str, base: &str, view: &View) -> Option<Value> {
    served(view).find(|kind| kind.name == name).map(|kind| resource_type_resource(kind, base))
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
        "authenticationSchemes": authentication_schemes(),
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

/// How clients say who they are (RFC 7643 section 5). A certificate while TLS begins has no name there.
fn authentication_schemes() -> Value {
    json!([{
        "type": "oauthbearertoken",
        "name": "OAuth Bearer Token",
        "description": "A token in the Authorization header: one that an administrator has made, or one \
            of an issuer that the connection trusts",
        "specUri": "https://www.rfc-editor.org/info/rfc6750",
        "primary": true,
    }, {
        "type": "oauth2",
        "name": "OAuth 2.0 client credentials",
        "description": "An access token of /oauth/token, for a client secret or a JWT (RFC 7523)",
        "specUri": "https://www.rfc-editor.org/info/rfc6749",
        "primary": false,
    }, {
        "type": "httpbasic",
        "name": "HTTP Basic",
        "description": "Client identifier and secret, where the connection allows that",
        "specUri": "https://www.rfc-editor.org/info/rfc7617",
        "primary": false,
    }])
}
