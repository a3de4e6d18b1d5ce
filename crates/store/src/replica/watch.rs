//! Looks at the replica each second, whether it may be used, and says so when it may not.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::follower::{Follower, Source, Unfit};
use super::position::Primary;
use super::{PATIENCE, QUIET, Shared};
use crate::lane::end_with_the_process;
use crate::plain::Plain;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Starts the thread that looks.
pub(super) fn start(shared: &Arc<Shared>, primary: Primary, source: Source) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    let mut watch = Watch { primary, source, follower: None, warned: None, is_told: false };
    let look = move || {
        let mut is_closed = false;
        while !is_closed {
            watch.look(&shared);
            let seen = shared.seen();
            let wait = shared.closed.wait_timeout_while(seen, EVERY, |seen| !seen.is_closed);
            is_closed = wait.unwrap_or_else(PoisonError::into_inner).0.is_closed;
        }
    };
    thread::Builder::new().name("replica-watch".into()).spawn(|| end_with_the_process(look))?;
    Ok(())
}

struct Watch {
    primary: Primary,
    source: Source,
    follower: Option<Follower>,
    /// When it was said last that the replica cannot be used.
    warned: Option<Instant>,
    /// Whether it was said that it is used.
    is_told: bool,
}

impl Watch {
    fn look(&mut self, shared: &Shared) {
        let position = match self.primary.position() {
            Ok(position) => position,
            Err(error) => {
                // Reads fail as well then, and whoever runs them says more.
                tracing::debug!(error = %Plain(&error), "the primary does not say how far it is");
                shared.see(false, None);
                return;
            }
        };
        // A new connection may be to another server, behind the same address.
        let mut follower = match self.follower.take().map_or_else(|| self.source.connect(), Ok) {
            Ok(follower) => follower,
            Err(unfit) => return self.refuse(shared, &unfit, None),
        };
        let lag = match follower.look(&position) {
            Ok(lag) => lag.unsigned_abs(),
            Err(unfit) => return self.refuse(shared, &unfit, None),
        };
        match follower.catch_up(&position, Instant::now() + PATIENCE) {
            Ok(()) => {
                self.follower = Some(follower);
                self.accept(shared, lag);
            }
            Err(unfit) => self.refuse(shared, &unfit, Some(lag)),
        }
    }

    fn accept(&mut self, shared: &Shared, lag: u64) {
        shared.see(true, Some(lag));
        if !self.is_told {
            self.is_told = true;
            tracing::info!("the read replica is used");
        }
    }

    fn refuse(&mut self, shared: &Shared, unfit: &Unfit, lag: Option<u64>) {
        shared.see(false, lag);
        if self.warned.is_none_or(|at| at.elapsed() >= QUIET) {
            self.warned = Some(Instant::now());
            self.is_told = false;
            tracing::warn!(why = %unfit, "the read replica is not used: the primary answers");
        }
    }
}
