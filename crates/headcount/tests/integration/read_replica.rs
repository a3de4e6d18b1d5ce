//! Reads by a replica of `PostgreSQL`: what was acknowledged before is seen, through whatever server, and
//! a replica that is not fit is neither waited for nor missed.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use postgres_cluster::{Cluster, Stop, find_on_machine};
use serde_json::json;

use crate::harness::*;

/// What an answer may take while the replica does not answer: a tenth of a second, and the machine may
/// be busy. What waits for it waits for 30 seconds and longer.
const BOUND: Duration = Duration::from_secs(8);

fn own_cluster() -> Cluster {
    let programs = find_on_machine().expect("PostgreSQL is installed");
    Cluster::start_plain(&programs).expect("a cluster can be made")
}

fn with_replica() -> (Cluster, Cluster) {
    let primary = own_cluster();
    let replica = primary.standby().expect("a standby can be made");
    (primary, replica)
}

/// A server that reads from a replica.
fn server_of(database: &std::sync::Arc<TestDatabase>, replica: &str) -> Server {
    let more = ["--read-database", replica, "--telemetry-listen", "127.0.0.1:0"];
    Server::with(database, &more)
}

/// The same over two clusters, once it uses the replica, with a client of a tenant.
fn serve_by(primary: &Cluster, replica: &Cluster) -> (Server, Client) {
    let server = server_of(&TestDatabase::of_own_cluster(primary.url()), &replica.url());
    soon("the replica is used", || is_used(&server));
    let scim = server.tenant("acme").client(Dialect::Standard);
    (server, scim)
}

fn is_used(server: &Server) -> bool {
    server.counted("headcount_replica_used", &[]) == 1
}

fn by_replica(server: &Server) -> u64 {
    server.counted("headcount_reads_total", &[("database", "replica")])
}

fn by_primary(server: &Server) -> u64 {
    server.counted("headcount_reads_total", &[("database", "primary")])
}

/// Writes through one server and reads through another, round by round.
fn write_and_read(writer: &Client, reader: &Client, name: &str, rounds: usize) {
    for round in 0..rounds {
        let name = format!("{name}-{round}");
        let created = writer.post("/Users", &user(&name)).expect(201);
        let path = format!("/Users/{}", created.id());
        reader.get(&path).expect(200);
        let title = json!([{"op": "replace", "path": "title", "value": name}]);
        let patched = writer.patch(&path, &title).expect(200);
        let found = reader.filter("/Users", &format!("userName eq \"{name}\"")).expect(200);
        assert_eq!(found["totalResults"], 1);
        assert_eq!(found["Resources"][0]["title"], name.as_str());
        assert_eq!(reader.get(&path).expect(200).version(), patched.version());
        // No more, or the guard against mass deprovisioning holds the connection.
        if round % 10 == 0 {
            writer.delete(&path).expect(204);
            reader.get(&path).expect_error(404, None);
        }
    }
}

/// The replica applies what it gets a little later, so that one that is not waited for is found out.
#[test]
fn what_was_acknowledged_is_seen_at_once_through_another_server() {
    let (primary, replica) = with_replica();
    let (one, scim) = serve_by(&primary, &replica);
    let two = server_of(one.database(), &replica.url());
    soon("the replica is used", || is_used(&two));
    let other = two.client_with_token(scim.token());
    replica.query("ALTER SYSTEM SET recovery_min_apply_delay = '10ms'").expect("a setting");
    replica.query("SELECT pg_reload_conf()").expect("it is read");

    let before = (by_replica(&one) + by_replica(&two), by_primary(&one) + by_primary(&two));
    let ways = [(&scim, &other), (&other, &scim), (&scim, &other), (&other, &scim)];
    thread::scope(|scope| {
        for (number, (writer, reader)) in ways.into_iter().enumerate() {
            scope.spawn(move || write_and_read(writer, reader, &format!("user{number}"), 25));
        }
    });
    let replica = by_replica(&one) + by_replica(&two) - before.0;
    let primary = by_primary(&one) + by_primary(&two) - before.1;
    eprintln!("{replica} of {} reads by the replica", replica + primary);
    assert_eq!(replica + primary, 4 * (3 * 25 + 3));
    assert!(replica > primary, "by the replica {replica}, by the primary {primary}");
}

/// What is flushed says nothing then of what was acknowledged.
#[test]
fn what_was_acknowledged_before_it_was_flushed_is_seen_too() {
    let (primary, replica) = with_replica();
    primary.query("ALTER SYSTEM SET synchronous_commit = off").expect("a setting");
    primary.query("SELECT pg_reload_conf()").expect("it is read");
    let (one, scim) = serve_by(&primary, &replica);
    let two = server_of(one.database(), &replica.url());
    let other = two.client_with_token(scim.token());
    for round in 0..4 {
        // It is not used for a moment after it was waited for in vain.
        soon("the replica is used", || is_used(&one) && is_used(&two));
        write_and_read(&scim, &other, &format!("user{round}"), 5);
    }
}

