//! Entra's users: matched or created, updated, disabled, restored, deleted (E2 to E8, E17, E18).

use serde_json::{Map, Value, json};

use super::{Entra, Flavour, mapping, patch};
use crate::belief::{Account, Values};
use crate::directory::{Directory, PersonKey, Standing};
use crate::http::{Request, Unreachable, filtered};
use crate::place::{ENTERPRISE, Place};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// What was found of somebody.
enum Match {
    /// The service knows nobody of this name.
    Nobody,
    /// The service has this account.
    Somebody(Value),
    /// Nothing can be said.
    Failed,
}

impl Entra {
    /// Makes the service's account what Entra's user is; whether that worked.
    pub(super) fn sync_user(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<bool, Unreachable> {
        let id = self.belief.id_of(key).map(ToOwned::to_owned);
        match (id, directory.person(key).standing) {
            (None, Standing::Active) => self.match_or_create(directory, key),
            (Some(id), Standing::Active) => self.read_and_update(directory, key, &id),
            (Some(id), Standing::Left) => self.disable(directory, key, &id),
            (Some(id), Standing::Purged) => self.delete(directory, key, &id),
            (None, _) => Ok(true),
        }
    }

    /// E2, then E3 or a link to what was found.
    fn match_or_create(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<bool, Unreachable> {
        match self.matching(directory, key)? {
            Match::Nobody => self.create(directory, key),
            Match::Somebody(held) => self.link(directory, key, &held),
            Match::Failed => Ok(false),
        }
    }

    fn matching(&mut self, directory: &Directory, key: PersonKey) -> Result<Match, Unreachable> {
        let name = directory.person(key).user_name.clone();
        let path = filtered("/Users", &format!("userName eq \"{name}\""));
        let found = self.client.send(&Request::get("find user", path))?;
        if found.status == 404 {
            self.quarantine.enter("a filter was answered with 404".to_owned());
        }
        if !self.judge("match User", &name, &found) {
            return Ok(Match::Failed);
        }
        Ok(match found.resources() {
            [] => Match::Nobody,
            [one] => Match::Somebody(one.clone()),
            _ => {
                self.complain(
                    "match User",
                    &name,
                    "DuplicateTargetEntries: more than one user matches",
                );
                Match::Failed
            }
        })
    }

    fn create(&mut self, directory: &Directory, key: PersonKey) -> Result<bool, Unreachable> {
        let person = directory.person(key);
        let values = mapping::values(self.flavour, person);
        let mut body = Map::new();
        body.insert("schemas".into(), json!([USER, ENTERPRISE]));
        for (place, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            place.write(&mut body, value.clone());
        }
        Place::Typed("emails", "work", "primary").write(&mut body, json!(true));
        body.insert("active".into(), json!(true));
        body.insert("meta".into(), json!({"resourceType": "User"}));
        body.insert("roles".into(), patch::posted_role(person.role));
        let created =
            self.client.send(&Request::post("create user", "/Users", Value::Object(body)))?;
        if !self.judge("create User", &person.user_name, &created) {
            return Ok(false);
        }
        let Some(id) = created.id() else {
            self.complain("create User", &person.user_name, "the answer has no id");
            return Ok(false);
        };
        let roles = Some([person.role.to_owned()].into());
        self.belief.link(key, Account { values, roles, ..Account::new(id, &person.user_name) });
        Ok(true)
    }

    fn link(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        held: &Value,
    ) -> Result<bool, Unreachable> {
        let id = held["id"].as_str().unwrap_or_default();
        self.belief.link(key, Account::new(id, &directory.person(key).user_name));
        self.update(directory, key, held)
    }

    /// E4; who is gone from the service is matched anew.
    fn read_and_update(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        id: &str,
    ) -> Result<bool, Unreachable> {
        let read = self.client.send(&Request::get("read user", format!("/Users/{id}")))?;
        if read.status == 404 {
            self.belief.accounts.remove(&key);
            return self.match_or_create(directory, key);
        }
        if !self.judge("update User", &directory.person(key).user_name, &read) {
            return Ok(false);
        }
        self.update(directory, key, &read.body)
    }

    /// Writes what differs from what the service holds (E5 or E6, E7, E17).
    fn update(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        held: &Value,
    ) -> Result<bool, Unreachable> {
        let person = directory.person(key);
        let Some(account) = self.belief.accounts.get(&key).cloned() else { return Ok(false) };
        let wanted = mapping::values(self.flavour, person);
        let changes: Vec<patch::Change> = wanted
            .iter()
            .map(|(place, wanted)| patch::Change { place: *place, held: place.read(held), wanted })
            .filter(|change| change.held != change.wanted)
            // A user without a value says nothing of an attribute that Entra has not written.
            .filter(|change| !change.wanted.is_null() || !account.value(&change.place).is_null())
            .collect();
        let mut operations = patch::values(self.flavour, &changes);
        if held["active"] != json!(true) {
            operations.push(patch::active(self.flavour, true));
        }
        let roles = self.roles(&account, person.role);
        if account.roles.as_ref() != Some(&roles) {
            operations.push(patch::role(self.flavour, person.role));
        }
        if !operations.is_empty() {
            let request =
                Request::patch("update user", format!("/Users/{}", account.id), json!(operations));
            let answer = self.client.send(&request)?;
            if !self.judge("update User", &person.user_name, &answer) {
                return Ok(false);
            }
            self.changed += 1;
        }
        let values = believed(wanted, held, &account);
        let name = person.user_name.clone();
        self.belief
            .accounts
            .insert(key, Account { active: true, values, name, roles: Some(roles), ..account });
        Ok(true)
    }

    /// What the service will hold: by default roles are only ever added.
    fn roles(&self, account: &Account, role: &str) -> std::collections::BTreeSet<String> {
        let mut roles = match self.flavour {
            Flavour::Default => account.roles.clone().unwrap_or_default(),
            Flavour::Compliant => std::collections::BTreeSet::new(),
        };
        roles.insert(role.to_owned());
        roles
    }

    /// E7: of who is out of scope nothing is written but that.
    fn disable(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        id: &str,
    ) -> Result<bool, Unreachable> {
        if self.belief.accounts.get(&key).is_some_and(|account| !account.active) {
            return Ok(true);
        }
        let operations = json!([patch::active(self.flavour, false)]);
        let answer = self.client.send(&Request::patch(
            "disable user",
            format!("/Users/{id}"),
            operations,
        ))?;
        if answer.status == 404 {
            self.belief.accounts.remove(&key);
            return Ok(true);
        }
        if !self.judge("disable User", &directory.person(key).user_name, &answer) {
            return Ok(false);
        }
        if let Some(account) = self.belief.accounts.get_mut(&key) {
            account.active = false;
        }
        Ok(true)
    }

    /// E8: 30 days after somebody was deleted softly. Who is gone already is gone.
    fn delete(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        id: &str,
    ) -> Result<bool, Unreachable> {
        let answer = self.client.send(&Request::delete("delete user", format!("/Users/{id}")))?;
        if answer.status != 404
            && !self.judge("delete User", &directory.person(key).user_name, &answer)
        {
            return Ok(false);
        }
        self.belief.accounts.remove(&key);
        self.belief.deleted_users.insert(id.to_owned());
        for group in self.belief.groups.values_mut() {
            group.members.remove(id);
        }
        Ok(true)
    }

    /// An administrator asks for one user now: match, write, and read back what became of it.
    pub(super) fn provision_on_demand(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<(), Unreachable> {
        self.on_demand += 1;
        let name = &directory.person(key).user_name;
        if matches!(self.matching(directory, key)?, Match::Failed)
            || !self.sync_user(directory, key)?
        {
            return Ok(());
        }
        let Some(account) = self.belief.accounts.get(&key).cloned() else { return Ok(()) };
        let read =
            self.client.send(&Request::get("read back", format!("/Users/{}", account.id)))?;
        let other = account.values.iter().find(|(place, value)| place.read(&read.body) != value);
        if let Some((place, value)) = other {
            let detail =
                format!("{place} was written as {value} and read as {}", place.read(&read.body));
            self.complain("verify User", name, &detail);
        }
        Ok(())
    }

    /// E2 without a memory of what was linked: nothing should be to do.
    pub(super) fn match_again(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<(), Unreachable> {
        if let Match::Somebody(held) = self.matching(directory, key)? {
            if self.belief.id_of(key) == held["id"].as_str() {
                self.update(directory, key, &held)?;
            } else {
                self.complain(
                    "match User",
                    &directory.person(key).user_name,
                    "another account matches than before",
                );
            }
        } else if self.belief.accounts.contains_key(&key) {
            self.complain(
                "match User",
                &directory.person(key).user_name,
                "nobody matches any more",
            );
        }
        Ok(())
    }

    fn complain(&mut self, action: &'static str, about: &str, detail: &str) {
        let shown = format!("Failed to {action} '{about}' in customappsso; Error: {detail}");
        self.troubles.add(action, about, (200, detail), shown);
    }
}

/// What Entra believes after it has written: its own values, and nothing of attributes that it has
/// none for and left alone.
fn believed(wanted: Values, held: &Value, account: &Account) -> Values {
    let is_known = |place: &Place, value: &Value| {
        !value.is_null() || place.read(held).is_null() || !account.value(place).is_null()
    };
    wanted.into_iter().filter(|(place, value)| is_known(place, value)).collect()
}
