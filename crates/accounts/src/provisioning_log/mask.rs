//! What persons could be known by, hidden: enough is left to recognise what one knows, such as
//! `a***@example.com`.
//!
//! Names of attributes, operators, identifiers of resources, instants, booleans, URNs and the `type`
//! of a value stay. Of every other value the first character stays, and the domain of an address.

use jiff::Timestamp;
use scim_filter_parser::{AttributeExpression, Filter, Operator, Options, Test, Value, ValuePath};

use super::served;
use crate::parse_id;

/// A name or address.
pub fn value(text: &str) -> String {
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (text, None),
    };
    let first: String = local.chars().take(1).collect();
    match domain {
        Some(domain) => format!("{first}***@{domain}"),
        None if text.is_empty() => String::new(),
        None => format!("{first}***"),
    }
}

/// What a client calls something of its own: masked if it is an address.
pub fn name(text: &str) -> String {
    if text.contains('@') { value(text) } else { text.to_owned() }
}

/// A filter, with its values masked.
pub fn filter(text: &str) -> String {
    let options = Options { unquoted_values: true, ..Options::default() };
    match Filter::parse_with(text, &options) {
        Ok(mut parsed) => {
            in_filter(&mut parsed);
            parsed.to_string()
        }
        Err(_) => unparsed(text),
    }
}

fn in_filter(filter: &mut Filter) {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => operands.iter_mut().for_each(in_filter),
        Filter::Not(operand) => in_filter(operand),
        Filter::Attribute(AttributeExpression { path, test }) => {
            let leaf = path.sub_attribute.as_deref().unwrap_or(&path.attribute).to_owned();
            in_test(&leaf, test);
        }
        Filter::ValuePath(ValuePath { filter, then, .. }) => {
            in_filter(filter);
            if let Some((leaf, test)) = then {
                in_test(leaf, test);
            }
        }
    }
}

fn in_test(attribute: &str, test: &mut Test) {
    let Test::Compare(_, value) = test else { return };
    *value = match std::mem::replace(value, Value::Null) {
        Value::String(text) if attribute.eq_ignore_ascii_case("type") || is_plain(&text) => {
            Value::String(text)
        }
        Value::String(text) => Value::String(self::value(&text)),
        Value::Integer(number) => Value::String(self::value(&number.to_string())),
        Value::Decimal(number) => Value::String(self::value(&number.to_string())),
        plain @ (Value::Boolean(_) | Value::Null) => plain,
    };
}

/// Whether a value says nothing of a person.
fn is_plain(text: &str) -> bool {
    let has_prefix = |prefix: &str| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_truth = ["true", "false"].iter().any(|truth| truth.eq_ignore_ascii_case(text));
    is_truth || has_prefix("urn:") || parse_id(text).is_some() || text.parse::<Timestamp>().is_ok()
}

/// A filter that is none: whatever is quoted, an address, or behind an operator is masked.
fn unparsed(text: &str) -> String {
    let (mut masked, mut rest, mut is_value) = (String::new(), text, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => quoted_length(rest),
            _ if is_delimiter(first) => first.len_utf8(),
            _ => rest.find(|c| is_delimiter(c) || c == '"').unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(length);
        rest = behind;
        if first == '"' {
            let inner = word.strip_prefix('"').unwrap_or(word);
            let inner = inner.strip_suffix('"').unwrap_or(inner);
            let shown = if is_plain(inner) { inner.to_owned() } else { value(inner) };
            masked.extend(["\"", &shown, "\""]);
        } else if is_delimiter(first) {
            masked.push(first);
            continue;
        } else if word.contains('@') || (is_value && !is_plain(word)) {
            masked.push_str(&value(word));
        } else {
            masked.push_str(word);
        }
        let operator = |known: &Operator| known.as_str().eq_ignore_ascii_case(word);
        is_value = Operator::ALL.iter().any(operator);
    }
    masked
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || "()[]".contains(c)
}

/// How long a quoted text is, with its quotation marks; without a closing one, all that there is.
fn quoted_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// A path: what stands where an identifier should and is none, and every address.
pub fn path(text: &str) -> String {
    // What is done with a type is a verb, which stands where otherwise the identifier does.
    let is_verb = |part: &str| text.starts_with("/admin/") && text.ends_with(part);
    let named = served(text).and_then(|(_, part)| part);
    let named = named.filter(|part| {
        !part.is_empty() && !part.starts_with('.') && parse_id(part).is_none() && !is_verb(part)
    });
    let masked = text.split('/').map(|part| {
        let decoded = part.replace("%40", "@");
        if decoded.contains('@') || Some(part) == named { value(&decoded) } else { decoded }
    });
    masked.collect::<Vec<_>>().join("/")
}

/// What a client was told: addresses, what was taken for an identifier and is none, and the values
/// of filters in brackets.
pub fn detail(text: &str) -> String {
    if let Some((kind, wrong)) = text.strip_suffix(" not found").and_then(|t| t.split_once(' '))
        && parse_id(wrong).is_none()
    {
        return format!("{kind} {} not found", value(wrong));
    }
    let (mut masked, mut before) = (Vec::new(), "");
    for word in in_brackets(text).split(' ') {
        masked.push(if word.contains('@') || (before == "id" && !is_id(word)) {
            core(word)
        } else {
            word.to_owned()
        });
        before = word;
    }
    masked.join(" ")
}

