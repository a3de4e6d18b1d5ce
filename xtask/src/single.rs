//! The chores that run a few of the tests for something more: `cargo xtask endure`,
//! `cargo xtask fixture` and `cargo xtask plans`.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use postgres_cluster::Cluster;

use crate::lint::check;
use crate::postgres;
use crate::steps::Steps;
use crate::system::Installer;
use crate::workspace::Workspace;

/// Where the black-box tests find the databases of releases.
const FIXTURES: &str = "crates/headcount/tests/fixtures";

/// Breaks the service again and again while it writes, and looks whether anything is lost.
pub(crate) fn endure(
    workspace: &Workspace,
    installer: &Installer,
    rounds: u64,
    what: Option<&str>,
) -> Result<ExitCode> {
    let cluster = Cluster::start(&postgres::ensure(installer)?)?;
    let mut command = workspace.cargo(["test", "--locked", "--package", "headcount"]);
    command.args(["--test", "integration", "--"]);
    command.arg(format!("durability::{}", what.unwrap_or_default()));
    // One after the other, so that what they print can be told apart.
    command.args(["--nocapture", "--test-threads", "1"]);
    cluster.export_to(command.env("HEADCOUNT_TEST_ROUNDS", rounds.to_string()));
    let mut steps = Steps::start();
    steps.run("endure", || check(&mut command));
    Ok(steps.finish())
}

/// Writes the fixture of a release, by which later ones are tested.
pub(crate) fn fixture(
    workspace: &Workspace,
    installer: &Installer,
    version: &str,
) -> Result<ExitCode> {
    let is_name = version.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    ensure!(is_name && !version.is_empty(), "{version:?} is no version, such as 0.1.0");
    let folder = workspace.root.join(FIXTURES).join(version);
    ensure!(!folder.exists(), "{} is there already: remove it first", folder.display());
    let cluster = Cluster::start(&postgres::ensure(installer)?)?;
    let mut command = workspace.cargo(["test", "--locked", "--package", "headcount"]);
    command.args(["--test", "integration", "--", "--ignored", "--exact"]);
    cluster.export_to(command.arg("upgrades::writes_a_fixture"));
    let mut steps = Steps::start();
    steps.run("fixture", || check(command.env("HEADCOUNT_TEST_WRITE_FIXTURE", &folder)));
    Ok(steps.finish())
}

/// Writes docs/plans.md, by the test that judges the plans.
pub(crate) fn plans(workspace: &Workspace, installer: &Installer, rows: u64) -> Result<ExitCode> {
    let cluster = Cluster::start(&postgres::ensure(installer)?)?;
    let mut command = workspace.cargo(["test", "--locked", "--package", "store"]);
    command.args(["--test", "contract", "--", "--ignored", "--exact"]);
    command.arg("plans::writes_the_page_of_plans").env("HEADCOUNT_TEST_ROWS", rows.to_string());
    cluster.export_to(&mut command);
    let mut steps = Steps::start();
    steps.run("plans", || check(&mut command));
    Ok(steps.finish())
}
