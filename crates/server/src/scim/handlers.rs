//! The operations of a resource type (RFC 7644 section 3): extract, one rule in one unit of work,
//! answer.

use std::collections::HashSet;
use std::sync::Arc;

use accounts::users::{self, Known};
use accounts::{Caller, Context, Member, Refusal, Resource, Tx, parse_id};
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::projection::Projection;
use scim_protocol::query::Parameters;
use scim_protocol::{message, patch as scim_patch, resource};
use serde_json::Value;
use store::LookUp;
use tracing_actix_web::RequestId;
use uuid::Uuid;

use super::etag::{etag, is_known, precondition};
use super::kinds::{Change, Kind};
use super::pages::{AnyPart, Part, Wanted};
use super::render::{base_url, render};
use super::stream;
use crate::answer::{self, Rendered};
use crate::authentication::Authenticated;
use crate::body::Body;
use crate::error::ApiError;
use crate::login::sent::{with_password, with_password_of};
use crate::requests::{Noted, Reading};
use crate::{State, clock};

type Answer = Result<HttpResponse, ApiError>;

pub(super) async fn create<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    request_id: RequestId,
    Body { caller, value }: Body,
) -> Answer {
    let mut leniencies = Reading::of(&request, &caller);
    let projection = parameters(&request)?.projection(K::form(&caller), &mut leniencies)?;
    let body = resource::parse(K::form(&caller), &value, &mut leniencies)?;
    let (context, id) = (context(&state, caller, request_id), clock::new_id());
    let context = with_password(&state, context, None, &body).await?;
    let view = Arc::new(View::<K>::new(&request, &state, projection));
    let (first, shown, sent) = (leniencies.clone(), Arc::clone(&view), body.clone());
    let of_first = context.clone();
    let created = state.store.of(caller.tenant).write(move |tx| {
        let mut leniencies = first.clone();
        let created = K::create(tx, &of_first, id, sent.clone(), &mut leniencies)?;
        Ok::<_, Refusal>((shown.complete(tx, &caller, created)?, leniencies))
    });
    let created = match created.await {
        Err(refusal) if K::may_be_known(&refusal) => {
            create_again::<K>(&state, context, view, body, refusal).await?
        }
        created => {
            let (created, used) = created?;
            leniencies.now(used);
            view.render(&caller, created)
        }
    };
    Ok(answer::resource(StatusCode::CREATED, created))
}

/// A new resource that was refused may be one that was there before. That is found out in another
/// unit of work: of the first nothing is left, and most are not refused.
async fn create_again<K: Kind>(
    state: &State,
    context: Context,
    view: Arc<View<K>>,
    body: Object,
    refusal: Refusal,
) -> Result<Rendered, ApiError> {
    let store = state.store.of(context.caller.tenant);
    let back = store.write(move |tx| match K::recognise(tx, &context, &body)? {
        Known::Back(id) => {
            let back = K::bring_back(tx, &context, id, body.clone())?;
            Ok::<_, Refusal>(Some(Ok(view.of(tx, &context.caller, back)?)))
        }
        Known::Refused(refusal) => Ok(Some(Err(refusal))),
        Known::Nobody => Ok(None),
    });
    match back.await? {
        Some(decided) => Ok(decided?),
        None => Err(refusal.into()),
    }
}

/// Runs a unit of work that may take accounts away or bring them back. What is to be left of one that
/// is refused is written in another one: the alert of the guard (rule R57), and the case of a person
/// of whom nobody can tell who they are (domain model 4.5).
async fn write<T: Send + 'static>(
    state: &State,
    context: &Context,
    work: impl Fn(&mut dyn Tx) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, ApiError> {
    let store = state.store.of(context.caller.tenant);
    let done = store.write(work).await;
    let context = context.clone();
    match done {
        Err(Refusal::Guarded { count, .. }) => {
            store.write(move |tx| users::raise_alert(tx, &context, count)).await?;
        }
        Err(Refusal::Doubted(doubt)) => {
            let told = store.write(move |tx| users::open_case(tx, &context, &doubt)).await?;
            return Err(told.into());
        }
        _ => {}
    }
    Ok(done?)
}

pub(super) async fn read<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
    id: Path<String>,
) -> Answer {
    let mut leniencies = Reading::of(&request, &caller);
    let projection = parameters(&request)?.projection(K::form(&caller), &mut leniencies)?;
    let id = identifier::<K>(&id)?;
    let precondition = precondition(&request);
    let view = View::<K>::new(&request, &state, projection);
    let look_up = LookUp::by_id(K::resource_type(), caller.scope(), id);
    let found = state.store.of(caller.tenant).look_up(look_up, move |tx| {
        let found = K::get(tx, &caller, id)?;
        precondition.check(found.version)?;
        let version = found.version;
        let (found, members) = view.of_one(tx, &caller, found)?;
        Ok::<_, Refusal>((found, members, version))
    });
    let (found, members, version) = found.await?;
    if is_known(&request, version) {
        return Ok(answer::not_modified(&found));
    }
    match members {
        Some(members) => stream::group(found, members, base_url(&request, &state)),
        None => Ok(answer::resource(StatusCode::OK, found)),
    }
}

