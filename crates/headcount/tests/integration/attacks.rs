//! What attackers try: to make text into SQL, one request into two, numbers and bytes into what nobody
//! expects, and a client that provisions people into an administrator. SECURITY.md has the list.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    what_looks_like_sql_in_a_filter_is_text,
    what_looks_like_sql_in_a_name_is_no_name,
    what_looks_like_sql_in_a_patch_is_text,
    rfc9112_6_3_one_request_does_not_become_two,
    numbers_beyond_all_bounds_are_refused_or_harmless,
    bytes_that_are_no_utf8_are_refused_wherever_they_are,
    r30_r42_an_identity_provider_makes_nobody_an_administrator,
);

/// Texts that mean something to SQL, to its LIKE, to JSON paths or to regular expressions.
const ODD: [&str; 11] = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\") OR 1=1 --",
    "x' UNION SELECT secret_hash FROM tokens --",
    "%",
    "_",
    "\\",
    "$1",
    "?1",
    "a.*",
    "{\"a\":1}",
];

/// A text as a filter writes it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn what_looks_like_sql_in_a_filter_is_text(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    // Of whom it must not find anybody by accident.
    for name in ["ada", "grace", "zoe"] {
        let mut plain = user(name);
        plain["title"] = json!("Engineer");
        scim.post("/Users", &plain).expect(201);
    }
    for (number, odd) in ODD.into_iter().enumerate() {
        for attribute in ["userName", "displayName", "title", "emails.value", "externalId", "id"] {
            for operator in ["eq", "co", "sw", "ew"] {
                let filter = format!("{attribute} {operator} {}", quoted(odd));
                let found = scim.filter("/Users", &filter).expect(200);
                assert_eq!(found["totalResults"], 0, "{filter}: {}", found.story());
            }
        }
        // Who does have it is found by it, and nobody else.
        let name = format!("n{number} {odd} end");
        let mut user = user(&name);
        user["title"] = json!(odd);
        let path = format!("/Users/{}", scim.post("/Users", &user).expect(201).id());
        for (attribute, operator, text) in [
            ("userName", "eq", name.as_str()),
            ("userName", "co", odd),
            ("userName", "sw", &name[..name.len() - 3]),
            ("title", "eq", odd),
            ("title", "co", odd),
            ("title", "sw", odd),
            ("title", "ew", odd),
        ] {
            let filter = format!("{attribute} {operator} {}", quoted(text));
            scim.filter("/Users", &filter).expect_user_names(&[name.as_str()]);
        }
        scim.delete(&path).expect(204);
    }
    let all = scim.get("/Users").expect(200);
    assert_eq!(all["totalResults"], 3, "{}", all.story());
}

fn what_looks_like_sql_in_a_name_is_no_name(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    for name in [
        "userName' OR '1'='1",
        "userName\" OR \"1\"=\"1",
        "name.givenName'); DROP TABLE users; --",
        "userName;DROP TABLE users",
        "emails[value' eq \"x\"]",
        "urn:x:'y:z",
        "document ->> 'userName'",
    ] {
        let filter = format!("{name} eq \"ada\"");
        scim.filter("/Users", &filter).expect_error(400, Some("invalidFilter"));
        let sorted = scim.query("/Users", &[("sortBy", name)]);
        assert!(matches!(sorted.status, 200 | 400), "{name}: {}", sorted.story());
        let chosen = scim.query("/Users", &[("attributes", name)]);
        assert!(matches!(chosen.status, 200 | 400), "{name}: {}", chosen.story());
    }
    scim.get("/Users").expect_user_names(&["ada"]);
}

