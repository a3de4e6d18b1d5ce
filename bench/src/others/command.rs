//! The command `others`: the same workloads against other servers and against ours, in one run.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::{Other, Others};
use crate::client::{Client, Target};
use crate::load::{has_what_it_needs, run_name};
use crate::measure::Figures;
use crate::prepare::{Wish, prepare};
use crate::run::outcome::Outcome;
use crate::run::stage::{Stage, drop_database, new_database};
use crate::run::{Database, RunOptions, write};
use crate::worker::measure;
use crate::workload::Workload;
use crate::world::World;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);
/// The token that the others take.
const TOKEN: &str = "bench";

/// What all servers are asked to do.
const WORKLOADS: [&str; 20] = [
    "get-id",
    "eq-userName",
    "eq-email",
    "eq-externalId",
    "compound-name",
    "page-first",
    "page-90",
    "create",
    "patch-active",
    "patch-attribute",
    "put",
    "member-10",
    "member-1000",
    "group-10",
    "group-1000",
    "add-1000",
    "bulk-1000",
    "initial-sync",
    "hourly-delta",
    "get-id-alone",
];

/// The options of `others`.
#[derive(Args, Clone, Debug)]
pub struct OthersOptions {
    /// The service's binary
    #[arg(long, value_name = "FILE")]
    pub server: PathBuf,
    /// A PostgreSQL server, as the superuser; databases are made in it
    #[arg(long, value_name = "URL")]
    pub postgres: String,
    /// Where psql is
    #[arg(long, value_name = "FOLDER", default_value = "/usr/lib/postgresql/15/bin")]
    pub programs: PathBuf,
    /// The folder with a folder for each of the others
    #[arg(long, value_name = "FOLDER", default_value = "bench/others")]
    pub scripts: PathBuf,
    /// Which of them, such as scimmy; without it, all
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub only: Vec<String>,
    /// How many users each gets
    #[arg(long, default_value_t = 10_000)]
    pub users: u64,
    /// How many connections there are at once
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// How long each workload is measured
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// The folder with performance.json, of which the comparison becomes a part
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    pub out: PathBuf,
    /// Only see that everything works
    #[arg(long)]
    pub quick: bool,
}

/// Measures all servers and adds the comparison to the page. The exit code says whether ours is
/// ahead of each in everything.
///
/// # Errors
/// If ours cannot be measured, or a file cannot be written.
pub async fn run(mut options: OthersOptions) -> Result<ExitCode> {
    if options.quick {
        (options.users, options.seconds) = (1000, 0.3);
    }
    let mut servers = Vec::new();
    for database in [Database::Sqlite, Database::Postgres] {
        servers.push(ours(&options, database).await?);
    }
    for name in ["scim2-server", "scimmy", "django-scim2"] {
        if options.only.is_empty() || options.only.iter().any(|wanted| wanted == name) {
            servers.push(theirs(&options, name).await);
        }
    }
    let (users, connections) = (options.users, options.connections);
    let others = Others { users, connections, servers };
    let text = serde_json::to_string_pretty(&others)? + "\n";
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("others.json"), text).context("cannot write others.json")?;
    for line in others.behind() {
        println!("behind: {line}");
    }
    let code = if others.behind().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match Outcome::read(&options.out) {
        Ok(mut outcome) => {
            outcome.others = Some(others);
            write(&outcome, &options.out)?;
        }
        Err(error) => eprintln!("not added to the page: {error:#}; see others.json"),
    }
    Ok(code)
}

async fn ours(options: &OthersOptions, database: Database) -> Result<Other> {
    let name = format!("Headcount on {}", database.name());
    eprintln!("{name}");
    let run = RunOptions {
        server: options.server.clone(),
        postgres: Some(options.postgres.clone()),
        programs: options.programs.clone(),
        databases: Vec::new(),
        sizes: Vec::new(),
        paired_at: 0,
        rounds: 1,
        connections: options.connections,
        seconds: options.seconds.ceil() as u64,
        out: options.out.clone(),
        quick: options.quick,
    };
    let mut stage = Stage::set(&run, database)?;
    stage.fill(options.users).await?;
    let (target, world) = stage.place()?;
    let figures = all(options, &target, &world).await?;
    Ok(Other { name, ours: true, users: options.users, figures, trouble: None })
}

