//! What is done for one request does not read all that a tenant has: every statement that the store
//! is heard to say finds its rows by an index, in a tenant with 12,000 of everything.

use std::collections::BTreeSet;

use accounts::authorization::Tier;
use accounts::identity::{Claim, ClaimKind};
use accounts::objects;
use accounts::skills::Skills;
use accounts::users::{complete, create, delete, get, list, patch};
use accounts::{
    Context, Dependency, Login, MailedLink, MemberKind, Precondition, Purpose, Refusal, Rights,
    Session, Tx,
};
use jiff::Timestamp;
use scim_protocol::cursor::Position;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Listener, TestDatabase, World, context, edits, group, on_each_database,
    strict_body,
};

on_each_database!(
    no_request_reads_a_whole_tenant,
    what_a_page_holds_is_found_by_indexes_while_the_tables_are_new,
    a_change_does_not_read_the_history_of_what_it_changes,
    the_judge_of_plans_finds_what_reads_it_all,
);

/// Of everything, unless it is to be more.
pub(crate) const ROWS: usize = 12_000;
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What the identifiers of copies begin with.
pub(crate) const USERS: u32 = 0x0188_0001;
const SKILLS: u32 = 0x0188_0002;
pub(crate) const GROUPS: u32 = 0x0188_0003;
const ENTRIES: u32 = 0x0188_0004;

/// The identifier of a copy.
pub(crate) fn copy(of: u32, number: u128) -> Uuid {
    Uuid::from_u128((u128::from(of) << 96) + number)
}

/// The identifiers of a page of users.
fn page() -> Vec<Uuid> {
    (1..=100).map(|number| copy(USERS, number * 7)).collect()
}

/// An account that has some of everything, as a client sends it.
fn body(name: &str) -> Value {
    json!({
        "userName": name, "displayName": name, "externalId": name,
        "emails": [{"value": format!("{name}@x.example"), "type": "work"}],
        "roles": [{"value": "agent"}],
        ENTERPRISE: {"manager": {"value": copy(USERS, 9)}},
        HEADCOUNT: {"skills": [{"value": "Sales"}]},
    })
}

fn new(tx: &mut dyn Tx, name: &str) -> Result<Uuid, Refusal> {
    let context = context();
    let body = strict_body(ResourceType::user(), body(name));
    Ok(create(tx, &context, (context.new_id)(), body)?.id)
}

