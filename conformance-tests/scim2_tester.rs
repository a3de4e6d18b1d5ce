//! The public suite `scim2-tester`, run against the server through `scim2-cli`.
//!
//! It prints one line per check, `STATUS title`, followed by indented lines that say why.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::*;

on_each_database!(
    scim2_tester_finds_no_failure,
    scim2_tester_finds_no_failure_where_an_administrator_asks,
);

/// Checks that are known to fail: the check, a text in its reason (empty: any), and why the
/// server is right, with the section of the RFC.
const EXPECTED_FAILURES: &[(&str, &str, &str)] = &[
    (
        "check_remove_attribute",
        "did not remove attribute 'active'",
        "An account is active or it is not: removing the value would have to mean one of the two. \
         It keeps the one it has, as RFC 7644 section 3.5.1 lets the service provider do with a \
         value that is not given.",
    ),
    (
        "check_add_attribute",
        "unexpected value for 'members'",
        "The suite expects members back without `display`. It is read-only (RFC 7643 section 7, \
         erratum 6011), so the service provider fills it in (sections 2.4 and 4.2).",
    ),
    ("check_replace_attribute", "unexpected value for 'members'", "As for check_add_attribute."),
    ("check_remove_attribute", "did not remove attribute 'roles'", ROLES),
    ("check_remove_attribute", "headcount:2.0:User:roleGrants'\n", ROLES),
    ("check_remove_attribute", "enterprise:2.0:User:division'\n", ALWAYS),
    ("check_remove_attribute", "headcount:2.0:User:division'\n", ALWAYS),
    ("check_remove_attribute", "headcount:2.0:User:licenseTier'\n", ALWAYS),
    ("check_remove_attribute", "headcount:2.0:User:agent'\n", ALWAYS),
    (
        "check_remove_attribute",
        "remove attribute 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'\n",
        ALWAYS,
    ),
    (
        "check_remove_attribute",
        "remove attribute 'urn:ietf:params:scim:schemas:extension:headcount:2.0:User'\n",
        ALWAYS,
    ),
    ("check_add_attribute", "unexpected value for 'roles'", ROLES),
    ("check_replace_attribute", "unexpected value for 'roles'", ROLES),
    ("check_replace_attribute", "headcount:2.0:User:roleGrants'.", ROLES),
    (
        "check_replace_attribute",
        "headcount:2.0:User:skills'.",
        "The suite expects the skill back without `display`, which is read-only, so the service \
         provider fills it in (RFC 7643 section 2.4).",
    ),
    ("check_add_attribute", "headcount:2.0:User:roleGrants'.", ADDED),
    ("check_add_attribute", "headcount:2.0:User:skills'.", ADDED),
    ("check_add_attribute", "headcount:2.0:User:businessUnits'.", ADDED),
    ("check_add_attribute", "headcount:2.0:User:externalIds'.", ADDED),
    ("check_add_attribute", "headcount:2.0:Group:roleGrants'.", ADDED),
    ("check_add_attribute", "headcount:2.0:Group:managers'.", ADDED),
    ("check_add_attribute", "headcount:2.0:Group:kind': kind is immutable", SET_ONCE),
    ("check_remove_attribute", "headcount:2.0:Group': kind is immutable", SET_ONCE),
    ("check_replace_attribute", "headcount:2.0:Group:roleGrants'.", NAMED),
    ("check_replace_attribute", "headcount:2.0:Group:managers'.", NAMED),
    ("check_add_attribute", "headcount:2.0:Group'.\nPatched", NAMED),
    ("check_replace_attribute", "headcount:2.0:Group'.\nPatched", NAMED),
    ("check_add_attribute", "enterprise:2.0:User'.\nPatched", NAMED),
    ("check_replace_attribute", "enterprise:2.0:User'.\nPatched", NAMED),
    ("check_add_attribute", "enterprise:2.0:User:manager'.", NAMED),
    ("check_replace_attribute", "enterprise:2.0:User:manager'.", NAMED),
    ("check_remove_attribute", "headcount:2.0:Group:enabled'\n", ALWAYS),
    ("check_remove_attribute", "headcount:2.0:Group:priority'\n", ALWAYS),
    ("check_add_attribute", "headcount:2.0:Group:capacityRule'", OF_AGENTS),
    ("check_replace_attribute", "headcount:2.0:Group:capacityRule'", OF_AGENTS),
    ("check_add_attribute", "headcount:2.0:User'.\nPatched", UNSEEN),
    ("check_replace_attribute", "headcount:2.0:User'.\nPatched", UNSEEN),
    ("check_remove_attribute", "remove attribute 'state'\n", DEFAULT),
    ("check_remove_attribute", "remove attribute 'privileged'\n", DEFAULT),
    ("check_remove_attribute", "remove attribute 'priority'\n", DEFAULT),
    ("check_remove_attribute", "remove attribute 'mode'\n", DEFAULT),
    ("check_remove_attribute", "remove attribute 'dialect'\n", DEFAULT),
    (
        "check_remove_attribute",
        "remove attribute 'scopes'\n",
        "A connection keeps the scopes that it has where nobody says others, as RFC 7644 section \
         3.5.1 lets the service provider do: without any it could not be used, and with all it \
         would be an administrator.",
    ),
    ("check_add_attribute", "unexpected value for 'scopes'", ADDED),
    ("check_add_attribute", "Failed to add attribute 'default'", ONE_DEFAULT),
    ("check_replace_attribute", "Failed to replace attribute 'default'", ONE_DEFAULT),
    ("check_add_attribute", "'kind': kind is immutable", SET_ONCE),
    (
        "search_with_attributes",
        "could not find Connection with id",
        "The suite searches the root without a filter and reads the first 100 of some hundred \
         results: to an administrator the log and all that has been made before are among them \
         (RFC 7644 section 3.4.2.1). `totalResults` says that there are more pages (section 3.4.2.4).",
    ),
];

