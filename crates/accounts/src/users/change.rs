//! The one way in which an account changes.

use std::sync::Arc;

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::check;
use super::dependencies;
use super::entitle;
use super::genesys;
use super::held::Held;
use super::lifecycle::{self, deactivated, put_to_sleep, reactivated, wake};
use super::master_admins::{self, Watch};
use super::returns;
use super::settings::Settings;
use super::tier;
use super::wish::{Said, Wish};
use super::{USER, claim, drop_password, employee_number_taken, in_order, retire};
use crate::account::{Account, Standing};
use crate::authorization::DivisionScope;
use crate::capacity_rules::assignable;
use crate::identity::claims;
use crate::ledger::{Action, Source, append, differences};
use crate::login::{self, by_client, links};
use crate::policy::{FromScim, PasswordPolicy};
use crate::refusal::{Code, Refusal};
use crate::resources::{check_size, set_external_id};
use crate::rights::Right;
use crate::tx::{Login, Purpose, Resource, Tx};
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
    let before = Before::of(tx, context, id, precondition)?;
    let mut wanted = before.shown.clone();
    if context.caller.genesys {
        genesys::add(&mut wanted);
        let seen = wanted.clone();
        edit(&mut wanted)?;
        genesys::take(&seen, &mut wanted)?;
    } else {
        edit(&mut wanted)?;
    }
    apply(tx, context, &before, wanted, Course::Change)
}

/// Changes what an account is besides its attributes, and leaves those as they are.
///
/// # Errors
/// As [`change`]
pub(crate) fn restand(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    action: Action,
    edit: impl FnOnce(&mut Standing) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    restand_with(tx, context, id, precondition, action, false, edit)
}

/// As [`restand`], of an account whose password was changed, or made void: that is a change too.
///
/// # Errors
/// As [`change`]
pub(crate) fn rekey(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    action: Action,
    edit: impl FnOnce(&mut Standing) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    restand_with(tx, context, id, precondition, action, true, edit)
}

/// Gives an account a password, of which `password` is the hash, and changes what it is besides its
/// attributes. Who was logged in is so no longer.
///
/// # Errors
/// As [`change`]
pub(crate) fn set_password(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    action: Action,
    password: &str,
    edit: impl FnOnce(&mut Standing) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let changed = rekey(tx, context, id, precondition, action, edit)?;
    keep_password(tx, context.caller.tenant, id, password, false)?;
    Ok(changed)
}

/// Keeps the hash of a password; what came before it, failures too, counts no more.
fn keep_password(
    tx: &mut dyn Tx,
    tenant: Uuid,
    id: Uuid,
    password: &str,
    must_change: bool,
) -> Result<(), Refusal> {
    let password = Some(password.to_owned());
    tx.put_login(tenant, id, &Login { password, must_change, failures: 0 })?;
    tx.remove_link(tenant, id, Purpose::Reset)?;
    Ok(tx.remove_sessions(tenant, id)?)
}

fn restand_with(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    action: Action,
    sets_password: bool,
    edit: impl FnOnce(&mut Standing) -> Result<(), Refusal>,
) -> Result<Resource, Refusal> {
    let before = Before::of(tx, context, id, precondition)?;
    let mut account = before.account.clone();
    edit(&mut account.standing)?;
    let settings = Some(Settings::of(tx, context)?);
    let held = before.held.clone();
    let after = After { account, held, action, settings, watch: None, sets_password };
    finish(tx, context, &before, after)
}

/// The hash of the password that a client sends, if it is kept (rule R64).
///
/// # Errors
/// Refuses one that is kept and was not hashed.
pub(crate) fn sent_password(
    context: &Context,
    policy: &PasswordPolicy,
) -> Result<Option<Arc<str>>, Refusal> {
    match (&context.password, policy.from_scim) {
        (_, FromScim::Ignore) => Ok(None),
        (Some(hash), _) => Ok(Some(Arc::clone(hash))),
        (None, _) => Err(by_client::alone()),
    }
}

/// Keeps the password that a client sent for an account. Who is only to begin must choose another.
///
/// # Errors
/// The store's.
pub(crate) fn keep_sent(
    tx: &mut dyn Tx,
    context: &Context,
    account: &Account,
    password: &str,
) -> Result<(), Refusal> {
    let must_change = account.standing.activated.is_none();
    let id = account.resource.id;
    keep_password(tx, context.caller.tenant, id, password, must_change)
}

/// Why an account changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Somebody wants it to be different.
    Change,
    /// It was deleted, and an administrator brings it back (T12).
    Restore,
    /// Its person comes back (T13).
    Rehire,
}

