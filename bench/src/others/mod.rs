//! The comparison with other SCIM servers.

pub mod command;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::Figures;

/// What was measured of servers side by side.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Others {
    /// How many users each had, where it got so far.
    pub users: u64,
    /// The connections of the workloads.
    pub connections: usize,
    /// The servers, ours first.
    pub servers: Vec<Other>,
}

/// One server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    /// Its name and version.
    pub name: String,
    /// Whether it is this service.
    pub ours: bool,
    /// How many users it had.
    pub users: u64,
    /// What it came to, by workload.
    pub figures: BTreeMap<String, Figures>,
    /// Why not more was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Other {
    /// The right answers a second, if the workload was possible.
    pub fn rate(&self, workload: &str) -> Option<f64> {
        let figures = self.figures.get(workload)?;
        let right = figures.requests.saturating_sub(figures.failures) as f64;
        (right > 0.0).then(|| figures.per_second * right / figures.requests.max(1) as f64)
    }
}

impl Others {
    /// All workloads, in the order of the table of workloads.
    pub fn workloads(&self) -> Vec<&'static str> {
        let measured =
            |name: &&str| self.servers.iter().any(|server| server.figures.contains_key(*name));
        crate::workload::TABLE.iter().map(|workload| workload.name).filter(measured).collect()
    }

    /// The workloads in which another server is ahead of ours, or as fast.
    pub fn behind(&self) -> Vec<String> {
        let mut behind = Vec::new();
        for ours in self.servers.iter().filter(|server| server.ours) {
            for workload in self.workloads() {
                let rate = ours.rate(workload).unwrap_or_default();
                for other in self.servers.iter().filter(|server| !server.ours) {
                    if other.rate(workload).is_some_and(|theirs| theirs >= rate) {
                        behind.push(format!("{}: {workload}, {}", ours.name, other.name));
                    }
                }
            }
        }
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, ours: bool, per_second: f64, failures: u64) -> Other {
        let figures = Figures { per_second, requests: 100, failures, ..Figures::default() };
        Other {
            name: name.to_owned(),
            ours,
            figures: BTreeMap::from([("create".to_owned(), figures)]),
            ..Other::default()
        }
    }

    #[test]
    fn who_answers_wrong_is_not_ahead() {
        let servers = vec![server("ours", true, 50.0, 0), server("fast", false, 500.0, 100)];
        let others = Others { servers, ..Others::default() };
        assert_eq!(others.workloads(), ["create"]);
        assert!(others.behind().is_empty(), "all of its answers were wrong");
    }

    #[test]
    fn who_is_faster_is_named() {
        let servers = vec![server("ours", true, 50.0, 0), server("fast", false, 80.0, 0)];
        let others = Others { servers, ..Others::default() };
        assert_eq!(others.behind(), ["ours: create, fast"]);
    }
}
