//! PATCH paths and attribute names: nothing panics, an error points into the text, what parses
//! survives printing, lenience changes no strict path, and the parsers agree with each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_filter_parser::{AttributePath, Filter, Options, ParseError, Path};

/// Printing may lengthen a text, by escapes and spaces.
const STRICT: Options =
    Options { max_length: usize::MAX, max_depth: 32, max_terms: 500, unquoted_values: false };
const LENIENT: Options = Options { unquoted_values: true, ..STRICT };

fuzz_target!(|text: &str| {
    let strict = Path::parse_with(text, &STRICT);
    let lenient = Path::parse_with(text, &LENIENT);
    for result in [&strict, &lenient] {
        match result {
            Ok(path) => survives_printing(path),
            Err(error) => points_into(text, error),
        }
    }
    if let Ok(path) = &strict {
        assert_eq!(lenient.as_ref(), Ok(path));
        // A path with brackets and nothing behind them is a filter as well.
        let filter = Filter::parse_with(text, &STRICT);
        assert_eq!(filter.is_ok(), path.filter.is_some() && path.sub_attribute.is_none());
    }
    match AttributePath::parse(text) {
        Ok(name) => {
            assert_eq!(name.to_string(), text.trim_matches([' ', '\t']));
            let path = Path { attribute: name, filter: None, sub_attribute: None };
            assert_eq!(strict, Ok(path));
        }
        Err(error) => points_into(text, &error),
    }
});

fn survives_printing(path: &Path) {
    let printed = path.to_string();
    assert_eq!(Path::parse_with(&printed, &STRICT).as_ref(), Ok(path), "{printed}");
}

fn points_into(text: &str, error: &ParseError) {
    assert!(error.position() <= text.len());
    assert!(text.is_char_boundary(error.position()));
    assert!(error.to_string().len() < 160);
}
