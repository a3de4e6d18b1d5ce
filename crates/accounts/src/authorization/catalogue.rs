//! Every permission there is: a table.
//!
//! A permission is called `domain:entity:action`. What is kept of a role are these names; the
//! place of a permission in the table is only for [`PermissionSet`](super::PermissionSet), and is
//! another in the next version. Names that are in use stay: a kept policy with a name that is not
//! here gives nothing.

use super::capability::Capability::{
    self, AiAddons, AiAdvanced, DigitalChat, DigitalEmail, DigitalMessaging, IvrBasic,
    PredictiveEngagement, Recording, ReportingStandard, ReportingSupervisor, Voice, Wfm,
};
use super::permission_set::PermissionSet;

/// One permission.
#[derive(Debug, PartialEq, Eq)]
pub struct Permission {
    name: &'static str,
    /// The part of the service.
    pub domain: &'static str,
    /// What is acted on.
    pub entity: &'static str,
    /// What is done.
    pub action: &'static str,
    /// What it allows, for a person.
    pub label: &'static str,
    /// Whether it is held in a division. If not, the division of the grant does not matter.
    pub division_aware: bool,
    /// Whether a policy may give it under a condition.
    pub allows_conditions: bool,
    /// What the account's tier must have for it to count (rule R14); nothing means any tier.
    pub requires: &'static [Capability],
}

