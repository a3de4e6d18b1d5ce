//! What a template names.

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::error::Error;
use scim_protocol::filter;
use scim_protocol::query::{Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::Context;
use crate::names::{self, Wanted};
use crate::refusal::{Code, Refusal};
use crate::role_text::DivisionText;
use crate::skill_set::Proficiency;
use crate::tx::{MemberKind, Tx};

/// Checks that everything that a template names exists.
pub(super) fn check(tx: &mut dyn Tx, context: &Context, template: &Object) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let mut divisions = Vec::new();
    divisions.extend(text(template, "division").map(|name| ("division", name)));
    let grants = elements(template, "roleGrants");
    for grant in &grants {
        if let Some(name) = grant.get("division").and_then(Value::as_str)
            && DivisionText::of(name) != DivisionText::All
        {
            divisions.push(("roleGrants.division", name));
        }
    }
    for (attribute, name) in divisions {
        names::resolve_one(tx, tenant, ResourceType::division(), attribute, name)?;
    }
    let roles = each(&grants, "roleGrants", "role")?;
    names::resolve(tx, tenant, ResourceType::role(), "roleGrants.role", &roles)?;
    check_skills(tx, tenant, template)?;
    if let Some(name) = text(template, "capacityRule") {
        let kind = ResourceType::capacity_rule();
        names::resolve_one(tx, tenant, kind, "capacityRule", name)?;
    }
    for group in elements(template, "groups") {
        check_group(tx, context, group)?;
    }
    Ok(())
}

fn check_skills(tx: &mut dyn Tx, tenant: Uuid, template: &Object) -> Result<(), Refusal> {
    let skills = elements(template, "skills");
    let values = each(&skills, "skills", "value")?;
    let types = skills.iter().map(|skill| skill.get("type").and_then(Value::as_str));
    let wanted: Vec<_> =
        values.into_iter().zip(types).map(|(name, variant)| Wanted { variant, name }).collect();
    names::find_variants(tx, tenant, ResourceType::skill(), "skills.value", &wanted)?;
    for proficiency in skills.iter().filter_map(|skill| skill.get("proficiency")) {
        Proficiency::of(proficiency)?;
    }
    Ok(())
}

/// A group is named by its identifier, or by its name if it has none.
fn check_group(tx: &mut dyn Tx, context: &Context, group: &Value) -> Result<(), Refusal> {
    let part = |name| group.get(name).and_then(Value::as_str);
    let is_there = match (part("value"), part("display")) {
        (Some(value), _) => {
            let ids: Vec<Uuid> = crate::parse_id(value).into_iter().collect();
            let found = tx.existing(context.caller.tenant, &ids)?;
            found.iter().any(|(_, kind)| *kind == MemberKind::Group)
        }
        (None, Some(name)) => is_group_name(tx, context, name)?,
        (None, None) => return Err(Error::invalid_value("groups: name a value or display").into()),
    };
    if is_there {
        return Ok(());
    }
    let name = part("value").or(part("display")).unwrap_or_default();
    Err(Refusal::rule(
        Code::UnknownGroup,
        format!("groups: there is no Group {name:?}: create it first, or correct it"),
    ))
}

fn is_group_name(tx: &mut dyn Tx, context: &Context, name: &str) -> Result<bool, Refusal> {
    let text = format!("displayName eq {}", Value::from(name));
    let mut strict = Leniencies::new(Dialect::Strict);
    let filter = filter::parse(ResourceType::group(), &text, &mut strict)?;
    let query = Query {
        filter: Some(filter),
        sort: None,
        start: Start::Index(1),
        count: 1,
        wants_total: false,
    };
    Ok(!tx.groups(context.caller.scope(), &query)?.resources.is_empty())
}

/// The member that each element must have.
fn each<'a>(elements: &[&'a Value], attribute: &str, member: &str) -> Result<Vec<&'a str>, Error> {
    let missing = || Error::invalid_value(format!("{attribute}: each must have a {member}"));
    let members = elements.iter().map(|element| element.get(member).and_then(Value::as_str));
    members.map(|member| member.ok_or_else(missing)).collect()
}

fn text<'a>(template: &'a Object, name: &str) -> Option<&'a str> {
    template.get(name).and_then(Value::as_str)
}

fn elements<'a>(template: &'a Object, name: &str) -> Vec<&'a Value> {
    template.get(name).and_then(Value::as_array).into_iter().flatten().collect()
}
