//! Lists: pages, their limits, and their order.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_4_2_4_pages_have_a_default_and_a_limit,
    rfc7644_3_4_2_4_odd_start_index_and_count,
    rfc7644_3_4_2_4_pages_together_are_the_whole,
    rfc7644_3_4_2_4_a_page_goes_on_where_the_one_before_it_ended,
    rfc7644_3_4_2_3_sorting,
    rfc7644_3_4_2_4_an_address_that_several_people_have_finds_them_page_by_page,
    sorting_by_what_is_the_same_for_all,
    rfc7644_3_4_2_1_queries_over_all_types,
    rfc7644_3_4_3_search_by_post,
);

fn create(scim: &Client, names: impl IntoIterator<Item = String>) {
    for name in names {
        scim.post("/Users", &user(&name)).expect(201);
    }
}

#[track_caller]
fn assert_page(answer: &Answer, total: usize, start: usize, size: usize) {
    assert_eq!(answer["schemas"], json!([LIST_RESPONSE]), "{}", answer.story());
    assert_eq!(answer["totalResults"], total, "totalResults: {}", answer.story());
    assert_eq!(answer["startIndex"], start, "startIndex: {}", answer.story());
    assert_eq!(answer["itemsPerPage"], size, "itemsPerPage: {}", answer.story());
    assert_eq!(answer.resources().len(), size, "{}", answer.story());
}

fn rfc7644_3_4_2_4_pages_have_a_default_and_a_limit(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..205).map(|number| format!("user{number:03}")));
    assert_page(&scim.get("/Users").expect(200), 205, 1, 100);
    assert_page(&scim.get("/Users?count=1000").expect(200), 205, 1, 200);
    assert_page(&scim.get("/Users?startIndex=201&count=200").expect(200), 205, 201, 5);
    assert_page(&scim.filter("/Users", "userName sw \"user\"").expect(200), 205, 1, 100);
    assert_page(&scim.filter("/Users", "userName sw \"user00\"").expect(200), 10, 1, 10);
}

fn rfc7644_3_4_2_4_odd_start_index_and_count(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let empty = scim.get("/Users").expect_empty_list();
    assert!(empty["totalResults"].is_u64());
    create(&scim, (0..3).map(|number| format!("user{number}")));
    for none in ["/Users?count=0", "/Users?count=-5", "/Users?startindex=0&count=0"] {
        let answer = scim.get(none).expect(200);
        assert_eq!(answer["totalResults"], 3, "{}", answer.story());
        assert!(answer.resources().is_empty(), "{}", answer.story());
    }
    assert_page(&scim.get("/Users?startIndex=0&count=2").expect(200), 3, 1, 2);
    assert_page(&scim.get("/Users?startIndex=-7").expect(200), 3, 1, 3);
    let beyond = scim.get("/Users?startIndex=4&count=2").expect(200);
    assert_eq!(beyond["totalResults"], 3);
    assert!(beyond.resources().is_empty(), "{}", beyond.story());
    for wrong in ["/Users?count=many", "/Users?startIndex=one"] {
        scim.get(wrong).expect_error(400, Some("invalidValue"));
    }
}

