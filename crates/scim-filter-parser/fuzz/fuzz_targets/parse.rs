//! Nothing panics, and what parses survives printing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_filter_parser::{AttributePath, Filter, Options, Path};

fuzz_target!(|text: &str| {
    // Printing may lengthen a text, by escapes and spaces.
    let options = Options { max_length: usize::MAX, ..Options::default() };
    for unquoted_values in [false, true] {
        let lenient = Options { unquoted_values, ..options };
        if let Ok(filter) = Filter::parse_with(text, &lenient) {
            assert_eq!(Filter::parse_with(&filter.to_string(), &options), Ok(filter));
        }
        if let Ok(path) = Path::parse_with(text, &lenient) {
            assert_eq!(Path::parse_with(&path.to_string(), &options), Ok(path));
        }
    }
    let _ = AttributePath::parse(text);
});
