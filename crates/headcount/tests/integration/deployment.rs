//! What those who run the service rely on beside the protocol.

use serde_json::json;

use crate::harness::*;

#[test]
fn a_role_that_may_change_rows_alone_serves_a_database_that_is_up_to_date() {
    let database = TestDatabase::create(Database::Postgres);
    headcount(&["migrate", "--database", database.url()]).succeeded();
    let url = database.url_for_rows_alone();
    let server =
        Server::run(&database, &["serve", "--listen", "127.0.0.1:0", "--database", &url], &[]);
    let run = |arguments: &[&str]| headcount(&[arguments, &["--database", &url]].concat());
    run(&["migrate"]).succeeded();
    run(&["tenant", "create", "acme"]).succeeded();
    let token = run(&["token", "create", "--tenant", "acme"]).succeeded();
    let scim = server.client_with_token(token.stdout.trim());
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    scim.patch(
        &format!("/Users/{id}"),
        &json!([{"op": "replace", "path": "active", "value": false}]),
    )
    .expect(200);
    scim.delete(&format!("/Users/{id}")).expect(204);
    run(&["verify-log"]).succeeded();
}

#[test]
fn a_role_that_may_change_rows_alone_cannot_take_the_triggers_away() {
    let database = TestDatabase::create(Database::Postgres);
    headcount(&["migrate", "--database", database.url()]).succeeded();
    let url = database.url_for_rows_alone();
    for statement in [
        "ALTER TABLE change_log DISABLE TRIGGER USER",
        "DROP TRIGGER change_log_is_not_edited ON change_log",
        "TRUNCATE change_log",
        "DROP TABLE change_log",
        "SET session_replication_role = replica",
        "CREATE TABLE x (y integer)",
    ] {
        let refused = TestDatabase::run_as(&url, statement).failed();
        let why = ["must be owner", "permission denied"];
        assert!(why.iter().any(|why| refused.stderr.contains(why)), "{}", refused.stderr);
    }
}

#[test]
fn a_role_that_may_change_rows_alone_is_told_that_it_cannot_migrate() {
    let database = TestDatabase::create(Database::Postgres);
    let url = database.url_for_rows_alone();
    let refused = headcount(&["serve", "--listen", "127.0.0.1:0", "--database", &url]).failed();
    assert!(refused.stderr.contains("cannot be migrated"), "{}", refused.stderr);
    assert!(refused.stderr.contains("permission denied"), "{}", refused.stderr);
}

#[test]
fn a_probe_succeeds_exactly_if_the_page_is_there() {
    let server = Server::start(Database::Sqlite);
    let page = |path: &str| format!("{}{path}", server.base_url());
    headcount(&["probe", &page("/ServiceProviderConfig")]).succeeded();
    let refused = headcount(&["probe", &page("/Users")]).failed();
    assert!(refused.stderr.contains("401"), "{}", refused.stderr);
    headcount(&["probe", "http://127.0.0.1:1/readyz"]).failed();
    headcount(&["probe", "nonsense"]).failed();
}

#[test]
fn a_probe_goes_through_no_proxy() {
    let server = Server::start(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let page = format!("{}/ServiceProviderConfig", server.base_url());
    let proxies = [("http_proxy", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")];
    headcount_in(folder.path(), &["probe", &page], &proxies).succeeded();
}
