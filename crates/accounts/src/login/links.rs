//! Links that are mailed: the first password (R60 to R63) and another one (R67).
//!
//! A link is a row that is written in the transaction which wants it mailed, so that none is lost and
//! none is sent for what was rolled back. Its secret is made when it is mailed ([`super::letters`]);
//! only the hash of it is kept. It is good once.

use jiff::{SignedDuration, Timestamp};
use scim_protocol::Object;
use uuid::Uuid;

use super::{Proof, address, attempts, by_person, names, passwords_disabled, require_active};
use crate::account::Account;
use crate::identity::claims;
use crate::ledger::Action;
use crate::policy::{PasswordPolicy, TenantPolicy};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tx::{MailedLink, Purpose, Resource, Tx};
use crate::users::{USER, rekey, restand, set_password};
use crate::{Caller, Context, Precondition, tenants};

/// How long a link lives that a person has asked for themselves.
const ASKED: SignedDuration = SignedDuration::from_hours(1);

/// How long a link lives that an administrator has sent for another password.
const SENT: SignedDuration = SignedDuration::from_hours(24);

/// How long a person waits before another link is sent to them for the asking.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

/// Until when the activation link of an account is good that is to be sent now.
fn activation_end(policy: &TenantPolicy, now: Timestamp) -> Timestamp {
    after(now, SignedDuration::from_hours(24 * policy.activation.link_ttl_days))
}

/// When the link that a new account is sent (R60) ends; none where it is not sent: the tenant may not
/// want it, or there is nowhere to send it to (R63).
pub(crate) fn invitation(
    context: &Context,
    policy: &TenantPolicy,
    attributes: &Object,
) -> Option<Timestamp> {
    let is_wanted = context.sends_mail && policy.activation.auto_invite && !policy.sso_required;
    (is_wanted && address(attributes).is_some()).then(|| activation_end(policy, context.now))
}

/// Has the activation link mailed that an account says it is sent.
///
/// # Errors
/// The store's.
pub(crate) fn queue_activation(
    tx: &mut dyn Tx,
    context: &Context,
    account: &Account,
) -> Result<(), Refusal> {
    let Some(expires) = account.standing.activation_expires else { return Ok(()) };
    queue(tx, context, account.resource.id, Purpose::Activation, expires)
}

fn queue(
    tx: &mut dyn Tx,
    context: &Context,
    user: Uuid,
    purpose: Purpose,
    expires: Timestamp,
) -> Result<(), Refusal> {
    let link = MailedLink { user, purpose, secret_hash: None, asked: context.now, expires };
    Ok(tx.queue_link(context.caller.tenant, &link)?)
}

/// Does at the login door what a change of an account means there: who leaves has no links and
/// sessions any more (R53), a link that is to be sent is queued, and one that was sent to another
/// address is void.
///
/// # Errors
/// The store's.
pub(crate) fn follow(
    tx: &mut dyn Tx,
    context: &Context,
    before: &Account,
    after: &Account,
) -> Result<(), Refusal> {
    let (tenant, id) = (context.caller.tenant, after.resource.id);
    if before.standing.enabled() && !after.standing.enabled() {
        return close(tx, tenant, id);
    }
    let is_sent = |account: &Account| account.standing.activation_expires;
    if is_sent(before) != is_sent(after) {
        match is_sent(after) {
            Some(_) => queue_activation(tx, context, after)?,
            None => tx.remove_link(tenant, id, Purpose::Activation)?,
        }
    }
    if address(&before.resource.attributes) != address(&after.resource.attributes) {
        tx.remove_link(tenant, id, Purpose::Reset)?;
    }
    Ok(())
}

/// Ends all that lets somebody in to an account but its password.
///
/// # Errors
/// The store's.
pub(crate) fn close(tx: &mut dyn Tx, tenant: Uuid, id: Uuid) -> Result<(), Refusal> {
    tx.remove_links(tenant, id)?;
    Ok(tx.remove_sessions(tenant, id)?)
}

