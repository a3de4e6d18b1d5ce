//! The table `groups`.

use accounts::{Groups, Page, Resource, Scope, StorageResult};
use diesel::prelude::*;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::resources::{find, find_for_update, page};
use super::statement::ResourceRow;
use super::{Session, document};
use crate::error::{failed, unless_taken};
use crate::schema::groups;
use crate::search::Table;
use crate::types::{Id, Json, SearchJson, Stamp};

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = groups)]
#[diesel(treat_none_as_null = true)]
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

fn group_row(tenant: Uuid, group: &Resource) -> GroupRow {
    let (document, search) = document(ResourceType::group(), &group.attributes);
    let name = |attributes: &scim_protocol::Object| {
        attributes.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    GroupRow {
        tenant_id: Id(tenant),
        id: Id(group.id),
        display_name_key: name(&search),
        display: name(&group.attributes),
        kind: "access".to_owned(),
        enabled: true,
        capacity_rule_id: None,
        priority: 100,
        document: Json(Value::Object(document)),
        search: SearchJson(Value::Object(search)),
        version: group.version,
        created_at: Stamp(group.created),
        modified_at: Stamp(group.last_modified),
    }
}

impl Groups for Session {
    fn group(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        find::<ResourceRow>(&mut self.0, Table::Groups, scope, id)
    }

    fn group_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        find_for_update::<ResourceRow>(&mut self.0, Table::Groups, scope, id)
    }

    fn groups(&mut self, scope: Scope, query: &Query) -> StorageResult<Page> {
        page::<ResourceRow>(&mut self.0, Table::Groups, scope, query)
    }

    fn groups_named(&mut self, tenant: Uuid, names: &[String]) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = groups::table
            .filter(groups::tenant_id.eq(Id(tenant)))
            .filter(groups::display_name_key.eq_any(names))
            .filter(groups::deleted_at.is_null())
            .order(groups::id)
            .select(groups::id)
            .load(&mut self.0)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn insert_group(&mut self, tenant: Uuid, group: &Resource) -> StorageResult<bool> {
        let inserted = diesel::insert_into(groups::table)
            .values(group_row(tenant, group))
            .execute(&mut self.0);
        unless_taken(inserted)
    }

    fn update_group(&mut self, tenant: Uuid, group: &Resource) -> StorageResult<bool> {
        let updated = diesel::update(groups::table.find((Id(tenant), Id(group.id))))
            .set(group_row(tenant, group))
            .execute(&mut self.0);
        unless_taken(updated)
    }

    fn tombstone_group(&mut self, tenant: Uuid, group: &Resource) -> StorageResult<()> {
        diesel::update(groups::table.find((Id(tenant), Id(group.id))))
            .set((
                groups::version.eq(group.version),
                groups::modified_at.eq(Stamp(group.last_modified)),
                groups::deleted_at.eq(Stamp(group.last_modified)),
            ))
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }
}
