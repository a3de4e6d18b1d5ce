//! A unit of work that a replica may run, if a lane of it gets there in time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use accounts::{StorageError, Tx};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::count::ReadBy;
use super::position::Position;
use crate::error::UnitError;
use crate::lane::unavailable;
use crate::patience::in_time;
use crate::plain::Plain;

/// What a replica must have replayed to answer, and until when it is waited for.
pub(super) struct Since {
    pub(super) position: Position,
    pub(super) until: std::time::Instant,
}

/// What went wrong below a unit of work.
pub(super) struct Failure {
    /// The connection is of no more use.
    pub(super) is_broken: bool,
    /// What the database said, without values.
    pub(super) why: String,
}

/// A request in the queue.
pub(super) trait Reading: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    fn since(&self) -> &Since;
    /// Runs it and answers. Where the database fails it is given back: the primary may be able to.
    fn run(self: Box<Self>, tx: &mut dyn Tx) -> Result<(), Failure>;
    /// Gives it back for the primary.
    fn give_back(self: Box<Self>, why: ReadBy);
}

/// What whoever waits is told.
enum Told<F, T, E> {
    Answered(Result<T, E>),
    /// The work, which the primary is to do.
    Returned(F, ReadBy),
}

/// Work that either a lane or, when that takes too long, the request itself takes away.
type Slot<F> = Arc<Mutex<Option<F>>>;

fn take<F>(slot: &Slot<F>) -> Option<F> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct Request<F, T, E> {
    work: Slot<F>,
    since: Since,
    reply: oneshot::Sender<Told<F, T, E>>,
}

/// What comes of a request.
pub(super) struct Answer<F, T, E> {
    work: Slot<F>,
    told: oneshot::Receiver<Told<F, T, E>>,
}

/// A request for the queue, and what comes of it.
pub(super) fn new<F, T, E>(work: F, since: Since) -> (Box<dyn Reading>, Answer<F, T, E>)
where
    F: Fn(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: UnitError,
{
    let (reply, told) = oneshot::channel();
    let work = Arc::new(Mutex::new(Some(work)));
    (Box::new(Request { work: Arc::clone(&work), since, reply }), Answer { work, told })
}

impl<F, T, E: UnitError> Answer<F, T, E> {
    /// The answer; or the work with why it was not done, if no lane has begun it by then.
    pub(super) async fn within(mut self, until: Instant) -> Result<Result<T, E>, (F, ReadBy)> {
        let told = match timeout_at(until, &mut self.told).await {
            Ok(told) => told.ok(),
            Err(_) => match take(&self.work) {
                // No lane can begin it any more.
                Some(work) => return Err((work, ReadBy::Busy)),
                None => match in_time(self.told).await {
                    Ok(told) => told.ok(),
                    Err(error) => return Ok(Err(error.into())),
                },
            },
        };
        match told {
            Some(Told::Answered(answer)) => Ok(answer),
            Some(Told::Returned(work, why)) => Err((work, why)),
            None => match take(&self.work) {
                Some(work) => Err((work, ReadBy::Busy)),
                None => Ok(Err(unavailable("the store was closed").into())),
            },
        }
    }
}

impl<F, T, E> Reading for Request<F, T, E>
where
    F: Fn(&mut dyn Tx) -> Result<T, E> + Send,
    T: Send,
    E: UnitError,
{
    fn is_abandoned(&self) -> bool {
        let slot = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        slot.is_none() || self.reply.is_closed()
    }

    fn since(&self) -> &Since {
        &self.since
    }

    fn run(self: Box<Self>, tx: &mut dyn Tx) -> Result<(), Failure> {
        let Some(work) = take(&self.work) else { return Ok(()) };
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)))
            .unwrap_or_else(|_| Err(StorageError::Unavailable("it panicked".into()).into()));
        let (told, ended) = match result.as_ref().map_err(E::storage) {
            Ok(_) | Err(None) => (Told::Answered(result), Ok(())),
            Err(Some(error)) => {
                let is_broken = matches!(error, StorageError::Unavailable(_));
                let why = Plain(error).to_string();
                (Told::Returned(work, ReadBy::Failed), Err(Failure { is_broken, why }))
            }
        };
        // A caller that is gone needs no answer.
        let _ = self.reply.send(told);
        ended
    }

    fn give_back(self: Box<Self>, why: ReadBy) {
        if let Some(work) = take(&self.work) {
            let _ = self.reply.send(Told::Returned(work, why));
        }
    }
}
