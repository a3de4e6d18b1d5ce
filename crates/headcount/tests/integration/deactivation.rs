//! Accounts are deactivated, not deleted, and their names are never given to another person.

use std::thread;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r1_user_name_is_never_given_to_another_person,
    r2_names_are_compared_in_their_normal_form,
    r3_login_email_is_never_given_to_another_person,
    r4_an_account_may_return_to_its_old_name,
    r51_after_delete_nothing_finds_the_account,
    r52_ids_are_never_given_again,
    c8_deactivated_users_stay_visible,
    deactivating_again_changes_nothing,
    q45_reactivation_keeps_the_account,
    r1_one_of_many_parallel_creates_wins,
);

fn deactivate() -> Value {
    json!([{"op": "replace", "path": "active", "value": false}])
}

fn rename(name: &str) -> Value {
    json!([{"op": "replace", "path": "userName", "value": name}])
}

fn r1_user_name_is_never_given_to_another_person(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = format!("/Users/{}", scim.post("/Users", &user("ada@example.com")).expect(201).id());
    let grace = format!("/Users/{}", scim.post("/Users", &user("grace")).expect(201).id());
    scim.patch(&ada, &deactivate()).expect(200);
    scim.post("/Users", &user("Ada@Example.com")).expect_error(409, Some("uniqueness"));
    scim.delete(&ada).expect(204);
    let refused =
        scim.post("/Users", &user("ADA@example.com")).expect_error(409, Some("uniqueness"));
    assert!(!refused.text.contains(&ada["/Users/".len()..]), "names no owner: {}", refused.story());
    scim.patch(&grace, &rename("ada@example.com")).expect_error(409, Some("uniqueness"));
    scim.put(&grace, &user("ada@example.com")).expect_error(409, Some("uniqueness"));
    let as_email = json!([{"op": "add", "path": "emails",
        "value": [{"value": "ada@example.com", "type": "home"}]}]);
    scim.patch(&grace, &as_email).expect(200);
}

fn r2_names_are_compared_in_their_normal_form(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("Élodie@example.com")).expect(201);
    for same in ["élodie@EXAMPLE.com", "e\u{301}lodie@example.com", "ÉLODIE@ｅxample.com"] {
        scim.post("/Users", &user(same)).expect_error(409, Some("uniqueness"));
    }
    scim.post("/Users", &user("elodie@example.com")).expect(201);
}

fn r3_login_email_is_never_given_to_another_person(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let with_email = |name: &str, email: &str, kind: &str, primary: bool| {
        json!({"schemas": [USER], "userName": name,
            "emails": [{"value": email, "type": kind, "primary": primary}]})
    };
    let ada = scim.post("/Users", &with_email("ada", "ada@x.example", "work", false)).expect(201);
    let path = format!("/Users/{}", ada.id());
    let taken = |name: &str, kind: &str, primary: bool| {
        let body = with_email(name, "ADA@x.example", kind, primary);
        scim.post("/Users", &body).expect_error(409, Some("uniqueness"));
    };
    taken("b", "work", true);
    taken("c", "other", true);
    scim.patch(&path, &deactivate()).expect(200);
    taken("b", "work", false);
    scim.delete(&path).expect(204);
    taken("b", "work", false);
    scim.post("/Users", &with_email("d", "ada@x.example", "home", false)).expect(201);
    scim.post("/Users", &with_email("e", "ada@x.example", "home", false)).expect(201);
}

fn r4_an_account_may_return_to_its_old_name(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada.byron@example.com")).expect(201);
    let path = format!("/Users/{}", created.id());
    scim.patch(&path, &rename("ada.lovelace@example.com")).expect(200);
    scim.filter("/Users", "userName eq \"ada.byron@example.com\"").expect_empty_list();
    scim.post("/Users", &user("ada.byron@example.com")).expect_error(409, Some("uniqueness"));
    let back = scim.patch(&path, &rename("ada.byron@example.com")).expect(200);
    assert_eq!(back.id(), created.id());
    assert_eq!(back["userName"], "ada.byron@example.com");
    scim.post("/Users", &user("ada.lovelace@example.com")).expect_error(409, Some("uniqueness"));
}

fn r51_after_delete_nothing_finds_the_account(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let id = scim.post("/Users", &person("Ada", "L", "ada@example.com")).expect(201).id();
    let team = scim.post("/Groups", &group("Team", &[&id])).expect(201).id();
    scim.delete(&format!("/Users/{id}")).expect(204);
    scim.get("/Users").expect_empty_list();
    for filter in ["userName eq \"ada@example.com\"", "active eq false", "active eq true", "id pr"]
    {
        scim.filter("/Users", filter).expect_empty_list();
        let search = json!({"schemas": [SEARCH_REQUEST], "filter": filter});
        scim.post("/Users/.search", &search).expect_empty_list();
    }
    scim.filter("/Users", &format!("id eq \"{id}\"")).expect_empty_list();
    let team = scim.get(&format!("/Groups/{team}")).expect(200);
    assert!(member_ids(&team.body).is_empty(), "{}", team.story());
}

fn r52_ids_are_never_given_again(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut ids = Vec::new();
    for number in 0..5 {
        let id = scim.post("/Users", &user(&format!("user{number}"))).expect(201).id();
        scim.delete(&format!("/Users/{id}")).expect(204);
        ids.push(id);
        ids.push(scim.post("/Groups", &group("Same", &[])).expect(201).id());
        scim.delete(&format!("/Groups/{}", ids[ids.len() - 1])).expect(204);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

fn c8_deactivated_users_stay_visible(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    assert_eq!(scim.get(&path).expect(200)["active"], true, "active unless told otherwise");
    assert_eq!(scim.patch(&path, &deactivate()).expect(200)["active"], false);
    assert_eq!(scim.get(&path).expect(200)["active"], false);
    let found = scim.filter("/Users", "userName eq \"ada\"").expect_user_names(&["ada"]);
    assert_eq!(found["Resources"][0]["active"], false);
    scim.get("/Users").expect_user_names(&["ada"]);
    let mut body = user("grace");
    body["active"] = json!(false);
    assert_eq!(scim.post("/Users", &body).expect(201)["active"], false);
}

fn deactivating_again_changes_nothing(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let first = scim.patch(&path, &deactivate()).expect(200);
    assert_eq!(scim.patch(&path, &deactivate()).expect(200).body, first.body);
}

fn q45_reactivation_keeps_the_account(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &person("Ada", "L", "ada@example.com")).expect(201);
    scim.post("/Groups", &group("Team", &[&created.id()])).expect(201);
    let path = format!("/Users/{}", created.id());
    let before = scim.get(&path).expect(200);
    scim.patch(&path, &deactivate()).expect(200);
    let activate = json!([{"op": "replace", "path": "active", "value": true}]);
    let after = scim.patch(&path, &activate).expect(200);
    assert_eq!(after.id(), created.id());
    for kept in ["userName", "emails", "groups", "active", "title"] {
        assert_eq!(after[kept], before[kept], "{kept}: {}", after.story());
    }
}

fn r1_one_of_many_parallel_creates_wins(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let create = |number: usize| {
        let name = if number.is_multiple_of(2) { "Ada@example.com" } else { "ada@EXAMPLE.com" };
        scim.post("/Users", &user(name)).status
    };
    let create = &create;
    let statuses = thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|number| scope.spawn(move || create(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect::<Vec<_>>()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 1);
}
