//! Who has a part in their name: what `co` and `ew` find has no range of an index.
//!
//! Two ways lead there, and which is short depends on how many have it. Where many do, the first page
//! is soon full if the rows are read in its order. Where few do, it is not, but an index has the names
//! close together, far fewer bytes than the rows, and reading all of it is cheap. So a page is looked
//! for among the next few rows first, and then in the index.

use scim_protocol::filter::{Operand, Operator, Predicate, Test};

use super::place::{Place, Table, place};

/// So many rows are read in the order of the page before an index is gone through.
pub(crate) const NEXT_FEW: u32 = 2_000;

/// The columns of users whose index has all that a filter by part asks for.
const INDEXES: [(&str, &str); 2] = [
    ("resource.user_name_key", "users_by_user_name"),
    ("resource.display_name_key", "users_by_display_name"),
];

/// The index in which the users are found of whom a filter is true, if it is by a part of one of
/// their names and by nothing else but whether they are active.
pub(crate) fn index_of_part(table: Table, filter: &Predicate) -> Option<&'static str> {
    match filter {
        Predicate::And(all) => {
            let mut by_name = all.iter().filter(|one| !is_of_activity(table, one));
            let index = index_of_names(table, by_name.next()?)?;
            by_name.all(|one| index_of_names(table, one) == Some(index)).then_some(index)
        }
        filter => index_of_names(table, filter),
    }
}

/// Whether a filter is about one of their names alone, so that its index has all to judge by.
pub(crate) fn is_in_index(table: Table, filter: &Predicate) -> bool {
    index_of(table, filter, &|_| true).is_some()
}

/// The index of the one name of which a filter asks for parts, and nothing else.
fn index_of_names(table: Table, filter: &Predicate) -> Option<&'static str> {
    index_of(table, filter, &|test| {
        let Test::Compare(operator, Operand::Text(_)) = test else { return false };
        matches!(operator, Operator::Contains | Operator::EndsWith)
    })
}

/// The index of the one name that all tests are of, if all are such.
fn index_of(
    table: Table,
    filter: &Predicate,
    is_such: &dyn Fn(&Test) -> bool,
) -> Option<&'static str> {
    match filter {
        Predicate::And(all) | Predicate::Or(all) => {
            let (first, others) = all.split_first()?;
            let index = index_of(table, first, is_such)?;
            let is_same = |one| index_of(table, one, is_such) == Some(index);
            others.iter().all(is_same).then_some(index)
        }
        Predicate::Test { attribute, test } if is_such(test) => {
            let Place::Column(column) = place(table, *attribute) else { return None };
            let is_it = |(sql, _): &&(&str, &str)| table == Table::Users && *sql == column.sql;
            INDEXES.iter().find(is_it).map(|(_, index)| *index)
        }
        _ => None,
    }
}

fn is_of_activity(table: Table, filter: &Predicate) -> bool {
    let Predicate::Test { attribute, .. } = filter else { return false };
    table == Table::Users
        && matches!(place(table, *attribute), Place::Column(column) if column.sql == "resource.active")
}

#[cfg(test)]
mod tests {
    use scim_protocol::dialect::{Dialect, Leniencies};
    use scim_protocol::filter;
    use scim_protocol::schema::ResourceType;

    use super::*;

    fn index(text: &str) -> Option<&'static str> {
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let filter = filter::parse(ResourceType::user(), text, &mut leniencies).unwrap();
        index_of_part(Table::Users, &filter)
    }

    #[test]
    fn a_part_of_one_name_is_in_its_index() {
        for filter in [
            "userName co \"a\"",
            "userName ew \"a\" and userName co \"b\"",
            "active eq true and (userName co \"a\" or userName co \"b\")",
        ] {
            assert_eq!(index(filter), Some("users_by_user_name"), "{filter}");
        }
        assert_eq!(index("displayName co \"a\""), Some("users_by_display_name"));
    }

    #[test]
    fn what_is_of_one_name_is_counted_in_its_index() {
        let is_in_index = |text: &str| {
            let mut leniencies = Leniencies::new(Dialect::Strict);
            let filter = filter::parse(ResourceType::user(), text, &mut leniencies).unwrap();
            is_in_index(Table::Users, &filter)
        };
        assert!(is_in_index("userName sw \"a\" or userName co \"b\""));
        assert!(!is_in_index("userName sw \"a\" and active eq true"));
        assert!(!is_in_index("emails.value eq \"a\""));
    }

    #[test]
    fn what_has_a_better_way_or_no_index_is_left_alone() {
        for filter in [
            "userName eq \"a\"",
            "active eq true",
            "title co \"a\"",
            "not (userName co \"a\")",
            "userName co \"a\" and userName sw \"b\"",
            "userName co \"a\" and title eq \"b\"",
            "userName co \"a\" or active eq true",
            "userName co \"a\" or displayName co \"a\"",
        ] {
            assert_eq!(index(filter), None, "{filter}");
        }
    }
}
