//! Lanes of a replica: threads with a connection to it that run what it may answer.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::Shared;
use super::follower::{Follower, Source, Unfit};
use super::request::{Reading, Since};
use crate::lane::end_with_the_process;

/// Connections to the replica, for reads.
const LANES: usize = 8;

/// Starts them.
pub(super) fn start(shared: &Arc<Shared>, source: &Source) -> std::io::Result<()> {
    for at in 0..LANES {
        let mut lane = Lane { shared: Arc::clone(shared), source: source.clone(), follower: None };
        let work = move || {
            while let Some(request) = lane.shared.waiting.take() {
                lane.serve(request);
            }
        };
        let thread = thread::Builder::new().name(format!("replica-{at}"));
        thread.spawn(|| end_with_the_process(work))?;
    }
    Ok(())
}

struct Lane {
    shared: Arc<Shared>,
    source: Source,
    follower: Option<Follower>,
}

impl Lane {
    fn serve(&mut self, request: Box<dyn Reading>) {
        if request.is_abandoned() {
            return;
        }
        match self.caught_up(request.since()) {
            Ok(follower) => {
                follower.session.view.begin();
                if let Err(failure) = request.run(&mut follower.session) {
                    self.shared.failed(&failure.why);
                    if failure.is_broken {
                        self.follower = None;
                    }
                }
            }
            Err(unfit) => {
                self.shared.suspend();
                request.give_back(unfit.why());
            }
        }
    }

    /// A connection to a replica that has what a request needs; a new one where it broke while it was idle.
    fn caught_up(&mut self, since: &Since) -> Result<&mut Follower, Unfit> {
        let was_there = self.follower.is_some();
        let mut caught_up = self.catch_up(since);
        if was_there && matches!(caught_up, Err(Unfit::Away(_))) && Instant::now() < since.until {
            caught_up = self.catch_up(since);
        }
        let follower = caught_up?;
        Ok(self.follower.insert(follower))
    }

    fn catch_up(&mut self, since: &Since) -> Result<Follower, Unfit> {
        let mut follower = match self.follower.take() {
            Some(follower) => follower,
            None => self.source.connect()?,
        };
        match follower.catch_up(&since.position, since.until) {
            Ok(()) => Ok(follower),
            Err(behind @ Unfit::Behind(_)) => {
                self.follower = Some(follower);
                Err(behind)
            }
            // Behind the same address there may be another next time.
            Err(unfit) => Err(unfit),
        }
    }
}
