//! A [`Predicate`] evaluated on a resource in memory.

use std::cmp::Ordering;

use scim_filter_parser::Operator;
use serde_json::Value;

use super::{Operand, Predicate, Test};
use crate::Object;
use crate::fold::fold;
use crate::instant;
use crate::schema::{Attribute, AttributeRef};

/// Whether a resource satisfies a predicate.
pub fn evaluate(predicate: &Predicate, resource: &Object) -> bool {
    holds(predicate, &|attribute| values(attribute, resource))
}

/// Whether one element of the attribute of a value path satisfies its predicate.
pub fn evaluate_element(predicate: &Predicate, element: &Value) -> bool {
    holds(predicate, &|attribute| {
        attribute.sub.and_then(|sub| element.get(&sub.name)).into_iter().collect()
    })
}

fn holds<'a>(predicate: &Predicate, values: &dyn Fn(AttributeRef) -> Vec<&'a Value>) -> bool {
    match predicate {
        Predicate::And(terms) => terms.iter().all(|term| holds(term, values)),
        Predicate::Or(terms) => terms.iter().any(|term| holds(term, values)),
        Predicate::Not(inner) => !holds(inner, values),
        Predicate::Test { attribute, test: Test::Present } => {
            values(*attribute).into_iter().any(is_assigned)
        }
        Predicate::Test { attribute, test: Test::Compare(operator, operand) } => {
            let values = values(*attribute);
            // An element without the sub-attribute is there, with a value that is unassigned.
            if *operator == Operator::NotEqual && values.is_empty() {
                return true;
            }
            values.into_iter().any(|value| compare(attribute.leaf(), value, *operator, operand))
        }
        Predicate::Element { attribute, predicate } => {
            values(*attribute).into_iter().any(|element| evaluate_element(predicate, element))
        }
    }
}

/// The values an attribute has; for a sub-attribute of a multi-valued one, one per element, null
/// where the element lacks it.
fn values(attribute: AttributeRef, resource: &Object) -> Vec<&Value> {
    let found = match attribute.extension {
        Some(schema) => resource.get(&schema.id).and_then(|e| e.get(&attribute.attribute.name)),
        None => resource.get(&attribute.attribute.name),
    };
    let elements = match found {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(single) => vec![single],
    };
    match attribute.sub {
        None => elements,
        Some(sub) => {
            elements.into_iter().map(|e| e.get(&sub.name).unwrap_or(&Value::Null)).collect()
        }
    }
}

fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn compare(leaf: &Attribute, value: &Value, operator: Operator, operand: &Operand) -> bool {
    if operator == Operator::NotEqual {
        return !compare(leaf, value, Operator::Equal, operand);
    }
    let ordering = match (value, operand) {
        (Value::String(text), Operand::Text(operand)) => {
            let folded;
            let text = if leaf.case_exact {
                text
            } else {
                folded = fold(text);
                &folded
            };
            match operator {
                Operator::Contains => return text.contains(operand.as_str()),
                Operator::StartsWith => return text.starts_with(operand.as_str()),
                Operator::EndsWith => return text.ends_with(operand.as_str()),
                _ => Some(text.as_str().cmp(operand)),
            }
        }
        (Value::String(text), Operand::Instant(operand)) => instant::parse(text)
            .map(|instant| instant::micros(instant).cmp(&instant::micros(*operand))),
        (Value::Bool(truth), Operand::Boolean(operand)) => Some(truth.cmp(operand)),
        (Value::Number(number), Operand::Integer(operand)) => {
            number.as_i64().map(|number| number.cmp(operand))
        }
        (Value::Number(number), Operand::Decimal(operand)) => {
            number.as_f64().and_then(|number| number.partial_cmp(operand))
        }
        _ => None,
    };
    ordering.is_some_and(|ordering| satisfies(ordering, operator))
}

