//! Units of work: all or nothing, whatever becomes of them and of others.

use std::sync::{Arc, Barrier};

use accounts::{Group, GroupKind, GroupStanding, Refusal, Resource, StorageError, Tx, atomically};
use scim_protocol::dialect::Dialect;
use scim_protocol::schema::ResourceType;
use serde_json::json;

use crate::harness::{
    CALLER, TestDatabase, World, context, group, new_group, new_user, on_each_database,
    strict_body, user,
};

const USER_NAMES: &str = "SELECT user_name_key AS value FROM users ORDER BY 1";
/// The owner of every claim, by its userName.
const CLAIMS: &str = "SELECT users.user_name_key AS value FROM identity_claims \
                      LEFT JOIN users ON users.id = user_id ORDER BY 1";
const LOGGED: &str = "SELECT action AS value FROM change_log \
                      WHERE resource_type IN ('User', 'Group')";

fn name(number: u32) -> String {
    format!("user{number:03}")
}

/// Waits until a unit is being run, does `meanwhile`, and lets the unit end.
fn while_a_unit_runs(world: &World, meanwhile: impl FnOnce()) {
    let (running, ending) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (at_run, at_end) = (Arc::clone(&running), Arc::clone(&ending));
    let store = Arc::clone(&world.store);
    let gate = world.runtime.spawn(async move {
        store
            .write(move |_| -> Result<(), StorageError> {
                at_run.wait();
                at_end.wait();
                Ok(())
            })
            .await
    });
    running.wait();
    meanwhile();
    ending.wait();
    world.runtime.block_on(gate).expect("the task ends").expect("the unit succeeds");
}

fn a_unit_that_fails_leaves_nothing_and_takes_no_other_with_it(database: &TestDatabase) {
    let world = World::on(database);
    let mut writes = Vec::new();
    // Behind a unit that runs they queue up, so that SQLite commits them together.
    while_a_unit_runs(&world, || {
        for number in 0..20 {
            let store = Arc::clone(&world.store);
            let write = async move {
                let unit = move |tx: &mut dyn Tx| {
                    new_user(tx, &context(), user(&name(number)))?;
                    if number % 2 == 0 { Ok(()) } else { Err(Refusal::not_found("User", number)) }
                };
                store.write(unit).await
            };
            let mut write = Box::pin(write);
            // The first poll puts it into the queue.
            let _entered = world.runtime.enter();
            let waker = std::task::Waker::noop();
            let polled = write.as_mut().poll(&mut std::task::Context::from_waker(waker));
            writes.push((number, polled, write));
        }
    });
    for (number, polled, write) in writes {
        let result = match polled {
            std::task::Poll::Ready(result) => result,
            std::task::Poll::Pending => world.runtime.block_on(write),
        };
        assert_eq!(result.is_ok(), number % 2 == 0, "{number}: {result:?}");
    }
    let even: Vec<String> = (0..20).step_by(2).map(name).collect();
    let mut raw = database.raw();
    assert_eq!(raw.texts(USER_NAMES), even);
    assert_eq!(raw.texts(CLAIMS), even);
    assert_eq!(raw.texts(LOGGED).len(), even.len());
}

fn a_unit_that_panics_is_answered_and_the_store_lives_on(database: &TestDatabase) {
    let world = World::on(database);
    // More often than there are lanes.
    for _ in 0..10 {
        let result = world.write(|tx| -> Result<(), Refusal> {
            new_user(tx, &context(), user("ada"))?;
            panic!("on purpose")
        });
        let failed = matches!(result, Err(Refusal::Storage(StorageError::Failed(_))));
        assert!(failed, "{result:?}");
        let result = world.read(|_| -> Result<(), Refusal> { panic!("on purpose") });
        let failed = matches!(result, Err(Refusal::Storage(StorageError::Failed(_))));
        assert!(failed, "{result:?}");
    }
    assert!(database.raw().texts(CLAIMS).is_empty());
    for number in 0..10 {
        world.create_user(user(&name(number))).expect("the store lives");
    }
    assert_eq!(database.raw().texts(USER_NAMES).len(), 10);
}

fn r3_a_rule_that_claims_and_then_fails_leaves_no_claim(database: &TestDatabase) {
    let world = World::on(database);
    let with_address = |name: &str| {
        let body = json!({"userName": name, "emails": [{"value": "a@x.example", "type": "work"}]});
        strict_body(ResourceType::user(), body)
    };
    world.create_user(with_address("ada")).expect("she is new");
    // The name is claimed, then the address is refused.
    assert!(world.create_user(with_address("bob")).is_err());
    assert_eq!(database.raw().texts(CLAIMS), ["ada", "ada"]);
    world.create_user(user("bob")).expect("the name is free");
}

