//! What clients really send, in each dialect: what the other files of quirks do not have.

use std::thread;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    q4_what_a_value_path_describes_is_created,
    q11_a_dot_after_the_urn,
    q12_add_on_a_single_value_replaces_it,
    q18_nulls_are_no_values,
    q19_an_empty_text_clears,
    q21_a_role_as_json_in_text,
    q23_a_password_is_taken_and_never_returned,
    q26_operators_have_no_case,
    q31_a_filter_by_id_and_manager,
    q32_a_probe_for_nobody_finds_an_empty_list,
    q38_of_two_primaries_the_newest_wins_a_patch_and_a_body_is_refused,
    q39_accept_with_parameters_and_accept_charset,
    q40_a_burst_after_a_silence_is_answered,
    q41_a_method_that_is_not_there_is_no_404,
    q42_a_connection_test_leaves_nothing_behind,
    q44_a_user_name_changes_and_a_clash_is_409,
);

const ALL: [Dialect; 4] = [Dialect::Strict, Dialect::Standard, Dialect::Entra, Dialect::Okta];
const LENIENT: [Dialect; 3] = [Dialect::Standard, Dialect::Entra, Dialect::Okta];

/// One server, and for each dialect a tenant of its own.
fn each(database: Database, dialects: &[Dialect], test: impl Fn(&Client)) {
    let server = Server::start(database);
    for dialect in dialects {
        test(&server.tenant(dialect.name()).client(*dialect));
    }
}

fn q4_what_a_value_path_describes_is_created(database: Database) {
    let operation = |op: &str| json!([{"op": op, "path": "emails[type eq \"work\"].value", "value": "ada@example.com"}]);
    each(database, &LENIENT, |scim| {
        for (name, op) in [("ada", "replace"), ("grace", "add")] {
            let path = create_user(scim, &user(name));
            let value = format!("{name}@example.com");
            let mut operation = operation(op);
            operation[0]["value"] = json!(value);
            let patched = scim.patch(&path, &operation).expect(200);
            assert_eq!(patched["emails"], json!([{"value": value, "type": "work"}]));
        }
    });
    each(database, &[Dialect::Strict], |scim| {
        let path = create_user(scim, &user("ada"));
        scim.patch(&path, &operation("replace")).expect_error(400, Some("noTarget"));
    });
}

fn q11_a_dot_after_the_urn(database: Database) {
    let path = format!("{ENTERPRISE}.department");
    let operation = json!([{"op": "add", "path": path, "value": "Sales"}]);
    each(database, &LENIENT, |scim| {
        let ada = create_user(scim, &user("ada"));
        let patched = scim.patch(&ada, &operation).expect(200);
        assert_eq!(patched[ENTERPRISE]["department"], "Sales", "{}", patched.story());
        scim.filter("/Users", &format!("{path} eq \"sales\"")).expect_user_names(&["ada"]);
    });
    each(database, &[Dialect::Strict], |scim| {
        let ada = create_user(scim, &user("ada"));
        scim.patch(&ada, &operation).expect_error(400, Some("invalidPath"));
    });
}

fn q12_add_on_a_single_value_replaces_it(database: Database) {
    each(database, &ALL, |scim| {
        let mut ada = user("ada");
        ada["title"] = json!("Agent");
        let path = create_user(scim, &ada);
        let add = json!([{"op": "add", "path": "title", "value": "Lead"}]);
        assert_eq!(scim.patch(&path, &add).expect(200)["title"], "Lead");
    });
}

fn q18_nulls_are_no_values(database: Database) {
    each(database, &ALL, |scim| {
        let mut ada = user("ada");
        for name in ["addresses", "phoneNumbers", "emails", "preferredLanguage", "title", "name"] {
            ada[name] = Value::Null;
        }
        let created = scim.post("/Users", &ada).expect(201);
        assert_eq!((&created["title"], &created["emails"]), (&Value::Null, &Value::Null));
        let path = format!("/Users/{}", created.id());
        scim.patch(&path, &replace("title", "Lead")).expect(200);
        let put = scim.put(&path, &ada).expect(200);
        assert!(put["title"].is_null(), "{}", put.story());
    });
}

