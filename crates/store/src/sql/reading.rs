//! Resources as a unit of work reads them: their rows, with what the catalogue in memory knows of
//! what they refer to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use accounts::{Account, Named, Objects, Page, Scope, StorageResult};
use diesel::prelude::*;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::Session;
use super::catalogue::WithTenant;
use super::resources::{self, ForChange, Row};
use super::statement::AccountRow;
use crate::error::failed;
use crate::look_up::{Beside, By, Found};
use crate::schema::objects;
use crate::search::{Table, finds_one};
use crate::types::Id;

impl Session {
    /// One resource. Where the unit of work knows nothing of the tenant yet, what it needs to know
    /// comes with it.
    pub(super) fn find<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        id: Uuid,
    ) -> StorageResult<Option<R::Read>> {
        let mut found = if self.view.knows(scope.tenant) {
            resources::find::<R>(self.conn()?, table, scope, id)?
        } else {
            let found = resources::find::<WithTenant<R>>(self.conn()?, table, scope, id)?;
            found.map(|(found, beside)| {
                self.learned(scope.tenant, beside);
                found
            })
        };
        self.name::<R>(scope, found.as_mut_slice())?;
        Ok(found)
    }

    /// A user, who may have been looked up before the unit of work ran.
    pub(super) fn find_user(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        match self.view.expected(scope, |by| matches!(by, By::Id(wanted) if *wanted == id)) {
            Some(found) => Ok(self.looked_up(scope, found)?.pop()),
            None => self.find::<AccountRow>(Table::Users, scope, id),
        }
    }

    /// A page of users, of which the one may have been looked up before the unit of work ran.
    pub(super) fn page_of_users(
        &mut self,
        scope: Scope,
        query: &Query,
    ) -> StorageResult<Page<Account>> {
        let is_it = |by: &By| matches!(by, By::Filter(wanted) if **wanted == *query);
        match self.view.expected(scope, is_it) {
            Some(found) if found.len() < 2 => {
                Ok(resources::page_of_one(self.looked_up(scope, found)?, query))
            }
            _ => self.page::<AccountRow>(Table::Users, scope, query),
        }
    }

    /// Keeps what came with users that were read.
    pub(super) fn looked_up(&mut self, scope: Scope, found: Found) -> StorageResult<Vec<Account>> {
        let learn = |(account, beside)| {
            self.learned(scope.tenant, beside);
            account
        };
        let mut accounts: Vec<Account> = found.into_iter().map(learn).collect();
        self.name::<AccountRow>(scope, &mut accounts)?;
        Ok(accounts)
    }

    /// Keeps what came with a resource.
    fn learned(&mut self, tenant: Uuid, beside: Beside) {
        self.view.learned(tenant, beside.tenant, ());
        if let Some((holder, held)) = beside.holdings {
            self.view.keep_holdings(tenant, &[holder], &Arc::new(held));
        }
    }

    /// One resource that no other transaction can change before this one ends.
    pub(super) fn find_for_update<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        id: Uuid,
    ) -> StorageResult<Option<R::Read>> {
        let found = resources::find_for_update::<R>(self.conn()?, table, scope, id)?;
        self.locked::<R>(scope, id, found)
    }

    /// As [`Self::find`], also of what was deleted.
    pub(super) fn find_any<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        id: Uuid,
    ) -> StorageResult<Option<R::Read>> {
        let mut found = resources::find_any::<R>(self.conn()?, table, scope, id)?;
        self.name::<R>(scope, found.as_mut_slice())?;
        Ok(found)
    }

    /// As [`Self::find_for_update`], also of what was deleted.
    pub(super) fn find_any_for_update<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        id: Uuid,
    ) -> StorageResult<Option<R::Read>> {
        let found = resources::find_any_for_update::<R>(self.conn()?, table, scope, id)?;
        self.locked::<R>(scope, id, found)
    }

    /// Keeps what came with a row that is to be changed.
    fn locked<R: Row>(
        &mut self,
        scope: Scope,
        id: Uuid,
        found: Option<(R::Read, Option<ForChange>)>,
    ) -> StorageResult<Option<R::Read>> {
        let Some((mut found, more)) = found else { return Ok(None) };
        self.view.lock();
        if let Some(ForChange { tenant, version, seal }) = more {
            self.view.learned(scope.tenant, tenant, ());
            self.view.keep_seal(id, version, seal);
        }
        self.name::<R>(scope, std::slice::from_mut(&mut found))?;
        Ok(Some(found))
    }

    /// A page of a query's resources.
    pub(super) fn page<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        query: &Query,
    ) -> StorageResult<Page<R::Read>> {
        let mut page = if self.view.knows(scope.tenant) || !finds_one(table, query.filter.as_ref())
        {
            resources::page::<R>(self.conn()?, table, scope, query)?
        } else {
            let page = resources::page::<WithTenant<R>>(self.conn()?, table, scope, query)?;
            let Page { total, has_next, resources } = page;
            let learn = |(found, beside)| {
                self.learned(scope.tenant, beside);
                found
            };
            Page { total, has_next, resources: resources.into_iter().map(learn).collect() }
        };
        self.name::<R>(scope, &mut page.resources)?;
        Ok(page)
    }

    /// Resources that were deleted and not erased, the last deleted first.
    pub(super) fn deleted_page<R: Row>(
        &mut self,
        table: Table,
        scope: Scope,
        start: u64,
        count: u64,
    ) -> StorageResult<Page<R::Read>> {
        let mut page = resources::deleted_page::<R>(self.conn()?, table, scope, start, count)?;
        self.name::<R>(scope, &mut page.resources)?;
        Ok(page)
    }

    /// Says what is called how to which these refer.
    fn name<R: Row>(&mut self, scope: Scope, found: &mut [R::Read]) -> StorageResult<()> {
        for kind in [ResourceType::division(), ResourceType::capacity_rule()] {
            let mut named: Vec<&mut Named> =
                found.iter_mut().filter_map(|one| R::refers_to(one, kind)).collect();
            let ids: Vec<Uuid> = named.iter().map(|named| named.id).collect();
            if ids.is_empty() {
                continue;
            }
            let names = self.names(scope.tenant, kind, &ids)?;
            for one in &mut named {
                one.name = names.get(&one.id).cloned().unwrap_or_default();
            }
        }
        Ok(())
    }

    fn names(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        ids: &[Uuid],
    ) -> StorageResult<HashMap<Uuid, String>> {
        let name = |attributes: &scim_protocol::Object| {
            attributes.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let there = self.objects_with_ids(tenant, kind, ids)?;
        let mut names: HashMap<Uuid, String> =
            there.iter().map(|object| (object.id, name(&object.attributes))).collect();
        let gone: HashSet<Uuid> =
            ids.iter().filter(|id| !names.contains_key(*id)).copied().collect();
        if gone.is_empty() {
            return Ok(names);
        }
        let gone = gone.into_iter().map(Id);
        // What is deleted keeps the names of what was deleted before it.
        let rows: Vec<(Id, Option<String>)> = objects::table
            .filter(objects::tenant_id.eq(Id(tenant)).and(objects::id.eq_any(gone)))
            .select((objects::id, objects::name))
            .load(self.reader()?)
            .map_err(failed)?;
        names.extend(rows.into_iter().map(|(id, name)| (id.0, name.unwrap_or_default())));
        Ok(names)
    }
}
