//! Bulk requests (RFC 7644 section 3.7).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_7_every_method_on_every_type,
    rfc7644_3_7_a_failed_operation_is_undone_alone,
    rfc7644_3_7_2_references_forward_and_backward_in_data_and_paths,
    rfc7644_3_7_1_a_circle_of_references_is_resolved,
    rfc7644_3_7_1_a_circle_of_managers_is_refused,
    rfc7644_3_7_1_a_circle_that_a_rule_refuses_leaves_nothing,
    rfc7644_3_7_1_references_that_cannot_be_resolved_are_409,
    rfc7644_3_7_requests_that_want_the_same_in_any_order_all_end,
    rfc7644_3_7_3_fail_on_errors_ends_the_job,
    rfc7644_3_7_3_results_have_what_the_rfc_asks_for,
    rfc7644_3_7_3_what_is_wrong_with_one_operation_is_its_own,
    rfc7644_3_7_4_limits_are_413_and_named,
    rfc7644_3_7_versions_are_preconditions,
    rfc7644_3_7_what_is_no_bulk_request_is_refused,
    r3_r7_r78_rules_hold_in_bulk_as_in_single_requests,
    rfc7644_3_7_3_an_operation_that_changes_nothing_keeps_the_version,
);

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

fn request(operations: &Value) -> Value {
    json!({"schemas": [BULK_REQUEST], "Operations": operations})
}

/// The results of operations.
#[track_caller]
fn bulk(scim: &Client, operations: &Value) -> Vec<Value> {
    let answer = scim.post("/Bulk", &request(operations)).expect(200).expect_scim_content();
    assert_eq!(answer["schemas"], json!([BULK_RESPONSE]), "{}", answer.story());
    answer["Operations"].as_array().expect("results are a list").clone()
}

fn post(path: &str, bulk_id: &str, data: impl Into<Value>) -> Value {
    json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": data.into()})
}

fn change(method: &str, path: &str, data: impl Into<Value>) -> Value {
    json!({"method": method, "path": path, "data": data.into()})
}

fn patch(path: &str, operations: impl Into<Value>) -> Value {
    change("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": operations.into()}))
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().expect("it is a string")).collect()
}

/// The path of the resource of a result, below the base URL.
#[track_caller]
fn path_of(scim: &Client, result: &Value) -> String {
    let location = result["location"].as_str().unwrap_or_else(|| panic!("no location: {result}"));
    location.strip_prefix(scim.base_url()).expect("it is below the base URL").to_owned()
}

#[track_caller]
fn id_of(scim: &Client, result: &Value) -> String {
    let path = path_of(scim, result);
    path.rsplit('/').next().expect("it has segments").to_owned()
}

fn rfc7644_3_7_every_method_on_every_type(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let created = bulk(
        &scim,
        &json!([
            post("/Users", "ada", user("ada")),
            post("/Users", "bob", user("bob")),
            post("/Groups", "team", group("Team", &[])),
            post("/Groups", "other", group("Other", &[])),
        ]),
    );
    assert_eq!(statuses(&created), ["201"; 4]);
    let [ada, bob, team, other] = [0, 1, 2, 3].map(|at| path_of(&scim, &created[at]));
    let ada_id = id_of(&scim, &created[0]);
    let changed = bulk(
        &scim,
        &json!([
            patch(&ada, json!([{"op": "add", "path": "title", "value": "Agent"}])),
            change("PUT", &bob, json!({"schemas": [USER], "userName": "robert"})),
            patch(&team, json!([{"op": "add", "path": "members", "value": [{"value": ada_id}]}])),
            change("PUT", &other, group("Others", &[&ada_id])),
        ]),
    );
    assert_eq!(statuses(&changed), ["200"; 4], "{changed:?}");
    assert_eq!(scim.get(&ada).expect(200)["title"], "Agent");
    assert_eq!(scim.get(&bob).expect(200)["userName"], "robert");
    assert_eq!(member_ids(&scim.get(&team).expect(200).body), [ada_id.as_str()]);
    assert_eq!(scim.get(&other).expect(200)["displayName"], "Others");
    let deleted = bulk(
        &scim,
        &json!([{"method": "DELETE", "path": ada}, {"method": "DELETE", "path": team}]),
    );
    assert_eq!(statuses(&deleted), ["204"; 2]);
    scim.get(&ada).expect_error(404, None);
    scim.get(&team).expect_error(404, None);
}

