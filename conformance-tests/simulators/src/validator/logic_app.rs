//! The Logic App's checks: what decides about the gallery.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Check;
use super::bodies::PLACES;
use super::session::{Checked, Session, ensure, same};
use super::web_users::made;
use crate::http::Request;
use crate::place::{ENTERPRISE, Place};

pub(super) const CHECKS: &[Check] = &[
    Check { number: "L1", name: "credentials: one user is listed", run: credentials },
    Check { number: "L2", name: "wrong credentials: 401 with an error", run: wrong_credentials },
    Check { number: "L3", name: "/Schemas declares every mapped attribute", run: schemas },
    Check { number: "L4", name: "create user, found by userName", run: create_user },
    Check { number: "L5", name: "update user: every text is kept as it is", run: update_user },
    Check {
        number: "L6",
        name: "null update: every value is cleared by \"\", one by one",
        run: clear_verbose,
    },
    Check {
        number: "L7",
        name: "null update: every value is cleared by \"\", at once",
        run: clear_at_once,
    },
    Check {
        number: "L8",
        name: "disable and restore user: the id stays",
        run: disable_and_restore,
    },
    Check { number: "L9", name: "update manager", run: manager },
    Check { number: "L10", name: "delete user", run: delete_user },
    Check { number: "L11", name: "pages of five", run: pages },
    Check { number: "L12", name: "create group: a list has its members", run: create_group },
    Check { number: "L13", name: "update group", run: update_group },
    Check { number: "L14", name: "delete and restore group", run: delete_and_restore_group },
    Check { number: "L15", name: "pages of groups", run: pages_of_groups },
    Check {
        number: "L16",
        name: "filters answer with a list and SCIM's media type",
        run: media_type,
    },
];

fn credentials(session: &mut Session) -> Checked {
    made(session)?;
    let answer = session.expect(&Request::get("list", "/Users?startIndex=1&count=1"), &[200])?;
    ensure(answer.resources().len() == 1, || format!("{} users", answer.resources().len()))
}

fn wrong_credentials(session: &mut Session) -> Checked {
    let answer = session
        .client
        .send_as("non-token", &Request::get("wrong token", "/Users?startIndex=1&count=1"))?;
    same("status", &json!(401), &json!(answer.status))?;
    same("the status that the error names", &json!("401"), &answer.body["status"])?;
    ensure(answer.body["detail"].is_string(), || "the error explains nothing".to_owned())
}

/// Flattens the schemas as the Logic App does, and looks every mapped attribute up in them.
fn schemas(session: &mut Session) -> Checked {
    let answer = session.expect(&Request::get("schemas", "/Schemas"), &[200])?;
    let mut declared = BTreeSet::new();
    for schema in answer.resources() {
        let id = schema["id"].as_str().unwrap_or_default();
        let prefix = if id == super::bodies::USER { String::new() } else { format!("{id}:") };
        for attribute in schema["attributes"].as_array().into_iter().flatten() {
            flatten(&prefix, attribute, &mut declared);
        }
    }
    let mapped = PLACES.iter().filter(|place| !matches!(place, Place::Simple("externalId")));
    let missing: Vec<String> = mapped
        .map(|place| place.to_string().to_lowercase())
        .filter(|path| !declared.contains(path))
        .collect();
    ensure(missing.is_empty(), || format!("not declared: {}", missing.join(", ")))
}

fn flatten(prefix: &str, attribute: &Value, declared: &mut BTreeSet<String>) {
    let name = format!("{prefix}{}", attribute["name"].as_str().unwrap_or_default()).to_lowercase();
    let parts: Vec<&Value> = attribute["subAttributes"].as_array().into_iter().flatten().collect();
    let part_names =
        || parts.iter().filter_map(|part| part["name"].as_str()).map(str::to_lowercase);
    let kinds =
        parts.iter().find(|part| part["name"] == "type").map(|part| &part["canonicalValues"]);
    for kind in kinds.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        declared.extend(
            part_names().map(|part| format!("{name}[type eq \"{}\"].{part}", kind.to_lowercase())),
        );
    }
    declared.extend(part_names().map(|part| format!("{name}.{part}")));
    declared.insert(name);
}

fn create_user(session: &mut Session) -> Checked {
    let body = session.full_user();
    session.make("/Users", body.clone())?;
    let found = session.find_one("/Users", &format!("userName eq {}", body["userName"]))?;
    same("externalId", &body["externalId"], &found["externalId"])
}

fn update_user(session: &mut Session) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body)?;
    for place in PLACES.iter().filter(|place| !matches!(place, Place::Typed("emails", ..))) {
        let value = format!("upd-{}", &session.random()[..8]);
        let operations = json!([{"op": "Replace", "path": place.to_string(), "value": value}]);
        let held = session.patch(&path, operations)?;
        same(&place.to_string(), &json!(value), place.read(&held))?;
    }
    Ok(())
}

fn clear_verbose(session: &mut Session) -> Checked {
    let operations = |nothing: &Value| {
        PLACES
            .iter()
            .map(|place| json!({"op": "replace", "path": place.to_string(), "value": nothing}))
            .collect()
    };
    clear(session, operations)
}

