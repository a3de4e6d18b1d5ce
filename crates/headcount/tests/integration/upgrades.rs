//! A database of every version that was released is brought up to date and has everything.
//!
//! `tests/fixtures` has a folder for each release, which `cargo xtask fixture VERSION` made: a small
//! database with something of everything, of `SQLite` and of `PostgreSQL`, and what is in it. One of
//! the present version is made on the spot, so that making and loading them is tested too.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(a_database_of_every_release_is_brought_up_to_date);

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// How a program of PostgreSQL is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// What is counted in a fixture, and again when it has been brought up to date.
const COUNTED: [&str; 10] = [
    "tenants",
    "objects",
    "users",
    "user_emails",
    "identity_claims",
    "groups",
    "memberships",
    "grants",
    "skill_assignments",
    "change_log",
];

fn a_database_of_every_release_is_brought_up_to_date(kind: Database) {
    let made = tempfile::tempdir().expect("a temporary folder can be made");
    write(kind, made.path());
    check(kind, made.path());
    for release in released() {
        check(kind, &release);
    }
}

/// Writes what `cargo xtask fixture` asks for.
#[test]
#[ignore = "it writes a fixture: cargo xtask fixture VERSION"]
fn writes_a_fixture() {
    let folder = std::env::var("HEADCOUNT_TEST_WRITE_FIXTURE").expect("where to write it");
    fs::create_dir_all(&folder).expect("the folder can be made");
    for kind in [Database::Sqlite, Database::Postgres] {
        write(kind, Path::new(&folder));
        check(kind, Path::new(&folder));
    }
}

/// The folders of what was released.
fn released() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(FIXTURES) else { return Vec::new() };
    entries.map(|entry| entry.expect("a fixture").path()).filter(|path| path.is_dir()).collect()
}

/// Makes a database with something of everything, and writes it and what is in it.
fn write(kind: Database, folder: &Path) {
    let (mut server, scim, admin) = serve_admin(kind);
    let somebody = furnish(&scim, &admin);
    let long = ["--dialect", "standard", "--expires", "3650d"];
    let create = ["token", "create", "--tenant", "acme"];
    let token = server.command(&[&create[..], &long].concat()).succeeded().stdout;
    let base = server.base_url().to_owned();
    server.terminate();
    let database = server.database();
    let counts = COUNTED.map(|table| (table, count(database, table)));
    for (table, rows) in &counts {
        assert!(*rows > 0, "a fixture has something of everything: {table}");
    }
    let holds = json!({
        "token": token.trim(),
        "somebody": scrubbed(&somebody, &base),
        "counts": counts.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect::<serde_json::Map<String, _>>(),
    });
    let text = serde_json::to_string_pretty(&holds).expect("it is JSON");
    fs::write(folder.join(format!("{}.json", name(kind))), text + "\n").expect("it can be written");
    match kind {
        Database::Sqlite => {
            for (file, packed) in files(database, folder) {
                pack(&fs::read(file).expect("the file is there"), &packed);
            }
        }
        Database::Postgres => {
            let mut dump = Command::new(program("pg_dump"));
            let dump = run(dump.args(["--no-owner", database.url()]), LIMIT).succeeded().stdout;
            // What only the newest psql reads.
            let lines = dump.lines().filter(|line| !line.contains("restrict "));
            let dump: String = lines.flat_map(|line| [line, "\n"]).collect();
            pack(dump.as_bytes(), &folder.join("postgres.sql.gz"));
        }
    }
}

