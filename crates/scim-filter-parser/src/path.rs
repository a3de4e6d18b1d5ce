//! PATCH paths and attribute names.

use std::str::FromStr;

use crate::ast::{AttributePath, Options, Path};
use crate::error::ParseError;
use crate::filter::Parser;

impl Path {
    /// Parses the `path` of a PATCH operation (RFC 7644, section 3.5.2), under the default
    /// [`Options`].
    ///
    /// ```
    /// use scim_filter_parser::{ErrorKind, Path};
    ///
    /// let path = Path::parse("name.familyName")?;
    /// assert_eq!(path.attribute.sub_attribute.as_deref(), Some("familyName"));
    ///
    /// let error = Path::parse("emails[type eq]").unwrap_err();
    /// assert_eq!((error.position(), error.kind()), (14, ErrorKind::Expected("a space")));
    /// # Ok::<(), scim_filter_parser::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Path::parse_with`].
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        Self::parse_with(input, &Options::default())
    }

    /// Parses the `path` of a PATCH operation (RFC 7644, section 3.5.2).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong),
    /// [`TooDeep`](crate::ErrorKind::TooDeep) and
    /// [`TooManyTerms`](crate::ErrorKind::TooManyTerms) when the text exceeds the limits; any other
    /// [`ErrorKind`](crate::ErrorKind) when it is not a path. A position between brackets is in the
    /// filter there.
    pub fn parse_with(input: &str, options: &Options) -> Result<Self, ParseError> {
        let mut parser = Parser::new(input, options)?;
        let attribute = parser.attribute_path()?;
        let filter = parser.brackets()?;
        let sub_attribute = match filter {
            Some(_) => parser.sub_attribute()?.map(str::to_owned),
            None => None,
        };
        parser.end()?;
        Ok(Self { attribute, filter, sub_attribute })
    }
}

impl FromStr for Path {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

impl AttributePath {
    /// Parses the name of one attribute, as `sortBy` and each element of `attributes` and
    /// `excludedAttributes` give it (RFC 7644, section 3.10).
    ///
    /// ```
    /// use scim_filter_parser::AttributePath;
    ///
    /// let path = AttributePath::parse("manager.$ref")?;
    /// assert_eq!((path.attribute.as_str(), path.sub_attribute.as_deref()), ("manager", Some("$ref")));
    /// assert!(AttributePath::parse("userName,id").is_err());
    /// # Ok::<(), scim_filter_parser::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong) when the text is longer than
    /// [`Options::max_length`] by default allows, and any other
    /// [`ErrorKind`](crate::ErrorKind) when it is not the name of an attribute.
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(input, &Options::default())?;
        let path = parser.attribute_path()?;
        parser.end()?;
        Ok(path)
    }
}

