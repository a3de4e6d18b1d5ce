//! Why a request is refused (RFC 7644 section 3.12).

use std::fmt;

/// The error keywords of RFC 7644 table 9 and RFC 9865 table 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// The filter's syntax is wrong, or the attribute and comparison do not go together.
    InvalidFilter,
    /// More results than the service provider will calculate.
    TooMany,
    /// A value is already in use or reserved.
    Uniqueness,
    /// The change is not compatible with the attribute's mutability.
    Mutability,
    /// The body does not have the structure of the request.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed or names nothing.
    InvalidPath,
    /// The path of a PATCH operation matched nothing that could be operated on.
    NoTarget,
    /// A required value is missing, or a value does not fit the attribute.
    InvalidValue,
    /// The cursor is none that this query was given.
    InvalidCursor,
    /// The cursor was given too long ago.
    ExpiredCursor,
    /// The count is out of bounds, or not that of the first page.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it stands in the `scimType` member.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal by the protocol: always status 400, with a keyword and a detail for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{scim_type}: {detail}")]
pub struct Error {
    /// The keyword.
    pub scim_type: ScimType,
    /// What is wrong, and where.
    pub detail: String,
}

impl Error {
    /// A refusal with this keyword.
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { scim_type, detail: detail.into() }
    }

    /// `invalidFilter`
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidFilter, detail)
    }

    /// `invalidSyntax`
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidSyntax, detail)
    }

    /// `invalidPath`
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidPath, detail)
    }

    /// `invalidValue`
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    /// `invalidCursor`
    pub fn invalid_cursor(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidCursor, detail)
    }

    /// `expiredCursor`
    pub fn expired_cursor(detail: impl Into<String>) -> Self {
        Self::new(ScimType::ExpiredCursor, detail)
    }

    /// `invalidCount`
    pub fn invalid_count(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidCount, detail)
    }

    /// `mutability`
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::new(ScimType::Mutability, detail)
    }

    /// `noTarget`
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::new(ScimType::NoTarget, detail)
    }
}

/// The result of a protocol function.
pub type Result<T> = std::result::Result<T, Error>;
