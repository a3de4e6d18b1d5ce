//! Latencies, statuses and memory.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 600_000_000;

/// What the requests of one kind took, and what was answered.
#[derive(Debug)]
pub struct Tally {
    latencies: Histogram<u64>,
    statuses: BTreeMap<String, u64>,
    /// Requests that were answered as they should not be, or not at all.
    failures: u64,
    first_failure: Option<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            latencies: microseconds(),
            statuses: BTreeMap::new(),
            failures: 0,
            first_failure: None,
        }
    }
}

/// An empty histogram of microseconds, to three digits.
#[allow(clippy::expect_used, reason = "the bounds are constants")]
fn microseconds() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are good")
}

impl Tally {
    /// Counts an answer.
    pub fn answered(&mut self, latency: Duration, status: u16) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
        self.latencies.saturating_record(micros.max(1));
        *self.statuses.entry(status.to_string()).or_default() += 1;
    }

    /// Counts a request without an answer.
    pub fn unanswered(&mut self) {
        *self.statuses.entry("none".to_owned()).or_default() += 1;
    }

    /// Notes that something was not as it should be.
    pub fn failed(&mut self, story: impl FnOnce() -> String) {
        self.failures += 1;
        self.first_failure.get_or_insert_with(story);
    }

    /// How many requests were answered.
    pub fn answers(&self) -> u64 {
        self.latencies.len()
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// What all answers together took.
    pub fn total(&self) -> Duration {
        Duration::from_secs_f64(self.latencies.mean() * self.answers() as f64 / 1e6)
    }

    /// How many requests failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Forgets latencies and statuses; failures stay, whenever they happened.
    pub fn forget_times(&mut self) {
        self.latencies.reset();
        self.statuses.clear();
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        // They have the same bounds.
        self.latencies.add(&other.latencies).ok();
        for (status, count) in &other.statuses {
            *self.statuses.entry(status.clone()).or_default() += count;
        }
        self.failures += other.failures;
        if let Some(story) = &other.first_failure {
            self.first_failure.get_or_insert_with(|| story.clone());
        }
    }

    /// The figures, for a time in which this was counted.
    pub fn figures(&self, elapsed: Duration) -> Figures {
        let at = |quantile: f64| self.latencies.value_at_quantile(quantile) as f64 / 1000.0;
        let seconds = elapsed.as_secs_f64().max(1e-9);
        Figures {
            requests: self.answers(),
            seconds: round(seconds),
            per_second: round(self.answers() as f64 / seconds),
            mean_ms: round(self.latencies.mean() / 1000.0),
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: if self.answers() == 0 { 0.0 } else { self.latencies.max() as f64 / 1000.0 },
            statuses: self.statuses.clone(),
            failures: self.failures,
            first_failure: self.first_failure.clone(),
        }
    }
}

/// A figure with the digits that mean something.
fn round(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

/// What the requests of one kind came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// How many were answered.
    pub requests: u64,
    /// How long it went on.
    pub seconds: f64,
    /// Answers a second.
    pub per_second: f64,
    /// The mean latency.
    pub mean_ms: f64,
    /// The latency that half of the requests did not exceed.
    pub p50_ms: f64,
    /// The latency that 95 of 100 did not exceed.
    pub p95_ms: f64,
    /// The latency that 99 of 100 did not exceed.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// How many answers had which status; `none` are requests without an answer.
    pub statuses: BTreeMap<String, u64>,
    /// How many were not answered as they should be.
    pub failures: u64,
    /// The first of them, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<String>,
}

/// The memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What it has, in KiB.
    pub resident_kib: u64,
    /// The most that it ever had, in KiB.
    pub peak_kib: u64,
}

impl Memory {
    /// The memory that a process has now; nothing where the system does not tell.
    pub fn of(process: u32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
    }

    fn read(status: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        Some(Self { resident_kib: value("VmRSS:")?, peak_kib: value("VmHWM:")? })
    }
}

/// The middle of some figures: of an even number, the mean of the two in the middle.
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_latencies() {
        let mut tally = Tally::default();
        (1..=100).for_each(|millis| tally.answered(Duration::from_millis(millis), 200));
        let figures = tally.figures(Duration::from_secs(2));
        assert_eq!((figures.requests, figures.per_second), (100, 50.0));
        for (figure, expected) in
            [(figures.p50_ms, 50.0), (figures.p95_ms, 95.0), (figures.p99_ms, 99.0)]
        {
            assert!((figure - expected).abs() < expected * 0.002, "{figure} for {expected}");
        }
        assert!((figures.max_ms - 100.0).abs() < 0.2, "{}", figures.max_ms);
    }

    #[test]
    fn nothing_measured_is_nothing() {
        let figures = Tally::default().figures(Duration::ZERO);
        assert_eq!((figures.requests, figures.failures), (0, 0));
        assert!(figures.max_ms.abs() < f64::EPSILON && figures.per_second.abs() < f64::EPSILON);
    }

    #[test]
    fn tallies_add_up_and_failures_outlive_the_warm_up() {
        let (mut one, mut two) = (Tally::default(), Tally::default());
        one.answered(Duration::from_millis(1), 200);
        one.failed(|| "first".to_owned());
        one.forget_times();
        two.answered(Duration::from_millis(1), 404);
        two.unanswered();
        two.failed(|| "second".to_owned());
        one.add(&two);
        let figures = one.figures(Duration::from_secs(1));
        assert_eq!((figures.requests, figures.failures), (1, 2));
        assert_eq!(figures.first_failure.as_deref(), Some("first"));
        let statuses = [("404".to_owned(), 1), ("none".to_owned(), 1)];
        assert_eq!(figures.statuses, BTreeMap::from(statuses));
    }

    #[test]
    fn memory_is_read_from_the_status_of_a_process() {
        let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        let memory = Memory::read(status).unwrap();
        assert_eq!(memory, Memory { resident_kib: 1024, peak_kib: 2048 });
        assert_eq!(Memory::read("Name:\tx\n"), None);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
