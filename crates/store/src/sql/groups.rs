//! The table `groups`.

use accounts::{
    Group, GroupKind, GroupStanding, Groups, Named, Page, Scope, StorageError, StorageResult,
};
use diesel::prelude::*;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::resources::{Row, resource};
use super::statement::{GroupStandingRow, Statement};
use super::{Session, document};
use crate::error::{failed, unless_taken};
use crate::schema::groups;
use crate::search::{Bind, Pieces, Table};
use crate::types::{Id, Json, SearchJson, Stamp};

#[derive(Insertable)]
#[diesel(table_name = groups)]
#[diesel(treat_none_as_default_value = false)]
struct GroupRow {
    tenant_id: Id,
    id: Id,
    display_name_key: String,
    display: String,
    kind: String,
    enabled: bool,
    capacity_rule_id: Option<Id>,
    priority: i32,
    document: Json,
    search: SearchJson,
    version: i64,
    created_at: Stamp,
    modified_at: Stamp,
}

impl GroupRow {
    /// The statement that writes it in the place of what is there, as for users.
    fn update(self) -> Statement {
        let mut pieces = Pieces::default();
        pieces.sql("UPDATE \"groups\" SET ").assign([
            ("display_name_key", Bind::Text(self.display_name_key)),
            ("display", Bind::Text(self.display)),
            ("kind", Bind::Text(self.kind)),
            ("enabled", Bind::Boolean(self.enabled)),
            ("capacity_rule_id", Bind::MaybeId(self.capacity_rule_id)),
            ("priority", Bind::Integer(self.priority.into())),
            ("document", Bind::Document(self.document)),
            ("search", Bind::Search(self.search)),
            ("version", Bind::Integer(self.version)),
            ("created_at", Bind::Stamp(self.created_at)),
            ("modified_at", Bind::Stamp(self.modified_at)),
        ]);
        pieces.sql(" WHERE tenant_id = ").bind(Bind::Id(self.tenant_id));
        pieces.sql(" AND id = ").bind(Bind::Id(self.id));
        Statement::fixed(pieces)
    }
}

fn group_row(tenant: Uuid, group: &Group) -> GroupRow {
    let Group { resource, standing } = group;
    let (document, mut search) = document(ResourceType::group(), &resource.attributes);
    // Every group has a kind.
    let schemas = ResourceType::group().schemas().map(|schema| Value::from(schema.id.as_str()));
    search.insert("schemas".to_owned(), Value::Array(schemas.collect()));
    let name = |attributes: &scim_protocol::Object| {
        attributes.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    GroupRow {
        tenant_id: Id(tenant),
        id: Id(resource.id),
        display_name_key: name(&search),
        display: name(&resource.attributes),
        kind: standing.kind.as_str().to_owned(),
        enabled: standing.enabled,
        capacity_rule_id: standing.capacity_rule.as_ref().map(|rule| Id(rule.id)),
        priority: standing.priority,
        document: Json(Value::Object(document)),
        search: SearchJson(Value::Object(search)),
        version: resource.version,
        created_at: Stamp(resource.created),
        modified_at: Stamp(resource.last_modified),
    }
}

impl Row for GroupStandingRow {
    type Read = Group;

    fn more(pieces: &mut Pieces, _: Scope) {
        pieces.sql(
            ", resource.kind, resource.enabled, resource.capacity_rule_id, \
             resource.priority",
        );
    }

    fn version(&self) -> i64 {
        self.resource.version
    }

    fn read(self) -> StorageResult<Group> {
        let kind = GroupKind::named(&self.kind)
            .ok_or_else(|| StorageError::Failed(format!("a group kind {:?}", self.kind).into()))?;
        let unnamed = |id: Id| Named { id: id.0, name: String::new() };
        let standing = GroupStanding {
            kind,
            enabled: self.enabled,
            capacity_rule: self.capacity_rule_id.map(unnamed),
            priority: self.priority,
        };
        Ok(Group { resource: resource(self.resource), standing })
    }

    fn refers_to<'a>(group: &'a mut Group, kind: &ResourceType) -> Option<&'a mut Named> {
        group.standing.capacity_rule.as_mut().filter(|_| kind.name == "CapacityRule")
    }
}

impl Groups for Session {
    fn group(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Group>> {
        self.find::<GroupStandingRow>(Table::Groups, scope, id)
    }

    fn group_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Group>> {
        self.find_for_update::<GroupStandingRow>(Table::Groups, scope, id)
    }

    fn groups(&mut self, scope: Scope, query: &Query) -> StorageResult<Page<Group>> {
        self.page::<GroupStandingRow>(Table::Groups, scope, query)
    }

    fn groups_named(&mut self, tenant: Uuid, names: &[String]) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = groups::table
            .filter(groups::tenant_id.eq(Id(tenant)))
            .filter(groups::display_name_key.eq_any(names))
            .filter(groups::deleted_at.is_null())
            .order(groups::id)
            .select(groups::id)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn insert_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<bool> {
        let inserted = diesel::insert_into(groups::table)
            .values(group_row(tenant, group))
            .execute(self.conn()?);
        unless_taken(inserted)
    }

    fn update_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<bool> {
        self.view.change_holdings();
        unless_taken(group_row(tenant, group).update().execute(self.conn()?))
    }

    fn tombstone_group(&mut self, tenant: Uuid, group: &Group) -> StorageResult<()> {
        self.view.change_holdings();
        diesel::update(groups::table.find((Id(tenant), Id(group.resource.id))))
            .set((
                groups::version.eq(group.resource.version),
                groups::modified_at.eq(Stamp(group.resource.last_modified)),
                groups::deleted_at.eq(Stamp(group.resource.last_modified)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }
}
