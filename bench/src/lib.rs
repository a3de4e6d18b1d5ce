//! The load program: what a SCIM server does under load, beside what the machine can do.
//!
//! `headcount-bench load` sends the requests of identity providers to any SCIM 2.0 base URL, one
//! workload after another, and says how many a second were answered, how long they took, what was
//! answered and how much memory the server has. A status that was not to be expected, or an answer
//! that is not about what was asked for, fails the run: a server that is fast because it refuses is
//! not fast.
//!
//! | Module | What |
//! |---|---|
//! | [`load`] | the command: its options, the preparation, one workload after another |
//! | [`client`] | one kept-alive connection to the server |
//! | [`workload`] | the workloads, a line each in one table, and what each of them sends |
//! | [`world`] | what is known of the server's data: a sample of people, groups by size |
//! | [`bodies`] | what identity providers send |
//! | [`measure`] | latencies, statuses, memory |
//! | [`report`] | the result as JSON and as a table |

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are measurements"
)]

pub mod bodies;
pub mod ceiling;
pub mod client;
pub mod load;
pub mod measure;
pub mod others;
pub mod prepare;
pub mod report;
pub mod run;
pub mod seed;
pub mod worker;
pub mod workload;
pub mod world;