/// One of everything, made by the rules, and as many copies.
pub(crate) fn crowded(database: &TestDatabase, rows: usize) -> World {
    let (world, mut raw, kind) = (World::on(database), database.raw(), database.kind);
    let made = world.write(move |tx| {
        let sales = strict_body(ResourceType::skill(), json!({"name": "Sales"}));
        let context = context();
        objects::create::<Skills>(tx, &context, (context.new_id)(), sales)?;
        tx.resize_pool(CALLER.tenant, Tier::Cx1, i64::try_from(rows).unwrap_or_default())?;
        let ada = new(tx, "ada")?;
        tx.record_login(CALLER.tenant, ada, context.now)?;
        let credentials = Login { failures: 1, ..Login::default() };
        tx.put_login(CALLER.tenant, ada, &credentials)?;
        for purpose in Purpose::ALL {
            tx.queue_link(CALLER.tenant, &link(ada, purpose, context.now))?;
        }
        tx.insert_session(CALLER.tenant, &session(ada, context.now))?;
        let queue = Dependency {
            kind: "queueMembership".to_owned(),
            reference: "Sales".to_owned(),
            disposition: "needsReassign".to_owned(),
        };
        tx.put_dependency(CALLER.tenant, ada, &queue)?;
        Ok::<_, Refusal>(ada)
    });
    let ada = made.expect("nothing stands in the way");
    let team = world.create_group(group("team", &[ada])).expect("it is new");
    let (ada, team) = (kind.id(ada), kind.id(team));

    let user = kind.numbered_id(USERS);
    let numbered = |column: &'static str| (column, format!("{column} || n"));
    let of_ada = |column: &str| format!("{column} = {ada}");
    let hash = match kind {
        Kind::Sqlite => "randomblob(32)",
        Kind::Postgres => "sha256((n || kind)::bytea)",
    };
    let mut copies = |table: &str, which: &str, changed: &[(&str, String)]| {
        raw.copy(table, which, rows, changed);
    };
    let changed = [
        ("id", user.clone()),
        numbered("user_name_key"),
        numbered("display_name_key"),
        numbered("manager_key"),
        ("document", kind.numbered_text("document", "ada", "json")),
    ];
    copies("users", &of_ada("id"), &changed);
    let of_user = ("user_id", user.clone());
    copies("user_emails", &of_ada("user_id"), &[of_user.clone(), numbered("value_key")]);
    let hashed = [of_user.clone(), ("value_hash", hash.to_owned())];
    copies("identity_claims", &of_ada("user_id"), &hashed);
    let external = [("resource_id", user.clone()), numbered("external_id")];
    copies("external_ids", &of_ada("resource_id"), &external);
    copies("grants", &of_ada("subject_id"), &[("subject_id", user.clone())]);
    copies("skill_assignments", &of_ada("user_id"), std::slice::from_ref(&of_user));
    copies("memberships", &of_ada("member_id"), &[("member_id", user.clone())]);
    let logged = [("id", kind.numbered_id(ENTRIES)), ("resource_id", user)];
    copies("change_log", &of_ada("resource_id"), &logged);
    copies("last_logins", &of_ada("user_id"), std::slice::from_ref(&of_user));
    for table in ["logins", "mailed_links", "sessions"] {
        copies(table, &of_ada("user_id"), std::slice::from_ref(&of_user));
    }
    copies("dependencies", &of_ada("user_id"), &[of_user]);
    let named = ("document", kind.numbered_text("document", "Sales", "json"));
    let skill = [("id", kind.numbered_id(SKILLS)), numbered("name_key"), named];
    copies("objects", "name_key = 'sales'", &skill);
    let changed = [
        ("id", kind.numbered_id(GROUPS)),
        numbered("display_name_key"),
        ("document", kind.numbered_text("document", "team", "json")),
    ];
    copies("groups", &format!("id = {team}"), &changed);
    let in_teams = [("group_id", kind.numbered_id(GROUPS))];
    copies("memberships", &format!("group_id = {team} AND member_id = {ada}"), &in_teams);
    world
}

fn link(user: Uuid, purpose: Purpose, now: Timestamp) -> MailedLink {
    MailedLink { user, purpose, secret_hash: None, asked: now, expires: now }
}

fn session(user: Uuid, now: Timestamp) -> Session {
    let secret_hash = vec![7; 32];
    Session { user, secret_hash, created: now, seen: now, expires: now }
}

pub(crate) fn query(kind: &'static ResourceType, filter: &str) -> Query {
    let filter = Some(filter.to_owned());
    let parameters = Parameters { filter, ..Parameters::default() };
    parameters.query(kind, &mut Leniencies::new(Dialect::Strict)).expect("it is a query")
}

fn done<T, E: Into<Refusal>>(result: Result<T, E>) -> Result<(), Refusal> {
    result.map(|_| ()).map_err(Into::into)
}

type Work = fn(&mut dyn Tx) -> Result<(), Refusal>;

