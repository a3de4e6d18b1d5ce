//! Connections: the clients of a tenant, each one application of an identity provider.

use scim_protocol::Object;
use scim_protocol::dialect::Dialect;
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::Context;
use crate::objects::ObjectType;
use crate::refusal::Refusal;
use crate::rights::{Right, Rights};
use crate::tx::{Resource, Tx};

/// `/Connections`
pub struct Connections;

/// A client of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, unique in the tenant without case.
    pub name: String,
    /// How its requests are read.
    pub dialect: Dialect,
    /// What it may do.
    pub rights: Rights,
}

impl Connection {
    /// The connection that a resource describes.
    ///
    /// # Errors
    /// `invalidValue` if it describes none.
    pub fn of(resource: &Resource) -> Result<Self, Refusal> {
        let attributes = &resource.attributes;
        let text = |name| attributes.get(name).and_then(Value::as_str);
        let dialect: Result<Dialect, _> = text("dialect").unwrap_or("standard").parse();
        Ok(Self {
            id: resource.id,
            name: text("name").unwrap_or_default().to_owned(),
            dialect: dialect.map_err(|error| Error::invalid_value(error.to_string()))?,
            rights: rights(attributes)?,
        })
    }
}

fn rights(attributes: &Object) -> Result<Rights, Error> {
    match attributes.get("scopes").and_then(Value::as_array) {
        Some(scopes) => Rights::named(scopes.iter().filter_map(Value::as_str)),
        None => Ok(Rights::of_provisioning()),
    }
}

impl ObjectType for Connections {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::connection()
    }

    fn check(
        _: &mut dyn Tx,
        _: &Context,
        _: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        Connection::of(after)?;
        Ok(())
    }
}
