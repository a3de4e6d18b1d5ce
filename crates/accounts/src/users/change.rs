//! The one way in which an account changes.

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::check;
use super::entitle;
use super::genesys;
use super::held::Held;
use super::lifecycle::{self, deactivated, put_to_sleep, reactivated, wake};
use super::master_admins::{self, Watch};
use super::settings::Settings;
use super::tier;
use super::wish::{Said, Wish};
use super::{USER, claim, employee_number_taken, in_order, retire};
use crate::account::Account;
use crate::authorization::DivisionScope;
use crate::capacity_rules::assignable;
use crate::identity::claims;
use crate::ledger::{Action, append, differences};
use crate::policy::OnDeactivate;
use crate::refusal::{Code, Refusal};
use crate::resources::{check_size, set_external_id};
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Context, Precondition};

/// Changes an account: `edit` makes of what a client sees what it wants to see. A change that
/// changes nothing leaves no trace.
///
/// # Errors
/// Refuses an unknown identifier, a version that is not the expected one, and what rules refuse.
pub(crate) fn change(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    edit: impl FnOnce(&mut Object) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let before = tx
        .user_for_update(context.caller.scope(), id)?
        .ok_or_else(|| Refusal::not_found(USER, id))?;
    precondition.check(before.resource.version)?;
    let held = Held::of(tx, context.caller.tenant, id, context.now)?;
    let shown = held.show(&before);
    let mut wanted = shown.clone();
    if context.caller.genesys {
        genesys::add(&mut wanted);
        let seen = wanted.clone();
        edit(&mut wanted)?;
        genesys::take(&seen, &mut wanted)?;
    } else {
        edit(&mut wanted)?;
    }
    apply(tx, context, &Before { account: before, held, shown }, wanted)
}

/// An account before it changes.
pub(crate) struct Before {
    pub(crate) account: Account,
    pub(crate) held: Held,
    /// How a client sees it.
    pub(crate) shown: Object,
}

/// Makes an account what is wanted.
///
/// # Errors
/// As [`change`]
pub(crate) fn apply(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    mut wanted: Object,
) -> Result<Resource, Refusal> {
    let kept = &before.account.resource.attributes;
    let wish = Wish::take(kept, &before.shown, &mut wanted)?;
    if wanted.get("emails") != kept.get("emails") {
        check::addresses(&wanted)?;
    }
    let id = before.account.resource.id;
    check::manager(tx, context, id, Some(kept), &mut wanted)?;
    check_size(&wanted)?;
    let wanted = in_order(wanted);
    if wish.is_empty() && wanted == *kept && before.account.standing.tombstoned.is_none() {
        return Ok(super::view::with_standing(&before.account));
    }
    let mut after = before.account.clone();
    after.resource.attributes = wanted;
    let watch = settle(tx, context, before, &wish, after)?;
    finish(tx, context, before, watch)
}

/// What an account becomes.
struct After {
    account: Account,
    held: Held,
    action: Action,
    settings: Option<Settings>,
    watch: Option<Watch>,
}

/// Decides what the account becomes, and gives it what it is to have.
fn settle(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    wish: &Wish,
    mut account: Account,
) -> Result<After, Refusal> {
    let (tenant, id) = (context.caller.tenant, account.resource.id);
    let was = before.account.standing.enabled();
    let is = account.resource.attributes.get("active") == Some(&Value::Bool(true));
    let mut held = Held { grants: before.held.grants.clone(), ..Held::default() };
    held.skills.clone_from(&before.held.skills);
    if was == is && wish.is_empty() {
        return Ok(After { account, held, action: Action::Update, settings: None, watch: None });
    }
    let settings = Settings::of(tx, context)?;
    let loses = (was && !is) || wish.roles.is_some() || wish.role_grants.is_some();
    let watch = if loses { master_admins::watch_user(tx, context, id)? } else { None };
    match (was, is) {
        (false, true) => {
            account.standing = reactivated(&account.standing, context.now);
            super::extension::set(
                &mut account.resource.attributes,
                Some(super::extension::HEADCOUNT),
                "deactivationReason",
                None,
            );
            wake(&mut held.grants);
        }
        (true, false) => {
            lifecycle::check_guard(tx, context, &settings)?;
            check_dependencies(tx, context, &settings, id)?;
            account.standing = deactivated(&account.standing, context.now);
            tx.burn_claims(tenant, id, &claims(&before.account.resource.attributes))?;
        }
        _ => {}
    }
    fulfil(tx, context, &settings, before, wish, &mut account, &mut held)?;
    if was && !is {
        held = held.with_names(tx, tenant)?;
        held.grants = put_to_sleep(context, &settings, &held);
    }
    let action = match (was, is) {
        (false, true) => Action::Activate,
        (true, false) => Action::Deactivate,
        _ => Action::Update,
    };
    Ok(After { account, held, action, settings: Some(settings), watch })
}

