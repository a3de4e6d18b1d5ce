//! What a unit of work remembers of what it has read, as long as it has not changed it.

use std::collections::HashSet;
use std::sync::Arc;

use accounts::{Grant, GroupOf, InheritedGrant, SkillAssignment};
use uuid::Uuid;

/// What several users or groups hold.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Their own grants.
    pub(crate) grants: Vec<Grant>,
    /// Those of the groups that they are in.
    pub(crate) inherited: Vec<InheritedGrant>,
    /// The groups that they are in.
    pub(crate) groups: Vec<GroupOf>,
    /// Their skills.
    pub(crate) skills: Vec<(Uuid, SkillAssignment)>,
}

/// The holdings that a unit of work knows.
#[derive(Default)]
pub(crate) struct Remembered {
    of: Option<(Uuid, Vec<Uuid>, Arc<Holdings>)>,
    /// Users that it has added: they hold nothing yet.
    added: HashSet<Uuid>,
}

impl Remembered {
    pub(crate) fn get(&self, tenant: Uuid, holders: &[Uuid]) -> Option<Arc<Holdings>> {
        if holders.iter().all(|holder| self.added.contains(holder)) {
            return Some(Arc::default());
        }
        let (of, whose, held) = self.of.as_ref()?;
        (*of == tenant && whose == holders).then(|| Arc::clone(held))
    }

    pub(crate) fn keep(&mut self, tenant: Uuid, holders: &[Uuid], held: &Arc<Holdings>) {
        self.of = Some((tenant, holders.to_vec(), Arc::clone(held)));
    }

    pub(crate) fn add(&mut self, user: Uuid) {
        self.added.insert(user);
    }

    /// What was read may have changed while a lock was waited for.
    pub(crate) fn expire(&mut self) {
        self.of = None;
    }

    /// Somebody was given something, or something was taken away.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}
