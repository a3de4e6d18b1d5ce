//! Logging in with a password, and what is reported of logins elsewhere: the lock after too many
//! failures (R65, R66) and the last login (R68).

use jiff::{SignedDuration, Timestamp};
use scim_protocol::error::Error;
use uuid::Uuid;

use super::{by_person, passwords_disabled};
use crate::account::Account;
use crate::identity::{Claim, ClaimKind, claims, normalise};
use crate::ledger::{Action, Source};
use crate::policy::LockPolicy;
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tenants;
use crate::tx::{Resource, Session, Tx};
use crate::users::{self, USER, restand, set_password};
use crate::{Caller, Context, Precondition, parse_id};

/// The end of a lock that only an administrator ends.
const NO_END: &str = "9999-12-30T00:00:00Z";

/// The refusal of every login that fails, whatever the cause: it tells nobody who is here.
pub fn failed() -> Refusal {
    Refusal::rule(
        Code::LoginFailed,
        "the name or the password is wrong, or the account cannot be used now: after several \
         failures it is locked for some minutes",
    )
}

/// An account in which somebody wants to log in.
#[derive(Clone)]
pub struct Candidate {
    /// The account.
    pub id: Uuid,
    /// The hash with which the password is to be compared, as a PHC string.
    pub password: String,
}

/// The account with this userName or login address, if anybody can log in to it with a password.
///
/// # Errors
/// The store's.
pub fn candidate(
    tx: &mut dyn Tx,
    caller: &Caller,
    name: &str,
) -> Result<Option<Candidate>, Refusal> {
    if tenants::policy(tx, caller)?.sso_required {
        return Ok(None);
    }
    let Some(account) = named(tx, caller, name)? else { return Ok(None) };
    let id = account.resource.id;
    let credentials = tx.login_of(caller.tenant, id)?.unwrap_or_default();
    Ok(credentials.password.map(|password| Candidate { id, password }))
}

/// The account that has this userName now, or else this login address.
pub(crate) fn named(
    tx: &mut dyn Tx,
    caller: &Caller,
    name: &str,
) -> Result<Option<Account>, Refusal> {
    let key = normalise(name);
    for kind in [ClaimKind::UserName, ClaimKind::Email] {
        let claim = Claim { kind, key: key.clone() };
        for (_, owner) in tx.owners(caller.tenant, std::slice::from_ref(&claim))? {
            let account = tx.user(caller.scope(), owner)?;
            let has_it = |account: &Account| claims(&account.resource.attributes).contains(&claim);
            if let Some(account) = account.filter(has_it) {
                return Ok(Some(account));
            }
        }
    }
    Ok(None)
}

/// A login whose password was the right one when it was compared.
pub struct Login<'a> {
    /// The account, and the hash that the password was compared with.
    pub candidate: &'a Candidate,
    /// The hash of the password that is to take its place.
    pub new_password: Option<&'a str>,
    /// The session that begins.
    pub session: Session,
}

/// Lets a person in (R65, R68): the account as it is, with a session.
///
/// # Errors
/// [`Code::LoginFailed`] for an account that cannot be used, and where the password was changed
/// meanwhile; [`Code::PasswordChangeRequired`].
pub fn enter(tx: &mut dyn Tx, context: &Context, login: &Login<'_>) -> Result<Resource, Refusal> {
    let caller = &context.caller;
    let (tenant, id) = (caller.tenant, login.candidate.id);
    if tenants::policy(tx, caller)?.sso_required {
        return Err(passwords_disabled());
    }
    let account = tx.user_for_update(caller.scope(), id)?.ok_or_else(failed)?;
    let standing = &account.standing;
    if !standing.enabled() || standing.activated.is_none() || standing.locked_until.is_some() {
        return Err(failed());
    }
    let mut credentials = tx.login_of(tenant, id)?.unwrap_or_default();
    if credentials.password.as_ref() != Some(&login.candidate.password) {
        return Err(failed());
    }
    if credentials.must_change && login.new_password.is_none() {
        return Err(Refusal::rule(
            Code::PasswordChangeRequired,
            "the password is right, and another one must be chosen: send it as newPassword",
        ));
    }
    if credentials.failures != 0 {
        credentials.failures = 0;
        tx.put_login(tenant, id, &credentials)?;
    }
    if let Some(new) = login.new_password {
        let context = by_person(context, id);
        set_password(
            tx,
            &context,
            id,
            &Precondition::default(),
            Action::PasswordReset,
            new,
            |_| Ok(()),
        )?;
    }
    record(tx, context, &account, context.now)?;
    tx.insert_session(tenant, &login.session)?;
    users::get(tx, caller, id)
}

