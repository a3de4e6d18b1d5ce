//! An account as clients see it: what is kept beside its attributes, put among them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use scim_protocol::Object;
use scim_protocol::instant;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::extension::{self, ENTERPRISE, HEADCOUNT};
use crate::account::Account;
use crate::authorization::DivisionScope;
use crate::authorization::templates::EMPLOYEE;
use crate::refusal::Refusal;
use crate::skill_set::{self, SkillKind, SkillText};
use crate::tx::{Grant, Resource, SkillAssignment, Tx};

/// Attributes that no account keeps in its document: what they say is kept elsewhere, or follows.
pub(crate) const BESIDE: [(Option<&str>, &str); 27] = [
    (None, "roles"),
    (None, "groups"),
    (None, "entitlements"),
    (Some(ENTERPRISE), "division"),
    (Some(HEADCOUNT), "licenseTier"),
    (Some(HEADCOUNT), "pendingLicenseTier"),
    (Some(HEADCOUNT), "division"),
    (Some(HEADCOUNT), "divisionId"),
    (Some(HEADCOUNT), "roleGrants"),
    (Some(HEADCOUNT), "effectiveRoles"),
    (Some(HEADCOUNT), "effectivePermissions"),
    (Some(HEADCOUNT), "blockedPermissionCount"),
    (Some(HEADCOUNT), "blockedPermissions"),
    (Some(HEADCOUNT), "agent"),
    (Some(HEADCOUNT), "skills"),
    (Some(HEADCOUNT), "capacityRule"),
    (Some(HEADCOUNT), "template"),
    (Some(HEADCOUNT), "accountState"),
    (Some(HEADCOUNT), "activatedAt"),
    (Some(HEADCOUNT), "activationSentAt"),
    (Some(HEADCOUNT), "activationExpiresAt"),
    (Some(HEADCOUNT), "activationExpired"),
    (Some(HEADCOUNT), "lastLogin"),
    (Some(HEADCOUNT), "lockedUntil"),
    (Some(HEADCOUNT), "seatAssignedAt"),
    (Some(HEADCOUNT), "deactivatedAt"),
    (Some(HEADCOUNT), "dependencies"),
];

/// The account with what is said by one value each, at an instant.
pub(crate) fn with_standing(account: &Account, now: Timestamp) -> Resource {
    shown(account.clone(), now)
}

/// See [`with_standing`].
pub(crate) fn shown(account: Account, now: Timestamp) -> Resource {
    let Account { mut resource, standing } = account;
    let at = |at: Option<Timestamp>| at.map(|at| Value::String(instant::format(at)));
    let division = Value::String(standing.division.name.clone());
    let rule = standing.capacity_rule.as_ref().map(|rule| rule.name.clone().into());
    let pending = standing.pending_tier.map(|tier| tier.name().into());
    extension::set_all(&mut resource.attributes, ENTERPRISE, [("division", division.clone())]);
    let values = [
        ("licenseTier", Some(standing.tier.name().into())),
        ("pendingLicenseTier", pending),
        ("division", Some(division)),
        ("divisionId", Some(standing.division.id.to_string().into())),
        ("agent", Some(standing.agent.into())),
        ("capacityRule", rule),
        ("accountState", Some(standing.state().as_str().into())),
        ("activatedAt", at(standing.activated)),
        ("activationSentAt", at(standing.activation_sent)),
        ("activationExpiresAt", at(standing.activation_expires)),
        ("activationExpired", standing.activation_expires.map(|end| (end <= now).into())),
        ("lastLogin", at(standing.last_login)),
        ("lockedUntil", at(standing.locked_until)),
        ("seatAssignedAt", at(standing.seat_since)),
        ("deactivatedAt", at(standing.deactivated)),
    ];
    let values = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    extension::set_all(&mut resource.attributes, HEADCOUNT, values);
    resource
}

/// The resources that grants and skills refer to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Directory {
    pub(crate) roles: HashMap<Uuid, Arc<Resource>>,
    divisions: HashMap<Uuid, String>,
    skills: HashMap<Uuid, Arc<Resource>>,
    /// The role that everybody has (rule R27).
    pub(crate) employee: Option<Uuid>,
}