/// What the store is asked for, by the name of the function.
fn asked() -> Vec<(&'static str, Work)> {
    fn claim(key: &str) -> Claim {
        Claim { kind: ClaimKind::UserName, key: key.to_owned() }
    }
    const TENANT: Uuid = CALLER.tenant;
    vec![
        ("objects_named", |tx| {
            let names = ["sales7".to_owned(), "sales11".to_owned()];
            assert_eq!(tx.objects_named(TENANT, ResourceType::skill(), &names)?.len(), 2);
            Ok(())
        }),
        ("objects_with_ids", |tx| {
            let ids = [copy(SKILLS, 7), copy(SKILLS, 11)];
            assert_eq!(tx.objects_with_ids(TENANT, ResourceType::skill(), &ids)?.len(), 2);
            Ok(())
        }),
        ("object_for_update", |tx| {
            let found =
                tx.object_for_update(CALLER.scope(), ResourceType::skill(), copy(SKILLS, 7))?;
            assert!(found.is_some());
            Ok(())
        }),
        ("grants_of", |tx| {
            assert_eq!(tx.grants_of(TENANT, &page())?.len(), 100);
            Ok(())
        }),
        ("skills_of", |tx| {
            assert_eq!(tx.skills_of(TENANT, &page())?.len(), 100);
            Ok(())
        }),
        ("inherited_grants", |tx| done(tx.inherited_grants(TENANT, &page()))),
        ("groups_of", |tx| {
            assert_eq!(tx.groups_of(TENANT, &page())?.len(), 100);
            Ok(())
        }),
        ("dependencies_of", |tx| done(tx.dependencies_of(TENANT, &page()))),
        ("take_seat", |tx| {
            for (near, wait) in [(3, false), (5, true)] {
                assert!(tx.take_seat(TENANT, Tier::Cx1, Uuid::from_u128(near << 70), wait)?);
            }
            Ok(())
        }),
        ("put_seat", |tx| Ok(tx.put_seat(TENANT, Tier::Cx1)?)),
        ("take seats together", |tx| {
            assert_eq!(tx.resize_pool(TENANT, Tier::Cx1, -2)?, -2);
            Ok(())
        }),
        ("claim", |tx| {
            let new = [claim("new")];
            let taken = tx.claim(TENANT, copy(USERS, 7), &new, context().now)?;
            let taken_then = tx.claim(TENANT, copy(USERS, 8), &new, context().now)?;
            assert_eq!((taken, taken_then.as_ref()), (None, Some(&new[0])));
            Ok(())
        }),
        ("owners", |tx| {
            assert_eq!(tx.owners(TENANT, &[claim("ada"), claim("nobody")])?.len(), 1);
            Ok(())
        }),
        ("retire_claim", |tx| Ok(tx.retire_claim(TENANT, copy(USERS, 7), &claim("new"))?)),
        ("burn_claims", |tx| Ok(tx.burn_claims(TENANT, copy(USERS, 7), &[claim("new")])?)),
        ("release_claim", |tx| done(tx.release_claim(TENANT, &claim("nobody")))),
        ("owner_of_external_id", |tx| {
            assert!(tx.owner_of_external_id(CALLER.scope(), "User", "ada7")?.is_some());
            Ok(())
        }),
        ("owner_of_employee_number", |tx| done(tx.owner_of_employee_number(TENANT, "7"))),
        ("count_departures", |tx| {
            let count = tx.count_departures(TENANT, CALLER.connection, context().now)?;
            assert_eq!(count, 0);
            Ok(())
        }),
        ("manager_of", |tx| {
            assert!(tx.manager_of(TENANT, copy(USERS, 7))?.is_some());
            Ok(())
        }),
        ("change_log_entry", |tx| {
            assert!(tx.change_log_entry(CALLER.scope(), copy(ENTRIES, 7))?.is_some());
            Ok(())
        }),
        ("leave_all", |tx| done(tx.leave_all(TENANT, copy(USERS, 8), context().now))),
        ("members", |tx| {
            assert_eq!(tx.members(TENANT, copy(GROUPS, 8), 100)?.len(), 1);
            Ok(())
        }),
        ("members_of", |tx| done(tx.members_of(TENANT, &[copy(GROUPS, 7)]))),
        ("groups_above", |tx| done(tx.groups_above(TENANT, copy(USERS, 8)))),
        ("is_in_agent_group", |tx| done(tx.is_in_agent_group(TENANT, copy(USERS, 9)))),
        ("login_of", |tx| {
            assert!(tx.login_of(TENANT, copy(USERS, 7))?.is_some());
            Ok(())
        }),
        ("link", |tx| {
            let (user, purpose) = (copy(USERS, 7), Purpose::Reset);
            assert!(tx.link(TENANT, user, purpose)?.is_some());
            tx.queue_link(TENANT, &link(user, purpose, context().now))?;
            tx.set_link_secret(TENANT, user, purpose, &[7])?;
            tx.put_off_link(TENANT, (user, purpose), &[7], None)?;
            Ok(tx.remove_link(TENANT, user, purpose)?)
        }),
        ("take_due_links", |tx| {
            let now = context().now;
            assert_eq!(tx.take_due_links(now, now, 8)?.len(), 8);
            Ok(())
        }),
        ("session", |tx| {
            let (user, hash) = (copy(USERS, 7), [7; 32]);
            let found = tx.session(TENANT, user, &hash)?.expect("it is there");
            tx.see_session(TENANT, &found, context().now)?;
            assert!(tx.remove_session(TENANT, user, &hash)?);
            Ok(tx.remove_sessions(TENANT, copy(USERS, 8))?)
        }),
        ("holds_role", |tx| done(tx.holds_role(TENANT, copy(USERS, 9), copy(SKILLS, 1)))),
    ]
}

