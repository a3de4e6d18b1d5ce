//! What roles give, after the catalogue of permissions has changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::in_effect;
use crate::authorization::{Tier, catalogue};
use crate::refusal::Refusal;
use crate::tx::Tx;

/// Records anew what every role of every tenant gives, once for each catalogue of permissions: a
/// policy with `*` gives what the catalogue has, and a new version of the service has more. How many
/// roles that were.
///
/// # Errors
/// The store's.
pub fn refresh(tx: &mut dyn Tx, now: Timestamp, new_id: fn() -> Uuid) -> Result<usize, Refusal> {
    let fresh = new_id();
    let purpose = format!("roles by the catalogue {:016x}", digest());
    // Of several servers that start, one finds that it is the first.
    if tx.installation_key(&purpose, fresh.as_bytes(), now)? != fresh.as_bytes() {
        return Ok(0);
    }
    let mut count = 0;
    for tenant in tx.tenants()? {
        for role in tx.all_objects(tenant.id, ResourceType::role())? {
            tx.set_role_permissions(tenant.id, role.id, &in_effect(&role.attributes))?;
            count += 1;
        }
    }
    Ok(count)
}

/// A number that differs from one catalogue to another.
fn digest() -> u64 {
    let mut hasher = DefaultHasher::new();
    for id in catalogue::all() {
        let permission = id.permission();
        permission.name().hash(&mut hasher);
        permission.division_aware.hash(&mut hasher);
        for tier in Tier::ALL {
            tier.lacks(permission).is_empty().hash(&mut hasher);
        }
    }
    hasher.finish()
}
