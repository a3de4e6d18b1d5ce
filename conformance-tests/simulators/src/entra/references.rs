//! Who leads whom, written after both are there (E16).

use serde_json::json;

use super::{Entra, patch};
use crate::directory::{Directory, PersonKey};
use crate::http::{Request, Unreachable, filtered};

impl Entra {
    /// Writes every manager that is not yet as the directory has it.
    pub(super) fn sync_managers(&mut self, directory: &Directory) -> Result<(), Unreachable> {
        for (key, _) in directory.active() {
            self.sync_manager(directory, key)?;
        }
        Ok(())
    }

    fn sync_manager(&mut self, directory: &Directory, key: PersonKey) -> Result<(), Unreachable> {
        let person = directory.person(key);
        let Some(account) = self.belief.accounts.get(&key) else { return Ok(()) };
        let manager =
            person.manager.and_then(|manager| self.belief.id_of(manager)).map(ToOwned::to_owned);
        if account.manager == manager || !account.active {
            return Ok(());
        }
        let (id, was) = (account.id.clone(), account.manager.clone());
        if !self.has_manager(&id, manager.as_deref())? {
            let operations =
                json!([patch::manager(self.flavour, was.as_deref(), manager.as_deref())]);
            let answer = self.client.send(&Request::patch(
                "set manager",
                format!("/Users/{id}"),
                operations,
            ))?;
            if !self.judge("set the manager of User", &person.user_name, &answer) {
                return Ok(());
            }
        }
        if let Some(account) = self.belief.accounts.get_mut(&key) {
            account.manager = manager;
        }
        Ok(())
    }

    /// Asks whether somebody has this manager already.
    fn has_manager(&mut self, id: &str, manager: Option<&str>) -> Result<bool, Unreachable> {
        let Some(manager) = manager else { return Ok(false) };
        let filter = format!("id eq \"{id}\" and manager eq \"{manager}\"");
        let path = format!("{}&attributes=id", filtered("/Users", &filter));
        let answer = self.client.send(&Request::get("check manager", path))?;
        Ok(answer.body["totalResults"].as_u64() == Some(1))
    }
}
