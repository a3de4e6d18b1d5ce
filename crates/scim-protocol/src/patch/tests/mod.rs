//! Each case is a row: what the resource was, what is done, and what it is then - or why not.
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

mod identity_providers;
mod rfc7644;
mod targets;

use serde_json::{Value, json};

use super::{apply, parse};
use crate::dialect::{Dialect, Leniencies};
use crate::error::{Result, ScimType};
use crate::message::PATCH_OP;
use crate::resource;
use crate::schema::ResourceType;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const STRICT: Dialect = Dialect::Strict;
const STANDARD: Dialect = Dialect::Standard;

/// A user called `ada` with these attributes, in its kept form.
fn ada(attributes: &Value) -> Value {
    let mut body = json!({"schemas": [ResourceType::user().schema.id], "userName": "ada"});
    body.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let parsed = resource::parse(ResourceType::user(), &body, &mut Leniencies::new(STANDARD));
    Value::Object(parsed.unwrap())
}

/// `ada` with these attributes after these operations.
fn patched(before: &Value, operations: &Value, dialect: Dialect) -> Result<Value> {
    let kind = ResourceType::user();
    let mut leniencies = Leniencies::new(dialect);
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let edits = parse(kind, &body, &mut leniencies)?;
    let mut user = ada(before).as_object().unwrap().clone();
    apply(kind, &mut user, &edits, &mut leniencies)?;
    Ok(Value::Object(user))
}

/// `before`, one operation, and the attributes beside `userName` then.
#[track_caller]
fn becomes(dialect: Dialect, before: Value, operation: Value, after: Value) {
    let expected = ada(&after);
    let result = patched(&before, &json!([operation]), dialect);
    // As text: the order of the attributes is part of the kept form.
    let text = |result: Result<Value>| result.map(|user| user.to_string());
    assert_eq!(text(result), text(Ok(expected)), "{dialect}: {before} {operation}");
}

#[track_caller]
fn refused(dialect: Dialect, before: Value, operation: Value, why: ScimType) {
    let result = patched(&before, &json!([operation]), dialect);
    assert_eq!(result.map_err(|e| e.scim_type), Err(why), "{dialect}: {before} {operation}");
}

/// In the dialect of the RFC and in the one that all identity providers share.
#[track_caller]
fn becomes_in_all(before: Value, operation: Value, after: Value) {
    becomes(STRICT, before.clone(), operation.clone(), after.clone());
    becomes(STANDARD, before, operation, after);
}

#[track_caller]
fn refused_in_all(before: Value, operation: Value, why: ScimType) {
    refused(STRICT, before.clone(), operation.clone(), why);
    refused(STANDARD, before, operation, why);
}

fn add(path: &str, value: Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}

fn replace(path: &str, value: Value) -> Value {
    json!({"op": "replace", "path": path, "value": value})
}

fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}

fn work_and_home() -> Value {
    json!({"emails": [{"value": "w@x.example", "type": "work", "primary": true},
                      {"value": "h@x.example", "type": "home"}]})
}
