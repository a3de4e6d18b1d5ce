//! The rules of RFC 7644 for reading, listing and deleting that servers tend to get wrong, where
//! no other module has them.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_3_a_conflict_is_409_uniqueness,
    rfc7644_3_4_2_no_match_is_an_empty_list_everywhere,
    rfc7644_3_4_2_1_what_a_type_does_not_have_is_unassigned_in_a_root_query,
    rfc7644_3_4_2_2_names_and_operators_have_no_case,
    rfc7644_3_4_2_2_order_fits_neither_booleans_nor_binary,
    rfc7644_3_4_2_2_complex_attributes_schemas_and_null,
    rfc7644_3_4_2_2_pr_is_false_for_what_is_empty,
    rfc7644_3_4_2_3_sorted_by_the_primary_value_or_the_first,
    rfc7644_3_4_2_5_attributes_on_every_query,
    rfc7644_3_4_3_search_at_every_endpoint,
    rfc7644_3_6_a_deleted_resource_is_nowhere,
    rfc7644_3_9_attributes_and_excluded_attributes_exclude_each_other,
    rfc7644_3_10_urn_names_have_no_case_anywhere,
    rfc7644_3_11_me_is_501_for_every_method,
    rfc7644_3_13_the_version_stands_before_the_endpoint,
    rfc7644_4_discovery_ignores_every_parameter_but_filter,
    rfc7644_4_schemas_are_found_in_any_case,
    rfc7644_2_a_challenge_names_the_scheme,
);

fn rfc7644_3_3_a_conflict_is_409_uniqueness(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (endpoint, first, second) in
        [("/Users", user("Ada"), user("ADA")), ("/Groups", group("Team", &[]), group("TEAM", &[]))]
    {
        scim.post(endpoint, &first).expect(201);
        let other = match endpoint {
            "/Users" => user("grace"),
            _ => group("Other", &[]),
        };
        let path = format!("{endpoint}/{}", scim.post(endpoint, &other).expect(201).id());
        let answer = scim.post(endpoint, &second).expect_error(409, Some("uniqueness"));
        assert!(answer.header("location").is_none(), "{}", answer.story());
        scim.put(&path, &second).expect_error(409, Some("uniqueness"));
        let value = second.get("userName").or(second.get("displayName")).expect("it has a name");
        let name = if endpoint == "/Users" { "userName" } else { "displayName" };
        let rename = json!([{"op": "replace", "path": name, "value": value}]);
        scim.patch(&path, &rename).expect_error(409, Some("uniqueness"));
        assert_eq!(scim.get(endpoint).expect(200)["totalResults"], 2);
    }
}

fn rfc7644_3_4_2_no_match_is_an_empty_list_everywhere(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    scim.post("/Groups", &group("Team", &[])).expect(201);
    let nothing = format!("id eq \"{NOBODY}\"");
    let search = json!({"schemas": [SEARCH_REQUEST], "filter": nothing});
    for endpoint in ["/Users", "/Groups", ""] {
        scim.filter(endpoint, &nothing).expect_empty_list();
        scim.post(&format!("{endpoint}/.search"), &search).expect_empty_list();
        let beyond = scim.get(&format!("{endpoint}?startIndex=100")).expect(200);
        assert!(beyond.resources().is_empty(), "{}", beyond.story());
        let total = if endpoint.is_empty() { 2 + FURNITURE } else { 1 };
        assert_eq!(beyond["totalResults"], total, "{}", beyond.story());
        assert_eq!((&beyond["startIndex"], &beyond["itemsPerPage"]), (&json!(100), &json!(0)));
    }
}

fn rfc7644_3_4_2_1_what_a_type_does_not_have_is_unassigned_in_a_root_query(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    scim.post("/Groups", &group("Team", &[])).expect(201);
    let types = |filter: &str| -> Vec<String> {
        let answer = scim.query("/", &[("filter", filter)]).expect(200);
        let kind = |resource: &Value| resource["meta"]["resourceType"].as_str().map(str::to_owned);
        answer.resources().iter().filter_map(kind).collect()
    };
    assert_eq!(types("meta.resourceType eq \"User\""), ["User"]);
    assert_eq!(types("userName pr or displayName eq \"team\""), ["User", "Group"]);
    assert_eq!(types("members pr or userName eq \"ada\""), ["User"]);
    // Roles, divisions and licence tiers are there from the beginning.
    let others = [&["Group"][..], &["Role"; 7], &["Division"], &["LicenseTier"; 6]].concat();
    assert_eq!(types("not (userName pr)"), others);
    assert_eq!(types("not (userName pr) and not (name pr)"), ["Group"]);
    // What no type has is nobody's attribute.
    let unknown = scim.query("/", &[("filter", "noSuchAttribute pr")]);
    assert!(matches!(unknown.status, 200 | 400), "{}", unknown.story());
    assert!(unknown.resources().is_empty(), "{}", unknown.story());
    // Of one type it is a mistake.
    scim.filter("/Groups", "userName pr").expect_error(400, Some("invalidFilter"));
}

