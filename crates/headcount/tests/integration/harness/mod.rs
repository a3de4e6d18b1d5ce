//! What every black-box test stands on: a database of its own, the real binary, and a client.
//!
//! ```ignore
//! fn a_user_can_be_created(database: Database) {
//!     let (_server, scim) = serve(database, Dialect::Standard);
//!     scim.post("/Users", &user("ada@example.com")).expect(201);
//! }
//! on_each_database!(a_user_can_be_created);
//! ```
//!
//! A test asks for what it needs and nothing is shared, so all of them run side by side.

mod administrator;
mod answer;
mod client;
mod command;
mod database;
mod furnish;
mod mailbox;
mod rules;
mod server;
mod values;

#[allow(unused_imports, reason = "the conformance tests are clients that provision people")]
pub(crate) use administrator::{Administrator, serve_admin, verbs_of};
pub(crate) use answer::Answer;
pub(crate) use client::Client;
#[allow(unused_imports, reason = "the conformance tests send no forms")]
pub(crate) use client::encode;
pub(crate) use command::run;
#[allow(unused_imports, reason = "the conformance tests wait for nothing")]
pub(crate) use command::{PATIENCE, soon};
pub(crate) use database::{Database, TestDatabase};
#[allow(unused_imports, reason = "only the tests of durability look below the service")]
pub(crate) use database::{alter, program};
#[allow(unused_imports, reason = "the conformance tests have no administrator")]
pub(crate) use furnish::create_user;
#[allow(unused_imports, reason = "the conformance tests get no mail")]
pub(crate) use mailbox::{Mailbox, door, door_with, serve_mail};
#[allow(unused_imports, reason = "the conformance tests know no rules")]
pub(crate) use rules::{activate, by_rule, serve_nouns};
pub(crate) use server::{Dialect, Server, serve};
#[allow(unused_imports, reason = "only the tests of the command line call it")]
pub(crate) use server::{headcount, headcount_in};
pub(crate) use values::*;

/// Makes `sqlite::name` and `postgres::name` out of every `fn name(database: Database)`.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(crate::harness::Database::Sqlite); })+
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(crate::harness::Database::Postgres); })+
        }
    };
}
pub(crate) use on_each_database;
