//! Rehire cases: requests of which only an administrator can say whether they mean a person who
//! left.

use scim_protocol::schema::ResourceType;

use crate::objects::ObjectType;
use crate::rights::Right;

/// `/RehireCases`
pub struct RehireCases;

impl ObjectType for RehireCases {
    const READ: Right = Right::Admin;
    const CREATABLE: bool = false;
    const CHANGEABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::rehire_case()
    }
}