/// What is looked up by filters.
fn looked_up() -> Vec<(&'static ResourceType, String)> {
    let (log, skill) = (ResourceType::change_log_entry(), ResourceType::skill());
    let (user, entry, id) = (copy(USERS, 7), copy(ENTRIES, 7), copy(SKILLS, 7));
    vec![
        (log, format!("id eq \"{entry}\"")),
        (log, format!("resourceId eq \"{user}\"")),
        (log, format!("resourceId eq \"{user}\" and at gt \"2000-01-01T00:00:00Z\"")),
        (log, "at gt \"2099-01-01T00:00:00Z\"".to_owned()),
        (log, "at gt \"2000-01-01T00:00:00Z\" and at lt \"2000-01-02T00:00:00Z\"".to_owned()),
        (skill, format!("id eq \"{id}\"")),
        (skill, "name eq \"SALES7\"".to_owned()),
        (skill, "name sw \"Sales77\"".to_owned()),
        (ResourceType::user(), "userName eq \"ada7\"".to_owned()),
        (ResourceType::user(), "externalId eq \"ada7\"".to_owned()),
        (ResourceType::user(), "emails eq \"ada@x.example7\"".to_owned()),
        (ResourceType::group(), "displayName eq \"team7\"".to_owned()),
        (ResourceType::group(), format!("members eq \"{user}\"")),
    ]
}

fn any() -> Precondition {
    Precondition::default()
}

/// A client that provisions people, of whom more is checked than of an administrator.
fn client() -> Context {
    let mut context = context();
    context.caller.rights = Rights::of_provisioning();
    context
}

/// What a client asks for.
fn requested() -> Vec<(&'static str, Work)> {
    fn patched(tx: &mut dyn Tx, number: u128, operation: &Value) -> Result<(), Refusal> {
        let edits = edits(ResourceType::user(), operation);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        patch(tx, &client(), copy(USERS, number), &any(), &edits, &mut leniencies)?;
        Ok(())
    }
    vec![
        ("POST /Users", |tx| {
            let body = strict_body(ResourceType::user(), body("bob"));
            done(create(tx, &client(), Uuid::from_u128(77), body))
        }),
        ("PATCH of a title", |tx| {
            patched(tx, 20, &json!({"op": "replace", "path": "title", "value": "Lead"}))
        }),
        ("PATCH of a manager", |tx| {
            let path = format!("{ENTERPRISE}:manager");
            let value = json!({"value": copy(USERS, 7)});
            patched(tx, 21, &json!({"op": "replace", "path": path, "value": value}))
        }),
        ("PATCH of active", |tx| {
            patched(tx, 22, &json!({"op": "replace", "path": "active", "value": false}))
        }),
        ("PATCH of roles and skills", |tx| {
            patched(
                tx,
                23,
                &json!({"op": "add", "path": "roles", "value": [{"value": "supervisor"}]}),
            )?;
            let path = format!("{HEADCOUNT}:skills");
            patched(tx, 23, &json!({"op": "add", "path": path, "value": [{"value": "sales7"}]}))
        }),
        ("DELETE /Users", |tx| delete(tx, &client(), copy(USERS, 24), &any())),
        ("GET /Users by userName", |tx| {
            let query = query(ResourceType::user(), "userName eq \"ada7\"");
            let mut page = list(tx, &CALLER, &query)?;
            assert_eq!(page.resources.len(), 1);
            complete(tx, &CALLER, &mut page.resources, &|_| true)
        }),
        ("GET /Users", |tx| {
            let parameters = Parameters { count: Some("100".to_owned()), ..Parameters::default() };
            let query =
                parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
            let position = Position { id: copy(USERS, 40).to_string(), key: None };
            let start = Start::After(Some(position));
            let query = Query { start, wants_total: false, ..query.expect("it is a query") };
            let mut page = list(tx, &CALLER, &query)?;
            complete(tx, &CALLER, &mut page.resources, &|_| true)
        }),
        ("GET /Users/{id}", |tx| {
            let mut found = [get(tx, &CALLER, copy(USERS, 25))?];
            complete(tx, &CALLER, &mut found, &|_| true)
        }),
        ("GET /Groups/{id}", |tx| {
            let mut found = [accounts::groups::get(tx, &CALLER, copy(GROUPS, 25))?];
            accounts::groups::complete(tx, &CALLER, &mut found, &|_| true)
        }),
        ("PATCH of members", |tx| join(tx, copy(GROUPS, 26), &[copy(USERS, 26), copy(USERS, 27)])),
        ("PATCH of many members", |tx| join(tx, copy(GROUPS, 28), &page())),
    ]
}

