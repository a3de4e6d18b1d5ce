//! Where each attribute is kept.

use scim_protocol::schema::{AttributeRef, ResourceType, Returned};

use super::effective::{BLOCKED, EFFECTIVE_ROLES};

/// A kind of resource that can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Users,
    Groups,
    /// The table of all other types, of which it is this one.
    Objects(&'static str),
    ChangeLog,
    ProvisioningLog,
}

/// What clients asked for, with the columns that every resource has. On SQLite it is in a file of
/// its own, which readers have beside theirs.
const PROVISIONING_LOG: &str = "(SELECT tenant_id, id, CAST(1 AS bigint) AS version, \
    at AS created_at, at AS modified_at, NULL AS deleted_at, document, search, connection_id, \
    resource_id, status FROM provisioning_log)";

/// The entries of the log with the columns that every resource has.
const CHANGE_LOG: &str = "(SELECT tenant_id, id, CAST(1 AS bigint) AS version, at AS created_at, \
    at AS modified_at, NULL AS deleted_at, COALESCE(changes, '[]') AS document, actor_type, \
    actor_id, source, request_id, action, resource_type, resource_id, version AS of_version, rule, \
    reason FROM change_log)";

impl Table {
    /// Where resources of a type are.
    pub(crate) fn of(kind: &'static ResourceType) -> Self {
        match kind.name {
            "User" => Self::Users,
            "Group" => Self::Groups,
            "ChangeLogEntry" => Self::ChangeLog,
            "ProvisioningLogEntry" => Self::ProvisioningLog,
            name => Self::Objects(name),
        }
    }

    /// The table's name, quoted where it is a keyword.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "\"groups\"",
            Self::Objects(_) => "objects",
            Self::ChangeLog => CHANGE_LOG,
            Self::ProvisioningLog => PROVISIONING_LOG,
        }
    }

    /// The name of the resource type.
    pub(crate) fn resource_type(self) -> &'static str {
        match self {
            Self::Users => "User",
            Self::Groups => "Group",
            Self::Objects(resource_type) => resource_type,
            Self::ChangeLog => "ChangeLogEntry",
            Self::ProvisioningLog => "ProvisioningLogEntry",
        }
    }

    /// The condition of being of the type, where the table has several.
    pub(crate) fn is_type(self) -> Option<String> {
        match self {
            Self::Objects(resource_type) => {
                Some(format!("resource.resource_type = '{resource_type}'"))
            }
            Self::Users | Self::Groups | Self::ChangeLog | Self::ProvisioningLog => None,
        }
    }
}

/// The form in which a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text as it is compared.
    Text,
    /// A boolean.
    Boolean,
    /// An instant.
    Instant,
    /// An identifier.
    Id,
    /// A number.
    Integer,
    /// The version number, of which the `ETag` is made.
    Version,
    /// One of two texts, told apart by a boolean.
    Either(&'static str, &'static str),
    /// Always the same text.
    Always(&'static str),
    /// One of a few words, which the expression names itself.
    Words,
    /// A number.
    Decimal,
    /// The identifier of a resource of this type, that stands for its name.
    Named(&'static str),
}

/// A value in a column of the resource's own row, or of a row in a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// An SQL expression, in which `{now}` stands for when the scope asks.
    pub(crate) sql: &'static str,
    /// What it holds.
    pub(crate) form: Form,
}

pub(super) const fn column(sql: &'static str, form: Form) -> Column {
    Column { sql, form }
}

/// A table that has a row for each value of an attribute.
#[derive(Debug)]
pub(crate) struct SideTable {
    /// The FROM item; its alias is `side`, and `{tenant}` and `{now}` in it stand for those of the
    /// scope.
    pub(crate) from: &'static str,
    /// The identifier of the resource that has the value.
    pub(crate) owner: &'static str,
    /// Whether only rows of the scope's connection and this resource type count.
    pub(crate) of_connection: Option<&'static str>,
    /// The value of the resources without a row; none if theirs is unassigned.
    pub(crate) of_others: Option<Column>,
    /// The sub-attributes (or the attribute itself, under its own name) that it has.
    pub(crate) columns: &'static [(&'static str, Column)],
}

impl SideTable {
    /// The column of this attribute or sub-attribute.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }
}

/// Where an attribute is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In a column of the resource's row.
    Column(Column),
    /// In a table of its own.
    Side(&'static SideTable),
    /// In the memberships of a user, its own and those of its groups.
    Groups,
    /// In the search document.
    Document,
    /// Nowhere that can be searched.
    Nowhere,
}

