//! The provisioning log as it comes to be: what is noted of a request while it is answered, kept in a
//! bounded queue, and written every second by one task.
//!
//! Nothing of an answer waits for it. A request costs a few microseconds; what succeeds more often
//! than [`queue::SUCCESSES_PER_SECOND`] is only counted, and so is what the queue has no room for.

mod note;
mod queue;
mod writer;

use accounts::provisioning_log::Request;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

pub(crate) use note::{Noted, Reading};
pub(crate) use queue::Queue;
pub(crate) use writer::{forget_old, run};

use crate::clock::{self, Stopwatch};
use crate::error::ApiError;
use crate::{BASE_PATH, State};

/// Counts a request whose answer is ready, and puts it in the queue, if its client is known. Of the log itself only
/// what is refused is logged, or reading it would fill it.
pub(crate) fn record(answer: &ServiceResponse<BoxBody>, watch: &Stopwatch) {
    let request = answer.request();
    let Some(state) = request.app_data::<Data<State>>() else { return };
    let (telemetry, status) = (&state.settings.telemetry, answer.status());
    let metrics = telemetry.metrics();
    metrics.answered(request, status.as_u16(), watch.elapsed());
    if let Some(error) = error_of(answer) {
        let (rule, code) = error.rule_and_code();
        metrics.refused(rule, code);
    }
    let Some(noted) = Noted::take(request) else { return };
    let Some(caller) = noted.caller else { return };
    telemetry.tenants().answered(&caller, status.as_u16(), &noted.leniencies);
    // Those that come too fast would drive all else out of the log, and each is like the others.
    let succeeded = !status.is_client_error() && !status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS;
    if succeeded && is_of_the_log(request.path()) {
        return;
    }
    let Noted { leniencies, filter, found, only, operations, request_id, .. } = noted;
    state.requests.offer(&caller, succeeded, leniencies, |leniencies, omitted| Request {
        id: clock::new_id(),
        at: caller.now,
        connection: caller.connection,
        method: request.method().to_string(),
        path: request.path().to_owned(),
        resource: only.or_else(|| made(answer)),
        filter,
        found,
        status: status.as_u16(),
        problem: error_of(answer).map(ApiError::problem),
        operations,
        leniencies,
        micros: watch.micros(),
        request: request_id.unwrap_or_else(Uuid::nil),
        omitted,
    });
}

fn is_of_the_log(path: &str) -> bool {
    let endpoint = ResourceType::provisioning_log_entry().endpoint;
    path.strip_prefix(BASE_PATH).is_some_and(|path| path.starts_with(endpoint))
}

/// The resource that the request made.
fn made(answer: &ServiceResponse<BoxBody>) -> Option<Uuid> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    accounts::parse_id(location.rsplit('/').next()?)
}

fn error_of(answer: &ServiceResponse<BoxBody>) -> Option<&ApiError> {
    answer.response().error()?.as_error::<ApiError>()
}