fn join(tx: &mut dyn Tx, group: Uuid, people: &[Uuid]) -> Result<(), Refusal> {
    let values: Vec<Value> = people.iter().map(|id| json!({"value": id})).collect();
    let operation = json!({"op": "add", "path": "members", "value": values});
    let edits = edits(ResourceType::group(), &operation);
    let mut leniencies = Leniencies::new(Dialect::Strict);
    accounts::groups::patch(tx, &client(), group, &any(), &edits, &mut leniencies)?;
    Ok(())
}

/// The steps of a plan that read a whole table, or all that a tenant has in one.
fn wide(kind: Kind, plan: &[String]) -> Vec<&String> {
    // Of the versions of catalogues a tenant has one.
    let is_one = |step: &str| step.contains("catalogue_versions");
    // What a statement has found by then, or is given.
    let found =
        ["above", "conferring", "departures", "each", "held", "holders", "json_each", "nested"];
    let is_found = |step: &str| {
        let name = step.trim_start_matches("SCAN ");
        found.iter().any(|known| name.starts_with(known)) || name.contains("ROW")
    };
    let is_wide = |step: &&String| match kind {
        Kind::Sqlite => {
            (step.starts_with("SCAN ") && !is_found(step))
                || (step.ends_with("(tenant_id=?)") && !is_one(step))
        }
        Kind::Postgres => {
            let condition = step.trim().strip_prefix("Index Cond: (");
            let of_tenant =
                |rest: &str| rest.starts_with("tenant_id = ") && !rest.contains(" AND ");
            step.contains("Seq Scan on ") || condition.is_some_and(of_tenant)
        }
    };
    // The condition of a scan of PostgreSQL is in the step below it.
    let above = std::iter::once("").chain(plan.iter().map(String::as_str));
    let steps = above.zip(plan).filter(|(above, step)| !is_one(above) && is_wide(step));
    steps.map(|(_, step)| step).collect()
}

/// How a statement is carried out, if it reads too much.
pub(crate) fn complaint(database: &TestDatabase, statement: &str) -> Option<String> {
    let mut raw = database.raw();
    let mut plan = raw.plan(statement);
    // Of roles there are few, and so of what they give.
    let is_small = statement.contains("FROM \"role_permissions\"");
    if database.kind == Kind::Postgres && (is_small || statement.contains("RECURSIVE")) {
        // PostgreSQL takes every recursion to find thousands, and would rather read such a table as
        // a whole. It counts that an index is there for when the table is large.
        let narrow =
            ["seqscan", "hashjoin", "mergejoin"].map(|way| format!("SET enable_{way} = off"));
        raw.execute(&narrow.join("; ")).expect("they can be set");
        plan = raw.plan(statement);
    }
    let steps = wide(database.kind, &plan);
    (!steps.is_empty()).then(|| format!("{steps:#?} of\n{statement}\n{}", plan.join("\n")))
}

fn no_request_reads_a_whole_tenant(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = crowded(database, ROWS);
    // PostgreSQL makes statistics by itself within a minute; SQLite never does.
    if database.kind == Kind::Postgres {
        database.raw().execute("ANALYZE").expect("statistics are made");
    }
    let mut found = Vec::new();
    for (name, work) in asked().into_iter().chain(requested()) {
        let heard = listener.during(|| {
            world.write(work).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        });
        let heard: BTreeSet<String> = heard.into_iter().collect();
        assert!(!heard.is_empty(), "{name}: nothing was heard");
        let complaints = heard.iter().filter_map(|statement| complaint(database, statement));
        found.extend(complaints.map(|complaint| format!("{name}: {complaint}")));
    }
    // What these plans hold depends on the values.
    for (kind, filter) in looked_up() {
        let query = query(kind, &filter);
        let plan = store::explain(&database.url, kind, CALLER.scope(), &query).unwrap();
        let steps = wide(database.kind, &plan);
        if !steps.is_empty() {
            found.push(format!("{} {filter}: {steps:#?} of\n\n{}", kind.name, plan.join("\n")));
        }
    }
    assert!(found.is_empty(), "{} read it all:\n{}", found.len(), found.join("\n\n"));
}

