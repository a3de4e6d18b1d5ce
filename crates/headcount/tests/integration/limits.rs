//! Requests that are too big, too deep or too long: refused, and the server lives on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::*;

on_each_database!(
    rfc7644_3_12_a_body_that_is_too_large_is_413,
    deep_and_long_input_is_refused,
    a_filter_asks_twenty_times_for_what_is_costly_to_find,
    a_patch_may_hold_hundreds_of_members,
    what_would_cost_too_much_is_refused,
    one_request_has_so_many_values_members_and_operations,
);

fn rfc7644_3_12_a_body_that_is_too_large_is_413(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let answer = post_endless_body(&scim);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    assert!(head.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(body.contains(ERROR) && body.contains("\"413\""), "{answer}");
    scim.get("/Users").expect_empty_list();
}

/// Posts 64 MB. The server may answer and hang up before it has read them, which an HTTP client
/// takes for a broken connection, so this one is made by hand.
fn post_endless_body(scim: &Client) -> String {
    const SIZE: usize = 64 << 20;
    let address = scim.base_url().trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {SIZE}\r\n\
         Connection: close\r\n\r\n",
        scim.token()
    );
    stream.write_all(head.as_bytes()).expect("the head is read");
    let mut writer = stream.try_clone().expect("a stream has two ends");
    let sender = thread::spawn(move || {
        // An answer to the head alone is taken before the connection breaks.
        thread::sleep(Duration::from_millis(500));
        let chunk = vec![b' '; 64 << 10];
        (0..SIZE / chunk.len()).all(|_| writer.write_all(&chunk).is_ok())
    });
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let _ = stream.shutdown(Shutdown::Both);
    let _ = sender.join();
    String::from_utf8_lossy(&answer).into_owned()
}

fn what_would_cost_too_much_is_refused(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": vec!["id"; 10_000]});
    scim.post("/Users/.search", &search).expect_error(400, Some("invalidValue"));
    let id = scim.post("/Groups", &group("A", &[])).expect(201).id();
    let remove = json!({"op": "remove", "path": "members[display sw \"a\"]"});
    let path = format!("/Groups/{id}");
    scim.patch(&path, &json!(vec![remove.clone(); 16])).expect(200);
    scim.patch(&path, &json!(vec![remove; 17])).expect_error(400, Some("tooMany"));
    let notes: Vec<_> =
        (0..40).map(|n| json!({"value": format!("{n}{}", "x".repeat(60_000))})).collect();
    let mut large = user("ada");
    large["photos"] = json!(notes);
    scim.post("/Users", &large).expect_error(400, Some("invalidValue"));
}

fn one_request_has_so_many_values_members_and_operations(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = format!("/Groups/{}", scim.post("/Groups", &group("A", &[])).expect(201).id());
    let values = format!("{{\"schemas\":[\"{USER}\"],\"x\":[{}0]}}", "0,".repeat(500_000));
    let refused = scim.send("POST", "/Users", Some(("application/scim+json", &values)));
    let refused = refused.expect_error(400, Some("invalidSyntax"));
    assert!(refused.text.contains("more than 500000 values"), "{:.300}", refused.text);
    let id = |number: u32| format!("{number:08x}-0000-7000-8000-000000000000");
    let members: Vec<_> = (0..50_001).map(|number| json!({"value": id(number)})).collect();
    let mut body = group("A", &[]);
    body["members"] = json!(members);
    let add = json!([{"op": "add", "path": "members", "value": members}]);
    for refused in [scim.put(&path, &body), scim.post("/Groups", &body), scim.patch(&path, &add)] {
        let refused = refused.expect_error(400, Some("invalidValue"));
        assert!(refused.text.contains("members has more than 50000"), "{:.300}", refused.text);
    }
    let nothing = json!({"op": "replace", "path": "displayName", "value": "A"});
    let refused = scim.patch(&path, &json!(vec![nothing; 10_001]));
    let refused = refused.expect_error(400, Some("invalidSyntax"));
    assert!(refused.text.contains("more than 10000 operations"), "{:.300}", refused.text);
    let emails: Vec<_> = (0..1_001).map(|n| json!({"value": format!("{n}@x.example")})).collect();
    let mut many = user("ada");
    many["emails"] = json!(emails);
    scim.post("/Users", &many).expect_error(400, Some("invalidValue"));
}