const ROLES: &str = "Everybody is an employee, whatever is sent (R27), and a role is a grant, shown \
    with the name that it has itself (domain model, section 7.5): what a client says of it beside \
    its value is not kept, as RFC 7643 section 4.1.2 leaves it to the service provider.";
const ALWAYS: &str = "Every account is in a division (R21), the home division if nobody says which, has \
    a licence tier (R11), and is an agent or not. Without a value there is the default one, which RFC \
    7644 section 3.5.1 lets the service provider assign to what a client does not assert.";
const DEFAULT: &str = "Roles, skills and the like are enabled or disabled, a rule has a priority and a \
    mode, a connection a dialect. Without a value there is the default one, which RFC 7644 section \
    3.5.1 lets the service provider assign to what a client does not assert.";
const ONE_DEFAULT: &str = "Of a tenant's capacity rules one may be the default (domain model, section \
    6.4), and it must be valid (R76). The suite makes several, by chance, out of made-up parts: 400 or \
    409 (RFC 7644 section 3.12).";
const ADDED: &str = "The suite adds the extension as a whole and then each of its attributes, and \
    expects the list to be what it added last. A value that is added stands beside those that are \
    there (RFC 7644 section 3.5.2.1).";
const NAMED: &str = "The suite expects what it sent and nothing more. Read-only sub-attributes, the \
    identifier of a role and the name of a manager, are filled in by the service provider (RFC 7643 \
    section 2.4).";
const OF_AGENTS: &str = "The suite's groups give roles, so they are access groups, and only agent \
    groups have a capacity rule (domain model, section 2.8): 400 invalidValue (RFC 7644 section 3.12).";
const SET_ONCE: &str = "The suite sets the kind, of a skill or with the extension of a group as a \
    whole, and then gives it another or takes it away. It is immutable (RFC 7643 section 7), so that \
    is refused (RFC 7644 section 3.5.2).";
const UNSEEN: &str = "The suite expects back all of the extension that it sent. The template is \
    `writeOnly` and never returned (RFC 7643 section 7).";

/// What the suite calls a failure: below them are SHOULDs that are kept and options not taken.
const FAILURES: [&str; 3] = ["DEVIATION", "ERROR", "CRITICAL"];
const OTHERS: [&str; 4] = ["SUCCESS", "COMPLIANT", "ACCEPTABLE", "SKIPPED"];

struct Check {
    status: &'static str,
    title: String,
    reason: String,
}

impl Check {
    fn failed(&self) -> bool {
        FAILURES.contains(&self.status)
    }

    fn is_expected(&self) -> bool {
        EXPECTED_FAILURES
            .iter()
            .any(|(title, reason, _)| self.title == *title && self.reason.contains(reason))
    }
}

/// How many checks the suite makes of each resource type; it fails all if it cannot create one.
const CHECKS_OF_A_TYPE: usize = 11;

/// Licence tiers, rehire cases, the entries of both logs and the tenant come to be by themselves:
/// their endpoints take no POST, and say so with 405 (RFC 7644 section 3.2 leaves the operations that an
/// endpoint has to the service provider; RFC 9110 section 15.5.6).
const MADE_BY_NOBODY: (usize, &str) = (5, "this path has the methods GET, HEAD\n");

