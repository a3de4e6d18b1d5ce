//! One tenant never sees, finds or touches what belongs to another.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    tenants_do_not_see_each_other,
    tenants_cannot_change_each_other,
    tenants_share_no_names,
    members_of_another_tenant_are_unknown,
    a_bulk_request_reaches_nothing_of_another_tenant,
    versions_of_another_tenant_are_told_to_nobody,
    a_manager_of_another_tenant_is_nobody,
);

struct Neighbours {
    _server: Server,
    mine: Client,
    theirs: Client,
    their_user: String,
    their_group: String,
}

fn neighbours(database: Database) -> Neighbours {
    let server = Server::start(database);
    let mine = server.tenant("acme").client(Dialect::Standard);
    let theirs = server.tenant("globex").client(Dialect::Standard);
    let mut ada = person("Ada", "Lovelace", "ada@example.com");
    ada["externalId"] = json!("ext-1");
    let their_user = theirs.post("/Users", &ada).expect(201).id();
    let their_group = theirs.post("/Groups", &group("Sales", &[&their_user])).expect(201).id();
    Neighbours { _server: server, mine, theirs, their_user, their_group }
}

fn tenants_do_not_see_each_other(database: Database) {
    let Neighbours { _server, mine, their_user, their_group, .. } = neighbours(database);
    mine.get(&format!("/Users/{their_user}")).expect_error(404, None);
    mine.get(&format!("/Groups/{their_group}")).expect_error(404, None);
    for endpoint in ["/Users", "/Groups"] {
        mine.get(endpoint).expect_empty_list();
        let search = json!({"schemas": [SEARCH_REQUEST], "filter": "id pr"});
        mine.post(&format!("{endpoint}/.search"), &search).expect_empty_list();
    }
    for filter in [
        "userName eq \"ada@example.com\"".to_owned(),
        "emails.value co \"example\"".to_owned(),
        "externalId eq \"ext-1\"".to_owned(),
        "id pr or userName pr".to_owned(),
        "not (userName eq \"x\")".to_owned(),
        format!("id eq \"{their_user}\""),
        format!("groups.value eq \"{their_group}\""),
    ] {
        mine.filter("/Users", &filter).expect_empty_list();
    }
    for filter in
        ["displayName eq \"sales\"".to_owned(), format!("members.value eq \"{their_user}\"")]
    {
        mine.filter("/Groups", &filter).expect_empty_list();
    }
}

fn tenants_cannot_change_each_other(database: Database) {
    let Neighbours { _server, mine, theirs, their_user, their_group } = neighbours(database);
    let user_path = format!("/Users/{their_user}");
    let group_path = format!("/Groups/{their_group}");
    let before = (theirs.get(&user_path).expect(200), theirs.get(&group_path).expect(200));

    mine.put(&user_path, &user("mine")).expect_error(404, None);
    mine.put(&group_path, &group("Mine", &[])).expect_error(404, None);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Mine"}]);
    mine.patch(&user_path, &rename).expect_error(404, None);
    mine.patch(&group_path, &rename).expect_error(404, None);
    mine.delete(&user_path).expect_error(404, None);
    mine.delete(&group_path).expect_error(404, None);

    assert_eq!(theirs.get(&user_path).expect(200).body, before.0.body);
    assert_eq!(theirs.get(&group_path).expect(200).body, before.1.body);
}

fn tenants_share_no_names(database: Database) {
    let Neighbours { _server, mine, their_user, .. } = neighbours(database);
    let mut ada = person("Ada", "Lovelace", "ada@example.com");
    ada["externalId"] = json!("ext-1");
    let created = mine.post("/Users", &ada).expect(201);
    assert_ne!(created.id(), their_user);
    mine.post("/Groups", &group("Sales", &[])).expect(201);
    mine.get("/Users").expect_user_names(&["ada@example.com"]);
}

