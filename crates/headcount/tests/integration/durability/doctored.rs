//! The checks of [`whole`](super::whole) find what they look for: each is shown a database in which somebody
//! has done half of a write on purpose.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::load::{Load, TIER};
use super::whole::{NONE, assert_nothing_by_half, assert_seats};
use crate::harness::*;

on_each_database!(
    every_half_of_a_write_is_found_by_the_check_that_looks_for_it,
    a_seat_that_is_nobodys_and_not_free_is_found,
);

/// The one user that there is.
const USER: &str = "(SELECT id FROM users)";

/// An entry of the log once more. Its identifier is the tenant's, which no entry has.
const ENTRY: &str = "INSERT INTO change_log (tenant_id, id, at, actor_type, source, request_id, action, \
     resource_type, resource_id, version, changes_digest, mac) SELECT tenant_id, tenant_id, at, \
     actor_type, source, request_id, action, resource_type, ";

/// Half of a write for each check, in the order of the checks. Who is not there has the identifier of the
/// tenant.
fn halves() -> [(&'static str, String); NONE.len()] {
    let of_users = "FROM change_log WHERE resource_type = 'User'";
    let half = |what, statement: &str| (what, statement.to_owned());
    [
        half("a user whose version has no entry in the log", "UPDATE users SET version = 99"),
        half("a group whose version has no entry in the log", "UPDATE groups SET version = 99"),
        half(
            "an entry of a user who is not there",
            &format!("{ENTRY} tenant_id, 99, changes_digest, mac {of_users}"),
        ),
        half(
            "an entry of a version that its user has not reached",
            &format!("{ENTRY} resource_id, 99, changes_digest, mac {of_users}"),
        ),
        half(
            "a claim without an account",
            "INSERT INTO identity_claims (tenant_id, kind, value_hash, user_id, is_current, burned, \
             first_used_at, last_used_at) SELECT tenant_id, 'nothing', value_hash, tenant_id, \
             is_current, burned, first_used_at, last_used_at FROM identity_claims LIMIT 1",
        ),
        half(
            "an account without a claim to its name",
            "UPDATE identity_claims SET is_current = FALSE",
        ),
        half("an account without its address", "DELETE FROM user_emails"),
        half(
            "an account without its role",
            &format!("DELETE FROM grants WHERE subject_id = {USER}"),
        ),
        half(
            "an externalId of nobody",
            "INSERT INTO external_ids (tenant_id, connection_id, resource_type, resource_id, \
             external_id) SELECT tenant_id, connection_id, resource_type, tenant_id, 'nobody' \
             FROM external_ids WHERE resource_type = 'User'",
        ),
        half(
            "a membership of nobody",
            "INSERT INTO memberships (tenant_id, group_id, member_id, is_group, added_at) \
             SELECT tenant_id, group_id, tenant_id, is_group, added_at FROM memberships",
        ),
        half(
            "a membership in no group",
            "INSERT INTO memberships (tenant_id, group_id, member_id, is_group, added_at) \
             SELECT tenant_id, tenant_id, member_id, is_group, added_at FROM memberships",
        ),
    ]
}

/// Somebody who has all that the checks ask for, in a group.
fn create_everything(scim: &Client) {
    let mut ada = person("Ada", "Lovelace", "ada@example.com");
    ada["externalId"] = json!("ada");
    ada["roles"] = json!([{"value": "agent"}]);
    ada[HEADCOUNT] = json!({"licenseTier": TIER});
    let id = scim.post("/Users", &ada).expect(201).id();
    scim.post("/Groups", &group("Team", &[&id])).expect(201);
}

fn every_half_of_a_write_is_found_by_the_check_that_looks_for_it(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    create_everything(&scim);
    assert_nothing_by_half(&server);
    for ((what, query), (half, statement)) in NONE.into_iter().zip(halves()) {
        assert_eq!(what, half, "the two lists are in one order");
        let found = server.database().count_after(&statement, query);
        assert_eq!(found, 1, "{what}: {statement}");
    }
    // Nothing of it was kept; and what is kept fails the test that looks.
    assert_nothing_by_half(&server);
    server.database().execute("UPDATE users SET version = version + 1");
    let looked = catch_unwind(AssertUnwindSafe(|| assert_nothing_by_half(&server)));
    assert!(looked.is_err(), "it is not looked at");
}

fn a_seat_that_is_nobodys_and_not_free_is_found(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let load = Load::prepare(&server, &scim);
    create_everything(&scim);
    assert_seats(&load, &server);
    let last = "(SELECT max(number) FROM free_seats)";
    server.database().execute(&format!("DELETE FROM free_seats WHERE number = {last}"));
    let looked = catch_unwind(AssertUnwindSafe(|| assert_seats(&load, &server)));
    assert!(looked.is_err(), "a seat is gone");
}
