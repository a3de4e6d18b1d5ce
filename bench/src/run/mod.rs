//! The command `run`: everything that docs/performance.md says, measured on this machine.
//!
//! For each database and each size: a server on a database of its own, people in it, the workloads
//! by one connection and the database's own queries beside them. At one size the workloads of many
//! connections alternate with their ceilings, several rounds, so that what else the machine does
//! falls on both.
//!
//! | Module | What |
//! |---|---|
//! | [`outcome`] | what was measured, as it is kept in JSON |
//! | [`server`] | the service under test: a process, a tenant, tokens |
//! | [`stage`] | one database: its server, its data, its ceiling |
//! | `crowd` | many at once: a quiet tenant beside a busy one, two servers |
//! | [`judge`] | what it must reach, and whether it does |
//! | [`page`] | docs/performance.md |
//! | [`picture`] | docs/performance.svg |
//! | [`machine`] | the machine |

mod crowd;
pub mod judge;
pub mod machine;
pub mod outcome;
pub mod page;
pub mod picture;
pub mod server;
pub mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use self::machine::Machine;
use self::outcome::{DatabaseOutcome, Outcome, Paired, SizeOutcome};
use self::stage::Stage;
use crate::measure::Figures;

/// The databases that the service runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    /// SQLite
    Sqlite,
    /// PostgreSQL
    Postgres,
}

/// The options of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// The service's binary
    #[arg(long, value_name = "FILE")]
    pub server: PathBuf,
    /// A PostgreSQL server, as the superuser; databases are made in it
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Where pgbench and psql are
    #[arg(long, value_name = "FOLDER", default_value = "/usr/lib/postgresql/15/bin")]
    pub programs: PathBuf,
    /// On which databases
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    pub databases: Vec<Database>,
    /// With how many users, ascending
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    pub sizes: Vec<u64>,
    /// The number of users at which the rates of many connections are compared
    #[arg(long, default_value_t = 100_000)]
    pub paired_at: u64,
    /// How often a workload and its ceiling take turns
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// How many connections there are at once
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// How long each turn is; by one connection, half as long
    #[arg(long, default_value_t = 2)]
    pub seconds: u64,
    /// The folder for performance.md, performance.svg and performance.json
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    pub out: PathBuf,
    /// Only see that everything works: two small sizes, one short round
    #[arg(long)]
    pub quick: bool,
}

/// The options of `page`.
#[derive(Args, Clone, Debug)]
pub struct PageOptions {
    /// The folder with performance.json
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    pub out: PathBuf,
}

/// The workloads by one connection whose cost must not follow the size of the tenant.
const ALONE: [&str; 17] = [
    "get-id",
    "eq-userName",
    "eq-email",
    "eq-externalId",
    "compound-name",
    "compound-changed",
    "page-first",
    "page-50",
    "page-90",
    "cursor-walk",
    "patch-active",
    "patch-attribute",
    "put",
    "create",
    "add-1000",
    "initial-sync",
    "hourly-delta",
];

/// Those of them that have an end, and are not repeated.
const ONCE: [&str; 1] = ["cursor-walk"];

/// The workloads on groups, by one connection.
const GROUPS: [&str; 6] =
    ["member-10", "member-1000", "member-100000", "group-10", "group-1000", "group-100000"];

/// Those whose rate by many connections is compared with a ceiling.
const PAIRED: [&str; 7] = [
    "get-id",
    "eq-userName",
    "eq-externalId",
    "eq-email",
    "create",
    "patch-active",
    "patch-attribute",
];

impl RunOptions {
    fn quickly(mut self) -> Self {
        if self.quick {
            (self.sizes, self.paired_at) = (vec![200, 1000], 1000);
            (self.rounds, self.seconds) = (1, 1);
        }
        self
    }
}

