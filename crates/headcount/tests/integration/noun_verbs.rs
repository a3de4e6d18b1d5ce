//! The verbs of divisions, skills, capacity rules, templates, provisioning rules and connections.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    op28_a_division_is_restored,
    op29_op33_skills_and_capacity_rules_are_copied,
    op33_capacity_rules_are_tried_out_and_replaced,
    op34_templates_are_made_of_accounts_and_rules_tried_out,
    r57_a_connection_is_released,
    verbs_of_nouns_are_for_administrators_and_say_what_they_take,
);

const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn create(admin: &Administrator, endpoint: &str, body: &Value) -> String {
    format!("{endpoint}/{}", admin.scim.post(endpoint, body).expect(201).id())
}

fn op28_a_division_is_restored(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let berlin = create(&admin, "/Divisions", &json!({"name": "Berlin"}));
    let restore = || admin.act(&format!("{berlin}/restore"), &json!({}));
    restore().expect_error(404, None);
    admin.scim.delete(&berlin).expect(204);
    let restored = restore().expect(200).expect_scim_content();
    assert_eq!(restored.body, scim.get(&berlin).expect(200).body);
    assert_eq!(restored.header("etag"), Some("W/\"3\""));
}

fn op29_op33_skills_and_capacity_rules_are_copied(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let thai = create(&admin, "/Skills", &json!({"name": "Thai", "kind": "language"}));
    let copy = admin.act(&format!("{thai}/copy"), &json!({"name": "Lao"})).expect(201);
    assert_eq!((&copy["name"], &copy["kind"]), (&json!("Lao"), &json!("language")));
    let calls = json!({"name": "Calls", "default": true, "mediaRules": [{"media": "voice"}]});
    let calls = create(&admin, "/CapacityRules", &calls);
    let copy = admin.act(&format!("{calls}/copy"), &json!({})).expect(201);
    assert_eq!((&copy["name"], &copy["default"]), (&json!("Calls (copy)"), &Value::Null));
}

fn op33_capacity_rules_are_tried_out_and_replaced(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for (name, most) in [("Old", 1), ("New", 2)] {
        let media = json!([{"media": "voice", "maxCapacity": most}]);
        create(&admin, "/CapacityRules", &json!({"name": name, "mediaRules": media}));
    }
    let mut ada = user("ada");
    ada[HEADCOUNT] = json!({"capacityRule": "old"});
    let ada = scim.post("/Users", &ada).expect(201).id();
    let busy = json!({"user": ada, "media": "voice", "load": {"voice": 1}});
    let evaluate = || admin.act("/CapacityRules/evaluate", &busy).expect(200).body;
    let refused = json!({"rule": "Old", "source": "user", "accepted": false,
                         "reason": "there are 1 of at most 1", "interrupts": false});
    assert_eq!(evaluate(), refused);

    let old = admin.named("/CapacityRules", "Old");
    let old = format!("/CapacityRules/{}", old["id"].as_str().unwrap());
    admin.scim.delete(&old).expect_error(409, None);
    admin.act(&format!("{old}/replace"), &json!({"by": "New"})).expect(204);
    admin.scim.get(&old).expect_error(404, None);
    let accepted = json!({"rule": "New", "source": "user", "accepted": true,
                          "reason": null, "interrupts": false});
    assert_eq!(evaluate(), accepted);
    let read = scim.get(&format!("/Users/{ada}")).expect(200);
    assert_eq!(read[HEADCOUNT]["capacityRule"], "New", "{}", read.story());
    assert_eq!(read.version(), "W/\"2\"", "{}", read.story());
}

fn op34_templates_are_made_of_accounts_and_rules_tried_out(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &person("Ada", "Lovelace", "ada@x.example")).expect(201).id();
    let body = json!({"account": ada, "name": "Like Ada"});
    let template = admin.act("/UserTemplates/from-account", &body).expect(201);
    assert_eq!((&template["title"], &template["name"]), (&json!("Agent"), &json!("Like Ada")));
    admin.act("/UserTemplates/from-account", &body).expect_error(409, Some("uniqueness"));
    let nobody = json!({"account": NOBODY, "name": "Like nobody"});
    admin.act("/UserTemplates/from-account", &nobody).expect_error(404, None);

    let rule = json!({"name": "All", "filter": "userName pr", "template": "Like Ada"});
    create(&admin, "/ProvisioningRules", &rule);
    let body = json!({"user": user("grace")});
    let report = admin.act("/ProvisioningRules/dry-run", &body).expect(200);
    assert_eq!((&report["rule"], &report["user"]["title"]), (&json!("All"), &json!("Agent")));
    let nameless = json!({"user": {"title": "x"}});
    admin.act("/ProvisioningRules/dry-run", &nameless).expect_error(400, Some("invalidValue"));
    scim.filter("/Users", "userName eq \"grace\"").expect_empty_list();
}

fn r57_a_connection_is_released(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let hr = create(&admin, "/Connections", &json!({"name": "HR"}));
    let release = |until: &str| {
        admin.act(&format!("{hr}/release"), &json!({"until": until, "reason": "we restructure"}))
    };
    release("2001-01-01T00:00:00Z").expect_error(400, Some("invalidValue"));
    release("soon").expect_error(400, Some("invalidValue"));
    let released = release("2999-01-01T00:00:00Z").expect(200);
    let expected = json!({"state": "released", "until": "2999-01-01T00:00:00Z"});
    assert_eq!(released["guard"], expected, "{}", released.story());
}

fn verbs_of_nouns_are_for_administrators_and_say_what_they_take(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for path in [
        format!("/Divisions/{NOBODY}/restore"),
        format!("/Skills/{NOBODY}/copy"),
        format!("/CapacityRules/{NOBODY}/copy"),
        format!("/CapacityRules/{NOBODY}/replace"),
        "/CapacityRules/evaluate".to_owned(),
        "/UserTemplates/from-account".to_owned(),
        "/ProvisioningRules/dry-run".to_owned(),
        format!("/Connections/{NOBODY}/release"),
    ] {
        let of_others = verbs_of(&scim).post(&path, &json!({"nonsense": 1}));
        of_others.expect_error(403, None);
        let refused = admin.act(&path, &json!({"nonsense": 1}));
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert!(refused.text.contains("nonsense"), "{}", refused.story());
    }
}
