//! What is done to the change log past the service is found out (rule R81).

use accounts::ledger::{Audit, audit};
use accounts::{Precondition, Refusal, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Raw, TestDatabase, World, context, edits, group, on_each_database, user,
};

/// What an audit finds, in the order in which it is found, and at how many entries it looked.
pub(crate) fn findings(world: &World) -> (Vec<String>, u64) {
    let (mut at, mut findings) = (Audit::default(), Vec::new());
    while !at.is_over() {
        let next = at.clone();
        let (then, found) = world
            .read(move |tx| audit(tx, CALLER.tenant, next.clone()))
            .expect("the log can be read");
        findings.extend(found.iter().map(ToString::to_string));
        at = then;
    }
    (findings, at.entries)
}

fn set_title(id: Uuid, title: &str) -> impl Fn(&mut dyn Tx) -> Result<(), Refusal> + use<> {
    let operation = json!({"op": "replace", "path": "title", "value": title});
    move |tx| {
        let edits = edits(ResourceType::user(), &operation);
        let (any, mut leniencies) = (Precondition::default(), Leniencies::new(Dialect::Strict));
        accounts::users::patch(tx, &context(), id, &any, &edits, &mut leniencies)?;
        Ok(())
    }
}

/// Takes away what keeps others from rewriting the log.
fn disarm(raw: &mut Raw) {
    let statements: &[&str] = match raw.kind() {
        Kind::Sqlite => {
            &["DROP TRIGGER change_log_is_kept", "DROP TRIGGER change_log_is_not_edited"]
        }
        Kind::Postgres => &["ALTER TABLE change_log DISABLE TRIGGER USER"],
    };
    for statement in statements {
        raw.execute(statement).expect("it is there");
    }
}

/// A team with Ada, whose title was changed twice, and Bob, who was deleted; seven entries.
struct Scene {
    world: World,
    raw: Raw,
    kind: Kind,
    ada: Uuid,
    bob: Uuid,
    team: Uuid,
}

impl Scene {
    fn on(database: &TestDatabase) -> Self {
        let world = World::on(database);
        let ada = world.create_user(user("ada")).expect("she is new");
        let bob = world.create_user(user("bob")).expect("he is new");
        let team = world.create_group(group("team", &[ada, bob])).expect("it is new");
        for title in ["Countess", "Analyst"] {
            world.write(set_title(ada, title)).expect("she is there");
        }
        let any = Precondition::default();
        world
            .write(move |tx| accounts::users::delete(tx, &context(), bob, &any))
            .expect("he is there");
        let mut raw = database.raw();
        disarm(&mut raw);
        Self { world, raw, kind: database.kind, ada, bob, team }
    }

    /// Does something to the log, looks what is found, and takes it back.
    fn found_after(&mut self, statement: &str) -> Vec<String> {
        let copy = "CREATE TABLE kept AS SELECT * FROM change_log";
        self.raw.execute(copy).expect("it is copied");
        self.raw.execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        let (found, _) = findings(&self.world);
        for statement in [
            "DELETE FROM change_log",
            "INSERT INTO change_log SELECT * FROM kept",
            "DROP TABLE kept",
        ] {
            self.raw.execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        assert!(findings(&self.world).0.is_empty(), "what was done is taken back");
        found
    }

    fn entry(&self, resource: Uuid, version: i64) -> String {
        format!("resource_id = {} AND version = {version}", self.kind.id(resource))
    }
}

fn r81_a_log_that_nobody_touched_is_whole(database: &TestDatabase) {
    let of_tenant = findings(&World::on(database)).1;
    assert!(of_tenant > 0, "a tenant begins with resources, such as roles");
    let scene = Scene::on(database);
    assert_eq!(findings(&scene.world), (Vec::new(), of_tenant + 7));
}

fn r81_whatever_is_changed_in_an_entry_is_found(database: &TestDatabase) {
    let mut scene = Scene::on(database);
    let (id, at) = match database.kind {
        Kind::Sqlite => (scene.kind.id(Uuid::from_u128(7)), "at + 1"),
        Kind::Postgres => (scene.kind.id(Uuid::from_u128(7)), "at + interval '1 microsecond'"),
    };
    let zeros = scene.kind.zeros(32);
    let mut columns = scene.raw.columns("change_log");
    for (column, value) in [
        ("id", id.as_str()),
        ("at", at),
        ("actor_type", "'account'"),
        ("actor_id", &id),
        ("actor_id", "NULL"),
        ("source", "'admin'"),
        ("request_id", &id),
        ("action", "'activate'"),
        ("resource_type", "'Group'"),
        ("rule", "'R1'"),
        ("rule", "''"),
        ("reason", "'because'"),
        ("reason", "''"),
        ("changes", "'[]'"),
        ("changes", "NULL"),
        ("changes_digest", &zeros),
        ("mac", &zeros),
    ] {
        columns.retain(|name| name != column);
        let entry = scene.entry(scene.ada, 3);
        let found =
            scene.found_after(&format!("UPDATE change_log SET {column} = {value} WHERE {entry}"));
        let prefix = match column {
            // No group has the identifier.
            "resource_type" => format!("surplus: Group {} version 3, entry", scene.ada),
            _ => format!("changed: User {} version 3, entry", scene.ada),
        };
        assert_eq!(found.len(), 1, "{column} = {value}: {found:?}");
        assert!(found[0].starts_with(&prefix), "{column} = {value}: {found:?}");
    }
    let role = "action = 'create' WHERE resource_type = 'Role' AND action = 'create'";
    let found = scene.found_after(&format!("UPDATE change_log SET actor_id = {id}, {role}"));
    assert!(!found.is_empty() && found.iter().all(|found| found.starts_with("changed: Role")));
    // To change these is to take the entry away from where it was.
    assert_eq!(columns, ["tenant_id", "resource_id", "version"]);
    let (entry, team) = (scene.entry(scene.ada, 3), scene.kind.id(scene.team));
    let missing = format!("missing: User {} version 3", scene.ada);
    let elsewhere = [
        format!("UPDATE change_log SET tenant_id = {id} WHERE {entry}"),
        format!("UPDATE change_log SET resource_id = {team} WHERE {entry}"),
        format!("UPDATE change_log SET version = 9 WHERE {entry}"),
    ];
    for statement in elsewhere {
        let found = scene.found_after(&statement);
        assert!(found.contains(&missing), "{statement}: {found:?}");
    }
}

fn r81_a_seal_is_part_of_that_of_the_next_entry(database: &TestDatabase) {
    let mut scene = Scene::on(database);
    let entry = scene.entry(scene.ada, 2);
    let zeros = scene.kind.zeros(32);
    let found = scene.found_after(&format!("UPDATE change_log SET mac = {zeros} WHERE {entry}"));
    let changed = |version: i64| format!("changed: User {} version {version}", scene.ada);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with(&changed(2)) && found[1].starts_with(&changed(3)), "{found:?}");
}

