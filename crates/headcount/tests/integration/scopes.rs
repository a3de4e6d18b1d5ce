//! What a connection may do: each scope missing is said, and nothing is done.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_2_16_without_a_scope_it_is_refused_and_said,
    domain_2_16_what_was_given_may_be_sent_back_without_the_scope_to_give_it,
    domain_2_16_nobody_but_an_administrator_changes_what_is_not_a_person,
    domain_2_16_what_may_not_be_read_is_in_no_query,
    domain_2_16_a_scope_counts_from_the_next_request_on,
    domain_2_16_what_may_not_be_done_alone_may_not_be_done_in_bulk,
);

const ALL: [&str; 8] = [
    "scim.users.read",
    "scim.users.write",
    "scim.groups.read",
    "scim.groups.write",
    "scim.delete",
    "scim.roles.assign",
    "scim.license.assign",
    "scim.password.set",
];

/// The types that only an administrator may change, and what one of them looks like.
fn nouns() -> [(&'static str, Value); 7] {
    let rule = json!({"name": "x", "filter": "userName pr", "template": "Newcomer"});
    [
        ("/Roles", json!({"name": "x"})),
        ("/Divisions", json!({"name": "x"})),
        ("/Skills", json!({"name": "x"})),
        ("/CapacityRules", json!({"name": "x"})),
        ("/UserTemplates", json!({"name": "x"})),
        ("/ProvisioningRules", rule),
        ("/Connections", json!({"name": "x"})),
    ]
}

/// A client of the tenant `acme` with these scopes and no others.
fn client(server: &Server, name: &str, scopes: &[&str]) -> Client {
    let scopes = scopes.join(",");
    let arguments = ["token", "create", "--tenant", "acme", "--scopes", &scopes];
    let token = server.command(&[&arguments[..], &["--connection", name]].concat()).succeeded();
    server.client_with_token(token.stdout.trim())
}

/// A client that lacks one scope.
fn without(server: &Server, scope: &str) -> Client {
    let scopes: Vec<&str> = ALL.into_iter().filter(|other| *other != scope).collect();
    client(server, scope, &scopes)
}

#[track_caller]
fn missing(answer: Answer, scope: &str) {
    let refused = answer.expect_error(403, None).expect_code(403, "scopeMissing", None);
    assert!(refused["detail"].as_str().unwrap().contains(scope), "{}", refused.story());
}

fn domain_2_16_without_a_scope_it_is_refused_and_said(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let before = scim.get(&ada).expect(200);
    let title = replace("title", "Agent");

    let reader = without(&server, "scim.users.read");
    let search = json!({"schemas": [SEARCH_REQUEST], "filter": "userName eq \"ada\""});
    missing(reader.get(&ada), "scim.users.read");
    missing(reader.get("/Users"), "scim.users.read");
    missing(reader.post("/Users/.search", &search), "scim.users.read");
    for endpoint in ["/Roles", "/Divisions", "/Skills", "/LicenseTiers", "/CapacityRules"] {
        missing(reader.get(endpoint), "scim.users.read");
    }

    let writer = without(&server, "scim.users.write");
    writer.get(&ada).expect(200);
    missing(writer.post("/Users", &user("bob")), "scim.users.write");
    missing(writer.put(&ada, &user("ada")), "scim.users.write");
    missing(writer.patch(&ada, &title), "scim.users.write");

    missing(without(&server, "scim.delete").delete(&ada), "scim.delete");

    let roles = without(&server, "scim.roles.assign");
    let with_role = json!({"schemas": [USER], "userName": "bob", "roles": [{"value": "agent"}]});
    missing(roles.post("/Users", &with_role), "scim.roles.assign");
    missing(roles.patch(&ada, &replace("roles", json!([{"value": "agent"}]))), "scim.roles.assign");
    roles.patch(&ada, &replace("roles", json!([{"value": "employee"}]))).expect(200);

    let licences = without(&server, "scim.license.assign");
    let tier = format!("{HEADCOUNT}:licenseTier");
    missing(licences.patch(&ada, &replace(&tier, "CX2")), "scim.license.assign");
    let with_tier = json!({"schemas": [USER, HEADCOUNT], "userName": "bob",
        HEADCOUNT: {"licenseTier": "CX2"}});
    missing(licences.post("/Users", &with_tier), "scim.license.assign");
    assert_eq!(scim.get(&ada).expect(200).body, before.body);
    scim.get("/Users").expect_user_names(&["ada"]);
    // The default tier is what everybody gets.
    let default = json!({"schemas": [USER, HEADCOUNT], "userName": "bob",
        HEADCOUNT: {"licenseTier": "cx1"}});
    licences.post("/Users", &default).expect(201);
    admin.policy("provisioning.defaultLicenseTier", "CX2");
    create_user(&licences, &user("eve"));
}

fn domain_2_16_what_was_given_may_be_sent_back_without_the_scope_to_give_it(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let body = json!({"schemas": [USER, HEADCOUNT], "userName": "ada",
        "roles": [{"value": "agent@*"}], HEADCOUNT: {"licenseTier": "CX3"}});
    let ada = create_user(&scim, &body);
    let basic = client(&server, "basic", &["scim.users.read", "scim.users.write"]);
    let read = basic.get(&ada).expect(200);
    let mut body = read.body.clone();
    body["title"] = json!("Agent");
    let put = basic.put(&ada, &body).expect(200);
    assert_eq!((&put["title"], &put["roles"]), (&json!("Agent"), &read["roles"]));
    basic.patch(&ada, &replace("active", false)).expect(200);
    basic.patch(&ada, &replace("active", true)).expect(200);
    // Taking roles away takes the scope too.
    let none = json!([{"op": "remove", "path": "roles"}]);
    missing(basic.patch(&ada, &none), "scim.roles.assign");
}

fn domain_2_16_nobody_but_an_administrator_changes_what_is_not_a_person(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/UserTemplates", "Newcomer");
    for (endpoint, body) in nouns() {
        missing(scim.post(endpoint, &body), "admin");
        let path = admin.create_as(endpoint, &body);
        missing(scim.put(&path, &body), "admin");
        missing(scim.patch(&path, &replace("name", "y")), "admin");
        missing(scim.delete(&path), "admin");
        // What is of the tenant's inside is not even read by others.
        match endpoint {
            "/UserTemplates" | "/ProvisioningRules" | "/Connections" => {
                missing(scim.get(&path), "admin");
                missing(scim.get(endpoint), "admin");
            }
            _ => drop(scim.get(&path).expect(200)),
        }
        assert_eq!(admin.scim.get(&path).expect(200).version(), "W/\"1\"", "{endpoint}");
    }
    for endpoint in ["/RehireCases", "/ChangeLogEntries", "/Tenants", "/ProvisioningLogEntries"] {
        missing(scim.get(endpoint), "admin");
        missing(scim.get(&format!("{endpoint}/{NOBODY}")), "admin");
    }
}

fn domain_2_16_what_may_not_be_read_is_in_no_query(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    create_user(&scim, &user("ada"));
    scim.post("/Groups", &group("Team", &[])).expect(201);
    admin.create("/UserTemplates", "Newcomer");
    let types = |client: &Client| {
        let found = client.get("/?count=200").expect(200);
        let kind = |resource: &Value| resource["meta"]["resourceType"].as_str().unwrap().to_owned();
        let mut all: Vec<String> = found.resources().iter().map(kind).collect();
        all.dedup();
        all
    };
    assert_eq!(types(&scim), ["User", "Group", "Role", "Division", "LicenseTier"]);
    assert_eq!(types(&client(&server, "groups", &["scim.groups.read"])), ["Group"]);
    let of_users = ["User", "Role", "Division", "LicenseTier"];
    assert_eq!(types(&client(&server, "users", &["scim.users.read"])), of_users);
    assert!(types(&client(&server, "writer", &["scim.users.write"])).is_empty());
    let all = types(&admin.scim);
    for kind in ["UserTemplate", "ChangeLogEntry", "Connection", "Tenant"] {
        assert!(all.iter().any(|found| found == kind), "{kind}: {all:?}");
    }
}

fn domain_2_16_a_scope_counts_from_the_next_request_on(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    scim.post("/Users", &user("ada")).expect(201);
    admin.set("/Connections", "standard", "scopes", json!(["scim.users.read"]));
    missing(scim.post("/Users", &user("bob")), "scim.users.write");
    scim.get("/Users").expect_user_names(&["ada"]);
    admin.set("/Connections", "standard", "scopes", json!(ALL));
    scim.post("/Users", &user("bob")).expect(201);
}

fn domain_2_16_what_may_not_be_done_alone_may_not_be_done_in_bulk(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let limited = client(&server, "limited", &["scim.users.read", "scim.users.write"]);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "bob", "data": user("bob")},
            {"method": "DELETE", "path": ada},
            {"method": "POST", "path": "/Roles", "bulkId": "role", "data": {"name": "Helper"}},
        ],
    });
    let done = limited.post("/Bulk", &bulk).expect(200);
    let results = &done["Operations"];
    assert_eq!(strings(results, "status"), ["201", "403", "403"], "{}", done.story());
    for at in [1, 2] {
        let told = &results[at]["response"][HEADCOUNT_ERROR];
        assert_eq!(told["code"], "scopeMissing", "{}", done.story());
    }
    scim.get("/Users").expect_user_names(&["ada", "bob"]);
}
