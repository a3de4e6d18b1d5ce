//! People who come back where a template or provisioning rule completes new accounts (domain model
//! 2.10, 4.4 and 4.5).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rehire_4_4_a_rule_that_fills_what_is_missing_takes_no_sleeping_role_away,
    rehire_4_4_a_rule_that_is_enforced_adds_to_the_sleeping_roles,
    rehire_4_4_a_template_fills_the_roles_of_who_has_none_any_more,
    rehire_2_10_a_named_template_takes_no_sleeping_role_away,
    rehire_2_10_a_tier_by_rule_needs_no_right_of_the_connection,
    domain_2_10_r30_roles_by_rule_need_no_right_of_the_connection,
    domain_2_10_r30_what_the_client_names_beside_a_rule_is_its_own,
    t13_the_answer_has_what_the_groups_of_the_template_give,
);

fn ada(roles: Option<&[&str]>) -> Value {
    let mut body = user("ada");
    body["externalId"] = json!("E1");
    if let Some(roles) = roles {
        body["roles"] = members_of(roles);
    }
    body
}

/// A template, and a rule by which everybody gets it; the template's path.
fn rule(admin: &Administrator, mode: &str, template: &Value) -> String {
    let mut body = template.clone();
    body["name"] = json!("Everybody");
    let path = admin.create_as("/UserTemplates", &body);
    let rule = json!({"name": "all", "filter": "userName pr", "template": "Everybody",
        "mode": mode});
    admin.create_as("/ProvisioningRules", &rule);
    path
}

fn leave(scim: &Client, path: &str) {
    scim.patch(path, &replace("active", false)).expect(200);
}

/// The account after its person came back, whose roles all count.
#[track_caller]
fn come_back(scim: &Client, path: &str, body: &Value, roles: &[&str]) {
    let back = scim.post("/Users", body).expect(201);
    assert_eq!(format!("/Users/{}", back.id()), path, "{}", back.story());
    let mut found = strings(&back["roles"], "value");
    found.sort_unstable();
    assert_eq!(found, roles, "{}", back.story());
    let grants = back[HEADCOUNT]["roleGrants"].as_array().expect("employee is one");
    assert!(grants.iter().all(|grant| grant["effective"] == true), "{}", back.story());
}

fn rehire_4_4_a_rule_that_fills_what_is_missing_takes_no_sleeping_role_away(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    rule(&admin, "fillMissing", &json!({"roleGrants": [{"role": "agent"}]}));
    let path = create_user(&scim, &ada(None));
    scim.patch(&path, &replace("roles", members_of(&["supervisor", "read-only@*"]))).expect(200);
    leave(&scim, &path);
    // What sleeps is not missing.
    come_back(&scim, &path, &ada(None), &["employee", "read-only", "supervisor"]);
    let back = scim.get(&path).expect(200);
    let everywhere = element(&back[HEADCOUNT]["roleGrants"], "role", "read-only");
    assert_eq!(everywhere["division"], "*", "{}", back.story());
    leave(&scim, &path);
    let mut with_site = ada(None);
    with_site[HEADCOUNT] = json!({"site": "North"});
    come_back(&scim, &path, &with_site, &["employee", "read-only", "supervisor"]);
    leave(&scim, &path);
    come_back(&scim, &path, &ada(Some(&["supervisor"])), &["employee", "supervisor"]);
}

fn rehire_4_4_a_rule_that_is_enforced_adds_to_the_sleeping_roles(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    rule(&admin, "enforce", &json!({"roleGrants": [{"role": "agent"}]}));
    let path = create_user(&scim, &ada(None));
    scim.patch(&path, &replace("roles", members_of(&["supervisor"]))).expect(200);
    leave(&scim, &path);
    come_back(&scim, &path, &ada(None), &["agent", "employee", "supervisor"]);
    leave(&scim, &path);
    come_back(&scim, &path, &ada(Some(&["read-only"])), &["agent", "employee", "read-only"]);
}

fn rehire_4_4_a_template_fills_the_roles_of_who_has_none_any_more(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    rule(&admin, "fillMissing", &json!({"roleGrants": [{"role": "agent"}]}));
    let path = create_user(&scim, &ada(Some(&["supervisor"])));
    scim.delete(&path).expect(204);
    come_back(&scim, &path, &ada(None), &["agent", "employee"]);
    // Roles with privilege ended when their holder left.
    admin.scim.patch(&path, &replace("roles", members_of(&["admin"]))).expect(200);
    leave(&scim, &path);
    come_back(&scim, &path, &ada(None), &["agent", "employee"]);
}

fn rehire_2_10_a_named_template_takes_no_sleeping_role_away(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let template = json!({"name": "Agents", "roleGrants": [{"role": "agent"}]});
    admin.create_as("/UserTemplates", &template);
    let path = create_user(&scim, &ada(Some(&["supervisor"])));
    leave(&scim, &path);
    let mut named = ada(None);
    named[HEADCOUNT] = json!({"template": "Agents"});
    come_back(&scim, &path, &named, &["employee", "supervisor"]);
    scim.delete(&path).expect(204);
    come_back(&scim, &path, &named, &["agent", "employee"]);
}

