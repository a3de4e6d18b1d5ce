//! One tenant never sees, finds or changes what belongs to another, of whatever type it is.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    acceptance_36_nothing_of_another_tenant_is_there,
    acceptance_36_names_of_another_tenant_mean_nothing,
    acceptance_36_seats_and_policies_are_each_tenant_s_own,
    acceptance_36_verbs_reach_nobody_of_another_tenant,
);

/// Two tenants with one of everything, and the paths of what the other has.
fn neighbours(database: Database) -> (Server, Administrator, Administrator, Vec<String>) {
    let (server, _, mine) = serve_admin(database);
    server.tenant("globex");
    let theirs = Administrator::of(&server, "globex");
    let voice = json!([{"media": "voice", "maxCapacity": 1}]);
    let mut paths: Vec<String> = [
        ("/Users", user("ada")),
        ("/Groups", group("Team", &[])),
        ("/Roles", json!({"name": "Helper"})),
        ("/Divisions", json!({"name": "Berlin"})),
        ("/Skills", json!({"name": "Sales"})),
        ("/CapacityRules", json!({"name": "Calls", "mediaRules": voice})),
        ("/UserTemplates", json!({"name": "Newcomer"})),
        (
            "/ProvisioningRules",
            json!({"name": "All", "filter": "title eq \"x\"", "template": "Newcomer"}),
        ),
        ("/Connections", json!({"name": "HR"})),
    ]
    .into_iter()
    .map(|(endpoint, body)| theirs.create_as(endpoint, &body))
    .collect();
    paths.push(theirs.path_of("/LicenseTiers", "CX1"));
    paths.push(format!("/Tenants/{}", tenant_id(&theirs.scim)));
    let log = theirs.scim.get("/ChangeLogEntries?count=1").expect(200);
    let entry = log["Resources"][0]["id"].as_str().expect("something happened");
    paths.push(format!("/ChangeLogEntries/{entry}"));
    (server, mine, theirs, paths)
}

fn acceptance_36_nothing_of_another_tenant_is_there(database: Database) {
    let (_server, mine, theirs, paths) = neighbours(database);
    let everything = mine.scim.get("/?count=200").expect(200);
    for path in paths {
        let before = theirs.scim.get(&path).expect(200);
        let (endpoint, id) = path.rsplit_once('/').unwrap();
        mine.scim.get(&path).expect_error(404, None);
        let by_id = format!("id eq \"{id}\"");
        mine.scim.filter(endpoint, &by_id).expect_empty_list();
        mine.scim.filter("/", &by_id).expect_empty_list();
        let search = json!({"schemas": [SEARCH_REQUEST], "filter": by_id});
        mine.scim.post(&format!("{endpoint}/.search"), &search).expect_empty_list();
        assert!(!everything.text.contains(id), "{path}: {}", everything.story());
        // What may be changed at all is not there for others; what may not is 405 for everybody.
        for refused in [
            mine.scim.put(&path, &before.body),
            mine.scim.patch(&path, &replace("externalId", "x")),
            mine.scim.delete(&path),
        ] {
            assert!(matches!(refused.status, 404 | 405), "{}", refused.story());
            if refused.status == 405 {
                assert!(matches!(endpoint, "/LicenseTiers" | "/Tenants" | "/ChangeLogEntries"));
            }
        }
        assert_eq!(theirs.scim.get(&path).expect(200).body, before.body);
    }
}

fn acceptance_36_names_of_another_tenant_mean_nothing(database: Database) {
    let (_server, mine, theirs, paths) = neighbours(database);
    let id = |endpoint: &str| {
        let path = paths.iter().find(|path| path.starts_with(endpoint)).unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    };
    for (code, body) in [
        ("unknownRole", json!({"roles": [{"value": "Helper"}]})),
        ("unknownRole", json!({"roles": [{"value": id("/Roles")}]})),
        ("unknownDivision", json!({HEADCOUNT: {"division": "Berlin"}})),
        ("unknownDivision", json!({HEADCOUNT: {"division": id("/Divisions")}})),
        ("unknownSkill", json!({HEADCOUNT: {"skillSet": "Sales=1"}})),
        ("unknownSkill", json!({HEADCOUNT: {"skills": [{"value": id("/Skills")}]}})),
        ("unknownCapacityRule", json!({HEADCOUNT: {"capacityRule": "Calls"}})),
        ("unknownCapacityRule", json!({HEADCOUNT: {"capacityRule": id("/CapacityRules")}})),
        ("unknownTemplate", json!({HEADCOUNT: {"template": "Newcomer"}})),
        ("unknownTemplate", json!({HEADCOUNT: {"template": id("/UserTemplates")}})),
    ] {
        let mut ada = user("ada");
        ada.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        mine.scim.post("/Users", &ada).expect_code(400, code, Some("R22"));
        theirs.scim.post("/Users", &with_name(ada, code)).expect(201);
    }
    // The names are free here.
    for (endpoint, name) in [("/Roles", "Helper"), ("/Divisions", "Berlin"), ("/Skills", "Sales")] {
        mine.create(endpoint, name);
    }
    mine.scim.post("/Users", &user("ada")).expect(201);
}

/// The same body with a userName that nobody has.
fn with_name(mut body: Value, prefix: &str) -> Value {
    let rest = body.to_string();
    body["userName"] = json!(format!("{prefix}{}", rest.len()));
    body
}

fn acceptance_36_seats_and_policies_are_each_tenant_s_own(database: Database) {
    let (_server, mine, theirs, _) = neighbours(database);
    mine.limit("CX1", 1);
    mine.policy("provisioning.strictRequired", true);
    for name in ["bob", "eve"] {
        theirs.scim.post("/Users", &user(name)).expect(201);
    }
    assert_eq!(mine.seats("CX1"), (0, Some(1)));
    assert_eq!(theirs.seats("CX1"), (3, None));
    mine.scim.post("/Users", &user("bob")).expect_code(400, "incomplete", Some("R10"));
}

fn acceptance_36_verbs_reach_nobody_of_another_tenant(database: Database) {
    let (_server, mine, theirs, _) = neighbours(database);
    let bob = create_user(&theirs.scim, &user("bob"));
    let gone = create_user(&theirs.scim, &user("gone"));
    theirs.scim.delete(&gone).expect(204);
    let before = theirs.scim.get(&bob).expect(200).body;
    let reason = json!({"reason": "an attack"});
    let verbs = ["deactivate", "reactivate", "restore", "erase", "approve-tier", "reject-tier"];
    for path in [&bob, &gone] {
        for verb in verbs {
            mine.act(&format!("{path}/{verb}"), &reason).expect_error(404, None);
        }
        for (verb, body) in [
            ("unlock", json!({})),
            ("activate", json!({})),
            ("send-activation", json!({})),
            ("reset-password", json!({"mode": "link"})),
            ("explain-access", json!({"permission": "routing:queue:view"})),
            ("list-dependencies", json!({})),
        ] {
            mine.act(&format!("{path}/{verb}"), &body).expect_error(404, None);
        }
    }
    let deleted = mine.act("/Users/list-deleted", &json!({})).expect(200);
    assert!(!deleted.text.contains(gone.trim_start_matches("/Users/")), "{}", deleted.story());
    assert_eq!(theirs.scim.get(&bob).expect(200).body, before);
    theirs.act(&format!("{gone}/restore"), &reason).expect(200);
}
