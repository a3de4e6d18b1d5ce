//! What a licence pays for.

use std::fmt;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Something that a licence tier has or has not. A permission that requires one is blocked
        /// for the accounts of a tier without it (rule R14).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability { $($(#[$doc])* $variant,)* }

        impl Capability {
            /// Every capability.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in the catalogue of tiers.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

capabilities! {
    /// The directory, administration and authorization: in every tier.
    Core = "core",
    /// Calls and callbacks.
    Voice = "voice",
    /// Flows that answer a call.
    IvrBasic = "ivr.basic",
    /// Recordings, and the evaluations that are made from them.
    Recording = "recording",
    /// Reports on conversations.
    ReportingStandard = "reporting.standard",
    /// Reports on queues and on people.
    ReportingSupervisor = "reporting.supervisor",
    /// Chats on a web page.
    DigitalChat = "digital.chat",
    /// E-mail.
    DigitalEmail = "digital.email",
    /// Messaging services.
    DigitalMessaging = "digital.messaging",
    /// Workforce management: forecasts, schedules, time off.
    Wfm = "wfm",
    /// Assistance for agents by machine.
    AiAdvanced = "ai.advanced",
    /// Predictions about visitors of a web site.
    PredictiveEngagement = "predictive.engagement",
    /// Bots and the analysis of what is said.
    AiAddons = "ai.addons",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
