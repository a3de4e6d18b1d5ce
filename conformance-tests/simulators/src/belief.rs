//! What a provider believes that the service holds, after the answers it has had.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::directory::{GroupKey, PersonKey};
use crate::place::Place;

/// The values of a mapping, in its order; `null` where the provider has none.
pub type Values = Vec<(Place, Value)>;

/// An account, as a provider believes it to be.
#[derive(Debug, Clone)]
pub struct Account {
    /// The service's identifier.
    pub id: String,
    /// What the provider calls it when it speaks to its administrator.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
    /// What the provider has written. Empty as long as it has written nothing.
    pub values: Values,
    /// The roles that it has given, if it gives any.
    pub roles: Option<BTreeSet<String>>,
    /// The service's identifier of the manager, if the provider writes one.
    pub manager: Option<String>,
}

impl Account {
    /// An account that was found or made, and of which nothing else is known yet.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            active: true,
            values: Vec::new(),
            roles: None,
            manager: None,
        }
    }

    /// What the provider has written to a place; `null` if nothing.
    pub fn value(&self, place: &Place) -> &Value {
        self.values.iter().find(|(at, _)| at == place).map_or(&Value::Null, |(_, value)| value)
    }
}

/// A group, as a provider believes it to be.
#[derive(Debug, Clone)]
pub struct PushedGroup {
    /// The service's identifier.
    pub id: String,
    /// The name.
    pub name: String,
    /// The identifier that the provider gave it, if it gives one.
    pub external_id: Option<String>,
    /// The service's identifiers of its members.
    pub members: BTreeSet<String>,
}

/// Everything that a provider believes.
#[derive(Debug, Default)]
pub struct Belief {
    /// The accounts of people.
    pub accounts: BTreeMap<PersonKey, Account>,
    /// The groups.
    pub groups: BTreeMap<GroupKey, PushedGroup>,
    /// Identifiers of users that the provider has deleted.
    pub deleted_users: BTreeSet<String>,
    /// Identifiers of groups that the provider has deleted.
    pub deleted_groups: BTreeSet<String>,
    /// Disabled accounts that the provider has forgotten: it never deletes any.
    pub left_behind: BTreeMap<String, String>,
}

impl Belief {
    /// An account was made, or found, for somebody.
    pub fn link(&mut self, person: PersonKey, account: Account) {
        self.deleted_users.remove(&account.id);
        self.left_behind.remove(&account.id);
        self.accounts.insert(person, account);
    }

    /// The service's identifier of somebody.
    pub fn id_of(&self, person: PersonKey) -> Option<&str> {
        self.accounts.get(&person).map(|account| account.id.as_str())
    }
}