/// Gives the account what is wished for it.
fn fulfil(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    before: &Before,
    wish: &Wish,
    account: &mut Account,
    held: &mut Held,
) -> Result<(), Refusal> {
    let id = account.resource.id;
    if !wish.tier.is_nothing() {
        context.caller.require(Right::AssignLicenses)?;
        let tier = wish.tier.value().map(String::as_str);
        tier::change(settings, &mut account.standing, tier)?;
    }
    match &wish.division {
        Said::Nothing => {}
        Said::Clear => account.standing.division = settings.home.clone(),
        Said::Value(name) => {
            account.standing.division = entitle::division(tx, context, settings, Some(name))?;
        }
    }
    match &wish.capacity_rule {
        Said::Nothing => {}
        Said::Clear => account.standing.capacity_rule = None,
        Said::Value(name) => {
            account.standing.capacity_rule = Some(assignable(tx, context.caller.tenant, name)?);
        }
    }
    let of = (id, &account.standing);
    if let Some(mut grants) = entitle::grants(tx, context, settings, of, wish, &before.held)? {
        if account.standing.enabled() {
            wake(&mut grants);
        }
        held.grants = grants;
    }
    if let Some(skills) = &wish.skills {
        held.skills = entitle::skills(tx, context, settings, skills, &before.held)?;
    }
    if let Some(agent) = wish.agent {
        account.standing.agent = agent;
        let has_skills = !held.skills.is_empty();
        if !agent && (has_skills || tx.is_in_agent_group(context.caller.tenant, id)?) {
            return Err(Refusal::rule(
                Code::StillAgent,
                "agent: the account has skills or is in agent groups: take those away first",
            ));
        }
    }
    Ok(())
}

/// Rule R55: what depends on a person stops administrators, where the tenant wants it, and never an
/// identity provider: security comes first.
fn check_dependencies(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    id: Uuid,
) -> Result<(), Refusal> {
    let by_admin = context.caller.rights.allow(Right::Admin);
    if settings.policy.on_deactivate != OnDeactivate::BlockAdmin || !by_admin {
        return Ok(());
    }
    let open = tx.dependencies_of(context.caller.tenant, &[id])?;
    let Some((_, first)) = open.first() else { return Ok(()) };
    Err(Refusal::rule(
        Code::OpenDependencies,
        format!(
            "{} things depend on this person, {} {} among them: reassign them first",
            open.len(),
            first.kind,
            first.reference
        ),
    ))
}

/// Writes what the account becomes.
fn finish(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    after: After,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let After { mut account, held, action, settings, watch } = after;
    let was = &before.account;
    let same_grants = held.grants == before.held.grants;
    let same_skills = held.skills == before.held.skills;
    if account == *was && same_grants && same_skills {
        return Ok(super::view::with_standing(was));
    }
    account.resource.version += 1;
    account.resource.last_modified = context.now;
    if let Some(settings) = &settings {
        lifecycle::take_seat(tx, context, settings, Some(&was.standing), &account)?;
    }
    if !tx.update_user(tenant, was, &account)? {
        return Err(employee_number_taken());
    }
    if let Some(settings) = &settings {
        lifecycle::release_seat(tx, context, settings, &was.standing, &account.standing)?;
    }
    move_claims(tx, context, was, &account)?;
    if account.resource.attributes.get("externalId") != was.resource.attributes.get("externalId") {
        set_external_id(tx, context, USER, &account.resource)?;
    }
    let id = account.resource.id;
    if !same_grants {
        write_grants(tx, tenant, id, &before.held, &held)?;
    }
    if !same_skills {
        tx.set_skills(tenant, id, &held.skills)?;
    }
    if let Some(watch) = watch {
        watch.check(tx, context)?;
    }
    log(tx, context, before, &account, held, action)
}

/// Appends the entry, and gives the account as clients see it.
fn log(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    account: &Account,
    held: Held,
    action: Action,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    // The names of what it has now are read as they are.
    let scope = context.caller.scope();
    let account = tx.user(scope, account.resource.id)?.unwrap_or_else(|| account.clone());
    let shown = held.with_names(tx, tenant)?.show(&account);
    let changes = differences(ResourceType::user(), &before.shown, &shown);
    append(tx, context, action, USER, &account.resource, changes)?;
    Ok(super::view::with_standing(&account))
}

fn write_grants(
    tx: &mut dyn Tx,
    tenant: Uuid,
    id: Uuid,
    before: &Held,
    after: &Held,
) -> Result<(), Refusal> {
    let gone = before.grants.iter().filter(|old| {
        !after.grants.iter().any(|new| (new.role, new.division) == (old.role, old.division))
    });
    let gone: Vec<(Uuid, DivisionScope)> = gone.map(|old| (old.role, old.division)).collect();
    tx.remove_grants(tenant, id, &gone)?;
    let new = after.grants.iter().filter(|grant| !before.grants.contains(grant));
    Ok(tx.put_grants(tenant, &new.cloned().collect::<Vec<_>>(), false)?)
}

/// R6: an identity that is no longer on the account stays the account's.
fn move_claims(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Account,
    after: &Account,
) -> Result<(), Refusal> {
    let (old, new) = (claims(&before.resource.attributes), claims(&after.resource.attributes));
    let added: Vec<_> = new.iter().filter(|claim| !old.contains(claim)).cloned().collect();
    claim(tx, context, after.resource.id, &added)?;
    let retired = old.iter().filter(|claim| !new.contains(claim));
    retire(tx, context, after.resource.id, retired)
}
