//! PUT of users, and what it leaves of what an account has been given.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_5_1_put_without_the_extension_keeps_all_of_it,
    r28_each_role_is_meant_where_its_own_text_says,
);

const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn rfc7644_3_5_1_put_without_the_extension_keeps_all_of_it(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["schemas"] = json!([USER, EXTENSION]);
    body[EXTENSION] = json!({"site": "Berlin", "businessUnits": ["Support"], "agent": true});
    let created = scim.post("/Users", &body).expect(201);
    let put = scim.put(&format!("/Users/{}", created.id()), &user("ada")).expect(200);
    assert_eq!(put[EXTENSION], created[EXTENSION], "{}", put.story());
    assert_eq!(put["meta"], created["meta"]);
}

fn r28_each_role_is_meant_where_its_own_text_says(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    scim.patch(&path, &replace("roles", json!([{"value": "agent"}]))).expect(200);
    let everywhere = json!([{"value": "employee"}, {"value": "agent@*"}]);
    let changed = scim.patch(&path, &replace("roles", everywhere)).expect(200);
    let grant = element(&changed[EXTENSION]["roleGrants"], "role", "agent");
    assert_eq!(grant["division"], "*", "{}", changed.story());
}
