//! What administrators do with resources besides reading and changing them: verbs, each a POST.
//!
//! `/admin/v1/{Type}/{id}/{verb}` does something with one resource, `/admin/v1/{Type}/{verb}` with
//! those of a type. The types are called what they are called below `/scim/v2`. A verb is a line in
//! the table [`verbs`] and a function that runs in one unit of work; its body is a struct, whose
//! members are all that the body may have.

mod credentials;
mod decisions;
mod groups;
mod logins;
mod nouns;
mod roles;
mod users;

use std::sync::Arc;

use accounts::capacity_rules::CapacityRules;
use accounts::connections::Connections;
use accounts::divisions::Divisions;
use accounts::provisioning_rules::ProvisioningRules;
use accounts::rehire_cases::RehireCases;
use accounts::roles::Roles;
use accounts::skills::Skills;
use accounts::user_templates::UserTemplates;
use accounts::{Caller, Context, Precondition, Refusal, Resource, Right, Source, Tx};
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, ServiceConfig, post};
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::error::Error;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::TenantStore;
use tracing_actix_web::RequestId;
use uuid::Uuid;

use crate::answer::{self, Rendered};
use crate::body::{Body, OptionalBody};
use crate::error::ApiError;
use crate::requests::Reading;
use crate::scim::{self, Groups, Kind, Of, Users, View};
use crate::telemetry::{Route, Routed};
use crate::{ADMIN_PATH, State};
use Lane::{Reads, Writes};

/// The table of verbs.
fn verbs(table: &mut ServiceConfig) {
    of_one::<Groups, _>(table, "copy", Writes, groups::copy);
    of_one::<Of<Roles>, _>(table, "copy", Writes, roles::copy);
    of_one::<Of<Roles>, _>(table, "compare-default", Reads, roles::compare_default);
    of_one::<Of<Roles>, _>(table, "restore-default", Writes, roles::restore_default);
    of_one::<Of<Roles>, _>(table, "force-delete", Writes, roles::force_delete);
    of_type::<Of<Roles>, _>(table, "recreate-defaults", Writes, roles::recreate_defaults);
    of_one::<Of<Divisions>, _>(table, "restore", Writes, nouns::restore_division);
    of_one::<Of<Skills>, _>(table, "copy", Writes, nouns::copy);
    of_one::<Of<CapacityRules>, _>(table, "copy", Writes, nouns::copy);
    of_one::<Of<CapacityRules>, _>(table, "replace", Writes, nouns::replace_capacity_rule);
    of_type::<Of<CapacityRules>, _>(table, "evaluate", Reads, nouns::evaluate);
    of_type::<Of<UserTemplates>, _>(table, "from-account", Writes, nouns::template_from_account);
    of_type::<Of<ProvisioningRules>, _>(table, "dry-run", Reads, nouns::dry_run);
    of_one::<Of<Connections>, _>(table, "release", Writes, decisions::release);
    of_one::<Of<Connections>, _>(table, "create-token", Writes, credentials::create_token);
    of_one::<Of<Connections>, _>(table, "create-secret", Writes, credentials::create_secret);
    of_one::<Of<Connections>, _>(table, "trust-issuer", Writes, credentials::trust_issuer);
    of_one::<Of<Connections>, _>(table, "pin-certificate", Writes, credentials::pin_certificate);
    of_one::<Of<Connections>, _>(table, "list-credentials", Reads, credentials::list);
    of_one::<Of<Connections>, _>(table, "revoke-credential", Writes, credentials::revoke);

    of_one::<Users, _>(table, "activate", Writes, logins::activate);
    of_one::<Users, _>(table, "login", Writes, logins::login);
    of_one::<Users, _>(table, "send-activation", Writes, logins::send_activation);
    of_one::<Users, _>(table, "reset-password", Writes, logins::reset_password);
    of_one::<Users, _>(table, "unlock", Writes, logins::unlock);
    of_one::<Users, _>(table, "deactivate", Writes, users::deactivate);
    of_one::<Users, _>(table, "reactivate", Writes, users::reactivate);
    of_one::<Users, _>(table, "restore", Writes, users::restore);
    of_one::<Users, _>(table, "erase", Writes, users::erase);
    of_one::<Users, _>(table, "approve-tier", Writes, users::approve_tier);
    of_one::<Users, _>(table, "reject-tier", Writes, users::reject_tier);
    of_one::<Users, _>(table, "explain-access", Reads, users::explain_access);
    of_one::<Users, _>(table, "list-dependencies", Reads, users::list_dependencies);
    of_one::<Users, _>(table, "report-dependency", Writes, users::report_dependency);
    of_one::<Users, _>(table, "reassign-dependency", Writes, users::reassign_dependency);
    of_one::<Users, _>(table, "remove-dependency", Writes, users::remove_dependency);
    of_type::<Users, _>(table, "list-deleted", Reads, users::list_deleted);
    of_type::<Users, _>(table, "release-identity", Writes, users::release_identity);

    of_one::<Of<RehireCases>, _>(table, "same-person", Writes, decisions::same_person);
    of_one::<Of<RehireCases>, _>(table, "different-person", Writes, decisions::different_person);
}

/// Every path below `/admin/v1`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope(ADMIN_PATH).configure(verbs);
    config.service(scope.default_service(web::to(scim::no_such_path)));
}

/// What a verb does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Reads,
    Writes,
}

