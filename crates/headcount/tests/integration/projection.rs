//! `attributes` and `excludedAttributes` on every answer that carries a resource.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_9_attributes_and_excluded_attributes,
    rfc7644_3_9_projection_on_every_operation,
    q30_members_can_be_excluded,
);

/// The names of the members of an object, sorted.
fn names(resource: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        resource.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap();
    names.sort_unstable();
    names
}

fn rfc7644_3_9_attributes_and_excluded_attributes(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    let path = format!("/Users/{}", created.id());
    let with = |attributes: &str| scim.query(&path, &[("attributes", attributes)]).expect(200);
    let without =
        |attributes: &str| scim.query(&path, &[("excludedAttributes", attributes)]).expect(200);

    assert_eq!(names(&with("userName").body), ["id", "schemas", "userName"]);
    assert_eq!(names(&with("USERNAME, title").body), ["id", "schemas", "title", "userName"]);
    assert_eq!(names(&with("id").body), ["id", "schemas"]);
    assert_eq!(names(&with("noSuchAttribute").body), ["id", "schemas"]);
    assert_eq!(with("name.givenName")["name"], json!({"givenName": "Ada"}));
    assert_eq!(with("emails.value")["emails"], json!([{"value": "ada@example.com"}]));
    assert_eq!(names(&with("meta.version")["meta"]), ["version"]);
    let department = with(&format!("{ENTERPRISE}:department"));
    assert_eq!(department[ENTERPRISE], json!({"department": "Sales"}));
    assert!(department["userName"].is_null(), "{}", department.story());
    assert_eq!(with(ENTERPRISE)[ENTERPRISE]["department"], "Sales");
    assert_eq!(with(&format!("{USER}:userName"))["userName"], "ada@example.com");

    let rest = without("emails,name.familyName,meta");
    assert_eq!(rest["name"]["givenName"], "Ada", "{}", rest.story());
    for gone in ["emails", "meta"] {
        assert!(rest[gone].is_null(), "{}", rest.story());
    }
    assert!(rest["name"]["familyName"].is_null(), "{}", rest.story());
    assert_eq!(rest["title"], "Agent");
    assert_eq!(without("id,schemas").id(), created.id(), "the id is always returned");
    assert!(without(ENTERPRISE)[ENTERPRISE].is_null());
    assert!(without(&format!("{ENTERPRISE}:department"))[ENTERPRISE]["department"].is_null());
}

fn rfc7644_3_9_projection_on_every_operation(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let body = person("Ada", "Lovelace", "ada@example.com");
    let created = scim.post("/Users?attributes=userName", &body).expect(201);
    assert!(created.header("location").is_some(), "Location is a header");
    let path = format!("/Users/{}", created.id());
    let patch = json!({"schemas": [PATCH_OP],
        "Operations": [{"op": "replace", "path": "title", "value": "Head"}]});
    let answers = [
        created,
        scim.get(&format!("{path}?attributes=userName")).expect(200),
        scim.put(&format!("{path}?attributes=userName"), &body).expect(200),
        scim.json("PATCH", &format!("{path}?attributes=userName"), &patch).expect(200),
    ];
    for answer in &answers {
        assert_eq!(names(&answer.body), ["id", "schemas", "userName"], "{}", answer.story());
    }
    let listed = scim.get("/Users?attributes=userName").expect(200);
    assert_eq!(names(&listed["Resources"][0]), ["id", "schemas", "userName"]);
    let listed = scim.get("/Users?excludedAttributes=name,emails").expect(200);
    assert!(listed["Resources"][0]["name"].is_null(), "{}", listed.story());
    assert_eq!(listed["Resources"][0]["title"], "Head");
}

fn q30_members_can_be_excluded(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let path = format!("/Groups/{}", scim.post("/Groups", &group("A", &[&ada])).expect(201).id());
    let excluded = scim.get(&format!("{path}?excludedAttributes=members")).expect(200);
    assert!(excluded["members"].is_null(), "{}", excluded.story());
    assert_eq!(excluded["displayName"], "A");
    let listed = scim.get("/Groups?excludedAttributes=members").expect(200);
    assert!(listed["Resources"][0]["members"].is_null(), "{}", listed.story());
    let named = scim.get("/Groups?attributes=members.value").expect(200);
    assert_eq!(named["Resources"][0]["members"], json!([{"value": ada}]));
    assert!(named["Resources"][0]["displayName"].is_null(), "{}", named.story());
}
