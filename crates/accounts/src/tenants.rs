//! The tenant as a resource: its policy.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/Tenants`, of which each caller sees its own.
pub struct Tenants;

impl ObjectType for Tenants {
    const READ: Right = Right::Admin;
    const CREATABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::tenant()
    }
}
