//! The guides for whoever connects an identity provider say what is so: every mapping is pushed as
//! that provider pushes it, and found; every command is run, and prints what the guide shows.

mod any_client;
mod entra;
mod okta;
mod page;
mod place;
mod refusals;
mod script;
mod world;

use crate::harness::*;
use page::Page;
use world::World;

on_each_database!(
    every_mapping_of_the_okta_guide_is_served,
    every_mapping_of_the_entra_guide_is_served,
    every_mapping_of_the_guide_for_any_client_is_served,
    the_template_for_onelogin_makes_an_account,
    every_command_of_the_okta_guide_runs,
    every_command_of_the_entra_guide_runs,
    every_command_of_the_guide_for_any_client_runs,
    every_refusal_of_the_table_is_answered_so,
);

fn okta_guide() -> Page {
    Page::new(include_str!("../../../../../docs/connect-okta.md"))
}

fn entra_guide() -> Page {
    Page::new(include_str!("../../../../../docs/connect-entra.md"))
}

fn guide_for_any_client() -> Page {
    Page::new(include_str!("../../../../../docs/connect-any-client.md"))
}

fn every_mapping_of_the_okta_guide_is_served(database: Database) {
    okta::push(&World::new(database, Dialect::Okta), &okta_guide());
}

fn every_mapping_of_the_entra_guide_is_served(database: Database) {
    entra::push(&World::new(database, Dialect::Entra), &entra_guide());
}

fn every_mapping_of_the_guide_for_any_client_is_served(database: Database) {
    any_client::push(&World::new(database, Dialect::Standard), &guide_for_any_client());
}

fn the_template_for_onelogin_makes_an_account(database: Database) {
    let world = World::new(database, Dialect::Standard);
    any_client::push_template(&world, &guide_for_any_client());
}

fn every_command_of_the_okta_guide_runs(database: Database) {
    script::follow(database, &okta_guide());
}

fn every_command_of_the_entra_guide_runs(database: Database) {
    script::follow(database, &entra_guide());
}

fn every_command_of_the_guide_for_any_client_runs(database: Database) {
    script::follow(database, &guide_for_any_client());
}

fn every_refusal_of_the_table_is_answered_so(database: Database) {
    refusals::provoke_all(database);
}
