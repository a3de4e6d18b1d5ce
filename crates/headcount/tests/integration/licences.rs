//! Licence tiers and seats: who is enabled has a seat of their tier, from the beginning to the end.

use std::thread;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r10_r11_r20_r27_what_the_smallest_user_is_given,
    r11_the_tier_is_what_the_request_says_or_the_policy,
    r12_whoever_leaves_gives_the_seat_back,
    r13_without_a_seat_nobody_is_created_or_comes_back,
    r13_of_fifty_that_want_the_last_seat_one_gets_it,
    r13_a_tenant_may_have_more_accounts_than_seats_if_it_wants,
    r13_above_its_seats_a_tenant_keeps_whom_it_has_and_takes_nobody,
    r13_of_many_that_leave_at_once_those_too_many_leave_no_seat,
    r13_a_pool_is_not_made_smaller_than_what_is_used,
    r15_an_upgrade_takes_the_new_seat_and_gives_the_old_one_back,
    r15_a_downgrade_is_denied,
    r15_a_downgrade_is_queued_where_the_policy_says_so,
    r15_a_downgrade_is_done_where_the_policy_says_so,
    r15_who_has_no_seat_changes_tiers_without_one,
    r18_a_tier_that_there_is_not_is_refused_with_those_that_there_are,
);

/// A user with a tier.
fn licensed(name: &str, tier: &str) -> Value {
    json!({"schemas": [USER, HEADCOUNT], "userName": name, HEADCOUNT: {"licenseTier": tier}})
}

fn tier(name: &str) -> Value {
    replace(&format!("{HEADCOUNT}:licenseTier"), name)
}

fn active(is: bool) -> Value {
    replace("active", is)
}

#[track_caller]
fn no_seat(answer: Answer) {
    let refused = answer.expect_code(403, "seatLimitExceeded", Some("R13"));
    assert_eq!(refused.body.get("scimType"), None, "no 409, no keyword: {}", refused.story());
}

fn r10_r11_r20_r27_what_the_smallest_user_is_given(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    assert_eq!(admin.seats("CX1"), (0, None));
    let ada = scim.post("/Users", &user("ada")).expect(201);
    assert_eq!(ada["active"], true);
    assert_eq!(ada["roles"], json!([{"value": "employee", "display": "employee"}]));
    assert_eq!(ada[ENTERPRISE]["division"], "Home");
    let ours = &ada[HEADCOUNT];
    assert_eq!(ours["licenseTier"], "CX1", "{}", ada.story());
    assert_eq!(ours["division"], "Home");
    assert_eq!(ours["accountState"], "pendingActivation");
    assert_eq!(ours["agent"], false);
    assert_eq!(ours["seatAssignedAt"], ada["meta"]["created"], "from the moment it is created");
    assert_eq!(admin.seats("CX1"), (1, None));
    let home = admin.named("/Divisions", "Home");
    assert_eq!(ours["divisionId"], home["id"]);

    let mut grace = user("grace");
    grace["active"] = json!(false);
    let grace = scim.post("/Users", &grace).expect(201);
    assert_eq!(grace[HEADCOUNT]["accountState"], "deactivated");
    assert_eq!(grace[HEADCOUNT].get("seatAssignedAt"), None, "{}", grace.story());
    assert_eq!(admin.seats("CX1"), (1, None), "who is not enabled has none");
}

fn r11_the_tier_is_what_the_request_says_or_the_policy(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &licensed("ada", "cx3d")).expect(201);
    assert_eq!(ada[HEADCOUNT]["licenseTier"], "CX3D", "in one spelling: {}", ada.story());
    admin.policy("provisioning.defaultLicenseTier", "CX2");
    let bob = scim.post("/Users", &user("bob")).expect(201);
    assert_eq!(bob[HEADCOUNT]["licenseTier"], "CX2");
    assert_eq!((admin.seats("CX3D").0, admin.seats("CX2").0, admin.seats("CX1").0), (1, 1, 0));
    // A PUT that does not name it keeps it, with and without the extension.
    let path = format!("/Users/{}", ada.id());
    scim.put(&path, &user("ada")).expect(200);
    let mut body = user("ada");
    body[HEADCOUNT] = json!({"site": "Berlin"});
    let kept = scim.put(&path, &body).expect(200);
    assert_eq!(kept[HEADCOUNT]["licenseTier"], "CX3D", "{}", kept.story());
    assert_eq!(admin.seats("CX3D").0, 1);
}

