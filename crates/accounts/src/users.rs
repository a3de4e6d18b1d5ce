//! Accounts as SCIM sees them: created, changed, deactivated - and never deleted.

use std::collections::HashMap;

use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::immutable;
use scim_protocol::patch::{self, Edit};
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{Account, Named, Standing};
use crate::authorization::Tier;
use crate::identity::{Claim, Release, claims};
use crate::ledger::{Action, Entry, Versioned, append, differences};
use crate::refusal::{Code, Refusal};
use crate::resources::{add, check_size, keep, leave_groups, set_external_id};
use crate::rights::Right;
use crate::tx::{Page, Resource, Tx};
use crate::{Caller, Context, Precondition};

pub(crate) const USER: &str = "User";

/// Creates an account (RFC 7644 section 3.3) under an identifier that was never used.
///
/// # Errors
/// Refuses a userName, e-mail address or externalId that is another account's (R1, R3, R7).
pub fn create(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    mut body: Object,
) -> Result<Resource, Refusal> {
    drop_password(&mut body);
    body.entry("active").or_insert(Value::Bool(true));
    check_size(&body)?;
    let user = Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: in_order(body),
    };
    let account = Account { resource: user, standing: begin(tx, context)? };
    if !tx.insert_user(context.caller.tenant, &account)? {
        return Err(employee_number_taken());
    }
    let user = account.resource;
    claim(tx, context, user.id, &claims(&user.attributes))?;
    set_external_id(tx, context, USER, &user)?;
    let changes = differences(ResourceType::user(), &Object::new(), &user.attributes);
    append(tx, context, Action::Create, USER, &user, changes)?;
    Ok(user)
}

/// Reads an account.
///
/// # Errors
/// Refuses an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(Right::ReadUsers)?;
    let found = tx.user(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(USER, id))?;
    Ok(found.resource)
}

/// The accounts of a query; inactive ones among them.
///
/// # Errors
/// Refuses to filter or sort by what cannot be searched.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    caller.require(Right::ReadUsers)?;
    let page = tx.users(caller.scope(), query)?;
    let resources = page.resources.into_iter().map(|account| account.resource).collect();
    Ok(Page { total: page.total, has_next: page.has_next, resources })
}

/// Adds the attributes that are kept beside accounts, if they are wanted.
///
/// # Errors
/// The store's.
pub fn complete(
    tx: &mut dyn Tx,
    caller: &Caller,
    users: &mut [Resource],
    wants: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    if wants("groups") {
        let ids: Vec<Uuid> = users.iter().map(|user| user.id).collect();
        let mut groups: HashMap<Uuid, Vec<Value>> = HashMap::new();
        for found in tx.memberships_of(caller.tenant, &ids)? {
            let group = json!({"value": found.group, "display": found.display, "type": "direct"});
            groups.entry(found.member).or_default().push(group);
        }
        add(users, "groups", groups);
    }
    Ok(())
}

/// Replaces an account (RFC 7644 section 3.5.1). What the body leaves out is cleared, except
/// `active`, `roles` and `externalId`: a client that does not know them must not change them.
/// `named` are the attributes that it has, also those whose value is `null` or `[]`.
///
/// # Errors
/// As [`create`]; also an unknown identifier and a version that is not the expected one.
pub fn replace(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    mut body: Object,
    named: &[&str],
) -> Result<Resource, Refusal> {
    drop_password(&mut body);
    change(tx, context, id, precondition, |attributes| {
        keep(attributes, &mut body, &["active"], &[]);
        keep(attributes, &mut body, &["roles", "externalId"], named);
        immutable::carry_over(ResourceType::user(), attributes, &mut body)?;
        *attributes = body;
        Ok(())
    })
}

/// Changes an account by a sequence of edits (RFC 7644 section 3.5.2), all or none.
///
/// # Errors
/// As [`replace`], and what [`patch::apply`] refuses.
pub fn patch(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    edits: &[Edit],
    leniencies: &mut Leniencies,
) -> Result<Resource, Refusal> {
    change(tx, context, id, precondition, |attributes| {
        let before = attributes.clone();
        patch::apply(ResourceType::user(), attributes, edits, leniencies)?;
        drop_password(attributes);
        // Taking `active` away says nothing about who may work.
        keep(&before, attributes, &["active"], &[]);
        *attributes = in_order(std::mem::take(attributes));
        Ok(())
    })
}

/// Deletes an account as far as clients can see (R50, R51): the row, its identities, its
/// externalId and its history stay.
///
/// # Errors
/// Refuses an unknown identifier and a version that is not the expected one.
pub fn delete(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let mut user = tx
        .user_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(USER, id))?;
    precondition.check(user.resource.version)?;
    user.resource.version += 1;
    user.resource.last_modified = context.now;
    user.standing.seat_since = None;
    tx.burn_claims(tenant, id, &claims(&user.resource.attributes))?;
    tx.tombstone_user(tenant, &user)?;
    let user = user.resource;
    let mut changes = differences(ResourceType::user(), &user.attributes, &Object::new());
    changes.extend(leave_groups(tx, context, id)?);
    append(tx, context, Action::Tombstone, USER, &user, changes)?;
    Ok(())
}

