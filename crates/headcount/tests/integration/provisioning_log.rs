//! The provisioning log: why did a push fail.

use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    a_push_that_failed_says_why,
    a_query_says_what_was_matched,
    the_three_questions_of_the_page_on_troubleshooting_are_answered,
    bulk_operations_that_failed_come_first,
    no_secret_and_no_person_is_in_it,
    a_tenant_may_keep_personal_data_in_clear_until_somebody_is_erased,
    the_newest_come_first_page_by_page,
    a_token_that_ended_is_logged_for_its_connection_and_a_wrong_one_nowhere,
    it_is_read_by_administrators_of_the_tenant_and_changed_by_nobody,
    what_was_answered_is_written_when_the_server_stops,
    what_a_connection_does_beyond_the_standard_is_counted_and_changes_no_version,
    a_tenant_keeps_as_many_entries_as_it_wants,
);

const LOG: &str = "/ProvisioningLogEntries";

/// The entries that a filter finds, the newest first, once there are so many.
#[track_caller]
fn logged(admin: &Administrator, filter: &str, count: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let found = admin.scim.query(LOG, &[("filter", filter), ("count", "200")]).expect(200);
        if found.resources().len() >= count {
            assert_eq!(found.resources().len(), count, "{}", found.story());
            return found.resources().to_vec();
        }
        assert!(start.elapsed() < PATIENCE, "{filter}: {}", found.story());
        thread::sleep(Duration::from_millis(100));
    }
}

#[track_caller]
fn one(admin: &Administrator, filter: &str) -> Value {
    logged(admin, filter, 1).remove(0)
}

fn a_push_that_failed_says_why(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let refused = scim.post("/Users", &user("Ada")).expect_error(409, Some("uniqueness"));
    let request = refused.header("x-request-id").expect("it has one").to_owned();
    let entry = one(&admin, "status eq 409");
    assert_eq!(
        entry["schemas"],
        json!(["urn:ietf:params:scim:schemas:headcount:2.0:ProvisioningLogEntry"])
    );
    for (attribute, expected) in [
        ("method", json!("POST")),
        ("path", json!("/scim/v2/Users")),
        ("resourceType", json!("User")),
        ("status", json!(409)),
        ("scimType", json!("uniqueness")),
        ("code", json!("userNameTaken")),
        ("rule", json!("R1")),
        ("detail", refused["detail"].clone()),
        ("requestId", json!(request)),
        ("resourceId", Value::Null),
    ] {
        assert_eq!(entry[attribute], expected, "{attribute}: {entry}");
    }
    assert_eq!(entry["connection"]["display"], "standard", "{entry}");
    assert!(entry["durationMs"].as_f64() > Some(0.0), "{entry}");
    assert_eq!(one(&admin, &format!("requestId eq \"{request}\"")), entry);
    assert_eq!(admin.scim.get(&format!("{LOG}/{}", entry["id"].as_str().unwrap())).body, entry);
    assert_eq!(one(&admin, "code eq \"userNameTaken\" and method eq \"post\""), entry);

    let created = one(&admin, "status eq 201 and path sw \"/scim/v2/Users\"");
    assert_eq!(format!("/Users/{}", created["resourceId"].as_str().unwrap()), ada);
    let path = format!("{ada}/nothing");
    scim.get(&path).expect(404);
    scim.patch(&ada, &replace("noSuchThing:x", "y"));
    scim.put(&ada, &json!({"schemas": [USER]})).expect_error(400, Some("invalidValue"));
    let id = ada.trim_start_matches("/Users/");
    let put = one(&admin, &format!("resourceId eq \"{id}\" and method eq \"PUT\""));
    assert_eq!(put["status"], 400, "{put}");
    assert!(put["detail"].as_str().unwrap().contains("userName"), "{put}");
}

