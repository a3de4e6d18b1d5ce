//! Queries over all resource types (RFC 7644 section 3.4.2.1).
//!
//! The answer has the types one after the other, each in the order that the query asks for.

use accounts::{Caller, Refusal};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::dialect::Leniencies;
use scim_protocol::message;
use scim_protocol::query::Parameters;
use scim_protocol::schema::ResourceType;

use super::handlers::parameters;
use super::kinds::{ForKind, Kind, with_kind};
use super::pages::{AnyPart, Part, Wanted};
use crate::State;
use crate::authentication::Authenticated;
use crate::body::Body;
use crate::error::ApiError;
use crate::requests::{Noted, Reading};

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
    let mut leniencies = Reading::of(request, &caller);
    Noted::with(request, |noted| noted.filter.clone_from(&parameters.filter));
    let mut parts = Vec::new();
    for kind in ResourceType::all() {
        let make = Make { request, state, caller, parameters, leniencies: &mut leniencies };
        parts.extend(with_kind(kind.name, make).transpose()?.flatten());
    }
    let query = parameters.query_of_many(ResourceType::user(), &mut leniencies)?;
    let wanted = Wanted::of(state, caller, "", parameters, &query)?;
    let page = wanted.clone();
    let ended = state.store.of(caller.tenant).read_anywhere(move |tx| {
        let mut found = page.begin();
        for part in &parts {
            part.read(tx, &mut found)?;
        }
        Ok::<_, Refusal>(found.end())
    });
    let ended = ended.await?;
    ended.note(request);
    wanted.answer(state, ended)
}

/// Makes the part of a query that is for one resource type, if the caller may read that.
struct Make<'a> {
    request: &'a HttpRequest,
    state: &'a Data<State>,
    caller: Caller,
    parameters: &'a Parameters,
    leniencies: &'a mut Leniencies,
}

impl ForKind for Make<'_> {
    type Output = Result<Option<Box<dyn AnyPart>>, ApiError>;

    fn with<K: Kind>(self) -> Self::Output {
        if !self.caller.rights.allow(K::READ) {
            return Ok(None);
        }
        let query = self.parameters.query_of_many(K::form(&self.caller), self.leniencies)?;
        let Self { request, state, caller, parameters, leniencies } = self;
        let part = Part::<K>::new(request, state, &caller, parameters, query, leniencies)?;
        Ok(Some(Box::new(part)))
    }
}
