//! People who come back: their accounts with them (domain model 4.5; T12 and T13).

use std::collections::{BTreeMap, BTreeSet};

use scim_protocol::Object;
use scim_protocol::fold::fold;
use scim_protocol::resource;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::change::{Before, Course, apply};
use super::create::{
    apply_templates, check_roles, check_tier, complete_body, join, joining, said_beside_a_rule,
};
use super::extension::{self, ENTERPRISE, HEADCOUNT};
use super::genesys;
use super::settings::Settings;
use super::view::{shown, with_standing};
use super::{GIVEN, USER, check, employee_number_taken, keep_extended, put_in_place};
use crate::account::Account;
use crate::identity::{Claim, ClaimKind, claims};
use crate::refusal::{Code, Refusal};
use crate::rehire::{
    Candidate, CaseDecision, Decision, Incoming, MatchedBy, State, Uniqueness, decide,
};
use crate::rehire_cases::{self, Doubt};
use crate::resources::external_id_taken;
use crate::rights::Right;
use crate::tx::{Page, Resource, Tx};
use crate::{Caller, Context};

/// What is known of the person of a new account that was refused.
#[derive(Debug)]
pub enum Known {
    /// Nothing: it stays refused.
    Nobody,
    /// The account of this identifier is theirs; this transaction has it locked.
    Back(Uuid),
    /// It is refused, and what was written about it is to be kept.
    Refused(Refusal),
}

/// Whether a refusal of a new account may be because the person had one before: then [`recognise`]
/// can tell. Where there is no seat, the one of that account may be of another tier.
pub fn may_be_known(refusal: &Refusal) -> bool {
    matches!(
        refusal.code(),
        Some(
            Code::UserNameTaken
                | Code::IdentityReserved
                | Code::ExternalIdTaken
                | Code::EmployeeNumberTaken
                | Code::SeatLimitExceeded
        )
    )
}

/// Decides about a new account that was refused, for a unit of work of its own: whether it is that of
/// a person whom the tenant had before. If nobody can tell, a case is opened for administrators.
///
/// # Errors
/// Refuses what is another account's.
pub fn recognise(tx: &mut dyn Tx, context: &Context, body: &Object) -> Result<Known, Refusal> {
    context.caller.require(Right::WriteUsers)?;
    let found = Found::read(tx, context, body)?;
    let settings = Settings::of(tx, context)?;
    let incoming = Incoming { employee_number: employee_number(body) };
    let decision = decide(&settings.policy, &incoming, &found.candidates, &found.decided);
    match decision {
        Decision::Conflict(value) => Err(taken(value)),
        // What was erased only reserves its names.
        _ if found.is_reserved => Err(reserved()),
        Decision::Reserved => Err(reserved()),
        Decision::Create => Ok(Known::Nobody),
        Decision::Restore(id) => Ok(Known::Back(id)),
        Decision::Ambiguous(id, evidence) => {
            let case = rehire_cases::open(tx, context, id, body, &evidence)?;
            Ok(Known::Refused(rehire_cases::confirmation_required(case)))
        }
    }
}

/// The accounts that a request matches.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    decided: Vec<(Uuid, CaseDecision)>,
    is_reserved: bool,
}

impl Found {
    /// Reads and locks them, in the order of their identifiers, so that two requests for the same
    /// people wait for each other.
    fn read(tx: &mut dyn Tx, context: &Context, body: &Object) -> Result<Self, Refusal> {
        let mut found = Self::default();
        for (id, (matched_by, owns)) in matching(tx, context, body)? {
            let account = tx.account_for_update(context.caller.scope(), id)?;
            let Some(account) = account else { continue };
            let standing = &account.standing;
            let state = match () {
                () if standing.erased.is_some() => {
                    found.is_reserved = true;
                    continue;
                }
                () if standing.tombstoned.is_some() => State::Tombstoned,
                () if standing.enabled() => State::Enabled,
                () => State::Deactivated,
            };
            let decision = rehire_cases::decision(tx, context, &account, body)?;
            found.decided.extend(decision.map(|decision| (id, decision)));
            let employee_number = employee_number(&account.resource.attributes);
            found.candidates.push(Candidate { id, state, matched_by, employee_number, owns });
        }
        Ok(found)
    }
}

type Matches = BTreeMap<Uuid, (BTreeSet<MatchedBy>, Vec<Claim>)>;

fn matching(tx: &mut dyn Tx, context: &Context, body: &Object) -> Result<Matches, Refusal> {
    let tenant = context.caller.tenant;
    let mut found = Matches::new();
    for (claim, owner) in tx.owners(tenant, &claims(body))? {
        let (matched_by, owns) = found.entry(owner).or_default();
        matched_by.insert(MatchedBy::Identity);
        owns.push(claim);
    }
    if let Some(external_id) = body.get("externalId").and_then(Value::as_str)
        && let Some(owner) = tx.owner_of_external_id(context.caller.scope(), USER, external_id)?
    {
        found.entry(owner).or_default().0.insert(MatchedBy::ExternalId);
    }
    if let Some(number) = employee_number(body)
        && let Some(owner) = tx.owner_of_employee_number(tenant, &number)?
    {
        found.entry(owner).or_default().0.insert(MatchedBy::EmployeeNumber);
    }
    Ok(found)
}

