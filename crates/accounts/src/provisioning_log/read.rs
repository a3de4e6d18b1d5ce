//! Reading the provisioning log, as SCIM resources, and what its entries are written with.

use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::Caller;
use crate::policy::{LogPolicy, TenantPolicy};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Page, Resource, Tx};

/// Reads an entry.
///
/// # Errors
/// Refuses a caller who is no administrator, and an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(Right::Admin)?;
    let found = tx.logged_request(caller.scope(), id)?;
    found.ok_or_else(|| Refusal::not_found(ResourceType::provisioning_log_entry().name, id))
}

/// The entries of a query.
///
/// # Errors
/// Refuses a caller who is no administrator.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    caller.require(Right::Admin)?;
    Ok(tx.logged_requests(caller.scope(), query)?)
}

/// What the entries of a tenant are written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// What the tenant has decided.
    pub policy: LogPolicy,
    /// The connections, with their names.
    pub connections: Vec<(Uuid, String)>,
}

/// What the entries of a tenant are to be written with now.
///
/// # Errors
/// The store's.
pub fn surroundings(tx: &mut dyn Tx, tenant: Uuid) -> Result<Surroundings, Refusal> {
    let of_tenant = tx.objects_with_ids(tenant, ResourceType::tenant(), &[tenant])?;
    let policy = match of_tenant.first() {
        Some(found) => TenantPolicy::of(&found.attributes)?.log,
        None => LogPolicy::default(),
    };
    let connections = tx.all_objects(tenant, ResourceType::connection())?;
    let name = |one: &Resource| one.attributes.get("name").and_then(Value::as_str).map(Into::into);
    let named = connections.iter().map(|one| (one.id, name(one).unwrap_or_default()));
    Ok(Surroundings { policy, connections: named.collect() })
}
