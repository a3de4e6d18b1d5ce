//! Filters: one population, and a table of filters with the users they must find.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_4_2_2_user_filters,
    rfc7644_3_4_2_2_filters_on_dates,
    rfc7644_3_4_2_2_group_filters,
    rfc7644_3_4_2_2_bad_filters_are_invalid_filter,
    q33_a_write_is_found_at_once,
);

const ALICE: &str = "Alice@Example.com";
const BOB: &str = "bob@example.com";
const PERCENT: &str = "carol%x@example.com";
const UNDERSCORE: &str = "carol_yx@example.com";
const ELODIE: &str = "ÉLODIE@example.com";
const ALL: &[&str] = &[ALICE, BOB, PERCENT, UNDERSCORE, ELODIE];

fn population() -> [Value; 5] {
    [
        json!({"schemas": [USER, ENTERPRISE], "userName": ALICE, "externalId": "Ext-1",
            "name": {"givenName": "Alice", "familyName": "Adams"}, "displayName": "Alice Adams",
            "title": "Agent", "active": true,
            "emails": [{"value": "alice@example.com", "type": "work", "primary": true},
                {"value": "alice@home.example", "type": "home"}],
            "addresses": [{"type": "work", "locality": "Berlin", "country": "DE"}],
            ENTERPRISE: {"employeeNumber": "E100", "department": "Sales"}}),
        json!({"schemas": [USER, ENTERPRISE], "userName": BOB,
            "name": {"givenName": "Bob", "familyName": "Brown"}, "displayName": "Bob Brown",
            "title": "Senior Agent", "active": false,
            "emails": [{"value": "bob@example.com", "type": "work"},
                {"value": "bob@work.example", "type": "home"}],
            "addresses": [{"type": "home", "locality": "Berlin"},
                {"type": "work", "locality": "Bonn"}],
            ENTERPRISE: {"employeeNumber": "E200", "department": "Support",
                "manager": {"value": "boss-1"}}}),
        json!({"schemas": [USER], "userName": PERCENT, "nickName": "100%"}),
        json!({"schemas": [USER], "userName": UNDERSCORE, "nickName": "100 percent"}),
        json!({"schemas": [USER], "userName": ELODIE, "nickName": "Straße \"E\" \\ 雪"}),
    ]
}

