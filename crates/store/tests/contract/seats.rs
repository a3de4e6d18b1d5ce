//! The pools of seats (rules R11 to R13), and what transactions that want the same wait for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use accounts::authorization::Tier;
use accounts::license_tiers::LicenseTiers;
use accounts::{Code, Refusal, SeatCount, Tx, objects};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, Unit, World, context, edits, on_each_database, user,
};
use crate::units_that_collide::any;

on_each_database!(
    r13_as_many_takes_succeed_as_there_are_seats,
    r13_a_pool_is_resized_by_what_is_free,
    r13_taking_and_resizing_together_loses_no_seat,
    r13_seats_that_are_taken_together_are_not_the_first,
    r13_whoever_waited_gets_the_seat_that_was_not_taken_after_all,
    r13_whoever_waited_in_vain_gets_none,
    r11_accounts_that_are_enabled_have_the_seats_that_are_used,
    r13_of_two_who_come_back_one_gets_the_last_seat,
    whoever_holds_alone_is_waited_for,
    those_who_hold_together_do_not_wait,
);

const AT_ONCE: u128 = 50;

/// Somewhere in the pool.
fn near(number: u128) -> Uuid {
    Uuid::from_u128(number * 0x0003_1415_9265_3589)
}

fn resize(world: &World, tier: Tier, by: i64) -> i64 {
    world.write(move |tx| tx.resize_pool(CALLER.tenant, tier, by)).expect("it is resized")
}

fn take(world: &World, tier: Tier) -> bool {
    world.write(move |tx| tx.take_seat(CALLER.tenant, tier, near(7), true)).expect("it answers")
}

fn free(world: &World, tier: Tier) -> i64 {
    world.read(move |tx| tx.seats(CALLER.tenant, tier)).expect("it is counted").free
}

fn taking(tier: Tier, number: u128) -> Unit<i64> {
    Box::new(move |tx| Ok(tx.take_seat(CALLER.tenant, tier, near(number), true)?.into()))
}

fn sum(results: Vec<Result<i64, Refusal>>) -> i64 {
    results.into_iter().map(|result| result.expect("it answers")).sum()
}

fn r13_as_many_takes_succeed_as_there_are_seats(database: &TestDatabase) {
    let world = World::on(database);
    for (tier, pool) in [(Tier::Cx1, 1), (Tier::Cx2d, 10), (Tier::Cx4, 49), (Tier::Cx3, 60)] {
        assert_eq!(resize(&world, tier, pool), pool);
        let taken = world.write_together((0..AT_ONCE).map(|at| taking(tier, at)).collect());
        let expected = pool.min(50);
        assert_eq!((sum(taken), free(&world, tier)), (expected, pool - expected), "{tier}");
    }
    assert_eq!(free(&world, Tier::Cx2), 0, "nobody filled it");
}

fn r13_a_pool_is_resized_by_what_is_free(database: &TestDatabase) {
    let world = World::on(database);
    assert!(!take(&world, Tier::Cx2), "there is none");
    assert_eq!(resize(&world, Tier::Cx2, 5), 5);
    assert!(take(&world, Tier::Cx2) && take(&world, Tier::Cx2));
    assert!(!take(&world, Tier::Cx3), "it is another pool");
    assert_eq!(resize(&world, Tier::Cx2, -1), -1);
    assert_eq!(resize(&world, Tier::Cx2, -10), -2, "what is taken stays");
    assert_eq!(free(&world, Tier::Cx2), 0);
    let other = Uuid::from_u128(77);
    world.write(move |tx| tx.put_seat(CALLER.tenant, Tier::Cx2)).expect("it is put back");
    let theirs = world.write(move |tx| tx.take_seat(other, Tier::Cx2, near(7), true));
    assert!(!theirs.expect("it answers"), "it is another tenant's");
    assert_eq!(free(&world, Tier::Cx2), 1);
    assert!(take(&world, Tier::Cx2));
}

