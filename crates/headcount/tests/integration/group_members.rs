//! Members of groups, seen from the group and from the user.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7643_4_1_2_groups_of_a_user_follow_the_membership,
    q13_adding_and_removing_members_is_idempotent,
    q34_unknown_members_are_dropped_but_refused_in_strict,
    q6_q7_members_are_removed_by_value_list_and_by_filter,
    replacing_members_leaves_exactly_these,
    deactivated_users_stay_members_and_deleted_ones_leave,
    groups_can_be_members_but_not_of_themselves,
    a_group_with_many_members_is_sent_member_by_member,
);

/// A group and the ids of three users.
fn team(scim: &Client) -> (String, [String; 3]) {
    let ids =
        ["ada", "grace", "edith"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    (format!("/Groups/{}", scim.post("/Groups", &group("Team", &[])).expect(201).id()), ids)
}

fn add(ids: &[&str]) -> Value {
    json!([{"op": "add", "path": "members", "value": members_of(ids)}])
}

#[track_caller]
fn assert_members(scim: &Client, path: &str, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let read = scim.get(path).expect(200);
    assert_eq!(member_ids(&read.body), expected, "{}", read.story());
}

fn rfc7643_4_1_2_groups_of_a_user_follow_the_membership(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, [ada, ..]) = team(&scim);
    let patched = scim.patch(&path, &add(&[&ada])).expect(200);
    let member = element(&patched["members"], "value", &ada);
    assert_eq!(member["$ref"], format!("{}/Users/{ada}", scim.base_url()), "{}", patched.story());
    assert_eq!(member["type"], "User", "{}", patched.story());

    let read = scim.get(&format!("/Users/{ada}")).expect(200);
    let entry = element(&read["groups"], "display", "Team");
    assert_eq!(entry["value"], path["/Groups/".len()..], "{}", read.story());
    assert_eq!(entry["$ref"], format!("{}{path}", scim.base_url()), "{}", read.story());
    let listed = scim.filter("/Users", "userName eq \"ada\"").expect(200);
    assert_eq!(strings(&listed["Resources"][0]["groups"], "display"), ["Team"]);

    scim.patch(&path, &json!([{"op": "remove", "path": "members"}])).expect(200);
    let read = scim.get(&format!("/Users/{ada}")).expect(200);
    assert!(strings(&read["groups"], "value").is_empty(), "{}", read.story());
}

fn q13_adding_and_removing_members_is_idempotent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, [ada, grace, _]) = team(&scim);
    let first = scim.patch(&path, &add(&[&ada, &ada])).expect(200);
    assert_eq!(member_ids(&first.body), [ada.as_str()]);
    let again = scim.patch(&path, &add(&[&ada])).expect(200);
    assert_eq!(again.body, first.body, "adding a member again changes nothing");
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{grace}\"]")}]);
    let removed = scim.patch(&path, &remove).expect(200);
    assert_eq!(removed.body, first.body, "removing a stranger changes nothing");
    let both = json!([
        {"op": "add", "path": "members", "value": [{"value": grace}]},
        {"op": "remove", "path": format!("members[value eq \"{grace}\"]")},
    ]);
    scim.patch(&path, &both).expect(200);
    assert_members(&scim, &path, &[&ada]);
}

fn q34_unknown_members_are_dropped_but_refused_in_strict(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let strict = tenant.client(Dialect::Strict);
    for dialect in [Dialect::Standard, Dialect::Entra, Dialect::Okta] {
        let scim = tenant.client(dialect);
        let ada = scim.post("/Users", &user(dialect.name())).expect(201).id();
        let created = scim.post("/Groups", &group(dialect.name(), &[&ada, NOBODY])).expect(201);
        assert_eq!(member_ids(&created.body), [ada.as_str()], "{}", created.story());
        let path = format!("/Groups/{}", created.id());
        scim.patch(&path, &add(&[NOBODY, "not even an id"])).expect_done();
        scim.put(&path, &group(dialect.name(), &[NOBODY, &ada])).expect(200);
        assert_members(&scim, &path, &[&ada]);

        strict.patch(&path, &add(&[NOBODY])).expect_error(400, Some("invalidValue"));
        strict
            .put(&path, &group(dialect.name(), &[NOBODY]))
            .expect_error(400, Some("invalidValue"));
        assert_members(&scim, &path, &[&ada]);
    }
    strict.post("/Groups", &group("New", &[NOBODY])).expect_error(400, Some("invalidValue"));
    strict.filter("/Groups", "displayName eq \"New\"").expect_empty_list();
}