fn rfc7644_3_4_2_2_names_and_operators_have_no_case(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    for filter in [
        "USERNAME EQ \"ADA@example.com\"",
        "name.FAMILYNAME Sw \"love\" AND TITLE Pr",
        "Emails[TYPE eQ \"work\" aNd VALUE cO \"@\"]",
        "NOT (active EQ false) OR id pr",
        "not(active eq false)",
        "META.resourcetype eq \"User\"",
    ] {
        scim.filter("/Users", filter).expect_user_names(&["ada@example.com"]);
    }
}

fn rfc7644_3_4_2_2_order_fits_neither_booleans_nor_binary(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for operator in ["gt", "ge", "lt", "le"] {
        for filter in [
            format!("active {operator} true"),
            format!("emails.primary {operator} false"),
            format!("emails[primary {operator} true]"),
            format!("x509Certificates.value {operator} \"AAAA\""),
        ] {
            scim.filter("/Users", &filter).expect_error(400, Some("invalidFilter"));
        }
    }
    scim.filter("/Users", "active eq true").expect_empty_list();
}

fn rfc7644_3_4_2_2_complex_attributes_schemas_and_null(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    scim.post("/Users", &user("grace")).expect(201);
    for filter in ["name eq \"Ada\"", "meta eq \"User\"", "addresses co \"x\""] {
        scim.filter("/Users", filter).expect_error(400, Some("invalidFilter"));
    }
    scim.filter("/Users", "name pr").expect_user_names(&["ada@example.com"]);
    let of_schema = |urn: &str| scim.filter("/Users", &format!("schemas eq \"{urn}\""));
    // Everybody has a division, which both extensions have.
    of_schema(ENTERPRISE).expect_user_names(&["ada@example.com", "grace"]);
    of_schema(HEADCOUNT).expect_user_names(&["ada@example.com", "grace"]);
    of_schema(USER).expect_user_names(&["ada@example.com", "grace"]);
    of_schema(GROUP).expect_empty_list();
    scim.filter("/Users", "title eq null").expect_user_names(&["grace"]);
    scim.filter("/Users", "title ne null").expect_user_names(&["ada@example.com"]);
}

fn rfc7644_3_4_2_2_pr_is_false_for_what_is_empty(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["emails"] = json!([]);
    body["title"] = Value::Null;
    body["name"] = json!({});
    body["phoneNumbers"] = json!([{}]);
    scim.post("/Users", &body).expect(201);
    for name in ["emails", "title", "name", "phoneNumbers", "groups", "externalId"] {
        scim.filter("/Users", &format!("{name} pr")).expect_empty_list();
        scim.filter("/Users", &format!("not ({name} pr)")).expect_user_names(&["ada"]);
    }
}

fn rfc7644_3_4_2_3_sorted_by_the_primary_value_or_the_first(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let emails = |values: Value| {
        let mut body = user(values[0]["value"].as_str().unwrap_or("none"));
        body["emails"] = values;
        body
    };
    for body in [
        emails(json!([{"value": "z1", "type": "work"}, {"value": "b", "primary": true}])),
        emails(json!([{"value": "C"}, {"value": "a"}])),
        emails(json!([{"value": "a"}])),
        user("none"),
    ] {
        scim.post("/Users", &body).expect(201);
    }
    let order = |query: &str| {
        let answer = scim.get(&format!("/Users?sortBy={query}")).expect(200);
        answer.user_names().join(" ")
    };
    assert_eq!(order("emails"), "a z1 C none");
    assert_eq!(order("emails.value&sortOrder=Descending"), "none C z1 a");
    scim.get("/Users?sortBy=emails&sortOrder=up").expect_error(400, Some("invalidValue"));
    scim.get("/Users?sortBy=name").expect_error(400, Some("invalidPath"));
}

fn rfc7644_3_4_2_5_attributes_on_every_query(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201).id();
    scim.post("/Groups", &group("Team", &[&ada])).expect(201);
    let search = |member: &str, names: Value| json!({"schemas": [SEARCH_REQUEST], "filter": "id pr", member: names});
    for endpoint in ["/Users", "/Groups", ""] {
        let post = |body: &Value| scim.post(&format!("{endpoint}/.search"), body).expect(200);
        for answer in [
            scim.get(&format!("{endpoint}?attributes=meta.resourceType")).expect(200),
            post(&search("attributes", json!(["meta.resourceType"]))),
        ] {
            assert!(!answer.resources().is_empty());
            for resource in answer.resources() {
                let names: Vec<&String> = resource.as_object().expect("an object").keys().collect();
                assert_eq!(names, ["schemas", "id", "meta"], "{}", answer.story());
                assert_eq!(resource["meta"].as_object().map(serde_json::Map::len), Some(1));
            }
        }
        for answer in [
            scim.get(&format!("{endpoint}?excludedAttributes=id,meta,members,groups")).expect(200),
            post(&search("excludedAttributes", json!(["id", "meta", "members", "groups"]))),
        ] {
            for resource in answer.resources() {
                assert!(resource["id"].is_string(), "id is always there: {}", answer.story());
                for gone in ["meta", "members", "groups"] {
                    assert!(resource.get(gone).is_none(), "{}", answer.story());
                }
            }
        }
    }
}

