//! Users who are looked up together: each asker finds what it would have found alone, and by indexes.

use std::collections::BTreeSet;
use std::sync::Arc;

use accounts::{Account, GroupOf, Refusal, Scope, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{Parameters, Query};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use store::LookUp;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Listener, TestDatabase, World, group, on_each_database, strict_body, user,
};
use crate::scale::{ROWS, USERS, complaint, copy, crowded, query};

on_each_database!(
    each_finds_what_it_looks_up_among_others,
    who_is_looked_up_with_others_is_found_by_indexes,
    plans_of_empty_tables_do_not_last,
);

/// What one asks.
#[derive(Debug, Clone)]
enum Question {
    Id(Uuid),
    Filter(Query),
}

/// Those who were found, and the groups that they are in.
type Answer = (Vec<Account>, Vec<GroupOf>);

impl Question {
    fn filter(filter: &str) -> Self {
        let parameters = Parameters { filter: Some(filter.to_owned()), ..Parameters::default() };
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let query = parameters.query(ResourceType::user(), &mut leniencies);
        Self::Filter(query.unwrap_or_else(|error| panic!("{filter}: {error:?}")))
    }

    fn look_up(&self, scope: Scope) -> LookUp {
        let look_up = match self {
            Self::Id(id) => LookUp::by_id(ResourceType::user(), scope, *id),
            Self::Filter(query) => LookUp::by_query(ResourceType::user(), scope, query),
        };
        look_up.expect("it finds one user at most")
    }

    fn ask(&self, tx: &mut dyn Tx, scope: Scope) -> Result<Answer, Refusal> {
        let found = match self {
            Self::Id(id) => tx.user(scope, *id)?.into_iter().collect(),
            Self::Filter(query) => tx.users(scope, query)?.resources,
        };
        let ids: Vec<Uuid> = found.iter().map(|account: &Account| account.resource.id).collect();
        let groups = tx.groups_of(scope.tenant, &ids)?;
        Ok((found, groups))
    }
}

/// Twelve people of whom each is in one group more than the one before, and two share an address.
fn populate(world: &World) -> Vec<Uuid> {
    let create = |number: usize| {
        let address = if number < 2 { "shared".to_owned() } else { format!("user{number}") };
        let body = json!({
            "userName": format!("user{number}"),
            "externalId": format!("x{number}"),
            "emails": [{"value": format!("{address}@example.com")}],
        });
        world.create_user(strict_body(ResourceType::user(), body)).expect("it is new")
    };
    let users: Vec<Uuid> = (0..12).map(create).collect();
    for number in 0..users.len() {
        let body = group(&format!("group{number}"), &users[number + 1..]);
        world.create_group(body).expect("it is new");
    }
    users
}

fn questions(users: &[Uuid]) -> Vec<Question> {
    let mut questions = vec![
        Question::Id(Uuid::from_u128(7)),
        Question::filter("userName eq \"nobody\""),
        Question::filter("emails.value eq \"shared@example.com\""),
        Question::filter("userName eq \"{7,\\\"NULL\\\"}\""),
    ];
    for (number, id) in users.iter().enumerate() {
        questions.push(Question::Id(*id));
        questions.push(Question::filter(&format!("userName eq \"USER{number}\"")));
        questions.push(Question::filter(&format!("externalId eq \"x{number}\"")));
        questions.push(Question::filter(&format!("emails.value eq \"user{number}@example.com\"")));
    }
    questions
}

