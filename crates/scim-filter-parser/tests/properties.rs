//! What prints parses back to the same tree, and nothing makes the parsers panic.

use proptest::prelude::*;
use scim_filter_parser::{
    AttributeExpression, AttributePath, Filter, Operator, Options, Path, Test, Value, ValuePath,
};

const LENIENT: Options =
    Options { max_length: 16_384, max_depth: 32, max_terms: 500, unquoted_values: true };

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[A-Za-z][A-Za-z0-9_$-]{0,8}",
        1 => Just("$ref".to_owned()),
        1 => "(?i)(not|and|or|pr|eq|true|null)",
    ]
}

fn schema() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("urn:ietf:params:scim:schemas:core:2.0:User".to_owned()),
        "urn:[a-z0-9:._+%/-]{1,20}",
    ]
}

fn attribute_path() -> impl Strategy<Value = AttributePath> {
    (proptest::option::of(schema()), name(), proptest::option::of(name())).prop_map(
        |(schema, attribute, sub_attribute)| AttributePath { schema, attribute, sub_attribute },
    )
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::String),
        "[\"\\\\/a\\x00-\\x20\\x7f]{0,6}".prop_map(Value::String),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(Value::Decimal),
        any::<i32>().prop_map(|number| Value::Decimal(f64::from(number))),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Null),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        1 => Just(Test::Present),
        4 => (proptest::sample::select(Operator::ALL.to_vec()), value())
            .prop_map(|(operator, value)| Test::Compare(operator, value)),
    ]
}

fn attribute_expression() -> impl Strategy<Value = Filter> {
    (attribute_path(), test())
        .prop_map(|(path, test)| Filter::Attribute(AttributeExpression { path, test }))
}

/// Trees in the shape that the parser promises: no `And` directly in an `And`, no `Or` in an `Or`.
fn tree(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(5, 48, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operand| Filter::Not(Box::new(operand))),
            proptest::collection::vec(inner.clone(), 2..5).prop_map(|operands| {
                let flat = operands.into_iter().flat_map(|operand| match operand {
                    Filter::And(operands) => operands,
                    operand => vec![operand],
                });
                Filter::And(flat.collect())
            }),
            proptest::collection::vec(inner, 2..5).prop_map(|operands| {
                let flat = operands.into_iter().flat_map(|operand| match operand {
                    Filter::Or(operands) => operands,
                    operand => vec![operand],
                });
                Filter::Or(flat.collect())
            }),
        ]
    })
}

fn value_path() -> impl Strategy<Value = Filter> {
    let then = proptest::option::of((name(), test()));
    (attribute_path(), tree(attribute_expression()), then).prop_map(|(path, filter, then)| {
        Filter::ValuePath(ValuePath { path, filter: Box::new(filter), then })
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    tree(prop_oneof![3 => attribute_expression(), 1 => value_path()])
}

fn path() -> impl Strategy<Value = Path> {
    let filter = proptest::option::of(tree(attribute_expression()).prop_map(Box::new));
    (attribute_path(), filter, proptest::option::of(name())).prop_map(
        |(attribute, filter, sub_attribute)| {
            let sub_attribute = filter.as_ref().and(sub_attribute);
            Path { attribute, filter, sub_attribute }
        },
    )
}

/// Texts made of the grammar's own words, which get much further than arbitrary ones.
fn words() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(vec![
        " ", " ", " ", "\t", "(", ")", "[", "]", ".", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00",
        "not", "and", "or", "pr", "eq", "NE", "co", "userName", "emails", "value", "$ref",
        "urn:a:", "2.0", "true", "Null", "1", "-", "0", "1e9", "1e999", "\"work\"", "a pr",
        "b eq 1", "é", "'", "=", "\0",
    ]);
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

/// Parses in every way; errors point into the text, and what parses also survives printing.
fn parse_in_every_way(text: &str) -> Result<(), TestCaseError> {
    for options in [Options::default(), LENIENT] {
        match Filter::parse_with(text, &options) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.position()));
                prop_assert!(error.to_string().len() < 160);
            }
        }
        match Path::parse_with(text, &options) {
            Ok(path) => prop_assert_eq!(Path::parse(&path.to_string()), Ok(path)),
            Err(error) => prop_assert!(text.is_char_boundary(error.position())),
        }
    }
    match AttributePath::parse(text) {
        Ok(path) => prop_assert_eq!(path.to_string(), text.trim_matches([' ', '\t'])),
        Err(error) => prop_assert!(text.is_char_boundary(error.position())),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rfc7644_3_4_2_2_filters_survive_printing(filter in filter()) {
        let options = Options { max_length: usize::MAX, ..Options::default() };
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse_with(&text, &options), Ok(filter.clone()), "{}", text);
        // Lenience never changes what a strict filter means.
        let options = Options { unquoted_values: true, ..options };
        prop_assert_eq!(Filter::parse_with(&text, &options), Ok(filter));
    }

    #[test]
    fn rfc7644_3_5_2_paths_survive_printing(path in path()) {
        let options = Options { max_length: usize::MAX, ..Options::default() };
        let text = path.to_string();
        prop_assert_eq!(Path::parse_with(&text, &options), Ok(path), "{}", text);
    }

    #[test]
    fn rfc7644_3_10_attribute_paths_survive_printing(path in attribute_path()) {
        prop_assert_eq!(AttributePath::parse(&path.to_string()), Ok(path));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        parse_in_every_way(&text)?;
    }

    #[test]
    fn arbitrary_values_never_panic(text in any::<String>()) {
        parse_in_every_way(&format!("a eq {text}"))?;
        parse_in_every_way(&format!("a eq \"{text}\""))?;
        parse_in_every_way(&format!("a[b eq {text}]"))?;
    }

    #[test]
    fn the_words_of_the_grammar_in_any_order_never_panic(text in words()) {
        parse_in_every_way(&text)?;
    }

    #[test]
    fn a_filter_cut_short_anywhere_never_panics(filter in filter(), cut in any::<proptest::sample::Index>()) {
        let text = filter.to_string();
        let end = (0..=cut.index(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end));
        parse_in_every_way(&text[..end.unwrap_or(0)])?;
    }
}
