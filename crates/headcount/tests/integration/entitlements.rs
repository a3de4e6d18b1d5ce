//! What an account has besides who it is: its division, its number, its business units, and the
//! names of other resources that are only ever looked up.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r20_r21_an_account_is_in_one_division_home_if_none_is_given,
    r20_new_accounts_go_where_the_policy_says,
    r22_a_name_that_there_is_not_is_refused_and_nothing_is_made,
    r76_only_a_capacity_rule_that_is_fit_is_assigned,
    domain_2_2_an_agent_stays_one_while_it_has_skills,
    domain_7_4_business_units_and_site_are_kept_as_they_are_sent,
    domain_7_7_put_of_what_was_read_changes_nothing,
    domain_7_7_put_without_the_extension_keeps_what_was_given,
    domain_7_7_what_is_read_only_is_ignored_in_put_and_refused_in_patch,
);

fn ours(name: &str) -> String {
    format!("{HEADCOUNT}:{name}")
}

/// A user with these attributes of the extension.
fn with_ours(name: &str, ours: Value) -> Value {
    let mut body = json!({"schemas": [USER, HEADCOUNT], "userName": name});
    body[HEADCOUNT] = ours;
    body
}

#[track_caller]
fn expect_division(answer: Answer, name: &str) -> Answer {
    let answer = answer.expect(200);
    assert_eq!(answer[HEADCOUNT]["division"], name, "{}", answer.story());
    assert_eq!(answer[ENTERPRISE]["division"], name, "{}", answer.story());
    answer
}

fn r20_r21_an_account_is_in_one_division_home_if_none_is_given(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let berlin = admin.create("/Divisions", "Berlin");
    admin.create("/Divisions", "Paris");
    let ada = create_user(&scim, &user("ada"));
    expect_division(scim.get(&ada), "Home");
    // By either attribute, by name without case or by identifier; it is shown by its own name.
    let enterprise = format!("{ENTERPRISE}:division");
    let moved = expect_division(scim.patch(&ada, &replace(&enterprise, "BERLIN")), "Berlin");
    assert_eq!(format!("/Divisions/{}", moved[HEADCOUNT]["divisionId"].as_str().unwrap()), berlin);
    expect_division(scim.patch(&ada, &replace(&ours("division"), "paris")), "Paris");
    let id = berlin.trim_start_matches("/Divisions/");
    let by_id = expect_division(scim.patch(&ada, &replace(&ours("division"), id)), "Berlin");
    for same in ["Berlin", "berlin"] {
        let again = scim.patch(&ada, &replace(&enterprise, same)).expect(200);
        assert_eq!(again.version(), by_id.version(), "no change: {}", again.story());
    }
    for filter in
        [format!("{enterprise} eq \"berlin\""), format!("{} sw \"BER\"", ours("division"))]
    {
        scim.filter("/Users", &filter).expect_user_names(&["ada"]);
    }
    scim.filter("/Users", &format!("{} eq \"{id}\"", ours("divisionId")))
        .expect_user_names(&["ada"]);
    // The same division has another name.
    admin.scim.patch(&berlin, &replace("name", "Bonn")).expect(200);
    expect_division(scim.get(&ada), "Bonn");
    scim.filter("/Users", &format!("{enterprise} eq \"bonn\"")).expect_user_names(&["ada"]);
    let cleared = json!([{"op": "remove", "path": enterprise}]);
    expect_division(scim.patch(&ada, &cleared), "Home");
    // Two that differ are no division.
    let mut bob = with_ours("bob", json!({"division": "Paris"}));
    bob[ENTERPRISE] = json!({"division": "Bonn"});
    scim.post("/Users", &bob).expect_error(400, Some("invalidValue"));
    bob[ENTERPRISE] = json!({"division": "Paris"});
    expect_division(scim.get(&create_user(&scim, &bob)), "Paris");
}

