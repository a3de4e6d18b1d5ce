//! What administrators define is read from memory, and never as another has changed it.

use accounts::objects::UniqueName;
use accounts::tenancy::Token;
use accounts::{Refusal, Resource, StorageError, Tx, tenancy};
use scim_protocol::dialect::Dialect;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{CALLER, Kind, TestDatabase, World, context, on_each_database};

on_each_database!(
    what_another_server_writes_counts_at_once,
    a_token_that_another_server_revokes_is_revoked,
    what_is_rolled_back_was_never_there,
    what_a_unit_of_work_writes_it_reads,
    what_a_database_said_before_it_was_another_is_not_believed,
);

const NOTHING: [Vec<i64>; 3] = [const { Vec::new() }; 3];
const TOKEN: &str = "0123456789abcdef01234567";

fn thai() -> Resource {
    let made = context();
    let attributes = json!({"name": "Thai"}).as_object().cloned().unwrap_or_default();
    let id = (made.new_id)();
    Resource { id, version: 1, created: made.now, last_modified: made.now, attributes }
}

fn insert(tx: &mut dyn Tx, skill: &Resource) -> Result<bool, StorageError> {
    let name = UniqueName { variant: "skill".to_owned(), name: "thai".to_owned() };
    tx.insert_object(CALLER.tenant, ResourceType::skill(), Some(name), skill)
}

/// After a failover that lost changes, the new primary counts up to the same version with others.
fn what_a_database_said_before_it_was_another_is_not_believed(database: &TestDatabase) {
    if database.kind == Kind::Sqlite {
        // Whoever restores a file stops the service: another one is never behind the same connection.
        return;
    }
    let world = World::on(database);
    let skill = thai();
    let id = skill.id;
    world.write(move |tx| insert(tx, &skill)).expect("it is written");
    let read = || world.read(move |tx| seen(tx, id));
    assert_eq!(read().expect("it can be read"), versions(1));
    let mut raw = database.raw();
    let apart = "SET session_replication_role = replica; UPDATE objects SET version = 7 \
                 WHERE resource_type = 'Skill'; SET session_replication_role = DEFAULT";
    raw.execute(apart).expect("it is changed, and the catalogue does not know");
    raw.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .expect("the connections break");
    let again = (0..50).find_map(|_| {
        read().ok().or_else(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            None
        })
    });
    assert_eq!(again, Some(versions(7)));
}

/// The versions of what is found, by name, by identifier and among all.
fn seen(tx: &mut dyn Tx, id: Uuid) -> Result<[Vec<i64>; 3], StorageError> {
    let (tenant, kind) = (CALLER.tenant, ResourceType::skill());
    let found = [
        tx.objects_named(tenant, kind, &["thai".to_owned()])?,
        tx.objects_with_ids(tenant, kind, &[id])?,
        tx.all_objects(tenant, kind)?,
    ];
    Ok(found.map(|found| found.iter().map(|skill| skill.version).collect()))
}

fn versions(version: i64) -> [Vec<i64>; 3] {
    [vec![version], vec![version], vec![version]]
}

fn what_another_server_writes_counts_at_once(database: &TestDatabase) {
    let (here, there) = (World::on(database), World::on(database));
    let skill = thai();
    let id = skill.id;
    let read = |world: &World| world.read(move |tx| seen(tx, id)).expect("it can be read");
    assert_eq!(read(&here), NOTHING);
    there
        .write({
            let skill = skill.clone();
            move |tx| insert(tx, &skill)
        })
        .expect("it is written");
    assert_eq!(read(&here), versions(1));
    for version in 2..5 {
        let newer = Resource { version, ..skill.clone() };
        there
            .write(move |tx| {
                let name = UniqueName { variant: "skill".to_owned(), name: "thai".to_owned() };
                tx.update_object(CALLER.tenant, ResourceType::skill(), Some(name), &newer)
            })
            .expect("it is written");
        assert_eq!((read(&here), read(&there)), (versions(version), versions(version)));
    }
    let gone = Resource { version: 5, ..skill };
    there.write(move |tx| tx.tombstone_object(CALLER.tenant, &gone)).expect("it is written");
    assert_eq!(read(&here), NOTHING);
}

fn a_token_that_another_server_revokes_is_revoked(database: &TestDatabase) {
    let (here, there) = (World::on(database), World::on(database));
    let now = context().now;
    let made = here.write(move |tx| {
        let connection = tenancy::ensure_connection(tx, &context(), "Okta", Dialect::Okta, None)?;
        tx.insert_token(&Token {
            id: TOKEN.to_owned(),
            tenant: CALLER.tenant,
            connection: connection.id,
            secret_hash: vec![7; 32],
            created: now,
            expires: now,
            revoked: None,
        })?;
        Ok::<_, Refusal>(())
    });
    made.expect("it is written");
    let revoked = || {
        let found = here.read(|tx| tx.credentials(TOKEN)).expect("it can be read");
        found.iter().map(|credential| credential.token.revoked.is_some()).collect::<Vec<_>>()
    };
    assert_eq!((revoked(), revoked()), (vec![false], vec![false]));
    there.write(move |tx| tx.revoke_token(CALLER.tenant, TOKEN, now)).expect("it is written");
    assert_eq!(revoked(), [true]);
}

fn what_is_rolled_back_was_never_there(database: &TestDatabase) {
    let world = World::on(database);
    let skill = thai();
    let id = skill.id;
    world.read(move |tx| seen(tx, id)).expect("it can be read");
    let given_up = world.write(move |tx| {
        insert(tx, &skill)?;
        assert_eq!(seen(tx, id)?, versions(1));
        Err::<(), _>(StorageError::NotSearchable("given up".to_owned()))
    });
    assert!(given_up.is_err());
    let found = world.read(move |tx| seen(tx, id)).expect("it can be read");
    assert_eq!(found, NOTHING);
}

fn what_a_unit_of_work_writes_it_reads(database: &TestDatabase) {
    let world = World::on(database);
    let skill = thai();
    let id = skill.id;
    let found = world.write(move |tx| {
        let before = seen(tx, id)?;
        insert(tx, &skill)?;
        Ok::<_, StorageError>((before, seen(tx, id)?))
    });
    let (before, after) = found.expect("it is written");
    assert_eq!((before, after), (NOTHING, versions(1)));
}