impl Place {
    /// Whether a query of its own finds it: one that looks at all that the tenant has of it.
    pub(crate) fn is_query(self) -> bool {
        match self {
            Self::Side(side) => side.from.starts_with('('),
            Self::Groups => true,
            Self::Column(_) | Self::Document | Self::Nowhere => false,
        }
    }
}

const EMAILS: SideTable = SideTable {
    from: "user_emails AS side",
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("value", column("side.value_key", Form::Text)),
        ("type", column("side.type_key", Form::Text)),
        ("primary", column("side.is_primary", Form::Boolean)),
    ],
};

/// The groups of which a user is a member.
pub(crate) const GROUPS_OF_USER: SideTable = SideTable {
    from: "memberships AS side",
    owner: "side.member_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("value", column("side.group_id", Form::Id)),
        ("type", column("side.group_id", Form::Always("direct"))),
        ("display", column(NAME_OF_GROUP, Form::Text)),
    ],
};

/// A group that is a member of another, which all that it holds are then in too.
pub(crate) const GROUPS_ABOVE_USER: SideTable = SideTable {
    columns: &[
        ("value", column("side.group_id", Form::Id)),
        ("type", column("side.group_id", Form::Always("indirect"))),
        ("display", column(NAME_OF_GROUP, Form::Text)),
    ],
    ..GROUPS_OF_USER
};

const NAME_OF_GROUP: &str = "(SELECT g.display_name_key FROM \"groups\" AS g \
    WHERE g.tenant_id = side.tenant_id AND g.id = side.group_id)";

const MEMBERS: SideTable = SideTable {
    from: "memberships AS side",
    owner: "side.group_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("value", column("side.member_id", Form::Id)),
        ("type", column("side.is_group", Form::Either("group", "user"))),
        (
            "display",
            column(
                "COALESCE((SELECT COALESCE(u.display_name_key, u.user_name_key) FROM users AS u \
                  WHERE u.tenant_id = side.tenant_id AND u.id = side.member_id), \
                  (SELECT g.display_name_key FROM \"groups\" AS g \
                  WHERE g.tenant_id = side.tenant_id AND g.id = side.member_id))",
                Form::Text,
            ),
        ),
    ],
};

/// The role that every account has is in no row of `grants`. A grant that slept too long is over,
/// also while its row is still there.
const ROLES: SideTable = SideTable {
    from: "(SELECT held.tenant_id, held.subject_id AS user_id, role.name_key, \
        NULLIF(held.is_primary, FALSE) AS is_primary FROM grants AS held JOIN objects AS role \
        ON role.tenant_id = held.tenant_id AND role.id = held.role_id WHERE NOT held.is_group \
        AND (held.purge_at IS NULL OR held.purge_at > {now}) \
        UNION ALL SELECT everybody.tenant_id, everybody.id, employee.name_key, \
        CAST(NULL AS boolean) FROM objects AS employee JOIN users AS everybody \
        ON everybody.tenant_id = employee.tenant_id WHERE employee.resource_type = 'Role' \
        AND employee.name_key = 'employee' AND employee.deleted_at IS NULL) AS side",
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("value", column("side.name_key", Form::Text)),
        ("display", column("side.name_key", Form::Text)),
        ("type", column("CAST(NULL AS text)", Form::Text)),
        ("primary", column("side.is_primary", Form::Boolean)),
    ],
};

/// Of a role that is disabled, of an account that is, and of a grant that sleeps, none is effective.
const ROLE_GRANTS: SideTable = SideTable {
    from: "(SELECT held.tenant_id, held.subject_id AS user_id, held.role_id, \
        role.name_key AS role_key, COALESCE(division.name_key, '*') AS division_key, \
        held.source, (u.active AND NOT held.dormant \
        AND COALESCE(role.search ->> 'state', '') <> 'disabled') AS effective \
        FROM grants AS held JOIN objects AS role \
        ON role.tenant_id = held.tenant_id AND role.id = held.role_id \
        JOIN users AS u ON u.tenant_id = held.tenant_id AND u.id = held.subject_id \
        LEFT JOIN objects AS division \
        ON division.tenant_id = held.tenant_id AND division.id = held.division_id \
        WHERE NOT held.is_group AND (held.purge_at IS NULL OR held.purge_at > {now}) \
        UNION ALL SELECT everybody.tenant_id, everybody.id, employee.id, employee.name_key, \
        home.name_key, 'system', (everybody.active \
        AND COALESCE(employee.search ->> 'state', '') <> 'disabled') \
        FROM objects AS employee JOIN users AS everybody \
        ON everybody.tenant_id = employee.tenant_id JOIN objects AS home \
        ON home.tenant_id = everybody.tenant_id AND home.id = everybody.division_id \
        WHERE employee.resource_type = 'Role' AND employee.name_key = 'employee' \
        AND employee.deleted_at IS NULL) AS side",
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("role", column("side.role_key", Form::Text)),
        ("roleId", column("side.role_id", Form::Id)),
        ("division", column("side.division_key", Form::Text)),
        ("source", column("side.source", Form::Words)),
        ("effective", column("side.effective", Form::Boolean)),
    ],
};

