//! What must be true of a person's own attributes: numbers, addresses, names, managers.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r8_an_employee_number_is_one_person_s,
    r8_a_tenant_may_give_a_number_to_many,
    r9_one_address_of_each_type_and_one_that_is_primary,
    r10_a_tenant_may_ask_for_more_than_a_name,
    domain_7_2_the_tier_is_an_entitlement_for_who_asks,
    domain_7_3_a_manager_is_named,
    domain_7_3_a_manager_is_somebody_else_and_nobody_is_above_themselves,
    r18_r22_whoever_is_refused_has_taken_nothing,
);

fn numbered(name: &str, number: &str) -> Value {
    json!({"schemas": [USER, ENTERPRISE], "userName": name, ENTERPRISE: {"employeeNumber": number}})
}

#[track_caller]
fn taken(answer: Answer) {
    let refused = answer.expect_code(409, "employeeNumberTaken", Some("R8"));
    assert_eq!(refused["scimType"], "uniqueness", "{}", refused.story());
}

fn r8_an_employee_number_is_one_person_s(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = create_user(&scim, &numbered("ada", "E1"));
    let bob = create_user(&scim, &user("bob"));
    let number = format!("{ENTERPRISE}:employeeNumber");
    taken(scim.post("/Users", &numbered("eve", "E1")));
    taken(scim.patch(&bob, &replace(&number, "E1")));
    taken(scim.put(&bob, &numbered("bob", "E1")));
    scim.patch(&ada, &replace("active", false)).expect(200);
    taken(scim.patch(&bob, &replace(&number, "E1")));
    // It has no case (RFC 7643 section 8.7.1), and is free when its owner has another.
    taken(scim.patch(&bob, &replace(&number, "e1")));
    scim.patch(&ada, &replace(&number, "E2")).expect(200);
    scim.patch(&bob, &replace(&number, "E1")).expect(200);
    scim.filter("/Users", &format!("{number} eq \"E1\"")).expect_user_names(&["bob"]);
}

fn r8_a_tenant_may_give_a_number_to_many(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.policy("employeeNumbers.unique", false);
    create_user(&scim, &numbered("ada", "E1"));
    let bob = create_user(&scim, &user("bob"));
    scim.patch(&bob, &replace(&format!("{ENTERPRISE}:employeeNumber"), "E1")).expect(200);
}

fn r9_one_address_of_each_type_and_one_that_is_primary(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let with = |name: &str, attribute: &str, values: Value| {
        let mut body = user(name);
        body[attribute] = values;
        body
    };
    let two_of_a_type = json!([{"value": "a@x.example", "type": "work"},
        {"value": "b@x.example", "type": "WORK"}]);
    let refused = scim.post("/Users", &with("ada", "emails", two_of_a_type.clone()));
    refused.expect_code(400, "repeatedType", Some("R9"));
    let primary = |one: &str, other: &str| {
        json!([{"value": one, "type": "work", "primary": true},
            {"value": other, "type": "home", "primary": true}])
    };
    let emails = with("ada", "emails", primary("a@x.example", "b@x.example"));
    scim.post("/Users", &emails).expect_error(400, Some("invalidValue"));
    let phones = with("ada", "phoneNumbers", primary("+1", "+2"));
    scim.post("/Users", &phones).expect_error(400, Some("invalidValue"));

    let one = json!([{"value": "a@x.example", "type": "work", "primary": true}]);
    let ada = create_user(&scim, &with("ada", "emails", one));
    scim.put(&ada, &emails).expect_error(400, Some("invalidValue"));
    let put = scim.put(&ada, &with("ada", "emails", two_of_a_type));
    put.expect_code(400, "repeatedType", Some("R9"));
    // An address that is added as the primary one makes the others ordinary.
    let add = json!([{"op": "add", "path": "emails",
        "value": [{"value": "b@x.example", "type": "home", "primary": true}]}]);
    let added = scim.patch(&ada, &add).expect(200);
    let primary = added["emails"].as_array().unwrap().iter().filter(|one| one["primary"] == true);
    let primary: Vec<&Value> = primary.map(|one| &one["value"]).collect();
    assert_eq!(primary, ["b@x.example"], "{}", added.story());
    // Two numbers of a type are no matter.
    let phones = json!([{"value": "+1", "type": "work"}, {"value": "+2", "type": "work"}]);
    scim.patch(&ada, &replace("phoneNumbers", phones)).expect(200);
}

