//! More work than can be done: refused at once, and done by and by.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::*;

on_each_database!(
    a_full_queue_is_answered_503_and_leaves_others_room,
    a_request_is_worked_at_for_so_long,
    more_connections_than_there_may_be_wait,
);

fn address(scim: &Client) -> &str {
    scim.base_url().trim_start_matches("http://").split('/').next().unwrap()
}

/// Sends a request and does not wait for the answer.
fn begin(scim: &Client, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(scim)).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    let (body, token) = (user(name).to_string(), scim.token());
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/scim+json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("the request is taken");
    stream
}

/// The whole answer.
fn end(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}

fn a_full_queue_is_answered_503_and_leaves_others_room(database: Database) {
    const MANY: usize = 700;
    let server = Server::watched(&TestDatabase::create(database));
    let scim = server.tenant("acme").client(Dialect::Standard);
    let other = server.tenant("other").client(Dialect::Standard);
    scim.get("/Users").expect(200);
    let hold = server.database().hold_writes();
    let streams: Vec<_> = (0..MANY).map(|number| begin(&scim, &format!("u{number}"))).collect();
    let quiet = begin(&other, "ada");
    let write = [("lane", "write")];
    soon("some are refused", || server.counted("headcount_store_refused_total", &write) > 0);
    // Half of the queue is one tenant's at most, and the service writes a little itself.
    let waiting = server.counted("headcount_store_waiting", &write);
    assert!((400..=530).contains(&waiting), "{waiting}");
    scim.get("/Users").expect(200);
    drop(hold);
    let answers: Vec<_> = streams.into_iter().map(end).collect();
    let done = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 201")).count();
    let refused: Vec<_> = answers.iter().filter(|one| one.starts_with("HTTP/1.1 503")).collect();
    assert_eq!(done + refused.len(), MANY);
    // On a slow machine a few wait for longer than a lock is waited for, and are refused too.
    assert!(done >= 400 && refused.len() >= 100, "{done} and {}", refused.len());
    for answer in refused {
        assert!(answer.contains("\r\nretry-after: 2\r\n"), "{answer}");
        assert!(answer.contains(ERROR) && answer.contains("\"status\":\"503\""), "{answer}");
    }
    let quiet = end(quiet);
    assert!(quiet.starts_with("HTTP/1.1 201"), "{quiet}");
    assert_eq!(scim.get("/Users?count=0").expect(200)["totalResults"], done);
}

fn a_request_is_worked_at_for_so_long(database: Database) {
    let server = Server::with(&TestDatabase::create(database), &["--request-timeout", "2s"]);
    let scim = server.tenant("acme").client(Dialect::Standard);
    scim.post("/Users", &user("grace")).expect(201);
    let hold = server.database().hold_writes();
    let start = Instant::now();
    let late = scim.post("/Users", &user("ada")).expect_error(503, None);
    assert!((1_900..9_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(late.header("retry-after"), Some("2"));
    scim.get("/Users").expect_user_names(&["grace"]);
    drop(hold);
    // What had begun may be finished all the same.
    soon("it is there, or can be made", || {
        let again = scim.post("/Users", &user("ada"));
        assert!(matches!(again.status, 201 | 409 | 503), "{}", again.story());
        again.status != 503
    });
    scim.get("/Users").expect_user_names(&["ada", "grace"]);
}

fn more_connections_than_there_may_be_wait(database: Database) {
    let server = Server::with(&TestDatabase::create(database), &["--max-connections", "1"]);
    let scim = server.tenant("acme").client(Dialect::Standard);
    // Each worker of the server takes one.
    let connect = |_| TcpStream::connect(address(&scim)).expect("the system takes it");
    let idle: Vec<_> = (0..64).map(connect).collect();
    thread::sleep(Duration::from_millis(300));
    let mut waiting = begin(&scim, "ada");
    waiting.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout can be set");
    assert!(waiting.read(&mut [0; 1]).is_err(), "it is not taken in");
    waiting.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    drop(idle);
    let answer = end(waiting);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}
