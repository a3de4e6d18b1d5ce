//! SCIM 2.0 without I/O: what RFC 7643 and RFC 7644 mean, as functions over plain values.
//!
//! Everything here is driven by schema data ([`schema`]): one description per attribute decides
//! how input is validated ([`resource`], [`immutable`]), filtered ([`filter`]), patched ([`patch`]),
//! projected ([`projection`]) and published ([`discovery`]). Around single resources are queries and
//! their pages ([`query`], [`cursor`]), bulk requests ([`bulk`]) and the other messages
//! ([`message`]). The crate opens no socket, reads no clock and knows no database, so a server on
//! any stack can use it.
//!
//! What an identity provider does differently from the RFC is a named [`dialect::Leniency`]; a
//! [`dialect::Dialect`] says which of them are allowed, and each use is counted.
//!
//! ```
//! use scim_protocol::dialect::{Dialect, Leniencies};
//! use scim_protocol::schema::ResourceType;
//! use serde_json::json;
//!
//! let mut leniencies = Leniencies::new(Dialect::Standard);
//! let user = scim_protocol::resource::parse(
//!     ResourceType::user(),
//!     &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!             "UserName": "ada", "active": "True"}),
//!     &mut leniencies,
//! )?;
//! assert_eq!(user["userName"], "ada");
//! assert_eq!(user["active"], true);
//! # Ok::<(), scim_protocol::error::Error>(())
//! ```

pub mod bulk;
pub mod cursor;
pub mod dialect;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod fold;
pub mod immutable;
pub mod instant;
pub mod message;
pub mod patch;
pub mod projection;
pub mod query;
pub mod resource;
pub mod schema;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The attributes of a resource, by name, in the order of their schema.
pub type Object = serde_json::Map<String, serde_json::Value>;
