//! The table `objects`: the resources of types without a table of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use accounts::objects::UniqueName;
use accounts::{Objects, Page, Resource, Scope, StorageResult};
use diesel::prelude::*;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::statement::ResourceRow;
use super::{Session, document};
use crate::catalogue::Wanted;
use crate::error::{failed, unless_taken};
use crate::schema::objects;
use crate::search::Table;
use crate::types::{Id, Json, SearchJson, Stamp};

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = objects)]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
// The key is not written again: SQLite would look through all that refers to the row.
#[diesel(primary_key(tenant_id, id))]
struct ObjectRow {
    tenant_id: Id,
    id: Id,
    resource_type: &'static str,
    variant: String,
    name: Option<String>,
    name_key: Option<String>,
    document: Json,
    search: SearchJson,
    version: i64,
    created_at: Stamp,
    modified_at: Stamp,
}

type Found = (Id, i64, Stamp, Stamp, Json);

const FOUND: (
    objects::id,
    objects::version,
    objects::created_at,
    objects::modified_at,
    objects::document,
) = (objects::id, objects::version, objects::created_at, objects::modified_at, objects::document);

fn object_row(
    tenant: Uuid,
    kind: &'static ResourceType,
    name: Option<UniqueName>,
    object: &Resource,
) -> ObjectRow {
    let (document, search) = document(kind, &object.attributes);
    let (variant, key) = name.map(|unique| (unique.variant, unique.name)).unzip();
    ObjectRow {
        tenant_id: Id(tenant),
        id: Id(object.id),
        resource_type: kind.name,
        variant: variant.unwrap_or_default(),
        name: object.attributes.get("name").and_then(Value::as_str).map(str::to_owned),
        name_key: key,
        document: Json(Value::Object(document)),
        search: SearchJson(Value::Object(search)),
        version: object.version,
        created_at: Stamp(object.created),
        modified_at: Stamp(object.last_modified),
    }
}

fn resource((id, version, created, modified, document): Found) -> Resource {
    Resource {
        id: id.0,
        version,
        created: created.0,
        last_modified: modified.0,
        attributes: document.into_object(),
    }
}

macro_rules! of_type {
    ($tenant:expr, $kind:expr) => {
        objects::table
            .filter(objects::tenant_id.eq(Id($tenant)))
            .filter(objects::resource_type.eq($kind.name))
            .filter(objects::deleted_at.is_null())
            .select(FOUND)
    };
}

impl Objects for Session {
    fn object(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>> {
        self.find::<ResourceRow>(Table::Objects(kind.name), scope, id)
    }

    fn object_for_update(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>> {
        self.find_for_update::<ResourceRow>(Table::Objects(kind.name), scope, id)
    }

    fn objects(
        &mut self,
        scope: Scope,
        kind: &'static ResourceType,
        query: &Query,
    ) -> StorageResult<Page> {
        self.page::<ResourceRow>(Table::Objects(kind.name), scope, query)
    }

    fn objects_named(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        names: &[String],
    ) -> StorageResult<Vec<Arc<Resource>>> {
        let wanted = names.iter().map(|name| Wanted::Name(kind.name, name.clone())).collect();
        let mut found = self.of_catalogue(tenant, kind, wanted, |conn, missing| {
            let names = missing.iter().filter_map(|wanted| match wanted {
                Wanted::Name(_, name) => Some(name),
                _ => None,
            });
            let rows: Vec<(Option<String>, Found)> = of_type!(tenant, kind)
                .filter(objects::name_key.eq_any(names))
                .select((objects::name_key, FOUND))
                .load(conn)
                .map_err(failed)?;
            let named = |(name, found): (Option<String>, Found)| {
                (Wanted::Name(kind.name, name.unwrap_or_default()), resource(found))
            };
            Ok(rows.into_iter().map(named).collect())
        })?;
        found.sort_by_key(|resource| resource.id);
        Ok(found)
    }

    fn objects_with_ids(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        ids: &[Uuid],
    ) -> StorageResult<Vec<Arc<Resource>>> {
        let ids: BTreeSet<Uuid> = ids.iter().copied().collect();
        let wanted = ids.into_iter().map(|id| Wanted::Id(kind.name, id)).collect();
        let mut found = self.of_catalogue(tenant, kind, wanted, |conn, missing| {
            let ids = missing.iter().filter_map(|wanted| match wanted {
                Wanted::Id(_, id) => Some(Id(*id)),
                _ => None,
            });
            let rows: Vec<Found> = of_type!(tenant, kind)
                .filter(objects::id.eq_any(ids))
                .load(conn)
                .map_err(failed)?;
            let rows = rows.into_iter().map(resource);
            Ok(rows.map(|found| (Wanted::Id(kind.name, found.id), found)).collect())
        })?;
        found.sort_by_key(|resource| resource.id);
        Ok(found)
    }

    fn all_objects(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
    ) -> StorageResult<Vec<Arc<Resource>>> {
        self.of_catalogue(tenant, kind, vec![Wanted::All(kind.name)], |conn, _| {
            let rows: Vec<Found> =
                of_type!(tenant, kind).order(objects::id).load(conn).map_err(failed)?;
            let rows = rows.into_iter().map(resource);
            Ok(rows.map(|found| (Wanted::All(kind.name), found)).collect())
        })
    }

    fn objects_of(
        &mut self,
        tenant: Uuid,
        kinds: &[&'static ResourceType],
    ) -> StorageResult<Vec<(&'static str, Arc<Resource>)>> {
        let mut found = Vec::new();
        for kind in kinds {
            let of_kind = self.all_objects(tenant, kind)?;
            found.extend(of_kind.into_iter().map(|resource| (kind.name, resource)));
        }
        Ok(found)
    }

    fn insert_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool> {
        self.view.write();
        let inserted = diesel::insert_into(objects::table)
            .values(object_row(tenant, kind, name, object))
            .execute(self.conn()?);
        unless_taken(inserted)
    }

    fn update_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool> {
        self.view.write();
        let updated = diesel::update(objects::table.find((Id(tenant), Id(object.id))))
            .set(object_row(tenant, kind, name, object))
            .execute(self.conn()?);
        unless_taken(updated)
    }

    fn tombstone_object(&mut self, tenant: Uuid, object: &Resource) -> StorageResult<()> {
        self.view.write();
        diesel::update(objects::table.find((Id(tenant), Id(object.id))))
            .set((
                objects::version.eq(object.version),
                objects::modified_at.eq(Stamp(object.last_modified)),
                objects::deleted_at.eq(Stamp(object.last_modified)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn deleted_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        id: Uuid,
    ) -> StorageResult<Option<Resource>> {
        let found: Option<Found> = objects::table
            .find((Id(tenant), Id(id)))
            .filter(objects::resource_type.eq(kind.name))
            .filter(objects::deleted_at.is_not_null())
            .select(FOUND)
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(found.map(resource))
    }

    fn restore_object(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        name: Option<UniqueName>,
        object: &Resource,
    ) -> StorageResult<bool> {
        self.view.write();
        let there_again = objects::deleted_at.eq(None::<Stamp>);
        let restored = diesel::update(objects::table.find((Id(tenant), Id(object.id))))
            .set((object_row(tenant, kind, name, object), there_again))
            .execute(self.conn()?);
        unless_taken(restored)
    }

    fn hold(&mut self, tenant: Uuid, id: Uuid) -> StorageResult<()> {
        super::hold_object(self, tenant, id)
    }

    fn hold_alone(&mut self, tenant: Uuid, id: Uuid) -> StorageResult<()> {
        super::lock_object(self, tenant, id)
    }
}
