//! RFC 9865: paging by cursor.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc9865_2_each_page_leads_to_the_next_until_the_last,
    rfc9865_2_a_last_page_that_is_full_leads_nowhere,
    rfc9865_2_a_count_of_zero_asks_for_the_total_alone,
    rfc9865_2_1_counts_out_of_bounds_or_changed_are_invalid,
    rfc9865_2_1_a_cursor_goes_with_its_query,
    rfc9865_2_2_pages_are_those_of_the_sorted_whole,
    rfc9865_2_changes_between_pages_pass_nothing_over,
    rfc9865_2_a_long_key_is_not_in_the_cursor,
    rfc9865_2_queries_over_all_types,
    rfc9865_3_search_by_post,
    rfc9865_4_the_configuration_says_so,
    rfc9865_5_2_what_was_not_given_to_this_caller_is_invalid,
    rfc9865_5_2_a_cursor_outlives_its_server_and_works_on_every_other,
);

fn create(scim: &Client, names: impl IntoIterator<Item = String>) {
    for name in names {
        scim.post("/Users", &user(&name)).expect(201);
    }
}

fn next_cursor(answer: &Answer) -> Option<String> {
    let next = answer.body.get("nextCursor")?;
    let next = next.as_str().unwrap_or_else(|| panic!("it is text: {}", answer.story()));
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    assert!(!next.is_empty() && next.bytes().all(unreserved), "{}", answer.story());
    Some(next.to_owned())
}

/// The first page of a query and the cursor to the second.
#[track_caller]
fn first_of(scim: &Client, query: &str) -> (Answer, String) {
    let first = scim.get(&format!("{query}&cursor")).expect(200);
    let next = next_cursor(&first);
    let next = next.unwrap_or_else(|| panic!("there are more pages: {}", first.story()));
    (first, next)
}

#[track_caller]
fn page_after(scim: &Client, query: &str, cursor: &str) -> Answer {
    scim.get(&format!("{query}&cursor={cursor}"))
}

/// Every page of a query.
#[track_caller]
fn pages(scim: &Client, query: &str) -> Vec<Answer> {
    let mut pages = vec![scim.get(&format!("{query}&cursor=")).expect(200)];
    while let Some(next) = pages.last().and_then(next_cursor) {
        assert!(pages.len() < 100, "there is an end");
        pages.push(page_after(scim, query, &next).expect(200));
    }
    for page in &pages {
        assert_eq!(page["schemas"], json!([LIST_RESPONSE]), "{}", page.story());
        assert_eq!(page["totalResults"], pages[0]["totalResults"], "{}", page.story());
        assert_eq!(page["itemsPerPage"], page.resources().len(), "{}", page.story());
        assert!(page["startIndex"].is_null(), "it is paged by index: {}", page.story());
    }
    pages
}

fn ids(answer: &Answer) -> Vec<&str> {
    strings(&answer["Resources"], "id")
}

fn ids_of(pages: &[Answer]) -> Vec<&str> {
    pages.iter().flat_map(ids).collect()
}

fn sizes(pages: &[Answer]) -> Vec<usize> {
    pages.iter().map(|page| page.resources().len()).collect()
}

