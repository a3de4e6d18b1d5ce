//! Queries over all resource types (RFC 7644 section 3.4.2.1).
//!
//! The answer has the types one after the other, each in the order that the query asks for.

use accounts::{Caller, Refusal};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::dialect::Leniencies;
use scim_protocol::message;
use scim_protocol::query::Parameters;

use super::handlers::{parameters, report};
use super::kinds::{Groups, Kind, Users};
use super::pages::{Part, Wanted};
use crate::State;
use crate::authentication::Authenticated;
use crate::body::Body;
use crate::error::ApiError;

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
    let of_users = parameters.query_of_many(Users::resource_type(), &mut leniencies)?;
    let of_groups = parameters.query_of_many(Groups::resource_type(), &mut leniencies)?;
    let wanted = Wanted::of(state, caller, "", parameters, &of_users)?;
    let users = Part::<Users>::new(request, state, parameters, of_users, &mut leniencies)?;
    let groups = Part::<Groups>::new(request, state, parameters, of_groups, &mut leniencies)?;
    let page = wanted.clone();
    let ended = state.store.read(move |tx| {
        let mut found = page.begin();
        users.read(tx, &mut found)?;
        groups.read(tx, &mut found)?;
        Ok::<_, Refusal>(found.end())
    });
    let ended = ended.await?;
    report(&leniencies);
    wanted.answer(state, ended)
}
