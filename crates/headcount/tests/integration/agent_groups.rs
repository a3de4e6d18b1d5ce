//! Groups of agents: who joins one becomes an agent, and gets its capacity rule.

use accounts::capacity_rules::{Question, delete_replaced, evaluate};
use accounts::{Precondition, parse_id};
use serde_json::{Value, json};

use crate::group_extension::{EXTENSION, create, expect_code, group_with, set};
use crate::harness::*;

on_each_database!(
    domain_2_8_who_joins_an_agent_group_becomes_an_agent,
    domain_2_8_only_agents_join_where_the_tenant_wants_it_so,
    domain_2_8_an_agent_group_holds_people_only,
    domain_2_8_each_kind_of_group_has_its_own_attributes,
    domain_2_10_a_template_puts_accounts_into_agent_groups,
    r76_an_agent_group_has_a_valid_capacity_rule,
);

const USER_EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn agents(name: &str, members: &[&str]) -> Value {
    group_with(name, members, json!({"kind": "agent"}))
}

fn add(ids: &[&str]) -> Value {
    json!([{"op": "add", "path": "members", "value": members_of(ids)}])
}

#[track_caller]
fn expect_agent(scim: &Client, id: &str, agent: bool, version: u32) {
    let read = scim.get(&format!("/Users/{id}")).expect(200);
    assert_eq!(read[USER_EXTENSION]["agent"], agent, "{}", read.story());
    assert_eq!(read["meta"]["version"], format!("W/\"{version}\""), "{}", read.story());
}