fn rfc9865_2_each_page_leads_to_the_next_until_the_last(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..23).map(|number| format!("user{number:02}")));
    let found = pages(&scim, "/Users?count=5");
    assert_eq!(sizes(&found), [5, 5, 5, 5, 3]);
    assert_eq!(found[0]["totalResults"], 23);
    let whole = scim.get("/Users?count=200").expect(200);
    assert_eq!(ids_of(&found), ids(&whole));
    assert_eq!(whole["startIndex"], 1, "index is the default: {}", whole.story());
    assert!(next_cursor(&whole).is_none(), "{}", whole.story());

    let filtered = pages(&scim, "/Users?filter=userName%20sw%20%22user1%22&count=4&attributes=id");
    assert_eq!(sizes(&filtered), [4, 4, 2]);
    assert_eq!(filtered[2]["totalResults"], 10);
    assert!(filtered[1].user_names().is_empty(), "{}", filtered[1].story());
    assert_eq!(sizes(&pages(&scim, "/Users?excludedAttributes=userName")), [23]);
    let nobody = pages(&scim, "/Users?filter=userName%20eq%20%22nobody%22");
    assert_eq!((sizes(&nobody), &nobody[0]["totalResults"]), (vec![0], &json!(0)));

    for start in ["/Users?Cursor&count=5", "/Users?CURSOR=&count=5", "/Users?cursor&COUNT=5"] {
        let first = scim.get(start).expect(200);
        assert_eq!(ids(&first), ids(&found[0]), "{start}");
        assert!(next_cursor(&first).is_some(), "{start}");
    }
    let second = next_cursor(&found[0]).expect("there is a second page");
    let head = scim.send("HEAD", &format!("/Users?count=5&cursor={second}"), None).expect(200);
    assert!(head.text.is_empty(), "{}", head.story());
    for _ in 0..2 {
        let again = page_after(&scim, "/Users?count=5", &second).expect(200);
        assert_eq!(ids(&again), ids(&found[1]), "a page can be read again");
    }
}

fn rfc9865_2_a_last_page_that_is_full_leads_nowhere(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..6).map(|number| format!("user{number}")));
    for (count, expected) in [(6, &[6][..]), (3, &[3, 3]), (2, &[2, 2, 2]), (1, &[1; 6])] {
        for query in ["", "&sortBy=userName", "&sortBy=title&sortOrder=descending"] {
            let found = pages(&scim, &format!("/Users?count={count}{query}"));
            assert_eq!(sizes(&found), expected, "{count} {query}");
        }
    }
}

fn rfc9865_2_a_count_of_zero_asks_for_the_total_alone(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..3).map(|number| format!("user{number}")));
    let all = 3 + FURNITURE;
    for (query, total) in [("/Users?count=0", 3), ("/Users?count=-7", 3), ("/?count=0", all)] {
        let found = pages(&scim, query);
        assert_eq!(sizes(&found), [0], "{query}");
        assert_eq!(found[0]["totalResults"], total, "{}", found[0].story());
    }
}

fn rfc9865_2_1_counts_out_of_bounds_or_changed_are_invalid(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..102).map(|number| format!("user{number}")));
    for count in ["201", "100000000000000000000", "many", ""] {
        let wrong = scim.get(&format!("/Users?cursor&count={count}"));
        wrong.expect_error(400, Some("invalidCount"));
    }
    assert_eq!(pages(&scim, "/Users?count=200").len(), 1);
    let (_, next) = first_of(&scim, "/Users?count=5");
    for other in ["/Users?count=6", "/Users?count=0", "/Users?", "/Users?count=1000"] {
        page_after(&scim, other, &next).expect_error(400, Some("invalidCount"));
    }
    let (first, next) = first_of(&scim, "/Users?");
    assert_eq!(first.resources().len(), 100, "the default");
    assert_eq!(page_after(&scim, "/Users?", &next).expect(200).resources().len(), 2);
}

fn rfc9865_2_1_a_cursor_goes_with_its_query(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..5).map(|number| format!("user{number}")));
    let query = "/Users?count=2&sortBy=userName&filter=userName%20pr";
    let (_, next) = first_of(&scim, query);
    page_after(&scim, query, &next).expect(200);
    for other in [
        "/Users?count=2&sortBy=userName&filter=id%20pr",
        "/Users?count=2&sortBy=userName",
        "/Users?count=2&sortBy=title&filter=userName%20pr",
        "/Users?count=2&sortBy=userName&sortOrder=descending&filter=userName%20pr",
        "/Users?count=2&sortBy=userName&filter=userName%20pr&attributes=id",
        "/Users?count=2&sortBy=userName&filter=userName%20pr&excludedAttributes=title",
        "/?count=2&sortBy=userName&filter=userName%20pr",
    ] {
        let answer = page_after(&scim, other, &next).expect_error(400, Some("invalidCursor"));
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("repeat"), "{}", answer.story());
    }
    let by_display_name = "/Groups?count=2&filter=displayName%20pr";
    page_after(&scim, by_display_name, &next).expect_error(400, Some("invalidCursor"));
    let both = page_after(&scim, &format!("{query}&startIndex=1"), &next);
    both.expect_error(400, Some("invalidValue"));
    scim.get("/Users?cursor&startIndex=1").expect_error(400, Some("invalidValue"));
    scim.get("/Users?cursor&filter=nonsense").expect_error(400, Some("invalidFilter"));
}