/// Values that have a type by their path, all others in one operation without path.
fn clear_at_once(session: &mut Session) -> Checked {
    let operations = |nothing: &Value| {
        let (typed, plain): (Vec<&Place>, Vec<&Place>) =
            PLACES.iter().partition(|place| matches!(place, Place::Typed(..)));
        let mut operations: Vec<Value> = typed
            .iter()
            .map(|place| json!({"op": "replace", "path": place.to_string(), "value": nothing}))
            .collect();
        let object: BTreeMap<String, &Value> =
            plain.iter().map(|place| (place.to_string(), nothing)).collect();
        operations.push(json!({"op": "replace", "value": object}));
        Value::Array(operations)
    };
    clear(session, operations)
}

/// Clears by `""`, and then by `null` where nothing is left: 200 or 204 both times.
fn clear(session: &mut Session, operations: impl Fn(&Value) -> Value) -> Checked {
    let body = session.full_user();
    let (path, _) = session.make("/Users", body)?;
    for nothing in [json!(""), Value::Null] {
        let held = session.patch(&path, operations(&nothing))?;
        for place in PLACES {
            let value = place.read(&held);
            ensure(value.as_str().unwrap_or_default().is_empty(), || {
                format!("{place} is still {value}")
            })?;
        }
    }
    Ok(())
}

fn disable_and_restore(session: &mut Session) -> Checked {
    let (path, user) = made(session)?;
    let filter = format!("userName eq {}", user["userName"]);
    for (text, active) in [("False", false), ("True", true)] {
        session.patch(&path, json!([{"op": "Replace", "path": "active", "value": text}]))?;
        let found = session.find("/Users", &filter)?;
        let is_gone = !active && found.is_empty();
        ensure(is_gone || found.iter().all(|user| user["active"] == active), || {
            format!("active after {text}: {}", found[0]["active"])
        })?;
    }
    same("id", &user["id"], &session.find_one("/Users", &filter)?["id"])
}

fn manager(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let (_, manager) = made(session)?;
    let urn = format!("{ENTERPRISE}:manager");
    let place = Place::EnterprisePart("manager", "value");
    let held = session.patch(&path, json!([{"op": "Add", "path": urn, "value": manager["id"]}]))?;
    same("manager", &manager["id"], place.read(&held))?;
    let held = session.patch(&path, json!([{"op": "Replace", "path": urn, "value": ""}]))?;
    same("manager", &Value::Null, place.read(&held))
}

fn delete_user(session: &mut Session) -> Checked {
    let (path, user) = made(session)?;
    session.delete(&path, 204)?;
    let found = session.find("/Users", &format!("userName eq {}", user["userName"]))?;
    ensure(found.is_empty(), || "it is still found".to_owned())
}

fn pages(session: &mut Session) -> Checked {
    for _ in 0..11 {
        let mut body = session.bare_user();
        body["userName"] = json!(format!("paguser.{}", session.address()));
        session.make("/Users", body)?;
    }
    pages_of(session, "/Users")
}

fn pages_of_groups(session: &mut Session) -> Checked {
    for _ in 0..11 {
        let body = session.bare_group();
        session.make("/Groups", body)?;
    }
    pages_of(session, "/Groups")
}

fn pages_of(session: &mut Session, endpoint: &str) -> Checked {
    let mut seen = BTreeSet::new();
    for start in [1, 6, 11] {
        let path = format!("{endpoint}?startIndex={start}&count=5");
        let page = session.expect(&Request::get("page", path), &[200])?;
        same("startIndex", &json!(start), &page.body["startIndex"])?;
        ensure(page.body["totalResults"].as_u64().is_some_and(|total| total >= 11), || {
            "totalResults".to_owned()
        })?;
        for resource in page.resources() {
            ensure(seen.insert(resource["id"].to_string()), || {
                format!("{} is on two pages", resource["id"])
            })?;
        }
    }
    ensure(seen.len() >= 11, || format!("{} resources on three pages", seen.len()))
}

fn create_group(session: &mut Session) -> Checked {
    let (_, user) = made(session)?;
    let mut body = session.bare_group();
    body["members"] = json!([{"value": user["id"]}]);
    session.make("/Groups", body.clone())?;
    let found = session.find_one("/Groups", &format!("displayName eq {}", body["displayName"]))?;
    same("the member", &user["id"], &found["members"][0]["value"])
}

fn update_group(session: &mut Session) -> Checked {
    let body = session.bare_group();
    let (path, _) = session.make("/Groups", body)?;
    let value = format!("upd-{}", &session.random()[..8]);
    let held =
        session.patch(&path, json!([{"op": "Replace", "path": "displayName", "value": value}]))?;
    same("displayName", &json!(value), &held["displayName"])
}

fn delete_and_restore_group(session: &mut Session) -> Checked {
    let body = session.bare_group();
    let filter = format!("displayName eq {}", body["displayName"]);
    let (path, _) = session.make("/Groups", body.clone())?;
    session.delete(&path, 204)?;
    ensure(session.find("/Groups", &filter)?.is_empty(), || "it is still found".to_owned())?;
    session.make("/Groups", body)?;
    session.find_one("/Groups", &filter).map(drop)
}

fn media_type(session: &mut Session) -> Checked {
    let name = session.address();
    let path = format!("/Users?filter=userName+eq+%22{}%22", name.replace('@', "%40"));
    let answer = session.expect(&Request::get("filter", path), &[200])?;
    let list = json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]);
    same("schemas", &list, &answer.body["schemas"])?;
    let is_scim = answer.content_type.starts_with("application/scim+json");
    ensure(is_scim, || format!("the media type is {}", answer.content_type))
}
