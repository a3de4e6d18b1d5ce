//! The chore `cargo xtask bench`: the load program on this machine, and the workspace's small
//! benchmarks.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use postgres_cluster::Cluster;

use crate::lint::check;
use crate::postgres;
use crate::process::stream;
use crate::steps::Steps;
use crate::system::{Installer, ensure_build_tools};
use crate::workspace::Workspace;

/// What `cargo xtask bench` takes.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    load: LoadArgs,
}

/// Which benchmarks.
#[derive(Subcommand)]
enum What {
    /// Run the small benchmarks of the crates, with criterion
    Micro {
        /// Arguments for the benchmarks, such as part of a name
        #[arg(last = true)]
        extra: Vec<OsString>,
    },
    /// Compare the service with other SCIM servers
    Others {
        #[command(flatten)]
        load: LoadArgs,
    },
}

/// How the load program runs.
#[derive(Args)]
struct LoadArgs {
    /// Measure this binary instead of building one
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Only see that everything works
    #[arg(long)]
    quick: bool,
    /// With how many users, ascending, such as 1000,100000
    #[arg(long, value_name = "LIST")]
    sizes: Option<String>,
    /// On which databases: sqlite, postgres
    #[arg(long, value_name = "LIST")]
    databases: Option<String>,
    /// Where performance.md goes instead of docs
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Runs what is asked for.
pub(crate) fn run(
    workspace: &Workspace,
    installer: &Installer,
    arguments: &BenchArgs,
) -> Result<ExitCode> {
    match &arguments.what {
        None => load(workspace, installer, "run", &arguments.load),
        Some(What::Others { load: options }) => load(workspace, installer, "others", options),
        Some(What::Micro { extra }) => Ok(micro(workspace, extra)),
    }
}

/// Builds the service and the load program, and lets that do the rest on a cluster of its own.
fn load(
    workspace: &Workspace,
    installer: &Installer,
    command: &str,
    options: &LoadArgs,
) -> Result<ExitCode> {
    let programs = postgres::ensure(installer)?;
    let server = if let Some(server) = &options.server {
        std::path::absolute(server)?
    } else {
        ensure_build_tools(installer)?;
        build(workspace, "headcount")?
    };
    let bench = build(workspace, "headcount-bench")?;
    let cluster = Cluster::start_durable(&programs)?;
    let mut call = Command::new(bench);
    call.current_dir(&workspace.root).arg(command).arg("--server").arg(server);
    call.args(["--postgres", &cluster.url()]).arg("--programs").arg(&programs);
    if options.quick {
        call.arg("--quick");
    }
    if let Some(sizes) = &options.sizes {
        call.args(["--sizes", sizes]);
    }
    if let Some(databases) = &options.databases {
        call.args(["--databases", databases]);
    }
    // A run to see that everything works must not pass for one that measured.
    let out = options.out.clone().or_else(|| options.quick.then(|| workspace.target.join("bench")));
    if let Some(out) = out {
        call.arg("--out").arg(out);
    }
    let status = stream(&mut call)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds a package as it is released: its binary, which has its name.
fn build(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    let status =
        stream(&mut workspace.cargo(["build", "--release", "--locked", "--package", package]))?;
    ensure!(status.success(), "{package} cannot be built");
    Ok(workspace.target.join("release").join(package))
}

/// Runs the small benchmarks, with the user's arguments for them.
fn micro(workspace: &Workspace, extra: &[OsString]) -> ExitCode {
    let mut steps = Steps::start();
    steps.run("bench", || {
        // By target, not by package: the harness of unit tests refuses a benchmark's arguments.
        let arguments = ["bench", "--workspace", "--bench", "*", "--locked", "--"];
        check(workspace.cargo(arguments).args(extra))
    });
    steps.finish()
}