/// Writes down that somebody could not log in (R65).
///
/// # Errors
/// The store's.
pub fn fail(tx: &mut dyn Tx, context: &Context, id: Uuid, at: Timestamp) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let Some(account) = tx.user_for_update(context.caller.scope(), id)? else { return Ok(()) };
    let standing = &account.standing;
    // Who cannot log in cannot fail to, and who has logged in since did not fail in a row.
    let is_of_now = standing.last_login.is_none_or(|last| last < at);
    if !standing.enabled()
        || standing.activated.is_none()
        || standing.locked_until.is_some()
        || !is_of_now
    {
        return Ok(());
    }
    let policy = tenants::policy(tx, &context.caller)?.lock;
    let mut credentials = tx.login_of(tenant, id)?.unwrap_or_default();
    credentials.failures += 1;
    let is_too_many = credentials.failures >= policy.max_failures;
    if is_too_many {
        credentials.failures = 0;
    }
    tx.put_login(tenant, id, &credentials)?;
    if is_too_many { lock(tx, context, id, &policy) } else { Ok(()) }
}

/// T7: keeps everybody out of an account for a time; who is in is so no longer. Its roles and its seat
/// stay what they are (R66).
fn lock(tx: &mut dyn Tx, context: &Context, id: Uuid, policy: &LockPolicy) -> Result<(), Refusal> {
    let context = Context { source: Source::Auth, ..context.clone() };
    let end = match policy.duration_seconds {
        0 => NO_END.parse().ok(),
        seconds => context.now.checked_add(SignedDuration::from_secs(seconds)).ok(),
    };
    restand(tx, &context, id, &Precondition::default(), Action::Lock, |standing| {
        standing.locked_until = end;
        Ok(())
    })?;
    Ok(tx.remove_sessions(context.caller.tenant, id)?)
}

/// T8: ends a lock. An account that is not locked stays as it is; what failed before counts no more.
///
/// # Errors
/// Refuses who is no administrator, and an unknown account.
pub fn unlock(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    precondition: &Precondition,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let unlocked = restand(tx, context, id, precondition, Action::Unlock, |standing| {
        standing.locked_until = None;
        Ok(())
    })?;
    forget_failures(tx, context.caller.tenant, id)?;
    Ok(unlocked)
}

fn forget_failures(tx: &mut dyn Tx, tenant: Uuid, id: Uuid) -> Result<(), Refusal> {
    let Some(mut credentials) = tx.login_of(tenant, id)? else { return Ok(()) };
    if credentials.failures != 0 {
        credentials.failures = 0;
        tx.put_login(tenant, id, &credentials)?;
    }
    Ok(())
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The person is in.
    Success,
    /// They are not.
    Failure,
}

/// Records what the login service says (Op19): a success is the last login, takes the account into
/// use where nobody did before (T4), and ends a row of failures; a failure may lock it (T7).
/// `who` is an identifier, a userName or a login address.
///
/// # Errors
/// Refuses who may not report, an account that there is not, one that is deactivated, and a time to come.
pub fn report(
    tx: &mut dyn Tx,
    context: &Context,
    who: &str,
    outcome: Outcome,
    at: Option<Timestamp>,
) -> Result<(), Refusal> {
    let caller = &context.caller;
    caller.require(Right::ReportLogins)?;
    let context = &Context { source: Source::Auth, ..context.clone() };
    let at = at.unwrap_or(context.now);
    if at > context.now {
        return Err(Error::invalid_value("at is a time to come").into());
    }
    let unknown = || Refusal::not_found(USER, who.chars().take(100).collect::<String>());
    let id = match parse_id(who) {
        Some(id) => id,
        None => named(tx, caller, who)?.ok_or_else(unknown)?.resource.id,
    };
    let account = tx.user_for_update(caller.scope(), id)?.ok_or_else(unknown)?;
    if outcome == Outcome::Failure {
        return fail(tx, context, id, at);
    }
    if !account.standing.enabled() {
        return Err(Refusal::rule(
            Code::IllegalTransition,
            "the account is deactivated: nobody is to log in to it",
        ));
    }
    if account.standing.activated.is_none() {
        users::take_into_use(tx, context, id, &Precondition::default())?;
    }
    forget_failures(tx, caller.tenant, id)?;
    record(tx, context, &account, at)
}

/// R68: beside the account, of which it changes no version. An earlier login than the last one
/// changes nothing.
fn record(
    tx: &mut dyn Tx,
    context: &Context,
    account: &Account,
    at: Timestamp,
) -> Result<(), Refusal> {
    if account.standing.last_login.is_some_and(|last| last >= at) {
        return Ok(());
    }
    let (tenant, id) = (context.caller.tenant, account.resource.id);
    tx.burn_claims(tenant, id, &claims(&account.resource.attributes))?;
    Ok(tx.record_login(tenant, id, at)?)
}
