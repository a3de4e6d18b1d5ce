//! Microsoft Entra ID provisions users.

use serde_json::{Value, json};

use crate::entra::{Flavour, create, entra, new_user};
use crate::harness::*;

on_each_database!(
    e1_test_connection,
    e2_e3_e4_look_up_create_and_read,
    e5_classic_patch_of_many_attributes,
    e6_flagged_patch_of_many_attributes,
    e7_disable_and_restore,
    e8_hard_delete,
    e16_manager,
    e17_roles,
    e18_clearing_attributes,
    validator_pages_of_five,
    collection_filters_attributes_and_misspelt_names,
);

fn e1_test_connection(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let probe = "6a1f3c1e-9f2b-4a44-9a0e-0c6d2f7f1b11";
    scim.get(&format!("/Users?filter=userName+eq+%22{probe}%22"))
        .expect_empty_list()
        .expect_scim_content();
    scim.filter("/Users", &format!("externalId eq \"{probe}\"")).expect_empty_list();
    scim.filter("/Users", "externalId eq jyoung").expect_empty_list();
    let filter = format!("displayName eq \"{probe}\"");
    scim.query("/Groups", &[("excludedAttributes", "members"), ("filter", &filter)])
        .expect_empty_list();
}

fn e2_e3_e4_look_up_create_and_read(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let name = "Test_User_ab6490ee@testuser.com";
    let created = scim.post("/Users", &new_user(name, &json!([]))).expect(201);
    let id = created.id();
    assert!(created.header("location").is_some());
    for time in ["created", "lastModified", "location"] {
        assert!(created["meta"][time].is_string(), "{}", created.story());
    }
    for filter in [
        format!("userName eq \"{name}\""),
        format!("userName eq \"{}\"", name.to_uppercase()),
        format!("externalId eq \"external-{name}\""),
        format!("emails[type eq \"work\"].value eq \"{name}\""),
        format!("emails[type eq \"work\" and value eq \"{name}\"]"),
        format!("id eq \"{id}\""),
    ] {
        let found = scim.filter("/Users", &filter).expect_user_names(&[name]);
        assert_eq!(found["Resources"][0], scim.get(&format!("/Users/{id}")).expect(200).body);
    }
    scim.get(&format!("/Users/{NOBODY}")).expect_error(404, None);
    scim.post("/Users", &new_user(name, &json!([]))).expect_error(409, Some("uniqueness"));

    let mistyped = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
    let old_build = json!({"schemas": [USER, mistyped],
        "userName": "old@testuser.com", "active": true, "addresses": null, "phoneNumbers": null,
        "preferredLanguage": null, "title": null, "department": null, "manager": null});
    scim.post("/Users", &old_build).expect(201);
}

fn e5_classic_patch_of_many_attributes(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path =
        format!("/Users/{}", scim.post("/Users", &user("bare@testuser.com")).expect(201).id());
    let operations = json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value",
            "value": "updatedEmail@microsoft.com"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Replace", "path": "displayName", "value": "Pvlo"},
        {"op": "Replace", "path": "externalId", "value": "cbea"},
        {"op": "Add", "value": "BL2313",
            "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"},
        {"op": "Add", "path": "addresses[type eq \"work\"].country", "value": "Belize"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "555-0100"},
        {"op": "Add", "path": "emails[type eq \"other\"].Value", "value": "other@microsoft.com"},
    ]);
    let patched = scim.patch(&path, &operations).expect(200);
    let emails = &patched["emails"];
    assert_eq!(element(emails, "type", "work")["value"], "updatedEmail@microsoft.com");
    assert_eq!(element(emails, "type", "other")["value"], "other@microsoft.com");
    assert_eq!(patched["name"]["familyName"], "updatedFamilyName");
    assert_eq!(patched["displayName"], "Pvlo");
    assert_eq!(patched["externalId"], "cbea");
    assert_eq!(patched[ENTERPRISE]["employeeNumber"], "BL2313");
    assert_eq!(patched["addresses"][0]["country"], "Belize");
    assert_eq!(patched["phoneNumbers"][0]["type"], "mobile");
    let rename = json!([{"op": "Replace", "path": "userName", "value": "new@testuser.com"}]);
    assert_eq!(scim.patch(&path, &rename).expect(200)["userName"], "new@testuser.com");
}

