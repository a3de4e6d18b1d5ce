//! What a tenant has decided: the attributes of its Tenant resource, with the defaults for what it
//! does not say, as values that the rules can ask.

mod attributes;

use std::ops::RangeInclusive;

use scim_protocol::Object;
use scim_protocol::error::Error;

use attributes::{Attributes, Choice};

/// The names of the licence tiers (rule R18).
const TIERS: [&str; 6] = ["CX1", "CX2D", "CX2", "CX3D", "CX3", "CX4"];

/// Skills and languages are one attribute of an account, and an attribute has at most 1,000 values.
const PER_USER: RangeInclusive<i64> = 1..=500;

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The value as the Tenant resource has it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn name(self) -> &'static str {
                self.as_str()
            }
        }
    )*};
}

choices! {
    /// The division of a role that is granted without one (rule R28).
    GrantScope {
        /// The home division of the tenant.
        Home = "home",
        /// The division of the account.
        Own = "own",
        /// All divisions.
        All = "all",
    }
    /// What proves that an incoming person is one whom the tenant had before.
    RehireMatch {
        /// The same externalId in the same connection.
        ExternalId = "externalId",
        /// The same employeeNumber.
        EmployeeNumber = "employeeNumber",
        /// The same userName or login address.
        Email = "email",
    }
    /// What becomes of a person of whom nobody knows whether they were here before.
    Ambiguous {
        /// A case is opened and an administrator decides it.
        Hold = "hold",
        /// The request is refused.
        Reject = "reject",
    }
    /// What becomes of a change to a tier that does not have all of the present one (rule R15).
    Downgrade {
        /// It is refused.
        Deny = "deny",
        /// It waits for an approval.
        Queue = "queue",
        /// It is done.
        Allow = "allow",
    }
    /// What becomes of an account for which there is no free seat (rule R13).
    Overage {
        /// It is refused.
        Deny = "deny",
        /// It is created all the same.
        Allow = "allow",
    }
    /// What the open dependencies of an account do to its deactivation (rule R55).
    OnDeactivate {
        /// They are listed.
        Warn = "warn",
        /// They stop an administrator, never an identity provider.
        BlockAdmin = "blockAdmin",
        /// Memberships of queues are taken away.
        Autoclean = "autoclean",
    }
    /// What the guard against mass deprovisioning does (rule R57).
    GuardAction {
        /// Nothing.
        Off = "off",
        /// It raises an alert.
        Alert = "alert",
        /// It raises an alert and refuses.
        Hold = "hold",
    }
    /// What becomes of a password that a client sends (rule R64).
    FromScim {
        /// It is ignored.
        Ignore = "ignore",
        /// It is kept; who has not taken the account into use still has to, and to choose another.
        Keep = "keep",
        /// It is kept, and takes the account into use (T5).
        Activate = "activate",
    }
    /// How the provisioning log shows what persons could be known by.
    PersonalData {
        /// Masked, with enough left to recognise it.
        Masked = "masked",
        /// As it was sent.
        Clear = "clear",
    }
}

/// The division of an account whose request names none (rule R20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultDivision {
    /// The home division of the tenant.
    Home,
    /// The division of this name.
    Named(String),
}

/// How a person who comes back is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehirePolicy {
    /// What proves that it is the same person.
    pub matching: Vec<RehireMatch>,
    /// What becomes of those of whom nothing proves it.
    pub ambiguous: Ambiguous,
    /// For how many days after the deactivation the grants of a person come back.
    pub restore_grants_days: i64,
}

/// The guard against mass deprovisioning (rule R57).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardPolicy {
    /// How many of a hundred accounts one connection may deactivate in the window.
    pub max_percent: i64,
    /// How many it may always deactivate.
    pub min_count: i64,
    /// How long the window is.
    pub window_seconds: i64,
    /// What happens to what is more.
    pub action: GuardAction,
}

/// What the provisioning log keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPolicy {
    /// How it shows what persons could be known by.
    pub personal_data: PersonalData,
    /// For how many days an entry is kept.
    pub keep_days: i64,
    /// How many entries of each connection are kept.
    pub keep_entries: i64,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self { personal_data: PersonalData::Masked, keep_days: 30, keep_entries: 10_000 }
    }
}

