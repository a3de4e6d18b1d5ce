//! Rehire cases: requests of which only an administrator can say whether they mean a person who
//! left (domain model 2.17 and 4.5).
//!
//! There is one open case for each account and request. The request is known again by its
//! externalId in its connection, or by its userName where it has none. The log has that a case was
//! opened and how it was decided, not why, and nothing of the person: what is personal stands in the
//! case alone and leaves it when the account is erased.

use std::sync::Arc;

use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::instant;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::Account;
use crate::identity::normalise;
use crate::ledger::{Action, append, differences};
use crate::objects::{self, ObjectType, UniqueName};
use crate::provisioning::ENTERPRISE;
use crate::refusal::{Code, Refusal};
use crate::rehire::CaseDecision;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Context, Precondition};

const OPEN: &str = "open";
const SAME: &str = "approvedSame";
const DIFFERENT: &str = "approvedDifferent";
const EXPIRED: &str = "expired";

/// `/RehireCases`
pub struct RehireCases;

impl ObjectType for RehireCases {
    const READ: Right = Right::Admin;
    const CREATABLE: bool = false;
    const CHANGEABLE: bool = false;
    const DELETABLE: bool = false;

    fn resource_type() -> &'static ResourceType {
        ResourceType::rehire_case()
    }

    /// Cases are found by their account, and one request has one that is open.
    fn unique_name(attributes: &Object) -> Option<UniqueName> {
        let account = attributes.get("matchedUser")?.get("value")?.as_str()?;
        let request = identity(attributes.get("incoming")?)?;
        let connection = text(attributes, "connection").unwrap_or_default();
        let decided = text(attributes, "decidedAt").unwrap_or(OPEN);
        let variant = format!("{decided} {connection} {request}");
        Some(UniqueName { variant, name: account.to_owned() })
    }
}

fn text<'a>(attributes: &'a Object, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_str()
}

/// A request that may mean the person of an account or another one, and why nobody can tell.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// The account.
    pub(crate) account: Uuid,
    /// What the request says of the person.
    pub(crate) request: Object,
    /// What speaks for and against.
    pub(crate) evidence: String,
}

/// What a client is told whose request waits for a decision.
pub(crate) fn confirmation_required(case: Uuid) -> Refusal {
    Refusal::rule(
        Code::RehireConfirmationRequired,
        format!(
            "this may be a person who was here before: an administrator decides rehire case {case}, \
             same person or different person; then send the request again"
        ),
    )
}

/// By what a request is known again.
fn identity(incoming: &Value) -> Option<String> {
    let part = |name| incoming.get(name).and_then(Value::as_str);
    match part("externalId") {
        Some(external_id) => Some(format!("externalId {external_id}")),
        None => Some(format!("userName {}", normalise(part("userName")?))),
    }
}