/// A verb of one resource.
type OfOne<K, B> = fn(&mut dyn Tx, &Call<K>, Uuid, &B) -> Result<Outcome, Refusal>;

/// A verb of a type.
type OfType<K, B> = fn(&mut dyn Tx, &Call<K>, &B) -> Result<Outcome, Refusal>;

/// The body of a verb: a struct that refuses unknown members.
trait Input: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> Input for T {}

/// What comes of a verb.
enum Outcome {
    /// A new resource.
    Created(Rendered),
    /// A resource that was there before.
    Changed(Rendered),
    /// A report.
    Report(Value),
    /// A resource to whose person a mail is on its way.
    Accepted(Rendered),
    /// Nothing to tell.
    Done,
}

/// What a verb is given besides its body.
struct Call<K> {
    context: Context,
    precondition: Precondition,
    view: View<K>,
}

impl<K: Kind> Call<K> {
    fn new(request: &HttpRequest, state: &State, context: Context) -> Result<Self, ApiError> {
        let mut leniencies = Reading::of(request, &context.caller);
        let parameters = scim::parameters(request)?;
        let projection = parameters.projection(K::form(&context.caller), &mut leniencies)?;
        let view = View::new(request, state, projection);
        let context = Context { source: Source::Admin, ..context };
        Ok(Self { context, precondition: scim::precondition(request), view })
    }

    /// A resource as SCIM sends it, with what `attributes` in the URL asks for.
    fn show(&self, tx: &mut dyn Tx, found: Resource) -> Result<Rendered, Refusal> {
        self.view.of(tx, &self.context.caller, found)
    }

    /// A resource that is deleted, as it was: what is kept beside it is gone.
    fn render(&self, found: Resource) -> Rendered {
        self.view.render(&self.context.caller, found)
    }

    /// The context, with why it is done.
    fn because(&self, reason: &Reason) -> Context {
        Context { reason: Some(Arc::from(reason.0.as_str())), ..self.context.clone() }
    }
}

/// Why somebody does something, which people must say (rule R58). It is kept when a person is erased,
/// and must not name them.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_REASON {
            return Err(format!("reason must have 1 to {MAX_REASON} characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The longest reason, in characters.
const MAX_REASON: usize = 1_000;

/// The body of a verb that needs to be told why, and no more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: Reason,
}

/// What is at the path of a verb, with its route.
fn at(endpoint: &'static str, between: &'static str, verb: &'static str) -> actix_web::Resource {
    let route = Route([ADMIN_PATH, endpoint, between, verb]);
    web::resource(format!("{endpoint}{between}{verb}")).app_data(Routed::new(route))
}

/// Adds a verb of each resource of a type to the table.
fn of_one<K: Kind, B: Input>(
    table: &mut ServiceConfig,
    verb: &'static str,
    lane: Lane,
    work: OfOne<K, B>,
) {
    let handler = move |request: HttpRequest,
                        state: Data<State>,
                        request_id: RequestId,
                        id: Path<String>,
                        OptionalBody(body): OptionalBody| async move {
        let (caller, body) = read::<B>(body)?;
        let id = scim::identifier::<K>(&id)?;
        let call = Call::<K>::new(&request, &state, scim::context(&state, caller, request_id))?;
        run(state.store.of(caller.tenant), lane, move |tx| work(tx, &call, id, &body)).await
    };
    let resource = at(K::resource_type().endpoint, "/{id}/", verb);
    table.service(resource.route(post().to(handler)).default_service(scim::only("POST")));
}

/// Adds a verb of a type to the table.
fn of_type<K: Kind, B: Input>(
    table: &mut ServiceConfig,
    verb: &'static str,
    lane: Lane,
    work: OfType<K, B>,
) {
    let handler = move |request: HttpRequest,
                        state: Data<State>,
                        request_id: RequestId,
                        OptionalBody(body): OptionalBody| async move {
        let (caller, body) = read::<B>(body)?;
        let call = Call::<K>::new(&request, &state, scim::context(&state, caller, request_id))?;
        run(state.store.of(caller.tenant), lane, move |tx| work(tx, &call, &body)).await
    };
    let resource = at(K::resource_type().endpoint, "/", verb);
    table.service(resource.route(post().to(handler)).default_service(scim::only("POST")));
}

/// The body of a verb, from an administrator: nothing is said to others about theirs.
fn read<B: Input>(Body { caller, value }: Body) -> Result<(Caller, B), ApiError> {
    caller.require(Right::Admin)?;
    if !value.is_object() {
        return Err(Error::invalid_syntax("the body must be a JSON object").into());
    }
    let body = serde_json::from_value(value);
    let body = body.map_err(|error| Error::invalid_value(format!("the body: {error}")))?;
    Ok((caller, body))
}

async fn run(
    store: TenantStore<'_>,
    lane: Lane,
    work: impl Fn(&mut dyn Tx) -> Result<Outcome, Refusal> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let outcome = match lane {
        Reads => store.read_anywhere(work).await?,
        Writes => store.write(work).await?,
    };
    Ok(match outcome {
        Outcome::Created(created) => answer::resource(StatusCode::CREATED, created),
        Outcome::Changed(changed) => answer::resource(StatusCode::OK, changed),
        Outcome::Accepted(changed) => answer::resource(StatusCode::ACCEPTED, changed),
        Outcome::Report(report) => answer::plain_json(StatusCode::OK, &report),
        Outcome::Done => HttpResponse::NoContent().finish(),
    })
}
