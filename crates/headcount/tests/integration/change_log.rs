//! The change log over HTTP: one entry for every effective change, with who, by which way and what.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r81_every_effective_change_has_one_entry,
    r81_an_entry_says_who_did_what_by_which_way,
    r81_what_was_before_and_after_is_told,
    r81_no_password_is_in_it,
    r81_what_a_rule_changes_names_the_rule,
    r81_a_refusal_leaves_no_entry,
    r81_entries_are_found_and_sorted,
    r81_entries_are_read_by_administrators_and_changed_by_nobody,
    r81_entries_of_another_tenant_are_not_there,
    r81_what_a_client_proves_itself_with_is_added_and_revoked_with_an_entry,
    r81_what_is_done_on_the_command_line_has_the_same_entries,
    r81_what_a_connection_may_do_is_changed_with_an_entry,
);

const LOG: &str = "/ChangeLogEntries";

/// The entries of a resource, the oldest first.
#[track_caller]
fn entries(admin: &Administrator, path: &str) -> Vec<Value> {
    let id = path.rsplit('/').next().unwrap();
    let filter = format!("resourceId eq \"{id}\"");
    let found = admin.scim.query(LOG, &[("filter", &filter), ("count", "200")]).expect(200);
    let mut entries = found.resources().to_vec();
    entries.sort_by_key(|entry| entry["versionAfter"].as_u64());
    entries
}

/// What an entry says of an attribute, read as JSON.
fn change(entry: &Value, attribute: &str) -> Option<[Value; 2]> {
    let changes = entry["changes"].as_array()?;
    let change = changes.iter().find(|change| change["attribute"] == attribute)?;
    let read = |name: &str| match &change[name] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        other => other.clone(),
    };
    Some([read("old"), read("new")])
}

fn r81_every_effective_change_has_one_entry(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.create("/Skills", "Sales");
    let ada = create_user(&scim, &person("Ada", "Lovelace", "ada@example.com"));
    let read = scim.get(&ada).expect(200);
    for _ in 0..2 {
        scim.patch(&ada, &replace("title", "Lead")).expect(200);
        scim.patch(&ada, &replace("roles", json!([{"value": "agent"}]))).expect(200);
        scim.patch(&ada, &replace(&format!("{HEADCOUNT}:licenseTier"), "CX2")).expect(200);
        let skills = json!([{"value": "Sales", "proficiency": 3}]);
        scim.patch(&ada, &replace(&format!("{HEADCOUNT}:skills"), skills)).expect(200);
        scim.patch(&ada, &replace("active", false)).expect(200);
        scim.patch(&ada, &replace("active", false)).expect(200);
    }
    scim.patch(&ada, &replace("active", true)).expect(200);
    scim.put(&ada, &scim.get(&ada).expect(200).body).expect(200);
    scim.delete(&ada).expect(204);
    assert_eq!(read.version(), "W/\"1\"");
    let entries = entries(&admin, &ada);
    let told: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} {}", entry["versionAfter"], entry["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "1 create",
            "2 update",
            "3 update",
            "4 update",
            "5 update",
            "6 deactivate",
            "7 activate",
            "8 tombstone"
        ]
    );
    for entry in &entries[1..] {
        let version = entry["versionAfter"].as_u64().unwrap();
        assert_eq!(entry["versionBefore"], version - 1, "{entry}");
    }
    server.command(&["verify-log"]).succeeded();
}

fn r81_an_entry_says_who_did_what_by_which_way(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    admin.scim.patch(&ada, &replace("title", "Lead")).expect(200);
    let id = ada.trim_start_matches("/Users/");
    let [created, changed] = &entries(&admin, &ada)[..] else { panic!("there are two") };
    for (entry, connection) in [(created, "standard"), (changed, "admin")] {
        assert_eq!(entry["resourceType"], "User", "{entry}");
        assert_eq!(entry["resourceId"], id);
        assert_eq!(entry["actor"]["type"], "scimClient");
        assert_eq!(entry["actor"]["display"], connection, "{entry}");
        let path = admin.path_of("/Connections", connection);
        assert_eq!(entry["actor"]["value"], path.trim_start_matches("/Connections/"));
        assert_eq!(entry["source"], "scim");
        assert!(entry["requestId"].is_string() && entry["at"].is_string(), "{entry}");
        assert_eq!(entry["meta"]["resourceType"], "ChangeLogEntry");
    }
    assert_eq!(created["at"], scim.get(&ada).expect(200)["meta"]["created"]);
    // What the service itself did when the tenant was made.
    let home = admin.path_of("/Divisions", "Home");
    let [made] = &entries(&admin, &home)[..] else { panic!("there is one") };
    assert_eq!((&made["actor"]["type"], &made["source"]), (&json!("system"), &json!("admin")));
}

