//! What administrators do besides reading and changing resources: `/admin/v1`.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r33_a_role_is_copied,
    r34_restoring_a_default_role_is_reported_first,
    r34_default_roles_are_recreated,
    verbs_are_for_administrators,
    verbs_say_what_they_do_not_know,
    verbs_take_what_a_body_may_leave_out,
);

fn path_of(role: &Value) -> String {
    format!("/Roles/{}", role["id"].as_str().unwrap())
}

#[track_caller]
fn expect_code(answer: Answer, status: u16, code: &str) {
    let answer = answer.expect(status).expect_scim_content();
    let told = &answer["urn:ietf:params:scim:api:messages:headcount:2.0:Error"]["code"];
    assert_eq!(told, code, "{}", answer.story());
}

fn remove_policies(admin: &Administrator, path: &str) -> Answer {
    admin.scim.patch(path, &json!([{"op": "remove", "path": "policies"}])).expect(200)
}

fn r33_a_role_is_copied(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let agent = admin.named("/Roles", "agent");
    let copy = |body: &Value| admin.act(&format!("{}/copy", path_of(&agent)), body);
    let copied = copy(&json!({})).expect(201).expect_scim_content();
    assert_ne!(copied["id"], agent["id"]);
    assert_eq!(copied["name"], "agent (copy)");
    assert_eq!(copied["policies"], agent["policies"]);
    assert_eq!((&copied["default"], &copied["builtinLock"]), (&json!(false), &json!("none")));
    assert_eq!(copied["defaultRoleId"], Value::Null);
    assert_eq!(copied.header("location"), copied["meta"]["location"].as_str());
    assert_eq!(copied.header("etag"), Some("W/\"1\""));
    assert_eq!(scim.get(&path_of(&copied.body)).expect(200).body, copied.body);
    // A second one takes a name of its own.
    expect_code(copy(&json!({})), 409, "nameTaken");
    expect_code(copy(&json!({"name": "AGENT"})), 409, "nameTaken");
    copy(&json!({"name": " "})).expect_error(400, Some("invalidValue"));
    assert_eq!(copy(&json!({"name": "Night shift"})).expect(201)["name"], "Night shift");
    // The copy of a role that cannot be changed can.
    let master = admin.named("/Roles", "master-admin");
    let owner = admin.act(&format!("{}/copy", path_of(&master)), &json!({"name": "Owner"}));
    let owner = owner.expect(201);
    assert_eq!(owner["privileged"], true);
    remove_policies(&admin, &path_of(&owner.body));
}

