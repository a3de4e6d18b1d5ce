//! What users and groups hold - roles, skills, the groups that they are in and what those confer -
//! in one statement, which a unit of work runs once for the same ones: each of its parts alone is
//! cheaper than the way to the database and back.

use std::sync::Arc;

use accounts::authorization::DivisionScope;
use accounts::skill_set::Proficiency;
use accounts::{Grant, GroupOf, InheritedGrant, SkillAssignment, StorageError, StorageResult};
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::statement::Statement;
use super::{DIALECT, LATERAL, Session};
use crate::error::failed;
use crate::search::{Dialect, Pieces};
use crate::types::{Guid, Id, Instant, Stamp};
use crate::unit::Holdings;

const GRANT: i32 = 1;
const SKILL: i32 = 2;
const GROUP: i32 = 3;

/// How what is there is joined: SQLite keeps the order in which tables of a CROSS JOIN are written.
const INNER: &str = if LATERAL { "JOIN" } else { "CROSS JOIN" };

/// A row of any part; what its columns say differs.
#[derive(QueryableByName, Deserialize)]
struct HeldRow {
    #[diesel(sql_type = Integer)]
    part: i32,
    #[diesel(sql_type = Guid)]
    holder_id: Id,
    #[diesel(sql_type = Guid)]
    held_id: Id,
    #[diesel(sql_type = Nullable<Guid>)]
    division_id: Option<Id>,
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    #[diesel(sql_type = Nullable<Instant>)]
    since: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    until: Option<Stamp>,
    #[diesel(sql_type = Bool)]
    flag: bool,
    #[diesel(sql_type = Integer)]
    number: i32,
    /// The role that is held, by the holder or by the group, if any is.
    #[diesel(sql_type = Nullable<Guid>)]
    role_id: Option<Id>,
}

/// Whose holdings a statement finds.
#[derive(Clone, Copy)]
enum Holders<'a> {
    Of(Uuid, &'a [Uuid]),
    /// Each of several, beside which the statement stands as `holder`.
    Each(Uuid),
    /// The one of the row beside which it stands as a column.
    Resource,
}

impl Holders<'_> {
    /// That the columns of a table are of them.
    fn are(self, pieces: &mut Pieces, table: &'static str, column: &'static str) {
        pieces.sql(" WHERE ").sql(table).sql(".tenant_id = ");
        match self {
            Self::Of(tenant, _) | Self::Each(tenant) => pieces.id(tenant),
            Self::Resource => pieces.sql("resource.tenant_id"),
        };
        pieces.sql(" AND ").sql(table).sql(".").sql(column);
        match self {
            Self::Of(_, holders) => DIALECT.one_of(pieces, holders),
            Self::Each(_) => _ = pieces.sql(" = holder.id"),
            Self::Resource => _ = pieces.sql(" = resource.id"),
        }
    }
}

/// Their own grants, and their skills.
fn own(pieces: &mut Pieces, holders: Holders<'_>) {
    pieces.sql(
        "SELECT 1 AS part, gr.subject_id AS holder_id, gr.role_id AS held_id, gr.division_id, \
         gr.source AS label, gr.granted_at AS since, gr.purge_at AS until, gr.dormant AS flag, \
         CASE WHEN gr.is_primary THEN 1 ELSE 0 END AS number, gr.role_id FROM grants AS gr",
    );
    holders.are(pieces, "gr", "subject_id");
    pieces.sql(
        " UNION ALL SELECT 2, s.user_id, s.skill_id, NULL, NULL, NULL, NULL, s.active, \
         s.proficiency, NULL FROM skill_assignments AS s",
    );
    holders.are(pieces, "s", "user_id");
}

/// What they hold where no group is in another: the way upwards is one step, which is planned and run
/// in half the time. A group is there once for each role that it gives.
fn flat(pieces: &mut Pieces, holders: Holders<'_>) {
    own(pieces, holders);
    pieces.sql(
        " UNION ALL SELECT 3, m.member_id, m.group_id, gr.division_id, g.display, NULL, NULL, \
         g.enabled, 1, gr.role_id FROM memberships AS m",
    );
    pieces.sql(of_group(INNER, "\"groups\"", "g", "id"));
    pieces.sql(of_group("LEFT JOIN", "grants", "gr", "subject_id"));
    holders.are(pieces, "m", "member_id");
}

