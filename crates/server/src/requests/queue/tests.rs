use accounts::Rights;
use accounts::connections::Switches;
use scim_protocol::dialect::Dialect;

use super::*;

fn caller(tenant: u128, second: i64) -> Caller {
    Caller {
        tenant: Uuid::from_u128(tenant),
        connection: Uuid::from_u128(tenant + 100),
        dialect: Dialect::Standard,
        rights: Rights::ALL,
        genesys: false,
        switches: Switches::NONE,
        person: None,
        now: Timestamp::constant(second, 0),
    }
}

fn request(leniencies: Vec<(Leniency, u64)>, omitted: u64) -> Request {
    Request {
        id: Uuid::nil(),
        at: Timestamp::UNIX_EPOCH,
        connection: Uuid::nil(),
        method: "GET".to_owned(),
        path: "/scim/v2/Users".to_owned(),
        resource: None,
        filter: None,
        found: None,
        status: 200,
        problem: None,
        operations: Vec::new(),
        leniencies,
        micros: 1,
        request: Uuid::nil(),
        omitted,
    }
}

fn offer(queue: &Queue, caller: &Caller, succeeded: bool) {
    queue.offer(caller, succeeded, Vec::new(), request);
}

fn omitted(taken: &Taken, tenant: u128) -> Vec<u64> {
    let of_tenant = taken.requests.get(&Uuid::from_u128(tenant));
    of_tenant.into_iter().flatten().map(|request| request.omitted).collect()
}

#[test]
fn of_what_succeeds_a_connection_has_so_many_a_second_and_the_next_tells_of_the_others() {
    let queue = Queue::default();
    for _ in 0..SUCCESSES_PER_SECOND + 7 {
        offer(&queue, &caller(1, 5), true);
    }
    offer(&queue, &caller(2, 5), true);
    let taken = queue.take(5);
    assert_eq!(omitted(&taken, 1), vec![0; SUCCESSES_PER_SECOND as usize]);
    assert_eq!(omitted(&taken, 2), [0], "the other has its own");
    assert_eq!(taken.lost, 0, "nothing was lost that is wanted");
    offer(&queue, &caller(1, 5), true);
    assert!(omitted(&queue.take(5), 1).is_empty(), "it is still the same second");
    offer(&queue, &caller(1, 5), false);
    offer(&queue, &caller(1, 6), true);
    assert_eq!(omitted(&queue.take(6), 1), [8, 0], "what fails is always there");
}

#[test]
fn what_the_queue_has_no_room_for_is_counted() {
    let queue = Queue::default();
    for _ in 0..CAPACITY + 3 {
        offer(&queue, &caller(1, 5), false);
    }
    let taken = queue.take(5);
    assert_eq!((omitted(&taken, 1).len(), taken.lost), (CAPACITY, 3));
    offer(&queue, &caller(1, 9), false);
    let taken = queue.take(9);
    assert_eq!((omitted(&taken, 1), taken.lost), (vec![3], 0));
}

#[test]
fn leniencies_are_counted_also_of_what_is_not_logged() {
    let queue = Queue::default();
    let used = [(Leniency::OperationCase, 2), (Leniency::BareValue, 1)];
    for second in [9, 8] {
        for _ in 0..=SUCCESSES_PER_SECOND {
            queue.offer(&caller(1, second), true, used.to_vec(), request);
        }
    }
    let mut uses = queue.take(9).uses.remove(&Uuid::from_u128(1)).unwrap();
    uses.sort_by_key(|used| used.count);
    let told = |used: &LeniencyUse| (used.leniency.clone(), used.count, used.last_seen.as_second());
    let times = 2 * u64::from(SUCCESSES_PER_SECOND + 1);
    assert_eq!(
        uses.iter().map(told).collect::<Vec<_>>(),
        [("bareValue".to_owned(), times, 9), ("operationCase".to_owned(), 2 * times, 9)]
    );
    assert!(queue.take(9).uses.is_empty());
}

#[test]
fn connections_that_are_silent_are_forgotten() {
    let queue = Queue::default();
    offer(&queue, &caller(1, 5), true);
    queue.take(5);
    assert_eq!(queue.waiting().connections.len(), 1);
    queue.take(6);
    assert!(queue.waiting().connections.is_empty());
}
