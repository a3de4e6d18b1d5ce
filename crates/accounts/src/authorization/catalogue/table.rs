//! The table of permissions, in order of domain, entity and action.
//!
//! What is said of an entity - whether its permissions are held in a division, whether they can be
//! given under a condition, what the tier must have - holds for each of its actions.

use super::super::capability::Capability::{
    AiAddons, AiAdvanced, DigitalChat, DigitalEmail, DigitalMessaging, IvrBasic,
    PredictiveEngagement, Recording, ReportingStandard, ReportingSupervisor, Voice, Wfm,
};
use super::Permission;

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
            edit "Create, change and delete bots"
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
            edit "Create, change and delete dashboards"
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
    }
    telephony {
        extension TENANT ALWAYS [Voice] {
            assign "Choose the extension of an account"
            view "See extensions"
        }
        site TENANT ALWAYS [Voice] {
            add "Create sites"
            delete "Delete sites"
            edit "Change sites"
            view "See sites"
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
