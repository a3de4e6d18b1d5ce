//! Connections: the clients of a tenant, each one application of an identity provider.

use std::num::NonZeroU32;

use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, LeniencySet};
use scim_protocol::error::Error;
use scim_protocol::instant;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::names;
use crate::objects::ObjectType;
use crate::refusal::Refusal;
use crate::rights::{Right, Rights};
use crate::tx::{Resource, Tx};
use crate::{Caller, Context};

pub mod guard;

const GRANTABLE_ROLES: &str = "grantableRoles";
const LENIENCIES: &str = "leniencies";

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
    /// The roles that it may grant, by name or identifier; `None`: all that the tenant's policy lets
    /// connections grant (rule R30). There is no empty list: in SCIM that is the same as none at all.
    pub grantable_roles: Option<Vec<String>>,
    /// Whether accounts have the extension for mappings made for Genesys Cloud.
    pub genesys_alias: bool,
    /// Whether its client may send its identifier and secret with each request (RFC 7617), as old
    /// connectors do.
    pub basic_authentication: bool,
    /// What is done otherwise for its client than for others.
    pub switches: Switches,
}

/// What is done otherwise for one client than for others, where the sources disagree on what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// What its dialect allows beyond the RFC, and it is refused.
    pub refused: LeniencySet,
    /// Whether a PATCH is answered with 204 and no body. RFC 7644 section 3.5.2 leaves it open.
    pub silent_patch: bool,
    /// How many requests it may send in a second, if that is not as many as everybody.
    pub rate_limit: Option<NonZeroU32>,
}

/// The highest rate that a connection can be given, in requests a second: the largest integer that every
/// client has. No service reaches it.
pub const MAX_RATE: u32 = i32::MAX.cast_unsigned();

impl Switches {
    /// As it is for everybody.
    pub const NONE: Self =
        Self { refused: LeniencySet::NONE, silent_patch: false, rate_limit: None };

    fn of(connection: &Object) -> Self {
        let refused = connection.get("refusedLeniencies").and_then(Value::as_array);
        Self {
            refused: LeniencySet::named(refused.into_iter().flatten().filter_map(Value::as_str)),
            silent_patch: connection.get("patchAnswer").is_some_and(|word| word == "noContent"),
            rate_limit: rate_limit(connection).unwrap_or_default(),
        }
    }
}

impl Connection {
    /// The connection that a resource describes.
    ///
    /// # Errors
    /// `invalidValue` if it describes none.
    pub fn of(resource: &Resource) -> Result<Self, Refusal> {
        let attributes = &resource.attributes;
        let text = |name| attributes.get(name).and_then(Value::as_str);
        let is_true = |name| attributes.get(name) == Some(&Value::Bool(true));
        let dialect: Result<Dialect, _> = text("dialect").unwrap_or("standard").parse();
        Ok(Self {
            id: resource.id,
            name: text("name").unwrap_or_default().to_owned(),
            dialect: dialect.map_err(|error| Error::invalid_value(error.to_string()))?,
            rights: rights(attributes)?,
            grantable_roles: grantable_roles(attributes),
            genesys_alias: is_true("genesysAlias"),
            basic_authentication: is_true("basicAuthentication"),
            switches: Switches::of(attributes),
        })
    }
}

impl Connection {
    /// Whoever calls for it, at this time.
    pub fn caller(&self, tenant: Uuid, now: Timestamp) -> Caller {
        Caller {
            tenant,
            connection: self.id,
            dialect: self.dialect,
            rights: self.rights,
            genesys: self.genesys_alias,
            switches: self.switches,
            now,
            person: None,
        }
    }
}

/// The rate that a connection asks for.
fn rate_limit(connection: &Object) -> Result<Option<NonZeroU32>, Error> {
    let Some(rate) = connection.get("rateLimit").filter(|rate| !rate.is_null()) else {
        return Ok(None);
    };
    let number = rate.as_u64().and_then(|rate| u32::try_from(rate).ok());
    let rate = number.filter(|rate| *rate <= MAX_RATE).and_then(NonZeroU32::new);
    let wrong = || Error::invalid_value(format!("rateLimit must be from 1 to {MAX_RATE}"));
    rate.map(Some).ok_or_else(wrong)
}

fn rights(attributes: &Object) -> Result<Rights, Error> {
    match attributes.get("scopes").and_then(Value::as_array) {
        Some(scopes) => Rights::named(scopes.iter().filter_map(Value::as_str)),
        None => Rights::named([]),
    }
}

fn grantable_roles(attributes: &Object) -> Option<Vec<String>> {
    let roles = attributes.get(GRANTABLE_ROLES)?.as_array()?;
    let roles: Vec<_> = roles.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(roles).filter(|roles| !roles.is_empty())
}

impl ObjectType for Connections {
    const READ: Right = Right::Admin;

    fn resource_type() -> &'static ResourceType {
        ResourceType::connection()
    }

    /// The roles that a connection newly names exist (rule R22).
    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        if !after.attributes.contains_key("scopes") {
            // They stay until others are named: who takes them away does not mean to give more.
            let usual = || Rights::of_provisioning().names().collect::<Vec<_>>().into();
            let scopes = before.and_then(|before| before.attributes.get("scopes").cloned());
            after.attributes.insert("scopes".to_owned(), scopes.unwrap_or_else(usual));
        }
        rate_limit(&after.attributes)?;
        let roles = Connection::of(after)?.grantable_roles;
        let old = before.and_then(|before| grantable_roles(&before.attributes));
        let Some(roles) = roles.filter(|roles| Some(roles) != old.as_ref()) else { return Ok(()) };
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let (tenant, kind) = (context.caller.tenant, ResourceType::role());
        names::resolve(tx, tenant, kind, GRANTABLE_ROLES, &roles)?;
        Ok(())
    }

    /// What the client did beyond the RFC is counted beside the connection.
    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        connections: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        if !wants(LENIENCIES) {
            return Ok(());
        }
        let ids: Vec<Uuid> = connections.iter().map(|connection| connection.id).collect();
        let uses = tx.leniencies_of(caller.tenant, &ids)?;
        for connection in connections {
            let own = uses.iter().filter(|used| used.connection == connection.id).map(|used| {
                let last_seen = instant::format(used.last_seen);
                json!({"value": used.leniency, "count": used.count, "lastSeen": last_seen})
            });
            let own: Vec<Value> = own.collect();
            if !own.is_empty() {
                connection.attributes.insert(LENIENCIES.to_owned(), own.into());
            }
        }
        Ok(())
    }

    /// What the guard saw of another connection says nothing of this one.
    fn copied(attributes: &mut Object) {
        attributes.shift_remove(guard::GUARD);
    }
}
