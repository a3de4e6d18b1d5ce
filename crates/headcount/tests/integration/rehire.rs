//! People who come back: what a POST of somebody who was there before does (domain model 4.5).

use std::thread;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    t13_rehire_4_5_the_same_external_id_brings_the_account_back,
    t13_rehire_4_5_a_deleted_account_comes_back_too,
    t13_rehire_4_5_the_same_employee_number_is_the_same_person,
    t13_the_profile_is_that_of_the_request_and_what_was_given_stays,
    t13_rehire_4_4_roles_of_the_request_apply_and_those_of_a_deleted_account_are_gone,
    t13_an_inactive_person_comes_back_without_a_seat,
    r13_without_a_seat_nobody_comes_back,
    r15_who_comes_back_may_have_another_tier,
    rehire_4_5_an_enabled_account_is_a_conflict,
    r3_rehire_4_5_other_employee_numbers_are_other_people,
    r3_rehire_4_5_two_candidates_are_a_conflict_that_names_neither,
    op5_rehire_4_5_the_same_person_comes_back_after_somebody_said_so,
    op5_rehire_4_5_a_different_person_stays_refused,
    op5_a_decision_counts_until_the_account_is_in_use,
    rehire_4_5_the_policy_may_reject_or_take_names_for_proof,
    r59_an_erased_account_leaves_nothing_in_its_cases_and_only_reserves,
    rehire_4_5_of_many_parallel_returns_one_succeeds,
    rfc7644_3_7_people_come_back_in_bulk_and_references_find_them,
    rfc7644_3_7_who_comes_back_in_a_circle_is_refused_with_it,
    rfc7644_3_7_an_ambiguous_person_in_bulk_opens_a_case,
);

const OURS: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn known_as(name: &str, external_id: Option<&str>, number: Option<&str>) -> Value {
    let mut body = user(name);
    if let Some(external_id) = external_id {
        body["externalId"] = json!(external_id);
    }
    if let Some(number) = number {
        body["schemas"] = json!([USER, ENTERPRISE]);
        body[ENTERPRISE] = json!({"employeeNumber": number});
    }
    body
}

fn path(id: &str) -> String {
    format!("/Users/{id}")
}

#[track_caller]
fn leave(scim: &Client, id: &str) {
    scim.patch(&path(id), &replace("active", false)).expect(200);
}

#[track_caller]
fn expect_code(answer: Answer, status: u16, code: &str) -> Answer {
    let answer = answer.expect(status);
    assert_eq!(answer[HEADCOUNT_ERROR]["code"], code, "{}", answer.story());
    answer
}

fn set_policy(admin: &Administrator, attribute: &str, value: impl Into<Value>) {
    let tenant = format!("/Tenants/{}", tenant_id(&admin.scim));
    admin.scim.patch(&tenant, &replace(attribute, value)).expect(200);
}

/// How many seats of a tier there are.
fn limit(admin: &Administrator, tier: &str, total: u32) {
    let found = admin.named("/LicenseTiers", tier);
    let path = format!("/LicenseTiers/{}", found["id"].as_str().unwrap());
    admin.scim.patch(&path, &replace("totalSeats", total)).expect(200);
}

fn t13_rehire_4_5_the_same_external_id_brings_the_account_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.post("/Groups", &group("Team", &[&id])).expect(201);
    leave(&scim, &id);
    let back = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201);
    assert_eq!((back.id(), &back["active"]), (id.clone(), &json!(true)), "{}", back.story());
    assert!(back.header("location").unwrap().ends_with(&id), "{}", back.story());
    assert_eq!(back[OURS]["accountState"], "pendingActivation");
    assert!(back[OURS]["seatAssignedAt"].is_string(), "a seat: {}", back.story());
    assert_eq!(back["groups"][0]["display"], "Team", "memberships were kept");
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 1);
    // Only the name under which nobody is known yet is new.
    leave(&scim, &id);
    let renamed = scim.post("/Users", &known_as("ada.l", Some("E1"), None)).expect(201);
    assert_eq!((renamed.id(), &renamed["userName"]), (id, &json!("ada.l")));
    scim.post("/Users", &known_as("ada", None, None)).expect_error(409, Some("uniqueness"));
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 0);
}

fn t13_rehire_4_5_a_deleted_account_comes_back_too(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    scim.get(&path(&id)).expect_error(404, None);
    let back = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201);
    assert_eq!((back.id(), &back["active"]), (id.clone(), &json!(true)), "{}", back.story());
    assert_eq!(back.version(), "W/\"3\"", "{}", back.story());
    scim.filter("/Users", "userName eq \"ada\"").expect_user_names(&["ada"]);
    scim.get(&path(&id)).expect(200);
    // Another connection knows nobody of this externalId.
    scim.delete(&path(&id)).expect(204);
    let other = admin.scim.post("/Users", &known_as("ada", Some("E1"), None));
    expect_code(other, 409, "rehireConfirmationRequired");
}

