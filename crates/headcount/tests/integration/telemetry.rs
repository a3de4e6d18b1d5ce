//! What operators see: whether the service lives and is ready, and what it counts.

use std::collections::BTreeSet;
use std::thread;

use serde_json::json;

use crate::harness::*;

on_each_database!(
    requests_are_counted_by_route_and_never_by_path,
    refusals_and_leniencies_are_counted_by_name,
    the_store_the_log_and_the_process_are_told,
    the_seats_of_a_tenant_are_told,
    a_server_is_ready_once_its_database_is_up_to_date,
    a_server_is_not_ready_on_the_schema_of_another_program,
    a_server_that_stops_says_so_until_its_requests_are_answered,
    telemetry_is_nowhere_unless_it_is_asked_for,
    every_metric_of_the_dashboard_and_the_alerts_is_there,
);

/// A server with telemetry, and a client of one tenant.
fn serve_watched(database: Database, dialect: Dialect) -> (Server, Client) {
    let server = Server::watched(&TestDatabase::create(database));
    let client = server.tenant("acme").client(dialect);
    (server, client)
}

fn requests_are_counted_by_route_and_never_by_path(database: Database) {
    let (server, scim) = serve_watched(database, Dialect::Standard);
    let ids = ["ada", "grace"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    for id in &ids {
        scim.get(&format!("/Users/{id}")).expect(200);
    }
    scim.get("/Users/ada@example.com").expect_error(404, None);
    scim.filter("/Users", "userName eq \"ada\"").expect(200);
    scim.get("/Nothing/ada@example.com").expect_error(404, None);
    scim.send("TRACE", "/Users", None).expect_error(405, None);
    server.anonymous().get("/Users").expect_error(401, None);
    let requests = "headcount_http_requests_total";
    for (count, labels) in [
        (2, [("route", "/scim/v2/Users"), ("method", "POST"), ("status", "201")]),
        (2, [("route", "/scim/v2/Users/{id}"), ("method", "GET"), ("status", "200")]),
        (1, [("route", "/scim/v2/Users/{id}"), ("method", "GET"), ("status", "404")]),
        (1, [("route", "/scim/v2/Users"), ("method", "GET"), ("status", "200")]),
        (1, [("route", "/scim/v2/Users"), ("method", "GET"), ("status", "401")]),
        (1, [("route", "/scim/v2/Users"), ("method", "other"), ("status", "405")]),
        (1, [("route", "none"), ("method", "GET"), ("status", "404")]),
    ] {
        assert_eq!(server.counted(requests, &labels), count, "{labels:?}");
    }
    let took = [("route", "/scim/v2/Users"), ("method", "POST")];
    assert_eq!(server.counted("headcount_http_request_duration_seconds_count", &took), 2);
    let all = server.counted("headcount_http_request_duration_seconds_count", &[]);
    assert_eq!(server.counted(requests, &[]), all);
    assert_eq!(server.counted("headcount_http_requests_in_flight", &[]), 0);
    let metrics = server.watch("/metrics").expect(200);
    let media_type = metrics.header("content-type").unwrap_or_default();
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    assert!(metrics.text.ends_with("# EOF\n"));
    for personal in ["ada", "grace", "example.com", &ids[0], scim.token()] {
        assert!(!metrics.text.contains(personal), "{personal}: {}", metrics.text);
    }
    // The names of tenant and connection come with the log, within a second.
    let of = |status| [("tenant", "acme"), ("connection", "standard"), ("status", status)];
    let connection = "headcount_connection_requests_total";
    soon("names", || server.counted(connection, &of("2xx")) > 0);
    assert_eq!(server.counted(connection, &of("2xx")), 5);
    assert_eq!(server.counted(connection, &of("4xx")), 3);
}

fn refusals_and_leniencies_are_counted_by_name(database: Database) {
    let (server, scim) = serve_watched(database, Dialect::Entra);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    scim.post("/Users", &user("ADA")).expect_error(409, Some("uniqueness"));
    scim.filter("/Users", "userName qe \"ada\"").expect_error(400, Some("invalidFilter"));
    let refused = "headcount_refusals_total";
    let taken = [("rule", "R1"), ("code", "userNameTaken")];
    assert_eq!(server.counted(refused, &taken), 1);
    assert_eq!(server.counted(refused, &[("rule", ""), ("code", "invalidFilter")]), 1);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": user("Ada")},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("grace")},
        ],
    });
    scim.post("/Bulk", &bulk).expect(200);
    assert_eq!(server.counted(refused, &taken), 2);
    for _ in 0..3 {
        let patch = json!([{"op": "Replace", "path": "active", "value": "False"}]);
        scim.patch(&format!("/Users/{id}"), &patch).expect(200);
    }
    let leniency = |name| [("tenant", "acme"), ("connection", "entra"), ("leniency", name)];
    let leniencies = "headcount_leniencies_total";
    soon("names", || server.counted(leniencies, &leniency("operationCase")) > 0);
    assert_eq!(server.counted(leniencies, &leniency("operationCase")), 3);
    assert_eq!(server.counted(leniencies, &leniency("stringBoolean")), 3);
    assert_eq!(server.counted(leniencies, &leniency("joinedList")), 0);
}

