//! The chore `cargo xtask fuzz`: the fuzz targets, one after another.
//!
//! They are crates outside of the workspace, because they take a nightly compiler and a build of
//! everything with the fuzzer's instrumentation.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::lint::check;
use crate::process::{check_interrupted, succeeds};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// A fuzz target, and the crate in whose directory `fuzz` it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    name: &'static str,
    of: &'static str,
}

const TARGETS: [Target; 6] = [
    Target { name: "filter", of: "scim-filter-parser" },
    Target { name: "path", of: "scim-filter-parser" },
    Target { name: "patch", of: "scim-protocol" },
    Target { name: "evaluate", of: "scim-protocol" },
    Target { name: "resource", of: "scim-protocol" },
    Target { name: "request", of: "scim-protocol" },
];

/// What has to be there: a word for it, the command that proves it is, and how it gets there.
const TOOLS: [(&str, &[&str], &str); 2] = [
    (
        "a nightly compiler",
        &["rustup", "run", "nightly", "rustc", "--version"],
        "rustup toolchain install nightly --profile minimal",
    ),
    ("cargo-fuzz", &["cargo-fuzz", "--version"], "cargo install cargo-fuzz --locked"),
];

/// Runs the targets of these names, or all of them, for so many minutes each.
pub(crate) fn run(workspace: &Workspace, minutes: u64, names: &[String]) -> Result<ExitCode> {
    let targets = selected(names)?;
    check_tools()?;
    let mut steps = Steps::start();
    for target in targets {
        if check_interrupted().is_err() {
            break;
        }
        steps.run(target.name, || fuzz(workspace, target, minutes));
    }
    Ok(steps.finish())
}

fn selected(names: &[String]) -> Result<Vec<Target>> {
    if names.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    let find = |name: &String| {
        let found = TARGETS.into_iter().find(|target| target.name == name);
        let known = TARGETS.map(|target| target.name).join(", ");
        found.with_context(|| format!("{name} is no fuzz target, only {known} are"))
    };
    names.iter().map(find).collect()
}

fn check_tools() -> Result<()> {
    for (tool, proof, remedy) in TOOLS {
        if !succeeds(Command::new(proof[0]).args(&proof[1..])) {
            bail!("{tool} is missing: install it with `{remedy}`");
        }
    }
    Ok(())
}

/// Runs one target. What it finds on the way is kept in `fuzz/corpus`, where the next run starts.
fn fuzz(workspace: &Workspace, target: Target, minutes: u64) -> Result<()> {
    let directory = workspace.root.join("crates").join(target.of);
    let corpus = format!("fuzz/corpus/{}", target.name);
    fs::create_dir_all(directory.join(&corpus)).context("cannot make the corpus' directory")?;
    let mut command = Command::new("rustup");
    command
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", workspace.target.join("fuzz"))
        // All of the code is safe Rust: what the address sanitizer looks for is not there, and
        // without it a target runs several times as often.
        .args(["run", "nightly", "cargo", "fuzz", "run", "--sanitizer", "none", target.name])
        .args([corpus, format!("fuzz/seeds/{}", target.name)])
        .args(["--", "-dict=fuzz/words.dict", "-max_len=4096", "-timeout=10"])
        .args([format!("-max_total_time={}", minutes * 60), "-print_final_stats=1".to_owned()]);
    check(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_code_and_seeds() {
        let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates");
        for Target { name, of } in TARGETS {
            let fuzz = format!("{crates}/{of}/fuzz");
            assert!(fs::exists(format!("{fuzz}/fuzz_targets/{name}.rs")).unwrap(), "{name}");
            assert!(fs::read_dir(format!("{fuzz}/seeds/{name}")).unwrap().count() > 0, "{name}");
            assert!(fs::exists(format!("{fuzz}/words.dict")).unwrap(), "{name}");
        }
    }

    #[test]
    fn names_choose_targets() {
        assert_eq!(selected(&[]).unwrap(), TARGETS);
        assert_eq!(selected(&["path".to_owned()]).unwrap(), [TARGETS[1]]);
        let error = selected(&["paths".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("filter, path, patch"), "{error}");
    }
}