fn what_looks_like_sql_in_a_patch_is_text(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let bob = scim.post("/Users", &user("bob")).expect(201);
    let ada = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    for odd in ODD {
        let phones = json!([{"type": "work", "value": odd}, {"type": "other", "value": "1"}]);
        scim.patch(
            &ada,
            &json!([{"op": "replace", "value": {"title": odd, "phoneNumbers": phones}}]),
        )
        .expect(200);
        // In the filter of a path it selects what it is, and nothing else.
        let path = format!("phoneNumbers[value eq {}].display", quoted(odd));
        let patched = scim.patch(&ada, &replace(&path, "found")).expect(200);
        assert_eq!(patched["title"], odd, "{}", patched.story());
        let displays: Vec<&Value> =
            patched["phoneNumbers"].as_array().unwrap().iter().map(|one| &one["display"]).collect();
        assert_eq!(displays, [&json!("found"), &Value::Null], "{}", patched.story());
        let gone = json!([{"op": "remove", "path": format!("members[value eq {}]", quoted(odd))}]);
        let team = scim.post("/Groups", &group(odd, &[&bob.id()])).expect(201);
        let path = format!("/Groups/{}", team.id());
        scim.patch(&path, &gone).expect_done();
        assert_eq!(member_ids(&scim.get(&path).expect(200).body), [bob.id()], "{odd}");
    }
    // A path that is none changes nothing.
    let before = scim.get(&ada).expect(200).body;
    for path in
        ["title'] = 'x", "title\"; DELETE FROM users", "phoneNumbers[value eq \"x' OR 1=1\""]
    {
        let refused = scim.patch(&ada, &replace(path, "x"));
        assert_eq!(refused.status, 400, "{path}: {}", refused.story());
    }
    assert_eq!(scim.get(&ada).expect(200).body, before);
    assert_eq!(scim.get("/Users").expect(200)["totalResults"], 2);
}

/// Sends bytes as they are, ends its half of the connection, and reads all answers.
fn raw(scim: &Client, request: &[u8]) -> String {
    let address = scim.base_url().trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    let _ = stream.read_to_end(&mut answers);
    String::from_utf8_lossy(&answers).into_owned()
}

fn rfc9112_6_3_one_request_does_not_become_two(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let token = format!("Authorization: Bearer {}", scim.token());
    let hidden = format!("GET /scim/v2/Hidden HTTP/1.1\r\nHost: a\r\n{token}\r\n\r\n");
    let send = |head: &str, body: &str| {
        let line = "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json";
        raw(&scim, format!("{line}\r\n{token}\r\n{head}\r\n\r\n{body}").as_bytes())
    };
    let answers = |text: &str| text.matches("HTTP/1.1 ").count();
    // What it looks like where there are two requests indeed.
    let two = send("Content-Length: 2", &format!("{{}}{hidden}"));
    assert!(answers(&two) == 2 && two.contains("HTTP/1.1 404"), "{two}");
    let length = hidden.len();
    let chunks = format!("0\r\n\r\n{hidden}");
    for (head, body) in [
        // One of them says that the body ends before what is hidden in it.
        (format!("Content-Length: {length}\r\nContent-Length: 0"), hidden.clone()),
        (format!("Content-Length: 0\r\nContent-Length: {length}"), hidden.clone()),
        (format!("Content-Length: 0, {length}"), hidden.clone()),
        (format!("Content-Length: +{length}"), hidden.clone()),
        (format!("Content-Length: 0x{length:x}"), hidden.clone()),
        ("Content-Length: -1".to_owned(), hidden.clone()),
        (format!("Content-Length: {}\r\nTransfer-Encoding: chunked", chunks.len()), chunks.clone()),
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {}", chunks.len()), chunks.clone()),
        // One of them does not know the coding, or reads another name.
        ("Transfer-Encoding: xchunked".to_owned(), chunks.clone()),
        ("Transfer-Encoding: chunked, identity".to_owned(), chunks.clone()),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip".to_owned(), chunks.clone()),
        (
            format!("Transfer-Encoding : chunked\r\nContent-Length: {}", chunks.len()),
            chunks.clone(),
        ),
        (
            format!("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: {length}"),
            hidden.clone(),
        ),
        // What is no chunk.
        ("Transfer-Encoding: chunked".to_owned(), format!("zz\r\n{hidden}")),
        ("Transfer-Encoding: chunked".to_owned(), format!("-1\r\n{hidden}")),
        ("Transfer-Encoding: chunked".to_owned(), format!("fffffffffffffffff\r\n{hidden}")),
    ] {
        let said = send(&head, &body);
        assert!(!said.contains("HTTP/1.1 404"), "{head:?}: what was hidden was answered: {said}");
        assert!(answers(&said) <= 1, "{head:?}: {said}");
        assert!(!said.contains("HTTP/1.1 2"), "{head:?}: {said}");
    }
    scim.get("/Users").expect_empty_list();
}

