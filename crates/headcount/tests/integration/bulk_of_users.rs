//! Users that one bulk request creates: what can be done together is as if done one by one.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7644_3_7_users_who_are_created_together_are_as_one_by_one,
    rfc7644_3_7_3_who_is_refused_among_many_is_refused_alone,
    r13_of_many_as_many_are_created_as_there_are_seats,
    rfc7644_3_7_who_needs_something_special_is_created_among_the_others,
);

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// The statuses of a request that creates these users.
#[track_caller]
fn create_all(scim: &Client, users: &[Value]) -> Vec<String> {
    let operation = |(at, data): (usize, &Value)| json!({"method": "POST", "path": "/Users", "bulkId": at.to_string(), "data": data});
    let operations: Vec<Value> = users.iter().enumerate().map(operation).collect();
    let request = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    let answer = scim.post("/Bulk", &request).expect(200);
    let results = answer["Operations"].as_array().expect("results are a list");
    for (at, result) in results.iter().enumerate() {
        assert_eq!(result["bulkId"], at.to_string(), "in the order of the request");
    }
    let status = |result: &Value| result["status"].as_str().expect("it is a string").to_owned();
    results.iter().map(status).collect()
}

fn people(count: usize) -> Vec<Value> {
    let one = |number: usize| {
        let mut body = person("Ada", &format!("L{number}"), &format!("ada{number}@example.com"));
        body["externalId"] = json!(format!("00u{number}"));
        body["active"] = json!(!number.is_multiple_of(3));
        body["emails"][0]["type"] = json!("work");
        body
    };
    (0..count).map(one).collect()
}

/// What is served of each of these, without what differs from one account to the next.
#[track_caller]
fn served(scim: &Client, users: &[Value]) -> Vec<Value> {
    let one = |user: &Value| {
        let name = user["userName"].as_str().expect("it has one");
        let found = scim.filter("/Users", &format!("userName eq {name:?}")).expect(200);
        let mut found = found.resources()[0].clone();
        let id = found["id"].take();
        scim.get(&format!("/Users/{}", id.as_str().expect("it has an id"))).expect(200);
        assert_eq!(found["meta"]["version"], "W/\"1\"");
        found["meta"] = Value::Null;
        for instant in ["seatAssignedAt", "deactivatedAt", "divisionId", "roleGrants"] {
            if let Some(instant) = found[HEADCOUNT].get_mut(instant) {
                *instant = json!("some");
            }
        }
        found
    };
    users.iter().map(one).collect()
}

/// What the change log says of the users of a tenant, but when and of whom.
#[track_caller]
fn logged(admin: &Administrator) -> Vec<Value> {
    let entries = admin.scim.filter("/ChangeLogEntries", "resourceType eq \"User\"").expect(200);
    let mut told: Vec<Value> = entries
        .resources()
        .iter()
        .map(|entry| {
            let of_interest = |change: &&Value| {
                let text = change.to_string();
                !text.contains("At\"") && !text.contains("Id\"") && !text.contains("roleGrants")
            };
            let changes = entry["changes"].as_array().expect("it has changes").iter();
            let changes: Vec<&Value> = changes.filter(of_interest).collect();
            json!([entry["action"], entry["version"], changes])
        })
        .collect();
    told.sort_by_key(Value::to_string);
    told
}

fn rfc7644_3_7_users_who_are_created_together_are_as_one_by_one(database: Database) {
    let (server, together, admin) = serve_admin(database);
    let alone = server.tenant("alone").client(Dialect::Standard);
    let admin_of_alone = Administrator::of(&server, "alone");
    admin.limit("CX1", 100);
    admin_of_alone.limit("CX1", 100);
    let users = people(7);
    assert_eq!(create_all(&together, &users), ["201"; 7]);
    for user in &users {
        alone.post("/Users", user).expect(201);
    }
    assert_eq!(served(&together, &users), served(&alone, &users));
    let entries = logged(&admin);
    assert_eq!((entries.len(), &entries), (7, &logged(&admin_of_alone)));
    // Every third one is to work later.
    assert_eq!(admin.seats("CX1"), (4, Some(96)));
    assert_eq!(admin_of_alone.seats("CX1"), (4, Some(96)));
    let by_external_id = together.filter("/Users", "externalId eq \"00u5\"").expect(200);
    by_external_id.expect_user_names(&["ada5@example.com"]);
    together
        .post("/Users", &person("B", "B", "ADA6@example.com"))
        .expect_error(409, Some("uniqueness"));
    server.command(&["verify-log"]).succeeded();
}

fn rfc7644_3_7_3_who_is_refused_among_many_is_refused_alone(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 100);
    create_user(&scim, &people(3)[2]);
    let mut users = people(9);
    // A name that comes twice, an externalId that is another's, a body that is none.
    users[5] = users[4].clone();
    users[6]["externalId"] = json!("00u1");
    users[7] = json!({"schemas": [USER]});
    let expected = ["201", "201", "409", "201", "201", "409", "409", "400", "201"];
    assert_eq!(create_all(&scim, &users), expected);
    let all = scim.get("/Users?count=0").expect(200);
    assert_eq!(all["totalResults"], 6, "{}", all.story());
    assert_eq!(admin.seats("CX1").0 + admin.seats("CX1").1.expect("there is a limit"), 100);
    server.command(&["verify-log"]).succeeded();
}

fn r13_of_many_as_many_are_created_as_there_are_seats(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.limit("CX1", 3);
    // Every third one needs none.
    let statuses = create_all(&scim, &people(9));
    assert_eq!(statuses, ["201", "201", "201", "201", "201", "403", "201", "403", "403"]);
    assert_eq!(admin.seats("CX1"), (3, Some(0)));
    admin.policy("seats.overage", "allow");
    assert_eq!(create_all(&scim, &people(9)[7..]), ["201", "201"]);
    server.command(&["verify-log"]).succeeded();
}

fn rfc7644_3_7_who_needs_something_special_is_created_among_the_others(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.create("/Skills", "German");
    let boss = create_user(&scim, &user("boss"));
    let boss_id = boss.rsplit('/').next().expect("it is a path");
    let mut users = people(6);
    users[1][ENTERPRISE] = json!({"manager": {"value": boss_id}});
    users[2][ENTERPRISE] = json!({"manager": {"value": "bulkId:0"}});
    users[4][HEADCOUNT] = json!({"skills": [{"value": "German", "proficiency": 3}]});
    assert_eq!(create_all(&scim, &users), ["201"; 6]);
    let served = served(&scim, &users);
    assert_eq!(served[1][ENTERPRISE]["manager"]["value"], boss_id);
    let first = scim.filter("/Users", "userName eq \"ada0@example.com\"").expect(200);
    assert_eq!(served[2][ENTERPRISE]["manager"]["value"], first.resources()[0]["id"]);
    assert_eq!(served[4][HEADCOUNT]["skills"][0]["value"], "German");
    server.command(&["verify-log"]).succeeded();
}