fn q19_an_empty_text_clears(database: Database) {
    each(database, &LENIENT, |scim| {
        let path = create_user(scim, &person("Ada", "Lovelace", "ada@example.com"));
        for target in ["title", "displayName", "phoneNumbers[type eq \"work\"].value"] {
            let patched = scim.patch(&path, &replace(target, "")).expect(200);
            let name = target.split('[').next().unwrap();
            assert!(patched[name].is_null(), "{}", patched.story());
        }
    });
}

fn q21_a_role_as_json_in_text(database: Database) {
    each(database, &LENIENT, |scim| {
        let path = create_user(scim, &user("ada"));
        let role = json!({"id": "06b07648-ecfe-589f-9d2f-6325724a46ee", "value": "agent",
            "displayName": "Agent"});
        let add = json!([{"op": "Add", "path": "roles", "value": [{"value": role.to_string()}]}]);
        let patched = scim.patch(&path, &add).expect(200);
        assert!(strings(&patched["roles"], "value").contains(&"agent"), "{}", patched.story());
    });
}

fn q23_a_password_is_taken_and_never_returned(database: Database) {
    each(database, &ALL, |scim| {
        let mut ada = user("ada");
        ada["password"] = json!("correct horse 7!");
        let created = scim.post("/Users", &ada).expect(201);
        let path = format!("/Users/{}?attributes=password,userName", created.id());
        for answer in [created, scim.get(&path).expect(200), scim.get("/Users").expect(200)] {
            assert!(!answer.text.contains("horse"), "{}", answer.story());
        }
    });
}

fn q26_operators_have_no_case(database: Database) {
    each(database, &ALL, |scim| {
        create_user(scim, &user("ada"));
        create_user(scim, &user("grace"));
        for filter in ["userName Eq \"ada\"", "userName Co \"da\"", "userName SW \"A\" And id Pr"] {
            scim.filter("/Users", filter).expect_user_names(&["ada"]);
        }
    });
}

fn q31_a_filter_by_id_and_manager(database: Database) {
    each(database, &LENIENT, |scim| {
        let mut ada = user("ada");
        ada["schemas"] = json!([USER, ENTERPRISE]);
        ada[ENTERPRISE] = json!({"manager": {"value": "boss"}});
        let id = scim.post("/Users", &ada).expect(201).id();
        for (manager, found) in [("boss", 1), ("other", 0)] {
            let filter = format!("id eq \"{id}\" and manager eq \"{manager}\"");
            let answer = scim.query("/Users", &[("filter", &filter), ("attributes", "id")]);
            assert_eq!(answer.expect(200)["totalResults"], found, "{filter}");
        }
    });
}

fn q32_a_probe_for_nobody_finds_an_empty_list(database: Database) {
    let probe = "6a1f3c1e-9f2b-4a44-9a0e-0c6d2f7f1b11";
    each(database, &ALL, |scim| {
        for name in ["userName", "externalId"] {
            scim.filter("/Users", &format!("{name} eq \"{probe}\"")).expect_empty_list();
        }
        let filter = format!("displayName eq \"{probe}\"");
        let query = [("excludedAttributes", "members"), ("filter", filter.as_str())];
        scim.query("/Groups", &query).expect_empty_list();
    });
}

fn q38_of_two_primaries_the_newest_wins_a_patch_and_a_body_is_refused(database: Database) {
    each(database, &ALL, |scim| {
        let mut ada = user("ada");
        ada["phoneNumbers"] = json!([{"value": "1", "type": "work", "primary": true},
            {"value": "2", "type": "home", "primary": true}]);
        scim.post("/Users", &ada).expect_error(400, Some("invalidValue"));
        ada["phoneNumbers"][1]["primary"] = json!(false);
        let path = create_user(scim, &ada);
        let newest = json!([{"op": "add", "path": "phoneNumbers",
            "value": [{"value": "3", "type": "mobile", "primary": true}]}]);
        let patched = scim.patch(&path, &newest).expect(200);
        let phones = patched["phoneNumbers"].as_array().expect("there are numbers");
        let primary: Vec<_> = phones.iter().filter(|phone| phone["primary"] == true).collect();
        assert_eq!(primary.len(), 1, "{}", patched.story());
        assert_eq!(primary[0]["value"], "3", "{}", patched.story());
    });
}

