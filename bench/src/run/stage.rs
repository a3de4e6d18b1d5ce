//! One database: its server, its data, its ceiling.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::server::{Process, Service, TENANT, administer};
use super::{Database, RunOptions};
use crate::ceiling::postgres::Postgres;
use crate::ceiling::sqlite::Sqlite;
use crate::client::{Call, Client, Target, encoded};
use crate::load::run_name;
use crate::measure::{Figures, Memory};
use crate::prepare::{Wish, full_group, prepare};
use crate::seed::{SeedOptions, seed};
use crate::worker::measure;
use crate::workload::Workload;
use crate::world::{Manifest, Person, World};

/// More seats than a run takes.
const SPARE_SEATS: u64 = 300_000;
/// How many of the users that are put in are known: enough for the largest group.
const SAMPLE: u64 = 120_000;
/// The sizes of groups.
const GROUPS: [u64; 3] = [10, 1000, 100_000];

/// What is measured on one database.
pub struct Stage {
    options: RunOptions,
    service: Service,
    tokens: (String, String),
    own: Own,
    manifest: Manifest,
    data: Option<Data>,
}

/// The database without the service.
enum Own {
    Sqlite(Box<Sqlite>),
    Postgres { ceiling: Postgres, url: String },
}

/// A running server and what is known of its data.
struct Data {
    process: Process,
    target: Arc<Target>,
    world: Arc<World>,
}