/// Something of everything; one of the users, as they are read.
fn furnish(scim: &Client, admin: &Administrator) -> Value {
    admin.create("/Divisions", "Berlin");
    admin.create("/Skills", "Spanish");
    admin.limit("CX1", 50);
    let mut people = Vec::new();
    for (given, family) in [("Ada", "King"), ("Bob", "Ross"), ("Cleo", "Laine"), ("Dan", "Brown")] {
        let mut body = person(given, family, &format!("{given}@example.com").to_lowercase());
        body["externalId"] = json!(format!("e-{given}"));
        body["roles"] = json!([{"value": "agent"}]);
        body[HEADCOUNT] =
            json!({"division": "Berlin", "skills": [{"value": "Spanish", "proficiency": 4}]});
        people.push(create_user(scim, &body));
    }
    let ids: Vec<&str> = people.iter().filter_map(|path| path.rsplit('/').next()).collect();
    let inner = scim.post("/Groups", &group("Inner", &ids[..2])).expect(201).id();
    scim.post("/Groups", &group("Outer", &[&inner])).expect(201);
    scim.patch(&people[0], &replace("title", "Head")).expect(200);
    scim.patch(&people[1], &replace("active", false)).expect(200);
    scim.delete(&people[2]).expect(204);
    scim.get(&people[0]).expect(200).body
}

/// Loads a fixture, brings it up to date, and looks whether it has everything.
fn check(kind: Database, folder: &Path) {
    let what = folder.display();
    let text = fs::read_to_string(folder.join(format!("{}.json", name(kind))));
    let holds: Value = serde_json::from_str(&text.expect("a fixture says what it holds")).unwrap();
    let database = load(kind, folder);
    headcount(&["migrate", "--database", database.url()]).succeeded();
    for table in COUNTED {
        assert_eq!(count(&database, table), holds["counts"][table], "{what}: {table}");
    }
    let server = Server::on(&database);
    let verified = server.command(&["verify-log"]).succeeded();
    assert!(verified.stdout.contains("findings 0"), "{what}: {}", verified.stdout);
    let scim = server.client_with_token(holds["token"].as_str().expect("a token"));
    let somebody = &holds["somebody"];
    let path = format!("/Users/{}", somebody["id"].as_str().expect("an id"));
    let read = scrubbed(&scim.get(&path).expect(200).body, server.base_url());
    for (attribute, value) in somebody.as_object().expect("a user") {
        assert_eq!(&read[attribute], value, "{what}: {attribute}");
    }
    // The keys are the same, so that a name is still known; and it can be written.
    scim.post("/Users", &user("CLEO@example.com")).expect_error(409, Some("uniqueness"));
    scim.patch(&path, &replace("title", "Chief")).expect(200);
    let requests = Administrator::of(&server, "acme").scim;
    let deletion = requests.filter("/ProvisioningLogEntries", "method eq \"DELETE\"").expect(200);
    assert_eq!(deletion["totalResults"], 1, "{what}: {}", deletion.story());
}

fn load(kind: Database, folder: &Path) -> Arc<TestDatabase> {
    let database = TestDatabase::create(kind);
    match kind {
        Database::Sqlite => {
            for (file, packed) in files(&database, folder) {
                fs::write(file, unpack(&packed)).expect("it can be written");
            }
        }
        Database::Postgres => {
            let dump = database.folder().join("postgres.sql");
            fs::write(&dump, unpack(&folder.join("postgres.sql.gz"))).expect("it can be written");
            let mut psql = Command::new(program("psql"));
            psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url(), "-f"]).arg(dump);
            run(&mut psql, LIMIT).succeeded();
        }
    }
    database
}

/// The files of SQLite, and what they are packed as.
fn files(database: &TestDatabase, folder: &Path) -> [(PathBuf, PathBuf); 2] {
    let log = database.folder().join("test-log.db");
    [(database.file(), folder.join("sqlite.db.gz")), (log, folder.join("sqlite-log.db.gz"))]
}

fn name(kind: Database) -> &'static str {
    match kind {
        Database::Sqlite => "sqlite",
        Database::Postgres => "postgres",
    }
}

fn count(database: &TestDatabase, table: &str) -> i64 {
    database.count(&format!("SELECT count(*) FROM {table}"))
}

/// Without where the server was.
fn scrubbed(resource: &Value, base_url: &str) -> Value {
    let text = resource.to_string().replace(base_url, "");
    serde_json::from_str(&text).expect("it was JSON before")
}

fn pack(bytes: &[u8], to: &Path) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("memory can be written");
    fs::write(to, packed.finish().expect("memory can be written")).expect("it can be written");
}

fn unpack(from: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packed = fs::read(from).expect("a fixture of this database is there");
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("it is packed");
    bytes
}
