//! Parts of names (`co` and `ew`): found among many without reading the rows of all, by the same
//! rules as anything else.

use accounts::Refusal;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{MAX_COUNT, Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use store::{DatabaseUrl, TrigramError};
use uuid::Uuid;

use crate::harness::{CALLER, Kind, TestDatabase, World, on_each_database, strict_body};
use crate::plan::page;

on_each_database!(
    a_part_of_a_name_is_looked_for_in_an_index_alone,
    the_pages_of_a_part_of_a_name_are_the_whole,
);

/// More than are read before an index is, several times.
const ROWS: usize = 9_000;
const USERS: u32 = 0x0188_0001;

/// Users whose names have their numbers, of whom every third is inactive and every seventh deleted.
fn crowded(database: &TestDatabase) -> World {
    let (world, mut raw, kind) = (World::on(database), database.raw(), database.kind);
    let body = json!({
        "userName": "ada", "displayName": "Ada", "name": {"familyName": "Lovelace"},
        "emails": [{"value": "ada@x.example"}],
    });
    let ada = world.create_user(strict_body(ResourceType::user(), body)).expect("it is new");
    let ada = format!("user_id = {}", kind.id(ada));
    let name = |column: &'static str| (column, "'user' || n || '.x%_\\'".to_owned());
    let id = kind.numbered_id(USERS);
    let changed = [("id", id.clone()), name("user_name_key"), name("display_name_key")];
    raw.copy("users", &ada.replace("user_id", "id"), ROWS, &changed);
    raw.copy("user_emails", &ada, ROWS, &[("user_id", id), name("value_key")]);
    let number = match kind {
        Kind::Sqlite => "CAST(substr(user_name_key, 5) AS INTEGER)",
        Kind::Postgres => "substring(user_name_key FROM 'user([0-9]+)')::integer",
    };
    for change in [
        format!("active = FALSE, seat_since = NULL WHERE {number} % 3 = 0"),
        format!(
            "active = FALSE, seat_since = NULL, deleted_at = created_at WHERE {number} % 7 = 0"
        ),
    ] {
        let of_copies = "AND user_name_key LIKE 'user%.x%'";
        raw.execute(&format!("UPDATE users SET {change} {of_copies}")).expect("they can be");
    }
    // PostgreSQL makes statistics by itself within a minute; SQLite never does.
    if kind == Kind::Postgres {
        raw.execute("VACUUM ANALYZE").expect("statistics are made");
    }
    world
}

/// The copies of which something is true, in the order of a page.
fn copies(is_it: impl Fn(usize) -> bool) -> Vec<Uuid> {
    let seen = (1..=ROWS).filter(|number| number % 7 != 0 && is_it(*number));
    seen.map(|number| Uuid::from_u128((u128::from(USERS) << 96) + number as u128)).collect()
}

fn query(filter: &str) -> Query {
    let parameters = Parameters { filter: Some(filter.to_owned()), ..Parameters::default() };
    let query = parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
    query.unwrap_or_else(|error| panic!("{filter}: {error:?}"))
}

fn plan(database: &TestDatabase, filter: &str) -> String {
    let query = query(filter);
    let plan = store::explain(&database.url, ResourceType::user(), CALLER.scope(), &query);
    // The next few rows are gone through when they are found.
    plan.unwrap().join("\n").replace("SCAN resource\nCORRELATED", "EACH resource\nCORRELATED")
}

fn a_part_of_a_name_is_looked_for_in_an_index_alone(database: &TestDatabase) {
    let _world = crowded(database);
    for (filter, index) in [
        ("userName co \"4711\"", "users_by_user_name"),
        // Of which a planner thinks that many have it.
        ("userName co \"77\"", "users_by_user_name"),
        ("userName ew \"4711\"", "users_by_user_name"),
        ("displayName co \"4711\"", "users_by_display_name"),
    ] {
        let plan = plan(database, filter);
        let (wanted, unwanted) = match database.kind {
            Kind::Sqlite => {
                (format!("USING COVERING INDEX {index} (tenant_id=?)"), "SCAN resource")
            }
            Kind::Postgres => (format!("Index Only Scan using {index} on"), "Seq Scan on users"),
        };
        assert!(plan.contains(&wanted) && !plan.contains(unwanted), "{filter}: {plan}");
    }
    // The rows of addresses are as short as their index.
    let by_email = plan(database, "emails.value co \"4711\"");
    let wanted = match database.kind {
        Kind::Sqlite => "SEARCH side USING COVERING INDEX user_emails_by_value (tenant_id=?)",
        Kind::Postgres => "on user_emails side",
    };
    assert!(by_email.contains(wanted) && !by_email.contains("Seq Scan on users"), "{by_email}");
    let plan = plan(database, "active eq true and displayName co \"4711\"");
    let wanted = match database.kind {
        // The names are in the index, and only the rows of those who have the part are read.
        Kind::Sqlite => "SEARCH resource USING INDEX users_by_display_name (tenant_id=?)",
        Kind::Postgres => "Index Only Scan using users_by_display_name on",
    };
    assert!(plan.contains(wanted), "{plan}");
}

#[test]
fn trigrams_find_a_part_of_a_name_without_reading_the_names() {
    let database = &TestDatabase::create(Kind::Postgres);
    let world = crowded(database);
    let made = store::make_trigrams(&database.url).expect("they are made");
    assert_eq!(made.len(), 2);
    assert!(store::make_trigrams(&database.url).expect("they are there").is_empty());
    for (filter, index) in [
        ("userName co \"4711\"", "users_by_parts_of_names"),
        ("displayName ew \"4711\"", "users_by_parts_of_names"),
        ("name.familyName co \"4711\"", "users_by_parts_of_names"),
        ("emails.value co \"4711\"", "user_emails_by_parts_of_values"),
    ] {
        let plan = plan(database, filter);
        let wanted = format!("Bitmap Index Scan on {index}");
        assert!(plan.contains(&wanted), "{filter}: {plan}");
    }
    each_part_is_found(&world);
    assert_eq!(store::drop_trigrams(&database.url).expect("they go").len(), 2);
    assert!(!plan(database, "userName co \"4711\"").contains("parts"));
}

#[test]
fn trigrams_that_were_begun_are_made_anew() {
    let database = &TestDatabase::create(Kind::Postgres);
    let _world = World::on(database);
    store::make_trigrams(&database.url).expect("they are made");
    let broken = "UPDATE pg_index SET indisvalid = FALSE \
                  WHERE indexrelid = 'users_by_parts_of_names'::regclass";
    database.raw().execute(broken).expect("the superuser may");
    let made = store::make_trigrams(&database.url).expect("they are made");
    assert_eq!(made, ["users_by_parts_of_names"]);
}

#[test]
fn trigrams_say_which_right_they_need() {
    let sqlite = TestDatabase::create(Kind::Sqlite);
    assert!(matches!(store::make_trigrams(&sqlite.url), Err(TrigramError::Sqlite)));

    let database = TestDatabase::create(Kind::Postgres);
    let _world = World::on(&database);
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("it is PostgreSQL's") };
    let role = format!("guest_of_{}", std::process::id());
    database.raw().execute(&format!("CREATE ROLE {role} LOGIN")).expect("it is new");
    let separator = if url.contains('?') { '&' } else { '?' };
    let guest = DatabaseUrl::Postgres(format!("{url}{separator}user={role}"));
    let error = store::make_trigrams(&guest).expect_err("it may not").to_string();
    database.raw().execute(&format!("DROP ROLE {role}")).expect("nothing is its own");
    assert!(error.contains("pg_trgm") && error.contains("permission denied"), "{error}");
    assert!(error.contains("may CREATE in the database"), "{error}");
}