fn numbers_beyond_all_bounds_are_refused_or_harmless(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let before = scim.get(&ada).expect(200).body;
    let long = "9".repeat(100_000);
    for number in ["1e400", "-1e400", "1e999999999999", "-", "01", "0x10", "NaN", "Infinity", "1e"]
    {
        let body = format!(r#"{{"schemas":["{USER}"],"userName":"bob","x":{number}}}"#);
        let answer = scim.send("POST", "/Users", Some(("application/scim+json", &body)));
        answer.expect_error(400, Some("invalidSyntax"));
    }
    for number in ["1e308", "-0.0", "1e-999", long.as_str(), "18446744073709551616"] {
        // It is a number, and none that a text, a truth or a count could be.
        for (attribute, value) in [("title", number), ("active", number)] {
            let operation = format!(r#"{{"op":"replace","path":"{attribute}","value":{value}}}"#);
            let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operation}]}}"#);
            let answer = scim.send("PATCH", &ada, Some(("application/scim+json", &body)));
            assert_eq!(answer.status, 400, "{attribute} {:.100}", answer.story());
        }
        let tag = format!("W/\"{number}\"");
        let guarded = scim.with_header("If-Match", &tag).delete(&ada);
        assert!(matches!(guarded.status, 400 | 412 | 431), "{:.200}", guarded.story());
    }
    let long = &long[..1_000];
    for number in ["1e308", "-1e308", "99999999999999999999", "-99999999999999999999", "NaN", long]
    {
        for parameter in ["count", "startIndex"] {
            let answer = scim.query("/Users", &[(parameter, number)]);
            assert!(matches!(answer.status, 200 | 400), "{parameter}: {:.200}", answer.story());
        }
    }
    for filter in ["active eq 1e400", "meta.created gt 99999999999999999999"] {
        scim.filter("/Users", filter).expect_error(400, Some("invalidFilter"));
    }
    assert_eq!(scim.get(&ada).expect(200).body, before);
}