fn rfc7644_3_7_a_failed_operation_is_undone_alone(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    scim.post("/Users", &person("Ada", "L", "ada@example.com")).expect(201);
    // Its name is claimed before its address is refused.
    let mut taken = person("Bob", "B", "ada@example.com");
    taken["userName"] = json!("bob");
    let results = bulk(
        &scim,
        &json!([
            post("/Users", "1", user("before")),
            post("/Users", "2", taken),
            post("/Users", "3", user("bob")),
            post("/Groups", "4", group("Team", &[])),
            post("/Groups", "5", group("TEAM", &[])),
            post("/Groups", "6", group("After", &[])),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "409", "201", "201", "409", "201"], "{results:?}");
    scim.get("/Users?sortBy=userName").expect_user_names(&["ada@example.com", "before", "bob"]);
    let groups = scim.get("/Groups?sortBy=displayName").expect(200);
    assert_eq!(strings(&groups["Resources"], "displayName"), ["After", "Team"]);
}

fn rfc7644_3_7_2_references_forward_and_backward_in_data_and_paths(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let results = bulk(
        &scim,
        &json!([
            // Forward, to a user that comes later.
            post("/Groups", "team", group("Team", &["bulkId:ada", "bulkId:bob"])),
            post("/Users", "ada", user("ada")),
            post(
                "/Users",
                "bob",
                json!({
                    "schemas": [USER, ENTERPRISE], "userName": "bob",
                    ENTERPRISE: {"manager": {"value": "bulkId:ada"}},
                })
            ),
            // In the path of the operation, and in the path of the PATCH.
            patch(
                "/Groups/bulkId:team",
                json!([
                    {"op": "remove", "path": "members[value eq \"bulkId:bob\"]"},
                ])
            ),
            change(
                "PUT",
                "/Users/bulkId:ada",
                json!({
                    "schemas": [USER], "userName": "ada", "nickName": "Countess",
                })
            ),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "201", "201", "200", "200"], "{results:?}");
    let (ada, bob) = (id_of(&scim, &results[1]), id_of(&scim, &results[2]));
    let team = scim.get(&path_of(&scim, &results[0])).expect(200);
    assert_eq!(member_ids(&team.body), [ada.as_str()], "{}", team.story());
    let bob = scim.get(&format!("/Users/{bob}")).expect(200);
    assert_eq!(bob[ENTERPRISE]["manager"]["value"], ada, "{}", bob.story());
    assert_eq!(scim.get(&format!("/Users/{ada}")).expect(200)["nickName"], "Countess");
    assert_eq!(path_of(&scim, &results[4]), format!("/Users/{ada}"));
    assert_eq!(results[0]["bulkId"], "team");
}

/// A user whose page is beside that of another.
fn beside(name: &str, other: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "title": name,
           "profileUrl": format!("https://people.example/bulkId:{other}")})
}

fn with_manager(name: &str, manager: &str) -> Value {
    json!({"schemas": [USER, ENTERPRISE], "userName": name,
           ENTERPRISE: {"department": name, "manager": {"value": manager}}})
}

