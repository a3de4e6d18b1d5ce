//! What a simulation prints.

use std::collections::BTreeSet;

use console::style;
use simulators::compare::Comparison;
use simulators::report::Report;
use simulators::traffic::Traffic;
use simulators::trouble::Trouble;
use simulators::validator::Validation;

use crate::arguments::{Provider, SimulateArguments};

/// How many differences are printed; all are in the JSON file.
const SHOWN: usize = 20;

/// Says what is about to happen.
pub(super) fn begin(arguments: &SimulateArguments, base_url: &str) {
    let SimulateArguments { provider, users, seed, .. } = arguments;
    let name = name(*provider);
    let service = if arguments.base_url.is_some() { base_url } else { "a service of its own" };
    println!();
    match provider {
        Provider::EntraValidator => println!("  {} against {service}", style(name).bold()),
        _ => {
            println!(
                "  {} provisions {users} people to {service}, seed {seed}",
                style(name).bold()
            );
        }
    }
    println!();
}

fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Okta => "Okta, with a custom application (PUT),",
        Provider::OktaOin => "Okta, with an application of its network (PATCH),",
        Provider::Entra => "Microsoft Entra ID",
        Provider::EntraCompliant => "Microsoft Entra ID, with aadOptscim062020,",
        Provider::EntraValidator => "The checks of Microsoft's validators",
    }
}

/// Prints what came of a run.
pub(super) fn report(report: &Report) {
    heading("DAY", &["CHANGES", "REQUESTS"]);
    for day in &report.days {
        println!("  {:32}{:>10}{:>10}", day.title, day.changes, day.requests);
    }
    traffic(&report.requests);
    troubles(&report.troubles);
    for note in &report.notes {
        println!("  {note}");
    }
    println!();
    comparison(&report.comparison);
    let open = report.open_troubles().count();
    if open > 0 {
        println!("  {} refused, as it says above", style(open).yellow().bold());
    }
    println!();
}

/// A line of small capitals over a table.
fn heading<Name: AsRef<str>>(first: &str, columns: &[Name]) {
    let columns: String = columns.iter().map(|name| cell(name.as_ref())).collect();
    println!("{}", style(format!("  {first:32}{columns}")).dim());
}

fn cell(text: &str) -> String {
    format!("{text:>10}")
}

/// A line for each kind of request, and a column for each status.
fn traffic(traffic: &Traffic) {
    let statuses: BTreeSet<u16> =
        traffic.kinds().flat_map(|(_, answers)| answers.keys().copied()).collect();
    let names: Vec<String> = statuses.iter().map(u16::to_string).collect();
    println!();
    heading("REQUESTS", &names);
    for (kind, answers) in traffic.kinds() {
        let times = |status| answers.get(status).map(u64::to_string).unwrap_or_default();
        let cells: String = statuses.iter().map(|status| cell(&times(status))).collect();
        println!("  {kind:32}{cells}");
    }
    println!("  {:32}{:>10}", style("all").bold(), traffic.total());
    println!();
}

fn troubles(troubles: &[Trouble]) {
    if troubles.is_empty() {
        return;
    }
    println!("  {}", style("WHAT THE PROVIDER'S ADMINISTRATOR IS SHOWN").dim());
    for trouble in troubles {
        let state = if trouble.settled { style("settled").green() } else { style("open").yellow() };
        println!("  {state:8}{} (tried {} times)", trouble.shown, trouble.attempts);
    }
    println!();
}

fn comparison(comparison: &Comparison) {
    let Comparison { users, groups, attributes, differences } = comparison;
    println!("  compared: {users} users, {groups} groups; {attributes} attributes and memberships");
    if differences.is_empty() {
        println!("  {} the service holds what the provider believes", style("✔").green().bold());
    }
    for difference in differences.iter().take(SHOWN) {
        println!("  {} {}: {}", style("✘").red().bold(), difference.resource, difference.attribute);
        println!("      believed {}", difference.believed);
        println!("      held     {}", difference.held);
    }
    if differences.len() > SHOWN {
        println!("  and {} more", differences.len() - SHOWN);
    }
}

/// Prints what became of the checks.
pub(super) fn validation(validation: &Validation) {
    for verdict in &validation.verdicts {
        let mark =
            if verdict.failure.is_none() { style("✔").green() } else { style("✘").red() };
        println!("  {mark} {:4} {}", verdict.number, verdict.name);
        if let Some(failure) = &verdict.failure {
            println!("         {failure}");
        }
    }
    traffic(&validation.requests);
    let (all, failed) = (validation.verdicts.len(), validation.failures().count());
    println!("  {} of {all} checks passed", style(all - failed).bold());
    if validation.kept > 0 {
        println!("  {} of the users that were made could not be deleted again", validation.kept);
    }
    println!();
}
