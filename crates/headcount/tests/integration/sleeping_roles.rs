//! Roles of people who are away: they sleep, and end if their holder stays away (domain model 4.4).

use accounts::{Context, Grant, Tx, parse_id, timers, user_templates};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_4_4_what_is_over_is_not_read_and_not_found,
    domain_4_4_what_is_over_does_not_come_back_by_sending_what_was_read,
    domain_4_4_what_is_over_holds_no_role_and_no_division,
    domain_4_4_what_is_over_can_be_given_anew,
    domain_4_4_roles_given_to_who_is_away_sleep_and_end_like_the_others,
    domain_4_4_what_sleeps_is_not_renewed_by_sending_it_again,
    domain_4_4_privileged_roles_are_not_given_to_who_is_away,
    domain_4_4_without_days_nothing_is_given_to_who_is_away,
    domain_4_4_roles_of_who_was_not_here_yet_wait_without_end,
    domain_4_4_skills_given_to_who_is_away_stay,
);

fn with_roles(name: &str, roles: &[&str]) -> Value {
    json!({"schemas": [USER], "userName": name, "roles": members_of(roles)})
}

fn active(is: bool) -> Value {
    replace("active", is)
}

/// The roles of `roleGrants`, with an asterisk if they count now.
fn grants(user: &Answer) -> Vec<String> {
    let grants = user[HEADCOUNT]["roleGrants"].as_array().map_or(&[][..], Vec::as_slice);
    let live = |grant: &Value| if grant["effective"] == true { "*" } else { "" };
    let text = |grant: &Value| format!("{}{}", grant["role"].as_str().unwrap(), live(grant));
    let mut all: Vec<String> = grants.iter().map(text).collect();
    all.sort();
    all
}

/// How many accounts lose what slept too long, if so many days are over.
fn purged_after(server: &Server, days: i64) -> usize {
    let ticked = by_rule(server, move |tx, context| {
        let mut context = context.clone();
        context.now = context.now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        timers::tick(tx, &context)
    });
    ticked.unwrap().purged
}

/// What is kept of the grants of an account.
fn kept(server: &Server, path: &str) -> Vec<Grant> {
    let id = path.rsplit('/').next().and_then(parse_id).unwrap();
    by_rule(server, move |tx, context| Ok(tx.grants_of(context.caller.tenant, &[id])?)).unwrap()
}

/// An account whose person left, with the roles `agent` and `Helper`, this one in Berlin, of which
/// the time of the second is over. No timer has come yet.
fn left_long_ago(server: &Server, scim: &Client, admin: &Administrator) -> (String, [String; 2]) {
    let berlin = admin.create("/Divisions", "Berlin");
    let policy = json!([{"domain": "directory", "entityName": "user", "actionSet": "view"}]);
    let helper = admin.create_as("/Roles", &json!({"name": "Helper", "policies": policy}));
    let ada = create_user(scim, &with_roles("ada", &["agent", "Helper@Berlin"]));
    scim.patch(&ada, &active(false)).expect(200);
    let role = helper.rsplit('/').next().and_then(parse_id).unwrap();
    let mut over = kept(server, &ada);
    over.retain(|grant| grant.role == role);
    assert_eq!(over.len(), 1, "{over:?}");
    by_rule(server, move |tx, context| {
        let mut over = over.clone();
        over[0].purge_at = Some(context.now);
        Ok(tx.put_grants(context.caller.tenant, &over, false)?)
    })
    .unwrap();
    (ada, [helper, berlin])
}

