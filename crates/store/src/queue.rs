//! The queue of units of work that several lanes take from. Each tenant waits in a line of its own,
//! and the lines take turns: however much one tenant sends, another waits for what runs and for one
//! of its units, not for all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use uuid::Uuid;

use crate::load::{BATCH_BOUNDS, Load, Tally, WAIT_BOUNDS};

/// What waits at most, of all tenants together.
const LIMIT: usize = 1_024;
/// What waits at most of one tenant, so that others find room.
const LIMIT_OF_TENANT: usize = LIMIT / 2;

/// A queue of `T`s.
pub(crate) struct Queue<T> {
    lines: Mutex<Lines<T>>,
    /// There is something, or there will be nothing more.
    changed: Condvar,
    /// How many units were done together.
    batches: Tally<{ BATCH_BOUNDS.len() }>,
    /// How long each waited, in nanoseconds.
    waits: Tally<{ WAIT_BOUNDS.len() }>,
}

/// Something that waits.
struct Waiting<T> {
    unit: T,
    since: Instant,
}

struct Lines<T> {
    /// The tenants with something that waits.
    of: HashMap<Uuid, VecDeque<Waiting<T>>>,
    /// The same tenants in the order of their turns.
    turns: VecDeque<Uuid>,
    waiting: usize,
    closed: bool,
    /// Those who wait for something.
    idle: usize,
    taken: u64,
    refused: u64,
}

