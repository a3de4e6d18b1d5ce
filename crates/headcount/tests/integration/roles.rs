//! Roles: the resources, and the rules that they keep.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r25_a_tenant_begins_with_the_default_roles,
    r25_names_are_unique_without_case,
    r25_a_default_role_keeps_its_name,
    r26_policies_come_to_permissions,
    r31_a_role_is_disabled_and_enabled_again,
    r32_a_default_role_is_not_deleted,
    r32_a_role_that_somebody_has_is_deleted_by_force_only,
    r35_what_a_default_role_lacks_of_its_template_is_told,
    r41_the_master_admin_keeps_name_effect_and_permissions,
    only_an_administrator_changes_roles,
    rfc7644_3_4_2_2_roles_are_filtered,
    rfc7644_3_4_2_3_roles_are_sorted_and_paged,
    rfc7644_3_5_1_a_role_is_replaced,
    rfc7644_3_14_versions_of_roles_guard_them,
    roles_of_another_tenant_are_not_there,
);

const ROLE: &str = "urn:ietf:params:scim:schemas:headcount:2.0:Role";

const DEFAULT_ROLES: [&str; 7] = [
    "admin",
    "agent",
    "employee",
    "master-admin",
    "read-only",
    "supervisor",
    "trusted-external-user",
];

fn role(name: &str) -> Value {
    json!({
        "schemas": [ROLE],
        "name": name,
        "policies": [{"domain": "routing", "entityName": "queue", "actionSet": "view"}],
    })
}

fn path_of(role: &Value) -> String {
    format!("/Roles/{}", role["id"].as_str().unwrap())
}

fn set(path: &str, value: &Value) -> Value {
    json!([{"op": "replace", "path": path, "value": value}])
}

#[track_caller]
fn expect_code(answer: Answer, status: u16, code: &str, rule: Option<&str>) {
    let answer = answer.expect(status);
    let told = &answer["urn:ietf:params:scim:api:messages:headcount:2.0:Error"];
    assert_eq!(told["code"], code, "{}", answer.story());
    assert_eq!(told["rule"].as_str(), rule, "{}", answer.story());
}

#[track_caller]
fn expect_names(answer: Answer, expected: &[&str]) {
    let answer = answer.expect(200);
    let mut names = strings(&answer["Resources"], "name");
    names.sort_unstable();
    assert_eq!(names, expected, "{}", answer.story());
}

fn r25_a_tenant_begins_with_the_default_roles(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let list = scim.get("/Roles").expect(200);
    assert_eq!(list["totalResults"], DEFAULT_ROLES.len());
    for found in list.resources() {
        assert_eq!(found["schemas"], json!([ROLE]));
        assert_eq!(found["defaultRoleId"], found["name"]);
        assert_eq!((&found["default"], &found["state"]), (&json!(true), &json!("enabled")));
        assert_eq!(found["needsUpdate"], false);
        // Only sent to who asks.
        assert_eq!((&found["permissions"], &found["userCount"]), (&Value::Null, &Value::Null));
    }
    expect_names(list, &DEFAULT_ROLES);
}

fn rfc7644_3_4_2_2_roles_are_filtered(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.scim.post("/Roles", &role("Night shift")).expect(201);
    for (filter, expected) in [
        ("name eq \"AGENT\"", &["agent"][..]),
        ("name sw \"night\"", &["Night shift"]),
        ("privileged eq true", &["admin", "master-admin"]),
        ("default eq false", &["Night shift"]),
        ("builtinLock eq \"immutable\"", &["master-admin"]),
        ("defaultRoleId eq \"employee\"", &["employee"]),
        (
            "policies[domain eq \"routing\"]",
            &["Night shift", "admin", "agent", "supervisor", "trusted-external-user"],
        ),
        ("policies[domain eq \"routing\" and entityName eq \"*\"]", &["admin"]),
        ("state eq \"disabled\"", &[]),
    ] {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        expect_names(scim.filter("/Roles", filter), &expected);
    }
    for computed in ["userCount gt 0", "permissions eq \"directory:user:view\"", "needsUpdate pr"] {
        scim.filter("/Roles", computed).expect_error(400, Some("invalidFilter"));
    }
}

fn rfc7644_3_4_2_3_roles_are_sorted_and_paged(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut names = Vec::new();
    for start in ["1", "4", "7"] {
        let page = [
            ("sortBy", "name"),
            ("sortOrder", "descending"),
            ("startIndex", start),
            ("count", "3"),
        ];
        let page = scim.query("/Roles", &page).expect(200);
        assert_eq!(page["totalResults"], 7);
        names.extend(strings(&page["Resources"], "name").into_iter().map(str::to_owned));
    }
    names.reverse();
    assert_eq!(names, DEFAULT_ROLES);
}

fn only_an_administrator_changes_roles(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let refused = |answer: Answer| expect_code(answer, 403, "scopeMissing", None);
    refused(scim.post("/Roles", &role("Mine")));
    refused(scim.put(&path, &role("agent")));
    refused(scim.patch(&path, &set("description", &json!("x"))));
    refused(scim.delete(&path));
    let read = scim.get(&path).expect(200);
    assert_eq!(read["meta"]["version"], "W/\"1\"");
}

