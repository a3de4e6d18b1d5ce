//! Tokens: what opens the door, and for how long.

use openssl::sha::sha256;

use crate::harness::*;
use crate::oauth::Secret;

on_each_database!(
    rfc7644_7_4_a_token_opens_its_tenant_until_it_expires,
    a_revoked_token_is_refused,
    a_wrong_secret_is_refused,
    tokens_are_listed_without_their_secret,
    what_opens_the_door_is_kept_as_its_digest,
);

/// The part of a token by which it is named: `hc_<id>_<secret>`.
fn id_of(token: &str) -> &str {
    token.split('_').nth(1).unwrap_or_else(|| panic!("hc_<id>_<secret>: {token}"))
}

/// Waits until the client is refused; another process may have to be heard of first.
#[track_caller]
fn assert_refused_soon(client: &Client) {
    soon("the token opens nothing", || client.get("/Users").status == 401);
    client.get("/Users").expect_error(401, None);
}

fn rfc7644_7_4_a_token_opens_its_tenant_until_it_expires(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let long = server.client_with_token(&tenant.token(&["--expires", "90d"]));
    long.get("/Users").expect_empty_list();
    let short = server.client_with_token(&tenant.token(&["--expires", "1s"]));
    assert_refused_soon(&short);
    long.get("/Users").expect_empty_list();
}

fn a_revoked_token_is_refused(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let kept = server.client_with_token(&tenant.token(&[]));
    let token = tenant.token(&[]);
    let lost = server.client_with_token(&token);
    lost.post("/Users", &user("ada")).expect(201);
    server.command(&["token", "revoke", id_of(&token)]).succeeded();
    assert_refused_soon(&lost);
    kept.get("/Users").expect_user_names(&["ada"]);
    server.command(&["token", "revoke", "no-such-token"]).failed();
}

fn a_wrong_secret_is_refused(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let token = tenant.token(&[]);
    let other = tenant.token(&[]);
    let id = id_of(&token);
    let secret = &token[format!("hc_{id}_").len()..];
    assert!(secret.len() >= 22, "a secret holds at least 128 bits: {}", secret.len());
    for wrong in [
        format!("hc_{id}_{}", "x".repeat(secret.len())),
        format!("hc_{id}_"),
        format!("hc_{id}"),
        format!("hc_{id}_{secret}x"),
        format!("hc_{}_{secret}", id_of(&other)),
        format!("hc_{id}_{}", &secret[..secret.len() - 1]),
        secret.to_owned(),
        token.to_uppercase(),
        "hc_%27_%00".to_owned(),
    ] {
        server.client_with_token(&wrong).get("/Users").expect_error(401, None);
    }
    server.client_with_token(&token).get("/Users").expect(200);
    let lower = server.anonymous().with_header("Authorization", &format!("bearer {token}"));
    lower.get("/Users").expect(200);
}

fn tokens_are_listed_without_their_secret(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    server.tenant("globex");
    let token = tenant.token(&["--dialect", "okta"]);
    let id = id_of(&token);
    let secret = &token[format!("hc_{id}_").len()..];
    let list = server.command(&["token", "list", "--tenant", "acme"]).succeeded();
    assert!(list.stdout.contains(id), "{}", list.stdout);
    assert!(!list.stdout.contains(secret));
    let others = server.command(&["token", "list", "--tenant", "globex"]).succeeded();
    assert!(!others.stdout.contains(id), "{}", others.stdout);
}

fn what_opens_the_door_is_kept_as_its_digest(database: Database) {
    let server = Server::start(database);
    let token = server.tenant("acme").token(&[]);
    let client = Secret::make(&server, "acme", &["--connection", "entra"]);
    client.client(&server).get("/Users").expect(200);
    for shown in [&token, &client.secret] {
        let secret = shown.rsplit('_').next().expect("it has parts");
        let pairs = (0..secret.len()).step_by(2).map(|at| &secret[at..at + 2]);
        let raw: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        assert!(server.database().holds(&sha256(secret.as_bytes())), "what is kept is not found");
        assert!(!server.database().holds(secret.as_bytes()), "it is kept as it is shown");
        assert!(!server.database().holds(&raw), "its bytes are kept");
    }
}