fn the_store_the_log_and_the_process_are_told(database: Database) {
    let (server, scim) = serve_watched(database, Dialect::Standard);
    for number in 0..20 {
        scim.post("/Users", &user(&format!("user{number}"))).expect(201);
    }
    let lane = |name| [("lane", name)];
    let lanes = if database == Database::Sqlite { (4, 1) } else { (8, 8) };
    let mut readers = server.counted("headcount_store_lanes", &lane("read"));
    if database == Database::Postgres {
        readers += server.counted("headcount_store_lanes", &lane("lookup"));
    }
    assert_eq!(readers, lanes.0);
    assert_eq!(server.counted("headcount_store_lanes", &lane("write")), lanes.1);
    assert!(server.counted("headcount_store_units_total", &lane("write")) >= 20);
    assert!(server.counted("headcount_store_commit_units_sum", &lane("write")) >= 20);
    assert_eq!(server.counted("headcount_store_waiting", &lane("write")), 0);
    assert_eq!(server.counted("headcount_store_refused_total", &lane("write")), 0);
    soon("the log is written", || {
        server.counted("headcount_provisioning_log_entries_total", &[]) >= 20
    });
    soon("nothing is done", || {
        server.counted("headcount_store_lanes_busy", &[]) == 0
            && server.counted("headcount_provisioning_log_waiting", &[]) == 0
    });
    assert_eq!(server.counted("headcount_provisioning_log_lost_total", &[]), 0);
    // Each unit that a lane took has waited, if only for some microseconds.
    for name in ["read", "write", "log"] {
        let all = server.counted("headcount_store_wait_seconds_count", &lane(name));
        let within = [("lane", name), ("le", "+Inf")];
        assert!(all > 0, "{name}");
        assert_eq!(server.counted("headcount_store_wait_seconds_bucket", &within), all, "{name}");
        assert_eq!(server.counted("headcount_store_units_total", &lane(name)), all, "{name}");
    }
    let commits = "headcount_store_commit_units";
    let all = server.counted(&format!("{commits}_count"), &lane("write"));
    let within = [("lane", "write"), ("le", "+Inf")];
    assert_eq!(server.counted(&format!("{commits}_bucket"), &within), all);
    // A unit of work that waits for a lock keeps its lane busy.
    let hold = server.database().hold_writes();
    thread::scope(|scope| {
        let blocked = scope.spawn(|| scim.post("/Users", &user("late")));
        soon("a lane is busy", || {
            server.counted("headcount_store_lanes_busy", &lane("write")) == 1
        });
        assert_eq!(server.counted("headcount_http_requests_in_flight", &[]), 1);
        drop(hold);
        blocked.join().unwrap().expect(201);
    });
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(server.counted("headcount_build_info", &version), 1);
    assert_eq!(server.counted("headcount_serving", &[]), 1);
    assert!(server.counted("process_resident_memory_bytes", &[]) > 1_000_000);
    assert!(server.counted("process_cpu_seconds_total", &[]) > 0);
    assert!(server.counted("process_open_fds", &[]) > 5);
    assert!(server.counted("process_max_fds", &[]) > 100);
    assert!(server.counted("process_start_time_seconds", &[]) > 1_000_000_000);
    soon("the timers", || {
        server.counted("headcount_timers_last_success_timestamp_seconds", &[]) > 1_000_000_000
    });
}

