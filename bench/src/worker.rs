//! One connection that repeats the turns of a workload, and what it measures.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::client::{Call, Client, Reply};
use crate::measure::{Figures, Tally};
use crate::workload::{Kind, Workload, turn};
use crate::world::{Person, World};

/// How much of the time goes by before anything counts.
const WARM_UP: f64 = 0.1;

/// One of several that do the same.
pub(crate) struct Worker {
    pub(crate) world: Arc<World>,
    pub(crate) tally: Tally,
    /// How often somebody was switched on or off.
    pub(crate) toggles: u64,
    /// How often somebody was moved to a group or from it.
    pub(crate) moves: u64,
    /// Where a walk goes on.
    pub(crate) cursor: Option<String>,
    /// What is deleted when all is measured: paths.
    pub(crate) left: Vec<String>,
    client: Client,
    number: usize,
    workers: usize,
    turns: u64,
    random: u64,
}

impl Worker {
    fn new(client: Client, world: Arc<World>, number: usize, workers: usize) -> Self {
        Self {
            world,
            tally: Tally::default(),
            toggles: 0,
            moves: 0,
            cursor: None,
            left: Vec::new(),
            client,
            number,
            workers,
            turns: 0,
            random: 0x9E37_79B9_7F4A_7C15 ^ (number as u64 + 1),
        }
    }

    /// How many turns there were before.
    pub(crate) fn count(&mut self) -> u64 {
        self.turns += 1;
        self.turns - 1
    }

    /// Somebody by chance.
    pub(crate) fn anybody(&mut self) -> &Person {
        // Xorshift: fast, and the same in every run.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        &self.world.people[(self.random % self.world.people.len() as u64) as usize]
    }

    /// One of those that no other worker changes, as long as there are enough.
    pub(crate) fn own(&self, turn: u64) -> &Person {
        let place = turn * self.workers as u64 + self.number as u64;
        &self.world.people[(place % self.world.people.len() as u64) as usize]
    }

    /// Somebody who is in no group, for this worker alone.
    pub(crate) fn outsider(&self) -> &str {
        &self.world.outsiders[self.number % self.world.outsiders.len()]
    }

    /// The group that this worker fills.
    pub(crate) fn sync_group(&self) -> &str {
        &self.world.sync_groups[self.number % self.world.sync_groups.len()]
    }

    /// Sends a request and counts what comes back: the answer, if it has one of these statuses and
    /// this text in it.
    pub(crate) async fn ask(&mut self, call: &Call, statuses: &[u16], text: &str) -> Option<Reply> {
        let start = Instant::now();
        let reply = match self.client.send(call).await {
            Ok(reply) => reply,
            Err(error) => {
                self.tally.unanswered();
                self.tally.failed(|| format!("{error:#}"));
                // Not to spin while nobody listens.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return None;
            }
        };
        self.tally.answered(start.elapsed(), reply.status);
        if !statuses.contains(&reply.status) {
            self.tally.failed(|| format!("{}: {}", call.story(), reply.story()));
            return None;
        }
        if !reply.has(text) {
            self.tally.failed(|| format!("{}: no {text:?} in {}", call.story(), reply.story()));
            return None;
        }
        Some(reply)
    }

    /// Sends a request that is no part of what is measured and must succeed.
    pub(crate) async fn silently(&mut self, call: &Call) -> Result<Reply> {
        self.client.expect(call).await
    }

    /// Repeats a workload: what was measured, and for how long.
    async fn repeat(mut self, kind: Kind, seconds: f64) -> Result<(Tally, Duration)> {
        let begin = Instant::now() + Duration::from_secs_f64(seconds * WARM_UP);
        let end = begin + Duration::from_secs_f64(seconds);
        let mut start = None;
        loop {
            let now = Instant::now();
            if start.is_none() && now >= begin {
                self.tally.forget_times();
                start = Some(now);
            }
            if let Some(start) = start
                && now >= end
                && self.tally.requests() > 0
            {
                self.clear().await?;
                return Ok((self.tally, now - start));
            }
            turn(kind, &mut self).await?;
        }
    }

    /// Deletes what a workload left, after what is measured.
    async fn clear(&mut self) -> Result<()> {
        for path in mem::take(&mut self.left) {
            self.silently(&Call::delete(path)).await?;
        }
        Ok(())
    }

    /// Goes through everything once: all pages, those of the first tenth and those of the last.
    async fn walk(mut self) -> Result<Vec<(&'static str, Tally, Duration)>> {
        let mut pages: Vec<(Tally, Duration)> = Vec::new();
        loop {
            turn(Kind::CursorWalk, &mut self).await?;
            let tally = mem::take(&mut self.tally);
            let elapsed = tally.total();
            pages.push((tally, elapsed));
            if self.cursor.is_none() {
                break;
            }
        }
        // The last page is not a full one.
        let full = &pages[..(pages.len() - 1).max(1)];
        let tenth = (full.len() / 10).max(1);
        Ok(vec![
            together("cursor-walk", &pages),
            together("cursor-first", &full[..tenth]),
            together("cursor-last", &full[full.len() - tenth..]),
        ])
    }
}

fn together(name: &'static str, pages: &[(Tally, Duration)]) -> (&'static str, Tally, Duration) {
    let mut all = Tally::default();
    for (tally, _) in pages {
        all.add(tally);
    }
    (name, all, pages.iter().map(|(_, elapsed)| *elapsed).sum())
}

/// Runs a workload on some connections: its figures, by name. The walk by cursor has those of its
/// first and its last tenth too.
///
/// # Errors
/// If nobody listens, or what a request depends on could not be prepared.
pub async fn measure(
    clients: Vec<Client>,
    world: &Arc<World>,
    workload: &'static Workload,
    seconds: f64,
) -> Result<Vec<(&'static str, Figures)>> {
    let workers = clients.len();
    let worker = |(number, client)| Worker::new(client, Arc::clone(world), number, workers);
    let mut all = clients.into_iter().enumerate().map(worker);
    if workload.kind == Kind::CursorWalk {
        let Some(worker) = all.next() else { return Ok(Vec::new()) };
        let parts = worker.walk().await?;
        return Ok(parts
            .into_iter()
            .map(|(name, tally, time)| (name, tally.figures(time)))
            .collect());
    }
    let running: Vec<_> =
        all.map(|worker| tokio::spawn(worker.repeat(workload.kind, seconds))).collect();
    let (mut sum, mut time) = (Tally::default(), Duration::ZERO);
    for worker in running {
        let (tally, elapsed) = worker.await??;
        sum.add(&tally);
        time += elapsed;
    }
    // They ran side by side, each for nearly the same time.
    Ok(vec![(workload.name, sum.figures(time / workers.max(1) as u32))])
}
