//! The provisioning log: what clients asked for lately and what they were answered, so that an
//! administrator sees why a push failed.
//!
//! It is no ledger: it is written after the answer and beside the transaction of the request, it may
//! lack entries, and it forgets. There is no body, no secret and no token in it, and what persons
//! could be known by is [masked](mask) unless the tenant wants it in clear.

pub mod mask;
mod read;

use jiff::{SignedDuration, Timestamp};
use scim_protocol::Object;
use scim_protocol::dialect::Leniency;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::parse_id;
use crate::policy::{LogPolicy, PersonalData};
use crate::tx::Resource;

pub use read::{Surroundings, get, list, surroundings};

/// Operations of a bulk request that an entry has at most.
pub const MAX_OPERATIONS: usize = 50;

/// What a client asked for, and what it was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The identifier of its entry, which ascends with time.
    pub id: Uuid,
    /// When it came.
    pub at: Timestamp,
    /// The connection of the client.
    pub connection: Uuid,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query of the URL.
    pub path: String,
    /// The resource that was made, or that a query found as its only one. What the path names need
    /// not be said.
    pub resource: Option<Uuid>,
    /// The filter of a query.
    pub filter: Option<String>,
    /// How many resources a query found.
    pub found: Option<u64>,
    /// The HTTP status.
    pub status: u16,
    /// Why it was refused.
    pub problem: Option<Problem>,
    /// The operations of a bulk request.
    pub operations: Vec<Operation>,
    /// What the client did beyond the RFC.
    pub leniencies: Vec<(Leniency, u64)>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Its identifier, which the answer has too.
    pub request: Uuid,
    /// How many requests of the connection before it are not in the log.
    pub omitted: u64,
}

/// Why a request was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The keyword of RFC 7644 table 9.
    pub scim_type: Option<String>,
    /// The service's own code.
    pub code: Option<String>,
    /// The rule of the account model.
    pub rule: Option<String>,
    /// What the client was told.
    pub detail: String,
}

/// An operation of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The HTTP method.
    pub method: Option<String>,
    /// The path.
    pub path: Option<String>,
    /// What the client calls it.
    pub bulk_id: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// Why it was refused.
    pub problem: Option<Problem>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As a resource of the type `ProvisioningLogEntry`.
    pub resource: Resource,
    /// The connection.
    pub connection: Uuid,
    /// The resource that the request was about.
    pub about: Option<Uuid>,
    /// The status of the answer.
    pub status: u16,
    /// Whether there may be personal data in it.
    pub is_clear: bool,
}

impl Request {
    /// Whether it took all that is personal of somebody away (rule R59).
    pub fn is_erasure(&self) -> bool {
        self.path.ends_with("/erase") && self.status < 300
    }

    /// The entry of the request, for a tenant that wants it so.
    pub fn entry(self, connection_name: Option<&str>, policy: &LogPolicy) -> Entry {
        let is_clear = policy.personal_data == PersonalData::Clear;
        let about = self.resource.or_else(|| named_by(&self.path));
        let (connection, status) = (self.connection, self.status);
        let (id, at) = (self.id, self.at);
        let shown = if is_clear { self } else { self.masked() };
        let resource = Resource {
            id,
            version: 1,
            created: at,
            last_modified: at,
            attributes: shown.attributes(connection_name, about),
        };
        Entry { resource, connection, about, status, is_clear }
    }

    fn masked(mut self) -> Self {
        self.path = mask::path(&self.path);
        self.filter = self.filter.map(|filter| mask::filter(&filter));
        self.problem = self.problem.map(Problem::masked);
        for operation in &mut self.operations {
            operation.path = operation.path.take().map(|path| mask::path(&path));
            operation.bulk_id = operation.bulk_id.take().map(|name| mask::name(&name));
            operation.problem = operation.problem.take().map(Problem::masked);
        }
        self
    }

    fn attributes(self, connection_name: Option<&str>, about: Option<Uuid>) -> Object {
        let connection = assigned([
            ("value", Some(json!(self.connection))),
            ("display", connection_name.map(Value::from)),
        ]);
        let resource_type = kind_of(&self.path).map(|kind| kind.name);
        let operations: Vec<Value> = self.operations.into_iter().map(Operation::told).collect();
        let problem = self.problem.unwrap_or_default();
        assigned([
            ("at", Some(self.at.to_string().into())),
            ("connection", Some(connection.into())),
            ("method", Some(self.method.into())),
            ("path", Some(self.path.into())),
            ("resourceType", resource_type.map(Value::from)),
            ("resourceId", about.map(|id| json!(id))),
            ("filter", self.filter.map(Value::from)),
            ("found", self.found.map(Value::from)),
            ("status", Some(self.status.into())),
            ("scimType", problem.scim_type.map(Value::from)),
            ("code", problem.code.map(Value::from)),
            ("rule", problem.rule.map(Value::from)),
            ("detail", Some(problem.detail).filter(|text| !text.is_empty()).map(Value::from)),
            ("operations", some_of(operations)),
            ("leniencies", some_of(self.leniencies.iter().map(told_leniency).collect())),
            ("durationMs", Some(json!(milliseconds(self.micros)))),
            ("requestId", Some(json!(self.request))),
            ("omitted", Some(self.omitted).filter(|omitted| *omitted > 0).map(Value::from)),
        ])
    }
}

impl Problem {
    fn masked(self) -> Self {
        Self { detail: mask::detail(&self.detail), ..self }
    }
}

impl Operation {
    fn told(self) -> Value {
        let problem = self.problem.unwrap_or_default();
        let told = assigned([
            ("method", self.method.map(Value::from)),
            ("path", self.path.map(Value::from)),
            ("bulkId", self.bulk_id.map(Value::from)),
            ("status", Some(self.status.into())),
            ("scimType", problem.scim_type.map(Value::from)),
            ("code", problem.code.map(Value::from)),
            ("detail", Some(problem.detail).filter(|text| !text.is_empty()).map(Value::from)),
        ]);
        told.into()
    }
}

fn told_leniency((leniency, count): &(Leniency, u64)) -> Value {
    json!({"value": leniency.as_str(), "count": count})
}

/// A thousandth of a millisecond more or less is the clock's.
#[allow(clippy::cast_precision_loss, reason = "no request takes a century")]
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// A list that has anything in it.
fn some_of(list: Vec<Value>) -> Option<Value> {
    Some(list).filter(|list| !list.is_empty()).map(Value::from)
}

/// The attributes that have a value.
fn assigned<const N: usize>(attributes: [(&str, Option<Value>); N]) -> Object {
    let assigned = attributes.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    assigned.collect()
}

/// The part of a path behind the name of an endpoint, with the type that is served there.
fn served(path: &str) -> Option<(&'static ResourceType, Option<&str>)> {
    let mut parts = path.split('/');
    let of = |part: &str| {
        let is_it = |kind: &&ResourceType| kind.endpoint.strip_prefix('/') == Some(part);
        ResourceType::all().into_iter().find(is_it)
    };
    let kind = parts.find_map(of)?;
    Some((kind, parts.next()))
}

/// The type that a path is about.
fn kind_of(path: &str) -> Option<&'static ResourceType> {
    served(path).map(|(kind, _)| kind)
}

/// The resource that a path names.
fn named_by(path: &str) -> Option<Uuid> {
    served(path).and_then(|(_, part)| parse_id(part?))
}

/// The instant before which a tenant keeps no entries.
pub fn oldest(policy: &LogPolicy, now: Timestamp) -> Timestamp {
    let age = SignedDuration::from_hours(24 * policy.keep_days);
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