fn rfc9865_2_2_pages_are_those_of_the_sorted_whole(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let titles = [None, Some("Beta"), Some("beta"), Some("alpha"), None, Some("ß"), Some("SS")];
    for (number, title) in titles.into_iter().cycle().take(14).enumerate() {
        let mut body = person("Given", "Family", &format!("user{number}@x.example"));
        body["externalId"] = json!(format!("X{}", (number * 5) % 14));
        body["title"] = json!(title);
        body["active"] = json!(number % 3 == 0);
        scim.post("/Users", &body).expect(201);
    }
    for attribute in [
        "userName",
        "title",
        "active",
        "externalId",
        "emails",
        "emails.type",
        "meta.created",
        "meta.version",
        "id",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    ] {
        for order in ["ascending", "descending"] {
            let query = format!("/Users?sortBy={attribute}&sortOrder={order}");
            let whole = scim.get(&query).expect(200);
            for count in [1, 4, 7] {
                let found = pages(&scim, &format!("{query}&count={count}"));
                assert_eq!(ids_of(&found), ids(&whole), "{query} by {count}");
            }
        }
    }
    scim.get("/Users?sortBy=groups&cursor").expect_error(400, Some("invalidPath"));
}

fn rfc9865_2_changes_between_pages_pass_nothing_over(database: Database) {
    let server = Server::start(database);
    for (tenant, query, added) in [
        ("acme", "/Users?count=4", &["early", "late"][..]),
        // What is new before the end of the first page is not looked back for.
        ("globex", "/Users?count=4&sortBy=title", &["late"]),
    ] {
        let scim = server.tenant(tenant).client(Dialect::Standard);
        let create = |name: &str, title: &str| {
            let mut body = user(name);
            body["title"] = json!(title);
            format!("/Users/{}", scim.post("/Users", &body).expect(201).id())
        };
        let paths: Vec<String> = (0..12)
            .map(|number| create(&format!("user{number:02}"), ["a", "b", "c"][number / 4]))
            .collect();
        let (first, next) = first_of(&scim, query);
        assert_eq!(first.user_names(), ["user00", "user01", "user02", "user03"], "{query}");
        // What was seen is changed or goes, the last of the page too; so does what was not.
        create("early", "0");
        create("late", "z");
        let nick = json!([{"op": "replace", "path": "nickName", "value": "n"}]);
        scim.patch(&paths[1], &nick).expect(200);
        scim.delete(&paths[2]).expect(204);
        scim.delete(&paths[3]).expect(204);
        scim.patch(&paths[5], &nick).expect(200);
        scim.delete(&paths[6]).expect(204);
        let mut found = vec![page_after(&scim, query, &next).expect(200)];
        while let Some(next) = found.last().and_then(next_cursor) {
            found.push(page_after(&scim, query, &next).expect(200));
        }
        let seen: Vec<&str> = found.iter().flat_map(Answer::user_names).collect();
        let stayed = ["user04", "user05", "user07", "user08", "user09", "user10", "user11"];
        assert_eq!(seen, [&stayed, added].concat(), "{query}");
        let totals: Vec<&Value> = found.iter().map(|page| &page["totalResults"]).collect();
        assert!(totals.iter().all(|total| **total == 12), "it is counted once: {totals:?}");
    }
}

