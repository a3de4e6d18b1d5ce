//! Users: create, read, replace, delete.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_3_create_answers_the_whole_user,
    rfc7643_4_1_1_user_name_is_required_and_unique_without_case,
    rfc7644_3_3_read_only_attributes_are_ignored,
    rfc7643_4_1_1_password_is_never_returned,
    rfc7644_3_5_1_put_clears_what_it_omits_and_keeps_active,
    rfc7644_3_5_1_put_checks_what_it_is_given,
    rfc7644_3_5_1_put_clears_what_it_names_as_empty,
    rfc7643_2_5_null_and_empty_are_absent,
    rfc7644_3_6_delete_is_the_end,
    r7_external_id_is_unique_for_a_connection,
    c6_values_are_kept_as_sent_without_format_checks,
);

fn rfc7644_3_3_create_answers_the_whole_user(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = person("Ada", "Lovelace", "ada@example.com");
    body["externalId"] = json!("00uAda");
    let created = scim.post("/Users", &body).expect(201).expect_scim_content();
    let id = created.id();

    let location = format!("{}/Users/{id}", scim.base_url());
    assert_eq!(created.header("location"), Some(location.as_str()));
    assert_eq!(created["meta"]["location"], location.as_str());
    assert_eq!(created["meta"]["resourceType"], "User");
    assert!(created["meta"]["created"].is_string());
    assert_eq!(created["meta"]["created"], created["meta"]["lastModified"]);
    for attribute in ["externalId", "userName", "name", "displayName", "title", "active"] {
        assert_contains(&created[attribute], &body[attribute]);
    }
    assert_contains(&created["emails"], &body["emails"]);
    assert_contains(&created[ENTERPRISE], &body[ENTERPRISE]);
    let schemas = created["schemas"].as_array().expect("schemas is an array");
    assert!(schemas.contains(&json!(USER)) && schemas.contains(&json!(ENTERPRISE)), "{schemas:?}");

    let read = scim.get(&format!("/Users/{id}")).expect(200).expect_scim_content();
    assert_eq!(read.body, created.body);
    let listed = scim.get("/Users").expect(200);
    assert_eq!(listed["schemas"], json!([LIST_RESPONSE]));
    assert_eq!(listed.resources(), [read.body]);
}

/// Every member that was sent is there; the server may add more.
#[track_caller]
fn assert_contains(found: &Value, sent: &Value) {
    match (found, sent) {
        (Value::Object(found), Value::Object(sent)) => {
            for (name, value) in sent {
                assert_contains(found.get(name).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(found), Value::Array(sent)) => {
            assert_eq!(found.len(), sent.len(), "{found:?}");
            found.iter().zip(sent).for_each(|(found, sent)| assert_contains(found, sent));
        }
        _ => assert_eq!(found, sent),
    }
}

fn rfc7643_4_1_1_user_name_is_required_and_unique_without_case(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &json!({"schemas": [USER]})).expect_error(400, Some("invalidValue"));
    scim.post("/Users", &user("")).expect_error(400, Some("invalidValue"));
    scim.post("/Users", &user("Ada@Example.com")).expect(201);
    scim.post("/Users", &user("ada@example.COM")).expect_error(409, Some("uniqueness"));
    scim.get("/Users").expect_user_names(&["Ada@Example.com"]);
}

fn rfc7644_3_3_read_only_attributes_are_ignored(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let group_id = scim.post("/Groups", &group("Sales", &[])).expect(201).id();
    let mut body = user("ada");
    body["id"] = json!("chosen-by-the-client");
    body["meta"] = json!({"resourceType": "Group", "created": "1999-01-01T00:00:00Z",
        "version": "W/\"77\"", "location": "https://elsewhere.example/"});
    body["groups"] = json!([{"value": group_id}]);
    let created = scim.post("/Users", &body).expect(201);
    let id = created.id();
    assert_ne!(id, "chosen-by-the-client");
    assert!(!created["meta"]["created"].as_str().unwrap_or_default().starts_with("1999"));
    assert_eq!(created["meta"]["resourceType"], "User");
    assert!(strings(&created["groups"], "value").is_empty(), "{}", created.story());

    let replaced = scim.put(&format!("/Users/{id}"), &body).expect(200);
    assert_eq!(replaced.id(), id);
    assert_eq!(replaced["meta"]["created"], created["meta"]["created"]);
    let read = scim.get(&format!("/Groups/{group_id}")).expect(200);
    assert!(member_ids(&read.body).is_empty(), "{}", read.story());
}

fn rfc7643_4_1_1_password_is_never_returned(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let secret = "Tr0ub4dor&3-correct-horse";
    let mut body = user("ada");
    body["password"] = json!(secret);
    let created = scim.post("/Users", &body).expect(201);
    let path = format!("/Users/{}", created.id());
    let replace = json!([{"op": "replace", "path": "password", "value": secret}]);
    let answers = [
        created,
        scim.put(&path, &body).expect(200),
        scim.patch(&path, &replace).expect_done(),
        scim.query(&path, &[("attributes", "userName,password")]).expect(200),
        scim.query("/Users", &[("attributes", "password")]).expect(200),
    ];
    for answer in answers {
        assert!(!answer.text.contains(secret), "{}", answer.story());
        assert!(!answer.text.contains("\"password\""), "{}", answer.story());
    }
}

fn rfc7644_3_5_1_put_clears_what_it_names_as_empty(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["roles"] = json!([{"value": "Agent"}]);
    body["externalId"] = json!("00u1");
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let kept = scim.put(&path, &user("ada")).expect(200);
    // Everybody is an employee (R27), and a role is shown by its own name.
    assert_eq!(strings(&kept["roles"], "value"), ["employee", "agent"], "{}", kept.story());
    assert_eq!(kept["externalId"], "00u1", "{}", kept.story());
    body["roles"] = json!([]);
    body["externalId"] = json!(null);
    let cleared = scim.put(&path, &body).expect(200);
    assert_eq!(strings(&cleared["roles"], "value"), ["employee"], "{}", cleared.story());
    assert!(cleared["externalId"].is_null(), "{}", cleared.story());
}

fn rfc7644_3_5_1_put_clears_what_it_omits_and_keeps_active(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = person("Ada", "Lovelace", "ada@example.com");
    body["active"] = json!(false);
    let created = scim.post("/Users", &body).expect(201);
    let path = format!("/Users/{}", created.id());

    let replacement = json!({"schemas": [USER], "userName": "ada@example.com",
        "name": {"givenName": "Augusta"}});
    let replaced = scim.put(&path, &replacement).expect(200);
    assert_eq!(replaced["name"]["givenName"], "Augusta");
    assert!(replaced["name"]["familyName"].is_null(), "{}", replaced.story());
    assert!(replaced["title"].is_null(), "{}", replaced.story());
    assert!(strings(&replaced["phoneNumbers"], "value").is_empty(), "{}", replaced.story());
    assert!(replaced[ENTERPRISE]["department"].is_null(), "{}", replaced.story());
    assert_eq!(replaced["active"], false, "active is kept: {}", replaced.story());
    assert_ne!(replaced.version(), created.version());
    assert_eq!(scim.get(&path).expect(200).body, replaced.body);

    let again = scim.put(&path, &replacement).expect(200);
    assert_eq!(again["meta"], replaced["meta"], "nothing changed: {}", again.story());
}

fn rfc7644_3_5_1_put_checks_what_it_is_given(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("taken")).expect(201);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let unknown = format!("/Users/{NOBODY}");
    scim.put(&unknown, &user("nobody")).expect_error(404, None);
    scim.filter("/Users", "userName eq \"nobody\"").expect_empty_list();
    scim.put(&path, &json!({"schemas": [USER]})).expect_error(400, Some("invalidValue"));
    scim.put(&path, &user("TAKEN")).expect_error(409, Some("uniqueness"));
    assert_eq!(scim.get(&path).expect(200)["userName"], "ada");
}

