//! The two ways in which Entra writes a PATCH (E5 to E7, E12 to E18).

use serde_json::{Map, Value, json};

use super::Flavour;
use super::mapping::target;
use crate::place::{ENTERPRISE, Place};

/// What Entra writes of a role.
const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// A value that differs.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) place: Place,
    /// What the service holds; `null` if nothing.
    pub(super) held: &'a Value,
    /// What it is to hold; `null` if nothing.
    pub(super) wanted: &'a Value,
}

/// The operations for values that differ.
pub(super) fn values(flavour: Flavour, changes: &[Change]) -> Vec<Value> {
    match flavour {
        Flavour::Default => changes.iter().map(verbose).collect(),
        Flavour::Compliant => compliant(changes),
    }
}

/// One operation for each attribute, its name with a capital letter.
fn verbose(change: &Change) -> Value {
    let path = target(change.place);
    if change.wanted.is_null() {
        return match change.place {
            // The value of an address is sent along when it is removed.
            Place::Typed("emails", ..) => {
                json!({"op": "Remove", "path": path, "value": change.held})
            }
            _ => json!({"op": "Remove", "path": path}),
        };
    }
    let op = if change.held.is_null() { "Add" } else { "Replace" };
    json!({"op": op, "path": path, "value": change.wanted})
}

/// Values that have a type by their path; all others in one operation without path, whose keys are
/// paths.
fn compliant(changes: &[Change]) -> Vec<Value> {
    let (mut operations, mut added, mut replaced) = (Vec::new(), Map::new(), Map::new());
    for change in changes {
        let (path, op) =
            (target(change.place), if change.held.is_null() { "add" } else { "replace" });
        match (change.place, change.wanted) {
            (_, Value::Null) => operations.push(json!({"op": "remove", "path": path})),
            (Place::Typed(..), value) => {
                operations.push(json!({"op": op, "path": path, "value": value}));
            }
            (_, value) => {
                let object = if op == "add" { &mut added } else { &mut replaced };
                object.insert(path, value.clone());
            }
        }
    }
    for (op, object) in [("add", added), ("replace", replaced)] {
        if !object.is_empty() {
            operations.push(json!({"op": op, "value": object}));
        }
    }
    operations
}

/// E7.
pub(super) fn active(flavour: Flavour, active: bool) -> Value {
    match flavour {
        Flavour::Default => {
            let text = if active { "True" } else { "False" };
            json!({"op": "Replace", "path": "active", "value": text})
        }
        Flavour::Compliant => json!({"op": "replace", "path": "active", "value": active}),
    }
}

/// E17: what `AppRoleAssignmentsComplex` adds, as JSON in a string, or what
/// `AssertiveAppRoleAssignmentsComplex` says is all.
pub(super) fn role(flavour: Flavour, role: &str) -> Value {
    match flavour {
        Flavour::Default => {
            let id = "06b07648-ecfe-589f-9d2f-6325724a46ee";
            let text = json!({"id": id, "value": role, "displayName": role}).to_string();
            json!({"op": "Add", "path": "roles", "value": [{"value": text}]})
        }
        Flavour::Compliant => {
            let element =
                json!({"primary": false, "type": ROLE_TYPE, "display": role, "value": role});
            json!({"op": "replace", "path": "roles", "value": [element]})
        }
    }
}

/// The role of a new user, as a POST has it.
pub(super) fn posted_role(role: &str) -> Value {
    json!([{"primary": false, "type": ROLE_TYPE, "displayName": role, "value": role}])
}

/// E16: the manager is somebody, or nobody.
pub(super) fn manager(flavour: Flavour, was: Option<&str>, manager: Option<&str>) -> Value {
    let path = format!("{ENTERPRISE}:manager");
    match (flavour, manager) {
        (Flavour::Default, None) => json!({"op": "Remove", "path": path}),
        (Flavour::Compliant, None) => json!({"op": "remove", "path": path}),
        (Flavour::Default, Some(manager)) => {
            let op = if was.is_none() { "Add" } else { "Replace" };
            json!({"op": op, "path": path, "value": manager})
        }
        (Flavour::Compliant, Some(manager)) => {
            json!({"op": "replace", "value": {path: {"value": manager, "$ref": "User"}}})
        }
    }
}

/// E13.
pub(super) fn add_members(flavour: Flavour, ids: &[&String]) -> Value {
    let members: Vec<Value> = ids.iter().map(|id| json!({"$ref": null, "value": id})).collect();
    let op = if flavour == Flavour::Default { "Add" } else { "add" };
    json!([{"op": op, "path": "members", "value": members}])
}

/// E14: by default a list of values on a `Remove`, which takes away only those.
pub(super) fn remove_members(flavour: Flavour, ids: &[&String]) -> Value {
    match flavour {
        Flavour::Default => {
            let members: Vec<Value> =
                ids.iter().map(|id| json!({"$ref": null, "value": id})).collect();
            json!([{"op": "Remove", "path": "members", "value": members}])
        }
        Flavour::Compliant => ids
            .iter()
            .map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
            .collect(),
    }
}

/// E12.
pub(super) fn rename_group(flavour: Flavour, name: &str) -> Value {
    let op = if flavour == Flavour::Default { "Replace" } else { "replace" };
    json!([{"op": op, "path": "displayName", "value": name}])
}