fn rfc9865_2_a_long_key_is_not_in_the_cursor(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for letter in ["a", "b", "c", "d"] {
        let mut body = user(letter);
        body["title"] = json!(format!("{}{letter}", "é".repeat(30_000)));
        scim.post("/Users", &body).expect(201);
    }
    for order in ["ascending", "descending"] {
        let query = format!("/Users?sortBy=title&sortOrder={order}&count=1&attributes=userName");
        let found = pages(&scim, &query);
        let names: Vec<&str> = found.iter().flat_map(Answer::user_names).collect();
        let expected = if order == "ascending" { "abcd" } else { "dcba" };
        assert_eq!(names.concat(), expected);
        assert!(next_cursor(&found[0]).expect("there are more").len() < 256);
    }
    let query = "/Users?sortBy=title&count=2";
    let (first, next) = first_of(&scim, query);
    let moved = format!("/Users/{}", ids(&first)[1]);
    let nick = json!([{"op": "replace", "path": "nickName", "value": "n"}]);
    scim.patch(&moved, &nick).expect(200);
    assert_eq!(page_after(&scim, query, &next).expect(200).user_names(), ["c", "d"]);
    let title = json!([{"op": "replace", "path": "title", "value": "z"}]);
    scim.patch(&moved, &title).expect(200);
    page_after(&scim, query, &next).expect_error(400, Some("expiredCursor"));
    scim.delete(&moved).expect(204);
    page_after(&scim, query, &next).expect_error(400, Some("expiredCursor"));
}

fn rfc9865_2_queries_over_all_types(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let people = "/?filter=userName%20pr%20or%20meta.resourceType%20eq%20%22Group%22&count";
    assert_eq!(sizes(&pages(&scim, &format!("{people}=2"))), [0]);
    assert_eq!(sizes(&pages(&scim, "/?count=2")), [2; FURNITURE / 2]);
    for name in ["ada", "grace", "joan"] {
        scim.post("/Users", &user(name)).expect(201);
    }
    assert_eq!(sizes(&pages(&scim, &format!("{people}=3"))), [3], "there is no group");
    assert_eq!(sizes(&pages(&scim, "/?count=17")), [3 + FURNITURE]);
    for name in ["Ada", "Team", "Zoo"] {
        scim.post("/Groups", &group(name, &[])).expect(201);
    }
    for query in [
        "/?",
        "/?sortBy=userName&sortOrder=descending&",
        "/?sortBy=displayName&",
        "/?filter=not%20(displayName%20eq%20%22team%22)&",
        "/?filter=meta.resourceType%20eq%20%22Group%22&",
    ] {
        let whole = scim.get(&format!("{query}count=200")).expect(200);
        for count in [1, 2, 3, 4, 5, 6] {
            let found = pages(&scim, &format!("{query}count={count}"));
            assert_eq!(ids_of(&found), ids(&whole), "{query} by {count}");
            assert_eq!(found[0]["totalResults"], whole.resources().len(), "{query} by {count}");
            let full = whole.resources().len().div_ceil(count);
            assert_eq!(found.len(), full, "no page is empty: {query} by {count}");
        }
    }
    scim.get("/?sortBy=members&cursor").expect_error(400, Some("invalidPath"));
    let (_, next) = first_of(&scim, "/?count=2");
    page_after(&scim, "/Users?count=2", &next).expect_error(400, Some("invalidCursor"));
}

fn rfc9865_3_search_by_post(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..5).map(|number| format!("user{number}")));
    for name in ["A", "B", "C"] {
        scim.post("/Groups", &group(name, &[])).expect(201);
    }
    let search = |path: &str, cursor: Value| {
        let body = json!({"schemas": [SEARCH_REQUEST], "attributes": ["userName", "displayName"],
            "filter": "id pr", "cursor": cursor, "count": 2});
        scim.post(path, &body)
    };
    for (path, expected) in [
        ("/Users/.search", &[2, 2, 1][..]),
        ("/Groups/.search", &[2, 1]),
        ("/.search", &[2; 4 + FURNITURE / 2]),
    ] {
        let mut found = vec![search(path, json!("")).expect(200)];
        while let Some(next) = found.last().and_then(next_cursor) {
            found.push(search(path, json!(next)).expect(200));
        }
        assert_eq!(sizes(&found), expected, "{path}");
        let mut seen = ids_of(&found);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), expected.iter().sum::<usize>(), "each is seen once: {path}");
    }
    let by_index = search("/Users/.search", Value::Null).expect(200);
    assert_eq!(by_index["startIndex"], 1, "null is not given: {}", by_index.story());
    let cursor = next_cursor(&search("/Users/.search", json!("")).expect(200));
    let cursor = cursor.expect("there are more pages");
    search("/Groups/.search", json!(cursor)).expect_error(400, Some("invalidCursor"));
    search("/Users/.search", json!("x")).expect_error(400, Some("invalidCursor"));
    search("/Users/.search", json!(true)).expect_error(400, Some("invalidValue"));
    let both = json!({"schemas": [SEARCH_REQUEST], "cursor": "", "startIndex": 1});
    scim.post("/Users/.search", &both).expect_error(400, Some("invalidValue"));
    // What began in a body may go on in a URL, which is the same query.
    let query = "/Users?attributes=userName,displayName&filter=id%20pr&count=2";
    assert_eq!(page_after(&scim, query, &cursor).expect(200).resources().len(), 2);
}