fn rfc7643_2_5_null_and_empty_are_absent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["title"] = Value::Null;
    body["emails"] = Value::Null;
    body["phoneNumbers"] = json!([]);
    body["name"] = json!({"givenName": null});
    let created = scim.post("/Users", &body).expect(201);
    for attribute in ["title", "emails", "phoneNumbers"] {
        let found = &created[attribute];
        assert!(found.is_null() || *found == json!([]), "{attribute}: {}", created.story());
    }
    let path = format!("/Users/{}", created.id());
    let full = scim.put(&path, &person("Ada", "Lovelace", "ada")).expect(200);
    assert_eq!(full["title"], "Agent");
    let cleared = scim.put(&path, &body).expect(200);
    assert!(cleared["title"].is_null(), "{}", cleared.story());
    assert!(strings(&cleared["emails"], "value").is_empty(), "{}", cleared.story());
}

fn rfc7644_3_6_delete_is_the_end(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let deleted = scim.delete(&path).expect(204);
    assert!(deleted.text.is_empty(), "{}", deleted.story());
    scim.get(&path).expect_error(404, None);
    scim.delete(&path).expect_error(404, None);
    scim.put(&path, &user("ada")).expect_error(404, None);
    let operations = json!([{"op": "replace", "path": "title", "value": "Agent"}]);
    scim.patch(&path, &operations).expect_error(404, None);
    scim.get("/Users").expect_empty_list();
}

fn r7_external_id_is_unique_for_a_connection(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let okta = tenant.client(Dialect::Okta);
    let entra = tenant.client(Dialect::Entra);
    let with_id = |name: &str, external_id: &str| {
        let mut body = user(name);
        body["externalId"] = json!(external_id);
        body
    };
    okta.post("/Users", &with_id("ada", "id-1")).expect(201);
    okta.post("/Users", &with_id("grace", "id-1")).expect_error(409, Some("uniqueness"));
    okta.post("/Users", &with_id("grace", "ID-1")).expect(201);
    let mut team = group("Team", &[]);
    team["externalId"] = json!("id-1");
    okta.post("/Groups", &team).expect(201);
    entra.post("/Users", &with_id("edith", "id-1")).expect(201);
    okta.filter("/Users", "externalId eq \"id-1\"").expect_user_names(&["ada"]);
    entra.filter("/Users", "externalId eq \"id-1\"").expect_user_names(&["edith"]);
}

fn c6_values_are_kept_as_sent_without_format_checks(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("Zoë.O'Brien+test@Example.COM");
    body["locale"] = json!("BGKAWQXOZREF");
    body["profileUrl"] = json!("not a url at all");
    body["timezone"] = json!("Somewhere/Else");
    body["preferredLanguage"] = json!("lu");
    body["addresses"] = json!([{"type": "work", "country": "Gibraltar", "postalCode": "dk0 2uz",
        "streetAddress": "1 Main\nStreet \"A\" \\ 雪 🦀"}]);
    body["phoneNumbers"] = json!([{"type": "work", "value": "tel:+1-555-555-5555"},
        {"type": "mobile", "value": "(0) 12 / 34"}]);
    let created = scim.post("/Users", &body).expect(201);
    let read = scim.get(&format!("/Users/{}", created.id())).expect(200);
    for attribute in ["userName", "locale", "profileUrl", "timezone", "preferredLanguage"] {
        assert_eq!(read[attribute], body[attribute], "{attribute}");
    }
    assert_contains(&read["addresses"], &body["addresses"]);
    assert_contains(&read["phoneNumbers"], &body["phoneNumbers"]);
}