fn rfc7644_3_4_3_search_at_every_endpoint(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    scim.post("/Users", &user("ada")).expect(201);
    scim.post("/Groups", &group("Team", &[])).expect(201);
    let search = json!({"schemas": [SEARCH_REQUEST], "count": 10});
    for (path, total) in
        [("/Users/.search", 1), ("/Groups/.search", 1), ("/.search", 2 + FURNITURE)]
    {
        let answer = scim.post(path, &search).expect(200).expect_scim_content();
        assert_eq!(answer["schemas"], json!([LIST_RESPONSE]), "{}", answer.story());
        assert_eq!(answer["totalResults"], total, "{}", answer.story());
        for wrong in [json!({}), json!({"schemas": [PATCH_OP]}), json!([])] {
            scim.post(path, &wrong).expect_error(400, Some("invalidSyntax"));
        }
        scim.get(path).expect_error(405, None);
    }
}

fn rfc7644_3_6_a_deleted_resource_is_nowhere(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let team = scim.post("/Groups", &group("Team", &[&ada])).expect(201).id();
    let outer = scim.post("/Groups", &group("Outer", &[&team])).expect(201).id();
    let title = json!([{"op": "add", "path": "displayName", "value": "x"}]);
    for (endpoint, id, body) in [("/Users", &ada, user("ada")), ("/Groups", &team, group("T", &[]))]
    {
        let path = format!("{endpoint}/{id}");
        let deleted = scim.delete(&path).expect(204);
        assert!(deleted.text.is_empty() && deleted.header("content-type").is_none());
        scim.get(&path).expect_error(404, None);
        scim.get(&format!("{path}?attributes=id")).expect_error(404, None);
        scim.send("HEAD", &path, None).expect(404);
        scim.put(&path, &body).expect_error(404, None);
        scim.patch(&path, &title).expect_error(404, None);
        scim.delete(&path).expect_error(404, None);
        let by_id = format!("id eq \"{id}\"");
        let search = json!({"schemas": [SEARCH_REQUEST], "filter": by_id});
        for endpoint in [endpoint, ""] {
            scim.filter(endpoint, &by_id).expect_empty_list();
            scim.post(&format!("{endpoint}/.search"), &search).expect_empty_list();
        }
    }
    let outer = scim.get(&format!("/Groups/{outer}")).expect(200);
    assert!(member_ids(&outer.body).is_empty(), "{}", outer.story());
    scim.filter("/Groups", &format!("members.value eq \"{team}\"")).expect_empty_list();
}

fn rfc7644_3_9_attributes_and_excluded_attributes_exclude_each_other(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let one = format!("/Users/{}", created.id());
    let both = "attributes=userName&excludedAttributes=title";
    for path in ["/Users", "/Groups", "", &one] {
        scim.get(&format!("{path}?{both}")).expect_error(400, Some("invalidValue"));
    }
    let refused = Some("invalidValue");
    scim.post(&format!("/Users?{both}"), &user("grace")).expect_error(400, refused);
    scim.put(&format!("{one}?{both}"), &user("grace")).expect_error(400, refused);
    let change = json!({"schemas": [PATCH_OP],
        "Operations": [{"op": "add", "path": "title", "value": "x"}]});
    scim.json("PATCH", &format!("{one}?{both}"), &change).expect_error(400, refused);
    let search = json!({"schemas": [SEARCH_REQUEST], "attributes": ["userName"],
        "excludedAttributes": ["title"]});
    scim.post("/Users/.search", &search).expect_error(400, refused);
    assert_eq!(scim.get("/Users").expect(200).resources(), [created.body]);
}

