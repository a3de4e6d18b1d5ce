//! Names of roles, divisions, skills and their like in what a client sends (rule R22).
//!
//! A resource is named by its name, without case, or by its identifier. What nobody has created is
//! refused and never created on the fly: a typing error must not become a division.

use std::sync::Arc;

use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use crate::account::Named;
use crate::parse_id;
use crate::refusal::{Code, Refusal};
use crate::tx::{Resource, Tx};

/// The resources of a type that have these names or identifiers, in this order. `attribute` is
/// where the client wrote them.
///
/// # Errors
/// Refuses a name that no resource has (R22), and one that two have: a skill and a language.
pub fn resolve(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    attribute: &str,
    names: &[&str],
) -> Result<Vec<Named>, Refusal> {
    let resources = find(tx, tenant, kind, attribute, names)?;
    Ok(resources.iter().map(named).collect())
}

/// As [`resolve`], of one name.
///
/// # Errors
/// As [`resolve`]
pub fn resolve_one(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    attribute: &str,
    name: &str,
) -> Result<Named, Refusal> {
    let wanted = [Wanted { variant: None, name }];
    let found = look_up(tx, tenant, kind, &wanted)?;
    the_one(&found, kind, attribute, &wanted[0]).map(named)
}

/// As [`resolve`], with all that the resources are.
///
/// # Errors
/// As [`resolve`]
pub fn find(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    attribute: &str,
    names: &[&str],
) -> Result<Vec<Resource>, Refusal> {
    let wanted: Vec<_> = names.iter().map(|name| Wanted { variant: None, name }).collect();
    find_variants(tx, tenant, kind, attribute, &wanted)
}

/// As [`find`], of a type whose names are unique only together with something else: the same word
/// may be a skill and a language.
///
/// # Errors
/// As [`resolve`]
pub fn find_variants(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    attribute: &str,
    wanted: &[Wanted],
) -> Result<Vec<Resource>, Refusal> {
    let found = look_up(tx, tenant, kind, wanted)?;
    let each = wanted.iter().map(|one| the_one(&found, kind, attribute, one).cloned());
    each.collect()
}

/// Keeps those that a rule is about to refer to from being deleted until this transaction ends.
///
/// # Errors
/// Refuses what was deleted since it was read.
pub fn hold(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    attribute: &str,
    referred: &[Named],
) -> Result<(), Refusal> {
    let mut ids: Vec<Uuid> = referred.iter().map(|one| one.id).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in &ids {
        tx.hold(tenant, *id)?;
    }
    let there = if ids.is_empty() { vec![] } else { tx.objects_with_ids(tenant, kind, &ids)? };
    match referred.iter().find(|one| there.iter().all(|found| found.id != one.id)) {
        None => Ok(()),
        Some(gone) => Err(unknown(kind, attribute, &gone.name)),
    }
}

/// What a client names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The part of the type within which names are unique, where there are several and the client
    /// says which: the `kind` of a skill.
    pub variant: Option<&'a str>,
    /// The name or identifier.
    pub name: &'a str,
}

/// Whether a name or identifier, as it stands in another resource, is that of this one.
pub(crate) fn means(name: &str, resource: &Resource) -> bool {
    if let Some(id) = parse_id(name) {
        return resource.id == id;
    }
    let own = resource.attributes.get("name").and_then(Value::as_str);
    own.is_some_and(|own| key(own) == key(name))
}

impl Wanted<'_> {
    fn is_variant(&self, resource: &Resource) -> bool {
        let kind = resource.attributes.get("kind").and_then(Value::as_str);
        self.variant.is_none_or(|wanted| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(wanted)))
    }
}

/// One query for the names and one for the identifiers, each only where there are such.
fn look_up(
    tx: &mut dyn Tx,
    tenant: Uuid,
    kind: &'static ResourceType,
    wanted: &[Wanted],
) -> Result<Vec<Resource>, Refusal> {
    let ids: Vec<Uuid> = wanted.iter().filter_map(|one| parse_id(one.name)).collect();
    let names = wanted.iter().filter(|one| parse_id(one.name).is_none());
    let names: Vec<String> = names.map(|one| key(one.name)).collect();
    let mut found = vec![];
    if !ids.is_empty() {
        found.extend(tx.objects_with_ids(tenant, kind, &ids)?);
    }
    if !names.is_empty() {
        found.extend(tx.objects_named(tenant, kind, &names)?);
    }
    Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
}

fn the_one<'a>(
    found: &'a [Resource],
    kind: &ResourceType,
    attribute: &str,
    wanted: &Wanted,
) -> Result<&'a Resource, Refusal> {
    let mut those = found.iter().filter(|one| means(wanted.name, one) && wanted.is_variant(one));
    let Some(one) = those.next() else { return Err(unknown(kind, attribute, wanted.name)) };
    if those.any(|other| other.id != one.id) {
        return Err(Refusal::rule(
            unknown_code(kind),
            format!("{attribute}: {:?} is a skill and a language: say which", wanted.name),
        ));
    }
    Ok(one)
}

/// The refusal of a name that no resource of the type has.
pub(crate) fn unknown(kind: &ResourceType, attribute: &str, name: &str) -> Refusal {
    Refusal::rule(
        unknown_code(kind),
        format!("{attribute}: there is no {} {name:?}: create it first, or correct it", kind.name),
    )
}

fn unknown_code(kind: &ResourceType) -> Code {
    match kind.name {
        "Role" => Code::UnknownRole,
        "Division" => Code::UnknownDivision,
        "Skill" => Code::UnknownSkill,
        "CapacityRule" => Code::UnknownCapacityRule,
        "UserTemplate" => Code::UnknownTemplate,
        _ => Code::UnknownName,
    }
}

fn key(name: &str) -> String {
    fold(name.trim())
}

fn named(resource: &Resource) -> Named {
    let name = resource.attributes.get("name").and_then(Value::as_str).unwrap_or_default();
    Named { id: resource.id, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use serde_json::json;

    fn resource(id: u128, name: &str, kind: &str) -> Resource {
        Resource {
            id: Uuid::from_u128(id),
            version: 1,
            created: Timestamp::UNIX_EPOCH,
            last_modified: Timestamp::UNIX_EPOCH,
            attributes: json!({"name": name, "kind": kind}).as_object().unwrap().clone(),
        }
    }

    fn pick(variant: Option<&str>, name: &str) -> Result<u128, String> {
        let found = [
            resource(1, "Straße", "skill"),
            resource(2, "Thai", "skill"),
            resource(3, "Thai", "language"),
        ];
        let wanted = Wanted { variant, name };
        let one = the_one(&found, ResourceType::skill(), "skills.value", &wanted);
        one.map(|one| one.id.as_u128()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn r22_a_resource_is_named_by_its_name_without_case_or_by_its_identifier() {
        assert_eq!(pick(None, " STRASSE "), Ok(1));
        assert_eq!(pick(None, "00000000-0000-0000-0000-000000000002"), Ok(2));
        assert_eq!(pick(Some("Language"), "thai"), Ok(3));
    }

    #[test]
    fn r22_what_is_unknown_or_ambiguous_is_refused_by_attribute_and_value() {
        for (variant, name, expected) in [
            (None, "Welding", "skills.value: there is no Skill \"Welding\""),
            (Some("language"), "Straße", "skills.value: there is no Skill \"Straße\""),
            (None, "00000000-0000-0000-0000-000000000009", "there is no Skill"),
            (None, "Thai", "skills.value: \"Thai\" is a skill and a language"),
        ] {
            let refused = pick(variant, name).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
            assert!(refused.starts_with("UnknownSkill"), "{refused}");
        }
    }
}
