//! `/oauth/token`: client credentials for access tokens (RFC 6749 section 4.4).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::*;
use crate::issuer::{AUDIENCE, ISSUER, Key, SUBJECT, Served, claims, claims_but, now, unsigned};

on_each_database!(
    rfc6749_4_4_a_client_gets_an_access_token_with_its_secret_and_provisions,
    rfc6749_2_3_1_a_secret_is_taken_from_the_header_too,
    rfc6749_5_2_what_is_wrong_is_said_in_its_words,
    rfc6749_3_3_a_scope_narrows_what_a_token_may_do,
    several_secrets_of_a_client_count_while_one_follows_another,
    what_revokes_a_secret_ends_its_access_tokens_within_seconds,
    an_access_token_is_of_its_installation_and_its_tenant,
    rfc7523_2_2_entra_gets_a_token_for_an_assertion_that_its_tenant_has_pinned,
    rfc7523_3_an_assertion_that_is_wrong_in_anything_is_refused,
    an_assertion_is_no_access_token_and_the_other_way_round,
    secrets_are_in_no_log_and_no_list,
    administrators_make_list_and_revoke_credentials_of_their_own_tenant_alone,
);

const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A form of these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// Asks for a token.
#[track_caller]
pub(crate) fn ask(client: &Client, fields: &[(&str, &str)]) -> Answer {
    let answer = client.send("POST", "/oauth/token", Some((FORM, &form(fields))));
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.story());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.story());
    answer
}

/// A client of everything besides SCIM.
pub(crate) fn root(server: &Server) -> Client {
    Client::new(server.base_url().trim_end_matches("/scim/v2"), None)
}

/// The identifier and secret of a client.
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Secret {
    #[track_caller]
    pub(crate) fn make(server: &Server, tenant: &str, arguments: &[&str]) -> Self {
        let fixed: &[&str] = &["credential", "secret", "--tenant", tenant];
        let made = server.command(&[fixed, arguments].concat()).succeeded();
        assert!(!made.stderr.contains("hcs_"), "a secret is printed once: {}", made.stderr);
        let field = |name: &str| {
            let line = made.stdout.lines().find_map(|line| line.strip_prefix(name));
            line.expect("it is printed").to_owned()
        };
        Self { id: field("client_id="), secret: field("client_secret=") }
    }

    /// The secret with its last character changed.
    pub(crate) fn with_another_end(&self) -> String {
        let (rest, last) = self.secret.split_at(self.secret.len() - 1);
        format!("{rest}{}", if last == "0" { "1" } else { "0" })
    }

    /// The public identifier of the secret.
    pub(crate) fn credential(&self) -> &str {
        self.secret.split('_').nth(1).expect("hcs_<id>_<secret>")
    }

    #[track_caller]
    pub(crate) fn ask(&self, server: &Server) -> Answer {
        let fields = [("client_id", self.id.as_str()), ("client_secret", &self.secret)];
        ask(&root(server), &[&[("grant_type", "client_credentials")], &fields[..]].concat())
    }

    /// A client with a new access token.
    #[track_caller]
    pub(crate) fn client(&self, server: &Server) -> Client {
        let granted = self.ask(server).expect(200);
        server.client_with_token(granted["access_token"].as_str().expect("a token"))
    }
}

fn rfc6749_4_4_a_client_gets_an_access_token_with_its_secret_and_provisions(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let secret = Secret::make(&server, "acme", &["--dialect", "entra"]);
    let granted = secret.ask(&server).expect(200);
    assert_eq!(granted["token_type"], "Bearer");
    assert_eq!(granted["expires_in"], 3_600);
    let scope = granted["scope"].as_str().expect("a scope");
    assert!(scope.contains("scim.users.write") && !scope.contains("admin"), "{scope}");
    let token = granted["access_token"].as_str().expect("a token").to_owned();
    assert!(!token.contains(&secret.secret));
    let scim = server.client_with_token(&token);
    scim.post("/Users", &user("ada")).expect(201);
    scim.get("/Users").expect_user_names(&["ada"]);
    // A second server of the installation knows it too.
    let other = Server::on(server.database());
    other.client_with_token(&token).get("/Users").expect_user_names(&["ada"]);
    // The secret itself is no token.
    server.client_with_token(&secret.secret).get("/Users").expect_error(401, None);
}