/// No rule does so, but then an answer "written" must not be a lie.
fn a_unit_that_goes_on_after_a_name_was_taken_is_written_or_refused(database: &TestDatabase) {
    let world = World::on(database);
    world.create_group(group("team", &[])).expect("it is new");
    let result = world.write(|tx| -> Result<(), Refusal> {
        let ada = new_user(tx, &context(), user("ada"))?;
        let attributes = group("team", &[]);
        let resource = Resource { attributes, ..ada };
        let standing = GroupStanding::of_kind(GroupKind::Access);
        let taken = !tx.insert_group(CALLER.tenant, &Group { resource, standing })?;
        assert!(taken, "the name is taken");
        Ok(())
    });
    let written = database.raw().texts(USER_NAMES) == ["ada"];
    assert_eq!(result.is_ok(), written, "{result:?}");
    // Nor is the connection of less use afterwards.
    for number in 0..10 {
        world.create_user(user(&name(number))).expect("the store lives");
    }
}

fn a_part_that_is_refused_is_undone_alone(database: &TestDatabase) {
    let world = World::on(database);
    world.create_group(group("team", &[])).expect("it is new");
    let unit = |tx: &mut dyn Tx| {
        atomically(tx, |tx| new_user(tx, &context(), user("ada")))?;
        // PostgreSQL ends a transaction at an error unless it is rolled back to a savepoint.
        let taken = atomically(tx, |tx| {
            new_user(tx, &context(), user("bob"))?;
            new_group(tx, &context(), group("TEAM", &[]), Dialect::Strict)
        });
        assert!(matches!(taken, Err(Refusal::Rule { .. })), "{taken:?}");
        let nested = atomically(tx, |tx| {
            new_user(tx, &context(), user("eve"))?;
            let inner = atomically(tx, |tx| {
                new_user(tx, &context(), user("fay"))?;
                Err::<(), _>(Refusal::not_found("User", "fay"))
            });
            assert!(inner.is_err());
            Ok(())
        });
        assert!(nested.is_ok());
        Ok::<_, Refusal>(())
    };
    world.write(unit).expect("the unit goes on");
    let mut raw = database.raw();
    assert_eq!(raw.texts(USER_NAMES), ["ada", "eve"]);
    assert_eq!(raw.texts(CLAIMS), ["ada", "eve"]);
    assert_eq!(raw.texts(LOGGED).len(), 3, "the team, ada and eve");
}

fn a_unit_that_fails_takes_its_parts_with_it(database: &TestDatabase) {
    let world = World::on(database);
    let unit = |tx: &mut dyn Tx| {
        atomically(tx, |tx| new_user(tx, &context(), user("ada")))?;
        Err::<(), _>(Refusal::not_found("User", "nobody"))
    };
    assert!(world.write(unit).is_err());
    assert!(database.raw().texts(USER_NAMES).is_empty());
    world.create_user(user("ada")).expect("she is new");
}

fn what_was_acknowledged_outlives_the_store(database: &TestDatabase) {
    let World { store, runtime } = World::on(database);
    let (acknowledge, acknowledged) = std::sync::mpsc::channel();
    for number in 0..200 {
        let (store, acknowledge) = (Arc::clone(&store), acknowledge.clone());
        runtime.spawn(async move {
            let unit = move |tx: &mut dyn Tx| new_user(tx, &context(), user(&name(number)));
            if store.write(unit).await.is_ok() {
                let _ = acknowledge.send(name(number));
            }
        });
    }
    drop(acknowledge);
    let mut kept: Vec<String> = acknowledged.iter().take(5).collect();
    // The tasks go while most of their units wait, and the store with the last of them.
    drop(runtime);
    let last = Arc::into_inner(store).expect("the tasks are gone");
    drop(last);
    kept.extend(acknowledged.iter());

    let _reopened = World::on(database);
    let mut raw = database.raw();
    let found = raw.texts(USER_NAMES);
    for name in kept {
        assert!(found.contains(&name), "{name} was acknowledged");
    }
    assert_eq!(raw.texts(CLAIMS), found, "a user is written with its claim");
    assert_eq!(raw.texts(LOGGED).len(), found.len(), "and with its entry");
}

on_each_database!(
    a_unit_that_fails_leaves_nothing_and_takes_no_other_with_it,
    a_unit_that_panics_is_answered_and_the_store_lives_on,
    r3_a_rule_that_claims_and_then_fails_leaves_no_claim,
    a_unit_that_goes_on_after_a_name_was_taken_is_written_or_refused,
    a_part_that_is_refused_is_undone_alone,
    a_unit_that_fails_takes_its_parts_with_it,
    what_was_acknowledged_outlives_the_store,
);