/// Measures everything and writes the page, the picture and the figures.
///
/// # Errors
/// If something cannot be started, or a request is not answered as it should be.
pub async fn run(options: RunOptions) -> Result<ExitCode> {
    let options = options.quickly();
    ensure!(options.sizes.is_sorted() && !options.sizes.is_empty(), "give ascending --sizes");
    let start = Instant::now();
    let mut databases = Vec::new();
    for &database in &options.databases {
        databases.push(one_database(&options, database).await?);
    }
    let mut outcome = Outcome {
        machine: Machine::look(&options.programs),
        quick: options.quick,
        connections: options.connections,
        rounds: options.rounds,
        seconds: start.elapsed().as_secs(),
        databases,
        others: None,
    };
    outcome.keep_others(&options.out);
    write(&outcome, &options.out)?;
    let failures = outcome.failures();
    for story in &failures {
        eprintln!("failed: {story}");
    }
    println!("{}", judge::table(&outcome));
    println!("{} seconds; see {}", outcome.seconds, options.out.join("performance.md").display());
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the page and the picture anew from the figures of an earlier run.
///
/// # Errors
/// If there are no figures, or a file cannot be written.
pub fn page(options: &PageOptions) -> Result<()> {
    write(&Outcome::read(&options.out)?, &options.out)
}

pub(crate) fn write(outcome: &Outcome, folder: &Path) -> Result<()> {
    let put = |name: &str, text: String| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    fs::create_dir_all(folder)?;
    put(Outcome::FILE, serde_json::to_string_pretty(outcome)? + "\n")?;
    put("performance.svg", picture::draw(outcome))?;
    put("performance.md", page::write(outcome))
}

async fn one_database(options: &RunOptions, database: Database) -> Result<DatabaseOutcome> {
    let mut stage = Stage::set(options, database)?;
    let mut outcome = DatabaseOutcome::of(database);
    for &size in &options.sizes {
        eprintln!("{}: {size} users", database.name());
        outcome.sizes.push(at_size(options, &mut stage, size).await?);
        if size == stage::nearest(&options.sizes, options.paired_at) {
            outcome.paired_at = size;
            outcome.paired = pairs(options, &mut stage).await?;
            outcome.beside_busy = crowd::beside_a_busy_tenant(&stage, options.rounds).await?;
            if database == Database::Postgres {
                let (rounds, connections) = (options.rounds, options.connections);
                outcome.two_servers = crowd::two_servers(&stage, rounds, connections).await?;
            }
        }
    }
    Ok(outcome)
}

/// The workloads of one connection, in turns with what the database does by itself. Several short rounds
/// tell more than a long one: what a database does in the background falls into one of them.
async fn at_size(options: &RunOptions, stage: &mut Stage, users: u64) -> Result<SizeOutcome> {
    let seeded = stage.fill(users).await?;
    let mut names = ALONE.to_vec();
    names.extend(GROUPS.iter().filter(|name| stage.has_group(name)));
    let seconds = stage.turn_alone() / options.rounds as f64;
    let (mut ours, mut own) = (BTreeMap::new(), BTreeMap::new());
    for round in 0..options.rounds {
        for name in names.iter().filter(|name| round == 0 || !ONCE.contains(name)) {
            for (part, figures) in stage.ours(name, 1, seconds).await? {
                ours.entry(part).or_insert_with(Vec::new).push(figures);
            }
            if stage.has_ceiling(name) {
                let figures = stage.own(name, 1, seconds)?;
                own.entry((*name).to_owned()).or_insert_with(Vec::new).push(figures);
            }
        }
    }
    let (ours, own) = (middle(ours), middle(own));
    Ok(SizeOutcome { users, seeded, ours, own, memory: stage.memory() })
}

/// Of each workload the round whose p50 is the median, and of two in the middle the slower one.
fn middle(rounds: BTreeMap<String, Vec<Figures>>) -> BTreeMap<String, Figures> {
    let middle = |(name, mut rounds): (String, Vec<Figures>)| {
        rounds.sort_by(|one, other| one.p50_ms.total_cmp(&other.p50_ms));
        let place = rounds.len() / 2;
        Some((name, rounds.into_iter().nth(place)?))
    };
    rounds.into_iter().filter_map(middle).collect()
}

/// The workloads of many connections, in turns with their ceilings.
async fn pairs(options: &RunOptions, stage: &mut Stage) -> Result<Vec<Paired>> {
    let mut all = Vec::new();
    for name in PAIRED {
        let mut pair = Paired::new(name, stage.ceiling_name(name));
        for _ in 0..options.rounds {
            let ours = stage.ours_alone(name, options.connections).await?;
            let ceiling = stage.ceiling(name, options.connections).await?;
            pair.add(ours, ceiling);
        }
        all.push(pair);
    }
    // Not a ceiling, but compared in the same way: users a second, one by one and through Bulk.
    let by_one = ("bulk-1000-alone", "create-alone", 1);
    for (name, single, connections) in [("bulk-1000", "create", options.connections), by_one] {
        let mut bulk = Paired::new(name, single);
        for _ in 0..options.rounds {
            let mut ours = stage.ours_alone(name, connections).await?;
            ours.per_second *= 1000.0;
            bulk.add(ours, stage.ours_alone(single, connections).await?);
        }
        all.push(bulk);
    }
    Ok(all)
}

impl Database {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_rounds_the_middle_one_counts() {
        let round = |p50_ms| Figures { p50_ms, ..Figures::default() };
        let of = |rounds: &[f64]| {
            let rounds = rounds.iter().copied().map(round).collect();
            middle(BTreeMap::from([("get-id".to_owned(), rounds)])).remove("get-id")
        };
        assert_eq!(of(&[]).map(|figures| figures.p50_ms), None);
        assert_eq!(of(&[9.0, 1.0, 2.0]).map(|figures| figures.p50_ms), Some(2.0));
        assert_eq!(of(&[1.0, 2.0]).map(|figures| figures.p50_ms), Some(2.0));
    }
}
