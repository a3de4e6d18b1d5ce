//! Bearer tokens of issuers that tenants trust (RFC 7519, RFC 8725), and of where their keys come from.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::*;
use crate::issuer::{AUDIENCE, ISSUER, Key, SUBJECT, Served, claims, claims_but, now, unsigned};
use crate::oauth::trust;

on_each_database!(
    rfc6750_a_token_of_a_trusted_issuer_opens_the_tenant_that_has_pinned_it,
    rfc8725_a_token_that_is_wrong_in_anything_is_refused,
    keys_that_are_given_need_no_network,
    a_key_that_is_new_is_fetched_and_not_too_often,
    keys_are_fetched_from_where_they_are_and_nowhere_else,
    issuers_that_two_tenants_trust_are_told_apart,
    trust_that_is_revoked_ends_within_seconds,
);

const BEARER: [&str; 2] = ["--for", "bearer"];

/// Trusts the issuer for bearer tokens, with keys at this URL.
#[track_caller]
fn trust_bearer(server: &Server, tenant: &str, url: &str) -> String {
    trust(server, tenant, &[&BEARER[..], &["--jwks-url", url]].concat())
}

fn rfc6750_a_token_of_a_trusted_issuer_opens_the_tenant_that_has_pinned_it(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (rsa, ec) = (Key::rsa("one"), Key::ec("two"));
    let keys = Served::start(&[&rsa, &ec]);
    trust_bearer(&server, "acme", &keys.url);
    let with = |token: &str| server.client_with_token(token);
    with(&rsa.sign(&claims())).post("/Users", &user("ada")).expect(201);
    for token in [rsa.sign(&claims()), ec.sign(&claims())] {
        with(&token).get("/Users").expect_user_names(&["ada"]);
    }
    assert_eq!(keys.count(), 1, "keys are kept");
    // A token ends, also one that was known a moment ago. The leeway is a minute.
    let short = with(&rsa.sign(&claims_but("exp", now() - 57)));
    short.get("/Users").expect(200);
    soon("the token ends", || short.get("/Users").status == 401);
}

fn rfc8725_a_token_that_is_wrong_in_anything_is_refused(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (key, stranger) = (Key::rsa("one"), Key::rsa("one"));
    let keys = Served::start(&[&key]);
    trust_bearer(&server, "acme", &keys.url);
    for (what, token) in [
        ("signed by another", stranger.sign(&claims())),
        ("not signed", unsigned(&claims())),
        ("signed with the public key as a secret", key.confuse(&claims())),
        ("of another issuer", key.sign(&claims_but("iss", "https://evil.example.com"))),
        ("for another audience", key.sign(&claims_but("aud", "api://other"))),
        ("of another subject", key.sign(&claims_but("sub", "other"))),
        ("over", key.sign(&claims_but("exp", now() - 120))),
        ("not yet", key.sign(&claims_but("nbf", now() + 300))),
        ("an end that is text", key.sign(&claims_but("exp", "tomorrow"))),
        ("too long", key.sign(&claims_but("more", "x".repeat(20_000)))),
    ] {
        let refused = server.client_with_token(&token).get("/Users");
        assert_eq!(refused.status, 401, "{what}: {}", refused.story());
        let refused = refused.expect_error(401, None);
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_token\""), "{what}: {challenge}");
    }
    server.client_with_token(&key.sign(&claims())).get("/Users").expect(200);
}

