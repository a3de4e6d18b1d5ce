//! Capacity rules: how much work of which kind an agent gets at once.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/CapacityRules`
pub struct CapacityRules;

impl ObjectType for CapacityRules {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::capacity_rule()
    }
}
