//! The tables `users` and `user_emails`.

use accounts::authorization::Tier;
use accounts::policy::GuardPolicy;
use accounts::{
    Account, Named, NewAccount, Page, Scope, Standing, StorageError, StorageResult, Taken, Users,
};
use diesel::prelude::*;
use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::posted::Write;
use super::resources::{Row, resource};
use super::statement::{AccountRow, CountRow, Statement};
use super::{Conn, LATERAL, Session, document};
use crate::error::{failed, unless_taken};
use crate::schema::{last_logins, user_emails, users};
use crate::search::{Bind, Columns, Pieces, Table};
use crate::types::{Id, Json, SearchJson, Stamp};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A row of `users`.
pub(super) struct UserRow {
    key: Columns,
    others: Columns,
}

impl UserRow {
    /// What writes it in the place of what is there. The key is not written again: SQLite would look
    /// through all that refers to the row.
    fn update(self) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.sql("UPDATE users SET ").assign(self.others);
        for (at, (name, value)) in self.key.into_iter().enumerate() {
            pieces.sql(if at == 0 { " WHERE " } else { " AND " }).sql(name).sql(" = ").bind(value);
        }
        pieces
    }

    /// All its columns.
    pub(super) fn columns(self) -> Columns {
        self.key.into_iter().chain(self.others).collect()
    }
}

pub(super) struct EmailRow {
    tenant: Uuid,
    user: Uuid,
    position: i64,
    value_key: Option<String>,
    type_key: Option<String>,
    is_primary: Option<bool>,
}

impl EmailRow {
    pub(super) fn columns(self) -> Columns {
        vec![
            ("tenant_id", Bind::Id(Id(self.tenant))),
            ("user_id", Bind::Id(Id(self.user))),
            ("position", Bind::Integer(self.position)),
            ("value_key", Bind::Maybe(self.value_key)),
            ("type_key", Bind::Maybe(self.type_key)),
            ("is_primary", Bind::Perhaps(self.is_primary)),
        ]
    }
}

fn text(object: &Object, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl Row for AccountRow {
    type Read = Account;

    const HOLDS: bool = LATERAL;

    /// A lock that is over is none.
    fn more(pieces: &mut Pieces, scope: Scope) {
        pieces.sql(
            ", resource.license_tier, resource.pending_tier, \
             resource.seat_since, resource.division_id, resource.capacity_rule_id, resource.is_agent, \
             resource.is_employee_number_unique, resource.activated_at, \
             resource.activation_sent_at, resource.activation_expires_at, resource.deactivated_at, \
             CASE WHEN resource.locked_until > ",
        );
        pieces.bind(Bind::Stamp(Stamp(scope.now))).sql(
            " THEN resource.locked_until END AS locked_until, \
             (SELECT login.at FROM last_logins AS login WHERE login.tenant_id = resource.tenant_id \
              AND login.user_id = resource.id) AS last_login, resource.deleted_at, resource.erased_at",
        );
    }

    fn version(&self) -> i64 {
        self.resource.version
    }

    fn read(self) -> StorageResult<Account> {
        let at = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.0);
        let unnamed = |id: Id| Named { id: id.0, name: String::new() };
        let standing = Standing {
            tier: tier(&self.license_tier)?,
            pending_tier: self.pending_tier.as_deref().map(tier).transpose()?,
            seat_since: at(self.seat_since),
            division: unnamed(self.division_id),
            capacity_rule: self.capacity_rule_id.map(unnamed),
            agent: self.is_agent,
            unique_employee_number: self.is_employee_number_unique,
            activated: at(self.activated_at),
            activation_sent: at(self.activation_sent_at),
            activation_expires: at(self.activation_expires_at),
            deactivated: at(self.deactivated_at),
            locked_until: at(self.locked_until),
            last_login: at(self.last_login),
            tombstoned: at(self.deleted_at),
            erased: at(self.erased_at),
        };
        Ok(Account { resource: resource(self.resource), standing })
    }

    fn refers_to<'a>(account: &'a mut Account, kind: &ResourceType) -> Option<&'a mut Named> {
        match kind.name {
            "Division" => Some(&mut account.standing.division),
            "CapacityRule" => account.standing.capacity_rule.as_mut(),
            _ => None,
        }
    }
}

fn tier(name: &str) -> StorageResult<Tier> {
    Tier::named(name).ok_or_else(|| StorageError::Failed(format!("a tier {name:?}").into()))
}

