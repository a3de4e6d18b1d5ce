//! The guard against mass deprovisioning (rule R57).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r57_the_guard_refuses_and_an_administrator_releases_it,
    r57_other_connections_and_administrators_are_not_held,
    r57_a_single_leaver_is_never_held,
    r57_the_guard_may_only_tell,
    r57_the_guard_holds_in_bulk,
    r57_who_is_deleted_after_they_left_has_left_once,
);

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn set_guard(admin: &Administrator, min_count: u32, action: &str) {
    let tenant = format!("/Tenants/{}", tenant_id(&admin.scim));
    let guard = json!({"minCount": min_count, "maxPercent": 1, "windowSeconds": 3600,
        "action": action});
    admin.scim.patch(&tenant, &replace("deprovisionGuard", guard)).expect(200);
}

fn people(scim: &Client, count: usize) -> Vec<String> {
    let create = |number| scim.post("/Users", &user(&format!("user{number}"))).expect(201).id();
    (0..count).map(|number| format!("/Users/{}", create(number))).collect()
}

fn leave(scim: &Client, path: &str) -> Answer {
    scim.patch(path, &replace("active", false))
}

#[track_caller]
fn expect_held(answer: Answer) {
    let answer = answer.expect_error(403, None);
    assert_eq!(answer[HEADCOUNT_ERROR], json!({"code": "deprovisionGuard", "rule": "R57"}));
    assert_eq!(answer.header("retry-after"), Some("3600"), "{}", answer.story());
}

/// The connection of the client that provisions people: the one that is not the administrator's.
fn connection(admin: &Administrator) -> Value {
    let found = admin.scim.filter("/Connections", "name ne \"admin\"").expect(200);
    assert_eq!(found["totalResults"], 1, "{}", found.story());
    found["Resources"][0].clone()
}

fn r57_the_guard_refuses_and_an_administrator_releases_it(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_guard(&admin, 2, "hold");
    let people = people(&scim, 8);
    leave(&scim, &people[0]).expect(200);
    scim.delete(&people[1]).expect(204);
    assert_eq!(connection(&admin)["guard"], Value::Null, "nothing to see yet");
    expect_held(leave(&scim, &people[2]));
    let guard = connection(&admin)["guard"].clone();
    assert_eq!((&guard["state"], &guard["count"]), (&json!("holding"), &json!(2)));
    let mut put = user("user2");
    put["active"] = json!(false);
    expect_held(scim.put(&people[2], &put));
    expect_held(scim.delete(&people[2]));
    assert_eq!(scim.get(&people[2]).expect(200)["active"], true);
    // What takes nobody away goes on.
    scim.patch(&people[2], &replace("title", "Lead")).expect(200);
    let id = connection(&admin)["id"].as_str().unwrap().to_owned();
    let release = format!("/Connections/{id}/release");
    admin.act(&release, &json!({})).expect_error(400, Some("invalidValue"));
    let past = json!({"reason": "x", "until": "2020-01-01T00:00:00Z"});
    admin.act(&release, &past).expect_error(400, Some("invalidValue"));
    verbs_of(&scim).json("POST", &release, &json!({"reason": "x"})).expect_error(403, None);
    let released = admin.act(&release, &json!({"reason": "the site closes"})).expect(200);
    assert_eq!(released["guard"]["state"], "released", "{}", released.story());
    leave(&scim, &people[2]).expect(200);
    scim.delete(&people[3]).expect(204);
}

fn r57_other_connections_and_administrators_are_not_held(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    set_guard(&admin, 1, "hold");
    let people = people(&scim, 8);
    leave(&scim, &people[0]).expect(200);
    expect_held(leave(&scim, &people[1]));
    let create = ["token", "create", "--tenant", "acme", "--connection", "other"];
    let token = server.command(&create).succeeded();
    let other = server.client_with_token(token.stdout.trim());
    leave(&other, &people[1]).expect(200);
    expect_held(leave(&other, &people[2]));
    for path in &people[2..6] {
        leave(&admin.scim, path).expect(200);
    }
    admin.act(&format!("{}/deactivate", people[6]), &json!({"reason": "left"})).expect(200);
    admin.scim.delete(&people[7]).expect(204);
}

fn r57_a_single_leaver_is_never_held(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_guard(&admin, 1, "hold");
    let people = people(&scim, 1);
    leave(&scim, &people[0]).expect(200);
    assert_eq!(connection(&admin)["guard"], Value::Null);
}

fn r57_the_guard_may_only_tell(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_guard(&admin, 1, "alert");
    let people = people(&scim, 4);
    for path in &people {
        leave(&scim, path).expect(200);
    }
    let guard = connection(&admin)["guard"].clone();
    assert_eq!((&guard["state"], &guard["count"]), (&json!("watching"), &json!(1)), "told once");
    set_guard(&admin, 1, "off");
    let more = scim.post("/Users", &user("more")).expect(201).id();
    leave(&scim, &format!("/Users/{more}")).expect(200);
}

fn r57_the_guard_holds_in_bulk(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_guard(&admin, 2, "hold");
    let people = people(&scim, 5);
    let operations: Vec<Value> =
        people.iter().map(|path| json!({"method": "DELETE", "path": path})).collect();
    let request = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    let done = scim.post("/Bulk", &request).expect(200);
    let statuses = strings(&done["Operations"], "status");
    assert_eq!(statuses, ["204", "204", "403", "403", "403"], "{}", done.story());
    let guard = connection(&admin)["guard"].clone();
    assert_eq!((&guard["state"], &guard["count"]), (&json!("holding"), &json!(2)));
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 3);
}

/// Entra ID deactivates, and deletes thirty days later what nobody misses any more.
fn r57_who_is_deleted_after_they_left_has_left_once(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_guard(&admin, 2, "hold");
    let people = people(&scim, 5);
    for path in &people[..2] {
        leave(&admin.scim, path).expect(200);
        scim.delete(path).expect(204);
    }
    let operations = json!([
        {"method": "PATCH", "path": people[2], "data":
            {"schemas": [PATCH_OP], "Operations": replace("active", false)}},
        {"method": "DELETE", "path": people[2]},
    ]);
    let request = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    let done = scim.post("/Bulk", &request).expect(200);
    assert_eq!(strings(&done["Operations"], "status"), ["200", "204"], "{}", done.story());
    scim.delete(&people[3]).expect(204);
    // One left and was deleted, one was deleted at work: two are gone by this connection.
    expect_held(scim.delete(&people[4]));
    assert_eq!(connection(&admin)["guard"]["count"], 2);
}
