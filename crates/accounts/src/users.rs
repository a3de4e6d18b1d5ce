//! Accounts as SCIM sees them: created, changed, deactivated - and never deleted.
//!
//! What an account is given - tier, division, roles, skills - is kept beside its attributes. A
//! request says how the account is to look; `wish` reads what of that differs from how it looks
//! now, `entitle` turns names into what they name, and `change` does it, with the rules that stand
//! in the way. `view` puts it all together for clients.

mod access;
mod administer;
mod change;
mod check;
mod complete;
mod create;
pub mod dependencies;
pub(crate) mod entitle;
pub(crate) mod extension;
mod genesys;
mod held;
mod lifecycle;
pub(crate) mod master_admins;
mod returns;
mod seats;
pub(crate) mod settings;
mod tier;
mod together;
pub(crate) mod view;
mod wish;

use scim_protocol::Object;
use scim_protocol::dialect::Leniencies;
use scim_protocol::immutable;
use scim_protocol::patch::{self, Edit};
use scim_protocol::query::Query;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use self::change::change;
use self::extension::{ENTERPRISE, HEADCOUNT};
use self::held::Held;
use self::settings::Settings;
use self::view::shown;
use crate::identity::{Claim, Release, claims};
use crate::ledger::{Action, Entry, Versioned, append, differences};
use crate::login::links;
use crate::refusal::{Code, Refusal};
use crate::resources::{keep, leave_groups};
use crate::rights::Right;
use crate::tx::{Page, Resource, Tx};
use crate::{Caller, Context, Precondition};

pub use self::access::{Explained, explain_access};
pub(crate) use self::administer::reclaim;
pub(crate) use self::administer::take_into_use;
pub use self::administer::{activate, deactivate, decide_tier, reactivate};
pub(crate) use self::change::{rekey, restand, set_password};
pub use self::complete::complete;
pub use self::create::create;
pub(crate) use self::held::is_over;
pub use self::lifecycle::raise_alert;
pub use self::returns::{Known, list_deleted, may_be_known, open_case, recognise, rehire, restore};
pub use self::together::create_together;

pub(crate) const USER: &str = "User";

/// Attributes of the extensions that stay if a PUT does not name them: what the account has been
/// given, which a client that does not know it must not take away.
const GIVEN: [(&str, &str); 8] = [
    (ENTERPRISE, "division"),
    (HEADCOUNT, "licenseTier"),
    (HEADCOUNT, "division"),
    (HEADCOUNT, "roleGrants"),
    (HEADCOUNT, "skills"),
    (HEADCOUNT, "skillSet"),
    (HEADCOUNT, "capacityRule"),
    (HEADCOUNT, "agent"),
];

/// The resource type as a caller has it: some have an extension more.
pub fn form(caller: &Caller) -> &'static ResourceType {
    if caller.genesys { ResourceType::user_with_genesys() } else { ResourceType::user() }
}

/// Reads an account.
///
/// # Errors
/// Refuses an identifier that the caller cannot see.
pub fn get(tx: &mut dyn Tx, caller: &Caller, id: Uuid) -> Result<Resource, Refusal> {
    caller.require(Right::ReadUsers)?;
    let found = tx.user(caller.scope(), id)?.ok_or_else(|| Refusal::not_found(USER, id))?;
    Ok(shown(found, caller.now))
}

/// The accounts of a query; inactive ones among them.
///
/// # Errors
/// Refuses to filter or sort by what cannot be searched.
pub fn list(tx: &mut dyn Tx, caller: &Caller, query: &Query) -> Result<Page, Refusal> {
    caller.require(Right::ReadUsers)?;
    let page = tx.users(caller.scope(), query)?;
    let resources = page.resources.into_iter().map(|one| shown(one, caller.now)).collect();
    Ok(Page { total: page.total, has_next: page.has_next, resources })
}

/// Replaces an account (RFC 7644 section 3.5.1). What the body leaves out is cleared, except
/// `active`, `externalId` and what the account has been given, roles and skills and the like: a
/// client that does not know them must not change them. `named` are the attributes that it has, also
/// those whose value is `null` or `[]`; those of extensions with their URN before them.
///
/// # Errors
/// As [`create()`]; also an unknown identifier and a version that is not the expected one.
pub fn replace(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    body: Object,
    named: &[String],
) -> Result<Resource, Refusal> {
    context.caller.require(Right::WriteUsers)?;
    let caller = context.caller;
    change(tx, context, id, precondition, |attributes| {
        put_in_place(&caller, attributes, body, named)
    })
}