/// Every operator, and what the words around it mean.
const USERS: &[(&str, &[&str])] = &[
    // eq and ne, with and without case
    ("userName eq \"alice@example.COM\"", &[ALICE]),
    ("USERNAME EQ \"bob@example.com\"", &[BOB]),
    ("displayName eq \"alice adams\"", &[ALICE]),
    ("emails.value eq \"ALICE@home.example\"", &[ALICE]),
    ("emails eq \"bob@work.example\"", &[BOB]),
    ("title pr and (emails co \"home.example\" or emails.value co \"work.ex\")", &[ALICE, BOB]),
    ("externalId eq \"Ext-1\"", &[ALICE]),
    ("externalId eq \"ext-1\"", &[]),
    ("userName eq \"nobody\"", &[]),
    ("title eq \"Agent\" and userName ne \"bob@example.com\"", &[ALICE]),
    ("userName ne \"ALICE@example.com\"", &[BOB, PERCENT, UNDERSCORE, ELODIE]),
    // co, sw, ew, and that % and _ are letters
    ("userName co \"LICE@\"", &[ALICE]),
    ("userName sw \"bo\"", &[BOB]),
    ("title ew \"agent\"", &[ALICE, BOB]),
    ("userName sw \"carol%\"", &[PERCENT]),
    ("userName co \"l_y\"", &[UNDERSCORE]),
    ("userName sw \"carol_\"", &[UNDERSCORE]),
    ("nickName co \"%\"", &[PERCENT]),
    ("nickName ew \"100%\"", &[PERCENT]),
    // escapes and letters outside ASCII
    ("userName eq \"élodie@example.com\"", &[ELODIE]),
    ("userName sw \"\\u00e9lo\"", &[ELODIE]),
    ("nickName co \"\\\"e\\\" \\\\ 雪\"", &[ELODIE]),
    // order
    ("userName gt \"bob@example.com\" and userName lt \"carol%z\"", &[PERCENT]),
    ("userName ge \"bob@example.com\" and userName le \"bob@example.com\"", &[BOB]),
    ("userName lt \"b\"", &[ALICE]),
    // presence, and what is not there
    ("title pr", &[ALICE, BOB]),
    ("not (title pr)", &[PERCENT, UNDERSCORE, ELODIE]),
    ("not (title eq \"Agent\")", &[BOB, PERCENT, UNDERSCORE, ELODIE]),
    ("emails pr", &[ALICE, BOB]),
    ("name.givenName pr and not (externalId pr)", &[BOB]),
    ("title eq null", &[PERCENT, UNDERSCORE, ELODIE]),
    ("id pr", ALL),
    // booleans
    ("active eq false", &[BOB]),
    ("active eq true", &[ALICE, PERCENT, UNDERSCORE, ELODIE]),
    ("active ne true", &[BOB]),
    ("emails[primary eq true]", &[ALICE]),
    // precedence: not before and before or
    ("userName sw \"bob\" or userName sw \"alice\" and active eq true", &[ALICE, BOB]),
    ("(userName sw \"bob\" or userName sw \"alice\") and active eq true", &[ALICE]),
    ("active eq true and userName sw \"alice\" or userName sw \"bob\"", &[ALICE, BOB]),
    ("not (active eq true) and userName pr", &[BOB]),
    ("not (active eq false) and title pr or nickName sw \"100%\"", &[ALICE, PERCENT]),
    ("not (userName sw \"alice\" or userName sw \"carol\")", &[BOB, ELODIE]),
    ("not(not (title eq \"Agent\"))", &[ALICE]),
    ("title eq \"Agent\" AND Not (active eq false) OR userName eq \"x\"", &[ALICE]),
    // value paths: the terms meet in one element
    ("emails[type eq \"work\" and value co \"@example\"]", &[ALICE, BOB]),
    ("emails[type eq \"work\" and value co \"work.example\"]", &[]),
    ("emails.type eq \"work\" and emails.value co \"work.example\"", &[BOB]),
    ("emails[type eq \"home\"].value eq \"bob@work.example\"", &[BOB]),
    ("emails[type eq \"work\"].value eq \"bob@work.example\"", &[]),
    ("addresses[type eq \"work\" and locality eq \"Berlin\"]", &[ALICE]),
    ("addresses.locality eq \"berlin\"", &[ALICE, BOB]),
    ("emails[not (type eq \"work\") and value co \"home\"]", &[ALICE]),
    ("emails[type eq \"work\"] and active eq false", &[BOB]),
    ("not (emails[type eq \"home\"])", &[PERCENT, UNDERSCORE, ELODIE]),
    // extensions and schemas
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"sales\"",
        &[ALICE],
    ),
    (
        "URN:IETF:params:scim:schemas:extension:enterprise:2.0:user:employeeNumber sw \"E\"",
        &[ALICE, BOB],
    ),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"boss-1\"",
        &[BOB],
    ),
    ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"bob\"", &[BOB]),
    ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq \"brown\"", &[BOB]),
];

fn rfc7644_3_4_2_2_user_filters(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for user in &population() {
        scim.post("/Users", user).expect(201);
    }
    let wrong: Vec<String> =
        USERS.iter().filter_map(|(filter, expected)| complaint(&scim, filter, expected)).collect();
    assert!(wrong.is_empty(), "{} filters are wrong:\n{}", wrong.len(), wrong.join("\n"));

    let alice = scim.filter("/Users", "userName sw \"alice\"").expect(200);
    let id = alice["Resources"][0]["id"].as_str().expect("a user has an id").to_owned();
    scim.filter("/Users", &format!("id eq \"{id}\"")).expect_user_names(&[ALICE]);
    scim.filter("/Users", &format!("id eq \"{}\"", id.to_uppercase())).expect(200);
    scim.filter("/Users", "id eq \"no such id\"").expect_empty_list();
}

/// What is wrong with the answer to a filter, so that one run shows all that is wrong.
fn complaint(scim: &Client, filter: &str, expected: &[&str]) -> Option<String> {
    let answer = scim.filter("/Users", filter);
    let mut found = answer.user_names();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    let right =
        answer.status == 200 && found == expected && answer["totalResults"] == expected.len();
    let detail = &answer["detail"];
    (!right).then(|| {
        format!(
            "  {filter}\n    expected {expected:?}\n    found {} {found:?} {detail}",
            answer.status
        )
    })
}

fn rfc7644_3_4_2_2_filters_on_dates(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let time = created["meta"]["created"].as_str().expect("a user has a time").to_owned();
    for (filter, found) in [
        ("meta.created gt \"2015-10-10T14:38:21.8617979-07:00\"".to_owned(), true),
        ("meta.lastModified lt \"2015-10-10T14:38:21Z\"".to_owned(), false),
        ("meta.lastModified gt \"2015-10-10T14:38:21Z\"".to_owned(), true),
        (format!("meta.created ge \"{time}\" and meta.created le \"{time}\""), true),
        (format!("meta.created eq \"{time}\""), true),
        (format!("meta.created gt \"{time}\""), false),
        (format!("active eq true and (meta.lastModified ge \"{time}\")"), true),
        ("meta.lastModified gt \"2999-01-01T00:00:00+02:00\"".to_owned(), false),
    ] {
        scim.filter("/Users", &filter).expect_user_names(if found { &["ada"] } else { &[] });
    }
    scim.filter("/Users", "meta.created gt \"yesterday\"").expect_error(400, Some("invalidFilter"));
}

