//! The chore `cargo xtask bench`: the workspace's benchmarks.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::lint::check;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Runs every benchmark, with the user's arguments for it.
pub(crate) fn run(workspace: &Workspace, extra: &[OsString]) -> ExitCode {
    let mut steps = Steps::start();
    steps.run("bench", || {
        // By target, not by package: the harness of unit tests refuses a benchmark's arguments.
        let arguments = ["bench", "--workspace", "--bench", "*", "--locked", "--"];
        check(workspace.cargo(arguments).args(extra))
    });
    steps.finish()
}
