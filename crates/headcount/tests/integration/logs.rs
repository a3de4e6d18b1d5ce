//! What the server logs, and the spans that it sends: nothing of them names anybody.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    nothing_that_is_logged_names_anybody,
    personal_data_is_logged_where_it_is_wanted,
    log_lines_are_json_where_that_is_wanted,
    a_trace_of_the_client_goes_on_and_is_sent,
);

/// What names people in the requests of these tests.
const PERSONAL: [&str; 4] = ["zerbinetta", "Zerbinetta", "ariadne", "naxos.example"];

/// Everything that a client may send somebody's name in, and every way to be refused.
fn push_people(server: &Server, scim: &Client) {
    let mail = "zerbinetta@naxos.example";
    let named = scim
        .with_header("User-Agent", mail)
        .with_header("X-Forwarded-For", mail)
        .with_header("If-None-Match", "\"zerbinetta\"")
        .with_header("Accept", "text/zerbinetta");
    let id = named.post("/Users", &person("Zerbinetta", "Naxos", mail)).expect(201).id();
    let path = format!("/Users/{id}");
    named.post("/Users", &person("Zerbinetta", "Naxos", mail)).expect(409);
    named
        .patch(&path, &json!([{"op": "Replace", "path": "title", "value": "ariadne"}]))
        .expect(200);
    named.patch(&path, &replace("zerbinetta", "ariadne"));
    named.filter("/Users", &format!("userName eq \"{mail}\"")).expect(200);
    named.filter("/Users", &format!("userName zerbinetta \"{mail}\"")).expect(400);
    named.get(&format!("/Users/{mail}")).expect(404);
    named.get(&format!("/{mail}")).expect(404);
    named.get(&format!("/Users?startIndex=zerbinetta&attributes={mail}"));
    named
        .send("POST", "/Users", Some(("application/json", "{\"zerbinetta\": ariadne")))
        .expect(400);
    named.send("POST", "/Users", Some((&format!("text/{}", "zerbinetta"), "{}"))).expect(415);
    named.with_header("Host", mail).get("/Users");
    server.client_with_token("zerbinetta").get("/Users").expect(401);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": mail, "data": user(mail)},
            {"method": "DELETE", "path": format!("/Users/{mail}")},
        ],
    });
    named.post("/Bulk", &bulk).expect(200);
    raw(scim, &format!("GET /scim/v2/Users/{mail} HTTP/9.9\r\n{mail}\r\n\r\n"));
    raw(scim, &format!("{mail} /scim/v2/Users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    raw(scim, "Zerbinetta /scim/v2/Users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    fail_for(server, "Zerbinetta");
    named.post("/Users", &user("other")).expect_error(500, None);
    named.delete(&path).expect(204);
}

/// Sends bytes as they are.
fn raw(scim: &Client, request: &str) {
    let address = scim.base_url().trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout can be set");
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.read(&mut [0; 4096]);
}

/// From now on the database refuses new users with an error that names somebody.
fn fail_for(server: &Server, name: &str) {
    let on_sqlite = format!(
        "CREATE TRIGGER failing BEFORE INSERT ON users BEGIN \
         SELECT RAISE(ABORT, 'no value \"{name}\"'); END"
    );
    let on_postgres = format!(
        "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'no value \"%\"', '{name}'; END $$; \
         CREATE TRIGGER failing BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION failing()"
    );
    let is_sqlite = server.database().url().starts_with("sqlite");
    server.database().execute(if is_sqlite { &on_sqlite } else { &on_postgres });
}

fn nothing_that_is_logged_names_anybody(database: Database) {
    let arguments = ["--log", "trace", "--telemetry-listen", "127.0.0.1:0"];
    let mut server = Server::with(&TestDatabase::create(database), &arguments);
    let scim = server.tenant("acme").client(Dialect::Entra);
    push_people(&server, &scim);
    // The provisioning log and the timers have their say too.
    thread::sleep(Duration::from_millis(1_500));
    let metrics = server.watch("/metrics").expect(200).text;
    server.terminate();
    let log = server.stderr();
    for expected in [
        "answered",
        "route=/scim/v2/Users/{id}",
        "status=500",
        "the store failed",
        "no value …",
        "read leniently",
        "stopped",
    ] {
        assert!(log.contains(expected), "{expected} is not in {log}");
    }
    let secret = scim.token().rsplit('_').next().unwrap().to_owned();
    for text in [&log, &server.stdout(), &metrics] {
        for personal in PERSONAL.iter().copied().chain([secret.as_str()]) {
            let line = text.lines().find(|line| line.contains(personal));
            assert_eq!(line, None, "{personal} is logged");
        }
    }
}

fn personal_data_is_logged_where_it_is_wanted(database: Database) {
    let mut server = Server::with(&TestDatabase::create(database), &["--log-personal-data"]);
    let scim = server.tenant("acme").client(Dialect::Entra);
    push_people(&server, &scim);
    server.terminate();
    let log = server.stderr();
    for personal in
        ["/scim/v2/Users/zerbinetta@naxos.example", "filter=userName", "no value \\\"Zerb"]
    {
        assert!(log.contains(personal), "{personal} is not in {log}");
    }
    let secret = scim.token().rsplit('_').next().unwrap().to_owned();
    assert!(!log.contains(&secret));
}

fn log_lines_are_json_where_that_is_wanted(database: Database) {
    let mut server = Server::with(&TestDatabase::create(database), &["--log-format", "json"]);
    let scim = server.tenant("acme").client(Dialect::Standard);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    let answer = scim.get(&format!("/Users/{id}")).expect(200);
    server.terminate();
    let log = server.stderr();
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    // Whoever starts it by hand is told in plain words that there is no tenant.
    assert_eq!(lines.len() + 1, log.lines().count(), "{log}");
    let request = answer.header("x-request-id").unwrap();
    let line = lines.iter().find(|line| line["span"]["id"] == request).expect("it is logged");
    let told = ["message", "route", "resource"].map(|name| line[name].clone());
    assert_eq!(told, [json!("answered"), json!("/scim/v2/Users/{id}"), json!(id)], "{line}");
    assert_eq!((&line["status"], &line["span"]["method"]), (&json!(200), &json!("GET")));
    let refused = headcount(&["serve", "--log-format", "xml", "--database", "sqlite:x"]);
    assert!(refused.failed().stderr.contains("log_format"));
}

/// Takes spans, and gives what was sent.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, spans) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sent = take(stream);
            let _ = sender.send(sent);
        }
    });
    (url, spans)
}