fn rfc7644_3_4_2_4_pages_together_are_the_whole(database: Database) {
    let (_server, scim) = serve(database, Dialect::Okta);
    create(&scim, (0..23).map(|number| format!("user{number}@example.com")));
    for query in ["count=5", "count=5&sortBy=userName", "count=5&filter=userName%20pr"] {
        let mut seen = Vec::new();
        for start in [1, 6, 11, 16, 21] {
            let page = scim.get(&format!("/Users?startIndex={start}&{query}")).expect(200);
            assert_eq!(page["startIndex"], start, "{}", page.story());
            seen.extend(page.user_names().into_iter().map(ToOwned::to_owned));
        }
        assert_eq!(seen.len(), 23, "{query}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 23, "no user is on two pages: {query}");
    }
    for number in 0..7 {
        scim.post("/Groups", &group(&format!("Group {number}"), &[])).expect(201);
    }
    let page = scim.get("/Groups?startIndex=6&count=5").expect(200);
    assert_page(&page, 7, 6, 2);
}

/// Who was on a page before and is deleted would move the next page by one, and hide somebody.
fn rfc7644_3_4_2_4_a_page_goes_on_where_the_one_before_it_ended(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..9).map(|number| format!("user{number}")));
    for query in ["count=3", "count=3&sortBy=userName", "count=3&filter=userName%20pr"] {
        let first = scim.get(&format!("/Users?startIndex=1&{query}")).expect(200);
        let gone = first.resources()[1]["id"].as_str().expect("an id");
        scim.delete(&format!("/Users/{gone}")).expect(204);
        let last = first.user_names()[2].to_owned();
        let second = scim.get(&format!("/Users?startIndex=4&{query}")).expect(200);
        assert_eq!(second["startIndex"], 4);
        assert!(second.user_names().iter().all(|name| *name > last.as_str()), "{query}");
        let all = scim.get("/Users").expect(200);
        let after = all.user_names().into_iter().filter(|name| *name > last.as_str());
        assert_eq!(second.user_names(), after.take(3).collect::<Vec<_>>(), "{query}");
    }
    // Another query, and a page that nobody was sent before, are found by counting.
    let all = scim.get("/Users").expect(200);
    assert_page(&scim.get("/Users?startIndex=3&count=2").expect(200), 6, 3, 2);
    let page = scim.get("/Users?startIndex=3&count=2&sortBy=userName").expect(200);
    assert_eq!(page.user_names(), all.user_names()[2..4]);
}

fn rfc7644_3_4_2_1_queries_over_all_types(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for name in ["ada", "grace", "joan"] {
        scim.post("/Users", &user(name)).expect(201);
    }
    for name in ["Ada", "Team"] {
        scim.post("/Groups", &group(name, &[])).expect(201);
    }
    let names_in = |answer: Answer| {
        let name = |resource: &Value| {
            let names = ["userName", "name", "displayName"].map(|name| resource[name].as_str());
            names.into_iter().flatten().next().expect("each has a name").to_owned()
        };
        let names: Vec<String> = answer.resources().iter().map(name).collect();
        (answer["totalResults"].as_u64().expect("a number"), names.join(" "))
    };
    let names = |query: &str| names_in(scim.get(query).expect(200));
    let found = |total: u64, names: &str| (total, names.to_owned());
    let with_furniture =
        |total: u64, names: &str| found(total, &format!("{names} {FURNITURE_NAMES}"));
    assert_eq!(names(""), with_furniture(19, "ada grace joan Ada Team"));
    assert_eq!(names("/?startIndex=3&count=2"), found(19, "joan Ada"));
    assert_eq!(names("/?startIndex=5&count=2"), found(19, "Team master-admin"));
    assert_eq!(names("/?startIndex=4&count=1"), found(19, "Ada"));
    assert_eq!(names("/?startIndex=12&count=3"), found(19, "trusted-external-user Home CX1"));
    assert_eq!(names("/?startIndex=19&count=3"), found(19, "CX4"));
    assert_eq!(names("/?count=0"), found(19, ""));
    assert_eq!(
        names("/?sortBy=userName&sortOrder=descending"),
        with_furniture(19, "joan grace ada Ada Team")
    );
    for (filter, expected) in [
        ("meta.resourceType eq \"Group\"", found(2, "Ada Team")),
        ("userName eq \"ada\" or displayName eq \"ada\"", found(2, "ada Ada")),
        ("userName ne \"ada\"", with_furniture(18, "grace joan Ada Team")),
        ("not (userName pr)", with_furniture(16, "Ada Team")),
        ("emails[type eq \"work\"]", found(0, "")),
    ] {
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": filter});
        let posted = scim.post("/.search", &search).expect(200);
        assert_eq!(posted["totalResults"], expected.0, "{filter}");
        let got = scim.query("/", &[("filter", filter)]).expect(200);
        assert_eq!(names_in(got), expected, "{filter}");
    }
    scim.get("/?filter=nonsense").expect_error(400, Some("invalidFilter"));
}

fn sorting_by_what_is_the_same_for_all(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    scim.get("/Users?sortBy=meta.resourceType").expect(200).expect_user_names(&["ada"]);
    scim.get("/Users?sortBy=groups").expect_error(400, Some("invalidPath"));
}

