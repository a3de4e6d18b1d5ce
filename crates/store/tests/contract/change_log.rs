//! The change log as it is read: its entries are resources (rule R81).

use accounts::ledger::{get, list};
use accounts::{
    Actor, Caller, Code, Context, Page, Precondition, Refusal, Resource, Right, Rights, Source, Tx,
    erase,
};
use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::filter::evaluate;
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, World, context, edits, group, on_each_database, user,
};

fn kind() -> &'static ResourceType {
    ResourceType::change_log_entry()
}

fn query(filter: Option<&str>, sort_by: Option<(&str, &str)>) -> Query {
    let parameters = Parameters {
        filter: filter.map(ToOwned::to_owned),
        sort_by: sort_by.map(|(name, _)| name.to_owned()),
        sort_order: sort_by.map(|(_, order)| order.to_owned()),
        count: Some("200".to_owned()),
        ..Parameters::default()
    };
    parameters.query(kind(), &mut Leniencies::new(Dialect::Strict)).expect("it is a query")
}

fn page(world: &World, query: Query) -> Result<Page, Refusal> {
    world.read(move |tx| list(tx, &CALLER, &query))
}

fn all(world: &World) -> Vec<Resource> {
    page(world, query(None, None)).expect("it is found").resources
}

fn ids(resources: &[Resource]) -> Vec<Uuid> {
    resources.iter().map(|resource| resource.id).collect()
}

/// A member of a team whose title changes, who is deleted by an administrator, and one who stays;
/// who both are, and the team.
fn history(world: &World) -> [Uuid; 3] {
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let team = world.create_group(group("team", &[ada, bob])).expect("it is new");
    let any = Precondition::default();
    let operation = json!({"op": "replace", "path": "title", "value": "Countess"});
    let retitle = move |tx: &mut dyn Tx| {
        let edits = edits(ResourceType::user(), &operation);
        let (any, mut leniencies) = (Precondition::default(), Leniencies::new(Dialect::Strict));
        Ok::<_, Refusal>(
            accounts::users::patch(tx, &context(), ada, &any, &edits, &mut leniencies)?.id,
        )
    };
    world.write(retitle).expect("she is there");
    let (actor, reason) = (Actor::Account(bob), Some("left".into()));
    let asked = Context { actor, source: Source::Admin, reason, ..context() };
    let delete = move |tx: &mut dyn Tx| accounts::users::delete(tx, &asked, ada, &any);
    world.write(delete).expect("she is there");
    [ada, bob, team]
}

fn of(world: &World, resource: Uuid) -> Vec<Object> {
    let filter = format!("resourceId eq \"{resource}\"");
    let found = page(world, query(Some(&filter), None)).expect("it is found");
    found.resources.into_iter().map(|entry| entry.attributes).collect()
}

fn r81_an_entry_tells_who_did_what_when_and_why(database: &TestDatabase) {
    let world = World::on(database);
    let [ada, bob, team] = history(&world);
    let entries = of(&world, ada);
    assert_eq!(entries.len(), 3);
    let said = json!(entries[1]);
    assert_eq!(said["actor"], json!({"value": CALLER.connection, "type": "scimClient"}));
    assert_eq!(said["action"], "update");
    assert_eq!(said["changes"], json!([{"attribute": "title", "new": "\"Countess\""}]));
    assert_eq!((&said["versionBefore"], &said["versionAfter"]), (&json!(1), &json!(2)));
    assert_eq!((&said["source"], &said["resourceType"]), (&json!("scim"), &json!("User")));
    assert_eq!((said.get("reason"), said.get("rule")), (None, None));
    assert_eq!(entries[0].get("versionBefore"), None, "there was nothing before");

    let said = json!(entries[2]);
    assert_eq!(said["actor"], json!({"value": bob, "type": "account", "display": "bob"}));
    assert_eq!(said["reason"], "left");
    assert_eq!(said["changes"][0]["attribute"], "userName");
    assert_eq!(said["changes"][0]["old"], "\"ada\"");
    let said = json!(of(&world, team).pop());
    let gone = json!([{"value": ada}]).to_string();
    assert_eq!(said["changes"], json!([{"attribute": "members", "old": gone}]));
    assert_eq!((&said["rule"], said.get("reason")), (&json!("R51"), None));

    let one = all(&world).remove(0);
    let id = one.id;
    let read = world.read(move |tx| get(tx, &CALLER, id)).expect("it is there");
    assert_eq!(read, one);
    assert_eq!((read.version, read.created), (1, read.last_modified));
}