/// What of a request says whom it means.
pub(crate) fn of_person(body: &Object) -> Object {
    let mut person = Object::new();
    for name in ["externalId", "userName", "displayName", "emails"] {
        if let Some(value) = body.get(name) {
            person.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(number) = body.get(ENTERPRISE).and_then(|e| e.get("employeeNumber")) {
        person.insert(ENTERPRISE.to_owned(), json!({"employeeNumber": number}));
    }
    person
}

/// What a case keeps of a request.
fn incoming(body: &Object) -> Value {
    let mut kept = Object::new();
    for name in ["externalId", "userName", "displayName"] {
        if let Some(value) = body.get(name) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    let emails = body.get("emails").and_then(Value::as_array).into_iter().flatten();
    let emails: Vec<&str> = emails.filter_map(|email| email.get("value")?.as_str()).collect();
    if !emails.is_empty() {
        kept.insert("emails".to_owned(), emails.join(", ").into());
    }
    if let Some(number) = body.get(ENTERPRISE).and_then(|e| e.get("employeeNumber")) {
        kept.insert("employeeNumber".to_owned(), number.clone());
    }
    Value::Object(kept)
}

/// The cases of an account that are about this request.
fn cases(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    body: &Object,
) -> Result<Vec<Resource>, Refusal> {
    let mut cases = of_account(tx, context, account)?;
    let connection = context.caller.connection.to_string();
    let wanted = identity(&incoming(body));
    cases.retain(|case| {
        let request = case.attributes.get("incoming").and_then(identity);
        request == wanted && text(&case.attributes, "connection") == Some(connection.as_str())
    });
    Ok(cases)
}

fn of_account(tx: &mut dyn Tx, context: &Context, account: Uuid) -> Result<Vec<Resource>, Refusal> {
    let name = fold(&account.to_string());
    let found = tx.objects_named(context.caller.tenant, ResourceType::rehire_case(), &[name])?;
    Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
}

/// What was last decided about a request and an account. That it is the same person counts until the
/// account is in use: who comes later has to be looked at again.
///
/// # Errors
/// The store's.
pub(crate) fn decision(
    tx: &mut dyn Tx,
    context: &Context,
    account: &Account,
    body: &Object,
) -> Result<Option<CaseDecision>, Refusal> {
    let cases = cases(tx, context, account.resource.id, body)?;
    let decided_at = |case: &Resource| text(&case.attributes, "decidedAt")?.parse().ok();
    let decided = cases.iter().filter_map(|case| Some((decided_at(case)?, case)));
    let latest: Option<(Timestamp, &Resource)> = decided.max_by_key(|(at, _)| *at);
    Ok(latest.and_then(|(at, case)| match text(&case.attributes, "status")? {
        SAME => account
            .standing
            .deactivated
            .is_some_and(|left| at >= left)
            .then_some(CaseDecision::Same),
        DIFFERENT => Some(CaseDecision::Different),
        _ => None,
    }))
}

/// The open case of a request and an account, which this transaction has locked; a new one if there
/// is none.
///
/// # Errors
/// The store's.
pub(crate) fn open(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    body: &Object,
    evidence: &str,
) -> Result<Uuid, Refusal> {
    let is_open = |case: &&Resource| text(&case.attributes, "status") == Some(OPEN);
    if let Some(known) = cases(tx, context, account, body)?.iter().find(is_open) {
        return Ok(known.id);
    }
    let (kind, now) = (ResourceType::rehire_case(), context.now);
    let mut matched = json!({"value": account});
    // Mostly it is deleted, and cannot be read by its identifier.
    if let Some(known) = tx.account_for_update(context.caller.scope(), account)? {
        let known = &known.resource.attributes;
        matched["display"] = text(known, "displayName").or_else(|| text(known, "userName")).into();
    }
    let attributes = Object::from_iter([
        ("status".to_owned(), json!(OPEN)),
        ("matchedUser".to_owned(), matched),
        ("connection".to_owned(), json!(context.caller.connection)),
        ("incoming".to_owned(), incoming(body)),
        ("evidence".to_owned(), json!(evidence)),
    ]);
    let id = (context.new_id)();
    let name = RehireCases::unique_name(&attributes);
    let case = Resource { id, version: 1, created: now, last_modified: now, attributes };
    if !tx.insert_object(context.caller.tenant, kind, name, &case)? {
        return Err(Refusal::rule(Code::NameTaken, "the case was opened by another request"));
    }
    let changes = vec![
        json!({"attribute": "status", "old": null, "new": OPEN}),
        json!({"attribute": "matchedUser", "old": null, "new": {"value": account}}),
    ];
    append(tx, context, Action::Create, kind.name, &case, changes)?;
    Ok(id)
}

/// Closes a case: the identity provider's next try goes as decided (Op5).
///
/// # Errors
/// Refuses who is no administrator, an unknown case, and one that is closed.
pub fn close(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    decision: CaseDecision,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let before = objects::for_update::<RehireCases>(tx, context, id)?;
    precondition.check(before.version)?;
    if text(&before.attributes, "status") != Some(OPEN) {
        return Err(Refusal::rule(
            Code::CaseClosed,
            "somebody has decided this case already; if that was wrong, restore or deactivate the \
             account",
        ));
    }
    let mut case = before.clone();
    decide(context, &mut case.attributes, decision);
    case.version += 1;
    case.last_modified = context.now;
    let (kind, tenant) = (ResourceType::rehire_case(), context.caller.tenant);
    case.attributes = scim_protocol::resource::in_schema_order(kind, case.attributes);
    let name = RehireCases::unique_name(&case.attributes);
    if !tx.update_object(tenant, kind, name, &case)? {
        return Err(Refusal::rule(Code::NameTaken, "the case was decided by another request"));
    }
    // Why may be personal too: the case has it, and the log does not.
    let mut changes = differences(kind, &before.attributes, &case.attributes);
    changes.retain(|change| change["attribute"] != "reason");
    let silent = Context { reason: None, ..context.clone() };
    append(tx, &silent, Action::Update, kind.name, &case, changes)?;
    Ok(case)
}

fn decide(context: &Context, case: &mut Object, decision: CaseDecision) {
    let status = match decision {
        CaseDecision::Same => SAME,
        CaseDecision::Different => DIFFERENT,
    };
    let by = context.actor.id().map(|id| format!(" {id}")).unwrap_or_default();
    case.insert("status".to_owned(), status.into());
    case.insert("decidedBy".to_owned(), format!("{}{by}", context.actor.kind()).into());
    case.insert("decidedAt".to_owned(), instant::format(context.now).into());
    if let Some(reason) = &context.reason {
        case.insert("reason".to_owned(), reason.as_ref().into());
    }
}

/// Takes what is personal out of the cases of an account that is erased, and closes them (R59).
///
/// # Errors
/// The store's.
pub(crate) fn forget(tx: &mut dyn Tx, context: &Context, account: Uuid) -> Result<(), Refusal> {
    let kind = ResourceType::rehire_case();
    for mut case in of_account(tx, context, account)? {
        for personal in ["incoming", "evidence", "reason"] {
            case.attributes.shift_remove(personal);
        }
        case.attributes.insert("matchedUser".to_owned(), json!({"value": account}));
        let status = case.attributes.insert("status".to_owned(), EXPIRED.into());
        case.version += 1;
        case.last_modified = context.now;
        tx.update_object(context.caller.tenant, kind, None, &case)?;
        let changes = vec![json!({"attribute": "status", "old": status, "new": EXPIRED})];
        append(tx, context, Action::Update, kind.name, &case, changes)?;
    }
    Ok(())
}
