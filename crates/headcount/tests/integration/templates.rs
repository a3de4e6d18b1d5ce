//! Templates and provisioning rules.

use accounts::skill_set::Proficiency;
use accounts::{Grant, SkillAssignment, parse_id, provisioning_rules, user_templates};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r22_what_a_template_names_exists_when_it_is_written,
    domain_2_10_a_rule_has_a_filter_and_a_template_that_there_are,
    domain_2_10_a_template_in_use_is_not_deleted_and_takes_its_rules_along,
    domain_2_10_a_template_can_be_made_of_an_account,
    op34_a_dry_run_says_which_rule_would_fill_what,
);

const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn r22_what_a_template_names_exists_when_it_is_written(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let nothing = format!("/Users/{NOBODY}");
    let nobody = nothing.trim_start_matches("/Users/");
    for (attribute, value, code, named) in [
        ("division", json!("Atlantis"), "unknownDivision", "division: there is no Division"),
        ("roleGrants", json!([{"role": "wizard"}]), "unknownRole", "roleGrants.role: there"),
        (
            "roleGrants",
            json!([{"role": "agent", "division": "Atlantis"}]),
            "unknownDivision",
            "roleGrants.division: there is no Division",
        ),
        ("skills", json!([{"value": "Welding"}]), "unknownSkill", "skills.value: there"),
        (
            "skills",
            json!([{"value": "Thai", "type": "skill"}]),
            "unknownSkill",
            "there is no Skill",
        ),
        ("groups", json!([{"display": "Nobody"}]), "unknownGroup", "there is no Group"),
        ("groups", json!([{"value": nobody}]), "unknownGroup", "there is no Group"),
        ("capacityRule", json!("None"), "unknownCapacityRule", "capacityRule: there"),
    ] {
        let thai = json!({"name": "Thai", "kind": "language"});
        admin.post("/Skills", &thai);
        let template = json!({"name": "Sales", attribute: value});
        let refused = admin.post("/UserTemplates", &template);
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert_eq!(refused[HEADCOUNT_ERROR], json!({"code": code, "rule": "R22"}));
        assert!(refused.text.contains(named), "{}", refused.story());
    }
    for (attribute, value) in [
        ("licenseTier", json!("CX9")),
        ("skills", json!([{"value": "Thai", "proficiency": 5.1}])),
        ("skills", json!([{"proficiency": 1}])),
    ] {
        let template = json!({"name": "Sales", attribute: value});
        let refused = admin.post("/UserTemplates", &template);
        refused.expect_error(400, Some("invalidValue"));
    }
    let team = scim.post("/Groups", &group("Team \"A\"", &[])).expect(201).id();
    let all = json!({
        "name": "Sales", "licenseTier": "cx2d", "division": "home",
        "roleGrants": [{"role": "Agent", "division": "*"}, {"role": "employee"}],
        "skills": [{"value": "thai", "type": "LANGUAGE", "proficiency": 4.5}],
        "groups": [{"display": "team \"a\""}, {"value": team}]});
    let made = admin.post("/UserTemplates", &all).expect(201);
    assert_eq!((&made["licenseTier"], &made["state"]), (&json!("CX2D"), &json!("enabled")));
    assert_eq!(made["skills"][0]["type"], "language");
    scim.get("/UserTemplates").expect_error(403, None);
}

fn rule(name: &str, filter: &str, template: &str) -> Value {
    json!({"name": name, "filter": filter, "template": template})
}

fn domain_2_10_a_rule_has_a_filter_and_a_template_that_there_are(database: Database) {
    let (_server, admin, _) = serve_nouns(database);
    admin.post("/UserTemplates", &json!({"name": "Sales"})).expect(201);
    for filter in ["title eq", "nonsense eq 1", "password pr"] {
        let refused = admin.post("/ProvisioningRules", &rule("r", filter, "Sales"));
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert!(refused.text.contains("filter cannot be used"), "{}", refused.story());
    }
    let unknown = admin.post("/ProvisioningRules", &rule("r", "title pr", "Support"));
    let unknown = unknown.expect_error(400, Some("invalidValue"));
    assert_eq!(unknown[HEADCOUNT_ERROR], json!({"code": "unknownTemplate", "rule": "R22"}));
    let made = admin.post("/ProvisioningRules", &rule("r", "title pr", "sales")).expect(201);
    let expected =
        [("priority", json!(100)), ("mode", json!("fillMissing")), ("state", json!("enabled"))];
    for (attribute, default) in expected {
        assert_eq!(made[attribute], default, "{attribute}: {}", made.story());
    }
    let path = format!("/ProvisioningRules/{}", made.id());
    admin.patch(&path, &replace("mode", "always")).expect_error(400, Some("invalidValue"));
}