fn a_query_says_what_was_matched(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada@example.com"));
    create_user(&scim, &user("bob@example.com"));
    scim.filter("/Users", "userName eq \"ada@example.com\"").expect(200);
    scim.filter("/Users", "userName eq \"eve@example.com\"").expect(200);
    scim.filter("/Users", "userName co \"@example.com\"").expect(200);
    scim.filter("/Users", "userName is \"ada@example.com\"")
        .expect_error(400, Some("invalidFilter"));
    let search = json!({"schemas": [SEARCH_REQUEST], "filter": "title eq \"Lead\""});
    scim.post("/Users/.search", &search).expect(200);
    let queries = logged(&admin, "filter pr and resourceType eq \"User\"", 5);
    let told: Vec<Value> = queries
        .iter()
        .rev()
        .map(|one| json!([one["filter"], one["found"], one["resourceId"], one["status"]]))
        .collect();
    let id = ada.trim_start_matches("/Users/");
    assert_eq!(
        json!(told),
        json!([
            ["userName eq \"a***@example.com\"", 1, id, 200],
            ["userName eq \"e***@example.com\"", 0, null, 200],
            ["userName co \"***@example.com\"", 2, null, 200],
            ["userName is \"a***@example.com\"", null, null, 400],
            ["title eq \"L***\"", 0, null, 200],
        ])
    );
    assert_eq!(logged(&admin, "found eq 0", 2).len(), 2);
}

/// The queries of `docs/troubleshooting.md`.
fn the_three_questions_of_the_page_on_troubleshooting_are_answered(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let created = scim.post("/Users", &user("ada")).expect(201);
    scim.post("/Users", &user("ada")).expect_error(409, Some("uniqueness"));
    scim.filter("/Users", "externalId eq \"ada@example.com\"").expect_empty_list();
    scim.filter("/Users", "userName eq \"ada\"").expect_user_names(&["ada"]);
    let failed = "connection.display eq \"standard\" and status ge 400 and \
        at gt \"2020-01-01T06:00:00Z\"";
    assert_eq!(one(&admin, failed)["code"], "userNameTaken");
    let unmatched =
        "connection.display eq \"standard\" and found eq 0 and filter sw \"externalId\"";
    assert_eq!(one(&admin, unmatched)["filter"], "externalId eq \"a***@example.com\"");
    let request = format!("requestId eq \"{}\"", created.header("x-request-id").expect("an id"));
    assert_eq!(one(&admin, &request)["method"], "POST");
    logged(&admin, &format!("resourceId eq \"{}\"", created.id()), 2);
    let changed = admin.scim.filter("/ChangeLogEntries", &request).expect(200);
    assert_eq!(changed.resources()[0]["resourceId"], created["id"], "{}", changed.story());
}

fn bulk_operations_that_failed_come_first(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    create_user(&scim, &user("ada"));
    let post = |name: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)});
    let operations: Vec<Value> = (0..60)
        .map(|at| post(&if at == 58 { "ada".to_owned() } else { format!("u{at}") }))
        .collect();
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations});
    scim.post("/Bulk", &body).expect(200);
    let entry = one(&admin, "path ew \"/Bulk\"");
    let told = entry["operations"].as_array().expect("it has operations");
    assert_eq!(told.len(), 50, "{entry}");
    assert_eq!(told[0]["bulkId"], "ada", "{entry}");
    assert_eq!(told[0]["status"], 409, "{entry}");
    assert_eq!(told[0]["code"], "userNameTaken", "{entry}");
    assert_eq!((&told[1]["status"], &told[1]["bulkId"]), (&json!(201), &json!("u0")), "{entry}");
    assert_eq!(one(&admin, "operations.code eq \"userNameTaken\""), entry);
}

fn no_secret_and_no_person_is_in_it(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let mut ada = user("ada.lovelace@example.com");
    ada["password"] = json!("correct horse battery staple");
    let path = create_user(&scim, &ada);
    for (filter, status) in [
        ("userName eq \"ada.lovelace@example.com\"", 200),
        ("emails.value eq \"ada.lovelace@example.com", 400),
        ("name.familyName eq \"Lovelace\"", 200),
    ] {
        scim.filter("/Users", filter).expect(status);
    }
    for wrong in
        ["/Users/ada.lovelace@example.com", "/Users/lovelace", "/People/ada.lovelace@x.org"]
    {
        scim.get(wrong).expect(404);
    }
    let operation = json!([{"op": "replace", "value": "x",
        "path": "userName[value eq \"ada.lovelace@example.com\"]"}]);
    scim.patch(&path, &operation).expect(400);
    let entries = logged(&admin, "connection.display eq \"standard\"", 8);
    let told = json!(entries).to_string().to_lowercase();
    for hidden in ["lovelace", "ada.", "horse", scim.token(), &scim.token()[20..]] {
        assert!(!told.contains(&hidden.to_lowercase()), "{hidden}: {told}");
    }
    assert!(told.contains("a***@example.com"), "enough is left: {told}");
    assert!(!server.database().dump().contains("correct horse"));
}

