//! `/Bulk` (RFC 7644 section 3.7): many operations in one unit of work.
//!
//! The identifiers of new resources are chosen first, so that every reference can be replaced and
//! every operation read before the transaction begins. In it each operation is atomic by itself: it
//! is done whole, or refused and undone, and the others go on. Operations that refer to each other
//! in a circle are done together: created without what is not there yet, then completed.
//!
//! What a job writes is locked until its end, and on SQLite nobody else writes meanwhile. So the jobs
//! of a tenant are done one after the other ([`turns`]), and each for [`PATIENCE`] at most.

mod many;
mod operation;
pub(crate) mod turns;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use accounts::provisioning_log::{MAX_OPERATIONS as MAX_LOGGED, Operation as Told};
use accounts::users::{self, Known};
use accounts::{Caller, Code, Context, Refusal, Right, Tx, atomically};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use scim_protocol::Object;
use scim_protocol::bulk::{self, Call, MAX_OPERATIONS, Method, Operation};
use scim_protocol::dialect::Leniencies;
use serde_json::{Value, json};
use tracing_actix_web::RequestId;
use uuid::Uuid;

use self::many::Many;
use self::operation::{Done, Failure, Step, only_step, steps};
use super::etag::etag;
use super::handlers::context;
use super::render::base_url;
use crate::body::Body;
use crate::clock::Deadline;
use crate::error::{ApiError, problem_of};
use crate::requests::{Noted, Reading};
use crate::{State, answer, clock};

/// How long operations of one request are begun. The largest requests that provision people take a
/// second or two; this is for what is built to take long, and ends before clients give up.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn bulk(
    request: HttpRequest,
    state: Data<State>,
    request_id: RequestId,
    Body { caller, value }: Body,
) -> Result<HttpResponse, ApiError> {
    let mut leniencies = Reading::of(&request, &caller);
    let asked = bulk::parse(value, &mut leniencies)?;
    if asked.operations.len() > MAX_OPERATIONS {
        return Err(ApiError::TooManyOperations);
    }
    // Who may change nothing takes nobody's turn.
    let changes = [Right::WriteUsers, Right::WriteGroups, Right::Delete];
    if !changes.into_iter().any(|right| caller.rights.allow(right)) {
        caller.require(Right::WriteUsers)?;
    }
    let base = base_url(&request, &state);
    let sent: Vec<_> = asked.operations.iter().map(told).collect();
    let job = Job::new(&caller, asked, base, &mut leniencies);
    let context = context(&state, caller, request_id);
    let turn = state.bulk_turns.of(caller.tenant).await?;
    let read = leniencies.clone();
    let done = state.store.of(caller.tenant).write(move |tx| {
        // It ends with the unit, not with a client that hangs up.
        let _turn = &turn;
        let mut leniencies = read.clone();
        tx.lock_parts(context.caller.tenant)?;
        let results = job.run(tx, &context, &mut leniencies)?;
        Ok::<_, Refusal>((results, leniencies))
    });
    let (results, used) = done.await?;
    leniencies.now(used);
    note(&request, &state, sent, &results);
    let results: Vec<Value> = results.into_iter().map(|(_, result)| result).collect();
    Ok(answer::json(StatusCode::OK, &bulk::response(&results)))
}

/// An operation, for the provisioning log.
fn told(sent: &Operation) -> Told {
    let (method, path, bulk_id) = (sent.method.clone(), sent.path.clone(), sent.bulk_id.clone());
    Told { method, path, bulk_id, status: 0, problem: None }
}

/// Notes how the operations ended, those that failed first.
fn note(request: &HttpRequest, state: &State, mut sent: Vec<Told>, results: &[(usize, Value)]) {
    for (at, result) in results {
        let status = result["status"].as_str().and_then(|status| status.parse().ok());
        sent[*at].status = status.unwrap_or_default();
        sent[*at].problem = result.get("response").map(problem_of);
    }
    for problem in sent.iter().filter_map(|told| told.problem.as_ref()) {
        let code = problem.code.as_ref().or(problem.scim_type.as_ref());
        let metrics = state.settings.telemetry.metrics();
        metrics.refused(problem.rule.as_deref(), code.map_or("other", String::as_str));
    }
    sent.retain(|told| told.status > 0);
    sent.sort_by_key(|told| told.problem.is_none());
    sent.truncate(MAX_LOGGED);
    Noted::with(request, |noted| noted.operations = sent);
}

/// A bulk request that is ready to be carried out, again if need be.
struct Job {
    caller: Caller,
    base: String,
    fail_on_errors: Option<u64>,
    patience: Duration,
    operations: Vec<Planned>,
    links: Links,
}

