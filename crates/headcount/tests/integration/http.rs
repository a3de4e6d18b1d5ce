//! What HTTP leaves to both sides: media types, codings, methods, odd URLs and odd bodies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_8_charsets_and_bytes_of_bodies,
    rfc7644_3_8_the_answer_has_the_type_that_is_asked_for,
    rfc8259_4_a_name_that_is_there_twice_is_invalid_syntax,
    rfc7644_3_4_2_a_parameter_that_is_there_twice_is_invalid_value,
    rfc9110_8_4_only_large_answers_are_compressed,
    rfc9110_15_5_6_methods_that_a_path_does_not_have_are_405,
    rfc7644_3_12_every_refusal_has_an_error_body,
    rfc7644_2_everything_but_discovery_needs_a_token,
    rfc9110_4_2_odd_urls,
    urls_and_heads_are_bounded,
    a_body_that_nobody_reads_holds_no_connection,
    errors_do_not_repeat_all_that_was_sent,
    nothing_stands_for_nul,
);

/// Sends bytes as they are, and reads until the server hangs up.
fn raw(scim: &Client, request: &str) -> String {
    let address = scim.base_url().trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let request = request.replace("TOKEN", &format!("Authorization: Bearer {}", scim.token()));
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn rfc7644_3_8_charsets_and_bytes_of_bodies(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let body = user("ada").to_string();
    for refused in [
        "application/json; charset=iso-8859-1",
        "application/scim+json;charset=\"UTF-16\"",
        "application/merge-patch+json",
    ] {
        scim.send("POST", "/Users", Some((refused, &body))).expect_error(415, None);
    }
    for coding in ["gzip", "br", "identity, gzip"] {
        let packed = scim.with_header("Content-Encoding", coding);
        packed.send("POST", "/Users", Some(("application/json", &body))).expect_error(415, None);
    }
    let marked = format!("\u{feff}{body}");
    let answer = scim.send("POST", "/Users", Some(("application/scim+json", &marked)));
    let answer = answer.expect_error(400, Some("invalidSyntax"));
    assert!(answer.text.contains("byte order mark"), "{}", answer.story());
    scim.get("/Users").expect_empty_list();
    let identity = scim.with_header("Content-Encoding", "Identity");
    let quoted = "application/scim+json; Charset=\"UTF-8\"";
    identity.send("POST", "/Users", Some((quoted, &body))).expect(201);
}

fn rfc7644_3_8_the_answer_has_the_type_that_is_asked_for(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (accept, expected) in [
        (&["application/json;q=0.9, */*;q=0.8"][..], "application/json; charset=utf-8"),
        (&["application/json, text/plain, */*"], "application/json; charset=utf-8"),
        (&["text/html", "application/json"], "application/json; charset=utf-8"),
        (
            &["application/json;q=0.2, application/scim+json"],
            "application/scim+json; charset=utf-8",
        ),
        // A client that takes nothing that there is gets SCIM's own type rather than 406.
        (&["text/html"], "application/scim+json; charset=utf-8"),
        (&["*/*;q=0"], "application/scim+json; charset=utf-8"),
        (&["application/json;q=0"], "application/scim+json; charset=utf-8"),
        (&["utter / nonsense;;q="], "application/scim+json; charset=utf-8"),
    ] {
        let mut client = scim.clone();
        for value in accept {
            client = client.with_header("Accept", value);
        }
        for path in ["/Users", "/Users/unknown", "/Schemas", "/Me"] {
            let answer = client.get(path);
            assert_eq!(answer.header("content-type"), Some(expected), "{accept:?} {path}");
            assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"), "{path}");
        }
    }
    let odd = scim.with_header("Accept-Charset", "utf-8").with_header("Accept-Language", "de");
    odd.get("/Users").expect(200).expect_scim_content();
}

fn rfc8259_4_a_name_that_is_there_twice_is_invalid_syntax(database: Database) {
    let (_server, scim) = serve(database, Dialect::Entra);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let one = format!("/Users/{}", created.id());
    let patch = |rest: &str| format!("{{\"schemas\":[\"{PATCH_OP}\"],{rest}}}");
    let search = |rest: &str| format!("{{\"schemas\":[\"{SEARCH_REQUEST}\"],{rest}}}");
    let user = |rest: &str| format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"ada\",{rest}}}");
    for (method, path, body, name) in [
        ("POST", "/Users", user(r#""userName":"b""#), "userName"),
        ("POST", "/Users", user(r#""USERNAME":"b""#), "USERNAME"),
        ("PUT", &one, user(r#""active":true,"active":false"#), "active"),
        ("PUT", &one, user(r#""name":{"givenName":"a","GivenName":"b"}"#), "GivenName"),
        ("PUT", &one, user(r#""emails":[{"value":"a@b","value":"c@d"}]"#), "value"),
        ("PUT", &one, user(r#""unknown":{"x":1,"x":2}"#), "x"),
        ("PATCH", &one, patch(r#""Operations":[],"operations":[]"#), "operations"),
        ("PATCH", &one, patch(r#""Operations":[{"op":"add","OP":"remove","path":"title"}]"#), "OP"),
        (
            "PATCH",
            &one,
            patch(r#""Operations":[{"op":"add","value":{"title":"a","title":"b"}}]"#),
            "title",
        ),
        ("POST", "/Users/.search", search(r#""count":1,"Count":2"#), "Count"),
        ("POST", "/.search", search(r#""filter":"title pr","filter":"id pr""#), "filter"),
    ] {
        let answer = scim.send(method, path, Some(("application/scim+json", &body)));
        let answer = answer.expect_error(400, Some("invalidSyntax"));
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(&format!("\"{name}\"")), "{}", answer.story());
    }
    assert_eq!(scim.get(&one).expect(200).body, created.body);
}

fn rfc7644_3_4_2_a_parameter_that_is_there_twice_is_invalid_value(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let one = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    for query in [
        "count=1&count=2",
        "count=1&Count=1",
        "filter=title%20pr&filter=id%20pr",
        "startIndex=1&STARTINDEX=2",
        "sortBy=id&sort%42y=id",
    ] {
        for path in ["/Users", "/Groups", ""] {
            let answer = scim.get(&format!("{path}?{query}"));
            answer.expect_error(400, Some("invalidValue"));
        }
    }
    let twice = "attributes=userName&attributes=title";
    scim.get(&format!("{one}?{twice}")).expect_error(400, Some("invalidValue"));
    let body = user("grace");
    scim.post(&format!("/Users?{twice}"), &body).expect_error(400, Some("invalidValue"));
    scim.get("/Users").expect_user_names(&["ada"]);
}

fn rfc9110_8_4_only_large_answers_are_compressed(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for number in 0..30 {
        let email = format!("user{number}@example.com");
        scim.post("/Users", &person("Ada", "Lovelace", &email)).expect(201);
    }
    let plain = scim.get("/Users").expect(200);
    assert!(plain.text.len() > 4 * 1024 && plain.header("content-encoding").is_none());
    let length = |answer: &Answer| -> usize {
        answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default()
    };
    for accepted in ["gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
        let client = scim.with_header("Accept-Encoding", accepted);
        let packed = client.get("/Users").expect(200).expect_scim_content();
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{accepted}");
        assert_eq!(packed.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(packed.body, plain.body, "{accepted}");
        assert!(length(&packed) * 4 < plain.text.len(), "{}", length(&packed));
        let head = client.send("HEAD", "/Users", None).expect(200);
        assert_eq!(head.header("content-encoding"), Some("gzip"));
        assert_eq!(length(&head), length(&packed));
        // What is small or refused stays as it is.
        for small in ["/Users?count=1", "/Users/unknown", "/ServiceProviderConfig"] {
            let answer = client.get(small);
            assert!(answer.header("content-encoding").is_none(), "{}", answer.story());
            assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
        }
    }
    for refused in ["identity", "gzip;q=0", "br, deflate", "*;q=0", "gzip;q=0.1, identity;q=1"] {
        let answer = scim.with_header("Accept-Encoding", refused).get("/Users").expect(200);
        assert!(answer.header("content-encoding").is_none(), "{refused}");
        assert_eq!(answer.body, plain.body, "{refused}");
    }

    let ids: Vec<String> =
        strings(&plain["Resources"], "id").iter().map(ToString::to_string).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let team = scim.post("/Groups", &group("Team", &ids)).expect(201);
    let path = format!("/Groups/{}", team.id());
    let client = scim.with_header("Accept-Encoding", "gzip");
    let packed = client.get(&path).expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("etag"), Some(team.version().as_str()), "one tag for every coding");
    client.with_header("If-None-Match", &team.version()).get(&path).expect(304);
}

fn rfc9110_15_5_6_methods_that_a_path_does_not_have_are_405(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    for (path, allowed) in [
        ("/Users", "GET, HEAD, POST"),
        ("/Groups/", "GET, HEAD, POST"),
        ("/Users/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Users/.search", "POST"),
        ("/.search", "POST"),
        ("", "GET, HEAD"),
        ("/Schemas", "GET, HEAD"),
    ] {
        for method in ["OPTIONS", "TRACE"] {
            let answer = scim.send(method, path, None).expect_error(405, None);
            assert_eq!(answer.header("allow"), Some(allowed), "{}", answer.story());
        }
    }
    let answer =
        raw(&scim, "BREW /scim/v2/Users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTOKEN\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains(ERROR), "{answer}");
    let nobody = server.anonymous();
    nobody.send("OPTIONS", "/Users", None).expect_error(401, None);
    nobody.send("OPTIONS", "/Schemas", None).expect_error(405, None);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        scim.send(method, "/Me", None).expect_error(501, None);
    }
}

fn rfc7644_3_12_every_refusal_has_an_error_body(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let one = format!("/Users/{}", created.id());
    scim.get("/Users?filter=x").expect_error(400, Some("invalidFilter"));
    server.anonymous().get("/Users").expect_error(401, None);
    scim.get("/Schemas?filter=id%20pr").expect_error(403, None);
    scim.get("/Users/unknown").expect_error(404, None);
    scim.send("PUT", "/Users", None).expect_error(405, None);
    scim.post("/Users", &user("ADA")).expect_error(409, Some("uniqueness"));
    scim.with_header("If-Match", "\"0\"").delete(&one).expect_error(412, None);
    scim.send("POST", "/Users", Some(("text/plain", "x"))).expect_error(415, None);
    scim.get("/Me").expect_error(501, None);
    for outside in ["/../../", "/../v1/Users", "/../../favicon.ico"] {
        // Outside of the endpoint there is nothing, and nothing to protect.
        let url = format!("GET {}{} HTTP/1.0\r\n\r\n", "/scim", outside.trim_start_matches("/.."));
        let answer = raw(&scim, &url);
        assert!(answer.starts_with("HTTP/1.0 404") && answer.contains(ERROR), "{url} {answer}");
        assert!(answer.contains("application/scim+json"), "{answer}");
    }
}

fn rfc7644_2_everything_but_discovery_needs_a_token(database: Database) {
    let (server, scim) = serve(database, Dialect::Standard);
    let one = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let stranger = server.client_with_token(&format!("hc_{}_{}", "0".repeat(24), "0".repeat(64)));
    for client in [server.anonymous(), stranger] {
        for path in
            ["", "/Users", &one, "/Groups", "/.search", "/Me", "/Bulk", "/Nothing", "/Users/a/b"]
        {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                client.send(method, path, None).expect_error(401, None);
            }
            client.send("HEAD", path, None).expect(401);
        }
        // Not even that the query is wrong, or the version another.
        client.get("/Users?count=x&count=y").expect_error(401, None);
        client.with_header("If-Match", "\"9\"").delete(&one).expect_error(401, None);
        client.get("/ServiceProviderConfig").expect(200);
    }
    scim.get(&one).expect(200);
}

fn rfc9110_4_2_odd_urls(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let id = created.id();
    for path in [
        format!("//Users//{id}"),
        format!("/Users/{id}//"),
        format!("/Users/{id}?"),
        format!("/Users/{id}?&&"),
        format!("/Users/{}", id.replace('-', "%2D")),
        format!("/Users/{}", id.replace('0', "%30")),
        // What Entra ID adds to a URL that is not stripped of it.
        format!("/Users/{id}?aadOptscim062020"),
    ] {
        assert_eq!(scim.get(&path).expect(200).body, created.body, "{path}");
    }
    for path in ["/Users/%2e%2e", "/Users/%FF", "/Users/a%2Fb", "/Users/%", "/Users/%00", "/users"]
    {
        scim.get(path).expect_error(404, None);
    }
    for filter in
        ["userName+eq+%22ada%22", "userName%20eq%20%22ada%22", "userName%09eq+%22%61da%22"]
    {
        let answer = scim.get(&format!("/Users?filter={filter}"));
        assert!(answer.status == 200 && answer["totalResults"] == 1, "{}", answer.story());
    }
}

fn urls_and_heads_are_bounded(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let head = |url: &str, more: &str| {
        format!(
            "GET /scim/v2/{url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTOKEN\r\n{more}\r\n"
        )
    };
    let long = raw(&scim, &head(&format!("Users?x={}", "a".repeat(50_000)), ""));
    assert!(long.starts_with("HTTP/1.1 200"), "{long}");
    let longer = raw(&scim, &head(&format!("Users?x={}", "a".repeat(60_000)), ""));
    assert!(longer.starts_with("HTTP/1.1 414") && longer.contains(ERROR), "{longer}");
    let nobody = raw(&scim, &format!("GET /{} HTTP/1.0\r\n\r\n", "a".repeat(60_000)));
    assert!(nobody.starts_with("HTTP/1.0 414"), "{nobody}");
    let many = "x: y\r\n".repeat(60);
    assert!(raw(&scim, &head("Users", &many)).starts_with("HTTP/1.1 200"));
    for request in [
        head(&format!("Users?x={}", "a".repeat(70_000)), ""),
        head(&format!("Users?x={}", "a".repeat(200_000)), ""),
        head("Users", &format!("x: {}\r\n", "y".repeat(200_000))),
        head("Users", &"x: y\r\n".repeat(200)),
    ] {
        let answer = raw(&scim, &request);
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["400", "413", "414", "431"].contains(&status), "{answer}");
    }
    let id = scim.get(&format!("/Users/{}", "a".repeat(50_000))).expect_error(404, None);
    assert!(id.text.len() < 500, "{}", id.text.len());
    scim.get("/Users").expect_empty_list();
}

fn a_body_that_nobody_reads_holds_no_connection(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let begun = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";
    for (request, status) in [
        (format!("POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\n{begun}"), "401"),
        (format!("GET /scim/v2/Schemas HTTP/1.1\r\nHost: a\r\n{begun}"), "200"),
        (format!("DELETE /scim/v2/Users/1 HTTP/1.1\r\nHost: a\r\nTOKEN\r\n{begun}"), "404"),
    ] {
        let start = Instant::now();
        let answer = raw(&scim, &request);
        assert!(start.elapsed() < Duration::from_secs(15), "{request}: the connection stays open");
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
    }
    // A body that is there and not wanted is no reason to hang up.
    let twice =
        "DELETE /scim/v2/Users/1 HTTP/1.1\r\nHost: a\r\nTOKEN\r\nContent-Length: 2\r\n\r\n{}";
    let answers = raw(&scim, &format!("{twice}{twice}"));
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 2, "{answers}");
}

fn errors_do_not_repeat_all_that_was_sent(database: Database) {
    let (_server, scim) = serve(database, Dialect::Strict);
    let long = "a".repeat(20_000);
    let mut odd = user("ada");
    odd[long.as_str()] = json!(1);
    let search = json!({"schemas": [SEARCH_REQUEST], "sortBy": long});
    for answer in [
        scim.post("/Users", &odd),
        scim.post("/Users/.search", &search),
        scim.get(&format!("/Users?{long}=1&{long}=1")),
        scim.get(&format!("/Users?sortBy={long}")),
    ] {
        assert_eq!(answer.status, 400, "{:.300}", answer.story());
        assert!(answer.text.len() < 2_000, "{} bytes", answer.text.len());
    }
}

fn nothing_stands_for_nul(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let mut body = user("ada");
    body["title"] = json!("a\u{0}b");
    for body in [body, user("a\u{0}b")] {
        scim.post("/Users", &body).expect_error(400, Some("invalidValue"));
    }
    for filter in ["userName eq \"a\\u0000b\"", "title co \"\\u0000\""] {
        scim.filter("/Users", filter).expect_error(400, Some("invalidFilter"));
    }
}
