//! Roles and those who have them.

use accounts::authorization::DivisionScope;
use accounts::objects::{self, ObjectType};
use accounts::roles::{self, Roles};
use accounts::{Code, Grant, Precondition, Refusal, Resource, Scope};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{CALLER, Raw, TestDatabase, World, context, group, strict_body, user};
use crate::harness::{edits, on_each_database};

on_each_database!(
    r27_everybody_is_an_employee,
    r31_a_disabled_role_gives_nothing,
    r32_a_role_that_is_granted_is_not_deleted,
    r32_by_force_the_grants_go_with_the_role,
    r34_restoring_tells_how_many_users_have_the_role,
    r34_a_default_role_that_is_missing_is_recreated,
    r36_a_new_catalogue_of_permissions_counts_from_the_start_on,
);

fn any() -> Precondition {
    Precondition::default()
}

fn new_role(world: &World, name: &str) -> Uuid {
    let policies = json!([
        {"domain": "directory", "entityName": "user", "actionSet": "view,add"}
    ]);
    let body = strict_body(ResourceType::role(), json!({"name": name, "policies": policies}));
    let created = world.write(move |tx| {
        let context = context();
        objects::create::<Roles>(tx, &context, (context.new_id)(), body.clone())
    });
    created.unwrap().id
}

fn grant(world: &World, subject: Uuid, role: Uuid, is_group: bool) {
    let granted = world.write(move |tx| {
        let grant = Grant {
            subject,
            role,
            division: DivisionScope::All,
            source: "admin".to_owned(),
            granted: context().now,
            dormant: false,
            purge_at: None,
            primary: false,
        };
        tx.put_grants(CALLER.tenant, &[grant], is_group)
    });
    granted.unwrap();
}

fn user_count(world: &World, role: Uuid) -> Value {
    let found = world.read(move |tx| {
        let mut found = [objects::get::<Roles>(tx, &CALLER, role)?];
        Roles::complete(tx, &CALLER, &mut found, &|attribute| attribute == "userCount")?;
        let [found] = found;
        Ok::<_, Refusal>(found)
    });
    found.unwrap().attributes["userCount"].clone()
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> (Code, String) {
    match result {
        Err(Refusal::Rule { code, detail }) => (code, detail),
        other => panic!("{other:?}"),
    }
}

fn delete(world: &World, role: Uuid) -> Result<(), Refusal> {
    world.write(move |tx| objects::delete::<Roles>(tx, &context(), role, &any()))
}

fn delete_forced(world: &World, role: Uuid) -> Result<(), Refusal> {
    world.write(move |tx| roles::delete_forced(tx, &context(), role, &any()))
}

fn scope() -> Scope {
    CALLER.scope()
}

/// The entry of a version of a resource: its changes and the rule.
fn entry(raw: &mut Raw, resource_type: &str, version: i64) -> Vec<String> {
    raw.texts(&format!(
        "SELECT CAST(changes AS text) || ' ' || rule AS value FROM change_log \
         WHERE resource_type = '{resource_type}' AND version = {version}"
    ))
}

fn r27_everybody_is_an_employee(database: &TestDatabase) {
    let world = World::on(database);
    let employee = world.read(|tx| roles::employee(tx, CALLER.tenant)).unwrap();
    assert_eq!(employee.name, "employee");
    assert_eq!(user_count(&world, employee.id), 0);
    for name in ["ada", "bob"] {
        world.create_user(user(name)).unwrap();
    }
    assert_eq!(user_count(&world, employee.id), 2);
    let master = world.read(|tx| roles::master_admin(tx, CALLER.tenant)).unwrap();
    assert_eq!((master.name.as_str(), user_count(&world, master.id)), ("master-admin", json!(0)));
}

fn r31_a_disabled_role_gives_nothing(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), Raw::open(&database.url));
    let role = new_role(&world, "Hiring");
    let mut given = || {
        // The default roles are in the table too.
        let mut names = raw.texts(
            "SELECT p.permission AS value FROM role_permissions AS p \
             JOIN objects AS o ON o.id = p.role_id WHERE o.name = 'Hiring' ORDER BY p.permission",
        );
        names.sort_unstable();
        names
    };
    let whole = ["directory:user:add", "directory:user:view"];
    assert_eq!(given(), whole);
    for (state, expected) in [("disabled", &[][..]), ("enabled", &whole[..])] {
        let operation = json!({"op": "replace", "path": "state", "value": state});
        let edits = edits(ResourceType::role(), &operation);
        let changed = world.write(move |tx| {
            let mut leniencies = scim_protocol::dialect::Leniencies::new(CALLER.dialect);
            objects::patch::<Roles>(tx, &context(), role, &any(), &edits, &mut leniencies)
        });
        assert_eq!(changed.unwrap().attributes["state"], state);
        assert_eq!(given(), expected);
    }
}

