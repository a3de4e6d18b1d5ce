//! What a filter selects (RFC 7644 section 3.4.2.2).
//!
//! [`resolve`] checks a parsed filter against the schemas of a resource type and gives a
//! [`Predicate`]: every name replaced by its attribute, every literal by a value of that
//! attribute's type. Both evaluators start from it - [`evaluate`] in memory, and a store that
//! compiles it to its query language - so they cannot differ in what a name or a literal means.
//!
//! ```
//! use scim_protocol::dialect::{Dialect, Leniencies};
//! use scim_protocol::{filter, schema::ResourceType};
//! use serde_json::json;
//!
//! let mut leniencies = Leniencies::new(Dialect::Strict);
//! let text = r#"emails[type eq "work" and value sw "ADA@"]"#;
//! let predicate = filter::parse(ResourceType::user(), text, &mut leniencies)?;
//! let user = json!({"emails": [{"value": "ada@example.com", "type": "work"}]});
//! assert!(filter::evaluate(&predicate, user.as_object().unwrap()));
//! assert!(filter::parse(ResourceType::user(), "password pr", &mut leniencies).is_err());
//! # Ok::<(), scim_protocol::error::Error>(())
//! ```
//!
//! # Decided where the RFC is silent
//!
//! - A complex attribute stands for its `value` (`emails co "x"`, `manager eq "id"`); one without
//!   `value` can only be tested with `pr`.
//! - A condition on a multi-valued attribute holds if it holds for any of its values.
//! - `ne` holds for a value that is unassigned: it is not identical to the literal. On a
//!   multi-valued attribute it holds if some value differs or there is none.
//! - `eq null` is `not (… pr)`, `ne null` is `pr`.
//! - `not (…)` is the plain complement, so unassigned attributes satisfy `not (title eq "x")`.
//! - What no client sees (`returned: never`, `writeOnly`) cannot be filtered by.
//! - Integers are compared with all their digits, also with a literal that has a fraction or an
//!   exponent; decimals as `f64`.
//! - Text is compared by code point, after [`fold`](crate::fold::fold) unless `caseExact`.

mod evaluate;
mod resolve;
mod search;

pub use evaluate::{evaluate, evaluate_element};
pub use resolve::{parse, parse_for_one_of_many, resolve, resolve_element};
pub(crate) use search::comparable;
pub use search::search_document;

use jiff::Timestamp;
pub use scim_filter_parser::Operator;

use crate::schema::AttributeRef;

/// A filter whose names and literals are resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// All hold; always, if there are none.
    And(Vec<Predicate>),
    /// Any holds; never, if there are none.
    Or(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// A test of an attribute; any value of a multi-valued one.
    Test {
        /// What is tested; never complex unless the test is [`Test::Present`].
        attribute: AttributeRef,
        /// The test.
        test: Test,
    },
    /// One and the same element of a multi-valued (or the one value of a complex) attribute
    /// satisfies all of a predicate, whose tests name sub-attributes of that attribute.
    Element {
        /// The attribute, without sub-attribute.
        attribute: AttributeRef,
        /// What the element satisfies.
        predicate: Box<Predicate>,
    },
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is assigned.
    Present,
    /// It compares so with the operand.
    Compare(Operator, Operand),
}

/// A literal, as a value of the type of the attribute with which it is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Text, already folded if the attribute is not `caseExact`.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Decimal(f64),
    /// An instant.
    Instant(Timestamp),
}

impl Predicate {
    /// How many tests it has.
    pub fn terms(&self) -> usize {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().map(Self::terms).sum(),
            Self::Not(inner) | Self::Element { predicate: inner, .. } => inner.terms(),
            Self::Test { .. } => 1,
        }
    }

    /// For `eq` terms joined by `and`: the sub-attributes and values that an element must have.
    /// `None` if the predicate says anything else.
    pub fn equalities(&self) -> Option<Vec<(AttributeRef, &Operand)>> {
        match self {
            Self::And(terms) => {
                let all: Option<Vec<_>> = terms.iter().map(Self::equalities).collect();
                all.map(|terms| terms.into_iter().flatten().collect())
            }
            Self::Test { attribute, test: Test::Compare(Operator::Equal, operand) } => {
                Some(vec![(*attribute, operand)])
            }
            _ => None,
        }
    }
}