/// Puts a body in the place of what an account has, but for what a client must name to clear it.
fn put_in_place(
    caller: &Caller,
    attributes: &mut Object,
    mut body: Object,
    named: &[String],
) -> Result<(), Refusal> {
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    keep(attributes, &mut body, &["active"], &[]);
    keep(attributes, &mut body, &["roles", "externalId"], &named);
    // Without its URN, nothing of our extension is meant.
    if !named.iter().any(|name| name.starts_with(HEADCOUNT)) {
        keep(attributes, &mut body, &[HEADCOUNT], &[]);
    }
    for (urn, name) in GIVEN.into_iter().chain(genesys::GIVEN) {
        if !named.contains(&format!("{urn}:{name}").as_str()) {
            keep_extended(attributes, &mut body, urn, name);
        }
    }
    same_skills(attributes, &mut body, &named);
    immutable::carry_over(form(caller), attributes, &mut body)?;
    *attributes = body;
    Ok(())
}

/// Gives `after` an attribute of an extension that `before` has and it has not.
pub(crate) fn keep_extended(before: &Object, after: &mut Object, urn: &'static str, name: &str) {
    if extension::get(after, Some(urn), name).is_none() {
        let value = extension::get(before, Some(urn), name).cloned();
        extension::set(after, Some(urn), name, value);
    }
}

/// A body with one of two attributes that say the same says nothing by the other.
fn same_skills(before: &Object, body: &mut Object, named: &[&str]) {
    let is_named = |name: &str| named.contains(&format!("{HEADCOUNT}:{name}").as_str());
    for (one, other) in [("skills", "skillSet"), ("skillSet", "skills")] {
        if is_named(one) && !is_named(other) {
            let value = extension::get(before, Some(HEADCOUNT), other).cloned();
            extension::set(body, Some(HEADCOUNT), other, value);
        }
    }
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
    context.caller.require(Right::WriteUsers)?;
    change(tx, context, id, precondition, |attributes| {
        let before = attributes.clone();
        patch::apply(form(&context.caller), attributes, edits, leniencies)?;
        // Taking `active` away says nothing about who may work.
        keep(&before, attributes, &["active"], &[]);
        Ok(())
    })
}

/// Deletes an account as far as clients can see (R50, R51, T10): the row, its identities, its
/// externalId and its history stay; its seat is free, and its roles and groups are gone.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and to take the last Master
/// Admin away.
pub fn delete(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<(), Refusal> {
    context.caller.require(Right::Delete)?;
    let tenant = context.caller.tenant;
    let before = tx
        .user_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(USER, id))?;
    precondition.check(before.resource.version)?;
    let held = Held::of(tx, tenant, id, context.now)?;
    let settings = Settings::of(tx, context)?;
    if before.standing.enabled() {
        lifecycle::check_guard(tx, context, &settings)?;
        dependencies::on_leaving(tx, context, &settings, id)?;
    }
    let watch = master_admins::watch_user(tx, context, id)?;
    let mut user = before.clone();
    user.resource.version += 1;
    user.resource.last_modified = context.now;
    user.standing = lifecycle::deactivated(&before.standing, context.now);
    user.standing.tombstoned = Some(context.now);
    let freed = lifecycle::freed_seat(tx, context, &settings, &before.standing, &user.standing)?;
    tx.burn_claims(tenant, id, &claims(&before.resource.attributes))?;
    tx.tombstone_user(tenant, &user)?;
    links::close(tx, tenant, id)?;
    lifecycle::release_seat(tx, context, &settings, freed.as_ref())?;
    let granted: Vec<_> = held.grants.iter().map(|grant| (grant.role, grant.division)).collect();
    tx.remove_grants(tenant, id, &granted)?;
    let mut changes =
        differences(ResourceType::user(), &held.show(&before, context.now), &Object::new());
    changes.extend(leave_groups(tx, context, id)?);
    changes.extend(dependencies::left_behind(tx, tenant, id)?);
    if let Some(watch) = watch {
        watch.check(tx, context)?;
    }
    append(tx, context, Action::Tombstone, USER, &user.resource, changes)
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

fn employee_number_taken() -> Refusal {
    Refusal::rule(
        Code::EmployeeNumberTaken,
        "employeeNumber is that of another account: if this is the same person, update or \
         reactivate that account; if it is another, give them another number",
    )
}

fn claim(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    claims: &[Claim],
) -> Result<(), Refusal> {
    match tx.claim(context.caller.tenant, account, claims, context.now)? {
        Some(taken) => Err(taken.kind.refusal()),
        None => Ok(()),
    }
}

fn retire<'a>(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    claims: impl Iterator<Item = &'a Claim>,
) -> Result<(), Refusal> {
    for retired in claims {
        tx.retire_claim(context.caller.tenant, account, retired)?;
    }
    Ok(())
}

/// Takes a password out, which no account keeps among its attributes; whether there was one.
fn drop_password(attributes: &mut Object) -> bool {
    attributes.shift_remove("password").is_some()
}

fn in_order(mut attributes: Object) -> Object {
    extension::in_order(ResourceType::user(), &mut attributes);
    scim_protocol::resource::in_schema_order(ResourceType::user(), attributes)
}