/// Values of an attribute that entries have, and one that none has.
fn literals(entries: &[Object], path: &str) -> Vec<Value> {
    let mut names = path.split('.');
    let first = names.next().expect("it has a name");
    let sub = names.next();
    let of = |entry: &Object| {
        let value = entry.get(first)?;
        sub.map_or(Some(value), |sub| value.get(sub)).cloned()
    };
    let mut literals: Vec<Value> = Vec::new();
    for value in entries.iter().filter_map(of) {
        if !literals.contains(&value) {
            literals.push(value);
        }
    }
    literals.truncate(8);
    let other = match literals.first() {
        Some(Value::Number(_)) => json!(99),
        Some(Value::String(text)) if path == "at" => json!(text.replace('Z', "+01:00")),
        Some(Value::String(text)) => json!(text.to_uppercase()),
        _ => panic!("{path}: {literals:?}"),
    };
    literals.push(other);
    literals
}

const SEARCHED: [&str; 10] = [
    "at",
    "actor.value",
    "actor.type",
    "source",
    "requestId",
    "action",
    "resourceType",
    "resourceId",
    "versionBefore",
    "versionAfter",
];

fn r81_the_log_is_searched_as_filters_are_evaluated(database: &TestDatabase) {
    let world = World::on(database);
    history(&world);
    let whole = all(&world);
    let entries: Vec<Object> = whole.iter().map(|entry| entry.attributes.clone()).collect();
    let mut selective = 0;
    for path in SEARCHED.into_iter().chain(["rule"]) {
        for literal in literals(&entries, path) {
            for operator in ["eq", "ne", "gt", "le", "co", "sw", "ew"] {
                let filter = format!("{path} {operator} {literal}");
                let parameters =
                    Parameters { filter: Some(filter.clone()), ..Parameters::default() };
                let Ok(query) = parameters.query(kind(), &mut Leniencies::new(Dialect::Strict))
                else {
                    continue;
                };
                let predicate = query.filter.clone().expect("it has a filter");
                let expected: Vec<Uuid> = whole
                    .iter()
                    .filter(|entry| evaluate(&predicate, &entry.attributes))
                    .map(|entry| entry.id)
                    .collect();
                selective += u32::from(!expected.is_empty() && expected.len() < whole.len());
                let found = page(&world, Query { count: 200, ..query }).expect(&filter);
                assert_eq!(ids(&found.resources), expected, "{filter}");
            }
        }
        let present = query(Some(&format!("{path} pr")), None);
        let predicate = present.filter.clone().expect("it has a filter");
        let expected = entries.iter().filter(|entry| evaluate(&predicate, entry)).count();
        let found = page(&world, present).expect(path).resources.len();
        assert_eq!(found, expected, "{path} pr");
    }
    assert!(selective > 100, "{selective}");
    for path in ["changes.attribute", "reason", "actor.display"] {
        let refused = page(&world, query(Some(&format!("{path} eq \"x\"")), None));
        assert!(matches!(refused, Err(Refusal::Protocol(_))), "{path}: {refused:?}");
    }
}