fn r12_whoever_leaves_gives_the_seat_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 2);
    let ada = create_user(&scim, &user("ada"));
    let bob = create_user(&scim, &user("bob"));
    assert_eq!(admin.seats("CX1"), (2, Some(0)));
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(left[HEADCOUNT].get("seatAssignedAt"), None, "{}", left.story());
    assert!(left[HEADCOUNT]["deactivatedAt"].is_string());
    assert_eq!(admin.seats("CX1"), (1, Some(1)));
    scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(admin.seats("CX1"), (1, Some(1)), "a seat is given back once");
    scim.delete(&ada).expect(204);
    assert_eq!(admin.seats("CX1"), (1, Some(1)), "who had none gives none back");
    scim.delete(&bob).expect(204);
    assert_eq!(admin.seats("CX1"), (0, Some(2)));
    create_user(&scim, &user("eve"));
    create_user(&scim, &user("joan"));
    assert_eq!(admin.seats("CX1"), (2, Some(0)));
}

fn r13_without_a_seat_nobody_is_created_or_comes_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 1);
    let ada = create_user(&scim, &user("ada"));
    no_seat(scim.post("/Users", &user("bob")));
    scim.filter("/Users", "userName eq \"bob\"").expect_empty_list();
    let gone = scim.patch(&ada, &active(false)).expect(200);
    // The name of whom there was no seat for is free.
    let bob = create_user(&scim, &user("bob"));
    no_seat(scim.patch(&ada, &active(true)));
    let mut body = user("ada");
    body["active"] = json!(true);
    no_seat(scim.put(&ada, &body));
    let still = scim.get(&ada).expect(200);
    assert_eq!((&still["active"], still.version()), (&json!(false), gone.version()));
    // Who is not to work yet needs none.
    let mut eve = user("eve");
    eve["active"] = json!(false);
    let eve = create_user(&scim, &eve);
    no_seat(scim.patch(&eve, &active(true)));
    scim.delete(&bob).expect(204);
    scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(admin.seats("CX1"), (1, Some(0)));
}

