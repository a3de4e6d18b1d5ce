//! The store's contract: what the rules and the server rely on, on both databases.
//!
//! One module per subject. A test is named after what it protects, with the section of the RFC or
//! the rule (`r1`) where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod catalogue;
mod change_log;
mod checkpoints;
mod credentials;
mod cursors;
mod departures;
mod dependencies;
mod discovery;
mod erasure;
mod filter_equivalence;
mod filters;
mod given;
mod harness;
mod held;
mod import;
mod indexes;
mod keys;
mod ledger;
mod look_ups;
mod members;
mod nesting;
mod nouns;
mod one_change;
mod parts_of_names;
mod plan;
mod plans;
mod population;
mod provisioning_log;
mod roles;
mod sample;
mod scale;
mod schema;
mod seats;
mod sorting_equivalence;
mod tampering;
mod units_of_work;
mod units_that_collide;
