//! What goes wrong, as it may be logged.

use std::fmt;

use accounts::StorageError;
use diesel::result::Error;

/// An error without the values that a database puts into its texts: they may be names and addresses.
/// What is in quotes or parentheses is left out, and the constraint, table and column are told as the
/// database names them.
pub struct Plain<'a>(pub &'a StorageError);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StorageError::Failed(error) = self.0 else {
            return f.write_str(&without_values(&self.0.to_string()));
        };
        f.write_str(&without_values(&error.to_string()))?;
        let Some(Error::DatabaseError(kind, information)) = error.downcast_ref::<Error>() else {
            return Ok(());
        };
        write!(f, " ({kind:?}")?;
        let parts = [
            ("constraint", information.constraint_name()),
            ("table", information.table_name()),
            ("column", information.column_name()),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        f.write_str(")")
    }
}

/// The text up to its first line's end, with what is in quotes or parentheses left out.
fn without_values(text: &str) -> String {
    let (mut plain, mut until) = (String::new(), None);
    for character in text.lines().next().unwrap_or_default().chars() {
        if let Some(end) = until {
            if character == end {
                until = None;
            }
            continue;
        }
        until = match character {
            '"' | '\'' | '`' => Some(character),
            '(' => Some(')'),
            '“' => Some('”'),
            '«' => Some('»'),
            _ => None,
        };
        plain.push(if until.is_some() { '…' } else { character });
    }
    plain
}

#[cfg(test)]
mod tests {
    use diesel::result::DatabaseErrorKind;

    use super::*;

    #[test]
    fn texts_of_databases_lose_their_values() {
        for (text, plain) in [
            ("no such table: users", "no such table: users"),
            (
                "invalid input syntax for type uuid: \"ada\"",
                "invalid input syntax for type uuid: …",
            ),
            ("Key (name)=(ada@example.com) exists", "Key …=… exists"),
            ("the value 'Ada Lovelace is", "the value …"),
            ("ended\nDETAIL: ada", "ended"),
        ] {
            assert_eq!(without_values(text), plain);
        }
        let text = "value too long: \"ada\"".to_owned();
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text));
        let error = StorageError::Failed(Box::new(error));
        assert_eq!(Plain(&error).to_string(), "value too long: … (Unknown)");
    }
}
