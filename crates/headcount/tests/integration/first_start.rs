//! The first five minutes: the binary, an empty folder, nothing else.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::*;

/// Starts the binary without any argument; only the port is chosen for it.
fn start(database: &Arc<TestDatabase>) -> Server {
    Server::run(database, &[], &[("HEADCOUNT_LISTEN", "127.0.0.1:0")])
}

fn token_of(server: &Server) -> Option<String> {
    let output = server.stdout();
    let line = output.lines().find_map(|line| line.trim().strip_prefix("Token:"))?;
    Some(line.trim().to_owned())
}

#[test]
fn first_start_makes_a_database_a_tenant_and_a_token() {
    let folder = TestDatabase::create(Database::Sqlite);
    let server = start(&folder);
    assert!(folder.folder().join("headcount.db").exists(), "{}", server.stdout());
    let token = wait_for_token(&server);
    assert!(token.starts_with("hc_"), "{token}");
    let scim = server.client_with_token(&token);
    scim.post("/Users", &user("ada")).expect(201);

    let curl = curl_line(&server.stdout());
    let run = run(Command::new("sh").args(["-c", &curl]), Duration::from_secs(30)).succeeded();
    assert!(run.stdout.contains("urn:ietf:params:scim:"), "{curl}\n{}", run.stdout);
    assert!(!run.stdout.contains(ERROR), "{curl}\n{}", run.stdout);
}

/// The lines after the base URL may come a moment later.
fn wait_for_token(server: &Server) -> String {
    for _ in 0..100 {
        if let Some(token) = token_of(server).filter(|_| server.stdout().contains("curl")) {
            std::thread::sleep(Duration::from_millis(50));
            return token;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no `Token:` and `curl` line in\n{}", server.stdout())
}

/// The printed `curl` command, with the lines that continue it.
fn curl_line(output: &str) -> String {
    let joined = output.replace("\\\n", " ");
    let line = joined.lines().find(|line| line.contains("curl "));
    let line = line.unwrap_or_else(|| panic!("a curl line in\n{output}"));
    line[line.find("curl ").unwrap_or_default()..].to_owned()
}

#[test]
fn second_start_keeps_the_data_and_prints_no_token() {
    let folder = TestDatabase::create(Database::Sqlite);
    let mut server = start(&folder);
    let token = wait_for_token(&server);
    server.client_with_token(&token).post("/Users", &user("ada")).expect(201);
    assert!(server.terminate().success());

    let server = start(&folder);
    let scim = server.client_with_token(&token);
    scim.get("/Users").expect_user_names(&["ada"]);
    assert!(!server.stdout().contains("hc_"), "{}", server.stdout());
}

#[test]
fn a_named_database_gets_no_demo_tenant() {
    let server = Server::start(Database::Sqlite);
    let list = server.command(&["tenant", "list"]).succeeded();
    assert!(!list.stdout.contains("demo"), "{}", list.stdout);
    assert!(!server.stdout().contains("hc_"), "{}", server.stdout());
}
