//! The plans of what identity providers ask for all day, in a tenant where reading all of it would show,
//! and `docs/plans.md`, which has them for whoever runs a database.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use accounts::tenancy::{self, Token};
use accounts::{Refusal, Tx};
use scim_protocol::cursor::{Key, Position};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use store::Plans;

use crate::harness::{CALLER, Kind, Listener, TestDatabase, World, context, on_each_database};
use crate::scale::{GROUPS, ROWS, USERS, copy, crowded};

on_each_database!(what_identity_providers_ask_for_finds_its_rows_by_an_index);

/// The page that says them.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plans.md");

/// A query, and what its plan has to hold on SQLite and on PostgreSQL.
struct Asked {
    title: &'static str,
    kind: &'static ResourceType,
    query: Query,
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
}

const USER_BY_ID: &str = "sqlite_autoindex_users_1 (tenant_id=? AND id=?)";

fn asked() -> Vec<Asked> {
    let (users, groups) = (ResourceType::user(), ResourceType::group());
    let user = copy(USERS, 7_001);
    let filter = |kind: &'static ResourceType, filter: &str| {
        let filter = Some(filter.to_owned());
        of(kind, &Parameters { filter, ..Parameters::default() })
    };
    let at = |start| Query { start, ..of(users, &Parameters::default()) };
    let after = |key: Option<&str>, sort_by: Option<&str>| {
        let sort_by = sort_by.map(ToOwned::to_owned);
        let key = key.map(|key| Key::Text(key.to_owned()));
        let position = Position { id: user.to_string(), key };
        let query = of(users, &Parameters { sort_by, ..Parameters::default() });
        Query { start: Start::After(Some(position)), ..query }
    };
    let asked =
        |title, kind, query, sqlite, postgres| Asked { title, kind, query, sqlite, postgres };
    vec![
        asked(
            "Users: `id eq \"…\"`",
            users,
            filter(users, &format!("id eq \"{user}\"")),
            &[USER_BY_ID],
            &["using users_pkey on users"],
        ),
        asked(
            "Users: `userName eq \"…\"`",
            users,
            filter(users, "userName eq \"ada7001\""),
            &["users_by_user_name (tenant_id=? AND user_name_key=?)"],
            &["users_by_user_name"],
        ),
        asked(
            "Users: `externalId eq \"…\"`",
            users,
            filter(users, "externalId eq \"ada7001\""),
            &[USER_BY_ID, "external_ids_are_unique (tenant_id=? AND external_id=?"],
            &["external_ids_are_unique", "users_pkey"],
        ),
        asked(
            "Users: `emails.value eq \"…\"`",
            users,
            filter(users, "emails.value eq \"ada@x.example7001\""),
            &[USER_BY_ID, "user_emails_by_value (tenant_id=? AND value_key=?"],
            &["user_emails_by_value", "users_pkey"],
        ),
        asked(
            "Users: `emails[type eq \"work\" and value eq \"…\"]`",
            users,
            filter(users, "emails[type eq \"work\" and value eq \"ada@x.example7001\"]"),
            &[USER_BY_ID, "user_emails_by_value (tenant_id=? AND value_key=? AND type_key=?"],
            &["user_emails_by_value", "users_pkey"],
        ),
        asked(
            "Users: `active eq true and userName sw \"…\"`",
            users,
            filter(users, "active eq true and userName sw \"ada70\""),
            &["users_by_user_name (tenant_id=? AND user_name_key>? AND user_name_key<?)"],
            &["users_by_user_name"],
        ),
        asked(
            "Users: `meta.lastModified gt \"…\"`",
            users,
            filter(users, "meta.lastModified gt \"2099-01-01T00:00:00Z\""),
            &["users_by_modified (tenant_id=? AND modified_at>?)"],
            &["users_by_modified"],
        ),
        asked(
            "Users: `groups.value eq \"…\"`",
            users,
            filter(users, &format!("groups.value eq \"{}\"", copy(GROUPS, 7_001))),
            &[USER_BY_ID, "SEARCH side USING PRIMARY KEY (tenant_id=? AND group_id=?)"],
            &["memberships_pkey", "users_pkey"],
        ),
        asked(
            "Users: `userName co \"…\"`",
            users,
            filter(users, "userName co \"a7001\""),
            &["COVERING INDEX users_by_user_name (tenant_id=?)", USER_BY_ID],
            &["Index Only Scan using users_by_user_name"],
        ),
        asked(
            "Users: the first page",
            users,
            at(Start::Index(1)),
            &["sqlite_autoindex_users_1 (tenant_id=?)"],
            &["using users_pkey"],
        ),
        asked(
            "Users: a page deep in the list, where the page before was sent; and by cursor",
            users,
            after(None, None),
            &["sqlite_autoindex_users_1 (tenant_id=? AND id>?)"],
            &["using users_pkey"],
        ),
        asked(
            "Users: a page by cursor, sorted by userName",
            users,
            after(Some("ada7001"), Some("userName")),
            &["users_by_user_name (tenant_id=? AND user_name_key>?)"],
            &["using users_by_user_name"],
        ),
        asked(
            "Groups: `displayName eq \"…\"`",
            groups,
            filter(groups, "displayName eq \"team7001\""),
            &["groups_by_display_name (tenant_id=? AND display_name_key=?)"],
            &["groups_by_display_name"],
        ),
        asked(
            "Groups: `members eq \"…\"`",
            groups,
            filter(groups, &format!("members eq \"{user}\"")),
            &["memberships_by_member (tenant_id=? AND member_id=?)"],
            &["memberships_by_member", "groups_pkey"],
        ),
        asked(
            "Groups: `id eq \"…\" and members eq \"…\"`",
            groups,
            filter(groups, &format!("id eq \"{}\" and members eq \"{user}\"", copy(GROUPS, 7_001))),
            &["(tenant_id=? AND id=?)"],
            &["groups_pkey"],
        ),
    ]
}