#[test]
fn a_replica_that_stands_still_is_not_waited_for() {
    let (primary, replica) = with_replica();
    let (server, scim) = serve_by(&primary, &replica);
    scim.get("/Users?count=1").expect(200);
    replica.query("SELECT pg_wal_replay_pause()").expect("it is a standby");
    let lagging = || replica.query("SELECT pg_get_wal_replay_pause_state()").expect("an answer");
    soon("replay is paused", || lagging() == "paused");

    let before = by_replica(&server);
    for round in 0..30 {
        let created = scim.post("/Users", &user(&format!("user{round}"))).expect(201);
        let start = Instant::now();
        scim.get(&format!("/Users/{}", created.id())).expect(200);
        assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
        server.watch("/readyz").expect(200);
    }
    assert_eq!(by_replica(&server), before, "an old replica has answered");
    let behind = [("database", "primary"), ("why", "behind")];
    assert!(server.counted("headcount_reads_total", &behind) > 0);
    soon("the lag is seen", || server.counted("headcount_replica_lag_bytes", &[]) > 1_000);
    soon("it is not used", || !is_used(&server));
    let log = server.stderr();
    assert_eq!(log.matches("the read replica is not used").count(), 1, "{log}");

    replica.query("SELECT pg_wal_replay_resume()").expect("it is paused");
    soon("the replica is used again", || is_used(&server));
    scim.get("/Users?count=1").expect(200);
    assert!(by_replica(&server) > before);
}

#[test]
fn a_replica_that_stops_under_load_is_not_missed() {
    let (primary, replica) = with_replica();
    let (server, scim) = serve_by(&primary, &replica);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let (path, is_over) = (format!("/Users/{}", ada.id()), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    scim.get(&path).expect(200);
                    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
                }
            });
        }
        for stop in [Stop::Crash, Stop::Fast] {
            replica.stop(stop).expect("it runs");
            soon("it is not used", || !is_used(&server));
            sleep(Duration::from_millis(300));
            server.watch("/readyz").expect(200);
            let before = by_replica(&server);
            replica.launch().expect("it can be started again");
            soon("it answers again", || by_replica(&server) > before + 10);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let away = [("database", "primary"), ("why", "away")];
    assert!(server.counted("headcount_reads_total", &away) > 0);
}

/// Connections stay open, and nothing comes: as when a machine stands still.
#[test]
fn a_replica_that_hangs_keeps_nobody_waiting() {
    let (primary, replica) = with_replica();
    let (server, scim) = serve_by(&primary, &replica);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", ada.id());
    let read = || {
        let start = Instant::now();
        scim.get(&path).expect(200);
        assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| read()));
        }
    });
    let own = "SELECT pid FROM pg_stat_activity WHERE application_name = 'headcount'";
    let backends = replica.query(own).expect("an answer");
    let signal = |name: &str| {
        let mut kill = Command::new("kill");
        run(kill.arg(name).args(backends.lines()), BOUND).succeeded();
    };
    signal("-STOP");
    let title = json!([{"op": "replace", "path": "title", "value": "Head"}]);
    scim.patch(&path, &title).expect(200);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| (0..10).for_each(|_| read()));
        }
    });
    let answer = scim.get(&path).expect(200);
    assert_eq!(answer["title"], "Head");
    let before = by_replica(&server);
    signal("-CONT");
    soon("it answers again", || {
        read();
        by_replica(&server) > before + 10
    });
}

/// After a failover a replica may have replayed what the new primary never had: positions in two histories
/// cannot be compared.
#[test]
fn a_replica_of_another_history_is_not_read() {
    let (primary, replica) = with_replica();
    let standby = primary.standby().expect("a standby can be made");
    let database = TestDatabase::of_own_cluster(primary.url_of_primary(&standby));
    let server = server_of(&database, &replica.url());
    soon("the replica is used", || is_used(&server));
    let scim = server.tenant("acme").client(Dialect::Standard);
    let caught_up = |of: &Cluster| {
        let position = primary.query("SELECT pg_current_wal_flush_lsn()").expect("an answer");
        let has = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
        soon("it is replayed", || of.query(&has).expect("an answer") == "t");
    };
    caught_up(&standby);
    // This only the replica has.
    standby.stop(Stop::Fast).expect("it runs");
    for round in 0..50 {
        scim.post("/Users", &user(&format!("lost{round}"))).expect(201);
    }
    caught_up(&replica);
    primary.stop(Stop::Crash).expect("it runs");
    standby.launch().expect("it can be started again");
    standby.promote().expect("the standby takes over");

    soon("it serves again", || scim.get("/Users?count=1").status == 200);
    let before = by_replica(&server);
    for round in 0..10 {
        let created = scim.post("/Users", &user(&format!("user{round}"))).expect(201);
        scim.get(&format!("/Users/{}", created.id())).expect(200);
        sleep(Duration::from_millis(250));
    }
    assert_eq!(scim.get("/Users?count=1").expect(200)["totalResults"], 10);
    assert_eq!(by_replica(&server), before, "a replica of another history has answered");
    soon("it is said why", || server.stderr().contains("it is on timeline 1"));
}