fn rfc7644_3_10_urn_names_have_no_case_anywhere(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let created = scim.post("/Users", &person("Ada", "Lovelace", "ada@example.com")).expect(201);
    let path = format!("/Users/{}", created.id());
    let (core, department) =
        (USER.to_uppercase(), format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase()));
    let filter = format!("{core}:NAME.givenname eq \"ada\" and {department} eq \"sales\"");
    scim.filter("/Users", &filter).expect_user_names(&["ada@example.com"]);
    let named = scim.query(&path, &[("attributes", &department)]).expect(200);
    assert_eq!(named[ENTERPRISE], json!({"department": "Sales"}), "{}", named.story());
    let sorted = scim.query("/Users", &[("sortBy", &format!("{core}:USERNAME"))]);
    sorted.expect_user_names(&["ada@example.com"]);
    let change = json!([{"op": "replace", "path": department, "value": "Support"}]);
    assert_eq!(scim.patch(&path, &change).expect(200)[ENTERPRISE]["department"], "Support");
    let mut body = user("ada@example.com");
    body["schemas"] = json!([core, ENTERPRISE.to_uppercase()]);
    body[ENTERPRISE.to_uppercase()] = json!({"DEPARTMENT": "Sales"});
    assert_eq!(scim.put(&path, &body).expect(200)[ENTERPRISE]["department"], "Sales");
}

fn rfc7644_3_11_me_is_501_for_every_method(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        scim.send(method, "/Me", None).expect_error(501, None);
        scim.send(method, "/Me/", Some(("text/plain", "{"))).expect_error(501, None);
        server.anonymous().send(method, "/Me", None).expect_error(401, None);
    }
    scim.send("HEAD", "/Me", None).expect(501);
}

fn rfc7644_3_13_the_version_stands_before_the_endpoint(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let location = created["meta"]["location"].as_str().unwrap_or_default();
    assert!(location.ends_with(&format!("/v2/Users/{}", created.id())), "{location}");
    for base in ["v1", "v3", "V2", ""] {
        let base = server.base_url().replace("v2", base);
        let other = Client::new(base.trim_end_matches('/'), Some(scim.token()));
        other.get("/Users").expect_error(404, None);
    }
    scim.get("/v2/Users").expect_error(404, None);
}

fn rfc7644_4_discovery_ignores_every_parameter_but_filter(database: Database) {
    let server = Server::start(database);
    let scim = server.anonymous();
    let user_schema = format!("/Schemas/{USER}");
    let paths = [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        &user_schema,
    ];
    for path in paths {
        let whole = scim.get(path).expect(200);
        for ignored in [
            "count=0&startIndex=7",
            "count=many&startIndex=x",
            "count=1&count=2",
            "sortBy=nothing&sortOrder=sideways",
            "attributes=id&excludedAttributes=id",
            "attributes=nothing",
        ] {
            assert_eq!(scim.get(&format!("{path}?{ignored}")).expect(200).body, whole.body);
        }
        for filter in ["filter=id%20pr", "Filter=nonsense", "count=1&filter="] {
            scim.get(&format!("{path}?{filter}")).expect_error(403, None);
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = scim.send(method, path, None).expect_error(405, None);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
        let head = scim.send("HEAD", path, None).expect(200);
        assert_eq!(head.header("content-length"), whole.header("content-length"));
    }
    for path in ["/ResourceTypes", "/Schemas"] {
        let list = scim.get(path).expect(200).expect_scim_content();
        assert_eq!(list["schemas"], json!([LIST_RESPONSE]), "{}", list.story());
        assert_eq!(list["totalResults"], list.resources().len());
        assert_eq!(list["itemsPerPage"], list.resources().len());
    }
}

fn rfc7644_4_schemas_are_found_in_any_case(database: Database) {
    let server = Server::start(database);
    let scim = server.anonymous();
    let found = scim.get(&format!("/Schemas/{ENTERPRISE}")).expect(200);
    for urn in
        [ENTERPRISE.to_uppercase(), ENTERPRISE.to_lowercase(), ENTERPRISE.replace(':', "%3A")]
    {
        assert_eq!(scim.get(&format!("/Schemas/{urn}")).expect(200).body, found.body);
    }
    assert_eq!(found["id"], ENTERPRISE);
    scim.get("/Schemas/User").expect_error(404, None);
}

fn rfc7644_2_a_challenge_names_the_scheme(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let challenge = |client: &Client| {
        let answer = client.get("/Users").expect_error(401, None);
        answer.header("www-authenticate").unwrap_or_default().to_owned()
    };
    assert_eq!(challenge(&server.anonymous()), "Bearer realm=\"headcount\"");
    let wrong = server.client_with_token("hc_nobody_nothing");
    assert_eq!(challenge(&wrong), "Bearer realm=\"headcount\", error=\"invalid_token\"");
    // The name of the scheme has no case (RFC 9110 section 11.1).
    let lower =
        server.anonymous().with_header("Authorization", &format!("bearer {}", scim.token()));
    lower.get("/Users").expect_empty_list();
    // A token in the URL would stand in logs (RFC 6750 section 2.3).
    let in_url = format!("/Users?access_token={}", scim.token());
    server.anonymous().get(&in_url).expect_error(401, None);
}
