//! Inputs made to exhaust a parser. Each has to come back with the right error (and to come back:
//! exponential or quadratic behaviour shows as a test that never ends).

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use scim_filter_parser::{AttributePath, ErrorKind, Filter, Options, Path};

const BOUNDLESS: Options = Options {
    max_length: usize::MAX,
    max_depth: usize::MAX,
    max_terms: usize::MAX,
    unquoted_values: true,
};

fn kind(input: &str) -> ErrorKind {
    Filter::parse_with(input, &BOUNDLESS).unwrap_err().kind()
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}a pr{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn a_hundred_thousand_parentheses() {
    for open in ["(", "((", "not (", "not(", "( ", "a pr and ("] {
        let input = open.repeat(100_000);
        assert_eq!(Filter::parse(&input).unwrap_err().kind(), ErrorKind::TooLong);
        assert_eq!(kind(&input), ErrorKind::TooDeep, "{open}");
    }
    assert_eq!(kind(&nested("(", ")", 100_000)), ErrorKind::TooDeep);
    assert_eq!(kind(&"a[".repeat(100_000)), ErrorKind::NestedValuePath);
    assert_eq!(kind(&")".repeat(100_000)), ErrorKind::Expected("an attribute name"));
}

#[test]
fn what_is_too_much_is_answered_with_where_and_why() {
    let refused = |input: &str, options: &Options| {
        Filter::parse_with(input, options).unwrap_err().to_string()
    };
    let default = Options::default();
    assert_eq!((default.max_length, default.max_depth, default.max_terms), (16_384, 32, 500));
    let (parentheses, any_length) =
        ("(".repeat(100_000), Options { max_length: usize::MAX, ..default });
    assert_eq!(refused(&parentheses, &default), "at position 16384: the text is too long");
    let too_deep = "at position 32: the filter is nested too deeply";
    assert_eq!(refused(&parentheses, &any_length), too_deep);

    let fifty = nested("(", ")", 50);
    assert_eq!(refused(&fifty, &default), too_deep);
    assert!(Filter::parse_with(&fifty, &Options { max_depth: 50, ..default }).is_ok());

    // A megabyte that is right up to its last byte.
    let chain = format!("{}b", "a pr or ".repeat(131_072));
    let expected = "at position 1048577: expected an operator";
    assert!(refused(&chain, &BOUNDLESS).starts_with(expected));
    assert_eq!(
        refused(&chain, &any_length),
        "at position 4000: the filter tests too many attributes"
    );
}

#[test]
fn nesting_up_to_the_limit() {
    for (open, close) in [("(", ")"), ("not (", ")"), ("(b pr or c pr and ", ")")] {
        let default = Options::default();
        let limit = default.max_depth;
        assert!(Filter::parse_with(&nested(open, close, limit), &default).is_ok(), "{open}");
        let error = Filter::parse_with(&nested(open, close, limit + 1), &default).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooDeep, "{open}");
    }
}