const GRANTS_OF_GROUP: SideTable = SideTable {
    from: "(SELECT held.tenant_id, held.subject_id AS group_id, held.role_id, \
        role.name_key AS role_key, COALESCE(division.name_key, '*') AS division_key \
        FROM grants AS held JOIN objects AS role \
        ON role.tenant_id = held.tenant_id AND role.id = held.role_id \
        LEFT JOIN objects AS division \
        ON division.tenant_id = held.tenant_id AND division.id = held.division_id \
        WHERE held.is_group) AS side",
    owner: "side.group_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("role", column("side.role_key", Form::Text)),
        ("roleId", column("side.role_id", Form::Id)),
        ("division", column("side.division_key", Form::Text)),
    ],
};

const SKILLS: SideTable = SideTable {
    from: "(SELECT assigned.tenant_id, assigned.user_id, skill.name_key, \
        skill.variant AS kind, assigned.proficiency, (assigned.active \
        AND COALESCE(skill.search ->> 'state', '') <> 'disabled') AS active FROM skill_assignments AS assigned \
        JOIN objects AS skill \
        ON skill.tenant_id = assigned.tenant_id AND skill.id = assigned.skill_id) AS side",
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("value", column("side.name_key", Form::Text)),
        ("display", column("side.name_key", Form::Text)),
        ("type", column("side.kind", Form::Text)),
        ("proficiency", column("(side.proficiency / 10.0)", Form::Decimal)),
        ("active", column("side.active", Form::Boolean)),
    ],
};

/// Where an attribute of our extension of a user is kept.
fn of_account(name: &str) -> Place {
    let own = |sql, form| Place::Column(column(sql, form));
    match name {
        "licenseTier" => own("resource.license_tier", Form::Text),
        "pendingLicenseTier" => own("resource.pending_tier", Form::Text),
        "division" => own("resource.division_id", Form::Named("Division")),
        "divisionId" => own("resource.division_id", Form::Id),
        "capacityRule" => own("resource.capacity_rule_id", Form::Named("CapacityRule")),
        "agent" => own("resource.is_agent", Form::Boolean),
        "accountState" => own(ACCOUNT_STATE, Form::Words),
        "activatedAt" => own("resource.activated_at", Form::Instant),
        "activationSentAt" => own("resource.activation_sent_at", Form::Instant),
        "activationExpiresAt" => own("resource.activation_expires_at", Form::Instant),
        "activationExpired" => own("(resource.activation_expires_at <= {now})", Form::Boolean),
        "lockedUntil" => own(LOCKED_UNTIL, Form::Instant),
        "seatAssignedAt" => own("resource.seat_since", Form::Instant),
        "deactivatedAt" => own("resource.deactivated_at", Form::Instant),
        "lastLogin" => own(LAST_LOGIN, Form::Instant),
        "roleGrants" => Place::Side(&ROLE_GRANTS),
        "skills" => Place::Side(&SKILLS),
        "effectiveRoles" => Place::Side(&EFFECTIVE_ROLES),
        "blockedPermissionCount" => Place::Side(&BLOCKED),
        "effectivePermissions" | "blockedPermissions" | "skillSet" | "dependencies" => {
            Place::Nowhere
        }
        _ => Place::Document,
    }
}