fn rfc9865_2_the_log_is_paged_in_every_order(database: &TestDatabase) {
    let world = World::on(database);
    history(&world);
    for path in SEARCHED.into_iter().chain(["rule"]) {
        for order in ["ascending", "descending"] {
            let query = query(None, Some((path, order)));
            let whole = page(&world, query.clone()).expect(path).resources;
            assert_eq!(whole.len(), all(&world).len());
            let mut walked = Vec::new();
            let mut next = Query { start: Start::After(None), count: 1, ..query };
            loop {
                let found = page(&world, next.clone()).expect(path);
                walked.extend(ids(&found.resources));
                let Some(last) = found.resources.last().filter(|_| found.has_next) else { break };
                let position = last.position(kind(), next.sort.as_ref());
                next.start = Start::After(Some(position));
            }
            assert_eq!(walked, ids(&whole), "{path} {order}");
        }
    }
    let newest = page(&world, query(None, Some(("at", "descending")))).expect("it is found");
    let at: Vec<_> = newest.resources.iter().map(|entry| entry.created).collect();
    assert!(at.is_sorted_by(|one, next| one >= next) && at.first() > at.last(), "{at:?}");
}

fn r59_the_entries_of_an_erased_account_are_read_without_changes(database: &TestDatabase) {
    let world = World::on(database);
    let [ada, bob, _] = history(&world);
    let delete = move |tx: &mut dyn Tx| {
        accounts::users::delete(tx, &context(), bob, &Precondition::default())?;
        erase::erase(tx, &context(), bob)?;
        erase::erase(tx, &context(), ada)
    };
    world.write(delete).expect("they are there");
    let entries = of(&world, ada);
    assert_eq!(entries.len(), 4);
    for entry in &entries {
        assert!(entry.get("changes").is_none() && entry.get("reason").is_none(), "{entry:?}");
    }
    assert_eq!(entries[2]["actor"], json!({"value": bob, "type": "account"}), "nor his name");
}

fn r81_the_log_is_read_by_administrators_of_its_tenant(database: &TestDatabase) {
    let world = World::on(database);
    history(&world);
    let id = all(&world)[0].id;
    let tenant = Uuid::from_u128(77);
    let other = Caller { tenant, ..CALLER };
    let theirs = world.read(move |tx| list(tx, &other, &query(None, None)));
    assert!(theirs.expect("it is found").resources.is_empty());
    let theirs = world.read(move |tx| get(tx, &other, id));
    assert!(matches!(theirs, Err(Refusal::Rule { code: Code::NotFound, .. })), "{theirs:?}");
    let provisioning = Caller { rights: Rights::of_provisioning(), ..CALLER };
    assert!(!provisioning.rights.allow(Right::Admin));
    let refused = world.read(move |tx| get(tx, &provisioning, id));
    assert!(matches!(refused, Err(Refusal::Rule { .. })), "{refused:?}");
    let refused = world.read(move |tx| list(tx, &provisioning, &query(None, None)));
    assert!(matches!(refused, Err(Refusal::Rule { .. })), "{refused:?}");
}

fn the_newest_entries_and_those_of_a_resource_have_an_index(database: &TestDatabase) {
    let world = World::on(database);
    let [ada, ..] = history(&world);
    let plan = |query: &Query| {
        let plan = store::explain(&database.url, kind(), CALLER.scope(), query);
        plan.expect("it has a plan").join("\n")
    };
    let newest = plan(&query(None, Some(("at", "descending"))));
    let of_resource = plan(&query(Some(&format!("resourceId eq \"{ada}\"")), None));
    if database.kind == Kind::Sqlite {
        assert!(newest.contains("change_log_by_time (tenant_id=?)"), "{newest}");
        assert!(
            of_resource.contains("change_log_by_resource (tenant_id=? AND resource_id=?)"),
            "{of_resource}"
        );
    } else {
        assert!(newest.contains("change_log_by_time"), "{newest}");
        assert!(of_resource.contains("change_log_by_resource"), "{of_resource}");
    }
}

on_each_database!(
    r81_an_entry_tells_who_did_what_when_and_why,
    r81_the_log_is_searched_as_filters_are_evaluated,
    rfc9865_2_the_log_is_paged_in_every_order,
    r59_the_entries_of_an_erased_account_are_read_without_changes,
    r81_the_log_is_read_by_administrators_of_its_tenant,
    the_newest_entries_and_those_of_a_resource_have_an_index,
);
