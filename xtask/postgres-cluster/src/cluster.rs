//! A private `PostgreSQL` cluster that lives as long as a value.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::machine::{capture, group_id, is_root, open_to_all, user_id};

/// The longest directory to make the cluster's in. A socket's path may have about 107 bytes, of
/// which the cluster's own names take 35; tests may add some.
const LONGEST_BASE: usize = 40;

/// Room for many tests at once. Nothing listens on the network.
const SETTINGS: [(&str, &str); 3] =
    [("listen_addresses", ""), ("max_connections", "300"), ("port", "5432")];

/// Speed instead of durability, for tests.
const FAST: [(&str, &str); 3] =
    [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")];

/// As in production: nothing that was committed is lost, and the memory is more than the least that
/// PostgreSQL starts with.
const DURABLE: [(&str, &str); 2] = [("shared_buffers", "1GB"), ("max_wal_size", "8GB")];

/// A running server. Dropping it stops the server and removes its files.
pub struct Cluster {
    directory: TempDir,
    bindir: PathBuf,
    owner: Option<Owner>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// As an operator does it: what is under way is broken off.
    Fast,
    /// Without tidying up: what was committed is found in its log when it is started again.
    Crash,
}

/// The user that the server runs as when this process is root, which `PostgreSQL` refuses.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// The environment variable that tells the tests where the cluster is.
    pub const VARIABLE: &str = "HEADCOUNT_TEST_POSTGRES";

    /// A cluster for tests: in a fresh directory, started, and found to answer. What it was told is
    /// lost when the machine crashes.
    ///
    /// # Errors
    /// It cannot be made or started.
    pub fn start(bindir: &Path) -> Result<Self> {
        Self::start_with(bindir, &FAST)
    }

    /// The same, with the settings of production and the memory for it.
    ///
    /// # Errors
    /// It cannot be made or started.
    pub fn start_durable(bindir: &Path) -> Result<Self> {
        Self::start_with(bindir, &DURABLE)
    }

    /// The same, with the settings that `PostgreSQL` begins with: small, and nothing that was
    /// committed is lost.
    ///
    /// # Errors
    /// It cannot be made or started.
    pub fn start_plain(bindir: &Path) -> Result<Self> {
        Self::start_with(bindir, &[])
    }

    fn start_with(bindir: &Path, more: &[(&str, &str)]) -> Result<Self> {
        let cluster = Self::in_fresh_directory(bindir)?;
        cluster.initialise(more).context("cannot create the PostgreSQL cluster")?;
        cluster.launch()?;
        cluster.check().context("the PostgreSQL cluster does not answer")?;
        Ok(cluster)
    }

    fn in_fresh_directory(bindir: &Path) -> Result<Self> {
        let owner = if is_root() { Some(Owner::find()?) } else { None };
        let base = base_directory(owner.is_some())?;
        let directory = tempfile::Builder::new()
            .prefix("hc-pg-")
            // Whoever reaches the socket is the superuser.
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&base)
            .with_context(|| format!("cannot make a directory in {}", base.display()))?;
        if let Some(Owner { uid, gid }) = owner {
            chown(directory.path(), Some(uid), Some(gid))
                .context("cannot give the cluster's directory to its user")?;
        }
        Ok(Self { directory, bindir: bindir.to_owned(), owner })
    }

    /// A standby that has all that this one has, and goes on following it.
    ///
    /// # Errors
    /// It cannot be made or started.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::in_fresh_directory(&self.bindir)?;
        let mut copy = standby.program("pg_basebackup");
        copy.args(["--checkpoint=fast", "--write-recovery-conf", "--no-sync"]);
        capture(copy.args(["--dbname", &self.url(), "--pgdata"]).arg(standby.data()))?;
        let directory = standby.directory.path().display();
        // The last line counts. One that takes over has no standby of its own to wait for.
        let own =
            format!("unix_socket_directories = '{directory}'\nsynchronous_standby_names = ''\n");
        let file = standby.data().join("postgresql.auto.conf");
        OpenOptions::new().append(true).open(&file)?.write_all(own.as_bytes())?;
        standby.launch()?;
        Ok(standby)
    }

    /// Makes a standby the primary, and waits until it is.
    ///
    /// # Errors
    /// It is none, or does not become one.
    pub fn promote(&self) -> Result<()> {
        capture(self.control("promote").arg("--wait"))?;
        Ok(())
    }

    /// Stops the server; [`Cluster::launch`] starts it again.
    ///
    /// # Errors
    /// It does not run, or does not stop.
    pub fn stop(&self, stop: Stop) -> Result<()> {
        let mode = match stop {
            Stop::Fast => "--mode=fast",
            Stop::Crash => "--mode=immediate",
        };
        capture(self.control("stop").args([mode, "--wait"]))?;
        Ok(())
    }

    /// The maintenance database, as libpq takes it: the socket's directory stands for the host.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.host())
    }

    /// The same of whichever of two clusters is the primary.
    pub fn url_of_primary(&self, other: &Self) -> String {
        let hosts = format!("{},{}", self.host(), other.host());
        format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write")
    }

    /// The socket's directory, as a URL has it.
    fn host(&self) -> String {
        percent_encode(self.directory.path())
    }

    /// Runs a statement, and gives what it returns as text.
    ///
    /// # Errors
    /// The server is not there, or refuses.
    pub fn query(&self, statement: &str) -> Result<String> {
        let query = ["--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement];
        capture(self.program("psql").args(query).arg(self.url()))
    }

    /// Lets a command find the cluster, and nothing else that the user's settings may point to.
    pub fn export_to(&self, command: &mut Command) {
        forget_libpq_settings(command);
        command.env(Self::VARIABLE, self.url());
    }

    /// The data directory.
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What the server writes about its start, for the case that it fails.
    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Makes the data directory.
    fn initialise(&self, more: &[(&str, &str)]) -> Result<()> {
        let locale = format!("--locale={}", locale());
        capture(
            self.program("initdb")
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"])
                .args([&locale, "-D"])
                .arg(self.data()),
        )?;
        let mut settings = String::new();
        for (name, value) in SETTINGS.iter().chain(more) {
            writeln!(settings, "{name} = '{value}'")?;
        }
        let directory = self.directory.path().display();
        writeln!(settings, "unix_socket_directories = '{directory}'")?;
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, settings).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    /// It does not; then what its log says.
    pub fn launch(&self) -> Result<()> {
        let started =
            capture(self.control("start").args(["--wait", "--timeout=120", "-l"]).arg(self.log()));
        started.with_context(|| {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            format!("PostgreSQL does not start; its log says:\n{log}")
        })?;
        Ok(())
    }

    /// Asks the server something over the address that the tests get.
    fn check(&self) -> Result<()> {
        let answer = self.query("select 1")?;
        if answer != "1" {
            bail!("select 1 returned {answer:?}");
        }
        Ok(())
    }

    /// The program that starts and stops the server.
    fn control(&self, action: &str) -> Command {
        let mut command = self.program("pg_ctl");
        command.args([action, "--silent", "-D"]).arg(self.data());
        command
    }

    /// One of `PostgreSQL`'s programs, as the user that owns the cluster.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bindir.join(name));
        forget_libpq_settings(&mut command);
        command.current_dir(self.directory.path()).env("LC_ALL", "C");
        if let Some(Owner { uid, gid }) = self.owner {
            // This drops the supplementary groups of root as well.
            command.uid(uid).gid(gid).env("HOME", self.directory.path());
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.data().join("postmaster.pid").exists() {
            return;
        }
        let stopped = self.stop(Stop::Crash);
        if let Err(error) = stopped {
            eprintln!("warning: cannot stop PostgreSQL: {error:#}");
        }
    }
}

