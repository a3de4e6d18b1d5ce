//! What RFC 7643 asks of representations, as far as only a server can show it.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7643_3_every_representation_has_its_schemas,
    rfc7643_3_schemas_of_a_body_by_dialect,
    rfc7643_3_1_ids_are_the_server_s_own_and_given_once,
    rfc7643_3_1_external_id_is_the_client_s,
    rfc7643_3_1_meta_is_the_server_s,
    rfc7643_2_3_6_binary_by_dialect,
    rfc7643_2_4_the_same_type_and_value_is_returned_once,
    rfc7643_4_1_1_passwords_are_not_stored,
    rfc7643_4_1_2_countries_are_kept_as_sent,
    rfc7643_4_2_members_come_and_go_as_a_whole,
    rfc7643_4_2_groups_nest_and_have_names,
    rfc7643_6_resource_types_name_the_schemas_that_are_served,
    rfc7644_3_5_1_put_of_what_was_read_changes_nothing,
    rfc7644_5_names_are_compared_in_their_prepared_form,
);

/// The schemas of a resource: these, in any order, each once.
#[track_caller]
fn assert_schemas(resource: &Value, expected: &[&str]) {
    let mut found: Vec<&str> =
        resource["schemas"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    found.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected, "{resource}");
}

fn rfc7643_3_every_representation_has_its_schemas(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let created = scim.post("/Users", &user("ada")).expect(201);
    // Everybody has a division and a licence tier.
    let all = [USER, ENTERPRISE, HEADCOUNT];
    assert_schemas(&created.body, &all);
    let path = format!("/Users/{}", created.id());
    let department = format!("{ENTERPRISE}:department");
    let add = json!([{"op": "add", "path": department, "value": "Sales"}]);
    assert_schemas(&scim.patch(&path, &add).expect(200).body, &all);
    let listed = scim.get("/Users").expect(200);
    assert_schemas(&listed["Resources"][0], &all);
    for (parameter, name, expected) in [
        ("attributes", "userName", &[USER][..]),
        ("attributes", department.as_str(), &[USER, ENTERPRISE]),
        ("attributes", &format!("{HEADCOUNT}:agent"), &[USER, HEADCOUNT]),
        ("excludedAttributes", "schemas,userName", &all),
        ("excludedAttributes", ENTERPRISE, &[USER, HEADCOUNT]),
    ] {
        let read = scim.query(&path, &[(parameter, name)]).expect(200);
        assert_schemas(&read.body, expected);
    }
    let remove = json!([{"op": "remove", "path": department}]);
    assert_schemas(&scim.patch(&path, &remove).expect(200).body, &all);
    let team = scim.post("/Groups", &group("Team", &[])).expect(201);
    assert_schemas(&team.body, &[GROUP, HEADCOUNT_GROUP]);
    for path in ["/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas", "/Users/none"] {
        let schemas = scim.get(path)["schemas"].as_array().map_or(0, Vec::len);
        assert_eq!(schemas, 1, "{path}");
    }
}

fn rfc7643_3_schemas_of_a_body_by_dialect(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let with = |name: &str, schemas: Value| json!({"schemas": schemas, "userName": name, (ENTERPRISE): {"department": "Sales"}});
    let odd = [json!([USER]), json!([USER, ENTERPRISE, USER]), json!([ENTERPRISE])];
    let strict = tenant.client(Dialect::Strict);
    for schemas in odd.clone() {
        strict.post("/Users", &with("strict", schemas)).expect_error(400, Some("invalidSyntax"));
    }
    strict.post("/Users", &with("strict", json!([ENTERPRISE, USER]))).expect(201);
    for dialect in [Dialect::Standard, Dialect::Entra, Dialect::Okta] {
        let scim = tenant.client(dialect);
        for (number, schemas) in odd.iter().enumerate() {
            let body = with(&format!("{}{number}", dialect.name()), schemas.clone());
            let created = scim.post("/Users", &body).expect(201);
            assert_schemas(&created.body, &[USER, ENTERPRISE, HEADCOUNT]);
        }
    }
}

fn rfc7643_3_1_ids_are_the_server_s_own_and_given_once(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut chosen = user("ada");
    chosen["id"] = json!("bulkId:1");
    let mut ids = HashSet::new();
    for (path, body) in [
        ("/Users", chosen),
        ("/Users", user("grace")),
        ("/Groups", group("Team", &[])),
        ("/Groups", group("Other", &[])),
    ] {
        let created = scim.post(path, &body).expect(201);
        let id = created.id();
        assert!(!id.contains("bulkId"), "{}", created.story());
        let own = format!("{path}/{id}");
        let other = if path == "/Users" { "/Groups" } else { "/Users" };
        scim.get(&format!("{other}/{id}")).expect_error(404, None);
        let replaced = scim.put(&own, &body).expect(200);
        assert_eq!(replaced.id(), id, "ids are stable");
        assert!(ids.insert(id), "{}", created.story());
    }
}

