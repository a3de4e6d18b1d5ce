//! Okta and Entra go on for days, with a company whose people come, move, marry and go; at the end
//! the service holds what they believe.

use serde_json::{Value, json};
use simulators::directory::{Change, Day, Often};
use simulators::http::Endpoint;
use simulators::provider::Unwatched;
use simulators::{Report, Run, Variant, validator};

use crate::harness::*;

on_each_database!(
    okta_custom_application_for_days,
    okta_network_application_for_days,
    entra_for_days,
    entra_compliant_for_days,
    what_is_changed_behind_the_providers_back_is_found,
    entra_repairs_what_was_changed_when_it_begins_anew,
    r13_without_a_seat_the_administrator_of_the_provider_is_told,
    r57_a_mass_departure_is_held_and_both_sides_agree_on_who_is_left,
    entra_stops_at_wrong_credentials,
    every_check_of_the_validators_passes,
    the_validators_find_what_a_strict_connection_refuses,
    the_command_fails_if_a_check_does,
);

const PEOPLE: usize = 60;

fn endpoint(client: &Client) -> Endpoint {
    Endpoint { base_url: client.base_url().to_owned(), token: client.token().to_owned() }
}

fn dialect(variant: Variant) -> Dialect {
    match variant {
        Variant::Okta | Variant::OktaOin => Dialect::Okta,
        Variant::Entra | Variant::EntraCompliant => Dialect::Entra,
    }
}

/// A run against a server of its own; nothing may differ, and the last day had nothing to do.
fn simulate(database: Database, variant: Variant) -> Report {
    let (_server, scim) = serve(database, dialect(variant));
    let run = Run::new(variant, endpoint(&scim), PEOPLE, 1).unwrap();
    let report = run.to_the_end(&Unwatched).unwrap();
    assert!(report.agrees(), "drift {}: {:#?}", report.drift, report.comparison.differences);
    assert!(report.comparison.users >= 60, "{:?}", report.comparison);
    assert!(report.comparison.attributes > 1500, "{:?}", report.comparison);
    let quiet = report.days.iter().find(|day| day.title == "a quiet day").unwrap();
    assert!(quiet.requests <= 4, "{quiet:?}");
    report
}

/// Each kind of request was sent, so that it was compared what came of it.
fn sent(report: &Report, kinds: &[&str]) {
    for kind in kinds {
        assert!(report.requests.of(kind) > 0, "{kind} was never sent: {:?}", report.requests);
    }
}

/// Nobody gets another's address: the one thing that is refused.
fn refused_to_okta(report: &Report) {
    let [refused] = report.troubles.as_slice() else { panic!("{:#?}", report.troubles) };
    assert_eq!((refused.action, refused.status), ("push the profile", 409), "{refused:?}");
    assert!(refused.detail.contains("another person"), "{refused:?}");
}

fn okta_custom_application_for_days(database: Database) {
    let report = simulate(database, Variant::Okta);
    refused_to_okta(&report);
    sent(&report, &["create user", "update user", "update group", "delete group", "import users"]);
    assert_eq!(report.requests.of("deactivate user"), 0, "a custom application has no PATCH");
}

fn okta_network_application_for_days(database: Database) {
    let report = simulate(database, Variant::OktaOin);
    // It reactivates before it says who it means, and nobody of the company ever logged in.
    assert_eq!(report.troubles, [], "nothing is refused");
    sent(
        &report,
        &["deactivate user", "reactivate user", "set password", "rename group", "change members"],
    );
    assert_eq!(
        report.requests.of("update group"),
        0,
        "an application of the network has no PUT of groups"
    );
}

fn entra_for_days(database: Database) {
    entra_flow(&simulate(database, Variant::Entra));
}

fn entra_compliant_for_days(database: Database) {
    entra_flow(&simulate(database, Variant::EntraCompliant));
}

fn entra_flow(report: &Report) {
    sent(
        report,
        &[
            "update user",
            "disable user",
            "delete user",
            "set manager",
            "add members",
            "remove members",
        ],
    );
    sent(report, &["check member", "read back"]);
    let [refused] = report.troubles.as_slice() else { panic!("{:#?}", report.troubles) };
    assert_eq!(
        (refused.action, refused.status),
        ("create User", 409),
        "nobody gets another's address"
    );
    assert!(refused.shown.contains("EntryConflict"), "{refused:?}");
}