fn rfc9865_4_the_configuration_says_so(database: Database) {
    let server = Server::start(database);
    let anonymous = server.anonymous();
    let config = anonymous.get("/ServiceProviderConfig").expect(200);
    let expected = json!({"cursor": true, "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": 100, "maxPageSize": 200, "cursorTimeout": 3600});
    assert_eq!(config["pagination"], expected, "{}", config.story());
    let urn = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    let schema = anonymous.get(&format!("/Schemas/{urn}")).expect(200);
    let pagination = element(&schema["attributes"], "name", "pagination");
    let mut described = strings(&pagination["subAttributes"], "name");
    let mut members: Vec<&str> =
        expected.as_object().expect("an object").keys().map(String::as_str).collect();
    described.sort_unstable();
    members.sort_unstable();
    assert_eq!(described, members);
}

fn rfc9865_5_2_what_was_not_given_to_this_caller_is_invalid(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let mine = tenant.client(Dialect::Standard);
    let other_connection = tenant.token(&["--dialect", "standard", "--connection", "second"]);
    let other_connection = server.client_with_token(&other_connection);
    let other_tenant = server.tenant("globex").client(Dialect::Standard);
    for scim in [&mine, &other_tenant] {
        create(scim, (0..5).map(|number| format!("user{number}")));
    }
    let query = "/Users?count=2&sortBy=userName";
    let (_, next) = first_of(&mine, query);
    let refused = |scim: &Client, cursor: &str| {
        let answer = page_after(scim, query, cursor).expect_error(400, Some("invalidCursor"));
        answer.body
    };
    let garbage = refused(&mine, "VZUTiyhEQJ94IR");
    assert_eq!(refused(&other_tenant, &next), garbage, "the same words");
    assert_eq!(refused(&other_connection, &next), garbage, "the same words");
    first_of(&other_connection, query);
    for at in 0..next.len() {
        let mut changed = next.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(refused(&mine, &String::from_utf8(changed).expect("ASCII")), garbage, "{at}");
    }
    for wrong in ["%00", "%ff", "%F0%9F%98%80", "a%20b", "%3D%3D", &"A".repeat(20_000)] {
        assert_eq!(refused(&mine, wrong), garbage, "{wrong}");
    }
    let anonymous = server.anonymous();
    page_after(&anonymous, query, &next).expect_error(401, None);
    page_after(&mine, query, &next).expect(200);
}

fn rfc9865_5_2_a_cursor_outlives_its_server_and_works_on_every_other(database: Database) {
    let database = TestDatabase::create(database);
    let mut one = Server::on(&database);
    let scim = one.tenant("acme").client(Dialect::Standard);
    create(&scim, (0..5).map(|number| format!("user{number}")));
    let query = "/Users?count=2&sortBy=userName";
    let (_, next) = first_of(&scim, query);
    let two = Server::on(&database);
    let second = page_after(&two.client_with_token(scim.token()), query, &next).expect(200);
    assert_eq!(second.user_names(), ["user2", "user3"]);
    one.terminate();
    drop(two);
    let third = next_cursor(&second).expect("there are more");
    let three = Server::on(&database);
    let last = page_after(&three.client_with_token(scim.token()), query, &third).expect(200);
    assert_eq!(last.user_names(), ["user4"]);
    assert!(next_cursor(&last).is_none(), "{}", last.story());
}