/// What a role may see tells how soon: the timeline that is streamed, or the one of the last checkpoint.
#[test]
fn a_replica_that_follows_the_new_primary_is_used_again() {
    let (primary, replica) = with_replica();
    primary.query("CREATE ROLE reader LOGIN").expect("a role");
    let grant = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader";
    primary.query(grant).expect("rights");
    let standby = primary.standby().expect("a standby can be made");
    let database = TestDatabase::of_own_cluster(primary.url_of_primary(&standby));
    let one = server_of(&database, &replica.url());
    let reader = server_of(&database, &replica.url().replace("postgres@", "reader@"));
    let scim = one.tenant("acme").client(Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", ada.id());
    let reads = |server: &Server| {
        let scim = server.client_with_token(scim.token());
        let before = by_replica(server);
        scim.get(&path).status == 200
            && scim.filter("/Users", "userName sw \"a\"").status == 200
            && by_replica(server) == before + 2
    };
    soon("the replica answers", || reads(&one) && reads(&reader));

    primary.stop(Stop::Fast).expect("it runs");
    standby.promote().expect("the standby takes over");
    let follow = format!("ALTER SYSTEM SET primary_conninfo = '{}'", standby.url());
    replica.query(&follow).expect("a setting");
    replica.query("SELECT pg_reload_conf()").expect("it is read");
    soon("the replica answers again", || reads(&one));
    soon("the replica answers whoever sees less", || {
        standby.query("CHECKPOINT").expect("it is the primary");
        replica.query("CHECKPOINT").expect("it can");
        reads(&reader)
    });
}

#[test]
fn only_a_standby_of_the_same_database_is_read() {
    let (primary, promoted) = with_replica();
    let other = own_cluster();
    promoted.promote().expect("it takes over");
    let urls = [
        (primary.url(), "it accepts writes"),
        (promoted.url(), "it accepts writes"),
        (other.url(), "of another system"),
        ("postgres://postgres@127.0.0.1:1/postgres".to_owned(), "it cannot be asked"),
    ];
    for (number, (url, why)) in urls.into_iter().enumerate() {
        let server = server_of(&TestDatabase::of_own_cluster(primary.url()), &url);
        let scim = server.tenant(&format!("tenant{number}")).client(Dialect::Standard);
        soon(why, || server.stderr().contains(why));
        let ada = scim.post("/Users", &user("ada")).expect(201);
        scim.get(&format!("/Users/{}", ada.id())).expect(200);
        assert_eq!((by_replica(&server), is_used(&server)), (0, false), "{why}");
    }
}

#[test]
fn what_the_replica_cannot_run_the_primary_does() {
    let (primary, replica) = with_replica();
    primary.query("CREATE ROLE stranger LOGIN").expect("a role");
    let database = TestDatabase::of_own_cluster(primary.url());
    let server = server_of(&database, &replica.url().replace("postgres@", "stranger@"));
    soon("the replica is used", || is_used(&server));
    let scim = server.tenant("acme").client(Dialect::Standard);
    for round in 0..5 {
        let created = scim.post("/Users", &user(&format!("user{round}"))).expect(201);
        scim.get(&format!("/Users/{}", created.id())).expect(200);
    }
    let failed = [("database", "primary"), ("why", "failed")];
    assert!(server.counted("headcount_reads_total", &failed) > 0);
    assert_eq!(by_replica(&server), 0);
    let log = server.stderr();
    assert_eq!(log.matches("the read replica could not answer").count(), 1, "{log}");
    assert!(log.contains("permission denied"), "{log}");
}

#[test]
fn sqlite_has_no_read_replica() {
    let postgres = "postgres://headcount@db/headcount";
    for (database, replica) in [("sqlite:a.db", postgres), (postgres, "sqlite:a.db")] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", database];
        let refused = headcount(&[&serve[..], &["--read-database", replica]].concat()).failed();
        let says = "a read replica is a standby of PostgreSQL";
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
    let refused = headcount(&["serve", "--read-database", "db2"]).failed();
    assert!(refused.stderr.contains("--read-database"), "{}", refused.stderr);
}
