//! What clients really send, in each dialect: PATCH, filters and references.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    q1_capitalised_operations,
    q2_string_booleans,
    q5_string_boolean_in_a_value_path,
    q8_q20_removing_what_is_not_there,
    q9_q10_manager_forms,
    q24_unquoted_literals_only_in_entra,
    q28_empty_operations,
    q29_unknown_members_of_an_operation,
);

const LENIENT: [Dialect; 3] = [Dialect::Standard, Dialect::Entra, Dialect::Okta];

/// One server, and for each dialect a tenant of its own.
fn each(database: Database, dialects: &[Dialect], test: impl Fn(Dialect, &Client)) {
    let server = Server::start(database);
    for dialect in dialects {
        test(*dialect, &server.tenant(dialect.name()).client(*dialect));
    }
}

fn create(scim: &Client, name: &str) -> String {
    format!("/Users/{}", scim.post("/Users", &user(name)).expect(201).id())
}

fn q1_capitalised_operations(database: Database) {
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        let operations = json!([
            {"op": "Add", "path": "title", "value": "Agent"},
            {"op": "REPLACE", "path": "title", "value": "Head"},
            {"op": "Add", "path": "nickName", "value": "A"},
            {"op": "Remove", "path": "nickName"},
        ]);
        let patched = scim.patch(&path, &operations).expect(200);
        assert_eq!(patched["title"], "Head");
        assert!(patched["nickName"].is_null(), "{}", patched.story());
    });
}

fn q2_string_booleans(database: Database) {
    let replace = |value: &str| json!([{"op": "replace", "path": "active", "value": value}]);
    let pathless = |value: &str| json!([{"op": "replace", "value": {"active": value}}]);
    let mut body = user("grace");
    body["active"] = json!("True");
    body["emails"] = json!([{"value": "grace@example.com", "type": "work", "primary": "True"}]);
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        for (operations, expected) in [
            (replace("False"), false),
            (replace("true"), true),
            (pathless("False"), false),
            (pathless("TRUE"), true),
        ] {
            let patched = scim.patch(&path, &operations).expect(200);
            assert_eq!(patched["active"], expected, "{}", patched.story());
        }
        let created = scim.post("/Users", &body).expect(201);
        assert_eq!(created["active"], true, "{}", created.story());
        assert_eq!(created["emails"][0]["primary"], true, "{}", created.story());
        scim.filter("/Users", "active eq \"True\"").expect_user_names(&["ada", "grace"]);
    });
    each(database, &[Dialect::Strict], |_, scim| {
        let path = create(scim, "ada");
        scim.patch(&path, &replace("False")).expect_error(400, Some("invalidValue"));
        scim.post("/Users", &body).expect_error(400, Some("invalidValue"));
        assert_eq!(scim.get(&path).expect(200)["active"], true);
    });
}

fn q5_string_boolean_in_a_value_path(database: Database) {
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        let add = |part: &str, value: &str| {
            json!([{"op": "Add", "path": format!("phoneNumbers[primary eq \"True\"].{part}"),
                "value": value}])
        };
        scim.patch(&path, &add("value", "123")).expect(200);
        let patched = scim.patch(&path, &add("type", "work")).expect(200);
        let phones = patched["phoneNumbers"].as_array().expect("there is a number");
        assert_eq!(phones.len(), 1, "{}", patched.story());
        assert_eq!(phones[0]["value"], "123", "{}", patched.story());
        assert_eq!(phones[0]["type"], "work", "{}", patched.story());
        assert_eq!(phones[0]["primary"], true, "{}", patched.story());
    });
}

fn q8_q20_removing_what_is_not_there(database: Database) {
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        let before = scim.get(&path).expect(200);
        for operation in [
            json!({"op": "Remove", "path": "emails[type eq \"work\"].value", "value": "old@x"}),
            json!({"op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value"}),
            json!({"op": "Replace", "path": "phoneNumbers[type eq \"work\"].value", "value": null}),
            json!({"op": "Replace", "path": "title", "value": ""}),
            json!({"op": "Replace", "path": "title", "value": null}),
            json!({"op": "Remove", "path": "title"}),
        ] {
            let answer = scim.patch(&path, &json!([operation])).expect(200);
            assert_eq!(answer.body, before.body, "{}", answer.story());
        }
        let number = json!([{"op": "add", "path": "phoneNumbers",
            "value": [{"type": "mobile", "value": "1"}]}]);
        scim.patch(&path, &number).expect(200);
        let remove = json!([{"op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value"}]);
        let answer = scim.patch(&path, &remove).expect(200);
        assert!(strings(&answer["phoneNumbers"], "type").is_empty(), "{}", answer.story());
    });
}

