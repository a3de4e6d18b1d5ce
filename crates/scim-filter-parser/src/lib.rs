//! Parser for the filters and PATCH paths of SCIM 2.0 (RFC 7644).
//!
//! SCIM clients select resources with a `filter` parameter (section 3.4.2.2) and point at the
//! target of a PATCH operation with a `path` (section 3.5.2). This crate turns both into trees,
//! [`Filter`] and [`Path`], and prints the trees as canonical text again. It does nothing else: it
//! knows no schemas, compares no values and does no input or output. [`AttributePath`] reads what
//! the `attributes`, `excludedAttributes` and `sortBy` parameters hold (section 3.10).
//!
//! The name of an attribute is the smallest thing to parse:
//!
//! ```
//! use scim_filter_parser::AttributePath;
//!
//! let path: AttributePath = "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName".parse()?;
//! assert_eq!(path.schema.as_deref(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
//! assert_eq!(path.attribute, "name");
//! assert_eq!(path.sub_attribute.as_deref(), Some("familyName"));
//! # Ok::<(), scim_filter_parser::ParseError>(())
//! ```
//!
//! A PATCH path may also select among the values of an attribute:
//!
//! ```
//! use scim_filter_parser::{Filter, Path};
//!
//! let path = Path::parse(r#"emails[type eq "work"].value"#)?;
//! assert_eq!(path.attribute.attribute, "emails");
//! assert_eq!(path.filter.as_deref(), Some(&Filter::parse(r#"type eq "work""#)?));
//! assert_eq!(path.sub_attribute.as_deref(), Some("value"));
//! # Ok::<(), scim_filter_parser::ParseError>(())
//! ```
//!
//! A filter comes out as a tree to walk. Nested operands of the same connective are one list:
//!
//! ```
//! use scim_filter_parser::{Filter, Operator, ParseError, Test, Value};
//!
//! /// Whether some user name matches: a filter with one attribute and two operators.
//! fn matches(filter: &Filter, user_name: &str) -> bool {
//!     match filter {
//!         Filter::And(operands) => operands.iter().all(|operand| matches(operand, user_name)),
//!         Filter::Or(operands) => operands.iter().any(|operand| matches(operand, user_name)),
//!         Filter::Not(operand) => !matches(operand, user_name),
//!         Filter::Attribute(expression) => match &expression.test {
//!             Test::Compare(Operator::Equal, Value::String(value)) => user_name == value,
//!             Test::Compare(Operator::StartsWith, Value::String(value)) => {
//!                 user_name.starts_with(value)
//!             }
//!             _ => false,
//!         },
//!         Filter::ValuePath(_) => false,
//!     }
//! }
//!
//! let filter = Filter::parse(r#"userName SW "b" AND (NOT(userName eq "bob"))"#)?;
//! assert_eq!(filter.to_string(), r#"userName sw "b" and not (userName eq "bob")"#);
//! assert!(matches(&filter, "bjensen"));
//! assert!(!matches(&filter, "bob"));
//!
//! let error = Filter::parse("userName like \"b*\"").unwrap_err();
//! assert_eq!(error.position(), 9);
//! # Ok::<(), ParseError>(())
//! ```
//!
//! # Grammar
//!
//! Figure 1 of the RFC leaves the precedence of the connectives to its prose. Here the rules carry
//! it, as they are implemented:
//!
//! ```text
//! filter        = *SP disjunction *SP
//! disjunction   = conjunction *( 1*SP "or" 1*SP conjunction )
//! conjunction   = operand *( 1*SP "and" 1*SP operand )
//! operand       = [ "not" *SP ] "(" *SP disjunction *SP ")" / attrExp / valuePath
//! attrExp       = attrPath test
//! test          = 1*SP "pr" / 1*SP compareOp 1*SP compValue
//! valuePath     = attrPath "[" *SP disjunction *SP "]" [ subAttr test ]
//!                 ; no valuePath within the brackets
//! attrPath      = [ URI ":" ] ATTRNAME [ subAttr ]
//!                 ; the URI ends at the last colon
//! subAttr       = "." ATTRNAME
//! ATTRNAME      = [ "$" ] ALPHA *( ALPHA / DIGIT / "-" / "_" / "$" )
//! compareOp     = "eq" / "ne" / "co" / "sw" / "ew" / "gt" / "ge" / "lt" / "le"
//! compValue     = "false" / "null" / "true" / number / string   ; of JSON, RFC 8259
//!               / bare                            ; with Options::unquoted_values only
//! bare          = 1*<any character but spaces, controls, quotation marks, brackets and
//!                   parentheses>                  ; not beginning with an apostrophe
//! path          = *SP attrPath [ "[" *SP disjunction *SP "]" [ subAttr ] ] *SP
//! SP            = space / tab
//! ```
//!
//! Where this goes beyond the RFC, it is because clients do:
//!
//! - Any number of spaces or tabs may stand where the RFC has one space, around the whole, inside
//!   parentheses and brackets, and between `not` and its parenthesis.
//! - Operators, connectives, `true`, `false` and `null` are read in any letter case. (So says ABNF
//!   for its own literals; JSON differs.)
//! - A test may follow the brackets of a value path: `emails[type eq "work"].value eq "…"`.
//! - `$ref` is a name, and `$` may stand in one (RFC 7643, section 2.1).
//! - On request, values need no quotation marks. To learn whether that mattered, parse without the
//!   option first.
//!
//! Where it falls short: a schema URI may contain neither parentheses, brackets nor commas, which
//! have meanings of their own around one. A number that no double can hold is an error, as is half
//! of a surrogate pair in a string.
//!
//! Printed text keeps to the RFC wherever the tree does. It parses to the tree it was printed from,
//! provided that the tree is one the parser could have made: no list of fewer than two operands, no
//! list directly inside another of its kind, no infinities, no names that are not names.
//!
//! # Limits
//!
//! [`Options`] bounds the length of the input, the depth of its nesting and the number of attributes
//! it tests; anything beyond is an error. The text is read once, without backtracking, so that the
//! time taken is proportional to its length (flattening nested lists moves each operand once per
//! level at most, and there are at most [`Options::DEPTH_CEILING`] of those). The stack used is
//! proportional to the depth. No input causes a panic. Errors never quote the input.
#![deny(missing_docs)]

mod ast;
mod display;
mod error;
mod filter;
mod lexer;
mod path;

pub use ast::{
    AttributeExpression, AttributePath, Filter, Operator, Options, Path, Test, Value, ValuePath,
};
pub use error::{ErrorKind, ParseError};
