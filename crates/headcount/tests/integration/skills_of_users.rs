//! The skills of accounts: as a list and as one text, in the bounds of the tenant's policy.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_2_2_an_agent_with_skills_stays_one_and_others_may_have_skills,
    domain_7_6_skills_and_skill_set_say_the_same,
    domain_7_6_a_skill_and_a_language_of_one_name_are_told_apart,
    domain_7_6_the_text_stays_as_it_was_sent_while_it_is_true,
    domain_7_8_people_are_found_by_what_they_can,
    r22_a_word_that_is_a_skill_and_a_language_needs_its_kind,
    r70_proficiency_is_from_0_to_5,
    r70_an_account_has_fifty_skills_and_fifty_languages_at_most,
    r70_the_policy_may_allow_fewer,
    r71_a_disabled_skill_is_shown_as_inactive_and_given_to_nobody,
    r71_a_deleted_skill_is_gone_from_every_account,
    domain_4_4_skills_stay_with_who_leaves_and_comes_back,
);

fn ours(name: &str) -> String {
    format!("{HEADCOUNT}:{name}")
}

fn skilled(name: &str, skill_set: &str) -> Value {
    json!({"schemas": [USER, HEADCOUNT], "userName": name, HEADCOUNT: {"skillSet": skill_set}})
}

/// An administrator, a client, and the skills Billing and Sales and the language Thai.
fn school(database: Database) -> (Server, Client, Administrator) {
    let (server, scim, admin) = serve_admin(database);
    for skill in ["Billing", "Sales"] {
        admin.create("/Skills", skill);
    }
    admin.create_as("/Skills", &json!({"name": "Thai", "kind": "language"}));
    (server, scim, admin)
}

