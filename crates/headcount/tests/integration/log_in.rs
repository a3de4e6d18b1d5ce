//! Logging in, locks and sessions (rules R65, R66 and R68).

use std::thread;

use accounts::login::attempts::{self, Outcome};
use accounts::{Context, Source};
use jiff::{SignedDuration, Timestamp};
use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r65_six_failures_lock_the_account_for_five_minutes,
    r65_a_success_ends_a_row_of_failures,
    r65_an_administrator_ends_a_lock,
    r66_a_lock_changes_neither_active_nor_grants_nor_the_seat,
    r68_the_last_login_is_kept_and_changes_no_version,
    op19_the_login_service_reports,
    nobody_is_told_who_has_an_account,
    strangers_are_counted,
    sessions_end_when_their_account_cannot_be_used,
    sessions_of_master_admins_administer,
    sessions_of_browsers_are_cookies,
    secrets_are_nowhere,
    two_servers_send_one_mail,
);

pub(crate) const GOOD: &str = "Zaunk\u{f6}nig 42!";
pub(crate) const OTHER: &str = "Rotkehlchen 43!";
pub(crate) const OURS: &str = HEADCOUNT;

pub(crate) fn mailed(name: &str) -> Value {
    let mut body = user(name);
    body["emails"] = json!([{"value": format!("{name}@x.example"), "type": "work"}]);
    body
}

pub(crate) fn chosen(password: &str) -> Value {
    json!({"password": password})
}

/// An account whose person has chosen the password [`GOOD`].
pub(crate) fn activated(server: &Server, scim: &Client, mails: &mut Mailbox, name: &str) -> String {
    let path = create_user(scim, &mailed(name));
    let link = mails.next().link();
    door(server).say(&link, &chosen(GOOD)).expect(204);
    path
}

pub(crate) fn entries(admin: &Administrator, path: &str) -> Vec<Value> {
    let id = path.rsplit('/').next().unwrap();
    let filter = format!("resourceId eq \"{id}\"");
    admin.scim.filter("/ChangeLogEntries", &filter).expect(200).resources().to_vec()
}