fn satisfies(ordering: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::GreaterThan => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::LessThan => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Leniencies};
    use crate::filter::parse;
    use crate::schema::ResourceType;
    use serde_json::json;

    fn matches(filter: &str) -> bool {
        let user = json!({
            "userName": "BJensen", "active": true, "title": "Straße 100%",
            "name": {"familyName": "Jensen"},
            "emails": [{"value": "b@work.example", "type": "work", "primary": true},
                       {"value": "b@home.example", "type": "home"}],
            "meta": {"created": "2026-01-01T00:00:00Z"},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "m"}},
        });
        let mut leniencies = Leniencies::new(Dialect::Standard);
        let predicate = parse(ResourceType::user(), filter, &mut leniencies);
        evaluate(&predicate.expect(filter), user.as_object().expect("an object"))
    }

    #[test]
    fn rfc7644_3_4_2_2_operators() {
        for filter in [
            "userName eq \"bjensen\"",
            "userName sw \"bj\"",
            "userName ew \"SEN\"",
            "userName co \"jens\"",
            "userName gt \"a\"",
            "userName le \"bjensen\"",
            "title eq \"STRASSE 100%\"",
            "active eq true",
            "active eq \"True\"",
            "name pr",
            "name.familyName pr",
            "emails pr",
            "emails co \"home\"",
            "emails.type eq \"home\"",
            "emails[type eq \"work\" and primary eq true]",
            "emails[type eq \"home\"].value sw \"b@home\"",
            "manager eq \"m\"",
            "nickName eq null",
            "title ne null",
            "nickName ne \"x\"",
            "emails.type ne \"work\"",
            "not (nickName eq \"x\")",
            "meta.created lt \"2026-01-01T01:00:00.5+01:00\"",
            "ims.value ne \"x\"",
            "emails.primary ne true",
        ] {
            assert!(matches(filter), "{filter}");
        }
        for filter in [
            "userName eq \"b\"",
            "active ne true",
            "nickName pr",
            "ims pr",
            "nickName gt \"\"",
            "emails[type eq \"home\" and primary eq true]",
            "not (userName pr)",
            "title co \"_\"",
            "manager eq \"M\"",
            "meta.created gt \"2026-01-01T00:00:00Z\"",
        ] {
            assert!(!matches(filter), "{filter}");
        }
    }

    #[test]
    fn rfc7644_3_4_2_2_what_does_not_fit_is_refused() {
        for filter in [
            "active gt true",
            "x509Certificates.value gt \"a\"",
            "name eq \"x\"",
            "nonsense pr",
            "userName eq true",
            "active eq \"maybe\"",
            "meta.created co \"2026\"",
            "userName[a eq 1]",
            "emails[nonsense eq 1]",
            "meta.created gt \"yesterday\"",
            "userName gt null",
            "userName eq",
        ] {
            let mut leniencies = Leniencies::new(Dialect::Standard);
            assert!(parse(ResourceType::user(), filter, &mut leniencies).is_err(), "{filter}");
        }
    }

    #[test]
    fn rfc7643_7_what_is_never_returned_cannot_be_guessed_by_filter() {
        for filter in ["password pr", "password sw \"a\"", "not (password eq \"a\")"] {
            let mut leniencies = Leniencies::new(Dialect::Standard);
            assert!(parse(ResourceType::user(), filter, &mut leniencies).is_err(), "{filter}");
        }
    }

    #[test]
    fn q24_unquoted_literals_in_entra_only() {
        let parsed = |dialect| {
            parse(ResourceType::user(), "externalId eq jyoung", &mut Leniencies::new(dialect))
                .is_ok()
        };
        assert!(parsed(Dialect::Entra));
        assert!(!parsed(Dialect::Standard));
    }

    #[test]
    fn rfc7644_3_4_2_1_what_one_type_of_many_does_not_have_is_unassigned_there() {
        let group = json!({"displayName": "Team"});
        let matches = |filter: &str| {
            let mut leniencies = Leniencies::new(Dialect::Strict);
            let kind = ResourceType::group();
            let predicate = crate::filter::parse_for_one_of_many(kind, filter, &mut leniencies);
            evaluate(&predicate.expect(filter), group.as_object().expect("an object"))
        };
        for filter in [
            "displayName eq \"team\" and userName ne \"x\"",
            "not (userName pr)",
            "userName eq null",
            "emails[type eq \"work\"] or displayName pr",
        ] {
            assert!(matches(filter), "{filter}");
        }
        for filter in ["userName eq \"x\"", "userName ne null", "emails[type eq \"work\"]"] {
            assert!(!matches(filter), "{filter}");
        }
    }
}
