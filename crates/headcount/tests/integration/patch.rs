//! PATCH: operations in sequence, all or nothing, and what they answer.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_5_2_operations_run_in_sequence,
    rfc7644_3_5_2_patch_is_atomic,
    rfc7644_3_5_2_1_nothing_changed_keeps_version_and_time,
    rfc7644_3_5_2_user_patch_answers_the_user,
    rfc7644_3_5_2_bad_requests_are_refused,
    rfc7644_3_5_2_required_and_read_only_attributes_are_protected,
    q3_pathless_objects_hold_paths,
    q22_read_only_members_of_a_pathless_object_are_ignored,
    r2_renaming_checks_uniqueness,
);

/// The path of a new user with every common attribute.
fn ada(scim: &Client) -> (String, Answer) {
    let created = scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    (format!("/Users/{}", created.id()), created)
}

fn rfc7644_3_5_2_operations_run_in_sequence(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, _) = ada(&scim);
    let operations = json!([
        {"op": "remove", "path": "title"},
        {"op": "add", "path": "title", "value": "Lead"},
        {"op": "replace", "path": "title", "value": "Head"},
        {"op": "add", "path": "nickName", "value": "Countess"},
        {"op": "remove", "path": "nickName"},
        {"op": "replace", "path": "name.familyName", "value": "King"},
    ]);
    let patched = scim.patch(&path, &operations).expect(200);
    assert_eq!(patched["title"], "Head");
    assert!(patched["nickName"].is_null(), "{}", patched.story());
    assert_eq!(patched["name"]["familyName"], "King");
    assert_eq!(patched["name"]["givenName"], "Ada", "the rest of the name stays");
}

fn rfc7644_3_5_2_patch_is_atomic(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, created) = ada(&scim);
    scim.post("/Users", &user("taken")).expect(201);
    let broken = [
        json!({"op": "replace", "path": "emails[type eq", "value": "x"}),
        json!({"op": "replace", "path": "active", "value": "perhaps"}),
        json!({"op": "replace", "path": "userName", "value": "taken"}),
        json!({"op": "remove"}),
    ];
    for last in broken {
        let first = json!({"op": "replace", "path": "title", "value": "Head"});
        let answer = scim.patch(&path, &json!([first, last]));
        assert!((400..500).contains(&answer.status), "{}", answer.story());
        assert_eq!(scim.get(&path).expect(200).body, created.body, "after {}", answer.story());
    }
}

fn rfc7644_3_5_2_1_nothing_changed_keeps_version_and_time(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, created) = ada(&scim);
    let nothing = [
        json!([{"op": "replace", "path": "title", "value": "Agent"}]),
        json!([{"op": "add", "path": "name.givenName", "value": "Ada"}]),
        json!([{"op": "add", "path": "emails",
            "value": [{"value": "ada@example.com", "type": "work", "primary": true}]}]),
        json!([{"op": "replace", "value": {"active": true}}]),
        json!([{"op": "remove", "path": "nickName"}]),
        json!([{"op": "replace", "path": "title", "value": "Head"},
            {"op": "replace", "path": "title", "value": "Agent"}]),
    ];
    for operations in nothing {
        let answer = scim.patch(&path, &operations).expect(200);
        assert_eq!(answer.body, created.body, "{}", answer.story());
    }
    let change = json!([{"op": "replace", "path": "title", "value": "Head"}]);
    let changed = scim.patch(&path, &change).expect(200);
    assert_ne!(changed.version(), created.version());
    assert_eq!(changed["meta"]["created"], created["meta"]["created"]);
}

fn rfc7644_3_5_2_user_patch_answers_the_user(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, _) = ada(&scim);
    let change = json!([{"op": "replace", "path": "title", "value": "Head"}]);
    let patched = scim.patch(&path, &change).expect(200).expect_scim_content();
    assert_eq!(scim.get(&path).expect(200).body, patched.body);
    scim.patch(&format!("/Users/{NOBODY}"), &change).expect_error(404, None);
}

