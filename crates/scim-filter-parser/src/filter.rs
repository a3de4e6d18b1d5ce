//! Filters: recursive descent over the words of the lexer.
//!
//! Each step looks at the next character or word and then commits itself. Nothing is ever parsed
//! twice to see which alternative fits, so that the time is linear whatever the nesting.

use std::str::FromStr;

use nom::Parser as _;
use nom::bytes::complete::tag_no_case;
use nom::character::complete::{alpha1, char, space0, space1};

use crate::ast::{AttributeExpression, AttributePath, Filter, Options, Test, ValuePath};
use crate::error::{ErrorKind, ParseError};
use crate::lexer::{self, Lexed, SPACE};

impl Filter {
    /// Parses a filter (RFC 7644, section 3.4.2.2), under the default [`Options`].
    ///
    /// ```
    /// use scim_filter_parser::{ErrorKind, Filter};
    ///
    /// let filter = Filter::parse(r#"title pr and not(active eq False)"#)?;
    /// assert_eq!(filter.to_string(), "title pr and not (active eq false)");
    ///
    /// let error = Filter::parse("title pr and").unwrap_err();
    /// assert_eq!((error.position(), error.kind()), (12, ErrorKind::Expected("a space")));
    /// # Ok::<(), scim_filter_parser::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Filter::parse_with`].
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        Self::parse_with(input, &Options::default())
    }

    /// Parses a filter (RFC 7644, section 3.4.2.2).
    ///
    /// ```
    /// use scim_filter_parser::{Filter, Options};
    ///
    /// let lenient = Options { unquoted_values: true, ..Options::default() };
    /// let filter = Filter::parse_with("externalId eq jyoung", &lenient)?;
    /// assert_eq!(filter, Filter::parse(r#"externalId eq "jyoung""#)?);
    /// # Ok::<(), scim_filter_parser::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLong`], [`ErrorKind::TooDeep`] and [`ErrorKind::TooManyTerms`] when the text
    /// exceeds the limits; any other [`ErrorKind`] when it is not a filter.
    /// [`ParseError::position`] is where it stops making sense.
    pub fn parse_with(input: &str, options: &Options) -> Result<Self, ParseError> {
        let mut parser = Parser::new(input, options)?;
        let filter = parser.filter()?;
        parser.end()?;
        Ok(filter)
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

/// The input that is left, and the limits that are.
pub(crate) struct Parser<'a> {
    input: &'a str,
    rest: &'a str,
    depth_left: usize,
    terms_left: usize,
    unquoted_values: bool,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(input: &'a str, options: &Options) -> Result<Self, ParseError> {
        if input.len() > options.max_length {
            let mut position = options.max_length;
            while !input.is_char_boundary(position) {
                position -= 1;
            }
            return Err(ParseError::new(position, ErrorKind::TooLong));
        }
        let mut parser = Self {
            input,
            rest: input,
            depth_left: options.max_depth.min(Options::DEPTH_CEILING),
            terms_left: options.max_terms,
            unquoted_values: options.unquoted_values,
            in_brackets: false,
        };
        parser.spaces();
        Ok(parser)
    }

    /// Nothing but spaces may be left.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        self.spaces();
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(ErrorKind::TrailingInput)) }
    }

    pub(crate) fn attribute_path(&mut self) -> Result<AttributePath, ParseError> {
        self.take(lexer::attribute_path)
    }

    pub(crate) fn sub_attribute(&mut self) -> Result<Option<&'a str>, ParseError> {
        self.take(lexer::sub_attribute)
    }

    /// `"[" valFilter "]"`, or nothing if there is no bracket.
    pub(crate) fn brackets(&mut self) -> Result<Option<Box<Filter>>, ParseError> {
        if !self.rest.starts_with('[') {
            return Ok(None);
        }
        if self.in_brackets {
            return Err(self.error(ErrorKind::NestedValuePath));
        }
        self.in_brackets = true;
        let filter = self.enclosed('[', ']', "`and`, `or` or `]`")?;
        self.in_brackets = false;
        Ok(Some(Box::new(filter)))
    }

    fn filter(&mut self) -> Result<Filter, ParseError> {
        let first = self.conjunction()?;
        if !self.connective("or")? {
            return Ok(first);
        }
        let mut operands = match first {
            Filter::Or(operands) => operands,
            operand => vec![operand],
        };
        loop {
            match self.conjunction()? {
                Filter::Or(inner) => operands.extend(inner),
                operand => operands.push(operand),
            }
            if !self.connective("or")? {
                return Ok(Filter::Or(operands));
            }
        }
    }

    fn conjunction(&mut self) -> Result<Filter, ParseError> {
        let first = self.operand()?;
        if !self.connective("and")? {
            return Ok(first);
        }
        let mut operands = match first {
            Filter::And(operands) => operands,
            operand => vec![operand],
        };
        loop {
            match self.operand()? {
                Filter::And(inner) => operands.extend(inner),
                operand => operands.push(operand),
            }
            if !self.connective("and")? {
                return Ok(Filter::And(operands));
            }
        }
    }

    fn operand(&mut self) -> Result<Filter, ParseError> {
        if self.rest.starts_with('(') {
            return self.parentheses();
        }
        if self.negated()? {
            return Ok(Filter::Not(Box::new(self.parentheses()?)));
        }
        self.expression()
    }

    /// `attrExp` or `valuePath`. A function of its own to keep its many locals off the stack of
    /// the recursion through parentheses.
    #[inline(never)]
    fn expression(&mut self) -> Result<Filter, ParseError> {
        let start = self.rest;
        let path = self.attribute_path()?;
        let Some(filter) = self.brackets()? else {
            self.count_term(start)?;
            let test = self.test()?;
            return Ok(Filter::Attribute(AttributeExpression { path, test }));
        };
        let start = self.rest;
        let then = match self.sub_attribute()? {
            Some(sub_attribute) => {
                self.count_term(start)?;
                Some((sub_attribute.to_owned(), self.test()?))
            }
            None => None,
        };
        Ok(Filter::ValuePath(ValuePath { path, filter, then }))
    }

    /// Whether `not` comes next; if so, moves to the parenthesis behind it.
    fn negated(&mut self) -> Result<bool, ParseError> {
        let not: Lexed<'a, _> = (tag_no_case("not"), space0).parse(self.rest);
        match not {
            Ok((rest, _)) if rest.starts_with('(') => {
                self.rest = rest;
                Ok(true)
            }
            // The negation of something without parentheses, unless an operator shows that this
            // `not` is an attribute's name.
            Ok((rest, (_, spaces))) if !spaces.is_empty() && lexer::operator(rest).is_err() => {
                self.rest = rest;
                Err(self.error(ErrorKind::Expected("`(` after `not`")))
            }
            _ => Ok(false),
        }
    }

    fn test(&mut self) -> Result<Test, ParseError> {
        let unquoted_values = self.unquoted_values;
        self.take(|input| lexer::test(input, unquoted_values))
    }

    fn parentheses(&mut self) -> Result<Filter, ParseError> {
        self.enclosed('(', ')', "`and`, `or` or `)`")
    }

    fn enclosed(
        &mut self,
        open: char,
        close: char,
        wanted: &'static str,
    ) -> Result<Filter, ParseError> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(self.error(ErrorKind::TooDeep));
        };
        self.take(|input| char(open).parse(input))?;
        self.depth_left = depth_left;
        self.spaces();
        let filter = self.filter()?;
        self.spaces();
        self.take(lexer::or_else(char(close), ErrorKind::Expected(wanted)))?;
        self.depth_left += 1;
        Ok(filter)
    }

    /// Whether `word` comes next; if so, moves behind it to what it connects.
    fn connective(&mut self, word: &str) -> Result<bool, ParseError> {
        let next: Lexed<'a, _> = (space1, alpha1).parse(self.rest);
        match next {
            Ok((rest, (_, found))) if found.eq_ignore_ascii_case(word) => {
                self.rest = rest;
                self.take(lexer::or_else(space1, ErrorKind::Expected(SPACE)))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn count_term(&mut self, start: &'a str) -> Result<(), ParseError> {
        match self.terms_left.checked_sub(1) {
            Some(terms_left) => {
                self.terms_left = terms_left;
                Ok(())
            }
            None => Err(self.error_at(start.len(), ErrorKind::TooManyTerms)),
        }
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take<T>(&mut self, word: impl FnOnce(&'a str) -> Lexed<'a, T>) -> Result<T, ParseError> {
        match word(self.rest) {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(nom::Err::Error(failure) | nom::Err::Failure(failure)) => {
                Err(self.error_at(failure.remaining, failure.kind))
            }
            // Only nom's streaming parsers, of which there are none here, ask for more.
            Err(nom::Err::Incomplete(_)) => Err(self.error(ErrorKind::Expected("more text"))),
        }
    }

    fn error(&self, kind: ErrorKind) -> ParseError {
        self.error_at(self.rest.len(), kind)
    }

    fn error_at(&self, remaining: usize, kind: ErrorKind) -> ParseError {
        ParseError::new(self.input.len() - remaining, kind)
    }
}

#[cfg(test)]
mod tests;
