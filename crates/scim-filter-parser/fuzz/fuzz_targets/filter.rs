//! Filters: nothing panics, an error points into the text, what parses survives printing, lenience
//! changes no strict filter, and the limit of terms is exact.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use scim_filter_parser::{ErrorKind, Filter, Options};

/// Printing may lengthen a text, by escapes and spaces.
const STRICT: Options =
    Options { max_length: usize::MAX, max_depth: 32, max_terms: 500, unquoted_values: false };
const LENIENT: Options = Options { unquoted_values: true, ..STRICT };

fuzz_target!(|text: &str| -> Corpus {
    let strict = Filter::parse_with(text, &STRICT);
    let lenient = Filter::parse_with(text, &LENIENT);
    for result in [&strict, &lenient] {
        match result {
            Ok(filter) => survives_printing(filter),
            Err(error) => {
                assert!(error.position() <= text.len());
                assert!(text.is_char_boundary(error.position()));
                assert!(error.to_string().len() < 160);
            }
        }
    }
    if let Ok(filter) = &strict {
        assert_eq!(lenient.as_ref(), Ok(filter));
        terms_are_counted(text, filter);
    }
    Corpus::Keep
});

fn survives_printing(filter: &Filter) {
    let printed = filter.to_string();
    assert_eq!(Filter::parse_with(&printed, &STRICT).as_ref(), Ok(filter), "{printed}");
    assert_eq!(Filter::parse_with(&printed, &STRICT).unwrap().to_string(), printed);
}

fn terms_are_counted(text: &str, filter: &Filter) {
    let limit = |max_terms| Filter::parse_with(text, &Options { max_terms, ..STRICT });
    let terms = terms(filter);
    assert_eq!(limit(terms).as_ref(), Ok(filter));
    assert_eq!(limit(terms - 1).unwrap_err().kind(), ErrorKind::TooManyTerms);
}

fn terms(filter: &Filter) -> usize {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => operands.iter().map(terms).sum(),
        Filter::Not(operand) => terms(operand),
        Filter::Attribute(_) => 1,
        Filter::ValuePath(path) => terms(&path.filter) + usize::from(path.then.is_some()),
    }
}