fn rfc7644_3_7_1_a_circle_of_references_is_resolved(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    // A version is nothing to a POST.
    let mut ada = post("/Users", "ada", beside("ada", "bob"));
    ada["version"] = json!("W/\"9\"");
    let results = bulk(
        &scim,
        &json!([
            ada,
            post("/Users", "eve", beside("eve", "eve")),
            post("/Users", "bob", beside("bob", "ada")),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "201", "201"], "{results:?}");
    for (one, other) in [(0, 2), (2, 0), (1, 1)] {
        let user = scim.get(&path_of(&scim, &results[one])).expect(200);
        let page = format!("https://people.example/{}", id_of(&scim, &results[other]));
        assert_eq!(user["profileUrl"], page, "{}", user.story());
        assert!(user["title"].is_string(), "{}", user.story());
        assert_eq!(user.version(), results[one]["version"], "{}", user.story());
    }
}

fn rfc7644_3_7_1_a_circle_of_managers_is_refused(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let results = bulk(
        &scim,
        &json!([
            post("/Users", "ada", with_manager("ada", "bulkId:bob")),
            post("/Users", "eve", with_manager("eve", "bulkId:eve")),
            post("/Users", "bob", with_manager("bob", "bulkId:ada")),
        ]),
    );
    // One of them breaks the rule, and the other cannot be without it.
    let mut circle = [&results[0], &results[2]];
    circle.sort_by_key(|result| result["status"].as_str());
    assert_eq!(circle.map(|result| result["status"].as_str()), [Some("400"), Some("409")]);
    let told = &circle[0]["response"][HEADCOUNT_ERROR];
    assert_eq!(told["code"], "managerCycle", "{results:?}");
    scim.get("/Users").expect_user_names(&["eve"]);
    // Who is their own manager has none.
    assert_eq!(results[1]["status"], "201");
    let eve = scim.get(&path_of(&scim, &results[1])).expect(200);
    assert_eq!(eve[ENTERPRISE].get("manager"), None, "{}", eve.story());
    assert_eq!(eve[ENTERPRISE]["department"], "eve");
}

fn rfc7644_3_7_1_a_circle_that_a_rule_refuses_leaves_nothing(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let results = bulk(
        &scim,
        &json!([
            post("/Groups", "a", group("Group A", &["bulkId:b"])),
            post("/Users", "ada", user("ada")),
            post("/Groups", "b", group("Group B", &["bulkId:a"])),
        ]),
    );
    // A group cannot hold itself through another; the other is not created without it, not even
    // where a member that does not exist is dropped.
    let mut circle = [results[0]["status"].as_str(), results[2]["status"].as_str()];
    circle.sort_unstable();
    assert_eq!(circle, [Some("400"), Some("409")], "{results:?}");
    assert_eq!(results[1]["status"], "201");
    scim.get("/Groups").expect_empty_list();
}

fn rfc7644_3_7_1_references_that_cannot_be_resolved_are_409(database: Database) {
    // Not even where a member that does not exist is dropped.
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("taken")).expect(201);
    let results = bulk(
        &scim,
        &json!([
            post("/Groups", "unknown", group("Unknown", &["bulkId:nobody"])),
            post("/Users", "failed", user("taken")),
            post("/Groups", "dependent", group("Dependent", &["bulkId:failed"])),
            patch("/Groups/bulkId:dependent", json!([{"op": "remove", "path": "members"}])),
            post("/Users", "wrong", json!({"schemas": [USER], "userName": 7.5})),
            change("PUT", "/Users/bulkId:wrong", user("wrong")),
        ]),
    );
    assert_eq!(statuses(&results), ["409", "409", "409", "409", "400", "409"], "{results:?}");
    for (at, name) in [(0, "nobody"), (2, "failed"), (3, "dependent"), (5, "wrong")] {
        let detail = results[at]["response"]["detail"].as_str().expect("it has a detail");
        assert!(detail.contains(name), "{detail}");
    }
    scim.get("/Groups").expect_empty_list();
    scim.get("/Users").expect_user_names(&["taken"]);
}

fn rfc7644_3_7_requests_that_want_the_same_in_any_order_all_end(database: Database) {
    let (server, scim) = serve(database, Dialect::Strict);
    let tenant = server.tenant("other");
    let names: Vec<String> = (0..60).map(|number| format!("user{number}")).collect();
    let operations = |number: usize| {
        let mut ordered: Vec<&String> = names.iter().collect();
        ordered.rotate_left(number * 9);
        if number % 2 == 1 {
            ordered.reverse();
        }
        ordered.into_iter().map(|name| post("/Users", name, user(name))).collect::<Value>()
    };
    let results: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let work = |number| {
            let (scim, operations) = (&scim, operations(number));
            scope.spawn(move || bulk(scim, &operations))
        };
        let workers: Vec<_> = (0..6).map(work).collect();
        workers.into_iter().map(|worker| worker.join().expect("it ends")).collect()
    });
    let created = results.iter().flatten().filter(|result| result["status"] == "201").count();
    assert_eq!(created, names.len());
    // Another tenant's are not in their way.
    assert_eq!(statuses(&bulk(&tenant.client(Dialect::Strict), &operations(0))), ["201"; 60]);
}

