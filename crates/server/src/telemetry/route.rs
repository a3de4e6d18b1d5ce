//! The paths that are told apart in what is counted and logged.

use std::fmt::{self, Write};

use actix_web::HttpRequest;
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// A path as the table of routes has it, in pieces. A path as a client sends it has identifiers, or
/// whatever else a client puts there. It is with the data of each route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Route(pub(crate) [&'static str; 4]);

impl Route {
    /// A path that nothing is at.
    const NONE: Self = Self(["none", "", "", ""]);

    /// That by which a request was routed.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.app_data().copied().unwrap_or(Self::NONE)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| encoder.write_str(piece))
    }
}
