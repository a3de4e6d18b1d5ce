//! Why, and where, a text is not what the grammar asks for.

use std::error::Error;
use std::fmt;

/// Why a text could not be parsed, and where.
///
/// Neither the error nor its text quotes the input, so that it can be logged and returned whatever
/// the input held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    position: usize,
    kind: ErrorKind,
}

impl ParseError {
    pub(crate) fn new(position: usize, kind: ErrorKind) -> Self {
        Self { position, kind }
    }

    /// Where the input stops making sense: an offset in bytes, always at a character boundary and
    /// at most the input's length.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is wrong there.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something else should stand here; the text says what.
    Expected(&'static str),
    /// There is text after the end of a complete filter or path.
    TrailingInput,
    /// The word where an operator belongs is none.
    UnknownOperator,
    /// A string's closing quotation mark is missing; the position is that of the opening one.
    UnterminatedString,
    /// A string holds a backslash that begins no JSON escape, or half of a surrogate pair.
    BadEscape,
    /// A string holds a control character that JSON wants escaped.
    ControlCharacter,
    /// Not a JSON number, or one too large for a double.
    BadNumber,
    /// A sub-attribute of a sub-attribute: `a.b.c`.
    NestedSubAttribute,
    /// Square brackets inside square brackets.
    NestedValuePath,
    /// The input exceeds [`Options::max_length`](crate::Options::max_length).
    TooLong,
    /// The nesting exceeds [`Options::max_depth`](crate::Options::max_depth).
    TooDeep,
    /// The number of attributes tested exceeds [`Options::max_terms`](crate::Options::max_terms).
    TooManyTerms,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(formatter, "expected {what}"),
            Self::TrailingInput => {
                formatter.write_str("unexpected text after a complete expression")
            }
            Self::UnknownOperator => formatter.write_str(
                "unknown operator, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr",
            ),
            Self::UnterminatedString => {
                formatter.write_str("string without closing quotation mark")
            }
            Self::BadEscape => formatter.write_str("invalid escape sequence in a string"),
            Self::ControlCharacter => {
                formatter.write_str("control character in a string, which must be escaped")
            }
            Self::BadNumber => formatter.write_str("invalid number"),
            Self::NestedSubAttribute => {
                formatter.write_str("a sub-attribute has no sub-attributes of its own")
            }
            Self::NestedValuePath => {
                formatter.write_str("square brackets cannot stand inside square brackets")
            }
            Self::TooLong => formatter.write_str("the text is too long"),
            Self::TooDeep => formatter.write_str("the filter is nested too deeply"),
            Self::TooManyTerms => formatter.write_str("the filter tests too many attributes"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at position {}: {}", self.position, self.kind)
    }
}

impl Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_names_the_position_and_what_was_expected() {
        let error = crate::Filter::parse("userName  = \"x\"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "at position 10: expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)"
        );
    }

    #[test]
    fn errors_are_send_sync_and_static() {
        fn check<T: Error + Send + Sync + 'static>() {}
        check::<ParseError>();
    }
}
