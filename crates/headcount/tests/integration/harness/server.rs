//! The binary under test, started on a free port and ended with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::command::{PATIENCE, Run, run, wait};
use super::{Answer, Client, Database, TestDatabase};

const WATCHED: [&str; 2] = ["--telemetry-listen", "127.0.0.1:0"];

/// How much a connection forgives its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Strict,
    Standard,
    Entra,
    Okta,
}

impl Dialect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Standard => "standard",
            Self::Entra => "entra",
            Self::Okta => "okta",
        }
    }
}

/// A server on a database of its own, and a client of one tenant in it.
pub(crate) fn serve(database: Database, dialect: Dialect) -> (Server, Client) {
    let server = Server::start(database);
    let client = server.tenant("acme").client(dialect);
    (server, client)
}

/// Runs the binary to its end.
#[track_caller]
pub(crate) fn headcount(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    headcount_in(folder.path(), arguments, &[])
}

/// Runs the binary to its end in a folder, with variables in its environment.
#[track_caller]
pub(crate) fn headcount_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    run(&mut command(folder, arguments, variables), Duration::from_secs(60))
}

fn command(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HEADCOUNT_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(variables.iter().copied()).current_dir(folder);
    command
}

/// A running server. It is killed when the test lets go of it.
pub(crate) struct Server {
    process: Child,
    database: Arc<TestDatabase>,
    base_url: String,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server on a new, empty database.
    #[track_caller]
    pub(crate) fn start(database: Database) -> Self {
        Self::on(&TestDatabase::create(database))
    }

    /// Starts a server on a database that may have been used before.
    #[track_caller]
    pub(crate) fn on(database: &Arc<TestDatabase>) -> Self {
        Self::with(database, &[])
    }

