//! Okta, as its SCIM client talks: custom apps use PUT, apps of its catalogue PATCH.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    o1_to_o5_match_create_import_read_and_update,
    o6_o7_deactivate_and_reactivate_by_patch,
    o6b_deactivate_and_reactivate_by_put,
    o9_to_o15_group_push,
    o14_membership_by_put,
    okta_specification_test,
);

/// A client that sends what Okta's sends.
fn okta(server: &Server) -> Client {
    let client = server.tenant("acme").client(Dialect::Okta);
    client
        .with_header("User-Agent", "Okta SCIM Client 1.0.0")
        .with_header("Accept", "application/scim+json")
        .with_header("Accept-Charset", "utf-8")
        .with_header("Content-Type", "application/scim+json; charset=utf-8")
}

fn find(scim: &Client, user_name: &str) -> Answer {
    let filter = format!("userName eq \"{user_name}\"");
    scim.query("/Users", &[("filter", &filter), ("startIndex", "1"), ("count", "100")])
}

/// O2.
fn new_user(name: &str, external_id: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": name, "type": "work"}],
        "displayName": "Test User", "locale": "en-US", "externalId": external_id,
        "groups": [], "password": "1mz050nq", "active": true})
}

fn o1_to_o5_match_create_import_read_and_update(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let missing = find(&scim, "test.user@okta.local").expect_empty_list().expect_scim_content();
    assert_eq!(missing["startIndex"], 1);
    assert_eq!(missing["itemsPerPage"], 0);

    let body = new_user("test.user@okta.local", "00ujl29u0le5T6Aj10h7");
    let created = scim.post("/Users", &body).expect(201);
    assert!(!created.text.contains("1mz050nq"), "{}", created.story());
    assert_eq!(created["active"], true);
    let id = created.id();
    scim.post("/Users", &body).expect_error(409, Some("uniqueness"));
    let found = find(&scim, "TEST.USER@okta.local");
    assert_eq!(found.expect_user_names(&["test.user@okta.local"])["Resources"][0]["id"], id);

    let imported = scim.get("/Users?startIndex=1&count=100").expect(200);
    assert_eq!(imported["totalResults"], 1);
    assert!(imported["itemsPerPage"].is_u64() && imported["startIndex"].is_u64());
    scim.get("/Groups?startIndex=1&count=100").expect_empty_list();

    let path = format!("/Users/{id}");
    let read = scim.get(&path).expect(200);
    let updated = json!({"schemas": [USER], "id": id, "userName": "test.user@okta.local",
        "name": {"givenName": "Another", "middleName": "Excited", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work",
            "display": "test.user@okta.local"}],
        "active": true, "groups": [], "meta": {"resourceType": "User"}});
    let put = scim.put(&path, &updated).expect(200);
    assert_eq!(put.id(), id);
    assert_eq!(put["name"]["middleName"], "Excited");
    assert_eq!(put["emails"][0]["display"], "test.user@okta.local");
    assert_eq!(put["meta"]["created"], read["meta"]["created"]);

    let read = scim.get(&path).expect(200);
    let back = scim.put(&path, &read.body).expect(200);
    assert_eq!(back.body, read.body, "what was read can be written back: nothing changes");
}

fn o6_o7_deactivate_and_reactivate_by_patch(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let created = scim.post("/Users", &new_user("leaver@okta.local", "00u1")).expect(201);
    let path = format!("/Users/{}", created.id());
    let set = |value: Value| scim.patch(&path, &json!([{"op": "replace", "value": value}]));

    assert_eq!(set(json!({"active": false})).expect(200)["active"], false);
    assert_eq!(scim.get(&path).expect(200)["active"], false);
    let found = find(&scim, "leaver@okta.local").expect_user_names(&["leaver@okta.local"]);
    assert_eq!(found["Resources"][0]["active"], false);
    let back = set(json!({"active": true})).expect(200);
    assert_eq!(back["active"], true);
    assert_eq!(back.id(), created.id());

    let synced = set(json!({"password": "n3w-p4ssw0rd-from-okta"})).expect_done();
    assert!(!synced.text.contains("n3w-p4ssw0rd"), "{}", synced.story());
}

fn o6b_deactivate_and_reactivate_by_put(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let path = format!(
        "/Users/{}",
        scim.post("/Users", &new_user("leaver@okta.local", "00u1")).expect(201).id()
    );
    for active in [false, true] {
        let mut whole = scim.get(&path).expect(200).body;
        whole["active"] = json!(active);
        assert_eq!(scim.put(&path, &whole).expect(200)["active"], active);
        let found = find(&scim, "leaver@okta.local").expect_user_names(&["leaver@okta.local"]);
        assert_eq!(found["Resources"][0]["active"], active);
    }
}

