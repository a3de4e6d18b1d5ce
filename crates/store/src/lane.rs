//! Lanes: threads that own a connection and run units of work.
//!
//! A unit of work is a synchronous closure over one transaction. It waits in a bounded queue; a
//! full queue is answered at once instead of growing. Work whose caller is gone is not started;
//! work that started is finished. A unit that fails or panics is rolled back alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use accounts::{RequestLog, StorageError, Tx};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::UnitError;
use crate::load::Load;
use crate::look_up::LookUp;
use crate::patience::in_time;
use crate::queue::{Queue, Rejected};

/// The units that lanes take.
pub(crate) type Units = Arc<Queue<Box<dyn Unit>>>;

/// How a unit ended, as far as its transaction is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be committed.
    Commit,
    /// To be rolled back.
    RollBack,
    /// To be rolled back, and run again.
    Again,
    /// To be rolled back; the database's error says nothing but a text in its own language, which
    /// may be that of a deadlock.
    Unclear,
    /// The connection is of no more use.
    Broken,
}

/// All that a session can be asked. Of what there are two files in SQLite, each session has one.
pub(crate) trait AllTx: Tx + RequestLog + Steps {}

impl<T: Tx + RequestLog + Steps> AllTx for T {}

/// What a session knows of the database itself.
pub(crate) trait Steps {
    /// The steps of the schema that were applied.
    fn steps(&mut self) -> Result<Vec<String>, StorageError>;
}

/// A unit of work in a queue.
pub(crate) trait Unit: Send {
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// What it looks up first, if that is known.
    fn look_up(&self) -> Option<&LookUp>;
    /// Runs it, and keeps its result.
    fn run(&mut self, tx: &mut dyn AllTx) -> Verdict;
    /// Answers with the result of the run, or with why it does not count.
    fn answer(self: Box<Self>, ended: Result<(), StorageError>);
}

struct Closure<F, T, E> {
    work: F,
    look_up: Option<LookUp>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Unit for Closure<F, T, E>
where
    F: Fn(&mut dyn AllTx) -> Result<T, E> + Send,
    T: Send,
    E: UnitError,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn look_up(&self) -> Option<&LookUp> {
        self.look_up.as_ref()
    }

    fn run(&mut self, tx: &mut dyn AllTx) -> Verdict {
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(StorageError::Failed("a unit of work panicked".into()).into()));
        let verdict = match result.as_ref().map_err(E::storage) {
            Ok(_) => Verdict::Commit,
            Err(Some(StorageError::Again)) => Verdict::Again,
            Err(Some(StorageError::Unavailable(_))) => Verdict::Broken,
            Err(Some(StorageError::Failed(error))) if is_unclear(error.as_ref()) => {
                Verdict::Unclear
            }
            Err(_) => Verdict::RollBack,
        };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, ended: Result<(), StorageError>) {
        let result = match (ended, self.result) {
            // Its own error says more than that it was not committed.
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StorageError::Unavailable("it was not run".into()).into()),
        };
        // A caller that is gone needs no answer.
        let _ = self.reply.send(result);
    }
}

/// The threads behind one queue.
pub(crate) struct Lanes {
    queue: Units,
    threads: Vec<JoinHandle<()>>,
}

impl Lanes {
    /// Starts a thread for each of `lanes`, which take units from one queue until it is closed.
    pub(crate) fn start<L>(name: &str, lanes: Vec<L>) -> std::io::Result<Self>
    where
        L: FnOnce(Units) + Send + 'static,
    {
        let queue = Arc::new(Queue::new());
        let mut threads = Vec::with_capacity(lanes.len());
        for (at, lane) in lanes.into_iter().enumerate() {
            let units = Arc::clone(&queue);
            let thread = std::thread::Builder::new().name(format!("{name}-{at}"));
            threads.push(thread.spawn(move || end_with_the_process(|| lane(units)))?);
        }
        Ok(Self { queue, threads })
    }

    /// Runs a unit of work, when it is the turn of its tenant, and gives its result, after the commit.
    /// What it looks up first is of use to lanes that look up for several.
    pub(crate) async fn run<F, T, E>(
        &self,
        tenant: Uuid,
        look_up: Option<LookUp>,
        work: F,
    ) -> Result<T, E>
    where
        F: Fn(&mut dyn AllTx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: UnitError,
    {
        let (reply, result) = oneshot::channel();
        let unit: Box<dyn Unit> = Box::new(Closure { work, look_up, result: None, reply });
        self.queue.push(tenant, unit).map_err(|rejected| {
            unavailable(match rejected {
                Rejected::Full => "too many requests wait",
                Rejected::Closed => "the store is closed",
            })
        })?;
        let result = in_time(result).await?;
        result.unwrap_or_else(|_| Err(unavailable("the store was closed").into()))
    }

    /// How busy they are.
    pub(crate) fn load(&self) -> Load {
        self.queue.load(self.threads.len())
    }
}

impl Drop for Lanes {
    /// Finishes what waits, and the threads.
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A lane does not panic without ending the process.
            let _ = thread.join();
        }
    }
}

/// A lane that panics outside a unit of work leaves its connection in a state that nobody knows,
/// and SQLite without its writer: whoever watches the process starts it anew.
pub(crate) fn end_with_the_process(lane: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(lane)).is_err() {
        tracing::error!("a lane of the store panicked; the process ends");
        std::process::abort();
    }
}

fn is_unclear(error: &(dyn std::error::Error + 'static)) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    let error = error.downcast_ref::<Error>();
    matches!(error, Some(Error::DatabaseError(DatabaseErrorKind::Unknown, _)))
}

pub(crate) fn unavailable(why: &str) -> StorageError {
    StorageError::Unavailable(why.to_owned())
}
