//! What clients prove themselves with besides tokens, and when they last did.

use accounts::credentials::{self, Certificate, ClientCredential, MAX_OF_CONNECTION, Proof};
use accounts::tenancy::Use;
use accounts::{Caller, Code, Context, Refusal, Resource, Tx, tenancy};
use jiff::{SignedDuration, Timestamp};
use scim_protocol::dialect::Dialect;
use uuid::Uuid;

use crate::harness::{CALLER, TestDatabase, World, context, on_each_database};

on_each_database!(
    a_credential_is_found_by_what_a_client_shows_until_it_is_revoked,
    the_clients_of_a_connection_that_is_deleted_are_gone,
    a_connection_has_a_bounded_number_of_credentials,
    the_last_use_of_a_credential_is_kept,
);

fn connection(tx: &mut dyn Tx) -> Result<Uuid, Refusal> {
    Ok(tenancy::ensure_connection(tx, &context(), "Okta", Dialect::Okta, None)?.id)
}

fn certificate(id: &str, connection: Uuid, digits: &str) -> ClientCredential {
    let created = context().now;
    ClientCredential {
        id: id.to_owned(),
        tenant: CALLER.tenant,
        connection,
        proof: Proof::Certificate(Certificate::Fingerprint(digits.repeat(32))),
        created,
        expires: Some(created + SignedDuration::from_hours(1)),
        revoked: None,
    }
}

fn found(world: &World, digits: &str) -> Vec<ClientCredential> {
    let keys = vec![format!("sha256:{}", digits.repeat(32)), "sha256:none".to_owned()];
    let found = world.read(move |tx| tx.credentials_found_by(&keys)).expect("it can be read");
    found.into_iter().map(|client| client.credential).collect()
}

/// Adds one that is right in all.
fn add(world: &World, id: &'static str, digits: &'static str) -> ClientCredential {
    let added = world.write(move |tx| {
        let credential = certificate(id, connection(tx)?, digits);
        credentials::add(tx, &context(), &credential)?;
        Ok::<_, Refusal>(credential)
    });
    added.expect("it is added")
}

fn a_credential_is_found_by_what_a_client_shows_until_it_is_revoked(database: &TestDatabase) {
    let (here, there) = (World::on(database), World::on(database));
    let (one, other) = (add(&here, "one", "0a"), add(&here, "other", "0b"));
    assert_eq!(found(&there, "0a"), std::slice::from_ref(&one));
    assert_eq!(found(&there, "0b"), [other]);
    assert_eq!(found(&there, "0c"), []);
    let again = here.write(move |tx| {
        let third = certificate("third", connection(tx)?, "0a");
        credentials::add(tx, &context(), &third)
    });
    let taken = again.expect_err("it would not be known whose a request is");
    assert_eq!(taken.code(), Some(Code::CredentialTaken));
    let id = one.connection;
    here.write(move |tx| credentials::revoke(tx, &context(), id, "one")).expect("it is");
    assert_eq!(found(&there, "0a"), []);
    let listed = there.read(|tx| tx.credentials_of(CALLER.tenant)).expect("it can be read");
    let revoked = listed.iter().filter(|client| client.credential.revoked.is_some()).count();
    assert_eq!((listed.len(), revoked), (2, 1));
    for (tenant, connection) in [(CALLER.tenant, Uuid::from_u128(7)), (Uuid::from_u128(7), id)] {
        let context = Context { caller: Caller { tenant, ..CALLER }, ..context() };
        let refused = here.write(move |tx| credentials::revoke(tx, &context, connection, "other"));
        let refused = refused.expect_err("it is another's");
        assert_eq!(refused.code(), Some(Code::NotFound));
    }
    assert_eq!(found(&there, "0b").len(), 1);
}

fn the_clients_of_a_connection_that_is_deleted_are_gone(database: &TestDatabase) {
    let world = World::on(database);
    let one = add(&world, "one", "0a");
    let seen = move |tx: &mut dyn Tx| tx.credential(CALLER.tenant, "one");
    assert!(world.read(seen).expect("it can be read").is_some());
    let gone = Resource {
        id: one.connection,
        version: 3,
        created: one.created,
        last_modified: one.created,
        attributes: scim_protocol::Object::new(),
    };
    world.write(move |tx| tx.tombstone_object(CALLER.tenant, &gone)).expect("it is written");
    assert_eq!(found(&world, "0a"), []);
    assert!(world.read(seen).expect("it can be read").is_none());
    let refused = world
        .write(move |tx| {
            credentials::add(tx, &context(), &certificate("two", one.connection, "0b"))
        })
        .expect_err("there is no connection");
    assert_eq!(refused.code(), Some(Code::NotFound));
}

fn a_connection_has_a_bounded_number_of_credentials(database: &TestDatabase) {
    let world = World::on(database);
    let secret = |connection, number: usize| ClientCredential {
        proof: Proof::Secret { hash: String::new() },
        ..certificate(&number.to_string(), connection, "")
    };
    let refused = world.write(move |tx| {
        let connection = connection(tx)?;
        for number in 0..MAX_OF_CONNECTION {
            credentials::add(tx, &context(), &secret(connection, number))?;
        }
        credentials::revoke(tx, &context(), connection, "5")?;
        credentials::add(tx, &context(), &secret(connection, MAX_OF_CONNECTION))?;
        credentials::add(tx, &context(), &secret(connection, MAX_OF_CONNECTION + 1))
    });
    let refused = refused.expect_err("it has enough");
    assert_eq!(refused.code(), Some(Code::TooManyCredentials));
}

fn the_last_use_of_a_credential_is_kept(database: &TestDatabase) {
    let world = World::on(database);
    let at = |second| Timestamp::from_second(second).unwrap();
    let of = move |tenant, id: &str, second| Use { tenant, id: id.to_owned(), at: at(second) };
    let other = Uuid::from_u128(7);
    let uses = vec![of(CALLER.tenant, "a", 10), of(CALLER.tenant, "b", 20), of(other, "a", 30)];
    world.write(move |tx| tx.note_uses(&uses)).expect("it is written");
    let later = vec![of(CALLER.tenant, "a", 40)];
    world.write(move |tx| tx.note_uses(&later)).expect("it is written");
    let last = |tenant| {
        let mut uses = world.read(move |tx| tx.last_uses(tenant)).expect("it can be read");
        uses.sort_by(|one, other| one.id.cmp(&other.id));
        uses
    };
    assert_eq!(last(CALLER.tenant), [of(CALLER.tenant, "a", 40), of(CALLER.tenant, "b", 20)]);
    assert_eq!(last(other), [of(other, "a", 30)]);
}
