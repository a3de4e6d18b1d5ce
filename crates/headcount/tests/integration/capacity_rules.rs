//! Capacity rules: valid before they are anybody's, and never taken away unseen.

use accounts::capacity_rules::{Question, assignable, delete_replaced, evaluate};
use accounts::{Precondition, Refusal, parse_id};
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r76_an_invalid_rule_is_kept_and_not_assigned,
    r76_an_assigned_rule_is_neither_deleted_nor_made_invalid,
    r76_a_replaced_rule_is_deleted_and_every_account_is_logged,
    domain_2_9_at_most_one_rule_is_that_of_the_tenant,
    domain_6_4_evaluate_says_which_rule_counts_and_why,
);

fn calls(name: &str, most: i64) -> Value {
    json!({"name": name, "mediaRules": [{"media": "voice", "maxCapacity": most}]})
}

/// Creates a rule: its identifier.
fn rule(admin: &Client, body: &Value) -> String {
    admin.post("/CapacityRules", body).expect(201).id()
}

/// Gives a user the rule.
fn assign(server: &Server, user: &str, rule: &'static str) -> Result<(), Refusal> {
    let user = parse_id(user).unwrap();
    by_rule(server, move |tx, context| {
        let scope = context.caller.scope();
        let before = tx.user_for_update(scope, user)?.unwrap();
        let mut after = before.clone();
        after.standing.capacity_rule = Some(assignable(tx, scope.tenant, rule)?);
        tx.update_user(scope.tenant, &before, &after)?;
        Ok(())
    })
}

fn r76_an_invalid_rule_is_kept_and_not_assigned(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let wrong = admin.post("/CapacityRules", &calls("Calls", 26)).expect(201);
    assert_eq!(wrong["validated"], false, "{}", wrong.story());
    assert_eq!(wrong["messages"], json!(["error: voice: maxCapacity must be from 0 to 25"]));
    let refused = assign(&server, &ada, "calls").unwrap_err().to_string();
    assert!(refused.starts_with("CapacityRuleInvalid"), "{refused}");
    assert!(assign(&server, &ada, "mail").unwrap_err().to_string().contains("there is no"));

    let path = format!("/CapacityRules/{}", wrong.id());
    let default = admin.patch(&path, &replace("default", true));
    let default = default.expect_error(400, Some("invalidValue"));
    let expected = json!({"code": "capacityRuleInvalid", "rule": "R76"});
    assert_eq!(default[HEADCOUNT_ERROR], expected);
    let right = admin.put(&path, &calls("Calls", 2)).expect(200);
    assert_eq!((&right["validated"], &right["messages"]), (&json!(true), &Value::Null));
    assign(&server, &ada, "calls").unwrap();
    // What the service says itself, no client says.
    let claimed = json!({"name": "Mail", "validated": true});
    assert_eq!(admin.post("/CapacityRules", &claimed).expect(201)["validated"], false);
}

fn r76_an_assigned_rule_is_neither_deleted_nor_made_invalid(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let path = format!("/CapacityRules/{}", rule(&admin, &calls("Calls", 2)));
    assign(&server, &ada, "Calls").unwrap();
    let in_use = json!({"code": "capacityRuleInUse", "rule": "R76"});
    let refused = admin.delete(&path).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR], in_use, "{}", refused.story());
    let refused = admin.put(&path, &calls("Calls", 26)).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR], in_use, "{}", refused.story());
    admin.put(&path, &calls("Calls", 3)).expect(200);
    admin.patch(&path, &replace("state", "disabled")).expect(200);
    scim.delete(&format!("/Users/{ada}")).expect(204);
    admin.delete(&path).expect(204);
}

fn r76_a_replaced_rule_is_deleted_and_every_account_is_logged(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let users = ["ada", "grace"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let old = rule(&admin, &calls("Old", 2));
    rule(&admin, &calls("New", 3));
    rule(&admin, &calls("Wrong", 26));
    for user in &users {
        assign(&server, user, "Old").unwrap();
    }
    let id = parse_id(&old).unwrap();
    let replace = |by: &'static str| {
        by_rule(&server, move |tx, context| {
            delete_replaced(tx, context, id, &Precondition::default(), by)
        })
    };
    for (by, code) in [
        ("Old", "CapacityRuleInUse"),
        ("Wrong", "CapacityRuleInvalid"),
        ("No", "UnknownCapacityRule"),
    ] {
        let refused = replace(by).unwrap_err().to_string();
        assert!(refused.starts_with(code), "{refused}");
    }
    replace("new").unwrap();
    admin.get(&format!("/CapacityRules/{old}")).expect_error(404, None);
    for user in &users {
        let id = parse_id(user).unwrap();
        let account = by_rule(&server, move |tx, context| Ok(tx.user(context.caller.scope(), id)?));
        let account = account.unwrap().unwrap();
        assert_eq!(account.standing.capacity_rule.unwrap().name, "New");
        assert_eq!(account.resource.version, 2);
    }
    server.command(&["verify-log"]).succeeded();
}