pub(crate) fn actions(admin: &Administrator, path: &str) -> Vec<String> {
    let mut entries = entries(admin, path);
    entries.sort_by_key(|entry| entry["id"].as_str().map(str::to_owned));
    entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// The context of the tenant at another time.
pub(crate) fn later(context: &Context, by: SignedDuration) -> Context {
    let mut context = context.clone();
    context.now += by;
    context.caller.now = context.now;
    context.sends_mail = true;
    context
}

fn r65_six_failures_lock_the_account_for_five_minutes(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    for _ in 0..5 {
        door.log_in("ada", "wrong").expect_code(401, "loginFailed", Some("R65"));
    }
    let still = scim.get(&ada).expect(200);
    assert_eq!(
        (&still[OURS]["accountState"], still.version()),
        (&json!("active"), "W/\"2\"".into())
    );
    door.log_in("ada", "wrong").expect(401);
    let locked = scim.get(&ada).expect(200);
    assert_eq!(locked[OURS]["accountState"], "locked", "{}", locked.story());
    let end: Timestamp = locked[OURS]["lockedUntil"].as_str().unwrap().parse().unwrap();
    let left = end.duration_since(server::clock::now());
    assert!((280..=300).contains(&left.as_secs()), "{left}");
    // The right password does not open it, and tells nothing.
    door.log_in("ada", GOOD).expect_code(401, "loginFailed", Some("R65"));
    scim.filter("/Users", &format!("{OURS}:accountState eq \"locked\""))
        .expect_user_names(&["ada"]);
    scim.filter("/Users", &format!("{OURS}:lockedUntil pr")).expect_user_names(&["ada"]);
    assert_eq!(actions(&admin, &ada), ["create", "activate", "lock"]);
    // Five minutes later it is over by itself.
    let id = accounts::parse_id(&ada["/Users/".len()..]).unwrap();
    let state = move |minutes| {
        by_rule(&server, move |tx, context| {
            let context = later(context, SignedDuration::from_mins(minutes));
            let found = accounts::users::get(tx, &context.caller, id)?;
            let ours = &found.attributes[OURS];
            let is_locked = ours.get("lockedUntil").is_some();
            Ok((ours["accountState"].as_str().unwrap().to_owned(), is_locked))
        })
        .unwrap()
    };
    assert_eq!(state(4), ("locked".to_owned(), true));
    assert_eq!(state(5), ("active".to_owned(), false));
}

fn r65_a_success_ends_a_row_of_failures(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("lock.maxFailures", 3);
    admin.policy("lock.durationSeconds", 0);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let state = || scim.get(&ada).expect(200)[OURS]["accountState"].clone();
    for password in ["wrong", "wrong", GOOD, "wrong", "wrong"] {
        let expected = if password == GOOD { 200 } else { 401 };
        door.log_in("ada", password).expect(expected);
    }
    assert_eq!(state(), "active");
    door.log_in("ada", "wrong").expect(401);
    assert_eq!(state(), "locked");
    let until = scim.get(&ada).expect(200)[OURS]["lockedUntil"].clone();
    assert!(
        until.as_str().unwrap().starts_with("9999-"),
        "until an administrator ends it: {until}"
    );
}

fn r65_an_administrator_ends_a_lock(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("lock.maxFailures", 3);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let unlock = || admin.act(&format!("{ada}/unlock"), &json!({})).expect(200);
    assert_eq!(unlock().version(), "W/\"2\"", "there is nothing to end");
    for _ in 0..3 {
        door.log_in("ada", "wrong").expect(401);
    }
    door.log_in("ada", GOOD).expect(401);
    let unlocked = unlock();
    assert_eq!(unlocked[OURS]["accountState"], "active", "{}", unlocked.story());
    door.log_in("ada", GOOD).expect(200);
    assert_eq!(actions(&admin, &ada), ["create", "activate", "lock", "unlock"]);
    verbs_of(&scim).json("POST", &format!("{ada}/unlock"), &json!({})).expect(403);
}

fn r66_a_lock_changes_neither_active_nor_grants_nor_the_seat(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.policy("lock.maxFailures", 3);
    admin.limit("CX1", 5);
    let mut body = user("ada");
    body["roles"] = json!([{"value": "agent"}]);
    let ada = create_user(&scim, &body);
    admin.act(&format!("{ada}/activate"), &json!({})).expect(200);
    let (before, seats) = (scim.get(&ada).expect(200), admin.seats("CX1"));
    for _ in 0..3 {
        admin.act(&format!("{ada}/login"), &json!({"outcome": "failure"})).expect(204);
    }
    let locked = scim.get(&ada).expect(200);
    assert_eq!(locked[OURS]["accountState"], "locked", "{}", locked.story());
    for same in ["active", "roles"] {
        assert_eq!(locked[same], before[same], "{same}");
    }
    assert_eq!(locked[OURS]["roleGrants"], before[OURS]["roleGrants"]);
    assert_eq!(admin.seats("CX1"), seats);
    let wanted = format!("{ada}?attributes={OURS}:effectivePermissions");
    assert!(
        scim.get(&wanted).expect(200)[OURS]["effectivePermissions"].is_null(),
        "none meanwhile"
    );
    // SCIM neither locks nor unlocks.
    let until = replace(&format!("{OURS}:lockedUntil"), "2030-01-01T00:00:00Z");
    scim.patch(&ada, &until).expect_error(400, Some("mutability"));
    scim.put(&ada, &body).expect(200);
    assert_eq!(scim.get(&ada).expect(200)[OURS]["accountState"], "locked");
    drop(server);
}

fn r68_the_last_login_is_kept_and_changes_no_version(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let before = scim.get(&ada).expect(200);
    assert!(before[OURS]["lastLogin"].is_null());
    door(&server).log_in("ada", "wrong").expect(401);
    assert!(scim.get(&ada).expect(200)[OURS]["lastLogin"].is_null(), "only who is in");
    door(&server).log_in("ada", GOOD).expect(200);
    let after = scim.get(&ada).expect(200);
    assert!(after[OURS]["lastLogin"].is_string(), "{}", after.story());
    assert_eq!((after.version(), &after["meta"]), (before.version(), &before["meta"]));
    scim.filter("/Users", &format!("{OURS}:lastLogin pr")).expect_user_names(&["ada"]);
    assert_eq!(actions(&admin, &ada), ["create", "activate"], "no entry either");
}

fn op19_the_login_service_reports(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.policy("lock.maxFailures", 3);
    let scopes = ["--connection", "login", "--scopes", "login.report"];
    let token = server.tenant_named("acme").token(&scopes);
    let service = door_with(&server, &token);
    let ada = create_user(&scim, &mailed("ada"));
    let report = |who: &str, outcome: &str| {
        service.say("/internal/v1/login-events", &json!({"account": who, "outcome": outcome}))
    };
    let state = || scim.get(&ada).expect(200)[OURS]["accountState"].clone();
    report("ada", "failure").expect(202);
    assert_eq!(state(), "pendingActivation");
    report("ada", "success").expect(202);
    assert_eq!(state(), "active", "T4");
    assert!(scim.get(&ada).expect(200)[OURS]["lastLogin"].is_string());
    let id = &ada["/Users/".len()..];
    for who in ["ada@x.example", id, "ADA"] {
        assert_eq!(state(), "active");
        report(who, "failure").expect(202);
    }
    assert_eq!(state(), "locked");
    let entry = entries(&admin, &ada).into_iter().find(|one| one["action"] == "lock").unwrap();
    assert_eq!(entry["source"], "auth", "{entry}");
    report("nobody", "failure").expect(404);
    report("ada", "perhaps").expect(400);
    let future = json!({"account": "ada", "outcome": "success", "at": "2999-01-01T00:00:00Z"});
    service.say("/internal/v1/login-events", &future).expect(400);
    // It may do that, and nothing else; others may not.
    server.client_with_token(&token).get("/Users").expect(403);
    let event = json!({"account": "ada", "outcome": "success"});
    door_with(&server, scim.token()).say("/internal/v1/login-events", &event).expect(403);
    door(&server).say("/internal/v1/login-events", &event).expect(401);
    scim.patch(&ada, &replace("active", false)).expect(200);
    report("ada", "success").expect_code(409, "illegalTransition", None);
}

fn nobody_is_told_who_has_an_account(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    activated(&server, &scim, &mut mails, "ada");
    let gone = activated(&server, &scim, &mut mails, "gone");
    scim.patch(&gone, &replace("active", false)).expect(200);
    let renamed = activated(&server, &scim, &mut mails, "renamed");
    scim.patch(&renamed, &replace("userName", "other")).expect(200);
    create_user(&scim, &mailed("pending"));
    admin.policy("lock.maxFailures", 20);
    let door = door(&server);
    let log_in = |tenant: &str, name: &str, password: &str| {
        let body = json!({"tenant": tenant, "userName": name, "password": password});
        let answer = door.say("/login", &body).expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"headcount\""));
        answer.text
    };
    let expected = log_in("acme", "ada", "wrong");
    for (tenant, name, password) in [
        ("acme", "eve", GOOD),
        ("acme", "gone", GOOD),
        ("acme", "renamed", GOOD),
        ("acme", "pending", GOOD),
        ("acme", "", ""),
        ("acme", "ada", &"x".repeat(10_000)),
        ("nobody", "ada", GOOD),
    ] {
        assert_eq!(log_in(tenant, name, password), expected, "{tenant} {name}");
    }
    door.log_in("other", GOOD).expect(200);
    door.say("/login", &json!({"tenant": "acme"})).expect(400);
    door.get("/login").expect(405);
}