fn r20_new_accounts_go_where_the_policy_says(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    let ada = create_user(&scim, &user("ada"));
    admin.policy("provisioning.defaultDivision", "berlin");
    let bob = create_user(&scim, &user("bob"));
    expect_division(scim.get(&bob), "Berlin");
    expect_division(scim.get(&ada), "Home");
    let eve = create_user(&scim, &with_ours("eve", json!({"division": "home"})));
    expect_division(scim.get(&eve), "Home");
    // Who is sent away from a division goes home (domain 7.3).
    let cleared = json!([{"op": "remove", "path": ours("division")}]);
    expect_division(scim.patch(&bob, &cleared), "Home");
}

fn r22_a_name_that_there_is_not_is_refused_and_nothing_is_made(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create_as("/Skills", &json!({"name": "Thai", "kind": "language"}));
    let bob = create_user(&scim, &user("bob"));
    let before = scim.get(&bob).expect(200);
    for (code, attribute, body) in [
        ("unknownRole", "roles", json!({"roles": [{"value": "wizard"}]})),
        ("unknownRole", "roles", json!({"roles": [{"value": "agent"}, {"value": NOBODY}]})),
        ("unknownDivision", "roles", json!({"roles": [{"value": "agent@Atlantis"}]})),
        ("unknownRole", "roleGrants", json!({HEADCOUNT: {"roleGrants": [{"role": "wizard"}]}})),
        (
            "unknownDivision",
            "roleGrants",
            json!({HEADCOUNT: {"roleGrants": [{"role": "agent", "division": "Atlantis"}]}}),
        ),
        ("unknownDivision", "division", json!({ENTERPRISE: {"division": "Atlantis"}})),
        ("unknownDivision", "division", json!({HEADCOUNT: {"division": "Atlantis"}})),
        ("unknownSkill", "skills", json!({HEADCOUNT: {"skills": [{"value": "Juggling"}]}})),
        ("unknownSkill", "skills", json!({HEADCOUNT: {"skillSet": "Juggling=3"}})),
        // There is a language of that name, and no skill.
        ("unknownSkill", "skills", json!({HEADCOUNT: {"skillSet": "Thai=3"}})),
        ("unknownCapacityRule", "capacityRule", json!({HEADCOUNT: {"capacityRule": "Two calls"}})),
        ("unknownTemplate", "template", json!({HEADCOUNT: {"template": "Newcomer"}})),
    ] {
        let mut ada = user("ada");
        ada.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let mut refused = vec![scim.post("/Users", &ada)];
        if code != "unknownTemplate" {
            let operations = json!([{"op": "replace", "value": body}]);
            refused.push(scim.patch(&bob, &operations));
            ada["userName"] = json!("bob");
            refused.push(scim.put(&bob, &ada));
        }
        for refused in refused {
            let refused = refused.expect_code(400, code, Some("R22"));
            assert_eq!(refused["scimType"], "invalidValue");
            let detail = refused["detail"].as_str().unwrap();
            assert!(detail.contains(attribute), "{attribute}: {detail}");
        }
    }
    scim.get("/Users").expect_user_names(&["bob"]);
    assert_eq!(scim.get(&bob).expect(200).body, before.body);
    assert_eq!(admin.seats("CX1").0, 1);
    for (endpoint, total) in
        [("/Roles", 7), ("/Divisions", 1), ("/Skills", 1), ("/CapacityRules", 0)]
    {
        assert_eq!(scim.get(endpoint).expect(200)["totalResults"], total, "{endpoint}");
    }
}

