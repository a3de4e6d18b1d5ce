//! Accounts that are put in at once are as the rules would have made them.

use accounts::ledger::{Action, Entry};
use accounts::{Account, Actor, Code, NewAccount, Refusal, Source};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use store::Importer;
use uuid::Uuid;

use crate::harness::{CALLER, TestDatabase, World, context, on_each_database, strict_body};
use crate::tampering::findings;

on_each_database!(
    r1_r7_r81_what_is_imported_has_its_names_and_its_log,
    r1_where_one_name_is_somebodys_nobody_is_imported,
);

/// The account of somebody whom the rules created.
fn created(world: &World, name: &str) -> Account {
    let body = json!({"userName": name, "externalId": name, "emails": [{"value": mail(name)}]});
    let body = strict_body(ResourceType::user(), body);
    let id = world.create_user(body).expect("the name is free");
    let found = world.read(move |tx| tx.user(CALLER.scope(), id));
    found.expect("it can be read").expect("it is there")
}

fn mail(name: &str) -> String {
    format!("{name}@example.com")
}

/// Somebody like another one.
fn like(account: &Account, name: &str) -> NewAccount {
    let made = context();
    let mut account = account.clone();
    account.resource.id = (made.new_id)();
    let attributes = &mut account.resource.attributes;
    for (attribute, value) in [
        ("userName", json!(name)),
        ("externalId", json!(name)),
        ("emails", json!([{"value": mail(name), "type": "work"}])),
    ] {
        attributes.insert(attribute.to_owned(), value);
    }
    let entry = Entry {
        id: (made.new_id)(),
        at: made.now,
        actor: Actor::ScimClient(CALLER.connection),
        source: Source::Scim,
        request: made.request,
        action: Action::Create,
        resource_type: "User",
        resource: account.resource.id,
        changes: json!([{"attribute": "userName", "old": Value::Null, "new": name}]),
        reason: None,
        rule: None,
        version: 1,
    };
    NewAccount { account, entry }
}

fn r1_r7_r81_what_is_imported_has_its_names_and_its_log(database: &TestDatabase) {
    let world = World::on(database);
    let ada = created(&world, "ada");
    let (_, before) = findings(&world);
    // More than go into one statement.
    let imports: Vec<NewAccount> = (0..1003).map(|n| like(&ada, &format!("user{n}"))).collect();
    let mut importer = Importer::open(&database.url).expect("the database can be opened");
    let all_are_free = importer.import(CALLER.scope(), &imports).expect("the database takes them");
    assert!(all_are_free);
    for import in [&imports[0], &imports[1002]] {
        let id = import.account.resource.id;
        let found = world.read(move |tx| tx.user(CALLER.scope(), id)).expect("it can be read");
        assert_eq!(found.expect("it is there"), import.account);
    }
    let (findings, entries) = findings(&world);
    assert_eq!((findings, entries), (Vec::new(), before + 1003));
    for body in [
        json!({"userName": "user7"}),
        json!({"userName": "x", "emails": [{"value": mail("user1002"), "type": "work"}]}),
        json!({"userName": "y", "externalId": "user7"}),
    ] {
        let refused = world.create_user(strict_body(ResourceType::user(), body.clone()));
        assert!(matches!(refused, Err(Refusal::Rule { .. })), "{body}: {refused:?}");
    }
}

fn r1_where_one_name_is_somebodys_nobody_is_imported(database: &TestDatabase) {
    let world = World::on(database);
    let ada = created(&world, "ada");
    let mut importer = Importer::open(&database.url).expect("the database can be opened");
    let imports = [like(&ada, "bob"), like(&ada, "ada")];
    let mut import = |users| importer.import(CALLER.scope(), users).expect("the database answers");
    assert!(!import(&imports), "the name is somebody's");
    let id: Uuid = imports[0].account.resource.id;
    let found = world.read(move |tx| tx.user(CALLER.scope(), id)).expect("it can be read");
    assert_eq!(found, None, "all or none");
    assert!(import(&imports[..1]), "the connection is of use again");
    let bob = strict_body(ResourceType::user(), json!({"userName": "bob"}));
    let refused = world.create_user(bob);
    assert!(
        matches!(&refused, Err(Refusal::Rule { code: Code::UserNameTaken, .. })),
        "{refused:?}"
    );
}