fn r13_seats_that_are_taken_together_are_not_the_first(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    assert_eq!(resize(&world, Tier::Cx2, 2000), 2000);
    let mut first = || {
        raw.texts(
            "SELECT CAST(number AS TEXT) AS value FROM free_seats WHERE license_tier = 'cx2' \
             ORDER BY number LIMIT 50",
        )
    };
    let before = first();
    for _ in 0..5 {
        assert_eq!(resize(&world, Tier::Cx2, -10), -10);
    }
    assert!(first().iter().any(|seat| before.contains(seat)), "from the first on");
    assert_eq!((resize(&world, Tier::Cx2, -3000), free(&world, Tier::Cx2)), (-1950, 0));
}

fn r13_taking_and_resizing_together_loses_no_seat(database: &TestDatabase) {
    let world = World::on(database);
    let tier = Tier::Cx3;
    let total = resize(&world, tier, 20);
    let resizing =
        |by: i64| -> Unit<i64> { Box::new(move |tx| Ok(tx.resize_pool(CALLER.tenant, tier, by)?)) };
    // What each adds to the free seats.
    let units = (0..AT_ONCE).map(|at| -> Unit<i64> {
        match at % 5 {
            0 => resizing(3),
            1 => resizing(-4),
            2 => Box::new(move |tx| {
                tx.put_seat(CALLER.tenant, tier)?;
                Ok(1)
            }),
            _ => {
                let take = taking(tier, at);
                Box::new(move |tx| Ok(-take(tx)?))
            }
        }
    });
    let changed = sum(world.write_together(units.collect()));
    assert_eq!(free(&world, tier), total + changed);
}

/// One unit takes the last seat and ends so, while another waits for it; whether that one has it.
fn last_seat(world: &World, kind: Kind, is_kept: bool) -> bool {
    let tier = Tier::Cx4;
    assert_eq!(resize(world, tier, 1), 1);
    let (runs, barrier) = (AtomicUsize::new(0), Arc::new(Barrier::new(2)));
    let taken = Arc::clone(&barrier);
    // Where units run one after the other, nobody can be met.
    let meets = kind == Kind::Postgres;
    let first: Unit<bool> = Box::new(move |tx| {
        assert!(tx.take_seat(CALLER.tenant, tier, near(1), true)?);
        if meets && runs.fetch_add(1, Ordering::SeqCst) == 0 {
            taken.wait();
            std::thread::sleep(Duration::from_millis(300));
        }
        if is_kept { Ok(true) } else { Err(Refusal::not_found("User", "nobody")) }
    });
    let runs = AtomicUsize::new(0);
    let second: Unit<bool> = Box::new(move |tx| {
        if meets && runs.fetch_add(1, Ordering::SeqCst) == 0 {
            barrier.wait();
            assert!(!tx.take_seat(CALLER.tenant, tier, near(2), false)?, "it is being taken");
        }
        Ok(tx.take_seat(CALLER.tenant, tier, near(2), true)?)
    });
    let [first, second] = run_both(world, kind, [first, second]);
    assert_eq!(first.is_ok(), is_kept);
    second.expect("it answers")
}

/// At once, where units can run at once, else in this order.
fn run_both<T: Send + std::fmt::Debug + 'static>(
    world: &World,
    kind: Kind,
    units: [Unit<T>; 2],
) -> [Result<T, Refusal>; 2] {
    let results: Vec<_> = match kind {
        Kind::Postgres => world.write_together(units.into()),
        Kind::Sqlite => units.map(|unit| world.write(unit)).into(),
    };
    results.try_into().expect("there are two")
}

fn r13_whoever_waited_gets_the_seat_that_was_not_taken_after_all(database: &TestDatabase) {
    let world = World::on(database);
    assert!(last_seat(&world, database.kind, false));
    assert_eq!(free(&world, Tier::Cx4), 0);
}

fn r13_whoever_waited_in_vain_gets_none(database: &TestDatabase) {
    let world = World::on(database);
    assert!(!last_seat(&world, database.kind, true));
    assert_eq!(free(&world, Tier::Cx4), 0);
}

fn r11_accounts_that_are_enabled_have_the_seats_that_are_used(database: &TestDatabase) {
    let world = World::on(database);
    for name in ["ada", "bob"] {
        world.create_user(user(name)).expect("they are new");
    }
    let mut left = user("eve");
    left.insert("active".to_owned(), false.into());
    world.create_user(left).expect("she is new");
    resize(&world, Tier::Cx1, 3);
    let seats = |tier| world.read(move |tx| tx.seats(CALLER.tenant, tier)).expect("it is counted");
    assert_eq!(seats(Tier::Cx1), SeatCount { used: 2, free: 3 });
    assert_eq!(seats(Tier::Cx2), SeatCount::default());
}

