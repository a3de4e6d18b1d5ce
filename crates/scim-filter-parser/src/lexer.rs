//! The words of the grammar: names, paths, operators and comparison values.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n};
use nom::character::complete::{alpha1, anychar, char, digit0, digit1, one_of, satisfy, space1};
use nom::combinator::{all_consuming, cut, opt, recognize};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::ast::{AttributePath, Operator, Test, Value};
use crate::error::ErrorKind;

pub(crate) const OPERATOR: &str = "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)";
pub(crate) const VALUE: &str =
    "a value (a string in quotation marks, a number, true, false or null)";
pub(crate) const NAME: &str = "an attribute name";
pub(crate) const SPACE: &str = "a space";

pub(crate) type Lexed<'a, T> = IResult<&'a str, T, Failure>;

/// What went wrong, and how much input was left at that point. The remaining length becomes a
/// position where the whole input is known.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) remaining: usize,
    pub(crate) kind: ErrorKind,
}

impl nom::error::ParseError<&str> for Failure {
    fn from_error_kind(input: &str, _: nom::error::ErrorKind) -> Self {
        Self { remaining: input.len(), kind: ErrorKind::Expected("other text") }
    }

    fn append(_: &str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

fn error(input: &str, kind: ErrorKind) -> nom::Err<Failure> {
    nom::Err::Error(Failure { remaining: input.len(), kind })
}

fn failure(input: &str, kind: ErrorKind) -> nom::Err<Failure> {
    nom::Err::Failure(Failure { remaining: input.len(), kind })
}

/// Replaces nom's own account of a failure, which knows no words, with `kind`.
pub(crate) fn or_else<'a, T>(
    mut parser: impl Parser<&'a str, Output = T, Error = Failure>,
    kind: ErrorKind,
) -> impl FnMut(&'a str) -> Lexed<'a, T> {
    move |input| parser.parse(input).map_err(|_| error(input, kind))
}

/// The characters of a URI, less those that have a meaning around one: brackets and parentheses
/// in filters, the comma in lists of attributes.
fn is_uri_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '!' | '#'..='\'' | '*' | '+' | '-'..='/' | ':' | ';')
        || matches!(character, '=' | '?' | '@' | '_' | '~')
}

/// RFC 7643 allows the dollar sign in names, RFC 7644 forgets it.
fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '$')
}

/// `ATTRNAME`, with the leading dollar sign that only `$ref` has.
pub(crate) fn name(input: &str) -> Lexed<'_, &str> {
    let letter = satisfy(|character| character.is_ascii_alphabetic());
    or_else(
        recognize((opt(char('$')), letter, take_while(is_name_character))),
        ErrorKind::Expected(NAME),
    )(input)
}

/// `subAttr`, if a dot says that there is one; a second one is an error.
pub(crate) fn sub_attribute(input: &str) -> Lexed<'_, Option<&str>> {
    let (rest, sub_attribute) = opt(preceded(char('.'), cut(name))).parse(input)?;
    if sub_attribute.is_some() && rest.starts_with('.') {
        return Err(failure(rest, ErrorKind::NestedSubAttribute));
    }
    Ok((rest, sub_attribute))
}

/// `attrPath`. URIs may contain nearly everything that ends a name, so that the last colon has to
/// be found before anything else can be read.
pub(crate) fn attribute_path(input: &str) -> Lexed<'_, AttributePath> {
    let (_, word) = take_while(is_uri_character).parse(input)?;
    let (schema, local) = match word.rfind(':') {
        Some(colon) => (Some(&input[..colon]), &input[colon + 1..]),
        None => (None, input),
    };
    if schema.is_some_and(|schema| !schema.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Err(error(input, ErrorKind::Expected(NAME)));
    }
    let (rest, (attribute, sub_attribute)) = (name, sub_attribute).parse(local)?;
    let path = AttributePath {
        schema: schema.map(str::to_owned),
        attribute: attribute.to_owned(),
        sub_attribute: sub_attribute.map(str::to_owned),
    };
    Ok((rest, path))
}

/// `SP "pr"` or `SP compareOp SP compValue`, what follows the attribute of an expression.
pub(crate) fn test(input: &str, unquoted_values: bool) -> Lexed<'_, Test> {
    let (rest, _) = or_else(space1, ErrorKind::Expected(OPERATOR))(input)?;
    let (rest, operator) = operator(rest)?;
    let Some(operator) = operator else {
        return Ok((rest, Test::Present));
    };
    // A filter that simply stops wants a value more than it wants the space before it.
    let wanted = if rest.is_empty() { VALUE } else { SPACE };
    let (rest, _) = or_else(space1, ErrorKind::Expected(wanted))(rest)?;
    let (rest, value) = value(rest, unquoted_values)?;
    Ok((rest, Test::Compare(operator, value)))
}

