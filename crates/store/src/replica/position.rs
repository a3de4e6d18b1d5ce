//! How far a primary and a replica are.

use std::sync::Arc;

use accounts::{StorageError, StorageResult};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};

use crate::error::failed;
use crate::lane::unavailable;
use crate::postgres::{Conn, Statement, bound_statements, open};
use crate::search::Pieces;

/// The system identifier is made by initdb and shared by all copies.
const ORIGIN: &str = "SELECT system_identifier AS system, current_database()::text AS database \
     FROM pg_control_system()";

/// What was flushed, which has every commit that was acknowledged, and is what replicas are sent. The
/// position of the last insertion would be right too, but nobody may flush what is between for long -
/// the pruning of a page, say - and a replica would be waited for in vain. Only where commits are
/// acknowledged before they are flushed it has to be that.
const POSITION: &str = "SELECT ('x' || substr(pg_walfile_name(lsn), 1, 8))::bit(32)::int AS timeline, \
     (lsn - '0/0')::bigint AS lsn \
     FROM (SELECT CASE current_setting('synchronous_commit') WHEN 'off' \
     THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS lsn) AS reached";

/// The timeline that is streamed can only be one into which all that was replayed leads. It is shown to
/// roles with `pg_read_all_stats`; to others, and while nothing is streamed, it is the one that the
/// control file has, which is written after a failover when as much as that was replayed.
const STANDING: &str = "SELECT pg_is_in_recovery() AS follows, \
     coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint AS replayed, \
     coalesce((SELECT received_tli FROM pg_stat_wal_receiver), \
     (SELECT greatest(timeline_id, min_recovery_end_timeline) \
     FROM pg_control_checkpoint(), pg_control_recovery())) AS timeline";

/// What a connection is to: a database of a system, of which there are copies.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(super) struct Origin {
    #[diesel(sql_type = BigInt)]
    system: i64,
    #[diesel(sql_type = Text)]
    database: String,
}

/// How far a primary has written its log.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) origin: Arc<Origin>,
    /// Positions of one timeline can be compared, those of two cannot.
    pub(super) timeline: i32,
    /// In bytes since the beginning.
    pub(super) lsn: i64,
}

#[derive(QueryableByName)]
struct PositionRow {
    #[diesel(sql_type = Integer)]
    timeline: i32,
    #[diesel(sql_type = BigInt)]
    lsn: i64,
}

/// How far a replica is.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(super) struct Standing {
    /// Whether it is one.
    #[diesel(sql_type = Bool)]
    pub(super) follows: bool,
    #[diesel(sql_type = BigInt)]
    pub(super) replayed: i64,
    #[diesel(sql_type = Integer)]
    pub(super) timeline: i32,
}

fn statement(text: &'static str) -> Statement {
    let mut pieces = Pieces::default();
    pieces.sql(text);
    Statement::fixed(pieces)
}

/// What a connection is to.
pub(super) fn origin(conn: &mut Conn) -> StorageResult<Origin> {
    statement(ORIGIN).get_result(conn).map_err(failed)
}

/// How far the replica is to which this is a connection.
pub(super) fn standing(conn: &mut Conn) -> StorageResult<Standing> {
    statement(STANDING).get_result(conn).map_err(failed)
}

/// A connection to a primary that is asked for its position and nothing else.
pub(super) struct Primary {
    url: String,
    conn: Option<(Conn, Arc<Origin>)>,
}

impl Primary {
    /// A connection that is made when it is first needed.
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), conn: None }
    }

    /// How far the primary is now; on a connection that broke while it was idle, or to a server that is
    /// none any more, on a new one.
    pub(super) fn position(&mut self) -> StorageResult<Position> {
        let was_there = self.conn.is_some();
        match self.ask() {
            Err(_) if was_there => self.ask(),
            position => position,
        }
    }

    fn ask(&mut self) -> StorageResult<Position> {
        let (mut conn, origin) = match self.conn.take() {
            Some(there) => there,
            None => connect(&self.url)?,
        };
        let row = statement(POSITION).get_result::<PositionRow>(&mut conn).map_err(failed)?;
        self.conn = Some((conn, Arc::clone(&origin)));
        Ok(Position { origin, timeline: row.timeline, lsn: row.lsn })
    }
}

fn connect(url: &str) -> StorageResult<(Conn, Arc<Origin>)> {
    let opened = open(url).and_then(|mut conn| {
        bound_statements(&mut conn)?;
        Ok(conn)
    });
    let mut conn = opened.map_err(|error| -> StorageError { unavailable(&error.to_string()) })?;
    let origin = origin(&mut conn)?;
    Ok((conn, Arc::new(origin)))
}
