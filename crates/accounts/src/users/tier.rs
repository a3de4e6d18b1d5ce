//! Changing the licence tier of an account (rule R15).

use super::settings::Settings;
use crate::account::Standing;
use crate::authorization::{Tier, TierChange};
use crate::policy::Downgrade;
use crate::refusal::{Code, Refusal};

/// Gives an account the tier that is wished, or the default one. The seats are changed by whoever
/// writes the account.
///
/// # Errors
/// Refuses a tier that there is not (R18), and a downgrade that the tenant's policy denies.
pub(crate) fn change(
    settings: &Settings,
    standing: &mut Standing,
    wished: Option<&str>,
) -> Result<(), Refusal> {
    let wished = wished.map(Tier::read).transpose()?;
    let wished = wished.map_or_else(|| settings.default_tier(), Ok)?;
    match (standing.tier.change_to(wished), settings.policy.downgrade) {
        (TierChange::Same, _) => standing.pending_tier = None,
        (TierChange::Upgrade, _) | (TierChange::Downgrade, Downgrade::Allow) => {
            standing.tier = wished;
            standing.pending_tier = None;
        }
        (TierChange::Downgrade, Downgrade::Queue) => standing.pending_tier = Some(wished),
        (TierChange::Downgrade, Downgrade::Deny) => {
            return Err(Refusal::rule(
                Code::DowngradeRequiresApproval,
                format!(
                    "licenseTier: {wished} lacks something that {} has, and such a change needs \
                     an approval: ask the account team",
                    standing.tier
                ),
            ));
        }
    }
    Ok(())
}

/// Gives an account that has no seat the tier that is wished, or the default one: nothing is taken
/// from it, whatever it had before.
///
/// # Errors
/// Refuses a tier that there is not (R18).
pub(crate) fn choose(
    settings: &Settings,
    standing: &mut Standing,
    wished: Option<&str>,
) -> Result<(), Refusal> {
    standing.tier = wished.map_or_else(|| settings.default_tier(), |name| Ok(Tier::read(name)?))?;
    standing.pending_tier = None;
    Ok(())
}
