//! Queries over all resource types (RFC 7644 section 3.4.2.1).
//!
//! The answer has the types one after the other, each in the order that the query asks for.

use accounts::{Caller, Refusal, Tx};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::dialect::Leniencies;
use scim_protocol::message;
use scim_protocol::query::{Parameters, Query};
use serde_json::Value;

use super::handlers::{View, parameters, report};
use super::kinds::{Groups, Kind, Users};
use crate::authentication::Authenticated;
use crate::body::Body;
use crate::error::ApiError;
use crate::{State, answer};

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn list(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
) -> Answer {
    query(&request, &state, caller, &parameters(&request)?).await
}

pub(super) async fn search(
    request: HttpRequest,
    state: Data<State>,
    Body { caller, value }: Body,
) -> Answer {
    query(&request, &state, caller, &message::search_request(&value)?).await
}

async fn query(
    request: &HttpRequest,
    state: &Data<State>,
    caller: Caller,
    parameters: &Parameters,
) -> Answer {
    let mut leniencies = Leniencies::new(caller.dialect);
    let users = Part::<Users>::new(request, state, parameters, &mut leniencies)?;
    let groups = Part::<Groups>::new(request, state, parameters, &mut leniencies)?;
    let start_index = users.query.start_index;
    let found = state.store.read(move |tx| {
        let mut window = Window::of(&users.query);
        users.read(tx, &caller, &mut window)?;
        groups.read(tx, &caller, &mut window)?;
        Ok::<_, Refusal>((window.total, window.resources))
    });
    let (total, resources) = found.await?;
    report(&leniencies);
    let body = message::list_response(total, start_index, resources);
    Ok(answer::json(StatusCode::OK, &body))
}

/// What a query asks of one resource type.
struct Part<K> {
    query: Query,
    view: View<K>,
}

impl<K: Kind> Part<K> {
    fn new(
        request: &HttpRequest,
        state: &State,
        parameters: &Parameters,
        leniencies: &mut Leniencies,
    ) -> Result<Self, ApiError> {
        let kind = K::resource_type();
        let projection = parameters.projection(kind, leniencies)?;
        let query = parameters.query_of_many(kind, leniencies)?;
        Ok(Self { query, view: View::new(request, state, projection) })
    }

    /// Adds what the type has in the window.
    fn read(&self, tx: &mut dyn Tx, caller: &Caller, window: &mut Window) -> Result<(), Refusal> {
        let query = Query {
            start_index: window.first.saturating_sub(window.total).max(1),
            count: window.left,
            ..self.query.clone()
        };
        let page = K::list(tx, caller, &query)?;
        let resources = self.view.of_all(tx, caller.tenant, page.resources)?;
        window.total += page.total;
        window.left -= u32::try_from(resources.len()).unwrap_or(window.left);
        window.resources.extend(resources.into_iter().map(|rendered| rendered.body));
        Ok(())
    }
}

/// The page of the whole that is wanted, and what is found of it.
struct Window {
    first: u64,
    left: u32,
    total: u64,
    resources: Vec<Value>,
}

impl Window {
    fn of(query: &Query) -> Self {
        Self { first: query.start_index, left: query.count, total: 0, resources: Vec::new() }
    }
}
