//! Black-box tests: the real binary, over HTTP and its command line, on both databases.
//!
//! One module per subject. A test is named after what it protects, with the section of the RFC,
//! the rule (`r1`) or the client's peculiarity (`q2`) where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod account_verbs;
mod accounts_found;
mod admin_verbs;
mod agent_groups;
mod basic;
mod bulk;
mod bulk_of_users;
mod capacity_rules;
mod change_log;
mod cli;
mod conflicts;
mod connections;
mod cursors;
mod deactivation;
mod deployment;
mod discovery;
mod divisions;
mod durability;
mod entitlements;
mod errors;
mod etags;
mod explain_access;
mod filters;
mod first_start;
mod genesys_alias;
mod group_extension;
mod group_members;
mod group_roles;
mod groups;
mod guard;
mod guides;
#[allow(dead_code, reason = "the conformance tests use the rest")]
mod harness;
mod http;
mod isolation;
mod isolation_of_types;
mod issuer;
mod jwt;
mod kept;
mod leaving;
mod licences;
mod limits;
mod log_in;
mod logs;
mod noun_verbs;
mod oauth;
mod overload;
mod paging_and_sorting;
mod patch;
mod patch_paths;
mod people;
mod projection;
mod provisioning_log;
mod public_url;
mod put_of_users;
mod quirks;
mod quirks_of_bodies;
mod quirks_of_requests;
mod races;
mod rates;
mod rehire;
mod rehire_by_change;
mod rehire_by_rule;
mod rfc7643;
mod rfc7644;
mod role_grants;
mod roles;
mod scopes;
mod shutdown;
mod skills;
mod skills_of_users;
mod sleeping_roles;
mod telemetry;
mod templates;
mod tenant_policy;
mod tls;
mod tokens;
mod transitions;
mod two_servers;
mod upgrades;
mod users;
