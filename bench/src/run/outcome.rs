//! What was measured, as it is kept in docs/performance.json.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Database;
use super::machine::Machine;
use crate::measure::{Figures, Memory, median};
use crate::others::Others;

/// All of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Where it was measured.
    pub machine: Machine,
    /// Whether it only was to see that everything works.
    pub quick: bool,
    /// The connections of the paired workloads.
    pub connections: usize,
    /// The rounds of the paired workloads.
    pub rounds: usize,
    /// How long it took.
    pub seconds: u64,
    /// One for each database.
    pub databases: Vec<DatabaseOutcome>,
    /// The comparison with other servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
}

/// What was measured on one database.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseOutcome {
    /// The database's name.
    pub name: String,
    /// One for each number of users.
    pub sizes: Vec<SizeOutcome>,
    /// The number of users at which the paired workloads ran.
    pub paired_at: u64,
    /// Workloads of many connections, and what they are compared with.
    pub paired: Vec<Paired>,
    /// A quiet tenant beside a busy one, compared with itself alone.
    #[serde(default)]
    pub beside_busy: Vec<Paired>,
    /// Two servers over the database, compared with one.
    #[serde(default)]
    pub two_servers: Vec<Paired>,
}

/// What was measured with one number of users, by one connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SizeOutcome {
    /// How many users there were.
    pub users: u64,
    /// How many seconds it took to put in those that were missing.
    pub seeded: f64,
    /// The service, by workload.
    pub ours: BTreeMap<String, Figures>,
    /// The database's own query or transaction for the same.
    pub own: BTreeMap<String, Figures>,
    /// The server's memory afterwards.
    pub memory: Option<Memory>,
}

/// Rounds of two things that are compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// The workload.
    pub workload: String,
    /// What it is compared with.
    pub ceiling: String,
    /// The figures of each round: the service's, and those of what it is compared with.
    pub rounds: Vec<(Figures, Figures)>,
}

impl Paired {
    /// No round yet.
    pub fn new(workload: &str, ceiling: &str) -> Self {
        Self { workload: workload.to_owned(), ceiling: ceiling.to_owned(), rounds: Vec::new() }
    }

    /// Adds a round.
    pub fn add(&mut self, ours: Figures, ceiling: Figures) {
        self.rounds.push((ours, ceiling));
    }

    /// The median of the rounds' ratios of rates.
    pub fn ratio(&self) -> Option<f64> {
        let ratio = |(ours, ceiling): &(Figures, Figures)| ours.per_second / ceiling.per_second;
        median(&self.rounds.iter().map(ratio).collect::<Vec<_>>())
    }

    /// The median of what is picked from each round: of the service, and of what it is compared with.
    pub fn medians(&self, pick: fn(&Figures) -> f64) -> Option<(f64, f64)> {
        let ours = self.rounds.iter().map(|(ours, _)| pick(ours)).collect::<Vec<_>>();
        let other = self.rounds.iter().map(|(_, other)| pick(other)).collect::<Vec<_>>();
        median(&ours).zip(median(&other))
    }

    /// The median rates: the service's, and that of what it is compared with.
    pub fn rates(&self) -> Option<(f64, f64)> {
        self.medians(|figures| figures.per_second)
    }
}

impl DatabaseOutcome {
    /// Nothing yet.
    pub fn of(database: Database) -> Self {
        Self { name: database.name().to_owned(), ..Self::default() }
    }

    /// The pair of a workload.
    pub fn pair(&self, workload: &str) -> Option<&Paired> {
        self.paired.iter().find(|pair| pair.workload == workload)
    }
}

impl SizeOutcome {
    /// The median latency of the service.
    pub fn p50(&self, workload: &str) -> Option<f64> {
        self.ours.get(workload).map(|figures| figures.p50_ms)
    }

    /// The median latency of the database's own query.
    pub fn own_p50(&self, workload: &str) -> Option<f64> {
        self.own.get(workload).map(|figures| figures.p50_ms)
    }
}

impl Outcome {
    /// The name of the file.
    pub const FILE: &str = "performance.json";

    /// Reads the outcome of an earlier run.
    ///
    /// # Errors
    /// If there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(Self::FILE);
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{}", file.display()))
    }

    /// Takes over the comparison with other servers from an earlier run, if there is one.
    pub fn keep_others(&mut self, folder: &Path) {
        self.others = Self::read(folder).ok().and_then(|earlier| earlier.others);
    }

    /// What was not answered as it should be.
    pub fn failures(&self) -> Vec<String> {
        let mut stories = Vec::new();
        let mut add = |database: &str, workload: &str, figures: &Figures| {
            if figures.failures > 0 {
                let story = figures.first_failure.as_deref().unwrap_or_default();
                stories.push(format!("{database}, {workload}: {} ({story})", figures.failures));
            }
        };
        for database in &self.databases {
            for size in &database.sizes {
                for (workload, figures) in &size.ours {
                    add(&database.name, workload, figures);
                }
            }
            let crowds = database.beside_busy.iter().chain(&database.two_servers);
            for pair in database.paired.iter().chain(crowds) {
                for (ours, ceiling) in &pair.rounds {
                    add(&database.name, &pair.workload, ours);
                    add(&database.name, &pair.ceiling, ceiling);
                }
            }
        }
        stories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_rounds() {
        let rate = |per_second| Figures { per_second, ..Figures::default() };
        let mut pair = Paired::new("create", "x");
        for (ours, ceiling) in [(10.0, 10.0), (30.0, 10.0), (10.0, 5.0)] {
            pair.add(rate(ours), rate(ceiling));
        }
        assert_eq!(pair.ratio(), Some(2.0));
        assert_eq!(pair.rates(), Some((10.0, 10.0)));
        assert_eq!(Paired::new("a", "b").ratio(), None);
    }
}
