//! PATCH on parts of multi-valued attributes and of extensions.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_5_2_3_value_path_changes_every_match,
    rfc7644_3_5_2_1_adding_appends_without_duplicates,
    rfc7643_2_4_a_new_primary_ends_the_old_one,
    rfc7644_3_5_2_2_removing_parts,
    rfc7644_3_5_2_3_unmatched_value_path_by_dialect,
    rfc7643_3_3_extension_attributes_by_urn,
    rfc7644_3_5_2_3_replacing_a_whole_attribute,
    rfc7644_3_10_names_in_paths_have_no_case,
);

fn with_phones(scim: &Client) -> String {
    let mut body = user("ada");
    body["phoneNumbers"] = json!([
        {"type": "work", "value": "1", "primary": true},
        {"type": "work", "value": "2"},
        {"type": "mobile", "value": "3"},
    ]);
    format!("/Users/{}", scim.post("/Users", &body).expect(201).id())
}

#[track_caller]
fn patch(scim: &Client, path: &str, operation: &Value) -> Answer {
    scim.patch(path, &json!([operation])).expect(200)
}

fn numbers(answer: &Answer) -> Vec<&str> {
    let mut numbers = strings(&answer["phoneNumbers"], "value");
    numbers.sort_unstable();
    numbers
}

fn rfc7644_3_5_2_3_value_path_changes_every_match(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace",
        "path": "phoneNumbers[type eq \"work\"].display", "value": "Office"}),
    );
    let displays = strings(&answer["phoneNumbers"], "display");
    assert_eq!(displays, ["Office", "Office"], "{}", answer.story());
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace",
        "path": "phoneNumbers[type eq \"work\" and value eq \"2\"]",
        "value": {"value": "22", "type": "home"}}),
    );
    assert_eq!(numbers(&answer), ["1", "22", "3"], "{}", answer.story());
    assert_eq!(element(&answer["phoneNumbers"], "value", "22")["type"], "home");
}

fn rfc7644_3_5_2_1_adding_appends_without_duplicates(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let add = json!({"op": "add", "path": "phoneNumbers",
        "value": [{"type": "mobile", "value": "3"}, {"type": "home", "value": "4"}]});
    let first = patch(&scim, &path, &add);
    assert_eq!(numbers(&first), ["1", "2", "3", "4"], "{}", first.story());
    assert_eq!(patch(&scim, &path, &add).body, first.body);
    let one = json!({"op": "add", "path": "phoneNumbers",
        "value": {"type": "other", "value": "5"}});
    assert_eq!(numbers(&patch(&scim, &path, &one)), ["1", "2", "3", "4", "5"]);
}

fn rfc7643_2_4_a_new_primary_ends_the_old_one(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let primaries = |answer: &Answer| -> Vec<String> {
        let phones = answer["phoneNumbers"].as_array().cloned().unwrap_or_default();
        let primary = phones.iter().filter(|phone| phone["primary"] == true);
        primary.filter_map(|phone| phone["value"].as_str().map(ToOwned::to_owned)).collect()
    };
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "add", "path": "phoneNumbers",
        "value": [{"type": "home", "value": "4", "primary": true}]}),
    );
    assert_eq!(primaries(&answer), ["4"], "{}", answer.story());
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace",
        "path": "phoneNumbers[type eq \"mobile\"].primary", "value": true}),
    );
    assert_eq!(primaries(&answer), ["3"], "{}", answer.story());
}

fn rfc7644_3_5_2_2_removing_parts(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let remove = |target: &str| json!({"op": "remove", "path": target});
    let answer = patch(&scim, &path, &remove("phoneNumbers[type eq \"mobile\"]"));
    assert_eq!(numbers(&answer), ["1", "2"]);
    let answer = patch(&scim, &path, &remove("phoneNumbers[value eq \"1\"].primary"));
    assert_ne!(element(&answer["phoneNumbers"], "value", "1")["primary"], true);
    let unmatched = patch(&scim, &path, &remove("phoneNumbers[type eq \"fax\"]"));
    assert_eq!(unmatched.body, answer.body, "removing what is not there changes nothing");
    let answer = patch(&scim, &path, &remove("phoneNumbers"));
    assert!(numbers(&answer).is_empty(), "{}", answer.story());
}

