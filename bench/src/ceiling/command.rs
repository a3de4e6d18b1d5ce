//! The command `ceiling`: the ceilings of the databases, by hand.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use crate::report::{Line, Report, heading};

/// The options of `ceiling`.
#[derive(Args, Clone, Debug)]
pub struct CeilingOptions {
    /// A database of PostgreSQL, in which the schema `ceiling` is made anew
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Where pgbench and psql are
    #[arg(long, value_name = "FOLDER", default_value = "/usr/lib/postgresql/15/bin")]
    pub programs: PathBuf,
    /// A new file for SQLite
    #[arg(long, value_name = "FILE")]
    pub sqlite: Option<PathBuf>,
    /// How many users there are
    #[arg(long, default_value_t = 1000)]
    pub users: u64,
    /// How many connections pgbench has; SQLite has one
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// How long each operation is measured
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// The operations, by name; without it, all
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub workloads: Vec<String>,
    /// Where to write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Measures the ceilings that are asked for, and prints and writes them.
///
/// # Errors
/// If a database refuses, or a program is missing.
pub fn run(options: &CeilingOptions) -> Result<()> {
    ensure!(options.postgres.is_some() || options.sqlite.is_some(), "give --postgres or --sqlite");
    let wanted = |name: &&str| {
        options.workloads.is_empty() || options.workloads.iter().any(|wanted| wanted == name)
    };
    let mut report = Report { users: options.users, lines: Vec::new() };
    print!("{}", heading());
    let mut add = |workload: String, connections, figures| {
        let line = Line { workload, connections, units: 1, figures, memory: None };
        print!("{}", line.row());
        report.lines.push(line);
    };
    if let Some(file) = &options.sqlite {
        let mut sqlite = Sqlite::create(file)?;
        sqlite.grow(options.users)?;
        for operation in Sqlite::OPERATIONS.into_iter().filter(wanted) {
            let figures = sqlite.measure(operation, options.seconds as f64)?;
            add(format!("sqlite {operation}"), 1, figures);
        }
    }
    if let Some(url) = &options.postgres {
        let folder = std::env::temp_dir().join(format!("headcount-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut postgres = Postgres::create(url, &options.programs, &folder)?;
        postgres.grow(options.users)?;
        for operation in Postgres::operations().filter(wanted) {
            let figures = postgres.measure(operation, options.connections, options.seconds)?;
            add(format!("pg {operation}"), options.connections, figures);
        }
        fs::remove_dir_all(&folder)?;
    }
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
