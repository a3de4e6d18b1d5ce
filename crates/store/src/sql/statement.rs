//! Statements that are put together at run time, as diesel queries.

use diesel::QueryableByName;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};

use super::{Conn, Db};
use crate::query::run_by_its_text;
use crate::search::{Bind, Piece, Pieces};
use crate::types::{Document, Guid, Id, Instant, Json, Search, Stamp};

/// Values of a statement whose texts are few enough to be kept.
const FEW: usize = 8;

/// A statement made of pieces.
pub(crate) struct Statement {
    pieces: Pieces,
    /// Whether its text is one of a few, so that preparing it once pays. The texts of filters are
    /// the client's choice, and would let it choose how much memory the cache takes.
    cached: bool,
}

impl Statement {
    pub(crate) fn fixed(pieces: Pieces) -> Self {
        Self { pieces, cached: true }
    }

    /// Of a text that depends on how many values it has: prepared once if they are few.
    pub(crate) fn of_some(pieces: Pieces, values: usize) -> Self {
        Self { pieces, cached: values <= FEW }
    }

    pub(crate) fn dynamic(pieces: Pieces) -> Self {
        Self { pieces, cached: false }
    }
}

impl QueryFragment<Db> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        for piece in &self.pieces.0 {
            match piece {
                Piece::Sql(text) => out.push_sql(text),
                Piece::Bind(Bind::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Piece::Bind(Bind::Boolean(truth)) => out.push_bind_param::<Bool, _>(truth)?,
                Piece::Bind(Bind::Integer(number)) => out.push_bind_param::<BigInt, _>(number)?,
                Piece::Bind(Bind::Decimal(number)) => out.push_bind_param::<Double, _>(number)?,
                Piece::Bind(Bind::Id(id)) => out.push_bind_param::<Guid, _>(id)?,
                Piece::Bind(Bind::Stamp(at)) => out.push_bind_param::<Instant, _>(at)?,
                Piece::Bind(Bind::Bytes(bytes)) => out.push_bind_param::<Binary, _>(bytes)?,
                Piece::Bind(Bind::Maybe(text)) => {
                    out.push_bind_param::<Nullable<Text>, _>(text)?;
                }
                Piece::Bind(Bind::MaybeStamp(at)) => {
                    out.push_bind_param::<Nullable<Instant>, _>(at)?;
                }
                Piece::Bind(Bind::MaybeId(id)) => out.push_bind_param::<Nullable<Guid>, _>(id)?,
                Piece::Bind(Bind::Document(json)) => out.push_bind_param::<Document, _>(json)?,
                Piece::Bind(Bind::Written(json)) => out.push_bind_param::<Document, _>(json)?,
                Piece::Bind(Bind::Search(json)) => out.push_bind_param::<Search, _>(json)?,
                Piece::Bind(Bind::Perhaps(truth)) => {
                    out.push_bind_param::<Nullable<Bool>, _>(truth)?;
                }
            }
        }
        Ok(())
    }
}

run_by_its_text!(Statement, Conn);

/// A row of users or groups.
#[derive(QueryableByName)]
pub(crate) struct ResourceRow {
    #[diesel(sql_type = Guid)]
    pub(crate) id: Id,
    #[diesel(sql_type = BigInt)]
    pub(crate) version: i64,
    #[diesel(sql_type = Instant)]
    pub(crate) created_at: Stamp,
    #[diesel(sql_type = Instant)]
    pub(crate) modified_at: Stamp,
    #[diesel(sql_type = Document)]
    pub(crate) document: Json,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) external_id: Option<String>,
}

/// A row of accounts, besides what every resource has.
#[derive(QueryableByName)]
pub(crate) struct AccountRow {
    #[diesel(embed)]
    pub(crate) resource: ResourceRow,
    #[diesel(sql_type = Text)]
    pub(crate) license_tier: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) pending_tier: Option<String>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) seat_since: Option<Stamp>,
    #[diesel(sql_type = Guid)]
    pub(crate) division_id: Id,
    #[diesel(sql_type = Nullable<Guid>)]
    pub(crate) capacity_rule_id: Option<Id>,
    #[diesel(sql_type = Bool)]
    pub(crate) is_agent: bool,
    #[diesel(sql_type = Bool)]
    pub(crate) is_employee_number_unique: bool,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) activated_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) activation_sent_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) activation_expires_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) deactivated_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) locked_until: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) last_login: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) deleted_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Instant>)]
    pub(crate) erased_at: Option<Stamp>,
}

/// A row of groups, besides what every resource has.
#[derive(QueryableByName)]
pub(crate) struct GroupStandingRow {
    #[diesel(embed)]
    pub(crate) resource: ResourceRow,
    #[diesel(sql_type = Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = Bool)]
    pub(crate) enabled: bool,
    #[diesel(sql_type = Nullable<Guid>)]
    pub(crate) capacity_rule_id: Option<Id>,
    #[diesel(sql_type = Integer)]
    pub(crate) priority: i32,
}

/// The result of counting.
#[derive(QueryableByName)]
pub(crate) struct CountRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) total: i64,
}

/// An identifier alone.
#[derive(QueryableByName)]
pub(crate) struct IdRow {
    #[diesel(sql_type = Guid)]
    pub(crate) id: Id,
}

/// A user or group that holds a role.
#[derive(QueryableByName)]
pub(crate) struct HolderRow {
    #[diesel(sql_type = Guid)]
    pub(crate) subject_id: Id,
    #[diesel(sql_type = Bool)]
    pub(crate) is_group: bool,
}

/// How many hold a role and are enabled, and how many of them have been activated.
#[derive(QueryableByName)]
pub(crate) struct HoldersRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) enabled: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) activated: i64,
}

/// The seats of a pool.
#[derive(QueryableByName)]
pub(crate) struct SeatsRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) used: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) free: i64,
}

/// What was said of a person, or somebody who has a manager.
#[derive(QueryableByName)]
pub(crate) struct DependencyRow {
    #[diesel(sql_type = Guid)]
    pub(crate) user_id: Id,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) reference: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) disposition: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) manager: Option<String>,
}

/// A link that is to be mailed.
#[derive(QueryableByName)]
pub(crate) struct DueLinkRow {
    #[diesel(sql_type = Guid)]
    pub(crate) tenant_id: Id,
    #[diesel(sql_type = Guid)]
    pub(crate) user_id: Id,
    #[diesel(sql_type = Text)]
    pub(crate) purpose: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
}