/// Whether a change of an account means its person (R3, 4.5). It names the account, which a client
/// may have found by its name alone, as one does that links what it finds; so where it reactivates
/// the account under another externalId or employeeNumber, it is judged as a POST is. Otherwise both
/// may be corrected, as Microsoft's validator does with users whom it has just made, until somebody
/// has taken the account into use: then who has both others is another person. A request that
/// contradicts nothing is believed (T11), and so is an administrator.
///
/// # Errors
/// Refuses another person, and [`Refusal::Doubted`] if nobody can tell.
pub(super) fn check_person(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Account,
    wanted: &Object,
) -> Result<(), Refusal> {
    let known = &before.resource.attributes;
    let by = [
        (MatchedBy::ExternalId, agree(known.get("externalId"), wanted.get("externalId"))),
        (MatchedBy::EmployeeNumber, agree(employee_number(known), employee_number(wanted))),
    ];
    let others = by.iter().filter(|(_, agree)| *agree == Some(false)).count();
    if others == 0 || context.caller.rights.allow(Right::Admin) {
        return Ok(());
    }
    let is_back = !before.standing.enabled() && wanted.get("active") == Some(&Value::Bool(true));
    if !is_back {
        let is_another = others == by.len() && before.standing.activated.is_some();
        return if is_another { Err(reserved()) } else { Ok(()) };
    }
    let settings = Settings::of(tx, context)?;
    let proofs = by.into_iter().filter(|(_, agree)| *agree == Some(true)).map(|(by, _)| by);
    let candidate = Candidate {
        id: before.resource.id,
        state: State::Deactivated,
        matched_by: proofs.chain([MatchedBy::Identity]).collect(),
        employee_number: employee_number(known),
        owns: claims(known),
    };
    let decided = rehire_cases::decision(tx, context, before, wanted)?;
    let decided: Vec<_> = decided.map(|decision| (candidate.id, decision)).into_iter().collect();
    let incoming = Incoming { employee_number: employee_number(wanted) };
    match decide(&settings.policy, &incoming, &[candidate], &decided) {
        Decision::Create | Decision::Restore(_) => Ok(()),
        Decision::Conflict(value) => Err(taken(value)),
        Decision::Reserved => Err(reserved()),
        Decision::Ambiguous(account, evidence) => {
            let request = rehire_cases::of_person(wanted);
            Err(Refusal::Doubted(Box::new(Doubt { account, request, evidence })))
        }
    }
}

/// Whether two values are the same, if there are two.
fn agree<T: PartialEq>(known: Option<T>, wanted: Option<T>) -> Option<bool> {
    Some(known? == wanted?)
}

/// Opens the case about a request that was refused by [`Refusal::Doubted`]; what its client is told.
///
/// # Errors
/// The store's, and an account that is gone.
pub fn open_case(tx: &mut dyn Tx, context: &Context, doubt: &Doubt) -> Result<Refusal, Refusal> {
    let Doubt { account, request, evidence } = doubt;
    gone(tx, context, *account)?;
    let case = rehire_cases::open(tx, context, *account, request, evidence)?;
    Ok(rehire_cases::confirmation_required(case))
}

/// As it is compared.
fn employee_number(attributes: &Object) -> Option<String> {
    extension::text(attributes, Some(ENTERPRISE), "employeeNumber").map(fold)
}

fn taken(value: Uniqueness) -> Refusal {
    match value {
        Uniqueness::UserName => ClaimKind::UserName.refusal(),
        Uniqueness::Email => ClaimKind::Email.refusal(),
        Uniqueness::ExternalId => external_id_taken(),
        Uniqueness::EmployeeNumber => employee_number_taken(),
    }
}

fn reserved() -> Refusal {
    Refusal::rule(
        Code::IdentityReserved,
        "userName, an address, externalId or employeeNumber is or was that of another person of the \
         tenant, and stays theirs: use others, or have an administrator restore the account that is \
         meant",
    )
}

