//! What is counted of every request, whoever sends it.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Method;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{Route, Routed};

/// The bounds of the durations, in seconds. A look-up takes a millisecond, a bulk request up to twenty
/// seconds.
const DURATIONS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// A method, of those that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Verb(pub(super) &'static str);

impl Verb {
    pub(super) fn of(method: &Method) -> Self {
        const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        Self(KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other"))
    }
}

impl EncodeLabelValue for Verb {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.0.encode(encoder)
    }
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Answered {
    route: Route,
    method: Verb,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Handled {
    route: Route,
    method: Verb,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    rule: String,
    code: String,
}

/// The counters of requests that are counted alike.
pub(super) struct Counters {
    answered: Counter,
    took: Histogram,
}

impl Counters {
    fn count(&self, took: Duration) {
        self.answered.inc();
        self.took.observe(took.as_secs_f64());
    }
}

/// Counters that are there from the start.
pub(crate) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<Handled, Histogram, fn() -> Histogram>,
    refusals: Family<Refused, Counter>,
    in_flight: Gauge,
    /// Entries of the provisioning log that were written.
    pub(crate) logged: Counter,
    /// Entries of the provisioning log that were lost.
    pub(crate) log_lost: Counter,
    /// When the timers have gone through all tenants, in seconds since 1970.
    pub(crate) timers_done: Gauge,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            refusals: Family::default(),
            in_flight: Gauge::default(),
            logged: Counter::default(),
            log_lost: Counter::default(),
            timers_done: Gauge::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("headcount_build", "The program that runs", build);
        registry.register(
            "headcount_http_requests",
            "Requests that were answered",
            metrics.requests.clone(),
        );
        registry.register(
            "headcount_http_request_duration_seconds",
            "Time from the head of a request to its answer",
            metrics.durations.clone(),
        );
        registry.register(
            "headcount_http_requests_in_flight",
            "Requests that are being answered",
            metrics.in_flight.clone(),
        );
        registry.register(
            "headcount_refusals",
            "What was refused, by the rule and the code of the error; operations of /Bulk too",
            metrics.refusals.clone(),
        );
        registry.register(
            "headcount_provisioning_log_entries",
            "Entries of the provisioning log that were written",
            metrics.logged.clone(),
        );
        registry.register(
            "headcount_provisioning_log_lost",
            "Entries of the provisioning log for which there was no room, or that could not be written",
            metrics.log_lost.clone(),
        );
        registry.register(
            "headcount_timers_last_success_timestamp_seconds",
            "When this server last went through all tenants for what is due",
            metrics.timers_done.clone(),
        );
        metrics
    }

    /// Counts a request that is answered.
    pub(crate) fn answered(&self, request: &HttpRequest, status: u16, took: Duration) {
        let (route, method) = (Route::of(request), Verb::of(request.method()));
        let wanted = Answered { route, method, status };
        let Some(routed) = request.app_data::<Routed>() else {
            return self.counters(&wanted).count(took);
        };
        let mut known = routed.counters.borrow_mut();
        let same = |(one, _): &&(Answered, Counters)| one.method == method && one.status == status;
        if let Some((_, counters)) = known.iter().find(same) {
            return counters.count(took);
        }
        let counters = self.counters(&wanted);
        counters.count(took);
        known.push((wanted, counters));
    }

    fn counters(&self, wanted: &Answered) -> Counters {
        let handled = Handled { route: wanted.route, method: wanted.method };
        Counters {
            answered: self.requests.get_or_create_owned(wanted),
            took: self.durations.get_or_create_owned(&handled),
        }
    }

    /// Counts something that was refused.
    pub(crate) fn refused(&self, rule: Option<&str>, code: &str) {
        let (rule, code) = (rule.unwrap_or_default().to_owned(), code.to_owned());
        self.refusals.get_or_create(&Refused { rule, code }).inc();
    }

    /// Counts a request as long as it is being answered.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

/// A request that is being answered.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