fn each_finds_what_it_looks_up_among_others(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = World::on(database);
    let users = populate(&world);
    let here = CALLER.scope();
    // Of another connection's externalIds, and another tenant's people, nobody is to see anything.
    let scopes = [
        here,
        Scope { connection: Uuid::from_u128(8), ..here },
        Scope { tenant: Uuid::from_u128(9), ..here },
    ];
    let asked = scopes.map(|scope| questions(&users).into_iter().map(move |one| (scope, one)));
    let asked: Vec<(Scope, Question)> = asked.into_iter().flatten().collect();
    let mut found = Vec::new();
    let heard = listener.during(|| {
        let together = asked.iter().cloned().map(|(scope, question)| {
            let (store, look_up) = (Arc::clone(&world.store), question.look_up(scope));
            world.runtime.spawn(async move {
                let store = store.of(scope.tenant);
                store.look_up(Some(look_up), move |tx| question.ask(tx, scope)).await
            })
        });
        let together: Vec<_> = together.collect();
        found = together.into_iter().map(|one| world.runtime.block_on(one).unwrap()).collect();
    });
    let mut people = 0;
    for ((scope, question), found) in asked.into_iter().zip(found) {
        let alone = question.clone();
        let expected = world.read(move |tx| alone.ask(tx, scope)).expect("it can be read");
        people += expected.0.len();
        assert_eq!(found.expect("it can be read"), expected, "{question:?} of {scope:?}");
    }
    // By identifier, userName and address all of both connections, and by externalId those of one.
    assert_eq!(people, 2 * (12 + 12 + 10 + 2) + 12);
    let together = heard.iter().filter(|said| said.contains("FROM unnest(")).count();
    match database.kind {
        Kind::Sqlite => assert_eq!(together, 0, "it would spare nothing"),
        Kind::Postgres => {
            assert!(together > 0 && heard.len() < 100, "{} statements", heard.len());
        }
    }
}

/// Looks users up in each way; `number` of each at once.
fn look_up(world: &World, number: u8) {
    let by = |number: u8, filter: Option<&str>| {
        let (store, scope) = (Arc::clone(&world.store), CALLER.scope());
        let (kind, id) = (ResourceType::user(), copy(USERS, number.into()));
        let query = filter.map(|filter| query(kind, filter));
        let look_up = match &query {
            Some(query) => LookUp::by_query(kind, scope, query),
            None => LookUp::by_id(kind, scope, id),
        };
        world.runtime.spawn(async move {
            let ask = move |tx: &mut dyn Tx| match &query {
                Some(query) => tx.users(scope, query).map(|_| ()),
                None => tx.user(scope, id).map(|_| ()),
            };
            store.of(scope.tenant).look_up(look_up, ask).await
        })
    };
    let filters = ["userName eq \"a\"", "emails.value eq \"a\"", "externalId eq \"a\""];
    let kinds = || std::iter::once(None).chain(filters.map(Some));
    let all = (0..number).flat_map(|number| kinds().map(move |kind| (number, kind)));
    let all: Vec<_> = all.map(|(number, kind)| by(number, kind)).collect();
    for one in all {
        world.runtime.block_on(one).expect("the task ends").expect("it is read");
    }
}

fn who_is_looked_up_with_others_is_found_by_indexes(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = crowded(database, ROWS);
    let heard = listener.during(|| look_up(&world, 40));
    let heard: BTreeSet<String> =
        heard.into_iter().filter(|said| said.contains("FROM unnest(")).collect();
    let expected = if database.kind == Kind::Postgres { 4 } else { 0 };
    assert_eq!(heard.len(), expected, "{heard:#?}");
    let complaints: Vec<String> =
        heard.iter().filter_map(|said| complaint(database, said)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// Where a tenant's first users come, the plans are from a time when there was nobody, and it took the
/// same to read all as to read one.
fn plans_of_empty_tables_do_not_last(database: &TestDatabase) {
    if database.kind == Kind::Sqlite {
        return;
    }
    let world = World::on(database);
    let ada = database.kind.id(world.create_user(user("ada")).expect("it is new"));
    for _ in 0..10 {
        look_up(&world, 10);
    }
    let mut raw = database.raw();
    let id = database.kind.numbered_id(USERS);
    let name = ("user_name_key", "'user' || n".to_owned());
    raw.copy("users", &format!("id = {ada}"), ROWS, &[("id", id), name]);
    let mut read = || {
        let counted = raw.texts(
            "SELECT concat(sum(idx_scan), ' ', sum(idx_tup_read)) AS value \
             FROM pg_stat_user_indexes WHERE relname = 'users'",
        );
        let numbers = counted[0].split(' ').map(|number| number.parse().unwrap());
        numbers.collect::<Vec<u64>>()
    };
    // PostgreSQL counts for others once a second.
    let (mut before, mut rows) = (read(), Vec::new());
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(500));
        look_up(&world, 10);
        let after = read();
        let looked_up = after[0] - before[0];
        if looked_up >= 40 {
            rows.push((after[1] - before[1]) / looked_up);
            before = after;
        }
        eprintln!("ROWS {rows:?}");
        if rows.len() > 2 && rows.last().is_some_and(|rows| *rows < 10) {
            return;
        }
    }
    panic!("for each look-up so many rows were read: {rows:?}");
}
