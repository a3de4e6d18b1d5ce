//! Provisioning rules: which template fills what a client does not send.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/ProvisioningRules`
pub struct ProvisioningRules;

impl ObjectType for ProvisioningRules {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::provisioning_rule()
    }
}
