//! Identity providers that behave like Okta and Microsoft Entra ID.
//!
//! A [`directory::Directory`] is a company: people and groups that follow from a seed, and days on
//! which some join, move, marry, leave, come back. A [`provider::Provider`] turns what happens into
//! the requests that the real one sends, in its order and with its peculiarities, and keeps what it
//! believes: what it has written, as far as it was answered with success. At the end
//! [`compare`](compare::compare) reads everything from the service and lists what differs.
//!
//! Any SCIM 2.0 service can be driven: of Headcount nothing is known here but the names of roles.
//!
//! ```no_run
//! use simulators::{Run, Variant, http::Endpoint, provider::Unwatched};
//!
//! let base_url = "http://127.0.0.1:8080/scim/v2".to_owned();
//! let endpoint = Endpoint { base_url, token: "hc_…".to_owned() };
//! let report = Run::new(Variant::OktaOin, endpoint, 60, 1)?.to_the_end(&Unwatched)?;
//! assert!(report.agrees(), "{:#?}", report.comparison.differences);
//! # Ok::<(), simulators::http::Unreachable>(())
//! ```

pub mod belief;
pub mod compare;
pub mod directory;
pub mod entra;
pub mod http;
pub mod okta;
pub mod place;
pub mod provider;
pub mod report;
mod run;
pub mod traffic;
pub mod trouble;
pub mod validator;

pub use report::Report;
pub use run::{Run, Variant};