/// An operation that is ready to be carried out.
struct Planned {
    sent: Operation,
    /// The identifier of the resource that it creates.
    id: Uuid,
    /// What is to be done, or why it cannot be.
    steps: Result<Vec<Step>, Failure>,
}

type Outcome = Result<Done, Failure>;

/// How a group ended: what was done, or which operation was refused.
type Ended = Result<Vec<Done>, (usize, Refusal)>;

/// What the operations of one run have in common.
struct Run<'a> {
    tx: &'a mut dyn Tx,
    context: &'a Context,
    leniencies: &'a mut Leniencies,
    deadline: Deadline,
    /// New resources that were there before, by the operations that ask for them.
    back: HashMap<usize, Uuid>,
    /// The operations that refer to those, with the identifiers that they turned out to have.
    planned_anew: HashMap<usize, Plan>,
}

type Plan = Result<Vec<Step>, Failure>;

impl Job {
    fn new(
        caller: &Caller,
        mut asked: bulk::Request,
        base: String,
        leniencies: &mut Leniencies,
    ) -> Self {
        let links = Links::of(&mut asked.operations);
        let new = |sent| Planned { sent, id: clock::new_id(), steps: Ok(Vec::new()) };
        let operations = asked.operations.into_iter().map(new).collect();
        let (fail_on_errors, patience) = (asked.fail_on_errors, PATIENCE);
        let mut job = Self { caller: *caller, base, fail_on_errors, patience, operations, links };
        for at in 0..job.operations.len() {
            job.operations[at].steps = job.plan(at, &HashMap::new(), leniencies);
        }
        job
    }

    /// What is to be done for an operation, if these new resources were there before.
    fn plan(&self, at: usize, back: &HashMap<usize, Uuid>, leniencies: &mut Leniencies) -> Plan {
        let is_missing = |name: &str| self.links.is_missing(at, name);
        let id_of = |name: &str| self.id_of(name, back);
        if let Some(name) = self.links.unknown(at) {
            let detail = format!("no POST of the request has the bulkId {name}");
            return Err(Failure::unresolved(detail));
        }
        let Planned { sent, id, .. } = &self.operations[at];
        let id = back.get(&at).unwrap_or(id);
        if self.names_nothing(at) {
            return only_step(&self.caller, sent, *id, leniencies);
        }
        steps(&self.caller, sent, *id, &is_missing, &id_of, leniencies)
    }

    /// The identifier of the resource of a bulkId.
    fn id_of(&self, name: &str, back: &HashMap<usize, Uuid>) -> Option<String> {
        let at = self.links.creators.get(name)?;
        Some(back.get(at).unwrap_or(&self.operations[*at].id).to_string())
    }

    /// Carries the operations out, and gives the results of those that were processed, in the order
    /// in which they were sent (section 3.7.3), each with its number.
    fn run(
        &self,
        tx: &mut dyn Tx,
        context: &Context,
        leniencies: &mut Leniencies,
    ) -> Result<Vec<(usize, Value)>, Refusal> {
        let mut outcomes: Vec<Option<Outcome>> = self.operations.iter().map(|_| None).collect();
        let deadline = Deadline::after(self.patience);
        let (back, planned_anew) = (HashMap::new(), HashMap::new());
        let mut run = Run { tx, context, leniencies, deadline, back, planned_anew };
        let (mut errors, mut groups, mut many) = (0, self.links.groups.as_slice(), Many::default());
        while let Some((group, others)) = groups.split_first() {
            if self.fail_on_errors.is_some_and(|limit| errors >= limit) {
                break;
            }
            let together = self.create_together(groups, &mut many, &mut run)?;
            for at in &together {
                outcomes[*at] = Some(Ok(Done { status: 201, version: Some(1) }));
            }
            if !together.is_empty() {
                groups = &groups[together.len()..];
                continue;
            }
            groups = others;
            for (at, outcome) in self.run_group(group, &outcomes, &mut run)? {
                errors += u64::from(outcome.is_err());
                outcomes[at] = Some(outcome);
            }
        }
        let results = outcomes.into_iter().enumerate();
        let result = |(at, outcome): (usize, Option<Outcome>)| {
            Some((at, self.result(at, &run.back, outcome?)))
        };
        Ok(results.filter_map(result).collect())
    }

