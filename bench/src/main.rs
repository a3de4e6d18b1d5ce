//! `headcount-bench`: the load program.
//!
//! ```sh
//! cargo build --release -p headcount-bench
//! headcount-bench load --base-url http://127.0.0.1:8080/scim/v2 --token hc_… --users 10000
//! headcount-bench load --base-url … --token … --workloads get-id,create --seconds 5 --json out.json
//! headcount-bench workloads
//! ```
//!
//! `load` makes the users and groups that are missing, over SCIM itself. A server whose guard holds
//! mass deactivation must be told to allow it, or `patch-active` fails.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use headcount_bench::ceiling::bare::{self, BareOptions};
use headcount_bench::ceiling::command::{self as ceiling, CeilingOptions};
use headcount_bench::load::{self, LoadOptions};
use headcount_bench::others::command::{self as others, OthersOptions};
use headcount_bench::run::{self, PageOptions, RunOptions};
use headcount_bench::seed::{self, SeedOptions};
use headcount_bench::workload;
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};

/// As the service's: the program that loads it must not be the slower of the two.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a SCIM server does under load, beside what the machine can do
#[derive(Parser)]
#[command(name = "headcount-bench", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Put load on a SCIM server
    Load(LoadOptions),
    /// Put many users into a database of the service
    Seed(SeedOptions),
    /// Measure what the databases can do at all
    Ceiling(CeilingOptions),
    /// Measure everything on this machine and write docs/performance.md
    Run(RunOptions),
    /// Compare the service with other servers, and add that to docs/performance.md
    Others(OthersOptions),
    /// Write docs/performance.md anew from the figures of the last run
    Page(PageOptions),
    /// Answer every request with the same bytes: the ceiling of reading over HTTP
    Bare(BareOptions),
    /// List the workloads
    Workloads,
}

fn main() -> ExitCode {
    match obey(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("headcount-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(command: Command) -> anyhow::Result<ExitCode> {
    // One thread is enough, and leaves the rest of the machine to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Load(options) => runtime.block_on(load::run(&options)),
        Command::Seed(options) => {
            runtime.block_on(seed::run(&options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Ceiling(options) => ceiling::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Run(options) => runtime.block_on(unless_stopped(run::run(options))),
        Command::Others(options) => runtime.block_on(unless_stopped(others::run(options))),
        Command::Page(options) => run::page(&options).map(|()| ExitCode::SUCCESS),
        Command::Bare(options) => bare::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Workloads => {
            for one in &workload::TABLE {
                println!("{:20} {}", one.name, one.about);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What was started and made is ended and removed when a signal comes.
async fn unless_stopped<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = work => done,
        _ = terminate.recv() => anyhow::bail!("stopped"),
        _ = interrupt.recv() => anyhow::bail!("stopped"),
    }
}
