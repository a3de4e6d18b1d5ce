//! Rule R40: somebody stays Master Admin.

use uuid::Uuid;

use crate::Context;
use crate::refusal::{Code, Refusal};
use crate::roles;
use crate::tx::Tx;

/// The Master Admins of a tenant as they were before a change that may take one away.
#[derive(Debug)]
pub(crate) struct Watch {
    role: Uuid,
    enabled: i64,
    activated: i64,
}

/// Counts the Master Admins before a change to an account, if it is one of them.
///
/// # Errors
/// The store's.
pub(crate) fn watch_user(
    tx: &mut dyn Tx,
    context: &Context,
    user: Uuid,
) -> Result<Option<Watch>, Refusal> {
    let tenant = context.caller.tenant;
    let role = roles::master_admin(tx, tenant)?.id;
    if tx.holds_role(tenant, user, role)? { begin(tx, tenant, role).map(Some) } else { Ok(None) }
}

/// Counts the Master Admins before a change to a group, if it makes its members such.
///
/// # Errors
/// The store's.
pub(crate) fn watch_group(
    tx: &mut dyn Tx,
    context: &Context,
    group: Uuid,
) -> Result<Option<Watch>, Refusal> {
    let tenant = context.caller.tenant;
    let role = roles::master_admin(tx, tenant)?.id;
    if tx.group_confers(tenant, group, role)? {
        begin(tx, tenant, role).map(Some)
    } else {
        Ok(None)
    }
}

/// Two that take away one each would both see the other's: they wait for each other.
fn begin(tx: &mut dyn Tx, tenant: Uuid, role: Uuid) -> Result<Watch, Refusal> {
    tx.lock_holders(tenant)?;
    let (enabled, activated) = tx.holders_at_work(tenant, role)?;
    Ok(Watch { role, enabled, activated })
}

impl Watch {
    /// Checks, after the change, that somebody is left: who has been activated, or as long as
    /// nobody was, who is enabled.
    ///
    /// # Errors
    /// [`Code::LastMasterAdmin`]
    pub(crate) fn check(&self, tx: &mut dyn Tx, context: &Context) -> Result<(), Refusal> {
        let (enabled, activated) = tx.holders_at_work(context.caller.tenant, self.role)?;
        let is_left = if self.activated > 0 { activated > 0 } else { enabled > 0 };
        if is_left || self.enabled == 0 {
            return Ok(());
        }
        Err(Refusal::rule(
            Code::LastMasterAdmin,
            "this is the last Master Admin who can work: make somebody else Master Admin and have \
             them activate their account first",
        ))
    }
}