/// `compareOp`, or nothing for `pr`.
pub(crate) fn operator(input: &str) -> Lexed<'_, Option<Operator>> {
    let (rest, word) = or_else(alpha1, ErrorKind::Expected(OPERATOR))(input)?;
    if word.eq_ignore_ascii_case("pr") {
        return Ok((rest, None));
    }
    Operator::ALL
        .into_iter()
        .find(|operator| word.eq_ignore_ascii_case(operator.as_str()))
        .map(|operator| (rest, Some(operator)))
        .ok_or_else(|| error(input, ErrorKind::UnknownOperator))
}

fn value(input: &str, unquoted_values: bool) -> Lexed<'_, Value> {
    if input.starts_with('"') {
        let (rest, text) = string(input)?;
        return Ok((rest, Value::String(text)));
    }
    let (rest, word) = take_while(is_word_character).parse(input)?;
    let value = match word {
        _ if word.eq_ignore_ascii_case("true") => Value::Boolean(true),
        _ if word.eq_ignore_ascii_case("false") => Value::Boolean(false),
        _ if word.eq_ignore_ascii_case("null") => Value::Null,
        _ => match number(word) {
            Ok((_, number)) => number,
            // An apostrophe at the start is the wrong kind of quotation mark, not part of a value.
            Err(nom::Err::Error(_))
                if unquoted_values && !word.is_empty() && !word.starts_with('\'') =>
            {
                Value::String(word.to_owned())
            }
            Err(_) if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                return Err(error(input, ErrorKind::BadNumber));
            }
            Err(_) => return Err(error(input, ErrorKind::Expected(VALUE))),
        },
    };
    Ok((rest, value))
}

fn is_word_character(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !matches!(character, '(' | ')' | '[' | ']' | '"')
}

/// A JSON number that is the whole of `word`: an error when it is none, a failure when it is one
/// that no double can hold.
fn number(word: &str) -> Lexed<'_, Value> {
    let whole = (opt(char('-')), alt((tag("0"), recognize((one_of("123456789"), digit0)))));
    let fraction = (char('.'), digit1);
    let exponent = (one_of("eE"), opt(one_of("+-")), digit1);
    let (rest, (_, fraction, exponent)) =
        all_consuming((recognize(whole), opt(fraction), opt(exponent))).parse(word)?;
    if fraction.is_none()
        && exponent.is_none()
        && let Ok(integer) = word.parse()
    {
        return Ok((rest, Value::Integer(integer)));
    }
    match word.parse::<f64>() {
        Ok(decimal) if decimal.is_finite() => Ok((rest, Value::Decimal(decimal))),
        _ => Err(failure(word, ErrorKind::BadNumber)),
    }
}

/// A JSON string.
fn string(input: &str) -> Lexed<'_, String> {
    let (mut rest, _) = char('"').parse(input)?;
    let mut text = String::new();
    loop {
        let (after, plain) = take_while(|c: char| c >= ' ' && c != '"' && c != '\\').parse(rest)?;
        text.push_str(plain);
        rest = match after.chars().next() {
            Some('"') => return Ok((&after[1..], text)),
            Some('\\') => {
                let (next, character) = or_else(escape, ErrorKind::BadEscape)(after)?;
                text.push(character);
                next
            }
            Some(_) => return Err(error(after, ErrorKind::ControlCharacter)),
            None => return Err(error(input, ErrorKind::UnterminatedString)),
        };
    }
}

fn escape(input: &str) -> Lexed<'_, char> {
    let (rest, letter) = preceded(char('\\'), anychar).parse(input)?;
    let character = match letter {
        '"' | '\\' | '/' => letter,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(rest),
        _ => return Err(error(input, ErrorKind::BadEscape)),
    };
    Ok((rest, character))
}

/// What follows `\u`: four hexadecimal digits, or eight in two halves of a surrogate pair.
fn unicode_escape(input: &str) -> Lexed<'_, char> {
    let (rest, high) = code_unit(input)?;
    if let Some(character) = char::from_u32(high) {
        return Ok((rest, character));
    }
    let (rest, low) = preceded(tag("\\u"), code_unit).parse(rest)?;
    if (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low) {
        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        if let Some(character) = char::from_u32(code) {
            return Ok((rest, character));
        }
    }
    Err(error(input, ErrorKind::BadEscape))
}

fn code_unit(input: &str) -> Lexed<'_, u32> {
    let (rest, digits) = take_while_m_n(4, 4, |c: char| c.is_ascii_hexdigit()).parse(input)?;
    match u32::from_str_radix(digits, 16) {
        Ok(unit) => Ok((rest, unit)),
        Err(_) => Err(error(input, ErrorKind::BadEscape)),
    }
}

#[cfg(test)]
mod tests;