fn t13_rehire_4_5_the_same_employee_number_is_the_same_person(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), Some("7a"))).expect(201).id();
    leave(&scim, &id);
    let back = scim.post("/Users", &known_as("ada", Some("E2"), Some("7A"))).expect(201);
    assert_eq!((back.id(), &back["externalId"]), (id.clone(), &json!("E2")), "{}", back.story());
    scim.delete(&path(&id)).expect(204);
    let back = scim.post("/Users", &known_as("lovelace", None, Some("7a"))).expect(201);
    assert_eq!((back.id(), &back["userName"]), (id, &json!("lovelace")), "{}", back.story());
}

fn t13_the_profile_is_that_of_the_request_and_what_was_given_stays(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201);
    admin.scim.post("/Divisions", &json!({"name": "Paris"})).expect(201);
    admin.scim.post("/Skills", &json!({"name": "Sales"})).expect(201);
    let mut body = known_as("ada", Some("E1"), None);
    body["title"] = json!("Agent");
    body["schemas"] = json!([USER, OURS]);
    body[OURS] = json!({"division": "Berlin", "licenseTier": "CX2", "skillSet": "Sales=4",
        "site": "North"});
    let id = scim.post("/Users", &body).expect(201).id();
    for gone in [false, true] {
        if gone {
            scim.delete(&path(&id)).expect(204);
        } else {
            leave(&scim, &id);
        }
        let back = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201);
        assert_eq!((back.id(), &back["title"]), (id.clone(), &Value::Null), "{}", back.story());
        let ours = &back[OURS];
        assert_eq!((&ours["division"], &ours["licenseTier"]), (&json!("Berlin"), &json!("CX2")));
        assert_eq!(ours["skills"][0]["value"], "Sales", "{}", back.story());
        assert_eq!(ours["deactivationReason"], Value::Null);
    }
    leave(&scim, &id);
    body[OURS] = json!({"division": "Paris"});
    let back = scim.post("/Users", &body).expect(201);
    assert_eq!((&back["title"], &back[OURS]["division"]), (&json!("Agent"), &json!("Paris")));
    assert_eq!(back[OURS]["skills"][0]["value"], "Sales", "{}", back.story());
}

fn t13_rehire_4_4_roles_of_the_request_apply_and_those_of_a_deleted_account_are_gone(
    database: Database,
) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let with_roles = |roles: Option<&[&str]>| {
        let mut body = known_as("ada", Some("E1"), None);
        if let Some(roles) = roles {
            body["roles"] = roles.iter().map(|role| json!({"value": role})).collect();
        }
        body
    };
    let expect_roles = |roles: Option<&[&str]>, expected: &[&str]| {
        let back = scim.post("/Users", &with_roles(roles)).expect(201);
        let mut found = strings(&back["roles"], "value");
        found.sort_unstable();
        assert_eq!(found, expected, "{}", back.story());
        let grants = back[OURS]["roleGrants"].as_array().unwrap();
        assert!(grants.iter().all(|grant| grant["effective"] == true), "{}", back.story());
        back.id()
    };
    let id = expect_roles(Some(&["agent"]), &["agent", "employee"]);
    leave(&scim, &id);
    expect_roles(None, &["agent", "employee"]);
    leave(&scim, &id);
    expect_roles(Some(&["supervisor"]), &["employee", "supervisor"]);
    scim.delete(&path(&id)).expect(204);
    expect_roles(None, &["employee"]);
    scim.delete(&path(&id)).expect(204);
    assert_eq!(expect_roles(Some(&["agent"]), &["agent", "employee"]), id);
}

fn t13_an_inactive_person_comes_back_without_a_seat(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    let mut body = known_as("ada", Some("E1"), None);
    body["active"] = json!(false);
    let back = scim.post("/Users", &body).expect(201);
    assert_eq!((back.id(), &back["active"]), (id, &json!(false)), "{}", back.story());
    assert_eq!(back[OURS]["accountState"], "deactivated");
    assert_eq!(back[OURS]["seatAssignedAt"], Value::Null);
}