fn r76_only_a_capacity_rule_that_is_fit_is_assigned(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let voice = |most: i64| json!([{"media": "voice", "maxCapacity": most}]);
    let rule = admin.create_as("/CapacityRules", &json!({"name": "Calls", "mediaRules": voice(2)}));
    admin.create_as("/CapacityRules", &json!({"name": "Wrong", "mediaRules": voice(26)}));
    let ada = create_user(&scim, &user("ada"));
    let assign = |name: &str| scim.patch(&ada, &replace(&ours("capacityRule"), name));
    assign("wrong").expect_code(400, "capacityRuleInvalid", Some("R76"));
    let assigned = assign("CALLS").expect(200);
    assert_eq!(assigned[HEADCOUNT]["capacityRule"], "Calls", "{}", assigned.story());
    scim.filter("/Users", &format!("{} eq \"calls\"", ours("capacityRule")))
        .expect_user_names(&["ada"]);
    admin.scim.delete(&rule).expect_code(409, "capacityRuleInUse", Some("R76"));
    // A disabled rule stays where it is and can be given: another one counts as long as it is
    // disabled (domain 6.4).
    admin.scim.patch(&rule, &replace("state", "disabled")).expect(200);
    assert_eq!(scim.get(&ada).expect(200)[HEADCOUNT]["capacityRule"], "Calls");
    let bob = with_ours("bob", json!({"capacityRule": "Calls"}));
    let bob = create_user(&scim, &bob);
    assert_eq!(scim.get(&bob).expect(200)[HEADCOUNT]["capacityRule"], "Calls");
    let cleared = json!([{"op": "remove", "path": ours("capacityRule")}]);
    let cleared = scim.patch(&ada, &cleared).expect(200);
    assert_eq!(cleared[HEADCOUNT].get("capacityRule"), None, "{}", cleared.story());
    admin.scim.delete(&rule).expect_code(409, "capacityRuleInUse", Some("R76"));
    scim.delete(&bob).expect(204);
    admin.scim.delete(&rule).expect(204);
}

fn domain_2_2_an_agent_stays_one_while_it_has_skills(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Skills", "Billing");
    let ada = create_user(&scim, &user("ada"));
    let agent = |is: bool| scim.patch(&ada, &replace(&ours("agent"), is));
    assert_eq!(agent(true).expect(200)[HEADCOUNT]["agent"], true);
    scim.filter("/Users", &format!("{} eq true", ours("agent"))).expect_user_names(&["ada"]);
    scim.patch(&ada, &replace(&ours("skillSet"), "Billing=4")).expect(200);
    agent(false).expect_code(400, "stillAgent", None);
    let none = json!([{"op": "remove", "path": ours("skills")}, {"op": "replace",
        "path": ours("agent"), "value": false}]);
    let changed = scim.patch(&ada, &none).expect(200);
    assert_eq!(changed[HEADCOUNT]["agent"], false, "{}", changed.story());
}

fn domain_7_4_business_units_and_site_are_kept_as_they_are_sent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let body = with_ours("ada", json!({"businessUnits": ["North", "South"], "site": "Berlin"}));
    let ada = create_user(&scim, &body);
    create_user(&scim, &user("bob"));
    let read = scim.get(&ada).expect(200);
    assert_eq!(read[HEADCOUNT]["businessUnits"], json!(["North", "South"]), "{}", read.story());
    assert_eq!(read[HEADCOUNT]["site"], "Berlin");
    for filter in [
        format!("{} eq \"south\"", ours("businessUnits")),
        format!("{} eq \"berlin\"", ours("site")),
    ] {
        scim.filter("/Users", &filter).expect_user_names(&["ada"]);
    }
    let joined = scim.patch(&ada, &replace(&ours("businessUnits"), "East; West")).expect(200);
    assert_eq!(joined[HEADCOUNT]["businessUnits"], json!(["East", "West"]), "{}", joined.story());
    let cleared = json!([{"op": "remove", "path": ours("businessUnits")}]);
    let cleared = scim.patch(&ada, &cleared).expect(200);
    assert_eq!(cleared[HEADCOUNT].get("businessUnits"), None, "{}", cleared.story());
}

