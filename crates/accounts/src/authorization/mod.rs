//! What an account may do: permissions, the roles that give them and the tier that limits them.
//!
//! Everything here is computed from plain values; what they are is read from the store by others.
//!
//! - [`capability`] and [`tiers`]: what is licensed, and the tiers that licences are sold in.
//! - [`catalogue`]: every permission there is, and [`PermissionSet`].
//! - [`policies`]: what the policies of a role give; [`conditions`]: when they give it.
//! - [`templates`]: the roles that every tenant starts with.
//! - [`effective`]: what an account may do in the end; [`explain`]: why.
//! - [`compare`]: how a role differs from its template.

pub mod capability;
pub mod catalogue;
pub mod compare;
pub mod conditions;
pub mod effective;
pub mod explain;
mod permission_set;
pub mod policies;
#[cfg(test)]
mod properties;
pub mod templates;
#[cfg(test)]
mod tests;
pub mod tiers;

pub use capability::Capability;
pub use catalogue::{Permission, PermissionId};
pub use effective::{
    Access, DivisionScope, HeldGrant, Holder, ScopedPermissions, Via, blocked_count,
};
pub use explain::{Explanation, Obstacle, Source};
pub use permission_set::PermissionSet;
pub use policies::Policy;
pub use templates::Template;
pub use tiers::{Tier, TierChange};
