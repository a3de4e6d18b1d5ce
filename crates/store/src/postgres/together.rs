//! The same question of several units of work in one statement: their values are the rows of a table
//! beside which the question stands. One way to PostgreSQL and back serves all, and each table is
//! opened once: of eight together each takes a third of what it takes alone.

use accounts::StorageResult;
use diesel::deserialize::{self, QueryableByName};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::NamedRow;
use diesel::sql_types::{Array, BigInt, Text, Untyped};
use diesel::{QueryResult, RunQueryDsl};

use super::catalogue::WithTenant;
use super::resources::{self, Row, TWO};
use super::statement::AccountRow;
use super::{Conn, Db, Session};
use crate::error::failed;
use crate::look_up::{By, Found, LookUp};
use crate::search::{Bind, Piece, Pieces, Table};
use crate::types::{Guid, Id, Instant, Stamp};

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

/// The values of one place in all of the questions.
enum Values {
    Texts(Vec<String>),
    Ids(Vec<Id>),
    Stamps(Vec<Stamp>),
}

impl Values {
    /// Values of the type of the first; only of types by which one looks up.
    fn begin(first: &Bind) -> Option<Self> {
        match first {
            Bind::Text(_) => Some(Self::Texts(Vec::new())),
            Bind::Id(_) => Some(Self::Ids(Vec::new())),
            Bind::Stamp(_) => Some(Self::Stamps(Vec::new())),
            _ => None,
        }
    }

    fn is_of(&self, value: &Bind) -> bool {
        matches!(
            (self, value),
            (Self::Texts(_), Bind::Text(_))
                | (Self::Ids(_), Bind::Id(_))
                | (Self::Stamps(_), Bind::Stamp(_))
        )
    }

    fn push(&mut self, value: Bind) {
        match (self, value) {
            (Self::Texts(all), Bind::Text(text)) => all.push(text),
            (Self::Ids(all), Bind::Id(id)) => all.push(id),
            (Self::Stamps(all), Bind::Stamp(at)) => all.push(at),
            // `is_of` was asked before.
            _ => {}
        }
    }
}

/// Questions in the same words.
struct Same {
    /// The first of them, whose words are everybody's.
    words: Pieces,
    values: Vec<Values>,
}

impl Same {
    fn new(first: Pieces) -> Option<Self> {
        let values = binds(&first).map(Values::begin).collect::<Option<_>>()?;
        let mut same = Self { words: first.clone(), values };
        same.add(first);
        Some(same)
    }

    fn has_words_of(&self, other: &Pieces) -> bool {
        let mut values = self.values.iter();
        self.words.0.len() == other.0.len()
            && self.words.0.iter().zip(&other.0).all(|pieces| match pieces {
                (Piece::Sql(one), Piece::Sql(other)) => one == other,
                (Piece::Bind(_), Piece::Bind(value)) => {
                    values.next().is_some_and(|values| values.is_of(value))
                }
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
            match values {
                Values::Texts(all) => {
                    out.push_bind_param::<Array<Text>, _>(all)?;
                    out.push_sql("::text[]");
                }
                Values::Ids(all) => {
                    out.push_bind_param::<Array<Guid>, _>(all)?;
                    out.push_sql("::uuid[]");
                }
                Values::Stamps(all) => {
                    out.push_bind_param::<Array<Instant>, _>(all)?;
                    out.push_sql("::timestamptz[]");
                }
            }
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

impl QueryId for Same {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Same {
    type SqlType = Untyped;
}

impl RunQueryDsl<Conn> for Same {}