fn rfc6749_2_3_1_a_secret_is_taken_from_the_header_too(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let secret = Secret::make(&server, "acme", &[]);
    let basic = |id: &str, secret: &str| {
        let pair = openssl::base64::encode_block(format!("{id}:{secret}").as_bytes());
        root(&server).with_header("Authorization", &format!("Basic {pair}"))
    };
    let grant = [("grant_type", "client_credentials")];
    ask(&basic(&secret.id, &secret.secret), &grant).expect(200);
    let refused = ask(&basic(&secret.id, "hcs_x_y"), &grant).expect(401);
    assert_eq!(refused["error"], "invalid_client");
    assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"headcount\""));
    // One way alone (section 2.3).
    let twice = [grant[0], ("client_secret", &secret.secret)];
    let refused = ask(&basic(&secret.id, &secret.secret), &twice).expect(400);
    assert_eq!(refused["error"], "invalid_request");
}

fn rfc6749_5_2_what_is_wrong_is_said_in_its_words(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (one, other) = (
        Secret::make(&server, "acme", &["--connection", "one"]),
        Secret::make(&server, "acme", &["--connection", "other"]),
    );
    let of = |id: &str, secret: &str, more: &[(&str, &str)]| {
        let fields = [("client_id", id), ("client_secret", secret)];
        ask(&root(&server), &[&fields[..], more].concat())
    };
    let grant = [("grant_type", "client_credentials")];
    let wrong = one.with_another_end();
    for (answer, status, error) in [
        (of(&one.id, &one.secret, &[]), 400, "invalid_request"),
        (of(&one.id, &one.secret, &[("grant_type", "password")]), 400, "unsupported_grant_type"),
        (of(&one.id, &other.secret, &grant), 401, "invalid_client"),
        (of(&one.id, &one.secret.replace("hcs_", "hc_"), &grant), 401, "invalid_client"),
        (of(&one.id, &wrong, &grant), 401, "invalid_client"),
        (of(&one.id.to_uppercase(), &one.secret, &grant), 401, "invalid_client"),
        (of(NOBODY, &one.secret, &grant), 401, "invalid_client"),
        (of(&one.id, "", &grant), 401, "invalid_client"),
        (ask(&root(&server), &grant), 401, "invalid_client"),
        (of(&one.id, &one.secret, &[grant[0], grant[0]]), 400, "invalid_request"),
        (of(&one.id, &one.secret, &[grant[0], ("scope", "x")]), 400, "invalid_scope"),
        (of(&one.id, &one.secret, &[grant[0], ("scope", "admin")]), 400, "invalid_scope"),
    ] {
        let answer = answer.expect(status);
        assert_eq!(answer["error"], error, "{}", answer.story());
        assert!(answer["error_description"].is_string(), "{}", answer.story());
        assert!(answer["access_token"].is_null(), "{}", answer.story());
    }
    let json = root(&server).send("POST", "/oauth/token", Some(("application/json", "{}")));
    assert_eq!(json.expect(400)["error"], "invalid_request");
    let large = "x".repeat(40_000);
    let large = root(&server).send("POST", "/oauth/token", Some((FORM, &large)));
    assert_eq!(large.expect(413)["error"], "invalid_request");
    root(&server).get("/oauth/token").expect(405);
    one.ask(&server).expect(200);
}

fn rfc6749_3_3_a_scope_narrows_what_a_token_may_do(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let secret = Secret::make(&server, "acme", &[]);
    let asked = |scope: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &secret.id),
            ("client_secret", &secret.secret),
            ("scope", scope),
        ];
        ask(&root(&server), &fields).expect(200)
    };
    let narrow = asked("scim.users.read");
    assert_eq!(narrow["scope"], "scim.users.read");
    let narrow = server.client_with_token(narrow["access_token"].as_str().unwrap());
    narrow.get("/Users").expect(200);
    let refused = narrow.post("/Users", &user("ada")).expect_error(403, None);
    let challenge = refused.header("www-authenticate").unwrap_or_default().to_owned();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    let whole = asked("scim");
    let whole = server.client_with_token(whole["access_token"].as_str().unwrap());
    whole.post("/Users", &user("ada")).expect(201);
}

