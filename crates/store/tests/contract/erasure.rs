//! Erasure (rule R59): what is left of a person, and what is not.

use accounts::{Actor, Code, Context, Precondition, Refusal, Scope, Source, Tx, erase};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use store::DatabaseUrl;
use uuid::Uuid;

use crate::harness::{
    CALLER, Raw, TestDatabase, World, context, edits, group, on_each_database, strict_body, user,
};
use crate::tampering::findings;

/// All that is personal has one of these; the last is an identifier of another connection.
const PERSONAL: [&str; 5] = ["Quixote", "Zebulon", "zq77", "555-0199", "other-ext-9"];

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const NAME: &str = "Zebulon.Quixote@x.example";

fn any() -> Precondition {
    Precondition::default()
}

fn patch(id: Uuid, operation: Value) -> impl Fn(&mut dyn Tx) -> Result<(), Refusal> {
    move |tx| {
        let edits = edits(ResourceType::user(), &operation);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        accounts::users::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?;
        Ok(())
    }
}

fn delete(id: Uuid) -> impl Fn(&mut dyn Tx) -> Result<(), Refusal> {
    move |tx| accounts::users::delete(tx, &context(), id, &any())
}

fn by_admin() -> Context {
    let (actor, reason) = (Actor::Account(Uuid::from_u128(5)), Some("request 17".into()));
    Context { actor, source: Source::Admin, reason, ..context() }
}

