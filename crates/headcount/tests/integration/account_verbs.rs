//! What administrators, and the login service, do with accounts.

use accounts::timers;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    t3_a_person_takes_the_account_into_use,
    r5_an_account_in_use_keeps_its_names,
    r5_a_mistyped_name_is_released,
    r68_a_login_changes_no_version,
    r58_an_administrator_says_why,
    r58_a_deactivation_without_a_reason_is_the_identity_providers,
    r15_a_downgrade_waits_for_a_decision,
    r15_an_approved_tier_needs_a_seat,
    r55_what_depends_on_a_person_is_told,
    r55_what_depends_on_a_person_is_reassigned,
    r55_open_dependencies_stop_administrators_only,
    r55_queues_let_go_of_who_leaves,
    op13_what_is_deleted_is_listed_for_administrators,
    domain_4_4_grants_that_slept_too_long_are_purged,
    t15_seats_of_accounts_that_nobody_uses_are_reclaimed,
    r19_seats_that_do_not_add_up_are_found,
    verbs_of_users_are_for_administrators,
);

const OURS: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

#[track_caller]
fn expect_code(answer: Answer, status: u16, code: &str) -> Answer {
    let answer = answer.expect(status);
    assert_eq!(answer[HEADCOUNT_ERROR]["code"], code, "{}", answer.story());
    answer
}

fn set_policy(admin: &Administrator, attribute: &str, value: impl Into<Value>) {
    let tenant = format!("/Tenants/{}", tenant_id(&admin.scim));
    admin.scim.patch(&tenant, &replace(attribute, value)).expect(200);
}

fn limit(admin: &Administrator, tier: &str, total: u32) {
    let found = admin.named("/LicenseTiers", tier);
    let path = format!("/LicenseTiers/{}", found["id"].as_str().unwrap());
    admin.scim.patch(&path, &replace("totalSeats", total)).expect(200);
}

fn create(scim: &Client, name: &str) -> String {
    format!("/Users/{}", scim.post("/Users", &user(name)).expect(201).id())
}

fn because(reason: &str) -> Value {
    json!({"reason": reason})
}

fn t3_a_person_takes_the_account_into_use(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim, "ada");
    let activated = admin.act(&format!("{ada}/activate"), &json!({})).expect(200);
    assert_eq!(activated[OURS]["accountState"], "active", "{}", activated.story());
    assert!(activated[OURS]["activatedAt"].is_string());
    assert_eq!(activated.version(), "W/\"2\"");
    let again = admin.act(&format!("{ada}/activate"), &json!({}));
    expect_code(again, 409, "alreadyActivated");
    // It stays taken into use when it comes back (T11).
    scim.patch(&ada, &replace("active", false)).expect(200);
    let early = admin.act(&format!("{ada}/activate"), &json!({}));
    expect_code(early, 409, "illegalTransition");
    let back = scim.patch(&ada, &replace("active", true)).expect(200);
    assert_eq!(back[OURS]["accountState"], "active", "{}", back.story());
}

fn r5_an_account_in_use_keeps_its_names(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let release = |value: &str| {
        let body = json!({"value": value, "reason": "a typing error"});
        admin.act("/Users/release-identity", &body)
    };
    for (name, verb, status) in [("ada", "activate", 200), ("grace", "login", 204)] {
        let path = create(&scim, name);
        admin.act(&format!("{path}/{verb}"), &json!({})).expect(status);
        scim.patch(&path, &replace("userName", format!("{name}.x"))).expect(200);
        expect_code(release(name), 409, "claimBurned");
    }
}

fn r5_a_mistyped_name_is_released(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let release = |value: &str| {
        let body = json!({"value": value, "reason": "a typing error"});
        admin.act("/Users/release-identity", &body)
    };
    let ada = create(&scim, "adda");
    expect_code(release("adda"), 409, "claimInUse");
    scim.patch(&ada, &replace("userName", "ada")).expect(200);
    admin
        .act("/Users/release-identity", &json!({"value": "adda"}))
        .expect_error(400, Some("invalidValue"));
    release("ADDA").expect(204);
    release("adda").expect_error(404, None);
    create(&scim, "adda");
}

