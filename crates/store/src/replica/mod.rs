//! Reads by a replica of PostgreSQL that has all that was acknowledged before they came.
//!
//! An identity provider reads back what it wrote within the second, and perhaps through another server
//! process. So each read begins with a question to the primary: how far is the log of your writes
//! ([`questions`])? Whatever was acknowledged before, by whatever process, is at or before that position,
//! and a replica that has replayed as much may answer ([`lanes`]). One that does not get there in time,
//! is away or follows something else is not waited for: the primary answers. A thread looks at the
//! replica each second ([`watch`]), so that one that is not fit costs the requests nothing, and is used
//! again by itself.

mod count;
mod follower;
mod lanes;
mod position;
mod questions;
mod request;
mod watch;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accounts::Tx;
use tokio::time::timeout_at;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::error::UnitError;
use crate::keyring::Keyring;
use crate::queue::Queue;

pub use count::{ReadBy, ReplicaLoad};

use count::Counts;
use follower::Source;
use position::Primary;
use questions::Questions;
use request::{Reading, Since};

/// How long a read waits at most, for the primary's position and until the replica has it, before the
/// primary answers.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a lane may take to say that it waits no longer.
const GRACE: Duration = Duration::from_millis(25);

/// How long what was seen of the replica is believed. Where nothing new is seen, looking takes long.
const BELIEVED: Duration = Duration::from_secs(3);

/// How often it is said at most that something is wrong with the replica.
const QUIET: Duration = Duration::from_secs(60);

/// A replica, as the store uses it. Dropping it lets its threads end.
pub(crate) struct Replica {
    shared: Arc<Shared>,
    questions: Arc<Questions>,
}

/// What all threads of a replica share.
struct Shared {
    waiting: Queue<Box<dyn Reading>>,
    seen: Mutex<Seen>,
    /// The replica is not needed any more.
    closed: Condvar,
    counts: Counts,
}

/// What was seen of the replica when somebody looked at it last.
struct Seen {
    at: Instant,
    is_fit: bool,
    lag: Option<u64>,
    /// When it was said last that it could not run something.
    told_failure: Option<Instant>,
    is_closed: bool,
}

impl Seen {
    /// This, unless it was too long ago.
    fn believed(&self) -> Option<&Self> {
        (self.at.elapsed() < BELIEVED).then_some(self)
    }
}

impl Shared {
    fn new() -> Self {
        let seen = Seen {
            at: Instant::now(),
            is_fit: false,
            lag: None,
            told_failure: None,
            is_closed: false,
        };
        Self {
            waiting: Queue::new(),
            seen: Mutex::new(seen),
            closed: Condvar::new(),
            counts: Counts::default(),
        }
    }

    /// Nothing here panics half-way.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fit(&self) -> bool {
        self.seen().believed().is_some_and(|seen| seen.is_fit)
    }

    fn see(&self, is_fit: bool, lag: Option<u64>) {
        let mut seen = self.seen();
        (seen.at, seen.is_fit, seen.lag) = (Instant::now(), is_fit, lag);
    }

    /// Says, not too often, that the replica could not run something.
    fn failed(&self, why: &str) {
        let mut seen = self.seen();
        if seen.told_failure.is_none_or(|at| at.elapsed() >= QUIET) {
            seen.told_failure = Some(Instant::now());
            tracing::warn!(why, "the read replica could not answer: the primary does");
        }
    }

    /// Sends nothing to the replica until it was looked at again.
    fn suspend(&self) {
        self.seen().is_fit = false;
    }
}

impl Replica {
    /// Begins to follow a replica of a primary. Neither needs to be there.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(crate) fn start(
        primary: &str,
        replica: &str,
        keyring: &Arc<Keyring>,
        catalogue: &Arc<Catalogue>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new());
        let source = Source::new(replica, keyring, catalogue);
        lanes::start(&shared, &source)?;
        watch::start(&shared, Primary::new(primary), source)?;
        let questions = questions::start(Primary::new(primary))?;
        Ok(Self { shared, questions })
    }

    /// Runs a unit of work that only reads on the replica, and gives it back if the primary is to run it.
    pub(crate) async fn read<F, T, E>(&self, tenant: Uuid, work: F) -> Result<Result<T, E>, F>
    where
        F: Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: UnitError,
    {
        let (by, answer) = match self.read_in_time(tenant, work).await {
            Ok(answer) => (ReadBy::Replica, Ok(answer)),
            Err((work, why)) => (why, Err(work)),
        };
        self.shared.counts.add(by);
        answer
    }

    async fn read_in_time<F, T, E>(
        &self,
        tenant: Uuid,
        work: F,
    ) -> Result<Result<T, E>, (F, ReadBy)>
    where
        F: Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: UnitError,
    {
        if !self.shared.is_fit() {
            return Err((work, ReadBy::Away));
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        let position = timeout_at(until, self.questions.position()).await.ok().flatten();
        let Some(position) = position else { return Err((work, ReadBy::Unasked)) };
        let since = Since { position, until: until.into_std() };
        let (request, answer) = request::new(work, since);
        // One that is not taken in is dropped, and the work found where it was.
        let _ = self.shared.waiting.push(tenant, request);
        answer.within(until + GRACE).await
    }

    /// What reads were answered by, and how the replica is.
    pub(crate) fn load(&self) -> ReplicaLoad {
        let lag = self.shared.seen().believed().and_then(|seen| seen.lag);
        ReplicaLoad { reads: self.shared.counts.all(), is_used: self.shared.is_fit(), lag }
    }
}

impl Drop for Replica {
    /// Its threads end when they are done with what they are at. They are not waited for: a replica that
    /// does not answer must not keep the process.
    fn drop(&mut self) {
        self.shared.waiting.close();
        self.shared.seen().is_closed = true;
        self.shared.closed.notify_all();
        self.questions.close();
    }
}
