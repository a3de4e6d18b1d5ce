//! Why an account may do something, or why not: every grant that has to do with it.

use uuid::Uuid;

use super::capability::Capability;
use super::catalogue::PermissionId;
use super::effective::{DivisionScope, HeldGrant, Holder, Via};
use super::tiers::Tier;

/// Why a grant does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The account is not active: pending, locked or deactivated.
    AccountNotActive,
    /// The role is disabled (rule R31).
    RoleDisabled,
    /// The group that has the role is disabled (rule R73).
    GroupDisabled,
    /// The grant sleeps since the account was deactivated.
    Dormant,
    /// The grant is for another division than the one that is asked for.
    OtherDivision,
    /// The tier does not allow it (rule R14).
    BlockedByTier {
        /// The account's tier.
        tier: Tier,
        /// What the permission requires and the tier has not.
        missing: Vec<Capability>,
    },
}

impl Obstacle {
    /// The name in an answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AccountNotActive => "accountNotActive",
            Self::RoleDisabled => "roleDisabled",
            Self::GroupDisabled => "groupDisabled",
            Self::Dormant => "dormant",
            Self::OtherDivision => "otherDivision",
            Self::BlockedByTier { .. } => "blockedByTier",
        }
    }

    /// What it is, in words.
    pub fn sentence(&self) -> String {
        match self {
            Self::AccountNotActive => "the account is not active".to_owned(),
            Self::RoleDisabled => "the role is disabled".to_owned(),
            Self::GroupDisabled => "the group is disabled".to_owned(),
            Self::Dormant => "the grant is dormant since the account was deactivated".to_owned(),
            Self::OtherDivision => "that is another division".to_owned(),
            Self::BlockedByTier { tier, missing } => {
                let missing: Vec<_> = missing.iter().map(|capability| capability.name()).collect();
                format!("tier {tier} lacks {}", missing.join(" and "))
            }
        }
    }
}

/// A grant whose role has the permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The role.
    pub role: Uuid,
    /// Its name.
    pub role_name: String,
    /// Where the permission is held by it: everywhere, if it has no division.
    pub division: DivisionScope,
    /// How the role came to the account.
    pub via: Via,
    /// All that keeps it from counting.
    pub obstacles: Vec<Obstacle>,
}

impl Source {
    /// Whether it counts: it alone allows what was asked.
    pub fn counts(&self) -> bool {
        self.obstacles.is_empty()
    }
}

/// The answer to "may this account do that?", with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked for.
    pub permission: PermissionId,
    /// In which division; none means in any.
    pub division: Option<Uuid>,
    /// Whether the account may.
    pub allowed: bool,
    /// Every grant whose role has the permission, those that count first.
    pub sources: Vec<Source>,
}

/// Explains whether an account may do something in a division, or in any if none is named.
pub fn explain(
    holder: Holder,
    grants: &[HeldGrant],
    permission: PermissionId,
    division: Option<Uuid>,
) -> Explanation {
    let giving = grants.iter().filter(|grant| grant.permissions.contains(permission));
    let mut sources: Vec<_> =
        giving.map(|grant| source(holder, grant, permission, division)).collect();
    // Stable, so that what is equally near stays in the order of the grants.
    sources.sort_by_key(|source| source.obstacles.len());
    let allowed = sources.iter().any(Source::counts);
    Explanation { permission, division, allowed, sources }
}

fn source(
    holder: Holder,
    grant: &HeldGrant,
    permission: PermissionId,
    division: Option<Uuid>,
) -> Source {
    let divided = permission.permission().division_aware;
    let held = if divided { grant.division } else { DivisionScope::All };
    let missing = holder.tier.lacks(permission.permission());
    let obstacles = [
        (!holder.active).then_some(Obstacle::AccountNotActive),
        (!grant.role_enabled).then_some(Obstacle::RoleDisabled),
        matches!(grant.via, Via::Group { enabled: false, .. }).then_some(Obstacle::GroupDisabled),
        grant.dormant.then_some(Obstacle::Dormant),
        division
            .is_some_and(|asked| !held.covers(DivisionScope::One(asked)))
            .then_some(Obstacle::OtherDivision),
        (!missing.is_empty()).then_some(Obstacle::BlockedByTier { tier: holder.tier, missing }),
    ];
    Source {
        role: grant.role,
        role_name: grant.role_name.clone(),
        division: held,
        via: grant.via.clone(),
        obstacles: obstacles.into_iter().flatten().collect(),
    }
}

impl Explanation {
    /// The answer in one sentence, for a person. `name` gives the name of a division.
    pub fn summary(&self, name: impl Fn(Uuid) -> String) -> String {
        let permission = self.permission.permission().name();
        // The first has the least in its way.
        let Some(nearest) = self.sources.first() else {
            return format!("Not allowed: no role of the account gives {permission}.");
        };
        let place = match nearest.division {
            DivisionScope::All if self.permission.permission().division_aware => {
                " in every division".to_owned()
            }
            DivisionScope::All => String::new(),
            DivisionScope::One(division) => format!(" in division {:?}", name(division)),
        };
        let via = match &nearest.via {
            Via::Direct => "held directly".to_owned(),
            Via::Group { name, .. } => format!("held through group {name:?}"),
        };
        let role = &nearest.role_name;
        let gives = format!("role {role:?}, {via}, gives {permission}{place}");
        if self.allowed {
            return format!("Allowed: {gives}.");
        }
        let obstacles: Vec<_> = nearest.obstacles.iter().map(Obstacle::sentence).collect();
        format!("Not allowed: {gives}, but {}.", obstacles.join(", and "))
    }
}
