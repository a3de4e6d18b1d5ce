//! The roles of accounts: who may give which, where they count, and what of them is blocked.

use accounts::authorization::DivisionScope;
use accounts::{Grant, parse_id};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r14_what_the_tier_does_not_allow_is_counted,
    r22_r28_roles_are_named_by_name_or_identifier_with_or_without_a_division,
    r27_everybody_is_an_employee_whatever_is_sent,
    r28_where_a_role_counts_of_which_nobody_said_it,
    r29_roles_of_groups_are_not_those_of_the_account,
    r30_r42_a_connection_grants_what_it_may,
    r31_a_disabled_role_grants_nothing_and_is_granted_to_nobody,
    domain_7_5_roles_and_role_grants_say_the_same,
    domain_7_5_of_a_role_its_value_is_kept_and_whether_it_is_primary,
    q5_domain_7_5_the_primary_role_is_replaced,
    domain_7_8_people_are_found_by_their_roles,
);

fn ours(name: &str) -> String {
    format!("{HEADCOUNT}:{name}")
}

fn with_roles(name: &str, roles: &[&str]) -> Value {
    json!({"schemas": [USER], "userName": name, "roles": members_of(roles)})
}

fn set_roles(roles: &[&str]) -> Value {
    replace("roles", members_of(roles))
}

