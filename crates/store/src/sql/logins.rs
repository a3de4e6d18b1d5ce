//! The tables `logins`, `mailed_links` and `sessions`: the login door.

use accounts::{
    DueLink, Login, Logins, MailedLink, Purpose, Session as Entered, StorageError, StorageResult,
};
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::posted::Write;
use super::statement::{DueLinkRow, Statement};
use super::{SKIP_LOCKED, Session};
use crate::error::failed;
use crate::schema::{logins, mailed_links, sessions};
use crate::search::{Bind, Pieces};
use crate::types::{Id, Stamp};

fn stamp(at: Timestamp) -> Bind {
    Bind::Stamp(Stamp(at))
}

fn purpose(name: &str) -> StorageResult<Purpose> {
    let known = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == name);
    known.ok_or_else(|| StorageError::Failed(format!("a purpose {name:?}").into()))
}

/// Removes what a table has of a user.
fn of_user(table: &'static str, tenant: Uuid, user: Uuid) -> Write {
    let mut pieces = Pieces::default();
    pieces.sql("DELETE FROM ").sql(table).sql(" WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND user_id = ").id(user);
    Write::Of(table, pieces, 0)
}

type SessionRow = (Id, Id, Vec<u8>, Stamp, Stamp, Stamp);

impl Logins for Session {
    fn login_of(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<Option<Login>> {
        let row: Option<(Option<String>, bool, i64)> = logins::table
            .find((Id(tenant), Id(user)))
            .select((logins::password, logins::must_change, logins::failures))
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(row.map(|(password, must_change, failures)| Login { password, must_change, failures }))
    }

    fn put_login(&mut self, tenant: Uuid, user: Uuid, credentials: &Login) -> StorageResult<()> {
        let Login { password, must_change, failures } = credentials;
        let mut pieces = Pieces::default();
        pieces.sql(
            "INSERT INTO logins (tenant_id, user_id, password, must_change, failures) VALUES (",
        );
        pieces.id(tenant).sql(", ").id(user).sql(", ");
        pieces.bind(Bind::Maybe(password.clone())).sql(", ");
        pieces.bind(Bind::Boolean(*must_change)).sql(", ").bind(Bind::Integer(*failures));
        pieces.sql(
            ") ON CONFLICT (tenant_id, user_id) DO UPDATE SET password = excluded.password, \
             must_change = excluded.must_change, failures = excluded.failures",
        );
        Statement::fixed(pieces).execute(self.conn()?).map_err(failed)?;
        Ok(())
    }

    fn link(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        purpose: Purpose,
    ) -> StorageResult<Option<MailedLink>> {
        let row: Option<(Option<Vec<u8>>, Stamp, Stamp)> = mailed_links::table
            .find((Id(tenant), Id(user), purpose.as_str()))
            .select((mailed_links::secret_hash, mailed_links::asked_at, mailed_links::expires_at))
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(row.map(|(secret_hash, asked, expires)| MailedLink {
            user,
            purpose,
            secret_hash,
            asked: asked.0,
            expires: expires.0,
        }))
    }

    fn queue_link(&mut self, tenant: Uuid, link: &MailedLink) -> StorageResult<()> {
        let MailedLink { user, purpose, asked, expires, .. } = link;
        let mut pieces = Pieces::default();
        pieces.sql(
            "INSERT INTO mailed_links (tenant_id, user_id, purpose, secret_hash, asked_at, \
             expires_at, due_at, attempts) VALUES (",
        );
        pieces.id(tenant).sql(", ").id(*user).sql(", ");
        pieces.bind(Bind::Text(purpose.as_str().to_owned())).sql(", NULL, ");
        pieces.bind(stamp(*asked)).sql(", ").bind(stamp(*expires)).sql(", ");
        pieces.bind(stamp(*asked)).sql(
            ", 0) ON CONFLICT (tenant_id, user_id, purpose) DO UPDATE SET secret_hash = NULL, \
             asked_at = excluded.asked_at, expires_at = excluded.expires_at, \
             due_at = excluded.due_at, attempts = 0",
        );
        Statement::fixed(pieces).execute(self.conn()?).map_err(failed)?;
        Ok(())
    }

    fn remove_link(&mut self, tenant: Uuid, user: Uuid, purpose: Purpose) -> StorageResult<()> {
        diesel::delete(mailed_links::table.find((Id(tenant), Id(user), purpose.as_str())))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn remove_links(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<()> {
        self.post(of_user("mailed_links", tenant, user))
    }

    fn take_due_links(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StorageResult<Vec<DueLink>> {
        let mut pieces = Pieces::default();
        pieces.sql("UPDATE mailed_links SET due_at = ").bind(stamp(until));
        pieces.sql(
            ", attempts = attempts + 1 WHERE (tenant_id, user_id, purpose) IN \
             (SELECT tenant_id, user_id, purpose FROM mailed_links WHERE due_at IS NOT NULL \
             AND due_at <= ",
        );
        // The limit is written out: of one that is bound PostgreSQL takes a tenth of the table.
        pieces.bind(stamp(now)).sql(format!(" ORDER BY due_at LIMIT {limit}"));
        pieces.sql(SKIP_LOCKED).sql(") RETURNING tenant_id, user_id, purpose, attempts");
        let rows = Statement::fixed(pieces).load::<DueLinkRow>(self.conn()?).map_err(failed)?;
        let due = |row: DueLinkRow| {
            Ok(DueLink {
                tenant: row.tenant_id.0,
                user: row.user_id.0,
                purpose: purpose(&row.purpose)?,
                attempts: row.attempts,
            })
        };
        rows.into_iter().map(due).collect()
    }

    fn set_link_secret(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        purpose: Purpose,
        secret_hash: &[u8],
    ) -> StorageResult<()> {
        diesel::update(mailed_links::table.find((Id(tenant), Id(user), purpose.as_str())))
            .set(mailed_links::secret_hash.eq(secret_hash))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn put_off_link(
        &mut self,
        tenant: Uuid,
        (user, purpose): (Uuid, Purpose),
        secret_hash: &[u8],
        until: Option<Timestamp>,
    ) -> StorageResult<()> {
        let link = mailed_links::table.find((Id(tenant), Id(user), purpose.as_str()));
        diesel::update(link.filter(mailed_links::secret_hash.eq(secret_hash)))
            .set(mailed_links::due_at.eq(until.map(Stamp)))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn insert_session(&mut self, tenant: Uuid, session: &Entered) -> StorageResult<()> {
        diesel::insert_into(sessions::table)
            .values((
                sessions::tenant_id.eq(Id(tenant)),
                sessions::user_id.eq(Id(session.user)),
                sessions::secret_hash.eq(&session.secret_hash),
                sessions::created_at.eq(Stamp(session.created)),
                sessions::seen_at.eq(Stamp(session.seen)),
                sessions::expires_at.eq(Stamp(session.expires)),
            ))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn session(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        secret_hash: &[u8],
    ) -> StorageResult<Option<Entered>> {
        let row: Option<SessionRow> = sessions::table
            .find((Id(tenant), Id(user), secret_hash))
            .first(self.conn()?)
            .optional()
            .map_err(failed)?;
        Ok(row.map(|(_, user, secret_hash, created, seen, expires)| Entered {
            user: user.0,
            secret_hash,
            created: created.0,
            seen: seen.0,
            expires: expires.0,
        }))
    }

    fn see_session(
        &mut self,
        tenant: Uuid,
        session: &Entered,
        now: Timestamp,
    ) -> StorageResult<()> {
        let key = (Id(tenant), Id(session.user), &session.secret_hash);
        diesel::update(sessions::table.find(key))
            .set(sessions::seen_at.eq(Stamp(now)))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn remove_session(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        secret_hash: &[u8],
    ) -> StorageResult<bool> {
        let removed = diesel::delete(sessions::table.find((Id(tenant), Id(user), secret_hash)))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(removed > 0)
    }

    fn remove_sessions(&mut self, tenant: Uuid, user: Uuid) -> StorageResult<()> {
        self.post(of_user("sessions", tenant, user))
    }

    fn forget_sessions(
        &mut self,
        tenant: Uuid,
        ended: Timestamp,
        unused_since: Timestamp,
        limit: u32,
    ) -> StorageResult<usize> {
        let mut forgotten = 0;
        for (column, before) in [("expires_at", ended), ("seen_at", unused_since)] {
            let mut pieces = Pieces::default();
            pieces.sql("DELETE FROM sessions WHERE tenant_id = ").id(tenant);
            pieces.sql(" AND (user_id, secret_hash) IN (SELECT user_id, secret_hash ");
            pieces.sql("FROM sessions WHERE tenant_id = ").id(tenant);
            pieces.sql(format!(" AND {column} <= ")).bind(stamp(before));
            pieces.sql(format!(" ORDER BY {column} LIMIT {limit})"));
            forgotten += Statement::fixed(pieces).execute(self.conn()?).map_err(failed)?;
        }
        Ok(forgotten)
    }
}