/// T6, Op15: has the activation link sent, in the place of the one before, which is void (R61).
///
/// # Errors
/// Refuses who is no administrator, an account that is deactivated or in use (R62), one without an
/// address (R63), a tenant without passwords, and to send another one so soon.
pub fn send_activation(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let found = tx.user_for_update(context.caller.scope(), id)?;
    let account = found.ok_or_else(|| Refusal::not_found(USER, id))?;
    let policy = tenants::policy(tx, &context.caller)?;
    if !account.standing.enabled() {
        return Err(Refusal::rule(
            Code::IllegalTransition,
            "the account is deactivated: reactivate it first",
        ));
    }
    if account.standing.activated.is_some() {
        return Err(Refusal::rule(
            Code::AlreadyActivated,
            "the person has taken the account into use already",
        ));
    }
    can_be_mailed(context, &policy, &account)?;
    let pause = SignedDuration::from_secs(policy.activation.resend_cooldown_seconds);
    if let Some(sent) = account.standing.activation_sent
        && after(sent, pause) > context.now
    {
        return Err(Refusal::rule(
            Code::Cooldown,
            format!("a link was sent less than {} seconds ago: wait a little", pause.as_secs()),
        ));
    }
    restand(tx, context, id, precondition, Action::ActivationSent, |standing| {
        standing.activation_sent = Some(context.now);
        standing.activation_expires = Some(activation_end(&policy, context.now));
        Ok(())
    })
}

fn can_be_mailed(
    context: &Context,
    policy: &TenantPolicy,
    account: &Account,
) -> Result<(), Refusal> {
    if policy.sso_required {
        return Err(passwords_disabled());
    }
    if !context.sends_mail {
        return Err(Refusal::rule(
            Code::NoMail,
            "this server sends no mail: whoever runs it can set --mail",
        ));
    }
    if address(&account.resource.attributes).is_none() {
        return Err(Refusal::rule(
            Code::NoEmail,
            "the account has no e-mail address that is primary or of type work: give it one, or let \
             the person log in through the identity provider",
        ));
    }
    Ok(())
}

/// Who is behind a link that is good.
pub struct Opened {
    /// What the tenant asks of a password.
    pub policy: PasswordPolicy,
    /// What it must not have in it.
    pub names: Vec<String>,
}

/// Looks at a link, so that a password can be judged and hashed before it is used.
///
/// # Errors
/// [`Code::LinkEnded`]
pub fn open(
    tx: &mut dyn Tx,
    caller: &Caller,
    user: Uuid,
    purpose: Purpose,
    proves: Proof<'_>,
) -> Result<Opened, Refusal> {
    good_link(tx, caller, user, purpose, proves)?;
    let account = tx.user(caller.scope(), user)?.ok_or_else(ended)?;
    let policy = tenants::policy(tx, caller)?.passwords;
    let names = names(&account.resource.attributes).into_iter().map(str::to_owned).collect();
    Ok(Opened { policy, names })
}

fn good_link(
    tx: &mut dyn Tx,
    caller: &Caller,
    user: Uuid,
    purpose: Purpose,
    proves: Proof<'_>,
) -> Result<(), Refusal> {
    if tenants::policy_of(tx, caller)?.is_none_or(|policy| policy.sso_required) {
        return Err(ended());
    }
    let link = tx.link(caller.tenant, user, purpose)?.ok_or_else(ended)?;
    let is_it = link.secret_hash.as_deref().is_some_and(proves);
    if is_it && caller.now < link.expires { Ok(()) } else { Err(ended()) }
}

/// The refusal of a link that is not good.
pub fn ended() -> Refusal {
    Refusal::rule(
        Code::LinkEnded,
        "the link was used, has ended or was replaced by a newer one: ask for another",
    )
}

