//! Who leaves while the guard against mass deprovisioning looks (rule R57).

use accounts::tenants::Tenants;
use accounts::{Caller, Context, Refusal, Right, Rights, Tx, objects};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Listener, TestDatabase, World, context, edits, on_each_database, user,
};
use crate::units_that_collide::any;

on_each_database!(r57_as_many_leave_as_the_guard_allows_and_few_of_them_are_counted);

/// What only asks how many have left.
const COUNTS: &str = "SELECT COUNT(*) AS total FROM (SELECT DISTINCT entry.resource_id";

/// An identity provider deactivates somebody: administrators are not held.
fn leave(tx: &mut dyn Tx, id: Uuid) -> Result<(), Refusal> {
    let by = context();
    let caller = Caller { rights: Rights::of(Right::WriteUsers), ..CALLER };
    let context = Context::of_scim(caller, by.request, by.now, by.new_id);
    let operation = json!({"op": "replace", "path": "active", "value": false});
    let edits = edits(ResourceType::user(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    accounts::users::patch(tx, &context, id, &any(), &edits, &mut leniencies)?;
    Ok(())
}

fn set_guard(tx: &mut dyn Tx, min_count: usize) -> Result<(), Refusal> {
    let guard = json!({"action": "hold", "minCount": min_count, "maxPercent": 1,
        "windowSeconds": 3600});
    let operation = json!({"op": "replace", "path": "deprovisionGuard", "value": guard});
    let edits = edits(ResourceType::tenant(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    objects::patch::<Tenants>(tx, &context(), CALLER.tenant, &any(), &edits, &mut leniencies)?;
    Ok(())
}

fn r57_as_many_leave_as_the_guard_allows_and_few_of_them_are_counted(database: &TestDatabase) {
    const ALLOWED: usize = 40;
    let listener = Listener::of(database);
    let world = World::on(database);
    let create = |number| world.create_user(user(&format!("user{number}"))).expect("it is new");
    let people: Vec<Uuid> = (0..ALLOWED + 6).map(create).collect();
    world.write(|tx| set_guard(tx, ALLOWED)).expect("it is a guard");
    let mut counts = 0;
    for (place, id) in people.iter().copied().enumerate().take(ALLOWED + 3) {
        let mut left = Ok(());
        let heard = listener.during(|| left = world.write(move |tx| leave(tx, id)));
        counts += heard.iter().filter(|text| text.starts_with(COUNTS)).count();
        let is_held = matches!(left, Err(Refusal::Guarded { count: 40, .. }));
        assert!(if place < ALLOWED { left.is_ok() } else { is_held }, "{place}: {left:?}");
    }
    // Each that is refused, and of those that are allowed the last sixteen and some before.
    assert!((19..32).contains(&counts), "{counts} counts");
    // By a stricter guard nobody is let through whom another has allowed.
    world.write(|tx| set_guard(tx, ALLOWED + 64)).expect("it is a guard");
    world
        .write({
            let id = people[ALLOWED];
            move |tx| leave(tx, id)
        })
        .expect("it is allowed");
    world.write(|tx| set_guard(tx, 2)).expect("it is a guard");
    let id = people[ALLOWED + 1];
    let left = world.write(move |tx| leave(tx, id));
    assert!(matches!(left, Err(Refusal::Guarded { count: 41, .. })), "{left:?}");
}
