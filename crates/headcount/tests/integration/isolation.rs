//! One tenant never sees, finds or touches what belongs to another.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    tenants_do_not_see_each_other,
    tenants_cannot_change_each_other,
    tenants_share_no_names,
    members_of_another_tenant_are_unknown,
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
