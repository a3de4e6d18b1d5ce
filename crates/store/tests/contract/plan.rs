//! The same population in a store on each database, and what queries find there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use accounts::{Context, Page, Precondition, Refusal, Resource, Tx, tenancy};
use jiff::Timestamp;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, instant, message, resource};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::{Plan, give, give_to_group};
use crate::harness::{CALLER, Kind, TestDatabase, World, context, edits, new_group, new_user};
use crate::population::{self, PlannedGroup};

const USERS: usize = 45;
const GROUPS: usize = 15;

/// Both stores, and what a client of them would be sent.
pub(crate) struct Both {
    pub(crate) worlds: [(Kind, World); 2],
    /// As the server renders them, in the order of their identifiers.
    pub(crate) users: Vec<Object>,
    pub(crate) groups: Vec<Object>,
    /// What neither is, by the name of the type.
    pub(crate) nouns: BTreeMap<&'static str, Vec<Object>>,
    // Dropped after the stores.
    pub(crate) _databases: [TestDatabase; 2],
}

/// What a query has for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    These(Vec<Uuid>),
    NotSearchable,
    /// What the database says against it.
    Failed(String),
}

impl Both {
    /// What the tests read that run at one time; it is gone with the last of them.
    pub(crate) fn populated() -> Arc<Self> {
        static SHARED: Mutex<Weak<Both>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::populate)
    }

    fn populate() -> Self {
        let mut runner = population::runner(1);
        let users = population::users(&mut runner, USERS);
        let groups = population::groups(&mut runner, USERS, GROUPS);
        let plan = Plan::of(&mut runner, USERS, GROUPS);
        let databases = [Kind::Sqlite, Kind::Postgres].map(TestDatabase::create);
        let worlds = [&databases[0], &databases[1]].map(|database| {
            let world = World::founded(database, |tx| {
                let Context { now, new_id, .. } = at_step(0);
                tenancy::create_tenant(tx, "Acme", CALLER.tenant, now, new_id)
            });
            populate(&world, &users, &groups, &plan);
            database.raw().execute(disable(database.kind)).expect("they can be changed");
            (database.kind, world)
        });
        let [(_, one), (_, other)] = &worlds;
        let (users, groups) = (rendered_users(one), rendered_groups(one));
        assert_eq!((&users, &groups), (&rendered_users(other), &rendered_groups(other)));
        assert!(users.len() > USERS / 2 && groups.len() > GROUPS / 2, "hardly any was created");
        let nouns = BTreeMap::new();
        Self { worlds, users, groups, nouns, _databases: databases }
    }

    pub(crate) fn resources(&self, kind: &ResourceType) -> &[Object] {
        match self.nouns.get(kind.name) {
            Some(nouns) => nouns,
            None if kind.name == "Group" => &self.groups,
            None => &self.users,
        }
    }
}

/// What is there, made if it is not.
pub(crate) fn shared(place: &Mutex<Weak<Both>>, make: impl FnOnce() -> Both) -> Arc<Both> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    place.upgrade().unwrap_or_else(|| {
        let made = Arc::new(make());
        *place = Arc::downgrade(&made);
        made
    })
}

thread_local! {
    static NEXT_ID: Cell<u128> = const { Cell::new(0) };
}

/// Identifiers that are the same in both databases. A unit of work stays on one thread.
fn planned_id() -> Uuid {
    Uuid::from_u128(NEXT_ID.replace(NEXT_ID.get() + 1))
}

/// The step of a plan in which something happens says when, and gives it its identifiers.
pub(crate) fn at_step(step: usize) -> Context {
    NEXT_ID.set(0x0191_0000_0000_7000_8000_0000_0000_0000 + (step as u128) * 0x1_0000);
    // Some things happen at the same instant, and not every instant has a fraction.
    let pairs = i64::try_from(step / 2).expect("it is small");
    let micros = 1_700_000_000_000_000 + pairs * 250_000;
    let now = Timestamp::from_microsecond(micros).expect("it is an instant");
    Context { now, new_id: planned_id, ..context() }
}

/// What an attribute of the document says has no rule that writes the column.
fn disable(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "UPDATE \"groups\" SET enabled = COALESCE(json_extract(search, '$.\"urn:ietf:params:\
             scim:schemas:extension:headcount:2.0:Group\".enabled'), true)"
        }
        Kind::Postgres => {
            "UPDATE \"groups\" SET enabled = COALESCE((search #>> '{\"urn:ietf:params:\
             scim:schemas:extension:headcount:2.0:Group\",enabled}')::boolean, true)"
        }
    }
}

