//! There is no room for more in the middle of a load, and then there is again.
//!
//! The room is taken by a limit for the sizes of the server's files, which needs no rights. That
//! a disk without room is another error to SQLite is a test of the store.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::load::Load;
use super::rounds;
use super::whole::assert_whole;
use crate::harness::*;

/// A while in which requests are under way.
const WHILE: Duration = Duration::from_millis(400);

/// Beyond this place in a file there is no room.
const ROOM: u64 = 64 * 1024;

#[test]
fn without_room_nothing_is_written_and_all_is_read_until_there_is_room_again() {
    let server = Server::with_limited_files(&TestDatabase::create(Database::Sqlite));
    let scim = server.tenant("acme").client(Dialect::Standard);
    let mut load = Load::prepare(&server, &scim);
    for round in 0..rounds(2) {
        load.run_while(&[server.base_url()], || {
            sleep(WHILE);
            server.limit_files(Some(ROOM));
            wait_until_refused(&scim, round);
            sleep(WHILE);
            scim.get("/Users?count=5").expect(200);
            scim.filter("/Groups", "displayName sw \"team\"").expect(200);
            server.limit_files(None);
            sleep(WHILE);
        });
        let start = Instant::now();
        load.settle(&scim, PATIENCE);
        assert_whole(&load, &server, &scim);
        let (tally, back) = (load.tally(), start.elapsed());
        assert!(tally.turned_away > 0, "{tally:?}");
        eprintln!("full {}, {tally:?}, all there after {back:?}, lost 0", round + 1);
    }
}

/// Writes until that is refused.
fn wait_until_refused(scim: &Client, round: u64) {
    let start = Instant::now();
    for number in 0.. {
        let answer = scim.post("/Groups", &group(&format!("probe {round} {number}"), &[]));
        if answer.status == 503 {
            return;
        }
        answer.expect(201);
        assert!(start.elapsed() < PATIENCE, "there is still room");
    }
}
