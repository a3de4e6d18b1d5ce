//! From the attributes of a capacity rule to media rules.

use std::collections::BTreeSet;

use scim_filter_parser::{Filter, Operator, Options, Test, Value as Literal};
use serde_json::Value;

use super::{Conjunction, MediaRule, Medium};

/// The most conjunctions of one condition.
const MAX_CONJUNCTIONS: usize = 100;

/// The most of them before those are left out that others make needless.
const MAX_BEFORE: usize = 3 * MAX_CONJUNCTIONS;

/// What a condition may hold: nobody writes more, and its normal form grows faster than its text.
const LIMITS: Options =
    Options { max_length: 4096, max_depth: 16, max_terms: 100, unquoted_values: false };

/// Reads an element of `mediaRules`, or says what is wrong with it.
pub(super) fn media_rule(element: &Value) -> Result<MediaRule, String> {
    let name = element.get("media").and_then(Value::as_str).unwrap_or_default();
    let media = medium(name)?;
    let of_media = |error| format!("{media}: {error}");
    let max_capacity = match element.get("maxCapacity") {
        None | Some(Value::Null) => 1,
        Some(number) => number
            .as_i64()
            .ok_or_else(|| of_media("maxCapacity must be a whole number".to_owned()))?,
    };
    let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
    let block_when = condition(text("blockWhen")).map_err(|error| {
        of_media(format!("blockWhen, such as email ge 1 and chat ge 1: {error}"))
    })?;
    let interrupted_by = media_list(text("interruptedBy"))
        .map_err(|error| of_media(format!("interruptedBy, such as voice, callback: {error}")))?;
    let include_non_acd = element.get("includeNonAcd").and_then(Value::as_bool).unwrap_or(false);
    Ok(MediaRule { media, max_capacity, block_when, interrupted_by, include_non_acd })
}

fn medium(name: &str) -> Result<Medium, String> {
    Medium::named(name.trim()).ok_or_else(|| {
        format!(
            "{:?} is no medium: a letter, then at most {} letters, digits, - and _",
            name.chars().take(Medium::MAX_NAME).collect::<String>(),
            Medium::MAX_NAME - 1
        )
    })
}

fn media_list(text: &str) -> Result<BTreeSet<Medium>, String> {
    text.split(',').filter(|name| !name.trim().is_empty()).map(medium).collect()
}

/// A condition as an OR of ANDs. The empty text is none.
fn condition(text: &str) -> Result<BTreeSet<Conjunction>, String> {
    if text.trim().is_empty() {
        return Ok(BTreeSet::new());
    }
    let filter = Filter::parse_with(text, &LIMITS).map_err(|error| error.to_string())?;
    normal_form(&filter)
}

fn normal_form(filter: &Filter) -> Result<BTreeSet<Conjunction>, String> {
    match filter {
        Filter::Attribute(expression) => {
            let path = &expression.path;
            let Test::Compare(Operator::GreaterOrEqual, Literal::Integer(at_least)) =
                expression.test
            else {
                return Err(format!("{path} can only be compared by ge, with a whole number"));
            };
            if path.schema.is_some() || path.sub_attribute.is_some() {
                return Err(format!("{path} is no medium"));
            }
            Ok(BTreeSet::from([Conjunction::from([(medium(&path.attribute)?, at_least)])]))
        }
        Filter::Or(terms) => {
            let mut all = BTreeSet::new();
            for term in terms {
                all.append(&mut normal_form(term)?);
            }
            bounded(&all)
        }
        Filter::And(terms) => {
            let mut all = BTreeSet::from([Conjunction::new()]);
            for term in terms {
                all = product(&all, &normal_form(term)?)?;
            }
            Ok(all)
        }
        Filter::Not(_) | Filter::ValuePath(_) => {
            Err("a condition is made of comparisons, and, or and parentheses".to_owned())
        }
    }
}

/// Every conjunction of the one with every conjunction of the other.
fn product(
    left: &BTreeSet<Conjunction>,
    right: &BTreeSet<Conjunction>,
) -> Result<BTreeSet<Conjunction>, String> {
    let mut all = BTreeSet::new();
    for one in left {
        for other in right {
            let mut both = one.clone();
            for (media, at_least) in other {
                let known = both.entry(media.clone()).or_insert(*at_least);
                *known = (*known).max(*at_least);
            }
            all.insert(both);
            if all.len() > MAX_BEFORE {
                return Err(too_many());
            }
        }
    }
    bounded(&all)
}

/// Leaves out each conjunction that holds only when another one does, too.
fn bounded(all: &BTreeSet<Conjunction>) -> Result<BTreeSet<Conjunction>, String> {
    let weaker = |one: &Conjunction| {
        all.iter().any(|other| {
            other != one
                && other.iter().all(|(media, at_least)| {
                    one.get(media).is_some_and(|of_one| of_one >= at_least)
                })
        })
    };
    let needed: BTreeSet<_> = all.iter().filter(|one| !weaker(one)).cloned().collect();
    if needed.len() > MAX_CONJUNCTIONS {
        return Err(too_many());
    }
    Ok(needed)
}

fn too_many() -> String {
    format!("written out it has more than {MAX_CONJUNCTIONS} alternatives")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        let conjunction = |one: &Conjunction| {
            let parts: Vec<_> = one.iter().map(|(media, n)| format!("{media} ge {n}")).collect();
            parts.join(" and ")
        };
        let all = condition(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        all.iter().map(conjunction).collect::<Vec<_>>().join(" or ")
    }

    #[test]
    fn a_condition_becomes_alternatives() {
        for (text, expected) in [
            ("", ""),
            ("voice ge 1", "voice ge 1"),
            ("Voice GE 1", "voice ge 1"),
            ("email ge 1 and chat ge 1 or voice ge 1", "chat ge 1 and email ge 1 or voice ge 1"),
            (
                "email ge 1 and (chat ge 1 or voice ge 2)",
                "chat ge 1 and email ge 1 or email ge 1 and voice ge 2",
            ),
            ("voice ge 1 and voice ge 3", "voice ge 3"),
            ("voice ge 3 or voice ge 1", "voice ge 1"),
            ("voice ge 1 or voice ge 1 and chat ge 1", "voice ge 1"),
            ("(a ge 1 or b ge 1) and (a ge 1 or b ge 1)", "a ge 1 or b ge 1"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
            assert_eq!(normal(&normal(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            "voice",
            "voice gt 1",
            "voice ge 1.5",
            "voice ge \"1\"",
            "voice pr",
            "not (voice ge 1)",
            "voice[a ge 1]",
            "voice.a ge 1",
            "urn:x:voice ge 1",
            "voice$ ge 1",
            "voice ge 1 and",
            "voice ge 99999999999999999999",
        ] {
            assert!(condition(text).is_err(), "{text}");
        }
        assert!(condition(&format!("{} ge 1", "v".repeat(51))).is_err());
    }

    #[test]
    fn a_condition_that_explodes_is_refused() {
        let pairs = |count| {
            let pair = |n| format!("(a{n} ge 1 or b{n} ge 1)");
            (0..count).map(pair).collect::<Vec<_>>().join(" and ")
        };
        assert_eq!(condition(&pairs(6)).unwrap().len(), 64);
        assert!(condition(&pairs(7)).is_err());
        assert!(condition(&pairs(50)).is_err());
        let many =
            |count| (0..count).map(|n| format!("a{n} ge 1")).collect::<Vec<_>>().join(" or ");
        assert_eq!(condition(&many(100)).unwrap().len(), 100);
        assert!(condition(&many(101)).is_err());
    }
}