/// Rule R5: releases identities of one account, all or none.
pub(crate) fn give_up(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    claims: &[&Claim],
) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let burned = || {
        Refusal::rule(
            Code::ClaimBurned,
            "the account was in use under this name or address: it stays with the account",
        )
    };
    // What a deleted account had is burned.
    let before = tx.user_for_update(context.caller.scope(), id)?.ok_or_else(burned)?;
    let mut changes = Vec::new();
    for claim in claims {
        match tx.release_claim(tenant, claim)? {
            Release::Released => {
                let released = json!({"kind": claim.kind.as_str(), "value": claim.key});
                changes.push(json!({"attribute": "identity", "old": released, "new": null}));
            }
            // Another request was faster.
            Release::Unknown => {}
            Release::Burned => return Err(burned()),
            Release::Current => {
                return Err(Refusal::rule(
                    Code::ClaimInUse,
                    "the account uses this name or address: give the account another one first",
                ));
            }
        }
    }
    if changes.is_empty() {
        return Err(Refusal::not_found(USER, id));
    }
    let mut after = before.clone();
    after.resource.version += 1;
    after.resource.last_modified = context.now;
    tx.update_user(tenant, &before, &after)?;
    let of = Versioned { resource_type: USER, id, version: after.resource.version };
    let entry = Entry::new(context, Action::Release, of, changes).by_rule("R5");
    Ok(tx.append(tenant, &entry)?)
}

/// The one way in which an account changes; a change that changes nothing leaves no trace.
fn change(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    edit: impl FnOnce(&mut Object) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let before = tx
        .user_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(USER, id))?;
    precondition.check(before.resource.version)?;
    let mut after = before.clone();
    edit(&mut after.resource.attributes)?;
    check_size(&after.resource.attributes)?;
    if after == before {
        return Ok(before.resource);
    }
    after.resource.version += 1;
    after.resource.last_modified = context.now;
    let active = after.resource.attributes.get("active") == Some(&Value::Bool(true));
    after.standing.seat_since = active.then_some(after.standing.seat_since.unwrap_or(context.now));
    if !tx.update_user(tenant, &before, &after)? {
        return Err(employee_number_taken());
    }
    let (before, after) = (before.resource, after.resource);
    move_claims(tx, context, &before, &after)?;
    if after.attributes.get("externalId") != before.attributes.get("externalId") {
        set_external_id(tx, context, USER, &after)?;
    }
    let changes = differences(ResourceType::user(), &before.attributes, &after.attributes);
    let action = action(&before.attributes, &after.attributes);
    if action == Action::Deactivate {
        burn(tx, context, &before, &after)?;
    }
    append(tx, context, action, USER, &after, changes)?;
    Ok(after)
}

fn begin(tx: &mut dyn Tx, context: &Context) -> Result<Standing, Refusal> {
    let tenant = context.caller.tenant;
    let policy = tx.object(context.caller.scope(), ResourceType::tenant(), tenant)?;
    let policy = policy.ok_or_else(|| Refusal::not_found("Tenant", tenant))?;
    let home = policy.attributes.get("homeDivisionId").and_then(Value::as_str);
    let home = home.and_then(crate::parse_id).unwrap_or_default();
    Ok(Standing {
        tier: Tier::Cx1,
        pending_tier: None,
        seat_since: Some(context.now),
        division: Named { id: home, name: String::new() },
        capacity_rule: None,
        agent: false,
        unique_employee_number: true,
        activated: None,
        deactivated: None,
        locked_until: None,
        last_login: None,
        tombstoned: None,
        erased: None,
    })
}

fn employee_number_taken() -> Refusal {
    Refusal::rule(Code::EmployeeNumberTaken, "employeeNumber is that of another account")
}

fn action(before: &Object, after: &Object) -> Action {
    let active = |attributes: &Object| attributes.get("active") == Some(&Value::Bool(true));
    match (active(before), active(after)) {
        (false, true) => Action::Activate,
        (true, false) => Action::Deactivate,
        _ => Action::Update,
    }
}

/// R6: an identity that is no longer on the account stays the account's.
fn move_claims(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Resource,
    after: &Resource,
) -> Result<(), Refusal> {
    let (old, new) = (claims(&before.attributes), claims(&after.attributes));
    let added: Vec<Claim> = new.iter().filter(|claim| !old.contains(claim)).cloned().collect();
    claim(tx, context, after.id, &added)?;
    for retired in old.iter().filter(|claim| !new.contains(claim)) {
        tx.retire_claim(context.caller.tenant, after.id, retired)?;
    }
    Ok(())
}

/// R5: somebody may have worked under the names of an account that is deactivated.
fn burn(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Resource,
    after: &Resource,
) -> Result<(), Refusal> {
    let mut burned = claims(&before.attributes);
    burned.extend(claims(&after.attributes));
    burned.sort();
    burned.dedup();
    Ok(tx.burn_claims(context.caller.tenant, after.id, &burned)?)
}

fn claim(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    claims: &[Claim],
) -> Result<(), Refusal> {
    for claim in claims {
        if !tx.claim(context.caller.tenant, account, claim, context.now)? {
            return Err(claim.kind.refusal());
        }
    }
    Ok(())
}

/// A password is accepted, because clients send one whether asked or not, and not kept: nobody
/// logs in with it.
fn drop_password(attributes: &mut Object) {
    attributes.shift_remove("password");
}

fn in_order(attributes: Object) -> Object {
    scim_protocol::resource::in_schema_order(ResourceType::user(), attributes)
}