/// `role@division source`, without the role that everybody has; an asterisk behind it if it does
/// not count now.
#[track_caller]
fn grants(user: &Answer) -> Vec<String> {
    let grants = user[HEADCOUNT]["roleGrants"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |grant: &Value| {
        let [role, division, source] =
            ["role", "division", "source"].map(|member| grant[member].as_str().unwrap());
        let asleep = if grant["effective"] == true { "" } else { " asleep" };
        format!("{role}@{division} {source}{asleep}")
    };
    let of_employee = |grant: &&Value| grant["role"] != "employee";
    let mut all: Vec<String> = grants.iter().filter(of_employee).map(text).collect();
    all.sort();
    all
}

fn blocked(user: &Answer) -> u64 {
    user[HEADCOUNT]["blockedPermissionCount"].as_u64().expect("it is a number")
}

fn r14_what_the_tier_does_not_allow_is_counted(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let ada = create_user(&scim, &user("ada"));
    assert_eq!(blocked(&scim.get(&ada).expect(200)), 0);
    let led = scim.patch(&ada, &set_roles(&["supervisor"])).expect(200);
    assert_eq!(grants(&led), ["supervisor@Home scim"], "it is given all the same");
    assert!(blocked(&led) > 0, "{}", led.story());
    let count = ours("blockedPermissionCount");
    scim.filter("/Users", &format!("{count} gt 0")).expect_user_names(&["ada"]);
    activate(&server, &ada);
    let permissions = |name: &str| {
        let read = scim.get(&format!("{ada}?attributes={}", ours(name))).expect(200);
        read[HEADCOUNT][name].as_array().cloned().unwrap_or_default()
    };
    let listed = permissions("blockedPermissions");
    assert_eq!(listed.len() as u64, blocked(&led), "{listed:?}");
    let view = json!("analytics:userObservation:view@Home");
    assert!(listed.contains(&view), "{listed:?}");
    assert!(!permissions("effectivePermissions").contains(&view));
    let upgraded = scim.patch(&ada, &replace(&ours("licenseTier"), "CX2")).expect(200);
    assert_eq!(blocked(&upgraded), 0, "{}", upgraded.story());
    scim.filter("/Users", &format!("{count} gt 0")).expect_empty_list();
    assert!(permissions("blockedPermissions").is_empty());
    assert!(permissions("effectivePermissions").contains(&view));
}

fn r22_r28_roles_are_named_by_name_or_identifier_with_or_without_a_division(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    admin.create("/Divisions", "a@b");
    admin.create("/Roles", "Team@Home");
    let agent = admin.named("/Roles", "agent")["id"].as_str().unwrap().to_owned();
    let ada = create_user(&scim, &with_roles("ada", &["AGENT"]));
    let scoped = format!("{agent}@berlin");
    for (texts, expected) in [
        (&["agent"][..], &["agent@Home scim"][..]),
        (&["Agent@BERLIN"], &["agent@Berlin scim"]),
        (&["agent@*"], &["agent@* scim"]),
        (&[&agent], &["agent@* scim"]),
        (&[&scoped], &["agent@Berlin scim"]),
        (&["agent@*", "agent@Berlin"], &["agent@* scim", "agent@Berlin scim"]),
        // Names may have the sign themselves.
        (&["team@home"], &["Team@Home@Home scim"]),
        (&["team@home@a@b"], &["Team@Home@a@b scim"]),
    ] {
        let changed = scim.patch(&ada, &set_roles(texts)).expect(200);
        assert_eq!(grants(&changed), expected, "{texts:?}: {}", changed.story());
    }
    // A role is shown once, wherever it counts.
    let both = scim.patch(&ada, &set_roles(&["agent@*", "agent@Berlin"])).expect(200);
    assert_eq!(strings(&both["roles"], "value"), ["employee", "agent"]);
    // Sent back as it was read, it changes nothing.
    let again = scim.patch(&ada, &replace("roles", both["roles"].clone())).expect(200);
    assert_eq!(again.version(), both.version(), "{}", again.story());
}

fn domain_7_5_of_a_role_its_value_is_kept_and_whether_it_is_primary(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let sent = json!([{"value": "AGENT", "display": "Desk", "type": "work", "primary": true},
        {"display": "Supervisor", "type": "home"}]);
    let mut body = user("ada");
    body["roles"] = sent.clone();
    let ada = create_user(&scim, &body);
    let read = scim.get(&ada).expect(200);
    let role = |name: &str| json!({"value": name, "display": name});
    let primary = json!({"value": "agent", "display": "agent", "primary": true});
    let roles = json!([role("employee"), role("supervisor"), primary]);
    assert_eq!(read["roles"], roles, "{}", read.story());
    let again = scim.patch(&ada, &replace("roles", sent)).expect(200);
    assert_eq!(again.version(), read.version(), "it says the same: {}", again.story());
    scim.filter("/Users", "roles.type pr or roles[primary eq false]").expect_user_names(&[]);
    // Clients can read that it is so.
    let schema = scim.get(&format!("/Schemas/{USER}")).expect(200);
    let parts = &element(&schema["attributes"], "name", "roles")["subAttributes"];
    let said = element(parts, "name", "type")["description"].to_string();
    assert!(said.contains("accepted and not kept"), "{said}");
}

fn q5_domain_7_5_the_primary_role_is_replaced(database: Database) {
    let server = Server::start(database);
    let scim = server.tenant("acme").client(Dialect::Entra);
    let path = create_user(&scim, &user("ada"));
    let primary = |answer: &Answer| {
        let roles = answer["roles"].as_array().cloned().unwrap_or_default();
        let found = roles.iter().filter(|role| role["primary"] == true);
        found.map(|role| role["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let set = |op: &str, role: &str| {
        let operation =
            json!([{"op": op, "path": "roles[primary eq \"True\"].value", "value": role}]);
        scim.patch(&path, &operation).expect(200)
    };
    for (op, role) in [("Add", "agent@*"), ("Replace", "supervisor"), ("Add", "read-only")] {
        let changed = set(op, role);
        let name = role.split('@').next().unwrap();
        assert_eq!(strings(&changed["roles"], "value"), ["employee", name], "{op}");
        assert_eq!(primary(&changed), [name], "{}", changed.story());
        scim.filter("/Users", &format!("roles[primary eq true and value eq \"{name}\"]"))
            .expect_user_names(&["ada"]);
        assert_eq!(set(op, name).version(), changed.version(), "it says the same");
    }
    // Others come and go beside it, and it is primary in every division, asleep and awake.
    let more = json!([{"op": "Add", "path": "roles", "value": [{"value": "agent"}]}]);
    assert_eq!(primary(&scim.patch(&path, &more).expect(200)), ["read-only"]);
    let grants = json!([{"role": "read-only", "division": "*"}, {"role": "read-only",
        "division": "Home"}, {"role": "agent"}]);
    let granted = scim.patch(&path, &replace(&format!("{HEADCOUNT}:roleGrants"), grants));
    assert_eq!(primary(&granted.expect(200)), ["read-only"]);
    for active in [false, true] {
        let changed = scim.patch(&path, &replace("active", active)).expect(200);
        assert_eq!(primary(&changed), ["read-only"], "{}", changed.story());
    }
    let all = json!([{"primary": false, "value": "agent"}, {"primary": false,
        "value": "read-only"}]);
    assert!(primary(&scim.patch(&path, &replace("roles", all)).expect(200)).is_empty());
    scim.filter("/Users", "roles[primary eq true]").expect_user_names(&[]);
    let two = json!([{"primary": true, "value": "agent"}, {"primary": true, "value": "admin"}]);
    let mut body = user("bob");
    body["roles"] = two;
    scim.post("/Users", &body).expect_error(400, Some("invalidValue"));
}

fn r27_everybody_is_an_employee_whatever_is_sent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    let employee = |answer: Answer, others: &[&str]| {
        let answer = answer.expect(200);
        let expected = [&["employee"], others].concat();
        assert_eq!(strings(&answer["roles"], "value"), expected, "{}", answer.story());
        answer
    };
    employee(scim.get(&ada), &["agent"]);
    employee(scim.patch(&ada, &set_roles(&["supervisor"])), &["supervisor"]);
    let remove = json!([{"op": "remove", "path": "roles"}]);
    let none = employee(scim.patch(&ada, &remove), &[]);
    let one = json!([{"op": "remove", "path": "roles[value eq \"employee\"]"}]);
    assert_eq!(employee(scim.patch(&ada, &one), &[]).version(), none.version());
    let again = employee(scim.patch(&ada, &set_roles(&["employee"])), &[]);
    assert_eq!(again.version(), none.version(), "it is held already");
    let mut body = user("ada");
    body["roles"] = json!([]);
    assert_eq!(employee(scim.put(&ada, &body), &[]).version(), none.version());
    scim.filter("/Users", "roles[value eq \"employee\"]").expect_user_names(&["ada"]);
}

fn r28_where_a_role_counts_of_which_nobody_said_it(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    for (policy, name, expected) in [
        ("home", "ada", "agent@Home scim"),
        ("own", "bob", "agent@Berlin scim"),
        ("all", "eve", "agent@* scim"),
    ] {
        admin.policy("roles.defaultDivisionScope", policy);
        let mut body = with_roles(name, &["agent"]);
        body[ENTERPRISE] = json!({"division": "Berlin"});
        let created = scim.post("/Users", &body).expect(201);
        assert_eq!(grants(&created), [expected], "{policy}: {}", created.story());
    }
    // What was granted stays where it counts.
    let ada = scim.filter("/Users", "userName eq \"ada\"").expect(200)["Resources"][0].clone();
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    let same = scim.patch(&path, &set_roles(&["agent"])).expect(200);
    assert_eq!(grants(&same), ["agent@Home scim"], "{}", same.story());
}

fn r29_roles_of_groups_are_not_those_of_the_account(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    let id = ada.trim_start_matches("/Users/");
    let team = scim.post("/Groups", &group("Leads", &[id])).expect(201).id();
    let supervisor = admin.named("/Roles", "supervisor")["id"].as_str().unwrap().to_owned();
    let (subject, role) = (parse_id(&team).unwrap(), parse_id(&supervisor).unwrap());
    by_rule(&server, move |tx, context| {
        let grant = Grant {
            subject,
            role,
            division: DivisionScope::All,
            source: "admin".to_owned(),
            granted: context.now,
            dormant: false,
            purge_at: None,
            primary: false,
        };
        Ok(tx.put_grants(context.caller.tenant, &[grant], true)?)
    })
    .unwrap();
    let read = scim.get(&ada).expect(200);
    assert_eq!(strings(&read["roles"], "value"), ["employee", "agent"], "{}", read.story());
    let effective = |path: &str| {
        let wanted = format!("{path}?attributes={}", ours("effectiveRoles"));
        let read = scim.get(&wanted).expect(200);
        let roles = read[HEADCOUNT]["effectiveRoles"].as_array().cloned().unwrap_or_default();
        let text = |role: &Value| {
            let member = |name: &str| role[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", member("role"), member("via"), member("group"))
        };
        let mut all: Vec<String> = roles.iter().map(text).collect();
        all.sort();
        all
    };
    let expected = ["agent direct ", "employee direct ", "supervisor group Leads"];
    assert_eq!(effective(&ada), expected);
    assert!(blocked(&read) > 0, "those of the group count: {}", read.story());
    // What was read and is sent back makes nothing its own.
    assert_eq!(scim.put(&ada, &read.body).expect(200).version(), read.version());
    let none = scim.patch(&ada, &json!([{"op": "remove", "path": "roles"}])).expect(200);
    assert_eq!(strings(&none["roles"], "value"), ["employee"], "{}", none.story());
    assert_eq!(effective(&ada), ["employee direct ", "supervisor group Leads"]);
    let leave = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    scim.patch(&format!("/Groups/{team}"), &leave).expect_done();
    assert_eq!(effective(&ada), ["employee direct "]);
}

fn r30_r42_a_connection_grants_what_it_may(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &user("ada"));
    let refused = |scim: &Client, role: &str| {
        let refused = scim.patch(&ada, &set_roles(&[role]));
        refused.expect_code(403, "roleNotGrantable", Some("R30"));
        let refused = scim.post("/Users", &with_roles("bob", &[role]));
        refused.expect_code(403, "roleNotGrantable", Some("R30"));
    };
    for privileged in ["master-admin", "admin"] {
        refused(&scim, privileged);
    }
    scim.patch(&ada, &set_roles(&["supervisor"])).expect(200);
    // The tenant may say which, and of a connection its own list counts.
    admin.policy("grantableByScim", json!(["Agent", "admin"]));
    refused(&scim, "supervisor@*");
    scim.patch(&ada, &set_roles(&["admin"])).expect(200);
    admin.set("/Connections", "standard", "grantableRoles", json!(["master-admin"]));
    refused(&scim, "agent");
    // What the account has already is nothing that is granted.
    let kept = scim.patch(&ada, &set_roles(&["admin", "master-admin"])).expect(200);
    assert_eq!(grants(&kept), ["admin@Home scim", "master-admin@Home scim"]);
    // An administrator grants what there is.
    let by_admin = admin.scim.patch(&ada, &set_roles(&["supervisor", "master-admin"])).expect(200);
    let expected = ["master-admin@Home scim", "supervisor@Home scim"];
    assert_eq!(grants(&by_admin), expected, "{}", by_admin.story());
    scim.filter("/Users", "userName eq \"bob\"").expect_empty_list();
}

fn r31_a_disabled_role_grants_nothing_and_is_granted_to_nobody(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["supervisor"]));
    let before = scim.get(&ada).expect(200);
    assert!(blocked(&before) > 0);
    admin.set("/Roles", "supervisor", "state", "disabled");
    let asleep = scim.get(&ada).expect(200);
    assert_eq!(grants(&asleep), ["supervisor@Home scim asleep"], "{}", asleep.story());
    assert_eq!(strings(&asleep["roles"], "value"), ["employee", "supervisor"]);
    assert_eq!(blocked(&asleep), 0, "{}", asleep.story());
    let new = scim.post("/Users", &with_roles("bob", &["supervisor"]));
    new.expect_code(400, "disabledObject", Some("R31"));
    scim.patch(&ada, &set_roles(&["supervisor@*"])).expect_code(400, "disabledObject", Some("R31"));
    // Other changes leave the grant, and it can be sent back.
    let more = scim.patch(&ada, &set_roles(&["supervisor", "agent"])).expect(200);
    assert_eq!(grants(&more), ["agent@Home scim", "supervisor@Home scim asleep"]);
    admin.set("/Roles", "supervisor", "state", "enabled");
    let back = scim.get(&ada).expect(200);
    assert_eq!(grants(&back), ["agent@Home scim", "supervisor@Home scim"], "{}", back.story());
    assert!(blocked(&back) > 0);
}

