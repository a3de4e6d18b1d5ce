//! One operation of a bulk request: what is to be done, and how it ended.

use std::sync::Arc;

use accounts::users::Known;
use accounts::{Caller, Context, Precondition, Refusal, Resource, Tx};
use scim_protocol::Object;
use scim_protocol::bulk::{Call, Method, Operation};
use scim_protocol::dialect::Leniencies;
use scim_protocol::{patch, resource};
use serde_json::Value;
use uuid::Uuid;

use super::super::etag;
use super::super::handlers::identifier;
use super::super::kinds::{Change, ForKind, Kind, with_kind};
use crate::error::ApiError;

/// Steps of one operation at most: the resource, and what it refers to in a circle.
pub(super) const MAX_STEPS: usize = 2;

/// What a rule is given, ready to be run in a transaction.
type Work = Box<dyn Fn(&mut dyn Tx, &Context, &mut Leniencies) -> Result<Done, Refusal> + Send>;

/// A part of an operation.
pub(super) struct Step {
    /// Does it.
    pub(super) work: Work,
    /// What can be done if a new resource is refused.
    pub(super) again: Option<Again>,
    /// The body of a new user.
    pub(super) new_user: Option<Arc<Object>>,
}

type Recognise = Box<dyn Fn(&mut dyn Tx, &Context) -> Result<Known, Refusal> + Send>;
type BringBack = Box<dyn Fn(&mut dyn Tx, &Context, Uuid) -> Result<Done, Refusal> + Send>;

/// A new resource may be one that was there before.
pub(super) struct Again {
    /// Whether a refusal may be because of that.
    pub(super) may_be_known: fn(&Refusal) -> bool,
    /// Finds it out.
    pub(super) recognise: Recognise,
    /// Brings it back.
    pub(super) bring_back: BringBack,
}

impl Step {
    fn of(work: Work) -> Self {
        Self { work, again: None, new_user: None }
    }
}

/// How an operation ended that succeeded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    /// The status that the single request would have.
    pub(super) status: u16,
    /// The version of the resource.
    pub(super) version: Option<i64>,
}

impl Done {
    /// After a further step the status is still that of the first.
    pub(super) fn and_then(&mut self, next: Self) {
        if self.status == 0 {
            self.status = next.status;
        }
        self.version = next.version;
    }
}

/// Why an operation failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The status that the single request would have.
    pub(super) status: u16,
    /// The error's body.
    pub(super) body: Value,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let (status, body) = error.status_and_body();
        Self { status, body }
    }
}

impl Failure {
    /// A reference that cannot be resolved (RFC 7644 section 3.7.1).
    pub(super) fn unresolved(detail: String) -> Self {
        ApiError::UnresolvedReference(detail).into()
    }
}

/// What is to be done for an operation that refers to no other, whose resource gets this identifier, if
/// it is a POST.
pub(super) fn only_step(
    caller: &Caller,
    operation: &Operation,
    id: Uuid,
    leniencies: &mut Leniencies,
) -> Result<Vec<Step>, Failure> {
    let call = operation.call.as_ref().map_err(|error| ApiError::from(error.clone()))?;
    Ok(vec![step(caller, call, id, leniencies)?])
}

/// As [`only_step`], for one that may refer to others.
/// `is_missing` tells what will not be there yet, and `id_of` has the identifiers of the others.
pub(super) fn steps(
    caller: &Caller,
    operation: &Operation,
    id: Uuid,
    is_missing: &dyn Fn(&str) -> bool,
    id_of: &dyn Fn(&str) -> Option<String>,
    leniencies: &mut Leniencies,
) -> Result<Vec<Step>, Failure> {
    let mut whole = operation.clone();
    whole.resolve(id_of);
    let sent = operation.call.as_ref().map_err(|error| ApiError::from(error.clone()))?;
    let whole = whole.call.map_err(ApiError::from)?;
    let reduced = sent.data_without(is_missing);
    if reduced == sent.data {
        return Ok(vec![step(caller, &whole, id, leniencies)?]);
    }
    let mut first = operation.clone();
    if let Ok(call) = &mut first.call {
        call.data = reduced;
    }
    first.resolve(id_of);
    let first = step(caller, &first.call.map_err(ApiError::from)?, id, leniencies)?;
    // A version that came with the POST is not one that this PUT asks for.
    let completed = Call { method: Method::Put, id: id.to_string(), version: None, ..whole };
    Ok(vec![first, step(caller, &completed, id, leniencies)?])
}