fn o9_to_o15_group_push(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let first = scim.post("/Users", &new_user("one@okta.local", "00u1")).expect(201).id();
    let second = scim.post("/Users", &new_user("two@okta.local", "00u2")).expect(201).id();

    let lookup = "/Groups?filter=displayName%20eq%20%22Test%20SCIMv2%22&startIndex=1&count=100";
    scim.get(lookup).expect_empty_list();
    let body = json!({"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []});
    let gid = scim.post("/Groups", &body).expect(201).id();
    assert_eq!(scim.get(lookup).expect(200)["Resources"][0]["id"], gid);
    let path = format!("/Groups/{gid}");

    let full_push = json!([{"op": "replace", "path": "members",
        "value": [{"value": first, "display": "one@okta.local"}]}]);
    scim.patch(&path, &full_push).expect_done();
    let rename =
        json!([{"op": "replace", "value": {"id": gid, "displayName": "Test SCIMv2 renamed"}}]);
    scim.patch(&path, &rename).expect_done();
    let exchange = json!([
        {"op": "remove", "path": format!("members[value eq \"{first}\"]")},
        {"op": "add", "path": "members", "value": [{"value": second, "display": "two@okta.local"}]},
    ]);
    scim.patch(&path, &exchange).expect_done();
    let after = scim.get(&path).expect(200);
    assert_eq!(after["displayName"], "Test SCIMv2 renamed");
    assert_eq!(member_ids(&after.body), [second.as_str()]);

    scim.patch(&path, &rename).expect_done();
    scim.patch(&path, &exchange).expect_done();
    assert_eq!(scim.get(&path).expect(200).body, after.body, "a repetition changes nothing");

    scim.delete(&path).expect(204);
    scim.get(&path).expect_error(404, None);
    assert_eq!(scim.get(&format!("/Users/{second}")).expect(200)["active"], true);
    scim.post("/Groups", &body).expect(201);
}

fn o14_membership_by_put(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let first = scim.post("/Users", &new_user("one@okta.local", "00u1")).expect(201).id();
    let second = scim.post("/Users", &new_user("two@okta.local", "00u2")).expect(201).id();
    let with = |members: Value| {
        let mut body = group("Test SCIMv2", &[]);
        body["members"] = members;
        body
    };
    let path = format!("/Groups/{}", scim.post("/Groups", &with(json!([]))).expect(201).id());
    for ids in [&[first.as_str()][..], &[first.as_str(), second.as_str()], &[second.as_str()], &[]]
    {
        let members =
            ids.iter().map(|id| json!({"value": id, "display": "somebody@okta.local"})).collect();
        let answer = scim.put(&path, &with(members)).expect(200);
        let mut expected = ids.to_vec();
        expected.sort_unstable();
        assert_eq!(member_ids(&answer.body), expected, "{}", answer.story());
    }
}

/// The requests of Okta's own specification test, in its order.
fn okta_specification_test(database: Database) {
    let server = Server::start(database);
    let scim = okta(&server);
    let existing = scim.post("/Users", &new_user("first@okta.local", "00u1")).expect(201).id();

    let list = scim.get("/Users?count=1&startIndex=1").expect(200);
    assert_eq!(list["schemas"], json!([LIST_RESPONSE]));
    for number in ["totalResults", "startIndex", "itemsPerPage"] {
        assert!(list[number].is_u64(), "{number}: {}", list.story());
    }
    for user in [&list["Resources"][0], &scim.get(&format!("/Users/{existing}")).expect(200).body] {
        assert_eq!(user["id"], existing);
        for part in [&user["name"]["givenName"], &user["name"]["familyName"], &user["userName"]] {
            assert!(part.as_str().is_some_and(|text| !text.is_empty()), "{user}");
        }
        assert_eq!(user["active"], true);
        assert!(user["emails"][0]["value"].is_string(), "{user}");
    }
    find(&scim, "invalid").expect_empty_list();
    scim.get("/Users/00919288221112222").expect_error(404, None);
    find(&scim, "a7d3c1f0-random@okta.local").expect_empty_list();

    let plain = server.client_with_token(scim.token());
    let body = new_user("Runscope300@okta.local", "00u2").to_string();
    let created = plain.send("POST", "/Users", Some(("application/json", &body))).expect(201);
    assert_eq!(created["active"], true);
    assert!(created["schemas"].to_string().contains(USER));
    plain.get(&format!("/Users/{}", created.id())).expect(200);
    plain
        .send("POST", "/Users", Some(("application/json", &body)))
        .expect_error(409, Some("uniqueness"));
    find(&scim, "RUNSCOPE300@OKTA.LOCAL").expect_user_names(&["Runscope300@okta.local"]);
    scim.get("/Groups").expect(200);
    server.client_with_token("non-token").get("/Users").expect_error(401, None);
}
