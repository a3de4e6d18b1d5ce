//! Groups: create, read, replace, delete, and their names.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_3_group_life,
    group_names_are_unique_without_case_and_free_after_delete,
    group_put_replaces_name_and_members,
    group_needs_a_name,
    q43_renaming_with_the_read_only_id_is_accepted,
    group_patch_answers_204_above_two_hundred_members,
);

fn rfc7644_3_3_group_life(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let created = scim.post("/Groups", &group("Sales", &[&ada])).expect(201).expect_scim_content();
    let path = format!("/Groups/{}", created.id());
    let location = format!("{}{path}", scim.base_url());
    assert_eq!(created.header("location"), Some(location.as_str()));
    assert_eq!(created["meta"]["location"], location.as_str());
    assert_eq!(created["meta"]["resourceType"], "Group");
    assert_eq!(created["displayName"], "Sales");
    assert_eq!(member_ids(&created.body), [ada.as_str()]);

    assert_eq!(scim.get(&path).expect(200).body, created.body);
    let listed = scim.get("/Groups").expect(200);
    assert_eq!(listed["totalResults"], 1);
    assert_eq!(member_ids(&listed["Resources"][0]), [ada.as_str()], "{}", listed.story());

    scim.delete(&path).expect(204);
    scim.get(&path).expect_error(404, None);
    scim.delete(&path).expect_error(404, None);
    scim.put(&path, &group("Sales", &[])).expect_error(404, None);
    scim.patch(&path, &json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]))
        .expect_error(404, None);
    scim.get("/Groups").expect_empty_list();
    let read = scim.get(&format!("/Users/{ada}")).expect(200);
    assert!(strings(&read["groups"], "value").is_empty(), "{}", read.story());
}

fn group_names_are_unique_without_case_and_free_after_delete(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let sales = scim.post("/Groups", &group("Sales", &[])).expect(201).id();
    scim.post("/Groups", &group("SALES", &[])).expect_error(409, Some("uniqueness"));
    let support = scim.post("/Groups", &group("Support", &[])).expect(201).id();
    let path = format!("/Groups/{support}");
    let rename = |name: &str| json!([{"op": "replace", "path": "displayName", "value": name}]);
    scim.patch(&path, &rename("sales")).expect_error(409, Some("uniqueness"));
    scim.put(&path, &group("sales", &[])).expect_error(409, Some("uniqueness"));
    scim.patch(&path, &rename("SUPPORT")).expect_done();
    assert_eq!(scim.get(&path).expect(200)["displayName"], "SUPPORT");
    scim.delete(&format!("/Groups/{sales}")).expect(204);
    let again = scim.post("/Groups", &group("sales", &[])).expect(201).id();
    assert_ne!(again, sales, "ids are never given again");
}

fn group_put_replaces_name_and_members(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let grace = scim.post("/Users", &user("grace")).expect(201).id();
    let created = scim.post("/Groups", &group("Sales", &[&ada])).expect(201);
    let path = format!("/Groups/{}", created.id());
    let replaced = scim.put(&path, &group("Support", &[&grace])).expect(200);
    assert_eq!(replaced["displayName"], "Support");
    assert_eq!(member_ids(&replaced.body), [grace.as_str()]);
    assert_ne!(replaced.version(), created.version());
    let again = scim.put(&path, &group("Support", &[&grace])).expect(200);
    assert_eq!(again["meta"], replaced["meta"], "nothing changed: {}", again.story());
    let emptied = scim.put(&path, &group("Support", &[])).expect(200);
    assert!(member_ids(&emptied.body).is_empty(), "{}", emptied.story());
}

fn group_needs_a_name(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Groups", &json!({"schemas": [GROUP]})).expect_error(400, Some("invalidValue"));
    let path = format!("/Groups/{}", scim.post("/Groups", &group("A", &[])).expect(201).id());
    scim.put(&path, &json!({"schemas": [GROUP]})).expect_error(400, Some("invalidValue"));
    scim.patch(&path, &json!([{"op": "remove", "path": "displayName"}])).expect(400);
    assert_eq!(scim.get(&path).expect(200)["displayName"], "A");
}

fn q43_renaming_with_the_read_only_id_is_accepted(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Groups", &group("Before", &[])).expect(201);
    let path = format!("/Groups/{}", created.id());
    let rename = json!([{"op": "replace",
        "value": {"id": created.id(), "displayName": "After"}}]);
    scim.patch(&path, &rename).expect_done();
    let renamed = scim.get(&path).expect(200);
    assert_eq!(renamed["displayName"], "After");
    scim.patch(&path, &rename).expect_done();
    assert_eq!(scim.get(&path).expect(200)["meta"], renamed["meta"], "the second is a no-op");
}

fn group_patch_answers_204_above_two_hundred_members(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ids: Vec<String> = (0..201)
        .map(|number| scim.post("/Users", &user(&format!("user{number}"))).expect(201).id())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let path = format!("/Groups/{}", scim.post("/Groups", &group("All", &[])).expect(201).id());
    let add = |ids: &[&str]| json!([{"op": "add", "path": "members", "value": members_of(ids)}]);

    let answer = scim.patch(&path, &add(&ids[..200])).expect(200);
    assert_eq!(member_ids(&answer.body).len(), 200);
    let answer = scim.patch(&path, &add(&ids[200..])).expect(204);
    assert!(answer.text.is_empty(), "{}", answer.story());
    let read = scim.get(&path).expect(200);
    assert_eq!(member_ids(&read.body).len(), 201);
    let named = scim.json(
        "PATCH",
        &format!("{path}?attributes=displayName"),
        &json!({"schemas": [PATCH_OP], "Operations": add(&ids[..1])}),
    );
    assert_eq!(named.expect(200)["displayName"], "All");
}