fn strangers_are_counted(database: Database) {
    let database = TestDatabase::create(database);
    let (server, _) = Mailbox::serve(&database, &["--login-rate", "25"]);
    server.tenant("acme");
    let door = door(&server);
    let statuses: Vec<u16> = (0..12).map(|_| door.log_in("nobody", "x").status).collect();
    assert_eq!(statuses, [vec![401; 10], vec![429; 2]].concat(), "under one name");
    let statuses: Vec<u16> =
        (0..14).map(|at| door.log_in(&format!("nobody{at}"), "x").status).collect();
    assert_eq!(statuses, [vec![401; 13], vec![429; 1]].concat(), "from one address");
    let told = door.say("/password-reset", &json!({"tenant": "acme", "userName": "x"})).expect(429);
    assert!(told.header("retry-after").unwrap().parse::<u32>().unwrap() <= 60);
    door.say("/activation/x", &chosen(GOOD)).expect(429);
    // Clients with a token are not.
    server.client_with_token("x").get("/Users").expect(401);
}

fn sessions_end_when_their_account_cannot_be_used(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("lock.maxFailures", 3);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let session = || {
        let entered = door.log_in("ada", GOOD).expect(200);
        assert_eq!(entered["idleSeconds"], 1800);
        door_with(&server, entered["token"].as_str().unwrap())
    };
    let (one, other) = (session(), session());
    let own = one.get("/session").expect(200);
    assert_eq!(own["account"]["userName"], "ada", "{}", own.story());
    assert_eq!(own["scopes"], json!([]));
    // It reads its own account and nothing else.
    let as_client = server.client_with_token(one.token());
    for path in ["/Users", ada.as_str(), "/Roles", "/ChangeLogEntries"] {
        as_client.get(path).expect_code(403, "scopeMissing", None);
    }
    as_client.patch(&ada, &replace("title", "Boss")).expect(403);
    one.say("/logout", &json!({})).expect(204);
    one.get("/session").expect(401);
    other.get("/session").expect(200);
    for _ in 0..3 {
        door.log_in("ada", "wrong").expect(401);
    }
    other.get("/session").expect(401);
    admin.act(&format!("{ada}/unlock"), &json!({})).expect(200);
    other.get("/session").expect(401);
    let last = session();
    scim.patch(&ada, &replace("active", false)).expect(200);
    last.get("/session").expect(401);
    scim.patch(&ada, &replace("active", true)).expect(200);
    last.get("/session").expect(401);
    let deleted = session();
    scim.delete(&ada).expect(204);
    deleted.get("/session").expect(401);
    // A connection has no session, and a token of another kind is none.
    door_with(&server, scim.token()).get("/session").expect(403);
    door_with(&server, "hcs_x").get("/session").expect(401);
}

