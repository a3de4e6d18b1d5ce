//! The filters that identity providers send all day: is there somebody with this name.

use scim_protocol::filter::{Operator, Predicate, Test};
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
