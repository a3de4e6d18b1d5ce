//! What other clients send of a user: as RFC 7644 says.

use serde_json::{Value, json};

use super::page::Page;
use super::world::{Line, World};
use crate::harness::*;

/// Pushes every line of the guide: all together by POST and PUT, and each by PATCH.
pub(super) fn push(world: &World, page: &Page) {
    for table in page.mappings() {
        let lines = world.lines(&table.lines);
        let made = world.scim.post("/Users", &body(world, &lines)).expect(201);
        world.expect_served(&format!("/Users/{}", made.id()), &lines);

        let path = create_user(&world.scim, &body(world, &[]));
        let lines = world.lines(&table.lines);
        world.scim.put(&path, &body(world, &lines)).expect(200);
        world.expect_served(&path, &lines);

        for mapping in table.lines {
            let path = create_user(&world.scim, &body(world, &[]));
            let line = world.lines(&[mapping]);
            let set = replace(line[0].target, line[0].value.clone());
            world.scim.patch(&path, &set).expect(200);
            world.expect_served(&path, &line);
        }
    }
}

/// Sends what the template makes of somebody, and finds it.
pub(super) fn push_template(world: &World, page: &Page) {
    let values = [
        ("$parameters.scimusername", "ada@example.com"),
        ("$user.id", "17"),
        ("$user.firstname", "Ada"),
        ("$user.lastname", "Lovelace"),
        ("$user.display_name", "Ada Lovelace"),
        ("$user.email", "ada@example.com"),
        ("$parameters.title", "Agent"),
        ("$user.department", "Support"),
        ("$user.manager_id", "23"),
    ];
    let filled = values.iter().fold(page.template().to_owned(), |text, (name, value)| {
        let macro_text = format!("{{{name}}}");
        assert!(text.contains(&macro_text), "the template has {macro_text}");
        text.replace(&macro_text, value)
    });
    assert!(!filled.contains("{$"), "{filled}");
    let body: Value = serde_json::from_str(&filled).expect("the template is JSON");
    let path = create_user(&world.scim, &body);
    world.scim.put(&path, &body).expect(200);
    let user = world.scim.get(&path).expect(200);
    for name in ["userName", "externalId", "name", "displayName", "emails", "title"] {
        assert_eq!(user[name], body[name], "{name}: {}", user.story());
    }
    assert_eq!(user[ENTERPRISE]["department"], "Support");
    assert_eq!(user[ENTERPRISE]["manager"]["value"], "23");
}

fn body(world: &World, lines: &[Line]) -> Value {
    let mut body = json!({"schemas": [USER], "userName": world.new_name()});
    for line in lines {
        line.place.put(&mut body, line.value.clone());
    }
    body
}
