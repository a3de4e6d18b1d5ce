//! Backups are made while the service goes on, and have everything when they are restored.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::load::Load;
use super::whole::{assert_nothing_by_half, assert_whole};
use crate::harness::*;

on_each_database!(a_backup_made_under_load_is_whole_and_one_made_after_it_has_everything);

/// A while in which requests are under way.
const WHILE: Duration = Duration::from_millis(300);

/// As an operator makes one, by docs/operations.md.
#[track_caller]
fn back_up(database: &TestDatabase, file: &Path) {
    let name = file.to_str().expect("a name that is text");
    if database.url().starts_with("sqlite:") {
        headcount(&["backup", name, "--database", database.url()]).succeeded();
        return;
    }
    let mut dump = Command::new(program("pg_dump"));
    dump.args(["--format=custom", "--file", name, database.url()]);
    run(&mut dump, Duration::from_secs(60)).succeeded();
}

/// The same, into a database that is empty or has older data.
#[track_caller]
fn restore(database: &TestDatabase, file: &Path) {
    let name = file.to_str().expect("a name that is text");
    if database.url().starts_with("sqlite:") {
        headcount(&["restore", name, "--overwrite", "--database", database.url()]).succeeded();
        return;
    }
    let mut restore = Command::new(program("pg_restore"));
    restore.args(["--clean", "--if-exists", "--exit-on-error", "--single-transaction"]);
    restore.args(["--dbname", database.url(), name]);
    run(&mut restore, Duration::from_secs(60)).succeeded();
}

fn a_backup_made_under_load_is_whole_and_one_made_after_it_has_everything(kind: Database) {
    let (mut server, scim) = serve(kind, Dialect::Standard);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (during, after) = (folder.path().join("during.db"), folder.path().join("after.db"));
    let mut load = Load::prepare(&server, &scim);
    load.run_while(&[server.base_url()], || {
        sleep(WHILE);
        back_up(server.database(), &during);
        sleep(WHILE);
    });
    load.settle(&scim, WHILE);
    assert_whole(&load, &server, &scim);
    let page = scim.get("/Users?count=1&cursor").expect(200);
    back_up(server.database(), &after);
    assert_eq!(load.tally().turned_away, 0, "the service went on");

    let other = TestDatabase::create(kind);
    restore(&other, &during);
    assert_nothing_by_half(&Server::on(&other));

    restore(&other, &after);
    let restored = Server::on(&other);
    let scim = restored.client_with_token(scim.token());
    assert_whole(&load, &restored, &scim);
    // The keys are in the backup too: a cursor that was given out before is still one.
    let cursor = page["nextCursor"].as_str().expect("there is more than one");
    scim.query("/Users", &[("count", "1"), ("cursor", cursor)]).expect(200);

    if kind == Database::Sqlite {
        for file in [&after, &server.database().file(), &other.file()] {
            assert_eq!(mode(file), 0o600, "it has keys: {}", file.display());
        }
    }

    // It stands on its own: what it was made of is not needed any more.
    server.kill();
    scim.post("/Users", &person("Ada", "King", "ada@example.com")).expect(201);
}

/// What the file's owner, group and others may do.
fn mode(file: &Path) -> u32 {
    let metadata = file.metadata().expect("the file is there");
    metadata.permissions().mode() & 0o777
}

/// A database with one user, its server, and a backup of it.
fn backed_up(folder: &Path) -> (Server, Arc<TestDatabase>, String) {
    let (server, scim) = serve(Database::Sqlite, Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    let file = folder.join("backup.db");
    back_up(server.database(), &file);
    let database = server.database().clone();
    (server, database, file.to_str().expect("a name that is text").to_owned())
}

#[test]
fn nothing_is_overwritten_unasked_and_nothing_replaced_under_a_running_service() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (mut server, database, file) = backed_up(folder.path());
    let command =
        |arguments: &[&str]| headcount(&[arguments, &["--database", database.url()]].concat());
    let refused = |arguments: &[&str], why: &str| {
        let run = command(arguments).failed();
        assert!(run.stderr.contains(why), "{}", run.stderr);
    };
    refused(&["backup", &file], "--overwrite");
    command(&["backup", &file, "--overwrite"]).succeeded();
    let own = database.file();
    refused(&["backup", own.to_str().unwrap(), "--overwrite"], "the database itself");
    refused(&["restore", &file], "--overwrite");
    refused(&["restore", &file, "--overwrite"], "stop the service first");
    server.client_with_token("none").get("/Users").expect_error(401, None);
    server.terminate();
    refused(&["restore", "missing.db", "--overwrite"], "is not there");
    command(&["restore", &file, "--overwrite"]).succeeded();
    assert!(command(&["tenant", "list"]).succeeded().stdout.contains("acme"));
}

#[test]
fn what_is_no_whole_backup_is_not_restored() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (mut server, database, file) = backed_up(folder.path());
    server.terminate();
    let refused = |file: &str, why: &str| {
        let arguments = ["restore", file, "--overwrite", "--database", database.url()];
        let run = headcount(&arguments).failed();
        assert!(run.stderr.contains(why), "{}", run.stderr);
        let tenants = headcount(&["tenant", "list", "--database", database.url()]).succeeded();
        assert!(tenants.stdout.contains("acme"), "what was there stays");
    };
    let other = folder.path().join("other.db");
    let name = other.to_str().expect("a name that is text");
    std::fs::write(&other, "no database at all, however long the text that is in it may be")
        .unwrap();
    refused(name, "damaged");
    let mut bytes = std::fs::read(&file).expect("the backup is there");
    bytes[20_000..].fill(0xA5);
    std::fs::write(&other, &bytes).unwrap();
    refused(name, "damaged");
    std::fs::write(&other, "").unwrap();
    refused(name, "no backup of headcount");
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    std::fs::copy(&file, &other).unwrap();
    alter(&other, newer);
    refused(name, "newer version of headcount");
}

#[test]
fn what_postgresql_does_itself_is_said() {
    let url = "postgres://u:secret@h/d";
    for command in ["backup", "restore"] {
        let run = headcount(&[command, "x.db", "--database", url]).failed();
        assert!(run.stderr.contains("pg_dump"), "{}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
}
