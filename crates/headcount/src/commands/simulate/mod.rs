//! `headcount simulate`

mod demo;
mod page;
mod progress;

use std::fs::File;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Serialize;
use simulators::http::{Endpoint, Unreachable};
use simulators::{Report, Run, Variant, validator};

use crate::arguments::{Provider, SimulateArguments};
use demo::Demo;
use progress::Bar;

impl Provider {
    /// The simulation; none for the validator, which is not one.
    fn variant(self) -> Option<Variant> {
        match self {
            Self::Okta => Some(Variant::Okta),
            Self::OktaOin => Some(Variant::OktaOin),
            Self::Entra => Some(Variant::Entra),
            Self::EntraCompliant => Some(Variant::EntraCompliant),
            Self::EntraValidator => None,
        }
    }
}

/// Drives a service as a provider would, and prints what came of it. Fails if the service does not
/// hold what the provider believes, or if a check fails.
pub(crate) async fn run(arguments: SimulateArguments) -> anyhow::Result<()> {
    let (demo, endpoint) = match &arguments.base_url {
        None => {
            let demo = Demo::start(arguments.provider).await?;
            let endpoint = demo.endpoint();
            (Some(demo), endpoint)
        }
        Some(base_url) => {
            let token = arguments.token.clone().context("--token is missing")?;
            (None, Endpoint { base_url: base_url.clone(), token })
        }
    };
    page::begin(&arguments, &endpoint.base_url);
    // The simulators wait for each answer, and the demo's server needs this thread.
    let outcome = actix_web::rt::task::spawn_blocking(move || drive(&arguments, endpoint)).await?;
    let is_gone = outcome.as_ref().is_err_and(anyhow::Error::is::<Unreachable>);
    if let Some(demo) = demo.filter(|_| is_gone) {
        demo.stopped().await.context("the simulation was interrupted")?;
    }
    outcome
}

fn drive(arguments: &SimulateArguments, endpoint: Endpoint) -> anyhow::Result<()> {
    match arguments.provider.variant() {
        Some(variant) => simulate(arguments, variant, endpoint),
        None => validate(arguments, endpoint),
    }
}

fn simulate(
    arguments: &SimulateArguments,
    variant: Variant,
    endpoint: Endpoint,
) -> anyhow::Result<()> {
    let bar = Bar::new();
    let run = |bar: &Bar| -> Result<_, Unreachable> {
        Run::new(variant, endpoint, arguments.users.into(), arguments.seed)?.to_the_end(bar)
    };
    let report = run(&bar);
    bar.end();
    let report = report?;
    page::report(&report);
    keep(arguments.json.as_deref(), &report)?;
    judge(&report)
}

fn judge(report: &Report) -> anyhow::Result<()> {
    let Report { provider, drift, comparison, .. } = report;
    let differences = comparison.differences.len();
    ensure!(
        differences == 0,
        "the service does not hold what {provider} believes: {differences} differences"
    );
    ensure!(*drift == 0, "beginning anew, {provider} had to change {drift} resources");
    ensure!(comparison.users > 0, "nobody could be provisioned");
    Ok(())
}

fn validate(arguments: &SimulateArguments, endpoint: Endpoint) -> anyhow::Result<()> {
    let bar = Bar::new();
    let validation = validator::validate(endpoint, arguments.seed, &bar);
    bar.end();
    let validation = validation?;
    page::validation(&validation);
    keep(arguments.json.as_deref(), &validation)?;
    let failures = validation.failures().count();
    ensure!(failures == 0, "{failures} checks failed");
    Ok(())
}

/// Writes a report as JSON.
fn keep(path: Option<&Path>, report: &impl Serialize) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let file = File::create(path).with_context(|| path.display().to_string())?;
    serde_json::to_writer_pretty(file, report).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use simulators::compare::{Comparison, Difference};

    use super::*;

    #[test]
    fn a_run_fails_by_a_difference_by_drift_and_by_an_empty_service() {
        let report = |users, drift, differences| Report {
            provider: "okta",
            users: 10,
            seed: 1,
            days: Vec::new(),
            requests: simulators::traffic::Traffic::default(),
            troubles: Vec::new(),
            drift,
            notes: Vec::new(),
            comparison: Comparison { users, differences, ..Comparison::default() },
        };
        let difference = Difference {
            resource: "user ada".to_owned(),
            attribute: "title".to_owned(),
            believed: "Agent".into(),
            held: "Director".into(),
        };
        assert!(judge(&report(10, 0, vec![])).is_ok());
        assert!(judge(&report(0, 0, vec![])).is_err());
        assert!(judge(&report(10, 1, vec![])).is_err());
        assert!(judge(&report(10, 0, vec![difference])).is_err());
    }
}
