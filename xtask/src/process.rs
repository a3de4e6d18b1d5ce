//! Running other programs so that nothing outlives this one.
//!
//! A signal only raises a flag. Whoever waits for a child sees it, ends the child with all that the
//! child started, and returns an error; the guards on the way out then clean up as after any other
//! failure.

use std::io::{IsTerminal, stdin};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use postgres_cluster::name;
pub(crate) use postgres_cluster::{capture, succeeds};

/// How often a waiting chore looks at its child and at the flag.
const POLL: Duration = Duration::from_millis(25);

/// How long a child may take to end by itself after it was told to.
const GRACE: Duration = Duration::from_secs(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT, SIGTERM and SIGHUP raise the flag instead of ending this process on the spot.
pub(crate) fn handle_signals() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))
        .context("cannot install the signal handler")
}

/// Fails if a signal asked this process to stop.
pub(crate) fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}

/// Sleeps until `done` says so; fails when interrupted.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) -> Result<()> {
    while !done() {
        check_interrupted()?;
        sleep(POLL);
    }
    Ok(())
}

/// Runs a step of a chore: output streams through, there is no input, and an interruption ends the
/// whole process group.
pub(crate) fn stream(command: &mut Command) -> Result<ExitStatus> {
    stream_with(command, |_| {})
}

/// As [`stream`], for who wants something of the child when it has begun.
pub(crate) fn stream_with(
    command: &mut Command,
    begun: impl FnOnce(&mut Child),
) -> Result<ExitStatus> {
    check_interrupted()?;
    command.stdin(Stdio::null()).process_group(0);
    supervise(command, true, begun)
}

/// Runs a command of the user's with this process's own input.
///
/// At a terminal it has to stay in the foreground process group to be able to read, and gets Ctrl-C
/// from the terminal itself.
pub(crate) fn interact(command: &mut Command) -> Result<ExitStatus> {
    check_interrupted()?;
    let own_group = !stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    supervise(command, own_group, |_| {})
}

/// Waits for a command, and ends it when interrupted.
fn supervise(
    command: &mut Command,
    own_group: bool,
    begun: impl FnOnce(&mut Child),
) -> Result<ExitStatus> {
    let mut child = command.spawn().with_context(|| format!("cannot run {}", name(command)))?;
    begun(&mut child);
    let mut status = None;
    let waited = wait_until(|| {
        status = child.try_wait().ok().flatten();
        status.is_some()
    });
    if waited.is_err() {
        end(&mut child, own_group);
    }
    waited.with_context(|| name(command))?;
    status.with_context(|| format!("{} ended without a status", name(command)))
}

/// Asks a child to end, and forces it to if it does not.
fn end(child: &mut Child, own_group: bool) {
    let target = if own_group { format!("-{}", child.id()) } else { child.id().to_string() };
    signal("TERM", &target);
    let deadline = Instant::now() + GRACE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        sleep(POLL);
    }
    // Also for members of the group that the child left behind.
    signal("KILL", &target);
    if let Err(error) = child.wait() {
        eprintln!("warning: cannot wait for process {}: {error}", child.id());
    }
}

/// Sends a signal with the shell's built-in `kill`, which safe Rust has no call for. That nobody is
/// left to receive it is no failure.
fn signal(signal: &str, target: &str) {
    succeeds(Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", signal, target]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_takes_the_whole_group_along() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; sleep 61 & wait"]).process_group(0);
        let mut child = command.spawn().unwrap();
        sleep(Duration::from_millis(200));
        signal("KILL", &format!("-{}", child.id()));
        end(&mut child, true);
        let group = format!("-{}", child.id());
        let listing = Command::new("sh").args(["-c", "kill -0 -- \"$0\"", &group]).output();
        assert!(!listing.unwrap().status.success());
    }
}