fn deep_and_long_input_is_refused(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let deep = |depth: usize| format!("{}userName pr{}", "(".repeat(depth), ")".repeat(depth));
    scim.filter("/Users", &deep(10)).expect_empty_list();
    let chain = |terms: usize| vec!["userName eq \"a\""; terms].join(" or ");
    scim.filter("/Users", &chain(20)).expect_empty_list();
    // Short enough, and too deep; deep enough to end a stack; and too long.
    let not = |depth: usize| format!("{}id pr{}", "not (".repeat(depth), ")".repeat(depth));
    for filter in [
        deep(33),
        not(33),
        deep(5_000),
        not(2_500),
        "not (".repeat(3_000),
        chain(501),
        deep(50_000),
        chain(10_000),
        "[".repeat(50_000),
    ] {
        let search = json!({"schemas": [SEARCH_REQUEST], "filter": filter});
        scim.post("/Users/.search", &search).expect_error(400, Some("invalidFilter"));
    }
    let nested = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"a\",\"title\":{nested}}}");
    let answer = scim.send("POST", "/Users", Some(("application/scim+json", &body)));
    answer.expect_error(400, Some("invalidSyntax"));
    scim.post("/Users", &user(&"a".repeat(100_000))).expect_error(400, Some("invalidValue"));
    scim.get("/Users").expect_empty_list();
}

fn a_filter_asks_twenty_times_for_what_is_costly_to_find(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ours = |test: &str| format!("{HEADCOUNT}:{test}");
    let costly = [
        "groups[display eq \"Staff\" or display eq \"Crew\"]".to_owned(),
        "not (groups eq \"x\")".to_owned(),
        "roles ne \"x\"".to_owned(),
        ours("roleGrants[role eq \"x\"]"),
        ours("effectiveRoles pr"),
        ours("skills.value eq \"x\""),
        ours("blockedPermissionCount gt 0"),
    ];
    let chain = |terms: usize| {
        let all: Vec<&str> = costly.iter().map(String::as_str).cycle().take(terms).collect();
        all.join(" or ")
    };
    scim.filter("/Users", &chain(20)).expect(200);
    let refused = scim.filter("/Users", &chain(21)).expect_error(400, Some("invalidFilter"));
    let detail = refused["detail"].to_string();
    assert!(detail.contains("at most 20") && detail.contains("blockedPermissionCount"), "{detail}");
    // The next filter has a count of its own, and what has an index is not counted.
    let cheap = vec!["emails eq \"a@x.example\" or externalId eq \"x\""; 100].join(" or ");
    scim.filter("/Users", &format!("{} or {cheap}", chain(20))).expect(200);
    let grants = ours("roleGrants.role eq \"x\"").replace(":User:", ":Group:");
    scim.filter("/Groups", &vec![grants.as_str(); 20].join(" or ")).expect_empty_list();
    let refused = scim.filter("/Groups", &vec![grants.as_str(); 21].join(" or "));
    refused.expect_error(400, Some("invalidFilter"));
    let members = vec!["members eq \"x\""; 100].join(" or ");
    scim.filter("/Groups", &members).expect_empty_list();
}

fn a_patch_may_hold_hundreds_of_members(database: Database) {
    let (_server, scim) = serve(database, Dialect::Okta);
    let ids: Vec<String> = (0..256)
        .map(|number| scim.post("/Users", &user(&format!("user{number}"))).expect(201).id())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let path = format!("/Groups/{}", scim.post("/Groups", &group("All", &[])).expect(201).id());
    let add = json!([{"op": "add", "path": "members", "value": members_of(&ids)}]);
    scim.patch(&path, &add).expect_done();
    assert_eq!(member_ids(&scim.get(&path).expect(200).body).len(), 256);
    let removals: Vec<_> = ids[..255]
        .iter()
        .map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
        .collect();
    scim.patch(&path, &json!(removals)).expect_done();
    assert_eq!(member_ids(&scim.get(&path).expect(200).body), [ids[255]]);
}
