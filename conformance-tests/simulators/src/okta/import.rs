//! Okta's import: everything that the service has, page by page (O3).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Okta;
use crate::belief::Account;
use crate::directory::Directory;
use crate::http::{Answer, Request, Unreachable};

/// How many resources Okta asks for at once.
const PAGE: u64 = 100;

/// What the last import brought.
#[derive(Debug, Default)]
pub(super) struct Imported {
    users: usize,
    groups: usize,
    /// Users that were matched with people of Okta, in all imports.
    matched: u64,
    /// Users whose attributes are not those that Okta has written.
    pub(super) changed: u64,
}

impl Imported {
    pub(super) fn note(&self) -> String {
        let Self { users, groups, matched, changed } = self;
        format!(
            "imports matched {matched} users with people; the last one brought {users} users and \
             {groups} groups, {changed} of the users other than Okta had written them"
        )
    }
}

impl Okta {
    /// Reads all users and groups, and matches users by their name with people of Okta.
    pub(super) fn import(&mut self, directory: &Directory) -> Result<(), Unreachable> {
        let users = self.pages("import users", "/Users")?;
        let groups = self.pages("import groups", "/Groups")?;
        let matched = self.imported.matched;
        self.imported = Imported { users: users.len(), groups: groups.len(), matched, changed: 0 };
        for user in &users {
            self.confirm(directory, user);
        }
        Ok(())
    }

    fn pages(&mut self, kind: &'static str, path: &str) -> Result<Vec<Value>, Unreachable> {
        let (mut all, mut seen, mut start) = (Vec::new(), BTreeSet::new(), 1);
        loop {
            let page = format!("{path}?startIndex={start}&count={PAGE}");
            let answer = self.client.send(&Request::get(kind, page))?;
            if let Some(fault) = fault(&answer, start) {
                let shown = format!("The import of {path} failed: {fault}");
                self.complain(kind, path, &answer, shown);
                return Ok(all);
            }
            for resource in answer.resources() {
                if !seen.insert(resource["id"].to_string()) {
                    let shown = format!("The import of {path} brought {} twice", resource["id"]);
                    self.complain(kind, path, &answer, shown);
                }
                all.push(resource.clone());
            }
            start += PAGE;
            if answer.body["totalResults"].as_u64().is_none_or(|total| total < start) {
                return Ok(all);
            }
        }
    }

    /// Links an imported user with the person of that name, or compares it with what was written.
    fn confirm(&mut self, directory: &Directory, user: &Value) {
        let known = self.belief.accounts.values().find(|account| user["id"] == account.id.as_str());
        if let Some(account) = known {
            let differs = account.values.iter().any(|(place, value)| place.read(user) != value);
            self.imported.changed += u64::from(differs || user["active"] != account.active);
            return;
        }
        let name = user["userName"].as_str().unwrap_or_default();
        let same =
            directory.active().find(|(_, person)| person.user_name.eq_ignore_ascii_case(name));
        let Some((key, person)) = same.filter(|(key, _)| self.belief.id_of(*key).is_none()) else {
            return;
        };
        let mut account = Account::new(user["id"].as_str().unwrap_or_default(), &person.user_name);
        account.active = user["active"] != json!(false);
        self.imported.matched += 1;
        self.belief.link(key, account);
    }
}

/// What makes Okta give up an import.
fn fault(answer: &Answer, start: u64) -> Option<String> {
    if answer.status != 200 {
        return Some(format!("{} {}", answer.status, answer.detail()));
    }
    let numbers = ["totalResults", "startIndex", "itemsPerPage"];
    let missing = numbers.into_iter().find(|name| !answer.body[*name].is_u64());
    if let Some(name) = missing {
        return Some(format!("{name} is no number"));
    }
    let told = &answer.body["startIndex"];
    (told != start).then(|| format!("startIndex is {told} and not {start}"))
}
