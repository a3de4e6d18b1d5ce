//! Many rows at once: copies of one.

use super::{Kind, Raw};

impl Kind {
    /// The identifier of the copy `n`, as an expression. `of` tells those of one table from those of
    /// another.
    pub(crate) fn numbered_id(self, of: u32) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('{of:08x}%024x', n))"),
            Self::Postgres => format!("('{of:08x}' || lpad(to_hex(n), 24, '0'))::uuid"),
        }
    }

    /// A document in which the copy `n` has its number behind this text.
    pub(crate) fn numbered_text(self, column: &str, text: &str, of_type: &str) -> String {
        match self {
            Self::Sqlite => format!("replace({column}, '{text}', '{text}' || n)"),
            Self::Postgres => {
                format!("replace({column}::text, '{text}', '{text}' || n)::{of_type}")
            }
        }
    }
}

impl Raw {
    /// Adds so many copies of the rows that a condition selects. `changed` are the columns in which
    /// they differ, with what copy `n` has in each.
    #[track_caller]
    pub(crate) fn copy(
        &mut self,
        table: &str,
        condition: &str,
        copies: usize,
        changed: &[(&str, String)],
    ) {
        let columns = self.columns(table);
        let of_copy = |column: &String| {
            let expression = changed.iter().find(|(name, _)| name == column);
            expression.map_or_else(|| column.clone(), |(_, expression)| expression.clone())
        };
        let values: Vec<String> = columns.iter().map(of_copy).collect();
        let statement = format!(
            "WITH RECURSIVE series (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {copies}) \
             INSERT INTO \"{table}\" ({}) SELECT {} FROM \"{table}\" CROSS JOIN series \
             WHERE {condition}",
            columns.join(", "),
            values.join(", "),
        );
        self.execute(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}
