//! The service under test: a process, a tenant, tokens.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bodies;
use crate::client::{Call, Client, Target, encoded};

/// The tenant's name.
pub const TENANT: &str = "bench";

/// A process that has printed its base URL. It ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The URL that it printed.
    pub base_url: String,
}

impl Process {
    /// Starts a program and waits until it prints `Base URL: …`. Its standard error goes to a file.
    ///
    /// # Errors
    /// If it cannot be started, or ends before.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        let errors =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let mut process = Self { child, base_url: String::new() };
        for line in BufReader::new(output).lines() {
            if let Some(url) = line?.strip_prefix("Base URL:") {
                url.trim().clone_into(&mut process.base_url);
                return Ok(process);
            }
        }
        bail!("{command:?} ended at once; see {}", log.display())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How the service is started and administered.
#[derive(Clone, Debug)]
pub struct Service {
    /// The binary.
    pub program: PathBuf,
    /// The value of `--database`.
    pub database: String,
    /// Where files may be left.
    pub folder: PathBuf,
}

impl Service {
    /// Starts the service.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start(&self) -> Result<Process> {
        self.start_with_log("server.log")
    }

    /// Starts another server over the same database.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_another(&self) -> Result<Process> {
        self.start_with_log("another.log")
    }

    fn start_with_log(&self, log: &str) -> Result<Process> {
        let listen = ["serve", "--listen", "127.0.0.1:0", "--log", "warn"];
        let mut command = self.command(&[&listen[..], &["--rate-limit", "0"]].concat());
        command.current_dir(&self.folder);
        Process::start(command, &self.folder.join(log))
    }

    /// Makes the tenant: a token of an identity provider's connection, and one of an administrator.
    ///
    /// # Errors
    /// If the binary fails.
    pub fn furnish(&self) -> Result<(String, String)> {
        let token = self.furnish_as(TENANT)?;
        let admin = ["token", "create", "--tenant", TENANT, "--scopes", "admin"];
        Ok((token, self.run(&admin)?))
    }

    /// Makes a tenant with this name: a token of an identity provider's connection.
    ///
    /// # Errors
    /// If the binary fails.
    pub fn furnish_as(&self, tenant: &str) -> Result<String> {
        self.run(&["tenant", "create", tenant])?;
        self.run(&["token", "create", "--tenant", tenant, "--dialect", "okta"])
    }

    /// Runs a command of the binary: what it printed.
    ///
    /// # Errors
    /// If it fails.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).current_dir(&self.folder).output();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "headcount {}: {}", arguments.join(" "), errors.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--database", &self.database]);
        for name in ["HEADCOUNT_DATABASE", "HEADCOUNT_LISTEN", "HEADCOUNT_LOG"] {
            command.env_remove(name);
        }
        command
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "Resources", default)]
    resources: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// Says as an administrator that many people may be switched off, and how many seats there are.
///
/// # Errors
/// If the server refuses.
pub async fn administer(base_url: &str, token: &str, seats: Option<u64>) -> Result<()> {
    let target = Arc::new(Target::new(base_url, Some(token))?);
    let mut client = Client::connect(&target).await?;
    let tenant = only(&mut client, "/Tenants").await?;
    let guard = json!({"action": "off", "minCount": 25, "maxPercent": 20, "windowSeconds": 3600});
    set(&mut client, &tenant, "deprovisionGuard", guard).await?;
    let filter = encoded("name eq \"CX1\"");
    let tier = only(&mut client, &format!("/LicenseTiers?filter={filter}")).await?;
    set(&mut client, &tier, "totalSeats", seats.map_or(Value::Null, Value::from)).await
}

/// The path of the first resource of a list.
async fn only(client: &mut Client, path: &str) -> Result<String> {
    let list: List = client.expect(&Call::get(path)).await?.json()?;
    let endpoint = path.split('?').next().unwrap_or_default();
    let first = list.resources.first().with_context(|| format!("{path} is empty"))?;
    Ok(format!("{endpoint}/{}", first.id))
}

async fn set(client: &mut Client, path: &str, attribute: &str, value: Value) -> Result<()> {
    let body = bodies::set(attribute, value).to_string();
    client.expect(&Call::patch(path, body)).await?;
    Ok(())
}
