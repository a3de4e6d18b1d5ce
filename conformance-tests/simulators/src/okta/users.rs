//! Okta's users: found or created, updated, deactivated and reactivated (O1, O2, O4 to O8).

use serde_json::{Map, Value, json};

use super::{Application, Okta, mapping};
use crate::belief::{Account, Values};
use crate::directory::{Directory, PersonKey, Standing};
use crate::http::{Request, Unreachable, encoded};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

impl Okta {
    /// Makes the service's account what Okta's is; whether that worked.
    pub(super) fn sync_user(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<bool, Unreachable> {
        let person = directory.person(key);
        let linked = self.belief.accounts.get(&key).map(|account| account.active);
        match (linked, person.standing) {
            (None, Standing::Active) => self.provision(directory, key),
            (Some(true), Standing::Active) => self.update(directory, key, true),
            (Some(false), Standing::Active) => self.reactivate(directory, key),
            (Some(true), Standing::Left) => self.deactivate(directory, key),
            (Some(_), Standing::Purged) => {
                self.forget(key);
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// O1, then O2 or a link to what was found.
    fn provision(&mut self, directory: &Directory, key: PersonKey) -> Result<bool, Unreachable> {
        let name = Self::name_of(directory, key);
        let filter = encoded(&format!("userName eq \"{name}\""));
        let lookup = format!("/Users?filter={filter}&startIndex=1&count=100");
        let found = self.client.send(&Request::get("find user", lookup))?;
        // Okta takes 404 for "there is none".
        if found.status != 404 && !self.judge("match the user", &name, &found) {
            return Ok(false);
        }
        match found.resources() {
            [] => self.create(directory, key),
            [user] => {
                let mut account = Account::new(user["id"].as_str().unwrap_or_default(), name);
                account.active = user["active"] != json!(false);
                self.belief.link(key, account);
                self.sync_user(directory, key)
            }
            _ => {
                let shown = format!(
                    "Automatic provisioning of {name} to app Headcount failed: Multiple users match"
                );
                self.complain("match the user", &name, &found, shown);
                Ok(false)
            }
        }
    }

    fn create(&mut self, directory: &Directory, key: PersonKey) -> Result<bool, Unreachable> {
        let name = Self::name_of(directory, key);
        let values = mapping::values(directory, directory.person(key));
        let mut body = profile(&values, true);
        body.insert("password".into(), json!(self.password()));
        let created =
            self.client.send(&Request::post("create user", "/Users", Value::Object(body)))?;
        if !self.judge("create the user", &name, &created) {
            return Ok(false);
        }
        let Some(id) = created.id() else {
            let shown = format!(
                "Automatic provisioning of {name} to app Headcount failed: returned empty user"
            );
            self.complain("create the user", &name, &created, shown);
            return Ok(false);
        };
        let account = Account { values, ..Account::new(id, name) };
        self.belief.link(key, account);
        Ok(true)
    }

    /// O4, then O5 with everything that Okta knows.
    fn update(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        active: bool,
    ) -> Result<bool, Unreachable> {
        let name = Self::name_of(directory, key);
        let Some(id) = self.belief.id_of(key).map(ToOwned::to_owned) else { return Ok(false) };
        let path = format!("/Users/{id}");
        let read = self.client.send(&Request::get("read user", path.as_str()))?;
        if !self.judge("push the profile", &name, &read) {
            return Ok(false);
        }
        let values = mapping::values(directory, directory.person(key));
        let mut body = profile(&values, active);
        body.insert("id".into(), json!(id));
        body.insert("meta".into(), json!({"resourceType": "User"}));
        let put = self.client.send(&Request::put("update user", path, Value::Object(body)))?;
        if !self.judge("push the profile", &name, &put) {
            return Ok(false);
        }
        if let Some(account) = self.belief.accounts.get_mut(&key) {
            *account = Account { name, active, values, ..account.clone() };
        }
        Ok(true)
    }

    /// O6 or O6b.
    fn deactivate(&mut self, directory: &Directory, key: PersonKey) -> Result<bool, Unreachable> {
        match self.application {
            Application::Custom => self.update(directory, key, false),
            Application::Network => self.set_active(directory, key, false),
        }
    }

    /// O7; the profile may have changed meanwhile.
    fn reactivate(&mut self, directory: &Directory, key: PersonKey) -> Result<bool, Unreachable> {
        if self.application == Application::Network && !self.set_active(directory, key, true)? {
            return Ok(false);
        }
        self.update(directory, key, true)
    }

    fn set_active(
        &mut self,
        directory: &Directory,
        key: PersonKey,
        active: bool,
    ) -> Result<bool, Unreachable> {
        let name = Self::name_of(directory, key);
        let Some(id) = self.belief.id_of(key) else { return Ok(false) };
        let operations = json!([{"op": "replace", "value": {"active": active}}]);
        let kind = if active { "reactivate user" } else { "deactivate user" };
        let answer = self.client.send(&Request::patch(kind, format!("/Users/{id}"), operations))?;
        if !self.judge(
            if active { "reactivate the user" } else { "deactivate the user" },
            &name,
            &answer,
        ) {
            return Ok(false);
        }
        if let Some(account) = self.belief.accounts.get_mut(&key) {
            account.active = active;
        }
        Ok(true)
    }

    /// O8, which only applications of the network do by itself.
    pub(super) fn sync_password(
        &mut self,
        directory: &Directory,
        key: PersonKey,
    ) -> Result<bool, Unreachable> {
        let Some(id) = self.belief.id_of(key).map(ToOwned::to_owned) else { return Ok(true) };
        if self.application == Application::Custom {
            return Ok(true);
        }
        let operations = json!([{"op": "replace", "value": {"password": self.password()}}]);
        let answer = self.client.send(&Request::patch(
            "set password",
            format!("/Users/{id}"),
            operations,
        ))?;
        Ok(self.judge("push the password", &Self::name_of(directory, key), &answer))
    }

    /// A user who is deleted in Okta stays in the service, disabled.
    fn forget(&mut self, key: PersonKey) {
        if let Some(account) = self.belief.accounts.remove(&key) {
            self.belief.left_behind.insert(account.id, account.name);
        }
    }

    /// Sent with every new user, whether passwords are synchronised or not.
    fn password(&mut self) -> String {
        std::iter::repeat_with(|| self.rng.alphanumeric()).take(16).collect()
    }
}

/// The whole user as Okta writes it; what has no value is left out.
fn profile(values: &Values, active: bool) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("schemas".into(), json!([USER, crate::place::ENTERPRISE]));
    for (place, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        place.write(&mut body, value.clone());
    }
    body.insert("groups".into(), json!([]));
    body.insert("active".into(), json!(active));
    body
}
