//! The command `load`: one workload after another against a server.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use clap::Args;

use crate::client::{Client, Target};
use crate::measure::Memory;
use crate::prepare::{Wish, prepare};
use crate::report::{Line, Report, heading};
use crate::worker::measure;
use crate::workload::{TABLE, Workload};
use crate::world::{Manifest, World};

/// The options of `load`.
#[derive(Args, Clone, Debug)]
pub struct LoadOptions {
    /// Where the server's SCIM endpoint is, such as <http://127.0.0.1:8080/scim/v2>
    #[arg(long, value_name = "URL")]
    pub base_url: String,
    /// The bearer token
    #[arg(long, env = "HEADCOUNT_BENCH_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// How many connections there are at once
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// How long each workload is measured
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// The workloads, by name; without it, all for which the server has enough users
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub workloads: Vec<String>,
    /// How many users there must be at least; those that are missing are made
    #[arg(long, default_value_t = 1000)]
    pub users: u64,
    /// What a seeding program wrote about the data; without it, the server is asked
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Where to write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The server's process, whose memory is looked at
    #[arg(long)]
    pub pid: Option<u32>,
    /// Only see that everything works
    #[arg(long)]
    pub quick: bool,
}

/// Runs the workloads, and prints and writes what they came to. The exit code says whether all
/// requests were answered as they should be.
///
/// # Errors
/// If the server cannot be reached or does not do what the workloads begin with.
pub async fn run(options: &LoadOptions) -> Result<ExitCode> {
    let report = report(options).await?;
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if report.failures() > 0 {
        eprintln!("{} requests were not answered as they should be", report.failures());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the workloads, and prints each as soon as it is done.
///
/// # Errors
/// As [`run`].
pub async fn report(options: &LoadOptions) -> Result<Report> {
    let chosen = chosen(&options.workloads)?;
    let manifest = options.manifest.as_deref().map(Manifest::read).transpose()?;
    let target = Arc::new(Target::new(&options.base_url, options.token.as_deref())?);
    let mut groups: Vec<u64> = chosen.iter().filter_map(|workload| workload.group()).collect();
    groups.dedup();
    let wish = Wish { run: run_name(), users: options.users, groups, manifest };
    let world = Arc::new(prepare(&target, wish).await?);
    let possible = |workload: &&&Workload| has_what_it_needs(workload, &world);
    let mut report = Report { users: world.total, lines: Vec::new() };
    print!("{} users\n{}", world.total, heading());
    for workload in chosen.iter().filter(possible) {
        for line in one(options, &target, &world, workload).await? {
            print!("{}", line.row());
            report.lines.push(line);
        }
    }
    Ok(report)
}

/// Measures one workload on new connections.
async fn one(
    options: &LoadOptions,
    target: &Arc<Target>,
    world: &Arc<World>,
    workload: &'static Workload,
) -> Result<Vec<Line>> {
    let mut clients = Vec::new();
    for _ in 0..options.connections.clamp(1, workload.most_connections) {
        clients.push(Client::connect(target).await?);
    }
    let connections = clients.len();
    let seconds = if options.quick { 0.3 } else { options.seconds };
    let parts = measure(clients, world, workload, seconds).await?;
    let memory = options.pid.and_then(Memory::of);
    let line = |(name, figures): (&str, _)| {
        let workload_name = name.to_owned();
        Line { workload: workload_name, connections, units: workload.units, figures, memory }
    };
    Ok(parts.into_iter().map(line).collect())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Workload>> {
    if names.is_empty() {
        return Ok(TABLE.iter().collect());
    }
    let known = |name: &String| {
        let unknown = || format!("there is no workload {name:?}: see `headcount-bench workloads`");
        Workload::named(name).with_context(unknown)
    };
    names.iter().map(known).collect()
}

/// Says why not, if a workload cannot run.
pub(crate) fn has_what_it_needs(workload: &Workload, world: &World) -> bool {
    if workload.is_mix() && world.sync_groups.is_empty() {
        eprintln!("{}: not run, the server makes no groups", workload.name);
        return false;
    }
    let Some(size) = workload.group() else { return true };
    let there = world.groups.contains_key(&size);
    if !there {
        eprintln!("{}: not run, there is no group of {size}", workload.name);
    }
    there
}

/// A short name that no earlier run had: the seconds of the clock, in letters and digits.
#[allow(clippy::disallowed_methods, reason = "no rule depends on it")]
pub(crate) fn run_name() -> String {
    let mut rest = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    let mut name = Vec::new();
    while rest > 0 {
        name.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize]);
        rest /= 36;
    }
    name.reverse();
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_chosen_by_name() {
        let names = ["put".to_owned(), "create".to_owned()];
        let found: Vec<&str> = chosen(&names).unwrap().iter().map(|one| one.name).collect();
        assert_eq!(found, ["put", "create"]);
        assert_eq!(chosen(&[]).unwrap().len(), TABLE.len());
        assert!(chosen(&["x".to_owned()]).is_err());
    }

    #[test]
    fn a_run_has_a_short_name() {
        let name = run_name();
        assert!((6..10).contains(&name.len()), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
