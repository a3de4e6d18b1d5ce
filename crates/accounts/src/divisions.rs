//! Divisions: an account is in exactly one.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// The name that the division has with which a tenant begins.
pub const HOME: &str = "Home";

/// `/Divisions`
pub struct Divisions;

impl ObjectType for Divisions {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::division()
    }
}