/// Reads one request, and answers it.
fn take(mut stream: TcpStream) -> (String, Vec<u8>) {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes());
                return (head, bytes.split_off(end + 4));
            }
        }
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            _ => return (String::new(), bytes),
        }
    }
}

fn a_trace_of_the_client_goes_on_and_is_sent(database: Database) {
    let (url, spans) = collector();
    let arguments = ["--otlp-endpoint", &url, "--log", "warn"];
    let mut server = Server::with(&TestDatabase::create(database), &arguments);
    let scim = server.tenant("acme").client(Dialect::Standard);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = scim.with_header("traceparent", parent);
    traced.post("/Users", &person("Zerbinetta", "Naxos", "zerbinetta@naxos.example")).expect(201);
    traced.filter("/Users", "userName eq \"ariadne\"").expect(200);
    scim.with_header("traceparent", "00-nonsense").get("/Groups").expect(200);
    server.terminate();
    let mut sent = Vec::new();
    while let Ok((head, body)) = spans.recv_timeout(PATIENCE) {
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        sent.extend(body);
        if contains(&sent, b"GET /scim/v2/Groups") {
            break;
        }
    }
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    let span = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    assert!(contains(&sent, &trace) && contains(&sent, &span), "the trace goes on");
    for expected in ["headcount", "POST /scim/v2/Users", "GET /scim/v2/Groups", "http.route"] {
        assert!(contains(&sent, expected.as_bytes()), "{expected} is in no span");
    }
    for personal in PERSONAL {
        assert!(!contains(&sent, personal.as_bytes()), "{personal} is in a span");
    }
    assert!(!server.stderr().contains("cannot be sent"), "{}", server.stderr());
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
