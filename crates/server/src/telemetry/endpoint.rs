//! `/healthz`, `/readyz` and `/metrics`.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use prometheus_client::encoding::text::encode;
use serde_json::json;

use super::Telemetry;

/// What is sent at `/metrics`.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections at once; those who watch are few.
const CONNECTIONS: usize = 64;

/// The endpoint while it is served.
pub struct Watch(ServerHandle);

impl Watch {
    /// Ends it, after what is being answered.
    pub async fn stop(self) {
        self.0.stop(true).await;
    }
}

impl Telemetry {
    /// Serves `/healthz`, `/readyz` and `/metrics` on a listening socket, beside whatever the server does.
    ///
    /// # Errors
    /// The socket cannot be used.
    pub fn listen(&self, listener: TcpListener) -> std::io::Result<Watch> {
        let telemetry = Data::new(self.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(telemetry.clone())
                .route("/healthz", web::get().to(healthz))
                .route("/healthz", web::head().to(healthz))
                .route("/readyz", web::get().to(readyz))
                .route("/readyz", web::head().to(readyz))
                .route("/metrics", web::get().to(metrics))
        });
        let server = server
            .workers(1)
            .max_connections(CONNECTIONS)
            .client_request_timeout(HEAD_TIMEOUT)
            .shutdown_timeout(1)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Watch(handle))
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "alive"}))
}

async fn readyz(telemetry: Data<Telemetry>) -> HttpResponse {
    let reasons = telemetry.life().obstacles().await;
    if reasons.is_empty() {
        return HttpResponse::Ok().json(json!({"status": "ready"}));
    }
    HttpResponse::ServiceUnavailable().json(json!({"status": "notReady", "reasons": reasons}))
}

async fn metrics(telemetry: Data<Telemetry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, telemetry.registry()) {
        Ok(()) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
