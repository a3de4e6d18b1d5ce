//! The ledgers: of changes (rule R81) and of login identities (rules R1 to R6).

use accounts::{Precondition, Refusal, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Kind, Raw, TestDatabase, World, context, edits, group, on_each_database, user,
};

fn any() -> Precondition {
    Precondition::default()
}

/// What the change log has, in order: `User create 1` and so on.
fn entries(database: &mut Raw) -> Vec<String> {
    let query = "SELECT resource_type || ' ' || action || ' ' || version AS value \
                 FROM change_log ORDER BY id";
    database.texts(query)
}

/// Runs a unit, and says what it appended to the change log.
fn appended<T: Send + 'static>(
    world: &World,
    raw: &mut Raw,
    unit: impl Fn(&mut dyn Tx) -> Result<T, Refusal> + Send + 'static,
) -> Vec<String> {
    let before = entries(raw);
    assert!(world.write(unit).is_ok(), "the unit succeeds");
    let mut after = entries(raw);
    let new = after.split_off(before.len());
    assert_eq!(after, before, "what is written stays");
    new
}

fn patch_user(id: Uuid, operation: Value) -> impl Fn(&mut dyn Tx) -> Result<i64, Refusal> {
    move |tx| {
        let edits = edits(ResourceType::user(), &operation);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        Ok(accounts::users::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?.version)
    }
}

fn patch_group(id: Uuid, operation: Value) -> impl Fn(&mut dyn Tx) -> Result<i64, Refusal> {
    move |tx| {
        let edits = edits(ResourceType::group(), &operation);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        Ok(accounts::groups::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?.version)
    }
}

fn set(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "replace", "path": path, "value": value.into()})
}

fn r81_every_effective_change_of_a_user_is_one_entry(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let ada = world.create_user(user("ada")).expect("she is new");
    assert_eq!(entries(&mut raw), ["User create 1"]);

    for (operation, entry) in [
        (set("title", "Head"), Some("User update 2")),
        (set("title", "Head"), None),
        (set("userName", "ada.lovelace"), Some("User update 3")),
        (set("active", true), None),
        (set("active", false), Some("User deactivate 4")),
        (set("active", false), None),
        (set("active", true), Some("User activate 5")),
        (set("externalId", "x-1"), Some("User update 6")),
        (json!({"op": "remove", "path": "nickName"}), None),
    ] {
        let found = appended(&world, &mut raw, patch_user(ada, operation.clone()));
        assert_eq!(found, Vec::from_iter(entry), "{operation}");
    }

    let body = user("ada.lovelace");
    let same = body.clone();
    let replaced = appended(&world, &mut raw, move |tx| {
        accounts::users::replace(tx, &context(), ada, &any(), body.clone(), &[])
    });
    assert_eq!(replaced, ["User update 7"]);
    let unchanged = appended(&world, &mut raw, move |tx| {
        accounts::users::replace(tx, &context(), ada, &any(), same.clone(), &[])
    });
    assert!(unchanged.is_empty(), "{unchanged:?}");

    let deleted =
        appended(&world, &mut raw, move |tx| accounts::users::delete(tx, &context(), ada, &any()));
    assert_eq!(deleted, ["User tombstone 8"]);
}

fn r81_every_effective_change_of_a_group_is_one_entry(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let team = world.create_group(group("team", &[ada])).expect("it is new");
    assert_eq!(entries(&mut raw), ["User create 1", "User create 1", "Group create 1"]);

    let member = |id: Uuid| json!([{"value": id}]);
    let add = |id: Uuid| json!({"op": "add", "path": "members", "value": member(id)});
    let remove = |id: Uuid| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    for (operation, entry) in [
        (add(ada), None),
        (add(bob), Some("Group update 2")),
        (remove(bob), Some("Group update 3")),
        (remove(bob), None),
        (set("members", member(ada)), None),
        (set("members", member(bob)), Some("Group update 4")),
        (set("displayName", "crew"), Some("Group update 5")),
        (set("displayName", "crew"), None),
    ] {
        let found = appended(&world, &mut raw, patch_group(team, operation.clone()));
        assert_eq!(found, Vec::from_iter(entry), "{operation}");
    }

    let left =
        appended(&world, &mut raw, move |tx| accounts::users::delete(tx, &context(), bob, &any()));
    assert_eq!(left, ["User tombstone 2"]);
    let deleted = appended(&world, &mut raw, move |tx| {
        accounts::groups::delete(tx, &context(), team, &any())
    });
    // The sixth version is the one without Bob, of which his own entry tells.
    assert_eq!(deleted, ["Group tombstone 7"]);
}

fn r81_a_refused_change_is_no_entry(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let ada = world.create_user(user("ada")).expect("she is new");
    world.create_user(user("bob")).expect("he is new");
    let before = entries(&mut raw);
    assert!(world.create_user(user("ADA")).is_err());
    assert!(world.write(patch_user(ada, set("userName", "bob"))).is_err());
    assert!(world.create_group(group("team", &[Uuid::nil()])).is_err());
    assert_eq!(entries(&mut raw), before);
}

fn r81_the_database_itself_refuses_to_rewrite_the_change_log(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    world.create_user(user("ada")).expect("she is new");
    for statement in [
        "UPDATE change_log SET action = 'update'",
        "UPDATE change_log SET version = version",
        "DELETE FROM change_log",
    ] {
        let error = raw.execute(statement).expect_err(statement);
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert_eq!(entries(&mut raw), ["User create 1"]);
}

fn r1_the_database_itself_refuses_to_give_an_identity_away(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    world.create_user(user("ada")).expect("she is new");
    world.create_user(user("bob")).expect("he is new");
    let claims = "SELECT value_key || ' ' || kind AS value FROM identity_claims ORDER BY 1";
    let before = raw.texts(claims);
    assert_eq!(before, ["ada userName", "bob userName"]);

    let error = raw.execute("DELETE FROM identity_claims").expect_err("it is refused");
    assert!(error.contains("never deleted"), "{error}");
    // Bob is given Ada's name.
    let steal = "UPDATE identity_claims SET user_id = \
                 (SELECT user_id FROM identity_claims WHERE value_key = 'bob') \
                 WHERE value_key = 'ada'";
    let error = raw.execute(steal).expect_err("it is refused");
    assert!(error.contains("never change their account"), "{error}");
    // Ada's name is freed by giving her another.
    let free = "UPDATE identity_claims SET value_key = 'x' WHERE value_key = 'ada'";
    let error = raw.execute(free).expect_err("it is refused");
    assert!(error.contains("never change their account"), "{error}");
    if database.kind == Kind::Postgres {
        let error = raw.execute("TRUNCATE identity_claims").expect_err("it is refused");
        assert!(error.contains("never deleted"), "{error}");
    }
    assert_eq!(raw.texts(claims), before);

    let renew = match database.kind {
        Kind::Sqlite => "UPDATE identity_claims SET is_current = 0",
        Kind::Postgres => "UPDATE identity_claims SET is_current = false",
    };
    raw.execute(renew).expect("the rest of a claim may change");
}

on_each_database!(
    r81_every_effective_change_of_a_user_is_one_entry,
    r81_every_effective_change_of_a_group_is_one_entry,
    r81_a_refused_change_is_no_entry,
    r81_the_database_itself_refuses_to_rewrite_the_change_log,
    r1_the_database_itself_refuses_to_give_an_identity_away,
);