fn the_pages_of_a_part_of_a_name_are_the_whole(database: &TestDatabase) {
    each_part_is_found(&crowded(database));
}

/// Whether the user with a number is found.
type Has = Box<dyn Fn(usize) -> bool>;

/// Of parts that many have and of parts that few have, in pages of each kind.
fn each_part_is_found(world: &World) {
    let has = |part: &'static str| move |number: usize| number.to_string().contains(part);
    let cases: Vec<(&str, Has)> = vec![
        ("userName co \"user\"", Box::new(|_| true)),
        ("userName co \"777\"", Box::new(has("777"))),
        ("userName co \"4711\"", Box::new(has("4711"))),
        // The first row that is not among the next few.
        ("userName co \"2001\"", Box::new(has("2001"))),
        ("userName co \"4711%\"", Box::new(|_| false)),
        ("userName co \"r89_\"", Box::new(|_| false)),
        ("displayName co \"89\"", Box::new(has("89"))),
        ("displayName co \"X%_\\\\\" and displayName co \"8999\"", Box::new(has("8999"))),
        ("userName ew \"7.X%_\\\\\"", Box::new(|number| number % 10 == 7)),
        ("userName co \"123\" or userName co \"8765\"", {
            Box::new(move |number| has("123")(number) || has("8765")(number))
        }),
        ("active eq true and userName co \"89\"", {
            Box::new(move |number| number % 3 != 0 && has("89")(number))
        }),
        ("emails.value co \"777\"", Box::new(has("777"))),
        ("not (userName co \"8\") and userName co \"99\"", {
            Box::new(move |number| has("99")(number) && !has("8")(number))
        }),
    ];
    for (filter, is_it) in cases {
        let whole = copies(is_it);
        for (start, count) in [(Start::After(None), 70), (Start::Index(1), MAX_COUNT)] {
            let first = Query { start, count, ..query(filter) };
            assert_eq!(walked(world, first), whole, "{filter} in pages of {count}");
        }
    }
}

/// What is on the pages of a query, each of which begins where the one before it ends.
fn walked(world: &World, first: Query) -> Vec<Uuid> {
    let kind = ResourceType::user();
    let walked = world.read(move |tx| {
        let (mut query, mut found) = (first.clone(), Vec::new());
        loop {
            let page = page(tx, kind, &query)?;
            found.extend(page.resources.iter().map(|resource| resource.id));
            let total = page.total.unwrap_or(u64::MAX);
            let last = page.resources.last().map(|last| last.position(kind, None));
            query.start = match (&query.start, last) {
                (Start::Index(_), Some(_)) if (found.len() as u64) < total => {
                    Start::Index(found.len() as u64 + 1)
                }
                (Start::After(_), Some(last)) if page.has_next => Start::After(Some(last)),
                _ => break,
            };
            query.wants_total = matches!(query.start, Start::Index(_));
        }
        Ok::<_, Refusal>(found)
    });
    // The one whom the others are copies of is none.
    let mut found = walked.expect("every page is found");
    found.retain(|id| id.as_u128() >> 96 == u128::from(USERS));
    found
}
