//! The licence tiers: a table, and how they relate.
//!
//! The tiers are not a ladder. CX2D has what CX1 lacks and lacks what CX1 has, so a tier is never
//! compared by its number, only by what it comprises.

use std::fmt;
use std::sync::LazyLock;

use scim_protocol::error::{Error, Result};

use super::capability::Capability::{
    self, AiAddons, AiAdvanced, Core, DigitalChat, DigitalEmail, DigitalMessaging, IvrBasic,
    PredictiveEngagement, Recording, ReportingStandard, ReportingSupervisor, Voice, Wfm,
};
use super::catalogue::{self, Permission, PermissionId};
use super::permission_set::PermissionSet;

/// A licence tier. Each enabled account has exactly one (rule R11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Voice.
    Cx1,
    /// Digital channels.
    Cx2d,
    /// Digital channels and voice.
    Cx2,
    /// Digital channels and workforce management.
    Cx3d,
    /// Digital channels, voice and workforce management.
    Cx3,
    /// All of it, with what machines predict.
    Cx4,
}

/// What a change from one tier to another is (rule R15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierChange {
    /// The tier stays.
    Same,
    /// The new tier has all that the old one has, and more.
    Upgrade,
    /// The new tier lacks something that the old one has, even if it has something else.
    Downgrade,
}

struct Row {
    name: &'static str,
    display_name: &'static str,
    list_price: u32,
    capabilities: &'static [Capability],
}

const CX1: Row = Row {
    name: "CX1",
    display_name: "CX 1 (Voice)",
    list_price: 75,
    capabilities: &[Core, Voice, IvrBasic, Recording, ReportingStandard],
};

const CX2D: Row = Row {
    name: "CX2D",
    display_name: "CX 2 (Digital)",
    list_price: 95,
    capabilities: &[
        Core,
        ReportingStandard,
        ReportingSupervisor,
        DigitalChat,
        DigitalEmail,
        DigitalMessaging,
    ],
};

const CX2: Row = Row {
    name: "CX2",
    display_name: "CX 2 (Digital + Voice)",
    list_price: 115,
    capabilities: &[
        Core,
        Voice,
        IvrBasic,
        Recording,
        ReportingStandard,
        ReportingSupervisor,
        DigitalChat,
        DigitalEmail,
        DigitalMessaging,
    ],
};

const CX3D: Row = Row {
    name: "CX3D",
    display_name: "CX 3 (Digital + WFM)",
    list_price: 135,
    capabilities: &[
        Core,
        ReportingStandard,
        ReportingSupervisor,
        DigitalChat,
        DigitalEmail,
        DigitalMessaging,
        Wfm,
    ],
};

const CX3: Row = Row {
    name: "CX3",
    display_name: "CX 3 (Digital + Voice + WFM)",
    list_price: 155,
    capabilities: &[
        Core,
        Voice,
        IvrBasic,
        Recording,
        ReportingStandard,
        ReportingSupervisor,
        DigitalChat,
        DigitalEmail,
        DigitalMessaging,
        Wfm,
    ],
};

