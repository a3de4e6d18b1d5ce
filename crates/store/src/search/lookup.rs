//! The filters that identity providers send all day: is there somebody with this name.

use scim_protocol::filter::{Operand, Operator, Predicate, Test};
use scim_protocol::schema::AttributeRef;

use super::place::{Place, Table, place};

/// Tests of a look-up at most.
const TESTS: usize = 2;

/// Whether a filter asks for what equals one or two values that have a column or a table of their
/// own. There are few texts of such statements, so that they can be prepared once; of all others a
/// client could make as many as it likes.
pub(crate) fn is_look_up(table: Table, filter: Option<&Predicate>) -> bool {
    let Some(filter) = filter else { return true };
    tests(table, filter, None).is_some_and(|tests| tests <= TESTS)
}

/// How many tests there are; `None` if any is none of a look-up.
fn tests(table: Table, filter: &Predicate, of: Option<AttributeRef>) -> Option<usize> {
    match filter {
        Predicate::And(all) => all.iter().map(|one| tests(table, one, of)).sum(),
        Predicate::Element { attribute, predicate } => tests(table, predicate, Some(*attribute)),
        Predicate::Test { attribute, test: Test::Compare(Operator::Equal, _) } => {
            let where_it_is = place(table, of.unwrap_or(*attribute));
            matches!(where_it_is, Place::Column(_) | Place::Side(_)).then_some(1)
        }
        Predicate::Test { .. } | Predicate::Or(_) | Predicate::Not(_) => None,
    }
}

/// What one resource of a type has in a tenant, or in a connection (rules R1, R3 and R7). Of addresses
/// only those that people log in with are theirs alone.
const OF_ONE: [(&str, &str, Option<&str>); 7] = [
    ("User", "id", None),
    ("User", "userName", None),
    ("User", "externalId", None),
    ("User", "emails", Some("value")),
    ("Group", "id", None),
    ("Group", "displayName", None),
    ("Group", "externalId", None),
];

/// Whether a filter is a look-up of what one resource has, so that hardly ever it finds several.
pub(crate) fn finds_one(table: Table, filter: Option<&Predicate>) -> bool {
    match filter {
        Some(Predicate::And(all)) => {
            all.len() <= TESTS
                && is_look_up(table, filter)
                && all.iter().any(|one| finds_one(table, Some(one)))
        }
        Some(Predicate::Element { attribute, predicate }) => match &**predicate {
            Predicate::Test { attribute: inner, test } => {
                is_value(test) && is_of_one(table, *attribute, Some(inner.leaf().name.as_str()))
            }
            _ => false,
        },
        Some(Predicate::Test { attribute, test }) => {
            let sub = attribute.sub.map(|sub| sub.name.as_str());
            is_value(test) && is_of_one(table, *attribute, sub)
        }
        Some(Predicate::Or(_) | Predicate::Not(_)) | None => false,
    }
}

fn is_value(test: &Test) -> bool {
    matches!(test, Test::Compare(Operator::Equal, Operand::Text(_)))
}

fn is_of_one(table: Table, attribute: AttributeRef, sub: Option<&str>) -> bool {
    let name = attribute.attribute.name.as_str();
    attribute.extension.is_none() && OF_ONE.contains(&(table.resource_type(), name, sub))
}
