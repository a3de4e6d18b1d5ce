//! Divisions: the home of everybody, and what keeps one from being deleted.

use accounts::{divisions, parse_id};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r23_the_home_division_is_renamed_and_never_deleted,
    r24_a_division_in_use_is_not_deleted,
    r24_a_deleted_division_can_be_restored_unless_its_name_is_taken,
    domain_2_4_a_tenant_has_as_many_divisions_as_its_policy_says,
    domain_2_4_of_parallel_divisions_one_has_the_last_place,
    domain_2_4_names_are_trimmed_bounded_and_unique_without_case,
);

fn division(name: &str) -> Value {
    json!({"name": name})
}

fn r23_the_home_division_is_renamed_and_never_deleted(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let home = scim.filter("/Divisions", "homeDivision eq true").expect(200);
    assert_eq!(home["totalResults"], 1, "{}", home.story());
    assert_eq!(home["Resources"][0]["name"], "Home");
    let path = format!("/Divisions/{}", home["Resources"][0]["id"].as_str().unwrap());

    let refused = admin.delete(&path).expect_error(403, None);
    assert_eq!(refused[HEADCOUNT_ERROR], json!({"code": "homeDivision", "rule": "R23"}));
    let renamed = admin.patch(&path, &replace("name", "Everywhere")).expect(200);
    assert_eq!(renamed["name"], "Everywhere");
    admin.delete(&path).expect_error(403, None);
    // What is read-only stays, whatever is sent (RFC 7644 section 3.5.1).
    let put = json!({"name": "Head office", "homeDivision": false});
    let put = admin.put(&path, &put).expect(200);
    assert_eq!(put["homeDivision"], true, "{}", put.story());
    let other = json!({"name": "Berlin", "homeDivision": true});
    let other = admin.post("/Divisions", &other).expect(201);
    assert_eq!(other["homeDivision"], false, "{}", other.story());
}

fn r24_a_division_in_use_is_not_deleted(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let path =
        format!("/Divisions/{}", admin.post("/Divisions", &division("Berlin")).expect(201).id());
    let mut ada = user("ada");
    ada[ENTERPRISE] = json!({"division": "berlin"});
    ada["roles"] = json!([{"value": "agent@Berlin"}]);
    let ada = format!("/Users/{}", scim.post("/Users", &ada).expect(201).id());

    let counted = admin.get(&format!("{path}?attributes=objectCounts")).expect(200);
    assert_eq!(counted["objectCounts"], json!({"users": 1, "grants": 1}));
    assert_eq!(admin.get(&path).expect(200)["objectCounts"], Value::Null);
    let refused = admin.delete(&path).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR], json!({"code": "divisionInUse", "rule": "R24"}));
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("1 accounts and 1 grants are in the division"), "{detail}");

    // A grant alone is in the way too, that of somebody who is elsewhere.
    scim.patch(&ada, &replace(&format!("{ENTERPRISE}:division"), "Home")).expect(200);
    let refused = admin.delete(&path).expect_error(409, None);
    assert!(refused.text.contains("0 accounts and 1 grants"), "{}", refused.story());
    scim.patch(&ada, &json!([{"op": "remove", "path": "roles[value eq \"agent\"]"}])).expect(200);
    admin.delete(&path).expect(204);

    // Who is deleted is in no division and has no grant (T10).
    let path =
        format!("/Divisions/{}", admin.post("/Divisions", &division("Bonn")).expect(201).id());
    scim.patch(&ada, &replace("roles", json!([{"value": "agent@Bonn"}]))).expect(200);
    scim.patch(&ada, &replace(&format!("{ENTERPRISE}:division"), "Bonn")).expect(200);
    admin.delete(&path).expect_error(409, None);
    scim.delete(&ada).expect(204);
    admin.delete(&path).expect(204);
}

fn r24_a_deleted_division_can_be_restored_unless_its_name_is_taken(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let berlin = admin.post("/Divisions", &division("Berlin")).expect(201).id();
    let (path, id) = (format!("/Divisions/{berlin}"), parse_id(&berlin).unwrap());
    let restore = || by_rule(&server, move |tx, context| divisions::restore(tx, context, id));
    assert!(restore().is_err(), "it is not deleted");
    admin.delete(&path).expect(204);
    scim.get(&path).expect_error(404, None);
    let other = admin.post("/Divisions", &division("berlin")).expect(201).id();
    let taken = restore().unwrap_err().to_string();
    assert!(taken.starts_with("NameTaken"), "{taken}");
    scim.get(&path).expect_error(404, None);
    admin.delete(&format!("/Divisions/{other}")).expect(204);
    assert_eq!(restore().unwrap().version, 3);
    let back = scim.get(&path).expect(200);
    assert_eq!(back["name"], "Berlin");
    assert_eq!(back.version(), "W/\"3\"");
    scim.filter("/Divisions", "name eq \"BERLIN\"").expect(200);
    admin.post("/Divisions", &division("Berlin")).expect_error(409, Some("uniqueness"));
    server.command(&["verify-log"]).succeeded();
}

fn domain_2_4_a_tenant_has_as_many_divisions_as_its_policy_says(database: Database) {
    let (server, admin, _) = serve_nouns(database);
    let tenant = format!("/Tenants/{}", tenant_id(&admin));
    admin.patch(&tenant, &replace("divisions.max", 2)).expect(200);
    let berlin = admin.post("/Divisions", &division("Berlin")).expect(201).id();
    let refused = admin.post("/Divisions", &division("Paris")).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR]["code"], "tooManyDivisions");
    admin.patch(&format!("/Divisions/{berlin}"), &replace("name", "Bonn")).expect(200);
    admin.delete(&format!("/Divisions/{berlin}")).expect(204);
    admin.post("/Divisions", &division("Paris")).expect(201);
    let id = parse_id(&berlin).unwrap();
    let full = by_rule(&server, move |tx, context| divisions::restore(tx, context, id));
    assert!(full.unwrap_err().to_string().starts_with("TooManyDivisions"));
    admin.patch(&tenant, &replace("divisions.max", 3)).expect(200);
    admin.post("/Divisions", &division("Rome")).expect(201);
}

fn domain_2_4_of_parallel_divisions_one_has_the_last_place(database: Database) {
    let (_server, admin, _) = serve_nouns(database);
    let tenant = format!("/Tenants/{}", tenant_id(&admin));
    for round in 0..5 {
        let room = 2 + round;
        admin.patch(&tenant, &replace("divisions.max", room)).expect(200);
        let admin = &admin;
        let mut answers: Vec<u16> = std::thread::scope(|scope| {
            let create = |number| {
                let body = division(&format!("Division {round} {number}"));
                scope.spawn(move || admin.post("/Divisions", &body).status)
            };
            let created: Vec<_> = (0..6).map(create).collect();
            created.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        answers.sort_unstable();
        assert_eq!(answers, [201, 409, 409, 409, 409, 409]);
    }
}

fn domain_2_4_names_are_trimmed_bounded_and_unique_without_case(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let created = admin.post("/Divisions", &division("  Berlin ")).expect(201);
    assert_eq!(created["name"], "Berlin");
    admin.post("/Divisions", &division("BERLIN")).expect_error(409, Some("uniqueness"));
    for wrong in ["", "   ", "a\u{7}b", &"n".repeat(501)] {
        admin.post("/Divisions", &division(wrong)).expect_error(400, Some("invalidValue"));
    }
    admin.post("/Divisions", &division(&"n".repeat(500))).expect(201);
    scim.post("/Divisions", &division("Paris")).expect_error(403, None);
}
