//! What Entra sends of a user: a POST for somebody new, and PATCH in two ways.

use serde_json::{Value, json};

use super::page::{Mapping, Page};
use super::world::{Line, World};
use crate::harness::*;

const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// Pushes every line of the guide: each table in a POST, and each line in a POST and in a PATCH as
/// Entra writes it without and with `aadOptscim062020`.
pub(super) fn push(world: &World, page: &Page) {
    for table in page.mappings() {
        if !table.choice {
            let lines = world.lines(&table.lines);
            world.expect_served(&create(world, &lines), &lines);
        }
        for mapping in table.lines {
            push_alone(world, mapping);
        }
    }
}

fn push_alone(world: &World, mapping: Mapping<'static>) {
    let line = world.lines(&[mapping]);
    world.expect_served(&create(world, &line), &line);
    for operation in [classic as fn(&Line, &str) -> Value, compliant] {
        let path = create(world, &[]);
        let line = world.lines(&[mapping]);
        world.scim.patch(&path, &json!([operation(&line[0], "Add")])).expect(200);
        world.expect_served(&path, &line);
        // What it has is written again where something else has changed.
        let before = world.scim.get(&path).expect(200);
        let again = operation(&line[0], "Replace");
        world.scim.patch(&path, &json!([again])).expect(200);
        let after = world.scim.get(&path).expect(200);
        assert_eq!(after.body, before.body, "{again} changes nothing");
    }
}

/// Somebody new: the path.
fn create(world: &World, lines: &[Line]) -> String {
    let name = world.new_name();
    let mut body = json!({"schemas": [USER, ENTERPRISE], "userName": name, "active": true,
        "externalId": format!("object-{name}"), "meta": {"resourceType": "User"}, "roles": []});
    for line in lines {
        match roles(line) {
            Some(roles) => body["roles"] = roles,
            None => line.place.put(&mut body, line.value.clone()),
        }
    }
    // Entra does not name the extensions that an administrator adds.
    body["schemas"] = json!([USER, ENTERPRISE]);
    let filter = format!("userName eq {}", body["userName"]);
    world.scim.filter("/Users", &filter).expect_empty_list();
    format!("/Users/{}", world.scim.post("/Users", &body).expect(201).id())
}

/// The roles of a POST, if the line is an expression that makes them.
fn roles(line: &Line) -> Option<Value> {
    let (expression, _) = line.source.split_once('(')?;
    let names = line.value.as_str().into_iter().flat_map(|names| names.split(", "));
    Some(match expression {
        "SingleAppRoleAssignment" => {
            json!([{"primary": true, "type": ROLE_TYPE, "value": line.value}])
        }
        "AppRoleAssignmentsComplex" => names
            .map(|name| {
                json!({"primary": false, "type": ROLE_TYPE, "displayName": name,
                "value": name})
            })
            .collect(),
        "AssertiveAppRoleAssignmentsComplex" => names
            .map(|name| {
                json!({"primary": false, "type": ROLE_TYPE, "display": name,
                "value": name})
            })
            .collect(),
        _ => return None,
    })
}

/// A PATCH of roles that looks alike in both ways.
fn role_operation(line: &Line) -> Option<Value> {
    let roles = roles(line)?;
    if line.source.starts_with("Assertive") {
        return Some(json!({"op": "replace", "path": "roles", "value": roles}));
    }
    let as_text = |role: &Value| {
        let name = &role["value"];
        let id = "06b07648-ecfe-589f-9d2f-6325724a46ee";
        json!({"value": json!({"id": id, "value": name, "displayName": name}).to_string()})
    };
    let texts: Value = roles.as_array().into_iter().flatten().map(as_text).collect();
    Some(json!({"op": "Add", "path": "roles", "value": texts}))
}

/// Without a feature flag.
fn classic(line: &Line, op: &str) -> Value {
    role_operation(line)
        .unwrap_or_else(|| json!({"op": op, "path": line.target, "value": line.value}))
}

/// With `aadOptscim062020`.
fn compliant(line: &Line, op: &str) -> Value {
    let (path, op) = (line.target, op.to_lowercase());
    if line.source.starts_with("SingleAppRoleAssignment") || line.place.selected.is_some() {
        return json!({"op": op, "path": path, "value": line.value});
    }
    if let Some(operation) = role_operation(line) {
        return operation;
    }
    let value = match (line.place.attribute.as_str(), line.value.as_str()) {
        ("manager", Some(id)) => json!({"value": id, "$ref": "User"}),
        (_, Some("True")) => json!(true),
        _ => line.value.clone(),
    };
    json!({"op": op, "value": {path: value}})
}
