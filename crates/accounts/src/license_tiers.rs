//! Licence tiers and their seats.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/LicenseTiers`
pub struct LicenseTiers;

impl ObjectType for LicenseTiers {
    const READ: Right = Right::ReadUsers;
    const CREATABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::license_tier()
    }
}