fn domain_4_4_what_is_over_is_not_read_and_not_found(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (ada, _) = left_long_ago(&server, &scim, &admin);
    let read = scim.get(&ada).expect(200);
    assert_eq!(grants(&read), ["agent", "employee"], "{}", read.story());
    assert_eq!(strings(&read["roles"], "value").len(), 2, "{}", read.story());
    let listed = scim.filter("/Users", "userName eq \"ada\"").expect(200);
    assert_eq!(strings(&listed["Resources"][0]["roles"], "value").len(), 2);
    let grants_of = format!("{HEADCOUNT}:roleGrants");
    for none in [
        "roles eq \"Helper\"",
        "roles[value eq \"helper\"]",
        "roles.display sw \"help\"",
        &format!("{grants_of}.division eq \"Berlin\""),
        &format!("{grants_of}[role eq \"Helper\" and effective eq false]"),
    ] {
        scim.filter("/Users", none).expect_empty_list();
    }
    for some in ["roles eq \"agent\"", "not (roles eq \"Helper\")"] {
        scim.filter("/Users", some).expect_user_names(&["ada"]);
    }
    let question = json!({"permission": "directory:user:view"});
    let explained = admin.act(&format!("{ada}/explain-access"), &question).expect(200);
    assert!(!explained.text.contains("Helper"), "{}", explained.story());
    let id = ada.rsplit('/').next().and_then(parse_id).unwrap();
    let like = move |tx: &mut dyn Tx, context: &Context| {
        user_templates::from_account(tx, context, id, "Like Ada")
    };
    let template = by_rule(&server, like).unwrap();
    assert_eq!(strings(&template.attributes["roleGrants"], "role"), ["agent"]);
}

fn domain_4_4_what_is_over_does_not_come_back_by_sending_what_was_read(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (ada, _) = left_long_ago(&server, &scim, &admin);
    let mut read = scim.get(&ada).expect(200);
    let put = scim.put(&ada, &read.body).expect(200);
    assert_eq!(put.version(), read.version(), "{}", put.story());
    read.body["active"] = json!(true);
    let back = scim.put(&ada, &read.body).expect(200);
    assert_eq!(grants(&back), ["agent*", "employee*"], "{}", back.story());
    assert_eq!(purged_after(&server, 0), 1);
    server.command(&["verify-log"]).succeeded();
}

fn domain_4_4_what_is_over_holds_no_role_and_no_division(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (ada, [helper, berlin]) = left_long_ago(&server, &scim, &admin);
    let counted = admin.scim.get(&format!("{berlin}?attributes=objectCounts")).expect(200);
    assert_eq!(counted["objectCounts"], json!({"users": 0, "grants": 0}));
    admin.scim.delete(&helper).expect(204);
    admin.scim.delete(&berlin).expect(204);
    assert_eq!(grants(&scim.get(&ada).expect(200)), ["agent", "employee"]);
    assert_eq!(purged_after(&server, 0), 1);
    server.command(&["verify-log"]).succeeded();
}

fn domain_4_4_what_is_over_can_be_given_anew(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let (ada, _) = left_long_ago(&server, &scim, &admin);
    let come = json!([{"op": "replace", "value":
        {"active": true, "roles": members_of(&["Helper@Berlin"])}}]);
    let back = admin.scim.patch(&ada, &come).expect(200);
    assert_eq!(grants(&back), ["Helper*", "employee*"], "{}", back.story());
    let anew = kept(&server, &ada);
    let since = back[HEADCOUNT]["seatAssignedAt"].as_str().unwrap();
    assert_eq!(anew[0].granted.to_string(), since, "it is no old one: {anew:?}");
    assert_eq!(purged_after(&server, 400), 0);
}

fn domain_4_4_roles_given_to_who_is_away_sleep_and_end_like_the_others(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let [ada, bob] = ["ada", "bob"].map(|name| create_user(&scim, &with_roles(name, &["agent"])));
    scim.patch(&ada, &active(false)).expect(200);
    scim.patch(&bob, &active(false)).expect(200);
    let given = scim.patch(&ada, &replace("roles", members_of(&["supervisor"]))).expect(200);
    assert_eq!(grants(&given), ["employee", "supervisor"], "{}", given.story());
    let mut put = user("bob");
    put[HEADCOUNT] = json!({"roleGrants": [{"role": "read-only", "division": "*"}]});
    let given = scim.put(&bob, &put).expect(200);
    assert_eq!(grants(&given), ["employee", "read-only"], "{}", given.story());
    assert_eq!(given[HEADCOUNT]["blockedPermissionCount"], 0, "{}", given.story());
    let role = admin.path_of("/Roles", "supervisor");
    let role = admin.scim.get(&format!("{role}?attributes=userCount")).expect(200);
    assert_eq!(role["userCount"], 0, "nobody has what sleeps: {}", role.story());
    assert_eq!(purged_after(&server, 29), 0);
    assert_eq!(purged_after(&server, 31), 2);
    for path in [&ada, &bob] {
        let back = scim.patch(path, &active(true)).expect(200);
        assert_eq!(grants(&back), ["employee*"], "{}", back.story());
    }
    server.command(&["verify-log"]).succeeded();
}

