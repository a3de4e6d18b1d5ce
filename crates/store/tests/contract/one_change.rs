//! Units of work that read one user, change it and log that: on PostgreSQL they lock it only if they
//! ask for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use accounts::ledger::{Action, Actor, Entry, Source};
use accounts::tenants::Tenants;
use accounts::{
    Account, Code, Group, GroupKind, GroupStanding, Refusal, Resource, StorageResult, Tx,
    atomically, objects,
};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Listener, TestDatabase, Unit, World, context, edits, group, on_each_database,
    user,
};
use crate::units_that_collide::{Meeting, any};

/// The change log of users.
const LOGGED: &str = "SELECT action || ' ' || CAST(version AS TEXT) AS value FROM change_log \
                      WHERE resource_type = 'User' ORDER BY version";

fn read(tx: &mut dyn Tx, id: Uuid) -> Result<Account, Refusal> {
    Ok(tx.user_for_update(CALLER.scope(), id)?.expect("it is there"))
}

/// Sets an attribute of what was read, and logs it.
fn set(tx: &mut dyn Tx, before: &Account, name: &str) -> Result<(), Refusal> {
    let mut after = before.clone();
    after.resource.version += 1;
    after.resource.attributes.insert(name.to_owned(), "new".into());
    assert!(tx.update_user(CALLER.tenant, before, &after)?);
    let context = context();
    let entry = Entry {
        id: (context.new_id)(),
        at: context.now,
        actor: Actor::System,
        source: Source::Admin,
        request: Uuid::nil(),
        action: Action::Update,
        resource_type: "User",
        resource: before.resource.id,
        changes: json!([{"attribute": name, "old": null, "new": "new"}]),
        reason: None,
        rule: None,
        version: after.resource.version,
    };
    Ok(tx.append(CALLER.tenant, &entry)?)
}

fn attributes(world: &World, id: Uuid) -> Vec<String> {
    let found = world.read(move |tx| tx.user(CALLER.scope(), id)).expect("it can be read");
    found.expect("it is there").resource.attributes.keys().cloned().collect()
}

/// Two units that have read the same, and ask something between that and writing, or nothing.
fn both_changes_stay(database: &TestDatabase, asks: fn(&mut dyn Tx, Uuid) -> StorageResult<()>) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let meeting = Meeting::of_two(database.kind);
    let sets = |name: &'static str| -> Unit<()> {
        let meeting = Arc::clone(&meeting);
        Box::new(move |tx| {
            let before = read(tx, ada)?;
            meeting.meet();
            asks(tx, ada)?;
            set(tx, &before, name)
        })
    };
    for result in world.write_together(vec![sets("title"), sets("nickName")]) {
        result.expect("both finish");
    }
    meeting.assert_run_again();
    let attributes = attributes(&world, ada);
    for name in ["title", "nickName"] {
        assert!(attributes.contains(&name.to_owned()), "{name} is lost: {attributes:?}");
    }
    assert_eq!(database.raw().texts(LOGGED), ["create 1", "update 2", "update 3"]);
}

fn of_two_changes_of_what_both_have_read_none_is_lost(database: &TestDatabase) {
    both_changes_stay(database, |_, _| Ok(()));
}

fn of_two_changes_that_ask_for_more_none_is_lost(database: &TestDatabase) {
    // Where the user is no longer what was read, nothing more can be asked.
    both_changes_stay(database, |tx, id| tx.login_of(CALLER.tenant, id).map(drop));
}

fn a_change_is_read_in_its_own_unit_and_goes_with_it(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let refused = world.write(move |tx| {
        let before = read(tx, ada)?;
        set(tx, &before, "title")?;
        let now = tx.user(CALLER.scope(), ada)?.expect("it is there");
        assert_eq!((now.resource.version, &now.resource.attributes["title"]), (2, &json!("new")));
        Err::<(), _>(Refusal::not_found("User", "nobody"))
    });
    assert!(refused.is_err());
    let dropped = world.write(move |tx| {
        let before = read(tx, ada)?;
        set(tx, &before, "title")?;
        Err::<(), _>(Refusal::not_found("User", "nobody"))
    });
    assert!(dropped.is_err());
    assert_eq!(attributes(&world, ada), ["userName", "active"]);
    assert_eq!(database.raw().texts(LOGGED), ["create 1"]);
}

fn a_change_goes_with_the_part_that_made_it(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    world.create_group(group("team", &[])).expect("it is new");
    let written = world.write(move |tx| {
        let undone = atomically(tx, |tx| {
            let before = read(tx, ada)?;
            // PostgreSQL takes nothing more then, until this part is undone.
            let taken = Group {
                resource: Resource { attributes: group("team", &[]), ..before.resource.clone() },
                standing: GroupStanding::of_kind(GroupKind::Access),
            };
            assert!(!tx.insert_group(CALLER.tenant, &taken)?);
            set(tx, &before, "title")?;
            Err::<(), _>(Refusal::not_found("User", "nobody"))
        });
        assert!(undone.is_err());
        let before = read(tx, ada)?;
        set(tx, &before, "nickName")
    });
    written.expect("the unit goes on");
    assert_eq!(attributes(&world, ada), ["userName", "active", "nickName"]);
    assert_eq!(database.raw().texts(LOGGED), ["create 1", "update 2"]);
}