/// Roles, divisions, skills, capacity rules, templates, provisioning rules and connections are made
/// by administrators; others are told which scope they lack (RFC 7644 section 3.12, status 403).
const MADE_BY_ADMINISTRATORS: (usize, &str) = (7, "'code': 'scopeMissing'");

fn scim2_tester_finds_no_failure(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    furnish(&admin);
    expect_no_failure(&scim, &[MADE_BY_NOBODY, MADE_BY_ADMINISTRATORS]);
}

/// An administrator's token also writes what others only read.
fn scim2_tester_finds_no_failure_where_an_administrator_asks(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    furnish(&admin);
    expect_no_failure(&admin.scim, &[MADE_BY_NOBODY]);
}

/// Runs the suite. Of so many resource types it can create none, for the reason beside them.
#[track_caller]
fn expect_no_failure(scim: &Client, not_made: &[(usize, &str)]) {
    let output = run_scim2_tester(scim);
    let mut checks = parse(&output);
    println!("{}", summary(&checks));
    assert!(checks.len() > 10, "the suite stopped early:\n{output}");
    for (types, reason) in not_made {
        let before = checks.len();
        checks.retain(|check| !(check.failed() && check.reason.contains(reason)));
        assert_eq!(before - checks.len(), types * CHECKS_OF_A_TYPE, "{reason}:\n{output}");
    }
    let failures: Vec<String> = checks
        .iter()
        .filter(|check| check.failed() && !check.is_expected())
        .map(|check| format!("{} {}\n{}", check.status, check.title, check.reason))
        .collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// What the suite finds in the canonical values of the schemas, and gives to users.
fn furnish(admin: &Administrator) {
    admin.create("/Skills", "Sales");
    let voice = json!([{"media": "voice", "maxCapacity": 1}]);
    admin.create_as("/CapacityRules", &json!({"name": "Calls", "mediaRules": voice}));
    admin.create("/UserTemplates", "Newcomer");
    admin.create_as("/Groups", &group("Staff", &[]));
    // The suite changes tiers as they come, and deletes whomever it has created.
    admin.policy("license.downgrade", "allow");
    admin.policy("deprovisionGuard.action", "off");
}

/// The output of the suite; its exit status is not used, because it knows no expected failures.
fn run_scim2_tester(scim: &Client) -> String {
    let program = std::env::var_os("HEADCOUNT_TEST_SCIM2").unwrap_or_else(|| {
        panic!(
            "HEADCOUNT_TEST_SCIM2 is not set, so there is no scim2-tester to run: \
             run `cargo xtask test`, which installs it"
        )
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/scim2.py");
    let mut command = Command::new(Path::new(&program).with_file_name("python3"));
    command
        .arg(script)
        .args(["--url", scim.base_url(), "test", "--verbose"])
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", scim.token()))
        .env("NO_COLOR", "1")
        .env("PYTHONIOENCODING", "utf-8");
    let run = run(&mut command, Duration::from_secs(900));
    assert!(!run.stdout.trim().is_empty(), "scim2 said nothing: {}", run.stderr);
    run.stdout
}

fn parse(output: &str) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for line in output.lines() {
        let (word, title) = line.split_once(' ').unwrap_or((line, ""));
        let status = FAILURES.into_iter().chain(OTHERS).find(|status| *status == word);
        match (status, checks.last_mut()) {
            (Some(status), _) => {
                checks.push(Check { status, title: title.to_owned(), reason: String::new() });
            }
            (None, Some(check)) => {
                check.reason.push_str(line);
                check.reason.push('\n');
            }
            (None, None) => {}
        }
    }
    checks
}

fn summary(checks: &[Check]) -> String {
    let counts = OTHERS.into_iter().chain(FAILURES).map(|status| {
        let count = checks.iter().filter(|check| check.status == status).count();
        format!("{count} {}", status.to_lowercase())
    });
    let expected = checks.iter().filter(|check| check.failed() && check.is_expected()).count();
    let counts: Vec<String> = counts.collect();
    format!("scim2-tester: {}; of these {expected} expected failures", counts.join(", "))
}

#[test]
fn the_output_of_scim2_tester_is_understood() {
    let output = "Performing a SCIM compliance check on http://127.0.0.1/scim/v2 ...\n\
        SUCCESS random_url\n  /x did return a 404 error\n\
        ERROR object_creation\n  Request failed\n  {'status': '400'}\n";
    let checks = parse(output);
    let titles: Vec<&str> = checks.iter().map(|check| check.title.as_str()).collect();
    assert_eq!(titles, ["random_url", "object_creation"]);
    assert!(checks[1].failed() && checks[1].reason.contains("'400'"));
    assert!(summary(&checks).contains("1 success") && summary(&checks).contains("1 error"));
}