/// An account before it changes.
pub(crate) struct Before {
    pub(crate) account: Account,
    pub(crate) held: Held,
    /// How a client sees it.
    pub(crate) shown: Object,
}

impl Before {
    fn of(
        tx: &mut dyn Tx,
        context: &Context,
        id: Uuid,
        precondition: &Precondition,
    ) -> Result<Self, Refusal> {
        let found = tx.user_for_update(context.caller.scope(), id)?;
        let account = found.ok_or_else(|| Refusal::not_found(USER, id))?;
        precondition.check(account.resource.version)?;
        Self::with(tx, context, account)
    }

    /// An account that this transaction has locked, also a deleted one.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn with(
        tx: &mut dyn Tx,
        context: &Context,
        mut account: Account,
    ) -> Result<Self, Refusal> {
        if account.standing.tombstoned.is_some() {
            account.resource.attributes.insert("active".to_owned(), Value::Bool(false));
        }
        let held = Held::of(tx, context.caller.tenant, account.resource.id, context.now)?;
        let shown = held.show(&account, context.now);
        Ok(Self { account, held, shown })
    }
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
    course: Course,
) -> Result<Resource, Refusal> {
    let kept = &before.account.resource.attributes;
    let password = if drop_password(&mut wanted) {
        sent_password(context, &Settings::of(tx, context)?.policy.passwords)?
    } else {
        None
    };
    let wish = Wish::take(kept, &before.shown, &mut wanted)?;
    if wanted.get("emails") != kept.get("emails") {
        check::addresses(&wanted)?;
    }
    let id = before.account.resource.id;
    check::manager(tx, context, id, Some(kept), &mut wanted)?;
    if course == Course::Change {
        returns::check_person(tx, context, &before.account, &wanted)?;
    }
    check_size(&wanted)?;
    let wanted = in_order(wanted);
    let is_same = wish.is_empty() && wanted == *kept && password.is_none();
    if is_same && course == Course::Change {
        return Ok(super::view::with_standing(&before.account, context.now));
    }
    let mut after = before.account.clone();
    after.resource.attributes = wanted;
    let mut after = settle(tx, context, before, &wish, after, course)?;
    let Some(password) = password else { return finish(tx, context, before, after) };
    after.sets_password = true;
    let settings = match after.settings.take() {
        Some(settings) => settings,
        None => Settings::of(tx, context)?,
    };
    let standing = &mut after.account.standing;
    let activates = settings.policy.passwords.from_scim == FromScim::Activate;
    if activates && standing.enabled() && standing.activated.is_none() {
        standing.activated = Some(context.now);
        standing.activation_expires = None;
    }
    after.settings = Some(settings);
    let account = after.account.clone();
    let changed = finish(tx, context, before, after)?;
    if account.standing.activated.is_some() {
        tx.burn_claims(context.caller.tenant, changed.id, &claims(&changed.attributes))?;
    }
    keep_sent(tx, context, &account, &password)?;
    Ok(changed)
}

/// What an account becomes.
struct After {
    account: Account,
    held: Held,
    action: Action,
    settings: Option<Settings>,
    watch: Option<Watch>,
    /// Whether the password is another one.
    sets_password: bool,
}

/// Decides what the account becomes, and gives it what it is to have.
fn settle(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    wish: &Wish,
    mut account: Account,
    course: Course,
) -> Result<After, Refusal> {
    let (tenant, id) = (context.caller.tenant, account.resource.id);
    let was = before.account.standing.enabled();
    let is = account.resource.attributes.get("active") == Some(&Value::Bool(true));
    let mut held = Held { grants: before.held.grants.clone(), ..Held::default() };
    held.skills.clone_from(&before.held.skills);
    if was == is && wish.is_empty() && course == Course::Change {
        return Ok(After {
            account,
            held,
            action: Action::Update,
            settings: None,
            watch: None,
            sets_password: false,
        });
    }
    let settings = Settings::of(tx, context)?;
    let loses = (was && !is) || wish.roles.is_some() || wish.role_grants.is_some();
    let watch = if loses { master_admins::watch_user(tx, context, id)? } else { None };
    if account.standing.tombstoned.take().is_some() {
        lifecycle::find_again(tx, context, &settings, &mut account.standing)?;
    }
    match (was, is) {
        (false, true) => {
            account.standing = reactivated(&account.standing, context.now);
            invite(context, &settings, &mut account);
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
            dependencies::on_leaving(tx, context, &settings, id)?;
            say_why(context, &mut account.resource.attributes);
            account.standing = deactivated(&account.standing, context.now);
        }
        _ => {}
    }
    if !wish.tier.is_nothing() {
        // Who comes back has the tier of a new account, which was checked as that of one.
        if course != Course::Rehire {
            context.caller.require(Right::AssignLicenses)?;
        }
        let tier = wish.tier.value().map(String::as_str);
        // Nothing is taken from who has no seat.
        let change = if course == Course::Rehire { tier::choose } else { tier::change };
        change(&settings, &mut account.standing, tier)?;
    }
    fulfil(tx, context, &settings, before, wish, &mut account, &mut held)?;
    if !is {
        held = held.with_names(tx, tenant)?;
        let was_here = account.standing.deactivated != Some(account.resource.created);
        held.grants = put_to_sleep(context, &settings, was || was_here, &held);
    }
    let action = match (course, was, is) {
        (Course::Restore, ..) => Action::Restore,
        (Course::Rehire, ..) => Action::Rehire,
        (Course::Change, false, true) => Action::Activate,
        (Course::Change, true, false) => Action::Deactivate,
        (Course::Change, ..) => Action::Update,
    };
    Ok(After { account, held, action, settings: Some(settings), watch, sets_password: false })
}

