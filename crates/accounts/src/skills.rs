//! Skills and languages.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/Skills`
pub struct Skills;

impl ObjectType for Skills {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::skill()
    }
}
