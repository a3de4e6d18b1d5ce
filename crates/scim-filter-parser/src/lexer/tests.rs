use super::*;

fn path(input: &str) -> Result<AttributePath, ErrorKind> {
    kind_of(attribute_path(input))
}

fn strict(input: &str) -> Result<Value, ErrorKind> {
    kind_of(value(input, false))
}

fn lenient(input: &str) -> Result<Value, ErrorKind> {
    kind_of(value(input, true))
}

fn kind_of<T>(lexed: Lexed<'_, T>) -> Result<T, ErrorKind> {
    match lexed {
        Ok((_, value)) => Ok(value),
        Err(nom::Err::Error(failure) | nom::Err::Failure(failure)) => Err(failure.kind),
        Err(nom::Err::Incomplete(_)) => unreachable!("complete parsers only"),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn rfc7644_3_10_the_last_colon_ends_the_schema() {
    let found = path("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName").unwrap();
    assert_eq!(found.schema.as_deref(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
    assert_eq!(found.attribute, "name");
    assert_eq!(found.sub_attribute.as_deref(), Some("familyName"));

    let found = path("urn:x:enterprise:2.0:User.manager pr").unwrap();
    assert_eq!(found.schema.as_deref(), Some("urn:x:enterprise:2.0"));
    assert_eq!(found.attribute, "User");
    assert_eq!(found.sub_attribute.as_deref(), Some("manager"));
    assert_eq!(found.to_string(), "urn:x:enterprise:2.0:User.manager");

    let found = path("https://example.com/scim/v1.0#badge_%41+~:colour").unwrap();
    assert_eq!(found.schema.as_deref(), Some("https://example.com/scim/v1.0#badge_%41+~"));
}

#[test]
fn rfc7643_2_1_attribute_names() {
    for name in ["a", "A9", "user-name", "user_name", "$ref", "valid$Name"] {
        assert_eq!(path(name).unwrap().attribute, name);
    }
    for name in ["", "9a", "-a", "_a", "$", "$9", ".a", "é", "urn:x:", "urn:x:9", ":a", "9:a"] {
        assert_eq!(path(name), Err(ErrorKind::Expected(NAME)), "{name}");
    }
    assert_eq!(path("a."), Err(ErrorKind::Expected(NAME)));
    assert_eq!(path("a..b"), Err(ErrorKind::Expected(NAME)));
    assert_eq!(path("a.b.c"), Err(ErrorKind::NestedSubAttribute));
    assert_eq!(path("manager.$ref").unwrap().sub_attribute.as_deref(), Some("$ref"));
}

#[test]
fn rfc8259_6_numbers() {
    for (input, integer) in
        [("0", 0), ("-0", 0), ("42", 42), ("-7", -7), ("9223372036854775807", i64::MAX)]
    {
        assert_eq!(strict(input), Ok(Value::Integer(integer)), "{input}");
    }
    for (input, decimal) in [
        ("1.5", 1.5),
        ("2e2", 200.0),
        ("-1.25E-2", -0.0125),
        ("1e+3", 1000.0),
        ("1.0", 1.0),
        ("9223372036854775808", 9_223_372_036_854_775_808.0),
    ] {
        assert_eq!(strict(input), Ok(Value::Decimal(decimal)), "{input}");
    }
    for input in ["-", "01", "1.", "1e", "1e+", "0x10", "123abc", "1.2.3", "-null", "1,5"] {
        assert_eq!(strict(input), Err(ErrorKind::BadNumber), "{input}");
    }
    for input in [".5", "+1", "Infinity", "NaN"] {
        assert_eq!(strict(input), Err(ErrorKind::Expected(VALUE)), "{input}");
    }
    for input in ["1e999", "-1e999"] {
        assert_eq!(strict(input), Err(ErrorKind::BadNumber), "{input}");
        assert_eq!(lenient(input), Err(ErrorKind::BadNumber), "{input}");
    }
}

#[test]
fn rfc8259_7_strings() {
    assert_eq!(strict(r#""""#), Ok(text("")));
    assert_eq!(strict(r#""O'Malley é 😀""#), Ok(text("O'Malley é 😀")));
    assert_eq!(strict(r#""\"\\\/\b\f\n\r\t""#), Ok(text("\"\\/\u{8}\u{c}\n\r\t")));
    assert_eq!(strict(r#""\u00E9\u00e9\uD83D\uDE00\uFFFF""#), Ok(text("éé😀\u{ffff}")));
    for escape in [
        r"\x",
        r"\U0041",
        r"\u",
        r"\u12",
        r"\u12G4",
        r"\u+123",
        r"\uD83D",
        r"\uD83D\n",
        r"\uD83D\u0041",
        r"\uDE00",
        r"\uDE00\uD83D",
        r"\u{41}",
        r"\é",
    ] {
        let quoted = format!("\"{escape}\"");
        assert_eq!(strict(&quoted), Err(ErrorKind::BadEscape), "{quoted}");
    }
    for control in ["\"a\nb\"", "\"\t\"", "\"\0\"", "\"\x1f"] {
        assert_eq!(strict(control), Err(ErrorKind::ControlCharacter));
    }
    for open in ["\"", "\"abc", r#""abc\""#] {
        assert_eq!(strict(open), Err(ErrorKind::UnterminatedString), "{open}");
    }
    assert_eq!(strict(r#""abc\"#), Err(ErrorKind::BadEscape));
}

#[test]
fn literals_are_read_in_any_letter_case() {
    for (input, literal) in [
        ("true", Value::Boolean(true)),
        ("True", Value::Boolean(true)),
        ("FALSE", Value::Boolean(false)),
        ("Null", Value::Null),
    ] {
        assert_eq!(strict(input).as_ref(), Ok(&literal));
        assert_eq!(lenient(input), Ok(literal));
    }
}

#[test]
fn unquoted_values_are_strings_only_by_option() {
    for word in ["jyoung", "O", "O'Malley", "a@example.com", "é", "nulls", "'", "x'"] {
        assert_eq!(strict(word), Err(ErrorKind::Expected(VALUE)), "{word}");
    }
    for word in ["jyoung", "O", "O'Malley", "a@example.com", "é", "nulls", "+1"] {
        assert_eq!(lenient(word), Ok(text(word)));
    }
    for word in ["007", "123abc", "2015-10-10T14:38:21.86-07:00", "1.2.3", "-"] {
        assert_eq!(strict(word), Err(ErrorKind::BadNumber));
        assert_eq!(lenient(word), Ok(text(word)));
    }
    assert_eq!(lenient("12"), Ok(Value::Integer(12)));
    assert_eq!(lenient("O)"), Ok(text("O")));
    assert_eq!(lenient("O]"), Ok(text("O")));
    for input in ["", ")", "'bjensen'", "(x", "\nx"] {
        assert_eq!(lenient(input), Err(ErrorKind::Expected(VALUE)), "{input}");
    }
    assert_eq!(lenient("\"x"), Err(ErrorKind::UnterminatedString));
}