/// Upwards from the holders: SQLite takes the tables of a CROSS JOIN in the order in which they are
/// written.
fn upwards(pieces: &mut Pieces, tenant: Uuid, holders: Holders<'_>) {
    pieces.sql(
        "WITH RECURSIVE above (holder_id, group_id, enabled, direct) AS ( \
         SELECT m.member_id, m.group_id, g.enabled, 1 FROM memberships AS m",
    );
    pieces.sql(of_group(INNER, "\"groups\"", "g", "id"));
    holders.are(pieces, "m", "member_id");
    pieces.sql(
        " UNION SELECT above.holder_id, m.group_id, (above.enabled AND g.enabled), 0 FROM above \
         CROSS JOIN memberships AS m CROSS JOIN \"groups\" AS g \
         WHERE m.member_id = above.group_id AND g.tenant_id = m.tenant_id AND g.id = m.group_id \
         AND m.tenant_id = ",
    );
    pieces.id(tenant).sql(") ");
    own(pieces, holders);
    pieces.sql(
        " UNION ALL SELECT 3, above.holder_id, above.group_id, gr.division_id, g.display, NULL, NULL, \
         above.enabled, above.direct, gr.role_id FROM above CROSS JOIN \"groups\" AS g \
         LEFT JOIN grants AS gr ON gr.tenant_id = g.tenant_id AND gr.subject_id = g.id \
         WHERE g.id = above.group_id AND g.tenant_id = ",
    );
    pieces.id(tenant);
}

fn statement(tenant: Uuid, holders: &[Uuid], is_flat: bool) -> Pieces {
    let mut pieces = Pieces::default();
    if !is_flat {
        upwards(&mut pieces, tenant, Holders::Of(tenant, holders));
        return pieces;
    }
    if !LATERAL || holders.len() == 1 {
        flat(&mut pieces, Holders::Of(tenant, holders));
        return pieces;
    }
    pieces.sql("SELECT held.* FROM ");
    DIALECT.ids(&mut pieces, holders);
    pieces.sql(" AS holder CROSS JOIN LATERAL (");
    flat(&mut pieces, Holders::Each(tenant));
    pieces.sql(") AS held");
    pieces
}

/// What the resource of a row holds where no group is in another, as a column beside it: it spares the
/// way to PostgreSQL and back.
pub(super) fn of_resource(pieces: &mut Pieces) {
    pieces.sql(", (SELECT json_agg(held)::text FROM (");
    flat(pieces, Holders::Resource);
    pieces.sql(") AS held) AS holdings");
}

/// Reads what [`of_resource`] found.
///
/// # Errors
/// It holds what nobody writes.
pub(super) fn read(found: Option<&str>) -> StorageResult<Holdings> {
    let rows = found.map_or(Ok(Vec::new()), serde_json::from_str);
    holdings(rows.map_err(|error| StorageError::Failed(error.into()))?)
}

/// Joins what a table has of the group of a membership `m`, by its key.
fn of_group(join: &str, table: &str, alias: &str, key: &str) -> String {
    if LATERAL {
        return format!(
            " {join} LATERAL (SELECT * FROM {table} AS one WHERE one.tenant_id = m.tenant_id \
             AND one.{key} = m.group_id OFFSET 0) AS {alias} ON TRUE"
        );
    }
    format!(
        " {join} {table} AS {alias} ON {alias}.tenant_id = m.tenant_id \
         AND {alias}.{key} = m.group_id"
    )
}

/// The division as a key, zero for all.
pub(super) fn scope_id(division: DivisionScope) -> Id {
    match division {
        DivisionScope::All => Id(Uuid::nil()),
        DivisionScope::One(id) => Id(id),
    }
}

fn scope(division: Option<Id>) -> DivisionScope {
    division.map_or(DivisionScope::All, |id| DivisionScope::One(id.0))
}

