//! The ledgers: of changes (rule R81) and of login identities (rules R1 to R6).

use accounts::identity::{Claim, ClaimKind};
use accounts::{Actor, Code, Context, Precondition, Refusal, Source, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Raw, TestDatabase, World, context, edits, group, on_each_database, strict_body,
    user,
};

fn any() -> Precondition {
    Precondition::default()
}

/// What the change log has of users and groups, in order: `User create 1` and so on.
fn entries(database: &mut Raw) -> Vec<String> {
    let query = "SELECT resource_type || ' ' || action || ' ' || version AS value \
                 FROM change_log WHERE resource_type IN ('User', 'Group') ORDER BY id";
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
    assert_eq!(left, ["Group update 6", "User tombstone 2"]);
    let deleted = appended(&world, &mut raw, move |tx| {
        accounts::groups::delete(tx, &context(), team, &any())
    });
    assert_eq!(deleted, ["Group tombstone 7"]);
}

/// What the entries of a resource say, in order.
fn changes(database: &mut Raw, id: Uuid) -> Vec<Value> {
    let id = database.kind().id(id);
    let query = format!(
        "SELECT CAST(changes AS text) AS value FROM change_log WHERE resource_id = {id} \
         ORDER BY version"
    );
    let texts = database.texts(&query);
    texts.iter().map(|text| serde_json::from_str(text).expect("it is JSON")).collect()
}

fn r81_a_group_has_an_entry_of_its_own_for_each_member_that_is_deleted(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let ada = world.create_user(user("ada")).expect("she is new");
    let inner = world.create_group(group("inner", &[ada])).expect("it is new");
    let outer = world.create_group(group("outer", &[ada, inner])).expect("it is new");
    let left =
        appended(&world, &mut raw, move |tx| accounts::users::delete(tx, &context(), ada, &any()));
    assert_eq!(left, ["Group update 2", "Group update 2", "User tombstone 2"]);
    let left = appended(&world, &mut raw, move |tx| {
        accounts::groups::delete(tx, &context(), inner, &any())
    });
    assert_eq!(left, ["Group update 3", "Group tombstone 3"]);

    let gone = |id: Uuid| json!([{"attribute": "members", "old": [{"value": id}], "new": null}]);
    assert_eq!(changes(&mut raw, outer)[1..], [gone(ada), gone(inner)]);
    assert_eq!(changes(&mut raw, inner)[1], gone(ada));
    let groups = |ids: &[Uuid]| {
        let ids: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        json!({"attribute": "groups", "old": ids, "new": null})
    };
    let last = |entries: Vec<Value>| entries.last().and_then(Value::as_array).cloned();
    assert_eq!(last(changes(&mut raw, ada)).unwrap().last(), Some(&groups(&[inner, outer])));
    assert_eq!(last(changes(&mut raw, inner)).unwrap().last(), Some(&groups(&[outer])));
}

fn r81_an_entry_says_who_did_what_by_which_way_and_why(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let ada = world.create_user(user("ada")).expect("she is new");
    world.create_group(group("team", &[ada])).expect("it is new");
    let asked = Context {
        actor: Actor::Account(ada),
        source: Source::Admin,
        reason: Some("left us".into()),
        ..context()
    };
    let request = asked.request;
    let delete = move |tx: &mut dyn Tx| accounts::users::delete(tx, &asked, ada, &any());
    world.write(delete).expect("she is there");
    let query = |column: &str, whose: &str| {
        format!(
            "SELECT {column} AS value FROM change_log WHERE resource_type = '{whose}' \
             ORDER BY version"
        )
    };
    let who = "source || ' ' || actor_type || ' ' || COALESCE(reason, '-') || ' ' || \
               COALESCE(rule, '-')";
    let ours = "scim scimClient - -";
    assert_eq!(raw.texts(&query(who, "User")), [ours, "admin account left us -"]);
    // The reason is about Ada, and not the group's.
    assert_eq!(raw.texts(&query(who, "Group")), [ours, "admin account - R51"]);
    let id = |id: Uuid| match database.kind {
        Kind::Sqlite => id.simple().to_string(),
        Kind::Postgres => id.to_string(),
    };
    let ids = match database.kind {
        Kind::Sqlite => "lower(hex(actor_id) || ' ' || hex(request_id))",
        Kind::Postgres => "actor_id || ' ' || request_id",
    };
    let expected = format!("{} {}", id(ada), id(request));
    assert_eq!(raw.texts(&query(ids, "User"))[1], expected);
    assert_eq!(raw.texts(&query(ids, "Group"))[1], expected);
}

