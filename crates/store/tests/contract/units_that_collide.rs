//! Units of work that want the same thing at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use accounts::{Code, Precondition, Refusal, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, Unit, World, context, edits, group, new_group, new_user,
    on_each_database, user,
};

const AT_ONCE: usize = 50;

/// What was done to users and groups; a tenant begins with resources of other types.
const LOGGED: &str = "SELECT action AS value FROM change_log \
                      WHERE resource_type IN ('User', 'Group')";

/// One of the results is a success, and the others are refused with this code.
#[track_caller]
fn assert_one<T>(results: Vec<Result<T, Refusal>>, code: Code) {
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for error in lost.into_iter().filter_map(Result::err) {
        assert!(matches!(error, Refusal::Rule { code: found, .. } if found == code), "{error:?}");
    }
}

fn r1_of_many_accounts_that_want_one_name_exactly_one_gets_it(database: &TestDatabase) {
    let world = World::on(database);
    let units = (0..AT_ONCE).map(|number| -> Unit<Uuid> {
        // In its normal form it is one name.
        let name = if number % 2 == 0 { "Ada@Example.com" } else { " ada@EXAMPLE.com" };
        Box::new(move |tx| Ok(new_user(tx, &context(), user(name))?.id))
    });
    assert_one(world.write_together(units.collect()), Code::UserNameTaken);
    let mut raw = database.raw();
    assert_eq!(raw.texts("SELECT display AS value FROM users").len(), 1);
    assert_eq!(raw.texts(LOGGED), ["create"]);
}

fn of_many_groups_that_want_one_name_exactly_one_gets_it(database: &TestDatabase) {
    let world = World::on(database);
    let units = (0..AT_ONCE).map(|number| -> Unit<Uuid> {
        let name = if number % 2 == 0 { "STRASSE" } else { "straße" };
        Box::new(move |tx| Ok(new_group(tx, &context(), group(name, &[]), Dialect::Strict)?.id))
    });
    assert_one(world.write_together(units.collect()), Code::GroupNameTaken);
    let mut raw = database.raw();
    assert_eq!(raw.texts("SELECT display AS value FROM \"groups\"").len(), 1);
    assert_eq!(raw.texts(LOGGED), ["create"]);
}

fn r7_of_many_accounts_that_want_one_external_id_exactly_one_gets_it(database: &TestDatabase) {
    let world = World::on(database);
    let units = (0..AT_ONCE).map(|number| -> Unit<Uuid> {
        Box::new(move |tx| {
            let mut body = user(&format!("user{number}"));
            body.insert("externalId".into(), "x-1".into());
            Ok(new_user(tx, &context(), body)?.id)
        })
    });
    assert_one(world.write_together(units.collect()), Code::ExternalIdTaken);
    assert_eq!(database.raw().texts("SELECT display AS value FROM users").len(), 1);
}

/// Lets two units meet once they have locked what they lock first. They do so only on their first
/// run, and only where two of them can run at once.
pub(crate) struct Meeting {
    barrier: Option<Barrier>,
    runs: AtomicUsize,
}

impl Meeting {
    pub(crate) fn of_two(kind: Kind) -> Arc<Self> {
        let barrier = (kind == Kind::Postgres).then(|| Barrier::new(2));
        Arc::new(Self { barrier, runs: AtomicUsize::new(0) })
    }

    pub(crate) fn meet(&self) {
        if self.runs.fetch_add(1, Ordering::SeqCst) < 2
            && let Some(barrier) = &self.barrier
        {
            barrier.wait();
        }
    }

    /// Whether one was rolled back and run again, as it must where both ran at once.
    pub(crate) fn assert_run_again(&self) {
        let runs = self.runs.load(Ordering::SeqCst);
        assert!(if self.barrier.is_some() { runs > 2 } else { runs == 2 }, "{runs} runs");
    }
}

pub(crate) fn any() -> Precondition {
    Precondition::default()
}

