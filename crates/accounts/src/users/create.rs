//! New accounts.

use std::sync::Arc;

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::change::{keep_sent, password_changed, sent_password};
use super::entitle;
use super::extension::{self, HEADCOUNT};
use super::genesys;
use super::held::Held;
use super::lifecycle;
use super::settings::Settings;
use super::view::with_standing;
use super::wish::Wish;
use super::{USER, check, claim, drop_password, employee_number_taken, in_order};
use crate::Context;
use crate::account::{Account, Standing};
use crate::authorization::Tier;
use crate::capacity_rules::assignable;
use crate::identity::claims;
use crate::ledger::{Action, Entry, Versioned, appearances, append};
use crate::login::links;
use crate::policy::FromScim;
use crate::provisioning::{Mode, TemplateGroup};
use crate::provisioning_rules::{complete_user, fill};
use crate::refusal::Refusal;
use crate::resources::{check_size, external_id_taken, set_external_id};
use crate::rights::{Right, Rights};
use crate::tx::{Grant, NewAccount, Resource, Taken, Tx};

/// Creates an account (RFC 7644 section 3.3) under an identifier that was never used: with a seat of
/// its tier, in its division, with what a template says that the request does not (T1, T2).
///
/// # Errors
/// Refuses a userName, e-mail address, externalId or employeeNumber that is another account's (R1,
/// R3, R7, R8), what does not exist (R22), and what there is no seat for (R13).
pub fn create(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    body: Object,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::WriteUsers)?;
    let settings = Settings::of(tx, context)?;
    let joining = joining(context, &body);
    let Draft { account, wish, groups, said, password } = draft(tx, context, &settings, id, body)?;
    let is_plain = groups.is_empty() && password.is_none() && !wish.says_roles_or_skills();
    if is_plain && said.is_none() {
        return add(tx, context, &settings, account);
    }
    let granting = match said {
        None => context,
        Some(said) => {
            check_roles(tx, context, &settings, (id, &account.standing), &said, &Held::default())?;
            &joining
        }
    };
    insert(tx, granting, &settings, &wish, &account)?;
    if let Some(password) = &password {
        keep_sent(tx, context, &account, password)?;
    }
    let user = describe(tx, context, &account, password.is_some())?;
    if groups.is_empty() {
        return Ok(user);
    }
    join(tx, &joining, id, &groups)?;
    // An agent group makes agents of those who join it.
    Ok(tx
        .user(context.caller.scope(), id)?
        .map_or(user, |joined| with_standing(&joined, context.now)))
}

/// An account that is not there yet.
pub(super) struct Draft {
    pub(super) account: Account,
    /// What it is to be given besides.
    pub(super) wish: Wish,
    /// The groups that it is to join.
    pub(super) groups: Vec<TemplateGroup>,
    /// The roles that the client names itself, if a provisioning rule gives others.
    pub(super) said: Option<Wish>,
    /// The hash of its password, if the client has sent one that is kept.
    pub(super) password: Option<Arc<str>>,
}

/// Reads a new account out of a body, with what a template says that the body does not.
///
/// # Errors
/// As [`create`], but for what is another account's and for seats.
pub(super) fn draft(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    id: Uuid,
    mut body: Object,
) -> Result<Draft, Refusal> {
    let password = if drop_password(&mut body) {
        sent_password(context, &settings.policy.passwords)?
    } else {
        None
    };
    complete_body(&mut body);
    genesys::take(&Object::new(), &mut body)?;
    check_tier(context, settings, &body)?;
    let sent = (!settings.rules.is_empty()).then(|| body.clone());
    let groups = apply_templates(tx, context, settings, &mut body)?;
    let said = sent.and_then(|sent| said_beside_a_rule(&sent, &body));
    check::addresses(&body)?;
    check::required(&body, settings)?;
    check::manager(tx, context, id, None, &mut body)?;
    let wish = Wish::take(&Object::new(), &Object::new(), &mut body)?;
    check_size(&body)?;
    let resource = Resource {
        id,
        version: 1,
        created: context.now,
        last_modified: context.now,
        attributes: in_order(body),
    };
    let mut standing = standing(tx, context, settings, &wish, &resource.attributes)?;
    let activates = settings.policy.passwords.from_scim == FromScim::Activate;
    if password.is_some() && activates && standing.enabled() {
        // T5
        standing.activated = Some(context.now);
    } else if standing.enabled() {
        let expires = links::invitation(context, &settings.policy, &resource.attributes);
        standing.activation_sent = expires.map(|_| context.now);
        standing.activation_expires = expires;
    }
    Ok(Draft { account: Account { resource, standing }, wish, groups, said, password })
}

