//! The provisioning log: written beside the units of work of requests, read as resources, and bounded.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use accounts::policy::{LogPolicy, PersonalData};
use accounts::provisioning_log::{Entry, Problem, Request, get, list};
use accounts::{LeniencyUse, Refusal, Resource, StorageError, Tx};
use jiff::Timestamp;
use scim_protocol::dialect::{Dialect, Leniencies, Leniency};
use scim_protocol::query::{Parameters, Query};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, World, context, new_user, on_each_database, user,
};

const OKTA: Uuid = Uuid::from_u128(0x0191_0001 << 96);
const ENTRA: Uuid = Uuid::from_u128(0x0191_0002 << 96);

/// A request that is like others only by chance.
pub(crate) fn request(number: u32) -> Request {
    let n = usize::try_from(number).unwrap_or_default();
    let some = |every: usize, text: &str| (n % every == 0).then(|| text.to_owned());
    let paths = ["/scim/v2/Users", "/scim/v2/Groups/.search", "/admin/v1/Roles/x/copy", "/"];
    let leniencies = [
        vec![],
        vec![(Leniency::OperationCase, 3)],
        vec![(Leniency::BareValue, 1), (Leniency::StringBoolean, u64::from(number))],
    ];
    Request {
        id: Uuid::from_u128(0x0191_0000 << 96 | u128::from(number)),
        at: Timestamp::constant(1_700_000_000 + i64::from(number / 2), 0),
        connection: [OKTA, ENTRA][n % 2],
        method: ["GET", "POST", "PATCH"][n % 3].to_owned(),
        path: paths[n % 4].to_owned(),
        resource: (n % 3 == 0).then(|| Uuid::from_u128(7 + u128::from(number / 6))),
        filter: some(2, "userName eq \"ada@x.org\""),
        found: (n % 2 == 0).then_some(u64::from(number % 5)),
        status: [200, 409, 400, 201][n % 4],
        problem: (n % 4 == 1 || n % 4 == 2).then(|| Problem {
            scim_type: some(2, "invalidFilter"),
            code: some(3, "userNameTaken"),
            rule: some(5, "R1"),
            detail: format!("{n} is Taken"),
        }),
        operations: Vec::new(),
        leniencies: leniencies[n % 3].clone(),
        micros: u64::from(number) * 333,
        request: Uuid::from_u128(900 + u128::from(number / 2)),
        omitted: u64::from(number % 3),
    }
}

fn entries(numbers: impl Iterator<Item = u32>) -> Vec<Entry> {
    let policy = LogPolicy::default();
    numbers.map(|number| request(number).entry(Some("Okta"), &policy)).collect()
}

/// Writes requests down.
pub(crate) fn log(world: &World, numbers: std::ops::Range<u32>) {
    let entries = entries(numbers);
    let written = world.log(move |log| log.insert_requests(CALLER.tenant, &entries));
    written.expect("it can be written");
}

fn query(filter: Option<&str>, sort_by: Option<&str>) -> Query {
    let parameters = Parameters {
        filter: filter.map(str::to_owned),
        sort_by: sort_by.map(str::to_owned),
        sort_order: sort_by.map(|_| "descending".to_owned()),
        count: Some("200".to_owned()),
        ..Parameters::default()
    };
    let kind = ResourceType::provisioning_log_entry();
    parameters.query(kind, &mut Leniencies::new(Dialect::Strict)).expect("it is a query")
}

fn found(world: &World, filter: Option<&str>) -> Vec<Resource> {
    let query = query(filter, Some("at"));
    let page = world.read(move |tx| list(tx, &CALLER, &query)).expect("it is found");
    page.resources
}

fn numbers(found: &[Resource]) -> Vec<u128> {
    found.iter().map(|entry| entry.id.as_u128() & u128::from(u32::MAX)).collect()
}