fn r13_without_a_seat_nobody_comes_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    leave(&scim, &id);
    limit(&admin, "CX1", 1);
    let other = scim.post("/Users", &user("grace")).expect(201).id();
    let refused = scim.post("/Users", &known_as("ada", Some("E1"), None));
    expect_code(refused, 403, "seatLimitExceeded");
    assert_eq!(scim.get(&path(&id)).expect(200)["active"], false);
    // What is taken is a conflict, whether there is a seat or not.
    expect_code(scim.post("/Users", &user("grace")), 409, "userNameTaken");
    leave(&scim, &other);
    scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201);
}

fn r15_who_comes_back_may_have_another_tier(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let with_tier = |tier: &str| {
        let mut body = known_as("ada", Some("E1"), None);
        body["schemas"] = json!([USER, OURS]);
        body[OURS] = json!({"licenseTier": tier});
        body
    };
    let id = scim.post("/Users", &with_tier("CX3")).expect(201).id();
    let refused = scim.patch(&path(&id), &replace(&format!("{OURS}:licenseTier"), "CX1"));
    expect_code(refused, 403, "downgradeRequiresApproval");
    scim.delete(&path(&id)).expect(204);
    let back = scim.post("/Users", &with_tier("CX1")).expect(201);
    assert_eq!((back.id(), &back[OURS]["licenseTier"]), (id, &json!("CX1")), "{}", back.story());
}

fn rehire_4_5_an_enabled_account_is_a_conflict(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &known_as("ada", Some("E1"), Some("7"))).expect(201);
    for (name, external_id, number, code) in [
        ("ADA", Some("E1"), Some("7"), "userNameTaken"),
        ("other", Some("E1"), None, "externalIdTaken"),
        ("other", None, Some("7"), "employeeNumberTaken"),
    ] {
        let refused = scim.post("/Users", &known_as(name, external_id, number));
        let refused = expect_code(refused, 409, code);
        assert_eq!(refused["scimType"], "uniqueness", "{}", refused.story());
    }
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 1);
}

fn r3_rehire_4_5_other_employee_numbers_are_other_people(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), Some("7"))).expect(201).id();
    for delete in [false, true] {
        if delete {
            scim.delete(&path(&id)).expect(204);
        } else {
            leave(&scim, &id);
        }
        let refused = scim.post("/Users", &known_as("ada", Some("E2"), Some("8")));
        let refused = expect_code(refused, 409, "identityReserved");
        assert!(!refused.text.contains(&id), "names nobody: {}", refused.story());
    }
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 0);
}

fn r3_rehire_4_5_two_candidates_are_a_conflict_that_names_neither(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    let grace = scim.post("/Users", &known_as("grace", Some("E2"), None)).expect(201).id();
    leave(&scim, &ada);
    scim.delete(&path(&grace)).expect(204);
    let refused = scim.post("/Users", &known_as("grace", Some("E1"), None));
    let refused = expect_code(refused, 409, "identityReserved");
    assert!(!refused.text.contains(&ada) && !refused.text.contains(&grace), "{}", refused.story());
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 0);
}

/// A person who left, and the case that somebody of the same name opened.
fn ambiguous(scim: &Client, admin: &Administrator) -> (String, String) {
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    leave(scim, &id);
    let refused = scim.post("/Users", &known_as("ada", Some("E2"), None));
    let refused = expect_code(refused, 409, "rehireConfirmationRequired");
    assert_eq!(refused["scimType"], "uniqueness");
    let again = scim.post("/Users", &known_as("Ada", Some("E2"), None));
    expect_code(again, 409, "rehireConfirmationRequired");
    let cases = admin.scim.filter("/RehireCases", "status eq \"open\"").expect(200);
    assert_eq!(cases["totalResults"], 1, "one for one request: {}", cases.story());
    let case = &cases["Resources"][0];
    let told = refused["detail"].as_str().unwrap();
    assert!(told.contains(case["id"].as_str().unwrap()), "{told}");
    let matched = &case["matchedUser"];
    assert_eq!((&matched["value"], &matched["display"]), (&json!(id), &json!("ada")));
    let address = matched["$ref"].as_str().unwrap_or_default();
    assert!(address.ends_with(&path(&id)), "{}", cases.story());
    let by_name = admin.scim.filter("/RehireCases", "matchedUser.display eq \"ADA\"").expect(200);
    assert_eq!(by_name["totalResults"], 1, "{}", by_name.story());
    assert_eq!(case["incoming"]["externalId"], "E2", "{}", cases.story());
    assert!(case["evidence"].as_str().unwrap().contains("ada"), "{}", cases.story());
    (id, format!("/RehireCases/{}", case["id"].as_str().unwrap()))
}