fn r81_what_was_before_and_after_is_told(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    let ada = create_user(&scim, &user("ada"));
    let patch = json!([{"op": "replace", "value": {
        "title": "Lead", "name": {"givenName": "Ada"}, "roles": [{"value": "agent"}],
        HEADCOUNT: {"licenseTier": "CX2", "division": "Berlin"}}}]);
    scim.patch(&ada, &patch).expect(200);
    scim.patch(&ada, &json!([{"op": "remove", "path": "title"}])).expect(200);
    let entries = entries(&admin, &ada);
    let [created, changed, cleared] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(change(created, "userName"), Some([Value::Null, json!("ada")]), "{created}");
    let tier = format!("{HEADCOUNT}:licenseTier");
    assert_eq!(change(created, &tier), Some([Value::Null, json!("CX1")]), "{created}");
    assert_eq!(change(changed, "title"), Some([Value::Null, json!("Lead")]), "{changed}");
    assert_eq!(change(changed, &tier), Some([json!("CX1"), json!("CX2")]), "{changed}");
    let division = format!("{HEADCOUNT}:division");
    assert_eq!(change(changed, &division), Some([json!("Home"), json!("Berlin")]), "{changed}");
    assert!(change(changed, "roles").is_some(), "{changed}");
    assert_eq!(change(changed, "userName"), None, "{changed}");
    assert_eq!(change(cleared, "title"), Some([json!("Lead"), Value::Null]), "{cleared}");
    assert_eq!(cleared["changes"].as_array().map(Vec::len), Some(1), "{cleared}");
}

fn r81_no_password_is_in_it(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let secret = "correct horse battery staple 7!";
    let mut body = user("ada");
    body["password"] = json!(secret);
    let ada = create_user(&scim, &body);
    scim.patch(&ada, &replace("password", format!("{secret}8"))).expect_done();
    body["title"] = json!("Lead");
    scim.put(&ada, &body).expect(200);
    let log = admin.scim.get(&format!("{LOG}?count=200")).expect(200);
    assert!(log["totalResults"].as_u64() > Some(1), "{}", log.story());
    assert!(!log.text.contains(secret), "{}", log.story());
    assert!(!server.database().dump().contains(secret));
}

fn r81_what_a_rule_changes_names_the_rule(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let skill = admin.create("/Skills", "Sales");
    let mut ada = user("ada");
    ada[HEADCOUNT] = json!({"skillSet": "Sales=2"});
    let ada = create_user(&scim, &ada);
    admin.scim.delete(&skill).expect(204);
    let entries = entries(&admin, &ada);
    let [_, taken] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((&taken["rule"], &taken["action"]), (&json!("R71"), &json!("update")));
    assert!(change(taken, &format!("{HEADCOUNT}:skills")).is_some(), "{taken}");
    assert_eq!(taken["actor"]["display"], "admin", "who deleted the skill: {taken}");
}

fn r81_a_refusal_leaves_no_entry(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let before = admin.scim.get(&format!("{LOG}?count=0")).expect(200)["totalResults"].clone();
    scim.post("/Users", &user("ADA")).expect_error(409, Some("uniqueness"));
    scim.patch(&ada, &replace("roles", json!([{"value": "wizard"}]))).expect(400);
    scim.patch(&ada, &replace(&format!("{HEADCOUNT}:licenseTier"), "CX2D")).expect(403);
    scim.with_header("If-Match", "W/\"9\"").delete(&ada).expect_error(412, None);
    let after = admin.scim.get(&format!("{LOG}?count=0")).expect(200);
    assert_eq!(after["totalResults"], before, "{}", after.story());
}

