//! Finding `PostgreSQL`'s server programs, and the chore `cargo xtask postgres`.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use postgres_cluster::{COMPLETE, Cluster, complete, find_on_machine};

use crate::process::{interact, wait_until};
use crate::python;
use crate::system::Installer;
use crate::workspace::Workspace;

/// Names a directory with the server programs to use instead of looking for one.
const BINDIR: &str = "HEADCOUNT_POSTGRES_BINDIR";

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
            .with_context(|| format!("{BINDIR} does not hold {}", COMPLETE.join(", ")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_and_how() {
        let error = Installer::forbidden().install_postgres(MISSING).unwrap_err().to_string();
        assert!(error.contains("initdb") && error.contains("apt-get install postgresql"));
    }
}
