//! The change log: one entry for every version of every resource, written in the transaction that
//! makes the version (rule R81).

mod audit;
mod changes;
mod read;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::Context;
use crate::refusal::Refusal;
use crate::tx::{Resource, Tx};

pub use audit::{Audit, Checked, Finding, Position, Seal, Unlogged, audit};
pub use changes::differences;
pub(crate) use changes::{appearances, moved};
pub use read::{get, list};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A resource came to be.
    Create,
    /// It was changed.
    Update,
    /// An account was made active.
    Activate,
    /// An account was made inactive.
    Deactivate,
    /// It was deleted, as far as clients can see.
    Tombstone,
    /// It was brought back.
    Restore,
    /// The person of an account came back, and their identity provider said so.
    Rehire,
    /// A name that nobody worked under was given up.
    Release,
    /// All that was personal is gone.
    Erase,
    /// Too many logins failed.
    Lock,
    /// A lock was ended before its time.
    Unlock,
    /// A password was set, or was made void.
    PasswordReset,
    /// The activation link is sent again.
    ActivationSent,
    /// The client of a connection can prove itself with one thing more.
    CredentialAdded,
    /// It can no longer with another.
    CredentialRevoked,
}

impl Action {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Tombstone => "tombstone",
            Self::Restore => "restore",
            Self::Rehire => "rehire",
            Self::Release => "release",
            Self::Erase => "erase",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::PasswordReset => "passwordReset",
            Self::ActivationSent => "activationSent",
            Self::CredentialAdded => "credentialAdded",
            Self::CredentialRevoked => "credentialRevoked",
        }
    }
}

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A connection, with one of its tokens.
    ScimClient(Uuid),
    /// A person with an account.
    Account(Uuid),
    /// The service itself, or whoever runs it.
    System,
}

impl Actor {
    /// The kind, as it is stored.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ScimClient(_) => "scimClient",
            Self::Account(_) => "account",
            Self::System => "system",
        }
    }

    /// The connection or account.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::ScimClient(id) | Self::Account(id) => Some(id),
            Self::System => None,
        }
    }
}

/// The way by which a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A SCIM request, also `/Bulk`.
    Scim,
    /// The work of an administrator.
    Admin,
    /// A set of changes that was prepared and carried out as one.
    Bulk,
    /// Time: something ended.
    Timer,
    /// The login service.
    Auth,
}

impl Source {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::Admin => "admin",
            Self::Bulk => "bulk",
            Self::Timer => "timer",
            Self::Auth => "auth",
        }
    }
}

/// An entry of the change log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its identifier, which ascends with time.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// By which way it came.
    pub source: Source,
    /// The request that did it.
    pub request: Uuid,
    /// What happened.
    pub action: Action,
    /// To what kind of resource: `User` or `Group`.
    pub resource_type: &'static str,
    /// To which.
    pub resource: Uuid,
    /// A list of `{attribute, old, new}`. Of members and groups those that came and those that went
    /// are listed, not all that there are.
    pub changes: Value,
    /// Why, in the words of whoever did it.
    pub reason: Option<Arc<str>>,
    /// The rule that made the change, where nobody asked for this very one.
    pub rule: Option<&'static str>,
    /// The version after the change; the one before is one less.
    pub version: i64,
}

/// Appends the entry of a change that led to this version of a resource.
pub(crate) fn append(
    tx: &mut dyn Tx,
    context: &Context,
    action: Action,
    resource_type: &'static str,
    resource: &Resource,
    changes: Vec<Value>,
) -> Result<(), Refusal> {
    let of = Versioned { resource_type, id: resource.id, version: resource.version };
    Ok(tx.append(context.caller.tenant, &Entry::new(context, action, of, changes))?)
}

/// What an entry is about: a resource in one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versioned {
    pub(crate) resource_type: &'static str,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

impl Entry {
    pub(crate) fn new(
        context: &Context,
        action: Action,
        of: Versioned,
        changes: Vec<Value>,
    ) -> Self {
        Self {
            id: (context.new_id)(),
            at: context.now,
            actor: context.actor,
            source: context.source,
            request: context.request,
            action,
            resource_type: of.resource_type,
            resource: of.id,
            changes: Value::Array(changes),
            reason: context.reason.clone(),
            rule: None,
            version: of.version,
        }
    }

    /// The same entry, of a change that a rule made.
    pub(crate) fn by_rule(self, rule: &'static str) -> Self {
        Self { rule: Some(rule), ..self }
    }
}