    /// As `on`, with more arguments.
    #[track_caller]
    pub(crate) fn with(database: &Arc<TestDatabase>, more: &[&str]) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
        Self::run(database, &[&arguments[..], more].concat(), &[])
    }

    /// As `on`, with telemetry on a free port.
    #[track_caller]
    pub(crate) fn watched(database: &Arc<TestDatabase>) -> Self {
        Self::watched_with(database, &[])
    }

    /// As `watched`, with more arguments.
    #[track_caller]
    pub(crate) fn watched_with(database: &Arc<TestDatabase>, more: &[&str]) -> Self {
        Self::with(database, &[&WATCHED[..], more].concat())
    }

    /// As `watched`, but does not wait until it serves.
    #[track_caller]
    pub(crate) fn starting(database: &Arc<TestDatabase>) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
        let arguments = [&arguments[..], &WATCHED].concat();
        Self::spawn(database, &mut command(database.folder(), &arguments, &[])).0
    }

    /// Starts a server that is told of a file that has become too large, and not ended.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_limited_files(database: &Arc<TestDatabase>) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_headcount")]);
        shell.args(["serve", "--listen", "127.0.0.1:0", "--database", database.url()]);
        Self::serving(database, shell.current_dir(database.folder()))
    }

    /// Starts the binary in the folder of the database, with exactly these arguments.
    #[track_caller]
    pub(crate) fn run(
        database: &Arc<TestDatabase>,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = command(database.folder(), arguments, variables);
        Self::serving(database, &mut command)
    }

    #[track_caller]
    fn serving(database: &Arc<TestDatabase>, command: &mut Command) -> Self {
        let (mut server, lines) = Self::spawn(database, command);
        server.base_url = wait_for_base_url(&lines);
        server
    }

    #[track_caller]
    fn spawn(database: &Arc<TestDatabase>, command: &mut Command) -> (Self, Receiver<String>) {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let (sender, lines) = channel();
        let stdout = collect(process.stdout.take().expect("stdout is piped"), Some(sender));
        let stderr = collect(process.stderr.take().expect("stderr is piped"), None);
        let server =
            Self { process, database: database.clone(), base_url: String::new(), stdout, stderr };
        (server, lines)
    }

    /// The URL above `/healthz`, `/readyz` and `/metrics`.
    #[track_caller]
    pub(crate) fn telemetry_url(&self) -> String {
        let start = Instant::now();
        loop {
            let stdout = self.stdout();
            let url = stdout.lines().find_map(|line| line.strip_prefix("Telemetry: "));
            if let Some(url) = url.and_then(|url| url.strip_suffix("/metrics")) {
                return url.to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "no telemetry: {stdout}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks for a page of the telemetry.
    #[track_caller]
    pub(crate) fn watch(&self, path: &str) -> Answer {
        Client::new(&self.telemetry_url(), None).get(path)
    }

    /// What is counted under these labels, in any order, rounded up; 0 if nothing is.
    #[track_caller]
    pub(crate) fn counted(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let metrics = self.watch("/metrics").expect(200).text;
        let has = |line: &str| {
            let own = line.split(['{', ' ']).next() == Some(name);
            own && labels.iter().all(|(name, value)| line.contains(&format!("{name}=\"{value}\"")))
        };
        let value =
            |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        let sum: f64 = metrics.lines().filter(|line| has(line)).filter_map(value).sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small")]
        let rounded = sum.ceil() as u64;
        rounded
    }

    /// What the server has logged so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().expect("no reader panics").clone()
    }

    /// Waits until the server has ended by itself, and how.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait(&mut self.process, PATIENCE).unwrap_or_else(|| panic!("not ended {PATIENCE:?} later"))
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn database(&self) -> &Arc<TestDatabase> {
        &self.database
    }

    /// What the server printed on standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.lock().expect("no reader panics").clone()
    }

    /// A tenant that there is.
    pub(crate) fn tenant_named(&self, name: &str) -> Tenant<'_> {
        Tenant { server: self, name: name.to_owned() }
    }

    /// Creates a tenant through the command line.
    #[track_caller]
    pub(crate) fn tenant(&self, name: &str) -> Tenant<'_> {
        self.command(&["tenant", "create", name]).succeeded();
        Tenant { server: self, name: name.to_owned() }
    }

    /// Runs an administrative command on the server's database.
    #[track_caller]
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        headcount(&[arguments, &["--database", self.database.url()]].concat())
    }

    /// A client that shows no token.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.base_url, None)
    }

    /// A client that shows this token.
    pub(crate) fn client_with_token(&self, token: &str) -> Client {
        Client::new(&self.base_url, Some(token))
    }

    /// Asks the server to end (SIGTERM) and waits until it has.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal_termination();
        wait(&mut self.process, PATIENCE)
            .unwrap_or_else(|| panic!("not ended {PATIENCE:?} after SIGTERM"))
    }

    /// Asks the server to stop as Ctrl-C does, and waits until it has.
    #[track_caller]
    pub(crate) fn interrupt(&mut self) -> ExitStatus {
        self.signal("-INT");
        wait(&mut self.process, PATIENCE)
            .unwrap_or_else(|| panic!("not ended {PATIENCE:?} after SIGINT"))
    }

    /// Sends SIGTERM and returns at once.
    #[track_caller]
    pub(crate) fn signal_termination(&self) {
        self.signal("-TERM");
    }

    /// Sends a signal and returns at once.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        run(Command::new("kill").args([name, &process]), PATIENCE).succeeded();
    }

    /// Keeps the server's files from growing beyond so many bytes, or lets them grow again.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let arguments =
            [format!("--pid={}", self.process.id()), format!("--fsize={limit}:unlimited")];
        run(Command::new("prlimit").args(arguments), PATIENCE).succeeded();
    }

    /// Ends the server without a chance to tidy up (SIGKILL).
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let log = self.stderr.lock().map(|log| log.clone()).unwrap_or_default();
        if thread::panicking() && !log.is_empty() {
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            eprintln!("-- the last lines of the server's log\n{}", tail.join("\n"));
        }
    }
}

/// A tenant of a running server.
pub(crate) struct Tenant<'server> {
    server: &'server Server,
    name: String,
}

impl Tenant<'_> {
    /// A client with a new token of this dialect.
    #[track_caller]
    pub(crate) fn client(&self, dialect: Dialect) -> Client {
        self.server.client_with_token(&self.token(&["--dialect", dialect.name()]))
    }

    /// A new token, made with more arguments.
    #[track_caller]
    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let fixed: &[&str] = &["token", "create", "--tenant", &self.name];
        let run = self.server.command(&[fixed, arguments].concat()).succeeded();
        run.stdout.trim().to_owned()
    }
}

/// The URL in the line that the server prints once it accepts connections.
fn wait_for_base_url(lines: &Receiver<String>) -> String {
    let start = Instant::now();
    loop {
        match lines.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            Ok(line) => {
                if let Some(url) = line.trim().strip_prefix("Base URL:") {
                    return url.trim().to_owned();
                }
            }
            Err(RecvTimeoutError::Timeout) => panic!("no `Base URL:` within {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the server ended before it printed `Base URL:`")
            }
        }
    }
}

/// Reads a pipe to its end in the background, line by line.
fn collect(pipe: impl Read + Send + 'static, lines: Option<Sender<String>>) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let collected = text.clone();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = collected.lock().expect("no reader panics");
            text.push_str(&line);
            text.push('\n');
            if let Some(lines) = &lines {
                let _ = lines.send(line);
            }
        }
    });
    text
}
