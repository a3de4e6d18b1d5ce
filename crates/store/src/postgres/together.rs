//! The same question of several units of work in one statement: their values are the rows of a table
//! beside which the question stands. One way to PostgreSQL and back serves all, and each table is
//! opened once: of eight together each takes a third of what it takes alone.

use std::mem::discriminant;

use accounts::StorageResult;
use diesel::deserialize::{self, QueryableByName};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::row::NamedRow;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};

use super::catalogue::WithTenant;
use super::resources::{self, Row, TWO};
use super::statement::AccountRow;
use super::values::Values;
use super::{Conn, Db, Session};
use crate::error::failed;
use crate::look_up::{By, Found, LookUp};
use crate::query::run_by_its_text;
use crate::search::{Bind, Piece, Pieces, Table};

/// A row of an account with what comes with it.
type Whole = WithTenant<AccountRow>;

impl Session {
    /// Asks what several units of work look up first: what each finds. None for a question that nobody
    /// else asks in the same words, or that cannot be asked, which the unit will be told itself.
    pub(crate) fn look_up(&mut self, wanted: &[&LookUp]) -> StorageResult<Vec<Option<Found>>> {
        let mut found: Vec<Option<Found>> = wanted.iter().map(|_| None).collect();
        let mut kinds: Vec<(Same, Vec<usize>)> = Vec::new();
        for (at, pieces) in wanted.iter().map(|one| question(one)).enumerate() {
            let Ok(pieces) = pieces else { continue };
            match kinds.iter_mut().find(|(same, _)| same.has_words_of(&pieces)) {
                Some((same, askers)) => {
                    same.add(pieces);
                    askers.push(at);
                }
                None => kinds.extend(Same::new(pieces).map(|same| (same, vec![at]))),
            }
        }
        for (same, askers) in kinds.into_iter().filter(|(_, askers)| askers.len() > 1) {
            for asker in &askers {
                found[*asker] = Some(Found::new());
            }
            for row in same.load::<Numbered>(self.conn()?).map_err(failed)? {
                let asker = usize::try_from(row.asked - 1).ok().and_then(|at| askers.get(at));
                let Some(of) = asker.and_then(|asker| found[*asker].as_mut()) else { continue };
                of.push(row.whole.read()?);
            }
        }
        Ok(found)
    }
}

fn question(look_up: &LookUp) -> StorageResult<Pieces> {
    let LookUp { scope, by } = look_up;
    match by {
        By::Id(id) => Ok(resources::by_id::<Whole>(Table::Users, *scope, *id)),
        By::Filter(query) => resources::by_filter::<Whole>(Table::Users, *scope, query),
    }
}

/// A row, and as which of the questions it was asked for, from 1.
struct Numbered {
    asked: i64,
    whole: Whole,
}

impl QueryableByName<Db> for Numbered {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> deserialize::Result<Self> {
        let asked = NamedRow::get::<BigInt, _>(row, "asked")?;
        Ok(Self { asked, whole: Whole::build(row)? })
    }
}

/// Questions in the same words.
struct Same {
    /// The first of them, whose words are everybody's.
    words: Pieces,
    values: Vec<Values>,
}

impl Same {
    /// Only what is looked up by has its place in a table: a limit has none.
    fn new(first: Pieces) -> Option<Self> {
        let looked_up = |value| matches!(value, &(Bind::Text(_) | Bind::Id(_) | Bind::Stamp(_)));
        if !binds(&first).all(looked_up) {
            return None;
        }
        let values = binds(&first).cloned().map(Values::begin).collect();
        Some(Self { words: first, values })
    }

    fn has_words_of(&self, other: &Pieces) -> bool {
        self.words.0.len() == other.0.len()
            && self.words.0.iter().zip(&other.0).all(|pieces| match pieces {
                (Piece::Sql(one), Piece::Sql(other)) => one == other,
                (Piece::Bind(one), Piece::Bind(other)) => discriminant(one) == discriminant(other),
                _ => false,
            })
    }

    fn add(&mut self, question: Pieces) {
        let binds = question.0.into_iter().filter_map(|piece| match piece {
            Piece::Bind(value) => Some(value),
            Piece::Sql(_) => None,
        });
        for (values, value) in self.values.iter_mut().zip(binds) {
            values.push(value);
        }
    }
}

fn binds(pieces: &Pieces) -> impl Iterator<Item = &Bind> {
    pieces.0.iter().filter_map(|piece| match piece {
        Piece::Bind(value) => Some(value),
        Piece::Sql(_) => None,
    })
}

impl QueryFragment<Db> for Same {
    /// The limit keeps the planner from making one join of all, whose order it would choose by how
    /// many rows it believes there are. And where it sees how many values there are, it makes a plan for
    /// just so many each time, which takes longer than what is looked up.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        out.push_sql("SELECT asking.asked, found.* FROM unnest(");
        for (at, values) in self.values.iter().enumerate() {
            out.push_sql(if at == 0 { "(SELECT " } else { "), (SELECT " });
            values.walk_ast(out.reborrow())?;
        }
        out.push_sql(")) WITH ORDINALITY AS asking (");
        for at in 0..self.values.len() {
            out.push_sql(&format!("value_{at}, "));
        }
        out.push_sql("asked) CROSS JOIN LATERAL (");
        let mut at = 0;
        for piece in &self.words.0 {
            match piece {
                Piece::Sql(text) => out.push_sql(text),
                Piece::Bind(_) => {
                    out.push_sql(&format!("asking.value_{at}"));
                    at += 1;
                }
            }
        }
        out.push_sql(TWO);
        out.push_sql(") AS found");
        Ok(())
    }
}

run_by_its_text!(Same, Conn);
