//! From a resolved filter to SQL.
//!
//! [`condition`] and [`Order`] turn what `scim-protocol` resolved into pieces of SQL text and
//! values to bind: text comes from schema data and from here, never from a client; what a client
//! sent is always bound. [`place`] is the table of where each attribute is kept; an attribute
//! that has no column of its own is searched in the `search` document.
//!
//! Two rules keep it fast and right: a multi-valued attribute with a table of its own becomes
//! `id IN (SELECT …)`, never a correlated EXISTS; and `sw` becomes a range, which an index serves.

mod compile;
mod dialect;
mod effective;
mod lookup;
mod nesting;
mod order;
mod place;
mod value;

pub(crate) use compile::condition;
pub(crate) use dialect::{Dialect, Postgres, Sqlite};
pub(crate) use lookup::{finds_one, is_look_up};
pub(crate) use order::Order;
pub(crate) use place::Table;

use jiff::Timestamp;
use uuid::Uuid;

use crate::types::{Id, Json, SearchJson, Stamp};

/// Part of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// SQL text.
    Sql(String),
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
    /// The same as it is compared.
    Search(SearchJson),
}

/// A statement, or part of one, that is being written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pieces(pub(crate) Vec<Piece>);

impl Pieces {
    /// Binds an instant wherever the text has `{now}`.
    pub(crate) fn at(&mut self, now: Timestamp) {
        let is_open = |piece: &Piece| matches!(piece, Piece::Sql(text) if text.contains("{now}"));
        if !self.0.iter().any(is_open) {
            return;
        }
        for piece in std::mem::take(&mut self.0) {
            let Piece::Sql(text) = piece else {
                self.0.push(piece);
                continue;
            };
            for (at, part) in text.split("{now}").enumerate() {
                if at > 0 {
                    self.bind(Bind::Stamp(Stamp(now)));
                }
                self.sql(part);
            }
        }
    }

    /// Appends SQL text.
    pub(crate) fn sql(&mut self, text: impl AsRef<str>) -> &mut Self {
        match self.0.last_mut() {
            Some(Piece::Sql(last)) => last.push_str(text.as_ref()),
            _ => self.0.push(Piece::Sql(text.as_ref().to_owned())),
        }
        self
    }

    /// Appends columns that are set to values: `name = value, name = value`.
    pub(crate) fn assign<const N: usize>(&mut self, columns: [(&str, Bind); N]) -> &mut Self {
        for (at, (name, value)) in columns.into_iter().enumerate() {
            self.sql(if at == 0 { "" } else { ", " }).sql(name).sql(" = ").bind(value);
        }
        self
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
        for piece in other.0 {
            match piece {
                Piece::Sql(text) => self.sql(text),
                Piece::Bind(value) => self.bind(value),
            };
        }
        self
    }
}