fn rehire_2_10_a_tier_by_rule_needs_no_right_of_the_connection(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let template = rule(&admin, "enforce", &json!({"licenseTier": "CX2"}));
    let scopes = "scim.users.read,scim.users.write,scim.roles.assign,scim.delete";
    let arguments = ["token", "create", "--tenant", "acme", "--connection", "weak"];
    let token = server.command(&[&arguments[..], &["--scopes", scopes]].concat()).succeeded();
    let weak = server.client_with_token(token.stdout.trim());
    let path = create_user(&weak, &ada(None));
    assert_eq!(weak.get(&path).expect(200)[HEADCOUNT]["licenseTier"], "CX2");
    admin.scim.patch(&template, &replace("licenseTier", "CX3")).expect(200);
    let with_tier = |tier: &str| {
        let mut body = ada(None);
        body[HEADCOUNT] = json!({"licenseTier": tier});
        body
    };
    for gone in [false, true] {
        if gone {
            weak.delete(&path).expect(204);
        } else {
            leave(&weak, &path);
        }
        // What the request itself says is the connection's word, as of a new account.
        weak.post("/Users", &with_tier("CX4")).expect_code(403, "scopeMissing", None);
        let body = if gone { with_tier("CX1") } else { ada(None) };
        let back = weak.post("/Users", &body).expect(201);
        assert_eq!(format!("/Users/{}", back.id()), path);
        assert_eq!(back[HEADCOUNT]["licenseTier"], "CX3", "{}", back.story());
    }
}

fn t13_the_answer_has_what_the_groups_of_the_template_give(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let mut access = group("Callers", &[]);
    access["schemas"] = json!([GROUP, HEADCOUNT_GROUP]);
    access[HEADCOUNT_GROUP] = json!({"kind": "access", "roleGrants": [{"role": "agent"}]});
    admin.scim.post("/Groups", &access).expect(201);
    let mut agents = group("Agents", &[]);
    agents["schemas"] = json!([GROUP, HEADCOUNT_GROUP]);
    agents[HEADCOUNT_GROUP] = json!({"kind": "agent"});
    admin.scim.post("/Groups", &agents).expect(201);
    let path = create_user(&scim, &ada(None));
    leave(&scim, &path);
    rule(
        &admin,
        "fillMissing",
        &json!({"groups": [{"display": "Callers"}, {"display": "Agents"}]}),
    );
    let ours = format!("{HEADCOUNT}:agent,{HEADCOUNT}:effectiveRoles");
    let asked = format!("attributes=groups,meta,{ours}");
    let back = scim.post(&format!("/Users?{asked}"), &ada(None)).expect(201);
    let mut groups = strings(&back["groups"], "display");
    groups.sort_unstable();
    assert_eq!(groups, ["Agents", "Callers"], "{}", back.story());
    let through = element(&back[HEADCOUNT]["effectiveRoles"], "role", "agent");
    assert_eq!(through["group"], "Callers", "{}", back.story());
    assert_eq!(back[HEADCOUNT]["agent"], true, "who joins an agent group is one");
    assert_eq!(back.header("etag"), Some(back.version().as_str()));
    let read = scim.get(&format!("{path}?{asked}")).expect(200);
    assert_eq!(back.body, read.body, "{}", back.story());
}

/// A client of the tenant whose connection may not grant roles.
fn without_roles(server: &Server) -> Client {
    let scopes = "scim.users.read,scim.users.write";
    let create = ["token", "create", "--tenant", "acme", "--connection", "plain"];
    let made = server.command(&[&create[..], &["--scopes", scopes]].concat()).succeeded();
    server.client_with_token(made.stdout.trim())
}

fn domain_2_10_r30_roles_by_rule_need_no_right_of_the_connection(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    // Not even the connection that grants roles grants this one.
    rule(&admin, "enforce", &json!({"roleGrants": [{"role": "agent"}, {"role": "admin"}]}));
    let plain = without_roles(&server);
    for (scim, name) in [(&plain, "ada"), (&scim, "grace")] {
        let mut body = user(name);
        body["externalId"] = json!("E1");
        let made = scim.post("/Users", &body).expect(201);
        let path = format!("/Users/{}", made.id());
        let roles = ["admin", "agent", "employee"];
        let mut found = strings(&made["roles"], "value");
        found.sort_unstable();
        assert_eq!(found, roles, "{}", made.story());
        leave(scim, &path);
        come_back(scim, &path, &body, &roles);
    }
}

fn domain_2_10_r30_what_the_client_names_beside_a_rule_is_its_own(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    rule(&admin, "enforce", &json!({"roleGrants": [{"role": "agent"}]}));
    let with = |name: &str, role: &str| {
        let mut body = user(name);
        body["externalId"] = json!(name);
        body["roles"] = members_of(&[role]);
        body
    };
    let plain = without_roles(&server);
    plain.post("/Users", &with("ada", "supervisor")).expect_code(403, "scopeMissing", None);
    let refused = scim.post("/Users", &with("ada", "master-admin"));
    refused.expect_code(403, "roleNotGrantable", Some("R30"));
    let made = scim.post("/Users", &with("ada", "supervisor")).expect(201);
    assert_eq!(strings(&made["roles"], "value").len(), 3, "{}", made.story());
    let path = format!("/Users/{}", made.id());
    leave(&scim, &path);
    let refused = scim.post("/Users", &with("ada", "master-admin"));
    refused.expect_code(403, "roleNotGrantable", Some("R30"));
    // In the place of what the client may give, the template that it names itself.
    let mut named = user("bob");
    named[HEADCOUNT] = json!({"template": "Everybody"});
    plain.post("/Users", &named).expect_code(403, "scopeMissing", None);
}
