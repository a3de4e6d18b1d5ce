//! One span and one log line for each request.
//!
//! Neither has anything that a client chooses: paths and queries hold names and addresses. A path is told as
//! the table of routes has it, with the identifier of a resource where it is one of this service's. The
//! rest is told under the target [`PERSONAL`], which is off unless an operator turns it on.

use accounts::parse_id;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, Status, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::{Empty, display};
use tracing_actix_web::{RequestId, RootSpanBuilder};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Route;
use super::metrics::Verb;
use crate::{State, login, origin};

/// The target of what may name people.
pub const PERSONAL: &str = "personal_data";

/// The spans of requests.
pub(crate) struct Requests;

impl RootSpanBuilder for Requests {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let state = request.app_data::<Data<State>>();
        let trusted = state.map_or(&[][..], |state| &state.settings.trusted_proxies);
        let client = origin::client(request.request(), trusted);
        let span = tracing::info_span!(
            "request",
            id = id.unwrap_or_default(),
            client = client.map(display),
            method = Verb::of(request.method()).0,
            trace = Empty,
            otel.kind = "server",
        );
        continue_trace(&span, request.headers());
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.as_response_error().status_code().as_u16();
                return span.in_scope(|| tracing::info!(status, "answered"));
            }
        };
        let (request, status) = (answer.request(), answer.status().as_u16());
        let route = Route::of(request);
        collect(&span, Verb::of(request.method()), route, status);
        let resource = request.match_info().get("id").and_then(parse_id);
        let resource = resource.map(display);
        span.in_scope(|| {
            tracing::info!(%route, resource, status, "answered");
            tracing::info!(target: PERSONAL, uri = login::without_secret(request), "asked");
        });
    }
}

/// Headers, as a propagator reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Gives the span the name and the attributes that those who collect spans expect (OpenTelemetry's semantic
/// conventions). They are no fields, for then the log would have them too.
fn collect(span: &Span, method: Verb, route: Route, status: u16) {
    let context = span.context();
    let collected = context.span();
    if !collected.span_context().is_valid() {
        return;
    }
    collected.update_name(format!("{} {route}", method.0));
    collected.set_attribute(KeyValue::new("http.request.method", method.0));
    collected.set_attribute(KeyValue::new("http.route", route.to_string()));
    collected.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if status >= 500 {
        collected.set_status(Status::error(""));
    }
}

/// Goes on with the trace that the client names, if it names one (W3C Trace Context, `traceparent`). The log
/// tells which one it is, and if the client names none, the one that begins here where spans are collected.
fn continue_trace(span: &Span, headers: &HeaderMap) {
    let mut named = None;
    if headers.contains_key("traceparent") {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        named = Some(context.span().span_context().clone());
        // Nobody collects spans unless an operator says where.
        let _ = span.set_parent(context);
    }
    let own = span.context().span().span_context().clone();
    if let Some(trace) = [Some(own), named].into_iter().flatten().find(SpanContext::is_valid) {
        span.record("trace", display(trace.trace_id()));
    }
}