pub(super) async fn list<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
) -> Answer {
    let parameters = parameters(&request)?;
    query::<K>(&request, &state, caller, &parameters).await
}

pub(super) async fn search<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    Body { caller, value }: Body,
) -> Answer {
    let parameters = message::search_request(&value)?;
    query::<K>(&request, &state, caller, &parameters).await
}

async fn query<K: Kind>(
    request: &HttpRequest,
    state: &Data<State>,
    caller: Caller,
    parameters: &Parameters,
) -> Answer {
    let mut leniencies = Reading::of(request, &caller);
    Noted::with(request, |noted| noted.filter.clone_from(&parameters.filter));
    let query = parameters.query(K::form(&caller), &mut leniencies)?;
    let endpoint = K::resource_type().endpoint;
    let wanted = Wanted::of(state, caller, endpoint, parameters, &query)?;
    let look_up = LookUp::by_query(K::resource_type(), caller.scope(), &query);
    let part = Part::<K>::new(request, state, &caller, parameters, query, &mut leniencies)?;
    let page = wanted.clone();
    let ended = state.store.of(caller.tenant).look_up(look_up, move |tx| {
        let mut found = page.begin();
        part.read(tx, &mut found)?;
        Ok::<_, Refusal>(found.end())
    });
    let ended = ended.await?;
    ended.note(request);
    wanted.answer(state, ended)
}

pub(super) async fn replace<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    request_id: RequestId,
    id: Path<String>,
    Body { caller, value }: Body,
) -> Answer {
    let mut leniencies = Reading::of(&request, &caller);
    let projection = parameters(&request)?.projection(K::form(&caller), &mut leniencies)?;
    let id = identifier::<K>(&id)?;
    let body = resource::parse(K::form(&caller), &value, &mut leniencies)?;
    let named = resource::named(K::form(&caller), &value);
    let (context, precondition) = (context(&state, caller, request_id), precondition(&request));
    let context = with_password(&state, context, Some(id), &body).await?;
    let view = Arc::new(View::<K>::new(&request, &state, projection));
    let (of_alert, read, shown) = (context.clone(), leniencies.clone(), Arc::clone(&view));
    let replaced = write(&state, &of_alert, move |tx| {
        let mut leniencies = read.clone();
        let change = Change { context: &context, id, precondition: &precondition };
        let replaced = K::replace(tx, &change, body.clone(), &named, &mut leniencies)?;
        Ok::<_, Refusal>((shown.complete(tx, &caller, replaced)?, leniencies))
    });
    let (replaced, used) = replaced.await?;
    leniencies.now(used);
    Ok(answer::resource(StatusCode::OK, view.render(&caller, replaced)))
}

pub(super) async fn patch<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    request_id: RequestId,
    id: Path<String>,
    Body { caller, value }: Body,
) -> Answer {
    let mut leniencies = Reading::of(&request, &caller);
    let projection = parameters(&request)?.projection(K::form(&caller), &mut leniencies)?;
    let id = identifier::<K>(&id)?;
    let edits = scim_patch::parse(K::form(&caller), &value, &mut leniencies)?;
    let without_operations = edits.is_empty() && is_empty(&value);
    let (context, precondition) = (context(&state, caller, request_id), precondition(&request));
    let context = with_password_of(&state, context, id, &edits).await?;
    let named = projection.names_attributes();
    let view = Arc::new(View::<K>::new(&request, &state, projection));
    let (of_alert, read, shown) = (context.clone(), leniencies.clone(), Arc::clone(&view));
    let patched = write(&state, &of_alert, move |tx| {
        let mut leniencies = read.clone();
        let change = Change { context: &context, id, precondition: &precondition };
        let patched = K::patch(tx, &change, &edits, &mut leniencies)?;
        let version = patched.version;
        let is_silent = !named
            && (without_operations
                || caller.switches.silent_patch
                || K::is_large(tx, &caller, id)?);
        let answered = if is_silent { None } else { Some(shown.complete(tx, &caller, patched)?) };
        Ok::<_, Refusal>((answered, version, leniencies))
    });
    let (answered, version, used) = patched.await?;
    leniencies.now(used);
    Ok(match answered {
        Some(patched) => answer::resource(StatusCode::OK, view.render(&caller, patched)),
        None => HttpResponse::NoContent().insert_header((ETAG, etag(version))).finish(),
    })
}

