//! What clients really send, in each dialect: the bodies of users and groups.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    c2_unknown_attributes_are_ignored_but_refused_in_strict,
    q14_bare_members,
    q15_unknown_group_schema,
    q16_q17_schemas_need_not_match_the_extensions,
    q25_names_of_attributes_have_no_case,
    q35_q36_numbers_and_single_objects,
    q37_two_addresses_of_one_type,
);

const LENIENT: [Dialect; 3] = [Dialect::Standard, Dialect::Entra, Dialect::Okta];

/// One server, and for each dialect a tenant of its own.
fn each(database: Database, dialects: &[Dialect], test: impl Fn(&Client)) {
    let server = Server::start(database);
    for dialect in dialects {
        test(&server.tenant(dialect.name()).client(*dialect));
    }
}

fn c2_unknown_attributes_are_ignored_but_refused_in_strict(database: Database) {
    let mut body = user("ada");
    body["adreses"] = json!([{"country": "DE"}]);
    let patch = json!([{"op": "add", "value": {"title": "Agent", "shoeSize": 42}}]);
    each(database, &LENIENT, |scim| {
        let created = scim.post("/Users", &body).expect(201);
        assert!(created["adreses"].is_null(), "{}", created.story());
        let path = format!("/Users/{}", created.id());
        scim.put(&path, &body).expect(200);
        let patched = scim.patch(&path, &patch).expect(200);
        assert_eq!(patched["title"], "Agent");
        assert!(patched["shoeSize"].is_null(), "{}", patched.story());
        scim.patch(&path, &json!([{"op": "replace", "path": "shoeSize", "value": 1}]))
            .expect_done();
    });
    each(database, &[Dialect::Strict], |scim| {
        scim.post("/Users", &body).expect_error(400, Some("invalidSyntax"));
        let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
        scim.put(&path, &body).expect_error(400, Some("invalidSyntax"));
        scim.patch(&path, &patch).expect(400);
        let unknown = json!([{"op": "replace", "path": "shoeSize", "value": 1}]);
        scim.patch(&path, &unknown).expect(400);
        assert!(scim.get(&path).expect(200)["title"].is_null());
        let mut unknown_schema = user("grace");
        unknown_schema["schemas"] = json!([USER, "urn:example:unknown:2.0:User"]);
        scim.post("/Users", &unknown_schema).expect_error(400, Some("invalidSyntax"));
    });
}

fn q14_bare_members(database: Database) {
    each(database, &LENIENT, |scim| {
        let ada = scim.post("/Users", &user("ada")).expect(201).id();
        let grace = scim.post("/Users", &user("grace")).expect(201).id();
        let created = scim.post("/Groups", &group("Team", &[])).expect(201);
        let path = format!("/Groups/{}", created.id());
        let add = |value| json!([{"op": "add", "path": "members", "value": value}]);
        scim.patch(&path, &add(json!(ada))).expect_done();
        scim.patch(&path, &add(json!([grace]))).expect_done();
        let again = json!([{"$ref": null, "value": ada, "displayName": "Ada", "type": "User"}]);
        scim.patch(&path, &add(again)).expect_done();
        scim.patch(&path, &add(json!("string id 1"))).expect_done();
        let mut expected = [ada.as_str(), grace.as_str()];
        expected.sort_unstable();
        assert_eq!(member_ids(&scim.get(&path).expect(200).body), expected);
        let body = json!({"schemas": [GROUP], "displayName": "Other", "members": [ada]});
        let other = scim.post("/Groups", &body).expect(201);
        assert_eq!(member_ids(&other.body), [ada.as_str()], "{}", other.story());
    });
    each(database, &[Dialect::Strict], |scim| {
        let ada = scim.post("/Users", &user("ada")).expect(201).id();
        let path = format!("/Groups/{}", scim.post("/Groups", &group("T", &[])).expect(201).id());
        let add = json!([{"op": "add", "path": "members", "value": [ada]}]);
        scim.patch(&path, &add).expect_error(400, Some("invalidValue"));
    });
}

