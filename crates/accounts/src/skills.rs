//! Skills and languages: what an account can do, and how well.
//!
//! A skill that is disabled stays with who has it and does not count (rule R71); one that is deleted
//! is taken from everybody.

use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::Value;

use crate::Context;
use crate::holders;
use crate::objects::{ObjectType, UniqueName};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};

/// `/Skills`
pub struct Skills;

impl ObjectType for Skills {
    const READ: Right = Right::ReadUsers;

    fn resource_type() -> &'static ResourceType {
        ResourceType::skill()
    }

    /// Skills and languages are two lists.
    fn unique_name(attributes: &Object) -> Option<UniqueName> {
        let text = |name| attributes.get(name).and_then(Value::as_str);
        let variant = text("kind").unwrap_or("skill").to_owned();
        Some(UniqueName { variant, name: fold(text("name")?) })
    }

    fn removed(tx: &mut dyn Tx, context: &Context, skill: &Resource) -> Result<(), Refusal> {
        holders::take_skill(tx, context, skill)
    }
}
