//! Versions, and requests that depend on them.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_14_etag_is_the_version,
    rfc7644_3_14_if_match_guards_every_write,
    rfc7644_3_14_if_none_match_saves_a_read,
    rfc9110_13_1_preconditions_hold_for_every_method,
    a_group_that_loses_a_deleted_member_has_a_new_version,
);

fn rfc9110_13_1_preconditions_hold_for_every_method(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", created.id());
    let change = json!([{"op": "add", "path": "title", "value": "Head"}]);
    for condition in [created.version(), "*".to_owned()] {
        let guarded = scim.with_header("If-None-Match", &condition);
        guarded.patch(&path, &change).expect_error(412, None);
        guarded.put(&path, &user("ada")).expect_error(412, None);
        guarded.delete(&path).expect_error(412, None);
    }
    scim.with_header("If-Match", "W/\"77\"").get(&path).expect_error(412, None);
    let read = scim.with_header("If-Match", "*").get(&path).expect(200);
    assert_eq!(read.header("content-location"), read["meta"]["location"].as_str());
}

fn a_group_that_loses_a_deleted_member_has_a_new_version(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let created = scim.post("/Groups", &group("A", &[&ada])).expect(201);
    scim.delete(&format!("/Users/{ada}")).expect(204);
    let path = format!("/Groups/{}", created.id());
    let known = scim.with_header("If-None-Match", &created.version());
    assert!(member_ids(&known.get(&path).expect(200).body).is_empty());
}

fn rfc7644_3_14_etag_is_the_version(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (endpoint, body, change) in [
        ("/Users", user("ada"), json!([{"op": "add", "path": "title", "value": "Head"}])),
        ("/Groups", group("A", &[]), json!([{"op": "add", "path": "displayName", "value": "B"}])),
    ] {
        let created = scim.post(endpoint, &body).expect(201);
        let path = format!("{endpoint}/{}", created.id());
        let version = created.version();
        let number = version.strip_prefix("W/\"").and_then(|rest| rest.strip_suffix('"'));
        assert!(number.is_some_and(|number| number.parse::<u64>().is_ok()), "{version}");
        assert_eq!(created.header("etag"), Some(version.as_str()));
        let read = scim.get(&path).expect(200);
        assert_eq!(read.header("etag"), Some(version.as_str()));
        let patched = scim.patch(&path, &change).expect(200);
        assert_ne!(patched.version(), version);
        assert_eq!(patched.header("etag"), Some(patched.version().as_str()));
        let listed = scim.get(endpoint).expect(200);
        assert_eq!(listed["Resources"][0]["meta"]["version"], patched.version());
    }
}

fn rfc7644_3_14_if_match_guards_every_write(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (endpoint, body, attribute) in
        [("/Users", user("ada"), "title"), ("/Groups", group("A", &[]), "displayName")]
    {
        let created = scim.post(endpoint, &body).expect(201);
        let path = format!("{endpoint}/{}", created.id());
        let change = json!([{"op": "replace", "path": attribute, "value": "First"}]);
        let first = scim.with_header("If-Match", &created.version());
        first.patch(&path, &change).expect(200);

        let stale = first;
        let change = json!([{"op": "replace", "path": attribute, "value": "Second"}]);
        stale.patch(&path, &change).expect_error(412, None);
        stale.put(&path, &body).expect_error(412, None);
        stale.delete(&path).expect_error(412, None);
        let current = scim.get(&path).expect(200);
        assert_eq!(current[attribute], "First");

        let either = format!("W/\"999\", {}", current.version());
        scim.with_header("If-Match", &either).patch(&path, &change).expect(200);
        scim.with_header("If-Match", "*").put(&path, &body).expect(200);
        let current = scim.get(&path).expect(200).version();
        scim.with_header("If-Match", &current).delete(&path).expect(204);
        scim.delete(&path).expect_error(404, None);
    }
}

fn rfc7644_3_14_if_none_match_saves_a_read(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", created.id());
    let conditional = scim.with_header("If-None-Match", &created.version());
    let same = conditional.get(&path).expect(304);
    assert!(same.text.is_empty(), "{}", same.story());
    assert_eq!(same.header("etag"), Some(created.version().as_str()));
    scim.with_header("If-None-Match", "*").get(&path).expect(304);
    scim.patch(&path, &json!([{"op": "add", "path": "title", "value": "Head"}])).expect(200);
    assert_eq!(conditional.get(&path).expect(200)["title"], "Head");
}
