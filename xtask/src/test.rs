//! The chore `cargo xtask test`: set up everything, then run every test.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use postgres_cluster::Cluster;

use crate::again;
use crate::lint::{check, has};
use crate::postgres;
use crate::process::check_interrupted;
use crate::python::{self, Environment};
use crate::steps::Steps;
use crate::system::{Installer, ensure_build_tools, ensure_curl};
use crate::workspace::Workspace;

/// Tells the tests that the conformance tests are left out on purpose, not for want of set-up.
const SKIP_CONFORMANCE: &str = "HEADCOUNT_TEST_SKIP_CONFORMANCE";

/// Runs the whole chore and says at the end how it went.
pub(crate) fn run(
    workspace: &Workspace,
    installer: &Installer,
    skip_conformance: bool,
    extra: &[OsString],
) -> ExitCode {
    let mut steps = Steps::start();
    if let Some(fixtures) = set_up(&mut steps, workspace, installer, skip_conformance) {
        run_tests(&mut steps, workspace, &fixtures, extra);
    }
    steps.finish()
}

/// What the tests talk to.
struct Fixtures {
    cluster: Cluster,
    /// Absent when the conformance tests are left out.
    environment: Option<Environment>,
}

impl Fixtures {
    /// Lets a command find the fixtures.
    fn export_to(&self, command: &mut Command) {
        self.cluster.export_to(command);
        if let Some(environment) = &self.environment {
            environment.export_to(command);
            command.env_remove(SKIP_CONFORMANCE);
        } else {
            Environment::hide_from(command);
            command.env(SKIP_CONFORMANCE, "1");
        }
    }
}

/// Gets everything that the tests need. `None` means that something is missing, which has been
/// said.
fn set_up(
    steps: &mut Steps,
    workspace: &Workspace,
    installer: &Installer,
    skip_conformance: bool,
) -> Option<Fixtures> {
    steps.run("build tools", || ensure_build_tools(installer))?;
    steps.run("curl", || ensure_curl(installer))?;
    let environment = if skip_conformance {
        steps.notice("the conformance tests are left out");
        None
    } else {
        Some(steps.run("python", || python::ensure(workspace, installer))?)
    };
    let cluster = steps.run("postgresql", || Cluster::start(&postgres::ensure(installer)?))?;
    Some(Fixtures { cluster, environment })
}

/// Runs the tests; one kind runs even if another failed.
fn run_tests(steps: &mut Steps, workspace: &Workspace, fixtures: &Fixtures, extra: &[OsString]) {
    if has(workspace, "fmt") {
        steps.run("fmt", || check(&mut workspace.cargo(["fmt", "--all", "--check"])));
    } else {
        steps.notice("rustfmt is not installed, the formatting was not checked");
    }
    let selection = Selection::of(extra);
    let mut test = |name, targets: &[&str]| {
        if check_interrupted().is_err() {
            return;
        }
        let command = || {
            // A test that fails in one program must not hide what the programs after it would say.
            let mut command = workspace.cargo(["test", "--locked", "--no-fail-fast"]);
            command.args(selection.packages()).args(targets).args(extra);
            fixtures.export_to(&mut command);
            command
        };
        // Who chooses tests looks at them, and may have chosen how they are run. Benchmarks know nothing
        // of running one test again.
        if !extra.is_empty() || targets == BENCHES {
            steps.run(name, || check(&mut command()));
            return;
        }
        for passed in steps.run(name, || again::run(command)).unwrap_or_default() {
            steps.notice(&format!("{passed} failed beside the others and passed alone: mend it"));
        }
    };
    if selection.packages || selection.targets {
        // Cargo's own default for a package has the documentation's examples, if it has a library.
        test("tests", &[]);
        return;
    }
    test("tests", &["--lib", "--bins", "--tests", "--examples"]);
    test("benchmarks", BENCHES);
    test("doc tests", &["--doc"]);
}

/// Each benchmark, once, to see that it runs.
const BENCHES: &[&str] = &["--bench", "*"];

/// What the user's own arguments choose already.
#[derive(Debug, PartialEq, Eq)]
struct Selection {
    packages: bool,
    targets: bool,
}

impl Selection {
    /// Reads the arguments up to those for the test programs.
    fn of(extra: &[OsString]) -> Self {
        let own = || {
            let names = extra.iter().filter_map(|argument| argument.to_str());
            names.take_while(|&argument| argument != "--")
        };
        let names = |argument: &str, options: &[&str]| {
            let name = argument.split_once('=').map_or(argument, |(name, _)| name);
            options.contains(&name)
        };
        Self {
            packages: own().any(|argument| {
                names(argument, &["-p", "--package", "--workspace", "--manifest-path"])
                    || argument.strip_prefix("-p").is_some_and(|rest| !rest.is_empty())
            }),
            targets: own().any(|argument| {
                let one = ["--lib", "--bin", "--test", "--bench", "--example", "--doc"];
                let many = ["--bins", "--tests", "--benches", "--examples", "--all-targets"];
                names(argument, &one) || names(argument, &many)
            }),
        }
    }

    /// The default choice of packages.
    fn packages(&self) -> Option<&'static str> {
        (!self.packages).then_some("--workspace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(arguments: &[&str]) -> (bool, bool) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let Selection { packages, targets } = Selection::of(&arguments);
        (packages, targets)
    }

    #[test]
    fn a_filter_chooses_nothing() {
        assert_eq!(selection(&["users", "--quiet"]), (false, false));
    }

    #[test]
    fn packages_and_targets_are_recognised() {
        assert_eq!(selection(&["-p", "store"]), (true, false));
        assert_eq!(selection(&["-pstore", "--test=users"]), (true, true));
        assert_eq!(selection(&["--lib"]), (false, true));
    }

    #[test]
    fn arguments_of_the_test_programs_do_not_count() {
        assert_eq!(selection(&["--", "--test", "-p"]), (false, false));
    }
}
