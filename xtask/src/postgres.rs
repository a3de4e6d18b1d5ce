//! Finding `PostgreSQL`'s server programs, and the chore `cargo xtask postgres`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::cluster::Cluster;
use crate::process::{capture, interact, wait_until};
use crate::python;
use crate::system::Installer;
use crate::workspace::Workspace;

/// Names a directory with the server programs to use instead of looking for one.
const BINDIR: &str = "HEADCOUNT_POSTGRES_BINDIR";

/// What a directory must hold to be of use. The server and psql come from one version.
const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// Said when there is no server and it cannot be installed.
const MISSING: &str = "PostgreSQL's server programs (initdb, pg_ctl, postgres, psql) not found. \
    Install them - Debian and Ubuntu: apt-get install postgresql; \
    Fedora: dnf install postgresql-server; macOS: brew install postgresql - \
    or name their directory in HEADCOUNT_POSTGRES_BINDIR";

/// Runs `cargo xtask postgres`: a cluster for one command, or until Enter or a signal.
pub(crate) fn run(
    workspace: &Workspace,
    installer: &Installer,
    command: &[OsString],
) -> Result<ExitCode> {
    let cluster = Cluster::start(&ensure(installer)?)?;
    let Some((program, arguments)) = command.split_first() else {
        println!("export {}='{}'", Cluster::VARIABLE, cluster.url());
        eprintln!("PostgreSQL runs until Enter or Ctrl-C.");
        // An interruption is the ordinary end here.
        wait_for_enter().ok();
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = Command::new(program);
    cluster.export_to(command.args(arguments));
    match python::existing(workspace) {
        Some(environment) => environment.export_to(&mut command),
        None => eprintln!("No conformance environment yet; `cargo xtask test` makes it."),
    }
    let status = interact(&mut command)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Waits for Enter, or for the end of a terminal's input. Where there is no terminal, the end of
/// input says nothing, and only a signal ends the wait.
fn wait_for_enter() -> Result<()> {
    let entered = Arc::new(AtomicBool::new(false));
    let reader = Arc::clone(&entered);
    thread::spawn(move || {
        let read = stdin().read_line(&mut String::new());
        if stdin().is_terminal() || read.is_ok_and(|length| length > 0) {
            reader.store(true, Ordering::SeqCst);
        }
    });
    wait_until(|| entered.load(Ordering::SeqCst))
}

/// The directory of the server programs, after installing them if need be.
pub(crate) fn ensure(installer: &Installer) -> Result<PathBuf> {
    if let Some(named) = env::var_os(BINDIR).map(PathBuf::from) {
        return complete(&named)
            .then_some(named)
            .with_context(|| format!("{BINDIR} does not hold {}", PROGRAMS.join(", ")));
    }
    if let Some(found) = find_on_machine() {
        return Ok(found);
    }
    installer.install_postgres(MISSING)?;
    match find_on_machine() {
        Some(found) => Ok(found),
        None => bail!("{MISSING}"),
    }
}

/// Looks in all the usual places.
fn find_on_machine() -> Option<PathBuf> {
    let configured = capture(Command::new("pg_config").arg("--bindir")).ok().map(PathBuf::from);
    find(configured, Path::new("/"), &env::var_os("PATH").unwrap_or_default())
}

/// The first directory that is complete: the one that `pg_config` names, Debian's from the highest
/// version down, then those on the search path.
fn find(configured: Option<PathBuf>, root: &Path, path: &OsStr) -> Option<PathBuf> {
    configured
        .into_iter()
        .chain(debian_directories(root))
        .chain(env::split_paths(path))
        .find(|directory| complete(directory))
}

/// Debian keeps one directory per version, out of the search path.
fn debian_directories(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join("usr/lib/postgresql")) else {
        return Vec::new();
    };
    let mut versions: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let directory = |version| root.join(format!("usr/lib/postgresql/{version}/bin"));
    versions.into_iter().map(directory).collect()
}

/// Whether a directory holds all the programs.
fn complete(directory: &Path) -> bool {
    PROGRAMS.iter().all(|program| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(directory: &Path, programs: &[&str]) {
        fs::create_dir_all(directory).unwrap();
        for program in programs {
            fs::write(directory.join(program), "").unwrap();
        }
    }

    #[test]
    fn nothing_is_found_on_an_empty_machine() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find(None, root.path(), OsStr::new("/no/such/directory")), None);
    }

    #[test]
    fn the_highest_complete_version_wins() {
        let root = tempfile::tempdir().unwrap();
        let versions = root.path().join("usr/lib/postgresql");
        install(&versions.join("9/bin"), &PROGRAMS);
        install(&versions.join("15/bin"), &PROGRAMS);
        install(&versions.join("17/bin"), &["psql"]);
        assert_eq!(find(None, root.path(), OsStr::new("")), Some(versions.join("15/bin")));
    }

    #[test]
    fn pg_config_comes_first_but_only_with_a_server() {
        let root = tempfile::tempdir().unwrap();
        let (named, path) = (root.path().join("named"), root.path().join("path"));
        install(&named, &["pg_config", "psql"]);
        install(&path, &PROGRAMS);
        let found = || find(Some(named.clone()), root.path(), path.as_os_str());
        assert_eq!(found(), Some(path.clone()));
        install(&named, &PROGRAMS);
        assert_eq!(found(), Some(named.clone()));
    }

    #[test]
    fn the_message_says_what_and_how() {
        let error = Installer::forbidden().install_postgres(MISSING).unwrap_err().to_string();
        assert!(error.contains("initdb") && error.contains("apt-get install postgresql"));
    }
}