fn what_is_changed_behind_the_providers_back_is_found(database: Database) {
    for variant in [Variant::OktaOin, Variant::EntraCompliant] {
        let (server, scim) = serve(database, dialect(variant));
        let admin = Administrator::of(&server, "acme");
        let mut run = Run::new(variant, endpoint(&scim), 12, 1).unwrap();
        run.first_push(&Unwatched).unwrap();
        assert_eq!(run.compare(&Unwatched).unwrap().differences, []);

        let users = admin.scim.filter("/Users", "title eq \"Team Lead\"").expect(200);
        let path =
            |number: usize| format!("/Users/{}", users.resources()[number]["id"].as_str().unwrap());
        admin.scim.patch(&path(0), &replace("title", "Director")).expect(200);
        admin
            .scim
            .patch(&path(1), &replace("phoneNumbers[type eq \"work\"].value", "0"))
            .expect(200);
        admin.scim.patch(&path(2), &replace("active", false)).expect(200);
        admin.scim.delete(&path(3)).expect(204);
        let stranger = admin.scim.post("/Users", &user("stranger@example.com")).expect(201).id();
        let group = admin.scim.filter("/Groups", "displayName eq \"Sales\"").expect(200);
        let group = format!("/Groups/{}", group.resources()[0]["id"].as_str().unwrap());
        admin.scim.patch(&group, &replace("displayName", "Sails")).expect(200);
        let add = json!([{"op": "add", "path": "members", "value": [{"value": stranger}]}]);
        admin.scim.patch(&group, &add).expect(200);

        let found = run.compare(&Unwatched).unwrap().differences;
        let mut found: Vec<(&str, &Value)> =
            found.iter().map(|one| (one.attribute.as_str(), &one.held)).collect();
        // Who was deleted is missing in groups too, as many as the company has put them into.
        found.retain(|(attribute, held)| !(attribute.starts_with("members") && held.is_null()));
        found.sort_unstable_by_key(|(attribute, _)| *attribute);
        let (member, gone) = (format!("members {stranger}"), json!(404));
        let expected: [(&str, Value); 7] = [
            ("active", json!(false)),
            ("displayName", json!("Sails")),
            ("id", json!(stranger)),
            (&member, json!("member")),
            ("phoneNumbers[type eq \"work\"].value", json!("0")),
            ("status", gone),
            ("title", json!("Director")),
        ];
        assert_eq!(
            found,
            expected.each_ref().map(|(attribute, held)| (*attribute, held)),
            "{variant}"
        );
    }
}

fn entra_repairs_what_was_changed_when_it_begins_anew(database: Database) {
    for variant in [Variant::Entra, Variant::EntraCompliant] {
        let (server, scim) = serve(database, Dialect::Entra);
        let admin = Administrator::of(&server, "acme");
        let mut run = Run::new(variant, endpoint(&scim), 12, 1).unwrap();
        run.first_push(&Unwatched).unwrap();
        let users = admin.scim.filter("/Users", "title eq \"Team Lead\"").expect(200);
        let path = format!("/Users/{}", users.resources()[1]["id"].as_str().unwrap());
        let changes = json!([
            {"op": "replace", "path": "title", "value": "Director"},
            {"op": "replace", "path": "active", "value": false},
            {"op": "remove", "path": "addresses"},
        ]);
        admin.scim.patch(&path, &changes).expect(200);

        run.start_over(&Unwatched).unwrap();
        let comparison = run.compare(&Unwatched).unwrap();
        assert_eq!(comparison.differences, [], "{variant}");
        assert_eq!(run.report(comparison).drift, 1, "{variant}: one user was written");
    }
}

fn r13_without_a_seat_the_administrator_of_the_provider_is_told(database: Database) {
    for (variant, shown) in
        [(Variant::Okta, "Automatic provisioning of"), (Variant::Entra, "Failed to create User")]
    {
        let (server, scim) = serve(database, dialect(variant));
        let admin = Administrator::of(&server, "acme");
        admin.limit("CX1", 15);
        let mut run = Run::new(variant, endpoint(&scim), 20, 1).unwrap();
        run.first_push(&Unwatched).unwrap();
        let comparison = run.compare(&Unwatched).unwrap();
        assert_eq!((comparison.differences, comparison.users), (vec![], 15), "{variant}");

        admin.limit("CX1", 30);
        run.live(&[Day { title: "more seats", changes: &[] }], &Unwatched).unwrap();
        let comparison = run.compare(&Unwatched).unwrap();
        assert_eq!((&comparison.differences, comparison.users), (&vec![], 20), "{variant}");
        let report = run.report(comparison);
        assert_eq!(report.troubles.len(), 5, "{variant}");
        for trouble in &report.troubles {
            assert_eq!((trouble.status, trouble.settled), (403, true), "{trouble:?}");
            assert!(trouble.shown.contains(shown), "{trouble:?}");
            assert!(trouble.shown.contains("seat"), "the detail says what is missing: {trouble:?}");
        }
    }
}