fn several_secrets_of_a_client_count_while_one_follows_another(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let old = Secret::make(&server, "acme", &[]);
    let new = Secret::make(&server, "acme", &[]);
    assert_eq!(old.id, new.id, "the client is the same");
    old.client(&server).get("/Users").expect(200);
    new.client(&server).get("/Users").expect(200);
    server.command(&["credential", "revoke", old.credential()]).succeeded();
    soon("the old one ends", || old.ask(&server).status == 401);
    new.client(&server).get("/Users").expect(200);
    // One that ends, ends with its tokens.
    let short = Secret::make(&server, "acme", &["--expires", "4s"]);
    let granted = short.ask(&server).expect(200);
    assert!(granted["expires_in"].as_i64().unwrap() <= 4, "{}", granted.story());
    let client = server.client_with_token(granted["access_token"].as_str().unwrap());
    soon("its token ends", || client.get("/Users").status == 401);
    soon("the secret ends", || short.ask(&server).status == 401);
    server.command(&["credential", "secret", "--tenant", "acme", "--expires", "4000d"]).failed();
}

fn what_revokes_a_secret_ends_its_access_tokens_within_seconds(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let secret = Secret::make(&server, "acme", &["--connection", "entra"]);
    let client = secret.client(&server);
    client.get("/Users").expect(200);
    // What this server is told counts from the next request on.
    let path = format!("/Connections/{}/revoke-credential", secret.id);
    admin.act(&path, &json!({"id": secret.credential()})).expect(204);
    client.get("/Users").expect_error(401, None);
    secret.ask(&server).expect(401);
    // What another process is told, within a second or so.
    let secret = Secret::make(&server, "acme", &["--connection", "entra"]);
    let client = secret.client(&server);
    client.get("/Users").expect(200);
    server.command(&["credential", "revoke", secret.credential()]).succeeded();
    let start = Instant::now();
    soon("the token ends", || client.get("/Users").status == 401);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // A connection that is gone has no clients.
    let secret = Secret::make(&server, "acme", &["--connection", "entra"]);
    let client = secret.client(&server);
    client.get("/Users").expect(200);
    admin.scim.delete(&format!("/Connections/{}", secret.id)).expect(204);
    client.get("/Users").expect_error(401, None);
    secret.ask(&server).expect(401);
}

fn an_access_token_is_of_its_installation_and_its_tenant(database: Database) {
    let (one, other) = (Server::start(database), Server::start(database));
    one.tenant("acme");
    one.tenant("globex");
    other.tenant("acme");
    let acme = Secret::make(&one, "acme", &[]).client(&one);
    acme.post("/Users", &user("ada")).expect(201);
    other.client_with_token(acme.token()).get("/Users").expect_error(401, None);
    let globex = Secret::make(&one, "globex", &[]).client(&one);
    globex.get("/Users").expect_empty_list();
    let changed = format!("{}x", &acme.token()[..acme.token().len() - 1]);
    one.client_with_token(&changed).get("/Users").expect_error(401, None);
    one.client_with_token("hca_").get("/Users").expect_error(401, None);
}

/// Trusts the issuer of the tests.
#[track_caller]
pub(crate) fn trust(server: &Server, tenant: &str, arguments: &[&str]) -> String {
    let fixed = [
        "credential",
        "issuer",
        "--tenant",
        tenant,
        "--issuer",
        ISSUER,
        "--audience",
        AUDIENCE,
        "--subject",
        SUBJECT,
    ];
    let made = server.command(&[&fixed[..], arguments].concat()).succeeded();
    made.stdout.trim().strip_prefix("client_id=").expect("it is printed").to_owned()
}

fn assert_with(server: &Server, id: &str, assertion: &str) -> Answer {
    // As Entra sends it, with one field that nobody knows.
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("scope", "scim"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
        ("baseAddress", "https://scim.example.com/scim/v2"),
    ];
    ask(&root(server), &fields)
}

