//! The chores that only look: `cargo xtask lint` and `cargo xtask docs`.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::process::{stream, succeeds};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Checks that the code is formatted, free of warnings, and built from acceptable dependencies.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut steps = Steps::start();
    steps.run("fmt", || check(&mut workspace.cargo(["fmt", "--all", "--check"])));
    steps.run("clippy", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--"];
        check(workspace.cargo(arguments).args(["-D", "warnings"]))
    });
    optional(&mut steps, workspace, "deny", &["deny", "check", "licenses", "bans", "sources"]);
    optional(&mut steps, workspace, "audit", &["audit"]);
    steps.finish()
}

/// Builds the documentation.
pub(crate) fn docs(workspace: &Workspace) -> ExitCode {
    let mut steps = Steps::start();
    steps.run("docs", || {
        check(&mut workspace.cargo(["doc", "--workspace", "--no-deps", "--locked"]))
    });
    steps.finish()
}

/// Runs a cargo subcommand that not everybody has; its absence is said, and no failure.
fn optional(steps: &mut Steps, workspace: &Workspace, name: &'static str, arguments: &[&str]) {
    if has(workspace, name) {
        steps.run(name, || check(&mut workspace.cargo(arguments.iter().copied())));
        return;
    }
    steps.notice(&format!(
        "cargo-{name} is not installed, its check was left out (cargo install cargo-{name} --locked)"
    ));
}

/// Whether cargo has a subcommand.
pub(crate) fn has(workspace: &Workspace, subcommand: &str) -> bool {
    succeeds(&mut workspace.cargo([subcommand, "--version"]))
}

/// Runs a command that must succeed.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = stream(command)?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
