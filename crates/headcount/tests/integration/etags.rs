//! Versions, and requests that depend on them.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_14_etag_is_the_version,
    rfc7644_3_14_if_match_guards_every_write,
    rfc7644_3_14_if_none_match_saves_a_read,
    rfc7644_3_14_every_answer_with_a_resource_has_its_version,
    rfc9110_13_1_lists_of_tags_weak_and_strong,
    rfc9110_13_2_1_what_is_not_there_is_404_whatever_the_condition,
    rfc9110_15_4_5_an_answer_without_body_has_the_headers,
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

fn rfc7644_3_14_every_answer_with_a_resource_has_its_version(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    for (endpoint, body) in [("/Users", user("ada")), ("/Groups", group("A", &[]))] {
        let created = scim.post(endpoint, &body).expect(201);
        let path = format!("{endpoint}/{}", created.id());
        let mut changed = body.clone();
        changed["externalId"] = json!("x");
        let change = json!([{"op": "add", "path": "externalId", "value": "y"}]);
        for answer in [
            created,
            scim.get(&path).expect(200),
            scim.put(&path, &changed).expect(200),
            scim.patch(&path, &change).expect(200),
            scim.patch(&path, &change).expect(200),
        ] {
            assert_eq!(
                answer.header("etag"),
                Some(answer.version().as_str()),
                "{}",
                answer.story()
            );
            let location = answer["meta"]["location"].as_str();
            assert_eq!(answer.header("content-location"), location, "{}", answer.story());
        }
        let head = scim.send("HEAD", &path, None).expect(200);
        let silent = scim.patch(&path, &json!([])).expect(204);
        let version = scim.get(&path).expect(200).version();
        for answer in [head, silent] {
            assert_eq!(answer.header("etag"), Some(version.as_str()), "{}", answer.story());
        }
    }
}

fn rfc9110_13_1_lists_of_tags_weak_and_strong(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", created.id());
    assert_eq!(created.version(), "W/\"1\"");
    // RFC 7644 section 3.14 has weak tags in `If-Match`, so they are compared weakly there too.
    let same = ["W/\"1\"", "\"1\"", "*", "\"x\", W/\"1\"", "W/\"9\" ,\"1\",\"x,y\"", "*, \"9\""];
    let other =
        ["W/\"2\"", "\"2\"", "1", "W/1", "\"01\"", "\"+1\"", "w/\"1\"", "\"1", "", "\"x\",\"y\""];
    for (tags, is_same) in
        same.map(|tags| (tags, true)).into_iter().chain(other.map(|t| (t, false)))
    {
        for method in ["GET", "HEAD"] {
            let guarded = scim.with_header("If-Match", tags).send(method, &path, None);
            assert_eq!(
                guarded.status,
                if is_same { 200 } else { 412 },
                "{tags}: {}",
                guarded.story()
            );
            let cached = scim.with_header("If-None-Match", tags).send(method, &path, None);
            assert_eq!(
                cached.status,
                if is_same { 304 } else { 200 },
                "{tags}: {}",
                cached.story()
            );
        }
        // The same body changes nothing, so the version stays.
        let put = scim.with_header("If-Match", tags).put(&path, &user("ada"));
        assert_eq!(put.status, if is_same { 200 } else { 412 }, "{tags}: {}", put.story());
        let put = scim.with_header("If-None-Match", tags).put(&path, &user("ada"));
        assert_eq!(put.status, if is_same { 412 } else { 200 }, "{tags}: {}", put.story());
        if !is_same {
            let guarded = scim.with_header("If-Match", tags);
            guarded
                .patch(&path, &json!([{"op": "remove", "path": "title"}]))
                .expect_error(412, None);
            guarded.delete(&path).expect_error(412, None);
        }
    }
    let two = scim.with_header("If-Match", "\"7\"").with_header("If-Match", "W/\"1\"");
    two.get(&path).expect(200);
    // The one that is refused counts before the one that saves the answer.
    let both = scim.with_header("If-Match", "\"7\"").with_header("If-None-Match", "\"1\"");
    both.get(&path).expect_error(412, None);
    two.delete(&path).expect(204);
}

fn rfc9110_13_2_1_what_is_not_there_is_404_whatever_the_condition(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{NOBODY}");
    for (name, value) in [
        ("If-Match", "*"),
        ("If-Match", "\"1\""),
        ("If-None-Match", "*"),
        ("If-None-Match", "\"1\""),
    ] {
        let conditional = scim.with_header(name, value);
        conditional.get(&path).expect_error(404, None);
        conditional.put(&path, &user("ada")).expect_error(404, None);
        conditional
            .patch(&path, &json!([{"op": "remove", "path": "title"}]))
            .expect_error(404, None);
        conditional.delete(&path).expect_error(404, None);
    }
}

fn rfc9110_15_4_5_an_answer_without_body_has_the_headers(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let whole = scim.get(&path).expect(200);
    let known = scim.with_header("If-None-Match", "*").get(&path).expect(304);
    for header in ["etag", "content-location", "vary"] {
        assert_eq!(known.header(header), whole.header(header), "{header}");
        assert!(known.header(header).is_some(), "{header}");
    }
    assert!(known.text.is_empty() && known.header("content-type").is_none(), "{}", known.story());
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