/// `name kind proficiency active`, in the order of names.
fn listed(user: &Answer) -> Vec<String> {
    let skills = user[HEADCOUNT]["skills"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |skill: &Value| {
        assert_eq!(skill["display"], skill["value"], "{}", user.story());
        let [name, kind] = ["value", "type"].map(|member| skill[member].as_str().unwrap());
        format!("{name} {kind} {} {}", skill["proficiency"], skill["active"])
    };
    let mut all: Vec<String> = skills.iter().map(text).collect();
    all.sort();
    all
}

fn domain_7_6_skills_and_skill_set_say_the_same(database: Database) {
    let (_server, scim, _) = school(database);
    let all = ["Billing skill 0 true", "Sales skill 4.5 true", "Thai language 5 true"];
    let flat = skilled("joan", "sales=4.5;thai[language]=5;Billing");
    let flat = scim.get(&create_user(&scim, &flat)).expect(200);
    assert_eq!(listed(&flat), all, "{}", flat.story());
    let mut ada = user("ada");
    ada[HEADCOUNT] = json!({"skills": [{"value": "sales", "proficiency": 4.5},
        {"value": "THAI", "proficiency": 5}, {"value": "Billing"}]});
    let ada = create_user(&scim, &ada);
    let read = scim.get(&ada).expect(200);
    assert_eq!(listed(&read), all, "{}", read.story());
    // The same skills in another order are no change.
    let list = json!([{"value": "Thai", "type": "language", "proficiency": 5},
        {"value": "billing", "type": "skill"}, {"value": "Sales", "proficiency": 4.5}]);
    let again = scim.patch(&ada, &replace(&ours("skills"), list)).expect(200);
    assert_eq!(listed(&again), all, "{}", again.story());
    assert_eq!(again.version(), read.version(), "{}", again.story());

    let list = json!([{"value": "Sales", "proficiency": 2, "active": false}]);
    let fewer = scim.patch(&ada, &replace(&ours("skills"), list)).expect(200);
    assert_eq!(listed(&fewer), ["Sales skill 2 false"], "{}", fewer.story());
    assert_eq!(fewer[HEADCOUNT]["skillSet"], "Sales=2", "{}", fewer.story());
    let add = json!([{"op": "add", "path": ours("skills"), "value": [{"value": "Thai"}]}]);
    let more = scim.patch(&ada, &add).expect(200);
    assert_eq!(listed(&more), ["Sales skill 2 false", "Thai language 0 true"], "{}", more.story());
    let better = replace(&format!("{HEADCOUNT}:skills[value eq \"thai\"].proficiency"), 3);
    let better = scim.patch(&ada, &better).expect(200);
    assert_eq!(listed(&better)[1], "Thai language 3 true", "{}", better.story());
    let none = scim.patch(&ada, &replace(&ours("skillSet"), "")).expect(200);
    for gone in ["skills", "skillSet"] {
        assert_eq!(none[HEADCOUNT].get(gone), None, "{gone}: {}", none.story());
    }
    // Two that differ are no skills.
    let mut bob = skilled("bob", "Sales=2");
    bob[HEADCOUNT]["skills"] = json!([{"value": "Billing", "proficiency": 2}]);
    scim.post("/Users", &bob).expect_error(400, Some("invalidValue"));
    bob[HEADCOUNT]["skills"] = json!([{"value": "Sales", "proficiency": 2}]);
    scim.post("/Users", &bob).expect(201);
}

fn domain_7_6_a_skill_and_a_language_of_one_name_are_told_apart(database: Database) {
    let (_server, scim, admin) = school(database);
    admin.create("/Skills", "Thai");
    let post = |name: &str, skills: Value, skill_set: &str| {
        let mut body = skilled(name, skill_set);
        body[HEADCOUNT]["skills"] = skills;
        scim.post("/Users", &body)
    };
    let language = json!({"value": "Thai", "type": "language", "proficiency": 5});
    let any = json!({"value": "thai", "proficiency": 5});
    let refused = post("ada", json!([language]), "Thai=5");
    refused.expect_error(400, Some("invalidValue"));
    let refused = post("ada", json!([language, language]), "Thai=5;Thai[language]=5");
    refused.expect_error(400, Some("invalidValue"));
    // Which of the two is meant, the text says.
    let both = ["Thai language 5 true", "Thai skill 5 true"];
    for (name, skills, skill_set, expected) in [
        ("ada", json!([language]), "THAI[language]=5.0", &both[..1]),
        ("bob", json!([any]), "Thai=5", &both[1..]),
        ("eve", json!([any, language]), "Thai[language]=5;Thai=5", &both),
    ] {
        let created = post(name, skills, skill_set).expect(201);
        assert_eq!(listed(&created), expected, "{}", created.story());
    }
}

/// The model says of no account that it must not have skills. It only says who does not stop being
/// an agent.
fn domain_2_2_an_agent_with_skills_stays_one_and_others_may_have_skills(database: Database) {
    let (_server, scim, _) = school(database);
    let mut body = skilled("ada", "Sales=2");
    body[HEADCOUNT]["agent"] = json!(false);
    let ada = create_user(&scim, &body);
    let read = scim.get(&ada).expect(200);
    assert_eq!(read[HEADCOUNT]["agent"], false, "{}", read.story());
    assert_eq!(listed(&read), ["Sales skill 2 true"], "{}", read.story());
    // What was read can be sent back, and sent for another.
    assert_eq!(scim.put(&ada, &read.body).expect(200).version(), read.version());
    let agent = scim.patch(&ada, &replace(&ours("agent"), true)).expect(200);
    assert_eq!(agent[HEADCOUNT]["agent"], true, "{}", agent.story());
    scim.patch(&ada, &replace(&ours("agent"), false)).expect_code(400, "stillAgent", None);
    let stop = json!([{"op": "replace", "path": ours("agent"), "value": false},
        {"op": "remove", "path": ours("skills")}]);
    let stopped = scim.patch(&ada, &stop).expect(200);
    assert_eq!(stopped[HEADCOUNT]["agent"], false, "{}", stopped.story());
}

fn domain_7_6_the_text_stays_as_it_was_sent_while_it_is_true(database: Database) {
    let (_server, scim, admin) = school(database);
    let sent = " THAI [language] = 5 ;sales=4.0";
    let ada = create_user(&scim, &skilled("ada", sent));
    let read = scim.get(&ada).expect(200);
    assert_eq!(read[HEADCOUNT]["skillSet"], sent, "{}", read.story());
    let same = scim.patch(&ada, &replace(&ours("skillSet"), sent)).expect(200);
    assert_eq!(same.version(), read.version());
    let title = scim.patch(&ada, &replace("title", "Agent")).expect(200);
    assert_eq!(title[HEADCOUNT]["skillSet"], sent, "{}", title.story());
    // A skill with another name is another text.
    admin.set("/Skills", "Sales", "name", "Selling");
    let renamed = scim.get(&ada).expect(200);
    assert_eq!(renamed[HEADCOUNT]["skillSet"], "Selling=4;Thai[language]=5", "{}", renamed.story());
}

fn domain_7_8_people_are_found_by_what_they_can(database: Database) {
    let (_server, scim, _) = school(database);
    for (name, skills) in
        [("ada", "Billing=4;Sales=1"), ("bob", "Billing=3.5;Sales=5"), ("eve", "Thai[language]=5")]
    {
        create_user(&scim, &skilled(name, skills));
    }
    create_user(&scim, &user("joan"));
    let skills = ours("skills");
    for (filter, found) in [
        (format!("{skills}[value eq \"billing\" and proficiency ge 4]"), &["ada"][..]),
        (format!("{skills}[value eq \"Billing\" and proficiency lt 4]"), &["bob"]),
        (format!("{skills}.value eq \"sales\""), &["ada", "bob"]),
        (format!("{skills}[type eq \"language\"]"), &["eve"]),
        (format!("not ({skills} pr)"), &["joan"]),
        (format!("{skills}.proficiency gt 4"), &["bob", "eve"]),
    ] {
        scim.filter("/Users", &filter).expect_user_names(found);
    }
    scim.filter("/Users", &format!("{} co \"Billing\"", ours("skillSet")))
        .expect_error(400, Some("invalidFilter"));
}

fn r22_a_word_that_is_a_skill_and_a_language_needs_its_kind(database: Database) {
    let (_server, scim, admin) = school(database);
    admin.create("/Skills", "Thai");
    let body = |skill: Value| json!({"schemas": [USER, HEADCOUNT], "userName": "ada", HEADCOUNT: {"skills": [skill]}});
    scim.post("/Users", &body(json!({"value": "Thai"}))).expect_error(400, Some("invalidValue"));
    let ada = create_user(&scim, &body(json!({"value": "thai", "type": "language"})));
    assert_eq!(listed(&scim.get(&ada).expect(200)), ["Thai language 0 true"]);
    let both = scim.patch(&ada, &replace(&ours("skillSet"), "Thai=1;Thai[language]=2"));
    assert_eq!(listed(&both.expect(200)), ["Thai language 2 true", "Thai skill 1 true"]);
}

fn r70_proficiency_is_from_0_to_5(database: Database) {
    let (_server, scim, _) = school(database);
    let ada = create_user(&scim, &user("ada"));
    let with = |proficiency: Value| {
        let list = json!([{"value": "Sales", "proficiency": proficiency}]);
        scim.patch(&ada, &replace(&ours("skills"), list))
    };
    for wrong in [json!(5.1), json!(-0.1), json!(6), json!(1e300)] {
        with(wrong).expect_error(400, Some("invalidValue"));
    }
    for wrong in ["Sales=5.1", "Sales=-1", "Sales=many", "Sales=1;Sales=2"] {
        let refused = scim.patch(&ada, &replace(&ours("skillSet"), wrong));
        refused.expect_error(400, Some("invalidValue"));
    }
    assert_eq!(scim.get(&ada).expect(200).version(), "W/\"1\"");
    for right in [json!(0), json!(0.1), json!(5.0), json!(2.5)] {
        with(right).expect(200);
    }
}

fn r70_an_account_has_fifty_skills_and_fifty_languages_at_most(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for number in 0..51 {
        admin.create("/Skills", &format!("S{number}"));
        admin.create_as("/Skills", &json!({"name": format!("L{number}"), "kind": "language"}));
    }
    let text = |letter: char, kind: &str, most: usize| {
        let all: Vec<String> = (0..most).map(|number| format!("{letter}{number}{kind}")).collect();
        all.join(";")
    };
    for (wrong, kind) in [("S", ""), ("L", "[language]")] {
        let letter = wrong.chars().next().unwrap();
        let refused = scim.post("/Users", &skilled("ada", &text(letter, kind, 51)));
        refused.expect_code(400, "tooManySkills", Some("R70"));
    }
    scim.get("/Users").expect_empty_list();
    let all = format!("{};{}", text('S', "", 50), text('L', "[language]", 50));
    let ada = create_user(&scim, &skilled("ada", &all));
    assert_eq!(listed(&scim.get(&ada).expect(200)).len(), 100);
    let add = json!([{"op": "add", "path": ours("skills"), "value": [{"value": "S50"}]}]);
    scim.patch(&ada, &add).expect_code(400, "tooManySkills", Some("R70"));
    assert_eq!(listed(&scim.get(&ada).expect(200)).len(), 100);
}

fn r70_the_policy_may_allow_fewer(database: Database) {
    let (_server, scim, admin) = school(database);
    admin.policy("skills.maxPerUser", 1);
    admin.policy("languages.maxPerUser", 1);
    let refused = scim.post("/Users", &skilled("ada", "Sales=1;Billing=1"));
    refused.expect_code(400, "tooManySkills", Some("R70"));
    create_user(&scim, &skilled("ada", "Sales=1;Thai[language]=1"));
}

fn r71_a_disabled_skill_is_shown_as_inactive_and_given_to_nobody(database: Database) {
    let (_server, scim, admin) = school(database);
    let mut ada = user("ada");
    ada[HEADCOUNT] = json!({"skills": [{"value": "Sales", "proficiency": 4},
        {"value": "Billing", "proficiency": 1}]});
    let ada = create_user(&scim, &ada);
    admin.set("/Skills", "Sales", "state", "disabled");
    let read = scim.get(&ada).expect(200);
    assert_eq!(listed(&read), ["Billing skill 1 true", "Sales skill 4 false"], "{}", read.story());
    assert_eq!(read.version(), "W/\"1\"", "nothing of the account changed");
    let refused = scim.post("/Users", &skilled("bob", "Sales=1"));
    refused.expect_code(400, "disabledObject", Some("R31"));
    // Who has it keeps it through changes of the rest, and through being sent back.
    assert_eq!(scim.put(&ada, &read.body).expect(200).version(), "W/\"1\"");
    let better = scim.patch(&ada, &replace(&ours("skillSet"), "Sales=4;Billing=3")).expect(200);
    assert_eq!(listed(&better)[1], "Sales skill 4 false", "{}", better.story());
    admin.set("/Skills", "Sales", "state", "enabled");
    let back = scim.get(&ada).expect(200);
    assert_eq!(listed(&back), ["Billing skill 3 true", "Sales skill 4 true"], "{}", back.story());
}

fn r71_a_deleted_skill_is_gone_from_every_account(database: Database) {
    let (server, scim, admin) = school(database);
    let ada = create_user(&scim, &skilled("ada", "Sales=4;Billing=1"));
    let bob = create_user(&scim, &skilled("bob", "Sales=2"));
    let eve = create_user(&scim, &skilled("eve", "Billing=2"));
    admin.scim.delete(&admin.path_of("/Skills", "Sales")).expect(204);
    let read = scim.get(&ada).expect(200);
    assert_eq!(listed(&read), ["Billing skill 1 true"], "{}", read.story());
    assert_eq!(read[HEADCOUNT]["skillSet"], "Billing=1", "{}", read.story());
    let read = scim.get(&bob).expect(200);
    assert_eq!(read[HEADCOUNT].get("skillSet"), None, "{}", read.story());
    for (path, version) in [(&ada, "W/\"2\""), (&bob, "W/\"2\""), (&eve, "W/\"1\"")] {
        assert_eq!(scim.get(path).expect(200).version(), version);
    }
    server.command(&["verify-log"]).succeeded();
}

fn domain_4_4_skills_stay_with_who_leaves_and_comes_back(database: Database) {
    let (_server, scim, _) = school(database);
    let ada = create_user(&scim, &skilled("ada", "Sales=4;Thai[language]=1"));
    let before = scim.get(&ada).expect(200);
    let away = scim.patch(&ada, &replace("active", false)).expect(200);
    assert_eq!(away[HEADCOUNT]["skills"], before[HEADCOUNT]["skills"], "{}", away.story());
    let back = scim.patch(&ada, &replace("active", true)).expect(200);
    assert_eq!(back[HEADCOUNT]["skills"], before[HEADCOUNT]["skills"], "{}", back.story());
}