fn limit(tx: &mut dyn Tx, total: i64) -> Result<(), Refusal> {
    let named =
        tx.objects_named(CALLER.tenant, ResourceType::license_tier(), &["cx1".to_owned()])?;
    let operation = json!({"op": "replace", "path": "totalSeats", "value": total});
    let edits = edits(ResourceType::license_tier(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    objects::patch::<LicenseTiers>(tx, &context(), named[0].id, &any(), &edits, &mut leniencies)?;
    Ok(())
}

fn activating(user: Uuid, is: bool) -> Unit<()> {
    Box::new(move |tx| {
        let operation = json!({"op": "replace", "path": "active", "value": is});
        let edits = edits(ResourceType::user(), &operation);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        accounts::users::patch(tx, &context(), user, &any(), &edits, &mut leniencies)?;
        Ok(())
    })
}

fn r13_of_two_who_come_back_one_gets_the_last_seat(database: &TestDatabase) {
    let world = World::on(database);
    let create = |name: &str| world.create_user(user(name)).expect("they are new");
    let people = ["ada", "bob", "eve"].map(create);
    for id in &people[1..] {
        world.write(activating(*id, false)).expect("they leave");
    }
    world.write(|tx| limit(tx, 2)).expect("one is free");
    let came = people[1..].iter().map(|id| activating(*id, true)).collect();
    let (came, refused): (Vec<_>, Vec<_>) =
        world.write_together(came).into_iter().partition(Result::is_ok);
    assert_eq!(came.len(), 1);
    let refused = refused.into_iter().find_map(Result::err).expect("the other is refused");
    assert!(matches!(refused, Refusal::Rule { code: Code::SeatLimitExceeded, .. }), "{refused:?}");
    // Who leaves makes room for the other, whether no seat is free then or one is.
    world.write(activating(people[0], false)).expect("she leaves");
    assert_eq!(free(&world, Tier::Cx1), 1);
    for id in &people[1..] {
        world.write(activating(*id, true)).expect("there is room");
    }
    world.write(|tx| limit(tx, 4)).expect("two are free");
    world.write(activating(people[1], false)).expect("they leave");
    assert_eq!(free(&world, Tier::Cx1), 3);
}

fn whoever_holds_alone_is_waited_for(database: &TestDatabase) {
    let world = World::on(database);
    let object = Uuid::from_u128(42);
    let meets = database.kind == Kind::Postgres;
    for alone in [true, false] {
        let (barrier, is_done) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
        let (held, done) = (Arc::clone(&barrier), Arc::clone(&is_done));
        let first: Unit<bool> = Box::new(move |tx| {
            tx.hold_alone(CALLER.tenant, object)?;
            if meets {
                held.wait();
                std::thread::sleep(Duration::from_millis(300));
            }
            done.store(true, Ordering::SeqCst);
            Ok(true)
        });
        let second: Unit<bool> = Box::new(move |tx| {
            if meets {
                barrier.wait();
                // Another object is free.
                tx.hold_alone(CALLER.tenant, Uuid::from_u128(43))?;
                assert!(!is_done.load(Ordering::SeqCst));
            }
            if alone {
                tx.hold_alone(CALLER.tenant, object)?;
            } else {
                tx.hold(CALLER.tenant, object)?;
            }
            Ok(is_done.load(Ordering::SeqCst))
        });
        for result in run_both(&world, database.kind, [first, second]) {
            assert!(result.expect("it ends"), "the other was not waited for");
        }
    }
}

fn those_who_hold_together_do_not_wait(database: &TestDatabase) {
    let world = World::on(database);
    let barrier = Arc::new(Barrier::new(2));
    let meets = database.kind == Kind::Postgres;
    let holding = || -> Unit<()> {
        let barrier = Arc::clone(&barrier);
        Box::new(move |tx| {
            tx.hold(CALLER.tenant, Uuid::from_u128(42))?;
            if meets {
                barrier.wait();
            }
            Ok(())
        })
    };
    for result in world.write_together(vec![holding(), holding()]) {
        result.expect("it ends");
    }
}