impl Stage {
    /// Makes the databases, a tenant and its tokens.
    ///
    /// # Errors
    /// If a database cannot be made.
    pub fn set(options: &RunOptions, database: Database) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("hcb-{}-{}", std::process::id(), database.name()));
        fs::create_dir_all(&folder)?;
        let (url, own) = match database {
            Database::Sqlite => {
                let ceiling = Sqlite::create(&folder.join("ceiling.db"))?;
                let url = format!("sqlite:{}", folder.join("headcount.db").display());
                (url, Own::Sqlite(Box::new(ceiling)))
            }
            Database::Postgres => {
                let server = options.postgres.as_deref().context("give --postgres")?;
                let url = new_database(&options.programs, server, "service")?;
                let ceiling = Postgres::create(&url, &options.programs, &folder)?;
                (url.clone(), Own::Postgres { ceiling, url })
            }
        };
        let service = Service { program: options.server.clone(), database: url, folder };
        let tokens = service.furnish()?;
        Ok(Self {
            options: options.clone(),
            service,
            tokens,
            own,
            manifest: Manifest::default(),
            data: None,
        })
    }

    /// Sees to it that there are so many users, in the service and beside it, and starts the server
    /// anew: how many seconds it took to put the users in.
    ///
    /// # Errors
    /// If a database or the server refuses.
    pub async fn fill(&mut self, users: u64) -> Result<f64> {
        self.data = None;
        let (token, admin) = self.tokens.clone();
        let process = self.service.start()?;
        administer(&process.base_url, &admin, None).await?;
        let start = Instant::now();
        let manifest = self.seed(&process, &token, users).await?;
        let seeded = start.elapsed().as_secs_f64();
        administer(&process.base_url, &admin, Some(manifest.total + SPARE_SEATS)).await?;
        drop(process);
        self.grow(users)?;
        let process = self.service.start()?;
        let target = Arc::new(Target::new(&process.base_url, Some(&token))?);
        let wish = Wish { run: run_name(), users, groups: Vec::new(), manifest: Some(manifest) };
        let world = Arc::new(prepare(&target, wish).await?);
        self.data = Some(Data { process, target, world });
        Ok(seeded)
    }

    /// Puts in the users that are missing, and then the groups that there are people for.
    async fn seed(&mut self, process: &Process, token: &str, users: u64) -> Result<Manifest> {
        let missing = users.saturating_sub(self.manifest.total);
        if missing > 0 {
            let options = SeedOptions {
                database: self.service.database.clone(),
                tenant: TENANT.to_owned(),
                connection: "okta".to_owned(),
                dialect: "okta".to_owned(),
                users: missing,
                sample: SAMPLE,
                manifest: PathBuf::new(),
            };
            let seeded = seed(&options).await?;
            self.manifest.users.extend(seeded.users);
            self.manifest.total += seeded.total;
        }
        let target = Arc::new(Target::new(&process.base_url, Some(token))?);
        for size in GROUPS.into_iter().filter(|size| *size <= users) {
            if !self.manifest.groups.contains_key(&size) {
                let people = &self.manifest.users[..size as usize];
                let id = full_group(&target, &format!("bench {size}"), people).await?;
                self.manifest.groups.insert(size, id);
            }
        }
        Ok(self.manifest.clone())
    }

    /// The ceiling's data, and what a database does by itself in time.
    fn grow(&mut self, users: u64) -> Result<()> {
        match &mut self.own {
            Own::Sqlite(sqlite) => sqlite.grow(users),
            Own::Postgres { ceiling, url } => {
                ceiling.grow(users)?;
                psql(&self.options.programs, url, &["VACUUM ANALYZE", "CHECKPOINT"])
            }
        }
    }

    /// Where the server is, and what is known of its data.
    ///
    /// # Errors
    /// If none runs.
    pub fn place(&self) -> Result<(Arc<Target>, Arc<World>)> {
        let data = self.data.as_ref().context("no server runs")?;
        Ok((Arc::clone(&data.target), Arc::clone(&data.world)))
    }

    /// The URL of the server.
    ///
    /// # Errors
    /// If none runs.
    pub fn base_url(&self) -> Result<&str> {
        Ok(&self.data.as_ref().context("no server runs")?.process.base_url)
    }

    /// How the service is started.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The token of the identity provider's connection.
    pub fn token(&self) -> &str {
        &self.tokens.0
    }

    /// How long one of many connections is measured, in seconds.
    pub fn turn(&self) -> f64 {
        self.seconds(self.options.connections)
    }

    /// How long one connection is measured, in seconds.
    pub fn turn_alone(&self) -> f64 {
        self.seconds(1)
    }

    /// Whether there is the group that a workload is about.
    pub fn has_group(&self, name: &str) -> bool {
        let size = Workload::named(name).and_then(Workload::group);
        let groups = self.data.as_ref().map(|data| &data.world.groups);
        size.zip(groups).is_some_and(|(size, groups)| groups.contains_key(&size))
    }

    /// How long something is measured.
    fn seconds(&self, connections: usize) -> f64 {
        match (self.options.quick, connections) {
            (true, _) => 0.3,
            (false, 1) => self.options.seconds as f64 / 2.0,
            (false, _) => self.options.seconds as f64,
        }
    }

    /// Runs a workload for so many seconds: its figures and those of its parts, by name.
    ///
    /// # Errors
    /// If a request cannot be sent.
    pub async fn ours(
        &mut self,
        name: &str,
        connections: usize,
        seconds: f64,
    ) -> Result<BTreeMap<String, Figures>> {
        let data = self.data.as_ref().context("no server runs")?;
        let workload = Workload::named(name).with_context(|| format!("no workload {name}"))?;
        let clients = connect(&data.target, connections.min(workload.most_connections)).await?;
        let parts = measure(clients, &data.world, workload, seconds).await?;
        for (part, figures) in &parts {
            eprintln!(
                "  {part:16} {connections:3} {:9.1}/s {:9.2} ms",
                figures.per_second, figures.p50_ms
            );
        }
        Ok(parts.into_iter().map(|(name, figures)| (name.to_owned(), figures)).collect())
    }

    /// Runs a workload without parts.
    ///
    /// # Errors
    /// As [`Stage::ours`].
    pub async fn ours_alone(&mut self, name: &str, connections: usize) -> Result<Figures> {
        let mut all = self.ours(name, connections, self.seconds(connections)).await?;
        all.remove(name).with_context(|| format!("{name} was not measured"))
    }

    /// Whether the database itself can be asked to do what a workload does.
    pub fn has_ceiling(&self, name: &str) -> bool {
        match self.own {
            Own::Sqlite(_) => Sqlite::OPERATIONS.contains(&name),
            Own::Postgres { .. } => Postgres::operations().any(|operation| operation == name),
        }
    }

    /// What the database itself takes for what a workload does, measured for so many seconds.
    ///
    /// # Errors
    /// If it refuses.
    pub fn own(&mut self, name: &str, connections: usize, seconds: f64) -> Result<Figures> {
        let figures = match &mut self.own {
            Own::Sqlite(sqlite) => sqlite.measure(name, seconds)?,
            Own::Postgres { ceiling, .. } => {
                ceiling.measure(name, connections, seconds.ceil() as u64)?
            }
        };
        eprintln!(
            "  {:>16} {connections:3} {:9.1}/s {:9.2} ms",
            "(database)", figures.per_second, figures.p50_ms
        );
        Ok(figures)
    }

    /// What a workload of many connections is compared with.
    pub fn ceiling_name(&self, name: &str) -> &'static str {
        match (&self.own, is_read(name)) {
            (Own::Sqlite(_), true) => "a bare handler that answers the same bytes",
            (Own::Sqlite(_), false) => "a one-writer loop that commits each",
            (Own::Postgres { .. }, true) => "pgbench's prepared point read",
            (Own::Postgres { .. }, false) => "pgbench writing the same rows",
        }
    }

    /// The ceiling of a workload of many connections.
    ///
    /// # Errors
    /// If it cannot be measured.
    pub async fn ceiling(&mut self, name: &str, connections: usize) -> Result<Figures> {
        let seconds = self.seconds(connections);
        match (&self.own, is_read(name)) {
            (Own::Sqlite(_), true) => self.bare(name, connections).await,
            (Own::Sqlite(_), false) => self.own(name, 1, self.seconds(1)),
            (Own::Postgres { .. }, true) => self.own("get-id", connections, seconds),
            (Own::Postgres { .. }, false) => self.own(name, connections, seconds),
        }
    }

    /// A handler that answers the bytes of one answer of the service to all requests, asked by the
    /// same clients.
    async fn bare(&self, name: &str, connections: usize) -> Result<Figures> {
        let data = self.data.as_ref().context("no server runs")?;
        let person = data.world.people.first().context("nobody is known")?.clone();
        let mut client = Client::connect(&data.target).await?;
        let answer = client.expect(&Call::get(question(name, &person))).await?;
        let file = self.service.folder.join("answer.json");
        fs::write(&file, &answer.body)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg("--body").arg(&file);
        let process = Process::start(command, &self.service.folder.join("bare.log"))?;
        let target = Arc::new(Target::new(&process.base_url, Some(&self.tokens.0))?);
        let manifest = Manifest { users: vec![person], groups: BTreeMap::new(), total: 1 };
        let world = World::new(String::new(), manifest, Vec::new(), Vec::new(), String::new());
        let workload = Workload::named(name).with_context(|| format!("no workload {name}"))?;
        let seconds = self.seconds(connections);
        let clients = connect(&target, connections).await?;
        let mut parts = measure(clients, &Arc::new(world), workload, seconds).await?;
        let (_, figures) = parts.pop().context("nothing was measured")?;
        eprintln!(
            "  {:>16} {connections:3} {:9.1}/s {:9.2} ms",
            "(bare)", figures.per_second, figures.p50_ms
        );
        Ok(figures)
    }

    /// The server's memory.
    pub fn memory(&self) -> Option<Memory> {
        Memory::of(self.data.as_ref()?.process.id())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.data = None;
        fs::remove_dir_all(&self.service.folder).ok();
        if let Own::Postgres { url, .. } = &self.own {
            let server = self.options.postgres.clone().unwrap_or_default();
            let name = url.rsplit('/').next().unwrap_or_default();
            drop_database(&self.options.programs, &server, name).ok();
        }
    }
}