fn domain_2_8_who_joins_an_agent_group_becomes_an_agent(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let ids = ["ada", "bob", "eve"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let [ada, bob, eve] = &ids;
    let path = create(&scim, &agents("Crew", &[ada]));
    expect_agent(&scim, ada, true, 2);
    scim.patch(&path, &add(&[ada, bob])).expect(200);
    expect_agent(&scim, ada, true, 2);
    expect_agent(&scim, bob, true, 2);
    scim.put(&path, &agents("Crew", &[bob, eve])).expect(200);
    expect_agent(&scim, eve, true, 2);
    create(&scim, &group("Staff", &[ada]));
    expect_agent(&scim, ada, true, 2);
    // Who is in it stays an agent.
    let agent = format!("{USER_EXTENSION}:agent");
    let refused = scim.patch(&format!("/Users/{bob}"), &replace(&agent, false));
    expect_code(refused, 400, "stillAgent");
    scim.patch(&path, &json!([{"op": "remove", "path": "members"}])).expect(200);
    expect_agent(&scim, bob, true, 2);
    scim.patch(&format!("/Users/{bob}"), &replace(&agent, false)).expect(200);
    // Every version has its entry.
    let checked = server.command(&["verify-log"]);
    checked.succeeded();
}

fn domain_2_8_only_agents_join_where_the_tenant_wants_it_so(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let tenant = format!("/Tenants/{}", tenant_id(&admin));
    admin.patch(&tenant, &replace("groups.autoAgent", false)).expect(200);
    let [ada, bob] = ["ada", "bob"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let path = create(&scim, &agents("Crew", &[]));
    let agent = format!("{USER_EXTENSION}:agent");
    scim.patch(&format!("/Users/{ada}"), &replace(&agent, true)).expect(200);
    scim.patch(&path, &add(&[&ada])).expect(200);
    expect_code(scim.patch(&path, &add(&[&ada, &bob])), 400, "notAnAgent");
    expect_code(scim.post("/Groups", &agents("Late", &[&bob])), 400, "notAnAgent");
    expect_agent(&scim, &bob, false, 1);
    assert_eq!(member_ids(&scim.get(&path).expect(200).body), [ada.as_str()]);
    scim.post("/Groups", &group("Late", &[&bob])).expect(201);
}

fn domain_2_8_an_agent_group_holds_people_only(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let inner = scim.post("/Groups", &group("Inner", &[])).expect(201).id();
    let path = create(&scim, &agents("Crew", &[]));
    expect_code(scim.patch(&path, &add(&[&inner])), 400, "notAnAgent");
    // It may be in another group itself.
    let crew = &path["/Groups/".len()..];
    scim.patch(&format!("/Groups/{inner}"), &add(&[crew])).expect(200);
}

fn domain_2_8_each_kind_of_group_has_its_own_attributes(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let rule = json!({"name": "Calls", "mediaRules": [{"media": "voice", "maxCapacity": 2}]});
    admin.scim.post("/CapacityRules", &rule).expect(201);
    let grants = json!([{"role": "agent", "division": "*"}]);
    for (kind, name, value) in [
        ("agent", "roleGrants", grants.clone()),
        ("directory", "roleGrants", grants),
        ("access", "capacityRule", json!("Calls")),
        ("directory", "capacityRule", json!("Calls")),
    ] {
        let refused = scim.post(
            "/Groups",
            &group_with(
                "Wrong",
                &[],
                json!({"kind": kind,
            (name): value}),
            ),
        );
        expect_code(refused.expect_error(400, Some("invalidValue")), 400, "wrongGroupKind");
        let path =
            create(&scim, &group_with(&format!("{kind} {name}"), &[], json!({"kind": kind})));
        expect_code(scim.patch(&path, &set(name, value)), 400, "wrongGroupKind");
    }
}

fn domain_2_10_a_template_puts_accounts_into_agent_groups(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    create(&scim, &agents("Crew", &[]));
    let template = json!({"name": "Agents", "groups": [{"display": "Crew"}]});
    admin.scim.post("/UserTemplates", &template).expect(201);
    let mut body = user("ada");
    body["schemas"] = json!([USER, USER_EXTENSION]);
    body[USER_EXTENSION] = json!({"template": "Agents"});
    let created = scim.post("/Users", &body).expect(201);
    assert_eq!(created[USER_EXTENSION]["agent"], true, "{}", created.story());
    assert_eq!(strings(&created["groups"], "display"), ["Crew"]);
    assert_eq!(scim.get(&format!("/Users/{}", created.id())).expect(200).body, created.body);
}

fn r76_an_agent_group_has_a_valid_capacity_rule(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let rule = |name: &str, most: i64| {
        let media = json!([{"media": "voice", "maxCapacity": most}]);
        let body = json!({"name": name, "mediaRules": media});
        admin.scim.post("/CapacityRules", &body).expect(201).id()
    };
    let (calls, _wrong) = (rule("Calls", 3), rule("Wrong", 26));
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let extension = json!({"kind": "agent", "capacityRule": " CALLS "});
    let created = scim.post("/Groups", &group_with("Crew", &[&ada], extension)).expect(201);
    assert_eq!(created[EXTENSION]["capacityRule"], "Calls", "{}", created.story());
    let path = format!("/Groups/{}", created.id());
    expect_code(scim.patch(&path, &set("capacityRule", "Wrong")), 400, "capacityRuleInvalid");
    expect_code(scim.patch(&path, &set("capacityRule", "Mail")), 400, "unknownCapacityRule");
    assert_eq!(scim.put(&path, &created.body).expect(200).body, created.body);
    // The rule counts for its members, and is not deleted while it is the group's.
    let counts = |expected: &'static str| {
        let question =
            Question { user: parse_id(&ada), media: "voice".into(), ..Question::default() };
        let answer = by_rule(&server, move |tx, context| evaluate(tx, context, &question));
        assert_eq!(answer.unwrap().to_value()["rule"], expected);
    };
    counts("Calls");
    let renamed = replace("name", "Phone calls");
    admin.scim.patch(&format!("/CapacityRules/{calls}"), &renamed).expect(200);
    counts("Phone calls");
    assert_eq!(scim.get(&path).expect(200)[EXTENSION]["capacityRule"], "Phone calls");
    let refused = admin.scim.delete(&format!("/CapacityRules/{calls}"));
    expect_code(refused, 409, "capacityRuleInUse");
    let (id, other) = (parse_id(&calls).unwrap(), rule("Mail", 2));
    by_rule(&server, move |tx, context| {
        delete_replaced(tx, context, id, &Precondition::default(), "Mail")
    })
    .unwrap();
    let replaced = scim.get(&path).expect(200);
    assert_eq!(replaced[EXTENSION]["capacityRule"], "Mail", "{}", replaced.story());
    assert_eq!(replaced["meta"]["version"], "W/\"2\"");
    server.command(&["verify-log"]).succeeded();
    scim.patch(&path, &json!([{"op": "remove", "path": format!("{EXTENSION}:capacityRule")}]))
        .expect(200);
    admin.scim.delete(&format!("/CapacityRules/{other}")).expect(204);
}
