use super::*;
use crate::ast::{Operator, Value};
use crate::lexer::{NAME, OPERATOR, VALUE};

fn parse(input: &str) -> Filter {
    Filter::parse(input).unwrap_or_else(|error| panic!("{input}: {error}"))
}

fn fails(input: &str) -> (usize, ErrorKind) {
    let error = Filter::parse(input).expect_err(input);
    (error.position(), error.kind())
}

fn path(text: &str) -> AttributePath {
    AttributePath::parse(text).unwrap()
}

fn compare(name: &str, operator: Operator, value: Value) -> Filter {
    let test = Test::Compare(operator, value);
    Filter::Attribute(AttributeExpression { path: path(name), test })
}

fn equal(name: &str, value: &str) -> Filter {
    compare(name, Operator::Equal, Value::String(value.to_owned()))
}

fn contains(name: &str, value: &str) -> Filter {
    compare(name, Operator::Contains, Value::String(value.to_owned()))
}

fn present(name: &str) -> Filter {
    Filter::Attribute(AttributeExpression { path: path(name), test: Test::Present })
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn within(name: &str, filter: Filter) -> Filter {
    Filter::ValuePath(ValuePath { path: path(name), filter: Box::new(filter), then: None })
}

#[test]
fn rfc7644_3_4_2_2_figure_2_attribute_expressions() {
    assert_eq!(parse(r#"userName eq "bjensen""#), equal("userName", "bjensen"));
    assert_eq!(parse(r#"name.familyName co "O'Malley""#), contains("name.familyName", "O'Malley"));
    let user_name = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
    assert_eq!(
        parse(&format!("{user_name} sw \"J\"")),
        compare(user_name, Operator::StartsWith, Value::String("J".into()))
    );
    assert_eq!(parse("title pr"), present("title"));
    for (word, operator) in [
        ("eq", Operator::Equal),
        ("ne", Operator::NotEqual),
        ("co", Operator::Contains),
        ("sw", Operator::StartsWith),
        ("ew", Operator::EndsWith),
        ("gt", Operator::GreaterThan),
        ("ge", Operator::GreaterOrEqual),
        ("lt", Operator::LessThan),
        ("le", Operator::LessOrEqual),
    ] {
        let when = "2011-05-13T04:42:34Z";
        assert_eq!(
            parse(&format!("meta.lastModified {word} \"{when}\"")),
            compare("meta.lastModified", operator, Value::String(when.into()))
        );
    }
}

#[test]
fn rfc7644_3_4_2_2_figure_2_logical_expressions() {
    assert_eq!(
        parse(r#"title pr and userType eq "Employee""#),
        Filter::And(vec![present("title"), equal("userType", "Employee")])
    );
    assert_eq!(
        parse(r#"title pr or userType eq "Intern""#),
        Filter::Or(vec![present("title"), equal("userType", "Intern")])
    );
    let either = Filter::Or(vec![
        contains("emails", "example.com"),
        contains("emails.value", "example.org"),
    ]);
    assert_eq!(
        parse(concat!(
            r#"userType eq "Employee" and "#,
            r#"(emails co "example.com" or emails.value co "example.org")"#
        )),
        Filter::And(vec![equal("userType", "Employee"), either.clone()])
    );
    assert_eq!(
        parse(concat!(
            r#"userType eq "Employee" and not "#,
            r#"(emails co "example.com" or emails.value co "example.org")"#
        )),
        Filter::And(vec![equal("userType", "Employee"), not(either)])
    );
    assert_eq!(
        parse(r#"userType eq "Employee" and (emails.type eq "work")"#),
        Filter::And(vec![equal("userType", "Employee"), equal("emails.type", "work")])
    );
}

#[test]
fn rfc7644_3_4_2_2_figure_2_value_paths() {
    let emails = || {
        let both = vec![equal("type", "work"), contains("value", "@example.com")];
        within("emails", Filter::And(both))
    };
    assert_eq!(
        parse(r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#),
        Filter::And(vec![equal("userType", "Employee"), emails()])
    );
    let ims = Filter::And(vec![equal("type", "xmpp"), contains("value", "@foo.com")]);
    assert_eq!(
        parse(concat!(
            r#"emails[type eq "work" and value co "@example.com"] or "#,
            r#"ims[type eq "xmpp" and value co "@foo.com"]"#
        )),
        Filter::Or(vec![emails(), within("ims", ims)])
    );
}

#[test]
fn rfc7644_3_4_2_2_precedence_not_over_and_over_or() {
    assert_eq!(
        parse("a pr or not (b pr) and c pr or d pr"),
        Filter::Or(vec![
            present("a"),
            Filter::And(vec![not(present("b")), present("c")]),
            present("d"),
        ])
    );
    assert_eq!(
        parse("(a pr or b pr) and c pr"),
        Filter::And(vec![Filter::Or(vec![present("a"), present("b")]), present("c")])
    );
}

#[test]
fn operands_of_the_same_connective_are_flattened() {
    let three = || vec![present("a"), present("b"), present("c")];
    for text in ["a pr and b pr and c pr", "(a pr and b pr) and c pr", "a pr and ((b pr and c pr))"]
    {
        assert_eq!(parse(text), Filter::And(three()), "{text}");
    }
    for text in ["a pr or b pr or c pr", "(a pr or b pr) or c pr", "a pr or ((b pr or c pr))"] {
        assert_eq!(parse(text), Filter::Or(three()), "{text}");
    }
    assert_eq!(parse("((a pr))"), present("a"));
}

#[test]
fn rfc7644_3_4_2_2_everything_but_value_paths_inside_brackets() {
    assert_eq!(
        parse(r#"emails[not (type eq "work") and (a pr or b pr)]"#),
        within(
            "emails",
            Filter::And(vec![
                not(equal("type", "work")),
                Filter::Or(vec![present("a"), present("b")]),
            ])
        )
    );
    assert_eq!(fails("a[b[c pr]]"), (3, ErrorKind::NestedValuePath));
    assert_eq!(fails("a[(not (b[c pr]))]"), (9, ErrorKind::NestedValuePath));
    assert_eq!(parse("a[b pr] and c[d pr]").to_string(), "a[b pr] and c[d pr]");
}

#[test]
fn a_test_may_follow_the_brackets() {
    let Filter::ValuePath(found) = parse(r#"emails[type eq "work"].value eq "x" "#) else {
        panic!("not a value path");
    };
    let test = Test::Compare(Operator::Equal, Value::String("x".into()));
    assert_eq!(found.then, Some(("value".to_owned(), test)));
    assert_eq!(
        parse("emails[type pr].value pr and a pr").to_string(),
        "emails[type pr].value pr and a pr"
    );
    assert_eq!(fails("emails[type pr].value"), (21, ErrorKind::Expected(OPERATOR)));
    assert_eq!(fails("emails[type pr].a.b pr"), (17, ErrorKind::NestedSubAttribute));
    assert_eq!(fails("emails[type pr].a[b pr]"), (17, ErrorKind::Expected(OPERATOR)));
    assert_eq!(fails("emails[type pr] pr"), (16, ErrorKind::TrailingInput));
    assert_eq!(fails("emails[type pr] eq \"\""), (16, ErrorKind::TrailingInput));
}

#[test]
fn keywords_are_read_in_any_letter_case() {
    assert_eq!(
        parse(r#"a EQ TRUE AND NOT (b Pr) Or c Sw "x""#).to_string(),
        r#"a eq true and not (b pr) or c sw "x""#
    );
}

#[test]
fn keywords_are_names_where_a_name_stands() {
    for text in ["not eq 1", "not pr", "pr pr", "and eq 1 and or eq 2", "notes pr", "not.a pr"] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse("not[not pr]").to_string(), "not[not pr]");
}

#[test]
fn rfc7644_3_4_2_2_not_takes_parentheses() {
    assert_eq!(parse("not(a pr)"), not(present("a")));
    assert_eq!(parse("NOT \t ( a pr )"), not(present("a")));
    assert_eq!(parse("not (not (a pr))"), not(not(present("a"))));
    assert_eq!(fails("not userName pr"), (4, ErrorKind::Expected("`(` after `not`")));
    assert_eq!(fails("a pr and not not (b pr)"), (13, ErrorKind::Expected("`(` after `not`")));
    assert_eq!(fails("not ()"), (5, ErrorKind::Expected(NAME)));
    assert_eq!(fails("not"), (3, ErrorKind::Expected(OPERATOR)));
}

#[test]
fn any_number_of_spaces_and_tabs_where_one_space_may_stand() {
    assert_eq!(
        parse(" \t( a  pr\tand  emails[ b \t eq  1 ] ) \t").to_string(),
        "a pr and emails[b eq 1]"
    );
    for text in ["a\npr", "a\u{a0}pr"] {
        assert_eq!(fails(text), (1, ErrorKind::Expected(OPERATOR)));
    }
}

#[test]
fn spaces_that_the_grammar_wants_are_required() {
    assert_eq!(fails("a eq\"x\""), (4, ErrorKind::Expected("a space")));
    assert_eq!(fails("a eq1"), (4, ErrorKind::Expected("a space")));
    assert_eq!(fails("a pr and(b pr)"), (8, ErrorKind::Expected("a space")));
    assert_eq!(fails("a eq \"x\"and b pr"), (8, ErrorKind::TrailingInput));
    assert_eq!(fails("(a pr)and (b pr)"), (6, ErrorKind::TrailingInput));
}

#[test]
fn what_is_missing_is_named() {
    for (input, position) in [("", 0), ("  ", 2), ("()", 1), ("a pr and ", 9), ("a pr or )", 8)] {
        assert_eq!(fails(input), (position, ErrorKind::Expected(NAME)), "{input}");
    }
    assert_eq!(fails("userName"), (8, ErrorKind::Expected(OPERATOR)));
    assert_eq!(fails("userName "), (9, ErrorKind::Expected(OPERATOR)));
    assert_eq!(fails("userName=\"x\""), (8, ErrorKind::Expected(OPERATOR)));
    assert_eq!(fails("userName eq"), (11, ErrorKind::Expected(VALUE)));
    assert_eq!(fails("userName eq "), (12, ErrorKind::Expected(VALUE)));
    assert_eq!(fails("(userName eq)"), (12, ErrorKind::Expected("a space")));
    assert_eq!(fails("(a pr"), (5, ErrorKind::Expected("`and`, `or` or `)`")));
    assert_eq!(fails("(a pr]"), (5, ErrorKind::Expected("`and`, `or` or `)`")));
    assert_eq!(fails("a[b pr"), (6, ErrorKind::Expected("`and`, `or` or `]`")));
    assert_eq!(fails("a[b pr and"), (10, ErrorKind::Expected("a space")));
}

#[test]
fn what_does_not_belong_is_refused() {
    assert_eq!(fails("a regex \"x\""), (2, ErrorKind::UnknownOperator));
    assert_eq!(fails("a prx"), (2, ErrorKind::UnknownOperator));
    assert_eq!(fails("a pr \"x\""), (5, ErrorKind::TrailingInput));
    assert_eq!(fails("a pr)"), (4, ErrorKind::TrailingInput));
    assert_eq!(fails("a pr b pr"), (5, ErrorKind::TrailingInput));
    assert_eq!(fails("a pr andy b pr"), (5, ErrorKind::TrailingInput));
    assert_eq!(fails("a.b.c pr"), (3, ErrorKind::NestedSubAttribute));
    assert_eq!(fails("a eq \"\\q\""), (6, ErrorKind::BadEscape));
    assert_eq!(fails("a eq \"é\\uD83D\""), (8, ErrorKind::BadEscape));
    assert_eq!(fails("a eq \"x"), (5, ErrorKind::UnterminatedString));
    assert_eq!(fails("a eq 1e999"), (5, ErrorKind::BadNumber));
    assert_eq!(fails("a eq jyoung"), (5, ErrorKind::Expected(VALUE)));
    assert_eq!(fails("a eq [1]"), (5, ErrorKind::Expected(VALUE)));
    assert_eq!(fails("064869bf-be25 eq \"x\""), (0, ErrorKind::Expected(NAME)));
}

#[test]
fn unquoted_values_end_at_spaces_and_closing_brackets() {
    let lenient = Options { unquoted_values: true, ..Options::default() };
    for (input, canonical) in [
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("userName sw O and active eq True", r#"userName sw "O" and active eq true"#),
        (
            "meta.lastModified ge 2015-10-10T14:38:21.86-07:00",
            r#"meta.lastModified ge "2015-10-10T14:38:21.86-07:00""#,
        ),
        ("not (a eq x)", r#"not (a eq "x")"#),
        ("emails[type eq work].value co @x", r#"emails[type eq "work"].value co "@x""#),
        ("a eq and", r#"a eq "and""#),
    ] {
        assert_eq!(Filter::parse_with(input, &lenient).unwrap().to_string(), canonical);
    }
    let error = Filter::parse_with("name eq Barbara Jensen", &lenient).unwrap_err();
    assert_eq!((error.position(), error.kind()), (16, ErrorKind::TrailingInput));
    assert!(Filter::parse_with("a eq ", &lenient).is_err());
}

#[test]
fn limits_are_inclusive() {
    let kind = |input: &str, options: Options| {
        Filter::parse_with(input, &options).map_err(|error| (error.position(), error.kind()))
    };
    let length = |max_length| Options { max_length, ..Options::default() };
    assert!(kind("a pr", length(4)).is_ok());
    assert_eq!(kind("a pr", length(3)), Err((3, ErrorKind::TooLong)));
    assert_eq!(kind("éé", length(3)), Err((2, ErrorKind::TooLong)));

    let depth = |max_depth| Options { max_depth, ..Options::default() };
    assert!(kind("(a[(b pr)]) and not (c pr)", depth(3)).is_ok());
    assert_eq!(kind("(a[(b pr)])", depth(2)), Err((3, ErrorKind::TooDeep)));
    assert_eq!(kind("not (a pr)", depth(0)), Err((4, ErrorKind::TooDeep)));

    let terms = |max_terms| Options { max_terms, ..Options::default() };
    assert!(kind("a pr and b[c pr].d pr", terms(3)).is_ok());
    assert_eq!(kind("a pr and b[c pr].d pr", terms(2)), Err((16, ErrorKind::TooManyTerms)));
    assert_eq!(kind("a pr and b pr", terms(1)), Err((9, ErrorKind::TooManyTerms)));
}