fn sessions_of_master_admins_administer(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let entered = door(&server).log_in("ada", GOOD).expect(200);
    let ada_herself = Administrator::of_token(&server, entered["token"].as_str().unwrap());
    ada_herself.scim.get("/Users").expect(403);
    let group = json!({"displayName": "masters", "members": [{"value": &ada["/Users/".len()..]}]});
    admin.scim.post("/Groups", &group).expect(201);
    let roles = json!([{"value": "master-admin"}]);
    admin.scim.patch(&ada, &replace("roles", roles)).expect(200);
    let bob = create_user(&ada_herself.scim, &mailed("bob"));
    let reason = json!({"reason": "left"});
    ada_herself.act(&format!("{bob}/deactivate"), &reason).expect(200);
    let entries = entries(&admin, &bob);
    for entry in &entries {
        assert_eq!(entry["actor"]["type"], "account", "{entry}");
        assert_eq!(entry["actor"]["value"], ada["/Users/".len()..], "{entry}");
    }
    let own = door_with(&server, ada_herself.scim.token()).get("/session").expect(200);
    assert_eq!(own["scopes"], json!(["admin"]), "{}", own.story());
    // Of another tenant she sees nothing.
    let other = server.tenant("other").client(Dialect::Standard);
    let theirs = create_user(&other, &user("eve"));
    ada_herself.scim.get(&theirs).expect(404);
    admin.scim.patch(&ada, &replace("roles", json!([]))).expect_error(403, None);
}

fn sessions_of_browsers_are_cookies(database: Database) {
    let (server, scim, _, mut mails) = serve_mail(database);
    activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let body = json!({"tenant": "acme", "userName": "ada", "password": GOOD, "cookie": true});
    let entered = door.say("/login", &body).expect(200);
    assert!(entered["token"].is_null(), "no script has it: {}", entered.story());
    let set = entered.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "without TLS it would never be sent: {set}");
    assert_eq!(entered.header("cache-control"), Some("no-store"));
    let cookie = set.split(';').next().unwrap();
    let browser = door.with_header("Cookie", cookie);
    browser.get("/session").expect(200);
    // What another site's page has the browser do is not the person's will.
    let elsewhere = browser.with_header("Sec-Fetch-Site", "cross-site");
    elsewhere.say("/logout", &json!({})).expect(401);
    browser.get("/session").expect(200);
    let here = browser.with_header("Sec-Fetch-Site", "same-origin");
    let gone = here.say("/logout", &json!({})).expect(204);
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"), "{}", gone.story());
    browser.get("/session").expect(401);
}

