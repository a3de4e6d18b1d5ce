//! The command line.

use serde_json::json;

use crate::harness::*;

on_each_database!(
    tenants_are_created_once_and_listed,
    token_create_prints_only_the_token,
    every_flag_has_a_variable,
    migrating_twice_is_harmless,
    trigrams_are_for_postgresql,
    r81_verify_log_tells_a_log_as_it_was_written_from_a_forged_one,
);

fn tenants_are_created_once_and_listed(database: Database) {
    let database = TestDatabase::create(database);
    let on_database =
        |arguments: &[&str]| headcount(&[arguments, &["--database", database.url()]].concat());
    on_database(&["migrate"]).succeeded();
    on_database(&["tenant", "create", "acme"]).succeeded();
    on_database(&["tenant", "create", "globex"]).succeeded();
    let refused = on_database(&["tenant", "create", "acme"]).failed();
    assert!(refused.stderr.contains("acme"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
    let list = on_database(&["tenant", "list"]).succeeded();
    for name in ["acme", "globex"] {
        let rows = list.stdout.lines().filter(|line| line.contains(name)).count();
        assert_eq!(rows, 1, "{}", list.stdout);
    }
}

fn token_create_prints_only_the_token(database: Database) {
    let server = Server::start(database);
    server.tenant("acme");
    let create = |more: &[&str]| {
        let fixed: &[&str] = &["token", "create", "--tenant", "acme"];
        server.command(&[fixed, more].concat())
    };
    for dialect in ["strict", "standard", "entra", "okta"] {
        let run = create(&["--dialect", dialect]).succeeded();
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "{}", run.stdout);
        assert!(lines[0].starts_with("hc_"), "{}", run.stdout);
        assert!(!run.stderr.contains(lines[0]), "a token is printed once");
        server.client_with_token(lines[0]).get("/Users").expect_empty_list();
    }
    create(&["--dialect", "esperanto"]).failed();
    create(&["--expires", "soon"]).failed();
    let unknown = server.command(&["token", "create", "--tenant", "nobody"]).failed();
    assert!(unknown.stderr.contains("nobody"), "{}", unknown.stderr);
}

fn every_flag_has_a_variable(database: Database) {
    let database = TestDatabase::create(database);
    let variables = [("HEADCOUNT_DATABASE", database.url()), ("HEADCOUNT_LISTEN", "127.0.0.1:0")];
    let server = Server::run(&database, &["serve"], &variables);
    let run = |arguments: &[&str]| headcount_in(database.folder(), arguments, &variables);
    run(&["tenant", "create", "acme"]).succeeded();
    let token = run(&["token", "create", "--tenant", "acme"]).succeeded();
    let scim = server.client_with_token(token.stdout.trim());
    scim.post("/Users", &user("ada")).expect(201);
}

fn migrating_twice_is_harmless(database: Database) {
    let database = TestDatabase::create(database);
    headcount(&["migrate", "--database", database.url()]).succeeded();
    headcount(&["migrate", "--database", database.url()]).succeeded();
    let server = Server::on(&database);
    let scim = server.tenant("acme").client(Dialect::Standard);
    scim.post("/Users", &user("ada")).expect(201);
    headcount(&["migrate", "--database", database.url()]).succeeded();
    scim.get("/Users").expect_user_names(&["ada"]);
}

fn r81_verify_log_tells_a_log_as_it_was_written_from_a_forged_one(database: Database) {
    let mut server = Server::start(database);
    let scim = server.tenant("acme").client(Dialect::Standard);
    server.tenant("globex").client(Dialect::Standard).post("/Users", &user("bob")).expect(201);
    let id = scim.post("/Users", &user("ada")).expect(201)["id"].clone();
    let id = id.as_str().expect("it is a text");
    scim.patch(
        &format!("/Users/{id}"),
        &json!([{"op": "replace", "value": {"title": "Countess"}}]),
    )
    .expect(200);
    // Others may write meanwhile.
    let whole = server.command(&["verify-log"]).succeeded();
    let lines: Vec<&str> = whole.stdout.lines().collect();
    let [acme, globex] = lines[..] else { panic!("{}", whole.stdout) };
    for (line, tenant) in [(acme, "acme"), (globex, "globex")] {
        assert!(line.starts_with(&format!("{tenant}: entries ")), "{line}");
        assert!(line.ends_with(", findings 0"), "{line}");
    }
    let one = server.command(&["verify-log", "--tenant", "Globex"]).succeeded();
    assert_eq!(one.stdout.trim_end(), globex);
    server.command(&["verify-log", "--tenant", "nobody"]).failed();
    let expected = acme.replace("findings 0", "findings 1");

    let database = server.database().clone();
    server.terminate();
    database.forge("Countess", "Empress");
    let verify =
        |more: &[&str]| headcount(&[&["verify-log", "--database", database.url()], more].concat());
    let forged = verify(&[]).failed();
    assert_eq!(forged.status.code(), Some(1));
    let lines: Vec<&str> = forged.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", forged.stdout);
    let finding = format!("acme: changed: User {id} version 2, entry ");
    assert!(lines[0].starts_with(&finding), "{}", forged.stdout);
    assert_eq!(lines[1], expected);
    assert!(forged.stderr.contains("findings: 1"), "{}", forged.stderr);
    verify(&["--tenant", "globex"]).succeeded();
}

#[test]
fn a_bad_database_url_is_explained() {
    for url in [
        "mysql://localhost/x",
        "nonsense",
        "sqlite:/no/such/folder/at/all/headcount.db",
        "postgres://nobody@127.0.0.1:1/none",
    ] {
        for command in
            [&["migrate"][..], &["tenant", "list"], &["serve", "--listen", "127.0.0.1:0"]]
        {
            let run = headcount(&[command, &["--database", url]].concat()).failed();
            assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        }
    }
}

#[test]
fn wrong_arguments_are_explained() {
    for arguments in [&["no-such-command"][..], &["tenant"], &["tenant", "create"], &["--bogus"]] {
        headcount(arguments).failed();
    }
    let help = headcount(&["--help"]).succeeded();
    for command in ["serve", "migrate", "tenant", "token"] {
        assert!(help.stdout.contains(command), "{}", help.stdout);
    }
    headcount(&["--version"]).succeeded();
}

#[test]
fn an_address_in_use_is_explained() {
    let server = Server::start(Database::Sqlite);
    let address = server.base_url().trim_start_matches("http://").trim_end_matches("/scim/v2");
    let database = TestDatabase::create(Database::Sqlite);
    let run = headcount(&["serve", "--listen", address, "--database", database.url()]).failed();
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    server.anonymous().get("/Schemas").expect(200);
}

fn trigrams_are_for_postgresql(database: Database) {
    let server = Server::start(database);
    let scim = server.tenant("acme").client(Dialect::Strict);
    for name in ["anna.okafor@example.com", "bert@example.com"] {
        create_user(&scim, &user(name));
    }
    let found = || {
        let found = scim.filter("/Users", "userName co \"OKAF\"").expect(200);
        assert_eq!(found.user_names(), ["anna.okafor@example.com"]);
    };
    found();
    if database == Database::Sqlite {
        let refused = server.command(&["trigrams", "create"]).failed();
        assert!(refused.stderr.contains("for PostgreSQL"), "{}", refused.stderr);
        return;
    }
    let made = server.command(&["trigrams", "create"]).succeeded();
    assert!(made.stderr.contains("created users_by_parts_of_names"), "{}", made.stderr);
    found();
    let dropped = server.command(&["trigrams", "drop"]).succeeded();
    assert!(dropped.stderr.contains("dropped users_by_parts_of_names"), "{}", dropped.stderr);
    found();
}
