//! What an account is besides the attributes that it only keeps.

use jiff::Timestamp;
use uuid::Uuid;

use crate::authorization::Tier;
use crate::tx::Resource;

/// An account as the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its identifier, version and the attributes that are only kept.
    pub resource: Resource,
    /// What rules and queries are about.
    pub standing: Standing,
}

/// What rules and queries are about.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The licence tier, also of an account that has no seat now.
    pub tier: Tier,
    /// The tier that waits for an approval (rule R15).
    pub pending_tier: Option<Tier>,
    /// Since when it has a seat; exactly if it is enabled (rules R11 and R12).
    pub seat_since: Option<Timestamp>,
    /// Its division (rule R21).
    pub division: Named,
    /// The capacity rule that is its own.
    pub capacity_rule: Option<Named>,
    /// Whether it may handle interactions.
    pub agent: bool,
    /// Whether no other account of the tenant may have its employee number (rule R8).
    pub unique_employee_number: bool,
    /// When its owner first took it into use.
    pub activated: Option<Timestamp>,
    /// When its owner was last to be sent the activation link.
    pub activation_sent: Option<Timestamp>,
    /// When that link ends; none once it is void.
    pub activation_expires: Option<Timestamp>,
    /// When it was last deactivated; none while it is enabled.
    pub deactivated: Option<Timestamp>,
    /// Until when it is locked; none if that is over when it is read.
    pub locked_until: Option<Timestamp>,
    /// When its owner last logged in.
    pub last_login: Option<Timestamp>,
    /// When it was deleted, as far as clients can see.
    pub tombstoned: Option<Timestamp>,
    /// When what is personal of it was erased.
    pub erased: Option<Timestamp>,
}

/// A resource that something refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The resource.
    pub id: Uuid,
    /// The name that it has now; only read, never written.
    pub name: String,
}

/// The state of an account, derived from the rest (domain model, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Enabled; its owner has not taken it into use.
    PendingActivation,
    /// Enabled and in use.
    Active,
    /// Enabled; nobody can log in for now.
    Locked,
    /// Disabled.
    Deactivated,
}

impl AccountState {
    /// As `accountState` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingActivation => "pendingActivation",
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Deactivated => "deactivated",
        }
    }
}

impl Standing {
    /// Whether the organisation wants the account to be used: `active` in SCIM.
    pub fn enabled(&self) -> bool {
        self.seat_since.is_some()
    }

    /// The state that follows.
    pub fn state(&self) -> AccountState {
        match (self.enabled(), self.activated, self.locked_until) {
            (false, _, _) => AccountState::Deactivated,
            (true, None, _) => AccountState::PendingActivation,
            (true, Some(_), Some(_)) => AccountState::Locked,
            (true, Some(_), None) => AccountState::Active,
        }
    }
}