/// The roles that a client names itself, if a provisioning rule gives others. A rule is an
/// administrator's word, and needs no right of the client; what the client says itself does.
pub(super) fn said_beside_a_rule(sent: &Object, completed: &Object) -> Option<Wish> {
    if extension::text(sent, Some(HEADCOUNT), "template").is_some() {
        return None;
    }
    let roles = |body: &Object| {
        let grants = extension::get(body, Some(HEADCOUNT), "roleGrants").cloned();
        (body.get("roles").cloned(), grants)
    };
    (roles(sent) != roles(completed)).then(|| Wish::of_roles(sent))
}

/// Checks that the client may give what it names itself (rules R30, R31 and R42).
///
/// # Errors
/// Refuses roles that it may not grant, or that there are not.
pub(super) fn check_roles(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    of: (Uuid, &Standing),
    said: &Wish,
    held: &Held,
) -> Result<(), Refusal> {
    entitle::grants(tx, context, settings, of, said, held).map(drop)
}

/// What every account has, whatever the request says.
pub(crate) fn complete_body(body: &mut Object) {
    body.entry("active").or_insert(Value::Bool(true));
}

/// A tier that is not the default one is for those to give who may.
pub(super) fn check_tier(
    context: &Context,
    settings: &Settings,
    body: &Object,
) -> Result<(), Refusal> {
    let Some(named) = extension::text(body, Some(HEADCOUNT), "licenseTier") else { return Ok(()) };
    if Tier::read(named)? == settings.default_tier()? {
        return Ok(());
    }
    context.caller.require(Right::AssignLicenses)
}

/// Completes the body by the template that it names, or by that of the first provisioning rule that
/// matches; the groups that the account is to join.
pub(super) fn apply_templates(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    body: &mut Object,
) -> Result<Vec<TemplateGroup>, Refusal> {
    let tenant = context.caller.tenant;
    let named = extension::text(body, Some(HEADCOUNT), "template").map(str::to_owned);
    let Some(name) = named else {
        let completed = complete_user(tx, tenant, &settings.rules, body)?;
        return Ok(completed.map(|completed| completed.groups).unwrap_or_default());
    };
    let tier = |body: &Object| extension::get(body, Some(HEADCOUNT), "licenseTier").cloned();
    let before = tier(body);
    let groups = fill(tx, tenant, &name, Mode::FillMissing, body)?;
    // Who names the template gives what it says; a rule is an administrator's word.
    if tier(body) != before {
        check_tier(context, settings, body)?;
    }
    if !groups.is_empty() {
        context.caller.require(Right::WriteGroups)?;
    }
    Ok(groups)
}

/// In whose name an account joins the groups of its template and gets its roles: in that of the
/// client who names the template, and else in that of the administrator who made the rule.
pub(super) fn joining(context: &Context, body: &Object) -> Context {
    let mut joining = context.clone();
    if extension::text(body, Some(HEADCOUNT), "template").is_none() {
        joining.caller.rights = Rights::ALL;
    }
    joining
}

