//! `POST /internal/v1/login-events`: what a login service outside has seen (Op19).

use accounts::login::attempts::{self, Outcome};
use actix_web::HttpResponse;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::Deserialize;
use tracing_actix_web::RequestId;

use super::read;
use crate::State;
use crate::body::Body;
use crate::error::ApiError;
use crate::scim;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// An identifier, a userName or a login address.
    account: String,
    outcome: Ended,
    /// When; now, if it is not said.
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Ended {
    Success,
    Failure,
}

pub(super) async fn report(
    state: Data<State>,
    request_id: RequestId,
    Body { caller, value }: Body,
) -> Result<HttpResponse, ApiError> {
    let event: Event = read(value, "account, outcome (success or failure), and at or not")?;
    let context = scim::context(&state, caller, request_id);
    let outcome = match event.outcome {
        Ended::Success => Outcome::Success,
        Ended::Failure => Outcome::Failure,
    };
    let reported = state
        .store
        .of(caller.tenant)
        .write(move |tx| attempts::report(tx, &context, &event.account, outcome, event.at));
    reported.await?;
    Ok(HttpResponse::Accepted().finish())
}