/// Creates all, changes some and deletes some. What is refused is refused by both databases.
fn populate(world: &World, users: &[Object], groups: &[PlannedGroup], plan: &Plan) {
    let wanted = plan.clone();
    world.write(move |tx| wanted.create(tx, &at_step(500))).expect("nothing stands in the way");
    let mut ids: Vec<Option<Uuid>> = Vec::new();
    for body in users {
        // The tenant is the first step.
        let (step, body) = (ids.len() + 1, body.clone());
        let created = world.write(move |tx| Ok(new_user(tx, &at_step(step), body.clone())?.id));
        ids.push(unless_refused(created));
    }
    for group in groups {
        let step = ids.len() + 1;
        let members = group.members.iter().filter_map(|position| ids[*position]);
        let members: Vec<Value> = members.map(|id| json!({"value": id})).collect();
        let mut body = group.body.clone();
        body.insert("members".to_owned(), members.into());
        let created = world.write(move |tx| {
            Ok(new_group(tx, &at_step(step), body.clone(), Dialect::Standard)?.id)
        });
        ids.push(unless_refused(created));
    }
    for (position, id) in ids.iter().enumerate() {
        let (Some(id), step, is_user) = (*id, ids.len() + 1 + position, position < USERS) else {
            continue;
        };
        let plan = plan.clone();
        let given = world.write(move |tx| {
            if is_user {
                give(tx, &at_step(step), id, &plan.users[position])
            } else {
                give_to_group(tx, &at_step(step), id, &plan.groups[position - USERS])
            }
        });
        given.expect("nothing stands in the way");
        let changed = world.write(move |tx| change(tx, &at_step(step), position, id, is_user));
        changed.expect("nothing stands in the way");
    }
    elsewhere(world, &users[0]);
}

