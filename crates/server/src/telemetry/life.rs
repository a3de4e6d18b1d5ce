//! Whether a server starts, serves or stops, and whether it is ready.

use std::sync::{Arc, PoisonError, RwLock, Weak};
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
    /// Requests in flight finish.
    Draining(Weak<State>),
}

/// The life of a server.
#[derive(Default)]
pub(crate) struct Life(RwLock<Phase>);

impl Life {
    /// It serves from now on.
    pub(crate) fn serve(&self, state: &Arc<State>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Phase::Serving(Arc::downgrade(state));
    }

    /// It is told to stop.
    pub(crate) fn drain(&self) {
        let mut phase = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Phase::Serving(state) = &*phase {
            *phase = Phase::Draining(Weak::clone(state));
        }
    }

    /// What the server works with, while it does.
    pub(super) fn state(&self) -> Option<Arc<State>> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Phase::Starting => None,
            Phase::Serving(state) | Phase::Draining(state) => state.upgrade(),
        }
    }

    /// Whether it takes requests in, whatever its database says.
    pub(super) fn is_serving(&self) -> bool {
        matches!(*self.0.read().unwrap_or_else(PoisonError::into_inner), Phase::Serving(_))
    }

    /// Why it should be sent no requests; nothing if it should.
    pub(super) async fn obstacles(&self) -> Vec<String> {
        let Some(state) = self.state() else {
            let starts =
                matches!(*self.0.read().unwrap_or_else(PoisonError::into_inner), Phase::Starting);
            let why = if starts { "starting: the database is not open yet" } else { STOPPING };
            return vec![why.to_owned()];
        };
        let mut obstacles = obstacles_of(&state).await;
        if !self.is_serving() {
            obstacles.insert(0, STOPPING.to_owned());
        }
        obstacles
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