/// What one of the others came to; its troubles are part of that.
async fn theirs(options: &OthersOptions, name: &str) -> Other {
    eprintln!("{name}");
    let mut other = Other { name: name.to_owned(), ..Other::default() };
    if let Err(error) = compete(options, name, &mut other).await {
        let story: String = format!("{error:#}").chars().take(300).collect();
        eprintln!("  {story}");
        other.trouble = Some(story.replace(['\n', '|'], " "));
    }
    other
}

async fn compete(options: &OthersOptions, name: &str, other: &mut Other) -> Result<()> {
    let setup = Setup::of(options, name)?;
    other.name = format!("{name} {}", setup.version);
    let target = Arc::new(Target::new(&setup.base_url, Some(TOKEN))?);
    let wish =
        Wish { run: run_name(), users: options.users, groups: vec![10, 1000], manifest: None };
    let world = Arc::new(prepare(&target, wish).await?);
    other.users = world.total;
    other.figures = all(options, &target, &world).await?;
    Ok(())
}

async fn all(
    options: &OthersOptions,
    target: &Arc<Target>,
    world: &Arc<World>,
) -> Result<BTreeMap<String, Figures>> {
    let mut all = BTreeMap::new();
    for name in WORKLOADS {
        let workload = Workload::named(name).with_context(|| format!("no workload {name}"))?;
        if !has_what_it_needs(workload, world) {
            continue;
        }
        let mut clients = Vec::new();
        for _ in 0..options.connections.clamp(1, workload.most_connections) {
            clients.push(Client::connect(target).await?);
        }
        // What a workload cannot do without may be what the server cannot do.
        match measure(clients, world, workload, options.seconds).await {
            Ok(parts) => {
                for (part, figures) in parts {
                    let (rate, failures) = (figures.per_second, figures.failures);
                    eprintln!("  {part:16} {rate:9.1}/s, {failures} failed");
                    all.insert(part.to_owned(), figures);
                }
            }
            Err(error) => eprintln!("  {name}: {error:#}"),
        }
    }
    Ok(all)
}

/// One of the others, installed in a folder of its own and started. It ends with this value.
struct Setup {
    folder: PathBuf,
    child: Option<Child>,
    base_url: String,
    version: String,
    database: Option<(PathBuf, String, String)>,
}