fn rfc7643_3_1_external_id_is_the_client_s(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let with = |name: &str, external_id: &str| {
        let mut body = user(name);
        body["externalId"] = json!(external_id);
        body
    };
    assert!(scim.post("/Users", &user("none")).expect(201)["externalId"].is_null());
    let lower = scim.post("/Users", &with("lower", "abc")).expect(201);
    scim.post("/Users", &with("upper", "ABC")).expect(201);
    scim.filter("/Users", "externalId eq \"abc\"").expect_user_names(&["lower"]);
    scim.filter("/Users", "externalId eq \"Abc\"").expect_empty_list();
    let path = format!("/Users/{}", lower.id());
    let replace = json!([{"op": "replace", "path": "externalId", "value": "Abc"}]);
    assert_eq!(scim.patch(&path, &replace).expect(200)["externalId"], "Abc");
}

fn rfc7643_3_1_meta_is_the_server_s(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (endpoint, mut body, name) in
        [("/Users", user("ada"), "displayName"), ("/Groups", group("Team", &[]), "displayName")]
    {
        body["meta"] = json!({"created": "1999-01-01T00:00:00Z", "location": "x", "version": "y"});
        let created = scim.post(endpoint, &body).expect(201);
        let path = format!("{endpoint}/{}", created.id());
        let location = format!("{}{path}", scim.base_url());
        assert_eq!(created["meta"]["lastModified"], created["meta"]["created"]);
        let replace = json!([{"op": "replace", "path": name, "value": "Other"}]);
        let changed = scim.patch(&path, &replace).expect(200);
        assert_eq!(changed["meta"]["created"], created["meta"]["created"]);
        assert_ne!(changed["meta"]["lastModified"], created["meta"]["lastModified"]);
        for answer in [created, changed, scim.get(&path).expect(200)] {
            assert_eq!(answer["meta"]["location"], location.as_str(), "{}", answer.story());
            assert_eq!(answer.header("content-location"), Some(location.as_str()));
            assert!(answer.version().starts_with("W/\""), "{}", answer.story());
            assert_eq!(answer.header("etag"), Some(answer.version().as_str()));
        }
    }
}

fn rfc7643_2_3_6_binary_by_dialect(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let with = |name: &str, value: &str| {
        let mut body = user(name);
        body["x509Certificates"] = json!([{"value": value}]);
        body
    };
    let strict = tenant.client(Dialect::Strict);
    strict.post("/Users", &with("a", "no base64")).expect_error(400, Some("invalidValue"));
    strict.post("/Users", &with("a", "MIIDQzCCAqygAwIBAgICEAA=")).expect(201);
    let standard = tenant.client(Dialect::Standard);
    let kept = standard.post("/Users", &with("b", "no base64")).expect(201);
    assert_eq!(strings(&kept["x509Certificates"], "value"), ["no base64"]);
}

fn rfc7643_2_4_the_same_type_and_value_is_returned_once(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["emails"] = json!([
        {"value": "ada@example.com", "type": "work"},
        {"value": "ADA@example.com", "type": "work", "primary": true},
        {"value": "ada@example.com", "type": "home"},
    ]);
    let created = scim.post("/Users", &body).expect(201);
    let once = json!([
        {"value": "ada@example.com", "type": "work", "primary": true},
        {"value": "ada@example.com", "type": "home"},
    ]);
    assert_eq!(created["emails"], once, "{}", created.story());
    let path = format!("/Users/{}", created.id());
    let add = json!([{"op": "add", "path": "emails", "value": body["emails"]}]);
    assert_eq!(scim.patch(&path, &add).expect(200)["emails"], once);
}

fn rfc7643_4_1_1_passwords_are_not_stored(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let [first, second, third] = ["xyzzy-Plugh-1", "xyzzy-Plugh-2", "xyzzy-Plugh-3"];
    let mut body = user("colossal-cave");
    body["password"] = json!(first);
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    body["password"] = json!(second);
    scim.put(&path, &body).expect(200);
    scim.patch(&path, &json!([{"op": "replace", "path": "password", "value": third}])).expect(200);
    scim.patch(&path, &json!([{"op": "replace", "value": {"password": third}}])).expect(200);
    let stored = server.database().dump();
    assert!(stored.contains("colossal-cave"), "the dump has what is stored");
    assert!(!stored.to_lowercase().contains("plugh"), "no password is stored");
}