fn q9_q10_manager_forms(database: Database) {
    let urn = format!("{ENTERPRISE}:manager");
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        let boss = scim.post("/Users", &user("boss")).expect(201).id();
        let set = |op: &str, target: &str, value: &Value| {
            let answer = scim.patch(&path, &json!([{"op": op, "path": target, "value": value}]));
            answer.expect(200)
        };
        let manager = |answer: &Answer| answer[ENTERPRISE]["manager"]["value"].clone();
        let array = json!([{"$ref": "http://host/scim/Users/1", "value": boss}]);
        for (target, value) in [
            ("manager", &array),
            (urn.as_str(), &json!(boss)),
            (urn.as_str(), &json!({"value": boss})),
            (urn.as_str(), &json!({"value": boss, "$ref": "User"})),
        ] {
            let answer = set("Add", target, value);
            assert_eq!(manager(&answer), boss, "{}", answer.story());
            let answer = set("Replace", &urn, &json!(""));
            assert!(manager(&answer).is_null(), "{}", answer.story());
        }
        let unknown = set("Replace", &urn, &json!({"value": "BGKAWQXOZREF"}));
        assert_eq!(manager(&unknown), "BGKAWQXOZREF", "kept as sent: {}", unknown.story());
        assert!(manager(&set("Replace", &urn, &json!({"value": ""}))).is_null());
        set("Add", "department", &json!("Sales"));
        let answer = set("Replace", &format!("{ENTERPRISE}.department"), &json!("Support"));
        assert_eq!(answer[ENTERPRISE]["department"], "Support", "{}", answer.story());
    });
    each(database, &[Dialect::Strict], |_, scim| {
        let path = create(scim, "ada");
        let set = json!([{"op": "add", "path": urn, "value": "somebody"}]);
        scim.patch(&path, &set).expect_error(400, Some("invalidValue"));
    });
}

fn q24_unquoted_literals_only_in_entra(database: Database) {
    let filters = ["userName eq ada", "externalId eq jyoung", "userName sw a and active eq true"];
    each(database, &[Dialect::Entra], |_, scim| {
        let mut ada = user("ada");
        ada["externalId"] = json!("jyoung");
        scim.post("/Users", &ada).expect(201);
        scim.post("/Users", &user("grace")).expect(201);
        for filter in filters {
            scim.filter("/Users", filter).expect_user_names(&["ada"]);
        }
        scim.filter("/Users", "(userName eq ada) or DisplayName eq nobody")
            .expect_user_names(&["ada"]);
    });
    each(database, &[Dialect::Strict, Dialect::Standard, Dialect::Okta], |_, scim| {
        for filter in filters {
            scim.filter("/Users", filter).expect_error(400, Some("invalidFilter"));
        }
    });
}

fn q28_empty_operations(database: Database) {
    let all = [Dialect::Strict, Dialect::Standard, Dialect::Okta, Dialect::Entra];
    each(database, &all, |dialect, scim| {
        let path = create(scim, "ada");
        let team = scim.post("/Groups", &group("Team", &[])).expect(201).id();
        for path in [path, format!("/Groups/{team}")] {
            let answer = scim.patch(&path, &json!([]));
            if dialect == Dialect::Entra {
                answer.expect(204);
            } else {
                let answer = answer.expect(400);
                assert_eq!(answer["schemas"], json!([ERROR]), "{}", answer.story());
            }
        }
    });
}

fn q29_unknown_members_of_an_operation(database: Database) {
    each(database, &LENIENT, |_, scim| {
        let path = create(scim, "ada");
        let operations = json!([{"name": "addTitle", "op": "add", "path": "title", "value": "A"}]);
        assert_eq!(scim.patch(&path, &operations).expect(200)["title"], "A");
    });
}