/// Why something was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// Too much waits.
    Full,
    /// The queue was closed.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        let lines = Lines {
            of: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            closed: false,
            idle: 0,
            taken: 0,
            refused: 0,
        };
        let (lines, changed) = (Mutex::new(lines), Condvar::new());
        Self { lines, changed, batches: Tally::by(&BATCH_BOUNDS), waits: Tally::by(&WAIT_BOUNDS) }
    }

    /// Puts something at the end of a tenant's line.
    pub(crate) fn push(&self, tenant: Uuid, unit: T) -> Result<(), Rejected> {
        let waiting = Waiting { unit, since: Instant::now() };
        self.lines().push(tenant, waiting)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Takes what is next, or waits for it; `None` after the queue was closed and is empty.
    pub(crate) fn take(&self) -> Option<T> {
        let mut lines = self.lines();
        loop {
            match lines.next() {
                Some(waiting) => {
                    drop(lines);
                    return Some(self.taken(waiting));
                }
                None if lines.closed => return None,
                None => {}
            }
            lines.idle += 1;
            lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
            lines.idle -= 1;
        }
    }

    /// Notes how many units were done together.
    pub(crate) fn note_batch(&self, units: usize) {
        self.batches.note(u64::try_from(units).unwrap_or(u64::MAX));
    }

    /// How much there is to do for so many who take from it.
    pub(crate) fn load(&self, lanes: usize) -> Load {
        let lines = self.lines();
        Load {
            lanes,
            busy: lanes.saturating_sub(lines.idle),
            waiting: lines.waiting,
            units: lines.taken,
            refused: lines.refused,
            batches: self.batches.told(),
            waits: self.waits.told(),
        }
    }

    /// Takes what is next, if there is anything.
    pub(crate) fn take_waiting(&self) -> Option<T> {
        let waiting = self.lines().next()?;
        Some(self.taken(waiting))
    }

    /// Notes how long it has waited; outside of the lock, for which others wait.
    fn taken(&self, waiting: Waiting<T>) -> T {
        self.waits.note_time(waiting.since.elapsed());
        waiting.unit
    }

    /// Takes nothing more in; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lines().closed = true;
        self.changed.notify_all();
    }

    /// Nothing here panics half-way.
    fn lines(&self) -> MutexGuard<'_, Lines<T>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lines<T> {
    fn push(&mut self, tenant: Uuid, waiting: Waiting<T>) -> Result<(), Rejected> {
        if self.closed {
            return Err(Rejected::Closed);
        }
        let line = self.of.get(&tenant).map_or(0, VecDeque::len);
        if self.waiting >= LIMIT || line >= LIMIT_OF_TENANT {
            self.refused += 1;
            return Err(Rejected::Full);
        }
        if line == 0 {
            self.turns.push_back(tenant);
        }
        self.of.entry(tenant).or_default().push_back(waiting);
        self.waiting += 1;
        Ok(())
    }

    fn next(&mut self) -> Option<Waiting<T>> {
        let tenant = self.turns.pop_front()?;
        let line = self.of.get_mut(&tenant)?;
        let waiting = line.pop_front()?;
        self.waiting -= 1;
        self.taken += 1;
        if line.is_empty() {
            self.of.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::load::Counts;

    const BUSY: Uuid = Uuid::from_u128(1);
    const QUIET: Uuid = Uuid::from_u128(2);

    #[test]
    fn a_quiet_tenant_waits_for_one_unit_of_a_busy_one() {
        let queue = Queue::new();
        for number in 0..100 {
            queue.push(BUSY, number).unwrap();
        }
        queue.push(QUIET, 1000).unwrap();
        queue.push(QUIET, 1001).unwrap();
        let taken: Vec<i32> = (0..5).filter_map(|_| queue.take_waiting()).collect();
        assert_eq!(taken, [0, 1000, 1, 1001, 2]);
    }

    #[test]
    fn one_tenant_does_not_fill_the_queue() {
        let queue = Queue::new();
        let taken_in = (0..LIMIT).filter(|number| queue.push(BUSY, *number).is_ok()).count();
        assert_eq!(taken_in, LIMIT_OF_TENANT);
        assert_eq!(queue.push(BUSY, 0), Err(Rejected::Full));
        assert_eq!(queue.push(QUIET, 0), Ok(()));
        for tenant in 0..LIMIT - LIMIT_OF_TENANT - 1 {
            queue.push(Uuid::from_u128(3 + tenant as u128), 0).unwrap();
        }
        assert_eq!(queue.push(Uuid::from_u128(5001), 0), Err(Rejected::Full), "all together");
        queue.take().unwrap();
        assert_eq!(queue.push(Uuid::from_u128(5001), 0), Ok(()));
    }

    #[test]
    fn the_load_tells_what_waits_and_what_was_refused() {
        let queue = Queue::new();
        for number in 0..=LIMIT_OF_TENANT {
            let _ = queue.push(BUSY, number);
        }
        queue.take().unwrap();
        let load = queue.load(4);
        assert_eq!((load.waiting, load.units, load.refused), (LIMIT_OF_TENANT - 1, 1, 1));
        assert_eq!(load.busy, 4, "nobody waits for work");
        for units in [1, 2, 3, 128, 500] {
            queue.note_batch(units);
        }
        let batches = queue.load(4).batches;
        assert_eq!(batches.counts, [1, 1, 1, 0, 0, 0, 0, 1, 1]);
        assert_eq!(batches.sum, 634);
    }

    #[test]
    fn the_load_tells_how_long_each_unit_has_waited() {
        let queue = Queue::new();
        queue.push(BUSY, 1).unwrap();
        queue.push(QUIET, 2).unwrap();
        assert_eq!(queue.load(1).waits.counts.iter().sum::<u64>(), 0, "nothing was taken");
        thread::sleep(Duration::from_millis(60));
        queue.take().unwrap();
        queue.take_waiting().unwrap();
        let Counts { counts, sum } = queue.load(1).waits;
        let long = WAIT_BOUNDS.iter().position(|bound| *bound == 50_000_000).unwrap();
        assert_eq!(counts[..=long].iter().sum::<u64>(), 0, "{counts:?}");
        assert_eq!(counts.iter().sum::<u64>(), 2, "{counts:?}");
        assert!(sum >= 120_000_000, "{sum}");
    }

    #[test]
    fn what_is_as_large_as_a_bound_is_within_it() {
        let tally = Tally::by(&[10, 20]);
        for size in [0, 10, 11, 20, 21, u64::from(u32::MAX)] {
            tally.note(size);
        }
        let Counts { counts, sum } = tally.told();
        assert_eq!((counts, sum), (vec![2, 2, 2], 62 + u64::from(u32::MAX)));
    }

    #[test]
    fn what_waits_is_given_out_after_the_queue_was_closed() {
        let queue = Arc::new(Queue::new());
        queue.push(BUSY, 1).unwrap();
        queue.close();
        assert_eq!(queue.push(BUSY, 2), Err(Rejected::Closed));
        assert_eq!((queue.take(), queue.take()), (Some(1), None));
    }

    #[test]
    fn lanes_wait_until_there_is_something_or_nothing_more() {
        let queue = Arc::new(Queue::new());
        let lane = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || std::iter::from_fn(|| queue.take()).sum::<i32>())
        };
        for number in 1..=3 {
            queue.push(BUSY, number).unwrap();
        }
        queue.close();
        assert_eq!(lane.join().unwrap(), 6);
    }
}