fn set_title(tx: &mut dyn Tx, id: Uuid, title: &str) -> Result<(), Refusal> {
    let operation = json!({"op": "replace", "path": "title", "value": title});
    let edits = edits(ResourceType::user(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    accounts::users::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?;
    Ok(())
}

pub(crate) fn patch_group(tx: &mut dyn Tx, id: Uuid, operation: &Value) -> Result<(), Refusal> {
    let edits = edits(ResourceType::group(), operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    accounts::groups::patch(tx, &context(), id, &any(), &edits, &mut leniencies)?;
    Ok(())
}

fn two_units_that_lock_users_in_opposite_order_both_finish(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let meeting = Meeting::of_two(database.kind);
    let both = |first: Uuid, second: Uuid| -> Unit<()> {
        let meeting = Arc::clone(&meeting);
        Box::new(move |tx| {
            set_title(tx, first, &format!("first {first}"))?;
            meeting.meet();
            set_title(tx, second, &format!("second {first}"))
        })
    };
    for result in world.write_together(vec![both(ada, bob), both(bob, ada)]) {
        result.expect("both finish");
    }
    meeting.assert_run_again();
    let versions = database.raw().texts("SELECT CAST(version AS TEXT) AS value FROM users");
    assert_eq!(versions, ["3", "3"], "each was changed by both");
    let entries = database.raw().texts(LOGGED);
    assert_eq!(entries.iter().filter(|action| *action == "update").count(), 4);
}

fn two_units_that_lock_groups_in_opposite_order_both_finish(database: &TestDatabase) {
    let world = World::on(database);
    let a = world.create_group(group("a", &[])).expect("it is new");
    let b = world.create_group(group("b", &[])).expect("it is new");
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let meeting = Meeting::of_two(database.kind);
    let both = |first: Uuid, second: Uuid, member: Uuid| -> Unit<()> {
        let meeting = Arc::clone(&meeting);
        Box::new(move |tx| {
            let add = json!({"op": "add", "path": "members", "value": [{"value": member}]});
            patch_group(tx, first, &add)?;
            meeting.meet();
            patch_group(tx, second, &add)
        })
    };
    for result in world.write_together(vec![both(a, b, ada), both(b, a, bob)]) {
        result.expect("both finish");
    }
    meeting.assert_run_again();
    let mut raw = database.raw();
    let versions = raw.texts("SELECT CAST(version AS TEXT) AS value FROM \"groups\"");
    assert_eq!(versions, ["3", "3"], "each was changed by both");
    let memberships = "SELECT CAST(added_at AS TEXT) AS value FROM memberships";
    assert_eq!(raw.texts(memberships).len(), 4);
}

fn of_two_groups_that_add_each_other_one_is_refused(database: &TestDatabase) {
    let world = World::on(database);
    let a = world.create_group(group("a", &[])).expect("it is new");
    let b = world.create_group(group("b", &[])).expect("it is new");
    let meeting = Meeting::of_two(database.kind);
    let add = |holder: Uuid, held: Uuid| -> Unit<()> {
        let meeting = Arc::clone(&meeting);
        Box::new(move |tx| {
            tx.group_for_update(CALLER.scope(), holder)?;
            meeting.meet();
            let add = json!({"op": "add", "path": "members", "value": [{"value": held}]});
            patch_group(tx, holder, &add)
        })
    };
    // None is rolled back: what is put into a group is not locked, and whoever nests waits in line.
    assert_one(world.write_together(vec![add(a, b), add(b, a)]), Code::OwnMember);
}

/// Who is to manage whom: units that lock an account, and then give it its manager.
fn managed(meeting: &Arc<Meeting>, pairs: &[(Uuid, Uuid)]) -> Vec<Unit<()>> {
    let unit = |&(account, manager): &(Uuid, Uuid)| -> Unit<()> {
        let meeting = Arc::clone(meeting);
        Box::new(move |tx| {
            tx.user_for_update(CALLER.scope(), account)?;
            // It is locked once something is asked that no other may change meanwhile.
            tx.manager_of(CALLER.tenant, account)?;
            meeting.meet();
            let value = json!({"op": "replace", "path": MANAGER, "value": {"value": manager}});
            let edits = edits(ResourceType::user(), &value);
            let mut leniencies = Leniencies::new(Dialect::Strict);
            accounts::users::patch(tx, &context(), account, &any(), &edits, &mut leniencies)?;
            Ok(())
        })
    };
    pairs.iter().map(unit).collect()
}

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

fn domain_7_3_of_two_accounts_that_manage_each_other_one_is_refused(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let meeting = Meeting::of_two(database.kind);
    let units = managed(&meeting, &[(ada, bob), (bob, ada)]);
    assert_one(world.write_together(units), Code::ManagerCycle);
    meeting.assert_run_again();
}

/// Between those who are given managers are others, whom nobody changes.
fn domain_7_3_of_two_chains_that_end_in_each_other_one_is_refused(database: &TestDatabase) {
    let world = World::on(database);
    let [ada, bob, eve, joe] =
        ["ada", "bob", "eve", "joe"].map(|name| world.create_user(user(name)).expect("it is new"));
    let alone = Meeting { barrier: None, runs: AtomicUsize::new(0) };
    for made in world.write_together(managed(&Arc::new(alone), &[(ada, bob), (eve, joe)])) {
        made.expect("nobody is above themselves");
    }
    let meeting = Meeting::of_two(database.kind);
    let units = managed(&meeting, &[(bob, eve), (joe, ada)]);
    assert_one(world.write_together(units), Code::ManagerCycle);
    meeting.assert_run_again();
}

/// In opposite orders they would stand in each other's way; where they take turns, none is run
/// again.
fn two_units_that_lock_their_parts_take_turns(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let (runs, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let both = |first: Uuid, second: Uuid| -> Unit<usize> {
        let (runs, inside) = (Arc::clone(&runs), Arc::clone(&inside));
        Box::new(move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            tx.lock_parts(CALLER.tenant)?;
            let others = inside.fetch_add(1, Ordering::SeqCst);
            set_title(tx, first, &format!("first {first}"))?;
            std::thread::sleep(std::time::Duration::from_millis(50));
            set_title(tx, second, &format!("second {first}"))?;
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(others)
        })
    };
    let units = (0..6).map(|number| if number % 2 == 0 { both(ada, bob) } else { both(bob, ada) });
    for result in world.write_together(units.collect()) {
        assert_eq!(result.expect("it ends"), 0, "nobody else is inside");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 6);
}

fn groups_above_are_found_through_others_each_once(database: &TestDatabase) {
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("she is new");
    let inner = world.create_group(group("inner", &[ada])).expect("it is new");
    let left = world.create_group(group("left", &[inner])).expect("it is new");
    let right = world.create_group(group("right", &[inner])).expect("it is new");
    let outer = world.create_group(group("outer", &[left, right])).expect("it is new");
    world.create_group(group("beside", &[])).expect("it is new");
    let above = |tenant: Uuid, member: Uuid| {
        let found = world.read(move |tx| tx.groups_above(tenant, member));
        let mut found = found.expect("it can be read");
        found.sort_unstable();
        found
    };
    assert_eq!(above(CALLER.tenant, ada), [inner, left, right, outer]);
    assert_eq!(above(CALLER.tenant, inner), [left, right, outer]);
    assert!(above(CALLER.tenant, outer).is_empty());
    assert!(above(Uuid::from_u128(77), ada).is_empty());
}

on_each_database!(
    two_units_that_lock_their_parts_take_turns,
    groups_above_are_found_through_others_each_once,
    r1_of_many_accounts_that_want_one_name_exactly_one_gets_it,
    of_many_groups_that_want_one_name_exactly_one_gets_it,
    r7_of_many_accounts_that_want_one_external_id_exactly_one_gets_it,
    two_units_that_lock_users_in_opposite_order_both_finish,
    two_units_that_lock_groups_in_opposite_order_both_finish,
    of_two_groups_that_add_each_other_one_is_refused,
    domain_7_3_of_two_accounts_that_manage_each_other_one_is_refused,
    domain_7_3_of_two_chains_that_end_in_each_other_one_is_refused,
);