fn r68_a_login_changes_no_version(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim, "ada");
    // The first login of all would take the account into use (T4).
    admin.act(&format!("{ada}/activate"), &json!({})).expect(200);
    let before = scim.get(&ada).expect(200);
    assert_eq!(before[OURS]["lastLogin"], Value::Null);
    let login = |body: Value| admin.act(&format!("{ada}/login"), &body);
    login(json!({"at": "2026-01-02T03:04:05Z", "outcome": "success"})).expect(204);
    let after = scim.get(&ada).expect(200);
    assert_eq!(after[OURS]["lastLogin"], "2026-01-02T03:04:05Z", "{}", after.story());
    assert_eq!(after.version(), before.version());
    assert_eq!(after["meta"]["lastModified"], before["meta"]["lastModified"]);
    login(json!({"at": "2025-01-01T00:00:00Z"})).expect(204);
    assert_eq!(scim.get(&ada).expect(200)[OURS]["lastLogin"], after[OURS]["lastLogin"]);
    let recently = format!("{OURS}:lastLogin gt \"2026-01-01T00:00:00Z\"");
    scim.filter("/Users", &recently).expect_user_names(&["ada"]);
    login(json!({"at": "2999-01-01T00:00:00Z"})).expect_error(400, Some("invalidValue"));
    login(json!({"outcome": "perhaps"})).expect_error(400, Some("invalidValue"));
    scim.patch(&ada, &replace("active", false)).expect(200);
    expect_code(login(json!({})), 409, "illegalTransition");
}

fn r58_an_administrator_says_why(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = create(&scim, "ada");
    for verb in ["deactivate", "reactivate", "restore", "erase", "approve-tier", "reject-tier"] {
        let silent = admin.act(&format!("{ada}/{verb}"), &json!({}));
        silent.expect_error(400, Some("invalidValue"));
    }
    let gone = admin.act(&format!("{ada}/deactivate"), &because("long leave")).expect(200);
    assert_eq!(
        (&gone["active"], &gone[OURS]["deactivationReason"]),
        (&json!(false), &json!("long leave")),
        "{}",
        gone.story()
    );
    let again = admin.act(&format!("{ada}/deactivate"), &because("another")).expect(200);
    assert_eq!(again.body, gone.body, "nothing changed");
    let back = admin.act(&format!("{ada}/reactivate"), &because("back again")).expect(200);
    assert_eq!((&back["active"], &back[OURS]["deactivationReason"]), (&json!(true), &Value::Null));
    let dump = server.database().dump();
    assert!(dump.contains("long leave") && dump.contains("back again"), "the log has why");
}

fn r58_a_deactivation_without_a_reason_is_the_identity_providers(database: Database) {
    let (_server, scim, _) = serve_admin(database);
    let ada = create(&scim, "ada");
    let gone = scim.patch(&ada, &replace("active", false)).expect(200);
    assert_eq!(gone[OURS]["deactivationReason"], "scim", "{}", gone.story());
    let back = scim.patch(&ada, &replace("active", true)).expect(200);
    assert_eq!(back[OURS]["deactivationReason"], Value::Null);
    let said = json!([{"op": "replace", "value": {"active": false,
        format!("{OURS}:deactivationReason"): "contract ended"}}]);
    let gone = scim.patch(&ada, &said).expect(200);
    assert_eq!(gone[OURS]["deactivationReason"], "contract ended", "{}", gone.story());
}

/// An account of a tier, and another tier that it waits for.
fn waiting(scim: &Client, admin: &Administrator, name: &str) -> String {
    set_policy(admin, "license.downgrade", "queue");
    let mut body = user(name);
    body["schemas"] = json!([USER, OURS]);
    body[OURS] = json!({"licenseTier": "CX3"});
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let asked = scim.patch(&path, &replace(&format!("{OURS}:licenseTier"), "CX1")).expect(200);
    let ours = &asked[OURS];
    assert_eq!((&ours["licenseTier"], &ours["pendingLicenseTier"]), (&json!("CX3"), &json!("CX1")));
    path
}

fn r15_a_downgrade_waits_for_a_decision(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = waiting(&scim, &admin, "ada");
    let kept = admin.act(&format!("{ada}/reject-tier"), &because("needed")).expect(200);
    let ours = &kept[OURS];
    assert_eq!((&ours["licenseTier"], &ours["pendingLicenseTier"]), (&json!("CX3"), &Value::Null));
    let nothing = admin.act(&format!("{ada}/approve-tier"), &because("x"));
    expect_code(nothing, 409, "illegalTransition");
    let grace = waiting(&scim, &admin, "grace");
    let given = admin.act(&format!("{grace}/approve-tier"), &because("agreed")).expect(200);
    let ours = &given[OURS];
    assert_eq!((&ours["licenseTier"], &ours["pendingLicenseTier"]), (&json!("CX1"), &Value::Null));
}

fn r15_an_approved_tier_needs_a_seat(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = waiting(&scim, &admin, "ada");
    limit(&admin, "CX1", 0);
    let refused = admin.act(&format!("{ada}/approve-tier"), &because("agreed"));
    expect_code(refused, 403, "seatLimitExceeded");
    limit(&admin, "CX1", 1);
    limit(&admin, "CX3", 1);
    admin.act(&format!("{ada}/approve-tier"), &because("agreed")).expect(200);
    // The seat that it had is free.
    let mut body = user("grace");
    body["schemas"] = json!([USER, OURS]);
    body[OURS] = json!({"licenseTier": "CX3"});
    scim.post("/Users", &body).expect(201);
    expect_code(scim.post("/Users", &user("third")), 403, "seatLimitExceeded");
}