#[test]
fn no_options_permit_more_than_the_ceiling() {
    // A stack well below the two megabytes that threads get by default.
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| {
        let ceiling = Options::DEPTH_CEILING;
        let deepest = format!("a[{}].b pr", nested("b pr or not (c pr and ", ")", ceiling - 1));
        let filter = Filter::parse_with(&deepest, &BOUNDLESS).unwrap();
        assert_eq!(filter.clone(), filter);
        assert_eq!(Filter::parse_with(&filter.to_string(), &BOUNDLESS).unwrap(), filter);
        assert!(!format!("{filter:?}").is_empty());
        assert_eq!(kind(&nested("not (", ")", ceiling + 1)), ErrorKind::TooDeep);
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn chains_of_terms() {
    for word in ["and", "or"] {
        let chain = |terms: usize| vec!["a pr"; terms].join(&format!(" {word} "));
        let limit = Options::default().max_terms;
        assert!(Filter::parse(&chain(limit)).is_ok());
        assert_eq!(Filter::parse(&chain(limit + 1)).unwrap_err().kind(), ErrorKind::TooManyTerms);

        let filter = Filter::parse_with(&chain(100_000), &BOUNDLESS).unwrap();
        let (Filter::And(operands) | Filter::Or(operands)) = &filter else { panic!("no chain") };
        assert_eq!(operands.len(), 100_000);
        assert_eq!(filter.to_string().len(), chain(100_000).len());
    }
}

#[test]
fn chains_nested_as_deep_as_they_may_be() {
    let mut input = "(".repeat(60);
    input.push_str("a pr");
    for level in 0..60 {
        let word = if level % 2 == 0 { "and" } else { "or" };
        write!(input, "{})", format!(" {word} b pr").repeat(1_000)).unwrap();
    }
    assert!(Filter::parse_with(&input, &BOUNDLESS).is_ok());
    // One connective all the way flattens into a single list.
    let Filter::And(operands) =
        Filter::parse_with(&input.replace("or", "and"), &BOUNDLESS).unwrap()
    else {
        panic!("not flattened")
    };
    assert_eq!(operands.len(), 60_001);
}

#[test]
fn a_megabyte_of_one_thing() {
    const MEGABYTE: usize = 1 << 20;
    let name = ErrorKind::Expected("an attribute name");
    for (part, expected) in [
        (" ", name),
        ("\t", name),
        ("\"", name),
        (":", name),
        (".", name),
        ("[", name),
        ("]", name),
        ("\\", name),
        ("\0", name),
        ("é", name),
        ("a:", name),
        ("a.", ErrorKind::NestedSubAttribute),
        ("a pr ", ErrorKind::TrailingInput),
        ("not ", ErrorKind::Expected("`(` after `not`")),
        ("not not ", ErrorKind::Expected("`(` after `not`")),
        ("and ", ErrorKind::UnknownOperator),
        ("a eq ", ErrorKind::TrailingInput),
        ("a eq \"", ErrorKind::TrailingInput),
    ] {
        let input = part.repeat(MEGABYTE / part.len());
        assert_eq!(Filter::parse(&input).unwrap_err().kind(), ErrorKind::TooLong);
        assert_eq!(Path::parse(&input).unwrap_err().kind(), ErrorKind::TooLong);
        assert_eq!(AttributePath::parse(&input).unwrap_err().kind(), ErrorKind::TooLong);
        assert_eq!(kind(&input), expected, "{part:?}");
        assert!(Path::parse_with(&input, &BOUNDLESS).is_err());
    }
}

#[test]
fn a_megabyte_inside_one_word() {
    const MEGABYTE: usize = 1 << 20;
    let long = |part: &str| part.repeat(MEGABYTE / part.len());
    assert_eq!(kind(&long("a")), kind("a"));
    assert_eq!(kind(&format!("a {}", long("e"))), ErrorKind::UnknownOperator);
    assert_eq!(kind(&format!("a eq \"{}", long("x"))), ErrorKind::UnterminatedString);
    assert_eq!(kind(&format!("a eq \"{}", long("\\ud83d"))), ErrorKind::BadEscape);
    assert_eq!(kind(&format!("a eq {}", long("9"))), ErrorKind::BadNumber);
    assert_eq!(kind(&format!("a pr{}x", long(" "))), ErrorKind::TrailingInput);
    assert_eq!(kind(&format!("a pr {}", long("a"))), ErrorKind::TrailingInput);
    assert!(Filter::parse_with(&format!("a eq \"{}\"", long("\\u00e9")), &BOUNDLESS).is_ok());
    assert!(Filter::parse_with(&format!("a eq 0.{}", long("3")), &BOUNDLESS).is_ok());
    assert!(Filter::parse_with(&format!("a eq {}", long("x")), &BOUNDLESS).is_ok());
    assert!(Path::parse_with(&format!("urn:{}:a", long("x:y.")), &BOUNDLESS).is_ok());
}

#[test]
fn errors_do_not_grow_with_the_input() {
    for input in ["x ".repeat(4_000), "secret".repeat(2_000), format!("a eq {}", "9".repeat(9_000))]
    {
        assert!(Filter::parse(&input).unwrap_err().to_string().len() < 160);
    }
}