/// Brings the account of a person back who was [recognised](recognise), under its old identifier
/// (T13): its attributes are those of the request, as if by PUT; it is enabled unless the request says
/// otherwise, and needs a seat. Division, tier and skills stay where the request does not name others
/// (R56), and roles that sleep wake (4.4). A template adds what neither has; one that a rule enforces
/// has the last word.
///
/// # Errors
/// As [`create`](super::create()).
pub fn rehire(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    mut body: Object,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::WriteUsers)?;
    let account = gone(tx, context, id)?;
    if account.standing.enabled() {
        return Err(illegal("the account is in use"));
    }
    let before = Before::with(tx, context, account)?;
    let settings = Settings::of(tx, context)?;
    complete_body(&mut body);
    genesys::take(&Object::new(), &mut body)?;
    // As of a new account: a rule may say what the connection may not.
    check_tier(context, &settings, &body)?;
    keep_given(&before.shown, !before.held.grants.is_empty(), &mut body);
    let joining = joining(context, &body);
    let sent = body.clone();
    let groups = apply_templates(tx, context, &settings, &mut body)?;
    let granting = match said_beside_a_rule(&sent, &body) {
        None => context,
        Some(said) => {
            let of = (id, &before.account.standing);
            check_roles(tx, context, &settings, of, &said, &before.held)?;
            &joining
        }
    };
    check::required(&body, &settings)?;
    let kind = ResourceType::user();
    let whole = Value::Object(body);
    let named = resource::named(kind, &whole);
    let Value::Object(body) = whole else { return Err(illegal("the body is no object")) };
    let mut wanted = before.shown.clone();
    put_in_place(&context.caller, &mut wanted, body, &named)?;
    let back = apply(tx, granting, &before, wanted, Course::Rehire)?;
    if groups.is_empty() {
        return Ok(back);
    }
    join(tx, &joining, id, &groups)?;
    // An agent group makes agents of those who join it.
    Ok(tx
        .user(context.caller.scope(), id)?
        .map_or(back, |joined| with_standing(&joined, context.now)))
}

/// What the account has been given is not missing, so that no template fills it. Roles that sleep are
/// among it (4.4); the role that everybody has is not.
fn keep_given(shown: &Object, is_granted: bool, body: &mut Object) {
    let says = |body: &Object, name| extension::get(body, Some(HEADCOUNT), name).is_some();
    let says_roles = body.contains_key("roles") || says(body, "roleGrants");
    let says_skills = says(body, "skills") || says(body, "skillSet");
    if !body.contains_key(HEADCOUNT)
        && let Some(ours) = shown.get(HEADCOUNT)
    {
        body.insert(HEADCOUNT.to_owned(), ours.clone());
        extension::set(body, Some(HEADCOUNT), "roleGrants", None);
    }
    for (urn, name) in GIVEN {
        let is_kept = match name {
            "roleGrants" => is_granted && !says_roles,
            "skills" | "skillSet" => !says_skills,
            _ => true,
        };
        if is_kept {
            keep_extended(shown, body, urn, name);
        }
    }
}

/// Brings an account back that was deleted (T12): as it was, under the same identifier, in its division
/// (R56), with its skills and without its roles and groups. It stays deactivated unless it is to be
/// active, which needs a seat.
///
/// # Errors
/// Refuses who is no administrator, an unknown account, one that is not deleted or was erased, and
/// one for which no seat is free.
pub fn restore(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    active: bool,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let account = gone(tx, context, id)?;
    if account.standing.tombstoned.is_none() {
        return Err(illegal("only an account that was deleted can be restored"));
    }
    let before = Before::with(tx, context, account)?;
    let mut wanted = before.shown.clone();
    wanted.insert("active".to_owned(), active.into());
    apply(tx, context, &before, wanted, Course::Restore)
}

/// The accounts that are deleted and not erased, the last deleted first (Op13); `start` counts from 0.
///
/// # Errors
/// Refuses who is no administrator.
pub fn list_deleted(
    tx: &mut dyn Tx,
    caller: &Caller,
    start: u64,
    count: u64,
) -> Result<Page, Refusal> {
    caller.require(Right::Admin)?;
    let page = tx.tombstones(caller.scope(), start, count)?;
    let resources = page.resources.into_iter().map(|one| shown(one, caller.now)).collect();
    Ok(Page { total: page.total, has_next: page.has_next, resources })
}

/// An account that may be a tombstone, and was not erased.
fn gone(tx: &mut dyn Tx, context: &Context, id: Uuid) -> Result<Account, Refusal> {
    let account = tx.account_for_update(context.caller.scope(), id)?;
    let account = account.ok_or_else(|| Refusal::not_found(USER, id))?;
    if account.standing.erased.is_some() {
        return Err(illegal("the account was erased, which cannot be undone"));
    }
    Ok(account)
}

fn illegal(detail: &str) -> Refusal {
    Refusal::rule(Code::IllegalTransition, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scim_protocol::error::Error;

    #[test]
    fn only_what_may_be_theirs_is_looked_at_again() {
        assert!(may_be_known(&employee_number_taken()));
        assert!(!may_be_known(&Refusal::not_found(USER, "x")));
        assert!(!may_be_known(&Error::invalid_value("x").into()));
    }
}