fn bytes_that_are_no_utf8_are_refused_wherever_they_are(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let token = format!("Authorization: Bearer {}", scim.token());
    // A lone byte, an overlong slash, a surrogate, and a character beyond all.
    for odd in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
        let mut body = format!(r#"{{"schemas":["{USER}"],"userName":"a"#).into_bytes();
        body.extend_from_slice(odd);
        body.extend_from_slice(b"\"}");
        let head = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\n{token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = raw(&scim, &[head.as_bytes(), &body].concat());
        assert!(answer.starts_with("HTTP/1.1 400"), "{odd:?}: {answer}");
        assert!(answer.contains("invalidSyntax"), "{odd:?}: {answer}");
        let digits = server::token::hex(odd).into_bytes();
        let digits = digits.chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
        let escaped = format!("%{}", digits.collect::<Vec<_>>().join("%"));
        for query in
            [format!("filter=userName%20eq%20%22{escaped}%22"), format!("sortBy={escaped}")]
        {
            let answer = scim.get(&format!("/Users?{query}"));
            assert!(matches!(answer.status, 200 | 400), "{query}: {}", answer.story());
            assert_ne!(answer["totalResults"], 1, "{query}: {}", answer.story());
        }
    }
    for escape in ["\\ud800", "\\udc00\\ud800", "\\u12", "\\x41"] {
        let body = format!(r#"{{"schemas":["{USER}"],"userName":"a{escape}"}}"#);
        let answer = scim.send("POST", "/Users", Some(("application/json", &body)));
        answer.expect_error(400, Some("invalidSyntax"));
    }
    scim.get("/Users").expect_empty_list();
}

/// A group of administrators, somebody who is one, and somebody who was one and is deleted.
fn administrators(admin: &Administrator) -> [String; 3] {
    let mut masters = group("Masters", &[]);
    masters["schemas"] = json!([GROUP, HEADCOUNT_GROUP]);
    masters[HEADCOUNT_GROUP] = json!({"roleGrants": [{"role": "master-admin", "division": "*"}]});
    let [root, gone] = ["root", "gone"].map(|name| {
        let mut root = user(name);
        root["roles"] = json!([{"value": "master-admin@*"}]);
        admin.create_as("/Users", &root)
    });
    admin.scim.delete(&gone).expect(204);
    [admin.create_as("/Groups", &masters), root, gone]
}

/// The roles that count of an account, those of its groups too.
fn effective(admin: &Administrator, path: &str) -> String {
    let asked = format!("{path}?attributes={HEADCOUNT}:effectiveRoles");
    admin.scim.get(&asked).expect(200)[HEADCOUNT]["effectiveRoles"].to_string()
}

fn r30_r42_an_identity_provider_makes_nobody_an_administrator(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let [masters, root, gone] = administrators(&admin);
    assert!(effective(&admin, &root).contains("master-admin"));
    let mallory = create_user(&scim, &user("mallory"));
    let id = mallory.trim_start_matches("/Users/");
    let role = json!([{"value": "master-admin@*"}]);
    let grant = json!([{"role": "master-admin", "division": "*"}]);
    let join = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    let mut with_role = user("mallory");
    with_role["roles"] = role.clone();
    let mut with_grant = user("mallory");
    with_grant[HEADCOUNT] = json!({"roleGrants": grant});
    let mut of_masters = group("Masters", &[id]);
    of_masters["schemas"] = json!([GROUP, HEADCOUNT_GROUP]);
    of_masters[HEADCOUNT_GROUP] = json!({"roleGrants": grant});
    let mut own = of_masters.clone();
    own["displayName"] = json!("Own");
    let patch = |operations: &Value| json!({"schemas": [PATCH_OP], "Operations": operations});
    let grants_of_user = replace(&format!("{HEADCOUNT}:roleGrants"), grant.clone());
    let ways = [
        ("PATCH", mallory.as_str(), patch(&replace("roles", role.clone()))),
        ("PATCH", &mallory, patch(&json!([{"op": "add", "path": "roles", "value": role}]))),
        ("PATCH", &mallory, patch(&grants_of_user)),
        ("PUT", &mallory, with_role),
        ("PUT", &mallory, with_grant),
        ("PATCH", &masters, patch(&join)),
        ("PUT", &masters, of_masters),
        ("PUT", &masters, group("Masters", &[id])),
        ("POST", "/Groups", own),
    ];
    for (method, path, body) in &ways {
        let refused = scim.json(method, path, body);
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.story());
        assert_eq!(refused[HEADCOUNT_ERROR]["code"], "roleNotGrantable", "{}", refused.story());
        // Nor one among others.
        let mut operation = json!({"method": method, "path": path, "data": body});
        if *method == "POST" {
            operation["bulkId"] = json!("a");
        }
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let done = scim.post("/Bulk", &json!({"schemas": [schema], "Operations": [operation]}));
        let done = done.expect(200);
        assert_eq!(done["Operations"][0]["status"], "403", "{method} {path}: {}", done.story());
    }
    // Nor by the name of a group that there is, nor as the person whom an administrator was.
    scim.post("/Groups", &group("Masters", &[id])).expect(409);
    let back = scim.post("/Users", &user("gone"));
    assert!(matches!(back.status, 200 | 201 | 409), "{}", back.story());
    for path in [&mallory, &gone] {
        if scim.get(path).status == 200 {
            let roles = effective(&admin, path);
            assert!(!roles.contains("admin"), "{path}: {roles}");
        }
    }
    // The verbs are for administrators.
    for verb in ["restore", "activate", "unlock"] {
        let tried = verbs_of(&scim).json("POST", &format!("{gone}/{verb}"), &json!({}));
        assert!(matches!(tried.status, 403 | 404), "{verb}: {}", tried.story());
    }
    let connection = admin.path_of("/Connections", "standard");
    scim.patch(&connection, &replace("scopes", json!(["admin"]))).expect(403);
    let life = json!({"expires": "2030-01-01T00:00:00Z"});
    let tried = verbs_of(&scim).json("POST", &format!("{connection}/create-token"), &life);
    assert_eq!(tried.status, 403, "{}", tried.story());
}
