//! Against services that are not as Headcount is, the simulators do what the providers do.

#![allow(clippy::unwrap_used, missing_docs)]

mod fake;

use std::sync::atomic::{AtomicU32, Ordering};

use fake::{Fake, list};
use serde_json::{Value, json};
use simulators::provider::Unwatched;
use simulators::{Report, Run, Variant};

fn push(fake: &Fake, variant: Variant) -> Report {
    let mut run = Run::new(variant, fake.endpoint(), 10, 1).unwrap();
    run.first_push(&Unwatched).unwrap();
    let comparison = run.compare(&Unwatched).unwrap();
    run.report(comparison)
}

#[test]
fn o16_entitlements_are_read_from_every_endpoint_that_has_them() {
    let types = json!([
        {"name": "User", "endpoint": "/Users",
            "schema": "urn:ietf:params:scim:schemas:core:2.0:User"},
        {"name": "Role", "endpoint": "/Roles", "schema": "urn:okta:scim:schemas:core:1.0:Role"},
         {"name": "Profile", "endpoint": "/Profiles",
            "schema": "urn:okta:scim:schemas:core:1.0:Entitlement",

            "schemaExtensions": [{"schema": "urn:bespoke:scim:schemas:extension:Profile"}]},
    ]);
    let fake = Fake::start(move |_, path| match path {
        "/ResourceTypes" => list(&types),
        _ if path.starts_with("/Roles") => list(&json!([{"id": "1"}, {"id": "2"}])),
        _ if path.starts_with("/Profiles") => list(&json!([{"id": "3"}])),
        _ => list(&json!([])),
    });
    let report = push(&fake, Variant::Okta);
    assert!(
        report.notes.iter().any(|note| note.contains("3 entitlements of 2 types")),
        "{:?}",
        report.notes
    );
    assert_eq!(fake.asked("GET /Schemas"), 1, "for the extension that Okta does not know");
    assert_eq!(fake.asked("GET /Roles?startIndex=1&count=100"), 1);
}

#[test]
fn okta_takes_no_empty_answer_for_a_created_user() {
    let fake = Fake::start(|method, _| match method {
        "POST" => (201, Value::Null, None),
        _ => list(&json!([])),
    });
    let report = push(&fake, Variant::Okta);
    assert_eq!(report.comparison.users, 0, "Okta believes in none of them");
    assert!(report.troubles.iter().all(|trouble| trouble.shown.contains("returned empty user")));
    assert_eq!(report.troubles.len(), 10);
}

#[test]
fn okta_takes_404_on_a_filter_for_nobody_and_entra_stops() {
    let script = |method: &str, path: &str| match method {
        "POST" => (201, json!({"id": path.len().to_string()}), None),
        _ if path.contains("filter=") => (404, json!({"detail": "none"}), None),
        _ => list(&json!([])),
    };
    let fake = Fake::start(script);
    push(&fake, Variant::Okta);
    assert!(fake.asked("POST /Users") >= 10);

    let fake = Fake::start(script);
    let report = push(&fake, Variant::Entra);
    assert_eq!(fake.asked("POST /Groups"), 0);
    assert!(report.notes[0].contains("in quarantine"), "{:?}", report.notes);
}

#[test]
fn what_is_too_much_is_sent_again_after_the_pause_that_the_service_asks_for() {
    let calls = AtomicU32::new(0);
    let fake = Fake::start(move |_, path| {
        if path == "/Users?startIndex=1&count=2" && calls.fetch_add(1, Ordering::Relaxed) < 3 {
            return (429, json!({"detail": "slowly"}), Some("Retry-After: 0"));
        }
        list(&json!([]))
    });
    let run = Run::new(Variant::OktaOin, fake.endpoint(), 10, 1).unwrap();
    assert_eq!(fake.asked("GET /Users?startIndex=1&count=2"), 4);
    drop(run);
}

#[test]
fn okta_needs_numbers_to_import() {
    let fake = Fake::start(|_, _| (200, json!({"totalResults": "0", "Resources": []}), None));
    let report = push(&fake, Variant::Okta);
    assert!(
        report.troubles.iter().any(|trouble| trouble.shown.contains("totalResults is no number"))
    );
}