/// What proves a link or a session: what follows its two identifiers.
fn bytes_of(shown: &str) -> Vec<u8> {
    let (_, text) = shown.split_once('_').expect("it has a prefix");
    let text = text.replace('-', "+").replace('_', "/");
    let bytes = openssl::base64::decode_block(&format!("{text}==")).expect("it is base64");
    bytes[32..].to_vec()
}

fn secrets_are_nowhere(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let token = door(&server).log_in("ada", GOOD).expect(200)["token"].as_str().unwrap().to_owned();
    let is_kept_as_digest = |shown: &str| {
        let bytes = bytes_of(shown);
        assert!(server.database().holds(&sha256(&bytes)), "what is kept is not found");
        assert!(!server.database().holds(&bytes), "the bytes of {shown} are kept");
    };
    is_kept_as_digest(&token);
    door(&server).log_in("ada", "Wrong-Horse-7").expect(401);
    admin.act(&format!("{ada}/reset-password"), &json!({"mode": "link"})).expect(202);
    let link = mails.next().link();
    is_kept_as_digest(link.rsplit('/').next().unwrap());
    door(&server).say(&link, &chosen(OTHER)).expect(204);
    let secret = link.rsplit('/').next().unwrap();
    let entered = door(&server).log_in("ada", OTHER).expect(200);
    let log = admin.scim.get("/ChangeLogEntries?count=200").expect(200).text;
    let places = [server.database().dump(), server.stderr(), log, entered["account"].to_string()];
    for place in &places {
        for secret in ["Zaunk", "Rotkehlchen", "Wrong-Horse", secret, &token] {
            assert!(!place.contains(secret), "{secret}");
        }
    }
    assert!(places[0].contains("$argon2id$v=19$m=19456,t=2,p=1$"), "the hash is what is kept");
    for place in &places[1..] {
        assert!(!place.contains("argon2id"));
    }
    // What is erased is gone.
    scim.delete(&ada).expect(204);
    admin.act(&format!("{ada}/erase"), &json!({"reason": "asked for"})).expect(204);
    server.command(&["verify-log"]).succeeded();
}

fn two_servers_send_one_mail(database: Database) {
    let database = TestDatabase::create(database);
    let (one, mut mails) = Mailbox::serve(&database, &[]);
    let (_other, _) = Mailbox::serve(&database, &[]);
    let scim = one.tenant("acme").client(Dialect::Standard);
    thread::scope(|scope| {
        for at in 0..20 {
            let scim = scim.clone();
            scope.spawn(move || create_user(&scim, &mailed(&format!("u{at}"))));
        }
    });
    let mut to: Vec<String> = (0..20)
        .map(|_| {
            let mail = mails.next();
            door(&one).say(&mail.link(), &chosen(GOOD)).expect(204);
            mail.text.lines().find(|line| line.starts_with("To: ")).unwrap().to_owned()
        })
        .collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 20);
    mails.stays_empty();
}

/// A report that comes late does not undo what came after it.
#[test]
fn r65_a_failure_before_the_last_login_does_not_count() {
    let (server, scim, admin) = serve_admin(Database::Sqlite);
    admin.policy("lock.maxFailures", 3);
    let ada = create_user(&scim, &user("ada"));
    let id = ada["/Users/".len()..].to_owned();
    let ended = by_rule(&server, move |tx, context| {
        let context = Context { source: Source::Auth, ..context.clone() };
        attempts::report(tx, &context, &id, Outcome::Success, None)?;
        let earlier = context.now - SignedDuration::from_secs(1);
        for _ in 0..5 {
            attempts::report(tx, &context, &id, Outcome::Failure, Some(earlier))?;
        }
        Ok(())
    });
    ended.unwrap();
    assert_eq!(scim.get(&ada).expect(200)[OURS]["accountState"], "active");
}