fn r32_a_role_that_is_granted_is_not_deleted(database: &TestDatabase) {
    let world = World::on(database);
    let role = new_role(&world, "Hiring");
    let ada = world.create_user(user("ada")).unwrap();
    let crew = world.create_group(group("Crew", &[ada])).unwrap();
    grant(&world, ada, role, false);
    grant(&world, crew, role, true);
    let (refused, detail) = code(delete(&world, role));
    assert_eq!(refused, Code::RoleInUse);
    assert!(detail.contains("to 2 users and groups"), "{detail}");
    world.read(move |tx| objects::get::<Roles>(tx, &CALLER, role)).unwrap();
    let unused = new_role(&world, "Nobody's");
    delete(&world, unused).unwrap();
}

fn r32_by_force_the_grants_go_with_the_role(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), Raw::open(&database.url));
    let (role, kept) = (new_role(&world, "Hiring"), new_role(&world, "Training"));
    let ada = world.create_user(user("ada")).unwrap();
    let crew = world.create_group(group("Crew", &[ada])).unwrap();
    for role in [role, kept] {
        grant(&world, ada, role, false);
        grant(&world, crew, role, true);
    }
    delete_forced(&world, role).unwrap();
    let gone = code(world.read(move |tx| objects::get::<Roles>(tx, &CALLER, role)));
    assert_eq!(gone.0, Code::NotFound);
    let left = world.read(move |tx| tx.grants_of(CALLER.tenant, &[ada, crew])).unwrap();
    let left: Vec<_> = left.iter().map(|grant| (grant.subject, grant.role)).collect();
    assert_eq!(left, [(ada, kept), (crew, kept)]);

    let (user, group) = world
        .read(move |tx| {
            let user = tx.user(scope(), ada)?.map(|user| user.resource);
            Ok::<_, Refusal>((user.unwrap(), tx.group(scope(), crew)?.unwrap().resource))
        })
        .unwrap();
    let is_new =
        |resource: &Resource| (resource.version, resource.last_modified > resource.created);
    assert_eq!((is_new(&user), is_new(&group)), ((2, true), (2, true)));
    for resource_type in ["User", "Group"] {
        let entries = entry(&mut raw, resource_type, 2);
        assert_eq!(entries.len(), 1, "{entries:?}");
        let (changes, rule) = entries[0].rsplit_once(' ').unwrap();
        let lost = json!([{"value": role, "display": "Hiring", "division": "*"}]);
        let expected = json!([{"attribute": "roles", "old": lost, "new": null}]);
        assert_eq!(serde_json::from_str::<Value>(changes).unwrap(), expected);
        assert_eq!(rule, "R32");
    }
}

fn r34_restoring_tells_how_many_users_have_the_role(database: &TestDatabase) {
    let world = World::on(database);
    let found = world.read(|tx| {
        let role = ResourceType::role();
        tx.objects_named(CALLER.tenant, role, &["agent".to_owned()])
    });
    let agent = found.unwrap()[0].id;
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| world.create_user(user(name)).unwrap());
    let crew = world.create_group(group("Crew", &[bob, ada])).unwrap();
    grant(&world, ada, agent, false);
    grant(&world, crew, agent, true);
    let restored =
        world.write(move |tx| roles::restore_default(tx, &context(), agent, &any(), false));
    let restored = restored.unwrap();
    assert_eq!((restored.affected_users, restored.done), (2, false));
    grant(&world, eve, agent, false);
    assert_eq!(user_count(&world, agent), 3);
}

/// As after an update to a version with a new default role.
fn r34_a_default_role_that_is_missing_is_recreated(database: &TestDatabase) {
    let world = World::on(database);
    let agent = || {
        world
            .read(|tx| tx.objects_named(CALLER.tenant, ResourceType::role(), &["agent".to_owned()]))
    };
    let mut old = Resource::clone(&agent().unwrap()[0]);
    let old_id = old.id;
    old.version += 1;
    world.write(move |tx| tx.tombstone_object(CALLER.tenant, &old)).unwrap();
    assert!(agent().unwrap().is_empty());

    let own = new_role(&world, "Agent");
    let recreate = || world.write(|tx| roles::recreate_defaults(tx, &context(), false));
    assert_eq!(code(recreate()).0, Code::NameTaken);
    delete(&world, own).unwrap();
    assert_eq!(recreate().unwrap().created, ["agent"]);
    let new = agent().unwrap().remove(0);
    assert_ne!(new.id, old_id);
    assert_eq!((&new.attributes["default"], new.version), (&json!(true), 1));
    assert!(recreate().unwrap().created.is_empty());
}

/// A version that knows other permissions is started on the same database.
fn r36_a_new_catalogue_of_permissions_counts_from_the_start_on(database: &TestDatabase) {
    let world = World::on(database);
    let refresh = || world.write(|tx| roles::refresh(tx, context().now, context().new_id)).unwrap();
    let recorded = || {
        let count = "SELECT CAST(COUNT(*) AS TEXT) AS value FROM role_permissions";
        database.raw().texts(count).remove(0)
    };
    let whole = recorded();
    assert_ne!(whole, "0");
    database
        .raw()
        .execute("DELETE FROM role_permissions WHERE permission LIKE 'routing:%'")
        .unwrap();
    assert_ne!(recorded(), whole);
    assert_eq!(refresh(), 7, "the default roles");
    assert_eq!(recorded(), whole);
    assert_eq!(refresh(), 0, "once for each catalogue");
}