fn the_seats_of_a_tenant_are_told(database: Database) {
    let (mut server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 5);
    scim.post("/Users", &user("ada")).expect(201);
    let database = server.database().clone();
    server.terminate();
    // They are counted by the timers, which begin with the server.
    let again = Server::watched(&database);
    let of = [("tenant", "acme"), ("tier", "CX1")];
    soon("seats", || again.counted("headcount_seats", &of) == 5);
    assert_eq!(again.counted("headcount_seats_used", &of), 1);
    assert_eq!(again.counted("headcount_seats", &[("tier", "CX2")]), 0, "it has no limit");
}

fn a_server_is_ready_once_its_database_is_up_to_date(kind: Database) {
    let database = TestDatabase::create(kind);
    // On PostgreSQL a server waits only if something is missing; a new file of SQLite cannot be held.
    if matches!(kind, Database::Sqlite) {
        headcount(&["migrate", "--database", database.url()]).succeeded();
    }
    let hold = database.hold_migrations();
    let server = Server::starting(&database);
    server.watch("/healthz").expect(200);
    let starting = server.watch("/readyz").expect(503);
    assert!(starting["reasons"][0].as_str().unwrap().contains("starting"), "{}", starting.story());
    server.watch("/metrics").expect(200);
    drop(hold);
    soon("it is ready", || server.watch("/readyz").status == 200);
    assert_eq!(server.watch("/readyz")["status"], "ready");
}

fn a_server_is_not_ready_on_the_schema_of_another_program(database: Database) {
    let (server, _scim) = serve_watched(database, Dialect::Standard);
    server.watch("/readyz").expect(200);
    let of_newer = "__diesel_schema_migrations (version) VALUES ('99999999999999')";
    server.database().execute(&format!("INSERT INTO {of_newer}"));
    let newer = server.watch("/readyz").expect(503);
    assert!(newer["reasons"][0].as_str().unwrap().contains("99999999999999"), "{}", newer.story());
    let of_ours = "version <> '00000000000001'";
    server.database().execute("DELETE FROM __diesel_schema_migrations WHERE version > '9'");
    server.watch("/readyz").expect(200);
    let gone = "UPDATE __diesel_schema_migrations SET version = '0' WHERE NOT ";
    server.database().execute(&format!("{gone} ({of_ours})"));
    let missing = server.watch("/readyz").expect(503);
    assert!(missing.text.contains("lacks the steps 00000000000001"), "{}", missing.story());
    server.watch("/healthz").expect(200);
}

