//! The tenant as a resource: its policy.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    domain_2_1_the_policy_is_changed_by_administrators_and_only_to_what_it_can_be,
    r22_what_the_policy_names_exists,
);

fn domain_2_1_the_policy_is_changed_by_administrators_and_only_to_what_it_can_be(
    database: Database,
) {
    let (_server, admin, scim) = serve_nouns(database);
    let path = format!("/Tenants/{}", tenant_id(&admin));
    scim.get(&path).expect_error(403, None);
    for (attribute, wrong, allowed) in [
        ("divisions.max", json!(0), "divisions.max must be a whole number from 1 to 1000"),
        (
            "license.downgrade",
            json!("never"),
            "license.downgrade must be one of deny, queue, allow",
        ),
        (
            "deprovisionGuard.windowSeconds",
            json!(59),
            "deprovisionGuard.windowSeconds must be a whole number from 60 to 604800",
        ),
        ("rehireMatch", json!(["name"]), "rehireMatch must be one of externalId, employeeNumber"),
    ] {
        let refused = admin.patch(&path, &replace(attribute, wrong));
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert!(refused.text.contains(allowed), "{}", refused.story());
    }
    let changed = admin.patch(&path, &replace("license.downgrade", "QUEUE")).expect(200);
    assert_eq!(changed["license"]["downgrade"], "queue", "one spelling: {}", changed.story());
    let put = admin.put(&path, &json!({"name": "Other", "ssoRequired": true})).expect(200);
    assert_eq!(put["name"], "acme", "read only: {}", put.story());
    assert_eq!(put["license"], json!(null));
    assert!(put["homeDivisionId"].is_string(), "read only: {}", put.story());
    admin.patch(&path, &replace("name", "Other")).expect_error(400, Some("mutability"));
    admin.delete(&path).expect_error(405, None);
    admin.post("/Tenants", &json!({"name": "other"})).expect_error(405, None);
}

fn r22_what_the_policy_names_exists(database: Database) {
    let (_server, admin, _) = serve_nouns(database);
    let path = format!("/Tenants/{}", tenant_id(&admin));
    for (attribute, value, code) in [
        ("provisioning.defaultDivision", json!("Atlantis"), "unknownDivision"),
        ("grantableByScim", json!(["agent", "wizard"]), "unknownRole"),
    ] {
        let refused = admin.patch(&path, &replace(attribute, value));
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert_eq!(refused[HEADCOUNT_ERROR], json!({"code": code, "rule": "R22"}));
        assert!(refused.text.contains(attribute), "{}", refused.story());
    }
    let berlin = admin.post("/Divisions", &json!({"name": "Berlin"})).expect(201).id();
    admin.patch(&path, &replace("provisioning.defaultDivision", "berlin")).expect(200);
    admin.patch(&path, &replace("provisioning.defaultDivision", "home")).expect(200);
    admin.patch(&path, &replace("grantableByScim", json!(["Agent", "supervisor"]))).expect(200);
    admin.patch(&path, &replace("provisioning.defaultDivision", "Berlin")).expect(200);
    let refused = admin.delete(&format!("/Divisions/{berlin}")).expect_error(409, None);
    assert_eq!(refused[HEADCOUNT_ERROR]["code"], "divisionInUse", "{}", refused.story());
    // What was named before is not in the way of other changes.
    let helper = admin.post("/Roles", &json!({"name": "Helper"})).expect(201).id();
    admin.patch(&path, &replace("grantableByScim", json!(["helper"]))).expect(200);
    admin.delete(&format!("/Roles/{helper}")).expect(204);
    admin.patch(&path, &replace("ssoRequired", true)).expect(200);
}