fn unless_refused(created: Result<Uuid, Refusal>) -> Option<Uuid> {
    match created {
        Ok(id) => Some(id),
        Err(Refusal::Rule { .. } | Refusal::Protocol(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// What another tenant has, and another connection of the tenant: neither may be found.
fn elsewhere(world: &World, body: &Object) {
    let other = Uuid::from_u128(5);
    let founded = world.write(move |tx| {
        let now = context().now;
        tenancy::create_tenant(tx, "Globex", other, now, planned_id)
    });
    founded.expect("it is new");
    for (step, tenant) in [(1_000, other), (1_001, CALLER.tenant)] {
        let mut body = body.clone();
        body.insert("externalId".to_owned(), format!("elsewhere{step}").into());
        body.insert("userName".to_owned(), format!("elsewhere{step}").into());
        body.shift_remove("emails");
        let created = world.write(move |tx| {
            let mut context = at_step(step);
            context.caller.tenant = tenant;
            context.caller.connection = Uuid::from_u128(6);
            new_user(tx, &context, body.clone())
        });
        created.expect("nothing stands in the way");
    }
}

fn change(
    tx: &mut dyn Tx,
    context: &Context,
    position: usize,
    id: Uuid,
    is_user: bool,
) -> Result<(), Refusal> {
    let any = Precondition::default();
    let mut leniencies = Leniencies::new(Dialect::Strict);
    match (position % 10, is_user) {
        (3, true) => accounts::users::delete(tx, context, id, &any),
        (3, false) => accounts::groups::delete(tx, context, id, &any),
        (5 | 7, true) => {
            let operation = json!({"op": "replace", "path": "emails", "value": [
                {"type": "home", "value": format!("Neu{position}@x.example")}, {"primary": false}]});
            let edits = edits(ResourceType::user(), &operation);
            accounts::users::patch(tx, context, id, &any, &edits, &mut leniencies).map(drop)
        }
        (5 | 7, false) => {
            let operation =
                json!({"op": "replace", "path": "displayName", "value": format!("É{position}")});
            let edits = edits(ResourceType::group(), &operation);
            accounts::groups::patch(tx, context, id, &any, &edits, &mut leniencies).map(drop)
        }
        _ => Ok(()),
    }
}

/// The identifiers on all pages of a query, and its total.
pub(crate) fn found(world: &World, kind: &'static ResourceType, query: &Query) -> Found {
    let mut ids = Vec::new();
    loop {
        let start = Start::Index(ids.len() as u64 + 1);
        let page = match list(world, kind, Query { start, ..query.clone() }) {
            Ok(page) => page,
            Err(Refusal::Protocol(_)) => {
                return Found::NotSearchable;
            }
            Err(error) => return Found::Failed(format!("{error:?}")),
        };
        ids.extend(page.resources.iter().map(|resource| resource.id));
        let total = page.total.expect("a page by index has a total");
        if page.resources.is_empty() || ids.len() as u64 >= total {
            assert_eq!(total, ids.len() as u64, "the total is that of the pages");
            return Found::These(ids);
        }
    }
}

/// A page.
pub(crate) fn list(
    world: &World,
    kind: &'static ResourceType,
    query: Query,
) -> Result<Page, Refusal> {
    world.read(move |tx| page(tx, kind, &query))
}

/// A page, in a unit of work.
pub(crate) fn page(
    tx: &mut dyn Tx,
    kind: &'static ResourceType,
    query: &Query,
) -> Result<Page, Refusal> {
    match kind.name {
        "Group" => accounts::groups::list(tx, &CALLER, query),
        "User" => accounts::users::list(tx, &CALLER, query),
        "ChangeLogEntry" => accounts::ledger::list(tx, &CALLER, query),
        "ProvisioningLogEntry" => accounts::provisioning_log::list(tx, &CALLER, query),
        _ => Ok(tx.objects(CALLER.scope(), kind, query)?),
    }
}

pub(crate) fn all(world: &World, kind: &'static ResourceType) -> Vec<Resource> {
    let parameters = Parameters { count: Some("200".to_owned()), ..Parameters::default() };
    let query = parameters.query(kind, &mut Leniencies::new(Dialect::Strict));
    let page = list(world, kind, query.unwrap()).expect("everything can be listed");
    assert_eq!(page.total, Some(page.resources.len() as u64), "one page has them all");
    page.resources
}

const BASE: &str = "https://scim.example/scim/v2";

/// All of a kind as they are kept, rendered as the server does it.
pub(crate) fn listed(world: &World, kind: &'static ResourceType) -> Vec<Object> {
    all(world, kind).into_iter().map(|found| rendered(kind, found)).collect()
}

fn rendered_users(world: &World) -> Vec<Object> {
    let mut found = all(world, ResourceType::user());
    found = completed(world, found, |tx, users| {
        accounts::users::complete(tx, &CALLER, users, &|_| true)
    });
    for group in related(&mut found, "groups") {
        let id = group["value"].as_str().unwrap_or_default();
        group["$ref"] = format!("{BASE}/Groups/{id}").into();
    }
    found.into_iter().map(|user| rendered(ResourceType::user(), user)).collect()
}

fn rendered_groups(world: &World) -> Vec<Object> {
    let mut found = all(world, ResourceType::group());
    found = completed(world, found, |tx, groups| {
        accounts::groups::complete(tx, &CALLER, groups, &|_| true)
    });
    for member in related(&mut found, "members") {
        let endpoint = if member["type"] == "User" { "Users" } else { "Groups" };
        let id = member["value"].as_str().unwrap_or_default();
        member["$ref"] = format!("{BASE}/{endpoint}/{id}").into();
    }
    found.into_iter().map(|group| rendered(ResourceType::group(), group)).collect()
}

/// With what is computed when resources are read.
pub(crate) fn completed(
    world: &World,
    found: Vec<Resource>,
    complete: impl Fn(&mut dyn Tx, &mut [Resource]) -> Result<(), Refusal> + Send + 'static,
) -> Vec<Resource> {
    let completed = world.read(move |tx| {
        let mut found = found.clone();
        complete(tx, &mut found)?;
        Ok::<_, Refusal>(found)
    });
    completed.expect("it can be read")
}

fn related<'a>(
    found: &'a mut [Resource],
    name: &'static str,
) -> impl Iterator<Item = &'a mut Value> {
    let lists =
        found.iter_mut().filter_map(move |one| one.attributes.get_mut(name)?.as_array_mut());
    lists.flatten()
}

pub(crate) fn rendered(kind: &'static ResourceType, found: Resource) -> Object {
    let mut members = Object::new();
    members.insert("id".to_owned(), found.id.to_string().into());
    let schemas = resource::schemas(kind, &found.attributes);
    members.extend(found.attributes);
    let meta = json!({
        "resourceType": kind.name,
        "created": instant::format(found.created),
        "lastModified": instant::format(found.last_modified),
        "location": format!("{BASE}{}/{}", kind.endpoint, found.id),
        "version": format!("W/\"{}\"", found.version),
    });
    members.insert("meta".to_owned(), meta);
    message::with_schemas(schemas, members)
}