fn r25_names_are_unique_without_case(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let night = admin.scim.post("/Roles", &role("  Night shift ")).expect(201);
    assert_eq!(night["name"], "Night shift");
    for taken in ["NIGHT SHIFT", "Agent", " agent"] {
        let refused = admin.scim.post("/Roles", &role(taken)).expect_error(409, Some("uniqueness"));
        expect_code(refused, 409, "nameTaken", None);
    }
    let day = admin.scim.post("/Roles", &role("Day shift")).expect(201);
    let renamed = set("name", &json!("night shift"));
    admin.scim.patch(&path_of(&day.body), &renamed).expect_error(409, Some("uniqueness"));
    for wrong in [" ", "a\u{7}b", &"n".repeat(256)] {
        admin.scim.post("/Roles", &role(wrong)).expect_error(400, Some("invalidValue"));
    }
    // Who is deleted leaves the name to others.
    admin.scim.delete(&path_of(&night.body)).expect(204);
    admin.scim.patch(&path_of(&day.body), &renamed).expect(200);
}

fn r25_a_default_role_keeps_its_name(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let agent = admin.named("/Roles", "agent");
    let path = path_of(&agent);
    for name in ["Agents", "Agent"] {
        let renamed = admin.scim.patch(&path, &set("name", &json!(name)));
        expect_code(renamed, 403, "defaultRoleName", Some("R25"));
    }
    let described = admin.scim.patch(&path, &set("description", &json!("Serves"))).expect(200);
    assert_eq!(described["meta"]["version"], "W/\"2\"");
    // What the service says of it is not for clients to say.
    for attribute in ["default", "builtinLock", "defaultRoleId"] {
        let changed = admin.scim.patch(&path, &set(attribute, &json!("none")));
        changed.expect_error(400, Some("mutability"));
    }
}

fn r26_policies_come_to_permissions(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let mut body = role("Night shift");
    body["policies"] = json!([
        {"domain": "directory", "entityName": "user", "actionSet": "view, add"},
        {"domain": "directory", "entityName": "user", "actionSet": "view"},
        {"domain": "conversation", "entityName": "call", "actionSet": "accept"},
    ]);
    let created = admin.scim.post("/Roles", &body).expect(201);
    let path = path_of(&created.body);
    assert_eq!(created["requiredCapabilities"], json!(["voice"]));
    let wanted = [("attributes", "permissions,userCount")];
    let found = scim.query(&path, &wanted).expect(200);
    let expected = json!(["conversation:call:accept", "directory:user:add", "directory:user:view"]);
    assert_eq!(found["permissions"], expected);
    assert_eq!((&found["userCount"], &found["policies"]), (&json!(0), &Value::Null));
    for wrong in [
        json!({"domain": "flying", "entityName": "*", "actionSet": "*"}),
        json!({"domain": "directory", "entityName": "user", "actionSet": "fly"}),
        json!({"domain": "directory", "entityName": "user"}),
        json!({"domain": "directory", "entityName": "user", "actionSet": "view",
               "resourceCondition": "{}"}),
    ] {
        let refused = admin.scim.patch(&path, &set("policies", &json!([wrong])));
        refused.expect_error(400, Some("invalidValue"));
    }
    let none = admin.scim.patch(&path, &json!([{"op": "remove", "path": "policies"}])).expect(200);
    assert_eq!(none["requiredCapabilities"], Value::Null);
}

fn r31_a_role_is_disabled_and_enabled_again(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let disabled = admin.scim.patch(&path, &set("state", &json!("Disabled"))).expect(200);
    assert_eq!(disabled["state"], "disabled");
    expect_names(scim.filter("/Roles", "state eq \"disabled\""), &["agent"]);
    let again = admin.scim.patch(&path, &set("state", &json!("disabled"))).expect(200);
    assert_eq!(again.version(), disabled.version(), "nothing changed");
    admin.scim.patch(&path, &set("state", &json!("enabled"))).expect(200);
    let wrong = admin.scim.patch(&path, &set("state", &json!("asleep")));
    wrong.expect_error(400, Some("invalidValue"));
}

fn r32_a_default_role_is_not_deleted(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    for name in DEFAULT_ROLES {
        let path = path_of(&admin.named("/Roles", name));
        let (status, code, rule) = match name {
            "master-admin" => (403, "masterAdminRole", "R41"),
            _ => (409, "defaultRole", "R32"),
        };
        expect_code(admin.scim.delete(&path), status, code, Some(rule));
        expect_code(
            admin.act(&format!("{path}/force-delete"), &json!({})),
            status,
            code,
            Some(rule),
        );
        admin.scim.get(&path).expect(200);
    }
}

