//! The mails that are to be sent: to whom, with what link, and when again if that fails.

use jiff::{SignedDuration, Timestamp};
use scim_protocol::schema::ResourceType;

use super::address;
use crate::refusal::Refusal;
use crate::tx::{DueLink, Purpose, Tx};
use crate::{Caller, tenants};

/// How long a server has for mails that it has taken, before another may send them.
pub const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// A mail that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// What for.
    pub purpose: Purpose,
    /// The tenant's name.
    pub tenant: String,
    /// When its link ends.
    pub expires: Timestamp,
}

/// Prepares a mail, whose link gets this secret, of which only the hash is kept. None where there is
/// nothing to send any more: the link was used or replaced, or its account is gone.
///
/// # Errors
/// The store's.
pub fn prepare(
    tx: &mut dyn Tx,
    caller: &Caller,
    due: &DueLink,
    secret_hash: &[u8],
) -> Result<Option<Letter>, Refusal> {
    let (tenant, user, purpose) = (due.tenant, due.user, due.purpose);
    let account = tx.user_for_update(caller.scope(), user)?;
    let Some(link) = tx.link(tenant, user, purpose)? else { return Ok(None) };
    let account = account.filter(|account| {
        let is_pending = account.standing.activated.is_none();
        account.standing.enabled() && is_pending == (purpose == Purpose::Activation)
    });
    let to = account.as_ref().and_then(|account| address(&account.resource.attributes));
    // Where people log in elsewhere by now, no link is of any use.
    let is_of_use = !tenants::policy(tx, caller)?.sso_required && caller.now < link.expires;
    let (Some(to), true) = (to, is_of_use) else {
        // An end that has come is still to be seen; that there is nobody to send it to is the end.
        tx.set_link_secret(tenant, user, purpose, secret_hash)?;
        tx.put_off_link(tenant, (user, purpose), secret_hash, None)?;
        return Ok(None);
    };
    tx.set_link_secret(tenant, user, purpose, secret_hash)?;
    let found = tx.objects_with_ids(tenant, ResourceType::tenant(), &[tenant])?;
    let name = found.first().and_then(|found| found.attributes.get("name")?.as_str());
    let name = name.unwrap_or_default().to_owned();
    Ok(Some(Letter { to: to.to_owned(), purpose, tenant: name, expires: link.expires }))
}

/// When a mail is tried again that could not be sent so often: after a minute, two, four, and so on.
pub fn again(attempts: i64, now: Timestamp) -> Timestamp {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let pause = SignedDuration::from_secs(60 << doublings).min(LONGEST_PAUSE);
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_again_at_longer_and_longer_intervals() {
        let now = Timestamp::UNIX_EPOCH;
        let pauses = [1, 2, 3, 9, 10, 1000].map(|attempts| again(attempts, now).as_second() / 60);
        assert_eq!(pauses, [1, 2, 4, 256, 360, 360]);
    }
}
