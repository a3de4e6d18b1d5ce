//! Conformance: what identity providers really send, and the public test suites.
//!
//! The replays follow the requests that Okta and Microsoft Entra ID send, in their order and with
//! their peculiarities. See the README beside this file.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod entra;
mod entra_groups;
mod entra_users;
#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../crates/headcount/tests/integration/harness/mod.rs"]
mod harness;
mod okta;
mod pages;
mod scim2_tester;
mod scim_sanity;
mod simulated;
