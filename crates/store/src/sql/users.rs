//! The tables `users` and `user_emails`.

use accounts::{Page, Resource, Scope, StorageResult, Users};
use diesel::prelude::*;
use scim_protocol::Object;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::resources::{find, find_for_update, page};
use super::{Conn, Session, document};
use crate::error::failed;
use crate::schema::{user_emails, users};
use crate::search::Table;
use crate::types::{Id, Json, SearchJson, Stamp};

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = users)]
#[diesel(treat_none_as_null = true)]
struct UserRow {
    tenant_id: Id,
    id: Id,
    user_name_key: String,
    display_name_key: Option<String>,
    display: String,
    active: bool,
    document: Json,
    search: SearchJson,
    version: i64,
    created_at: Stamp,
    modified_at: Stamp,
}

#[derive(Insertable)]
#[diesel(table_name = user_emails)]
struct EmailRow {
    tenant_id: Id,
    user_id: Id,
    position: i32,
    value_key: Option<String>,
    type_key: Option<String>,
    is_primary: Option<bool>,
}

fn text(object: &Object, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn user_row(tenant: Uuid, user: &Resource) -> (UserRow, Vec<EmailRow>) {
    let (document, search) = document(ResourceType::user(), &user.attributes);
    let emails = search.get("emails").and_then(Value::as_array).into_iter().flatten();
    let emails = emails.zip(0..).filter_map(|(email, position)| {
        let email = email.as_object()?;
        Some(EmailRow {
            tenant_id: Id(tenant),
            user_id: Id(user.id),
            position,
            value_key: text(email, "value"),
            type_key: text(email, "type"),
            is_primary: email.get("primary").and_then(Value::as_bool),
        })
    });
    let emails = emails.collect();
    let display =
        text(&user.attributes, "displayName").or_else(|| text(&user.attributes, "userName"));
    let row = UserRow {
        tenant_id: Id(tenant),
        id: Id(user.id),
        user_name_key: text(&search, "userName").unwrap_or_default(),
        display_name_key: text(&search, "displayName"),
        display: display.unwrap_or_default(),
        active: search.get("active") == Some(&Value::Bool(true)),
        document: Json(Value::Object(document)),
        search: SearchJson(Value::Object(search)),
        version: user.version,
        created_at: Stamp(user.created),
        modified_at: Stamp(user.last_modified),
    };
    (row, emails)
}

impl Users for Session {
    fn user(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        find(&mut self.0, Table::Users, scope, id)
    }

    fn user_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Resource>> {
        find_for_update(&mut self.0, Table::Users, scope, id)
    }

    fn users(&mut self, scope: Scope, query: &Query) -> StorageResult<Page> {
        page(&mut self.0, Table::Users, scope, query)
    }

    fn insert_user(&mut self, tenant: Uuid, user: &Resource) -> StorageResult<()> {
        let (row, emails) = user_row(tenant, user);
        diesel::insert_into(users::table).values(row).execute(&mut self.0).map_err(failed)?;
        insert_emails(&mut self.0, emails)
    }

    fn update_user(
        &mut self,
        tenant: Uuid,
        before: &Resource,
        after: &Resource,
    ) -> StorageResult<()> {
        let (row, emails) = user_row(tenant, after);
        diesel::update(users::table.find((Id(tenant), Id(after.id))))
            .set(row)
            .execute(&mut self.0)
            .map_err(failed)?;
        if before.attributes.get("emails") == after.attributes.get("emails") {
            return Ok(());
        }
        delete_emails(&mut self.0, tenant, after.id)?;
        insert_emails(&mut self.0, emails)
    }

    fn tombstone_user(&mut self, tenant: Uuid, user: &Resource) -> StorageResult<()> {
        diesel::update(users::table.find((Id(tenant), Id(user.id))))
            .set((
                users::version.eq(user.version),
                users::modified_at.eq(Stamp(user.last_modified)),
                users::deleted_at.eq(Stamp(user.last_modified)),
            ))
            .execute(&mut self.0)
            .map_err(failed)?;
        Ok(())
    }
}

fn insert_emails(conn: &mut Conn, emails: Vec<EmailRow>) -> StorageResult<()> {
    if emails.is_empty() {
        return Ok(());
    }
    diesel::insert_into(user_emails::table).values(emails).execute(conn).map_err(failed)?;
    Ok(())
}

fn delete_emails(conn: &mut Conn, tenant: Uuid, user: Uuid) -> StorageResult<()> {
    let of_user = user_emails::tenant_id.eq(Id(tenant)).and(user_emails::user_id.eq(Id(user)));
    diesel::delete(user_emails::table.filter(of_user)).execute(conn).map_err(failed)?;
    Ok(())
}
