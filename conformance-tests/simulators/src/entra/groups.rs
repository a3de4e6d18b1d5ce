//! Entra's groups (E9 to E15).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Entra, external_id, patch};
use crate::belief::PushedGroup;
use crate::directory::{Directory, GroupKey};
use crate::http::{Request, Unreachable, filtered};

const SCHEMAS: [&str; 2] = [
    "urn:ietf:params:scim:schemas:core:2.0:Group",
    // Entra adds it to every group; no service knows it.
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
];
/// How many members Entra puts into one PATCH.
const CHUNK: usize = 100;

impl Entra {
    /// Makes the service's group what Entra's is; whether that worked.
    pub(super) fn sync_group(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<bool, Unreachable> {
        let group = directory.group(key);
        let linked = self.belief.groups.get(&key).map(|pushed| pushed.id.clone());
        match (linked, group.exists) {
            (None, false) => Ok(true),
            (Some(id), false) => self.delete_group(key, &id, &group.name),
            (Some(id), true) => {
                let path = format!("/Groups/{id}?excludedAttributes=members");
                let read = self.client.send(&Request::get("read group", path))?;
                if read.status == 404 {
                    self.belief.groups.remove(&key);
                    return self.sync_group(directory, key);
                }
                Ok(self.judge("update Group", &group.name, &read)
                    && self.rename(directory, key, &read.body)?
                    && self.sync_members(directory, key, true)?)
            }
            (None, true) => {
                let Some(is_new) = self.match_or_create_group(directory, key)? else {
                    return Ok(false);
                };
                self.sync_members(directory, key, !is_new)
            }
        }
    }

    fn find_group(&mut self, name: &str) -> Result<Option<Vec<Value>>, Unreachable> {
        let path = filtered("/Groups", &format!("displayName eq \"{name}\""));
        let path = path.replacen('?', "?excludedAttributes=members&", 1);
        let found = self.client.send(&Request::get("find group", path))?;
        if found.status == 404 {
            self.quarantine.enter("a filter was answered with 404".to_owned());
        }
        Ok(self.judge("match Group", name, &found).then(|| found.resources().to_vec()))
    }

    /// E10, then E9 or a link to what was found; whether it is new, or nothing if that failed.
    fn match_or_create_group(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<Option<bool>, Unreachable> {
        let group = directory.group(key);
        let Some(found) = self.find_group(&group.name)? else { return Ok(None) };
        let external_id = external_id(group.object);
        let mut pushed = PushedGroup {
            id: String::new(),
            name: group.name.clone(),
            external_id: Some(external_id.clone()),
            members: BTreeSet::new(),
        };
        if let Some(id) = found.first().and_then(|group| group["id"].as_str()) {
            id.clone_into(&mut pushed.id);
            pushed.external_id = found[0]["externalId"].as_str().map(ToOwned::to_owned);
            self.belief.groups.insert(key, pushed);
            return Ok(Some(false));
        }
        let body = json!({"schemas": SCHEMAS, "externalId": external_id, "displayName": group.name,
            "meta": {"resourceType": "Group"}});
        let created = self.client.send(&Request::post("create group", "/Groups", body))?;
        if !self.judge("create Group", &group.name, &created) {
            return Ok(None);
        }
        created.id().unwrap_or_default().clone_into(&mut pushed.id);
        self.belief.groups.insert(key, pushed);
        Ok(Some(true))
    }

    /// E12.
    fn rename(
        &mut self,
        directory: &Directory,
        key: GroupKey,
        held: &Value,
    ) -> Result<bool, Unreachable> {
        let name = &directory.group(key).name;
        if held["displayName"] == name.as_str() {
            return Ok(true);
        }
        if !self.patch_group("rename group", key, name, patch::rename_group(self.flavour, name))? {
            return Ok(false);
        }
        if let Some(pushed) = self.belief.groups.get_mut(&key) {
            pushed.name.clone_from(name);
        }
        Ok(true)
    }

    /// E13 and E14. Of a group that may have members already each one is asked for first.
    fn sync_members(
        &mut self,
        directory: &Directory,
        key: GroupKey,
        ask: bool,
    ) -> Result<bool, Unreachable> {
        let group = directory.group(key);
        let wanted: BTreeSet<String> = group
            .members
            .iter()
            .filter_map(|member| self.belief.id_of(*member))
            .map(ToOwned::to_owned)
            .collect();
        let Some(pushed) = self.belief.groups.get(&key).cloned() else { return Ok(false) };
        let mut come: Vec<&String> = wanted.difference(&pushed.members).collect();
        if ask {
            let mut missing = Vec::new();
            for id in come {
                if !self.has_member(&pushed.id, id)? {
                    missing.push(id);
                }
            }
            come = missing;
        }
        for chunk in come.chunks(CHUNK) {
            if !self.patch_group(
                "add members",
                key,
                &group.name,
                patch::add_members(self.flavour, chunk),
            )? {
                return Ok(false);
            }
        }
        let gone: Vec<&String> = pushed.members.difference(&wanted).collect();
        for chunk in gone.chunks(CHUNK) {
            if !self.patch_group(
                "remove members",
                key,
                &group.name,
                patch::remove_members(self.flavour, chunk),
            )? {
                return Ok(false);
            }
        }
        if let Some(pushed) = self.belief.groups.get_mut(&key) {
            pushed.members = wanted;
        }
        Ok(true)
    }

    fn has_member(&mut self, group: &str, id: &str) -> Result<bool, Unreachable> {
        let path = filtered("/Groups", &format!("id eq \"{group}\" and members eq \"{id}\""));
        let answer = self.client.send(&Request::get("check member", path + "&attributes=id"))?;
        Ok(answer.body["totalResults"].as_u64() == Some(1))
    }

    fn patch_group(
        &mut self,
        kind: &'static str,
        key: GroupKey,
        name: &str,
        operations: Value,
    ) -> Result<bool, Unreachable> {
        let Some(id) = self.belief.groups.get(&key).map(|pushed| pushed.id.clone()) else {
            return Ok(false);
        };
        let answer =
            self.client.send(&Request::patch(kind, format!("/Groups/{id}"), operations))?;
        Ok(self.judge("update Group", name, &answer))
    }

    /// E15.
    fn delete_group(&mut self, key: GroupKey, id: &str, name: &str) -> Result<bool, Unreachable> {
        let answer = self.client.send(&Request::delete("delete group", format!("/Groups/{id}")))?;
        if answer.status != 404 && !self.judge("delete Group", name, &answer) {
            return Ok(false);
        }
        self.belief.groups.remove(&key);
        self.belief.deleted_groups.insert(id.to_owned());
        Ok(true)
    }

    /// E10 without a memory of what was linked: every member is asked for, and should be there.
    pub(super) fn match_group_again(
        &mut self,
        directory: &Directory,
        key: GroupKey,
    ) -> Result<(), Unreachable> {
        let Some(pushed) = self.belief.groups.get(&key).cloned() else { return Ok(()) };
        let found = self.find_group(&directory.group(key).name)?.unwrap_or_default();
        let is_same = found.first().is_some_and(|group| group["id"] == pushed.id.as_str());
        self.changed += u64::from(!is_same);
        for id in &pushed.members {
            if !self.has_member(&pushed.id, id)? {
                self.changed += 1;
            }
        }
        Ok(())
    }
}