/// The size that is nearest to a wish, the smaller of two.
pub fn nearest(sizes: &[u64], wish: u64) -> u64 {
    sizes.iter().copied().min_by_key(|size| size.abs_diff(wish)).unwrap_or_default()
}

fn is_read(name: &str) -> bool {
    name.starts_with("get") || name.starts_with("eq")
}

/// What a workload that reads asks about somebody.
fn question(name: &str, person: &Person) -> String {
    let filter = match name {
        "eq-userName" => format!("userName eq \"{}\"", person.user_name),
        "eq-email" => {
            format!("emails.value eq \"{}\"", person.email.as_deref().unwrap_or_default())
        }
        "eq-externalId" => {
            format!("externalId eq \"{}\"", person.external_id.as_deref().unwrap_or_default())
        }
        _ => return format!("/Users/{}", person.id),
    };
    format!("/Users?filter={}", encoded(&filter))
}

pub(super) async fn connect(target: &Arc<Target>, connections: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for _ in 0..connections.max(1) {
        clients.push(Client::connect(target).await?);
    }
    Ok(clients)
}

/// What is measured is what PostgreSQL does in production.
const DURABLE: &str = "DO $$ BEGIN \
    IF 'off' IN (current_setting('fsync'), current_setting('full_page_writes'), \
        current_setting('synchronous_commit')) THEN \
      RAISE 'fsync, full_page_writes or synchronous_commit is off: nothing of that is measured here'; \
    END IF; END $$";

/// Makes a database beside the one that a URL names: its URL.
///
/// # Errors
/// If the server refuses.
pub(crate) fn new_database(programs: &Path, server: &str, name: &str) -> Result<String> {
    let name = format!("headcount_bench_{name}_{}", std::process::id());
    psql(programs, server, &[DURABLE, &format!("CREATE DATABASE {name} TEMPLATE template0")])?;
    let (base, _) = server.rsplit_once('/').context("the URL of PostgreSQL names no database")?;
    Ok(format!("{base}/{name}"))
}

/// Removes a database, whoever uses it.
///
/// # Errors
/// If the server refuses.
pub(crate) fn drop_database(programs: &Path, server: &str, name: &str) -> Result<()> {
    psql(programs, server, &[&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")])
}

fn psql(programs: &Path, url: &str, statements: &[&str]) -> Result<()> {
    let mut command = Command::new(programs.join("psql"));
    command.args(["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1"]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    let output = command.arg(url).output().context("cannot start psql")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "psql: {}", errors.trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_size_is_chosen() {
        assert_eq!(nearest(&[1000, 100_000, 1_000_000], 100_000), 100_000);
        assert_eq!(nearest(&[200, 1000], 100_000), 1000);
    }

    #[test]
    fn reads_are_asked_as_the_workloads_ask() {
        let person = Person {
            id: "7".to_owned(),
            user_name: "ada".to_owned(),
            external_id: Some("x".to_owned()),
            email: Some("a@b".to_owned()),
        };
        assert_eq!(question("get-id", &person), "/Users/7");
        assert_eq!(question("eq-externalId", &person), "/Users?filter=externalId%20eq%20%22x%22");
        assert!(is_read("eq-email") && !is_read("create"));
    }
}