fn rfc7644_3_7_3_fail_on_errors_ends_the_job(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let operations = json!([
        post("/Users", "1", user("one")),
        {"method": "DELETE", "path": format!("/Users/{NOBODY}")},
        post("/Users", "3", user("three")),
        {"method": "DELETE", "path": format!("/Groups/{NOBODY}")},
        post("/Users", "5", user("five")),
    ]);
    let mut body = request(&operations);
    body["failOnErrors"] = json!(2);
    let answer = scim.post("/Bulk", &body).expect(200);
    let results = answer["Operations"].as_array().expect("it is a list");
    assert_eq!(statuses(results), ["201", "404", "201", "404"], "{}", answer.story());
    scim.get("/Users").expect_user_names(&["one", "three"]);
    for wrong in [json!(0), json!(-1), json!("2"), json!(1.5)] {
        body["failOnErrors"] = wrong;
        scim.post("/Bulk", &body).expect_error(400, Some("invalidValue"));
    }
    scim.get("/Users").expect_user_names(&["one", "three"]);
}

fn rfc7644_3_7_3_results_have_what_the_rfc_asks_for(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let results = bulk(
        &scim,
        &json!([
            post("/Users", "ada", user("ada")),
            post("/Users", "again", user("ADA")),
            {"method": "DELETE", "path": format!("/Users/{NOBODY}")},
        ]),
    );
    let created = scim.get(&path_of(&scim, &results[0])).expect(200);
    assert_eq!(
        results[0],
        json!({"location": created["meta"]["location"], "method": "POST", "bulkId": "ada",
               "version": created["meta"]["version"], "status": "201"})
    );
    let failed = &results[1];
    assert!(failed.get("location").is_none() && failed.get("version").is_none(), "{failed}");
    assert_eq!((&failed["method"], &failed["bulkId"]), (&json!("POST"), &json!("again")));
    assert_eq!(failed["response"]["schemas"], json!([ERROR]));
    assert_eq!(failed["response"]["status"], "409");
    assert_eq!(failed["response"]["scimType"], "uniqueness");
    let missing = &results[2];
    assert_eq!(path_of(&scim, missing), format!("/Users/{NOBODY}"));
    assert_eq!(missing["response"]["status"], "404");
}

fn rfc7644_3_7_3_what_is_wrong_with_one_operation_is_its_own(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let results = bulk(
        &scim,
        &json!([
            "POST",
            {"method": "GET", "path": "/Users"},
            {"method": "POST", "path": "/Users", "data": user("ada")},
            {"method": "PUT", "path": "/Users", "data": user("ada")},
            {"method": "DELETE", "path": "/Me"},
            {"method": "PATCH", "path": format!("/Users/{NOBODY}")},
            post("/Users", "1", json!({"schemas": [USER]})),
            post("/Users", "1", user("twice")),
            patch("/Users/x", json!([{"op": "add", "path": "nonsense", "value": 1}])),
            {"method": "DELETE", "path": "/Users/x"},
            post("/Users", "2", user("good")),
        ]),
    );
    let expected = ["400", "400", "400", "400", "400", "400", "400", "400", "404", "404", "201"];
    assert_eq!(statuses(&results), expected, "{results:?}");
    scim.get("/Users").expect_user_names(&["good"]);
}

fn rfc7644_3_7_4_limits_are_413_and_named(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let delete = json!({"method": "DELETE", "path": format!("/Users/{NOBODY}")});
    let many: Value = std::iter::repeat_n(delete.clone(), 1_001).collect();
    let answer = scim.post("/Bulk", &request(&many)).expect_error(413, None);
    let detail = answer["detail"].as_str().expect("it has a detail");
    assert!(detail.contains("maxOperations") && detail.contains("1000"), "{detail}");
    let most: Value = std::iter::repeat_n(delete, 1_000).collect();
    assert_eq!(bulk(&scim, &most).len(), 1_000);

    let large = post("/Users", "1", json!({"nickName": "x".repeat(1_048_576)}));
    let answer = scim.post("/Bulk", &request(&json!([large]))).expect_error(413, None);
    let detail = answer["detail"].as_str().expect("it has a detail");
    assert!(detail.contains("maxPayloadSize") && detail.contains("1048576"), "{detail}");
}

