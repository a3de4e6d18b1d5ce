//! Tenants, and the tokens of the connections through which clients reach them.

use jiff::Timestamp;
use scim_protocol::dialect::Dialect;
use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connections::{Connection, Connections};
use crate::divisions::{Divisions, HOME};
use crate::objects::insert;
use crate::refusal::{Code, Refusal};
use crate::rights::Rights;
use crate::tenants::Tenants;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context, license_tiers, roles};

/// An organisation. Nothing of it is visible to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, unique without case.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
}

/// A bearer token, of which only a hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The public part, by which it is found, listed and revoked.
    pub id: String,
    /// The tenant that it reaches.
    pub tenant: Uuid,
    /// The connection that it belongs to.
    pub connection: Uuid,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it is accepted at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// Its connection.
    pub connection: Connection,
}

impl Credential {
    /// Who calls with it, at this time.
    pub fn caller(&self, now: Timestamp) -> Caller {
        Caller {
            tenant: self.token.tenant,
            connection: self.token.connection,
            dialect: self.connection.dialect,
            rights: self.connection.rights,
            genesys: self.connection.genesys_alias,
            switches: self.connection.switches,
            now,
            person: None,
        }
    }
}

/// Creates a tenant with what every tenant has: its policy, the Home division and the default roles.
///
/// # Errors
/// Refuses an empty or overlong name, and one that another tenant has.
pub fn create_tenant(
    tx: &mut dyn Tx,
    name: &str,
    id: Uuid,
    now: Timestamp,
    new_id: fn() -> Uuid,
) -> Result<Tenant, Refusal> {
    let tenant = Tenant { id, name: checked_name(name)?, created: now };
    if !tx.insert_tenant(&tenant)? {
        return Err(Refusal::rule(
            Code::TenantNameTaken,
            format!("a tenant {:?} exists already", tenant.name),
        ));
    }
    furnish(tx, &Context::of_system(tenant.id, now, new_id), &tenant)?;
    Ok(tenant)
}

fn furnish(tx: &mut dyn Tx, context: &Context, tenant: &Tenant) -> Result<(), Refusal> {
    let new = |id: Uuid, attributes: Value| Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: attributes.as_object().cloned().unwrap_or_default(),
    };
    let home = (context.new_id)();
    let policy = json!({"name": tenant.name, "homeDivisionId": home});
    insert::<Tenants>(tx, context, new(tenant.id, policy))?;
    let division = json!({"name": HOME, "description": "Where everybody is who is nowhere else",
                          "homeDivision": true});
    insert::<Divisions>(tx, context, new(home, division))?;
    roles::furnish(tx, context)?;
    license_tiers::furnish(tx, context)
}

/// The tenant of this name.
///
/// # Errors
/// Refuses a name that no tenant has.
pub fn tenant_named(tx: &mut dyn Tx, name: &str) -> Result<Tenant, Refusal> {
    tx.tenant_named(name)?.ok_or_else(|| Refusal::not_found("tenant", format!("{name:?}")))
}

/// The connection of this name, made where there is none; `rights` are those of a new one, by
/// default what a client needs that provisions people.
///
/// # Errors
/// Refuses a name whose connection has another dialect or other rights than are asked for.
pub fn ensure_connection(
    tx: &mut dyn Tx,
    context: &Context,
    name: &str,
    dialect: Dialect,
    rights: Option<Rights>,
) -> Result<Connection, Refusal> {
    let name = checked_name(name)?;
    let kind = ResourceType::connection();
    if let Some(found) = tx.objects_named(context.caller.tenant, kind, &[fold(&name)])?.first() {
        let existing = Connection::of(found)?;
        return match () {
            () if existing.dialect != dialect => {
                Err(differs(&existing, &format!("the dialect {}", existing.dialect)))
            }
            () if rights.is_some_and(|rights| rights != existing.rights) => {
                let scopes: Vec<_> = existing.rights.names().collect();
                Err(differs(&existing, &format!("the scopes {}", scopes.join(", "))))
            }
            () => Ok(existing),
        };
    }
    let scopes: Vec<_> = rights.unwrap_or_else(Rights::of_provisioning).names().collect();
    let attributes = json!({"name": name, "dialect": dialect.as_str(), "scopes": scopes});
    let created = Resource {
        id: (context.new_id)(),
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: attributes.as_object().cloned().unwrap_or_default(),
    };
    Connection::of(&insert::<Connections>(tx, context, created)?)
}

fn differs(connection: &Connection, what: &str) -> Refusal {
    Refusal::rule(
        Code::ConnectionDiffers,
        format!("the connection {:?} has {what}: name another connection", connection.name),
    )
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Refusal::rule(
            Code::BadName,
            "a name has 1 to 255 characters and no control characters",
        ));
    }
    Ok(name.to_owned())
}
