//! What the program tells while it runs: log lines on standard error, and spans by OTLP where an
//! operator says where to.

use std::io::IsTerminal;
use std::panic::{self, PanicHookInfo};
use std::time::Duration;

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use server::PERSONAL;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::settings::{LogFormat, Settings};

/// How long the receiver of spans may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the rest of the spans when it is dropped.
pub(crate) struct Logging(Option<SdkTracerProvider>);

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // Why they cannot be sent has been logged.
            let _ = provider.shutdown_with_timeout(PATIENCE);
        }
    }
}

/// Begins to log as the settings say. Standard output is for what a command gives.
///
/// # Errors
/// The filter or the URL cannot be read.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<Logging> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let provider = settings.otlp_endpoint.as_deref().map(provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let of_requests = Targets::new().with_target("server", Level::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("headcount"));
        layer.with_location(false).with_threads(false).with_filter(of_requests)
    });
    tracing_subscriber::registry().with(lines.with_filter(filter(settings)?)).with(spans).init();
    if !settings.log_personal_data {
        panic::set_hook(Box::new(log_panic));
    }
    Ok(Logging(provider))
}

/// What is logged. What may name people is left out unless it is wanted, whatever else is asked for: that
/// is also what libraries tell of requests, byte by byte, at the lowest levels.
fn filter(settings: &Settings) -> anyhow::Result<EnvFilter> {
    const TALKATIVE: [&str; 4] = ["actix_http", "actix_web", "diesel", "ureq"];
    let mut filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| anyhow!("--log {:?}: {error}", settings.log))?;
    if settings.log_personal_data {
        return Ok(filter.add_directive(format!("{PERSONAL}=info").parse()?));
    }
    for target in TALKATIVE {
        filter = filter.add_directive(format!("{target}=off").parse()?);
    }
    Ok(filter.add_directive(format!("{PERSONAL}=off").parse()?))
}

/// What a panic says may be what somebody has sent; where it happened is not.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "a thread panicked");
}

/// Sends spans to a receiver of OTLP.
fn provider(endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .with_context(|| format!("--otlp-endpoint {endpoint:?}"))?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("headcount").with_attribute(version);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build())
}

/// The client by which spans are sent. It blocks, on the exporter's own thread.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .tls_config(tls)
            .build();
        Self(agent.new_agent())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let sent = self.0.run(Request::from_parts(head, body.to_vec()));
        let answer = sent.inspect_err(|error| {
            tracing::warn!(%error, "spans cannot be sent");
        })?;
        if !answer.status().is_success() {
            tracing::warn!(status = answer.status().as_u16(), "spans are refused");
        }
        let (head, mut body) = answer.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}