/// A tier's name as it is compared.
pub(super) fn tier_key(tier: Tier) -> String {
    tier.name().to_ascii_lowercase()
}

pub(super) fn user_row(tenant: Uuid, account: &Account) -> (UserRow, Vec<EmailRow>) {
    let Account { resource: user, standing } = account;
    let (document, mut search) = document(ResourceType::user(), &user.attributes);
    // Every account has a division and a tier.
    let schemas = ResourceType::user().schemas().map(|schema| Value::from(schema.id.as_str()));
    search.insert("schemas".to_owned(), Value::Array(schemas.collect()));
    let emails = search.get("emails").and_then(Value::as_array).into_iter().flatten();
    let emails = emails.zip(0..).filter_map(|(email, position)| {
        let email = email.as_object()?;
        Some(EmailRow {
            tenant,
            user: user.id,
            position,
            value_key: text(email, "value"),
            type_key: text(email, "type"),
            is_primary: email.get("primary").and_then(Value::as_bool),
        })
    });
    let emails = emails.collect();
    let display =
        text(&user.attributes, "displayName").or_else(|| text(&user.attributes, "userName"));
    let enterprise = search.get(ENTERPRISE).and_then(Value::as_object);
    let employee_number = enterprise.and_then(|e| text(e, "employeeNumber"));
    let manager = enterprise.and_then(|e| text(e.get("manager")?.as_object()?, "value"));
    let stamp = |at: Option<Timestamp>| Bind::MaybeStamp(at.map(Stamp));
    let key = vec![("tenant_id", Bind::Id(Id(tenant))), ("id", Bind::Id(Id(user.id)))];
    let others = vec![
        ("user_name_key", Bind::Text(text(&search, "userName").unwrap_or_default())),
        ("display_name_key", Bind::Maybe(text(&search, "displayName"))),
        ("display", Bind::Text(display.unwrap_or_default())),
        ("active", Bind::Boolean(standing.enabled())),
        ("division_id", Bind::Id(Id(standing.division.id))),
        ("license_tier", Bind::Text(tier_key(standing.tier))),
        ("pending_tier", Bind::Maybe(standing.pending_tier.map(tier_key))),
        ("seat_since", stamp(standing.seat_since)),
        ("capacity_rule_id", Bind::MaybeId(standing.capacity_rule.as_ref().map(|r| Id(r.id)))),
        ("is_agent", Bind::Boolean(standing.agent)),
        ("employee_number_key", Bind::Maybe(employee_number)),
        ("is_employee_number_unique", Bind::Boolean(standing.unique_employee_number)),
        ("manager_key", Bind::Maybe(manager)),
        ("activated_at", stamp(standing.activated)),
        ("activation_sent_at", stamp(standing.activation_sent)),
        ("activation_expires_at", stamp(standing.activation_expires)),
        ("deactivated_at", stamp(standing.deactivated)),
        ("locked_until", stamp(standing.locked_until)),
        ("document", Bind::Document(Json(Value::Object(document)))),
        ("search", Bind::Search(SearchJson(Value::Object(search)))),
        ("version", Bind::Integer(user.version)),
        ("created_at", Bind::Stamp(Stamp(user.created))),
        ("modified_at", Bind::Stamp(Stamp(user.last_modified))),
        ("deleted_at", stamp(standing.tombstoned)),
    ];
    (UserRow { key, others }, emails)
}

/// Whether no other account can have the number that this one has now.
fn has_same_number(before: &Account, after: &Account) -> bool {
    let number = |account: &Account| {
        let enterprise = account.resource.attributes.get(ENTERPRISE)?.as_object()?;
        enterprise.get("employeeNumber").cloned()
    };
    let is_unique = |account: &Account| account.standing.unique_employee_number;
    number(before) == number(after) && is_unique(before) == is_unique(after)
}

impl Session {
    /// Writes the row of a user that this unit of work has read; `false` if its number is another's,
    /// which is only asked where the number is another one than it was.
    fn write_user(&mut self, update: Pieces, has_same_number: bool) -> StorageResult<bool> {
        if has_same_number {
            self.post(Write::User(update))?;
            return Ok(true);
        }
        match Statement::fixed(update).execute(self.conn()?) {
            Ok(0) => Err(StorageError::Again),
            written => unless_taken(written),
        }
    }
}