/// Where an attribute of our extension of a group is kept.
fn of_group(name: &str, sub: Option<&str>) -> Place {
    let own = |sql, form| Place::Column(column(sql, form));
    match (name, sub) {
        ("kind", _) => own("resource.kind", Form::Text),
        ("enabled", _) => own("resource.enabled", Form::Boolean),
        ("capacityRule", _) => own("resource.capacity_rule_id", Form::Named("CapacityRule")),
        ("priority", _) => own("resource.priority", Form::Decimal),
        ("roleGrants", _) => Place::Side(&GRANTS_OF_GROUP),
        // What the managers are called is found out when they are read.
        ("memberCount", _) | ("managers", Some("display" | "$ref")) => Place::Nowhere,
        _ => Place::Document,
    }
}

const ACCOUNT_STATE: &str = "(CASE WHEN NOT resource.active THEN 'deactivated' \
    WHEN resource.activated_at IS NULL THEN 'pendingactivation' \
    WHEN resource.locked_until > {now} THEN 'locked' ELSE 'active' END)";

/// A lock that is over is none.
const LOCKED_UNTIL: &str =
    "(CASE WHEN resource.locked_until > {now} THEN resource.locked_until END)";

const LAST_LOGIN: &str = "(SELECT login.at FROM last_logins AS login \
    WHERE login.tenant_id = resource.tenant_id AND login.user_id = resource.id)";

/// Where an attribute of the extension for Genesys Cloud mappings is kept, which is another name for
/// one of ours.
fn of_alias(name: &str) -> Place {
    match name {
        "routingSkills" => Place::Side(&ROUTING_SKILLS),
        "routingLanguages" => Place::Side(&ROUTING_LANGUAGES),
        _ => Place::Document,
    }
}

const ROUTING_SKILLS: SideTable = SideTable {
    from: "(SELECT assigned.tenant_id, assigned.user_id, skill.name_key, assigned.proficiency \
        FROM skill_assignments AS assigned JOIN objects AS skill \
        ON skill.tenant_id = assigned.tenant_id AND skill.id = assigned.skill_id \
        WHERE skill.variant = 'skill') AS side",
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[
        ("name", column("side.name_key", Form::Text)),
        ("proficiency", column("(side.proficiency / 10.0)", Form::Decimal)),
    ],
};

const ROUTING_LANGUAGES: SideTable = SideTable {
    from: "(SELECT assigned.tenant_id, assigned.user_id, skill.name_key, assigned.proficiency \
        FROM skill_assignments AS assigned JOIN objects AS skill \
        ON skill.tenant_id = assigned.tenant_id AND skill.id = assigned.skill_id \
        WHERE skill.variant = 'language') AS side",
    ..ROUTING_SKILLS
};

/// The extension whose attributes the document has for those of this one.
pub(crate) fn kept_as(urn: &str) -> &str {
    if urn == GENESYS { HEADCOUNT } else { urn }
}

const GENESYS: &str = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HEADCOUNT_GROUP: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

const EXTERNAL_ID_OF_USER: SideTable = SideTable {
    from: "external_ids AS side",
    owner: "side.resource_id",
    of_connection: Some("User"),
    of_others: None,
    columns: &[("externalId", column("side.external_id", Form::Text))],
};

const EXTERNAL_ID_OF_GROUP: SideTable =
    SideTable { of_connection: Some("Group"), ..EXTERNAL_ID_OF_USER };

/// Where an attribute of an entry of the log is kept. Their words are ASCII. The changes and the reason
/// are not kept in the form in which they would be compared.
fn in_change_log(name: &str, sub: Option<&str>) -> Place {
    let (sql, form) = match (name, sub) {
        ("schemas", _) => ("resource.id", Form::Always(LOG_SCHEMA)),
        // No client gives an entry a name of its own.
        ("externalId", _) => ("CAST(NULL AS text)", Form::Text),
        ("at", _) => ("resource.created_at", Form::Instant),
        ("actor", None) => ("resource.actor_type", Form::Text),
        ("actor", Some("value")) => ("resource.actor_id", Form::Id),
        ("actor", Some("type")) => ("lower(resource.actor_type)", Form::Text),
        ("source", _) => ("lower(resource.source)", Form::Text),
        ("requestId", _) => ("resource.request_id", Form::Id),
        ("action", _) => ("lower(resource.action)", Form::Text),
        ("resourceType", _) => ("lower(resource.resource_type)", Form::Text),
        ("resourceId", _) => ("resource.resource_id", Form::Id),
        ("rule", _) => ("lower(resource.rule)", Form::Text),
        ("versionBefore", _) => ("NULLIF(resource.of_version - 1, 0)", Form::Integer),
        ("versionAfter", _) => ("resource.of_version", Form::Integer),
        _ => return Place::Nowhere,
    };
    Place::Column(column(sql, form))
}

