//! Accounts of people who left, brought back by PUT and PATCH under what may be another person's
//! identity: decided as a POST is (rule R3, domain model 4.5).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r3_rehire_4_5_nobody_is_reactivated_as_another_person,
    r3_rehire_4_5_nobody_becomes_another_person,
    op5_rehire_4_5_a_reactivation_that_nobody_can_judge_waits_for_a_decision,
    t11_rehire_4_5_a_reactivation_that_contradicts_nothing_is_believed,
    rehire_4_5_an_administrator_decides_by_doing_it,
    rfc7644_3_7_a_reactivation_in_bulk_opens_a_case,
);

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// Somebody with a name of their own, an externalId and an employeeNumber; both begin with the name.
fn known_as(name: &str, external_id: Option<&str>, number: Option<&str>) -> Value {
    let own = |text: &str| format!("{name}-{text}");
    let mut body = user(name);
    body["active"] = json!(true);
    if let Some(external_id) = external_id {
        body["externalId"] = json!(own(external_id));
    }
    if let Some(number) = number {
        body[ENTERPRISE] = json!({"employeeNumber": own(number)});
    }
    body
}

/// Somebody who left: the path.
fn left(scim: &Client, body: &Value) -> String {
    let path = create_user(scim, body);
    scim.patch(&path, &replace("active", false)).expect(200);
    path
}

/// What a client sends to an account that it found by its name.
type Way = fn(&Client, &str, &Value) -> Answer;

const WAYS: [(&str, Way); 2] = [("put", by_put), ("patch", by_patch)];

/// As Okta does.
fn by_put(scim: &Client, path: &str, body: &Value) -> Answer {
    scim.put(path, body)
}

/// As Entra does.
fn by_patch(scim: &Client, path: &str, body: &Value) -> Answer {
    let mut values = json!({"active": true});
    if let Some(external_id) = body["externalId"].as_str() {
        values["externalId"] = json!(external_id);
    }
    if let Some(number) = body[ENTERPRISE]["employeeNumber"].as_str() {
        values[format!("{ENTERPRISE}:employeeNumber")] = json!(number);
    }
    scim.patch(path, &json!([{"op": "replace", "value": values}]))
}

fn r3_rehire_4_5_nobody_is_reactivated_as_another_person(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = left(&scim, &known_as("ada", Some("E1"), Some("7")));
    for (_, way) in WAYS {
        let refused = way(&scim, &path, &known_as("ada", Some("E2"), Some("8")));
        let refused = refused.expect_code(409, "identityReserved", Some("R3"));
        assert_eq!(refused["scimType"], "uniqueness", "{}", refused.story());
    }
    let kept = scim.get(&path).expect(200);
    assert_eq!((&kept["active"], &kept["externalId"]), (&json!(false), &json!("ada-E1")));
    assert_eq!(admin.scim.get("/RehireCases").expect(200)["totalResults"], 0);
}

fn r3_rehire_4_5_nobody_becomes_another_person(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    // As an application of Okta's network does: first it reactivates, then it pushes the profile.
    for active in [true, false] {
        let name = format!("ada-{active}");
        let mut other = known_as(&name, Some("E2"), Some("8"));
        other["active"] = json!(active);
        let path = create_user(&scim, &known_as(&name, Some("E1"), Some("7")));
        activate(&server, &path);
        scim.patch(&path, &replace("active", false)).expect(200);
        scim.patch(&path, &replace("active", active)).expect(200);
        scim.put(&path, &other).expect_code(409, "identityReserved", Some("R3"));
        let kept = scim.get(&path).expect(200);
        assert_eq!(kept["externalId"], format!("{name}-E1"), "{}", kept.story());
    }
}

fn op5_rehire_4_5_a_reactivation_that_nobody_can_judge_waits_for_a_decision(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for (name, way) in WAYS {
        for (decision, status) in [("same-person", 200), ("different-person", 409)] {
            let of = |external_id| known_as(&format!("{name}-{decision}"), external_id, None);
            let path = left(&scim, &of(Some("E1")));
            let wanted = of(Some("E2"));
            for _ in 0..2 {
                let refused = way(&scim, &path, &wanted);
                refused.expect_code(409, "rehireConfirmationRequired", None);
            }
            let cases = admin.scim.filter("/RehireCases", "status eq \"open\"").expect(200);
            assert_eq!(cases["totalResults"], 1, "one for one request: {}", cases.story());
            let case = &cases["Resources"][0];
            assert_eq!(format!("/Users/{}", case["matchedUser"]["value"].as_str().unwrap()), path);
            assert_eq!(case["incoming"]["externalId"], wanted["externalId"], "{}", cases.story());
            let verb = format!("/RehireCases/{}/{decision}", case["id"].as_str().unwrap());
            admin.act(&verb, &json!({"reason": "asked"})).expect(200);
            way(&scim, &path, &wanted).expect(status);
            let user = scim.get(&path).expect(200);
            assert_eq!(user["active"], status == 200, "{}", user.story());
        }
    }
}

fn t11_rehire_4_5_a_reactivation_that_contradicts_nothing_is_believed(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    // The provider made its object anew, or the number was wrong, or it said less before.
    let all = [
        [(Some("E1"), Some("7")), (Some("E2"), Some("7"))],
        [(Some("E1"), Some("7")), (Some("E1"), Some("8"))],
        [(Some("E1"), None), (Some("E1"), Some("9"))],
        [(None, None), (Some("E1"), None)],
        [(Some("E1"), Some("7")), (None, None)],
    ];
    for (name, way) in WAYS {
        for (turn, [(id, number), (then_id, then_number)]) in all.into_iter().enumerate() {
            let name = format!("{name}{turn}");
            let path = left(&scim, &known_as(&name, id, number));
            let then = known_as(&name, then_id, then_number);
            assert_eq!(way(&scim, &path, &then).expect(200)["active"], true);
            // Of an account that nobody has used yet each may be corrected.
            for (id, number) in [(Some("E5"), then_number), (Some("E5"), Some("5"))] {
                let corrected = way(&scim, &path, &known_as(&name, id, number)).expect(200);
                assert_eq!(corrected["externalId"], format!("{name}-E5"));
            }
        }
    }
}

fn rehire_4_5_an_administrator_decides_by_doing_it(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = left(&scim, &known_as("ada", None, Some("7")));
    let other = known_as("ada", None, Some("8"));
    by_patch(&scim, &path, &other).expect_code(409, "identityReserved", Some("R3"));
    assert_eq!(by_patch(&admin.scim, &path, &other).expect(200)["active"], true);
}

fn rfc7644_3_7_a_reactivation_in_bulk_opens_a_case(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = left(&scim, &known_as("ada", Some("E1"), None));
    let request = json!({"schemas": [BULK_REQUEST], "Operations": [
        {"method": "PUT", "path": path, "data": known_as("ada", Some("E2"), None)},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob")}]});
    let done = scim.post("/Bulk", &request).expect(200);
    let first = &done["Operations"][0];
    assert_eq!(first["response"][HEADCOUNT_ERROR]["code"], "rehireConfirmationRequired");
    assert_eq!(done["Operations"][1]["status"], "201", "{}", done.story());
    let cases = admin.scim.filter("/RehireCases", "status eq \"open\"").expect(200);
    assert_eq!(cases["totalResults"], 1, "{}", cases.story());
    let told = first["response"]["detail"].as_str().unwrap();
    assert!(told.contains(cases["Resources"][0]["id"].as_str().unwrap()), "{told}");
}
