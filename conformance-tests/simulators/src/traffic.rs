//! What was sent, counted by what it was for and how it was answered.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often a kind of request was answered with a status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Traffic(BTreeMap<&'static str, BTreeMap<u16, u64>>);

impl Traffic {
    /// Counts one request.
    pub fn count(&mut self, kind: &'static str, status: u16) {
        *self.0.entry(kind).or_default().entry(status).or_default() += 1;
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    /// The requests of one kind.
    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).map_or(0, |statuses| statuses.values().sum())
    }

    /// The kinds, each with its statuses and how often each was answered.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<u16, u64>)> {
        self.0.iter().map(|(kind, statuses)| (*kind, statuses))
    }
}
