//! What was decided where the RFCs and those who send requests disagree, and what a connection can
//! switch.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    c1_a_value_path_without_a_match_creates_unless_the_connection_refuses_that,
    c2_a_connection_can_refuse_what_no_schema_has,
    c3_a_patch_without_a_path_is_taken_in_every_dialect,
    c4_a_patch_is_answered_with_the_resource_unless_the_connection_wants_204,
    c5_a_manager_is_kept_as_sent_and_a_member_that_is_not_there_is_dropped,
    c7_the_status_of_an_error_is_text,
    c9_what_is_deleted_is_gone_and_its_name_stays_with_it,
    c10_a_connection_has_tokens_that_end_and_several_at_once,
    c11_the_names_of_groups_are_unique_without_case,
    c12_an_external_id_is_unique_in_its_connection_alone,
);

fn create(scim: &Client) -> String {
    create_user(scim, &user("ada"))
}

fn c1_a_value_path_without_a_match_creates_unless_the_connection_refuses_that(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim);
    let work = replace("addresses[type eq \"work\"].locality", "Berlin");
    assert_eq!(scim.patch(&ada, &work).expect(200)["addresses"][0]["locality"], "Berlin");
    admin.set("/Connections", "standard", "refusedLeniencies", json!(["CreateOnNoMatch"]));
    let connection = admin.named("/Connections", "standard");
    assert_eq!(connection["refusedLeniencies"], json!(["createOnNoMatch"]), "in one spelling");
    let home = replace("addresses[type eq \"home\"].locality", "Berlin");
    scim.patch(&ada, &home).expect_error(400, Some("noTarget"));
    // All else that the dialect allows is allowed still.
    let classic = json!([{"op": "Replace", "path": "active", "value": "True"}]);
    scim.patch(&ada, &classic).expect(200);
    let path = admin.path_of("/Connections", "standard");
    let wrong = admin.scim.patch(&path, &replace("refusedLeniencies", json!(["magic"])));
    let wrong = wrong.expect_error(400, Some("invalidValue"));
    assert!(wrong.text.contains("createOnNoMatch"), "it says which there are: {}", wrong.story());
}

fn c2_a_connection_can_refuse_what_no_schema_has(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let mut body = user("ada");
    body["adreses"] = json!([]);
    scim.post("/Users", &body).expect(201);
    let refused = json!(["unknownAttribute", "unknownSchema"]);
    admin.set("/Connections", "standard", "refusedLeniencies", refused);
    body["userName"] = json!("grace");
    scim.post("/Users", &body).expect_error(400, Some("invalidSyntax"));
    let mut group = group("Team", &[]);
    group["schemas"] = json!([GROUP, "http://schemas.microsoft.com/2006/11/Group"]);
    scim.post("/Groups", &group).expect_error(400, Some("invalidSyntax"));
}

fn c3_a_patch_without_a_path_is_taken_in_every_dialect(database: Database) {
    let server = Server::start(database);
    for dialect in [Dialect::Strict, Dialect::Standard, Dialect::Entra, Dialect::Okta] {
        let scim = server.tenant(dialect.name()).client(dialect);
        let operation = json!([{"op": "replace", "value": {"title": "Lead", "active": false}}]);
        let patched = scim.patch(&create(&scim), &operation).expect(200);
        assert_eq!((&patched["title"], &patched["active"]), (&json!("Lead"), &json!(false)));
    }
}

fn c4_a_patch_is_answered_with_the_resource_unless_the_connection_wants_204(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim);
    let team = scim.post("/Groups", &group("Team", &[])).expect(201);
    let team = format!("/Groups/{}", team.id());
    assert_eq!(scim.patch(&ada, &replace("title", "a")).expect(200)["title"], "a");
    let member = json!([{"op": "add", "path": "members",
        "value": [{"value": ada.trim_start_matches("/Users/")}]}]);
    let joined = scim.patch(&team, &member).expect(200);
    assert_eq!(member_ids(&joined.body).len(), 1, "{}", joined.story());
    admin.set("/Connections", "standard", "patchAnswer", "nocontent");
    for (path, target) in [(&ada, "title"), (&team, "displayName")] {
        let before = scim.get(path).expect(200);
        let silent = scim.patch(path, &replace(target, "b")).expect(204);
        assert_eq!(silent.text, "");
        let after = scim.get(path).expect(200);
        assert_eq!(after[target], "b", "{}", after.story());
        assert_ne!(silent.header("etag"), before.header("etag"));
        assert_eq!(silent.header("etag"), after.header("etag"));
    }
    // Who asks for attributes is told them (RFC 7644 section 3.5.2).
    let told = scim.patch(&format!("{ada}?attributes=title"), &replace("title", "c")).expect(200);
    assert_eq!(told["title"], "c", "{}", told.story());
    let path = admin.path_of("/Connections", "standard");
    let wrong = admin.scim.patch(&path, &replace("patchAnswer", "maybe"));
    wrong.expect_error(400, Some("invalidValue"));
}

