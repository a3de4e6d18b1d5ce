//! The public suite `scim-sanity`, run against the server: its probe of a live server, in its
//! strict mode, and its collection of valid and invalid bodies.
//!
//! Its compat mode makes the same checks and calls fewer of them failures, so it adds nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::*;

on_each_database!(
    scim_sanity_probe_finds_no_failure,
    scim_sanity_examples_are_taken_and_refused_as_they_should,
);

/// Checks of the probe that are known to fail: in which dialect, which one, and why the server is
/// right.
const EXPECTED_FAILURES: &[(Dialect, &str, &str)] = &[(
    Dialect::Strict,
    "PATCH /Groups/{id} add member",
    "The suite adds a member that does not exist. `value` is the identifier of a member (RFC 7643 \
     section 4.2), so the strict dialect refuses it; the others drop it, as identity providers \
     expect.",
)];

/// Examples of which the suite says otherwise: which one, whether the strict dialect takes it, why.
const OTHER_EXAMPLES: &[(&str, bool, &str)] = &[
    ("invalid-client-sets-id", true, "RFC 7644 section 3.3: read-only attributes are ignored."),
    ("invalid-null-value", true, "RFC 7643 section 2.5: null is the same as unassigned."),
    ("group-with-members", false, "The members do not exist."),
];

fn scim_sanity_probe_finds_no_failure(database: Database) {
    let server = Server::start(database);
    for (dialect, profile) in [
        (Dialect::Strict, None),
        (Dialect::Standard, None),
        (Dialect::Okta, None),
        (Dialect::Entra, Some("entra")),
    ] {
        let scim = server.tenant(dialect.name()).client(dialect);
        let report = probe(&scim, profile);
        let checks = report["results"].as_array().expect("a report has results");
        println!("{}", summary(dialect, checks));
        assert!(checks.len() > 20, "the suite stopped early: {report:#}");
        let failures: Vec<&Value> =
            checks.iter().filter(|check| !is_expected(dialect, check)).collect();
        assert!(failures.is_empty(), "{dialect:?}: {failures:#?}");
    }
}

/// The probe's report, as JSON; its exit status is not used, because it knows no expected failures.
fn probe(scim: &Client, profile: Option<&str>) -> Value {
    let mut command = Command::new(program());
    command.args(["probe", scim.base_url(), "--token", scim.token()]);
    command.args(["--strict", "--json-output", "--i-accept-side-effects"]);
    command.args(profile.map(|name| ["--profile", name]).into_iter().flatten());
    let run = run(&mut command, Duration::from_secs(120));
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", run.stdout, run.stderr))
}

fn summary(dialect: Dialect, checks: &[Value]) -> String {
    let count = |status: &str| checks.iter().filter(|check| check["status"] == status).count();
    let counts =
        ["pass", "fail", "warning", "skip"].map(|status| format!("{} {status}", count(status)));
    format!("scim-sanity, {dialect:?}: {}", counts.join(", "))
}

/// Whether a check passed, is of a resource type that there is not, or may fail; a warning is a
/// failure.
fn is_expected(dialect: Dialect, check: &Value) -> bool {
    let known = |of: &(Dialect, &str, &str)| of.0 == dialect && check["name"] == of.1;
    match check["status"].as_str() {
        Some("pass") => true,
        Some("skip") => check["phase"].as_str().is_some_and(|phase| phase.contains("Agent")),
        Some("fail") => EXPECTED_FAILURES.iter().any(known),
        _ => false,
    }
}

fn scim_sanity_examples_are_taken_and_refused_as_they_should(database: Database) {
    let server = Server::start(database);
    let examples = examples();
    for example in examples.as_array().expect("the examples are a list") {
        let (name, body) = (example["id"].as_str().unwrap_or_default(), &example["payload"]);
        // Several are the same person, so each has a tenant.
        let scim = server.tenant(name).client(Dialect::Strict);
        let (answer, taken) = match example["resource_type"].as_str() {
            Some("User") => (scim.post("/Users", body), 201),
            Some("Group") => (scim.post("/Groups", body), 201),
            Some("PATCH") => {
                let id = scim.post("/Users", &user("ada")).expect(201).id();
                (scim.json("PATCH", &format!("/Users/{id}"), body), 200)
            }
            _ => continue,
        };
        let other = OTHER_EXAMPLES.iter().find(|(other, ..)| *other == name);
        let is_taken = other.map_or(example["valid"] == true, |(_, is_taken, _)| *is_taken);
        assert_eq!(answer.status, if is_taken { taken } else { 400 }, "{name}: {}", answer.story());
    }
}

/// The suite's collection of bodies.
fn examples() -> Value {
    const PROGRAM: &str = "import json, scim_sanity.examples as e; print(json.dumps(e.EXAMPLES))";
    let mut python = Command::new(program().with_file_name("python"));
    let run = run(python.args(["-c", PROGRAM]), Duration::from_secs(60)).succeeded();
    serde_json::from_str(&run.stdout).expect("Python prints JSON")
}

fn program() -> PathBuf {
    let program = std::env::var_os("HEADCOUNT_TEST_SCIM_SANITY").unwrap_or_else(|| {
        panic!(
            "HEADCOUNT_TEST_SCIM_SANITY is not set, so there is no scim-sanity to run: \
             run `cargo xtask test`, which installs it"
        )
    });
    PathBuf::from(program)
}
