//! The URLs that the server gives out, behind a proxy and without one.

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::*;

on_each_database!(
    rfc7644_3_1_locations_are_below_the_public_url,
    rfc7644_3_1_locations_follow_the_host_without_a_public_url,
    rfc9112_3_2_a_host_that_is_none_is_refused,
);

/// A server behind a proxy that knows it under this URL, and a client that is the proxy.
fn behind(database: Database, public_url: &str) -> (Server, Client) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("there is a free port").to_string();
    let database = TestDatabase::create(database);
    let url = database.url().to_owned();
    let arguments = ["serve", "--listen", &address, "--database", &url, "--public-url", public_url];
    let server = Server::run(&database, &arguments, &[]);
    let token = server.tenant("acme").token(&["--dialect", "standard"]);
    let client = Client::new(&format!("http://{address}/scim/v2"), Some(&token));
    (server, client)
}

/// Every URL that the server gives out begins with this one.
#[track_caller]
fn assert_locations(scim: &Client, base: &str) {
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let team = scim.post("/Groups", &group("Team", &[&ada.id()])).expect(201);
    let read = scim.get(&format!("/Users/{}", ada.id())).expect(200);
    let listed = scim.get("/Users").expect(200);
    let user_url = format!("{base}/Users/{}", ada.id());
    let group_url = format!("{base}/Groups/{}", team.id());
    assert_eq!(ada.header("location"), Some(user_url.as_str()));
    for answer in [&ada, &read] {
        assert_eq!(answer.header("content-location"), Some(user_url.as_str()));
        assert_eq!(answer["meta"]["location"], user_url.as_str());
    }
    assert_eq!(listed["Resources"][0]["meta"]["location"], user_url.as_str());
    assert_eq!(read["groups"][0]["$ref"], group_url.as_str());
    assert_eq!(team["members"][0]["$ref"], user_url.as_str());
    assert_eq!(team.header("location"), Some(group_url.as_str()));
    for path in ["/ServiceProviderConfig", "/ResourceTypes/User", &format!("/Schemas/{USER}")] {
        let location = &scim.get(path).expect(200)["meta"]["location"];
        assert_eq!(*location, Value::from(format!("{base}{path}")));
    }
    scim.delete(&format!("/Groups/{}", team.id())).expect(204);
}

/// What proxies add, and what strangers may add just as well.
fn forwarded(scim: &Client) -> Client {
    scim.with_header("X-Forwarded-Host", "evil.example")
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Prefix", "/evil")
        .with_header("Forwarded", "host=evil.example;proto=https")
}

fn rfc7644_3_1_locations_are_below_the_public_url(database: Database) {
    for public_url in ["https://scim.example.com", "https://idp.example.com/prefix/"] {
        let (server, scim) = behind(database, public_url);
        let base = format!("{}/scim/v2", public_url.trim_end_matches('/'));
        assert_eq!(server.base_url(), base, "it is what the first lines say");
        assert_locations(&forwarded(&scim).with_header("Host", "inner.example:81"), &base);
    }
}

fn rfc7644_3_1_locations_follow_the_host_without_a_public_url(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let named = forwarded(&scim).with_header("Host", "scim.example.com:8443");
    assert_locations(&named, "http://scim.example.com:8443/scim/v2");
}

fn rfc9112_3_2_a_host_that_is_none_is_refused(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for host in ["a\"b", "<script>", "user@host", "a/b", "a b", "a,b", "{}"] {
        for path in ["/Users", "/ServiceProviderConfig", "/../x"] {
            let answer = scim.with_header("Host", host).get(path).expect_error(400, None);
            assert!(!answer.text.contains(host), "{}", answer.story());
        }
    }
    scim.with_header("Host", "[::1]:8080").get("/Users").expect_empty_list();
}