fn r32_a_role_that_somebody_has_is_deleted_by_force_only(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = path_of(&admin.scim.post("/Roles", &role("Night shift")).expect(201).body);
    let mut ada = user("ada");
    ada["roles"] = json!([{"value": "Night shift"}]);
    let ada = admin.scim.post("/Users", &ada).expect(201);
    let ada_path = format!("/Users/{}", ada.id());
    let holds = |answer: &Answer| strings(&answer["roles"], "display").contains(&"Night shift");
    assert!(holds(&ada), "{}", ada.story());
    let count = |path: &str| scim.query(path, &[("attributes", "userCount")]).expect(200);
    assert_eq!(count(&path)["userCount"], 1);

    expect_code(admin.scim.delete(&path), 409, "roleInUse", Some("R32"));
    scim.get(&path).expect(200);
    admin.act(&format!("{path}/force-delete"), &json!({})).expect(204);
    scim.get(&path).expect_error(404, None);
    let after = scim.get(&ada_path).expect(200);
    assert!(!holds(&after), "{}", after.story());
    assert_ne!(after.version(), ada.version());
}

fn r35_what_a_default_role_lacks_of_its_template_is_told(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let less = json!([{"op": "remove", "path": "policies[domain eq \"directory\"]"}]);
    assert_eq!(admin.scim.patch(&path, &less).expect(200)["needsUpdate"], true);
    assert_eq!(scim.get(&path).expect(200)["needsUpdate"], true);
    let compared = admin.act(&format!("{path}/compare-default"), &json!({})).expect(200);
    assert_eq!(compared["removed"], json!(["directory:group:view", "directory:user:view"]));
    assert_eq!((&compared["added"], &compared["needsUpdate"]), (&json!([]), &json!(true)));
    let own = admin.scim.post("/Roles", &role("agents of ours")).expect(201);
    assert_eq!(own["needsUpdate"], false);
}

fn r41_the_master_admin_keeps_name_effect_and_permissions(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let master = admin.named("/Roles", "master-admin");
    let path = path_of(&master);
    for (attribute, value) in [
        ("name", json!("Owner")),
        ("state", json!("disabled")),
        ("privileged", json!(false)),
        ("policies", json!([{"domain": "directory", "entityName": "*", "actionSet": "*"}])),
    ] {
        let refused = admin.scim.patch(&path, &set(attribute, &value));
        expect_code(refused, 403, "masterAdminRole", Some("R41"));
    }
    let emptied = admin.scim.patch(&path, &json!([{"op": "remove", "path": "policies"}]));
    expect_code(emptied, 403, "masterAdminRole", Some("R41"));
    let replaced = admin.scim.put(&path, &json!({"schemas": [ROLE], "name": "master-admin"}));
    expect_code(replaced, 403, "masterAdminRole", Some("R41"));
    // What was read can be sent back.
    let same = admin.scim.put(&path, &master).expect(200);
    assert_eq!(same["meta"]["version"], "W/\"1\"");
}

fn rfc7644_3_5_1_a_role_is_replaced(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let mut body = role("Night shift");
    body["description"] = json!("By night");
    body["privileged"] = json!(true);
    body["state"] = json!("disabled");
    let path = path_of(&admin.scim.post("/Roles", &body).expect(201).body);
    let replaced = admin.scim.put(&path, &role("Late shift")).expect(200);
    assert_eq!(replaced["name"], "Late shift");
    assert_eq!(replaced["description"], Value::Null);
    // Who does not say that it is privileged does not say that everybody may grant it.
    assert_eq!((&replaced["privileged"], &replaced["state"]), (&json!(true), &json!("enabled")));
    let agent = admin.named("/Roles", "agent");
    let changed = admin.scim.put(&path_of(&agent), &role("agent")).expect(200);
    for kept in ["default", "defaultRoleId", "builtinLock"] {
        assert_eq!(changed[kept], agent[kept], "{kept}");
    }
}

fn rfc7644_3_14_versions_of_roles_guard_them(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let created = admin.scim.post("/Roles", &role("Night shift")).expect(201);
    let path = path_of(&created.body);
    assert_eq!(created.header("etag"), Some("W/\"1\""));
    let known = scim.with_header("If-None-Match", "W/\"1\"");
    known.get(&path).expect(304);
    let guarded = admin.scim.with_header("If-Match", "W/\"1\"");
    guarded.patch(&path, &set("description", &json!("By night"))).expect(200);
    guarded.patch(&path, &set("description", &json!("By day"))).expect_error(412, None);
    guarded.delete(&path).expect_error(412, None);
    known.get(&path).expect(200);
    admin.scim.delete(&path).expect(204);
    scim.get(&path).expect_error(404, None);
}

fn roles_of_another_tenant_are_not_there(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let path = path_of(&admin.scim.post("/Roles", &role("Night shift")).expect(201).body);
    server.tenant("globex");
    let other = Administrator::of(&server, "globex");
    other.scim.get(&path).expect_error(404, None);
    other.scim.delete(&path).expect_error(404, None);
    for verb in ["copy", "compare-default", "restore-default", "force-delete"] {
        other.act(&format!("{path}/{verb}"), &json!({})).expect_error(404, None);
    }
    expect_names(other.scim.get("/Roles"), &DEFAULT_ROLES);
    other.scim.post("/Roles", &role("Night shift")).expect(201);
}
