//! Why a rule refuses a request, and how that is said to the client.

use scim_protocol::error::{Error, ScimType};

use crate::rehire_cases::Doubt;
use crate::tx::StorageError;

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The protocol refuses it: status 400.
    #[error(transparent)]
    Protocol(#[from] Error),
    /// A rule of the account model refuses it.
    #[error("{code:?}: {detail}")]
    Rule {
        /// What is refused.
        code: Code,
        /// What is wrong and what to do about it.
        detail: String,
    },
    /// The guard against mass deprovisioning refuses it (rule R57, [`Code::DeprovisionGuard`]).
    #[error("{detail}")]
    Guarded {
        /// What is wrong and what to do about it.
        detail: String,
        /// How many accounts the connection had deactivated before.
        count: u64,
        /// After how many seconds it may try again.
        retry_after_seconds: i64,
    },
    /// Nobody can tell whether a request means the person whose account it would bring back
    /// ([`Code::RehireConfirmationRequired`]). The case is for another unit of work to open.
    #[error("the account is that of somebody who left, and the request may mean another person")]
    Doubted(Box<Doubt>),
    /// The store failed.
    #[error(transparent)]
    Storage(StorageError),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotSearchable(_) | StorageError::TooCostly { .. } => {
                Self::Protocol(Error::invalid_filter(error.to_string()))
            }
            StorageError::NotSortable(_) => Self::Protocol(Error::invalid_path(error.to_string())),
            error => Self::Storage(error),
        }
    }
}

impl Refusal {
    pub(crate) fn rule(code: Code, detail: impl Into<String>) -> Self {
        Self::Rule { code, detail: detail.into() }
    }

    /// Which rule refuses, if one does.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Rule { code, .. } => Some(*code),
            Self::Guarded { .. } => Some(Code::DeprovisionGuard),
            Self::Doubted(_) => Some(Code::RehireConfirmationRequired),
            Self::Protocol(_) | Self::Storage(_) => None,
        }
    }

    /// The refusal of a resource that does not exist, for this caller.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::rule(Code::NotFound, format!("{kind} {id} not found"))
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => ($name:literal, $status:literal, $scim_type:expr, $rule:expr),)*) => {
        /// What is refused. The table of codes: name, status, scimType and rule of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// The name in the body of the error.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status of the answer.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The SCIM keyword, where RFC 7644 table 9 has one.
            pub fn scim_type(self) -> Option<ScimType> {
                match self { $(Self::$variant => $scim_type,)* }
            }

            /// The number of the rule, where the refusal enforces one.
            pub fn rule(self) -> Option<&'static str> {
                match self { $(Self::$variant => $rule,)* }
            }
        }
    };
}

