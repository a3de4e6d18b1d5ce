//! The account model and its rules.
//!
//! A rule is a plain synchronous function over [`Tx`] - everything a rule may ask of one
//! transaction - with time and identifiers handed in by a [`Context`]. It either does its work or
//! returns a [`Refusal`] that says which rule stands in the way and what to do about it. There is
//! no I/O here, no clock, no SQL and no HTTP; the store implements [`Tx`], and a request runs its
//! rule in exactly one unit of work. A decision that needs no look-up is a function over plain
//! values.
//!
//! - [`users`]: accounts, as SCIM sees them. Deactivated, never deleted.
//! - [`erase`]: what is left of an account whose person asks to be forgotten.
//! - [`groups`]: groups and their members.
//! - [`objects`]: resources of all other types: [`connections`], [`divisions`], the tenant's
//!   [policy](`tenants`).
//! - [`identity`]: which login names and addresses belong to whom, for ever.
//! - [`login`]: how a person comes to a password, logs in, and is kept out.
//! - [`names`]: what a client means by the name of a role, a division or a skill.
//! - [`tenancy`]: tenants and tokens.
//! - [`credentials`]: what else a client can prove itself with.
//! - [`ledger`]: what every effective change leaves behind.
//! - [`provisioning_log`]: what clients asked for lately, and what they were answered.
//! - [`policy`]: what a tenant has decided.
//! - [`skill_set`] and [`role_text`]: skills and roles in one flat text each.
//! - [`capacity`]: how many interactions of which media a person may have at once.
//! - [`provisioning`]: what an account gets that its identity provider does not send.
//! - [`rehire`]: whether a new account is a person whom the tenant had before.
//! - [`guard`]: how many accounts a connection may deactivate at once.
//! - [`timers`]: what time does to accounts.

mod account;
pub mod authorization;
pub mod capacity;
pub mod capacity_rules;
pub mod connections;
pub mod credentials;
pub mod discovery;
pub mod divisions;
pub mod erase;
mod group;
pub mod groups;
pub mod guard;
mod holders;
pub mod identity;
pub mod ledger;
pub mod license_tiers;
pub mod login;
mod members;
pub mod names;
pub mod objects;
pub mod policy;
pub mod provisioning;
pub mod provisioning_log;
pub mod provisioning_rules;
mod refusal;
pub mod rehire;
pub mod rehire_cases;
mod resources;
mod revocation;
mod rights;
pub mod role_text;
pub mod roles;
pub mod skill_set;
pub mod skills;
pub mod tenancy;
pub mod tenants;
mod tidy;
pub mod timers;
mod tx;
pub mod user_templates;
pub mod users;

use std::sync::Arc;

use jiff::Timestamp;
use scim_protocol::dialect::{Dialect, Leniencies};
use uuid::Uuid;

use connections::Switches;

pub use account::{Account, AccountState, Named, Standing};
pub use group::{Group, GroupKind, GroupStanding};
pub use ledger::{Actor, Source};
pub use members::MAX_MEMBERS_IN_ANSWER;
pub use refusal::{Code, Refusal};
pub use resources::{MAX_NAME, MAX_RESOURCE};
pub use rights::{Right, Rights};
pub use tx::{
    Assignments, Claims, Credentials, Dependencies, Dependency, DueLink, ExternalIds, Grant,
    Grants, GroupOf, Groups, InheritedGrant, InstallationKeys, Ledger, LeniencyUse, Login, Logins,
    MailedLink, Member, MemberKind, MembershipOf, Memberships, NewAccount, Objects, Page, Purpose,
    RequestLog, Requests, Resource, Savepoints, Scope, SeatCount, Seats, Session, SkillAssignment,
    StorageError, StorageResult, Taken, Tenancy, Tx, Users, atomically,
};