fn c5_a_manager_is_kept_as_sent_and_a_member_that_is_not_there_is_dropped(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let ada = create(&scim);
    let manager = replace(&format!("{ENTERPRISE}:manager"), json!({"value": "BGKAWQXOZREF"}));
    let patched = scim.patch(&ada, &manager).expect(200);
    assert_eq!(patched[ENTERPRISE]["manager"]["value"], "BGKAWQXOZREF", "{}", patched.story());
    let id = ada.trim_start_matches("/Users/");
    let team = scim.post("/Groups", &group("Team", &[id, NOBODY])).expect(201);
    assert_eq!(member_ids(&team.body), [id], "{}", team.story());
    let strict = server.tenant("strict").client(Dialect::Strict);
    strict.post("/Groups", &group("Team", &[NOBODY])).expect_error(400, Some("invalidValue"));
}

fn c7_the_status_of_an_error_is_text(database: Database) {
    let (_server, scim, _) = serve_admin(database);
    for (answer, status) in [
        (scim.get(&format!("/Users/{NOBODY}")), "404"),
        (scim.filter("/Users", "x eq"), "400"),
        (scim.delete("/Users"), "405"),
    ] {
        assert_eq!(answer["status"], Value::from(status), "{}", answer.story());
    }
}

fn c9_what_is_deleted_is_gone_and_its_name_stays_with_it(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim);
    scim.delete(&ada).expect(204);
    for answer in [
        scim.get(&ada),
        scim.delete(&ada),
        scim.put(&ada, &user("ada")),
        scim.patch(&ada, &replace("title", "x")),
    ] {
        answer.expect_error(404, None);
    }
    scim.filter("/Users", "userName eq \"ada\"").expect_empty_list();
    scim.get("/Users").expect_empty_list();
    // RFC 7644 section 3.6 would have the name free; here nobody else ever gets it (rule R1).
    let mut other = user("ada");
    other["externalId"] = json!("somebody else");
    scim.post("/Users", &other).expect_error(409, Some("uniqueness"));
    let deleted = admin.act("/Users/list-deleted", &json!({})).expect(200);
    assert_eq!(deleted["totalResults"], 1, "{}", deleted.story());
}

fn c10_a_connection_has_tokens_that_end_and_several_at_once(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let tokens = [["--connection", "Okta"]; 2].map(|of| tenant.token(&of));
    for token in &tokens {
        server.client_with_token(token).get("/Users").expect(200);
    }
    let listed = server.command(&["token", "list", "--tenant", "acme"]).succeeded().stdout;
    assert_eq!(listed.lines().filter(|line| line.contains("live")).count(), 2, "{listed}");
    let first = tokens[0].split('_').nth(1).expect("hc_<id>_<secret>");
    server.command(&["token", "revoke", first]).succeeded();
    server.client_with_token(&tokens[1]).get("/Users").expect(200);
    server.command(&["token", "create", "--tenant", "acme", "--expires", "4000d"]).failed();
}

fn c11_the_names_of_groups_are_unique_without_case(database: Database) {
    let server = Server::start(database);
    for dialect in [Dialect::Strict, Dialect::Entra] {
        let scim = server.tenant(dialect.name()).client(dialect);
        scim.post("/Groups", &group("Sales", &[])).expect(201);
        let other = scim.post("/Groups", &group("Support", &[])).expect(201);
        scim.post("/Groups", &group("SALES", &[])).expect_error(409, Some("uniqueness"));
        let renamed =
            scim.patch(&format!("/Groups/{}", other.id()), &replace("displayName", "sales"));
        renamed.expect_error(409, Some("uniqueness"));
        scim.delete(&format!("/Groups/{}", other.id())).expect(204);
        scim.post("/Groups", &group("support", &[])).expect(201);
    }
}

fn c12_an_external_id_is_unique_in_its_connection_alone(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let [okta, entra] = ["Okta", "Entra"]
        .map(|name| server.client_with_token(&tenant.token(&["--connection", name])));
    let with = |name: &str| {
        let mut user = user(name);
        user["externalId"] = json!("42");
        user
    };
    okta.post("/Users", &with("ada")).expect(201);
    okta.post("/Users", &with("bob")).expect_error(409, Some("uniqueness"));
    entra.post("/Users", &with("eve")).expect(201);
    okta.filter("/Users", "externalId eq \"42\"").expect_user_names(&["ada"]);
    entra.filter("/Users", "externalId eq \"42\"").expect_user_names(&["eve"]);
}
