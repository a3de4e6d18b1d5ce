//! The resource types there are, and the data files they are made of.
#![allow(clippy::expect_used, reason = "a test reads every data file")]

use std::sync::LazyLock;

use super::{Attribute, Extension, ResourceType, Schema};

impl ResourceType {
    /// `User`: RFC 7643 section 4.1 with the enterprise extension of section 4.3 and the account
    /// model's.
    pub fn user() -> &'static Self {
        &USER
    }

    /// The same with the extension of Genesys Cloud, for connections whose mappings were made for
    /// that. To every other connection its URN is unknown.
    pub fn user_with_genesys() -> &'static Self {
        &USER_WITH_GENESYS
    }

    /// `Group`: RFC 7643 section 4.2 with the account model's extension.
    pub fn group() -> &'static Self {
        &GROUP
    }

    /// `Role`: a named set of permissions.
    pub fn role() -> &'static Self {
        &ROLE
    }

    /// `Division`: a part of the organization.
    pub fn division() -> &'static Self {
        &DIVISION
    }

    /// `Skill`: a skill or language by which work is routed.
    pub fn skill() -> &'static Self {
        &SKILL
    }

    /// `LicenseTier`: a license tier and its seats.
    pub fn license_tier() -> &'static Self {
        &LICENSE_TIER
    }

    /// `CapacityRule`: how much an agent handles at once.
    pub fn capacity_rule() -> &'static Self {
        &CAPACITY_RULE
    }

    /// `UserTemplate`: values that users are created with.
    pub fn user_template() -> &'static Self {
        &USER_TEMPLATE
    }

    /// `ProvisioningRule`: which template an incoming user gets.
    pub fn provisioning_rule() -> &'static Self {
        &PROVISIONING_RULE
    }

    /// `RehireCase`: an incoming user who may be known from before.
    pub fn rehire_case() -> &'static Self {
        &REHIRE_CASE
    }

    /// `ChangeLogEntry`: a change that was made or refused.
    pub fn change_log_entry() -> &'static Self {
        &CHANGE_LOG_ENTRY
    }

    /// `ProvisioningLogEntry`: a request of a client and its answer.
    pub fn provisioning_log_entry() -> &'static Self {
        &PROVISIONING_LOG_ENTRY
    }

    /// `Connection`: a client that provisions users and groups.
    pub fn connection() -> &'static Self {
        &CONNECTION
    }

    /// `Tenant`: the organization and its policy.
    pub fn tenant() -> &'static Self {
        &TENANT
    }

    /// Every resource type, in the order of discovery. The last one has resources that come and go
    /// with each request.
    pub fn all() -> [&'static Self; 14] {
        [
            &USER,
            &GROUP,
            &ROLE,
            &DIVISION,
            &SKILL,
            &LICENSE_TIER,
            &CAPACITY_RULE,
            &USER_TEMPLATE,
            &PROVISIONING_RULE,
            &REHIRE_CASE,
            &CHANGE_LOG_ENTRY,
            &CONNECTION,
            &TENANT,
            &PROVISIONING_LOG_ENTRY,
        ]
    }
}

macro_rules! data {
    ($file:literal) => {
        serde_json::from_str(include_str!(concat!("../../schemas/", $file))).expect(concat!(
            "schemas/",
            $file,
            " is checked by a test"
        ))
    };
}

pub(super) static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| data!("common.json"));

static USER: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "A person with an account",
    schema: data!("user.json"),
    extensions: vec![
        Extension { schema: data!("enterprise_user.json"), required: false },
        Extension { schema: data!("headcount_user.json"), required: false },
    ],
});

static USER_WITH_GENESYS: LazyLock<ResourceType> = LazyLock::new(|| {
    let mut user = USER.clone();
    user.extensions.push(Extension { schema: data!("genesys_user.json"), required: false });
    user
});

static GROUP: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "A set of people and groups",
    schema: data!("group.json"),
    extensions: vec![Extension { schema: data!("headcount_group.json"), required: false }],
});

static ROLE: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Role",
    endpoint: "/Roles",
    description: "A named set of permissions",
    schema: data!("role.json"),
    extensions: Vec::new(),
});

static DIVISION: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Division",
    endpoint: "/Divisions",
    description: "A part of the organization",
    schema: data!("division.json"),
    extensions: Vec::new(),
});

static SKILL: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Skill",
    endpoint: "/Skills",
    description: "A skill or language by which work is routed",
    schema: data!("skill.json"),
    extensions: Vec::new(),
});

static LICENSE_TIER: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "LicenseTier",
    endpoint: "/LicenseTiers",
    description: "A license tier and its seats",
    schema: data!("license_tier.json"),
    extensions: Vec::new(),
});

static CAPACITY_RULE: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "CapacityRule",
    endpoint: "/CapacityRules",
    description: "How much an agent handles at once",
    schema: data!("capacity_rule.json"),
    extensions: Vec::new(),
});

static USER_TEMPLATE: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "UserTemplate",
    endpoint: "/UserTemplates",
    description: "Values that users are created with",
    schema: data!("user_template.json"),
    extensions: Vec::new(),
});

static PROVISIONING_RULE: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "ProvisioningRule",
    endpoint: "/ProvisioningRules",
    description: "Which template an incoming user gets",
    schema: data!("provisioning_rule.json"),
    extensions: Vec::new(),
});

static REHIRE_CASE: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "RehireCase",
    endpoint: "/RehireCases",
    description: "An incoming user who may be known from before",
    schema: data!("rehire_case.json"),
    extensions: Vec::new(),
});

static CHANGE_LOG_ENTRY: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "ChangeLogEntry",
    endpoint: "/ChangeLogEntries",
    description: "A change that was made or refused",
    schema: data!("change_log_entry.json"),
    extensions: Vec::new(),
});

static PROVISIONING_LOG_ENTRY: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "ProvisioningLogEntry",
    endpoint: "/ProvisioningLogEntries",
    description: "A request of a client and what it was answered",
    schema: data!("provisioning_log_entry.json"),
    extensions: Vec::new(),
});

static CONNECTION: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Connection",
    endpoint: "/Connections",
    description: "A client that provisions users and groups",
    schema: data!("connection.json"),
    extensions: Vec::new(),
});

static TENANT: LazyLock<ResourceType> = LazyLock::new(|| ResourceType {
    name: "Tenant",
    endpoint: "/Tenants",
    description: "The organization and its policy",
    schema: data!("tenant.json"),
    extensions: Vec::new(),
});

static DISCOVERY: LazyLock<[Schema; 3]> = LazyLock::new(|| {
    [data!("service_provider_config.json"), data!("resource_type.json"), data!("schema.json")]
});

/// The schemas of discovery's own resources: `ServiceProviderConfig`, `ResourceType`, `Schema`.
pub fn of_discovery() -> &'static [Schema] {
    DISCOVERY.as_slice()
}