fn r81_entries_are_found_and_sorted(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let bob = create_user(&scim, &user("bob"));
    scim.patch(&ada, &replace("title", "Lead")).expect(200);
    admin.scim.patch(&bob, &replace("active", false)).expect(200);
    let ids: Vec<&str> = [&ada, &bob].map(|path| path.trim_start_matches("/Users/")).to_vec();
    let [ada, bob] = ids[..] else { unreachable!() };
    let connection = admin.path_of("/Connections", "standard");
    let connection = connection.trim_start_matches("/Connections/");
    let found = |filter: &str| {
        let query = [("filter", filter), ("sortBy", "at"), ("count", "200")];
        let found = admin.scim.query(LOG, &query).expect(200);
        let of_users = found.resources().iter().filter(|entry| entry["resourceType"] == "User");
        let name = |entry: &Value| if entry["resourceId"] == ada { "ada" } else { "bob" };
        let text = |entry: &Value| format!("{} {}", name(entry), entry["action"].as_str().unwrap());
        of_users.map(text).collect::<Vec<_>>().join(", ")
    };
    for (filter, expected) in [
        (format!("resourceId eq \"{ada}\""), "ada create, ada update"),
        (format!("resourceId eq \"{bob}\" and action eq \"deactivate\""), "bob deactivate"),
        (
            "resourceType eq \"User\"".to_owned(),
            "ada create, bob create, ada update, bob deactivate",
        ),
        (format!("actor.value eq \"{connection}\""), "ada create, bob create, ada update"),
        ("resourceType eq \"user\" and versionAfter gt 1".to_owned(), "ada update, bob deactivate"),
        ("at lt \"2020-01-01T00:00:00Z\"".to_owned(), ""),
    ] {
        assert_eq!(found(&filter), expected, "{filter}");
    }
    let newest = [("sortBy", "at"), ("sortOrder", "descending"), ("count", "1")];
    let newest = admin.scim.query(LOG, &newest).expect(200);
    assert_eq!(newest["Resources"][0]["action"], "deactivate", "{}", newest.story());
    let one = format!("{LOG}/{}", newest["Resources"][0]["id"].as_str().unwrap());
    assert_eq!(admin.scim.get(&one).expect(200).body, newest["Resources"][0]);
    for filter in ["changes.attribute eq \"title\"", "reason pr"] {
        admin.scim.filter(LOG, filter).expect_error(400, Some("invalidFilter"));
    }
}

