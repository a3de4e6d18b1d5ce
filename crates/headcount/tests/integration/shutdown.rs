//! What was acknowledged is kept when the server is asked to end; what happens when it is killed is in
//! `durability`.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::*;

on_each_database!(
    termination_loses_no_acknowledged_write,
    an_idle_server_ends_at_once,
    an_interrupt_loses_no_request_in_flight,
    a_server_that_drains_answers_what_comes_all_the_same,
    a_second_signal_ends_the_wait,
    an_interrupt_waits_for_nothing,
);

/// Creates users until the server no longer answers; the names that were acknowledged.
fn create_until_the_end(scim: &Client, worker: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let name = format!("user-{worker}-{number}");
        let body = user(&name).to_string();
        match scim.try_send("POST", "/Users", Some(("application/scim+json", &body))) {
            Ok(answer) if answer.status == 201 => acknowledged.push(name),
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{}", answer.story());
                break;
            }
            Err(_) => break,
        }
    }
    acknowledged
}

/// Four workers write; after a while the server is ended; all they were promised is returned.
fn write_while(server: &mut Server, scim: &Client, end: impl FnOnce(&mut Server)) -> Vec<String> {
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..4).map(|worker| scope.spawn(move || create_until_the_end(scim, worker))).collect();
        thread::sleep(Duration::from_millis(700));
        end(server);
        workers.into_iter().flat_map(|worker| worker.join().expect("it ends")).collect()
    })
}

#[track_caller]
fn assert_all_there(server: &Server, token: &str, acknowledged: &[String]) {
    let database = server.database().clone();
    let again = Server::on(&database);
    let scim = again.client_with_token(token);
    assert!(!acknowledged.is_empty(), "nothing was written");
    for name in acknowledged {
        scim.filter("/Users", &format!("userName eq \"{name}\"")).expect_user_names(&[name]);
    }
    let total = scim.get("/Users?count=0").expect(200);
    let total = total["totalResults"].as_u64().expect("a number");
    assert!(total >= acknowledged.len() as u64, "{total}");
    scim.post("/Users", &user("after")).expect(201);
}

fn termination_loses_no_acknowledged_write(database: Database) {
    let (mut server, scim) = serve(database, Dialect::Standard);
    let acknowledged = write_while(&mut server, &scim, |server| {
        let status = server.terminate();
        assert_eq!(status.code(), Some(0), "{status}");
    });
    assert_all_there(&server, scim.token(), &acknowledged);
}

fn an_interrupt_loses_no_request_in_flight(database: Database) {
    let (mut server, scim) = serve(database, Dialect::Standard);
    let acknowledged = write_while(&mut server, &scim, |server| {
        let status = server.interrupt();
        assert_eq!(status.code(), Some(0), "{status}");
    });
    assert_all_there(&server, scim.token(), &acknowledged);
    let kept = Server::on(&server.database().clone());
    let total = kept.client_with_token(scim.token()).get("/Users?count=0").expect(200);
    // One more than acknowledged: the user that the check above made.
    assert_eq!(total["totalResults"], acknowledged.len() + 1, "written, but not acknowledged");
}

fn an_idle_server_ends_at_once(database: Database) {
    let (mut server, scim) = serve(database, Dialect::Standard);
    scim.get("/Users").expect_empty_list();
    let start = Instant::now();
    let status = server.terminate();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// A server that drains for so long, and a client of one tenant.
fn serve_draining(database: Database, delay: &str) -> (Server, Client) {
    let server = Server::watched_with(&TestDatabase::create(database), &["--drain-delay", delay]);
    let client = server.tenant("acme").client(Dialect::Standard);
    (server, client)
}

/// Waits until `/readyz` says a word among its reasons.
#[track_caller]
fn wait_until(watch: &Client, word: &str) {
    let start = Instant::now();
    loop {
        let page = watch.get("/readyz");
        if page.status == 503 && page.text.contains(word) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{word}: {}", page.story());
        thread::sleep(Duration::from_millis(20));
    }
}

fn a_server_that_drains_answers_what_comes_all_the_same(database: Database) {
    let (mut server, scim) = serve_draining(database, "8s");
    let watch = Client::new(&server.telemetry_url(), None);
    watch.get("/readyz").expect(200);
    let kept = scim.get("/Users").expect_empty_list();
    assert_ne!(kept.header("connection"), Some("close"), "{}", kept.story());
    let start = Instant::now();
    server.signal_termination();
    wait_until(&watch, "draining");
    // Somebody new, and somebody whose connection was kept.
    for client in [server.client_with_token(scim.token()), scim.clone()] {
        let answer = client.get("/Users").expect(200);
        assert_eq!(answer.header("connection"), Some("close"), "{}", answer.story());
    }
    scim.post("/Users", &user("ada")).expect(201);
    assert_eq!(server.counted("headcount_serving", &[]), 1, "requests are taken in");
    assert!(start.elapsed() < Duration::from_secs(8), "too slow to tell: {:?}", start.elapsed());
    // What is begun before the end is finished after it. A lock is not waited for very long.
    thread::sleep(Duration::from_secs(7).saturating_sub(start.elapsed()));
    let hold = server.database().hold_writes();
    thread::scope(|scope| {
        let blocked = scope.spawn(|| scim.post("/Users", &user("grace")));
        wait_until(&watch, "stopping");
        assert!(start.elapsed() >= Duration::from_secs(8), "{:?}", start.elapsed());
        assert_eq!(server.counted("headcount_serving", &[]), 0);
        drop(hold);
        blocked.join().expect("it ends").expect(201);
    });
    assert_eq!(server.ended().code(), Some(0));
    let again = Server::on(&server.database().clone());
    again.client_with_token(scim.token()).get("/Users").expect_user_names(&["ada", "grace"]);
}

fn a_second_signal_ends_the_wait(database: Database) {
    let (mut server, scim) = serve_draining(database, "5m");
    let watch = Client::new(&server.telemetry_url(), None);
    server.signal_termination();
    wait_until(&watch, "draining");
    scim.get("/Users").expect_empty_list();
    assert_eq!(server.terminate().code(), Some(0));
}

fn an_interrupt_waits_for_nothing(database: Database) {
    let (mut server, _scim) = serve_draining(database, "5m");
    assert_eq!(server.interrupt().code(), Some(0));
}