/// Uses a link: the account has this password from now on, and is in use if it was not (T3). Who was
/// logged in is so no longer. A lock goes on (R65).
///
/// # Errors
/// [`Code::LinkEnded`]
pub fn take(
    tx: &mut dyn Tx,
    context: &Context,
    user: Uuid,
    purpose: Purpose,
    proves: Proof<'_>,
    password: &str,
) -> Result<(), Refusal> {
    let context = &by_person(context, user);
    let caller = &context.caller;
    let account = tx.user_for_update(caller.scope(), user)?.ok_or_else(ended)?;
    good_link(tx, caller, user, purpose, proves)?;
    let is_pending = account.standing.activated.is_none();
    if !account.standing.enabled() || is_pending != (purpose == Purpose::Activation) {
        return Err(ended());
    }
    tx.remove_link(caller.tenant, user, purpose)?;
    let anyhow = Precondition::default();
    let action = if is_pending { Action::Activate } else { Action::PasswordReset };
    let changed = set_password(tx, context, user, &anyhow, action, password, |standing| {
        if is_pending {
            standing.activated = Some(context.now);
            standing.activation_expires = None;
        }
        Ok(())
    })?;
    if is_pending {
        tx.burn_claims(caller.tenant, user, &claims(&changed.attributes))?;
    }
    Ok(())
}

/// A person has forgotten their password: they are mailed a link, if they can be. Whoever asks is not
/// told whether anybody was.
///
/// # Errors
/// The store's.
pub fn ask(tx: &mut dyn Tx, context: &Context, name: &str) -> Result<(), Refusal> {
    let caller = &context.caller;
    let Some(found) = attempts::named(tx, caller, name)? else { return Ok(()) };
    let (tenant, id) = (caller.tenant, found.resource.id);
    let Some(account) = tx.user_for_update(caller.scope(), id)? else { return Ok(()) };
    let policy = tenants::policy(tx, caller)?;
    if require_active(&account).is_err() || can_be_mailed(context, &policy, &account).is_err() {
        return Ok(());
    }
    let before = tx.link(tenant, id, Purpose::Reset)?;
    if before.is_some_and(|link| after(link.asked, PAUSE) > context.now) {
        return Ok(());
    }
    queue(tx, context, id, Purpose::Reset, after(context.now, ASKED))
}

/// How an administrator resets a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is void, and the person is mailed a link to choose another one.
    Link,
    /// It is good for choosing another one, and for nothing else.
    ForceChange,
}

/// Op17, rule R67: the password is no more good for logging in, a lock ends, and so do all sessions.
///
/// # Errors
/// Refuses who is no administrator, an account that is not in use, a tenant without passwords, an
/// account to which no link can be sent, and to have a password changed that there is not.
pub fn reset_password(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
    mode: Mode,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let tenant = context.caller.tenant;
    let found = tx.user_for_update(context.caller.scope(), id)?;
    let account = found.ok_or_else(|| Refusal::not_found(USER, id))?;
    let policy = tenants::policy(tx, &context.caller)?;
    if policy.sso_required {
        return Err(passwords_disabled());
    }
    require_active(&account)?;
    let mut credentials = tx.login_of(tenant, id)?.unwrap_or_default();
    match mode {
        Mode::Link => {
            can_be_mailed(context, &policy, &account)?;
            credentials.password = None;
            credentials.must_change = false;
            queue(tx, context, id, Purpose::Reset, after(context.now, SENT))?;
        }
        Mode::ForceChange => {
            if credentials.password.is_none() {
                return Err(Refusal::rule(
                    Code::IllegalTransition,
                    "the account has no password that could be changed: use the mode link",
                ));
            }
            credentials.must_change = true;
            tx.remove_link(tenant, id, Purpose::Reset)?;
        }
    }
    credentials.failures = 0;
    tx.put_login(tenant, id, &credentials)?;
    tx.remove_sessions(tenant, id)?;
    rekey(tx, context, id, precondition, Action::PasswordReset, |standing| {
        standing.locked_until = None;
        Ok(())
    })
}
