//! PATCH (RFC 7644 section 3.5.2): a sequence of edits to a resource.
//!
//! [`parse`] reads a `PatchOp` message into [`Edit`]s whose targets are resolved against the
//! schemas; [`apply`] carries them out on a resource in its kept form. A caller that keeps an
//! attribute elsewhere - the members of a group - takes its edits out of the sequence and carries
//! them out itself. Whether anything changed is the comparison of before and after: a sequence
//! that ends where it began has changed nothing.
//!
//! ```
//! use scim_protocol::dialect::{Dialect, Leniencies};
//! use scim_protocol::{patch, schema::ResourceType};
//! use serde_json::json;
//!
//! let kind = ResourceType::user();
//! let mut leniencies = Leniencies::new(Dialect::Strict);
//! let mut user = json!({"userName": "ada", "title": "Countess"}).as_object().unwrap().clone();
//! let body = json!({
//!     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
//!     "Operations": [{"op": "remove", "path": "title"},
//!                    {"op": "add", "value": {"name": {"givenName": "Ada"}}}],
//! });
//! let edits = patch::parse(kind, &body, &mut leniencies)?;
//! patch::apply(kind, &mut user, &edits, &mut leniencies)?;
//! assert_eq!(json!(user), json!({"userName": "ada", "name": {"givenName": "Ada"}}));
//! # Ok::<(), scim_protocol::error::Error>(())
//! ```

mod apply;
mod elements;
mod parse;
#[cfg(test)]
mod tests;

pub use apply::{MAX_WORK, apply, apply_edit};
pub use parse::{MAX_OPERATIONS, parse};

use serde_json::Value;

use crate::Object;
use crate::filter::Predicate;
use crate::schema::{Attribute, AttributeRef, Schema};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds values, or sets what has none.
    Add,
    /// Removes values.
    Remove,
    /// Replaces values.
    Replace,
}

/// One change to one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// What is done.
    pub op: Op,
    /// To what.
    pub target: EditTarget,
    /// With what; `null` where the operation has no value.
    pub value: Value,
}

/// What an edit changes.
#[derive(Debug, Clone, PartialEq)]
pub enum EditTarget {
    /// An attribute, or part of it.
    Attribute(AttributeTarget),
    /// All attributes of an extension (only with [`Op::Remove`]).
    Extension(&'static Schema),
}

/// An attribute, the elements of it that a filter selects, and a sub-attribute of those.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeTarget {
    /// The attribute; its `sub` is none.
    pub attribute: AttributeRef,
    /// Which elements; all of them if there is none.
    pub filter: Option<Predicate>,
    /// The sub-attributes of an element that the filter selects, in the client's spelling; none
    /// if the filter says anything but what they equal.
    pub template: Option<Object>,
    /// Which sub-attribute of them; the elements themselves if there is none.
    pub sub: Option<&'static Attribute>,
}

impl Edit {
    /// The edit's target, if it is the attribute of this name of the type itself.
    pub fn targets(&self, name: &str) -> Option<&AttributeTarget> {
        match &self.target {
            EditTarget::Attribute(target)
                if target.attribute.extension.is_none()
                    && target.attribute.attribute.name == name =>
            {
                Some(target)
            }
            _ => None,
        }
    }
}
