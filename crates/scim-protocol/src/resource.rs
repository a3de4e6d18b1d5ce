//! A resource as a client sends it, made into the form in which it is kept (RFC 7643 section 2).
//!
//! The kept form has every attribute under its schema's name, in the schema's order, with values
//! of the schema's types. What is unassigned is absent: absent, `null` and `[]` are one state
//! (section 2.5). Read-only attributes are dropped (RFC 7644 section 3.3). Attributes of an
//! extension are below its URN (section 3.3). What is `writeOnly` is kept like the rest: it is
//! [`projection`](crate::projection) that returns it to nobody.
//!
//! # Decided where the RFC leaves a choice
//!
//! - `""` is a value of text in the strict dialect, as in the RFC, and no value where the dialect
//!   says so. Text that is required must hold more than white space in every dialect.
//! - A date and time without a zone is taken as UTC: `xsd:dateTime` allows it (section 2.3.5).
//! - Two values with the same `type` and `value` are one (section 2.4); the first counts, and the
//!   second adds what the first does not say. Two values of one `type` are two values. Where the
//!   sub-attribute `authority` says who gave a value, it counts as the type does.
//! - `canonicalValues` and `referenceTypes` are advice to clients (section 7): other values are
//!   taken as they are. `uniqueness` is for who keeps the resources.
//! - What is binary is base64 of either alphabet, with padding or without (section 2.3.6).

mod check;
mod values;

pub use check::{MAX_MEMBERS, MAX_TEXT, MAX_VALUES, check_primary, check_required, is_primary};
pub(crate) use check::{QUALIFIERS, check_count, lacks_required_extension, without_duplicates};
pub(crate) use values::{SEPARATOR, is_joined};
pub use values::{boolean, parse_attribute, parse_elements, parse_single};

use std::collections::HashSet;

use serde_json::Value;

use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::schema::{Attribute, ResourceType};
use values::{insert_once, parse_members, unknown};

/// Reads the body of a POST or PUT.
///
/// ```
/// use scim_protocol::dialect::{Dialect, Leniencies};
/// use scim_protocol::{resource, schema::ResourceType};
/// use serde_json::json;
///
/// let mut leniencies = Leniencies::new(Dialect::Standard);
/// let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///                   "UserName": "ada", "active": "True", "emails": [], "id": "mine"});
/// let user = resource::parse(ResourceType::user(), &body, &mut leniencies)?;
/// assert_eq!(serde_json::Value::Object(user), json!({"userName": "ada", "active": true}));
/// assert_eq!(leniencies.fired().count(), 1); // "True"
/// # Ok::<(), scim_protocol::error::Error>(())
/// ```
///
/// # Errors
/// `invalidSyntax` if the body is no object, names what the dialect does not know, or has
/// `schemas` that do not fit it; `invalidValue` if a value does not fit its attribute or what is
/// required is missing.
pub fn parse(
    kind: &'static ResourceType,
    body: &Value,
    leniencies: &mut Leniencies,
) -> Result<Object> {
    let Value::Object(body) = body else {
        return Err(Error::invalid_syntax("the body must be a JSON object"));
    };
    let urns = listed_schemas(kind, body, leniencies)?;
    let mut resource = Object::new();
    for (key, value) in body {
        if key.eq_ignore_ascii_case("schemas") {
            continue;
        }
        if let Some(extension) = kind.extension(key) {
            let attributes = match value {
                Value::Object(members) => {
                    parse_members(&extension.attributes, key, members, leniencies)?
                }
                Value::Null => continue,
                _ => return Err(Error::invalid_value(format!("{key} must be an object"))),
            };
            let listed = urns.iter().any(|urn| urn.eq_ignore_ascii_case(key));
            if !listed && !leniencies.allow(Leniency::UnlistedExtension) {
                return Err(Error::invalid_syntax(format!("schemas must list {key}")));
            }
            if !attributes.is_empty() {
                insert_once(&mut resource, &extension.id, Value::Object(attributes))?;
            }
            continue;
        }
        let Some(attribute) = kind.attribute(key) else {
            unknown(key, leniencies)?;
            continue;
        };
        if let Some(value) = parse_attribute(attribute, value, leniencies)? {
            insert_once(&mut resource, &attribute.name, value)?;
        }
    }
    check_required(kind, &resource)?;
    Ok(in_schema_order(kind, resource))
}

/// The attributes that a body has, also those whose value is `null` or `[]`, which [`parse`] leaves
/// out; those of extensions with their URN before them.
pub fn named(kind: &'static ResourceType, body: &Value) -> Vec<String> {
    let mut named = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(extension) = kind.extension(name) else {
            named.extend(kind.attribute(name).map(|attribute| attribute.name.clone()));
            continue;
        };
        let names = value.as_object().into_iter().flat_map(Object::keys);
        let attributes = names.filter_map(|name| extension.attribute(name));
        named.extend(attributes.map(|attribute| format!("{}:{}", extension.id, attribute.name)));
    }
    named
}

/// The URNs of the schemas whose attributes the resource has; its own schema first.
pub fn schemas(kind: &ResourceType, resource: &Object) -> Vec<Value> {
    let extensions = kind.extensions.iter().map(|extension| &extension.schema.id);
    std::iter::once(&kind.schema.id)
        .chain(extensions.filter(|urn| resource.contains_key(urn.as_str())))
        .map(|urn| Value::String(urn.clone()))
        .collect()
}

/// The same attributes in the order of the schemas.
pub fn in_schema_order(kind: &ResourceType, mut resource: Object) -> Object {
    let common = ResourceType::common_attributes().iter();
    let own = common.chain(&kind.schema.attributes).map(|attribute| &attribute.name);
    let names = own.chain(kind.extensions.iter().map(|extension| &extension.schema.id));
    names.filter_map(|name| resource.shift_remove_entry(name)).collect()
}

/// The members of these names, in this order.
pub(crate) fn in_order(attributes: &[Attribute], mut members: Object) -> Object {
    attributes.iter().filter_map(|a| members.shift_remove_entry(&a.name)).collect()
}

/// The URNs in `schemas` (RFC 7643 section 3).
fn listed_schemas<'a>(
    kind: &'static ResourceType,
    body: &'a Object,
    leniencies: &mut Leniencies,
) -> Result<Vec<&'a str>> {
    let given = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas"));
    let urns = match given {
        Some((_, Value::Array(urns))) => urns.iter().map(Value::as_str).collect(),
        None | Some((_, Value::Null)) => Some(Vec::new()),
        Some(_) => None,
    };
    let urns = urns.ok_or_else(|| Error::invalid_syntax("schemas must be a list of URNs"))?;
    let mut seen = HashSet::new();
    for urn in &urns {
        let known = kind.schema.id.eq_ignore_ascii_case(urn) || kind.extension(urn).is_some();
        if !known && !leniencies.allow(Leniency::UnknownSchema) {
            return Err(Error::invalid_syntax(format!("{urn} is no schema of {}", kind.name)));
        }
        let first = seen.insert(urn.to_ascii_lowercase());
        if !first && !leniencies.allow(Leniency::RepeatedSchema) {
            return Err(Error::invalid_syntax(format!("schemas lists {urn} twice")));
        }
    }
    let own = seen.contains(&kind.schema.id.to_ascii_lowercase());
    if !own && !leniencies.allow(Leniency::MissingSchemas) {
        return Err(Error::invalid_syntax(format!("schemas must list {}", kind.schema.id)));
    }
    Ok(urns)
}

#[cfg(test)]
mod tests;
