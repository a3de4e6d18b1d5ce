//! The queries of administrators: who never logged in, who waits, who has which licence.

use serde_json::json;

use crate::harness::*;

on_each_database!(domain_7_8_queries_of_administrators, domain_7_8_states_and_instants_are_found);

fn ours(name: &str) -> String {
    format!("{HEADCOUNT}:{name}")
}

fn domain_7_8_queries_of_administrators(database: Database) {
    let (server, scim, _) = serve_admin(database);
    for (name, tier) in [("ada", "CX4"), ("bob", "CX4"), ("eve", "CX1"), ("joan", "CX2D")] {
        let body = json!({"schemas": [USER, HEADCOUNT], "userName": name,
            HEADCOUNT: {"licenseTier": tier}});
        let path = create_user(&scim, &body);
        if name == "ada" {
            log_in(&server, &path, "2026-07-01T12:00:00Z");
            let read = scim.get(&path).expect(200);
            assert_eq!(read[HEADCOUNT]["lastLogin"], "2026-07-01T12:00:00Z", "{}", read.story());
            assert_eq!(read.version(), "W/\"1\"", "R68: a login is no change");
        }
        if name == "joan" {
            log_in(&server, &path, "2026-08-02T12:00:00Z");
        }
    }
    let [tier, login] = ["licenseTier", "lastLogin"].map(ours);
    for (filter, found) in [
        (format!("{tier} eq \"CX4\" and not ({login} pr)"), &["bob"][..]),
        (format!("{login} lt \"2026-08-01T00:00:00Z\" and active eq true"), &["ada"]),
        (format!("{login} ge \"2026-08-01T00:00:00Z\""), &["joan"]),
        (format!("{login} pr"), &["ada", "joan"]),
        (format!("{tier} eq \"cx4\""), &["ada", "bob"]),
        (format!("{tier} sw \"CX2\""), &["joan"]),
        (format!("{tier} ne \"CX4\""), &["eve", "joan"]),
        (format!("{tier} eq \"CX1\" or {tier} eq \"CX2D\" and not ({login} pr)"), &["eve"]),
        (format!("({tier} eq \"CX1\" or {tier} eq \"CX2D\") and {login} pr"), &["joan"]),
    ] {
        scim.filter("/Users", &filter).expect_user_names(found);
    }
    // Who never logged in comes last, or first where it is the other way (RFC 7644 3.4.2.3).
    let sorted = |order: &str| {
        let query = [("sortBy", login.as_str()), ("sortOrder", order)];
        let sorted = scim.query("/Users", &query).expect(200);
        sorted.user_names().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(sorted("ascending")[..2], ["ada", "joan"]);
    assert_eq!(sorted("descending")[2..], ["joan", "ada"]);
}

fn domain_7_8_states_and_instants_are_found(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let users = ["ada", "bob", "eve"].map(|name| create_user(&scim, &user(name)));
    let [ada, bob, _] = &users;
    activate(&server, ada);
    scim.patch(bob, &replace("active", false)).expect(200);
    let state = ours("accountState");
    for (filter, found) in [
        (format!("{state} eq \"active\""), &["ada"][..]),
        (format!("{state} eq \"Deactivated\""), &["bob"]),
        (format!("{state} eq \"pendingActivation\""), &["eve"]),
        (format!("{state} ne \"active\""), &["bob", "eve"]),
        (format!("{} pr", ours("activatedAt")), &["ada"]),
        (format!("{} pr", ours("deactivatedAt")), &["bob"]),
        (format!("{} ge \"2020-01-01T00:00:00Z\"", ours("seatAssignedAt")), &["ada", "eve"]),
        (format!("not ({} pr)", ours("seatAssignedAt")), &["bob"]),
        (format!("{} pr", ours("lockedUntil")), &[]),
    ] {
        scim.filter("/Users", &filter).expect_user_names(found);
    }
}

/// Records a login, as the login service will.
fn log_in(server: &Server, path: &str, at: &str) {
    let id = path.rsplit('/').next().and_then(accounts::parse_id).unwrap();
    let at: jiff::Timestamp = at.parse().unwrap();
    by_rule(server, move |tx, context| Ok(tx.record_login(context.caller.tenant, id, at)?))
        .unwrap();
}