/// The activation link (rules R60 to R62).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationPolicy {
    /// For how many days it is good.
    pub link_ttl_days: i64,
    /// After how many seconds another one may be sent.
    pub resend_cooldown_seconds: i64,
    /// Whether a new account is sent one.
    pub auto_invite: bool,
}

/// The lock after logins that failed (rule R65).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockPolicy {
    /// After how many in a row.
    pub max_failures: i64,
    /// How long it lasts; 0: until an administrator ends it.
    pub duration_seconds: i64,
}

/// What a password must be (rule R64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// How many characters it has at least.
    pub min_length: i64,
    /// Whether it must have a digit, a lower-case and an upper-case letter, and another character.
    pub composition: bool,
    /// What becomes of one that a client sends.
    pub from_scim: FromScim,
}

impl PasswordPolicy {
    /// That of a tenant which has said nothing.
    pub const USUAL: Self = Self { min_length: 8, composition: true, from_scim: FromScim::Ignore };
}

/// The policy of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "knobs that have nothing to do with each other")]
pub struct TenantPolicy {
    /// Whether people log in through the identity provider only.
    pub sso_required: bool,
    /// Whether a new account needs a name, an address and a tier (rule R10).
    pub strict_required: bool,
    /// The tier of an account whose request names none.
    pub default_license_tier: String,
    /// The division of an account whose request names none.
    pub default_division: DefaultDivision,
    /// The division of a role that is granted without one.
    pub default_division_scope: GrantScope,
    /// The roles that connections may grant; `None`: all that are not privileged (rule R30). There
    /// is no empty list: in SCIM that is the same as none at all.
    pub grantable_by_scim: Option<Vec<String>>,
    /// How a person who comes back is recognised.
    pub rehire: RehirePolicy,
    /// What becomes of a downgrade.
    pub downgrade: Downgrade,
    /// What becomes of an account for which there is no free seat.
    pub overage: Overage,
    /// After how many days an account that was never activated loses its seat; `None`: never.
    pub reclaim_pending_after_days: Option<i64>,
    /// What open dependencies do to a deactivation.
    pub on_deactivate: OnDeactivate,
    /// The guard against mass deprovisioning.
    pub guard: GuardPolicy,
    /// The most divisions.
    pub max_divisions: i64,
    /// The most skills of an account (rule R70).
    pub max_skills_per_user: i64,
    /// The most languages of an account (rule R70).
    pub max_languages_per_user: i64,
    /// Whether who joins an agent group becomes an agent; otherwise only agents may join.
    pub auto_agent: bool,
    /// Whether an employeeNumber is of one account only (rule R8).
    pub unique_employee_numbers: bool,
    /// What the provisioning log keeps.
    pub log: LogPolicy,
    /// The activation link.
    pub activation: ActivationPolicy,
    /// The lock after logins that failed.
    pub lock: LockPolicy,
    /// What a password must be.
    pub passwords: PasswordPolicy,
}

impl TenantPolicy {
    /// Reads the attributes of a Tenant resource in their kept form.
    ///
    /// # Errors
    /// `invalidValue`, which names the attribute and what it may be.
    pub fn of(tenant: &Object) -> Result<Self, Error> {
        let of = |name| Attributes::of(tenant, name);
        let top = Attributes::top(tenant);
        let (provisioning, rehire, seats) = (of("provisioning")?, of("rehire")?, of("seats")?);
        let sso_required = top.truth("ssoRequired", false)?;
        Ok(Self {
            sso_required,
            strict_required: provisioning.truth("strictRequired", false)?,
            default_license_tier: default_tier(&provisioning)?,
            default_division: default_division(&provisioning)?,
            default_division_scope: of("roles")?
                .choice("defaultDivisionScope", GrantScope::Home)?,
            grantable_by_scim: top.texts("grantableByScim")?,
            rehire: RehirePolicy {
                matching: rehire_match(&top)?,
                ambiguous: rehire.choice("ambiguous", Ambiguous::Hold)?,
                restore_grants_days: rehire.number("restoreGrantsDays", 0..=365)?.unwrap_or(30),
            },
            downgrade: of("license")?.choice("downgrade", Downgrade::Deny)?,
            overage: seats.choice("overage", Overage::Deny)?,
            reclaim_pending_after_days: seats.number("reclaimPendingAfterDays", 1..=365)?,
            on_deactivate: of("dependencies")?.choice("onDeactivate", OnDeactivate::Warn)?,
            guard: GuardPolicy::of(&of("deprovisionGuard")?)?,
            max_divisions: of("divisions")?.number("max", 1..=1000)?.unwrap_or(50),
            max_skills_per_user: of("skills")?.number("maxPerUser", PER_USER)?.unwrap_or(50),
            max_languages_per_user: of("languages")?.number("maxPerUser", PER_USER)?.unwrap_or(50),
            auto_agent: of("groups")?.truth("autoAgent", true)?,
            unique_employee_numbers: of("employeeNumbers")?.truth("unique", true)?,
            log: LogPolicy::of(&of("provisioningLog")?)?,
            activation: ActivationPolicy::of(&of("activation")?, sso_required)?,
            lock: LockPolicy::of(&of("lock")?)?,
            passwords: PasswordPolicy::of(&of("passwords")?)?,
        })
    }
}