impl FromStr for AttributePath {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Filter};

    fn kind(input: &str) -> ErrorKind {
        Path::parse(input).unwrap_err().kind()
    }

    fn attribute(
        schema: Option<&str>,
        attribute: &str,
        sub_attribute: Option<&str>,
    ) -> AttributePath {
        AttributePath {
            schema: schema.map(str::to_owned),
            attribute: attribute.to_owned(),
            sub_attribute: sub_attribute.map(str::to_owned),
        }
    }

    #[test]
    fn rfc7644_3_5_2_examples() {
        assert_eq!(
            Path::parse("members").unwrap(),
            Path { attribute: attribute(None, "members", None), filter: None, sub_attribute: None }
        );
        assert_eq!(
            Path::parse("name.familyName").unwrap(),
            Path {
                attribute: attribute(None, "name", Some("familyName")),
                filter: None,
                sub_attribute: None
            }
        );
        assert_eq!(
            Path::parse("addresses[type eq \"work\"]").unwrap(),
            Path {
                attribute: attribute(None, "addresses", None),
                filter: Some(Box::new(Filter::parse("type eq \"work\"").unwrap())),
                sub_attribute: None
            }
        );
        assert_eq!(
            Path::parse("members[value eq \"2819c223-7f76-453a-919d-413861904646\"].displayName")
                .unwrap()
                .sub_attribute
                .as_deref(),
            Some("displayName")
        );
    }

    #[test]
    fn rfc7644_3_5_2_paths_with_a_schema() {
        let user = "urn:ietf:params:scim:schemas:core:2.0:User";
        let path =
            Path::parse(&format!("{user}:emails[type eq \"work\" and primary eq true].value"));
        let path = path.unwrap();
        assert_eq!(path.attribute, attribute(Some(user), "emails", None));
        assert_eq!(path.sub_attribute.as_deref(), Some("value"));
        assert!(
            matches!(path.filter.as_deref(), Some(Filter::And(operands)) if operands.len() == 2)
        );

        // A whole extension, and an attribute of one after a dot: for the caller to tell apart.
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(Path::parse(enterprise).unwrap().attribute.to_string(), enterprise);
        assert_eq!(
            Path::parse(&format!("{enterprise}.manager")).unwrap().attribute,
            attribute(
                Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0"),
                "User",
                Some("manager")
            )
        );
    }

    #[test]
    fn spaces_around_and_inside_a_path() {
        assert_eq!(
            Path::parse(" emails[ type  eq \"work\" ].value\t").unwrap(),
            Path::parse("emails[type eq \"work\"].value").unwrap()
        );
        assert_eq!(kind("emails [type pr]"), ErrorKind::TrailingInput);
        assert_eq!(kind("emails[type pr] .value"), ErrorKind::TrailingInput);
    }

    #[test]
    fn what_is_not_a_path() {
        assert_eq!(kind(""), ErrorKind::Expected("an attribute name"));
        assert_eq!(kind("emails[]"), ErrorKind::Expected("an attribute name"));
        assert_eq!(kind("emails[type pr"), ErrorKind::Expected("`and`, `or` or `]`"));
        assert_eq!(kind("emails[type pr)"), ErrorKind::Expected("`and`, `or` or `]`"));
        assert_eq!(kind("emails[type pr]."), ErrorKind::Expected("an attribute name"));
        assert_eq!(kind("emails[type pr].a.b"), ErrorKind::NestedSubAttribute);
        assert_eq!(kind("emails[type[a pr]]"), ErrorKind::NestedValuePath);
        assert_eq!(kind("emails[type pr][primary pr]"), ErrorKind::TrailingInput);
        assert_eq!(kind("emails[type pr].value eq 1"), ErrorKind::TrailingInput);
        assert_eq!(kind("a.b.c"), ErrorKind::NestedSubAttribute);
        assert_eq!(kind("members,emails"), ErrorKind::TrailingInput);
        assert_eq!(kind("/emails/0"), ErrorKind::Expected("an attribute name"));
    }

    #[test]
    fn options_apply_to_the_filter_of_a_path() {
        let input = "members[value eq abc]";
        assert_eq!(kind(input), ErrorKind::Expected(crate::lexer::VALUE));
        let lenient = Options { unquoted_values: true, ..Options::default() };
        assert_eq!(
            Path::parse_with(input, &lenient).unwrap().to_string(),
            "members[value eq \"abc\"]"
        );
        let flat = Options { max_depth: 0, ..Options::default() };
        assert_eq!(Path::parse_with("members[value pr]", &flat).unwrap_err().position(), 7);
    }

    #[test]
    fn rfc7644_3_10_attribute_names() {
        assert_eq!(AttributePath::parse(" userName "), Ok(attribute(None, "userName", None)));
        assert_eq!("name.givenName".parse(), Ok(attribute(None, "name", Some("givenName"))));
        assert_eq!(
            AttributePath::parse("userName,id").unwrap_err().kind(),
            ErrorKind::TrailingInput
        );
        assert_eq!(
            AttributePath::parse("emails[type pr]").unwrap_err().kind(),
            ErrorKind::TrailingInput
        );
        assert_eq!(
            AttributePath::parse(&"a".repeat(16_385)).unwrap_err().kind(),
            ErrorKind::TooLong
        );
    }
}