fn r57_a_mass_departure_is_held_and_both_sides_agree_on_who_is_left(database: Database) {
    for variant in [Variant::OktaOin, Variant::Entra] {
        let (_server, scim) = serve(database, dialect(variant));
        let mut run = Run::new(variant, endpoint(&scim), PEOPLE, 1).unwrap();
        run.first_push(&Unwatched).unwrap();
        let accident =
            Day { title: "a wrong mapping", changes: &[(Change::Leave, Often::Percent(60))] };
        run.live(&[accident], &Unwatched).unwrap();
        let comparison = run.compare(&Unwatched).unwrap();
        assert_eq!(comparison.differences, [], "{variant}");
        let left = scim.filter("/Users", "active eq true").expect(200);
        assert_eq!(
            left["totalResults"],
            PEOPLE - 25,
            "{variant}: 25 may leave, who follows is held"
        );
        let report = run.report(comparison);
        let held = |shown: &str| shown.contains("an administrator can release it");
        assert!(!report.troubles.is_empty(), "{variant}: more wanted to leave");
        for trouble in &report.troubles {
            assert_eq!((trouble.status, trouble.settled), (403, false), "{trouble:?}");
            assert!(held(&trouble.shown), "{trouble:?}");
        }
    }
}

fn entra_stops_at_wrong_credentials(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    let wrong = Endpoint { token: "hc_wrong".to_owned(), ..endpoint(&scim) };
    let report =
        Run::new(Variant::Entra, wrong, PEOPLE, 1).unwrap().to_the_end(&Unwatched).unwrap();
    assert!(report.notes[0].contains("in quarantine"), "{:?}", report.notes);
    assert_eq!(report.requests.of("create user"), 0);
    assert!(!report.agrees(), "nothing can be said to agree");
}

fn every_check_of_the_validators_passes(database: Database) {
    let (server, scim) = serve(database, Dialect::Entra);
    // It would not let the validators delete all that they make.
    Administrator::of(&server, "acme").policy("deprovisionGuard.action", "off");
    let validation = validator::validate(endpoint(&scim), 1, &Unwatched).unwrap();
    assert_eq!(validation.verdicts.len(), 48);
    assert_eq!(validation.failures().collect::<Vec<_>>(), Vec::<&validator::Verdict>::new());
    // Everything that the checks made is gone again.
    scim.get("/Users").expect_empty_list();
    scim.get("/Groups").expect_empty_list();
}

/// What RFC 7644 has otherwise than Microsoft.
fn the_validators_find_what_a_strict_connection_refuses(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let validation = validator::validate(endpoint(&scim), 1, &Unwatched).unwrap();
    let failed: Vec<&str> = validation.failures().map(|verdict| verdict.number).collect();
    let expected = ["W6", "W7", "W7r", "W10", "W11", "W12", "L5", "L6", "L7", "L8", "L9", "L13"];
    assert_eq!(failed, expected);
}

fn the_command_fails_if_a_check_does(database: Database) {
    let (server, strict) = serve(database, Dialect::Strict);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let arguments = ["simulate", "entra-validator", "--base-url", strict.base_url(), "--token"];
    let validate = |token: &str| {
        headcount(&[&arguments[..], &[token, "--json", file.to_str().unwrap()]].concat())
    };
    let run = validate(strict.token()).failed();
    assert!(run.stderr.contains("12 checks failed"), "{}", run.stderr);
    assert!(run.stdout.contains("36 of 48 checks passed"), "{}", run.stdout);
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["verdicts"].as_array().map(Vec::len), Some(48));

    let entra = server.tenant("globex").client(Dialect::Entra);
    validate(entra.token()).succeeded();
}

#[test]
fn the_command_has_a_service_of_its_own() {
    let run = headcount(&["simulate", "okta", "--users", "10", "--seed", "3"]).succeeded();
    assert!(run.stdout.contains("the service holds what the provider believes"), "{}", run.stdout);
    assert!(run.stdout.contains("create user"), "{}", run.stdout);
    assert!(!run.stderr.contains("INFO"), "nothing is logged in between: {}", run.stderr);

    let nobody = ["simulate", "okta", "--base-url", "http://127.0.0.1:1/scim/v2", "--token", "x"];
    let run = headcount(&nobody).failed();
    assert!(run.stderr.contains("http://127.0.0.1:1/scim/v2/Users"), "{}", run.stderr);
    headcount(&["simulate", "okta", "--base-url", "http://127.0.0.1:1/scim/v2"]).failed();
}