impl Owner {
    /// The user that Debian's package makes for `PostgreSQL`, or another without rights.
    fn find() -> Result<Self> {
        let known = ["postgres", "nobody"].into_iter().find(|user| user_id(Some(user)).is_ok());
        let user = known.context("PostgreSQL cannot run as root, and no other user is known")?;
        Ok(Self { uid: user_id(Some(user))?, gid: group_id(user)? })
    }
}

/// Where to make the cluster's directory: near enough to the root for a socket's path, and as root
/// in a place that the server's user can reach.
fn base_directory(other_user: bool) -> Result<PathBuf> {
    [env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")]
        .into_iter()
        .find(|base| {
            base.is_dir()
                && base.as_os_str().len() <= LONGEST_BASE
                && (!other_user || open_to_all(base))
        })
        .context("no temporary directory is fit for PostgreSQL; point TMPDIR to a short path")
}

/// A locale that every machine has, with Unicode's upper and lower case where there is one.
fn locale() -> &'static str {
    let listed = capture(Command::new("locale").arg("-a")).unwrap_or_default();
    let unicode =
        listed.lines().any(|name| name.eq_ignore_ascii_case("C.utf8") || name == "C.UTF-8");
    if unicode { "C.UTF-8" } else { "C" }
}

/// Removes PGHOST, PGPORT, PGUSER and their like, which would change what an address means.
fn forget_libpq_settings(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_libpq_setting(name)) {
        command.env_remove(name);
    }
}

/// libpq's variables begin with PG and go on with capital letters only.
fn is_libpq_setting(name: &OsStr) -> bool {
    name.as_bytes().strip_prefix(b"PG").is_some_and(|rest| rest.iter().all(u8::is_ascii_uppercase))
}

/// Encodes a path so that it can stand in a URL as one name.
fn percent_encode(path: &Path) -> String {
    let encode = |&byte: &u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.as_os_str().as_bytes().iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_directory_becomes_a_host() {
        assert_eq!(percent_encode(Path::new("/tmp/hc-pg-a1 b")), "%2Ftmp%2Fhc-pg-a1%20b");
    }

    #[test]
    fn only_libpq_variables_are_removed() {
        assert!(is_libpq_setting(OsStr::new("PGPORT")));
        assert!(!is_libpq_setting(OsStr::new("PG_CONFIG")));
        assert!(!is_libpq_setting(OsStr::new("PATH")));
    }

    #[test]
    fn the_base_leaves_room_for_the_socket() {
        assert!(base_directory(true).unwrap().as_os_str().len() <= LONGEST_BASE);
    }
}