fn r81_a_missing_entry_is_found(database: &TestDatabase) {
    let mut scene = Scene::on(database);
    let Scene { ada, bob, team, .. } = scene;
    for (resource, version, finding) in [
        (ada, 1, format!("missing: User {ada} version 1")),
        (ada, 2, format!("missing: User {ada} version 2")),
        (ada, 3, format!("missing: User {ada} version 3")),
        (bob, 2, format!("missing: User {bob} version 2")),
        (team, 2, format!("missing: Group {team} version 2")),
    ] {
        let entry = scene.entry(resource, version);
        let found = scene.found_after(&format!("DELETE FROM change_log WHERE {entry}"));
        assert_eq!(found, [finding]);
    }
    let all = format!("DELETE FROM change_log WHERE resource_id = {}", scene.kind.id(ada));
    assert_eq!(scene.found_after(&all), [format!("missing: User {ada} versions 1 to 3")]);
    let found = scene.found_after("DELETE FROM change_log WHERE resource_type = 'Division'");
    assert!(found.len() == 1 && found[0].starts_with("missing: Division "), "{found:?}");
    let all = "DELETE FROM change_log WHERE resource_type IN ('User', 'Group')";
    let mut found = scene.found_after(all);
    found.sort();
    let mut expected = [
        format!("missing: User {ada} versions 1 to 3"),
        format!("missing: User {bob} versions 1 to 2"),
        format!("missing: Group {team} versions 1 to 2"),
    ];
    expected.sort();
    assert_eq!(found, expected);
}

fn r81_an_entry_too_many_is_found(database: &TestDatabase) {
    let mut scene = Scene::on(database);
    let columns = scene.raw.columns("change_log").join(", ");
    let (id, other) = (scene.kind.id(Uuid::from_u128(7)), scene.kind.id(Uuid::from_u128(8)));
    let copy = |changed: &[(&str, &str)]| {
        let copied = columns.split(", ").map(|column| {
            changed.iter().find(|(name, _)| *name == column).map_or(column, |(_, value)| value)
        });
        let copied: Vec<&str> = copied.collect();
        let (copied, entry) = (copied.join(", "), scene.entry(scene.ada, 3));
        format!("INSERT INTO change_log ({columns}) SELECT {copied} FROM change_log WHERE {entry}")
    };
    let later = copy(&[("id", &id), ("version", "4")]);
    let of_nobody = copy(&[("id", &id), ("resource_id", &other)]);
    let ada = scene.ada;
    let found = scene.found_after(&later);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("surplus: User {ada} version 4")), "{found:?}");
    let found = scene.found_after(&of_nobody);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("surplus: User 00000000-0000-0000-0000-000000000008 version 3"));
}

fn r81_a_log_of_many_pages_is_looked_at_to_its_end(database: &TestDatabase) {
    let world = World::on(database);
    let of_tenant = findings(&world).1;
    let many = |tx: &mut dyn Tx| {
        for number in 0..400 {
            let id = crate::harness::new_user(tx, &context(), user(&format!("user{number}")))?.id;
            for title in ["a", "b"] {
                set_title(id, title)(tx)?;
            }
        }
        Ok::<(), Refusal>(())
    };
    world.write(many).expect("they are new");
    assert_eq!(findings(&world), (Vec::new(), of_tenant + 1_200));
    let mut raw = database.raw();
    disarm(&mut raw);
    raw.execute("DELETE FROM change_log WHERE version = 3").expect("they are there");
    assert_eq!(findings(&world).0.len(), 400);
    raw.execute("DELETE FROM change_log WHERE resource_type = 'User'").expect("they are there");
    assert_eq!(findings(&world).0.len(), 400);
}

on_each_database!(
    r81_a_log_that_nobody_touched_is_whole,
    r81_whatever_is_changed_in_an_entry_is_found,
    r81_a_seal_is_part_of_that_of_the_next_entry,
    r81_a_missing_entry_is_found,
    r81_an_entry_too_many_is_found,
    r81_a_log_of_many_pages_is_looked_at_to_its_end,
);
