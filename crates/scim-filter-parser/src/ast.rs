//! The trees that the parsers produce.

/// The name of an attribute, as filters, PATCH paths, `attributes` and `sortBy` spell it.
///
/// Names are kept in the letter case in which they were written; comparing them without regard to
/// case (RFC 7643, section 2.1) is for the caller, who knows the schemas.
///
/// The split between schema and attribute is purely textual, at the last colon. A path that names a
/// whole extension, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`, therefore comes
/// out as the attribute `User` of the schema `…:enterprise:2.0`. A caller that knows the schemas
/// recognises it by comparing the path's `Display` text with their identifiers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// The URI of the schema, without the colon that ends it.
    pub schema: Option<String>,
    /// The attribute.
    pub attribute: String,
    /// The sub-attribute after the dot, if there is one.
    pub sub_attribute: Option<String>,
}

/// A filter (RFC 7644, section 3.4.2.2).
///
/// Parentheses leave no trace beyond the shape of the tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every operand matches. The parser puts two or more operands here, none itself an `And`.
    And(Vec<Filter>),
    /// Some operand matches. The parser puts two or more operands here, none itself an `Or`.
    Or(Vec<Filter>),
    /// The operand does not match.
    Not(Box<Filter>),
    /// A test of one attribute.
    Attribute(AttributeExpression),
    /// A filter on the values of one attribute, in square brackets.
    ValuePath(ValuePath),
}

/// A test of one attribute: `userName sw "J"`.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeExpression {
    /// The attribute under test.
    pub path: AttributePath,
    /// The test.
    pub test: Test,
}

/// What an attribute expression asks of the attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `pr`: the attribute has a value.
    Present,
    /// The attribute's value compares with the given one.
    Compare(Operator, Value),
}

/// A comparison operator (RFC 7644, table 3, without `pr`, which takes no value).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    GreaterThan,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    LessThan,
    /// `le`
    LessOrEqual,
}

impl Operator {
    /// Every comparison operator.
    pub const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::GreaterThan,
        Self::GreaterOrEqual,
        Self::LessThan,
        Self::LessOrEqual,
    ];

    /// The operator as the RFC spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::GreaterThan => "gt",
            Self::GreaterOrEqual => "ge",
            Self::LessThan => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

/// A comparison value: any JSON value that is neither object nor array.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string, its escapes decoded.
    String(String),
    /// A number without fraction or exponent that an `i64` can hold.
    Integer(i64),
    /// Any other number. The parser never puts an infinity or a NaN here.
    Decimal(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`.
    Null,
}

/// A filter on the values of one attribute: `emails[type eq "work"]`.
///
/// Clients also send a test of a sub-attribute of the values that match, which the RFC's grammar
/// does not have: `emails[type eq "work"].value eq "bjensen@example.com"`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuePath {
    /// The attribute whose values are filtered.
    pub path: AttributePath,
    /// The filter in brackets. The parser puts no further value path here.
    pub filter: Box<Filter>,
    /// The sub-attribute after the brackets, and its test.
    pub then: Option<(String, Test)>,
}

/// The `path` of a PATCH operation (RFC 7644, section 3.5.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The attribute. Without a filter, this holds the sub-attribute as well: `name.familyName`.
    pub attribute: AttributePath,
    /// The filter in brackets that selects among the attribute's values.
    pub filter: Option<Box<Filter>>,
    /// The sub-attribute after the brackets: `value` in `emails[type eq "work"].value`.
    pub sub_attribute: Option<String>,
}

/// The limits of a parse, and its lenience.
///
/// ```
/// use scim_filter_parser::{ErrorKind, Filter, Options};
///
/// let options = Options { max_terms: 2, ..Options::default() };
/// let error = Filter::parse_with("a pr or b pr or c pr", &options).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::TooManyTerms);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest input accepted, in bytes: 16,384 by default.
    pub max_length: usize,
    /// How deep parentheses and brackets may nest; `not (` counts once. Anything above
    /// [`Options::DEPTH_CEILING`] means that ceiling. 32 by default.
    pub max_depth: usize,
    /// How many attributes may be tested in one filter: 500 by default.
    pub max_terms: usize,
    /// Whether a comparison value may be a string without its quotation marks: `userName sw O`.
    /// Not by default.
    pub unquoted_values: bool,
}

impl Options {
    /// The deepest nesting that any options can permit, so that neither parsing a tree nor dropping
    /// it can exhaust a thread's stack.
    pub const DEPTH_CEILING: usize = 64;
}

impl Default for Options {
    fn default() -> Self {
        Self { max_length: 16_384, max_depth: 32, max_terms: 500, unquoted_values: false }
    }
}
