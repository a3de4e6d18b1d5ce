//! What came out of a run.

use serde::Serialize;

use crate::compare::Comparison;
use crate::traffic::Traffic;
use crate::trouble::Trouble;

/// What came out of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which provider.
    pub provider: &'static str,
    /// How many people the company had in the beginning.
    pub users: usize,
    /// The seed that everything follows from.
    pub seed: u64,
    /// The days, each with the requests that it took.
    pub days: Vec<DayReport>,
    /// The requests by what they were for, and how they were answered.
    pub requests: Traffic,
    /// What the provider's administrator was shown.
    pub troubles: Vec<Trouble>,
    /// How many resources had to be changed when the provider began anew: drift.
    pub drift: u64,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// What was compared at the end, and what differs.
    pub comparison: Comparison,
}

/// What came of a day.
#[derive(Debug, Serialize)]
pub struct DayReport {
    /// The day.
    pub title: &'static str,
    /// Changes of people and groups.
    pub changes: usize,
    /// Requests that they took.
    pub requests: u64,
}

impl Report {
    /// Whether the service holds what the provider believes, and that is something.
    pub fn agrees(&self) -> bool {
        let Comparison { differences, users, .. } = &self.comparison;
        differences.is_empty() && self.drift == 0 && *users > 0
    }

    /// What still does not work.
    pub fn open_troubles(&self) -> impl Iterator<Item = &Trouble> {
        self.troubles.iter().filter(|trouble| !trouble.settled)
    }
}