/// Who is calling: what a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The tenant; nothing of another tenant exists for the caller.
    pub tenant: Uuid,
    /// The connection, within which an `externalId` is unique.
    pub connection: Uuid,
    /// How its requests are read.
    pub dialect: Dialect,
    /// What it may do.
    pub rights: Rights,
    /// Whether it has the extension for mappings made for Genesys Cloud.
    pub genesys: bool,
    /// What is done otherwise for it than for others.
    pub switches: Switches,
    /// When it asks: what is over by then is not seen.
    pub now: Timestamp,
    /// The account of the person who is logged in, if it is a person and no connection.
    pub person: Option<Uuid>,
}

impl Caller {
    /// What its requests may do beyond the RFC, nothing of it done yet.
    pub fn leniencies(&self) -> Leniencies {
        Leniencies::without(self.switches.refused, self.dialect)
    }

    /// What the caller can see.
    pub fn scope(&self) -> Scope {
        Scope { tenant: self.tenant, connection: self.connection, now: self.now }
    }
}

/// What a rule is given besides its input.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// Who that is, for the ledger.
    pub actor: Actor,
    /// The way by which it is asked, for the ledger.
    pub source: Source,
    /// Why, in the words of whoever asks, for the ledger.
    pub reason: Option<Arc<str>>,
    /// The request, for the ledger.
    pub request: Uuid,
    /// The time at which it happens.
    pub now: Timestamp,
    /// Makes identifiers that are unique and ascend with time (UUID version 7).
    pub new_id: fn() -> Uuid,
    /// Whether mails are sent here; where none are, none is to wait until some are.
    pub sends_mail: bool,
    /// The hash of the password that the request sets, if it does and may.
    pub password: Option<Arc<str>>,
}

impl Context {
    /// What is done by the service itself.
    pub fn of_system(tenant: Uuid, now: Timestamp, new_id: fn() -> Uuid) -> Self {
        let dialect = Dialect::Strict;
        let caller = Caller {
            tenant,
            connection: Uuid::nil(),
            dialect,
            rights: Rights::ALL,
            genesys: false,
            switches: Switches::NONE,
            now,
            person: None,
        };
        let (actor, source) = (Actor::System, Source::Admin);
        Self {
            caller,
            actor,
            source,
            reason: None,
            request: new_id(),
            now,
            new_id,
            sends_mail: false,
            password: None,
        }
    }

    /// That of a SCIM request.
    pub fn of_scim(caller: Caller, request: Uuid, now: Timestamp, new_id: fn() -> Uuid) -> Self {
        let client = Actor::ScimClient(caller.connection);
        Self {
            caller: Caller { now, ..caller },
            actor: caller.person.map_or(client, Actor::Account),
            source: if caller.person.is_some() { Source::Admin } else { Source::Scim },
            reason: None,
            request,
            now,
            new_id,
            sends_mail: false,
            password: None,
        }
    }
}

/// What a request says about the version it expects (RFC 7644 section 3.14).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The resource must have one of these versions.
    pub one_of: Option<Vec<i64>>,
    /// It must have none of these.
    pub none_of: Option<Vec<i64>>,
    /// It must not exist.
    pub absent: bool,
}

impl Precondition {
    /// Checks the version of a resource that exists.
    ///
    /// # Errors
    /// [`Code::VersionMismatch`]
    pub fn check(&self, version: i64) -> Result<(), Refusal> {
        let expected = self.one_of.as_ref().is_none_or(|versions| versions.contains(&version));
        let unwanted = self.none_of.as_ref().is_some_and(|versions| versions.contains(&version));
        if expected && !unwanted && !self.absent {
            return Ok(());
        }
        Err(Refusal::rule(
            Code::VersionMismatch,
            format!("the resource has version {version}: read it again before changing it"),
        ))
    }
}

/// An identifier as it is written in URLs and references: the 36 characters of a UUID in lower
/// case. Other spellings of a UUID name nothing, since `id` is `caseExact`.
pub fn parse_id(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.as_hyphenated().to_string() == text).then_some(id)
}
