//! The web validator's checks of users.

use serde_json::{Value, json};

use super::Check;
use super::session::{Checked, Session, ensure, same};
use crate::http::Request;
use crate::place::{ENTERPRISE, Place};

pub(super) const CHECKS: &[Check] = &[
    Check { number: "W1", name: "POST user, found as it was sent", run: post },
    Check { number: "W2", name: "POST duplicate user", run: post_duplicate },
    Check { number: "W3", name: "filter for an existing user", run: filter_existing },
    Check { number: "W4", name: "filter for a user that is not there", run: filter_missing },
    Check { number: "W5", name: "filter for a user in different case", run: filter_case },
    Check {
        number: "W6",
        name: "PATCH user: replace attributes, verbose",
        run: replace_attributes,
    },
    Check { number: "W7", name: "PATCH user: add attributes, verbose", run: add_attributes },
    Check {
        number: "W7r",
        name: "PATCH user: add the primary role, piece by piece",
        run: add_role,
    },
    Check { number: "W8", name: "PATCH user: userName", run: rename },
    Check { number: "W9", name: "PATCH user: disable", run: disable },
    Check { number: "W10", name: "PATCH user: add manager", run: add_manager },
    Check { number: "W11", name: "PATCH user: replace manager", run: replace_manager },
    Check { number: "W12", name: "PATCH user: remove manager", run: remove_manager },
    Check { number: "W13", name: "DELETE user", run: delete },
    Check {
        number: "P1",
        name: "several operations on different attributes",
        run: different_attributes,
    },
    Check { number: "P2", name: "several operations on the same attribute", run: same_attribute },
    Check { number: "P3", name: "DELETE user that is not there", run: delete_missing },
    Check { number: "P4", name: "DELETE user twice", run: delete_twice },
];

/// A role that the service knows: the exception to random text.
const ROLE: &str = "agent";

fn post(session: &mut Session) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body.clone())?;
    let filter = format!("userName eq {}", body["userName"]);
    let found = session.find_one("/Users", &filter)?;
    same("what a filter finds and what is read", &session.read(&path)?, &found)?;
    contains("", &body, &found)
}

/// Fails unless everything that was sent is there; the order of values does not count.
fn contains(at: &str, sent: &Value, held: &Value) -> Checked {
    match sent {
        Value::Object(members) => {
            members.iter().filter(|(name, _)| *name != "schemas").try_for_each(|(name, value)| {
                contains(&format!("{at} {name}"), value, &held[name.as_str()])
            })
        }
        Value::Array(values) => values.iter().try_for_each(|value| {
            let held = held.as_array().into_iter().flatten();
            let mut same = held.filter(|held| contains(at, value, held).is_ok());
            ensure(same.next().is_some(), || format!("{at}: {value} is not there"))
        }),
        value => same(at, value, held),
    }
}

fn post_duplicate(session: &mut Session) -> Checked {
    let body = session.full_user();
    session.make("/Users", body.clone())?;
    let answer = session.expect(&Request::post("create again", "/Users", body), &[409])?;
    same("scimType", &json!("uniqueness"), &answer.body["scimType"])
}

fn filter_existing(session: &mut Session) -> Checked {
    let (_, user) = made(session)?;
    let found = session.find_one("/Users", &format!("userName eq {}", user["userName"]))?;
    same("id", &user["id"], &found["id"])
}

fn filter_missing(session: &mut Session) -> Checked {
    let name = session.address();
    let found = session.find("/Users", &format!("userName eq \"{name}\""))?;
    ensure(found.is_empty(), || format!("{} found", found.len()))
}

fn filter_case(session: &mut Session) -> Checked {
    let (_, user) = made(session)?;
    let name = user["userName"].to_string().to_uppercase();
    let found = session.find_one("/Users", &format!("userName eq {name}"))?;
    same("userName", &user["userName"], &found["userName"])
}

fn replace_attributes(session: &mut Session) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body)?;
    write_all(session, &path, "replace")
}

fn add_attributes(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    write_all(session, &path, "add")
}

