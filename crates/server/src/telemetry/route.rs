//! The paths that are told apart in what is counted and logged.

use std::cell::RefCell;
use std::fmt::{self, Write};

use actix_web::HttpRequest;
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

use super::metrics::{Answered, Counters};

/// A path as the table of routes has it, in pieces. A path as a client sends it has identifiers, or
/// whatever else a client puts there. It is with the data of
/// each route, as a [`Routed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Route(pub(crate) [&'static str; 4]);

impl Route {
    /// A path that nothing is at.
    const NONE: Self = Self(["none", "", "", ""]);

    /// That by which a request was routed.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.app_data::<Routed>().map_or(Self::NONE, |routed| routed.route)
    }
}

/// A route with the counters of its requests, so that they are looked up once for each worker of the server.
pub(crate) struct Routed {
    pub(super) route: Route,
    pub(super) counters: RefCell<Vec<(Answered, Counters)>>,
}

impl Routed {
    /// A route that has no requests yet.
    pub(crate) fn new(route: Route) -> Self {
        Self { route, counters: RefCell::default() }
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
