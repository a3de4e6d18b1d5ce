//! What clients asked for: the provisioning log.

use jiff::Timestamp;
use scim_protocol::query::Query;
use uuid::Uuid;

use super::{Page, Resource, StorageResult};
use crate::{Scope, provisioning_log};

/// The provisioning log, as it is read, and what connections did beyond the RFC.
pub trait Requests {
    /// The entries of a query, as resources of the type `ProvisioningLogEntry`.
    fn logged_requests(&mut self, scope: Scope, query: &Query) -> StorageResult<Page>;
    /// An entry.
    fn logged_request(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>>;
    /// Counts what connections did. It is no part of the connections, and changes no version.
    fn count_leniencies(&mut self, tenant: Uuid, uses: &[LeniencyUse]) -> StorageResult<()>;
    /// What these connections did so far, by name.
    fn leniencies_of(
        &mut self,
        tenant: Uuid,
        connections: &[Uuid],
    ) -> StorageResult<Vec<LeniencyUse>>;
}

/// How often a connection used a leniency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeniencyUse {
    /// The connection.
    pub connection: Uuid,
    /// The name of the leniency.
    pub leniency: String,
    /// How often.
    pub count: u64,
    /// When it did so last.
    pub last_seen: Timestamp,
}

/// The provisioning log, as it is written: in transactions of its own, beside those of requests.
pub trait RequestLog {
    /// Adds entries.
    fn insert_requests(
        &mut self,
        tenant: Uuid,
        entries: &[provisioning_log::Entry],
    ) -> StorageResult<()>;
    /// Takes the oldest entries from before an instant away, at most so many; how many.
    fn forget_requests_before(
        &mut self,
        tenant: Uuid,
        oldest: Timestamp,
        limit: u32,
    ) -> StorageResult<usize>;
    /// Takes all entries of a connection away but the newest, at most so many; how many.
    fn forget_requests_but(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        keep: u32,
        limit: u32,
    ) -> StorageResult<usize>;
    /// Takes what there may be of personal data out of all entries of a tenant, because somebody is
    /// erased.
    fn forget_persons(&mut self, tenant: Uuid) -> StorageResult<()>;
}