#[test]
fn a_server_whose_database_is_away_is_alive_and_not_ready() {
    let (server, scim) = serve_watched(Database::Postgres, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    server.watch("/readyz").expect(200);
    server.database().set_away(true);
    let away = server.watch("/readyz").expect(503);
    assert!(away.text.contains("cannot be reached"), "{}", away.story());
    assert!(!away.text.contains("headcount_test"), "{}", away.story());
    server.watch("/healthz").expect(200);
    server.watch("/metrics").expect(200);
    scim.get("/Users").expect_error(503, None);
    server.database().set_away(false);
    soon("it is ready again", || server.watch("/readyz").status == 200);
    scim.get("/Users").expect_user_names(&["ada"]);
}

fn a_server_that_stops_says_so_until_its_requests_are_answered(database: Database) {
    let (mut server, scim) = serve_watched(database, Dialect::Standard);
    let telemetry = server.telemetry_url();
    let hold = server.database().hold_writes();
    thread::scope(|scope| {
        let blocked = scope.spawn(|| scim.post("/Users", &user("ada")));
        soon("a request is in flight", || {
            server.counted("headcount_store_lanes_busy", &[("lane", "write")]) == 1
        });
        server.signal_termination();
        let watch = Client::new(&telemetry, None);
        soon("it stops", || watch.get("/readyz").status == 503);
        let stopping = watch.get("/readyz").expect(503);
        assert!(stopping.text.contains("stopping"), "{}", stopping.story());
        watch.get("/healthz").expect(200);
        drop(hold);
        blocked.join().unwrap().expect(201);
    });
    assert_eq!(server.ended().code(), Some(0));
}

/// The names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    let is_metric = |word: &&str| {
        ["headcount_", "process_"].iter().any(|prefix| word.starts_with(prefix))
            && !word.ends_with('_')
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

/// A file of the project.
fn file(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn every_metric_of_the_dashboard_and_the_alerts_is_there(database: Database) {
    let (mut server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 5);
    let database = server.database().clone();
    server.terminate();
    let server = Server::watched(&database);
    let scim = server.client_with_token(scim.token());
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    scim.post("/Users", &user("Ada")).expect(409);
    let patch = json!([{"op": "Replace", "path": "title", "value": "x"}]);
    scim.patch(&format!("/Users/{id}"), &patch).expect(200);
    soon("seats", || server.counted("headcount_seats", &[]) > 0);
    let exported = server.watch("/metrics").expect(200).text;
    let samples = exported.lines().filter(|line| !line.starts_with('#'));
    let samples: BTreeSet<_> =
        samples.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect();
    let (dashboard, alerts) = (file("deploy/grafana-dashboard.json"), file("deploy/alerts.yml"));
    let used: BTreeSet<_> = metrics_in(&dashboard).union(&metrics_in(&alerts)).cloned().collect();
    assert!(used.len() > 25, "{used:?}");
    // Those of a replica are there where one is.
    let of_replica = file("crates/headcount/tests/integration/read_replica.rs");
    let missing: Vec<_> =
        used.difference(&samples).filter(|name| !of_replica.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} is used and not exported");
    let _: serde_json::Value = serde_json::from_str(&dashboard).expect("a dashboard is JSON");
    // The page for operators has them all, and so has the dashboard.
    let page = file("docs/telemetry.md");
    for sample in &samples {
        let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.strip_suffix(end));
        let name = bare.unwrap_or(sample);
        assert!(dashboard.contains(name), "{name} is on no dashboard");
        let told = page.contains(&format!("`{name}`")) || name.starts_with("process_");
        assert!(told, "docs/telemetry.md does not explain {name}");
    }
    let names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in names.clone() {
        let (_, section) = page
            .split_once(&format!("\n### {alert}\n"))
            .unwrap_or_else(|| panic!("{alert} is not explained"));
        let section = section.split("\n### ").next().expect("it ends");
        let (means, to_do) = section
            .split_once("\n**What to do:** ")
            .unwrap_or_else(|| panic!("{alert}: nobody says what to do"));
        assert!(means.trim().len() > 40 && to_do.trim().len() > 40, "{alert}: {section}");
    }
    assert_eq!(page.matches("\n### ").count(), names.count(), "no other alert is explained");
}

fn telemetry_is_nowhere_unless_it_is_asked_for(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    assert!(!server.stdout().contains("Telemetry"), "{}", server.stdout());
    let root = Client::new(scim.base_url().trim_end_matches("/scim/v2"), Some(scim.token()));
    for path in ["/metrics", "/healthz", "/readyz"] {
        root.get(path).expect_error(404, None);
    }
}
