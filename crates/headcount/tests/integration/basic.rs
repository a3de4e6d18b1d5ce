//! HTTP Basic (RFC 7617), for old connectors; and when credentials were last used.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::*;
use crate::oauth::Secret;

on_each_database!(
    basic_is_taken_where_the_connection_allows_it_and_nowhere_else,
    when_a_credential_was_last_used_is_shown,
    tokens_follow_each_other_without_a_gap,
);

fn basic(server: &Server, id: &str, secret: &str) -> Client {
    let pair = openssl::base64::encode_block(format!("{id}:{secret}").as_bytes());
    server.anonymous().with_header("Authorization", &format!("Basic {}", pair.replace('\n', "")))
}

fn basic_is_taken_where_the_connection_allows_it_and_nowhere_else(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let old = Secret::make(&server, "acme", &["--connection", "old"]);
    let other = Secret::make(&server, "acme", &["--connection", "other"]);
    let client = basic(&server, &old.id, &old.secret);
    client.get("/Users").expect_error(401, None);
    admin.set("/Connections", "old", "basicAuthentication", json!(true));
    client.post("/Users", &user("ada")).expect(201);
    client.get("/Users").expect_user_names(&["ada"]);
    for (id, secret) in [
        (&other.id, &other.secret),
        (&other.id, &old.secret),
        (&old.id, &other.secret),
        (&old.id, &old.with_another_end()),
        (&old.id, &String::new()),
    ] {
        basic(&server, id, secret).get("/Users").expect_error(401, None);
    }
    for header in ["Basic", "Basic ", "Basic !!!", "Basic eA=="] {
        let client = server.anonymous().with_header("Authorization", header);
        client.get("/Users").expect_error(401, None);
    }
    admin.set("/Connections", "old", "basicAuthentication", json!(false));
    client.get("/Users").expect_error(401, None);
}

fn when_a_credential_was_last_used_is_shown(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let secret = Secret::make(&server, "acme", &["--connection", "entra"]);
    let token = server.command(&["token", "create", "--tenant", "acme", "--connection", "entra"]);
    let token = token.succeeded().stdout.trim().to_owned();
    let id = token.split('_').nth(1).unwrap().to_owned();
    let path = format!("/Connections/{}/list-credentials", secret.id);
    let last_used = |id: &str| {
        let listed = admin.act(&path, &json!({})).expect(200);
        let all = listed["credentials"].as_array().unwrap().clone();
        all.iter().find(|one| one["id"] == id).unwrap()["lastUsed"].as_str().map(str::to_owned)
    };
    let start = admin.scim.get("/Connections").expect(200);
    assert!(start.status == 200 && last_used(&id).is_none(), "it was never used");
    let scim = server.client_with_token(&token);
    for _ in 0..50 {
        scim.get("/Users").expect(200);
    }
    secret.client(&server).get("/Users").expect(200);
    soon("the uses are written", || {
        last_used(&id).is_some() && last_used(secret.credential()).is_some()
    });
    // The commands show it too.
    for (list, id) in [("token", id.as_str()), ("credential", secret.credential())] {
        let listed = server.command(&[list, "list", "--tenant", "acme"]).succeeded().stdout;
        let line = listed.lines().find(|line| line.starts_with(id)).expect("it is listed");
        assert!(!line.contains("never"), "{line}");
    }
    // It changes no version, or every cache would be of no use.
    let version = |path: &str| admin.scim.get(path).expect(200).version();
    let connection = format!("/Connections/{}", secret.id);
    let before = version(&connection);
    scim.get("/Users").expect(200);
    assert_eq!(version(&connection), before);
    // What was not written yet is written when the server ends.
    let written = last_used(&id);
    let mut server = server;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        scim.get("/Users").expect(200);
    }
    assert!(server.terminate().success());
    let again = Server::on(server.database());
    let admin = Administrator::of_token(&again, admin.scim.token());
    let listed = admin.act(&path, &json!({})).expect(200);
    let all = listed["credentials"].as_array().unwrap();
    let now = all.iter().find(|one| one["id"] == id.as_str()).unwrap()["lastUsed"].as_str();
    assert!(now > written.as_deref(), "{now:?} after {written:?}");
}

fn tokens_follow_each_other_without_a_gap(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let (old, new) = (tenant.token(&[]), tenant.token(&[]));
    let (old_client, new_client) = (server.client_with_token(&old), server.client_with_token(&new));
    old_client.post("/Users", &user("ada")).expect(201);
    new_client.get("/Users").expect_user_names(&["ada"]);
    server.command(&["token", "revoke", &old]).succeeded();
    soon("the old one is refused", || old_client.get("/Users").status == 401);
    new_client.get("/Users").expect_user_names(&["ada"]);
}
