//! A filter in any dialect is refused, or has one value on a resource: also when it is printed and
//! parsed again, and the opposite one under `not`. Nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_filter_parser::{Filter, Options};
use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::filter::{self, Predicate};
use scim_protocol::schema::ResourceType;
use scim_protocol_fuzz::{dialects, rendered};

/// Printing may lengthen a text, by escapes and spaces, and `not (…)` is one level more.
const OPTIONS: Options =
    Options { max_length: usize::MAX, max_depth: 33, max_terms: 500, unquoted_values: false };

fuzz_target!(|text: &str| {
    let empty = Object::new();
    for (kind, resource) in rendered() {
        let resources = [&empty, resource];
        for dialect in dialects() {
            check(kind, text, &resources, dialect);
        }
    }
});

fn check(kind: &'static ResourceType, text: &str, resources: &[&Object], dialect: Dialect) {
    let leniencies = || Leniencies::new(dialect);
    let Ok(predicate) = filter::parse(kind, text, &mut leniencies()) else { return };
    let values = |predicate: &Predicate| {
        resources.iter().map(|resource| filter::evaluate(predicate, resource)).collect::<Vec<_>>()
    };

    let options = Options { unquoted_values: dialect == Dialect::Entra, ..OPTIONS };
    let tree = Filter::parse_with(text, &options).expect("it was parsed before");
    let printed = tree.to_string();
    let again = Filter::parse_with(&printed, &OPTIONS).expect(&printed);
    let again = filter::resolve(kind, &again, &mut leniencies()).expect(&printed);
    assert_eq!(again, predicate, "{printed}");

    let opposite = Filter::Not(Box::new(tree));
    let opposite = filter::resolve(kind, &opposite, &mut leniencies()).expect(&printed);
    let expected: Vec<bool> = values(&predicate).into_iter().map(|value| !value).collect();
    assert_eq!(values(&opposite), expected, "{printed}");

    // What a type has means the same in a query over several types.
    let of_many = filter::parse_for_one_of_many(kind, text, &mut leniencies());
    assert_eq!(of_many.as_ref(), Ok(&predicate), "{printed}");
}