fn domain_7_5_roles_and_role_grants_say_the_same(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    let mut ada = user("ada");
    ada[HEADCOUNT] = json!({"roleGrants": [{"role": "agent", "division": "berlin"},
        {"role": "Supervisor", "division": "*"}, {"role": "read-only"}]});
    let created = scim.post("/Users", &ada).expect(201);
    let expected = ["agent@Berlin scim", "read-only@Home scim", "supervisor@* scim"];
    assert_eq!(grants(&created), expected, "{}", created.story());
    let path = format!("/Users/{}", created.id());
    let agent = format!("{}[role eq \"agent\"]", ours("roleGrants"));
    let fewer = scim.patch(&path, &json!([{"op": "remove", "path": agent}])).expect(200);
    assert_eq!(grants(&fewer), expected[1..], "{}", fewer.story());
    let both = |roles: &[&str], grants: Value| {
        json!([{"op": "replace", "value": {"roles": members_of(roles),
            HEADCOUNT: {"roleGrants": grants}}}])
    };
    let grant = json!([{"role": "agent", "division": "Berlin"}]);
    let differ = both(&["agent@*"], grant.clone());
    scim.patch(&path, &differ).expect_error(400, Some("invalidValue"));
    let same = scim.patch(&path, &both(&["agent@Berlin"], grant)).expect(200);
    assert_eq!(grants(&same), ["agent@Berlin scim"], "{}", same.story());
    // An administrator's grant says whose it is.
    let more = json!([{"op": "add", "path": "roles", "value": [{"value": "read-only"}]}]);
    let more = admin.scim.patch(&path, &more).expect(200);
    assert_eq!(grants(&more).len(), 2, "{}", more.story());
}

fn domain_7_8_people_are_found_by_their_roles(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.create("/Divisions", "Berlin");
    create_user(&scim, &with_roles("ada", &["agent@Berlin"]));
    create_user(&scim, &with_roles("bob", &["agent", "supervisor"]));
    admin.scim.post("/Users", &with_roles("eve", &["master-admin"])).expect(201);
    let grants = ours("roleGrants");
    for (filter, found) in [
        ("roles[value eq \"master-admin\"]".to_owned(), &["eve"][..]),
        ("roles.value eq \"AGENT\"".to_owned(), &["ada", "bob"]),
        ("roles.value eq \"agent\" and not (roles.value eq \"supervisor\")".to_owned(), &["ada"]),
        ("roles.display sw \"super\"".to_owned(), &["bob"]),
        (format!("{grants}[role eq \"agent\" and division eq \"berlin\"]"), &["ada"]),
        (format!("{grants}.role eq \"supervisor\""), &["bob"]),
    ] {
        scim.filter("/Users", &filter).expect_user_names(found);
    }
}
