//! Why an account may do something, or why not (domain model 6.1; Op24).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(op24_access_is_explained, op24_what_there_is_not_is_refused,);

const OURS: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn codes(source: &Value) -> Vec<&str> {
    strings(&source["obstacles"], "code")
}

fn op24_access_is_explained(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let role = json!({"name": "Planner", "policies": [
        {"domain": "wfm", "entityName": "*", "actionSet": "*"},
        {"domain": "directory", "entityName": "user", "actionSet": "*"}]});
    admin.scim.post("/Roles", &role).expect(201);
    for division in ["Berlin", "Paris"] {
        admin.scim.post("/Divisions", &json!({"name": division})).expect(201);
    }
    let mut body = user("ada");
    body["roles"] = json!([{"value": "Planner@Berlin"}]);
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let explain = |permission: &str, division: Option<&str>| {
        let body = json!({"permission": permission, "division": division});
        admin.act(&format!("{path}/explain-access"), &body).expect(200)
    };
    let pending = explain("directory:user:edit", Some("Berlin"));
    assert_eq!(pending["allowed"], false, "{}", pending.story());
    assert_eq!(codes(&pending["sources"][0]), ["accountNotActive"], "{}", pending.story());
    admin.act(&format!("{path}/activate"), &json!({})).expect(200);
    let allowed = explain("directory:user:edit", Some("berlin"));
    assert_eq!(allowed["allowed"], true, "{}", allowed.story());
    let source = &allowed["sources"][0];
    assert_eq!(
        (&source["role"]["display"], &source["division"]),
        (&json!("Planner"), &json!("Berlin"))
    );
    assert_eq!((&source["via"], &source["counts"]), (&json!("direct"), &json!(true)));
    let summary = allowed["summary"].as_str().unwrap();
    assert!(summary.starts_with("Allowed: role \"Planner\""), "{summary}");
    assert_eq!(explain("directory:user:edit", None)["allowed"], true);
    let elsewhere = explain("directory:user:edit", Some("Paris"));
    assert_eq!(elsewhere["allowed"], false, "{}", elsewhere.story());
    assert_eq!(codes(&elsewhere["sources"][0]), ["otherDivision"], "{}", elsewhere.story());
    scim.patch(&path, &replace(&format!("{OURS}:licenseTier"), "CX2")).expect(200);
    let no_role = explain("authorization:role:add", None);
    assert_eq!((&no_role["allowed"], &no_role["sources"]), (&json!(false), &json!([])));
    scim.patch(&path, &replace("active", false)).expect(200);
    let asleep = explain("directory:user:edit", Some("Berlin"));
    assert_eq!(codes(&asleep["sources"][0]), ["accountNotActive", "dormant"], "{}", asleep.story());
}

fn op24_what_there_is_not_is_refused(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let explain = |body: Value| admin.act(&format!("{path}/explain-access"), &body);
    explain(json!({"permission": "directory:user:fly"})).expect_error(400, Some("invalidValue"));
    explain(json!({})).expect_error(400, Some("invalidValue"));
    let unknown = explain(json!({"permission": "directory:user:edit", "division": "Atlantis"}));
    let unknown = unknown.expect_error(400, Some("invalidValue"));
    assert_eq!(unknown[HEADCOUNT_ERROR]["code"], "unknownDivision");
    let nobody = format!("/Users/{NOBODY}/explain-access");
    admin.act(&nobody, &json!({"permission": "directory:user:edit"})).expect_error(404, None);
}