impl GuardPolicy {
    fn of(guard: &Attributes) -> Result<Self, Error> {
        Ok(Self {
            max_percent: guard.number("maxPercent", 1..=100)?.unwrap_or(20),
            min_count: guard.number("minCount", 1..=i64::MAX)?.unwrap_or(25),
            window_seconds: guard.number("windowSeconds", 60..=604_800)?.unwrap_or(3600),
            action: guard.choice("action", GuardAction::Hold)?,
        })
    }
}

impl LogPolicy {
    fn of(log: &Attributes) -> Result<Self, Error> {
        let usual = Self::default();
        Ok(Self {
            personal_data: log.choice("personalData", usual.personal_data)?,
            keep_days: log.number("keepDays", 1..=365)?.unwrap_or(usual.keep_days),
            keep_entries: log.number("keepEntries", 100..=100_000)?.unwrap_or(usual.keep_entries),
        })
    }
}

impl ActivationPolicy {
    fn of(activation: &Attributes, sso_required: bool) -> Result<Self, Error> {
        let cooldown = activation.number("resendCooldownSeconds", 0..=86_400)?;
        Ok(Self {
            link_ttl_days: activation.number("linkTtlDays", 1..=90)?.unwrap_or(30),
            resend_cooldown_seconds: cooldown.unwrap_or(60),
            auto_invite: activation.truth("autoInvite", !sso_required)?,
        })
    }
}

impl LockPolicy {
    fn of(lock: &Attributes) -> Result<Self, Error> {
        Ok(Self {
            max_failures: lock.number("maxFailures", 3..=20)?.unwrap_or(6),
            duration_seconds: lock.number("durationSeconds", 0..=86_400)?.unwrap_or(300),
        })
    }
}

impl PasswordPolicy {
    fn of(passwords: &Attributes) -> Result<Self, Error> {
        let usual = Self::USUAL;
        Ok(Self {
            min_length: passwords.number("minLength", 8..=128)?.unwrap_or(usual.min_length),
            composition: passwords.truth("composition", usual.composition)?,
            from_scim: passwords.choice("fromScim", usual.from_scim)?,
        })
    }
}

fn default_tier(provisioning: &Attributes) -> Result<String, Error> {
    let Some(given) = provisioning.text("defaultLicenseTier")? else { return Ok("CX1".to_owned()) };
    let known = TIERS.iter().find(|tier| tier.eq_ignore_ascii_case(given));
    let wrong =
        || provisioning.wrong("defaultLicenseTier", &format!("one of {}", TIERS.join(", ")));
    known.map(|tier| (*tier).to_owned()).ok_or_else(wrong)
}

fn default_division(provisioning: &Attributes) -> Result<DefaultDivision, Error> {
    Ok(match provisioning.text("defaultDivision")? {
        None => DefaultDivision::Home,
        Some(name) if name.eq_ignore_ascii_case("home") => DefaultDivision::Home,
        Some(name) => DefaultDivision::Named(name.to_owned()),
    })
}