impl Users for Session {
    fn user(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        self.find_user(scope, id)
    }

    fn user_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        self.user_to_change(scope, id)
    }

    fn users(&mut self, scope: Scope, query: &Query) -> StorageResult<Page<Account>> {
        self.page_of_users(scope, query)
    }

    fn insert_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<bool> {
        let (row, emails) = user_row(tenant, user);
        self.view.add_user(user.resource.id);
        let insert = Pieces::insert("users", [row.columns()]);
        if !unless_taken(Statement::fixed(insert).execute(self.conn()?))? {
            return Ok(false);
        }
        add_emails(self.conn()?, emails).map_err(failed)?;
        Ok(true)
    }

    fn add_user(&mut self, scope: Scope, user: &NewAccount) -> StorageResult<Option<Taken>> {
        self.add_whole(scope, user)
    }

    fn insert_users(&mut self, scope: Scope, users: &[NewAccount]) -> StorageResult<bool> {
        self.add_users(scope, users)
    }

    fn update_user(
        &mut self,
        tenant: Uuid,
        before: &Account,
        after: &Account,
    ) -> StorageResult<bool> {
        let (row, emails) = user_row(tenant, after);
        let mut update = row.update();
        update.sql(" AND version = ").bind(Bind::Integer(before.resource.version));
        if !self.write_user(update, has_same_number(before, after))? {
            return Ok(false);
        }
        let [had, has] = [before, after].map(|one| one.resource.attributes.get("emails"));
        if had == has {
            return Ok(true);
        }
        delete_emails(self.conn()?, tenant, after.resource.id)?;
        add_emails(self.conn()?, emails).map_err(failed)?;
        Ok(true)
    }

    fn tombstone_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<()> {
        let Account { resource, standing } = user;
        diesel::update(users::table.find((Id(tenant), Id(resource.id))))
            .set((
                users::version.eq(resource.version),
                users::modified_at.eq(Stamp(resource.last_modified)),
                users::active.eq(standing.enabled()),
                users::seat_since.eq(standing.seat_since.map(Stamp)),
                users::deactivated_at.eq(standing.deactivated.map(Stamp)),
                users::locked_until.eq(standing.locked_until.map(Stamp)),
                users::activation_sent_at.eq(standing.activation_sent.map(Stamp)),
                users::activation_expires_at.eq(standing.activation_expires.map(Stamp)),
                users::deleted_at.eq(Stamp(resource.last_modified)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn count_enabled(&mut self, tenant: Uuid, limit: u64) -> StorageResult<u64> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT COUNT(*) AS total FROM (SELECT 1 AS one FROM users AS person ");
        pieces.sql("WHERE person.active AND person.tenant_id = ").id(tenant).sql(" LIMIT ");
        pieces.bind(Bind::Integer(i64::try_from(limit).unwrap_or(i64::MAX))).sql(") AS enabled");
        let row =
            Statement::fixed(pieces).get_result::<CountRow>(self.reader()?).map_err(failed)?;
        Ok(row.total.unsigned_abs())
    }

    fn count_departures(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        since: Timestamp,
    ) -> StorageResult<u64> {
        let mut pieces = Pieces::default();
        // The index has these actions alone, and is used only if they are written out.
        pieces.sql(
            "SELECT COUNT(*) AS total FROM (SELECT DISTINCT entry.resource_id, entry.at \
             FROM change_log AS entry WHERE entry.action IN ('deactivate', 'tombstone') \
             AND entry.resource_type = 'User' AND entry.tenant_id = ",
        );
        pieces.id(tenant).sql(" AND entry.actor_id = ").id(connection);
        pieces.sql(" AND entry.at >= ").bind(Bind::Stamp(Stamp(since)));
        // Who was deleted later than deactivated was gone before. Of who is back nobody knows.
        pieces.sql(
            " AND (entry.action = 'deactivate' OR EXISTS (SELECT 1 FROM users AS gone \
             WHERE gone.tenant_id = entry.tenant_id AND gone.id = entry.resource_id \
             AND COALESCE(gone.deactivated_at, entry.at) = entry.at))) AS departures",
        );
        let row =
            Statement::fixed(pieces).get_result::<CountRow>(self.reader()?).map_err(failed)?;
        Ok(row.total.unsigned_abs())
    }

    fn departs_ahead(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        now: Timestamp,
    ) -> bool {
        self.view.departures().take(tenant, connection, policy, now)
    }

    fn allow_ahead(
        &mut self,
        tenant: Uuid,
        connection: Uuid,
        policy: &GuardPolicy,
        count: u64,
        now: Timestamp,
    ) {
        self.view.departures().allow(tenant, connection, policy, count, now);
    }

    fn owner_of_employee_number(
        &mut self,
        tenant: Uuid,
        number: &str,
    ) -> StorageResult<Option<Uuid>> {
        let owner: Option<Id> = users::table
            .filter(users::tenant_id.eq(Id(tenant)))
            .filter(users::employee_number_key.eq(number).and(users::is_employee_number_unique))
            .select(users::id)
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(owner.map(|id| id.0))
    }

    fn manager_of(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<Option<String>> {
        let found = users::table.find((Id(tenant), Id(user))).select(users::manager_key);
        let manager: Option<Option<String>> =
            for_share!(found).get_result(self.conn()?).optional().map_err(failed)?;
        Ok(manager.flatten())
    }

    fn record_login(&mut self, tenant: Uuid, user: Uuid, at: Timestamp) -> StorageResult<()> {
        diesel::insert_into(last_logins::table)
            .values((
                last_logins::tenant_id.eq(Id(tenant)),
                last_logins::user_id.eq(Id(user)),
                last_logins::at.eq(Stamp(at)),
            ))
            .on_conflict((last_logins::tenant_id, last_logins::user_id))
            .do_update()
            .set(last_logins::at.eq(Stamp(at)))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn account(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        self.find_any::<AccountRow>(Table::Users, scope, id)
    }

    fn account_for_update(&mut self, scope: Scope, id: Uuid) -> StorageResult<Option<Account>> {
        self.find_any_for_update::<AccountRow>(Table::Users, scope, id)
    }

    fn tombstones(&mut self, scope: Scope, start: u64, count: u64) -> StorageResult<Page<Account>> {
        self.deleted_page::<AccountRow>(Table::Users, scope, start, count)
    }

    fn users_pending_since(
        &mut self,
        tenant: Uuid,
        before: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<Uuid>> {
        let found: Vec<Id> = users::table
            .filter(users::tenant_id.eq(Id(tenant)).and(users::active))
            .filter(users::activated_at.is_null().and(users::seat_since.le(Stamp(before))))
            .order(users::id)
            .limit(limit.into())
            .select(users::id)
            .load(self.conn()?)
            .map_err(failed)?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    fn erase_user(&mut self, tenant: Uuid, user: &Account) -> StorageResult<()> {
        let (row, _) = user_row(tenant, user);
        let id = user.resource.id;
        Statement::fixed(row.update()).execute(self.conn()?).map_err(failed)?;
        let erased = users::erased_at.eq(user.standing.erased.map(Stamp));
        diesel::update(users::table.find((Id(tenant), Id(user.resource.id))))
            .set(erased)
            .execute(self.conn()?)
            .map_err(failed)?;
        self.view.change_holdings();
        delete_emails(self.conn()?, tenant, id)?;
        for table in BESIDE_USERS {
            let mut pieces = Pieces::default();
            pieces.sql(format!("DELETE FROM {table} WHERE tenant_id = ")).id(tenant);
            pieces.sql(" AND user_id = ").id(id);
            Statement::fixed(pieces).execute(self.conn()?).map_err(failed)?;
        }
        Ok(())
    }
}

/// What else is kept of an account, and goes when it is erased.
const BESIDE_USERS: [&str; 6] =
    ["skill_assignments", "last_logins", "dependencies", "logins", "mailed_links", "sessions"];

fn add_emails(conn: &mut Conn, emails: Vec<EmailRow>) -> QueryResult<()> {
    let count = emails.len();
    if count > 0 {
        Statement::of_some(insert_emails(emails), count).execute(conn)?;
    }
    Ok(())
}

pub(super) fn insert_emails(emails: Vec<EmailRow>) -> Pieces {
    Pieces::insert("user_emails", emails.into_iter().map(EmailRow::columns))
}

fn delete_emails(conn: &mut Conn, tenant: Uuid, user: Uuid) -> StorageResult<()> {
    let of_user = user_emails::tenant_id.eq(Id(tenant)).and(user_emails::user_id.eq(Id(user)));
    diesel::delete(user_emails::table.filter(of_user)).execute(conn).map_err(failed)?;
    Ok(())
}