    /// Creates the users together with which these groups begin, if each of them is one and refers to
    /// nothing: their operations, or none if they are to be done one by one.
    fn create_together(
        &self,
        groups: &[Vec<usize>],
        many: &mut Many,
        run: &mut Run<'_>,
    ) -> Result<Vec<usize>, Refusal> {
        let new_user = |group: &Vec<usize>| {
            let [at] = group[..] else { return None };
            let [step] = self.steps(at, &run.planned_anew) else { return None };
            let body = step.new_user.as_deref().filter(|_| self.names_nothing(at))?;
            Some((at, self.operations[at].id, body))
        };
        let found = groups.iter().map_while(new_user).take(many.wanted());
        let found: Vec<(usize, Uuid, &Object)> = found.collect();
        if found.len() < 2 || run.deadline.has_passed() {
            return Ok(Vec::new());
        }
        let news: Vec<(Uuid, &Object)> = found.iter().map(|(_, id, body)| (*id, *body)).collect();
        let created = users::create_together(run.tx, run.context, &news)?;
        many.learn(created);
        Ok(if created { found.iter().map(|(at, ..)| *at).collect() } else { Vec::new() })
    }

    fn names_nothing(&self, at: usize) -> bool {
        self.links.names[at].is_empty()
    }

    fn run_group(
        &self,
        group: &[usize],
        outcomes: &[Option<Outcome>],
        run: &mut Run<'_>,
    ) -> Result<Vec<(usize, Outcome)>, Refusal> {
        if run.deadline.has_passed() {
            return Ok(without_time(group));
        }
        let mut failures: HashMap<usize, Failure> =
            group.iter().filter_map(|at| Some((*at, self.obstacle(*at, outcomes)?))).collect();
        if failures.is_empty() {
            match self.carry_out_known(group, run)? {
                Ok(done) => {
                    return Ok(group.iter().copied().zip(done.into_iter().map(Ok)).collect());
                }
                Err((_, Refusal::Rule { code: Code::OutOfTime, .. })) => {
                    return Ok(without_time(group));
                }
                Err((at, refusal)) => {
                    failures.insert(at, ApiError::from(leave_behind(run, refusal)?).into())
                }
            };
        }
        // The others of a circle cannot be done without the one that failed.
        let failed = group.iter().find(|at| failures.contains_key(at)).copied();
        let circle = || {
            let name = failed.map(|at| self.bulk_id(at)).unwrap_or_default();
            Failure::unresolved(format!(
                "this operation and the one with the bulkId {name}, which failed, need each other"
            ))
        };
        Ok(group.iter().map(|at| (*at, Err(failures.remove(at).unwrap_or_else(circle)))).collect())
    }

    /// What stands in the way of an operation before anything of it is written.
    fn obstacle(&self, at: usize, outcomes: &[Option<Outcome>]) -> Option<Failure> {
        let planned = &self.operations[at];
        if let Err(failure) = &planned.steps {
            return Some(failure.clone());
        }
        let failed = |at: &&usize| outcomes[**at].as_ref().is_some_and(Result::is_err);
        let creator = self.links.positions[at].iter().find(failed)?;
        let name = self.bulk_id(*creator);
        Some(Failure::unresolved(format!("the operation with the bulkId {name} failed")))
    }

    fn bulk_id(&self, at: usize) -> &str {
        self.operations[at].sent.bulk_id.as_deref().unwrap_or_default()
    }

    /// Carries a group out. A new resource that is refused may be one that was there before: then
    /// the group is carried out again, with that one.
    fn carry_out_known(&self, group: &[usize], run: &mut Run<'_>) -> Result<Ended, Refusal> {
        loop {
            let (at, refusal) = match self.carry_out(group, run) {
                Err((_, Refusal::Storage(error))) => return Err(Refusal::Storage(error)),
                Err((at, refusal)) if !run.back.contains_key(&at) => (at, refusal),
                ended => return Ok(ended),
            };
            let first = self.steps(at, &run.planned_anew).first();
            let again = first.and_then(|step| step.again.as_ref());
            let Some(again) = again.filter(|again| (again.may_be_known)(&refusal)) else {
                return Ok(Err((at, refusal)));
            };
            match atomically(run.tx, |tx| (again.recognise)(tx, run.context)) {
                Ok(Known::Back(id)) => self.plan_anew(at, id, run),
                Ok(Known::Nobody) => return Ok(Err((at, refusal))),
                Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
                Ok(Known::Refused(refusal)) | Err(refusal) => return Ok(Err((at, refusal))),
            }
        }
    }

