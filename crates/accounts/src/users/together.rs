//! Many new accounts in few statements.

use scim_protocol::Object;
use uuid::Uuid;

use super::create::{Draft, draft, entry};
use super::extension::{self, ENTERPRISE};
use super::held::Held;
use super::settings::Settings;
use super::{employee_number_taken, seats};
use crate::Context;
use crate::account::Account;
use crate::authorization::Tier;
use crate::login::links;
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{NewAccount, Tx, atomically};

/// Creates accounts as [`create`](super::create()) would one after the other, if nothing is special
/// about any of them; whether it did. Else nothing is done, and each is to be created by itself:
/// somebody is refused, or has a manager, roles, skills or groups.
///
/// # Errors
/// The store's.
pub fn create_together(
    tx: &mut dyn Tx,
    context: &Context,
    news: &[(Uuid, &Object)],
) -> Result<bool, Refusal> {
    match atomically(tx, |tx| create_all(tx, context, news)) {
        Err(Refusal::Storage(error)) => Err(Refusal::Storage(error)),
        Err(_) => Ok(false),
        Ok(done) => Ok(done),
    }
}

fn create_all(
    tx: &mut dyn Tx,
    context: &Context,
    news: &[(Uuid, &Object)],
) -> Result<bool, Refusal> {
    context.caller.require(Right::WriteUsers)?;
    let settings = Settings::of(tx, context)?;
    let held = Held::default().with_names(tx, context.caller.tenant)?;
    let mut accounts = Vec::with_capacity(news.len());
    for (id, body) in news {
        let Some(account) = plain(tx, context, &settings, *id, body)? else { return Ok(false) };
        let entry = entry(context, &account, &held);
        accounts.push(NewAccount { account, entry });
    }
    for tier in Tier::ALL {
        let is_of =
            |new: &&NewAccount| new.account.standing.enabled() && new.account.standing.tier == tier;
        seats::take_all(tx, context, &settings, tier, accounts.iter().filter(is_of).count())?;
    }
    if !tx.insert_users(context.caller.scope(), &accounts)? {
        // Of whom the name is, those who try it one after the other will say.
        return Err(employee_number_taken());
    }
    for new in &accounts {
        links::queue_activation(tx, context, &new.account)?;
    }
    Ok(true)
}

/// An account that nothing is special about.
fn plain(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    id: Uuid,
    body: &Object,
) -> Result<Option<Account>, Refusal> {
    if extension::get(body, Some(ENTERPRISE), "manager").is_some() {
        return Ok(None);
    }
    let Draft { account, wish, groups, .. } = draft(tx, context, settings, id, body.clone())?;
    Ok((groups.is_empty() && !wish.says_roles_or_skills()).then_some(account))
}