fn what_is_written_is_read_as_it_was(database: &TestDatabase) {
    let world = World::on(database);
    log(&world, 0..6);
    let all = found(&world, None);
    assert_eq!(numbers(&all), [5, 4, 3, 2, 1, 0], "the newest first");
    let expected = entries(std::iter::once(5)).remove(0).resource;
    assert_eq!(all[0], expected);
    let id = expected.id;
    assert_eq!(world.read(move |tx| get(tx, &CALLER, id)).expect("it is there"), expected);
    let other = accounts::Caller { tenant: Uuid::from_u128(77), ..CALLER };
    let refused = world.read(move |tx| get(tx, &other, id));
    assert!(matches!(refused, Err(Refusal::Rule { .. })), "{refused:?}");
}

fn a_request_does_not_wait_for_the_log(database: &TestDatabase) {
    let world = World::on(database);
    let (running, ending) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (at_run, at_end) = (Arc::clone(&running), Arc::clone(&ending));
    let (store, entries) = (Arc::clone(&world.store), entries(0..3));
    let gate = world.runtime.spawn(async move {
        let unit = store.log(move |log| {
            log.insert_requests(CALLER.tenant, &entries)?;
            at_run.wait();
            at_end.wait();
            Ok::<_, StorageError>(())
        });
        unit.await
    });
    running.wait();
    // Its transaction has written and goes on.
    let store = Arc::clone(&world.store);
    let create = async move {
        let unit = |tx: &mut dyn Tx| Ok(new_user(tx, &context(), user("ada"))?.id);
        store.write(unit).await.map_err(|refusal: Refusal| refusal.to_string())
    };
    let (create, start) = (world.runtime.spawn(create), Instant::now());
    while !create.is_finished() && start.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(5));
    }
    let waited = !create.is_finished();
    let is_there = found(&world, None).len();
    ending.wait();
    assert!(!waited, "a request waited for the log");
    world.runtime.block_on(create).expect("the task ends").expect("nothing stands in the way");
    assert_eq!(is_there, 0, "its entries were not there yet");
    world.runtime.block_on(gate).expect("the task ends").expect("the unit succeeds");
    assert_eq!(found(&world, None).len(), 3);
}

fn entries_are_forgotten_by_age(database: &TestDatabase) {
    let world = World::on(database);
    log(&world, 0..10);
    let oldest = request(4).at;
    let forget = move |limit| {
        move |log: &mut dyn accounts::RequestLog| {
            log.forget_requests_before(CALLER.tenant, oldest, limit)
        }
    };
    assert_eq!(world.log(forget(2)).expect("it can be written"), 2, "no more than are wanted");
    assert_eq!(numbers(&found(&world, None)), [9, 8, 7, 6, 5, 4, 3, 2], "the oldest first");
    assert_eq!(world.log(forget(9)).expect("it can be written"), 2);
    assert_eq!(world.log(forget(9)).expect("it can be written"), 0);
    assert_eq!(numbers(&found(&world, None)), [9, 8, 7, 6, 5, 4]);
}

fn entries_of_a_connection_are_forgotten_by_number(database: &TestDatabase) {
    let world = World::on(database);
    log(&world, 0..20);
    let forget = |limit| {
        let unit = move |log: &mut dyn accounts::RequestLog| {
            log.forget_requests_but(CALLER.tenant, ENTRA, 4, limit)
        };
        world.log(unit).expect("it can be written")
    };
    assert_eq!((forget(5), forget(5), forget(5)), (5, 1, 0));
    let of = |connection: Uuid| {
        numbers(&found(&world, Some(&format!("connection.value eq \"{connection}\""))))
    };
    assert_eq!(of(ENTRA), [19, 17, 15, 13]);
    assert_eq!(of(OKTA).len(), 10, "the other keeps its own");
}

