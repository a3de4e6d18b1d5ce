//! Clients that send too much too fast: told when to send it again, and nobody else suffers.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::*;

on_each_database!(
    a_connection_that_sends_too_fast_is_told_when_to_send_again,
    domain_2_16_a_connection_may_have_a_rate_of_its_own,
    by_default_a_tenant_has_more_than_25_requests_a_second,
    whoever_guesses_tokens_is_slowed_and_others_of_the_address_are_served,
    what_is_no_token_is_not_shown_without_end,
    whoever_guesses_sessions_is_slowed,
);

/// How many clients send at once: together they are fast on a slow machine too.
const CLIENTS: usize = 8;

/// The answers to what several clients ask, each of them as fast as it can.
fn crowd(times: usize, ask: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let ask = &ask;
    thread::scope(|scope| {
        let of = |first| move || (first..times).step_by(CLIENTS).map(ask).collect::<Vec<_>>();
        let clients: Vec<_> = (0..CLIENTS).map(|first| scope.spawn(of(first))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// The answers to the same request.
fn hammer(client: &Client, times: usize) -> Vec<Answer> {
    crowd(times, |_| client.get("/Users?count=1"))
}

/// A few wrong ones are nothing, and then there are too many.
#[track_caller]
fn expect_to_be_slowed(answers: Vec<Answer>) {
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 429)));
    let heard = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(heard >= 100, "{heard} were looked at");
    assert!(refused(answers) > 0, "all were");
}

/// Those that are 429, each of them whole.
#[track_caller]
fn refused(answers: Vec<Answer>) -> usize {
    let refused = answers.into_iter().filter(|answer| answer.status == 429);
    let whole = refused.map(|answer| {
        let wait = answer.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
        assert!(wait.is_some_and(|wait| (1..=5).contains(&wait)), "{wait:?}: {}", answer.story());
        let answer = answer.expect_error(429, None);
        assert_eq!(answer[HEADCOUNT_ERROR]["code"], "rateLimited", "{}", answer.story());
    });
    whole.count()
}

fn a_connection_that_sends_too_fast_is_told_when_to_send_again(database: Database) {
    let arguments = ["--rate-limit", "1", "--telemetry-listen", "127.0.0.1:0"];
    let server = Server::with(&TestDatabase::create(database), &arguments);
    let tenant = server.tenant("acme");
    let (fast, slow) = (tenant.client(Dialect::Okta), tenant.client(Dialect::Entra));
    let start = Instant::now();
    let answers = hammer(&fast, 60);
    // Two seconds' worth at once, and one in each second.
    let most = 2 + start.elapsed().as_secs() + 1;
    let count = refused(answers) as u64;
    assert!(count > 0 && count + most >= 60, "{count} of 60 in {:?}", start.elapsed());
    slow.get("/Users").expect(200);
    server.anonymous().get("/ServiceProviderConfig").expect(200);
    // At this rate whoever is refused is told to wait for a second.
    thread::sleep(Duration::from_secs(1));
    fast.get("/Users").expect(200);
    let of = [("tenant", "acme"), ("connection", "okta")];
    soon("it is counted", || server.counted("headcount_rate_limited_total", &of) == count);
}

fn domain_2_16_a_connection_may_have_a_rate_of_its_own(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let connection = admin.named("/Connections", "standard");
    let path = format!("/Connections/{}", connection["id"].as_str().unwrap());
    for wrong in [json!(0), json!(-1), json!(2_147_483_648_u64), json!("many")] {
        admin
            .scim
            .patch(&path, &replace("rateLimit", wrong))
            .expect_error(400, Some("invalidValue"));
    }
    let changed = admin.scim.patch(&path, &replace("rateLimit", 2)).expect(200);
    assert_eq!(changed["rateLimit"], 2);
    assert!(refused(hammer(&scim, 20)) >= 10);
    assert_eq!(refused(hammer(&admin.scim, 20)), 0, "it is another connection");
    let remove = json!([{"op": "remove", "path": "rateLimit"}]);
    admin.scim.patch(&path, &remove).expect(200);
    assert_eq!(refused(hammer(&scim, 20)), 0);
}

fn by_default_a_tenant_has_more_than_25_requests_a_second(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    assert!(hammer(&scim, 240).iter().all(|answer| answer.status == 200));
}

/// A token that looks like one, and that nobody has.
fn guess(number: usize) -> String {
    format!("hc_{number:024x}_{}", "0".repeat(64))
}

fn whoever_guesses_tokens_is_slowed_and_others_of_the_address_are_served(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    scim.get("/Users").expect(200);
    let answers = crowd(400, |number| {
        if number % 50 == 0 {
            // A token that is known is served, whoever else is at the address.
            scim.get("/Users").expect(200);
        }
        server.client_with_token(&guess(number)).get("/Users")
    });
    expect_to_be_slowed(answers);
    // One that was never seen is served as soon as it is told.
    let new = server.tenant("other").client(Dialect::Standard);
    let start = Instant::now();
    while new.get("/Users").status == 429 {
        assert!(start.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(200));
    }
    new.get("/Users").expect(200);
}

fn what_is_no_token_is_not_shown_without_end(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let (start, last) = scim.token().split_at(scim.token().len() - 1);
    let mistyped = format!("{start}{}", if last == "0" { "1" } else { "0" });
    for wrong in ["nonsense".to_owned(), guess(1), mistyped] {
        let insists = server.client_with_token(&wrong);
        expect_to_be_slowed(hammer(&insists, 400));
        // It is no guessing: who has a new token is served.
        server.tenant(&wrong[..8]).client(Dialect::Standard).get("/Users").expect(200);
        scim.get("/Users").expect(200);
    }
}

fn whoever_guesses_sessions_is_slowed(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    scim.get("/Users").expect(200);
    // It looks like one: of a tenant, an account and a secret that are all zero.
    let guess = format!("hcs_{}", "A".repeat(86));
    expect_to_be_slowed(hammer(&server.client_with_token(&guess), 400));
    // Whoever was let in before is served meanwhile.
    scim.get("/Users").expect(200);
}