fn standing(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    wish: &Wish,
    attributes: &Object,
) -> Result<Standing, Refusal> {
    let tier = wish.tier.value().map(|name| Tier::read(name)).transpose()?;
    let division = wish.division.value().map(String::as_str);
    let rule = wish.capacity_rule.value();
    let active = attributes.get("active") == Some(&Value::Bool(true));
    Ok(Standing {
        tier: tier.map_or_else(|| settings.default_tier(), Ok)?,
        pending_tier: None,
        seat_since: active.then_some(context.now),
        division: entitle::division(tx, context, settings, division)?,
        capacity_rule: rule.map(|name| assignable(tx, context.caller.tenant, name)).transpose()?,
        agent: wish.agent.unwrap_or(false),
        unique_employee_number: settings.policy.unique_employee_numbers,
        activated: None,
        activation_sent: None,
        activation_expires: None,
        deactivated: (!active).then_some(context.now),
        locked_until: None,
        last_login: None,
        tombstoned: None,
        erased: None,
    })
}

/// Adds an account that has nothing but what is in its body.
fn add(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    account: Account,
) -> Result<Resource, Refusal> {
    lifecycle::take_seat(tx, context, settings, None, &account)?;
    let held = Held::default().with_names(tx, context.caller.tenant)?;
    let entry = entry(context, &account, &held);
    let new = NewAccount { account, entry };
    match tx.add_user(context.caller.scope(), &new)? {
        None => {}
        Some(Taken::EmployeeNumber) => return Err(employee_number_taken()),
        Some(Taken::Name(claim)) => return Err(claim.kind.refusal()),
        Some(Taken::ExternalId) => return Err(external_id_taken()),
    }
    links::queue_activation(tx, context, &new.account)?;
    Ok(with_standing(&new.account, context.now))
}

/// The entry of a new account, with what it holds.
pub(super) fn entry(context: &Context, account: &Account, held: &Held) -> Entry {
    let shown = held.show(account, context.now);
    let changes = appearances(ResourceType::user(), shown);
    let of = Versioned { resource_type: USER, id: account.resource.id, version: 1 };
    Entry::new(context, Action::Create, of, changes)
}

fn insert(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    wish: &Wish,
    account: &Account,
) -> Result<(), Refusal> {
    let (tenant, id) = (context.caller.tenant, account.resource.id);
    let nothing = Held::default();
    let of = (id, &account.standing);
    let grants = entitle::grants(tx, context, settings, of, wish, &nothing)?.unwrap_or_default();
    // Nobody holds a role before they are here.
    let dormant = !account.standing.enabled();
    let grants: Vec<_> = grants.into_iter().map(|grant| Grant { dormant, ..grant }).collect();
    let skills = wish.skills.as_deref().unwrap_or_default();
    let skills = match skills {
        [] => Vec::new(),
        wished => entitle::skills(tx, context, settings, wished, &nothing)?,
    };
    lifecycle::take_seat(tx, context, settings, None, account)?;
    if !tx.insert_user(tenant, account)? {
        return Err(employee_number_taken());
    }
    let claimed = claims(&account.resource.attributes);
    claim(tx, context, id, &claimed)?;
    if account.standing.activated.is_some() {
        tx.burn_claims(tenant, id, &claimed)?;
    }
    links::queue_activation(tx, context, account)?;
    if account.resource.attributes.contains_key("externalId") {
        set_external_id(tx, context, USER, &account.resource)?;
    }
    if !grants.is_empty() {
        tx.put_grants(tenant, &grants, false)?;
    }
    if !skills.is_empty() {
        tx.set_skills(tenant, id, &skills)?;
    }
    Ok(())
}

/// Appends the entry, and gives the account as clients see it.
fn describe(
    tx: &mut dyn Tx,
    context: &Context,
    account: &Account,
    has_password: bool,
) -> Result<Resource, Refusal> {
    let tenant = context.caller.tenant;
    let id = account.resource.id;
    let held = Held::of(tx, tenant, id, context.now)?;
    let shown = held.show(account, context.now);
    let mut changes = appearances(ResourceType::user(), shown);
    if has_password {
        changes.push(password_changed());
    }
    append(tx, context, Action::Create, USER, &account.resource, changes)?;
    Ok(with_standing(account, context.now))
}

/// Puts the account into the groups of its template (rule R22).
pub(super) fn join(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    groups: &[TemplateGroup],
) -> Result<(), Refusal> {
    for group in groups {
        crate::groups::admit(tx, context, group, id)?;
    }
    Ok(())
}
