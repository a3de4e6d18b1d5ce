//! Everything a rule may ask of one transaction. Each of its functions fails with a
//! [`StorageError`], and only with one: what a rule has to decide is in the value it returns.

#![allow(clippy::missing_errors_doc, reason = "said once, above")]

mod entitlements;
mod login;
mod memberships;
mod requests;

use std::sync::Arc;

use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::cursor::{Key, Position};
use scim_protocol::instant::micros;
use scim_protocol::query::{Query, Sort};
use scim_protocol::resource::schemas;
use scim_protocol::schema::{AttributeRef, ResourceType};
use serde_json::Value;
use uuid::Uuid;

use crate::account::Account;
use crate::connections::Connection;
use crate::credentials::{Client, ClientCredential};
use crate::group::Group;
use crate::identity::{Claim, Release};
use crate::ledger::{Checked, Entry, Unlogged};
use crate::objects::UniqueName;
use crate::policy::GuardPolicy;
use crate::refusal::Refusal;
use crate::tenancy::{Credential, Tenant, Token, Use};

pub use entitlements::{
    Assignments, Dependencies, Dependency, Grant, Grants, InheritedGrant, SeatCount, Seats,
    SkillAssignment,
};
pub use login::{DueLink, Login, Logins, MailedLink, Purpose, Session};
pub use memberships::{GroupOf, Member, MemberKind, MembershipOf, Memberships};
pub use requests::{LeniencyUse, RequestLog, Requests};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It cannot be reached or is overloaded; the same request may succeed later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// It has no room for more. What is there can be read; the same request succeeds once somebody
    /// has made room.
    #[error("the store is full: {0}")]
    Full(String),
    /// Two transactions stood in each other's way; the unit of work is to be run again.
    #[error("the transaction must be run again")]
    Again,
    /// An attribute that cannot be filtered by.
    #[error("{0} cannot be used in a filter")]
    NotSearchable(String),
    /// A filter with too many tests of what is costly to find.
    #[error(
        "a filter takes at most {limit} tests of groups, roles, roleGrants, effectiveRoles, skills \
         and blockedPermissionCount, and {attribute} is one more: use fewer, or several filters"
    )]
    TooCostly {
        /// The attribute that is one too many.
        attribute: String,
        /// How many there may be.
        limit: usize,
    },
    /// An attribute that cannot be sorted by.
    #[error("{0} cannot be used to sort by")]
    NotSortable(String),
    /// Anything else: a defect or a damaged store.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of asking the store.
pub type StorageResult<T> = Result<T, StorageError>;

/// What a caller can see, and as whose `externalId` it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The tenant.
    pub tenant: Uuid,
    /// The connection.
    pub connection: Uuid,
    /// When it asks: what is over by then is not found.
    pub now: Timestamp,
}

/// A resource, as the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its identifier, never used again.
    pub id: Uuid,
    /// 1, and one more with every effective change.
    pub version: i64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// The attributes in their kept form, with the `externalId` of the scope's connection.
    pub attributes: Object,
}

impl Resource {
    /// Where a page that ends with this resource ends.
    pub fn position(&self, kind: &'static ResourceType, sort: Option<&Sort>) -> Position {
        let key = sort.and_then(|sort| self.sort_key(kind, sort.attribute));
        Position { id: self.id.to_string(), key }
    }

    /// What is not among the attributes is sorted by too.
    fn sort_key(&self, kind: &'static ResourceType, by: AttributeRef) -> Option<Key> {
        match (by.attribute.name.as_str(), by.sub.map(|sub| sub.name.as_str())) {
            ("id", _) => Some(Key::Text(self.id.to_string())),
            ("schemas", _) => {
                let schemas = Value::Array(schemas(kind, &self.attributes));
                Key::of(by, &Object::from_iter([("schemas".to_owned(), schemas)]))
            }
            ("meta", Some("created")) => Some(Key::Integer(micros(self.created))),
            ("meta", Some("lastModified")) => Some(Key::Integer(micros(self.last_modified))),
            ("meta", Some("version")) => Some(Key::Integer(self.version)),
            _ => Key::of(by, &self.attributes),
        }
    }
}

/// Part of a query's results.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T = Resource> {
    /// How many resources the query has in all, if it wants to know.
    pub total: Option<u64>,
    /// Whether there are more behind the page; not looked for in a page by index.
    pub has_next: bool,
    /// Those of the page.
    pub resources: Vec<T>,
}

/// An account that was never there, in its first version.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account. Its `externalId` is that of the connection.
    pub account: Account,
    /// The entry of the log that says how it came to be.
    pub entry: Entry,
}

/// What keeps an account from being added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Another has its employee number, which is to be its own.
    EmployeeNumber,
    /// A name or address is or was another's.
    Name(Claim),
    /// The connection calls another so.
    ExternalId,
}