fn keys_that_are_given_need_no_network(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let (one, two) = (Key::rsa("one"), Key::ec("two"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    // A key of a kind that nobody knows is passed over.
    let odd = json!({"kty": "XYZ", "kid": "odd"});
    let set = json!({"keys": [odd, one.jwk(), two.jwk()]});
    std::fs::write(&file, set.to_string()).unwrap();
    let file = file.to_str().unwrap();
    trust(&server, "acme", &[&BEARER[..], &["--jwks-file", file]].concat());
    for key in [&one, &two] {
        server.client_with_token(&key.sign(&claims())).get("/Users").expect(200);
    }
    let other = Key::rsa("one");
    server.client_with_token(&other.sign(&claims())).get("/Users").expect_error(401, None);
    // The claim that names the client is another one.
    let connection = admin.named("/Connections", "standard")["id"].as_str().unwrap().to_owned();
    let pinned = json!({"usage": "bearer", "issuer": ISSUER, "audience": "api://azp",
        "subject": "some-app", "subjectClaim": "azp", "jwks": {"keys": [one.jwk()]}});
    admin.act(&format!("/Connections/{connection}/trust-issuer"), &pinned).expect(200);
    let mut claims = claims_but("aud", "api://azp");
    server.client_with_token(&one.sign(&claims)).get("/Users").expect(200);
    claims["azp"] = json!("another-app");
    server.client_with_token(&one.sign(&claims)).get("/Users").expect_error(401, None);
}

fn a_key_that_is_new_is_fetched_and_not_too_often(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (old, new) = (Key::rsa("old"), Key::rsa("new"));
    let keys = Served::start(&[&old]);
    trust_bearer(&server, "acme", &keys.url);
    let old_client = server.client_with_token(&old.sign(&claims()));
    old_client.get("/Users").expect(200);
    // Whatever keys are named, the issuer is not asked more often.
    for number in 0..20 {
        let stranger = Key::ec(&format!("stranger-{number}"));
        server.client_with_token(&stranger.sign(&claims())).get("/Users").expect_error(401, None);
    }
    assert!(keys.count() <= 2, "{} times", keys.count());
    keys.rotate(&[&new]);
    let new_client = server.client_with_token(&new.sign(&claims()));
    soon("the new key is fetched", || new_client.get("/Users").status == 200);
    old_client.get("/Users").expect_error(401, None);
    // An issuer that is down takes nothing away.
    keys.say("500 Internal Server Error", "", "");
    thread::sleep(Duration::from_millis(1_200));
    new_client.get("/Users").expect(200);
}

fn keys_are_fetched_from_where_they_are_and_nowhere_else(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let key = Key::rsa("one");
    let elsewhere = Served::start(&[&key]);
    let keys = Served::start(&[]);
    let redirect = format!("Location: {}\r\n", elsewhere.url);
    keys.say("302 Found", &redirect, "");
    trust_bearer(&server, "acme", &keys.url);
    let client = server.client_with_token(&key.sign(&claims()));
    client.get("/Users").expect_error(401, None);
    assert_eq!((keys.count(), elsewhere.count()), (1, 0), "a redirect is not followed");
    for (tenant, body) in [
        ("large", format!("{{\"x\":\"{}\",\"keys\":[{}]}}", "x".repeat(100_000), key.jwk())),
        ("broken", "{".to_owned()),
        ("none", json!([key.jwk()]).to_string()),
    ] {
        server.tenant(tenant);
        let keys = Served::start(&[]);
        keys.say("200 OK", "", &body);
        let audience = format!("api://{tenant}");
        let fixed =
            ["credential", "issuer", "--tenant", tenant, "--issuer", ISSUER, "--subject", SUBJECT];
        let more = ["--audience", audience.as_str(), "--for", "bearer", "--jwks-url", &keys.url];
        server.command(&[&fixed[..], &more].concat()).succeeded();
        let client = server.client_with_token(&key.sign(&claims_but("aud", audience)));
        client.get("/Users").expect_error(401, None);
        assert_eq!(keys.count(), 1, "{tenant}");
    }
    for url in ["http://10.0.0.1/keys", "ftp://example.com/keys", "https://user@example.com/keys"] {
        let fixed =
            ["credential", "issuer", "--tenant", "acme", "--issuer", ISSUER, "--subject", SUBJECT];
        server.command(&[&fixed[..], &["--audience", "x", "--jwks-url", url]].concat()).failed();
    }
}

fn issuers_that_two_tenants_trust_are_told_apart(database: Database) {
    let server = Server::start(database);
    let key = Key::rsa("one");
    let keys = Served::start(&[&key]);
    for tenant in ["acme", "globex"] {
        server.tenant(tenant);
    }
    trust_bearer(&server, "acme", &keys.url);
    let fixed =
        ["credential", "issuer", "--tenant", "globex", "--issuer", ISSUER, "--for", "bearer"];
    let with = |audience: &str, subject: &str| {
        let more = ["--audience", audience, "--subject", subject, "--jwks-url", &keys.url];
        server.command(&[&fixed[..], &more].concat())
    };
    let refused = with(AUDIENCE, SUBJECT).failed();
    assert!(refused.stderr.contains("trusts this already"), "{}", refused.stderr);
    with(AUDIENCE, "other").succeeded();
    let acme = server.client_with_token(&key.sign(&claims()));
    acme.post("/Users", &user("ada")).expect(201);
    let globex = server.client_with_token(&key.sign(&claims_but("sub", "other")));
    globex.get("/Users").expect_empty_list();
    acme.get("/Users").expect_user_names(&["ada"]);
}

fn trust_that_is_revoked_ends_within_seconds(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let key = Key::rsa("one");
    let keys = Served::start(&[&key]);
    trust_bearer(&server, "acme", &keys.url);
    let client = server.client_with_token(&key.sign(&claims()));
    client.get("/Users").expect(200);
    let listed = server.command(&["credential", "list", "--tenant", "acme"]).succeeded().stdout;
    let line = listed.lines().find(|line| line.contains("issuer")).expect("it is listed");
    server.command(&["credential", "revoke", line.split_whitespace().next().unwrap()]).succeeded();
    soon("the token is refused", || client.get("/Users").status == 401);
}
