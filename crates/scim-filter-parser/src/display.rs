//! Canonical text: what prints here parses to the tree it was printed from.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    AttributeExpression, AttributePath, Filter, Operator, Path, Test, Value, ValuePath,
};

impl Display for AttributePath {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{schema}:")?;
        }
        formatter.write_str(&self.attribute)?;
        if let Some(sub_attribute) = &self.sub_attribute {
            write!(formatter, ".{sub_attribute}")?;
        }
        Ok(())
    }
}

impl Display for Filter {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(" and ")?;
                    }
                    // Of all operands only `or` binds looser than `and`.
                    if matches!(operand, Self::Or(_)) {
                        write!(formatter, "({operand})")?;
                    } else {
                        operand.fmt(formatter)?;
                    }
                }
                Ok(())
            }
            Self::Or(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(" or ")?;
                    }
                    operand.fmt(formatter)?;
                }
                Ok(())
            }
            Self::Not(operand) => write!(formatter, "not ({operand})"),
            Self::Attribute(expression) => expression.fmt(formatter),
            Self::ValuePath(value_path) => value_path.fmt(formatter),
        }
    }
}

impl Display for AttributeExpression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path, self.test)
    }
}

impl Display for Test {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => formatter.write_str("pr"),
            Self::Compare(operator, value) => write!(formatter, "{operator} {value}"),
        }
    }
}

impl Display for Operator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Display for Value {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => quoted(text, formatter),
            Self::Integer(number) => number.fmt(formatter),
            // `Debug` rather than `Display`: it always keeps a fraction or an exponent, without
            // which the number would come back as an integer.
            Self::Decimal(number) => write!(formatter, "{number:?}"),
            Self::Boolean(truth) => truth.fmt(formatter),
            Self::Null => formatter.write_str("null"),
        }
    }
}

impl Display for ValuePath {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]", self.path, self.filter)?;
        if let Some((sub_attribute, test)) = &self.then {
            write!(formatter, ".{sub_attribute} {test}")?;
        }
        Ok(())
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.attribute.fmt(formatter)?;
        if let Some(filter) = &self.filter {
            write!(formatter, "[{filter}]")?;
        }
        if let Some(sub_attribute) = &self.sub_attribute {
            write!(formatter, ".{sub_attribute}")?;
        }
        Ok(())
    }
}

/// Writes a JSON string, escaping only what JSON wants escaped.
fn quoted(text: &str, formatter: &mut Formatter<'_>) -> fmt::Result {
    formatter.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => formatter.write_str("\\\"")?,
            '\\' => formatter.write_str("\\\\")?,
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            '\0'..='\x1f' => write!(formatter, "\\u{:04x}", u32::from(character))?,
            _ => formatter.write_char(character)?,
        }
    }
    formatter.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Filter::parse(text).unwrap().to_string()
    }

    #[test]
    fn parentheses_stay_only_where_precedence_needs_them() {
        assert_eq!(canonical("(a pr and (b pr)) or ((c pr))"), "a pr and b pr or c pr");
        assert_eq!(canonical("a pr AND (b pr OR c pr)"), "a pr and (b pr or c pr)");
        assert_eq!(canonical("NOT(a pr)"), "not (a pr)");
        assert_eq!(canonical("e[ (type EQ \"work\") ].value  PR"), "e[type eq \"work\"].value pr");
    }

    #[test]
    fn strings_are_escaped_as_json() {
        assert_eq!(
            canonical(r#"a eq "\u0022\\\/\u0000\b\f\n\r\té\ud83d\ude00""#),
            r#"a eq "\"\\/\u0000\u0008\u000c\n\r\té😀""#
        );
    }

    #[test]
    fn decimals_stay_decimals() {
        for (text, printed) in
            [("2e2", "200.0"), ("1.50", "1.5"), ("1E300", "1e300"), ("-0.0", "-0.0")]
        {
            assert_eq!(canonical(&format!("a eq {text}")), format!("a eq {printed}"));
        }
    }

    #[test]
    fn paths_print_as_they_were_written() {
        for text in [
            "name.familyName",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "urn:ietf:params:scim:schemas:core:2.0:User:emails[not (type pr)].value",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }
}
