//! The server is killed (SIGKILL) in the middle of a load, again and again.

use std::thread;
use std::time::{Duration, Instant};

use super::load::Load;
use super::rounds;
use super::whole::assert_whole;
use crate::harness::*;

on_each_database!(a_server_killed_again_and_again_keeps_what_it_acknowledged);

fn a_server_killed_again_and_again_keeps_what_it_acknowledged(database: Database) {
    let (mut server, scim) = serve(database, Dialect::Standard);
    let mut load = Load::prepare(&server, &scim);
    let rounds = rounds(3);
    for round in 0..rounds {
        let url = server.base_url().to_owned();
        load.run_while(&[&url], || {
            // Where in a request it is hit is a matter of chance.
            thread::sleep(Duration::from_millis(150 + round * 137 % 400));
            server.kill();
        });
        let start = Instant::now();
        server = Server::on(&server.database().clone());
        let scim = server.client_with_token(scim.token());
        load.settle(&scim, PATIENCE);
        let back = start.elapsed();
        assert_whole(&load, &server, &scim);
        eprintln!(
            "{database:?}: kill {}, {:?}, back after {back:?}, lost 0",
            round + 1,
            load.tally()
        );
    }
    let tally = load.tally();
    assert!(tally.acknowledged > rounds, "{tally:?}");
    eprintln!("{database:?}: kills {rounds}, {tally:?}, lost 0");
}