fn rfc7644_3_5_2_3_unmatched_value_path_by_dialect(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let replace = |target: &str, value: Value| {
        json!([{"op": "replace", "path": target,
        "value": value}])
    };
    for dialect in [Dialect::Standard, Dialect::Entra, Dialect::Okta] {
        let scim = tenant.client(dialect);
        let created = scim.post("/Users", &user(dialect.name())).expect(201);
        let path = format!("/Users/{}", created.id());
        let target = "phoneNumbers[type eq \"work\"].value";
        for nothing in [Value::Null, json!("")] {
            let answer = scim.patch(&path, &replace(target, nothing)).expect(200);
            assert_eq!(answer.body, created.body, "no value creates nothing");
        }
        let answer = scim.patch(&path, &replace(target, json!("123"))).expect(200);
        assert_eq!(answer["phoneNumbers"][0]["type"], "work", "{}", answer.story());
        assert_eq!(answer["phoneNumbers"][0]["value"], "123");
        let not_equal = replace("phoneNumbers[type co \"fax\"].value", json!("1"));
        scim.patch(&path, &not_equal).expect_error(400, Some("noTarget"));
    }
    let scim = tenant.client(Dialect::Strict);
    let path = format!("/Users/{}", scim.post("/Users", &user("strict")).expect(201).id());
    let operations = replace("phoneNumbers[type eq \"work\"].value", json!("123"));
    scim.patch(&path, &operations).expect_error(400, Some("noTarget"));
}

fn rfc7643_3_3_extension_attributes_by_urn(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    // Everybody has a division and a licence tier, so that both extensions are always there.
    assert_eq!(created["schemas"], json!([USER, ENTERPRISE, HEADCOUNT]));
    assert_eq!(created[ENTERPRISE], json!({"division": "Home"}));
    let path = format!("/Users/{}", created.id());
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "add",
        "path": format!("{ENTERPRISE}:department"), "value": "Sales"}),
    );
    assert_eq!(answer[ENTERPRISE]["department"], "Sales");
    let schemas = answer["schemas"].as_array().cloned().unwrap_or_default();
    assert!(schemas.contains(&json!(ENTERPRISE)), "{}", answer.story());
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace",
        "path": format!("{USER}:title"), "value": "Head"}),
    );
    assert_eq!(answer["title"], "Head");
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "remove",
        "path": format!("{ENTERPRISE}:department")}),
    );
    assert!(answer[ENTERPRISE]["department"].is_null(), "{}", answer.story());
}

fn rfc7644_3_5_2_3_replacing_a_whole_attribute(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace", "path": "phoneNumbers",
        "value": [{"type": "home", "value": "9"}]}),
    );
    assert_eq!(numbers(&answer), ["9"]);
    let name = json!({"op": "replace", "path": "name", "value": {"givenName": "Ada"}});
    assert_eq!(patch(&scim, &path, &name)["name"]["givenName"], "Ada");
    let family = json!({"op": "replace", "path": "name", "value": {"familyName": "Lovelace"}});
    let answer = patch(&scim, &path, &family);
    assert_eq!(answer["name"]["familyName"], "Lovelace");
    assert_eq!(answer["name"]["givenName"], "Ada", "only what is given changes");
}

fn rfc7644_3_10_names_in_paths_have_no_case(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = with_phones(&scim);
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace", "path": "NAME.givenname",
        "value": "Ada"}),
    );
    assert_eq!(answer["name"]["givenName"], "Ada");
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "replace",
        "path": "PhoneNumbers[Type EQ \"mobile\"].Value", "value": "33"}),
    );
    assert_eq!(numbers(&answer), ["1", "2", "33"]);
    let answer = patch(
        &scim,
        &path,
        &json!({"op": "add",
        "path": format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase()), "value": "Sales"}),
    );
    assert_eq!(answer[ENTERPRISE]["department"], "Sales");
}