impl Permission {
    /// `domain:entity:action`
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Which permission: its place in the catalogue of this version. Never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionId(usize);

impl PermissionId {
    /// The permission.
    pub fn permission(self) -> &'static Permission {
        &ALL[self.0]
    }

    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// All permissions, in order.
pub fn all() -> impl Iterator<Item = PermissionId> {
    (0..ALL.len()).map(PermissionId)
}

/// The permission of this name.
pub fn named(name: &str) -> Option<PermissionId> {
    let mut parts = name.splitn(3, ':');
    let key = (parts.next()?, parts.next()?, parts.next()?);
    let of = |permission: &Permission| (permission.domain, permission.entity, permission.action);
    ALL.binary_search_by(|permission| of(permission).cmp(&key)).ok().map(PermissionId)
}

/// The permissions that are held in a division.
pub fn division_aware() -> PermissionSet {
    all().filter(|id| id.permission().division_aware).collect()
}

/// Held in a division, or in the tenant.
const DIVISION: bool = true;
const TENANT: bool = false;

/// Given under conditions, or always.
const CONDITIONS: bool = true;
const ALWAYS: bool = false;

macro_rules! permissions {
    ($($domain:ident {
        $($entity:ident $scope:ident $conditions:ident $requires:tt {
            $($action:ident $label:literal)*
        })*
    })*) => {
        /// The catalogue, in order of domain, entity and action.
        pub static ALL: &[Permission] = &[$($($(Permission {
            name: concat!(
                stringify!($domain), ":", stringify!($entity), ":", stringify!($action)
            ),
            domain: stringify!($domain),
            entity: stringify!($entity),
            action: stringify!($action),
            label: $label,
            division_aware: $scope,
            allows_conditions: $conditions,
            requires: &$requires,
        },)*)*)*];
    };
}

permissions! {
    ai {
        agentAssist DIVISION ALWAYS [AiAdvanced] {
            configure "Set up what agents are assisted with"
            use "Be assisted in a conversation"
        }
        botFlow DIVISION ALWAYS [AiAddons] {
            add "Create bots"
            delete "Delete bots"
            edit "Change bots"
            view "See bots"
        }
        speechAnalytics DIVISION ALWAYS [AiAddons] {
            configure "Choose what is looked for in conversations"
            view "See what was found in conversations"
        }
    }
    analytics {
        conversationAggregate DIVISION ALWAYS [ReportingStandard] {
            view "See figures about conversations"
        }
        conversationDetail DIVISION CONDITIONS [ReportingStandard] {
            view "See single conversations in reports"
        }
        dashboard TENANT ALWAYS [ReportingStandard] {
            add "Create dashboards"
            delete "Delete dashboards"
            edit "Change dashboards"
            view "See dashboards"
        }
        queueObservation DIVISION CONDITIONS [ReportingSupervisor] {
            view "See what happens in queues now"
        }
        userAggregate DIVISION CONDITIONS [ReportingSupervisor] {
            view "See figures about people"
        }
        userObservation DIVISION CONDITIONS [ReportingSupervisor] {
            view "See what people do now"
        }
    }
    architect {
        flow DIVISION ALWAYS [IvrBasic] {
            add "Create flows"
            delete "Delete flows"
            edit "Change flows"
            publish "Put flows into service"
            view "See flows"
        }
        prompt TENANT ALWAYS [IvrBasic] {
            add "Create prompts"
            delete "Delete prompts"
            edit "Change prompts"
            view "See prompts"
        }
    }
    audits {
        changeLog TENANT ALWAYS [] {
            export "Export the change log"
            view "See the change log"
        }
    }
    authorization {
        division TENANT ALWAYS [] {
            add "Create divisions"
            delete "Delete and restore divisions"
            edit "Change divisions"
            view "See divisions"
        }
        grant DIVISION ALWAYS [] {
            add "Grant roles"
            delete "Take roles away"
            view "See who has which role"
        }
        orgTrustee TENANT ALWAYS [] {
            add "Authorise people of other organisations"
            delete "End the authorisation of other organisations"
            edit "Change what people of other organisations may do"
            view "See who of other organisations is authorised"
        }
        role TENANT ALWAYS [] {
            add "Create and copy roles"
            delete "Delete roles"
            edit "Change, enable and disable roles"
            view "See roles and what they permit"
        }
    }
    billing {
        subscription TENANT ALWAYS [] {
            view "See the subscription"
        }
    }
    conversation {
        call DIVISION CONDITIONS [Voice] {
            accept "Take calls"
            coach "Speak to the agent of a call alone"
            monitor "Listen to calls of others"
            transfer "Pass calls on"
        }
        callback DIVISION CONDITIONS [Voice] {
            accept "Take callbacks"
            add "Schedule callbacks"
            view "See callbacks that are scheduled"
        }
        chat DIVISION CONDITIONS [DigitalChat] {
            accept "Take chats"
            monitor "Read chats of others"
            transfer "Pass chats on"
        }
        email DIVISION CONDITIONS [DigitalEmail] {
            accept "Take e-mails"
            monitor "Read e-mails of others"
            send "Write e-mails"
            transfer "Pass e-mails on"
        }
        message DIVISION CONDITIONS [DigitalMessaging] {
            accept "Take messages"
            monitor "Read messages of others"
            send "Write messages"
            transfer "Pass messages on"
        }
    }
    directory {
        changeSet TENANT ALWAYS [] {
            add "Create change sets"
            delete "Delete change sets"
            edit "Change change sets"
            execute "Execute change sets and roll them back"
            view "See change sets"
        }
        dependency DIVISION ALWAYS [] {
            edit "Reassign what depends on an account"
            view "See what depends on an account"
        }
        deprovisionGuard TENANT ALWAYS [] {
            release "Confirm a mass deactivation"
            view "See mass deactivations that are held"
        }
        group TENANT ALWAYS [] {
            add "Create and copy groups"
            delete "Delete groups"
            edit "Change groups and their members"
            view "See groups and their members"
        }
        identity TENANT ALWAYS [] {
            release "Release a login name that was never used"
            view "See whose a login name is"
        }
        provisioningRule TENANT ALWAYS [] {
            add "Create provisioning rules"
            delete "Delete provisioning rules"
            edit "Change and order provisioning rules"
            view "See provisioning rules"
        }
        rehireCase TENANT ALWAYS [] {
            decide "Decide whether a newcomer was here before"
            view "See rehire cases"
        }
        tenant TENANT ALWAYS [] {
            edit "Change the policy of the tenant"
            view "See the policy of the tenant"
        }
        user DIVISION CONDITIONS [] {
            activate "Send the activation of an account"
            add "Create accounts"
            delete "Delete accounts"
            edit "Change accounts, activate and deactivate them"
            erase "Erase the personal data of a deleted account"
            move "Move accounts to another division"
            restore "Restore deleted accounts"
            setPassword "Reset passwords"
            unlock "Unlock accounts"
            view "See accounts"
        }
        userTemplate TENANT ALWAYS [] {
            add "Create templates of accounts"
            delete "Delete templates of accounts"
            edit "Change templates of accounts"
            view "See templates of accounts"
        }
    }
    integrations {
        connection TENANT ALWAYS [] {
            add "Connect identity providers"
            delete "Disconnect identity providers"
            edit "Change connections"
            view "See connections and what they own"
        }
        connectionToken TENANT ALWAYS [] {
            add "Make tokens for connections"
            delete "Revoke tokens of connections"
            view "See which tokens there are"
        }
        webhook TENANT ALWAYS [] {
            add "Create webhooks"
            delete "Delete webhooks"
            edit "Change webhooks"
            view "See webhooks"
        }
    }
    journey {
        actionMap DIVISION ALWAYS [PredictiveEngagement] {
            add "Create offers to visitors"
            delete "Delete offers to visitors"
            edit "Change offers to visitors"
            view "See offers to visitors"
        }
        segment TENANT ALWAYS [PredictiveEngagement] {
            add "Create segments of visitors"
            delete "Delete segments of visitors"
            edit "Change segments of visitors"
            view "See segments of visitors"
        }
    }
    licensing {
        seat TENANT ALWAYS [] {
            edit "Change how many seats there are"
            view "See how many seats there are and who has them"
        }
        tier DIVISION ALWAYS [] {
            assign "Choose the tier of an account"
            view "See the tiers"
        }
        tierChange TENANT ALWAYS [] {
            approve "Approve and reject downgrades"
            view "See downgrades that wait"
        }
    }
    outbound {
        campaign DIVISION ALWAYS [Voice] {
            add "Create campaigns"
            delete "Delete campaigns"
            edit "Change campaigns"
            view "See campaigns"
        }
        contactList DIVISION ALWAYS [Voice] {
            add "Create lists of contacts"
            delete "Delete lists of contacts"
            edit "Change lists of contacts"
            view "See lists of contacts"
        }
    }
    quality {
        evaluation DIVISION CONDITIONS [Recording] {
            add "Evaluate conversations"
            delete "Delete evaluations"
            edit "Change evaluations"
            view "See evaluations"
        }
        evaluationForm TENANT ALWAYS [Recording] {
            add "Create forms for evaluations"
            delete "Delete forms for evaluations"
            edit "Change forms for evaluations"
            view "See forms for evaluations"
        }
    }
    recording {
        recording DIVISION CONDITIONS [Recording] {
            delete "Delete recordings"
            download "Download recordings"
            view "Play recordings"
        }
        retentionPolicy TENANT ALWAYS [Recording] {
            edit "Change how long recordings are kept"
            view "See how long recordings are kept"
        }
    }
    reporting {
        export TENANT ALWAYS [ReportingStandard] {
            add "Export reports"
            view "See exported reports"
        }
        scheduledReport TENANT ALWAYS [ReportingSupervisor] {
            add "Schedule reports"
            delete "Delete scheduled reports"
            edit "Change scheduled reports"
            view "See scheduled reports"
        }
    }
    routing {
        capacityRule TENANT ALWAYS [] {
            add "Create capacity rules"
            assign "Choose the capacity rule of an account or group"
            delete "Delete capacity rules"
            edit "Change capacity rules"
            view "See capacity rules"
        }
        queue DIVISION CONDITIONS [] {
            add "Create queues"
            delete "Delete queues"
            edit "Change queues"
            view "See queues"
        }
        queueMember DIVISION ALWAYS [] {
            manage "Choose the members of a queue"
        }
        skill TENANT ALWAYS [] {
            add "Create skills and languages"
            assign "Choose the skills and languages of an account"
            delete "Delete skills and languages"
            edit "Change skills and languages"
            view "See skills and languages"
        }
        wrapupCode DIVISION ALWAYS [] {
            add "Create wrap-up codes"
            delete "Delete wrap-up codes"
            edit "Change wrap-up codes"
            view "See wrap-up codes"
        }
    }
    telephony {
        extension TENANT ALWAYS [Voice] {
            assign "Choose the extension of an account"
            view "See extensions"
        }
        phone TENANT ALWAYS [Voice] {
            add "Create phones"
            delete "Delete phones"
            edit "Change phones"
            view "See phones"
        }
        site TENANT ALWAYS [Voice] {
            add "Create sites"
            delete "Delete sites"
            edit "Change sites"
            view "See sites"
        }
        trunk TENANT ALWAYS [Voice] {
            add "Create trunks"
            delete "Delete trunks"
            edit "Change trunks"
            view "See trunks"
        }
    }
    wfm {
        agentSchedule TENANT ALWAYS [Wfm] {
            view "See one's own schedule"
        }
        businessUnit DIVISION ALWAYS [Wfm] {
            add "Create business units, sites and teams"
            delete "Delete business units, sites and teams"
            edit "Change business units, sites and teams"
            view "See business units, sites and teams"
        }
        schedule DIVISION ALWAYS [Wfm] {
            edit "Make schedules"
            publish "Publish schedules"
            view "See schedules"
        }
        securityRole TENANT ALWAYS [Wfm] {
            add "Create security roles of workforce management"
            delete "Delete security roles of workforce management"
            edit "Change security roles of workforce management"
            view "See security roles of workforce management"
        }
        timeOffRequest DIVISION ALWAYS [Wfm] {
            approve "Approve time off"
            view "See who asks for time off"
        }
        user DIVISION ALWAYS [Wfm] {
            add "Import users into workforce management"
            delete "Take users out of workforce management"
            edit "Change users of workforce management"
            view "See users of workforce management"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_in_order_and_names_nothing_twice() {
        let key =
            |permission: &Permission| (permission.domain, permission.entity, permission.action);
        for pair in ALL.windows(2) {
            assert!(key(&pair[0]) < key(&pair[1]), "{} {}", pair[0].name(), pair[1].name());
        }
    }

    #[test]
    fn every_permission_is_found_by_its_name() {
        for id in all() {
            assert_eq!(named(id.permission().name()), Some(id));
        }
        for unknown in ["", "directory", "directory:user", "directory:user:fly", "a:b:c:d"] {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn labels_tell_permissions_apart() {
        let labels: BTreeSet<_> = ALL.iter().map(|permission| permission.label).collect();
        assert_eq!(labels.len(), ALL.len());
    }

    #[test]
    fn every_capability_but_core_is_required_by_something() {
        let required: BTreeSet<_> = ALL.iter().flat_map(|permission| permission.requires).collect();
        for capability in Capability::ALL {
            let core = *capability == Capability::Core;
            assert_eq!(required.contains(capability), !core, "{capability}");
        }
    }
}
