//! The web validator's checks of groups.

use serde_json::{Value, json};

use super::Check;
use super::session::{Checked, Session, ensure, same};
use super::web_users::made as made_user;
use crate::http::{Request, filtered};

pub(super) const CHECKS: &[Check] = &[
    Check { number: "W14", name: "GET group without its members", run: get_without_members },
    Check {
        number: "W15",
        name: "filter for a group without its members",
        run: filter_without_members,
    },
    Check { number: "W16", name: "filter for an existing group", run: filter_existing },
    Check { number: "W17", name: "filter for a group that is not there", run: filter_missing },
    Check { number: "W18", name: "filter for a group in different case", run: filter_case },
    Check { number: "W19", name: "POST group", run: post },
    Check { number: "W20", name: "POST duplicate group", run: post_duplicate },
    Check {
        number: "W21",
        name: "PATCH group: externalId, without a path",
        run: patch_external_id,
    },
    Check { number: "W22", name: "PATCH group: displayName", run: rename },
    Check { number: "W23", name: "PATCH group: add a member", run: add_member },
    Check { number: "W24", name: "PATCH group: remove a member", run: remove_member },
    Check { number: "W25", name: "DELETE group", run: delete },
    Check {
        number: "P5",
        name: "add and remove the same member in one PATCH",
        run: add_and_remove,
    },
    Check { number: "P6", name: "PATCH group without operations", run: no_operations },
];

fn get_without_members(session: &mut Session) -> Checked {
    let (path, _, _) = with_member(session)?;
    let held = session.read(&format!("{path}?excludedAttributes=members"))?;
    same("members", &Value::Null, &held["members"])
}

fn filter_without_members(session: &mut Session) -> Checked {
    let (_, group, _) = with_member(session)?;
    let path = filtered("/Groups", &format!("displayName eq {}", group["displayName"]));
    let answer =
        session.expect(&Request::get("filter", path + "&excludedAttributes=members"), &[200])?;
    ensure(answer.resources().len() == 1, || format!("{} found", answer.resources().len()))?;
    same("members", &Value::Null, &answer.resources()[0]["members"])
}

fn filter_existing(session: &mut Session) -> Checked {
    let (_, group) = made(session)?;
    let found = session.find_one("/Groups", &format!("displayName eq {}", group["displayName"]))?;
    same("id", &group["id"], &found["id"])
}

fn filter_missing(session: &mut Session) -> Checked {
    let name = session.random();
    let found = session.find("/Groups", &format!("displayName eq \"{name}\""))?;
    ensure(found.is_empty(), || format!("{} found", found.len()))
}

fn filter_case(session: &mut Session) -> Checked {
    let (_, group) = made(session)?;
    let name = group["displayName"].to_string().to_lowercase();
    let found = session.find_one("/Groups", &format!("displayName eq {name}"))?;
    same("displayName", &group["displayName"], &found["displayName"])
}

fn post(session: &mut Session) -> Checked {
    let body = session.bare_group();
    let (path, _) = session.make("/Groups", body.clone())?;
    let held = session.read(&path)?;
    same("displayName", &body["displayName"], &held["displayName"])?;
    same("externalId", &body["externalId"], &held["externalId"])
}

fn post_duplicate(session: &mut Session) -> Checked {
    let body = session.bare_group();
    session.make("/Groups", body.clone())?;
    session.expect(&Request::post("create again", "/Groups", body), &[409]).map(drop)
}

fn patch_external_id(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let external = session.nobody();
    let held =
        session.patch(&path, json!([{"op": "replace", "value": {"externalId": external}}]))?;
    same("externalId", &json!(external), &held["externalId"])
}

fn rename(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let name = session.random();
    let held =
        session.patch(&path, json!([{"op": "replace", "path": "displayName", "value": name}]))?;
    same("displayName", &json!(name), &held["displayName"])
}

fn add_member(session: &mut Session) -> Checked {
    let (path, _, member) = with_member(session)?;
    let held = session.read(&path)?;
    same("members", &json!([member]), &ids(&held))
}

fn remove_member(session: &mut Session) -> Checked {
    let (path, _, member) = with_member(session)?;
    let operations = json!([{"op": "remove", "path": format!("members[value eq \"{member}\"]")}]);
    let held = session.patch(&path, operations)?;
    same("members", &json!([]), &ids(&held))
}

fn delete(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    session.delete(&path, 204)?;
    session.expect(&Request::get("read", path), &[404]).map(drop)
}

fn add_and_remove(session: &mut Session) -> Checked {
    let (path, _) = made(session)?;
    let (_, user) = made_user(session)?;
    let id = user["id"].as_str().unwrap_or_default();
    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": id}]},
        {"op": "remove", "path": format!("members[value eq \"{id}\"]")},
    ]);
    let held = session.patch(&path, operations)?;
    same("members", &json!([]), &ids(&held))
}

/// A defect of the validator, which must not make the service fail.
fn no_operations(session: &mut Session) -> Checked {
    let (path, group) = made(session)?;
    session.expect(&Request::patch("patch", &path, json!([])), &[200, 204, 400])?;
    same("displayName", &group["displayName"], &session.read(&path)?["displayName"])
}

fn made(session: &mut Session) -> Checked<(String, Value)> {
    let body = session.bare_group();
    let (path, answer) = session.make("/Groups", body)?;
    Ok((path, answer.body))
}

/// A group that got a member as the web validator writes it: its path, itself, the member.
fn with_member(session: &mut Session) -> Checked<(String, Value, String)> {
    let (path, group) = made(session)?;
    let (_, user) = made_user(session)?;
    let id = user["id"].as_str().unwrap_or_default().to_owned();
    let operations = json!([{"op": "replace", "path": "members", "value": [{"value": id}]}]);
    session.patch(&path, operations)?;
    Ok((path, group, id))
}

fn ids(group: &Value) -> Value {
    group["members"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|member| member["value"].clone())
        .collect()
}