    /// The operation asks for a resource that was there before: what refers to it gets its
    /// identifier.
    fn plan_anew(&self, at: usize, id: Uuid, run: &mut Run<'_>) {
        run.back.insert(at, id);
        let refers = |other: &usize| *other == at || self.links.positions[*other].contains(&at);
        for other in (0..self.operations.len()).filter(refers) {
            let plan = self.plan(other, &run.back, run.leniencies);
            run.planned_anew.insert(other, plan);
        }
    }

    fn steps<'a>(&'a self, at: usize, anew: &'a HashMap<usize, Plan>) -> &'a [Step] {
        let plan = anew.get(&at).unwrap_or(&self.operations[at].steps);
        plan.as_deref().unwrap_or_default()
    }

    /// Carries a group out, all or nothing; where it fails, at which operation.
    fn carry_out(&self, group: &[usize], run: &mut Run<'_>) -> Ended {
        let mut at_work = group[0];
        let Run { tx, context, leniencies, deadline, back, planned_anew } = run;
        let done = atomically(*tx, |tx| {
            let mut done: Vec<Done> = group.iter().map(|_| Done::default()).collect();
            for number in 0..operation::MAX_STEPS {
                for (at, done) in group.iter().zip(&mut done) {
                    let Some(step) = self.steps(*at, planned_anew).get(number) else { continue };
                    // A circle may be all of the request.
                    if deadline.has_passed() {
                        return Err(out_of_time());
                    }
                    at_work = *at;
                    done.and_then(match (&step.again, back.get(at)) {
                        (Some(again), Some(id)) => (again.bring_back)(tx, context, *id)?,
                        _ => (step.work)(tx, context, leniencies)?,
                    });
                }
            }
            Ok(done)
        });
        done.map_err(|refusal| (at_work, refusal))
    }

    fn result(&self, at: usize, back: &HashMap<usize, Uuid>, outcome: Outcome) -> Value {
        let Planned { sent, id, .. } = &self.operations[at];
        let mut sent = Cow::Borrowed(sent);
        if !self.names_nothing(at) {
            sent.to_mut().resolve(&|name| self.id_of(name, back));
        }
        let mut result = json!({});
        let id = back.get(&at).unwrap_or(id);
        if let Some(location) = self.location(&sent, *id, outcome.is_ok()) {
            result["location"] = location.into();
        }
        let echoed = [("method", &sent.method), ("bulkId", &sent.bulk_id)];
        for (name, sent) in echoed {
            if let Some(sent) = sent {
                result[name] = sent.as_str().into();
            }
        }
        match outcome {
            Ok(done) => {
                if let Some(version) = done.version {
                    result["version"] = etag(version).into();
                }
                result["status"] = done.status.to_string().into();
            }
            Err(failure) => {
                result["status"] = failure.status.to_string().into();
                result["response"] = failure.body;
            }
        }
        result
    }

    /// Where the resource is; one that a POST failed to create is nowhere.
    fn location(&self, sent: &Operation, id: Uuid, succeeded: bool) -> Option<String> {
        match &sent.call {
            Ok(Call { method: Method::Post, kind, .. }) => {
                succeeded.then(|| format!("{}{}/{id}", self.base, kind.endpoint))
            }
            Ok(Call { kind, id, .. }) => Some(format!("{}{}/{id}", self.base, kind.endpoint)),
            Err(_) => {
                let creates = |method: &String| method.eq_ignore_ascii_case("POST");
                let path = sent.path.as_ref().filter(|path| path.starts_with('/'));
                path.filter(|_| !sent.method.as_ref().is_some_and(creates))
                    .map(|path| format!("{}{path}", self.base))
            }
        }
    }
}

/// Writes what is to be left of an operation that was refused and undone; the refusal as its client
/// is told of it.
fn leave_behind(run: &mut Run<'_>, refusal: Refusal) -> Result<Refusal, Refusal> {
    match refusal {
        Refusal::Guarded { count, .. } => {
            atomically(run.tx, |tx| users::raise_alert(tx, run.context, count))?;
            Ok(refusal)
        }
        Refusal::Doubted(doubt) => {
            atomically(run.tx, |tx| users::open_case(tx, run.context, &doubt))
        }
        refusal => Ok(refusal),
    }
}

fn out_of_time() -> Refusal {
    let detail = "the operations before this one took too long: send it in another request";
    Refusal::Rule { code: Code::OutOfTime, detail: detail.to_owned() }
}

/// The outcomes of operations for which there is no time.
fn without_time(group: &[usize]) -> Vec<(usize, Outcome)> {
    group.iter().map(|at| (*at, Err(ApiError::from(out_of_time()).into()))).collect()
}

