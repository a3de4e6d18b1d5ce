//! The machine: other programs that are run to their end, users, and who may go where.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a short helper to its end, whatever signals arrive, and returns what it printed. A failure
/// carries the helper's own words.
///
/// # Errors
/// It cannot be run, or says that it failed.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}): {}", name(command), output.status, words.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a short helper can be run and succeeds.
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok_and(|output| output.status.success())
}

/// Runs a short helper in a process group of its own, so that Ctrl-C does not hit it half-way.
fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .process_group(0)
        .output()
        .with_context(|| format!("cannot run {}", name(command)))
}

/// How messages call a command.
pub fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    user_id(None).is_ok_and(|uid| uid == 0)
}

/// The number of a user, or of the one that this process runs as.
pub(crate) fn user_id(user: Option<&str>) -> Result<u32> {
    numeric_id("-u", user)
}

/// The number of a user's main group.
pub(crate) fn group_id(user: &str) -> Result<u32> {
    numeric_id("-g", Some(user))
}

/// Asks `id` for a number.
fn numeric_id(flag: &str, user: Option<&str>) -> Result<u32> {
    let printed = capture(Command::new("id").arg(flag).args(user))?;
    printed.parse().with_context(|| format!("id {flag} printed {printed:?}"))
}

/// Whether every user may pass through a directory and all above it.
pub(crate) fn open_to_all(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| {
        fs::metadata(ancestor).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capture_returns_trimmed_output() {
        assert_eq!(capture(Command::new("sh").args(["-c", "echo ' a '"])).unwrap(), "a");
    }

    #[test]
    fn capture_fails_with_the_words_of_the_helper() {
        let error = capture(Command::new("sh").args(["-c", "echo no room >&2; exit 3"]));
        assert!(error.unwrap_err().to_string().contains("no room"));
    }

    #[test]
    fn a_program_that_does_not_exist_does_not_succeed() {
        assert!(!succeeds(&mut Command::new("/no/such/program")));
    }

    #[test]
    fn a_closed_directory_is_not_open_to_all() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(open_to_all(Path::new("/")));
        assert!(!open_to_all(&closed.path().join("missing")));
        assert!(!open_to_all(closed.path()));
    }

    #[test]
    fn the_user_has_a_number() {
        assert_eq!(user_id(Some("root")).unwrap(), 0);
        assert_eq!(group_id("root").unwrap(), 0);
    }
}