fn rfc7644_3_4_2_3_sorting(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (name, title, family, email) in [
        ("bob", "beta", "Brown", "zz@example.com"),
        ("Alice", "Alpha", "Zimmer", "mm@example.com"),
        ("carol", "", "", ""),
        ("Dave", "gamma", "adams", "aa@example.com"),
    ] {
        let mut body = user(name);
        if !title.is_empty() {
            body["title"] = json!(title);
            body["name"] = json!({"familyName": family});
            body["emails"] = json!([{"value": format!("home-{email}"), "type": "home"},
                {"value": email, "type": "work", "primary": true}]);
        }
        scim.post("/Users", &body).expect(201);
    }
    for (query, expected) in [
        ("sortBy=userName", ["Alice", "bob", "carol", "Dave"]),
        ("sortBy=USERNAME&sortOrder=ascending", ["Alice", "bob", "carol", "Dave"]),
        ("sortBy=userName&sortOrder=descending", ["Dave", "carol", "bob", "Alice"]),
        ("sortBy=title", ["Alice", "bob", "Dave", "carol"]),
        ("sortBy=title&sortOrder=descending", ["carol", "Dave", "bob", "Alice"]),
        ("sortBy=name.familyName", ["Dave", "bob", "Alice", "carol"]),
        ("sortBy=emails", ["Dave", "Alice", "bob", "carol"]),
        ("sortBy=meta.created", ["bob", "Alice", "carol", "Dave"]),
    ] {
        let answer = scim.get(&format!("/Users?{query}")).expect(200);
        assert_eq!(answer.user_names(), expected, "{}", answer.story());
    }
    let page = scim.get("/Users?sortBy=userName&startIndex=2&count=2").expect(200);
    assert_eq!(page.user_names(), ["bob", "carol"]);
}

fn rfc7644_3_4_3_search_by_post(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    create(&scim, (0..5).map(|number| format!("user{number}")));
    scim.post("/Groups", &group("Sales", &[])).expect(201);
    let search = |body: Value| {
        let mut body = body;
        body["schemas"] = json!([SEARCH_REQUEST]);
        scim.post("/Users/.search", &body).expect(200).expect_scim_content()
    };
    let answer = search(json!({"filter": "userName sw \"user\"", "startIndex": 2, "count": 2,
        "sortBy": "userName", "sortOrder": "descending", "attributes": ["userName"]}));
    assert_page(&answer, 5, 2, 2);
    assert_eq!(answer.user_names(), ["user3", "user2"]);
    assert!(answer["Resources"][0]["active"].is_null(), "{}", answer.story());
    assert_page(&search(json!({})), 5, 1, 5);
    let excluded = search(json!({"excludedAttributes": ["userName"]}));
    assert!(excluded.user_names().is_empty(), "{}", excluded.story());
    let groups = json!({"schemas": [SEARCH_REQUEST], "filter": "displayName eq \"sales\""});
    assert_page(&scim.post("/Groups/.search", &groups).expect(200), 1, 1, 1);
    let wrong = json!({"schemas": [SEARCH_REQUEST], "filter": "userName eq"});
    scim.post("/Users/.search", &wrong).expect_error(400, Some("invalidFilter"));
}

/// An address that is neither primary nor of type `work` is nobody's own.
fn rfc7644_3_4_2_4_an_address_that_several_people_have_finds_them_page_by_page(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let at_home = json!([{"value": "family@x.example", "type": "home"}]);
    for name in ["bob", "ada", "cyd", "dee"] {
        let mut body = user(name);
        body["emails"] = at_home.clone();
        scim.post("/Users", &body).expect(201);
    }
    let filter = ("filter", "emails.value eq \"family@x.example\"");
    let order = [("sortBy", "userName"), ("sortOrder", "descending")];
    let page = |start: &str, count: &str| {
        let wanted = [filter, order[0], order[1], ("startIndex", start), ("count", count)];
        scim.query("/Users", &wanted).expect(200)
    };
    assert_eq!(page("1", "2").user_names(), ["dee", "cyd"]);
    assert_eq!(page("2", "2").user_names(), ["cyd", "bob"]);
    assert_page(&page("4", "2"), 4, 4, 1);
    assert_page(&page("1", "0"), 4, 1, 0);
    let found = scim.query("/Users", &[filter, ("count", "1")]).expect(200);
    assert_page(&found, 4, 1, 1);
}