fn e6_flagged_patch_of_many_attributes(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = create(&scim, "flagged@testuser.com");
    let operations = json!([
        {"op": "replace", "path": "emails[type eq \"work\"].value",
            "value": "TestMhvaes@test.microsoft.com"},
        {"op": "replace", "value": {"displayName": "Bjfe", "name.givenName": "Kkom",
            "name.familyName": "Unua",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "Aklq",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":
                {"value": "nobody", "$ref": "User"}}},
    ]);
    let patched = scim.patch(&path, &operations).expect(200);
    assert_eq!(patched["emails"][0]["value"], "TestMhvaes@test.microsoft.com");
    assert_eq!(patched["displayName"], "Bjfe");
    assert_eq!(patched["name"]["givenName"], "Kkom");
    assert_eq!(patched["name"]["familyName"], "Unua");
    assert_eq!(patched[ENTERPRISE]["employeeNumber"], "Aklq");
    assert_eq!(patched[ENTERPRISE]["manager"]["value"], "nobody");
}

fn e7_disable_and_restore(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = create(&scim, "leaver@testuser.com");
    let check = |operations: &Value, expected: bool| {
        scim.patch(&path, operations).expect_done();
        assert_eq!(scim.get(&path).expect(200)["active"], expected);
        let found = scim.filter("/Users", "userName eq \"leaver@testuser.com\"").expect(200);
        assert_eq!(found["Resources"][0]["active"], expected, "{}", found.story());
        assert_eq!(found["Resources"][0]["id"], path["/Users/".len()..]);
    };
    for flavour in Flavour::BOTH {
        check(&flavour.activity(false), false);
        check(&flavour.activity(true), true);
    }
    check(&json!([{"op": "replace", "value": {"active": "False"}}]), false);
    check(&json!([{"op": "replace", "value": {"active": "True"}}]), true);
}

fn e8_hard_delete(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = create(&scim, "gone@testuser.com");
    scim.patch(&path, &Flavour::Classic.activity(false)).expect_done();
    scim.delete(&path).expect(204);
    scim.delete(&path).expect_error(404, None);
    scim.get(&path).expect_error(404, None);
    scim.filter("/Users", "userName eq \"gone@testuser.com\"").expect_empty_list();
}

fn e16_manager(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = create(&scim, "report@testuser.com");
    let id = &path["/Users/".len()..];
    let manager = create(&scim, "boss@testuser.com")["/Users/".len()..].to_owned();
    let check = |found: bool| {
        for filter in [
            format!("id eq \"{id}\" and manager eq \"{manager}\""),
            format!("manager eq \"{manager}\" and id eq \"{id}\""),
        ] {
            let answer = scim.query("/Users", &[("filter", &filter), ("attributes", "id")]);
            assert_eq!(answer["totalResults"], usize::from(found), "{}", answer.story());
        }
    };
    let urn = format!("{ENTERPRISE}:manager");
    let set = |operation: &Value| scim.patch(&path, &json!([operation])).expect_done();
    check(false);
    let reference = format!("http://host/scim/Users/{manager}");
    for assignment in [
        json!({"op": "Add", "path": "manager", "value": [{"$ref": reference, "value": manager}]}),
        json!({"op": "Add", "path": urn, "value": manager}),
        json!({"op": "Replace", "path": urn, "value": {"value": manager}}),
    ] {
        for removal in [
            json!({"op": "Replace", "path": urn, "value": ""}),
            json!({"op": "Replace", "path": urn, "value": {"value": ""}}),
            json!({"op": "Remove", "path": urn}),
        ] {
            set(&assignment);
            check(true);
            set(&removal);
            check(false);
        }
    }
}