fn domain_2_10_a_template_in_use_is_not_deleted_and_takes_its_rules_along(database: Database) {
    let (server, admin, _) = serve_nouns(database);
    let sales = admin.post("/UserTemplates", &json!({"name": "Sales"})).expect(201).id();
    let path = format!("/UserTemplates/{sales}");
    let by_name = admin.post("/ProvisioningRules", &rule("by name", "title pr", "SALES"));
    let by_id = admin.post("/ProvisioningRules", &rule("by id", "title pr", &sales));
    let [by_name, by_id] =
        [by_name, by_id].map(|made| format!("/ProvisioningRules/{}", made.expect(201).id()));
    let refused = admin.delete(&path).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR]["code"], "templateInUse", "{}", refused.story());
    admin.patch(&path, &replace("name", "Sellers")).expect(200);
    assert_eq!(admin.get(&by_name).expect(200)["template"], "Sellers");
    assert_eq!(admin.get(&by_id).expect(200)["template"], sales.as_str());
    admin.delete(&by_name).expect(204);
    admin.delete(&path).expect_error(409, None);
    admin.delete(&by_id).expect(204);
    admin.delete(&path).expect(204);
    server.command(&["verify-log"]).succeeded();
}

fn domain_2_10_a_template_can_be_made_of_an_account(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let ada = scim.post("/Users", &person("Ada", "Lovelace", "ada@x.example")).expect(201).id();
    let team = scim.post("/Groups", &group("Team", &[&ada])).expect(201).id();
    let thai = json!({"name": "Thai", "kind": "language"});
    let thai = parse_id(&admin.post("/Skills", &thai).expect(201).id()).unwrap();
    let role = admin.filter("/Roles", "name eq \"agent\"").expect(200);
    let role = parse_id(role["Resources"][0]["id"].as_str().unwrap()).unwrap();
    let id = parse_id(&ada).unwrap();
    let made = by_rule(&server, move |tx, context| {
        let tenant = context.caller.tenant;
        let proficiency = Proficiency::of_tenths(45).unwrap();
        tx.set_skills(tenant, id, &[SkillAssignment { skill: thai, proficiency, active: true }])?;
        let grant = Grant {
            subject: id,
            role,
            division: accounts::authorization::DivisionScope::All,
            source: "admin".to_owned(),
            granted: context.now,
            dormant: false,
            purge_at: None,
            primary: false,
        };
        tx.put_grants(tenant, &[grant], false)?;
        user_templates::from_account(tx, context, id, "Like Ada")
    });
    let made = made.unwrap().id;
    let template = admin.get(&format!("/UserTemplates/{made}")).expect(200);
    for (attribute, expected) in [
        ("name", json!("Like Ada")),
        ("title", json!("Agent")),
        ("department", json!("Sales")),
        ("division", json!("Home")),
        ("licenseTier", json!("CX1")),
        ("groups", json!([{"value": team, "display": "Team"}])),
    ] {
        assert_eq!(template[attribute], expected, "{attribute}: {}", template.story());
    }
    let agent = json!({"role": "agent", "division": "*"});
    assert!(template["roleGrants"].as_array().unwrap().contains(&agent), "{}", template.story());
    let skill = json!([{"value": "Thai", "type": "language", "proficiency": 4.5, "active": true}]);
    assert_eq!(template["skills"], skill);
    assert!(!template.text.contains("ada@x.example"), "{}", template.story());
}

fn op34_a_dry_run_says_which_rule_would_fill_what(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let template = json!({"name": "Sales", "title": "Seller", "locale": "de",
                          "licenseTier": "CX2", "roleGrants": [{"role": "agent"}]});
    let template = admin.post("/UserTemplates", &template).expect(201).id();
    let sellers = "userName ew \"@sales.example\"";
    admin.post("/ProvisioningRules", &rule("Sellers", sellers, "Sales")).expect(201);
    let dry_run = |user: Value| {
        let user = user.as_object().unwrap().clone();
        let result = by_rule(&server, move |tx, context| {
            provisioning_rules::dry_run(tx, context, user.clone())
        });
        result.unwrap()
    };
    let ada = json!({"userName": "ada@sales.example", "title": "Lead"});
    let filled = dry_run(ada.clone());
    assert_eq!((&filled["rule"], &filled["mode"]), (&json!("Sellers"), &json!("fillMissing")));
    let user = &filled["user"];
    assert_eq!((&user["title"], &user["locale"]), (&json!("Lead"), &json!("de")));
    assert_eq!(user[HEADCOUNT]["licenseTier"], "CX2", "{filled}");
    let nobody = dry_run(json!({"userName": "ada@hr.example"}));
    assert_eq!((&nobody["rule"], &nobody["user"]["locale"]), (&Value::Null, &Value::Null));
    // A template that is disabled fills nothing.
    let path = format!("/UserTemplates/{template}");
    admin.patch(&path, &replace("state", "disabled")).expect(200);
    let unfilled = dry_run(ada.clone());
    assert_eq!((&unfilled["rule"], &unfilled["user"]), (&json!("Sellers"), &ada));
    scim.get("/Users").expect_empty_list();
}