fn op5_rehire_4_5_the_same_person_comes_back_after_somebody_said_so(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let (id, case) = ambiguous(&scim, &admin);
    let verb = format!("{case}/same-person");
    verbs_of(&scim).json("POST", &verb, &json!({"reason": "x"})).expect_error(403, None);
    admin.act(&verb, &json!({})).expect_error(400, Some("invalidValue"));
    admin.act(&verb, &json!({"reason": " "})).expect_error(400, Some("invalidValue"));
    let closed = admin.act(&verb, &json!({"reason": "HR says so"})).expect(200);
    assert_eq!(
        (&closed["status"], &closed["reason"]),
        (&json!("approvedSame"), &json!("HR says so"))
    );
    assert!(closed["decidedBy"].is_string() && closed["decidedAt"].is_string());
    expect_code(admin.act(&verb, &json!({"reason": "x"})), 409, "caseClosed");
    let different = format!("{case}/different-person");
    expect_code(admin.act(&different, &json!({"reason": "x"})), 409, "caseClosed");
    // Somebody else of the name has not been decided about.
    let other = scim.post("/Users", &known_as("ada", Some("E3"), None));
    expect_code(other, 409, "rehireConfirmationRequired");
    let back = scim.post("/Users", &known_as("ada", Some("E2"), None)).expect(201);
    assert_eq!((back.id(), &back["externalId"]), (id, &json!("E2")), "{}", back.story());
}

fn op5_rehire_4_5_a_different_person_stays_refused(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let (id, case) = ambiguous(&scim, &admin);
    let verb = format!("{case}/different-person");
    let closed = admin.act(&verb, &json!({"reason": "a namesake"})).expect(200);
    assert_eq!(closed["status"], "approvedDifferent");
    for _ in 0..2 {
        let refused = scim.post("/Users", &known_as("ada", Some("E2"), None));
        expect_code(refused, 409, "identityReserved");
    }
    assert_eq!(scim.get(&path(&id)).expect(200)["active"], false);
    scim.post("/Users", &known_as("ada.two", Some("E2"), None)).expect(201);
}

fn op5_a_decision_counts_until_the_account_is_in_use(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    for _ in 0..2 {
        scim.delete(&path(&id)).expect(204);
        expect_code(scim.post("/Users", &user("ada")), 409, "rehireConfirmationRequired");
        let cases = admin.scim.filter("/RehireCases", "status eq \"open\"").expect(200);
        let case = cases["Resources"][0]["id"].as_str().unwrap();
        let verb = format!("/RehireCases/{case}/same-person");
        admin.act(&verb, &json!({"reason": "she is back"})).expect(200);
        assert_eq!(scim.post("/Users", &user("ada")).expect(201).id(), id);
    }
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 2);
}

fn rehire_4_5_the_policy_may_reject_or_take_names_for_proof(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    set_policy(&admin, "rehire.ambiguous", "reject");
    expect_code(scim.post("/Users", &user("ada")), 409, "identityReserved");
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 0);
    set_policy(&admin, "rehireMatch", json!(["externalId", "employeeNumber", "email"]));
    assert_eq!(scim.post("/Users", &user("ada")).expect(201).id(), id);
}

fn r59_an_erased_account_leaves_nothing_in_its_cases_and_only_reserves(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (id, case) = ambiguous(&scim, &admin);
    scim.delete(&path(&id)).expect(204);
    let erase = format!("/Users/{id}/erase");
    admin.act(&erase, &json!({"reason": "a request of the person"})).expect(204);
    let left = admin.scim.get(&case).expect(200);
    assert_eq!((&left["incoming"], &left["evidence"]), (&Value::Null, &Value::Null));
    assert_eq!(left["status"], "expired", "{}", left.story());
    for (name, external_id) in [("ada", "E2"), ("ada", "E1")] {
        let refused = scim.post("/Users", &known_as(name, Some(external_id), None));
        expect_code(refused, 409, "identityReserved");
    }
    // The files of SQLite have what was written in the last minutes until they are tidied up.
    if database == Database::Postgres {
        assert!(!server.database().dump().contains("owns userName ada"), "the evidence is gone");
    }
    server.command(&["verify-log"]).succeeded();
}

fn rehire_4_5_of_many_parallel_returns_one_succeeds(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    limit(&admin, "CX1", 1);
    let scim = &scim;
    let create = move || scim.post("/Users", &known_as("ada", Some("E1"), None));
    let answers = thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|one| one.join().expect("it ends")).collect::<Vec<_>>()
    });
    let created: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(created.len(), 1, "one of them");
    assert_eq!(created[0].id(), id);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 49);
    assert_eq!(scim.get(&path(&id)).expect(200).version(), "W/\"3\"");
}

