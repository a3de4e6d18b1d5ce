//! Whether what is there is what was promised, and whole.

use std::collections::BTreeMap;

use super::load::{Load, Person, TIER, group_of, seen};
use crate::harness::*;

/// What there must be none of. Each is looked for in the database itself, past the service.
pub(super) const NONE: [(&str, &str); 11] = [
    (
        "a user whose version has no entry in the log",
        "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM change_log e WHERE \
         e.tenant_id = u.tenant_id AND e.resource_id = u.id AND e.version = u.version)",
    ),
    (
        "a group whose version has no entry in the log",
        "SELECT count(*) FROM groups g WHERE NOT EXISTS (SELECT 1 FROM change_log e WHERE \
         e.tenant_id = g.tenant_id AND e.resource_id = g.id AND e.version = g.version)",
    ),
    (
        "an entry of a user who is not there",
        "SELECT count(*) FROM change_log e WHERE e.resource_type = 'User' AND NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = e.tenant_id AND u.id = e.resource_id)",
    ),
    (
        "an entry of a version that its user has not reached",
        "SELECT count(*) FROM change_log e, users u WHERE u.tenant_id = e.tenant_id \
         AND u.id = e.resource_id AND e.version > u.version",
    ),
    (
        "a claim without an account",
        "SELECT count(*) FROM identity_claims c WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = c.tenant_id AND u.id = c.user_id)",
    ),
    (
        "an account without a claim to its name",
        "SELECT count(*) FROM users u WHERE u.deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM identity_claims c WHERE c.tenant_id = u.tenant_id AND c.user_id = u.id \
         AND c.is_current)",
    ),
    (
        "an account without its address",
        "SELECT count(*) FROM users u WHERE u.deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM user_emails e WHERE e.tenant_id = u.tenant_id AND e.user_id = u.id)",
    ),
    (
        "an account without its role",
        "SELECT count(*) FROM users u WHERE u.deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM grants g WHERE g.tenant_id = u.tenant_id AND g.subject_id = u.id)",
    ),
    (
        "an externalId of nobody",
        "SELECT count(*) FROM external_ids x WHERE x.resource_type = 'User' AND NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = x.tenant_id AND u.id = x.resource_id)",
    ),
    (
        "a membership of nobody",
        "SELECT count(*) FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE \
         u.tenant_id = m.tenant_id AND u.id = m.member_id AND u.deleted_at IS NULL)",
    ),
    (
        "a membership in no group",
        "SELECT count(*) FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM groups g WHERE \
         g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL)",
    ),
];

/// Compares what was promised with what there is; every difference fails the test.
#[track_caller]
pub(super) fn assert_whole(load: &Load, server: &Server, scim: &Client) {
    let promised = load.people();
    assert!(!promised.is_empty(), "nothing was written");
    assert_eq!(everybody(scim), promised);
    assert_groups(scim, &promised);
    assert_nothing_by_half(server);
    assert_seats(load, server);
}

/// Each seat is free or somebody's.
#[track_caller]
pub(super) fn assert_seats(load: &Load, server: &Server) {
    let count = |table: &str| {
        let tier = TIER.to_lowercase();
        server.database().count(&format!("SELECT count(*) FROM {table} license_tier = '{tier}'"))
    };
    let (free, taken) = (count("free_seats WHERE"), count("users WHERE active AND"));
    assert_eq!(free + taken, load.seats(), "{free} are free, {taken} are taken");
    assert!(taken > 0, "everybody has one");
}

/// Looks for what half a unit of work would leave behind.
#[track_caller]
pub(super) fn assert_nothing_by_half(server: &Server) {
    for (what, query) in NONE {
        assert_eq!(server.database().count(query), 0, "{what}");
    }
    let verified = server.command(&["verify-log"]).succeeded();
    assert!(verified.stdout.contains("findings 0"), "{}", verified.stdout);
}

/// Everybody who is there, by `externalId`.
fn everybody(scim: &Client) -> BTreeMap<String, Person> {
    let parameters = "count=200&attributes=externalId,title,nickName,groups";
    let people = walk(scim, &format!("/Users?{parameters}"));
    let keyed = people.iter().map(|person| {
        let key = person["externalId"].as_str().expect("everybody has one");
        (key.to_owned(), seen(person))
    });
    keyed.collect()
}

/// A group that came with somebody is there if they ever were.
#[track_caller]
fn assert_groups(scim: &Client, promised: &BTreeMap<String, Person>) {
    let groups = walk(scim, "/Groups?count=200&attributes=displayName");
    let names: Vec<&str> =
        groups.iter().filter_map(|group| group["displayName"].as_str()).collect();
    for (key, _) in promised.iter().filter(|(_, person)| person.has_group) {
        assert!(names.contains(&group_of(key).as_str()), "{key}");
    }
}

/// All resources of a query, page by page.
fn walk(scim: &Client, query: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    loop {
        let page = scim.get(&format!("{query}&startIndex={}", found.len() + 1)).expect(200);
        if page.resources().is_empty() {
            return found;
        }
        found.extend_from_slice(page.resources());
    }
}
