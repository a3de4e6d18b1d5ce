//! A bare handler: the same HTTP library, which reads a request and answers bytes that it has.

use std::fs;
use std::path::PathBuf;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::{Context, Result};
use clap::Args;

/// The options of `bare`.
#[derive(Args, Clone, Debug)]
pub struct BareOptions {
    /// What is answered
    #[arg(long, value_name = "FILE")]
    pub body: PathBuf,
    /// With which status
    #[arg(long, default_value_t = 200)]
    pub status: u16,
}

/// Answers every request alike until the process ends; prints its base URL first.
///
/// # Errors
/// If the file cannot be read, or no port can be had.
pub fn run(options: &BareOptions) -> Result<()> {
    let body = fs::read(&options.body)
        .with_context(|| format!("cannot read {}", options.body.display()))?;
    let answer = Data::new((StatusCode::from_u16(options.status)?, Bytes::from(body)));
    actix_web::rt::System::new().block_on(async move {
        let app = move || App::new().app_data(answer.clone()).default_service(web::to(handle));
        let server = HttpServer::new(app).disable_signals().bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            println!("Base URL: http://{address}");
        }
        Ok(server.run().await?)
    })
}

/// The body is read to its end, as whoever wants to know it must.
async fn handle(_body: Bytes, answer: Data<(StatusCode, Bytes)>) -> HttpResponse {
    HttpResponse::build(answer.0).content_type("application/scim+json").body(answer.1.clone())
}
