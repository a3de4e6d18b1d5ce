//! Resources of every type that is neither user nor group, with every attribute that is kept and the
//! values that are likeliest to be read differently, the same ones in a database of each kind; and
//! entries of both logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use accounts::ledger::{Action, Entry};
use accounts::objects::UniqueName;
use accounts::{Actor, Refusal, Resource, Source, tenancy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::schema::{Mutability, ResourceType};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{CALLER, Kind, TestDatabase, World, strict_body};
use crate::plan::{Both, at_step, listed, shared};
use crate::population::{runner, text};
use crate::provisioning_log;
use crate::sample::members;

/// Of each type, besides what a new tenant has.
const OF_EACH: usize = 24;
const ENTRIES: usize = 60;
const ENTRIES_OF_REQUESTS: u32 = 60;

/// Every type that is filtered in the table of objects, and the logs.
pub(crate) fn nouns() -> impl Iterator<Item = &'static ResourceType> {
    let logs = [ResourceType::change_log_entry(), ResourceType::provisioning_log_entry()];
    written().iter().map(|(kind, _)| *kind).chain(logs)
}

/// The types, and each with all of its attributes as clients would write them.
fn written() -> &'static [(&'static ResourceType, &'static ResourceType)] {
    static WRITTEN: OnceLock<Vec<(&ResourceType, &ResourceType)>> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let kinds = [
            ResourceType::role(),
            ResourceType::division(),
            ResourceType::skill(),
            ResourceType::license_tier(),
            ResourceType::capacity_rule(),
            ResourceType::user_template(),
            ResourceType::provisioning_rule(),
            ResourceType::rehire_case(),
            ResourceType::connection(),
            ResourceType::tenant(),
        ];
        let with_all = |kind: &'static ResourceType| {
            let mut schema = kind.schema.clone();
            schema.attributes.retain(|one| !computed(kind).contains(&one.name.as_str()));
            for attribute in &mut schema.attributes {
                attribute.mutability = Mutability::ReadWrite;
                attribute.required = false;
                for sub in &mut attribute.sub_attributes {
                    sub.mutability = Mutability::ReadWrite;
                    sub.required = false;
                }
            }
            let (name, endpoint, description) = (kind.name, kind.endpoint, kind.description);
            let extensions = Vec::new();
            let with_all = ResourceType { name, endpoint, description, schema, extensions };
            (kind, &*Box::leak(Box::new(with_all)))
        };
        kinds.map(with_all).into()
    })
}

/// What is computed when a resource is read, and neither filtered nor sorted by; of entries of the
/// log, what is not kept in the form in which it would be compared.
pub(crate) fn computed(kind: &ResourceType) -> &'static [&'static str] {
    match kind.name {
        "Connection" => &["leniencies"],
        "Division" => &["objectCounts"],
        "LicenseTier" => &["usedSeats", "freeSeats"],
        "Role" => &["needsUpdate", "permissions", "requiredCapabilities", "userCount"],
        "ChangeLogEntry" => &["actor.display", "actor[", "changes", "reason"],
        _ => &[],
    }
}

/// The documents of one type in the form in which they are kept.
fn bodies(runner: &mut TestRunner, kind: &'static ResourceType) -> Vec<Object> {
    let strategy = (members(&kind.schema.attributes), text(), prop::option::of(text()));
    let all = prop::collection::vec(strategy, OF_EACH).new_tree(runner).unwrap().current();
    let body = |(at, (mut body, name, external)): (usize, (Value, String, Option<String>))| {
        // The rules trim names, and no two are the same.
        if body.get("name").is_some() {
            body["name"] = format!("{name}#{at}").trim().into();
        }
        if let Some(external) = external {
            body["externalId"] = external.into();
        }
        strict_body(kind, body)
    };
    all.into_iter().enumerate().map(body).collect()
}

impl Both {
    /// Nouns and the log, without users and groups.
    pub(crate) fn of_nouns() -> Arc<Self> {
        static SHARED: Mutex<Weak<Both>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::populate_with_nouns)
    }

    fn populate_with_nouns() -> Self {
        let mut runner = runner(1);
        let made: Vec<_> =
            written().iter().map(|(kind, all)| (*kind, bodies(&mut runner, all))).collect();
        let databases = [Kind::Sqlite, Kind::Postgres].map(TestDatabase::create);
        let worlds = [&databases[0], &databases[1]].map(|database| {
            let world = World::founded(database, |tx| {
                let context = at_step(0);
                tenancy::create_tenant(tx, "Acme", CALLER.tenant, context.now, context.new_id)
            });
            for (step, (kind, bodies)) in made.iter().enumerate() {
                insert(&world, step + 1, kind, bodies.clone());
            }
            log(&world);
            provisioning_log::log(&world, 0..ENTRIES_OF_REQUESTS);
            (database.kind, world)
        });
        let [one, other] = worlds.each_ref().map(|(_, world)| {
            let of = |kind: &'static ResourceType| (kind.name, listed(world, kind));
            nouns().map(of).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(one, other);
        assert!(one.values().all(|listed| listed.len() >= OF_EACH), "all of them were written");
        let (users, groups) = (Vec::new(), Vec::new());
        Self { worlds, users, groups, nouns: one, _databases: databases }
    }
}

/// Past the rules.
fn insert(world: &World, step: usize, kind: &'static ResourceType, bodies: Vec<Object>) {
    let inserted = world.write(move |tx| {
        for (at, attributes) in bodies.iter().enumerate() {
            let context = at_step(step * OF_EACH + at);
            let name = attributes.get("name").and_then(Value::as_str);
            let name = name.map(|name| UniqueName { variant: String::new(), name: fold(name) });
            let resource = Resource {
                id: (context.new_id)(),
                version: 1,
                created: context.now,
                last_modified: context.now,
                attributes: attributes.clone(),
            };
            assert!(tx.insert_object(CALLER.tenant, kind, name, &resource)?, "{}", kind.name);
        }
        Ok::<_, Refusal>(())
    });
    inserted.expect("it can be written");
}

/// Entries of every kind, by everybody.
fn log(world: &World) {
    const ACTIONS: [Action; 9] = [
        Action::Create,
        Action::Update,
        Action::Activate,
        Action::Deactivate,
        Action::Tombstone,
        Action::Restore,
        Action::Rehire,
        Action::Release,
        Action::Erase,
    ];
    const SOURCES: [Source; 5] =
        [Source::Scim, Source::Admin, Source::Bulk, Source::Timer, Source::Auth];
    let appended = world.write(|tx| {
        for at in 0..ENTRIES {
            let context = at_step(1_000 + at);
            let of = |part: usize| Uuid::from_u128(0x0191_0000 << 96 | (part as u128));
            let actors = [Actor::ScimClient(of(at % 3)), Actor::Account(of(at % 4)), Actor::System];
            let entry = Entry {
                id: (context.new_id)(),
                at: context.now,
                actor: actors[at % actors.len()],
                source: SOURCES[at % SOURCES.len()],
                request: of(100 + at / 2),
                action: ACTIONS[at % ACTIONS.len()],
                resource_type: ["User", "Group", "Role"][at / 4 % 3],
                resource: of(200 + at / 4),
                changes: json!([{"attribute": "title", "old": null, "new": at}]),
                reason: (at % 2 == 0).then(|| "because".into()),
                rule: [None, Some("R57"), Some("R71")][at % 3],
                version: i64::try_from(at % 4).unwrap_or_default() + 1,
            };
            tx.append(CALLER.tenant, &entry)?;
        }
        Ok::<_, Refusal>(())
    });
    appended.expect("it can be written");
}
