//! Okta's group push (O9 to O15).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Application, Okta};
use crate::belief::PushedGroup;
use crate::directory::{Directory, GroupKey};
use crate::http::{Request, Unreachable, encoded};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// How many members Okta puts into one PATCH.
const CHUNK: usize = 256;

impl Okta {
    /// Makes the service's group what Okta's is; whether that worked.
    pub(super) fn push_group(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<bool, Unreachable> {
        let group = directory.group(key);
        if !group.exists {
            return self.delete_group(key);
        }
        if !self.belief.groups.contains_key(&key) && !self.find_or_create(directory, key)? {
            return Ok(false);
        }
        let members = self.members(directory, key);
        match self.application {
            Application::Custom => self.put_group(directory, key, members),
            Application::Network => self.patch_group(directory, key, members),
        }
    }

    /// The service's identifiers of those members who are active: others are not in Okta's group.
    fn members(&self, directory: &Directory, key: GroupKey) -> BTreeSet<String> {
        let members = directory.group(key).members.iter();
        let accounts = members.filter_map(|member| self.belief.accounts.get(member));
        accounts.filter(|account| account.active).map(|account| account.id.clone()).collect()
    }

    /// O10, then O9 or a link to what was found.
    fn find_or_create(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<bool, Unreachable> {
        let name = directory.group(key).name.clone();
        let filter = encoded(&format!("displayName eq \"{name}\""));
        let lookup = format!("/Groups?filter={filter}&startIndex=1&count=100");
        let found = self.client.send(&Request::get("find group", lookup))?;
        if found.status != 404 && !self.judge("match the group", &name, &found) {
            return Ok(false);
        }
        let mut pushed = PushedGroup {
            id: String::new(),
            name: name.clone(),
            external_id: None,
            members: BTreeSet::new(),
        };
        if let Some(id) = found.resources().first().and_then(|group| group["id"].as_str()) {
            id.clone_into(&mut pushed.id);
            // Of what was found Okta takes over nothing: the members are pushed whole.
            self.belief.groups.insert(key, pushed);
            return self.replace_members(directory, key);
        }
        let body = json!({"schemas": [GROUP], "displayName": name, "members": []});
        let created = self.client.send(&Request::post("create group", "/Groups", body))?;
        if !self.judge("push the group", &name, &created) {
            return Ok(false);
        }
        created.id().unwrap_or_default().clone_into(&mut pushed.id);
        self.belief.groups.insert(key, pushed);
        Ok(true)
    }

    /// O13, in pieces if there are many.
    fn replace_members(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<bool, Unreachable> {
        let members: Vec<Value> =
            self.members(directory, key).iter().map(|id| self.member(id)).collect();
        let mut operation = "replace";
        let chunks: Vec<&[Value]> =
            if members.is_empty() { vec![&[]] } else { members.chunks(CHUNK).collect() };
        for chunk in chunks {
            let operations = json!([{"op": operation, "path": "members", "value": chunk}]);
            if !self.patch(directory, key, "push members", operations)? {
                return Ok(false);
            }
            operation = "add";
        }
        let members = self.members(directory, key);
        if let Some(pushed) = self.belief.groups.get_mut(&key) {
            pushed.members = members;
        }
        Ok(true)
    }

    /// O14.
    fn put_group(
        &mut self,
        directory: &Directory,
        key: GroupKey,
        members: BTreeSet<String>,
    ) -> Result<bool, Unreachable> {
        let name = directory.group(key).name.clone();
        let Some(pushed) = self.belief.groups.get(&key) else { return Ok(false) };
        let elements: Vec<Value> = members.iter().map(|id| self.member(id)).collect();
        let body = json!({"schemas": [GROUP], "displayName": name, "members": elements});
        let put = self.client.send(&Request::put(
            "update group",
            format!("/Groups/{}", pushed.id),
            body,
        ))?;
        if !self.judge("push the group", &name, &put) {
            return Ok(false);
        }
        if let Some(pushed) = self.belief.groups.get_mut(&key) {
            *pushed = PushedGroup { name, members, ..pushed.clone() };
        }
        Ok(true)
    }

    /// O11, which comes before every change of members, then O12.
    fn patch_group(
        &mut self,
        directory: &Directory,
        key: GroupKey,
        members: BTreeSet<String>,
    ) -> Result<bool, Unreachable> {
        let name = directory.group(key).name.clone();
        let Some(pushed) = self.belief.groups.get(&key) else { return Ok(false) };
        let rename = json!([{"op": "replace", "value": {"id": pushed.id, "displayName": name}}]);
        if !self.patch(directory, key, "rename group", rename)? {
            return Ok(false);
        }
        let Some(pushed) = self.belief.groups.get_mut(&key) else { return Ok(false) };
        pushed.name = name;
        let pushed = pushed.members.clone();
        for part in self.exchange(&pushed, &members) {
            if !self.patch(directory, key, "change members", json!(part))? {
                return Ok(false);
            }
        }
        if let Some(pushed) = self.belief.groups.get_mut(&key) {
            pushed.members = members;
        }
        Ok(true)
    }

    /// The operations of each request that makes one set of members the other: those who go, with
    /// the first of those who come, then the others in pieces.
    fn exchange(&self, from: &BTreeSet<String>, to: &BTreeSet<String>) -> Vec<Vec<Value>> {
        let mut requests = vec![Vec::new()];
        for id in from.difference(to) {
            let path = format!("members[value eq \"{id}\"]");
            requests[0].push(json!({"op": "remove", "path": path}));
        }
        let come: Vec<Value> = to.difference(from).map(|id| self.member(id)).collect();
        for (number, chunk) in come.chunks(CHUNK).enumerate() {
            let add = json!({"op": "add", "path": "members", "value": chunk});
            match number {
                0 => requests[0].push(add),
                _ => requests.push(vec![add]),
            }
        }
        requests.retain(|operations| !operations.is_empty());
        requests
    }

    fn patch(
        &mut self,
        directory: &Directory,
        key: GroupKey,
        kind: &'static str,
        operations: Value,
    ) -> Result<bool, Unreachable> {
        let Some(pushed) = self.belief.groups.get(&key) else { return Ok(false) };
        let path = format!("/Groups/{}", pushed.id);
        let answer = self.client.send(&Request::patch(kind, path, operations))?;
        Ok(self.judge("push the group", &directory.group(key).name, &answer))
    }

    /// O15.
    fn delete_group(&mut self, key: GroupKey) -> Result<bool, Unreachable> {
        let Some(pushed) = self.belief.groups.get(&key).cloned() else { return Ok(true) };
        let request = Request::delete("delete group", format!("/Groups/{}", pushed.id));
        let answer = self.client.send(&request)?;
        if answer.status != 404 && !self.judge("delete the group", &pushed.name, &answer) {
            return Ok(false);
        }
        self.belief.groups.remove(&key);
        self.belief.deleted_groups.insert(pushed.id);
        Ok(true)
    }

    /// A member as Okta writes one: the identifier, and a name that nobody reads.
    fn member(&self, id: &str) -> Value {
        let account = self.belief.accounts.values().find(|account| account.id == id);
        json!({"value": id, "display": account.map(|account| &account.name)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Endpoint;

    #[test]
    fn o12_many_members_come_in_pieces_and_those_who_go_are_in_the_first() {
        let endpoint = Endpoint { base_url: String::new(), token: String::new() };
        let okta = Okta::new(Application::Network, endpoint);
        let ids = |from: usize, to: usize| (from..to).map(|id| format!("{id:04}")).collect();
        let requests = okta.exchange(&ids(0, 3), &ids(2, 602));
        let shape: Vec<Vec<(&str, usize)>> = requests
            .iter()
            .map(|operations| {
                let one = |operation: &Value| operation["value"].as_array().map_or(0, Vec::len);
                operations.iter().map(|op| (op["op"].as_str().unwrap(), one(op))).collect()
            })
            .collect();
        let first = vec![("remove", 0), ("remove", 0), ("add", CHUNK)];
        assert_eq!(shape, [first, vec![("add", CHUNK)], vec![("add", 599 - 2 * CHUNK)]]);
        assert_eq!(requests[0][1]["path"], "members[value eq \"0001\"]");
        assert!(okta.exchange(&ids(0, 3), &ids(0, 3)).is_empty(), "nothing is sent for nothing");
    }
}