codes! {
    /// The resource does not exist, or not for this caller.
    NotFound => ("notFound", 404, None, None),
    /// The resource has another version than the request expects.
    VersionMismatch => ("versionMismatch", 412, None, None),
    /// The userName belongs to another account, for ever.
    UserNameTaken => ("userNameTaken", 409, Some(ScimType::Uniqueness), Some("R1")),
    /// The e-mail address belongs to another account, for ever.
    IdentityReserved => ("identityReserved", 409, Some(ScimType::Uniqueness), Some("R3")),
    /// Somebody may have worked under the name, so that it is never released.
    ClaimBurned => ("claimBurned", 409, None, Some("R5")),
    /// The name that is to be released is on its account now.
    ClaimInUse => ("claimInUse", 409, None, Some("R5")),
    /// The account is not in a state from which it can go to the one that is asked for.
    IllegalTransition => ("illegalTransition", 409, None, None),
    /// The person has taken the account into use already.
    AlreadyActivated => ("alreadyActivated", 409, None, Some("R62")),
    /// Nobody is let in: the name or the password is wrong, or the account cannot be used.
    LoginFailed => ("loginFailed", 401, None, Some("R65")),
    /// The password is good for choosing another one only.
    PasswordChangeRequired => ("passwordChangeRequired", 403, None, Some("R67")),
    /// A password is not what the tenant asks for.
    WeakPassword => ("weakPassword", 400, Some(ScimType::InvalidValue), Some("R64")),
    /// The tenant's people have no passwords here.
    PasswordsDisabled => ("passwordsDisabled", 403, None, Some("R64")),
    /// A mailed link was used, has ended or was replaced.
    LinkEnded => ("linkEnded", 410, None, Some("R61")),
    /// The account has no address to which a link could be sent.
    NoEmail => ("noEmail", 409, None, Some("R63")),
    /// The installation sends no mail.
    NoMail => ("noMail", 409, None, None),
    /// A link was sent a moment ago.
    Cooldown => ("cooldown", 429, None, Some("R62")),
    /// The externalId is that of another resource of the connection.
    ExternalIdTaken => ("externalIdTaken", 409, Some(ScimType::Uniqueness), Some("R7")),
    /// Another account of the tenant has the employee number.
    EmployeeNumberTaken =>
        ("employeeNumberTaken", 409, Some(ScimType::Uniqueness), Some("R8")),
    /// Nobody knows whether the account is that of a person who left; an administrator decides.
    RehireConfirmationRequired =>
        ("rehireConfirmationRequired", 409, Some(ScimType::Uniqueness), None),
    /// Somebody has decided the case already.
    CaseClosed => ("caseClosed", 409, None, None),
    /// Two addresses have one type, or two are primary.
    RepeatedType => ("repeatedType", 400, Some(ScimType::InvalidValue), Some("R9")),
    /// What the tenant asks of a new account is missing.
    Incomplete => ("incomplete", 400, Some(ScimType::InvalidValue), Some("R10")),
    /// No seat of the tier is free.
    SeatLimitExceeded => ("seatLimitExceeded", 403, None, Some("R13")),
    /// More seats of the tier are used than there are to be.
    SeatsInUse => ("seatsInUse", 409, None, Some("R13")),
    /// The new tier does not have all that the old one has.
    DowngradeRequiresApproval => ("downgradeRequiresApproval", 403, None, Some("R15")),
    /// The connection may not grant the role.
    RoleNotGrantable => ("roleNotGrantable", 403, None, Some("R30")),
    /// What is to be given is disabled.
    DisabledObject => ("disabledObject", 400, Some(ScimType::InvalidValue), Some("R31")),
    /// The tenant would have no Master Admin at work any more.
    LastMasterAdmin => ("lastMasterAdmin", 403, None, Some("R40")),
    /// The account still has work that depends on it.
    OpenDependencies => ("openDependencies", 409, None, Some("R55")),
    /// One connection deactivates too many accounts at once.
    DeprovisionGuard => ("deprovisionGuard", 403, None, Some("R57")),
    /// An account has more skills than it may.
    TooManySkills => ("tooManySkills", 400, Some(ScimType::InvalidValue), Some("R70")),
    /// The account has skills or is in agent groups, which only agents are.
    StillAgent => ("stillAgent", 400, Some(ScimType::InvalidValue), None),
    /// Only agents are in agent groups.
    NotAnAgent => ("notAnAgent", 400, Some(ScimType::InvalidValue), None),
    /// A group of this kind has no such attribute.
    WrongGroupKind => ("wrongGroupKind", 400, Some(ScimType::InvalidValue), None),
    /// Somebody would be above themselves.
    ManagerCycle => ("managerCycle", 400, Some(ScimType::InvalidValue), None),
    /// Another group of the tenant has the name.
    GroupNameTaken => ("groupNameTaken", 409, Some(ScimType::Uniqueness), None),
    /// Another resource of the type has the name.
    NameTaken => ("nameTaken", 409, Some(ScimType::Uniqueness), None),
    /// The name of a default role stays: roles are granted by name.
    DefaultRoleName => ("defaultRoleName", 403, None, Some("R25")),
    /// A default role is never deleted.
    DefaultRole => ("defaultRole", 409, None, Some("R32")),
    /// The role is granted to somebody.
    RoleInUse => ("roleInUse", 409, None, Some("R32")),
    /// The role is the tenant's own: there is no template of it.
    CustomRole => ("customRole", 400, Some(ScimType::InvalidValue), Some("R34")),
    /// The role of the Master Admins keeps its name, its permissions and its effect.
    MasterAdminRole => ("masterAdminRole", 403, None, Some("R41")),
    /// The connection may not do it.
    ScopeMissing => ("scopeMissing", 403, None, None),
    /// A member does not exist.
    UnknownMember => ("unknownMember", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No role has the name.
    UnknownRole => ("unknownRole", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No division has the name.
    UnknownDivision => ("unknownDivision", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No skill has the name.
    UnknownSkill => ("unknownSkill", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No capacity rule has the name.
    UnknownCapacityRule =>
        ("unknownCapacityRule", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No template has the name.
    UnknownTemplate => ("unknownTemplate", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No group has the name.
    UnknownGroup => ("unknownGroup", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// No resource of another type has the name.
    UnknownName => ("unknownName", 400, Some(ScimType::InvalidValue), Some("R22")),
    /// The division with which the tenant began is to be deleted.
    HomeDivision => ("homeDivision", 403, None, Some("R23")),
    /// Accounts or grants are in the division that is to be deleted.
    DivisionInUse => ("divisionInUse", 409, None, Some("R24")),
    /// The tenant has as many divisions as its policy lets it have.
    TooManyDivisions => ("tooManyDivisions", 409, None, None),
    /// So many have what is to be deleted that it cannot be taken from all at once.
    TooManyHolders => ("tooManyHolders", 409, None, None),
    /// Users or groups have the capacity rule.
    CapacityRuleInUse => ("capacityRuleInUse", 409, None, Some("R76")),
    /// The capacity rule cannot be understood.
    CapacityRuleInvalid =>
        ("capacityRuleInvalid", 400, Some(ScimType::InvalidValue), Some("R76")),
    /// Another capacity rule is that of the tenant.
    DefaultTaken => ("defaultTaken", 409, None, None),
    /// A provisioning rule has the template that is to be deleted.
    TemplateInUse => ("templateInUse", 409, None, None),
    /// One PATCH asks for more work than the service does at once.
    TooMuchWork => ("tooMuchWork", 400, Some(ScimType::TooMany), None),
    /// A connection sends more requests in a second than it may, or an address more unknown tokens.
    RateLimited => ("rateLimited", 429, None, None),
    /// A request took so long that there is no time for the rest of it.
    OutOfTime => ("outOfTime", 503, None, None),
    /// A group would be its own member.
    OwnMember => ("ownMember", 400, Some(ScimType::InvalidValue), None),
    /// A tenant of the name exists.
    TenantNameTaken => ("tenantNameTaken", 409, Some(ScimType::Uniqueness), None),
    /// The name holds nothing, or too much.
    BadName => ("badName", 400, Some(ScimType::InvalidValue), None),
    /// Another connection's clients prove themselves with the same.
    CredentialTaken => ("credentialTaken", 409, Some(ScimType::Uniqueness), None),
    /// The connection has as many tokens and credentials as it can have.
    TooManyCredentials => ("tooManyCredentials", 409, None, None),
    /// The connection exists with another dialect.
    ConnectionDiffers => ("connectionDiffers", 409, Some(ScimType::Uniqueness), None),
}