/// An account that was given one of everything, and its administrator.
fn furnished(database: Database) -> (Server, Client, Administrator, String) {
    let (server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    admin.create("/Skills", "Billing");
    admin.create_as("/Skills", &json!({"name": "Thai", "kind": "language"}));
    let voice = json!([{"media": "voice", "maxCapacity": 1}]);
    admin.create_as("/CapacityRules", &json!({"name": "Calls", "mediaRules": voice}));
    let mut ada = person("Ada", "Lovelace", "ada@example.com");
    ada["roles"] = json!([{"value": "supervisor@*"}, {"value": "agent"}]);
    ada[HEADCOUNT] = json!({
        "licenseTier": "CX3", "division": "Berlin", "agent": true, "capacityRule": "Calls",
        "skills": [{"value": "thai", "proficiency": 4.5}, {"value": "Billing", "proficiency": 2}],
        "site": "Berlin", "businessUnits": ["North"],
    });
    let ada = create_user(&scim, &ada);
    (server, scim, admin, ada)
}

fn domain_7_7_put_of_what_was_read_changes_nothing(database: Database) {
    let (_server, scim, admin, ada) = furnished(database);
    let read = scim.get(&ada).expect(200);
    assert_eq!(read[HEADCOUNT]["skillSet"], "Billing=2;Thai[language]=4.5", "{}", read.story());
    assert_eq!(read[HEADCOUNT]["skills"].as_array().map(Vec::len), Some(2));
    assert_eq!(read[HEADCOUNT]["roleGrants"].as_array().map(Vec::len), Some(3));
    assert_eq!(scim.put(&ada, &read.body).expect(200).body, read.body);
    // An administrator's connection has another externalId, and nothing else is different.
    assert_eq!(admin.scim.put(&ada, &read.body).expect(200).body, read.body);
    let mut requested = scim.query(&ada, &[("attributes", "userName,roles")]).expect(200).body;
    requested["name"] = read["name"].clone();
    requested["title"] = json!("Lead");
    let led = scim.put(&ada, &requested).expect(200);
    assert_eq!(led["roles"], read["roles"], "{}", led.story());
    assert_eq!(led[HEADCOUNT]["roleGrants"], read[HEADCOUNT]["roleGrants"]);
    assert_eq!(led.version(), "W/\"2\"");
}

/// What stays unless a PUT names it.
const GIVEN: [&str; 7] =
    ["licenseTier", "division", "roleGrants", "skills", "skillSet", "capacityRule", "agent"];

fn domain_7_7_put_without_the_extension_keeps_what_was_given(database: Database) {
    let (_server, scim, admin, ada) = furnished(database);
    let before = scim.get(&ada).expect(200);
    let put = scim.put(&ada, &user("ada@example.com")).expect(200);
    assert_eq!(put.body.get("title"), None, "what is of the person is cleared: {}", put.story());
    assert_eq!(put["roles"], before["roles"], "{}", put.story());
    for kept in GIVEN {
        assert_eq!(put[HEADCOUNT][kept], before[HEADCOUNT][kept], "{kept}: {}", put.story());
    }
    assert_eq!(put[ENTERPRISE], json!({"division": "Berlin"}), "{}", put.story());
    // With the extension, what is of the person is cleared, and what was given stays.
    let body = with_ours("ada@example.com", json!({"site": "Bonn"}));
    let put = scim.put(&ada, &body).expect(200);
    assert_eq!(put[HEADCOUNT].get("businessUnits"), None, "{}", put.story());
    assert_eq!(put[HEADCOUNT]["site"], "Bonn");
    for kept in GIVEN {
        assert_eq!(put[HEADCOUNT][kept], before[HEADCOUNT][kept], "{kept}: {}", put.story());
    }
    // What is named as nothing is taken away.
    let body = with_ours("ada@example.com", json!({"skills": [], "capacityRule": null}));
    let put = scim.put(&ada, &body).expect(200);
    for gone in ["skills", "skillSet", "capacityRule"] {
        assert_eq!(put[HEADCOUNT].get(gone), None, "{gone}: {}", put.story());
    }
    assert_eq!(admin.seats("CX3").0, 1);
}

fn domain_7_7_what_is_read_only_is_ignored_in_put_and_refused_in_patch(database: Database) {
    let (_server, scim, _, ada) = furnished(database);
    let before = scim.get(&ada).expect(200);
    for (name, value) in [
        ("divisionId", json!(NOBODY)),
        ("accountState", json!("active")),
        ("activatedAt", json!("2020-01-01T00:00:00Z")),
        ("lastLogin", json!("2020-01-01T00:00:00Z")),
        ("seatAssignedAt", json!("2020-01-01T00:00:00Z")),
        ("pendingLicenseTier", json!("CX4")),
        ("blockedPermissionCount", json!(0)),
    ] {
        let refused = scim.patch(&ada, &replace(&ours(name), value.clone()));
        refused.expect_error(400, Some("mutability"));
        let mut body = before.body.clone();
        body[HEADCOUNT][name] = value;
        assert_eq!(scim.put(&ada, &body).expect(200).body, before.body, "{name}");
    }
}