fn r81_entries_are_read_by_administrators_and_changed_by_nobody(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let entry = entries(&admin, &ada)[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{LOG}/{entry}");
    scim.get(LOG).expect_code(403, "scopeMissing", None);
    scim.get(&path).expect_code(403, "scopeMissing", None);
    for (method, path) in
        [("POST", LOG), ("PUT", &path), ("PATCH", &path), ("DELETE", &path), ("DELETE", LOG)]
    {
        let refused = admin.scim.json(method, path, &json!({})).expect_error(405, None);
        assert_eq!(refused.header("allow"), Some("GET, HEAD"), "{}", refused.story());
    }
    assert_eq!(entries(&admin, &ada).len(), 1);
}

fn r81_entries_of_another_tenant_are_not_there(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let entry = entries(&admin, &ada)[0]["id"].as_str().unwrap().to_owned();
    server.tenant("globex");
    let other = Administrator::of(&server, "globex");
    assert!(entries(&other, &ada).is_empty());
    other.scim.get(&format!("{LOG}/{entry}")).expect_error(404, None);
    admin.scim.get(&format!("{LOG}/{entry}")).expect(200);
}

/// The last entry of a connection, which is to be of this action, and what it says of its credentials.
#[track_caller]
fn of_credential(admin: &Administrator, path: &str, action: &str) -> (Value, Value) {
    let entry = entries(admin, path).pop().expect("there are entries");
    assert_eq!(entry["action"], action, "{entry}");
    assert_eq!(entry["resourceType"], "Connection", "{entry}");
    let [old, new] = change(&entry, "credentials").expect("it says so");
    let told = if action == "credentialAdded" { [new, old] } else { [old, new] };
    let [Value::Array(told), Value::Null] = told else { panic!("{entry}") };
    assert_eq!(told.len(), 1, "{entry}");
    (told[0].clone(), entry)
}

fn r81_what_a_client_proves_itself_with_is_added_and_revoked_with_an_entry(database: Database) {
    let (server, _scim, admin) = serve_admin(database);
    let made = admin.scim.post("/Connections", &json!({"name": "HR"})).expect(201);
    let path = format!("/Connections/{}", made.id());
    let end = "2030-01-01T00:00:00Z";
    let issuer = json!({"issuer": "https://i", "audience": "a", "subject": "s", "expires": end,
                        "jwksUrl": "https://i/keys"});
    let digest = "ab".repeat(32);
    let mut secrets = Vec::new();
    for (verb, body, kind, member, told) in [
        ("create-token", json!({"expires": end}), "token", "expires", end),
        ("create-secret", json!({"expires": end}), "secret", "expires", end),
        ("trust-issuer", issuer, "issuer", "jwksUrl", "https://i/keys"),
        ("pin-certificate", json!({"fingerprint": digest}), "certificate", "fingerprint", &digest),
    ] {
        let done = admin.act(&format!("{path}/{verb}"), &body).expect(200);
        let (added, entry) = of_credential(&admin, &path, "credentialAdded");
        assert_eq!((&added["id"], &added["kind"]), (&done["id"], &json!(kind)), "{entry}");
        assert_eq!(added[member], told, "{entry}");
        assert_eq!(entry["actor"]["display"], "admin", "{entry}");
        assert_eq!(entry["source"], "admin", "{entry}");
        let secret = done["token"].as_str().or(done["clientSecret"].as_str());
        secrets.extend(secret.map(str::to_owned));
        // It ends as it began: with who did it, and what it was.
        let revoke = json!({"id": done["id"]});
        admin.act(&format!("{path}/revoke-credential"), &revoke).expect(204);
        let (gone, entry) = of_credential(&admin, &path, "credentialRevoked");
        assert_eq!(gone, added, "{entry}");
        assert_eq!(entry["actor"]["display"], "admin", "{entry}");
        // What changes nothing has no entry.
        admin.act(&format!("{path}/revoke-credential"), &revoke).expect_error(404, None);
    }
    assert_eq!(entries(&admin, &path).len(), 9, "one is of the connection itself");
    assert_eq!(admin.scim.get(&path).expect(200).version(), "W/\"9\"");
    let found = admin.scim.filter(LOG, "action eq \"credentialAdded\"").expect(200);
    // Those of the two tokens that the test itself has made are among them.
    assert_eq!(found["totalResults"], 6, "{}", found.story());
    let log = admin.scim.get(&format!("{LOG}?count=200")).expect(200);
    assert_eq!(secrets.len(), 2);
    for shown in secrets {
        let secret = shown.rsplit('_').next().expect("it has parts");
        assert!(!log.text.contains(secret), "{}", log.story());
        let hash = server::token::hex(&openssl::sha::sha256(secret.as_bytes()));
        assert!(!log.text.contains(&hash), "{}", log.story());
    }
    server.command(&["verify-log"]).succeeded();
}

fn r81_what_is_done_on_the_command_line_has_the_same_entries(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let path = admin.path_of("/Connections", "standard");
    let (made, entry) = of_credential(&admin, &path, "credentialAdded");
    let id = scim.token().split('_').nth(1).expect("it has an identifier");
    assert_eq!((&made["id"], &entry["actor"]["type"]), (&json!(id), &json!("system")), "{entry}");
    server.command(&["token", "revoke", id]).succeeded();
    assert_eq!(of_credential(&admin, &path, "credentialRevoked").0, made);
    server.command(&["token", "revoke", id]).failed();
    let pin = ["credential", "certificate", "--tenant", "acme", "--subject", "CN=okta"];
    server.command(&pin).succeeded();
    let (made, entry) = of_credential(&admin, &path, "credentialAdded");
    assert_eq!(made["subject"], "CN=okta", "{entry}");
    let id = made["id"].as_str().expect("it has one");
    server.command(&["credential", "revoke", id]).succeeded();
    assert_eq!(of_credential(&admin, &path, "credentialRevoked").0, made);
    server.command(&["credential", "revoke", id]).failed();
    server.command(&["verify-log"]).succeeded();
}

fn r81_what_a_connection_may_do_is_changed_with_an_entry(database: Database) {
    let (_server, _scim, admin) = serve_admin(database);
    let made =
        admin.scim.post("/Connections", &json!({"name": "HR", "scopes": ["scim.users.read"]}));
    let path = format!("/Connections/{}", made.expect(201).id());
    let scopes = json!(["scim.users.read", "scim.roles.assign"]);
    admin.scim.patch(&path, &replace("scopes", scopes.clone())).expect(200);
    let agents = json!(["agent"]);
    admin.scim.patch(&path, &replace("grantableRoles", agents.clone())).expect(200);
    admin.scim.patch(&path, &replace("basicAuthentication", true)).expect(200);
    let [_, rights, roles, basic] = &entries(&admin, &path)[..] else { panic!("there are four") };
    assert_eq!(change(rights, "scopes"), Some([json!(["scim.users.read"]), scopes]), "{rights}");
    assert_eq!(change(roles, "grantableRoles"), Some([Value::Null, agents]), "{roles}");
    let [_, on] = change(basic, "basicAuthentication").expect("it says so");
    assert_eq!((on, &basic["actor"]["display"]), (json!(true), &json!("admin")), "{basic}");
}
