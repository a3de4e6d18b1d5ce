//! The few things that the databases spell differently in a search.

use std::fmt::Write;

use uuid::Uuid;

use super::{Bind, Pieces};

/// How a database spells it.
pub(crate) trait Dialect {
    /// Text at a path of a JSON document, or of no names in an element; null if there is none.
    fn json_text(&self, document: &str, path: &[&str]) -> String;
    /// A boolean at a path.
    fn json_boolean(&self, document: &str, path: &[&str]) -> String;
    /// A number at a path.
    fn json_number(&self, document: &str, path: &[&str]) -> String;
    /// Whether there is anything at a path.
    fn json_present(&self, document: &str, path: &[&str]) -> String;
    /// A FROM item with a row for each element of the list at a path: `element.value`,
    /// `element.position`.
    fn json_elements(&self, document: &str, path: &[&str]) -> String;
    /// Appends that text has a part.
    fn contains(&self, text: &str, part: &str, out: &mut Pieces);
    /// Appends that text has an ending, which is not empty.
    fn ends_with(&self, text: &str, ending: &str, out: &mut Pieces);
    /// Which index of a table is read, for a planner that may take a worse one.
    fn by_index(&self, name: &str) -> String;
    /// The number of rows that a statement finds. `in_index`: where an index alone has all that it
    /// asks for, that is read.
    fn count(&self, in_index: bool) -> &'static str;
    /// The text form of an identifier.
    fn id_text(&self, column: &str) -> String;
    /// The text form of an integer column.
    fn integer_text(&self, column: &str) -> String;
    /// Text that is in no column, to be ordered by code point.
    fn by_code_point(&self, text: &str) -> String;
    /// Appends that what is before is one of these identifiers, in a text that does not depend on
    /// how many they are, except for one.
    fn one_of(&self, pieces: &mut Pieces, ids: &[Uuid]) {
        match ids {
            [id] => pieces.sql(" = ").id(*id),
            ids => self.one_of_many(pieces, ids),
        };
    }
    /// Identifiers as rows whose column is `id`, in a text that does not depend on how many they are,
    /// except for one, which is planned once and for all.
    fn ids(&self, pieces: &mut Pieces, ids: &[Uuid]) {
        match ids {
            [id] => pieces.sql("(SELECT CAST(").id(*id).sql(self.id_type()).sql(") AS id)"),
            ids => self.many_ids(pieces, ids),
        };
    }
    /// The type of an identifier, as a cast ends.
    fn id_type(&self) -> &'static str;
    /// See [`Self::ids`].
    fn many_ids<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces;
    /// See [`Self::one_of`].
    fn one_of_many<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces;
}

/// Texts between commas.
fn listed(ids: &[Uuid], text: impl Fn(&Uuid) -> String) -> String {
    ids.iter().map(text).collect::<Vec<_>>().join(",")
}

/// A pattern of LIKE that stands for just this text.
fn literal(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut pattern, character| {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
        pattern
    })
}

/// SQLite.
pub(crate) struct Sqlite;

impl Sqlite {
    fn extract(document: &str, path: &[&str]) -> String {
        if path.is_empty() {
            // What `json_each` gives is no JSON any more.
            return document.to_owned();
        }
        format!("json_extract({document}, '{}')", Self::path(path))
    }

    /// Names are of schema data: letters, digits, `$`, `-`, `_`, `.` and `:`.
    fn path(path: &[&str]) -> String {
        path.iter().fold("$".to_owned(), |mut text, name| {
            let _ = write!(text, ".\"{name}\"");
            text
        })
    }
}

impl Dialect for Sqlite {
    fn one_of_many<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces {
        pieces.sql(" IN ");
        self.many_ids(pieces, ids)
    }