fn rehire_match(top: &Attributes) -> Result<Vec<RehireMatch>, Error> {
    let Some(names) = top.texts("rehireMatch")? else {
        return Ok(vec![RehireMatch::ExternalId, RehireMatch::EmployeeNumber]);
    };
    let mut matching: Vec<RehireMatch> =
        names.iter().map(|name| top.one_of("rehireMatch", name)).collect::<Result<_, _>>()?;
    matching.sort();
    matching.dedup();
    Ok(matching)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(tenant: &Value) -> Result<TenantPolicy, Error> {
        TenantPolicy::of(tenant.as_object().unwrap())
    }

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let expected = TenantPolicy {
            sso_required: false,
            strict_required: false,
            default_license_tier: "CX1".to_owned(),
            default_division: DefaultDivision::Home,
            default_division_scope: GrantScope::Home,
            grantable_by_scim: None,
            rehire: RehirePolicy {
                matching: vec![RehireMatch::ExternalId, RehireMatch::EmployeeNumber],
                ambiguous: Ambiguous::Hold,
                restore_grants_days: 30,
            },
            downgrade: Downgrade::Deny,
            overage: Overage::Deny,
            reclaim_pending_after_days: None,
            on_deactivate: OnDeactivate::Warn,
            guard: GuardPolicy {
                max_percent: 20,
                min_count: 25,
                window_seconds: 3600,
                action: GuardAction::Hold,
            },
            max_divisions: 50,
            max_skills_per_user: 50,
            max_languages_per_user: 50,
            auto_agent: true,
            unique_employee_numbers: true,
            log: LogPolicy {
                personal_data: PersonalData::Masked,
                keep_days: 30,
                keep_entries: 10_000,
            },
            activation: ActivationPolicy {
                link_ttl_days: 30,
                resend_cooldown_seconds: 60,
                auto_invite: true,
            },
            lock: LockPolicy { max_failures: 6, duration_seconds: 300 },
            passwords: PasswordPolicy::USUAL,
        };
        assert_eq!(policy(&json!({})), Ok(expected.clone()));
        let nothing = json!({"provisioning": {}, "rehire": null, "grantableByScim": []});
        assert_eq!(policy(&nothing), Ok(expected));
    }

    #[test]
    fn every_attribute_is_read() {
        let given = json!({
            "ssoRequired": true,
            "provisioning": {"strictRequired": true, "defaultLicenseTier": "cx2d",
                             "defaultDivision": "Berlin"},
            "roles": {"defaultDivisionScope": "OWN"},
            "grantableByScim": ["agent", "Team lead"],
            "rehire": {"ambiguous": "reject", "restoreGrantsDays": 0},
            "rehireMatch": ["email", "externalId", "email"],
            "license": {"downgrade": "queue"},
            "seats": {"overage": "allow", "reclaimPendingAfterDays": 365},
            "dependencies": {"onDeactivate": "blockAdmin"},
            "deprovisionGuard": {"maxPercent": 100, "minCount": 1, "windowSeconds": 604_800,
                                 "action": "alert"},
            "divisions": {"max": 1000}, "skills": {"maxPerUser": 1}, "languages": {"maxPerUser": 2},
            "groups": {"autoAgent": false}, "employeeNumbers": {"unique": false},
            "provisioningLog": {"personalData": "clear", "keepDays": 365, "keepEntries": 100},
            "activation": {"linkTtlDays": 90, "resendCooldownSeconds": 0},
            "lock": {"maxFailures": 3, "durationSeconds": 0},
            "passwords": {"minLength": 15, "composition": false, "fromScim": "activate"}});
        let expected = TenantPolicy {
            sso_required: true,
            strict_required: true,
            default_license_tier: "CX2D".to_owned(),
            default_division: DefaultDivision::Named("Berlin".to_owned()),
            default_division_scope: GrantScope::Own,
            grantable_by_scim: Some(vec!["agent".to_owned(), "Team lead".to_owned()]),
            rehire: RehirePolicy {
                matching: vec![RehireMatch::ExternalId, RehireMatch::Email],
                ambiguous: Ambiguous::Reject,
                restore_grants_days: 0,
            },
            downgrade: Downgrade::Queue,
            overage: Overage::Allow,
            reclaim_pending_after_days: Some(365),
            on_deactivate: OnDeactivate::BlockAdmin,
            guard: GuardPolicy {
                max_percent: 100,
                min_count: 1,
                window_seconds: 604_800,
                action: GuardAction::Alert,
            },
            max_divisions: 1000,
            max_skills_per_user: 1,
            max_languages_per_user: 2,
            auto_agent: false,
            unique_employee_numbers: false,
            log: LogPolicy {
                personal_data: PersonalData::Clear,
                keep_days: 365,
                keep_entries: 100,
            },
            // Who logs in elsewhere is not invited here.
            activation: ActivationPolicy {
                link_ttl_days: 90,
                resend_cooldown_seconds: 0,
                auto_invite: false,
            },
            lock: LockPolicy { max_failures: 3, duration_seconds: 0 },
            passwords: PasswordPolicy {
                min_length: 15,
                composition: false,
                from_scim: FromScim::Activate,
            },
        };
        assert_eq!(policy(&given), Ok(expected));
    }

    #[test]
    fn what_a_knob_cannot_be_is_refused_with_what_it_can_be() {
        for (given, attribute, allowed) in [
            (json!({"ssoRequired": "yes"}), "ssoRequired", "true or false"),
            (json!({"provisioning": []}), "provisioning", "an object"),
            (
                json!({"provisioning": {"defaultLicenseTier": "CX5"}}),
                "provisioning.defaultLicenseTier",
                "one of CX1, CX2D, CX2, CX3D, CX3, CX4",
            ),
            (
                json!({"provisioning": {"defaultDivision": " "}}),
                "provisioning.defaultDivision",
                "a name",
            ),
            (
                json!({"roles": {"defaultDivisionScope": "none"}}),
                "roles.defaultDivisionScope",
                "one of home, own, all",
            ),
            (json!({"grantableByScim": "agent"}), "grantableByScim", "a list of names"),
            (
                json!({"rehireMatch": ["name"]}),
                "rehireMatch",
                "one of externalId, employeeNumber, email",
            ),
            (json!({"rehire": {"ambiguous": 1}}), "rehire.ambiguous", "one of hold, reject"),
            (
                json!({"rehire": {"restoreGrantsDays": 366}}),
                "rehire.restoreGrantsDays",
                "a whole number from 0 to 365",
            ),
            (
                json!({"license": {"downgrade": "no"}}),
                "license.downgrade",
                "one of deny, queue, allow",
            ),
            (json!({"seats": {"overage": "no"}}), "seats.overage", "one of deny, allow"),
            (
                json!({"seats": {"reclaimPendingAfterDays": 0}}),
                "seats.reclaimPendingAfterDays",
                "a whole number from 1 to 365",
            ),
            (
                json!({"dependencies": {"onDeactivate": "block_admin"}}),
                "dependencies.onDeactivate",
                "one of warn, blockAdmin, autoclean",
            ),
            (
                json!({"deprovisionGuard": {"maxPercent": 101}}),
                "deprovisionGuard.maxPercent",
                "a whole number from 1 to 100",
            ),
            (
                json!({"deprovisionGuard": {"minCount": 0}}),
                "deprovisionGuard.minCount",
                "a whole number from 1 on",
            ),
            (
                json!({"deprovisionGuard": {"windowSeconds": 59}}),
                "deprovisionGuard.windowSeconds",
                "a whole number from 60 to 604800",
            ),
            (
                json!({"deprovisionGuard": {"action": "stop"}}),
                "deprovisionGuard.action",
                "one of off, alert, hold",
            ),
            (json!({"divisions": {"max": 0}}), "divisions.max", "a whole number from 1 to 1000"),
            (
                json!({"skills": {"maxPerUser": 501}}),
                "skills.maxPerUser",
                "a whole number from 1 to 500",
            ),
            (
                json!({"languages": {"maxPerUser": 1.5}}),
                "languages.maxPerUser",
                "a whole number from 1 to 500",
            ),
            (
                json!({"activation": {"linkTtlDays": 91}}),
                "activation.linkTtlDays",
                "a whole number from 1 to 90",
            ),
            (
                json!({"lock": {"maxFailures": 2}}),
                "lock.maxFailures",
                "a whole number from 3 to 20",
            ),
            (
                json!({"passwords": {"minLength": 7}}),
                "passwords.minLength",
                "a whole number from 8 to 128",
            ),
        ] {
            let expected = Error::invalid_value(format!("{attribute} must be {allowed}"));
            assert_eq!(policy(&given), Err(expected), "{given}");
        }
    }
}