fn r13_of_fifty_that_want_the_last_seat_one_gets_it(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX2", 1);
    let create = |number: usize| scim.post("/Users", &licensed(&format!("user{number}"), "CX2"));
    let create = &create;
    let answers: Vec<Answer> = thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|number| scope.spawn(move || create(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    let (created, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((created.len(), refused.len()), (1, 49));
    refused.into_iter().for_each(no_seat);
    assert_eq!(admin.seats("CX2"), (1, Some(0)));
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 1);
}

fn r13_a_tenant_may_have_more_accounts_than_seats_if_it_wants(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 1);
    admin.policy("seats.overage", "allow");
    let users = ["ada", "bob", "eve"].map(|name| create_user(&scim, &user(name)));
    assert_eq!(admin.seats("CX1"), (3, Some(0)));
    admin.policy("seats.overage", "deny");
    no_seat(scim.post("/Users", &user("joan")));
    // What is given back is no free seat while there are more accounts than seats.
    for (path, expected) in users.iter().zip([(2, 0), (1, 0), (0, 1)]) {
        admin.policy("seats.overage", "allow");
        scim.delete(path).expect(204);
        admin.policy("seats.overage", "deny");
        assert_eq!(admin.seats("CX1"), (expected.0, Some(expected.1)));
    }
    create_user(&scim, &user("joan"));
    no_seat(scim.post("/Users", &user("mary")));
}

fn r13_above_its_seats_a_tenant_keeps_whom_it_has_and_takes_nobody(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX2", 2);
    admin.policy("seats.overage", "allow");
    let people = ["ada", "bob", "eve", "joan", "mary"];
    let people = people.map(|name| create_user(&scim, &licensed(name, "CX2")));
    let upgrading = create_user(&scim, &user("upgrading"));
    admin.policy("seats.overage", "deny");
    assert_eq!(admin.seats("CX2"), (5, Some(0)), "nobody loses theirs");
    scim.patch(&people[0], &replace("title", "Lead")).expect(200);
    let nobody_more = |used: u64| {
        no_seat(scim.post("/Users", &licensed("new", "CX2")));
        no_seat(scim.patch(&upgrading, &tier("CX2")));
        assert_eq!(admin.seats("CX2"), (used, Some(0)));
    };
    nobody_more(5);
    scim.patch(&people[0], &active(false)).expect(200);
    no_seat(scim.patch(&people[0], &active(true)));
    nobody_more(4);
    scim.delete(&people[1]).expect(204);
    nobody_more(3);
    scim.patch(&people[2], &tier("CX4")).expect(200);
    nobody_more(2);
    // From here on there are no more accounts than seats, and who leaves makes room.
    scim.patch(&people[3], &active(false)).expect(200);
    assert_eq!(admin.seats("CX2"), (1, Some(1)));
    scim.patch(&people[0], &active(true)).expect(200);
    nobody_more(2);
}

fn r13_of_many_that_leave_at_once_those_too_many_leave_no_seat(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX2", 3);
    admin.policy("seats.overage", "allow");
    let create = |number: usize| create_user(&scim, &licensed(&format!("user{number}"), "CX2"));
    let people: Vec<String> = (0..12).map(create).collect();
    admin.policy("seats.overage", "deny");
    let scim = &scim;
    thread::scope(|scope| {
        for path in &people[..10] {
            scope.spawn(move || scim.patch(path, &active(false)).expect(200));
        }
    });
    assert_eq!(admin.seats("CX2"), (2, Some(1)), "three in all");
}

fn r13_a_pool_is_not_made_smaller_than_what_is_used(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    create_user(&scim, &user("ada"));
    create_user(&scim, &user("bob"));
    let pool = admin.path_of("/LicenseTiers", "CX1");
    let total = |total: i64| admin.scim.patch(&pool, &replace("totalSeats", total));
    total(1).expect_code(409, "seatsInUse", Some("R13"));
    total(-1).expect_error(400, Some("invalidValue"));
    total(3).expect(200);
    assert_eq!(admin.seats("CX1"), (2, Some(1)));
    total(2).expect(200);
    assert_eq!(admin.seats("CX1"), (2, Some(0)));
    no_seat(scim.post("/Users", &user("eve")));
    total(4).expect(200);
    create_user(&scim, &user("eve"));
    let unlimited = json!([{"op": "remove", "path": "totalSeats"}]);
    admin.scim.patch(&pool, &unlimited).expect(200);
    assert_eq!(admin.seats("CX1"), (3, None));
    create_user(&scim, &user("joan"));
    create_user(&scim, &user("mary"));
    // The tiers are the service's; an ordinary connection does not buy seats.
    admin.scim.delete(&pool).expect_error(405, None);
    admin.scim.post("/LicenseTiers", &json!({"name": "CX5"})).expect_error(405, None);
    admin.scim.patch(&pool, &replace("name", "CX5")).expect_error(400, Some("mutability"));
    scim.patch(&pool, &replace("totalSeats", 9)).expect_code(403, "scopeMissing", None);
}

fn r15_an_upgrade_takes_the_new_seat_and_gives_the_old_one_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 1);
    admin.limit("CX2", 1);
    let ada = create_user(&scim, &user("ada"));
    let upgraded = scim.patch(&ada, &tier("CX2")).expect(200);
    assert_eq!(upgraded[HEADCOUNT]["licenseTier"], "CX2", "{}", upgraded.story());
    assert_eq!((admin.seats("CX1"), admin.seats("CX2")), ((0, Some(1)), (1, Some(0))));
    let bob = create_user(&scim, &user("bob"));
    no_seat(scim.patch(&bob, &tier("CX2")));
    assert_eq!(scim.get(&bob).expect(200)[HEADCOUNT]["licenseTier"], "CX1");
    assert_eq!((admin.seats("CX1"), admin.seats("CX2")), ((1, Some(0)), (1, Some(0))));
    let same = scim.patch(&ada, &tier("cx2")).expect(200);
    assert_eq!(same.version(), upgraded.version(), "the same tier is no change");
}

