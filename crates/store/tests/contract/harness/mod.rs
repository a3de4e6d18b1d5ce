//! What every test of the contract stands on: a database of its own, and the rules over a store.
//!
//! Nothing that is written is shared, so all tests run side by side.

mod copies;
mod database;
mod raw;
mod statements;
mod world;

pub(crate) use database::{Kind, TestDatabase};
pub(crate) use raw::Raw;
pub(crate) use statements::Listener;
pub(crate) use world::{
    CALLER, Unit, World, context, edits, group, new_group, new_user, strict_body, user,
};

/// Makes `sqlite::name` and `postgres::name` out of every `fn name(database: &TestDatabase)`.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            use crate::harness::{Kind, TestDatabase};
            $(#[test] fn $test() { super::$test(&TestDatabase::create(Kind::Sqlite)); })+
        }
        mod postgres {
            use crate::harness::{Kind, TestDatabase};
            $(#[test] fn $test() { super::$test(&TestDatabase::create(Kind::Postgres)); })+
        }
    };
}
pub(crate) use on_each_database;
