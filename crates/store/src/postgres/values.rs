//! Values of one kind as an array, so that a statement about many rows has the same text however many
//! they are: each connection prepares it once, and its plan has one table instead of as many values.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::{Conn, Db};
use crate::query::run_by_its_text;
use crate::search::{Bind, Columns};
use crate::types::{Document, Guid, Id, Instant, Json, JsonText, Search, SearchJson, Stamp};

/// The values of one place of a statement, in each of the rows that it is about.
pub(super) enum Values {
    Texts(Vec<Option<String>>),
    Booleans(Vec<Option<bool>>),
    Integers(Vec<i64>),
    Decimals(Vec<f64>),
    Ids(Vec<Option<Id>>),
    Stamps(Vec<Option<Stamp>>),
    Bytes(Vec<Vec<u8>>),
    Documents(Vec<Json>),
    Written(Vec<JsonText>),
    Searched(Vec<SearchJson>),
}

impl Values {
    /// A first value, whose kind those of the others are to have.
    pub(super) fn begin(first: Bind) -> Self {
        let mut values = match first {
            Bind::Text(_) | Bind::Maybe(_) => Self::Texts(Vec::new()),
            Bind::Boolean(_) | Bind::Perhaps(_) => Self::Booleans(Vec::new()),
            Bind::Integer(_) => Self::Integers(Vec::new()),
            Bind::Decimal(_) => Self::Decimals(Vec::new()),
            Bind::Id(_) | Bind::MaybeId(_) => Self::Ids(Vec::new()),
            Bind::Stamp(_) | Bind::MaybeStamp(_) => Self::Stamps(Vec::new()),
            Bind::Bytes(_) => Self::Bytes(Vec::new()),
            Bind::Document(_) => Self::Documents(Vec::new()),
            Bind::Written(_) => Self::Written(Vec::new()),
            Bind::Search(_) => Self::Searched(Vec::new()),
        };
        values.push(first);
        values
    }

    /// Adds a value; whether it is of the same kind.
    pub(super) fn push(&mut self, value: Bind) -> bool {
        match (self, value) {
            (Self::Texts(all), Bind::Text(text)) => all.push(Some(text)),
            (Self::Texts(all), Bind::Maybe(text)) => all.push(text),
            (Self::Booleans(all), Bind::Boolean(truth)) => all.push(Some(truth)),
            (Self::Booleans(all), Bind::Perhaps(truth)) => all.push(truth),
            (Self::Integers(all), Bind::Integer(number)) => all.push(number),
            (Self::Decimals(all), Bind::Decimal(number)) => all.push(number),
            (Self::Ids(all), Bind::Id(id)) => all.push(Some(id)),
            (Self::Ids(all), Bind::MaybeId(id)) => all.push(id),
            (Self::Stamps(all), Bind::Stamp(at)) => all.push(Some(at)),
            (Self::Stamps(all), Bind::MaybeStamp(at)) => all.push(at),
            (Self::Bytes(all), Bind::Bytes(bytes)) => all.push(bytes),
            (Self::Documents(all), Bind::Document(json)) => all.push(json),
            (Self::Written(all), Bind::Written(json)) => all.push(json),
            (Self::Searched(all), Bind::Search(json)) => all.push(json),
            _ => return false,
        }
        true
    }
}

impl QueryFragment<Db> for Values {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let of = match self {
            Self::Texts(all) => {
                out.push_bind_param::<Array<Nullable<Text>>, _>(all)?;
                "::text[]"
            }
            Self::Booleans(all) => {
                out.push_bind_param::<Array<Nullable<Bool>>, _>(all)?;
                "::boolean[]"
            }
            Self::Integers(all) => {
                out.push_bind_param::<Array<BigInt>, _>(all)?;
                "::bigint[]"
            }
            Self::Decimals(all) => {
                out.push_bind_param::<Array<Double>, _>(all)?;
                "::float8[]"
            }
            Self::Ids(all) => {
                out.push_bind_param::<Array<Nullable<Guid>>, _>(all)?;
                "::uuid[]"
            }
            Self::Stamps(all) => {
                out.push_bind_param::<Array<Nullable<Instant>>, _>(all)?;
                "::timestamptz[]"
            }
            Self::Bytes(all) => {
                out.push_bind_param::<Array<Binary>, _>(all)?;
                "::bytea[]"
            }
            Self::Documents(all) => {
                out.push_bind_param::<Array<Document>, _>(all)?;
                "::json[]"
            }
            Self::Written(all) => {
                out.push_bind_param::<Array<Document>, _>(all)?;
                "::json[]"
            }
            Self::Searched(all) => {
                out.push_bind_param::<Array<Search>, _>(all)?;
                "::jsonb[]"
            }
        };
        out.push_sql(of);
        Ok(())
    }
}

/// The INSERT of rows that all have the same columns.
struct Rows {
    table: &'static str,
    columns: Vec<(&'static str, Values)>,
}

impl Rows {
    /// None if there are no rows.
    ///
    /// # Errors
    /// If a row has other columns than the first.
    fn new(table: &'static str, rows: Vec<Columns>) -> QueryResult<Option<Self>> {
        let mut rows = rows.into_iter();
        let Some(first) = rows.next() else { return Ok(None) };
        let begin = |(name, value)| (name, Values::begin(value));
        let mut columns: Vec<_> = first.into_iter().map(begin).collect();
        for row in rows {
            let same = row.len() == columns.len()
                && row
                    .into_iter()
                    .zip(&mut columns)
                    .all(|((name, value), (known, values))| name == *known && values.push(value));
            if !same {
                let text = format!("the rows for {table} have different columns");
                return Err(Error::QueryBuilderError(text.into()));
            }
        }
        Ok(Some(Self { table, columns }))
    }
}

impl QueryFragment<Db> for Rows {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_sql(self.table);
        for (at, (name, _)) in self.columns.iter().enumerate() {
            out.push_sql(if at == 0 { " (" } else { ", " });
            out.push_sql(name);
        }
        out.push_sql(") SELECT * FROM unnest(");
        for (at, (_, values)) in self.columns.iter().enumerate() {
            out.push_sql(if at == 0 { "" } else { ", " });
            values.walk_ast(out.reborrow())?;
        }
        out.push_sql(")");
        Ok(())
    }
}

run_by_its_text!(Rows, Conn);

/// Inserts rows of a table that all have the same columns.
///
/// # Errors
/// PostgreSQL's.
pub(super) fn insert_all(
    conn: &mut Conn,
    table: &'static str,
    rows: Vec<Columns>,
) -> QueryResult<()> {
    let Some(rows) = Rows::new(table, rows)? else { return Ok(()) };
    rows.execute(conn).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_different_columns_are_no_statement() {
        let row = |name, value| vec![("id", Bind::Integer(1)), (name, value)];
        let text = |text: &str| Bind::Text(text.to_owned());
        let rows = |rows| Rows::new("t", rows).map(|rows| rows.map(|rows| rows.columns.len()));
        assert_eq!(rows(vec![]), Ok(None));
        let same = vec![row("a", text("x")), row("a", Bind::Maybe(None))];
        assert_eq!(rows(same), Ok(Some(2)));
        for other in [row("b", text("y")), row("a", Bind::Boolean(true)), vec![]] {
            let refused = rows(vec![row("a", text("x")), other]);
            assert!(matches!(refused, Err(Error::QueryBuilderError(_))));
        }
    }
}