/// Rule R58: a deactivation has a reason, also if the identity provider gives none.
fn say_why(context: &Context, attributes: &mut Object) {
    let (urn, name) = (Some(super::extension::HEADCOUNT), "deactivationReason");
    if context.source == Source::Scim && super::extension::get(attributes, urn, name).is_none() {
        super::extension::set(attributes, urn, name, Some("scim".into()));
    }
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

/// Writes what the account becomes.
fn finish(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    after: After,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let After { mut account, held, action, settings, watch, sets_password } = after;
    let was = &before.account;
    let same_grants = held.grants == before.held.grants;
    let same_skills = held.skills == before.held.skills;
    if account == *was && same_grants && same_skills && !sets_password {
        return Ok(super::view::with_standing(was, context.now));
    }
    account.resource.attributes = in_order(account.resource.attributes);
    invite_again(tx, context, was, &mut account)?;
    account.resource.version += 1;
    account.resource.last_modified = context.now;
    // What is read is read before anything is written: a store can then write more of it together.
    let freed = match &settings {
        Some(settings) => {
            lifecycle::freed_seat(tx, context, settings, &was.standing, &account.standing)?
        }
        None => None,
    };
    let left_behind = match action {
        Action::Deactivate => dependencies::left_behind(tx, tenant, was.resource.id)?,
        _ => None,
    };
    if let Some(settings) = &settings {
        lifecycle::take_seat(tx, context, settings, Some(&was.standing), &account)?;
    }
    if !tx.update_user(tenant, was, &account)? {
        return Err(employee_number_taken());
    }
    if let Some(settings) = &settings {
        lifecycle::release_seat(tx, context, settings, freed.as_ref())?;
    }
    if was.standing.enabled() && !account.standing.enabled() {
        tx.burn_claims(tenant, was.resource.id, &claims(&was.resource.attributes))?;
    }
    move_claims(tx, context, was, &account)?;
    links::follow(tx, context, was, &account)?;
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
    let mut besides: Vec<Value> = sets_password.then(password_changed).into_iter().collect();
    besides.extend(left_behind);
    log(tx, context, before, &account, held, action, besides)
}

/// Sends the link to an account that nobody has taken into use (R60).
fn invite(context: &Context, settings: &Settings, account: &mut Account) {
    if account.standing.activated.is_some() {
        return;
    }
    let attributes = &account.resource.attributes;
    let expires = links::invitation(context, &settings.policy, attributes);
    account.standing.activation_sent = expires.map(|_| context.now);
    account.standing.activation_expires = expires;
}

/// The link that was sent to another address than the account has now is void, and is sent again: it
/// may be with somebody else.
fn invite_again(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Account,
    account: &mut Account,
) -> Result<(), Refusal> {
    let address =
        |account: &Account| login::address(&account.resource.attributes).map(str::to_owned);
    let was_sent = before.standing.activation_expires.is_some();
    if was_sent && account.standing.enabled() && address(before) != address(account) {
        invite(context, &Settings::of(tx, context)?, account);
    }
    Ok(())
}

/// Appends the entry, with what it says besides the attributes, and gives the account as clients see
/// it.
fn log(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Before,
    account: &Account,
    held: Held,
    action: Action,
    besides: Vec<Value>,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let shown = held.with_names(tx, tenant)?.show(account, context.now);
    let mut changes = differences(ResourceType::user(), &before.shown, &shown);
    changes.extend(besides);
    append(tx, context, action, USER, &account.resource, changes)?;
    Ok(super::view::with_standing(account, context.now))
}

/// What the change log says of a password: that it is another one.
pub(crate) fn password_changed() -> Value {
    json!({"attribute": "password", "old": null, "new": null})
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