fn domain_2_9_at_most_one_rule_is_that_of_the_tenant(database: Database) {
    let (server, admin, _) = serve_nouns(database);
    let with_default = |name: &str, default: bool| {
        let mut body = calls(name, 1);
        body["default"] = default.into();
        body
    };
    let first = rule(&admin, &with_default("First", true));
    rule(&admin, &with_default("Other", false));
    let second = admin.post("/CapacityRules", &with_default("Second", true));
    let second = second.expect_error(409, None);
    assert_eq!(second[HEADCOUNT_ERROR]["code"], "defaultTaken");
    assert!(second["detail"].as_str().unwrap().contains("First"), "{}", second.story());
    admin.patch(&format!("/CapacityRules/{first}"), &replace("description", "x")).expect(200);
    let id = parse_id(&first).unwrap();
    let copied = by_rule(&server, move |tx, context| {
        accounts::objects::copy::<accounts::capacity_rules::CapacityRules>(
            tx,
            context,
            id,
            Some("Copy"),
        )
    });
    let attributes = copied.unwrap().attributes;
    assert_eq!(attributes.get("default"), None);
    assert_eq!(attributes.get("validated"), Some(&json!(true)));
    admin.patch(&format!("/CapacityRules/{first}"), &replace("default", false)).expect(200);
    rule(&admin, &with_default("Second", true));
}

fn domain_6_4_evaluate_says_which_rule_counts_and_why(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    rule(
        &admin,
        &json!({"name": "Chats", "mediaRules": [
        {"media": "chat", "maxCapacity": 3, "blockWhen": "email ge 1 and chat ge 1 or voice ge 1",
         "interruptedBy": "voice"},
        {"media": "voice"}]}),
    );
    let ask = |question: Value| {
        let question: Question = serde_json::from_value(question).unwrap();
        let answer = by_rule(&server, move |tx, context| evaluate(tx, context, &question));
        answer.map(|answer| answer.to_value()).map_err(|refusal| refusal.to_string())
    };
    for (question, accepted, reason) in [
        (json!({"rule": "chats", "media": "chat"}), true, Value::Null),
        (
            json!({"rule": "chats", "media": "Chat", "load": {"chat": 3}}),
            false,
            json!("there are 3 of at most 3"),
        ),
        (
            json!({"rule": "chats", "media": "chat", "load": {"email": 1, "chat": 1}}),
            false,
            json!("it is blocked while chat ge 1 and email ge 1"),
        ),
        (
            json!({"rule": "chats", "media": "email"}),
            false,
            json!("the rule has nothing for this medium"),
        ),
    ] {
        let answer = ask(question).unwrap();
        assert_eq!((&answer["accepted"], &answer["reason"]), (&accepted.into(), &reason));
        assert_eq!((&answer["rule"], &answer["source"]), (&json!("Chats"), &Value::Null));
    }
    let of_ada = |source: &str, rule: &str| {
        let answer = ask(json!({"user": ada, "media": "voice"})).unwrap();
        assert_eq!((&answer["source"], &answer["rule"]), (&json!(source), &json!(rule)));
    };
    of_ada("fallback", "default");
    let mut default = calls("Everybody", 1);
    default["default"] = true.into();
    rule(&admin, &default);
    of_ada("tenant", "Everybody");
    assign(&server, &ada, "Chats").unwrap();
    of_ada("user", "Chats");
    let chats = admin.filter("/CapacityRules", "name eq \"Chats\"").expect(200);
    let chats = format!("/CapacityRules/{}", chats["Resources"][0]["id"].as_str().unwrap());
    admin.patch(&chats, &replace("state", "disabled")).expect(200);
    of_ada("tenant", "Everybody");
    for wrong in [
        json!({"media": "voice"}),
        json!({"media": "voice", "rule": "Chats", "user": ada}),
        json!({"media": "a b", "rule": "Chats"}),
        json!({"media": "voice", "rule": "Nobody's"}),
        json!({"media": "voice", "rule": "Chats", "load": {"voice": -1}}),
    ] {
        assert!(ask(wrong.clone()).is_err(), "{wrong}");
    }
}