fn of(kind: &'static ResourceType, parameters: &Parameters) -> Query {
    parameters.query(kind, &mut Leniencies::new(Dialect::Strict)).expect("it is a query")
}

type Work = fn(&mut dyn Tx) -> Result<(), Refusal>;

/// What is asked for without a filter, by statements that are prepared once.
fn fetched() -> Vec<(&'static str, Work)> {
    vec![
        ("A token", |tx| {
            assert_eq!(tx.credentials("token7001")?.len(), 1);
            Ok(())
        }),
        ("A user by its identifier, with its roles, groups and skills", |tx| {
            let mut found = [accounts::users::get(tx, &CALLER, copy(USERS, 7_001))?];
            accounts::users::complete(tx, &CALLER, &mut found, &|_| true)
        }),
        ("A group by its identifier, with its members", |tx| {
            let mut found = [accounts::groups::get(tx, &CALLER, copy(GROUPS, 7_001))?];
            accounts::groups::complete(tx, &CALLER, &mut found, &|_| true)
        }),
    ]
}

/// With as many tokens as of everything else.
fn populated(database: &TestDatabase, rows: usize) -> World {
    let world = crowded(database, rows);
    let made = world.write(|tx| {
        let context = context();
        let standard = Dialect::Standard;
        let connection = tenancy::ensure_connection(tx, &context, "okta", standard, None)?.id;
        let token = Token {
            id: "token".to_owned(),
            tenant: CALLER.tenant,
            connection,
            secret_hash: vec![7; 32],
            created: context.now,
            expires: context.now,
            revoked: None,
        };
        Ok::<_, Refusal>(tx.insert_token(&token)?)
    });
    made.expect("it is new");
    let mut raw = database.raw();
    raw.copy("tokens", "id = 'token'", rows, &[("id", "id || n".to_owned())]);
    // PostgreSQL does so by itself within a minute; SQLite never does.
    if database.kind == Kind::Postgres {
        raw.execute("VACUUM ANALYZE").expect("statistics are made");
    }
    world
}

/// Whether a plan reads a table row by row.
fn reads_all(kind: Kind, plan: &[String]) -> bool {
    plan.iter().any(|step| match kind {
        Kind::Sqlite => step.strip_prefix("SCAN ").is_some_and(|name| !is_found(name, plan)),
        // Of a catalogue there is one version; of roles and what they give there are few.
        Kind::Postgres => step.split_once("Seq Scan on ").is_some_and(|(_, table)| {
            let small = ["catalogue_versions", "role_permissions", "objects"];
            !small.iter().any(|known| table.starts_with(known))
        }),
    })
}

/// Whether a statement has found these rows by then, or is given them.
fn is_found(name: &str, plan: &[String]) -> bool {
    let found = ["each", "held", "holders", "json_each", "nested", "found"];
    // The next few rows, at most.
    let is_few = name == "resource" && plan.iter().any(|step| step == "CO-ROUTINE resource");
    is_few || name.contains("ROW") || found.iter().any(|known| name.starts_with(known))
}

