//! What an account has been given, and how it looks with that.

use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::extension;
use super::view::{Directory, add_grants, add_skills, with_standing};
use crate::account::Account;
use crate::refusal::Refusal;
use crate::tx::{Grant, SkillAssignment, Tx};

/// What an account has been given.
#[derive(Debug, Default, Clone)]
pub(crate) struct Held {
    pub(crate) grants: Vec<Grant>,
    pub(crate) skills: Vec<SkillAssignment>,
    pub(crate) directory: Directory,
}

impl Held {
    /// Reads it. A grant that slept too long is gone.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(
        tx: &mut dyn Tx,
        tenant: Uuid,
        user: Uuid,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut grants = tx.grants_of(tenant, &[user])?;
        grants.retain(|grant| !is_over(grant, now));
        let skills = tx.skills_of(tenant, &[user])?.into_iter().map(|(_, skill)| skill).collect();
        Self { grants, skills, directory: Directory::default() }.with_names(tx, tenant)
    }

    /// The same, with what it refers to.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn with_names(self, tx: &mut dyn Tx, tenant: Uuid) -> Result<Self, Refusal> {
        let roles = self.grants.iter().map(|grant| (grant.role, grant.division));
        let skills = self.skills.iter().map(|skill| skill.skill);
        let directory = Directory::of(tx, tenant, roles, skills)?;
        Ok(Self { directory, ..self })
    }

    /// The attributes of the account as a client may change them.
    pub(crate) fn show(&self, account: &Account, now: Timestamp) -> Object {
        let mut shown = with_standing(account, now).attributes;
        add_grants(&mut shown, &self.grants.iter().collect::<Vec<_>>(), &self.directory);
        add_skills(&mut shown, &self.skills.iter().collect::<Vec<_>>(), &self.directory);
        extension::in_order(ResourceType::user(), &mut shown);
        shown
    }
}

/// Whether a grant slept so long that it does not come back.
pub(crate) fn is_over(grant: &Grant, now: Timestamp) -> bool {
    grant.dormant && grant.purge_at.is_some_and(|end| end <= now)
}