fn q6_q7_members_are_removed_by_value_list_and_by_filter(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, [ada, grace, edith]) = team(&scim);
    let all: [&str; 3] = [&ada, &grace, &edith];
    let reset = json!([{"op": "replace", "path": "members", "value": members_of(&all)}]);

    scim.patch(&path, &reset).expect(200);
    let list = json!([{"op": "remove", "path": "members",
        "value": [{"$ref": null, "value": grace}, {"value": NOBODY}]}]);
    scim.patch(&path, &list).expect(200);
    assert_members(&scim, &path, &[&ada, &edith]);

    scim.patch(&path, &json!([{"op": "remove", "path": "members", "value": []}])).expect(200);
    assert_members(&scim, &path, &[&ada, &edith]);

    let either = format!("members[value eq \"{ada}\" or value eq \"{edith}\"]");
    scim.patch(&path, &json!([{"op": "remove", "path": either}])).expect(200);
    assert_members(&scim, &path, &[]);

    scim.patch(&path, &reset).expect(200);
    scim.patch(&path, &json!([{"op": "remove", "path": "members"}])).expect(200);
    assert_members(&scim, &path, &[]);
}

fn replacing_members_leaves_exactly_these(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, [ada, grace, edith]) = team(&scim);
    scim.patch(&path, &add(&[&ada, &grace])).expect(200);
    let replace = json!([{"op": "replace", "path": "members",
        "value": members_of(&[&grace, &edith])}]);
    let first = scim.patch(&path, &replace).expect(200);
    assert_members(&scim, &path, &[&grace, &edith]);
    let again = scim.patch(&path, &replace).expect(200);
    assert_eq!(again["meta"], first["meta"], "nothing changed: {}", again.story());
    let pathless = json!([{"op": "replace", "value": {"members": [{"value": ada}]}}]);
    scim.patch(&path, &pathless).expect(200);
    assert_members(&scim, &path, &[&ada]);
}

fn deactivated_users_stay_members_and_deleted_ones_leave(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let (path, [ada, grace, _]) = team(&scim);
    scim.patch(&path, &add(&[&ada, &grace])).expect(200);
    let deactivate = json!([{"op": "replace", "value": {"active": false}}]);
    scim.patch(&format!("/Users/{ada}"), &deactivate).expect(200);
    assert_members(&scim, &path, &[&ada, &grace]);
    scim.delete(&format!("/Users/{ada}")).expect(204);
    assert_members(&scim, &path, &[&grace]);
    let filter = format!("members.value eq \"{ada}\"");
    scim.filter("/Groups", &filter).expect_empty_list();
}

fn groups_can_be_members_but_not_of_themselves(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let inner = scim.post("/Groups", &group("Inner", &[])).expect(201).id();
    let outer = scim.post("/Groups", &group("Outer", &[&inner])).expect(201);
    let member = element(&outer["members"], "value", &inner);
    assert_eq!(member["type"], "Group", "{}", outer.story());
    assert_eq!(member["$ref"], format!("{}/Groups/{inner}", scim.base_url()));
    let path = format!("/Groups/{inner}");
    scim.patch(&path, &add(&[&outer.id()])).expect_error(400, Some("invalidValue"));
    scim.patch(&path, &add(&[&inner])).expect_error(400, Some("invalidValue"));
    assert_members(&scim, &path, &[]);
}

fn a_group_with_many_members_is_sent_member_by_member(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut ids: Vec<String> = Vec::new();
    for part in 0..2 {
        let post = |number: usize| {
            let data = user(&format!("user {part} {number}"));
            json!({"method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data})
        };
        let operations: Vec<Value> = (0..510).map(post).collect();
        let bulk = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let request = json!({"schemas": [bulk], "Operations": operations});
        let done = scim.post("/Bulk", &request).expect(200);
        let results = done["Operations"].as_array().expect("results are a list");
        let location = |result: &Value| result["location"].as_str().expect("it is one").to_owned();
        ids.extend(results.iter().map(|result| {
            location(result).rsplit('/').next().expect("it has segments").to_owned()
        }));
    }
    let inner = scim.post("/Groups", &group("Inner", &[])).expect(201).id();
    ids.push(inner.clone());
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let made = scim.post("/Groups", &group("All", &all)).expect(201);
    let path = format!("/Groups/{}", made.id());
    let read = scim.get(&path).expect(200).expect_scim_content();
    assert_eq!(read.header("transfer-encoding"), Some("chunked"), "{}", read.story());
    assert_eq!(read.header("etag"), Some(made.version().as_str()));
    assert_eq!(read["members"].as_array().map(Vec::len), Some(1021));
    let nested = element(&read["members"], "value", &inner);
    let address = format!("{}/Groups/{inner}", scim.base_url());
    let expected = json!({"value": inner, "$ref": address, "type": "Group", "display": "Inner"});
    assert_eq!(*nested, expected);
    // As one document it is the same.
    let listed = scim.filter("/Groups", "displayName eq \"All\"").expect(200);
    assert_eq!(listed.resources()[0], read.body);
    let named = scim.get(&format!("{path}?attributes=members")).expect(200);
    assert_eq!(named["members"], read["members"]);
    let without = scim.get(&format!("{path}?excludedAttributes=members")).expect(200);
    assert_eq!(without.body.get("members"), None);
    let known = scim.with_header("If-None-Match", &made.version()).get(&path);
    assert_eq!(known.expect(304).body, Value::Null);
}
