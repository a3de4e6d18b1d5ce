//! A template made of an account (domain model 2.10, `fromAccountId`).

use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::UserTemplates;
use crate::Context;
use crate::authorization::DivisionScope;
use crate::objects::{self, ObjectType};
use crate::provisioning::{ENTERPRISE, HEADCOUNT};
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::users::is_over;

/// What is copied as it is, and the extension in which an account has it.
const COPIED: [(&str, Option<&str>); 7] = [
    ("title", None),
    ("locale", None),
    ("timezone", None),
    ("preferredLanguage", None),
    ("department", Some(ENTERPRISE)),
    ("site", Some(HEADCOUNT)),
    ("businessUnits", Some(HEADCOUNT)),
];

/// Makes a template of what an account has, besides what is its own: its identity, its credentials
/// and its state. Roles that it has through groups come with the groups.
///
/// # Errors
/// As [`objects::create`]; also an unknown account.
pub fn from_account(
    tx: &mut dyn Tx,
    context: &Context,
    account: Uuid,
    name: &str,
) -> Result<Resource, Refusal> {
    context.caller.require(Right::Admin)?;
    let tenant = context.caller.tenant;
    let found = tx.user(context.caller.scope(), account)?;
    let account = found.ok_or_else(|| Refusal::not_found("User", account))?;
    let id = account.resource.id;

    let mut template = Object::new();
    let mut set = |name: &str, value: Option<Value>| {
        value.map(|value| template.insert(name.to_owned(), value));
    };
    set("name", Some(name.into()));
    for (name, extension) in COPIED {
        let attributes = &account.resource.attributes;
        let place = match extension {
            None => Some(attributes),
            Some(extension) => attributes.get(extension).and_then(Value::as_object),
        };
        set(name, place.and_then(|place| place.get(name)).cloned());
    }
    let standing = account.standing;
    let division = name_of(tx, tenant, ResourceType::division(), standing.division.id)?;
    set("division", division.map(Value::from));
    set("licenseTier", Some(standing.tier.name().into()));
    set("agent", standing.agent.then_some(Value::Bool(true)));
    set("capacityRule", standing.capacity_rule.map(|rule| rule.name.into()));
    set("roleGrants", some(role_grants(tx, context, id)?));
    set("skills", some(skills(tx, tenant, id)?));
    let groups = tx.memberships_of(tenant, &[id])?;
    let group =
        |group: &crate::tx::MembershipOf| json!({"value": group.group, "display": group.display});
    set("groups", some(groups.iter().map(group).collect()));

    let template =
        scim_protocol::resource::in_schema_order(UserTemplates::resource_type(), template);
    objects::create::<UserTemplates>(tx, context, (context.new_id)(), template)
}

fn role_grants(tx: &mut dyn Tx, context: &Context, account: Uuid) -> Result<Vec<Value>, Refusal> {
    let (tenant, mut grants) = (context.caller.tenant, Vec::new());
    let mut held = tx.grants_of(tenant, &[account])?;
    held.retain(|grant| !is_over(grant, context.now));
    for grant in held {
        let role = name_of(tx, tenant, ResourceType::role(), grant.role)?;
        let division = match grant.division {
            DivisionScope::All => Some("*".to_owned()),
            DivisionScope::One(id) => name_of(tx, tenant, ResourceType::division(), id)?,
        };
        // A role or division that is gone gives nothing.
        if let (Some(role), Some(division)) = (role, division) {
            grants.push(json!({"role": role, "division": division}));
        }
    }
    Ok(grants)
}

fn skills(tx: &mut dyn Tx, tenant: Uuid, account: Uuid) -> Result<Vec<Value>, Refusal> {
    let held = tx.skills_of(tenant, &[account])?;
    let ids: Vec<Uuid> = held.iter().map(|(_, skill)| skill.skill).collect();
    let found = tx.objects_with_ids(tenant, ResourceType::skill(), &ids)?;
    let skill = |held: &crate::tx::SkillAssignment| {
        let skill = found.iter().find(|skill| skill.id == held.skill)?;
        let (name, kind) = (skill.attributes.get("name")?, skill.attributes.get("kind")?);
        let proficiency = held.proficiency.to_value();
        Some(
            json!({"value": name, "type": kind, "proficiency": proficiency, "active": held.active}),
        )
    };
    Ok(held.iter().filter_map(|(_, held)| skill(held)).collect())
}

fn name_of(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    id: Uuid,
) -> Result<Option<String>, Refusal> {
    let found = tx.objects_with_ids(tenant, kind, &[id])?;
    let name = found.first().and_then(|one| one.attributes.get("name")?.as_str());
    Ok(name.map(str::to_owned))
}

fn some(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}