fn q15_unknown_group_schema(database: Database) {
    each(database, &LENIENT, |scim| {
        let body = json!({"displayName": "Team", "members": [], "schemas":
            [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]});
        let created = scim.post("/Groups", &body).expect(201);
        assert_eq!(created["schemas"][0], GROUP, "{}", created.story());
        assert!(!created["schemas"].to_string().contains("microsoft"), "{}", created.story());
    });
}

fn q16_q17_schemas_need_not_match_the_extensions(database: Database) {
    each(database, &LENIENT, |scim| {
        let unlisted = json!({"schemas": [USER], "userName": "ada",
            ENTERPRISE: {"department": "Sales"}});
        let created = scim.post("/Users", &unlisted).expect(201);
        assert_eq!(created[ENTERPRISE]["department"], "Sales", "{}", created.story());
        let schemas = created["schemas"].as_array().expect("schemas is an array");
        assert!(schemas.contains(&json!(ENTERPRISE)), "{}", created.story());
        let absent = json!({"schemas": [ENTERPRISE, USER], "userName": "grace"});
        let created = scim.post("/Users", &absent).expect(201);
        assert_eq!(created["userName"], "grace");
    });
}

fn q25_names_of_attributes_have_no_case(database: Database) {
    each(database, &LENIENT, |scim| {
        let body = json!({"Schemas": [USER, ENTERPRISE], "UserName": "ada",
            "Name": {"GivenName": "Ada"}, "DISPLAYNAME": "Ada",
            "Emails": [{"Primary": true, "Type": "work", "Value": "ada@example.com"}],
            ENTERPRISE: {"Department": "Sales", "Manager": {"Value": "boss"}}});
        let created = scim.post("/Users", &body).expect(201);
        assert_eq!(created["userName"], "ada");
        assert_eq!(created["name"]["givenName"], "Ada", "{}", created.story());
        assert_eq!(created["displayName"], "Ada", "{}", created.story());
        assert_eq!(created["emails"][0]["value"], "ada@example.com", "{}", created.story());
        assert_eq!(created[ENTERPRISE]["department"], "Sales", "{}", created.story());
        assert_eq!(created[ENTERPRISE]["manager"]["value"], "boss", "{}", created.story());
        scim.filter("/Users", "Emails.Value Co \"ADA@\" And DisplayName eq \"ada\"")
            .expect_user_names(&["ada"]);
    });
}

fn q35_q36_numbers_and_single_objects(database: Database) {
    each(database, &LENIENT, |scim| {
        let body = json!({"schemas": [USER], "userName": "ada", "externalId": 701_984,
            "emails": {"value": "ada@example.com", "type": "work"},
            "addresses": [{"type": "work", "postalCode": 91608}],
            ENTERPRISE: {"employeeNumber": 701_984}});
        let created = scim.post("/Users", &body).expect(201);
        assert_eq!(created["externalId"], "701984", "{}", created.story());
        assert_eq!(created["addresses"][0]["postalCode"], "91608", "{}", created.story());
        assert_eq!(created[ENTERPRISE]["employeeNumber"], "701984", "{}", created.story());
        assert_eq!(created["emails"][0]["value"], "ada@example.com", "{}", created.story());
    });
}

fn q37_two_addresses_of_one_type(database: Database) {
    each(database, &LENIENT, |scim| {
        let body = json!({"schemas": [USER], "userName": "ada", "addresses": [
            {"type": "work", "locality": "Berlin"}, {"type": "work", "locality": "Bonn"}]});
        let created = scim.post("/Users", &body).expect(201);
        let path = format!("/Users/{}", created.id());
        let replace = json!([{"op": "Replace", "path": "addresses[type eq \"work\"].country",
            "value": "Germany"}]);
        let patched = scim.patch(&path, &replace).expect(200);
        let countries = strings(&patched["addresses"], "country");
        assert_eq!(countries, ["Germany", "Germany"], "{}", patched.story());
    });
}
