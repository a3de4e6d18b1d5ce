//! Templates of accounts.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/UserTemplates`
pub struct UserTemplates;

impl ObjectType for UserTemplates {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::user_template()
    }
}