const LOG_SCHEMA: &str = "urn:ietf:params:scim:schemas:headcount:2.0:ChangeLogEntry";

/// Where an attribute of the provisioning log is kept. What is not looked for often is in the
/// document.
fn in_provisioning_log(name: &str, sub: Option<&str>) -> Place {
    let (sql, form) = match (name, sub) {
        ("at", _) => ("resource.created_at", Form::Instant),
        ("connection", Some("value")) => ("resource.connection_id", Form::Id),
        ("resourceId", _) => ("resource.resource_id", Form::Id),
        ("status", _) => ("resource.status", Form::Integer),
        _ => return Place::Document,
    };
    Place::Column(column(sql, form))
}

/// What is computed when a resource is read: the type, and its attributes.
const COMPUTED: &[(&str, &[&str])] = &[
    ("Connection", &["leniencies"]),
    ("Division", &["objectCounts"]),
    ("LicenseTier", &["usedSeats", "freeSeats"]),
    ("Role", &["needsUpdate", "permissions", "requiredCapabilities", "userCount"]),
];

fn is_computed(table: Table, attribute: &str) -> bool {
    let mut of_type = COMPUTED.iter().filter(|(kind, _)| *kind == table.resource_type());
    of_type.any(|(_, attributes)| attributes.contains(&attribute))
}

/// Where an attribute of a resource of this table is kept.
pub(crate) fn place(table: Table, attribute: AttributeRef) -> Place {
    if attribute.leaf().returned == Returned::Never {
        return Place::Nowhere;
    }
    let name = attribute.attribute.name.as_str();
    match (table, attribute.extension.map(|schema| schema.id.as_str())) {
        (_, None) => {}
        (Table::Users, Some(HEADCOUNT)) => return of_account(name),
        (Table::Users, Some(GENESYS)) => return of_alias(name),
        (Table::Groups, Some(HEADCOUNT_GROUP)) => {
            return of_group(name, attribute.sub.map(|sub| sub.name.as_str()));
        }
        (Table::Users, Some(ENTERPRISE)) if name == "division" => return of_account(name),
        (Table::Users, Some(ENTERPRISE)) if name == "employeeNumber" => {
            return Place::Column(column("resource.employee_number_key", Form::Text));
        }
        _ => return Place::Document,
    }
    if is_computed(table, &attribute.attribute.name) {
        return Place::Nowhere;
    }
    let sub = attribute.sub.map(|sub| sub.name.as_str());
    let own = |sql, form| Place::Column(column(sql, form));
    match (table, name, sub) {
        (_, "id", _) => own("resource.id", Form::Id),
        (_, "meta", Some("created")) => own("resource.created_at", Form::Instant),
        (_, "meta", Some("lastModified")) => own("resource.modified_at", Form::Instant),
        (_, "meta", Some("version")) => own("resource.version", Form::Version),
        (_, "meta", Some("resourceType") | None) => {
            own("resource.id", Form::Always(table.resource_type()))
        }
        // Locations depend on where the server is reached.
        (_, "meta", _)
        | (_, "groups" | "members", Some("$ref"))
        | (Table::Users, "entitlements", _) => Place::Nowhere,
        (Table::Users, "externalId", _) => Place::Side(&EXTERNAL_ID_OF_USER),
        (Table::Groups, "externalId", _) => Place::Side(&EXTERNAL_ID_OF_GROUP),
        // Only users and groups come from clients that have identifiers of their own.
        (Table::Objects(_), "name", _) => own("resource.name_key", Form::Text),
        (Table::Objects(_), _, _) => Place::Document,
        (Table::ChangeLog, name, sub) => in_change_log(name, sub),
        (Table::ProvisioningLog, name, sub) => in_provisioning_log(name, sub),
        (Table::Users, "userName", _) => own("resource.user_name_key", Form::Text),
        (_, "displayName", _) => own("resource.display_name_key", Form::Text),
        (Table::Users, "active", _) => own("resource.active", Form::Boolean),
        (Table::Users, "emails", _) => Place::Side(&EMAILS),
        (Table::Users, "groups", _) => Place::Groups,
        (Table::Users, "roles", _) => Place::Side(&ROLES),
        (Table::Groups, "members", _) => Place::Side(&MEMBERS),
        _ => Place::Document,
    }
}