fn rfc7523_2_2_entra_gets_a_token_for_an_assertion_that_its_tenant_has_pinned(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (rsa, ec) = (Key::rsa("one"), Key::ec("two"));
    let keys = Served::start(&[&rsa, &ec]);
    let id = trust(&server, "acme", &["--dialect", "entra", "--jwks-url", &keys.url]);
    assert_eq!(keys.count(), 0, "nothing is fetched before it is needed");
    for key in [&rsa, &ec] {
        let granted = assert_with(&server, &id, &key.sign(&claims())).expect(200);
        let scim = server.client_with_token(granted["access_token"].as_str().unwrap());
        scim.get("/Users").expect(200);
    }
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &rsa.sign(&claims())),
    ];
    ask(&root(&server), &fields).expect(200);
    assert_eq!(keys.count(), 1, "keys are kept");
    let listed = server.command(&["credential", "list", "--tenant", "acme"]).succeeded().stdout;
    assert!(listed.contains("issuer") && listed.contains(&id), "{listed}");
}

fn rfc7523_3_an_assertion_that_is_wrong_in_anything_is_refused(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (key, stranger, weak) = (Key::rsa("one"), Key::rsa("one"), Key::rsa_of("weak", 1_024));
    let keys = Served::start(&[&key, &weak]);
    let id = trust(&server, "acme", &["--jwks-url", &keys.url]);
    let right = key.sign(&claims());
    let (head, signature) = right.rsplit_once('.').unwrap();
    let other = key.sign(&claims_but("jti", "x"));
    let mixed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    for (what, assertion) in [
        ("signed by another", stranger.sign(&claims())),
        ("signed by a key that is too short", weak.sign(&claims())),
        ("not signed", unsigned(&claims())),
        ("signed with the public key as a secret", key.confuse(&claims())),
        ("without its signature", format!("{head}.")),
        ("of another text", mixed),
        ("of another issuer", key.sign(&claims_but("iss", "https://evil.example.com"))),
        ("for another audience", key.sign(&claims_but("aud", "api://other"))),
        ("of another subject", key.sign(&claims_but("sub", "other"))),
        ("without a subject", key.sign(&claims_but("sub", Value::Null))),
        ("over", key.sign(&claims_but("exp", now() - 120))),
        ("without an end", key.sign(&claims_but("exp", Value::Null))),
        ("not yet", key.sign(&claims_but("nbf", now() + 300))),
        ("nothing", String::new()),
        ("no JWT", "eyJ.x.y".to_owned()),
    ] {
        let refused = assert_with(&server, &id, &assertion).expect(401);
        assert_eq!(refused["error"], "invalid_client", "{what}: {}", refused.story());
    }
    let several = claims_but("aud", json!(["x", AUDIENCE]));
    assert_with(&server, &id, &key.sign(&several)).expect(200);
    // The clocks may differ a little.
    assert_with(&server, &id, &key.sign(&claims_but("exp", now() - 10))).expect(200);
    assert_with(&server, NOBODY, &right).expect(401);
    assert_with(&server, &id, &right).expect(200);
}

fn an_assertion_is_no_access_token_and_the_other_way_round(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let (entra, okta) = (Key::rsa("one"), Key::ec("two"));
    let (assertions, tokens) = (Served::start(&[&entra]), Served::start(&[&okta]));
    let client = trust(&server, "acme", &["--connection", "a", "--jwks-url", &assertions.url]);
    let bearer = ["--connection", "b", "--for", "bearer", "--jwks-url", &tokens.url];
    let other = trust(&server, "acme", &bearer);
    let (assertion, token) = (entra.sign(&claims()), okta.sign(&claims()));
    server.client_with_token(&assertion).get("/Users").expect_error(401, None);
    server.client_with_token(&token).get("/Users").expect(200);
    assert_with(&server, &other, &token).expect(401);
    assert_with(&server, &client, &assertion).expect(200);
}

