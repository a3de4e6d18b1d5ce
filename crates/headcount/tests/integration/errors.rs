//! What the server answers when a request is wrong.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_2_requests_without_a_valid_token_are_401,
    rfc7644_3_12_unknown_paths_are_404_and_wrong_methods_405,
    rfc7644_3_11_me_is_501,
    rfc7644_3_8_content_types,
    rfc7644_3_12_broken_json_is_invalid_syntax,
    q27_plus_signs_trailing_slashes_and_escapes_in_urls,
    rfc9110_9_3_2_head_is_get_without_its_body,
    nothing_of_a_body_is_judged_before_its_sender,
);

fn nothing_of_a_body_is_judged_before_its_sender(database: Database) {
    let server = Server::start(database);
    let stranger = format!("hc_{}_{}", "0".repeat(24), "0".repeat(64));
    let scim = server.client_with_token(&stranger);
    for (content_type, body) in [("application/scim+json", "{"), ("text/xml", "<a/>")] {
        scim.send("POST", "/Users", Some((content_type, body))).expect_error(401, None);
    }
}

fn rfc9110_9_3_2_head_is_get_without_its_body(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let one = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    for path in ["/Users", one.as_str(), "/Schemas"] {
        let (get, head) = (scim.get(path).expect(200), scim.send("HEAD", path, None).expect(200));
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        assert!(head.body.is_null(), "{}", head.story());
    }
    scim.send("HEAD", "/Users/unknown", None).expect(404);
}

fn rfc7644_2_requests_without_a_valid_token_are_401(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let nobody = server.anonymous();
    for header in [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer not-a-token"),
        Some("Bearer hc_"),
        Some("Bearer hc__"),
        Some("Bearer hc_abc_def"),
        Some("Basic YWRhOnNlY3JldA=="),
        Some("Negotiate x"),
        Some("hc_abc_def"),
    ] {
        let client = header
            .map_or_else(|| nobody.clone(), |value| nobody.with_header("Authorization", value));
        for path in ["/Users", "/Groups", "/Users/1", "/NoSuchThing", "/Me"] {
            let answer = client.get(path).expect_error(401, None);
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "{challenge}: {}", answer.story());
        }
        client.post("/Users", &user("ada")).expect_error(401, None);
        client.post("/Users/.search", &json!({})).expect_error(401, None);
        client.post("/Bulk", &json!({})).expect_error(401, None);
    }
}

fn rfc7644_3_12_unknown_paths_are_404_and_wrong_methods_405(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    let unknown_user = format!("/Users/{NOBODY}");
    for path in
        ["/NoSuchThing", "/Users/00919288221112222", "/Groups/x", &unknown_user, "/Users/%00"]
    {
        scim.get(path).expect_error(404, None);
    }
    scim.get(&format!("/Groups/{id}")).expect_error(404, None);
    let one = format!("/Users/{id}");
    for (method, path, allowed) in [
        ("PUT", "/Users", "POST"),
        ("PATCH", "/Users", "GET"),
        ("DELETE", "/Users", "GET"),
        ("DELETE", "/Groups", "GET"),
        ("POST", one.as_str(), "PATCH"),
        ("POST", "/Groups/1", "PUT"),
        ("GET", "/Users/.search", "POST"),
    ] {
        let body = if method == "GET" || method == "DELETE" { None } else { Some("{}") };
        let body = body.map(|text| ("application/scim+json", text));
        let answer = scim.send(method, path, body).expect_error(405, None);
        let allow = answer.header("allow").unwrap_or_default();
        assert!(allow.contains(allowed), "Allow: {allow}: {}", answer.story());
    }
}

fn rfc7644_3_11_me_is_501(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.get("/Me").expect_error(501, None);
}

fn rfc7644_3_8_content_types(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (number, content_type) in [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/SCIM+JSON",
    ]
    .iter()
    .enumerate()
    {
        let body = user(&format!("user{number}")).to_string();
        scim.send("POST", "/Users", Some((content_type, &body))).expect(201).expect_scim_content();
    }
    let body = user("refused").to_string();
    let packed = scim.with_header("Content-Encoding", "gzip");
    packed.send("POST", "/Users", Some(("application/json", &body))).expect_error(415, None);
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        scim.send("POST", "/Users", Some((content_type, &body))).expect_error(415, None);
    }
    for (accept, expected) in [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/scim+json", "application/scim+json"),
        ("application/scim+json; charset=utf-8", "application/scim+json"),
        ("application/json, application/scim+json", "application/scim+json"),
        ("*/*", "application/scim+json"),
    ] {
        let client = scim.with_header("Accept", accept);
        for path in ["/Users", "/Users/unknown", "/Schemas"] {
            let answer = client.get(path);
            let found = answer.header("content-type").unwrap_or_default();
            assert!(found.starts_with(expected), "Accept: {accept} -> {found}");
        }
    }
}

fn rfc7644_3_12_broken_json_is_invalid_syntax(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    for text in ["{", "", "{\"userName\": }", "[]", "\"text\"", "null", "{\"a\":1} trailing"] {
        for (method, path) in [("POST", "/Users"), ("PUT", &path), ("PATCH", &path)] {
            let body = Some(("application/scim+json", text));
            scim.send(method, path, body).expect_error(400, Some("invalidSyntax"));
        }
    }
    scim.get("/Users").expect_user_names(&["ada"]);
}

fn q27_plus_signs_trailing_slashes_and_escapes_in_urls(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada+x@example.com")).expect(201);
    scim.get("/Users?filter=userName+eq+%22ada%2Bx%40example.com%22")
        .expect_user_names(&["ada+x@example.com"]);
    scim.get("/Users/?filter=userName%20eq%20%22ada%2bx@example.com%22")
        .expect_user_names(&["ada+x@example.com"]);
    assert_eq!(scim.get(&format!("/Users/{}/", created.id())).expect(200).body, created.body);
    scim.post("/Users/", &user("grace")).expect(201);
    scim.get("/Users?unknownParameter=1&filter=userName%20sw%20%22gr%22")
        .expect_user_names(&["grace"]);
}