fn a_tenant_may_keep_personal_data_in_clear_until_somebody_is_erased(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let tenant = format!("/Tenants/{}", tenant_id(&admin.scim));
    let refused = admin.scim.patch(&tenant, &replace("provisioningLog.keepDays", 0));
    refused.expect_error(400, Some("invalidValue"));
    let clear = replace("provisioningLog.personalData", "clear");
    admin.scim.patch(&tenant, &clear).expect(200);
    scim.filter("/Users", "userName eq \"ada@example.com\"").expect(200);
    let entry = one(&admin, "filter eq \"userName eq \\\"ada@example.com\\\"\"");
    assert_eq!(entry["found"], 0, "{entry}");
    let path = create_user(&scim, &user("ada@example.com"));
    scim.delete(&path).expect(204);
    logged(&admin, "method eq \"DELETE\"", 1);
    admin.act(&format!("{path}/erase"), &json!({"reason": "asked for"})).expect(204);
    soon("it is not there any more", || {
        admin.scim.filter(LOG, "method eq \"DELETE\"").expect(200).resources().is_empty()
    });
    assert!(!admin.scim.get(&format!("{LOG}?count=200")).text.contains("ada@example.com"));
}

fn the_newest_come_first_page_by_page(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for at in 0..7 {
        scim.get(&format!("/Users?count={at}")).expect(200);
        thread::sleep(Duration::from_millis(3));
    }
    let all = logged(&admin, "resourceType eq \"User\"", 7);
    let at = |entry: &Value| entry["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let at: Vec<_> = all.iter().map(|entry| at(entry).expect("it is an instant")).collect();
    assert!(at.is_sorted_by(|one, next| one > next), "{at:?}");
    let oldest = [("filter", "resourceType eq \"User\""), ("sortBy", "at"), ("count", "1")];
    assert_eq!(admin.scim.query(LOG, &oldest).resources()[0], all[6]);
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = [("filter", "resourceType eq \"User\""), ("count", "3"), ("cursor", &cursor)];
        let page = admin.scim.query(LOG, &page).expect(200);
        walked.extend(page.resources().to_vec());
        let Some(next) = page["nextCursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(walked, all, "by cursor");
    let mut walked = Vec::new();
    for start in ["1", "4", "7"] {
        let page = [("filter", "resourceType eq \"User\""), ("count", "3"), ("startIndex", start)];
        walked.extend(admin.scim.query(LOG, &page).expect(200).resources().to_vec());
    }
    assert_eq!(walked, all, "by index");
}

fn a_token_that_ended_is_logged_for_its_connection_and_a_wrong_one_nowhere(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let admin = Administrator::of(&server, "acme");
    let token = tenant.token(&["--connection", "Okta"]);
    let okta = server.client_with_token(&token);
    okta.get("/Users").expect(200);
    let id = token.split('_').nth(1).expect("hc_<id>_<secret>");
    server.command(&["token", "revoke", id]).succeeded();
    soon("the token opens nothing", || okta.get("/Users").status == 401);
    server.client_with_token(&format!("hc_{id}_{}", "x".repeat(43))).get("/Groups").expect(401);
    server.anonymous().get("/Groups").expect(401);
    let refused = one(&admin, "status eq 401");
    assert_eq!(refused["connection"]["display"], "Okta", "{refused}");
    assert_eq!(refused["path"], "/scim/v2/Users", "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("make a new one"), "{refused}");
}

fn it_is_read_by_administrators_of_the_tenant_and_changed_by_nobody(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    scim.get("/Users").expect(200);
    let entry = one(&admin, "path eq \"/scim/v2/Users\"");
    let path = format!("{LOG}/{}", entry["id"].as_str().unwrap());
    scim.get(LOG).expect_code(403, "scopeMissing", None);
    scim.get(&path).expect_code(403, "scopeMissing", None);
    for (method, path) in
        [("POST", LOG), ("PUT", &path), ("PATCH", &path), ("DELETE", &path), ("DELETE", LOG)]
    {
        let refused = admin.scim.json(method, path, &json!({})).expect_error(405, None);
        assert_eq!(refused.header("allow"), Some("GET, HEAD"), "{}", refused.story());
    }
    server.tenant("globex");
    let other = Administrator::of(&server, "globex");
    other.scim.get(&path).expect_error(404, None);
    other.scim.filter(LOG, &format!("id eq {}", entry["id"])).expect_empty_list();
    // What was refused of the log is in the log, and what was read of it is not.
    logged(&admin, "resourceType eq \"ProvisioningLogEntry\" and status eq 403", 2);
    admin
        .scim
        .filter(LOG, "path co \"ProvisioningLogEntries\" and status eq 200")
        .expect_empty_list();
}

fn what_was_answered_is_written_when_the_server_stops(database: Database) {
    let (mut server, scim, admin) = serve_admin(database);
    for _ in 0..20 {
        scim.filter("/Users", "userName eq \"ada\"").expect_empty_list();
    }
    assert!(server.terminate().success());
    let again = Server::on(&server.database().clone());
    let admin = Administrator::of_token(&again, admin.scim.token());
    let found = admin.scim.filter(LOG, "filter pr and found eq 0").expect(200);
    assert_eq!(found["totalResults"], 20, "{}", found.story());
}

fn what_a_connection_does_beyond_the_standard_is_counted_and_changes_no_version(
    database: Database,
) {
    let (_server, scim, admin) = serve_admin(database);
    let path = admin.path_of("/Connections", "standard");
    let before = admin.scim.get(&path).expect(200);
    assert_eq!(before["leniencies"], Value::Null, "{}", before.story());
    let ada = create_user(&scim, &user("ada"));
    let add = json!([{"op": "Add", "path": "title", "value": "x"},
        {"op": "Replace", "path": "active", "value": "True"}]);
    scim.patch(&ada, &add).expect(200);
    scim.patch(&ada, &add).expect(200);
    // What is refused after it was read leniently counts too, as far as it was read.
    scim.patch("/Users/0190a000-0000-7000-8000-000000000001", &add).expect(404);
    let told = |answer: &Answer| {
        let all = answer["leniencies"].as_array().into_iter().flatten();
        all.map(|one| json!([one["value"], one["count"]])).collect::<Vec<_>>()
    };
    let expected = [json!(["operationCase", 6]), json!(["stringBoolean", 2])];
    soon("all are counted", || told(&admin.scim.get(&path).expect(200)) == expected);
    let counted = admin.scim.get(&path).expect(200);
    assert!(counted["leniencies"][0]["lastSeen"].is_string(), "{}", counted.story());
    assert_eq!(counted["meta"], before["meta"], "no version is changed");
    let entry = one(&admin, "leniencies.value eq \"operationCase\" and status eq 404");
    assert_eq!(entry["leniencies"], json!([{"value": "operationCase", "count": 2}]), "{entry}");
    // A client that sends back what it read changes nothing.
    admin.scim.put(&path, &counted.body).expect(200);
    assert_eq!(admin.scim.get(&path).expect(200).version(), before.version());
    let listed = admin.scim.filter("/Connections", "name eq \"standard\"").expect(200);
    assert_eq!(listed.resources()[0]["leniencies"], counted["leniencies"]);
    admin.scim.filter("/Connections", "leniencies pr").expect_error(400, Some("invalidFilter"));
}

fn a_tenant_keeps_as_many_entries_as_it_wants(database: Database) {
    let (mut server, scim, admin) = serve_admin(database);
    let tenant = format!("/Tenants/{}", tenant_id(&admin.scim));
    admin.scim.patch(&tenant, &replace("provisioningLog.keepEntries", 100)).expect(200);
    for _ in 0..130 {
        scim.get("/Users/nobody").expect(404);
    }
    logged(&admin, "status eq 404", 130);
    // The timers run when a server starts.
    assert!(server.terminate().success());
    let again = Server::on(&server.database().clone());
    let admin = Administrator::of_token(&again, admin.scim.token());
    soon("a hundred are left", || {
        admin.scim.filter(LOG, "status eq 404").expect(200)["totalResults"] == 100
    });
}
