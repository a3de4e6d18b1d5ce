//! Whether a server starts, serves or stops, and whether it is ready.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use tokio::time::timeout;

use crate::State;

/// How long the database may take to answer that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a server is at.
#[derive(Default)]
enum Phase {
    /// It brings its database up to date.
    #[default]
    Starting,
    /// It takes requests in.
    Serving(Weak<State>),
    /// It takes requests in that come all the same.
    Draining(Weak<State>),
    /// Requests in flight finish.
    Stopping(Weak<State>),
}

/// The life of a server.
#[derive(Default)]
pub(crate) struct Life {
    phase: RwLock<Phase>,
    /// The same once more, for each request to look at.
    leaves: AtomicBool,
}

impl Life {
    /// It serves from now on.
    pub(crate) fn serve(&self, state: &Arc<State>) {
        *self.phase_mut() = Phase::Serving(Arc::downgrade(state));
    }

    /// It is to be sent no requests any more, and answers those that come.
    pub(crate) fn drain(&self) {
        self.leaves.store(true, Ordering::Relaxed);
        let mut phase = self.phase_mut();
        if let Phase::Serving(state) = &*phase {
            *phase = Phase::Draining(Weak::clone(state));
        }
    }

    /// It takes no requests in any more.
    pub(crate) fn stop(&self) {
        self.leaves.store(true, Ordering::Relaxed);
        let mut phase = self.phase_mut();
        if let Phase::Serving(state) | Phase::Draining(state) = &*phase {
            *phase = Phase::Stopping(Weak::clone(state));
        }
    }

    /// Whether it drains or stops, so that clients must look for another.
    pub(crate) fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Relaxed)
    }

    /// What the server works with, while it does.
    pub(super) fn state(&self) -> Option<Arc<State>> {
        match &*self.phase() {
            Phase::Starting => None,
            Phase::Serving(state) | Phase::Draining(state) | Phase::Stopping(state) => {
                state.upgrade()
            }
        }
    }

    /// Whether it takes requests in, whatever its database says.
    pub(super) fn is_serving(&self) -> bool {
        matches!(*self.phase(), Phase::Serving(_) | Phase::Draining(_))
    }

    /// Why it should be sent no requests; nothing if it should.
    pub(super) async fn obstacles(&self) -> Vec<String> {
        // Whoever stops is not asked for its database: whether it is there changes nothing.
        let why = match &*self.phase() {
            Phase::Starting => Some("starting: the database is not open yet"),
            Phase::Serving(_) => None,
            Phase::Draining(_) => Some("draining: requests are answered until others get them"),
            Phase::Stopping(_) => Some(STOPPING),
        };
        if let Some(why) = why {
            return vec![why.to_owned()];
        }
        match self.state() {
            Some(state) => obstacles_of(&state).await,
            None => vec![STOPPING.to_owned()],
        }
    }

    fn phase(&self) -> RwLockReadGuard<'_, Phase> {
        self.phase.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase_mut(&self) -> RwLockWriteGuard<'_, Phase> {
        self.phase.write().unwrap_or_else(PoisonError::into_inner)
    }
}

const STOPPING: &str = "stopping: requests in flight finish";

async fn obstacles_of(state: &State) -> Vec<String> {
    let schema = match timeout(PATIENCE, state.store.check()).await {
        Ok(Ok(schema)) => schema,
        // What it says may name hosts and users.
        Ok(Err(error)) => {
            tracing::warn!(error = %store::Plain(&error), "not ready: the database is away");
            return vec!["the database cannot be reached: the log says why".to_owned()];
        }
        Err(_) => {
            return vec![format!("the database does not answer within {} s", PATIENCE.as_secs())];
        }
    };
    let mut obstacles = Vec::new();
    if !schema.missing.is_empty() {
        obstacles.push(format!("the database lacks the steps {}", schema.missing.join(", ")));
    }
    if !schema.unknown.is_empty() {
        let steps = schema.unknown.join(", ");
        obstacles.push(format!("a newer program has brought the database to the steps {steps}"));
    }
    obstacles
}