fn domain_4_4_what_sleeps_is_not_renewed_by_sending_it_again(database: Database) {
    let (server, scim, _) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    scim.patch(&ada, &active(false)).expect(200);
    let before = kept(&server, &ada);
    assert!(before[0].dormant && before[0].purge_at.is_some());
    let both = replace("roles", members_of(&["agent", "read-only"]));
    let given = scim.patch(&ada, &both).expect(200);
    let again = scim.patch(&ada, &both).expect(200);
    assert_eq!(again.version(), given.version());
    let after = kept(&server, &ada);
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[0]), "{after:?}");
    assert!(after.iter().all(|grant| grant.dormant && grant.purge_at >= before[0].purge_at));
    let back = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(grants(&back), ["agent*", "employee*", "read-only*"], "{}", back.story());
}

fn domain_4_4_privileged_roles_are_not_given_to_who_is_away(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    scim.patch(&ada, &active(false)).expect(200);
    let both = replace("roles", members_of(&["agent", "admin"]));
    let given = admin.scim.patch(&ada, &both).expect(200);
    assert_eq!(grants(&given), ["agent", "employee"], "{}", given.story());
    // Whoever brings somebody back may say it.
    let come =
        json!([{"op": "replace", "value": {"active": true, "roles": members_of(&["admin"])}}]);
    let back = admin.scim.patch(&ada, &come).expect(200);
    assert_eq!(grants(&back), ["admin*", "employee*"], "{}", back.story());
}

fn domain_4_4_without_days_nothing_is_given_to_who_is_away(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.policy("rehire.restoreGrantsDays", 0);
    let ada = create_user(&scim, &user("ada"));
    scim.patch(&ada, &active(false)).expect(200);
    let given = scim.patch(&ada, &replace("roles", members_of(&["agent"]))).expect(200);
    assert_eq!(grants(&given), ["employee"], "{}", given.story());
    assert_eq!(kept(&server, &ada), []);
}

fn domain_4_4_roles_of_who_was_not_here_yet_wait_without_end(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let mut body = with_roles("ada", &["agent"]);
    body["active"] = json!(false);
    let ada = create_user(&scim, &body);
    let both = replace("roles", members_of(&["agent", "admin"]));
    let given = admin.scim.patch(&ada, &both).expect(200);
    assert_eq!(grants(&given), ["admin", "agent", "employee"], "{}", given.story());
    assert!(kept(&server, &ada).iter().all(|grant| grant.dormant), "2.5");
    assert_eq!(purged_after(&server, 400), 0);
    let here = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(grants(&here), ["admin*", "agent*", "employee*"], "{}", here.story());
    assert!(kept(&server, &ada).iter().all(|grant| !grant.dormant));
    // Who was here is away like anybody else.
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(grants(&left), ["agent", "employee"], "{}", left.story());
    assert_eq!(purged_after(&server, 31), 1);
}

fn domain_4_4_skills_given_to_who_is_away_stay(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.create("/Skills", "Sales");
    let ada = create_user(&scim, &user("ada"));
    scim.patch(&ada, &active(false)).expect(200);
    let skills = replace(&format!("{HEADCOUNT}:skillSet"), "Sales=4");
    scim.patch(&ada, &skills).expect(200);
    assert_eq!(purged_after(&server, 400), 0);
    let back = scim.patch(&ada, &active(true)).expect(200);
    let skill = &back[HEADCOUNT]["skills"][0];
    assert_eq!((&skill["value"], &skill["active"]), (&json!("Sales"), &json!(true)));
}