fn r15_a_downgrade_is_denied(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let bob = create_user(&scim, &licensed("bob", "CX3"));
    // The tiers are no ladder: CX2D has no voice, which CX1 has.
    for (path, wanted) in [(&ada, "CX2D"), (&ada, "CX3D"), (&bob, "CX2"), (&bob, "CX3D")] {
        let before = scim.get(path).expect(200);
        let refused = scim.patch(path, &tier(wanted));
        refused.expect_code(403, "downgradeRequiresApproval", Some("R15"));
        assert_eq!(scim.get(path).expect(200).body, before.body);
    }
    // Without a tier there is the default one, which is less than CX3.
    let remove = json!([{"op": "remove", "path": format!("{HEADCOUNT}:licenseTier")}]);
    let refused = scim.patch(&bob, &remove);
    refused.expect_code(403, "downgradeRequiresApproval", Some("R15"));
    assert_eq!((admin.seats("CX1").0, admin.seats("CX3").0), (1, 1));
    scim.patch(&bob, &tier("CX4")).expect(200);
}

fn r15_a_downgrade_is_queued_where_the_policy_says_so(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.policy("license.downgrade", "queue");
    let ada = create_user(&scim, &user("ada"));
    let queued = scim.patch(&ada, &tier("CX2D")).expect(200);
    assert_eq!(queued[HEADCOUNT]["licenseTier"], "CX1", "{}", queued.story());
    assert_eq!(queued[HEADCOUNT]["pendingLicenseTier"], "CX2D");
    assert_eq!((admin.seats("CX1").0, admin.seats("CX2D").0), (1, 0));
    let again = scim.patch(&ada, &tier("CX2D")).expect(200);
    assert_eq!(again.version(), queued.version(), "it is queued already");
    let pending = format!("{HEADCOUNT}:pendingLicenseTier");
    scim.filter("/Users", &format!("{pending} eq \"cx2d\"")).expect_user_names(&["ada"]);
    scim.patch(&ada, &replace(&pending, "CX4")).expect_error(400, Some("mutability"));
    let upgraded = scim.patch(&ada, &tier("CX2")).expect(200);
    assert_eq!(upgraded[HEADCOUNT].get("pendingLicenseTier"), None, "{}", upgraded.story());
    scim.filter("/Users", &format!("{pending} pr")).expect_empty_list();
}

fn r15_a_downgrade_is_done_where_the_policy_says_so(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.policy("license.downgrade", "allow");
    admin.limit("CX1", 1);
    let ada = create_user(&scim, &licensed("ada", "CX4"));
    let bob = create_user(&scim, &licensed("bob", "CX4"));
    let down = scim.patch(&ada, &tier("CX1")).expect(200);
    assert_eq!(down[HEADCOUNT]["licenseTier"], "CX1", "{}", down.story());
    assert_eq!(down[HEADCOUNT].get("pendingLicenseTier"), None);
    assert_eq!((admin.seats("CX1"), admin.seats("CX4").0), ((1, Some(0)), 1));
    no_seat(scim.patch(&bob, &tier("CX1")));
}

fn r15_who_has_no_seat_changes_tiers_without_one(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.limit("CX2", 0);
    let ada = create_user(&scim, &user("ada"));
    scim.patch(&ada, &active(false)).expect(200);
    scim.patch(&ada, &tier("CX2")).expect(200);
    assert_eq!((admin.seats("CX1").0, admin.seats("CX2")), (0, (0, Some(0))));
    no_seat(scim.patch(&ada, &active(true)));
    admin.limit("CX2", 1);
    let back = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(back[HEADCOUNT]["licenseTier"], "CX2", "{}", back.story());
    assert_eq!((admin.seats("CX1").0, admin.seats("CX2")), (0, (1, Some(0))));
}

fn r18_a_tier_that_there_is_not_is_refused_with_those_that_there_are(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    for refused in [
        scim.post("/Users", &licensed("bob", "CX9")),
        scim.patch(&ada, &tier("CX9")),
        scim.put(&ada, &licensed("ada", "CX9")),
    ] {
        let refused = refused.expect_error(400, Some("invalidValue"));
        let detail = refused["detail"].as_str().expect("it explains itself");
        for known in ["CX1", "CX2D", "CX2", "CX3D", "CX3", "CX4", "licenseTier"] {
            assert!(detail.contains(known), "{known}: {detail}");
        }
    }
    scim.get("/Users").expect_user_names(&["ada"]);
    assert_eq!(admin.seats("CX1"), (1, None));
}