const CX4: Row = Row {
    name: "CX4",
    display_name: "CX 4 (AI-Powered)",
    list_price: 240,
    capabilities: &[
        Core,
        Voice,
        IvrBasic,
        Recording,
        ReportingStandard,
        ReportingSupervisor,
        DigitalChat,
        DigitalEmail,
        DigitalMessaging,
        Wfm,
        AiAdvanced,
        PredictiveEngagement,
        AiAddons,
    ],
};

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 6] = [Self::Cx1, Self::Cx2d, Self::Cx2, Self::Cx3d, Self::Cx3, Self::Cx4];

    fn row(self) -> &'static Row {
        match self {
            Self::Cx1 => &CX1,
            Self::Cx2d => &CX2D,
            Self::Cx2 => &CX2,
            Self::Cx3d => &CX3D,
            Self::Cx3 => &CX3,
            Self::Cx4 => &CX4,
        }
    }

    /// The canonical name, as `licenseTier` has it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name as it is sold.
    pub fn display_name(self) -> &'static str {
        self.row().display_name
    }

    /// What it costs by the list, in USD for each user and month. For information only.
    pub fn list_price(self) -> u32 {
        self.row().list_price
    }

    /// What it has.
    pub fn capabilities(self) -> &'static [Capability] {
        self.row().capabilities
    }

    /// The tiers whose capabilities it has all, and others.
    pub fn comprises(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |tier| tier.change_to(self) == TierChange::Upgrade)
    }

    /// The tier of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name().eq_ignore_ascii_case(name))
    }

    /// Reads the value of `licenseTier`.
    ///
    /// # Errors
    /// `invalidValue`, with the names that there are (rule R18).
    pub fn read(name: &str) -> Result<Self> {
        Self::named(name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::invalid_value(format!(
                "licenseTier: {name:?} is no licence tier: one of {known}"
            ))
        })
    }

    /// What a change to `other` is (rule R15).
    pub fn change_to(self, other: Self) -> TierChange {
        if self == other {
            return TierChange::Same;
        }
        let kept = self.capabilities().iter().all(|has| other.capabilities().contains(has));
        if kept { TierChange::Upgrade } else { TierChange::Downgrade }
    }

    /// What the permission requires and the tier lacks: nothing if the tier allows it.
    pub fn lacks(self, permission: &Permission) -> Vec<Capability> {
        let required = permission.requires.iter().copied();
        required.filter(|required| !self.capabilities().contains(required)).collect()
    }

    /// The permissions that it allows: the ceiling of what any role can give (rule R14).
    pub fn ceiling(self) -> PermissionSet {
        static CEILINGS: LazyLock<[PermissionSet; 6]> = LazyLock::new(|| {
            let allows = |tier: Tier, id: &PermissionId| tier.lacks(id.permission()).is_empty();
            Tier::ALL.map(|tier| catalogue::all().filter(|id| allows(tier, id)).collect())
        });
        CEILINGS[self as usize]
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r15_a_change_that_loses_something_is_a_downgrade() {
        use TierChange::{Downgrade, Same, Upgrade};
        let changes = [
            (Tier::Cx1, Tier::Cx1, Same),
            (Tier::Cx1, Tier::Cx2, Upgrade),
            (Tier::Cx1, Tier::Cx3, Upgrade),
            (Tier::Cx1, Tier::Cx4, Upgrade),
            (Tier::Cx2d, Tier::Cx2, Upgrade),
            (Tier::Cx2d, Tier::Cx3d, Upgrade),
            (Tier::Cx3d, Tier::Cx3, Upgrade),
            (Tier::Cx1, Tier::Cx2d, Downgrade),
            (Tier::Cx1, Tier::Cx3d, Downgrade),
            (Tier::Cx2, Tier::Cx3d, Downgrade),
            (Tier::Cx3d, Tier::Cx2, Downgrade),
            (Tier::Cx4, Tier::Cx3, Downgrade),
            (Tier::Cx2, Tier::Cx1, Downgrade),
        ];
        for (from, to, change) in changes {
            assert_eq!(from.change_to(to), change, "{from} to {to}");
        }
    }

    #[test]
    fn r15_the_order_of_tiers_is_partial() {
        let comprised = |tier: Tier| tier.comprises().map(Tier::name).collect::<Vec<_>>();
        assert_eq!(comprised(Tier::Cx1), Vec::<&str>::new());
        assert_eq!(comprised(Tier::Cx2d), Vec::<&str>::new());
        assert_eq!(comprised(Tier::Cx2), ["CX1", "CX2D"]);
        assert_eq!(comprised(Tier::Cx3d), ["CX2D"]);
        assert_eq!(comprised(Tier::Cx3), ["CX1", "CX2D", "CX2", "CX3D"]);
        assert_eq!(comprised(Tier::Cx4), ["CX1", "CX2D", "CX2", "CX3D", "CX3"]);
    }

    #[test]
    fn the_combined_tiers_have_what_their_parts_have() {
        let of = |tiers: &[Tier], more: &[Capability]| {
            let mut all: Vec<_> = tiers.iter().flat_map(|tier| tier.capabilities()).collect();
            all.extend(more);
            all.sort();
            all.dedup();
            all.into_iter().copied().collect::<Vec<_>>()
        };
        assert_eq!(Tier::Cx2.capabilities(), of(&[Tier::Cx1, Tier::Cx2d], &[]));
        assert_eq!(Tier::Cx3d.capabilities(), of(&[Tier::Cx2d], &[Wfm]));
        assert_eq!(Tier::Cx3.capabilities(), of(&[Tier::Cx2], &[Wfm]));
        let ai = [AiAdvanced, PredictiveEngagement, AiAddons];
        assert_eq!(Tier::Cx4.capabilities(), of(&[Tier::Cx3], &ai));
        for tier in Tier::ALL {
            assert!(tier.capabilities().contains(&Core), "{tier}");
        }
    }

    #[test]
    fn r18_an_unknown_tier_is_refused_with_the_known_ones() {
        assert_eq!(Tier::read("cx2d"), Ok(Tier::Cx2d));
        let refused = Tier::read("CX9").unwrap_err();
        assert_eq!(
            refused.detail,
            r#"licenseTier: "CX9" is no licence tier: one of CX1, CX2D, CX2, CX3D, CX3, CX4"#
        );
    }
}