fn secrets_are_in_no_log_and_no_list(database: Database) {
    let (server, _, admin) = serve_admin(database);
    let secret = Secret::make(&server, "acme", &["--connection", "entra"]);
    let client = secret.client(&server);
    client.get("/Users").expect(200);
    ask(&root(&server), &[("client_secret", &secret.secret), ("client_id", "x")]).expect(400);
    let hidden = secret.secret.rsplit('_').next().unwrap();
    let path = format!("/Connections/{}/list-credentials", secret.id);
    let listed = admin.act(&path, &json!({})).expect(200);
    assert_eq!(listed["credentials"][0]["id"], secret.credential(), "{}", listed.story());
    assert!(listed["credentials"][0]["hash"].is_null(), "{}", listed.story());
    let shown = server.command(&["credential", "list", "--tenant", "acme"]).succeeded().stdout;
    let log = admin.scim.get("/ProvisioningLogEntries").expect(200);
    let changes = admin.scim.get("/ChangeLogEntries").expect(200);
    for text in [&listed.text, &shown, &log.text, &changes.text, &server.stderr(), &server.stdout()]
    {
        assert!(!text.contains(hidden), "the secret is in {text}");
        assert!(!text.contains(client.token()), "the access token is in {text}");
    }
}

fn administrators_make_list_and_revoke_credentials_of_their_own_tenant_alone(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    server.tenant("globex");
    let stranger = Administrator::of(&server, "globex");
    let connection = admin.named("/Connections", "standard")["id"].as_str().unwrap().to_owned();
    let path = |verb: &str| format!("/Connections/{connection}/{verb}");
    let life = json!({"expires": "2030-01-01T00:00:00Z"});
    let made = admin.act(&path("create-secret"), &life).expect(200);
    let secret = Secret {
        id: made["clientId"].as_str().unwrap().to_owned(),
        secret: made["clientSecret"].as_str().unwrap().to_owned(),
    };
    assert_eq!(secret.id, connection);
    secret.client(&server).get("/Users").expect(200);
    let token = admin.act(&path("create-token"), &life).expect(200);
    server.client_with_token(token["token"].as_str().unwrap()).get("/Users").expect(200);
    let key = Key::rsa("one");
    let jwks = json!({"keys": [key.jwk()]});
    let issuer = json!({"issuer": ISSUER, "audience": AUDIENCE, "subject": SUBJECT, "jwks": jwks,
                        "usage": "bearer"});
    admin.act(&path("trust-issuer"), &issuer).expect(200);
    server.client_with_token(&key.sign(&claims())).get("/Users").expect(200);
    // Whose the request is would not be known.
    let taken = admin.act(&path("trust-issuer"), &issuer).expect_error(409, Some("uniqueness"));
    assert!(taken.text.contains("credentialTaken"), "{}", taken.story());
    admin.act(&path("pin-certificate"), &json!({"fingerprint": "ab".repeat(32)})).expect(200);

    let listed = admin.act(&path("list-credentials"), &json!({})).expect(200);
    let kinds = strings(&listed["credentials"], "kind");
    for kind in ["token", "secret", "issuer", "certificate"] {
        assert!(kinds.contains(&kind), "{kind}: {}", listed.story());
    }
    let revoke = json!({"id": secret.credential()});
    for (verb, body) in [
        ("create-secret", &life),
        ("create-token", &life),
        ("trust-issuer", &issuer),
        ("list-credentials", &json!({})),
        ("revoke-credential", &revoke),
    ] {
        stranger.act(&path(verb), body).expect_error(404, None);
        let denied = verbs_of(&scim).send(
            "POST",
            &path(verb),
            Some(("application/json", &body.to_string())),
        );
        denied.expect_error(403, None);
    }
    secret.client(&server).get("/Users").expect(200);
    admin.act(&path("revoke-credential"), &revoke).expect(204);
    admin.act(&path("revoke-credential"), &revoke).expect_error(404, None);
    secret.ask(&server).expect(401);
    for (verb, wrong) in [
        ("create-secret", json!({})),
        ("create-secret", json!({"expires": "2020-01-01T00:00:00Z"})),
        ("create-token", json!({"expires": "2099-01-01T00:00:00Z"})),
        ("trust-issuer", json!({"issuer": "i", "audience": "a", "subject": "s"})),
        ("trust-issuer", json!({"issuer": "i", "audience": "a", "subject": "s", "jwks": {}})),
        (
            "trust-issuer",
            json!({"issuer": "i", "audience": "a", "subject": "s",
                                "jwksUrl": "http://10.0.0.1/keys"}),
        ),
        ("pin-certificate", json!({"fingerprint": "x"})),
    ] {
        admin.act(&path(verb), &wrong).expect_error(400, Some("invalidValue"));
    }
}
