//! What Okta sends of a profile: a POST for somebody new, and PUT of all that it knows.

use serde_json::{Value, json};

use super::page::{Mapping, Page};
use super::place::Place;
use super::world::{Line, World};
use crate::harness::*;

/// Pushes every line of the guide: all together and each alone, by POST and by PUT.
pub(super) fn push(world: &World, page: &Page) {
    let all: Vec<_> = page.mappings().into_iter().flat_map(|table| table.lines).collect();
    let whole = said_once(&all);
    let lines = world.lines(&whole);
    world.expect_served(&create(world, &lines), &lines);
    let path = create(world, &[]);
    let lines = world.lines(&whole);
    update(world, &path, &lines);
    world.expect_served(&path, &lines);
    for mapping in all {
        let line = world.lines(&[mapping]);
        world.expect_served(&create(world, &line), &line);
        let path = create(world, &[]);
        let line = world.lines(&[mapping]);
        update(world, &path, &line);
        world.expect_served(&path, &line);
    }
}

/// The lines without those of which an extension before has said the same: a guide has both, and an
/// administrator takes one.
fn said_once(all: &[Mapping<'static>]) -> Vec<Mapping<'static>> {
    let place = |line: &Mapping<'static>| Place::of(line.namespace, line.target);
    let is_first = |line: &&Mapping<'static>| {
        let first = all.iter().map(place).find(|one| one.attribute == place(line).attribute);
        first.is_some_and(|first| first.schema == place(line).schema)
    };
    all.iter().filter(is_first).copied().collect()
}

/// The profile of somebody.
fn profile(world: &World, lines: &[Line]) -> Value {
    let name = world.new_name();
    let mut body = json!({"schemas": [USER], "userName": name, "groups": [], "active": true,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"primary": true, "value": name, "type": "work"}],
        "externalId": format!("00u{name}")});
    for line in lines {
        line.place.put(&mut body, line.value.clone());
    }
    body
}

/// Somebody new: the path.
fn create(world: &World, lines: &[Line]) -> String {
    let mut body = profile(world, lines);
    body["password"] = json!("1mz050nq");
    let filter = format!("userName eq {}", body["userName"]);
    let page = [("filter", filter.as_str()), ("startIndex", "1"), ("count", "100")];
    world.scim.query("/Users", &page).expect_empty_list();
    format!("/Users/{}", world.scim.post("/Users", &body).expect(201).id())
}

/// The whole profile, as Okta has it now.
fn update(world: &World, path: &str, lines: &[Line]) {
    let read = world.scim.get(path).expect(200);
    let mut body = profile(world, lines);
    if lines.iter().all(|line| line.place.attribute != "userName") {
        body["userName"] = read["userName"].clone();
    }
    if lines.iter().all(|line| line.place.attribute != "externalId") {
        body["externalId"] = read["externalId"].clone();
    }
    body["id"] = read["id"].clone();
    body["meta"] = json!({"resourceType": "User"});
    world.scim.put(path, &body).expect(200);
}