    fn id_type(&self) -> &'static str {
        " AS BLOB"
    }

    fn many_ids<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces {
        let ids = listed(ids, |id| format!("\"{}\"", id.simple()));
        pieces.sql("(SELECT unhex(value) AS id FROM json_each(");
        pieces.bind(Bind::Text(format!("[{ids}]"))).sql("))")
    }

    fn json_text(&self, document: &str, path: &[&str]) -> String {
        Self::extract(document, path)
    }

    fn json_boolean(&self, document: &str, path: &[&str]) -> String {
        Self::extract(document, path)
    }

    fn json_number(&self, document: &str, path: &[&str]) -> String {
        Self::extract(document, path)
    }

    fn json_present(&self, document: &str, path: &[&str]) -> String {
        format!("{} IS NOT NULL", Self::extract(document, path))
    }

    fn json_elements(&self, document: &str, path: &[&str]) -> String {
        let path = Self::path(path);
        format!("(SELECT value, key AS position FROM json_each({document}, '{path}')) AS element")
    }

    fn contains(&self, text: &str, part: &str, out: &mut Pieces) {
        out.sql(format!("instr({text}, ")).bind(Bind::Text(part.to_owned())).sql(") > 0");
    }

    fn ends_with(&self, text: &str, ending: &str, out: &mut Pieces) {
        let length = ending.chars().count();
        out.sql(format!("substr({text}, -{length}) = ")).bind(Bind::Text(ending.to_owned()));
    }

    /// Without statistics all indexes that are led by the tenant look alike.
    fn by_index(&self, name: &str) -> String {
        format!(" INDEXED BY {name}")
    }

    /// Where an index has all of it, SQLite would rather read that for a whole tenant than look up the
    /// few that are known by their identifiers. No index has the version, which every row has.
    fn count(&self, in_index: bool) -> &'static str {
        if in_index { "COUNT(*)" } else { "COUNT(resource.version)" }
    }

    fn id_text(&self, column: &str) -> String {
        let part = |from, length| format!("substr(hex({column}), {from}, {length})");
        let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
        // Of what is NULL, hex makes an empty text.
        let text = parts.join(" || '-' || ");
        format!("(CASE WHEN {column} IS NOT NULL THEN lower({text}) END)")
    }

    fn integer_text(&self, column: &str) -> String {
        format!("CAST({column} AS TEXT)")
    }

    fn by_code_point(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// PostgreSQL.
pub(crate) struct Postgres;

impl Postgres {
    fn path(path: &[&str]) -> String {
        let quoted: Vec<String> = path.iter().map(|name| format!("\"{name}\"")).collect();
        format!("'{{{}}}'", quoted.join(","))
    }
}

impl Dialect for Postgres {
    /// The list is a query of its own, which is run once: a text is read into a list for each row that
    /// is compared with it, which takes half a second for a thousand of each.
    fn one_of_many<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces {
        let ids = listed(ids, Uuid::to_string);
        pieces.sql(" = ANY((SELECT ").bind(Bind::Text(format!("{{{ids}}}")));
        pieces.sql("::uuid[])::uuid[])")
    }

    fn id_type(&self) -> &'static str {
        " AS uuid"
    }

    fn many_ids<'a>(&self, pieces: &'a mut Pieces, ids: &[Uuid]) -> &'a mut Pieces {
        let ids = listed(ids, Uuid::to_string);
        pieces.sql("(SELECT unnest(").bind(Bind::Text(format!("{{{ids}}}")));
        pieces.sql("::uuid[]) AS id)")
    }

    fn json_text(&self, document: &str, path: &[&str]) -> String {
        format!("(({document} #>> {}) COLLATE \"C\")", Self::path(path))
    }

    fn json_boolean(&self, document: &str, path: &[&str]) -> String {
        format!("({document} #> {})::boolean", Self::path(path))
    }

    fn json_number(&self, document: &str, path: &[&str]) -> String {
        format!("({document} #> {})::numeric", Self::path(path))
    }

    fn json_present(&self, document: &str, path: &[&str]) -> String {
        format!("({document} #> {}) IS NOT NULL", Self::path(path))
    }

    fn json_elements(&self, document: &str, path: &[&str]) -> String {
        format!(
            "jsonb_array_elements({document} #> {}) WITH ORDINALITY AS element (value, position)",
            Self::path(path)
        )
    }

    /// An index of trigrams finds what LIKE does, and no function.
    fn contains(&self, text: &str, part: &str, out: &mut Pieces) {
        out.sql(format!("{text} LIKE ")).bind(Bind::Text(format!("%{}%", literal(part))));
    }

    fn ends_with(&self, text: &str, ending: &str, out: &mut Pieces) {
        out.sql(format!("{text} LIKE ")).bind(Bind::Text(format!("%{}", literal(ending))));
    }

    fn by_index(&self, _: &str) -> String {
        String::new()
    }

    fn count(&self, _: bool) -> &'static str {
        "COUNT(*)"
    }

    fn id_text(&self, column: &str) -> String {
        format!("({column}::text COLLATE \"C\")")
    }

    fn integer_text(&self, column: &str) -> String {
        format!("({column}::text COLLATE \"C\")")
    }

    fn by_code_point(&self, text: &str) -> String {
        format!("({text} COLLATE \"C\")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Piece;

    /// PostgreSQL carries a cast of a parameter out for each row, and a query that refers to nothing once.
    #[test]
    fn a_list_of_identifiers_is_read_once() {
        let mut pieces = Pieces::default();
        Postgres.one_of(&mut pieces, &[Uuid::nil(), Uuid::max()]);
        let text = |piece: &Piece| match piece {
            Piece::Sql(text) => text.to_string(),
            Piece::Bind(_) => "$1".to_owned(),
        };
        let text: String = pieces.0.iter().map(text).collect();
        assert_eq!(text, " = ANY((SELECT $1::uuid[])::uuid[])");
    }
}
