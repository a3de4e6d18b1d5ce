//! The entries of the table `change_log`, as resources.

use accounts::{Resource, Scope, StorageResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use scim_protocol::Object;
use serde_json::{Value, json};

use super::resources::Row;
use super::statement::ResourceRow;
use crate::search::Pieces;
use crate::types::{Guid, Id};

/// An entry as a resource; `document` is its changes.
#[derive(QueryableByName)]
pub(crate) struct LogRow {
    #[diesel(embed)]
    resource: ResourceRow,
    #[diesel(sql_type = Text)]
    actor_type: String,
    #[diesel(sql_type = Nullable<Guid>)]
    actor_id: Option<Id>,
    #[diesel(sql_type = Nullable<Text>)]
    actor_display: Option<String>,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Guid)]
    request_id: Id,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    resource_type: String,
    #[diesel(sql_type = Guid)]
    resource_id: Id,
    #[diesel(sql_type = BigInt)]
    of_version: i64,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

impl Row for LogRow {
    type Read = Resource;

    fn more(pieces: &mut Pieces, _: Scope) {
        pieces.sql(
            ", resource.actor_type, resource.actor_id, \
             CASE resource.actor_type WHEN 'scimClient' THEN (SELECT named.name FROM objects AS named \
               WHERE named.tenant_id = resource.tenant_id AND named.id = resource.actor_id) \
             WHEN 'account' THEN (SELECT person.display FROM users AS person \
               WHERE person.tenant_id = resource.tenant_id AND person.id = resource.actor_id) END \
             AS actor_display, resource.source, resource.request_id, resource.action, \
             resource.resource_type, resource.resource_id, resource.of_version, resource.rule, \
             resource.reason",
        );
    }

    fn version(&self) -> i64 {
        self.resource.version
    }

    fn read(self) -> StorageResult<Resource> {
        let ResourceRow { id, version, created_at: at, document, .. } = self.resource;
        let actor = assigned([
            ("value", self.actor_id.map(|id| json!(id.0))),
            ("type", Some(self.actor_type.into())),
            // Of who was erased there is no name.
            ("display", self.actor_display.filter(|name| !name.is_empty()).map(Value::from)),
        ]);
        let changes = document.0.as_array().map(|changes| changes.iter().map(change).collect());
        let attributes = assigned([
            ("at", Some(at.0.to_string().into())),
            ("actor", Some(actor.into())),
            ("source", Some(self.source.into())),
            ("requestId", Some(json!(self.request_id.0))),
            ("action", Some(self.action.into())),
            ("resourceType", Some(self.resource_type.into())),
            ("resourceId", Some(json!(self.resource_id.0))),
            (
                "changes",
                changes.filter(|changes: &Vec<Value>| !changes.is_empty()).map(Value::from),
            ),
            ("reason", self.reason.map(Value::from)),
            ("rule", self.rule.map(Value::from)),
            ("versionBefore", (self.of_version > 1).then(|| json!(self.of_version - 1))),
            ("versionAfter", Some(json!(self.of_version))),
        ]);
        let (id, created, last_modified) = (id.0, at.0, at.0);
        Ok(Resource { id, version, created, last_modified, attributes })
    }
}

/// The attributes that have a value.
fn assigned<const N: usize>(attributes: [(&str, Option<Value>); N]) -> Object {
    let assigned = attributes.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    assigned.collect()
}

/// A change, whose values may be of any type and are told as JSON text.
fn change(change: &Value) -> Value {
    let text = |name: &str| Some(change.get(name)?).filter(|value| !value.is_null());
    let told = [
        ("attribute", text("attribute").cloned()),
        ("old", text("old").map(|value| value.to_string().into())),
        ("new", text("new").map(|value| value.to_string().into())),
    ];
    Value::Object(assigned(told))
}