fn r64_r81_a_password_is_nowhere_in_the_database(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let mut body = user("ada");
    body.insert("password".to_owned(), json!("Tr0ub4dor"));
    let ada = world.create_user(body.clone()).expect("she is new");
    world.write(patch_user(ada, set("password", "Tr0ub4dor&3"))).expect("it is taken");
    body.insert("title".to_owned(), json!("Countess"));
    let put = move |tx: &mut dyn Tx| {
        accounts::users::replace(tx, &context(), ada, &any(), body.clone(), &[])
    };
    world.write(put).expect("it is taken");
    assert!(!raw.places_of("Countess").is_empty(), "what is there is found");
    assert!(raw.places_of("Tr0ub4dor").is_empty());
}

fn r81_no_version_has_two_entries(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    world.create_user(user("ada")).expect("she is new");
    let id = database.kind.id(Uuid::from_u128(99));
    let columns = raw.columns("change_log").join(", ");
    let copied = columns.replacen("tenant_id, id", &format!("tenant_id, {id}"), 1);
    let copy = format!(
        "INSERT INTO change_log ({columns}) SELECT {copied} FROM change_log \
                        WHERE resource_type = 'User'"
    );
    let error = raw.execute(&copy).expect_err("it is refused");
    assert!(error.to_lowercase().contains("unique"), "{error}");
    assert_eq!(entries(&mut raw), ["User create 1"]);
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
    let claims = "SELECT users.user_name_key || ' ' || kind AS value FROM identity_claims \
                  JOIN users ON users.id = user_id ORDER BY 1";
    let before = raw.texts(claims);
    assert_eq!(before, ["ada userName", "bob userName"]);

    let error = raw.execute("DELETE FROM identity_claims").expect_err("it is refused");
    assert!(error.contains("never deleted"), "{error}");
    let of = |name: &str| format!("(SELECT id FROM users WHERE user_name_key = '{name}')");
    // Bob is given Ada's name.
    let (ada, bob) = (of("ada"), of("bob"));
    let steal = format!("UPDATE identity_claims SET user_id = {bob} WHERE user_id = {ada}");
    let error = raw.execute(&steal).expect_err("it is refused");
    assert!(error.contains("never change their account"), "{error}");
    // Ada's name is freed by giving her another.
    let other = database.kind.zeros(32);
    let free = format!("UPDATE identity_claims SET value_hash = {other} WHERE user_id = {ada}");
    let error = raw.execute(&free).expect_err("it is refused");
    assert!(error.contains("never change their account"), "{error}");
    if database.kind == Kind::Postgres {
        let error = raw.execute("TRUNCATE identity_claims").expect_err("it is refused");
        assert!(error.contains("never deleted"), "{error}");
    }
    assert_eq!(raw.texts(claims), before);

    raw.execute("UPDATE identity_claims SET is_current = false").expect("that may change");
    raw.execute("UPDATE identity_claims SET burned = true").expect("that may change");
    let error = raw.execute("UPDATE identity_claims SET burned = false").expect_err("not back");
    assert!(error.contains("stay burned"), "{error}");
    let error = raw.execute("DELETE FROM identity_claims").expect_err("it is refused");
    assert!(error.contains("never deleted"), "{error}");
    assert_eq!(raw.texts(claims), before);
}

fn r51_the_database_itself_refuses_to_delete_a_user(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    world.create_user(user("ada")).expect("she is new");
    let delete = ["DELETE FROM users", "TRUNCATE users CASCADE"];
    for statement in &delete[..if database.kind == Kind::Postgres { 2 } else { 1 }] {
        let error = raw.execute(statement).expect_err("it is refused");
        assert!(error.contains("never deleted"), "{statement}: {error}");
    }
    assert_eq!(raw.texts("SELECT user_name_key AS value FROM users"), ["ada"]);
}

/// What is told first is what another's account keeps for ever.
fn r1_r3_r7_what_keeps_an_account_from_being_added_is_told(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let body = |name: &str, address: &str, external: &str| {
        let mut body = user(name);
        body.insert("emails".to_owned(), json!([{"value": address, "type": "work"}]));
        body.insert("externalId".to_owned(), json!(external));
        body
    };
    world.create_user(body("ada", "ada@a.example", "1")).expect("she is new");
    for (name, address, external, expected) in [
        ("Ada", "ada@a.example", "1", Code::UserNameTaken),
        ("bob", "Ada@a.example", "1", Code::IdentityReserved),
        ("bob", "bob@a.example", "1", Code::ExternalIdTaken),
    ] {
        let refused = world.create_user(body(name, address, external));
        assert_eq!(code(refused), expected, "{name} {address} {external}");
    }
    assert_eq!(raw.texts("SELECT user_name_key AS value FROM users"), ["ada"]);
    world.create_user(body("bob", "bob@a.example", "2")).expect("nothing of him is left");
}

