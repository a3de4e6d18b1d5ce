//! What was measured, as JSON and as a table for people.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::measure::{Figures, Memory};

/// What one workload came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The workload, or a part of it.
    pub workload: String,
    /// How many connections it had.
    pub connections: usize,
    /// How many resources a request is about.
    pub units: u64,
    /// The figures.
    pub figures: Figures,
    /// The server's memory afterwards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<Memory>,
}

/// What one run came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many users there were at its beginning.
    pub users: u64,
    /// The workloads, in the order in which they ran.
    pub lines: Vec<Line>,
}

impl Report {
    /// How many requests were not answered as they should be.
    pub fn failures(&self) -> u64 {
        self.lines.iter().map(|line| line.figures.failures).sum()
    }

    /// The figures of a workload.
    pub fn figures(&self, workload: &str) -> Option<&Figures> {
        let line = self.lines.iter().find(|line| line.workload == workload);
        line.map(|line| &line.figures)
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut text = heading();
        self.lines.iter().for_each(|line| text += &line.row());
        text
    }
}

/// The names of the columns.
pub fn heading() -> String {
    format!(
        "{:<18}{:>5}{:>11}{:>10}{:>10}{:>10}{:>10}{:>9}{:>9}  {}\n",
        "workload",
        "conn",
        "ops/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "RSS MiB",
        "peak",
        "statuses"
    )
}

impl Line {
    /// The line of the table, and another for the first failure.
    pub fn row(&self) -> String {
        let figures = &self.figures;
        let mebibytes =
            |kib: Option<u64>| kib.map_or_else(|| "-".to_owned(), |kib| (kib / 1024).to_string());
        let statuses: Vec<String> =
            figures.statuses.iter().map(|(status, count)| format!("{status}:{count}")).collect();
        let mut text = format!(
            "{:<18}{:>5}{:>11.1}{:>10.2}{:>10.2}{:>10.2}{:>10.2}{:>9}{:>9}  {}",
            self.workload,
            self.connections,
            figures.per_second,
            figures.p50_ms,
            figures.p95_ms,
            figures.p99_ms,
            figures.max_ms,
            mebibytes(self.memory.map(|memory| memory.resident_kib)),
            mebibytes(self.memory.map(|memory| memory.peak_kib)),
            statuses.join(" "),
        );
        if self.units > 1 {
            let _ = write!(text, "  ({:.0} resources/s)", figures.per_second * self.units as f64);
        }
        text.push('\n');
        if let Some(story) = &figures.first_failure {
            let _ = writeln!(text, "  {} failed, first: {story}", figures.failures);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn line() -> Line {
        let figures = Figures {
            requests: 3,
            per_second: 1.5,
            statuses: BTreeMap::from([("200".to_owned(), 2), ("500".to_owned(), 1)]),
            failures: 1,
            first_failure: Some("500 oh".to_owned()),
            ..Figures::default()
        };
        let memory = Some(Memory { resident_kib: 2048, peak_kib: 4096 });
        Line { workload: "bulk-1000".to_owned(), connections: 1, units: 1000, figures, memory }
    }

    #[test]
    fn a_row_shows_failures_and_resources() {
        let row = line().row();
        for part in ["200:2 500:1", "1500 resources/s", "1 failed, first: 500 oh", " 2 ", " 4 "] {
            assert!(row.contains(part), "{part:?} in {row}");
        }
    }

    #[test]
    fn a_report_survives_json() {
        let report = Report { users: 5, lines: vec![line()] };
        let text = serde_json::to_string(&report).unwrap();
        let again: Report = serde_json::from_str(&text).unwrap();
        assert_eq!((again.failures(), again.users), (1, 5));
        assert!(again.figures("bulk-1000").is_some() && again.figures("put").is_none());
        assert_eq!(again.table().lines().count(), 3);
    }
}
