//! A damaged file of SQLite is not served from: nothing is written to it, and it is said what to do.

use std::path::Path;

use crate::harness::*;

/// A database with one user that nobody has open, and a backup of it.
fn stopped() -> (std::sync::Arc<TestDatabase>, String) {
    let (mut server, scim) = serve(Database::Sqlite, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    let database = server.database().clone();
    let backup = database.folder().join("backup.db");
    let name = backup.to_str().expect("a name that is text").to_owned();
    server.command(&["backup", &name]).succeeded();
    server.terminate();
    (database, name)
}

/// What becomes of the bytes of a file.
type Damage = fn(&mut Vec<u8>);

fn damage(file: &Path, how: Damage) {
    let mut bytes = std::fs::read(file).expect("the file is there");
    how(&mut bytes);
    std::fs::write(file, bytes).expect("the file can be written");
}

#[track_caller]
fn refuses_to_start(database: &TestDatabase) -> String {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
    headcount(&arguments).failed().stderr
}

#[test]
fn a_damaged_file_is_refused_and_a_backup_takes_its_place() {
    let (database, backup) = stopped();
    let file = database.file();
    let whole = std::fs::read(&file).expect("the file is there");
    let damages: [(&str, Damage); 4] = [
        ("its head", |bytes| bytes[..16].fill(0)),
        ("its end", |bytes| bytes.truncate(bytes.len() / 2)),
        ("its schema", |bytes| bytes[100..3000].fill(0xA5)),
        ("its pages", |bytes| bytes[20_000..].fill(0xA5)),
    ];
    for (what, how) in damages {
        std::fs::write(&file, &whole).expect("the file can be written");
        damage(&file, how);
        let said = refuses_to_start(&database);
        assert!(said.contains("is damaged"), "{what}: {said}");
        assert!(said.contains("headcount restore"), "{what}: {said}");
        let restore = ["restore", &backup, "--overwrite", "--database", database.url()];
        headcount(&restore).succeeded();
        assert_eq!(database.count("SELECT count(*) FROM users"), 1, "{what}");
    }
    let server = Server::on(&database);
    server.command(&["verify-log"]).succeeded();
}

#[test]
fn a_damaged_provisioning_log_begins_anew_once_it_is_moved_away() {
    let (database, _) = stopped();
    let log = database.folder().join("test-log.db");
    damage(&log, |bytes| bytes[..16].fill(0));
    let said = refuses_to_start(&database);
    assert!(said.contains("test-log.db is damaged") && said.contains("move it away"), "{said}");
    std::fs::rename(&log, log.with_extension("old")).expect("it can be moved");
    Server::on(&database).command(&["verify-log"]).succeeded();
}