fn e17_roles(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    // An administrator makes the roles that Entra is to give, and lets it give the privileged one.
    let admin = Administrator::of(&server, "acme");
    admin.create("/Roles", "User");
    admin.set("/Connections", "entra", "grantableRoles", json!(["admin", "User"]));
    // Everybody is an employee; a role has its own name, whatever the case of the one that is sent.
    let (is_admin, is_user) = (["employee", "admin"], ["employee", "User"]);
    let kind = "WindowsAzureActiveDirectoryRole";
    let single = json!([{"primary": true, "type": kind, "value": "Admin"}]);
    let created = scim.post("/Users", &new_user("single@testuser.com", &single)).expect(201);
    assert_eq!(strings(&created["roles"], "value"), is_admin, "{}", created.story());
    let text = json!([{"primary": "True", "type": kind, "displayName": "Admin", "value": "Admin"}]);
    let created = scim.post("/Users", &new_user("complex@testuser.com", &text)).expect(201);
    assert_eq!(strings(&created["roles"], "value"), is_admin, "{}", created.story());

    let path = create(&scim, "patched@testuser.com");
    let encoded = "{\"id\":\"06b07648-ecfe-589f-9d2f-6325724a46ee\",\"value\":\"Admin\",\
        \"displayName\":\"Admin\"}";
    let add = json!([{"op": "Add", "path": "roles", "value": [{"value": encoded}]}]);
    let answer = scim.patch(&path, &add).expect(200);
    assert_eq!(strings(&answer["roles"], "value"), is_admin, "{}", answer.story());
    let replace = json!([{"op": "replace", "path": "roles", "value":
        [{"primary": false, "type": kind, "display": "User", "value": "User"}]}]);
    let answer = scim.patch(&path, &replace).expect(200);
    assert_eq!(strings(&answer["roles"], "value"), is_user, "{}", answer.story());

    let path = create(&scim, "primary@testuser.com");
    for (part, value) in [("display", "Admin"), ("value", "Admin"), ("type", kind)] {
        let target = format!("roles[primary eq \"True\"].{part}");
        scim.patch(&path, &json!([{"op": "Add", "path": target, "value": value}])).expect(200);
    }
    let read = scim.get(&path).expect(200);
    assert_eq!(strings(&read["roles"], "value"), is_admin, "{}", read.story());
}

fn e18_clearing_attributes(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let mut body = new_user("full@testuser.com", &json!([]));
    body["title"] = json!("Agent");
    body["preferredLanguage"] = json!("lu");
    body["phoneNumbers"] = json!([{"type": "work", "value": "1"}]);
    body[ENTERPRISE] = json!({"department": "Sales"});
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let department = format!("{ENTERPRISE}:department");
    for nothing in [json!(""), Value::Null] {
        let operations = json!([
            {"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": nothing},
            {"op": "replace", "path": "title", "value": nothing},
            {"op": "replace", "value": {"preferredLanguage": nothing, "name.formatted": nothing,
                department.as_str(): nothing}},
        ]);
        scim.patch(&path, &operations).expect_done();
        let read = scim.get(&path).expect(200);
        for gone in [&read["title"], &read["preferredLanguage"], &read[ENTERPRISE]["department"]] {
            assert!(gone.as_str().unwrap_or_default().is_empty(), "{}", read.story());
        }
        let numbers = strings(&read["phoneNumbers"], "value");
        assert!(numbers.iter().all(|number| number.is_empty()), "{}", read.story());
    }
}

fn validator_pages_of_five(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    for number in 0..11 {
        create(&scim, &format!("paguser.{number}@testuser.com"));
    }
    let mut seen = Vec::new();
    for start in [1, 6, 11] {
        let page = scim.get(&format!("/Users?startIndex={start}&count=5")).expect(200);
        assert_eq!(page["startIndex"], start);
        assert_eq!(page["totalResults"], 11);
        seen.extend(page.user_names().into_iter().map(ToOwned::to_owned));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 11);
}

/// What Microsoft's public collection of requests sends beyond the flows above.
fn collection_filters_attributes_and_misspelt_names(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = create(&scim, "ada@example.com");
    create(&scim, "grace@example.org");
    for (filter, expected) in [
        ("name.FamilyName eq familyName and (emails.Value co .com or emails.Value co .net)", 1),
        ("meta.Created gt 2015-10-10T14:38:21.8617979-07:00", 2),
        ("(ActiVe eq true) and meta.lastmodified ge \"2021-09-23T19:35:41.8420572Z\"", 2),
        ("DisplayName eq \"nobody\"", 0),
    ] {
        let found = scim.filter("/Users", filter).expect(200);
        assert_eq!(found["totalResults"], expected, "{}", found.story());
    }
    for names in ["emails[type eq \"work\"]", "emails[value eq \"ada@example.com\"]"] {
        let found = scim.query(&path, &[("attributes", names)]).expect(200);
        assert_eq!(found["emails"][0]["value"], "ada@example.com", "{}", found.story());
        assert!(found["userName"].is_null(), "{}", found.story());
    }
    let mut misspelt = new_user("ada@example.com", &json!([]));
    misspelt["misspelt"] = json!("x");
    scim.put(&path, &misspelt).expect(200);
    scim.get("/serviceConfiguration").expect_error(404, None);
}