impl Directory {
    /// Reads what these refer to.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(
        tx: &mut dyn Tx,
        tenant: Uuid,
        roles: impl Iterator<Item = (Uuid, DivisionScope)>,
        skills: impl Iterator<Item = Uuid>,
    ) -> Result<Self, Refusal> {
        let (mut role_ids, mut division_ids) = (Vec::new(), Vec::new());
        for (role, division) in roles {
            role_ids.push(role);
            if let DivisionScope::One(id) = division {
                division_ids.push(id);
            }
        }
        let mut directory = Self::default();
        for employee in tx.objects_named(tenant, ResourceType::role(), &[EMPLOYEE.to_owned()])? {
            directory.employee = Some(employee.id);
            directory.roles.insert(employee.id, employee);
        }
        for role in read(tx, tenant, ResourceType::role(), role_ids)? {
            directory.roles.insert(role.id, role);
        }
        for division in read(tx, tenant, ResourceType::division(), division_ids)? {
            directory.divisions.insert(division.id, name(&division).to_owned());
        }
        for skill in read(tx, tenant, ResourceType::skill(), skills.collect())? {
            directory.skills.insert(skill.id, skill);
        }
        Ok(directory)
    }

    fn role(&self, id: Uuid) -> &str {
        self.roles.get(&id).map_or("", |role| name(role))
    }

    /// The name of a division, or `*` for all.
    pub(crate) fn division(&self, scope: DivisionScope) -> &str {
        match scope {
            DivisionScope::All => "*",
            DivisionScope::One(id) => self.divisions.get(&id).map_or("", String::as_str),
        }
    }
}

fn read(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    mut ids: Vec<Uuid>,
) -> Result<Vec<Arc<Resource>>, Refusal> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.objects_with_ids(tenant, kind, &ids)?)
}

pub(crate) fn name(resource: &Resource) -> &str {
    resource.attributes.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a resource that can be disabled is not.
pub(crate) fn is_enabled(resource: &Resource) -> bool {
    resource.attributes.get("state").and_then(Value::as_str) != Some("disabled")
}

/// Adds `roles` and `roleGrants`: the account's own, never those of its groups (rule R29). Each role
/// is in `roles` once, wherever it is granted.
pub(crate) fn add_grants(attributes: &mut Object, grants: &[&Grant], directory: &Directory) {
    let enabled = attributes.get("active") == Some(&Value::Bool(true));
    let mut roles: Vec<Value> = Vec::new();
    let mut granted: Vec<Value> = Vec::new();
    if let Some(employee) = directory.employee {
        let role = directory.role(employee);
        let home = extension::text(attributes, Some(HEADCOUNT), "division").unwrap_or_default();
        let live = enabled && directory.roles.get(&employee).is_some_and(|role| is_enabled(role));
        roles.push(json!({"value": role, "display": role}));
        granted.push(json!({"role": role, "roleId": employee, "division": home,
            "source": "system", "effective": live}));
    }
    for grant in grants {
        let role = directory.role(grant.role);
        let live =
            !grant.dormant && directory.roles.get(&grant.role).is_some_and(|role| is_enabled(role));
        granted.push(json!({"role": role, "roleId": grant.role,
            "division": directory.division(grant.division), "source": grant.source,
            "effective": enabled && live}));
        if roles.iter().all(|listed| listed["value"] != role) {
            let mut listed = json!({"value": role, "display": role});
            if grant.primary {
                listed["primary"] = true.into();
            }
            roles.push(listed);
        }
    }
    extension::set(attributes, None, "roles", Some(roles.into()));
    extension::set(attributes, Some(HEADCOUNT), "roleGrants", Some(granted.into()));
}

/// Adds `skills` and `skillSet`, which is what the client sent while it still says the same.
pub(crate) fn add_skills(
    attributes: &mut Object,
    skills: &[&SkillAssignment],
    directory: &Directory,
) {
    let (mut listed, mut texts) = (Vec::new(), Vec::new());
    for assignment in skills {
        let Some(skill) = directory.skills.get(&assignment.skill) else { continue };
        let kind = skill.attributes.get("kind").and_then(Value::as_str).unwrap_or("skill");
        let kind = SkillKind::named(kind).unwrap_or(SkillKind::Skill);
        let name = name(skill);
        listed.push(json!({"value": name, "display": name, "type": kind.as_str(),
            "proficiency": assignment.proficiency.to_value(),
            "active": assignment.active && is_enabled(skill)}));
        let proficiency = assignment.proficiency;
        texts.push(SkillText { name: name.to_owned(), kind, proficiency });
    }
    let sent = extension::text(attributes, Some(HEADCOUNT), "skillSet");
    let is_same = sent.is_some_and(|sent| skill_set::means(sent, &texts));
    if !is_same {
        let text = (!texts.is_empty()).then(|| skill_set::render(&texts).into());
        extension::set(attributes, Some(HEADCOUNT), "skillSet", text);
    }
    if !listed.is_empty() {
        extension::set(attributes, Some(HEADCOUNT), "skills", Some(listed.into()));
    }
}
