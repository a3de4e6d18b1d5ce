//! Skills and languages.

use accounts::skill_set::Proficiency;
use accounts::skills::Skills;
use accounts::{SkillAssignment, objects, parse_id};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_2_7_a_skill_and_a_language_may_have_one_name,
    domain_2_7_the_kind_is_immutable,
    r71_a_deleted_skill_disappears_from_every_account_and_each_is_logged,
    r71_a_disabled_skill_stays_assigned,
    op29_a_copy_has_all_but_the_name,
);

fn skill(name: &str, kind: &str) -> Value {
    json!({"name": name, "kind": kind})
}

fn domain_2_7_a_skill_and_a_language_may_have_one_name(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let thai = admin.post("/Skills", &json!({"name": " Thai "})).expect(201);
    assert_eq!((&thai["kind"], &thai["state"]), (&json!("skill"), &json!("enabled")));
    admin.post("/Skills", &skill("THAI", "Language")).expect(201);
    for kind in ["skill", "language"] {
        let again = admin.post("/Skills", &skill("thai", kind));
        again.expect_error(409, Some("uniqueness"));
    }
    let refused = admin.post("/Skills", &skill("Welding", "trade"));
    let refused = refused.expect_error(400, Some("invalidValue"));
    assert_eq!(refused["detail"], "kind must be one of skill, language");
    let found = scim.filter("/Skills", "name eq \"thai\" and kind eq \"language\"").expect(200);
    assert_eq!(found["totalResults"], 1, "{}", found.story());
    assert_eq!(scim.filter("/Skills", "state eq \"enabled\"").expect(200)["totalResults"], 2);
}

fn domain_2_7_the_kind_is_immutable(database: Database) {
    let (_server, admin, _) = serve_nouns(database);
    let path = format!("/Skills/{}", admin.post("/Skills", &skill("Thai", "language")).id());
    admin.patch(&path, &replace("kind", "skill")).expect_error(400, Some("mutability"));
    admin.put(&path, &skill("Thai", "skill")).expect_error(400, Some("mutability"));
    let kept = admin.put(&path, &json!({"name": "Thai (read)"})).expect(200);
    assert_eq!(kept["kind"], "language", "{}", kept.story());
}

/// Two accounts that have a skill, and one of them another one too.
fn holders(server: &Server, admin: &Client, scim: &Client) -> (String, [String; 2]) {
    let sales = admin.post("/Skills", &skill("Sales", "skill")).expect(201).id();
    let other = admin.post("/Skills", &skill("Support", "skill")).expect(201).id();
    let users = ["ada", "grace"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let [ada, grace] = users.clone().map(|id| parse_id(&id).unwrap());
    let (sold, supported) = (parse_id(&sales).unwrap(), parse_id(&other).unwrap());
    by_rule(server, move |tx, context| {
        let held = |skill| SkillAssignment {
            skill,
            proficiency: Proficiency::of_tenths(45).unwrap(),
            active: true,
        };
        let tenant = context.caller.tenant;
        tx.set_skills(tenant, ada, &[held(sold), held(supported)])?;
        Ok(tx.set_skills(tenant, grace, &[held(sold)])?)
    })
    .unwrap();
    (sales, users)
}

/// The skills that each of these users has.
fn held_by(server: &Server, users: &[String; 2]) -> [usize; 2] {
    let ids = users.clone().map(|id| parse_id(&id).unwrap());
    let held = by_rule(server, move |tx, context| Ok(tx.skills_of(context.caller.tenant, &ids)?));
    let held = held.unwrap();
    ids.map(|id| held.iter().filter(|(user, _)| *user == id).count())
}

fn r71_a_deleted_skill_disappears_from_every_account_and_each_is_logged(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let (sales, users) = holders(&server, &admin, &scim);
    let [ada, grace] = &users;
    assert_eq!(held_by(&server, &users), [2, 1]);
    admin.delete(&format!("/Skills/{sales}")).expect(204);
    assert_eq!(held_by(&server, &users), [1, 0]);
    for id in [ada, grace] {
        let read = scim.get(&format!("/Users/{id}")).expect(200);
        assert_eq!(read.version(), "W/\"2\"", "{}", read.story());
    }
    // A version without an entry, or an entry without its version, is found.
    let log = server.command(&["verify-log"]).succeeded();
    assert!(log.stdout.contains("findings 0"), "{}", log.stdout);
    admin.post("/Skills", &skill("Sales", "skill")).expect(201);
}

fn r71_a_disabled_skill_stays_assigned(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let (sales, users) = holders(&server, &admin, &scim);
    admin.patch(&format!("/Skills/{sales}"), &replace("state", "disabled")).expect(200);
    assert_eq!(held_by(&server, &users), [2, 1]);
    let read = scim.get(&format!("/Users/{}", users[0])).expect(200);
    assert_eq!(read.version(), "W/\"1\"", "{}", read.story());
    admin
        .patch(&format!("/Skills/{sales}"), &replace("state", "off"))
        .expect_error(400, Some("invalidValue"));
}

fn op29_a_copy_has_all_but_the_name(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let body = json!({"name": "Thai", "kind": "language", "state": "disabled",
                      "description": "Spoken", "externalId": "t"});
    let from = parse_id(&admin.post("/Skills", &body).expect(201).id()).unwrap();
    let copy = |name: &'static str| {
        by_rule(&server, move |tx, context| objects::copy::<Skills>(tx, context, from, Some(name)))
    };
    let copied = copy("Lao").unwrap().id;
    let read = scim.get(&format!("/Skills/{copied}")).expect(200);
    for (attribute, expected) in [
        ("name", json!("Lao")),
        ("kind", json!("language")),
        ("state", json!("disabled")),
        ("description", json!("Spoken")),
        ("externalId", Value::Null),
    ] {
        assert_eq!(read[attribute], expected, "{attribute}: {}", read.story());
    }
    assert!(copy("THAI").unwrap_err().to_string().starts_with("NameTaken"));
}
