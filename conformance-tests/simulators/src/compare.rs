//! Whether the service holds what the provider believes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::belief::{Account, Belief, PushedGroup};
use crate::http::{Answer, Client, Request, Unreachable};
use crate::place::{ENTERPRISE, Place};
use crate::provider::Watch;

/// How many resources a page has.
const PAGE: u64 = 100;
/// The role that the service gives everybody, whatever a provider says.
const STANDING_ROLE: &str = "employee";

/// Something that is not as the provider believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which resource: its kind and name.
    pub resource: String,
    /// Which of its attributes.
    pub attribute: String,
    /// What the provider believes.
    pub believed: Value,
    /// What the service holds.
    pub held: Value,
}

/// What was compared, and what differs.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// Accounts that were read.
    pub users: u64,
    /// Groups that were read.
    pub groups: u64,
    /// Attributes of both that were compared, and memberships.
    pub attributes: u64,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// What was in the service before the provider came, by its identifiers.
#[derive(Debug, Default)]
pub struct Before {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Before {
    /// Reads what is there now.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn read(client: &mut Client) -> Result<Self, Unreachable> {
        Ok(Self { users: all_ids(client, "/Users")?.0, groups: all_ids(client, "/Groups")?.0 })
    }
}

/// Reads everything that the provider believes in, and compares it attribute by attribute; what it
/// has deleted must be gone, and there must be nothing that it knows nothing of.
///
/// # Errors
/// If there is no answer.
pub fn compare(
    client: &mut Client,
    belief: &Belief,
    before: &Before,
    watch: &dyn Watch,
) -> Result<Comparison, Unreachable> {
    watch.begin("compare with the service", belief.accounts.len() + belief.groups.len());
    let mut found = Comparison::default();
    for account in belief.accounts.values() {
        let answer =
            client.send(&Request::get("check: read user", format!("/Users/{}", account.id)))?;
        found.account(account, &answer);
        watch.step(client.traffic.total());
    }
    for group in belief.groups.values() {
        let answer =
            client.send(&Request::get("check: read group", format!("/Groups/{}", group.id)))?;
        found.group(group, &answer);
        watch.step(client.traffic.total());
    }
    for (id, name) in &belief.left_behind {
        let answer = client.send(&Request::get("check: read user", format!("/Users/{id}")))?;
        found.same(&format!("user {name}"), "active", &json!(false), &answer.body["active"]);
    }
    let users = belief.accounts.values().map(|account| &account.id);
    let users = users.chain(belief.left_behind.keys()).chain(&before.users);
    let groups = belief.groups.values().map(|group| &group.id).chain(&before.groups);
    found.nothing_else(client, "/Users", &users.collect())?;
    found.nothing_else(client, "/Groups", &groups.collect())?;
    for (path, ids) in [("/Users", &belief.deleted_users), ("/Groups", &belief.deleted_groups)] {
        for id in ids {
            let answer = client
                .send(&Request::get("check: read what was deleted", format!("{path}/{id}")))?;
            found.same(&format!("{path}/{id}"), "status", &json!(404), &json!(answer.status));
        }
    }
    Ok(found)
}

impl Comparison {
    fn account(&mut self, account: &Account, answer: &Answer) {
        let name = format!("user {}", account.name);
        self.users += 1;
        if !self.is_there(&name, answer) {
            return;
        }
        let held = &answer.body;
        self.same(&name, "active", &json!(account.active), &held["active"]);
        self.same(&name, "password", &Value::Null, &held["password"]);
        for (place, value) in &account.values {
            self.same(&name, &place.to_string(), value, place.read(held));
        }
        if let Some(roles) = &account.roles {
            let held: BTreeSet<String> = held["roles"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(role_name)
                .filter(|role| role != STANDING_ROLE || roles.contains(role))
                .collect();
            self.same(&name, "roles", &json!(roles), &json!(held));
        }
        if let Some(manager) = &account.manager {
            let held = Place::EnterprisePart("manager", "value").read(held);
            self.same(&name, &format!("{ENTERPRISE}:manager"), &json!(manager), held);
        }
    }

    fn group(&mut self, group: &PushedGroup, answer: &Answer) {
        let name = format!("group {}", group.name);
        self.groups += 1;
        if !self.is_there(&name, answer) {
            return;
        }
        let held = &answer.body;
        self.same(&name, "displayName", &json!(group.name), &held["displayName"]);
        if let Some(external_id) = &group.external_id {
            self.same(&name, "externalId", &json!(external_id), &held["externalId"]);
        }
        let members: BTreeSet<&str> = held["members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|member| member["value"].as_str())
            .collect();
        for id in &group.members {
            let is_held = members.contains(id.as_str());
            self.same(&name, &format!("members {id}"), &json!("member"), &member(is_held));
        }
        for id in members.into_iter().filter(|id| !group.members.contains(*id)) {
            self.same(&name, &format!("members {id}"), &Value::Null, &member(true));
        }
    }

    /// There is nothing but what is known.
    fn nothing_else(
        &mut self,
        client: &mut Client,
        path: &str,
        known: &BTreeSet<&String>,
    ) -> Result<(), Unreachable> {
        let (there, status) = all_ids(client, path)?;
        self.same(path, "status of the list", &json!(200), &json!(status));
        for id in there.iter().filter(|id| !known.contains(id)) {
            self.same(&format!("{path}/{id}"), "id", &Value::Null, &json!(id));
        }
        Ok(())
    }

    fn is_there(&mut self, name: &str, answer: &Answer) -> bool {
        self.same(name, "status", &json!(200), &json!(answer.status));
        answer.status == 200
    }

    fn same(&mut self, resource: &str, attribute: &str, believed: &Value, held: &Value) {
        self.attributes += 1;
        if believed != held {
            self.differences.push(Difference {
                resource: resource.to_owned(),
                attribute: attribute.to_owned(),
                believed: believed.clone(),
                held: held.clone(),
            });
        }
    }
}

fn member(is_held: bool) -> Value {
    if is_held { json!("member") } else { Value::Null }
}

/// The name of a role; a service may keep it as Entra writes it, as JSON in a string.
fn role_name(role: &Value) -> Option<String> {
    let text = role["value"].as_str()?;
    let inner: Option<Value> = serde_json::from_str(text).ok();
    let name = inner.as_ref().and_then(|inner| inner["value"].as_str());
    Some(name.unwrap_or(text).to_owned())
}

/// The identifiers of everything at an endpoint, page by page, and the status of the last page.
fn all_ids(client: &mut Client, path: &str) -> Result<(BTreeSet<String>, u16), Unreachable> {
    let (mut ids, mut start) = (BTreeSet::new(), 1);
    loop {
        let page = format!("{path}?startIndex={start}&count={PAGE}&attributes=id");
        let answer = client.send(&Request::get("check: list", page))?;
        let found = answer.resources().iter().filter_map(|resource| resource["id"].as_str());
        ids.extend(found.map(ToOwned::to_owned));
        start += PAGE;
        let total = answer.body["totalResults"].as_u64().unwrap_or(0);
        if answer.resources().is_empty() || total < start {
            return Ok((ids, answer.status));
        }
    }
}