fn members_of_another_tenant_are_unknown(database: Database) {
    let Neighbours { _server, mine, theirs, their_user, their_group } = neighbours(database);
    let created = mine.post("/Groups", &group("Mixed", &[&their_user, &their_group])).expect(201);
    assert!(member_ids(&created.body).is_empty(), "{}", created.story());
    let add = json!([{"op": "add", "path": "members", "value": [{"value": their_user}]}]);
    let path = format!("/Groups/{}", created.id());
    mine.patch(&path, &add).expect_done();
    let read = mine.get(&path).expect(200);
    assert!(member_ids(&read.body).is_empty(), "{}", read.story());
    let seen = theirs.get(&format!("/Users/{their_user}")).expect(200);
    assert_eq!(strings(&seen["groups"], "display"), ["Sales"], "{}", seen.story());
}

fn a_bulk_request_reaches_nothing_of_another_tenant(database: Database) {
    let Neighbours { _server, mine, theirs, their_user, their_group } = neighbours(database);
    let (user_path, group_path) =
        (format!("/Users/{their_user}"), format!("/Groups/{their_group}"));
    let before = (theirs.get(&user_path).expect(200), theirs.get(&group_path).expect(200));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Mine"}]);
    let rename = json!({"schemas": [PATCH_OP], "Operations": rename});
    let mut operations = Vec::new();
    for (path, body) in [(&user_path, user("mine")), (&group_path, group("Mine", &[]))] {
        operations.push(json!({"method": "PUT", "path": path, "data": body}));
        operations.push(json!({"method": "PATCH", "path": path, "data": rename}));
        operations.push(json!({"method": "DELETE", "path": path}));
    }
    let mixed = group("Mixed", &[&their_user]);
    operations.push(json!({"method": "POST", "path": "/Groups", "bulkId": "a", "data": mixed}));
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    let done = mine.post("/Bulk", &json!({"schemas": [schema], "Operations": operations}));
    let done = done.expect(200);
    let expected = ["404", "404", "404", "404", "404", "404", "201"];
    assert_eq!(strings(&done["Operations"], "status"), expected, "{}", done.story());
    let made = mine.filter("/Groups", "displayName eq \"Mixed\"").expect(200);
    assert!(member_ids(&made.resources()[0]).is_empty(), "{}", made.story());
    assert_eq!(theirs.get(&user_path).expect(200).body, before.0.body);
    assert_eq!(theirs.get(&group_path).expect(200).body, before.1.body);
}

fn versions_of_another_tenant_are_told_to_nobody(database: Database) {
    let Neighbours { _server, mine, theirs, their_user, their_group } = neighbours(database);
    for path in [format!("/Users/{their_user}"), format!("/Groups/{their_group}")] {
        let version = theirs.get(&path).expect(200).version();
        // 304 and 412 would tell that there is something, and which version it has.
        for tag in [version.as_str(), "W/\"99\"", "*"] {
            mine.with_header("If-None-Match", tag).get(&path).expect_error(404, None);
            mine.with_header("If-Match", tag).delete(&path).expect_error(404, None);
        }
        let known = theirs.with_header("If-None-Match", &version).get(&path);
        assert_eq!(known.status, 304, "{}", known.story());
    }
}

fn a_manager_of_another_tenant_is_nobody(database: Database) {
    let Neighbours { _server, mine, theirs, their_user, .. } = neighbours(database);
    let led = |name: &str| {
        let mut led = user(name);
        led["schemas"] = json!([USER, ENTERPRISE]);
        led[ENTERPRISE] = json!({"manager": {"value": their_user}});
        led
    };
    // Whoever belongs to the tenant is told the name.
    let shown = |client: &Client, name: &str| {
        let created = client.post("/Users", &led(name)).expect(201);
        let read = client.get(&format!("/Users/{}", created.id())).expect(200);
        read[ENTERPRISE]["manager"]["displayName"].clone()
    };
    assert_eq!(shown(&theirs, "bob"), "Ada Lovelace");
    assert_eq!(shown(&mine, "bob"), serde_json::Value::Null);
    let by_name = format!("{ENTERPRISE}:manager.displayName eq \"Ada Lovelace\"");
    let found = mine.filter("/Users", &by_name);
    assert_ne!(found["totalResults"], 1, "{}", found.story());
}
