//! Bulk requests (RFC 7644 section 3.7): what they ask for, what refers to what, and in which
//! order it can be done.
//!
//! [`parse`] reads a request. What is wrong with one operation is kept beside it, because the
//! others are carried out all the same. [`Operation::references`] and [`Operation::resolve`] find
//! and replace `bulkId:…` in paths and data, and [`order`] groups the operations so that each comes
//! after those it refers to; those that refer to each other in a circle are one group.

mod order;
mod references;

use serde_json::{Value, json};

use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::message::{lists_schema, member, take_member};
use crate::schema::ResourceType;

pub use order::order;

/// The URN of a bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of the answer to one.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Operations in one request at most (`maxOperations`; RFC 7643 section 5).
pub const MAX_OPERATIONS: usize = 1_000;
/// The largest body of a bulk request, in bytes (`maxPayloadSize`; RFC 7643 section 5).
pub const MAX_PAYLOAD_SIZE: usize = 1_048_576;

/// A bulk request.
#[derive(Debug, Clone)]
pub struct Request {
    /// After how many errors the remaining operations are left alone; never, if there is none.
    pub fail_on_errors: Option<u64>,
    /// The operations, in the order in which they were sent.
    pub operations: Vec<Operation>,
}

/// One operation of a bulk request.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The name of the method, as it was sent.
    pub method: Option<String>,
    /// The client's name for the resource that a POST creates, unique in the request.
    pub bulk_id: Option<String>,
    /// The path, as it was sent.
    pub path: Option<String>,
    /// What is to be done, or why it cannot be.
    pub call: Result<Call>,
}

/// What an operation does.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The type of the resource.
    pub kind: &'static ResourceType,
    /// The identifier in the path; empty for a POST.
    pub id: String,
    /// The version that the resource must have, as an `ETag`.
    pub version: Option<String>,
    /// The body that the single request would have.
    pub data: Value,
}

/// The methods of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Creates a resource.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
}

/// Reads a bulk request.
///
/// # Errors
/// `invalidSyntax` if it is no `BulkRequest`, `invalidValue` if `failOnErrors` is no whole number
/// above 0.
pub fn parse(body: Value, leniencies: &mut Leniencies) -> Result<Request> {
    let Value::Object(mut body) = body else {
        return Err(Error::invalid_syntax("the body must be a JSON object"));
    };
    if !lists_schema(&body, BULK_REQUEST) && !leniencies.allow(Leniency::MissingSchemas) {
        return Err(Error::invalid_syntax(format!("schemas must list {BULK_REQUEST}")));
    }
    let Some(Value::Array(operations)) = take_member(&mut body, "Operations") else {
        return Err(Error::invalid_syntax("Operations must be a list of operations"));
    };
    let fail_on_errors =
        match member(&body, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(limit) => Some(limit.as_u64().filter(|limit| *limit > 0).ok_or_else(|| {
                Error::invalid_value("failOnErrors must be a whole number above 0")
            })?),
        };
    let mut operations: Vec<Operation> =
        operations.into_iter().map(|operation| read(operation, leniencies)).collect();
    refuse_repeated_bulk_ids(&mut operations);
    Ok(Request { fail_on_errors, operations })
}

/// The body of the answer (section 3.7.3) with the results of operations.
pub fn response(operations: &[Value]) -> Value {
    json!({ "schemas": [BULK_RESPONSE], "Operations": operations })
}

fn read(operation: Value, leniencies: &mut Leniencies) -> Operation {
    let Value::Object(mut operation) = operation else {
        let call = Err(Error::invalid_syntax("an operation must be an object"));
        return Operation { method: None, bulk_id: None, path: None, call };
    };
    let text = |name| member(&operation, name).and_then(Value::as_str).map(str::to_owned);
    let (method, bulk_id, path) = (text("method"), text("bulkId"), text("path"));
    Operation { method, bulk_id, path, call: call(&mut operation, leniencies) }
}

fn call(operation: &mut Object, leniencies: &mut Leniencies) -> Result<Call> {
    let method = match text(operation, "method")?.map(str::to_ascii_uppercase).as_deref() {
        Some("POST") => Method::Post,
        Some("PUT") => Method::Put,
        Some("PATCH") => Method::Patch,
        Some("DELETE") => Method::Delete,
        _ => return Err(Error::invalid_syntax("method must be POST, PUT, PATCH or DELETE")),
    };
    let bulk_id = text(operation, "bulkId")?;
    if bulk_id == Some("") {
        return Err(Error::invalid_value("bulkId must not be empty"));
    }
    if method == Method::Post && bulk_id.is_none() && !leniencies.allow(Leniency::MissingBulkId) {
        return Err(Error::invalid_value("a POST needs a bulkId"));
    }
    let path = text(operation, "path")?.ok_or_else(|| Error::invalid_syntax("path is missing"))?;
    let (kind, id) = target(method, path)?;
    let id = id.to_owned();
    let version = text(operation, "version")?.map(str::to_owned);
    let data = match take_member(operation, "data") {
        _ if method == Method::Delete => Value::Null,
        Some(data @ Value::Object(_)) => data,
        _ => return Err(Error::invalid_syntax("data must be an object")),
    };
    Ok(Call { method, kind, id, version, data })
}

/// The resource type and identifier in a path such as `/Users/2819c223`.
fn target(method: Method, path: &str) -> Result<(&'static ResourceType, &str)> {
    let unknown = || Error::invalid_path(format!("{path} is no path of a resource type"));
    let (kind, rest) = ResourceType::all()
        .into_iter()
        .find_map(|kind| Some((kind, path.strip_prefix(kind.endpoint)?)))
        .filter(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
        .ok_or_else(unknown)?;
    let id = rest.strip_prefix('/').unwrap_or_default();
    match (method, id.is_empty()) {
        (Method::Post, true) => Ok((kind, id)),
        (Method::Post, false) => Err(Error::invalid_path(format!(
            "the path of a POST is that of a resource type: {}",
            kind.endpoint
        ))),
        (_, true) => Err(Error::invalid_path(format!("{path} names no resource"))),
        (_, false) if id.contains(['/', '?']) && !id.starts_with(references::PREFIX) => {
            Err(unknown())
        }
        (_, false) => Ok((kind, id)),
    }
}

/// Of operations with the same `bulkId`, references mean the first; the others are wrong.
fn refuse_repeated_bulk_ids(operations: &mut [Operation]) {
    let mut seen = std::collections::HashSet::new();
    for operation in operations {
        let Some(bulk_id) = &operation.bulk_id else { continue };
        if !seen.insert(bulk_id.clone()) && operation.call.is_ok() {
            let detail = format!("another operation has the bulkId {bulk_id}");
            operation.call = Err(Error::invalid_value(detail));
        }
    }
}

fn text<'a>(operation: &'a Object, name: &str) -> Result<Option<&'a str>> {
    match member(operation, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid_syntax(format!("{name} must be a string"))),
    }
}

#[cfg(test)]
mod tests;
