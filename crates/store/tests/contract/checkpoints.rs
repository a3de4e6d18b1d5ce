//! What was committed comes from SQLite's write-ahead log into the file beside the writer.

use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::Integer;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use store::DatabaseUrl;

use crate::harness::{Kind, Raw, TestDatabase, World, strict_body};

#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// The pages that are only in the log. Asking moves none of them.
fn only_in_the_log(raw: &mut Raw) -> i32 {
    let Raw::Sqlite(conn) = raw else { panic!("PostgreSQL has no such log") };
    let asked = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn);
    let Log { log, checkpointed } = asked.expect("it can be asked");
    log - checkpointed
}

#[test]
fn what_was_committed_goes_into_the_file_beside_the_writer() {
    let database = TestDatabase::create(Kind::Sqlite);
    let (world, mut raw) = (World::on(&database), database.raw());
    // Each has some forty pages: together far fewer than those for which the writer would
    // make a checkpoint itself.
    let title = "x".repeat(60_000);
    for name in 0..60 {
        let body = json!({"userName": format!("user{name}"), "title": title});
        let body = strict_body(ResourceType::user(), body);
        world.create_user(body).expect("the name is free");
    }
    let until = Instant::now() + Duration::from_secs(20);
    while only_in_the_log(&mut raw) >= 1000 {
        assert!(Instant::now() < until, "no checkpoint was made");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nobody_has_the_file_open_when_the_store_is_closed() {
    let database = TestDatabase::create(Kind::Sqlite);
    drop(World::on(&database));
    let DatabaseUrl::Sqlite(path) = &database.url else { panic!("it is SQLite's") };
    let log = path.with_extension("db-wal");
    assert!(path.exists() && !log.exists(), "the last one that closes it takes the log away");
}
