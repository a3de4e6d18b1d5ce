//! `pgbench` with the least SQL that an operation needs, on tables of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Texts;
use crate::measure::{Figures, Tally};

const SETUP: &str = include_str!("../../pgbench/setup.sql");
const GROW: &str = include_str!("../../pgbench/grow.sql");

/// A script for each operation, by the name of the workload that does the same.
const SCRIPTS: [(&str, &str); 9] = [
    ("get-id", include_str!("../../pgbench/get-id.sql")),
    ("eq-userName", include_str!("../../pgbench/eq-userName.sql")),
    ("eq-email", include_str!("../../pgbench/eq-email.sql")),
    ("eq-externalId", include_str!("../../pgbench/eq-externalId.sql")),
    ("compound-name", include_str!("../../pgbench/compound-name.sql")),
    ("create", include_str!("../../pgbench/create.sql")),
    ("patch-active", include_str!("../../pgbench/patch-active.sql")),
    ("patch-attribute", include_str!("../../pgbench/patch-attribute.sql")),
    ("add-1000", include_str!("../../pgbench/add-1000.sql")),
];

/// The tables of the ceiling in a database.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    programs: PathBuf,
    folder: PathBuf,
    texts: Texts,
    rows: u64,
}

impl Postgres {
    /// Makes the tables, empty. The programs of PostgreSQL are in `programs`, and `folder` takes
    /// files that are needed for a while.
    ///
    /// # Errors
    /// If the database cannot be reached, or a program is missing.
    pub fn create(url: &str, programs: &Path, folder: &Path) -> Result<Self> {
        let (url, programs, folder) = (url.to_owned(), programs.to_owned(), folder.to_owned());
        let postgres = Self { url, programs, folder, texts: Texts::new(), rows: 0 };
        for (name, script) in SCRIPTS.into_iter().chain([("setup", SETUP), ("grow", GROW)]) {
            fs::write(postgres.file(name), script).context("cannot write a script")?;
        }
        postgres.psql("setup", &[])?;
        Ok(postgres)
    }

    /// The operations that have a script.
    pub fn operations() -> impl Iterator<Item = &'static str> {
        SCRIPTS.iter().map(|(name, _)| *name)
    }

    /// Sees to it that there are so many users.
    ///
    /// # Errors
    /// If the database refuses.
    pub fn grow(&mut self, rows: u64) -> Result<()> {
        if rows <= self.rows {
            return Ok(());
        }
        let (first, last) = (format!("first={}", self.rows + 1), format!("last={rows}"));
        self.psql("grow", &[&first, &last])?;
        self.rows = rows;
        Ok(())
    }

    /// Repeats an operation on some connections.
    ///
    /// # Errors
    /// If there is no script for it, or it fails.
    pub fn measure(&self, operation: &str, connections: usize, seconds: u64) -> Result<Figures> {
        ensure!(Self::operations().any(|name| name == operation), "no script for {operation:?}");
        let log = self.folder.join("latencies");
        let mut command = Command::new(self.programs.join("pgbench"));
        command.args(["--no-vacuum", "--protocol=prepared", "--log"]);
        command.arg(format!("--log-prefix={}", log.display()));
        command.arg(format!("--client={connections}"));
        command.arg(format!("--jobs={}", connections.min(2)));
        command.arg(format!("--time={}", seconds.max(1)));
        command.arg("--file").arg(self.file(operation));
        for (name, value) in self.variables() {
            command.args(["-D", &format!("{name}={value}")]);
        }
        command.arg(&self.url);
        let printed = run(&mut command)?;
        let rate = rate(&printed).with_context(|| format!("pgbench said {printed}"))?;
        let tally = self.latencies(&log)?;
        Ok(tally.figures(Duration::from_secs_f64(tally.answers() as f64 / rate.max(1e-9))))
    }

    /// Reads and removes what pgbench has logged: a file for each thread, a line for each turn.
    fn latencies(&self, log: &Path) -> Result<Tally> {
        let mut tally = Tally::default();
        let prefix = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in fs::read_dir(&self.folder)? {
            let file = file?;
            if !file.file_name().to_string_lossy().starts_with(&prefix) {
                continue;
            }
            for line in fs::read_to_string(file.path())?.lines() {
                let micros = line.split(' ').nth(2).and_then(|text| text.parse().ok());
                let micros = micros.with_context(|| format!("pgbench logged {line:?}"))?;
                tally.answered(Duration::from_micros(micros), 200);
            }
            fs::remove_file(file.path())?;
        }
        Ok(tally)
    }

    fn psql(&self, script: &str, variables: &[&str]) -> Result<()> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--output=/dev/null", "-v", "ON_ERROR_STOP=1"]);
        for (name, value) in self.variables() {
            command.args(["-v", &format!("{name}={value}")]);
        }
        for variable in variables {
            command.args(["-v", variable]);
        }
        run(command.arg("--file").arg(self.file(script)).arg(&self.url))?;
        Ok(())
    }

    fn variables(&self) -> [(&'static str, String); 5] {
        let Texts { document, search, changes, change } = self.texts.clone();
        let rows = self.rows.to_string();
        [
            ("rows", rows),
            ("document", document),
            ("search", search),
            ("changes", changes),
            ("change", change),
        ]
    }

    fn file(&self, script: &str) -> PathBuf {
        self.folder.join(format!("{script}.sql"))
    }
}

/// Runs a program to its end: what it printed.
fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ({status}): {}", String::from_utf8_lossy(&stderr).trim());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// The transactions a second that pgbench tells.
fn rate(printed: &str) -> Option<f64> {
    let line = printed.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_prints() {
        let printed = "latency average = 0.5 ms\ntps = 1234.500000 (without initial connection)\n";
        assert_eq!(rate(printed), Some(1234.5));
        assert_eq!(rate("pgbench: error"), None);
    }

    #[test]
    fn each_script_has_the_name_of_a_workload() {
        for name in Postgres::operations() {
            assert!(crate::workload::Workload::named(name).is_some(), "{name}");
        }
    }
}