/// The table of accounts. Tombstones are invisible to everything here that does not say otherwise.
pub trait Users {
    /// An account.
    fn user(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>>;
    /// An account that no other transaction can change before this one ends.
    fn user_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>>;
    /// The accounts of a query.
    fn users(&mut self, scope: Scope, query: &Query) -> StorageResult<Page<Account>>;
    /// Adds an account; `false` if another has its employee number.
    fn insert_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<bool>;
    /// Adds an account that was never there, with its identities, its `externalId` and its entry in
    /// the log; what keeps it from being added, and then the transaction is of no more use.
    fn add_user(&mut self, scope: Scope, user: &NewAccount) -> StorageResult<Option<Taken>>;
    /// Adds accounts that were never there, all or none, with their identities, their `externalId`s
    /// and their entries in the log; `false` if any of their names is or was another's.
    fn insert_users(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool>;
    /// Writes an account's new state, also that of a tombstone, which is one no more if the state
    /// says so; what does not differ from `before` is not written. `false` if another has its
    /// employee number.
    fn update_user(
        &mut self,
        tenant: Uuid,
        before: &Account,
        after: &Account,
    ) -> StorageResult<bool>;
    /// Makes an account a tombstone: the row stays, nothing sees it.
    fn tombstone_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<()>;
    /// How many accounts are enabled, counted no further than to a limit.
    fn count_enabled(&mut self, tenant: Uuid, limit: u64) -> StorageResult<u64>;
    /// How many accounts have left by a connection since an instant, each departure once: who is
    /// deleted after being deactivated leaves no second time.
    fn count_departures(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        since: Timestamp,
    ) -> StorageResult<u64>;
    /// Takes one of the departures of a connection that were [allowed ahead](Self::allow_ahead) by
    /// this policy a short time ago; `false` if none is left, and they are to be counted.
    fn departs_ahead(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        now: Timestamp,
    ) -> bool;
    /// Lets so many departures of a connection pass by [`Self::departs_ahead`], and no others.
    fn allow_ahead(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        count: u64,
        now: Timestamp,
    );
    /// The account, in whatever state, that has an employee number, folded.
    fn owner_of_employee_number(
        &mut self,
        tenant: Uuid,
        number: &str,
    ) -> StorageResult<Option<Uuid>>;
    /// The `value` of an account's manager. It stays so until this transaction ends.
    fn manager_of(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<Option<String>>;
    /// Records that the owner of an account logged in, which changes no version (rule R68).
    fn record_login(&mut self, tenant: Uuid, user: Uuid, at: Timestamp) -> StorageResult<()>;
    /// An account, also a tombstone.
    fn account(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>>;
    /// An account, also a tombstone, that no other transaction can change before this one ends.
    fn account_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>>;
    /// The accounts that are deleted and not erased, the last deleted first; `start` counts from 0.
    fn tombstones(&mut self, scope: Scope, start: u64, count: u64) -> StorageResult<Page<Account>>;
    /// Enabled accounts, at most so many, that nobody has taken into use and that have had their
    /// seats since before an instant.
    fn users_pending_since(
        &mut self,
        tenant: Uuid,
        before: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>>;
    /// Writes the state of a tombstone that is erased, in the place of all that was there.
    fn erase_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<()>;
}

/// The table of groups. Deleted ones are invisible to everything here.
pub trait Groups {
    /// A group, without its members.
    fn group(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Group>>;
    /// A group that no other transaction can change before this one ends.
    fn group_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Group>>;
    /// The groups of a query, without their members.
    fn groups(&mut self, scope: Scope, query: &Query) -> StorageResult<Page<Group>>;
    /// The groups that have one of these names, folded.
    fn groups_named(&mut self, tenant: Uuid, names: &[String]) -> StorageResult<Vec<Uuid>>;
    /// Adds a group; `false` if another has its name.
    fn insert_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<bool>;
    /// Writes a group's new state; `false` if another has its name.
    fn update_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<bool>;
    /// Takes a group and its name away; the row stays.
    fn tombstone_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<()>;
}

/// The table of all resources that are neither users nor groups. Deleted ones are invisible to
/// everything here.
pub trait Objects {
    /// A resource of this type.
    fn object(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>>;
    /// A resource that no other transaction can change before this one ends.
    fn object_for_update(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>>;
    /// The resources of a query.
    fn objects(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        query: &Query,
    ) -> StorageResult<Page>;
    /// The resources that have one of these names, folded.
    fn objects_named(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        names: &[String],
    ) -> StorageResult<Vec<Arc<Resource>>>;
    /// The resources of a type that have one of these identifiers.
    fn objects_with_ids(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        ids: &[Uuid],
    ) -> StorageResult<Vec<Arc<Resource>>>;
    /// Every resource of a type of which a tenant has few.
    fn all_objects(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
    ) -> StorageResult<Vec<Arc<Resource>>>;
    /// Every resource of several types of which a tenant has few, each with the name of its type.
    fn objects_of(
        &mut self,
        tenant: Uuid,
        kinds: &[&'static ResourceType],
    ) -> StorageResult<Vec<(&'static str, Arc<Resource>)>>;
    /// Adds a resource; `false` if another of the type has its name.
    fn insert_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool>;
    /// Writes a resource's new state; `false` if another of the type has its name.
    fn update_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool>;
    /// Takes a resource and its name away; the row stays.
    fn tombstone_object(&mut self, tenant: Uuid, object: &Resource) -> StorageResult<()>;
    /// A resource of this type that is deleted.
    fn deleted_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>>;
    /// Writes the new state of a deleted resource, which is there again; `false` if another of the
    /// type has its name.
    fn restore_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool>;
    /// Keeps others from having a resource alone until this transaction ends, so that what refers
    /// to it can be written.
    fn hold(&mut self, tenant: Uuid, id: Uuid) -> StorageResult<()>;
    /// Waits until nobody holds a resource and keeps others from it until this transaction ends,
    /// so that what refers to it stays what it is.
    fn hold_alone(&mut self, tenant: Uuid, id: Uuid) -> StorageResult<()>;
}

/// The ledger of login identities: who may use a name or address (rules R1-R6).
pub trait Claims {
    /// Claims identities for an account; the first that another account owns, if there is one. An
    /// account may claim what it owns.
    fn claim(
        &mut self,
        tenant: Uuid,
        account: Uuid,
        claims: &[Claim],
        now: Timestamp,
    ) -> StorageResult<Option<Claim>>;
    /// Marks an identity as no longer on its account, which keeps it.
    fn retire_claim(&mut self, tenant: Uuid, account: Uuid, claim: &Claim) -> StorageResult<()>;
    /// Who owns which of these identities; those that nobody ever used are left out.
    fn owners(&mut self, tenant: Uuid, claims: &[Claim]) -> StorageResult<Vec<(Claim, Uuid)>>;
    /// Marks those of these identities that are the account's as burned: somebody may have worked
    /// under them, and they are never released (R5).
    fn burn_claims(&mut self, tenant: Uuid, account: Uuid, claims: &[Claim]) -> StorageResult<()>;
    /// Gives an identity up, so that any account may claim it, if it is neither burned nor on its
    /// account now (R5).
    fn release_claim(&mut self, tenant: Uuid, claim: &Claim) -> StorageResult<Release>;
}

/// Identifiers that clients give to resources (rule R7).
pub trait ExternalIds {
    /// Sets or removes a resource's `externalId` in the scope's connection; `false` if another
    /// resource of the type has it.
    fn set_external_id(
        &mut self,
        scope: Scope,
        resource_type: &'static str,
        resource: Uuid,
        external_id: Option<&str>,
    ) -> StorageResult<bool>;
    /// The resource of a type, in whatever state, that has an `externalId` in the scope's
    /// connection.
    fn owner_of_external_id(
        &mut self,
        scope: Scope,
        resource_type: &'static str,
        external_id: &str,
    ) -> StorageResult<Option<Uuid>>;
    /// Removes a resource's `externalId` from every connection.
    fn forget_external_ids(
        &mut self,
        tenant: Uuid,
        resource_type: &'static str,
        resource: Uuid,
    ) -> StorageResult<()>;
}

/// The change log (rule R81).
pub trait Ledger {
    /// Appends an entry, sealed. Its resource is locked by this transaction.
    fn append(&mut self, tenant: Uuid, entry: &Entry) -> StorageResult<()>;
    /// The entries of a query, as resources of the type `ChangeLogEntry`.
    fn change_log(&mut self, scope: Scope, query: &Query) -> StorageResult<Page>;
    /// An entry.
    fn change_log_entry(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>>;
    /// Takes the changes and reasons out of the entries of a resource that is erased.
    fn forget_changes(&mut self, tenant: Uuid, resource: Uuid) -> StorageResult<()>;
    /// Entries by resource and version, looked at; those behind a resource and version.
    fn checked_entries(
        &mut self,
        tenant: Uuid,
        after: Option<(Uuid, i64)>,
        limit: u32,
    ) -> StorageResult<Vec<Checked>>;
    /// Resources without any entry, by their identifiers; those behind an identifier.
    fn unlogged(
        &mut self,
        tenant: Uuid,
        after: Option<Uuid>,
        limit: u32,
    ) -> StorageResult<Vec<Unlogged>>;
}

/// Tenants and tokens.
pub trait Tenancy {
    /// Adds a tenant; `false` if another has its name.
    fn insert_tenant(&mut self, tenant: &Tenant) -> StorageResult<bool>;
    /// Every tenant, by name.
    fn tenants(&mut self) -> StorageResult<Vec<Tenant>>;
    /// The tenant of this name, in any case.
    fn tenant_named(&mut self, name: &str) -> StorageResult<Option<Tenant>>;
    /// Adds a token.
    fn insert_token(&mut self, token: &Token) -> StorageResult<()>;
    /// The tokens of a tenant with their connections, newest first.
    fn tokens(&mut self, tenant: Uuid) -> StorageResult<Vec<(Token, Connection)>>;
    /// What a token of this public identifier stands for.
    fn credentials(&mut self, token_id: &str) -> StorageResult<Vec<Credential>>;
    /// Revokes the token of this public identifier, unless it is revoked; how many were.
    fn revoke_token(
        &mut self,
        tenant: Uuid,
        token_id: &str,
        now: Timestamp,
    ) -> StorageResult<usize>;
}

/// What else opens the door, and when it was last opened.
pub trait Credentials {
    /// Adds what a client can prove itself with.
    fn insert_credential(&mut self, credential: &ClientCredential) -> StorageResult<()>;
    /// What the clients of a tenant can prove themselves with, newest first.
    fn credentials_of(&mut self, tenant: Uuid) -> StorageResult<Vec<Client>>;
    /// What is found by any of these [keys](crate::credentials::Proof::key) and is not revoked, of all
    /// tenants, oldest first.
    fn credentials_found_by(&mut self, keys: &[String]) -> StorageResult<Vec<Client>>;
    /// The credential of this identifier.
    fn credential(&mut self, tenant: Uuid, id: &str) -> StorageResult<Option<Client>>;
    /// The credentials of this identifier, of all tenants.
    fn credentials_with_id(&mut self, id: &str) -> StorageResult<Vec<Client>>;
    /// Revokes the credential of this identifier, unless it is revoked; how many were.
    fn revoke_credential(&mut self, tenant: Uuid, id: &str, now: Timestamp)
    -> StorageResult<usize>;
    /// Notes when tokens and credentials were used.
    fn note_uses(&mut self, uses: &[Use]) -> StorageResult<()>;
    /// When the tokens and credentials of a tenant were last used; those that ever were.
    fn last_uses(&mut self, tenant: Uuid) -> StorageResult<Vec<Use>>;
}

/// Secrets that all servers of an installation share.
pub trait InstallationKeys {
    /// The key for this purpose: `fresh`, if there was none before.
    fn installation_key(
        &mut self,
        purpose: &str,
        fresh: &[u8],
        now: Timestamp,
    ) -> StorageResult<Vec<u8>>;
}

/// Parts of a transaction that can be undone alone.
pub trait Savepoints {
    /// Keeps other transactions of the tenant that ask for this from going on before this one ends.
    /// Each writes many resources in an order of its own, so that two would wait for each other.
    fn lock_parts(&mut self, tenant: Uuid) -> StorageResult<()>;
    /// Begins a part, which may have parts of its own.
    fn set_savepoint(&mut self) -> StorageResult<()>;
    /// Ends the part that was begun last; what it wrote stays part of the transaction.
    fn release_savepoint(&mut self) -> StorageResult<()>;
    /// Ends the part that was begun last, and undoes what it wrote.
    fn roll_back_to_savepoint(&mut self) -> StorageResult<()>;
}

/// One transaction.
pub trait Tx:
    Users
    + Groups
    + Objects
    + Memberships
    + Grants
    + Assignments
    + Dependencies
    + Seats
    + Claims
    + ExternalIds
    + Ledger
    + Logins
    + Requests
    + Tenancy
    + Credentials
    + InstallationKeys
    + Savepoints
{
}

impl<T> Tx for T where
    T: Users
        + Groups
        + Objects
        + Memberships
        + Grants
        + Assignments
        + Dependencies
        + Seats
        + Claims
        + ExternalIds
        + Ledger
        + Logins
        + Requests
        + Tenancy
        + Credentials
        + InstallationKeys
        + Savepoints
{
}

/// Does several things in one transaction of which some may be refused: what `work` wrote is undone
/// if a rule refuses it, and the transaction goes on.
///
/// # Errors
/// What `work` returns. After [`Refusal::Storage`] nothing is undone: the whole transaction has to
/// be given up.
pub fn atomically<T>(
    tx: &mut dyn Tx,
    work: impl FnOnce(&mut dyn Tx) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    tx.set_savepoint()?;
    let result = work(tx);
    match &result {
        Ok(_) => tx.release_savepoint()?,
        Err(Refusal::Storage(_)) => {}
        Err(_) => tx.roll_back_to_savepoint()?,
    }
    result
}
