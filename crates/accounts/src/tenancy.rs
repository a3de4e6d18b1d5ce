//! Tenants, the connections through which clients reach them, and the tokens of connections.

use jiff::Timestamp;
use scim_protocol::dialect::Dialect;
use uuid::Uuid;

use crate::Caller;
use crate::refusal::{Code, Refusal};
use crate::tx::Tx;

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

/// A client of a tenant: one application of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its identifier.
    pub id: Uuid,
    /// The tenant that it reaches.
    pub tenant: Uuid,
    /// Its name, unique in the tenant without case.
    pub name: String,
    /// How its requests are read.
    pub dialect: Dialect,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// How the connection's requests are read.
    pub dialect: Dialect,
}

impl Credential {
    /// Who calls with it.
    pub fn caller(&self) -> Caller {
        Caller {
            tenant: self.token.tenant,
            connection: self.token.connection,
            dialect: self.dialect,
        }
    }
}

/// Creates a tenant.
///
/// # Errors
/// Refuses an empty or overlong name, and one that another tenant has.
pub fn create_tenant(
    tx: &mut dyn Tx,
    name: &str,
    id: Uuid,
    now: Timestamp,
) -> Result<Tenant, Refusal> {
    let tenant = Tenant { id, name: checked_name(name)?, created: now };
    if !tx.insert_tenant(&tenant)? {
        return Err(Refusal::rule(
            Code::TenantNameTaken,
            format!("a tenant {:?} exists already", tenant.name),
        ));
    }
    Ok(tenant)
}

/// The tenant of this name.
///
/// # Errors
/// Refuses a name that no tenant has.
pub fn tenant_named(tx: &mut dyn Tx, name: &str) -> Result<Tenant, Refusal> {
    tx.tenant_named(name)?.ok_or_else(|| Refusal::not_found("tenant", format!("{name:?}")))
}

/// The connection of this name, made where there is none.
///
/// # Errors
/// Refuses a name whose connection has another dialect.
pub fn ensure_connection(
    tx: &mut dyn Tx,
    tenant: &Tenant,
    name: &str,
    dialect: Dialect,
    id: Uuid,
    now: Timestamp,
) -> Result<Connection, Refusal> {
    let name = checked_name(name)?;
    let connection = Connection { id, tenant: tenant.id, name, dialect, created: now };
    if tx.insert_connection(&connection)? {
        return Ok(connection);
    }
    let existing = tx
        .connection_named(tenant.id, &connection.name)?
        .ok_or_else(|| Refusal::not_found("connection", &connection.name))?;
    if existing.dialect != dialect {
        return Err(Refusal::rule(
            Code::ConnectionDiffers,
            format!(
                "the connection {:?} has the dialect {}: name another connection for {dialect}",
                existing.name, existing.dialect
            ),
        ));
    }
    Ok(existing)
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