fn r34_restoring_a_default_role_is_reported_first(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    scim.post("/Users", &user("ada")).expect(201);
    let employee = admin.named("/Roles", "employee");
    let path = path_of(&employee);
    let restore = format!("{path}/restore-default");
    let policies = json!([
        {"domain": "directory", "entityName": "group", "actionSet": "view"},
        {"domain": "routing", "entityName": "queue", "actionSet": "view"},
    ]);
    let change = json!([{"op": "replace", "path": "policies", "value": policies}]);
    let changed = admin.scim.patch(&path, &change).expect(200);
    let report = |done: bool| {
        json!({
            "restored": done,
            "regained": ["directory:user:view"],
            "lost": ["routing:queue:view"],
            "affectedUsers": 1,
        })
    };
    let told = admin.act(&restore, &json!({})).expect(200);
    assert_eq!(told.body, report(false));
    assert_eq!(told.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(scim.get(&path).expect(200).version(), changed.version(), "nothing was done");

    let stale = admin.verbs().with_header("If-Match", "W/\"1\"");
    stale.post(&restore, &json!({"confirm": true})).expect_error(412, None);
    assert_eq!(admin.act(&restore, &json!({"confirm": true})).expect(200).body, report(true));
    let restored = scim.get(&path).expect(200);
    assert_eq!(restored["policies"], employee["policies"]);
    assert_eq!(restored["meta"]["version"], "W/\"3\"");
    let again = admin.act(&restore, &json!({"confirm": true})).expect(200);
    assert_eq!((&again["regained"], &again["lost"]), (&json!([]), &json!([])));
    assert_eq!(scim.get(&path).expect(200).version(), restored.version(), "nothing changed");

    let own = admin.act(&format!("{path}/copy"), &json!({})).expect(201);
    for verb in ["restore-default", "compare-default"] {
        let refused = admin.act(&format!("{}/{verb}", path_of(&own.body)), &json!({}));
        expect_code(refused, 400, "customRole");
    }
}

fn r34_default_roles_are_recreated(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let agent = admin.named("/Roles", "agent");
    let own = admin.act(&format!("{}/copy", path_of(&agent)), &json!({})).expect(201);
    for role in [&agent, &own.body] {
        remove_policies(&admin, &path_of(role));
    }
    let recreate = |body: &Value| admin.act("/Roles/recreate-defaults", body).expect(200).body;
    assert_eq!(recreate(&json!({})), json!({"created": [], "restored": []}));
    assert_eq!(scim.get(&path_of(&agent)).expect(200)["policies"], Value::Null);
    let forced = json!({"force": true});
    assert_eq!(recreate(&forced), json!({"created": [], "restored": ["agent"]}));
    assert_eq!(recreate(&forced), json!({"created": [], "restored": []}));
    assert_eq!(scim.get(&path_of(&agent)).expect(200)["policies"], agent["policies"]);
    // Roles of the tenant's own are left alone.
    assert_eq!(scim.get(&path_of(&own.body)).expect(200)["policies"], Value::Null);
}

fn verbs_are_for_administrators(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let others = verbs_of(&scim);
    let nobody = verbs_of(&server.anonymous());
    for path in [&format!("{path}/copy"), "/Roles/recreate-defaults"] {
        expect_code(others.post(path, &json!({})), 403, "scopeMissing");
        // What they sent is not judged.
        expect_code(others.post(path, &json!({"unknown": 1})), 403, "scopeMissing");
        nobody.post(path, &json!({"unknown": 1})).expect_error(401, None);
        nobody.get(path).expect_error(401, None);
        admin.verbs().get(path).expect_error(405, None);
    }
    nobody.post("/Nothing/at-all", &json!({})).expect_error(401, None);
    assert_eq!(scim.get("/Roles").expect(200)["totalResults"], 7);
}

fn verbs_say_what_they_do_not_know(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let copy = format!("{path}/copy");
    admin.act(&copy, &json!({"nmae": "x"})).expect_error(400, Some("invalidValue"));
    admin.act(&copy, &json!({"name": 1})).expect_error(400, Some("invalidValue"));
    admin
        .act(&format!("{path}/compare-default"), &json!({"force": true}))
        .expect_error(400, Some("invalidValue"));
    admin.act(&copy, &json!(["x"])).expect_error(400, Some("invalidSyntax"));
    let broken = Some(("application/json", "{\"name\":"));
    admin.verbs().send("POST", &copy, broken).expect_error(400, Some("invalidSyntax"));
    let twice = Some(("application/json", "{\"name\":\"a\",\"name\":\"b\"}"));
    admin.verbs().send("POST", &copy, twice).expect_error(400, Some("invalidSyntax"));
    admin.verbs().send("POST", &copy, Some(("text/plain", "{}"))).expect_error(415, None);
    for unknown in [NOBODY, "x", "%00"] {
        let path = format!("/Roles/{unknown}/copy");
        admin.act(&path, &json!({})).expect_error(404, None);
    }
    for unknown in ["/Roles", "/Roles/fly", &format!("{path}/fly"), "/Pilots/fly", ""] {
        admin.act(unknown, &json!({})).expect_error(404, None);
    }
}

fn verbs_take_what_a_body_may_leave_out(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let path = path_of(&admin.named("/Roles", "agent"));
    let verbs = admin.verbs();
    verbs.send("POST", &format!("{path}/compare-default"), None).expect(200);
    let copied = verbs.send("POST", &format!("{path}/copy?attributes=name"), None).expect(201);
    assert_eq!((&copied["name"], &copied["policies"]), (&json!("agent (copy)"), &Value::Null));
    let body = Some(("application/scim+json", "{\"name\":null}"));
    expect_code(verbs.send("POST", &format!("{path}/copy"), body), 409, "nameTaken");
}
