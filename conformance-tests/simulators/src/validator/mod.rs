//! The checks of Microsoft's two validators: the one on the web, and the Logic App that stands
//! before the gallery.
//!
//! Each check is a line in a table, with the number under which the documentation has it. What the
//! web validator writes at random is written at random here, with two exceptions: roles and the
//! division, which a service may take only if it knows them.

mod bodies;
mod logic_app;
mod session;
mod web_groups;
mod web_users;

use serde::Serialize;

use crate::http::{Client, Endpoint, Unreachable};
use crate::provider::Watch;
use crate::traffic::Traffic;

use session::{Finding, Session};

const HEADERS: &[(&str, &str)] = &[("Accept", "application/scim+json")];

/// A check.
struct Check {
    /// Its number: `W` for the web validator, `P` for its preview, `L` for the Logic App.
    number: &'static str,
    name: &'static str,
    run: fn(&mut Session) -> Result<(), Finding>,
}

const TABLES: [&[Check]; 3] = [web_users::CHECKS, web_groups::CHECKS, logic_app::CHECKS];

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Its number.
    pub number: &'static str,
    /// What is checked.
    pub name: &'static str,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// What became of all checks.
#[derive(Debug, Serialize)]
pub struct Validation {
    /// The checks, in their order.
    pub verdicts: Vec<Verdict>,
    /// How many of the users and groups that the checks made the service would not delete again.
    pub kept: u64,
    /// The requests by what they were for, and how they were answered.
    pub requests: Traffic,
}

impl Validation {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.failure.is_some())
    }
}

/// Runs every check, each with users and groups of its own, which are deleted at the end.
///
/// # Errors
/// If there is no answer.
pub fn validate(
    endpoint: Endpoint,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Validation, Unreachable> {
    let mut session = Session::new(Client::new(endpoint, HEADERS), seed);
    let mut verdicts = Vec::new();
    watch.begin("checks", TABLES.iter().map(|table| table.len()).sum());
    for check in TABLES.iter().copied().flatten() {
        let failure = match (check.run)(&mut session) {
            Ok(()) => None,
            Err(Finding::Failed(failure)) => Some(failure),
            Err(Finding::Unreachable(error)) => return Err(error),
        };
        verdicts.push(Verdict { number: check.number, name: check.name, failure });
        watch.step(session.client.traffic.total());
    }
    let kept = session.tidy()?;
    Ok(Validation { verdicts, kept, requests: session.client.traffic })
}