fn step(
    caller: &Caller,
    call: &Call,
    id: Uuid,
    leniencies: &mut Leniencies,
) -> Result<Step, ApiError> {
    struct StepOf<'a>(&'a Caller, &'a Call, Uuid, &'a mut Leniencies);
    impl ForKind for StepOf<'_> {
        type Output = Result<Step, ApiError>;
        fn with<K: Kind>(self) -> Self::Output {
            step_of::<K>(self.0, self.1, self.2, self.3)
        }
    }
    with_kind(call.kind.name, StepOf(caller, call, id, leniencies))
        .unwrap_or_else(|| Err(ApiError::internal("a resource type has no rules")))
}

fn step_of<K: Kind>(
    caller: &Caller,
    call: &Call,
    new_id: Uuid,
    leniencies: &mut Leniencies,
) -> Result<Step, ApiError> {
    let kind = K::form(caller);
    let (is_allowed, allowed) = match call.method {
        Method::Post => (K::METHODS.create, K::METHODS.of_type()),
        Method::Put | Method::Patch => (K::METHODS.change, K::METHODS.of_one()),
        Method::Delete => (K::METHODS.delete, K::METHODS.of_one()),
    };
    if !is_allowed {
        return Err(ApiError::MethodNotAllowed(allowed));
    }
    if call.method == Method::Post {
        let body = resource::parse(kind, &call.data, leniencies)?;
        return Ok(creation_of::<K>(body, new_id));
    }
    let id = identifier::<K>(&call.id)?;
    let precondition = Precondition {
        one_of: call.version.as_deref().map(etag::versions),
        ..Precondition::default()
    };
    Ok(Step::of(match call.method {
        Method::Patch => {
            let edits = patch::parse(kind, &call.data, leniencies)?;
            Box::new(move |tx, context, leniencies| {
                let change = Change { context, id, precondition: &precondition };
                let patched = K::patch(tx, &change, &edits, leniencies)?;
                Ok(Done { status: 200, version: Some(patched.version) })
            })
        }
        Method::Delete => Box::new(move |tx, context, _| {
            K::delete(tx, &Change { context, id, precondition: &precondition })?;
            Ok(Done { status: 204, version: None })
        }),
        Method::Put | Method::Post => {
            let body = resource::parse(kind, &call.data, leniencies)?;
            let named = resource::named(kind, &call.data);
            Box::new(move |tx, context, leniencies| {
                let change = Change { context, id, precondition: &precondition };
                let replaced = K::replace(tx, &change, body.clone(), &named, leniencies)?;
                Ok(Done { status: 200, version: Some(replaced.version) })
            })
        }
    }))
}

fn creation_of<K: Kind>(body: Object, new_id: Uuid) -> Step {
    let body = Arc::new(body);
    let new_user = (K::resource_type().name == "User").then(|| Arc::clone(&body));
    let (sent, known) = (Arc::clone(&body), Arc::clone(&body));
    let done = |created: Resource| Done { status: 201, version: Some(created.version) };
    Step {
        new_user,
        work: Box::new(move |tx, context, leniencies| {
            K::create(tx, context, new_id, body.as_ref().clone(), leniencies).map(done)
        }),
        again: Some(Again {
            may_be_known: K::may_be_known,
            recognise: Box::new(move |tx, context| K::recognise(tx, context, &known)),
            bring_back: Box::new(move |tx, context, id| {
                K::bring_back(tx, context, id, sent.as_ref().clone()).map(done)
            }),
        }),
    }
}