fn rfc7644_3_5_2_bad_requests_are_refused(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, created) = ada(&scim);
    let op = |operation: Value| json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let cases = [
        (op(json!({"op": "increase", "path": "title", "value": "x"})), "invalidSyntax"),
        (op(json!({"path": "title", "value": "x"})), "invalidSyntax"),
        (op(json!({"op": "remove"})), "noTarget"),
        (op(json!({"op": "replace", "path": "title[", "value": "x"})), "invalidPath"),
        (op(json!({"op": "replace", "path": "a b", "value": "x"})), "invalidPath"),
        (op(json!({"op": "replace", "path": "active", "value": "perhaps"})), "invalidValue"),
        (op(json!({"op": "replace", "path": "name", "value": [1]})), "invalidValue"),
        (op(json!({"op": "add", "path": "emails", "value": [[]]})), "invalidValue"),
        (op(json!({"op": "replace", "path": "userName", "value": ""})), "invalidValue"),
    ];
    for (body, scim_type) in cases {
        scim.json("PATCH", &path, &body).expect_error(400, Some(scim_type));
    }
    for body in [json!({"schemas": [PATCH_OP]}), json!({}), json!([])] {
        scim.json("PATCH", &path, &body).expect_error(400, Some("invalidSyntax"));
    }
    assert_eq!(scim.get(&path).expect(200).body, created.body);
}

fn rfc7644_3_5_2_required_and_read_only_attributes_are_protected(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, created) = ada(&scim);
    let removal = scim.patch(&path, &json!([{"op": "remove", "path": "userName"}])).expect(400);
    let scim_type = removal["scimType"].as_str().unwrap_or_default();
    assert!(["mutability", "invalidValue"].contains(&scim_type), "{}", removal.story());
    let unchanged = json!([{"op": "replace", "path": "meta.created",
        "value": "1999-01-01T00:00:00Z"}]);
    let _ = scim.patch(&path, &unchanged);
    let _ = scim.patch(&path, &json!([{"op": "replace", "path": "id", "value": "mine"}]));
    assert_eq!(scim.get(&path).expect(200).body, created.body);
}

fn q3_pathless_objects_hold_paths(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, _) = ada(&scim);
    let operations = json!([{"op": "replace", "value": {
        "displayName": "Bjfe",
        "name.givenName": "Kkom",
        "name.familyName": "Unua",
        format!("{ENTERPRISE}:employeeNumber"): "Aklq",
        ENTERPRISE: {"costCenter": "42"},
        "emails[type eq \"work\"].value": "new@example.com",
    }}]);
    let patched = scim.patch(&path, &operations).expect(200);
    assert_eq!(patched["displayName"], "Bjfe");
    assert_eq!(patched["name"]["givenName"], "Kkom");
    assert_eq!(patched["name"]["familyName"], "Unua");
    assert_eq!(patched[ENTERPRISE]["employeeNumber"], "Aklq");
    assert_eq!(patched[ENTERPRISE]["costCenter"], "42");
    assert_eq!(patched[ENTERPRISE]["department"], "Sales", "the rest of the extension stays");
    assert_eq!(patched["emails"][0]["value"], "new@example.com");
    assert_eq!(patched["emails"][0]["type"], "work");

    let added = json!([{"op": "add", "value": {"nickName": "K", "name": {"middleName": "M"}}}]);
    let patched = scim.patch(&path, &added).expect(200);
    assert_eq!(patched["nickName"], "K");
    assert_eq!(patched["name"]["middleName"], "M");
    assert_eq!(patched["name"]["givenName"], "Kkom");
}

fn q22_read_only_members_of_a_pathless_object_are_ignored(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, created) = ada(&scim);
    let operations = json!([{"op": "replace", "value": {
        "id": "mine", "groups": [], "schemas": [USER], "meta": {"version": "W/\"9\""},
        "title": "Head",
    }}]);
    let patched = scim.patch(&path, &operations).expect(200);
    assert_eq!(patched.id(), created.id());
    assert_eq!(patched["title"], "Head");
    assert_eq!(patched["meta"]["created"], created["meta"]["created"]);
}

fn r2_renaming_checks_uniqueness(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, _) = ada(&scim);
    scim.post("/Users", &user("Grace@example.com")).expect(201);
    let rename = |name: &str| json!([{"op": "replace", "path": "userName", "value": name}]);
    scim.patch(&path, &rename("grace@EXAMPLE.com")).expect_error(409, Some("uniqueness"));
    assert_eq!(scim.get(&path).expect(200)["userName"], "ada@example.com");
    let recased = scim.patch(&path, &rename("ADA@example.com")).expect(200);
    assert_eq!(recased["userName"], "ADA@example.com", "a name may change its case");
}