fn dependency(kind: &str, reference: &str) -> Value {
    json!({"kind": kind, "ref": reference})
}

fn r55_what_depends_on_a_person_is_told(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = create(&scim, "ada");
    let mut managed = user("grace");
    managed["schemas"] = json!([USER, ENTERPRISE]);
    managed[ENTERPRISE] = json!({"manager": {"value": ada["/Users/".len()..]}});
    let grace = scim.post("/Users", &managed).expect(201).id();
    let report = |body: Value| admin.act(&format!("{ada}/report-dependency"), &body);
    report(dependency("scheduledReport", "monthly")).expect(204);
    report(dependency("scheduledReport", "monthly")).expect(204);
    report(dependency("pet", "dog")).expect_error(400, Some("invalidValue"));
    report(dependency("managerOf", &grace)).expect_error(400, Some("invalidValue"));
    report(dependency("callback", "")).expect_error(400, Some("invalidValue"));
    let expected = json!([
        {"kind": "scheduledReport", "ref": "monthly", "disposition": "needsReassign"},
        {"kind": "managerOf", "ref": grace, "disposition": "needsReassign"},
    ]);
    let listed = admin.act(&format!("{ada}/list-dependencies"), &json!({})).expect(200);
    assert_eq!(listed["dependencies"], expected, "{}", listed.story());
    assert_eq!(scim.get(&ada).expect(200)[OURS]["dependencies"], Value::Null, "on request only");
    let asked = format!("{ada}?attributes={OURS}:dependencies");
    let gone = scim.patch(&asked, &replace("active", false)).expect(200);
    assert_eq!(gone[OURS]["dependencies"], expected, "{}", gone.story());
    assert!(server.database().dump().contains("\"dependencies\""), "the log has them");
    let remove = format!("{ada}/remove-dependency");
    admin.act(&remove, &dependency("scheduledReport", "monthly")).expect(204);
    admin.act(&remove, &dependency("scheduledReport", "monthly")).expect_error(404, None);
}

fn r55_what_depends_on_a_person_is_reassigned(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let (ada, other, gone) = (create(&scim, "ada"), create(&scim, "other"), create(&scim, "gone"));
    scim.patch(&gone, &replace("active", false)).expect(200);
    let mut managed = user("grace");
    managed["schemas"] = json!([USER, ENTERPRISE]);
    managed[ENTERPRISE] = json!({"manager": {"value": ada["/Users/".len()..]}});
    let grace = scim.post("/Users", &managed).expect(201).id();
    admin.act(&format!("{ada}/report-dependency"), &dependency("flowOwner", "ivr")).expect(204);
    let reassign = |kind: &str, reference: &str, to: &str| {
        let mut body = dependency(kind, reference);
        body["to"] = to["/Users/".len()..].into();
        admin.act(&format!("{ada}/reassign-dependency"), &body)
    };
    reassign("flowOwner", "ivr", &gone).expect_error(400, Some("invalidValue"));
    reassign("flowOwner", "ivr", &ada).expect_error(400, Some("invalidValue"));
    reassign("flowOwner", "other", &other).expect_error(404, None);
    reassign("flowOwner", "ivr", &other).expect(204);
    reassign("managerOf", &grace, &other).expect(204);
    let of = |path: &str| admin.act(&format!("{path}/list-dependencies"), &json!({})).expect(200);
    assert_eq!(of(&ada)["dependencies"], json!([]));
    assert_eq!(strings(&of(&other)["dependencies"], "kind"), ["flowOwner", "managerOf"]);
    let grace = scim.get(&format!("/Users/{grace}")).expect(200);
    assert_eq!(grace[ENTERPRISE]["manager"]["value"], other["/Users/".len()..]);
    assert_eq!(grace.version(), "W/\"2\"");
}

fn r55_open_dependencies_stop_administrators_only(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_policy(&admin, "dependencies.onDeactivate", "blockAdmin");
    let ada = create(&scim, "ada");
    let report = format!("{ada}/report-dependency");
    admin.act(&report, &dependency("scheduledReport", "monthly")).expect(204);
    let refused = admin.act(&format!("{ada}/deactivate"), &because("left"));
    let refused = expect_code(refused, 409, "openDependencies");
    assert!(refused.text.contains("monthly"), "{}", refused.story());
    expect_code(admin.scim.delete(&ada), 409, "openDependencies");
    scim.patch(&ada, &replace("active", false)).expect(200);
    scim.delete(&ada).expect(204);
}

