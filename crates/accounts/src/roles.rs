//! Roles: what their holders may do.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/Roles`
pub struct Roles;

impl ObjectType for Roles {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::role()
    }
}
