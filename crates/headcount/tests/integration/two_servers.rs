//! Several servers over one database, which must be a `PostgreSQL`.

use std::thread;

use serde_json::json;

use crate::harness::*;

/// Two servers that were started at the same moment on one empty database.
fn two_servers() -> (Server, Server) {
    let database = TestDatabase::create(Database::Postgres);
    thread::scope(|scope| {
        let first = scope.spawn(|| Server::on(&database));
        let second = scope.spawn(|| Server::on(&database));
        (first.join().expect("the first starts"), second.join().expect("the second starts"))
    })
}

#[test]
fn servers_started_together_see_each_others_writes() {
    let (one, two) = two_servers();
    let scim = one.tenant("acme").client(Dialect::Standard);
    let other = two.client_with_token(scim.token());

    let created = scim.post("/Users", &user("ada")).expect(201);
    let path = format!("/Users/{}", created.id());
    other.filter("/Users", "userName eq \"ada\"").expect_user_names(&["ada"]);
    let change = json!([{"op": "replace", "path": "title", "value": "Head"}]);
    let patched = other.patch(&path, &change).expect(200);
    let read = scim.get(&path).expect(200);
    assert_eq!(read["title"], "Head");
    assert_eq!(read.version(), patched.version());
    scim.with_header("If-Match", &created.version()).delete(&path).expect_error(412, None);
    scim.delete(&path).expect(204);
    other.get(&path).expect_error(404, None);
    other.post("/Users", &user("ADA")).expect_error(409, Some("uniqueness"));
}

#[test]
fn r1_names_are_unique_across_servers() {
    let (one, two) = two_servers();
    let scim = one.tenant("acme").client(Dialect::Standard);
    let other = two.client_with_token(scim.token());
    for round in 0..10 {
        let body = user(&format!("user{round}"));
        let mut statuses = thread::scope(|scope| {
            let clients = [&scim, &other, &scim, &other];
            let threads = clients.map(|client| scope.spawn(|| client.post("/Users", &body).status));
            threads.map(|thread| thread.join().expect("it ends"))
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
    }
}