/// Somebody deletes a user whom another has read, to change them.
fn who_was_deleted_meanwhile_is_not_changed(database: &TestDatabase) {
    if database.kind == Kind::Sqlite {
        // The one writer has what it reads to itself.
        return;
    }
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    // Not to keep it open: a unit may be the last to let go of what it has.
    let store = Arc::downgrade(&world.store);
    let runtime = world.runtime.handle().clone();
    let changed = world.write(move |tx| {
        let Some(before) = tx.user_for_update(CALLER.scope(), ada)? else {
            return Err(Refusal::not_found("User", ada));
        };
        let store = store.upgrade().expect("it is open");
        runtime.block_on(
            store.write(move |tx| accounts::users::delete(tx, &context(), ada, &any())),
        )?;
        set(tx, &before, "title")
    });
    assert!(matches!(changed, Err(Refusal::Rule { code: Code::NotFound, .. })), "{changed:?}");
    assert_eq!(database.raw().texts(LOGGED), ["create 1", "tombstone 2"]);
}

/// A unit reads a user and what the tenant has decided, and the tenant decides otherwise before it writes.
fn what_is_decided_meanwhile_counts(database: &TestDatabase) {
    if database.kind == Kind::Sqlite {
        // The one writer decides alone.
        return;
    }
    for asks_for_more in [false, true] {
        let world = World::on(database);
        let name = format!("ada{asks_for_more}");
        let ada = world.create_user(user(&name)).expect("she is new");
        let store = Arc::downgrade(&world.store);
        let runtime = world.runtime.handle().clone();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let count = if asks_for_more { 7 } else { 6 };
        let written = world.write(move |tx| {
            let before = read(tx, ada)?;
            tx.hold(CALLER.tenant, CALLER.tenant)?;
            let policy = accounts::tenants::policy(tx, &CALLER)?;
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                let store = store.upgrade().expect("it is open");
                runtime.block_on(store.write(move |tx| decide(tx, count)))?;
            }
            if asks_for_more {
                tx.login_of(CALLER.tenant, ada)?;
            }
            set(tx, &before, "title")?;
            Ok::<_, Refusal>(policy.guard.min_count)
        });
        assert_eq!(written.expect("it is run again"), count);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}

fn decide(tx: &mut dyn Tx, min_count: i64) -> Result<(), Refusal> {
    let operation =
        json!({"op": "replace", "path": "deprovisionGuard.minCount", "value": min_count});
    let edits = edits(ResourceType::tenant(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    objects::patch::<Tenants>(tx, &context(), CALLER.tenant, &any(), &edits, &mut leniencies)?;
    Ok(())
}

/// Whatever a unit asks first.
fn a_connection_that_broke_while_it_was_idle_is_made_anew(database: &TestDatabase) {
    if database.kind == Kind::Sqlite {
        return;
    }
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let mut raw = database.raw();
    for number in 0..40 {
        raw.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .expect("the connections break");
        let written = world.write(move |tx| {
            if number % 2 == 0 {
                tx.login_of(CALLER.tenant, ada)?;
            }
            let before = read(tx, ada)?;
            set(tx, &before, "title")
        });
        written.unwrap_or_else(|error| panic!("{number}: {error:?}"));
    }
}

fn patch(tx: &mut dyn Tx, id: Uuid, operation: &Value) -> Result<(), Refusal> {
    let edits = edits(ResourceType::user(), operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    accounts::users::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?;
    Ok(())
}

/// How often the database is asked for a change, besides the beginning and the end of a transaction.
fn a_change_asks_the_database_seldom(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
    let changes = [
        ("nothing", replace("active", json!(true)), [2, 1]),
        ("an attribute", replace("title", json!("Agent")), [4, 2]),
        ("who leaves", replace("active", json!(false)), [8, 3]),
        ("who comes back", replace("active", json!(true)), [4, 2]),
    ];
    for (what, operation, [sqlite, postgres]) in changes {
        let mut heard = listener.during(|| {
            let operation = operation.clone();
            world.write(move |tx| patch(tx, ada, &operation)).expect("it is allowed");
        });
        // The catalogue is in memory, from the first time on that a connection is used.
        heard.retain(|statement| !statement.contains("objects"));
        let expected = if database.kind == Kind::Sqlite { sqlite } else { postgres };
        assert_eq!(heard.len(), expected, "{what}: {heard:#?}");
    }
}

on_each_database!(
    of_two_changes_of_what_both_have_read_none_is_lost,
    of_two_changes_that_ask_for_more_none_is_lost,
    a_change_is_read_in_its_own_unit_and_goes_with_it,
    a_change_goes_with_the_part_that_made_it,
    who_was_deleted_meanwhile_is_not_changed,
    what_is_decided_meanwhile_counts,
    a_connection_that_broke_while_it_was_idle_is_made_anew,
    a_change_asks_the_database_seldom,
);