fn q39_accept_with_parameters_and_accept_charset(database: Database) {
    each(database, &[Dialect::Okta], |scim| {
        for accept in
            ["application/scim+json; charset=utf-8", "application/json;charset=UTF-8", "*/*;q=x"]
        {
            let client = scim.with_header("Accept", accept).with_header("Accept-Charset", "utf-8");
            client.get("/Users").expect_empty_list();
        }
    });
}

fn q40_a_burst_after_a_silence_is_answered(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    let burst = |worker: usize| {
        for number in 0..15 {
            let name = format!("user-{worker}-{number}");
            let answer = scim.post("/Users", &user(&name));
            if answer.status != 201 {
                assert!(matches!(answer.status, 429 | 503), "{}", answer.story());
                let seconds = answer.header("retry-after").and_then(|after| after.parse().ok());
                assert!(seconds.is_some_and(|seconds: u32| seconds > 0), "{}", answer.story());
            }
            scim.filter("/Users", &format!("userName eq \"{name}\"")).expect(200);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|worker| scope.spawn(move || burst(worker))).collect();
        for worker in workers {
            worker.join().expect("it is answered");
        }
    });
    let total = scim.get("/Users?count=0").expect(200)["totalResults"].as_u64();
    assert!(total >= Some(25), "at least one second's worth is done: {total:?}");
}

fn q41_a_method_that_is_not_there_is_no_404(database: Database) {
    each(database, &ALL, |scim| {
        for (method, path, status) in [
            ("PUT", "/Users", 405),
            ("DELETE", "/Groups", 405),
            ("PATCH", "/Schemas", 405),
            ("PUT", "/Bulk", 405),
            ("PUT", "/Me", 501),
        ] {
            scim.json(method, path, &json!({})).expect_error(status, None);
        }
    });
}

fn q42_a_connection_test_leaves_nothing_behind(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let seats = || admin.named("/LicenseTiers", "CX1")["usedSeats"].clone();
    let before = seats();
    let mut tester = person("Test", "User", "jumpcloud-test@example.com");
    tester["externalId"] = json!("5f0f");
    let mut ids = Vec::new();
    // It is pressed as often as somebody likes.
    for _ in 0..3 {
        scim.get("/Users").expect_empty_list();
        let created = scim.post("/Users", &tester).expect(201);
        assert!(created[HEADCOUNT]["activationSentAt"].is_null(), "{}", created.story());
        let group = scim.post("/Groups", &group("JumpCloud test", &[])).expect(201);
        scim.delete(&format!("/Groups/{}", group.id())).expect(204);
        scim.delete(&format!("/Users/{}", created.id())).expect(204);
        assert_eq!(seats(), before);
        ids.push(created.id());
    }
    scim.get("/Groups").expect_empty_list();
    ids.dedup();
    assert_eq!(ids.len(), 1, "and it is one account all the time");
}

fn q44_a_user_name_changes_and_a_clash_is_409(database: Database) {
    each(database, &ALL, |scim| {
        let ada = create_user(scim, &user("ada"));
        create_user(scim, &user("grace"));
        let renamed = scim.patch(&ada, &replace("userName", "ada.lovelace")).expect(200);
        assert_eq!(renamed["userName"], "ada.lovelace", "{}", renamed.story());
        let clash = scim.patch(&ada, &replace("userName", "GRACE"));
        clash.expect_error(409, Some("uniqueness"));
        scim.filter("/Users", "userName eq \"ada.lovelace\"").expect_user_names(&["ada.lovelace"]);
    });
}