fn skill(row: &HeldRow) -> StorageResult<(Uuid, SkillAssignment)> {
    let proficiency = u8::try_from(row.number).ok().and_then(Proficiency::of_tenths);
    let proficiency = proficiency
        .ok_or_else(|| StorageError::Failed(format!("proficiency {}", row.number).into()))?;
    let skill = SkillAssignment { skill: row.held_id.0, proficiency, active: row.flag };
    Ok((row.holder_id.0, skill))
}

fn grant(row: HeldRow) -> Grant {
    Grant {
        subject: row.holder_id.0,
        role: row.held_id.0,
        division: scope(row.division_id),
        source: row.label.unwrap_or_default(),
        granted: row.since.map_or(Timestamp::UNIX_EPOCH, |at| at.0),
        dormant: row.flag,
        primary: row.number == 1,
        purge_at: row.until.map(|at| at.0),
    }
}

/// A way from a holder to a group.
struct Way {
    holder: Uuid,
    group: Uuid,
    name: String,
    enabled: bool,
    direct: bool,
    /// A role that the group gives, if it gives any.
    gives: Option<(Uuid, DivisionScope)>,
}

impl Way {
    fn of(row: HeldRow) -> Self {
        let division = scope(row.division_id);
        Self {
            holder: row.holder_id.0,
            group: row.held_id.0,
            name: row.label.unwrap_or_default(),
            enabled: row.flag,
            direct: row.number == 1,
            gives: row.role_id.map(|role| (role.0, division)),
        }
    }
}

fn holdings(rows: Vec<HeldRow>) -> StorageResult<Holdings> {
    let mut held = Holdings::default();
    let mut ways = Vec::new();
    for row in rows {
        match row.part {
            GRANT => held.grants.push(grant(row)),
            SKILL => held.skills.push(skill(&row)?),
            GROUP => ways.push(Way::of(row)),
            part => return Err(StorageError::Failed(format!("part {part}").into())),
        }
    }
    held.grants.sort_by_key(|one| (one.subject, one.role, scope_id(one.division).0));
    held.skills.sort_by_key(|(user, skill)| (*user, skill.skill));
    held.inherited = inherited(&ways);
    held.groups = groups(ways);
    Ok(held)
}

/// Who is in a group and in another within it is in it directly.
fn groups(mut ways: Vec<Way>) -> Vec<GroupOf> {
    ways.sort_by_key(|way| (way.holder, way.group, !way.direct));
    ways.dedup_by_key(|way| (way.holder, way.group));
    let group = |way: Way| GroupOf {
        user: way.holder,
        group: way.group,
        display: way.name,
        direct: way.direct,
    };
    ways.into_iter().map(group).collect()
}

/// Of several ways to a group one that confers counts.
fn inherited(ways: &[Way]) -> Vec<InheritedGrant> {
    let conferred = |way: &Way| {
        let (role, division) = way.gives?;
        Some(InheritedGrant {
            user: way.holder,
            group: way.group,
            group_name: way.name.clone(),
            enabled: way.enabled,
            role,
            division,
        })
    };
    let key = |one: &InheritedGrant| (one.user, one.role, scope_id(one.division).0, one.group);
    let mut found: Vec<InheritedGrant> = ways.iter().filter_map(conferred).collect();
    found.sort_by_key(|one| (key(one), !one.enabled));
    found.dedup_by_key(|one| key(one));
    found
}

impl Session {
    /// What these hold; each of a kind in the order of its holder and identifier.
    pub(super) fn holdings(
        &mut self,
        tenant: Uuid,
        holders: &[Uuid],
    ) -> StorageResult<Arc<Holdings>> {
        if let Some(known) = self.view.holdings(tenant, holders) {
            return Ok(known);
        }
        // To ask whether it must recur takes less than to recur.
        self.catalogue_version(tenant)?;
        let statement = statement(tenant, holders, self.view.is_flat(tenant));
        let rows = Statement::fixed(statement).load::<HeldRow>(self.conn()?);
        let held = Arc::new(holdings(rows.map_err(failed)?)?);
        self.view.keep_holdings(tenant, holders, &held);
        Ok(held)
    }
}
