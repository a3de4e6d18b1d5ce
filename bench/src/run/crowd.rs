//! Many at once: a quiet tenant beside a busy one, and two servers over one database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::outcome::Paired;
use super::server::Process;
use super::stage::{Stage, connect};
use crate::client::Target;
use crate::load::run_name;
use crate::measure::Figures;
use crate::prepare::{Wish, prepare};
use crate::worker::measure;
use crate::workload::Workload;
use crate::world::World;

/// What the quiet tenant does, by one connection.
const QUIET: [&str; 2] = ["get-id", "patch-attribute"];

/// What the busy tenant does meanwhile: its initial sync, as fast as it can.
const BUSY: &str = "initial-sync";

/// The connections of the busy tenant: more than the service does at once.
const BUSY_CONNECTIONS: usize = 64;

/// How long the busy tenant is busy before the other is looked at.
const START: Duration = Duration::from_millis(500);

/// What two servers do, by as many connections as one.
const SHARED: [&str; 2] = ["get-id", "create"];

/// The users of the quiet tenant.
const QUIET_USERS: u64 = 300;

/// A quiet tenant while another one is provisioned for the first time, beside itself alone.
///
/// # Errors
/// If a request cannot be sent.
pub(super) async fn beside_a_busy_tenant(stage: &Stage, rounds: usize) -> Result<Vec<Paired>> {
    let seconds = stage.turn();
    let (busy_target, busy_world) = stage.place()?;
    let token = stage.service().furnish_as("quiet")?;
    let target = Arc::new(Target::new(stage.base_url()?, Some(&token))?);
    let wish = Wish { run: run_name(), users: QUIET_USERS, groups: Vec::new(), manifest: None };
    let world = Arc::new(prepare(&target, wish).await?);
    let mut pairs = Vec::new();
    for name in QUIET {
        let mut pair = Paired::new(name, "the same alone");
        for _ in 0..rounds {
            let alone = one(&[&target], &world, name, 1, seconds).await?;
            // The busy one begins before and ends after.
            let (busy, beside) = tokio::join!(
                async {
                    one(&[&busy_target], &busy_world, BUSY, BUSY_CONNECTIONS, seconds + 1.0).await
                },
                async {
                    sleep(START).await;
                    one(&[&target], &world, name, 1, seconds).await
                }
            );
            let (busy, beside) = (busy?, beside?);
            eprintln!(
                "  {name:16} p99 {:9.2} ms, beside {:.0}/s of another {:9.2} ms",
                alone.p99_ms, busy.per_second, beside.p99_ms
            );
            pair.add(beside, alone);
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

/// The load that two servers over one database carry, beside that of one.
///
/// # Errors
/// If the second cannot be started, or a request cannot be sent.
pub(super) async fn two_servers(
    stage: &Stage,
    rounds: usize,
    connections: usize,
) -> Result<Vec<Paired>> {
    let seconds = stage.turn();
    let (first, world) = stage.place()?;
    let process: Process = stage.service().start_another()?;
    let second = Arc::new(Target::new(&process.base_url, Some(stage.token()))?);
    let mut pairs = Vec::new();
    for name in SHARED {
        let mut pair = Paired::new(name, "one server");
        for _ in 0..rounds {
            let alone = one(&[&first], &world, name, connections, seconds).await?;
            let both = one(&[&first, &second], &world, name, connections, seconds).await?;
            eprintln!(
                "  {name:16} one server {:9.1}/s, two {:9.1}/s",
                alone.per_second, both.per_second
            );
            pair.add(both, alone);
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Runs a workload by so many connections, which these servers share.
async fn one(
    targets: &[&Arc<Target>],
    world: &Arc<World>,
    name: &str,
    connections: usize,
    seconds: f64,
) -> Result<Figures> {
    let workload = Workload::named(name).with_context(|| format!("no workload {name}"))?;
    let mut clients = Vec::new();
    for target in targets {
        clients.extend(connect(target, connections / targets.len()).await?);
    }
    let parts = measure(clients, world, workload, seconds).await?;
    let whole = parts.into_iter().find(|(part, _)| *part == name);
    whole.map(|(_, figures)| figures).with_context(|| format!("{name} was not measured"))
}