fn rfc7643_4_1_2_countries_are_kept_as_sent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    for (name, country) in [("ada", "GB"), ("grace", "gb"), ("edith", "Gibraltar")] {
        let mut body = user(name);
        body["addresses"] = json!([{"type": "work", "country": country}]);
        let created = scim.post("/Users", &body).expect(201);
        assert_eq!(strings(&created["addresses"], "country"), [country]);
    }
}

fn rfc7643_4_2_members_come_and_go_as_a_whole(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let grace = scim.post("/Users", &user("grace")).expect(201).id();
    let created = scim.post("/Groups", &group("Team", &[&ada])).expect(201);
    let path = format!("/Groups/{}", created.id());
    let selected = format!("members[value eq \"{ada}\"]");
    for (op, target, value) in [
        ("replace", format!("{selected}.value"), json!(grace)),
        ("replace", format!("{selected}.type"), json!("Group")),
        ("add", format!("{selected}.$ref"), json!("https://elsewhere.example/")),
        ("replace", "members.value".to_owned(), json!(grace)),
        ("replace", selected.clone(), json!({"value": grace})),
        ("remove", format!("{selected}.value"), Value::Null),
    ] {
        let operation = json!([{"op": op, "path": target, "value": value}]);
        scim.patch(&path, &operation).expect_error(400, Some("mutability"));
    }
    assert_eq!(scim.get(&path).expect(200).body, created.body, "nothing changed");
    let swapped = scim.put(&path, &group("Team", &[&grace])).expect(200);
    assert_eq!(member_ids(&swapped.body), [grace.as_str()]);
}

fn rfc7643_4_2_groups_nest_and_have_names(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let inner = scim.post("/Groups", &group("Inner", &[])).expect(201).id();
    let outer = scim.post("/Groups", &group("Outer", &[&inner])).expect(201);
    let member = element(&outer["members"], "value", &inner);
    assert_eq!(member["type"], "Group", "{}", outer.story());
    assert_eq!(member["$ref"], format!("{}/Groups/{inner}", scim.base_url()));
    let path = format!("/Groups/{}", outer.id());
    for name in [json!(null), json!(""), json!(" ")] {
        let body = json!({"schemas": [GROUP], "displayName": name});
        scim.post("/Groups", &body).expect_error(400, Some("invalidValue"));
        scim.put(&path, &body).expect_error(400, Some("invalidValue"));
    }
    let remove = json!([{"op": "remove", "path": "displayName"}]);
    scim.patch(&path, &remove).expect_error(400, Some("mutability"));
}

/// In the order in which queries over all of them find their resources.
const RESOURCE_TYPES: [&str; 14] = [
    "User",
    "Group",
    "Role",
    "Division",
    "Skill",
    "LicenseTier",
    "CapacityRule",
    "UserTemplate",
    "ProvisioningRule",
    "RehireCase",
    "ChangeLogEntry",
    "Connection",
    "Tenant",
    "ProvisioningLogEntry",
];

fn rfc7643_6_resource_types_name_the_schemas_that_are_served(database: Database) {
    let server = Server::start(database);
    let scim = server.anonymous();
    let types = scim.get("/ResourceTypes").expect(200);
    for kind in types.resources() {
        let extensions = strings(&kind["schemaExtensions"], "schema");
        for urn in extensions.into_iter().chain(kind["schema"].as_str()) {
            let schema = scim.get(&format!("/Schemas/{urn}")).expect(200);
            assert_eq!(schema["id"], urn, "{kind}");
        }
    }
    assert_eq!(strings(&types["Resources"], "id"), RESOURCE_TYPES, "{}", types.story());
}

fn rfc7644_3_5_1_put_of_what_was_read_changes_nothing(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let created = scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    let team = scim.post("/Groups", &group("Team", &[&created.id()])).expect(201);
    for path in [format!("/Users/{}", created.id()), format!("/Groups/{}", team.id())] {
        let read = scim.get(&path).expect(200);
        assert_eq!(scim.put(&path, &read.body).expect(200).body, read.body);
    }
}

fn rfc7644_5_names_are_compared_in_their_prepared_form(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    for (first, again, filter) in [
        ("Ａda", "aDA", "ADA"),
        ("E\u{301}dith", "éDITH", "édith"),
        ("STRASSE", "straße", "Straße"),
        ("o'brien#1@Example.com", "O'BRIEN#1@example.COM", "o'brien#1@EXAMPLE.com"),
        // What RFC 8265 would refuse is a name all the same.
        ("Grace  Hopper", "grace  HOPPER", "GRACE  hopper"),
    ] {
        let created = scim.post("/Users", &user(first)).expect(201);
        assert_eq!(created["userName"], first, "kept as it was sent");
        scim.post("/Users", &user(again)).expect_error(409, Some("uniqueness"));
        let found = scim.filter("/Users", &format!("userName eq \"{filter}\""));
        found.expect_user_names(&[first]);
    }
}