fn rfc7644_3_4_2_2_group_filters(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let mut sales = group("Sales", &[&ada]);
    sales["externalId"] = json!("8aa1a0c0");
    let sales_id = scim.post("/Groups", &sales).expect(201).id();
    scim.post("/Groups", &group("Support 100%", &[])).expect(201);
    for (filter, expected) in [
        ("displayName eq \"SALES\"".to_owned(), &["Sales"][..]),
        ("DisplayName eq \"sales\"".to_owned(), &["Sales"]),
        ("displayName eq \"nothing\"".to_owned(), &[]),
        ("displayName co \"100%\"".to_owned(), &["Support 100%"]),
        ("displayName co \"s_l\"".to_owned(), &[]),
        ("externalId eq \"8aa1a0c0\"".to_owned(), &["Sales"]),
        ("externalId eq \"8AA1A0C0\"".to_owned(), &[]),
        (format!("members.value eq \"{ada}\""), &["Sales"]),
        (format!("members[value eq \"{ada}\"]"), &["Sales"]),
        (format!("not (members.value eq \"{ada}\")"), &["Support 100%"]),
        (format!("id eq \"{sales_id}\" and members.value eq \"{ada}\""), &["Sales"]),
        (format!("id eq \"{sales_id}\" or displayName sw \"sup\""), &["Sales", "Support 100%"]),
        ("members pr".to_owned(), &["Sales"]),
    ] {
        let answer = scim.filter("/Groups", &filter).expect(200);
        let mut found = strings(&answer["Resources"], "displayName");
        found.sort_unstable();
        assert_eq!(found, expected, "{}", answer.story());
    }
    let of_ada = scim.filter("/Users", &format!("groups.value eq \"{sales_id}\""));
    of_ada.expect_user_names(&["ada"]);
}

fn rfc7644_3_4_2_2_bad_filters_are_invalid_filter(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    for filter in [
        "userName",
        "userName eq",
        "userName eq \"a",
        "userName is \"a\"",
        "userName eq \"a\" and",
        "userName eq \"a\" xor userName eq \"b\"",
        "(userName eq \"a\"",
        "userName eq \"a\")",
        "not userName eq \"a\"",
        "noSuchAttribute eq \"a\"",
        "name.noSuchPart eq \"a\"",
        "urn:example:no:such:schema:User:thing eq \"a\"",
        "active gt true",
        "active eq \"perhaps\"",
        "emails[type eq \"work\"",
        "emails[]",
        "userName eq ada",
        "userName eq 'ada'",
        "meta.created gt \"yesterday\"",
        "meta.created gt \"-005000-01-01T00:00:00Z\"",
    ] {
        let answer = scim.filter("/Users", filter).expect_error(400, Some("invalidFilter"));
        assert!(answer["Resources"].is_null(), "{}", answer.story());
    }
    let answer = scim.filter("/Users", "userName eq \"a\" xor userName eq \"b\"");
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(|letter: char| letter.is_ascii_digit()), "says where: {detail}");
}

fn q33_a_write_is_found_at_once(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for number in 0..20 {
        let name = format!("user{number}@example.com");
        let id = scim.post("/Users", &user(&name)).expect(201).id();
        let filter = format!("userName eq \"{name}\"");
        scim.filter("/Users", &filter).expect_user_names(&[&name]);
        let path = format!("/Users/{id}");
        let title = json!([{"op": "replace", "path": "title", "value": name}]);
        scim.patch(&path, &title).expect(200);
        assert_eq!(scim.get(&path).expect(200)["title"], name.as_str());
    }
    let rename = json!([{"op": "replace", "path": "userName", "value": "new@example.com"}]);
    let found = scim.filter("/Users", "userName eq \"user0@example.com\"").expect(200);
    let id = found["Resources"][0]["id"].as_str().expect("a user has an id");
    scim.patch(&format!("/Users/{id}"), &rename).expect(200);
    scim.filter("/Users", "userName eq \"user0@example.com\"").expect_empty_list();
    scim.filter("/Users", "userName eq \"new@example.com\"")
        .expect_user_names(&["new@example.com"]);
}