fn is_id(word: &str) -> bool {
    parse_id(word.trim_matches(|c: char| !c.is_ascii_alphanumeric())).is_some()
}

/// A word masked between the punctuation around it.
fn core(word: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric();
    let start = word.find(is_part).unwrap_or(0);
    let end = word
        .rfind(is_part)
        .map_or(word.len(), |at| at + word[at..].chars().next().map_or(0, char::len_utf8));
    if word.contains("***") {
        return word.to_owned();
    }
    format!("{}{}{}", &word[..start], value(&word[start..end]), &word[end..])
}

/// The same text with the values of filters in brackets masked.
fn in_brackets(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.to_owned() };
    let Some(end) = rest.rfind(']') else { return format!("{before}[{}", unparsed(rest)) };
    format!("{before}[{}]{}", filter(&rest[..end]), &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_value_enough_is_left_to_recognise_it() {
        for (clear, masked) in [
            ("ada@example.com", "a***@example.com"),
            ("ada", "a***"),
            ("Ünal", "Ü***"),
            ("", ""),
            ("@example.com", "***@example.com"),
        ] {
            assert_eq!(value(clear), masked);
        }
    }

    #[test]
    fn the_values_of_filters_are_masked_and_what_is_no_person_s_stays() {
        for (clear, masked) in [
            ("userName eq \"ada@example.com\"", "userName eq \"a***@example.com\""),
            ("externalId eq jyoung", "externalId eq \"j***\""),
            ("employeeNumber eq 701984", "employeeNumber eq \"7***\""),
            (
                "emails[type eq \"work\" and value eq \"ada@x.org\"]",
                "emails[type eq \"work\" and value eq \"a***@x.org\"]",
            ),
            ("not (name.familyName sw \"Love\")", "not (name.familyName sw \"L***\")"),
            ("active eq true and title pr", "active eq true and title pr"),
            (
                "meta.lastModified gt \"2026-01-01T00:00:00Z\"",
                "meta.lastModified gt \"2026-01-01T00:00:00Z\"",
            ),
            (
                "id eq \"0190a000-0000-7000-8000-000000000001\"",
                "id eq \"0190a000-0000-7000-8000-000000000001\"",
            ),
            ("schemas eq \"urn:ietf:x\"", "schemas eq \"urn:ietf:x\""),
        ] {
            assert_eq!(filter(clear), masked, "{clear}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_parsed_shows_no_values_either() {
        for (clear, masked) in [
            ("userName eq \"ada", "userName eq \"a***\""),
            ("userName is \"ada \\\" x\" and", "userName is \"a***\" and"),
            ("userName EQ ada lovelace@x.org (", "userName EQ a*** l***@x.org ("),
            ("((userName eq \"ada\"", "((userName eq \"a***\""),
            ("\"", "\"\""),
        ] {
            assert_eq!(filter(clear), masked, "{clear}");
        }
    }

    #[test]
    fn paths_keep_identifiers_and_lose_names() {
        let id = "0190a000-0000-7000-8000-000000000001";
        for (clear, masked) in [
            (format!("/scim/v2/Users/{id}"), format!("/scim/v2/Users/{id}")),
            (format!("/admin/v1/Users/{id}/erase"), format!("/admin/v1/Users/{id}/erase")),
            ("/admin/v1/Users/list-deleted".into(), "/admin/v1/Users/list-deleted".into()),
            ("/admin/v1/Users/ada/erase".into(), "/admin/v1/Users/a***/erase".into()),
            ("/scim/v2/Users/.search".into(), "/scim/v2/Users/.search".into()),
            ("/scim/v2/Users".into(), "/scim/v2/Users".into()),
            ("/scim/v2/Users/ada".into(), "/scim/v2/Users/a***".into()),
            ("/scim/v2/Users/ada%40x.org".into(), "/scim/v2/Users/a***@x.org".into()),
            ("/scim/v2/People/ada@x.org".into(), "/scim/v2/People/a***@x.org".into()),
            ("/Users/bulkId:ada".into(), "/Users/b***".into()),
        ] {
            assert_eq!(path(&clear), masked);
        }
    }

    #[test]
    fn details_keep_what_an_administrator_needs() {
        for (clear, masked) in [
            ("User ada lovelace not found", "User a*** not found"),
            (
                "User 0190a000-0000-7000-8000-000000000001 not found",
                "User 0190a000-0000-7000-8000-000000000001 not found",
            ),
            (
                "roles: there is no Role \"wizard\": create it first, or correct it",
                "roles: there is no Role \"wizard\": create it first, or correct it",
            ),
            ("members: no User has the id ada", "members: no User has the id a***"),
            (
                "members: no User has the id 0190a000-0000-7000-8000-000000000001",
                "members: no User has the id 0190a000-0000-7000-8000-000000000001",
            ),
            ("\"ada@x.org\" is not expected", "\"a***@x.org\" is not expected"),
            (
                "emails[value eq \"ada\"].type matches nothing",
                "emails[value eq \"a***\"].type matches nothing",
            ),
            (
                "emails[type eq \"work\" and value eq \"ada@x.org\"] matches nothing",
                "emails[type eq \"work\" and value eq \"a***@x.org\"] matches nothing",
            ),
        ] {
            assert_eq!(detail(clear), masked, "{clear}");
        }
    }
}