fn r10_a_tenant_may_ask_for_more_than_a_name(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let before = create_user(&scim, &user("before"));
    admin.policy("provisioning.strictRequired", true);
    let whole = json!({"schemas": [USER], "userName": "ada",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": "ada@x.example", "type": "work"}]});
    for (part, missing) in [
        (&["name", "givenName"][..], "name.givenName"),
        (&["name", "familyName"], "name.familyName"),
        (&["emails"], "emails"),
    ] {
        let mut body = whole.clone();
        match part {
            [name, sub] => drop(body[*name].as_object_mut().unwrap().remove(*sub)),
            _ => drop(body.as_object_mut().unwrap().remove(part[0])),
        }
        let refused = scim.post("/Users", &body).expect_code(400, "incomplete", Some("R10"));
        assert_eq!(refused["scimType"], "invalidValue");
        assert!(refused["detail"].as_str().unwrap().contains(missing), "{}", refused.story());
    }
    let created = scim.post("/Users", &whole).expect(201);
    assert_eq!(created[HEADCOUNT]["licenseTier"], "CX1", "given or by default");
    // It is asked of new accounts.
    scim.patch(&before, &replace("title", "Agent")).expect(200);
}

fn domain_7_3_a_manager_is_somebody_else_and_nobody_is_above_themselves(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let users = ["ada", "bob", "eve"].map(|name| create_user(&scim, &user(name)));
    let [ada, bob, eve] = &users;
    let led_by = |path: &String, boss: &String| {
        let id = boss.trim_start_matches("/Users/");
        scim.patch(path, &replace(&format!("{ENTERPRISE}:manager"), json!({"value": id})))
    };
    led_by(ada, bob).expect(200);
    led_by(bob, eve).expect(200);
    led_by(eve, ada).expect_code(400, "managerCycle", None);
    led_by(eve, bob).expect_code(400, "managerCycle", None);
    assert_eq!(scim.get(eve).expect(200).version(), "W/\"1\"");
    let own = led_by(ada, ada).expect(200);
    assert_eq!(own[ENTERPRISE].get("manager"), None, "{}", own.story());
    led_by(eve, ada).expect(200);
    // Identity providers send people in any order.
    let unknown = json!({"value": "not-yet-known"});
    let manager = format!("{ENTERPRISE}:manager");
    let kept = scim.patch(ada, &replace(&manager, unknown)).expect(200);
    assert_eq!(kept[ENTERPRISE]["manager"]["value"], "not-yet-known", "{}", kept.story());
}

fn r18_r22_whoever_is_refused_has_taken_nothing(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 1);
    let refused = json!({"schemas": [USER, ENTERPRISE], "userName": "ada", "externalId": "00u1",
        "emails": [{"value": "ada@x.example", "type": "work"}],
        "roles": [{"value": "wizard"}], ENTERPRISE: {"employeeNumber": "E1"}});
    scim.post("/Users", &refused).expect_code(400, "unknownRole", Some("R22"));
    assert_eq!(admin.seats("CX1"), (0, Some(1)));
    let mut body = refused.clone();
    body.as_object_mut().unwrap().remove("roles");
    body["userName"] = json!("somebody else");
    scim.post("/Users", &body).expect(201);
}

fn domain_7_2_the_tier_is_an_entitlement_for_who_asks(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let made = scim.post("/Users", &user("ada")).expect(201);
    assert_eq!(made["entitlements"], Value::Null);
    let path = format!("/Users/{}", made.id());
    let asked = scim.query(&path, &[("attributes", "entitlements")]).expect(200);
    assert_eq!(asked["entitlements"], json!([{"value": "CX1", "type": "licenseTier"}]));
}

fn domain_7_3_a_manager_is_named(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let grace = scim.post("/Users", &person("Grace", "Hopper", "grace@example.com")).expect(201);
    let mut ada = user("ada");
    ada[ENTERPRISE] = json!({"manager": {"value": grace.id()}});
    let made = scim.post("/Users", &ada).expect(201);
    let manager = &made[ENTERPRISE]["manager"];
    assert_eq!(manager["displayName"], grace["displayName"], "{}", made.story());
    assert_eq!(manager["$ref"], format!("{}/Users/{}", scim.base_url(), grace.id()));
    // What is sent back as it was read changes nothing.
    let sent = scim.put(&format!("/Users/{}", made.id()), &made.body).expect(200);
    assert_eq!(sent["meta"]["version"], made["meta"]["version"], "{}", sent.story());
}