/// The code of a refusal.
fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    match result {
        Err(Refusal::Rule { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn release(value: &'static str) -> impl Fn(&mut dyn Tx) -> Result<(), Refusal> {
    move |tx| accounts::identity::release(tx, &context(), value)
}

fn r5_a_name_that_nobody_worked_under_is_released_for_others(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let mistyped = strict_body(
        ResourceType::user(),
        json!({"userName": "ada@x.exmaple", "emails": [{"value": "ada@x.exmaple", "type": "work"}]}),
    );
    let ada = world.create_user(mistyped).expect("she is new");
    assert_eq!(code(world.write(release("ada@x.exmaple"))), Code::ClaimInUse);
    assert_eq!(code(world.write(release("nobody@x.example"))), Code::NotFound);

    world.write(patch_user(ada, set("userName", "ada@x.example"))).expect("it is free");
    assert_eq!(code(world.create_user(user("ADA@x.exmaple"))), Code::UserNameTaken);
    let before = entries(&mut raw);
    // The address is hers still, and so the name is not released either.
    assert_eq!(code(world.write(release("ada@x.exmaple"))), Code::ClaimInUse);
    assert_eq!(entries(&mut raw), before);

    let emails = json!([{"value": "ada@x.example", "type": "work"}]);
    world.write(patch_user(ada, set("emails", emails))).expect("it is free");
    let found = appended(&world, &mut raw, release(" Ada@X.EXMAPLE"));
    assert_eq!(found, ["User release 4"]);
    let released = |kind: &str| {
        let old = json!({"kind": kind, "value": "ada@x.exmaple"});
        json!({"attribute": "identity", "old": old, "new": null})
    };
    assert_eq!(changes(&mut raw, ada)[3], json!([released("userName"), released("email")]));
    assert_eq!(code(world.write(release("ada@x.exmaple"))), Code::NotFound);
    let other = world.create_user(user("ada@x.exmaple")).expect("it is free");
    let back = world.write(patch_user(ada, set("userName", "ada@x.exmaple")));
    assert_eq!(code(back), Code::UserNameTaken, "it is the other's now");
    let owners = world.read(|tx| {
        let names = ["ada@x.exmaple", "ada@x.example", "nobody"];
        tx.owners(CALLER.tenant, &names.map(|name| named(ClaimKind::UserName, name)))
    });
    let [corrected, mistyped] =
        ["ada@x.example", "ada@x.exmaple"].map(|name| named(ClaimKind::UserName, name));
    assert_eq!(owners.expect("it can be read"), [(corrected, ada), (mistyped, other)]);
}

fn named(kind: ClaimKind, key: &str) -> Claim {
    Claim { kind, key: key.to_owned() }
}

fn r5_a_name_of_an_account_that_was_deactivated_or_deleted_is_burned(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    world.write(patch_user(ada, set("active", false))).expect("she is active");
    world.write(patch_user(ada, set("userName", "lovelace"))).expect("it is free");
    assert_eq!(code(world.write(release("ada"))), Code::ClaimBurned);

    // Without ever having been deactivated.
    let bob = world.create_user(user("bob")).expect("he is new");
    world.write(move |tx| accounts::users::delete(tx, &context(), bob, &any())).expect("he is");
    assert_eq!(code(world.write(release("bob"))), Code::ClaimBurned);

    for name in ["ada", "bob"] {
        assert_eq!(code(world.create_user(user(name))), Code::UserNameTaken);
    }
}

on_each_database!(
    r81_every_effective_change_of_a_user_is_one_entry,
    r81_every_effective_change_of_a_group_is_one_entry,
    r81_a_group_has_an_entry_of_its_own_for_each_member_that_is_deleted,
    r64_r81_a_password_is_nowhere_in_the_database,
    r81_an_entry_says_who_did_what_by_which_way_and_why,
    r81_no_version_has_two_entries,
    r81_a_refused_change_is_no_entry,
    r81_the_database_itself_refuses_to_rewrite_the_change_log,
    r1_the_database_itself_refuses_to_give_an_identity_away,
    r51_the_database_itself_refuses_to_delete_a_user,
    r1_r3_r7_what_keeps_an_account_from_being_added_is_told,
    r5_a_name_that_nobody_worked_under_is_released_for_others,
    r5_a_name_of_an_account_that_was_deactivated_or_deleted_is_burned,
);