fn what_identity_providers_ask_for_finds_its_rows_by_an_index(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = populated(database, ROWS);
    let mut wrong = Vec::new();
    for (title, plan) in fetched_plans(database, &listener, &world) {
        let steps: Vec<String> = plan.iter().flat_map(|one| one.lines()).map(Into::into).collect();
        if reads_all(database.kind, &steps) {
            wrong.push(format!("{title}\n{}", plan.join("\n")));
        }
    }
    for (asked, plans) in asked_plans(database) {
        let plan = plans.page.join("\n");
        let wanted = if database.kind == Kind::Sqlite { asked.sqlite } else { asked.postgres };
        let found = wanted.iter().all(|part| plan.contains(part));
        // Of the whole tenant only an index is read that has all that is asked for.
        let counts_all = plans
            .count
            .iter()
            .any(|step| step.starts_with("SEARCH resource") && step.ends_with("(tenant_id=?)"));
        let may_count_all = asked.query.filter.is_none() || asked.title.contains(" co ");
        if !found || reads_all(database.kind, &plans.page) || (counts_all && !may_count_all) {
            let count = plans.count.join("\n");
            wrong.push(format!("{}: wanted {wanted:?}\n{plan}\n\n{count}", asked.title));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn asked_plans(database: &TestDatabase) -> Vec<(Asked, Plans)> {
    let plans = |asked: Asked| {
        let plans = store::plans(&database.url, asked.kind, CALLER.scope(), &asked.query);
        (asked, plans.expect("it can be searched"))
    };
    asked().into_iter().map(plans).collect()
}

/// The plans of what a unit of work is heard to say, one for each statement.
fn fetched_plans(
    database: &TestDatabase,
    listener: &Listener,
    world: &World,
) -> Vec<(&'static str, Vec<String>)> {
    let plans = |(title, work): (&'static str, Work)| {
        let heard = listener.during(|| world.read(work).expect("it is found"));
        let heard: BTreeSet<String> = heard.into_iter().collect();
        assert!(!heard.is_empty(), "{title}: nothing was heard");
        let mut raw = database.raw();
        let plans: Vec<String> =
            heard.iter().map(|statement| raw.plan(statement).join("\n")).collect();
        (title, plans)
    };
    fetched().into_iter().map(plans).collect()
}

/// What was measured in one database, by title.
type Told = Vec<(&'static str, String)>;

fn told(database: &TestDatabase, rows: usize) -> Told {
    let listener = Listener::of(database);
    let world = populated(database, rows);
    let mut told: Told = fetched_plans(database, &listener, &world)
        .into_iter()
        .map(|(title, plans)| (title, plans.join("\n\n")))
        .collect();
    for (asked, Plans { page, count }) in asked_plans(database) {
        let mut text = page.join("\n");
        // What finds one at most is not counted.
        if !asked.title.contains(" eq \"…\"`") || asked.title.contains(" and userName") {
            let _ = write!(text, "\n\ncounted, where the page is full:\n{}", count.join("\n"));
        }
        told.push((asked.title, text));
    }
    told
}

/// Writes `docs/plans.md`: `cargo xtask plans` runs it.
#[test]
#[ignore = "it writes into the tree"]
fn writes_the_page_of_plans() {
    let rows = std::env::var("HEADCOUNT_TEST_ROWS").expect("cargo xtask plans sets it");
    let rows: usize = rows.parse().expect("it is a number");
    let [sqlite, postgres] =
        [Kind::Sqlite, Kind::Postgres].map(|kind| told(&TestDatabase::create(kind), rows));
    let mut text = format!(
        "<!-- Written by `cargo xtask plans`. Do not edit. -->\n\n# Plans\n\n\
         How each database finds what identity providers ask for all day, in a tenant with {rows} users, groups, \
         memberships, tokens and entries of everything else: by the statistics that it has, which SQLite has \
         none of. The contract tests hold them to their indexes (`crates/store/tests/contract/plans.rs`). To see \
         one in a database of yours: `EXPLAIN` in `psql`, or `EXPLAIN QUERY PLAN` in `sqlite3`.\n"
    );
    for ((title, on_sqlite), (_, on_postgres)) in sqlite.iter().zip(&postgres) {
        let _ = write!(
            text,
            "\n## {title}\n\nSQLite:\n\n```\n{on_sqlite}\n```\n\nPostgreSQL:\n\n```\n{on_postgres}\n```\n"
        );
    }
    std::fs::write(PAGE, text).expect("the page can be written");
}

#[test]
fn the_page_of_plans_has_all_that_is_asked_for() {
    let page = std::fs::read_to_string(PAGE).expect("`cargo xtask plans` writes it");
    let titles = fetched().into_iter().map(|(title, _)| title);
    for title in titles.chain(asked().into_iter().map(|asked| asked.title)) {
        assert!(page.contains(&format!("\n## {title}\n")), "{title}: run `cargo xtask plans`");
    }
}
