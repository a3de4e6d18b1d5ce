//! What depends on people.

use accounts::{Dependency, Refusal};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, TestDatabase, World, context, new_user, on_each_database, strict_body, user,
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn of_several_people_is_said_what_is_said_of_each(database: &TestDatabase) {
    let world = World::on(database);
    let [ada, bob, eve] =
        ["ada", "bob", "eve"].map(|name| world.create_user(user(name)).expect("it is new"));
    let managed = world.write(move |tx| {
        let mut managed = Vec::new();
        for (name, manager) in [("a", ada), ("b", ada), ("c", bob)] {
            let body = json!({"userName": name, ENTERPRISE: {"manager": {"value": manager}}});
            let made = new_user(tx, &context(), strict_body(ResourceType::user(), body))?;
            managed.push((manager, made.id.to_string()));
        }
        for (who, reference) in [(ada, "Sales"), (ada, "Claims"), (bob, "Sales")] {
            let queue = Dependency {
                kind: "queueMembership".to_owned(),
                reference: reference.to_owned(),
                disposition: "needsReassign".to_owned(),
            };
            tx.put_dependency(CALLER.tenant, who, &queue)?;
        }
        Ok::<_, Refusal>(managed)
    });
    let mut managed = managed.expect("they are new");
    managed.sort();
    let of = |people: Vec<_>| {
        world.read(move |tx| tx.dependencies_of(CALLER.tenant, &people)).expect("they are read")
    };
    let references = |found: Vec<(Uuid, Dependency)>| -> Vec<_> {
        found.into_iter().map(|(who, one)| (who, one.reference)).collect()
    };
    let managed_by = |who| managed.iter().filter(move |(by, _)| *by == who).cloned();
    let queues = |names: &[&str], who| -> Vec<_> {
        names.iter().map(|name| (who, (*name).to_owned())).collect()
    };
    let mut expected = queues(&["Claims", "Sales"], ada);
    expected.extend(managed_by(ada));
    assert_eq!(references(of(vec![ada])), expected, "queues by name, then whom they manage");
    assert_eq!(of(vec![eve]), []);
    assert_eq!(of(Vec::new()), []);
    let mut each: Vec<_> = [ada, bob, eve].into_iter().flat_map(|who| of(vec![who])).collect();
    each.sort_by_key(|(who, _)| *who);
    assert_eq!(of(vec![eve, bob, ada]), each);
}

on_each_database!(of_several_people_is_said_what_is_said_of_each);