fn erased(id: Uuid) -> impl Fn(&mut dyn Tx) -> Result<(), Refusal> {
    move |tx| erase::erase(tx, &by_admin(), id)
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    match result {
        Err(Refusal::Rule { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

/// A person with a history, a group and identifiers of two connections; deleted.
fn deleted_person(world: &World) -> Uuid {
    let body = strict_body(
        ResourceType::user(),
        json!({
            "userName": NAME, "externalId": "zq77", "displayName": "Zebulon Q. Quixote",
            "name": {"givenName": "Zebulon", "familyName": "Quixote"}, "nickName": "Zebulon",
            "emails": [{"value": NAME, "type": "work"}, {"value": "zq77@home.example"}],
            "phoneNumbers": [{"value": "+1 555-0199"}],
            "addresses": [{"streetAddress": "1 Quixote Road", "locality": "Zebulon"}],
            ENTERPRISE: {"employeeNumber": "zq77", "department": "Sales"},
        }),
    );
    let id = world.create_user(body).expect("the person is new");
    world.create_group(group("team", &[id])).expect("it is new");
    let other = Scope { connection: Uuid::from_u128(9), ..CALLER.scope() };
    world
        .write(move |tx| tx.set_external_id(other, "User", id, Some("other-ext-9")))
        .expect("it is free");
    for (path, value) in [
        ("userName", json!("Quixote")),
        ("title", json!("Knight Zebulon")),
        ("active", json!(false)),
        ("emails", json!([{"value": "zebulon@x.example", "type": "work"}])),
    ] {
        let operation = json!({"op": "replace", "path": path, "value": value});
        world.write(patch(id, operation)).expect("it is free");
    }
    let asked = Context { reason: Some("Zebulon left".into()), ..by_admin() };
    world
        .write(move |tx| accounts::users::delete(tx, &asked, id, &any()))
        .expect("the person is there");
    id
}

fn places(raw: &mut Raw) -> Vec<String> {
    PERSONAL.iter().flat_map(|text| raw.places_of(text)).collect()
}

fn r59_nothing_of_the_person_is_left_in_any_table(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let id = deleted_person(&world);
    let before = places(&mut raw);
    for place in ["users.document", "users.search", "user_emails.value_key", "change_log.changes"] {
        assert!(before.iter().any(|found| found == place), "{place}: {before:?}");
    }
    for place in ["external_ids.external_id", "change_log.reason", "users.user_name_key"] {
        assert!(before.iter().any(|found| found == place), "{place}: {before:?}");
    }
    assert!(!before.iter().any(|found| found.starts_with("identity_claims")), "{before:?}");

    let (who, tenant) = (database.kind.id(id), database.kind.id(CALLER.tenant));
    let reported = format!(
        "INSERT INTO dependencies VALUES ({tenant}, {who}, 'groupOwner', 'Zebulon', 'dormant')"
    );
    raw.execute(&reported).expect("the account is there");
    world.write(erased(id)).expect("the account is deleted");
    assert_eq!(places(&mut raw), Vec::<String>::new());
    let left = format!(
        "SELECT action || ' ' || version || ' ' || source || ' ' || COALESCE(reason, '-') \
         || ' ' || COALESCE(CAST(changes AS text), '-') AS value FROM change_log \
         WHERE resource_id = {who} ORDER BY version"
    );
    assert_eq!(
        raw.texts(&left),
        [
            "create 1 scim - -",
            "update 2 scim - -",
            "update 3 scim - -",
            "deactivate 4 scim - -",
            "update 5 scim - -",
            "tombstone 6 admin - -",
            "erase 7 admin request 17 []",
        ]
    );
    assert!(findings(&world).0.is_empty(), "and the log is as it was written");

    let DatabaseUrl::Sqlite(path) = &database.url else { return };
    // Nor in the file, once it is closed.
    drop((world, raw));
    let bytes = std::fs::read(path).expect("it is there");
    let file = String::from_utf8_lossy(&bytes).to_lowercase();
    assert!(file.contains("create table"));
    for text in PERSONAL {
        assert!(!file.contains(&text.to_lowercase()), "{text}");
    }
}

fn r59_r3_the_names_of_an_erased_account_stay_taken(database: &TestDatabase) {
    let world = World::on(database);
    let id = deleted_person(&world);
    world.write(erased(id)).expect("the account is deleted");
    for name in [NAME, "zebulon.QUIXOTE@X.example", "quixote"] {
        assert_eq!(code(world.create_user(user(name))), Code::UserNameTaken, "{name}");
    }
    for address in ["ZEBULON@x.example", "zebulon.QUIXOTE@X.example"] {
        let body = json!({"userName": "other", "emails": [{"value": address, "type": "work"}]});
        let body = strict_body(ResourceType::user(), body);
        assert_eq!(code(world.create_user(body)), Code::IdentityReserved, "{address}");
    }
    for name in ["quixote", NAME] {
        let release = world.write(move |tx| accounts::identity::release(tx, &by_admin(), name));
        assert_eq!(code(release), Code::ClaimBurned, "{name}");
    }
    let theirs =
        strict_body(ResourceType::user(), json!({"userName": "other", "externalId": "zq77"}));
    world.create_user(theirs).expect("the externalId is nobody's now");
}

fn r59_only_what_was_deleted_is_erased_and_once(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    assert_eq!(code(world.write(erased(Uuid::from_u128(404)))), Code::NotFound);
    let ada = world.create_user(user("ada")).expect("she is new");
    assert_eq!(code(world.write(erased(ada))), Code::IllegalTransition);
    let inactive = json!({"op": "replace", "path": "active", "value": false});
    world.write(patch(ada, inactive)).expect("she is active");
    assert_eq!(code(world.write(erased(ada))), Code::IllegalTransition);
    world.write(delete(ada)).expect("she is there");
    let foreign = world.write(move |tx| {
        let tenant = Uuid::from_u128(404);
        let context = by_admin();
        let caller = accounts::Caller { tenant, ..context.caller };
        erase::erase(tx, &Context { caller, ..context }, ada)
    });
    assert_eq!(code(foreign), Code::NotFound);
    assert!(!raw.places_of("\"new\":\"ada\"").is_empty(), "nothing was erased so far");
    world.write(erased(ada)).expect("she is deleted");
    assert_eq!(code(world.write(erased(ada))), Code::IllegalTransition);
    assert_eq!(code(world.write(delete(ada))), Code::NotFound);
    let account = world.write(move |tx| tx.account_for_update(CALLER.scope(), ada));
    let account = account.expect("it can be read").expect("it is there");
    assert!(
        account.standing.tombstoned.is_some()
            && account.standing.erased > account.standing.tombstoned
    );
    assert!(account.resource.attributes.is_empty() && account.resource.version == 4);
}

fn r59_the_database_itself_lets_only_what_is_erased_be_forgotten(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let (ada, gone) = (world.create_user(user("ada")).expect("new"), deleted_person(&world));
    let forget = "UPDATE change_log SET changes = NULL, reason = NULL";
    for statement in [forget.to_owned(), forget_of(database, ada), forget_of(database, gone)] {
        let error = raw.execute(&statement).expect_err("it is refused");
        assert!(error.contains("append-only"), "{error}");
    }
    world.write(erased(gone)).expect("the account is deleted");
    raw.execute(&forget_of(database, gone)).expect("it may be forgotten");
    for more in [
        "changes = '[]'",
        "changes = NULL, reason = 'x'",
        "changes = NULL, reason = NULL, rule = 'R1'",
        "changes = NULL, reason = NULL, version = version + 1",
        "changes = NULL, reason = NULL, actor_id = NULL",
        "changes = NULL, reason = NULL, mac = changes_digest",
    ] {
        let who = database.kind.id(gone);
        let statement = format!("UPDATE change_log SET {more} WHERE resource_id = {who}");
        let error = raw.execute(&statement).expect_err(more);
        assert!(error.contains("append-only"), "{more}: {error}");
    }
    // That the last entry is empty now is not what erasing does.
    assert_eq!(findings(&world).0.len(), 1);
}

fn forget_of(database: &TestDatabase, id: Uuid) -> String {
    let id = database.kind.id(id);
    format!("UPDATE change_log SET changes = NULL, reason = NULL WHERE resource_id = {id}")
}

on_each_database!(
    r59_nothing_of_the_person_is_left_in_any_table,
    r59_r3_the_names_of_an_erased_account_stay_taken,
    r59_only_what_was_deleted_is_erased_and_once,
    r59_the_database_itself_lets_only_what_is_erased_be_forgotten,
);