fn r59_what_is_in_clear_goes_when_somebody_is_erased(database: &TestDatabase) {
    let world = World::on(database);
    log(&world, 0..2);
    let clear = LogPolicy { personal_data: PersonalData::Clear, ..LogPolicy::default() };
    let entries = [2, 3].map(|number| request(number).entry(None, &clear));
    let written = world.log(move |log| {
        log.insert_requests(CALLER.tenant, &entries)?;
        log.forget_persons(Uuid::from_u128(77))
    });
    written.expect("it can be written");
    assert_eq!(found(&world, None).len(), 4, "another tenant's is no business of this one");
    world.log(|log| log.forget_persons(CALLER.tenant)).expect("it can be written");
    assert_eq!(numbers(&found(&world, None)), [1, 0]);
}

fn uses_of_leniencies_add_up_beside_the_connection(database: &TestDatabase) {
    let world = World::on(database);
    let versions = "SELECT CAST(version AS text) AS value FROM catalogue_versions";
    let before = database.raw().texts(versions);
    let used = |connection, leniency: &str, count, second| LeniencyUse {
        connection,
        leniency: leniency.to_owned(),
        count,
        last_seen: Timestamp::constant(second, 0),
    };
    for uses in [
        vec![used(OKTA, "bareValue", 2, 9), used(ENTRA, "bareValue", 1, 1)],
        vec![used(OKTA, "operationCase", 1, 3), used(OKTA, "bareValue", 5, 4)],
    ] {
        let counted = world.write(move |tx| tx.count_leniencies(CALLER.tenant, &uses));
        counted.expect("they can be counted");
    }
    let of = |tenant: Uuid, connections: &'static [Uuid]| {
        world.read(move |tx| tx.leniencies_of(tenant, connections)).expect("they can be read")
    };
    assert_eq!(
        of(CALLER.tenant, &[OKTA]),
        [used(OKTA, "bareValue", 7, 9), used(OKTA, "operationCase", 1, 3)]
    );
    assert_eq!(of(CALLER.tenant, &[OKTA, ENTRA]).len(), 3);
    assert!(of(Uuid::from_u128(77), &[OKTA, ENTRA]).is_empty());
    assert_eq!(database.raw().texts(versions), before, "nobody's catalogue is thrown away");
}

fn what_is_asked_for_most_has_an_index(database: &TestDatabase) {
    let world = World::on(database);
    log(&world, 0..2_000);
    if database.kind == Kind::Postgres {
        database.raw().execute("ANALYZE").expect("statistics are made");
    }
    let plan = |filter: Option<&str>, sort: Option<&str>| {
        let kind = ResourceType::provisioning_log_entry();
        let plan = store::explain(&database.url, kind, CALLER.scope(), &query(filter, sort));
        plan.expect("it has a plan").join("\n")
    };
    let newest = plan(None, Some("at"));
    assert!(newest.contains("provisioning_log_by_time"), "{newest}");
    assert!(!newest.contains("TEMP B-TREE") && !newest.contains("Sort"), "{newest}");
    let of_resource = plan(Some(&format!("resourceId eq \"{OKTA}\"")), Some("at"));
    assert!(of_resource.contains("provisioning_log_by_resource"), "{of_resource}");
}

on_each_database!(
    what_is_written_is_read_as_it_was,
    a_request_does_not_wait_for_the_log,
    entries_are_forgotten_by_age,
    entries_of_a_connection_are_forgotten_by_number,
    r59_what_is_in_clear_goes_when_somebody_is_erased,
    uses_of_leniencies_add_up_beside_the_connection,
    what_is_asked_for_most_has_an_index,
);

#[test]
fn who_loses_the_file_of_the_log_loses_the_log_alone() {
    let database = TestDatabase::create(Kind::Sqlite);
    let world = World::on(&database);
    world.create_user(user("ada")).expect("she is new");
    log(&world, 0..3);
    drop(world);
    let file = database.log_file();
    for file in [file.clone(), file.with_extension("db-wal"), file.with_extension("db-shm")] {
        let _ = std::fs::remove_file(file);
    }
    let world = World::on(&database);
    assert!(found(&world, None).is_empty());
    world.create_user(user("ada")).expect_err("she is still there");
    log(&world, 0..3);
    assert_eq!(found(&world, None).len(), 3);
}