fn write_all(session: &mut Session, path: &str, op: &str) -> Checked {
    let (operations, wanted) = session.verbose(op);
    let held = session.patch(path, operations)?;
    wanted.iter().try_for_each(|(place, value)| same(&place.to_string(), value, place.read(&held)))
}

fn add_role(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let operations: Value = [("display", ROLE), ("value", ROLE), ("type", "anything")]
        .iter()
        .map(|(part, value)| {
            let path = format!("roles[primary eq \"True\"].{part}");
            json!({"op": "add", "path": path, "value": value})
        })
        .collect();
    let held = session.patch(&path, operations)?;
    let mut roles = held["roles"].as_array().into_iter().flatten();
    ensure(roles.any(|role| role["value"] == ROLE), || format!("roles: {}", held["roles"]))
}

fn rename(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let name = session.address();
    let held =
        session.patch(&path, json!([{"op": "replace", "path": "userName", "value": name}]))?;
    same("userName", &json!(name), &held["userName"])
}

fn disable(session: &mut Session) -> Checked {
    let (path, user) = made(session)?;
    let held =
        session.patch(&path, json!([{"op": "replace", "path": "active", "value": false}]))?;
    same("active", &json!(false), &held["active"])?;
    let found = session.find_one("/Users", &format!("userName eq {}", user["userName"]))?;
    same("active, found by a filter", &json!(false), &found["active"])
}

fn add_manager(session: &mut Session) -> Checked {
    with_manager(session, &[("add", true)])
}

fn replace_manager(session: &mut Session) -> Checked {
    with_manager(session, &[("add", true), ("replace", true)])
}

fn remove_manager(session: &mut Session) -> Checked {
    with_manager(session, &[("add", true), ("remove", false)])
}

fn with_manager(session: &mut Session, steps: &[(&str, bool)]) -> Checked {
    let (path, _) = made(session)?;
    for (op, has_value) in steps {
        let (_, manager) = made(session)?;
        let mut operation = json!({"op": op, "path": format!("{ENTERPRISE}:manager")});
        let mut expected = Value::Null;
        if *has_value {
            operation["value"] = manager["id"].clone();
            expected = manager["id"].clone();
        }
        let held = session.patch(&path, json!([operation]))?;
        same("manager", &expected, Place::EnterprisePart("manager", "value").read(&held))?;
    }
    Ok(())
}

fn delete(session: &mut Session) -> Checked {
    let (path, user) = made(session)?;
    session.delete(&path, 204)?;
    session.expect(&Request::get("read", path), &[404])?;
    let found = session.find("/Users", &format!("userName eq {}", user["userName"]))?;
    ensure(found.is_empty(), || "it is still found".to_owned())
}

fn different_attributes(session: &mut Session) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body)?;
    let (external, name) = (session.nobody(), session.random());
    let operations = json!([
        {"op": "remove", "path": "preferredLanguage"},
        {"op": "add", "path": "externalId", "value": external},
        {"op": "replace", "path": "displayName", "value": name},
    ]);
    let held = session.patch(&path, operations)?;
    same("preferredLanguage", &Value::Null, &held["preferredLanguage"])?;
    same("externalId", &json!(external), &held["externalId"])?;
    same("displayName", &json!(name), &held["displayName"])
}

fn same_attribute(session: &mut Session) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body)?;
    let last = session.nobody();
    let operations = json!([
        {"op": "remove", "path": "externalId"},
        {"op": "add", "path": "externalId", "value": session.nobody()},
        {"op": "replace", "path": "externalId", "value": last},
    ]);
    let held = session.patch(&path, operations)?;
    same("externalId", &json!(last), &held["externalId"])
}

fn delete_missing(session: &mut Session) -> Checked {
    let path = format!("/Users/{}", session.nobody());
    session.delete(&path, 404)
}

fn delete_twice(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    session.delete(&path, 204)?;
    session.delete(&path, 404)
}

/// A user with nothing but a name: its path and what was answered.
pub(super) fn made(session: &mut Session) -> Checked<(String, Value)> {
    let body = session.bare_user();
    let (path, answer) = session.make("/Users", body)?;
    Ok((path, answer.body))
}
