//! A resource type that no server has: with every data type, mutability and way of being returned,
//! and with an extension that is required and one that is not. What holds for it follows from the
//! schemas and from nothing else.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

use std::sync::OnceLock;

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::error::{Result, ScimType};
use scim_protocol::message::PATCH_OP;
use scim_protocol::schema::{Extension, ResourceType};
use scim_protocol::{patch, resource};
use serde_json::{Value, json};

pub(crate) const DEVICE: &str = "urn:example:params:scim:schemas:core:2.0:Device";
pub(crate) const INVENTORY: &str = "urn:example:params:scim:schemas:extension:inventory:2.0:Device";
pub(crate) const WARRANTY: &str = "urn:example:params:scim:schemas:extension:warranty:2.0:Device";

pub(crate) const STRICT: Dialect = Dialect::Strict;
pub(crate) const STANDARD: Dialect = Dialect::Standard;

/// The resource type.
pub(crate) fn device() -> &'static ResourceType {
    static DEVICE: OnceLock<&ResourceType> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let schema = |text| serde_json::from_str(text).unwrap();
        Box::leak(Box::new(ResourceType {
            name: "Device",
            endpoint: "/Devices",
            description: "Something with a serial number",
            schema: schema(include_str!("device.json")),
            extensions: vec![
                Extension { schema: schema(include_str!("inventory.json")), required: true },
                Extension { schema: schema(include_str!("warranty.json")), required: false },
            ],
        }))
    })
}

/// The smallest body that a device has, with these members beside.
pub(crate) fn body(members: Value) -> Value {
    let mut body = json!({
        "schemas": [DEVICE, INVENTORY, WARRANTY],
        "serial": "S-1", "name": "Scanner", (INVENTORY): {"number": "N-1"},
    });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

/// What a body becomes.
pub(crate) fn parsed(body: &Value, dialect: Dialect) -> Result<Value> {
    resource::parse(device(), body, &mut Leniencies::new(dialect)).map(Value::Object)
}

/// The kept form of the smallest device with these members.
#[track_caller]
pub(crate) fn kept(members: Value) -> Object {
    match parsed(&body(members), STRICT) {
        Ok(Value::Object(kept)) => kept,
        other => panic!("{other:?}"),
    }
}

/// A device after these operations.
pub(crate) fn patched(before: &Object, operations: Value, dialect: Dialect) -> Result<Object> {
    let mut leniencies = Leniencies::new(dialect);
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let edits = patch::parse(device(), &body, &mut leniencies)?;
    let mut after = before.clone();
    patch::apply(device(), &mut after, &edits, &mut leniencies)?;
    Ok(after)
}

/// In the dialect of the RFC and in the one that identity providers share, the smallest device
/// with the members `before` has the members `after` then.
#[track_caller]
pub(crate) fn becomes(before: Value, operation: Value, after: Value) {
    for dialect in [STRICT, STANDARD] {
        let result = patched(&kept(before.clone()), json!([operation]), dialect);
        let text = |object: Object| Value::Object(object).to_string();
        let expected = text(kept(after.clone()));
        assert_eq!(result.map(text), Ok(expected), "{dialect}: {before} {operation}");
    }
}

#[track_caller]
pub(crate) fn refused(before: Value, operation: Value, why: ScimType) {
    for dialect in [STRICT, STANDARD] {
        let result = patched(&kept(before.clone()), json!([operation]), dialect);
        let result = result.map(Value::Object).map_err(|error| error.scim_type);
        assert_eq!(result, Err(why), "{dialect}: {before} {operation}");
    }
}

pub(crate) fn add(path: &str, value: Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}

pub(crate) fn replace(path: &str, value: Value) -> Value {
    json!({"op": "replace", "path": path, "value": value})
}

pub(crate) fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}