fn rfc7644_3_7_versions_are_preconditions(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", ada.id());
    let operation = |version: &str, value: &str| {
        let mut operation = patch(&path, json!([{"op": "add", "path": "title", "value": value}]));
        operation["version"] = version.into();
        operation
    };
    let first = ada.version();
    let results = bulk(&scim, &json!([operation(&first, "a"), operation(&first, "b")]));
    assert_eq!(statuses(&results), ["200", "412"], "{results:?}");
    assert_eq!(results[1]["location"], ada["meta"]["location"]);
    let read = scim.get(&path).expect(200);
    assert_eq!((read["title"].as_str(), read.version()), (Some("a"), "W/\"2\"".to_owned()));
    assert_eq!(results[0]["version"], "W/\"2\"");
    let mut delete = json!({"method": "DELETE", "path": path, "version": "nonsense"});
    assert_eq!(statuses(&bulk(&scim, &json!([delete]))), ["412"]);
    delete["version"] = json!("W/\"2\"");
    assert_eq!(statuses(&bulk(&scim, &json!([delete]))), ["204"]);
}

fn rfc7644_3_7_what_is_no_bulk_request_is_refused(database: Database) {
    let (server, scim) = serve(database, Dialect::Strict);
    for body in [
        json!([]),
        json!({"schemas": [PATCH_OP], "Operations": []}),
        json!({"schemas": [BULK_REQUEST]}),
        json!({"schemas": [BULK_REQUEST], "Operations": {"method": "POST"}}),
    ] {
        scim.post("/Bulk", &body).expect_error(400, Some("invalidSyntax"));
    }
    assert!(bulk(&scim, &json!([])).is_empty());
    let answer = scim.get("/Bulk").expect_error(405, None);
    assert_eq!(answer.header("allow"), Some("POST"));
    server.anonymous().post("/Bulk", &request(&json!([]))).expect_error(401, None);
}

fn r3_r7_r78_rules_hold_in_bulk_as_in_single_requests(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let with_id = |name: &str, external_id: &str| {
        let mut body = person(name, "X", &format!("{name}@example.com"));
        body["externalId"] = external_id.into();
        body
    };
    let results = bulk(
        &scim,
        &json!([
            post("/Users", "1", with_id("ada", "e1")),
            post("/Users", "2", with_id("bob", "e1")),
            post("/Users", "3", with_id("eve", "e3")),
            {"method": "DELETE", "path": "/Users/bulkId:1"},
            // The address stays with the one who had it.
            post("/Users", "5", with_id("ADA", "e5")),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "409", "201", "204", "409"], "{results:?}");
    assert_eq!(results[4]["response"]["scimType"], "uniqueness");
    // Two people's addresses cannot be swapped.
    let swap = bulk(
        &scim,
        &json!([
            post("/Users", "6", with_id("fay", "e6")),
            patch(
                "/Users/bulkId:6",
                json!([
                    {"op": "replace", "path": "emails[type eq \"work\"].value",
                     "value": "eve@example.com"},
                ])
            ),
        ]),
    );
    assert_eq!(statuses(&swap), ["201", "409"], "{swap:?}");
}

fn rfc7644_3_7_3_an_operation_that_changes_nothing_keeps_the_version(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let results = bulk(
        &scim,
        &json!([
            post("/Users", "ada", user("ada")),
            post("/Users", "again", user("ada")),
            patch("/Users/bulkId:ada", json!([{"op": "add", "path": "title", "value": "t"}])),
            patch("/Users/bulkId:ada", json!([{"op": "add", "path": "title", "value": "t"}])),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "409", "200", "200"], "{results:?}");
    let read = scim.get(&path_of(&scim, &results[0])).expect(200);
    assert_eq!(read.version(), "W/\"2\"", "{}", read.story());
    assert_eq!(results[3]["version"], "W/\"2\"");
}