fn r55_queues_let_go_of_who_leaves(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    set_policy(&admin, "dependencies.onDeactivate", "autoclean");
    let ada = create(&scim, "ada");
    let report = format!("{ada}/report-dependency");
    admin.act(&report, &dependency("queueMembership", "sales")).expect(204);
    admin.act(&report, &dependency("scheduledReport", "monthly")).expect(204);
    scim.patch(&ada, &replace("active", false)).expect(200);
    let left = admin.act(&format!("{ada}/list-dependencies"), &json!({})).expect(200);
    assert_eq!(strings(&left["dependencies"], "ref"), ["monthly"], "{}", left.story());
}

fn op13_what_is_deleted_is_listed_for_administrators(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let paths = ["a", "b", "c", "d"].map(|name| create(&scim, name));
    for path in &paths[..3] {
        scim.delete(path).expect(204);
    }
    let reason = because("a request of the person");
    admin.act(&format!("{}/erase", paths[0]), &reason).expect(204);
    let list = |body: Value| admin.act("/Users/list-deleted", &body);
    let all = list(json!({})).expect(200);
    assert_eq!((&all["totalResults"], all.user_names()), (&json!(2), vec!["c", "b"]));
    let second = list(json!({"startIndex": 2, "count": 1})).expect(200);
    assert_eq!((&second["totalResults"], second.user_names()), (&json!(2), vec!["b"]));
    assert_eq!(list(json!({"count": 0})).expect(200)["totalResults"], 2);
    list(json!({"count": -1})).expect_error(400, Some("invalidValue"));
}

fn domain_4_4_grants_that_slept_too_long_are_purged(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let mut body = user("ada");
    body["roles"] = json!([{"value": "agent"}, {"value": "supervisor"}]);
    let ada = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    scim.patch(&ada, &replace("active", false)).expect(200);
    let after = |days: i64| {
        by_rule(&server, move |tx, context| {
            let mut context = context.clone();
            context.now = context.now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
            timers::tick(tx, &context)
        })
        .unwrap()
    };
    assert_eq!(after(29).purged, 0);
    assert_eq!(after(31).purged, 1, "one entry for the account");
    assert_eq!(after(31).purged, 0, "once");
    let back = scim.patch(&ada, &replace("active", true)).expect(200);
    assert_eq!(strings(&back["roles"], "value"), ["employee"], "{}", back.story());
    assert_eq!(back.version(), "W/\"4\"");
    server.command(&["verify-log"]).succeeded();
}

fn t15_seats_of_accounts_that_nobody_uses_are_reclaimed(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (ada, grace) = (create(&scim, "ada"), create(&scim, "grace"));
    admin.act(&format!("{grace}/activate"), &json!({})).expect(200);
    let after = |days: i64| {
        by_rule(&server, move |tx, context| {
            let mut context = context.clone();
            context.now = context.now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
            timers::tick(tx, &context)
        })
        .unwrap()
        .reclaimed
    };
    assert_eq!(after(400), 0, "nobody wants it");
    set_policy(&admin, "seats.reclaimPendingAfterDays", 10);
    set_policy(&admin, "dependencies.onDeactivate", "blockAdmin");
    let report = format!("{ada}/report-dependency");
    admin.act(&report, &dependency("scheduledReport", "monthly")).expect(204);
    assert_eq!(after(9), 0);
    assert_eq!((after(11), after(11)), (1, 0));
    let gone = scim.get(&ada).expect(200);
    assert_eq!(
        (&gone["active"], &gone[OURS]["deactivationReason"]),
        (&json!(false), &json!("neverActivated")),
        "{}",
        gone.story()
    );
    assert_eq!(scim.get(&grace).expect(200)["active"], true);
}

fn r19_seats_that_do_not_add_up_are_found(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    limit(&admin, "CX1", 5);
    create(&scim, "ada");
    let drift = || {
        let mut pools = by_rule(&server, timers::tick).unwrap().pools;
        pools.retain(|pool| !pool.adds_up());
        pools
    };
    assert_eq!(drift(), []);
    by_rule(&server, |tx, context| {
        Ok(tx.resize_pool(context.caller.tenant, accounts::authorization::Tier::Cx1, -1)?)
    })
    .unwrap();
    let found = drift();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].total, found[0].seats.used, found[0].seats.free), (5, 1, 3));
}

fn verbs_of_users_are_for_administrators(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create(&scim, "ada");
    let verbs = verbs_of(&scim);
    for verb in ["activate", "login", "deactivate", "restore", "erase", "explain-access"] {
        verbs.json("POST", &format!("{ada}/{verb}"), &json!({})).expect_error(403, None);
    }
    for verb in ["activate", "login"] {
        let nobody = format!("/Users/{NOBODY}/{verb}");
        admin.act(&nobody, &json!({})).expect_error(404, None);
    }
}
