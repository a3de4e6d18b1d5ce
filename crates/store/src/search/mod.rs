//! From a resolved filter to SQL.
//!
//! [`condition`] and [`Order`] turn what `scim-protocol` resolved into pieces of SQL text and
//! values to bind: text comes from schema data and from here, never from a client; what a client
//! sent is always bound. [`place`] is the table of where each attribute is kept; an attribute
//! that has no column of its own is searched in the `search` document.
//!
//! Two rules keep it fast and right: a multi-valued attribute with a table of its own becomes
//! `id IN (SELECT …)`, never a correlated EXISTS; and `sw` becomes a range, which an index serves. What
//! no range finds, a part of a name, is [`part`]'s.

mod compile;
mod dialect;
mod effective;
mod lookup;
mod nesting;
mod order;
mod part;
mod place;
mod value;

pub(crate) use compile::condition;
pub(crate) use dialect::{Dialect, Postgres, Sqlite};
pub(crate) use lookup::{finds_one, is_look_up};
pub(crate) use order::Order;
pub(crate) use part::{NEXT_FEW, index_of_part, is_in_index};
pub(crate) use place::Table;

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use crate::types::{Id, Json, JsonText, SearchJson, Stamp};

/// Part of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// SQL text.
    Sql(Cow<'static, str>),
    /// A value to bind.
    Bind(Bind),
}

/// A value to bind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bind {
    Text(String),
    Boolean(bool),
    Integer(i64),
    Decimal(f64),
    Id(Id),
    Stamp(Stamp),
    Bytes(Vec<u8>),
    /// Text, if there is any.
    Maybe(Option<String>),
    /// A boolean, if there is one.
    Perhaps(Option<bool>),
    /// An instant, if there is one.
    MaybeStamp(Option<Stamp>),
    /// An identifier, if there is one.
    MaybeId(Option<Id>),
    /// What is kept of a resource.
    Document(Json),
    /// JSON that is written already.
    Written(JsonText),
    /// The same as it is compared.
    Search(SearchJson),
}

/// Values of a row, by the names of their columns.
pub(crate) type Columns = Vec<(&'static str, Bind)>;

/// A statement, or part of one, that is being written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pieces(pub(crate) Vec<Piece>);

impl Pieces {
    /// Binds an instant wherever the text has `{now}`.
    pub(crate) fn at(&mut self, now: Timestamp) {
        for piece in std::mem::take(&mut self.0) {
            match piece {
                Piece::Sql(text) if text.contains("{now}") => self.sql_at(&text, now),
                piece => self.0.push(piece),
            }
        }
    }

    fn sql_at(&mut self, text: &str, now: Timestamp) {
        for (at, part) in text.split("{now}").enumerate() {
            if at > 0 {
                self.bind(Bind::Stamp(Stamp(now)));
            }
            self.sql(part.to_owned());
        }
    }

    /// Appends SQL text. Most of it is there already, and is not copied.
    pub(crate) fn sql(&mut self, text: impl Into<Cow<'static, str>>) -> &mut Self {
        self.0.push(Piece::Sql(text.into()));
        self
    }

    /// Appends columns that are set to values: `name = value, name = value`.
    pub(crate) fn assign(
        &mut self,
        columns: impl IntoIterator<Item = (&'static str, Bind)>,
    ) -> &mut Self {
        for (at, (name, value)) in columns.into_iter().enumerate() {
            self.sql(if at == 0 { "" } else { ", " }).sql(name).sql(" = ").bind(value);
        }
        self
    }

    /// The INSERT of rows that all have the same columns.
    pub(crate) fn insert(table: &'static str, rows: impl IntoIterator<Item = Columns>) -> Self {
        let mut rows = rows.into_iter().peekable();
        let mut pieces = Self::insert_into(table, rows.peek().into_iter().flatten());
        for (at, row) in rows.enumerate() {
            pieces.sql(if at == 0 { " VALUES " } else { "), " });
            for (at, (_, value)) in row.into_iter().enumerate() {
                pieces.sql(if at == 0 { "(" } else { ", " }).bind(value);
            }
        }
        pieces.sql(")");
        pieces
    }

    fn insert_into<'a>(
        table: &'static str,
        columns: impl IntoIterator<Item = &'a (&'static str, Bind)>,
    ) -> Self {
        let mut pieces = Self::default();
        pieces.sql("INSERT INTO ").sql(table).sql(" (");
        for (at, (name, _)) in columns.into_iter().enumerate() {
            pieces.sql(if at == 0 { "" } else { ", " }).sql(*name);
        }
        pieces.sql(")");
        pieces
    }

    /// Appends a value.
    pub(crate) fn bind(&mut self, value: Bind) -> &mut Self {
        self.0.push(Piece::Bind(value));
        self
    }

    /// Appends an identifier.
    pub(crate) fn id(&mut self, id: Uuid) -> &mut Self {
        self.bind(Bind::Id(Id(id)))
    }

    /// Appends identifiers, with commas between them.
    pub(crate) fn ids(&mut self, ids: &[Uuid]) -> &mut Self {
        for (at, id) in ids.iter().enumerate() {
            self.sql(if at == 0 { "" } else { ", " }).id(*id);
        }
        self
    }

    /// Appends other pieces.
    pub(crate) fn extend(&mut self, other: Self) -> &mut Self {
        self.0.extend(other.0);
        self
    }
}