/// An empty list of operations, which only some dialects allow, is answered without a body.
fn is_empty(body: &Value) -> bool {
    body.as_object().is_some_and(|body| {
        body.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("Operations") && value.as_array().is_some_and(Vec::is_empty)
        })
    })
}

pub(super) async fn delete<K: Kind>(
    request: HttpRequest,
    state: Data<State>,
    Authenticated(caller): Authenticated,
    request_id: RequestId,
    id: Path<String>,
) -> Answer {
    let id = identifier::<K>(&id)?;
    let (context, precondition) = (context(&state, caller, request_id), precondition(&request));
    let of_alert = context.clone();
    let deleted = write(&state, &of_alert, move |tx| {
        K::delete(tx, &Change { context: &context, id, precondition: &precondition })
    });
    deleted.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How the resources of a request are shown.
pub(crate) struct View<K> {
    projection: Projection,
    base: String,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K: Kind> View<K> {
    pub(crate) fn new(request: &HttpRequest, state: &State, projection: Projection) -> Self {
        Self { projection, base: base_url(request, state), kind: std::marker::PhantomData }
    }

    pub(crate) fn of(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        found: Resource,
    ) -> Result<Rendered, Refusal> {
        self.without(tx, caller, found, "")
    }

    /// The resource; if its members are many, without these, and these by themselves.
    fn of_one(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        found: Resource,
    ) -> Result<(Rendered, Option<Vec<Member>>), Refusal> {
        let takes_members = self.projection.takes_all();
        let many = if takes_members { K::many_members(tx, caller, found.id)? } else { None };
        let left_out = if many.is_some() { "members" } else { "" };
        Ok((self.without(tx, caller, found, left_out)?, many))
    }

    /// The resource with all that is to be shown of it. Where one thread writes for everybody, it is
    /// left to others to [`render`](Self::render) it.
    fn complete(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        found: Resource,
    ) -> Result<Resource, Refusal> {
        self.complete_without(tx, caller, found, "")
    }

    /// The resource without an attribute.
    fn without(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        found: Resource,
        attribute: &str,
    ) -> Result<Rendered, Refusal> {
        Ok(self.render(caller, self.complete_without(tx, caller, found, attribute)?))
    }

    fn complete_without(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        found: Resource,
        attribute: &str,
    ) -> Result<Resource, Refusal> {
        let mut found = [found];
        let wants =
            |name: &str| name != attribute && self.projection.wants_named(K::form(caller), name);
        K::complete(tx, caller, &mut found, &wants)?;
        let [found] = found;
        Ok(found)
    }

    pub(super) fn of_all(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        mut found: Vec<Resource>,
    ) -> Result<Vec<Rendered>, Refusal> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        // What the client does not want is not loaded.
        let wants = |name: &str| self.projection.wants_named(K::form(caller), name);
        K::complete(tx, caller, &mut found, &wants)?;
        Ok(found.into_iter().map(|resource| self.render(caller, resource)).collect())
    }

    pub(crate) fn render(&self, caller: &Caller, found: Resource) -> Rendered {
        render(K::form(caller), found, &self.projection, &self.base)
    }
}

pub(crate) fn context(state: &State, caller: Caller, request_id: RequestId) -> Context {
    let request = Uuid::from_bytes(*request_id.as_bytes());
    let context = Context::of_scim(caller, request, clock::now(), clock::new_id);
    Context { sends_mail: state.sends_mail(), ..context }
}

/// An identifier in a path; what is none of ours names nothing.
pub(crate) fn identifier<K: Kind>(text: &str) -> Result<Uuid, ApiError> {
    let shown: String = text.chars().take(100).collect();
    parse_id(text).ok_or_else(|| Refusal::not_found(K::resource_type().name, shown).into())
}

/// The parameters in the query of a URL, in which `+` is a space. One that is there twice is
/// refused: which of the two counts would be a guess.
pub(crate) fn parameters(request: &HttpRequest) -> Result<Parameters, ApiError> {
    let (mut parameters, mut names) = (Parameters::default(), HashSet::new());
    for (name, value) in pairs(request)? {
        if !names.insert(name.to_ascii_lowercase()) {
            let shown: String = name.chars().take(100).collect();
            return Err(Error::invalid_value(format!("{shown} is there twice in the URL")).into());
        }
        parameters.set(&name, value);
    }
    Ok(parameters)
}

/// The names and values in the query of a URL.
pub(super) fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, ApiError> {
    let pairs = web::Query::<Vec<_>>::from_query(request.query_string());
    let pairs = pairs.map_err(|_| Error::invalid_value("the query of the URL cannot be read"))?;
    Ok(pairs.into_inner())
}