/// What refers to what.
struct Links {
    /// Which operation has each bulkId: one that creates, or would if it were right.
    creators: HashMap<String, usize>,
    /// The bulkIds that each operation refers to.
    names: Vec<Vec<String>>,
    /// The operations that have them.
    positions: Vec<Vec<usize>>,
    groups: Vec<Vec<usize>>,
    group_of: Vec<usize>,
}

impl Links {
    fn of(operations: &mut [Operation]) -> Self {
        let mut creators = HashMap::new();
        for (at, operation) in operations.iter().enumerate() {
            let creates = operation.call.as_ref().map_or(true, |call| call.method == Method::Post);
            if let (true, Some(bulk_id)) = (creates, &operation.bulk_id) {
                creators.entry(bulk_id.clone()).or_insert(at);
            }
        }
        let names: Vec<Vec<String>> = operations.iter_mut().map(Operation::references).collect();
        let known = |names: &Vec<String>| {
            names.iter().filter_map(|name| creators.get(name).copied()).collect()
        };
        let positions: Vec<Vec<usize>> = names.iter().map(known).collect();
        let groups = bulk::order(&positions);
        let mut group_of = vec![0; operations.len()];
        for (number, group) in groups.iter().enumerate() {
            for at in group {
                group_of[*at] = number;
            }
        }
        Self { creators, names, positions, groups, group_of }
    }

    /// A bulkId that an operation refers to and none has.
    fn unknown(&self, at: usize) -> Option<&String> {
        self.names[at].iter().find(|name| !self.creators.contains_key(*name))
    }

    /// Whether the resource of a bulkId will not be there when an operation is carried out: it
    /// comes later in the same circle.
    fn is_missing(&self, at: usize, name: &str) -> bool {
        self.creators
            .get(name)
            .is_some_and(|creator| *creator > at && self.group_of[*creator] == self.group_of[at])
    }
}

#[cfg(test)]
mod tests {
    use accounts::connections::Switches;
    use accounts::{Rights, tenancy};
    use scim_protocol::dialect::Dialect;
    use scim_protocol::schema::ResourceType;
    use store::{DatabaseUrl, Store};

    use super::*;

    /// The statuses of these operations, if they have so much time.
    async fn statuses(patience: Duration, request: Value) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("test.db"))).unwrap();
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let asked = bulk::parse(request, &mut leniencies).unwrap();
        let [tenant, connection, request] = [1, 2, 3].map(Uuid::from_u128);
        let (dialect, rights) = (Dialect::Strict, Rights::ALL);
        let now = clock::now();
        let switches = Switches::NONE;
        let caller = Caller {
            tenant,
            connection,
            dialect,
            rights,
            genesys: false,
            switches,
            now,
            person: None,
        };
        let job = Job { patience, ..Job::new(&caller, asked, String::new(), &mut leniencies) };
        let context = Context::of_scim(caller, request, clock::now(), clock::new_id);
        let made = store.write(move |tx| {
            tenancy::create_tenant(tx, "acme", tenant, clock::now(), clock::new_id)
        });
        made.await.unwrap();
        let run = store.write(move |tx| job.run(tx, &context, &mut leniencies.clone()));
        run.await.unwrap().iter().map(|(_, result)| result["status"].clone()).collect()
    }

    #[actix_web::test]
    async fn rfc7644_3_7_what_a_request_has_no_time_for_is_to_be_sent_again() {
        let create = |name: &str| {
            let data = json!({"schemas": [ResourceType::user().schema.id], "userName": name});
            json!({"method": "POST", "path": "/Users", "bulkId": name, "data": data})
        };
        let request = json!({
            "schemas": [bulk::BULK_REQUEST],
            "Operations": [create("a"), create("b")],
        });
        assert_eq!(statuses(PATIENCE, request.clone()).await, ["201", "201"]);
        assert_eq!(statuses(Duration::ZERO, request.clone()).await, ["503", "503"]);
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let mut circle = request.clone();
        for (at, other) in [(0, "b"), (1, "a")] {
            let data = &mut circle["Operations"][at]["data"];
            data["schemas"] = json!([data["schemas"][0], manager]);
            data[manager] = json!({"manager": {"value": format!("bulkId:{other}")}});
        }
        // In time it is found that nobody can be above themselves.
        assert_eq!(statuses(PATIENCE, circle.clone()).await, ["400", "409"]);
        assert_eq!(statuses(Duration::ZERO, circle).await, ["503", "503"]);
        let mut impatient = request;
        impatient["failOnErrors"] = json!(1);
        assert_eq!(statuses(Duration::ZERO, impatient).await, ["503"]);
    }
}
