//! `PostgreSQL` goes away in the middle of a load and comes back, or its standby takes over. The
//! servers are not started anew.

use std::sync::mpsc::channel;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use postgres_cluster::{Cluster, Stop, find_on_machine};

use super::load::Load;
use super::rounds;
use super::whole::assert_whole;
use crate::harness::*;

/// A while in which requests are under way.
const WHILE: Duration = Duration::from_millis(400);

fn own_cluster() -> Cluster {
    let programs = find_on_machine().expect("PostgreSQL is installed");
    Cluster::start_plain(&programs).expect("a cluster can be made")
}

/// A primary that answers a commit when its standby has it too.
fn synchronous_pair() -> (Cluster, Cluster) {
    let primary = own_cluster();
    let standby = primary.standby().expect("a standby can be made");
    primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'").expect("a setting");
    primary.query("SELECT pg_reload_conf()").expect("it is read");
    (primary, standby)
}

/// A server on a cluster of its own, a client of one tenant in it, and a load that is ready.
fn serve_at(url: String) -> (Server, Client, Load) {
    let server = Server::on(&TestDatabase::of_own_cluster(url));
    let scim = server.tenant("acme").client(Dialect::Standard);
    let load = Load::prepare(&server, &scim);
    (server, scim, load)
}

#[test]
fn a_database_that_stops_under_load_is_waited_for() {
    let cluster = own_cluster();
    let (server, scim, mut load) = serve_at(cluster.url());
    let rounds = rounds(2);
    for round in 0..rounds {
        let stop = if round % 2 == 0 { Stop::Crash } else { Stop::Fast };
        load.run_while(&[server.base_url()], || {
            sleep(WHILE);
            cluster.stop(stop).expect("it runs");
            sleep(WHILE);
            let answer = scim.get("/Users?count=1").expect_error(503, None);
            assert_eq!(answer.header("retry-after"), Some("2"));
            cluster.launch().expect("it can be started again");
            sleep(WHILE);
        });
        let start = Instant::now();
        load.settle(&scim, PATIENCE);
        assert_whole(&load, &server, &scim);
        let (tally, back) = (load.tally(), start.elapsed());
        eprintln!("{stop:?}: round {}, {tally:?}, all there after {back:?}, lost 0", round + 1);
    }
    let tally = load.tally();
    assert!(tally.turned_away > 0 && tally.acknowledged > rounds, "{tally:?}");
}

#[test]
fn a_standby_that_takes_over_has_what_was_acknowledged() {
    for round in 0..rounds(1) {
        let (primary, standby) = synchronous_pair();
        let (server, scim, mut load) = serve_at(primary.url_of_primary(&standby));
        let other = Server::on(server.database());
        let gone = load.run_while(&[server.base_url(), other.base_url()], || {
            sleep(WHILE * 2);
            primary.stop(Stop::Crash).expect("it runs");
            let gone = Instant::now();
            standby.promote().expect("the standby takes over");
            sleep(WHILE);
            gone
        });
        load.settle(&scim, PATIENCE);
        let back = gone.elapsed();
        assert_whole(&load, &server, &scim);
        let tally = load.tally();
        assert!(tally.acknowledged > 0 && tally.turned_away > 0, "{tally:?}");
        eprintln!("failover {}, {tally:?}, all there after {back:?}, lost 0", round + 1);
    }
}

/// The client is not told of what only one machine has.
#[test]
fn a_commit_that_the_standby_does_not_have_is_not_acknowledged() {
    let (primary, standby) = synchronous_pair();
    let (_server, scim, _) = serve_at(primary.url_of_primary(&standby));
    standby.stop(Stop::Fast).expect("it runs");
    let (answered, answer) = channel();
    let waiting = scim.clone();
    let client = thread::spawn(move || {
        let status = waiting.post("/Users", &user("ada")).status;
        answered.send(status).expect("the test waits");
    });
    let early = answer.recv_timeout(WHILE * 5);
    assert!(early.is_err(), "answered without the standby: {early:?}");
    scim.get("/Users?count=1").expect(200);
    standby.launch().expect("it can be started again");
    assert_eq!(answer.recv_timeout(PATIENCE).expect("an answer"), 201);
    client.join().expect("it ends");
}
