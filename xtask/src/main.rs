//! The chores of the workspace: `cargo xtask test`, `lint`, `docs`, `postgres`, `bench`, `deploy`, `fuzz`,
//! `endure` and `fixture`.
//!
//! A chore does its own set-up, so that a fresh machine needs nothing but Rust, a C compiler,
//! Python 3 and a network to the package registries.

mod again;
mod bench;
mod deploy;
mod fuzz;
mod lint;
mod postgres;
mod process;
mod python;
mod single;
mod steps;
mod system;
mod test;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use bench::BenchArgs;
use system::Installer;
use workspace::Workspace;

/// What the command line says.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The chores of the workspace")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

/// One chore.
#[derive(Subcommand)]
enum Chore {
    /// Set up all that the tests need, then run them all
    Test {
        /// Leave out the Python environment and the conformance tests that need it
        #[arg(long)]
        skip_conformance: bool,
        #[command(flatten)]
        install: InstallArgs,
        /// More arguments for `cargo test`; a package or target chosen here replaces "all"
        #[arg(last = true)]
        extra: Vec<OsString>,
    },
    /// Check formatting, clippy, licences and known vulnerabilities
    Lint,
    /// Build the documentation of the workspace's own crates
    Docs,
    /// Put load on the service, beside what the machine can do, and write docs/performance.md
    Bench {
        #[command(flatten)]
        install: InstallArgs,
        #[command(flatten)]
        bench: BenchArgs,
    },
    /// Check the files of deploy/ with the tools that use them, as far as they are installed
    Deploy {
        #[command(flatten)]
        install: InstallArgs,
    },
    /// Run the fuzz targets, one after another; takes a nightly compiler and cargo-fuzz
    Fuzz {
        /// How long each of them runs
        #[arg(long, default_value_t = 5)]
        minutes: u64,
        /// Which of them run; without a name, all
        targets: Vec<String>,
    },
    /// Kill the server, stop the database, fill the disk, let the standby take over, again and again under
    /// load; print how often, what was acknowledged, and what is lost
    Endure {
        /// How often each of them happens
        #[arg(long, default_value_t = 50)]
        rounds: u64,
        /// Only one of them, by the beginning of its name: killed, database, disk
        what: Option<String>,
        #[command(flatten)]
        install: InstallArgs,
    },
    /// Write the databases of a release, from which every later one is brought up to date in the tests
    Fixture {
        /// The release, such as 0.1.0
        version: String,
        #[command(flatten)]
        install: InstallArgs,
    },
    /// Write docs/plans.md: how each database finds what identity providers ask for
    Plans {
        /// In a tenant with so many of everything
        #[arg(long, default_value_t = 100_000)]
        rows: u64,
        #[command(flatten)]
        install: InstallArgs,
    },
    /// Start a throw-away database server for running single tests by hand
    Postgres {
        #[command(flatten)]
        install: InstallArgs,
        /// Run this with the tests' environment, then stop; without it, wait for Enter or Ctrl-C
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}

/// Whether missing system packages may be installed.
#[derive(Args)]
struct InstallArgs {
    /// Never install system packages: say what is missing and stop
    #[arg(long)]
    no_install: bool,
}

fn main() -> ExitCode {
    run(Cli::parse().chore).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Does one chore. Everything it started is stopped and removed by the time this returns.
fn run(chore: Chore) -> anyhow::Result<ExitCode> {
    process::handle_signals()?;
    let workspace = Workspace::locate()?;
    match chore {
        Chore::Test { skip_conformance, install, extra } => {
            Ok(test::run(&workspace, &install.installer(), skip_conformance, &extra))
        }
        Chore::Lint => Ok(lint::run(&workspace)),
        Chore::Docs => Ok(lint::docs(&workspace)),
        Chore::Bench { install, bench } => bench::run(&workspace, &install.installer(), &bench),
        Chore::Deploy { install } => Ok(deploy::run(&workspace, &install.installer())),
        Chore::Fuzz { minutes, targets } => fuzz::run(&workspace, minutes, &targets),
        Chore::Endure { rounds, what, install } => {
            single::endure(&workspace, &install.installer(), rounds, what.as_deref())
        }
        Chore::Fixture { version, install } => {
            single::fixture(&workspace, &install.installer(), &version)
        }
        Chore::Plans { rows, install } => single::plans(&workspace, &install.installer(), rows),
        Chore::Postgres { install, command } => {
            postgres::run(&workspace, &install.installer(), &command)
        }
    }
}

impl InstallArgs {
    /// The installer that these arguments allow.
    fn installer(&self) -> Installer {
        if self.no_install { Installer::forbidden() } else { Installer::detect() }
    }
}