impl Setup {
    fn of(options: &OthersOptions, name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("hcb-{}-{name}", std::process::id()));
        copy(&options.scripts.join(name), &folder)?;
        let (base_url, version, database) = Default::default();
        let mut setup = Self { folder, child: None, base_url, version, database };
        let port = free_port()?;
        let command = match name {
            "scim2-server" => setup.scim2_server(port)?,
            "scimmy" => setup.scimmy(port)?,
            "django-scim2" => setup.django_scim2(port, options)?,
            _ => bail!("{name} is not known"),
        };
        setup.start(command, port)?;
        Ok(setup)
    }

    fn scim2_server(&mut self, port: u16) -> Result<Command> {
        self.python("scim2-server")?;
        self.base_url = format!("http://127.0.0.1:{port}/v2");
        let mut command = Command::new(self.folder.join("venv/bin/scim2-server"));
        command.args(["--bearer-token", TOKEN, "--port", &port.to_string()]);
        Ok(command)
    }

    fn scimmy(&mut self, port: u16) -> Result<Command> {
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
        succeed(install.current_dir(&self.folder))?;
        let package = fs::read(self.folder.join("node_modules/scimmy/package.json"))?;
        let package: serde_json::Value = serde_json::from_slice(&package)?;
        package["version"].as_str().unwrap_or_default().clone_into(&mut self.version);
        self.base_url = format!("http://127.0.0.1:{port}/scim");
        let mut command = Command::new("node");
        command.arg("server.mjs").env("PORT", port.to_string()).env("NODE_ENV", "production");
        Ok(command)
    }

    fn django_scim2(&mut self, port: u16, options: &OthersOptions) -> Result<Command> {
        self.python("django-scim2")?;
        let url = new_database(&options.programs, &options.postgres, "django")?;
        let database = url.rsplit('/').next().unwrap_or_default().to_owned();
        self.database =
            Some((options.programs.clone(), options.postgres.clone(), database.clone()));
        let host = socket_folder(&url).context("django-scim2 is measured over a Unix socket")?;
        let programs = self.folder.join("venv/bin");
        let prepared = |mut command: Command| {
            command.current_dir(&self.folder).env("DJANGO_SETTINGS_MODULE", "site_settings");
            command.env("PYTHONPATH", &self.folder).env("BENCH_HOST", &host);
            command.env("BENCH_DATABASE", &database);
            command
        };
        for step in [&["makemigrations", "people"][..], &["migrate"][..]] {
            let mut manage = prepared(Command::new(programs.join("python")));
            succeed(manage.args(["-m", "django"]).args(step))?;
        }
        self.base_url = format!("http://127.0.0.1:{port}/scim/v2");
        let mut command = prepared(Command::new(programs.join("gunicorn")));
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // What gunicorn's documentation recommends; threads, because connections are kept.
        command.args(["--workers", &(2 * cores + 1).to_string(), "--threads", "16"]);
        command.args(["--worker-class", "gthread", "--bind", &format!("127.0.0.1:{port}")]);
        command.arg("--no-control-socket").arg("site_urls:application");
        Ok(command)
    }

    /// Makes a Python environment with the requirements.
    fn python(&mut self, package: &str) -> Result<()> {
        let venv = self.folder.join("venv");
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        succeed(pip.arg("--requirement").arg(self.folder.join("requirements.txt")))?;
        let lines = fs::read_to_string(self.folder.join("requirements.txt"))?;
        let pinned = lines.lines().find_map(|line| line.strip_prefix(&format!("{package}==")));
        pinned.unwrap_or_default().clone_into(&mut self.version);
        Ok(())
    }

    fn start(&mut self, mut command: Command, port: u16) -> Result<()> {
        let log = self.folder.join("server.log");
        let output = fs::File::create(&log)?;
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(output.try_clone()?);
        let child = command.stderr(output).spawn();
        self.child = Some(child.with_context(|| format!("cannot start {command:?}"))?);
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || begin.elapsed() > START {
                let text = fs::read_to_string(&log).unwrap_or_default();
                bail!("it does not start: {}", text.trim());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Gunicorn ends its workers only if it is asked.
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().ok();
            let begin = Instant::now();
            while child.try_wait().is_ok_and(|ended| ended.is_none()) {
                if begin.elapsed() > Duration::from_secs(10) {
                    child.kill().ok();
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        if let Some((programs, server, name)) = &self.database {
            drop_database(programs, server, name).ok();
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Copies a folder with what is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let (entry, to) = (entry?, to.to_owned());
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", errors.trim());
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The folder of the socket that a URL names in the place of its host.
fn socket_folder(url: &str) -> Option<String> {
    let host = url.split_once("://")?.1.split('/').next()?;
    let host = host.rsplit('@').next()?.replace("%2F", "/").replace("%2f", "/");
    host.starts_with('/').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_is_one() {
        for name in WORKLOADS {
            assert!(Workload::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_socket_is_where_the_url_says() {
        let url = "postgres://postgres@%2Ftmp%2Fhc-pg-x/django";
        assert_eq!(socket_folder(url).as_deref(), Some("/tmp/hc-pg-x"));
        assert_eq!(socket_folder("postgres://localhost/x"), None);
    }
}
