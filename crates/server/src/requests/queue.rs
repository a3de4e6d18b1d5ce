//! The queue between those who answer requests and the one who writes them down.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use accounts::provisioning_log::Request;
use accounts::{Caller, LeniencyUse};
use jiff::Timestamp;
use scim_protocol::dialect::Leniency;
use uuid::Uuid;

/// Requests that wait to be written at most.
const CAPACITY: usize = 4_096;

/// Requests of one connection that succeed and are logged in one second. A client that sends more has
/// no trouble that the log could tell of, and would soon have driven everything else out of it.
pub(super) const SUCCESSES_PER_SECOND: u32 = 100;

/// A connection of a tenant.
type Whose = (Uuid, Uuid);

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    requests: Vec<(Uuid, Request)>,
    connections: HashMap<Whose, Seen>,
    uses: HashMap<(Whose, Leniency), (u64, Timestamp)>,
    lost: u64,
    omitted: u64,
}

/// What was seen of a connection.
#[derive(Default)]
struct Seen {
    /// The second that `successes` is of.
    second: i64,
    successes: u32,
    /// Requests that are not logged since the last one that is.
    omitted: u64,
}

/// What was taken to be written.
#[derive(Default)]
pub(super) struct Taken {
    /// The requests of each tenant.
    pub(super) requests: HashMap<Uuid, Vec<Request>>,
    /// The leniencies that each tenant's connections used.
    pub(super) uses: HashMap<Uuid, Vec<LeniencyUse>>,
    /// Requests for which there was no room.
    pub(super) lost: u64,
}

impl Queue {
    /// Counts what a request did beyond the RFC, and adds what `request` makes, if there is room. It is
    /// given the leniencies, and how many requests of the connection before it are not logged.
    pub(super) fn offer(
        &self,
        caller: &Caller,
        succeeded: bool,
        leniencies: Vec<(Leniency, u64)>,
        request: impl FnOnce(Vec<(Leniency, u64)>, u64) -> Request,
    ) {
        let whose = (caller.tenant, caller.connection);
        let mut waiting = self.waiting();
        for (leniency, count) in &leniencies {
            waiting.count(whose, *leniency, *count, caller.now);
        }
        let has_room = waiting.requests.len() < CAPACITY;
        let seen = waiting.connections.entry(whose).or_default();
        let is_wanted = !succeeded || seen.has_room(caller.now.as_second());
        if is_wanted && has_room {
            let omitted = std::mem::take(&mut seen.omitted);
            waiting.requests.push((caller.tenant, request(leniencies, omitted)));
            return;
        }
        seen.omitted += 1;
        waiting.omitted += u64::from(!is_wanted);
        waiting.lost += u64::from(is_wanted);
    }

    /// Takes everything that waits; `second` is the present one.
    pub(super) fn take(&self, second: i64) -> Taken {
        let mut waiting = self.waiting();
        let requests = std::mem::take(&mut waiting.requests);
        let uses = std::mem::take(&mut waiting.uses);
        let lost = std::mem::take(&mut waiting.lost);
        // What was omitted is told by the next entry.
        waiting.connections.retain(|_, seen| seen.omitted > 0 || seen.second == second);
        drop(waiting);
        let mut taken = Taken { lost, ..Taken::default() };
        for (tenant, request) in requests {
            taken.requests.entry(tenant).or_default().push(request);
        }
        for (((tenant, connection), leniency), (count, last_seen)) in uses {
            let leniency = leniency.as_str().to_owned();
            let used = LeniencyUse { connection, leniency, count, last_seen };
            taken.uses.entry(tenant).or_default().push(used);
        }
        taken
    }

    /// How many requests wait, and how many were not wanted since the server started.
    pub(crate) fn load(&self) -> (u64, u64) {
        let waiting = self.waiting();
        (waiting.requests.len() as u64, waiting.omitted)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn count(&mut self, whose: Whose, leniency: Leniency, count: u64, now: Timestamp) {
        let (uses, last_seen) = self.uses.entry((whose, leniency)).or_insert((0, now));
        *uses += count;
        *last_seen = now.max(*last_seen);
    }
}

impl Seen {
    /// Whether one more request that succeeded is logged in this second; counts it if so.
    fn has_room(&mut self, second: i64) -> bool {
        if self.second != second {
            (self.second, self.successes) = (second, 0);
        }
        let has_room = self.successes < SUCCESSES_PER_SECOND;
        self.successes += u32::from(has_room);
        has_room
    }
}

#[cfg(test)]
mod tests;