/// PostgreSQL keeps the plan that it made while it knew nothing of the tables, until it has looked at
/// them again: a first synchronisation is over by then.
fn what_a_page_holds_is_found_by_indexes_while_the_tables_are_new(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = World::on(database);
    let heard = listener.during(|| {
        let found = world.write(|tx| {
            tx.groups_of(CALLER.tenant, &page()[..1])?;
            Ok::<_, Refusal>(tx.groups_of(CALLER.tenant, &page())?)
        });
        found.expect("it is read");
        world
            .write(|tx| Ok::<_, Refusal>(tx.user(CALLER.scope(), page()[0])?))
            .expect("it is read");
        let (group, someone) = (copy(GROUPS, 7), (page()[0], MemberKind::User));
        let add =
            move |tx: &mut dyn Tx| tx.add_members(CALLER.tenant, group, &[someone], CALLER.now);
        world.write(move |tx| Ok::<_, Refusal>(add(tx)?)).expect("it is written");
    });
    let held: Vec<&String> = heard.iter().filter(|heard| heard.contains("memberships")).collect();
    // On PostgreSQL what a user holds comes with the user.
    let beside = usize::from(database.kind == Kind::Postgres);
    assert_eq!(held.len(), 3 + beside, "{heard:#?}");
    let complaints: Vec<String> =
        held.into_iter().filter_map(|said| complaint(database, said)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// Two indexes of the change log begin with the resource; by one of them each of its entries would be
/// read to find the one of a version.
fn a_change_does_not_read_the_history_of_what_it_changes(database: &TestDatabase) {
    let listener = Listener::of(database);
    let world = crowded(database, 1000);
    let (user, group) = (copy(USERS, 7), copy(GROUPS, 7));
    for statistics in [false, true] {
        if statistics && database.kind == Kind::Postgres {
            database.raw().execute("ANALYZE").expect("statistics are made");
        }
        let heard = listener.during(|| {
            let read = world.write(move |tx| {
                tx.user_for_update(CALLER.scope(), user)?;
                tx.group_for_update(CALLER.scope(), group)?;
                Ok::<_, Refusal>(tx.checked_entries(CALLER.tenant, None, 100)?)
            });
            read.expect("it is read");
        });
        let seeks = |said: &&String| said.contains("AS seal") || said.contains("AS previous_mac");
        let heard: Vec<&String> = heard.iter().filter(seeks).collect();
        assert_eq!(heard.len(), 3, "{heard:#?}");
        for said in heard {
            let plan = database.raw().plan(said);
            // The entry that is looked for is called `sealed`.
            let seeks_it = |step: &&String| {
                step.contains("SEARCH sealed ") || step.contains(" on change_log sealed ")
            };
            let seeks: Vec<&String> = plan.iter().filter(seeks_it).collect();
            let is_right = seeks.len() == 1 && seeks[0].contains("change_log_by_version");
            assert!(is_right, "{said}\n{plan:#?}");
        }
    }
}

fn the_judge_of_plans_finds_what_reads_it_all(database: &TestDatabase) {
    let _world = World::on(database);
    let mut raw = database.raw();
    let kind = database.kind;
    if kind == Kind::Postgres {
        raw.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            .expect("it can be set");
    }
    let plan = raw.plan("SELECT id FROM users ORDER BY display");
    assert!(!wide(kind, &plan).is_empty(), "{plan:?}");
    let tenant = kind.id(CALLER.tenant);
    let plan = raw.plan(&format!("SELECT id FROM users WHERE tenant_id = {tenant}"));
    assert!(!wide(kind, &plan).is_empty(), "{plan:?}");
    let plan =
        raw.plan(&format!("SELECT id FROM users WHERE tenant_id = {tenant} AND id = {tenant}"));
    assert!(wide(kind, &plan).is_empty(), "{plan:?}");
}