fn bulk(operations: &Value) -> Value {
    json!({"schemas": [BULK_REQUEST], "Operations": operations})
}

fn rfc7644_3_7_people_come_back_in_bulk_and_references_find_them(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    let mut managed = user("grace");
    managed["schemas"] = json!([USER, ENTERPRISE]);
    managed[ENTERPRISE] = json!({"manager": {"value": "bulkId:ada"}});
    let team = group("Team", &["bulkId:ada"]);
    let title = json!({"schemas": [PATCH_OP], "Operations": replace("title", "Lead")});
    let done = scim.post(
        "/Bulk",
        &bulk(&json!([
            {"method": "POST", "path": "/Groups", "bulkId": "team", "data": team},
            {"method": "POST", "path": "/Users", "bulkId": "grace", "data": managed},
            {"method": "PATCH", "path": "/Users/bulkId:ada", "data": title},
            {"method": "POST", "path": "/Users", "bulkId": "ada",
                "data": known_as("ada", Some("E1"), None)},
        ])),
    );
    let done = done.expect(200);
    assert_eq!(strings(&done["Operations"], "status"), ["201", "201", "200", "201"]);
    let locations = strings(&done["Operations"], "location");
    assert!(locations[2].ends_with(&id) && locations[3].ends_with(&id), "{}", done.story());
    let back = scim.get(&path(&id)).expect(200);
    assert_eq!((&back["title"], &back["groups"][0]["display"]), (&json!("Lead"), &json!("Team")));
    let grace = scim.filter("/Users", "userName eq \"grace\"").expect(200);
    assert_eq!(grace["Resources"][0][ENTERPRISE]["manager"]["value"], *id, "{}", grace.story());
}

fn rfc7644_3_7_who_comes_back_in_a_circle_is_refused_with_it(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let with_manager = |name: &str, external_id: &str, manager: &str| {
        let mut body = known_as(name, Some(external_id), None);
        body["schemas"] = json!([USER, ENTERPRISE]);
        body[ENTERPRISE] = json!({"manager": {"value": manager}});
        body
    };
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    scim.delete(&path(&id)).expect(204);
    let done = scim.post(
        "/Bulk",
        &bulk(&json!([
            {"method": "POST", "path": "/Users", "bulkId": "grace",
                "data": with_manager("grace", "E2", "bulkId:ada")},
            {"method": "POST", "path": "/Users", "bulkId": "ada",
                "data": with_manager("ada", "E1", "bulkId:grace")},
        ])),
    );
    let done = done.expect(200);
    // Each above the other: both are refused, and nothing stays.
    let statuses = strings(&done["Operations"], "status");
    assert_eq!(statuses.len(), 2, "{}", done.story());
    assert!(done.text.contains("managerCycle"), "found, and refused: {}", done.story());
    assert!(statuses.iter().all(|status| *status != "201"), "{}", done.story());
    scim.get(&path(&id)).expect_error(404, None);
    scim.get("/Users").expect_empty_list();
}

fn rfc7644_3_7_an_ambiguous_person_in_bulk_opens_a_case(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &known_as("ada", Some("E1"), None)).expect(201).id();
    leave(&scim, &id);
    let operations = json!([
        {"method": "POST", "path": "/Users", "bulkId": "ada",
            "data": known_as("ada", Some("E2"), None)},
        {"method": "POST", "path": "/Groups", "bulkId": "t", "data": group("T", &["bulkId:ada"])},
        {"method": "POST", "path": "/Users", "bulkId": "grace", "data": user("grace")},
    ]);
    let done = scim.post("/Bulk", &bulk(&operations)).expect(200);
    assert_eq!(strings(&done["Operations"], "status"), ["409", "409", "201"]);
    let error = &done["Operations"][0]["response"];
    assert_eq!(error[HEADCOUNT_ERROR]["code"], "rehireConfirmationRequired", "{}", done.story());
    let cases = admin.scim.get("/RehireCases").expect(200);
    assert_eq!(cases["totalResults"], 1, "{}", cases.story());
    let case = cases["Resources"][0]["id"].as_str().unwrap();
    let verb = format!("/RehireCases/{case}/same-person");
    admin.act(&verb, &json!({"reason": "she is back"})).expect(200);
    let done = scim.post("/Bulk", &bulk(&json!([operations[0], operations[1]]))).expect(200);
    assert_eq!(strings(&done["Operations"], "status"), ["201", "201"], "{}", done.story());
    assert_eq!(scim.get(&path(&id)).expect(200)["groups"][0]["display"], "T");
}
