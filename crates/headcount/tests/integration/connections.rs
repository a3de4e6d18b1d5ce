//! Connections: what a client may do, and what the guard saw of it.

use accounts::connections::guard::{self, Guard};
use accounts::policy::{GuardAction, GuardPolicy};
use accounts::{Context, parse_id};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_2_16_a_connection_is_made_with_defaults_and_only_of_what_there_is,
    domain_2_16_a_deleted_connection_has_no_tokens,
    r22_grantable_roles_exist_when_they_are_named,
    r57_the_guard_is_raised_once_a_window_and_released_by_an_administrator,
);

fn domain_2_16_a_connection_is_made_with_defaults_and_only_of_what_there_is(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let made = admin.post("/Connections", &json!({"name": "HR"})).expect(201);
    assert_eq!(made["dialect"], "standard", "{}", made.story());
    let path = format!("/Connections/{}", made.id());
    for (attribute, wrong, allowed) in [
        ("dialect", json!("ldap"), "dialect must be one of strict, standard, entra, okta"),
        ("scopes", json!(["scim.everything"]), "scopes must be one of scim.users.read"),
    ] {
        let refused = admin.patch(&path, &replace(attribute, wrong));
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert!(refused.text.contains(allowed), "{}", refused.story());
    }
    let changed = admin.patch(&path, &replace("dialect", "OKTA")).expect(200);
    assert_eq!(changed["dialect"], "okta");
    let guarded = admin.put(&path, &json!({"name": "HR", "guard": {"state": "released"}}));
    assert_eq!(guarded.expect(200)["guard"], Value::Null);
    scim.get("/Connections").expect_error(403, None);
    scim.post("/Connections", &json!({"name": "mine"})).expect_error(403, None);
}

fn domain_2_16_a_deleted_connection_has_no_tokens(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let token = |name: &str, scopes: &str| {
        server.client_with_token(&tenant.token(&["--connection", name, "--scopes", scopes]))
    };
    let (admin, hr) = (token("admin", "admin"), token("hr", "scim.groups.read"));
    let again = token("hr", "scim.groups.read");
    hr.get("/Roles").expect_error(403, None);
    let found = admin.filter("/Connections", "name eq \"HR\"").expect(200);
    let path = format!("/Connections/{}", found["Resources"][0]["id"].as_str().unwrap());
    // A new scope counts from the next request on.
    admin.patch(&path, &replace("scopes", json!(["scim.users.read"]))).expect(200);
    hr.get("/Roles").expect(200);
    admin.delete(&path).expect(204);
    for ended in [hr, again] {
        ended.get("/Roles").expect_error(401, None);
    }
    admin.get("/Roles").expect(200);
    // A new connection of the name is another one.
    token("hr", "scim.users.read").get("/Roles").expect(200);
}

fn r22_grantable_roles_exist_when_they_are_named(database: Database) {
    let (_server, admin, _) = serve_nouns(database);
    let made = admin.post("/Connections", &json!({"name": "HR"})).expect(201);
    let path = format!("/Connections/{}", made.id());
    let refused = admin.patch(&path, &replace("grantableRoles", json!(["agent", "wizard"])));
    let refused = refused.expect_error(400, Some("invalidValue"));
    assert_eq!(refused[HEADCOUNT_ERROR], json!({"code": "unknownRole", "rule": "R22"}));
    assert!(refused.text.contains("wizard"), "{}", refused.story());
    let helper = admin.post("/Roles", &json!({"name": "Helper"})).expect(201).id();
    admin.patch(&path, &replace("grantableRoles", json!(["agent", helper]))).expect(200);
    admin.delete(&format!("/Roles/{helper}")).expect(204);
    admin.patch(&path, &replace("genesysAlias", true)).expect(200);
}

fn r57_the_guard_is_raised_once_a_window_and_released_by_an_administrator(database: Database) {
    let (server, admin, _) = serve_nouns(database);
    let made = admin.post("/Connections", &json!({"name": "HR"})).expect(201);
    let (path, id) = (format!("/Connections/{}", made.id()), parse_id(&made.id()).unwrap());
    let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let at = move |context: &Context, seconds: i64| {
        let mut context = context.clone();
        context.caller.connection = id;
        context.now = start + SignedDuration::from_secs(seconds);
        context
    };
    let raise = |seconds: i64, count: u64, action: GuardAction| {
        let policy = GuardPolicy { max_percent: 20, min_count: 25, window_seconds: 3600, action };
        let raised = by_rule(&server, move |tx, context| {
            guard::raise(tx, &at(context, seconds), &policy, count)
        });
        raised.unwrap()
    };
    let seen = |state: &str, version: i64| {
        let read = admin.get(&path).expect(200);
        assert_eq!(read["guard"]["state"], state, "{}", read.story());
        assert_eq!(read.version(), format!("W/\"{version}\""), "{}", read.story());
        read
    };
    assert!(!raise(0, 26, GuardAction::Off));
    assert!(raise(0, 26, GuardAction::Hold));
    let held = seen("holding", 2);
    assert_eq!(held["guard"]["count"], 26);
    assert_eq!(held["guard"]["since"], "2030-01-01T00:00:00Z");
    assert!(!raise(3599, 27, GuardAction::Hold), "one entry in a window");
    seen("holding", 2);
    assert!(raise(3600, 28, GuardAction::Hold));
    seen("holding", 3);
    assert_eq!(admin.filter("/Connections", "guard.state eq \"holding\"").resources().len(), 1);

    let release = |now: i64, until: i64| {
        by_rule(&server, move |tx, context| {
            let (now, until) = (at(context, now), at(context, until).now);
            guard::release(tx, &now, id, Some(until))
        })
    };
    assert!(release(3700, 3700).unwrap_err().to_string().contains("to come"));
    let connection = release(3700, 9000).unwrap().attributes;
    let released = seen("released", 4);
    assert_eq!(released["guard"]["until"], "2030-01-01T02:30:00Z");
    assert_eq!(released["guard"]["count"], 28, "what it saw stays: {}", released.story());
    let instant = |seconds| start + SignedDuration::from_secs(seconds);
    assert!(Guard::of(&connection).is_released(instant(8999)));
    assert!(!Guard::of(&connection).is_released(instant(9000)));
    assert!(!raise(8999, 40, GuardAction::Hold), "it is released");
    assert!(raise(9000, 41, GuardAction::Alert));
    seen("watching", 5);
    // An administrator changes the connection, and what the guard saw stays.
    admin.put(&path, &json!({"name": "Human resources"})).expect(200);
    seen("watching", 6);
}
