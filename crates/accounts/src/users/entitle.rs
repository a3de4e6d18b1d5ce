//! Giving an account what a request wishes for it: names become what they name, and each rule that
//! stands in the way says so.

use std::collections::BTreeSet;

use scim_protocol::error::Error;
use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::Value;
use uuid::Uuid;

use super::held::Held;
use super::settings::Settings;
use super::view::{is_enabled, name};
use super::wish::{RoleWish, Said, SkillWish, Wish};
use crate::account::{Named, Standing};
use crate::authorization::DivisionScope;
use crate::authorization::templates::EMPLOYEE;
use crate::names::{self, Wanted};
use crate::policy::{DefaultDivision, GrantScope};
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::role_text::{DivisionText, RoleText};
use crate::skill_set::SkillKind;
use crate::tx::{Grant, Resource, SkillAssignment, Tx};
use crate::{Context, parse_id};

/// The division that a request names, or the default one (rules R20 and R22).
///
/// # Errors
/// Refuses a name that no division has.
pub(crate) fn division(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    wished: Option<&str>,
) -> Result<Named, Refusal> {
    let named = match (wished, &settings.policy.default_division) {
        (Some(name), _) => name,
        (None, DefaultDivision::Named(name)) => name.as_str(),
        (None, DefaultDivision::Home) => return Ok(settings.home.clone()),
    };
    let tenant = context.caller.tenant;
    let kind = ResourceType::division();
    let division = names::resolve_one(tx, tenant, kind, "division", named)?;
    // Home is never deleted.
    if division.id != settings.home.id {
        names::hold(tx, tenant, kind, "division", std::slice::from_ref(&division))?;
    }
    Ok(division)
}

fn disabled(attribute: &str, resource: &Resource) -> Refusal {
    Refusal::rule(
        Code::DisabledObject,
        format!("{attribute}: {} is disabled: enable it, or use another", name(resource)),
    )
}

/// The grants that the account is to have, besides the role that everybody has (rules R22, R27-R31).
/// `None` if nothing is wished.
///
/// # Errors
/// Refuses roles and divisions that do not exist, a new grant of a disabled role, and a role that
/// the caller may not grant.
pub(crate) fn grants(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    (user, standing): (Uuid, &Standing),
    wish: &Wish,
    held: &Held,
) -> Result<Option<Vec<Grant>>, Refusal> {
    let wanted = match (&wish.roles, &wish.role_grants) {
        (None, None) => return Ok(None),
        (None, Some(grants)) => by_grants(tx, context, settings, standing, grants)?,
        (Some(roles), None) => by_roles(tx, context, settings, standing, roles, held)?,
        (Some(roles), Some(grants)) => {
            let by_roles = by_roles(tx, context, settings, standing, roles, held)?;
            let by_grants = by_grants(tx, context, settings, standing, grants)?;
            if by_roles.pairs() != by_grants.pairs() {
                return Err(Error::invalid_value(
                    "roles and roleGrants name different roles: send one of them",
                )
                .into());
            }
            Roles { primary: by_roles.primary, ..by_grants }
        }
    };
    let now_wanted = wanted.pairs();
    let before: BTreeSet<_> = held.grants.iter().map(|g| (g.role, g.division)).collect();
    let is_new =
        |role: &Resource| now_wanted.iter().any(|pair| pair.0 == role.id && !before.contains(pair));
    let new: Vec<&Resource> = wanted.found.iter().filter(|role| is_new(role)).collect();
    check_new(tx, context, settings, &new)?;
    if now_wanted != before {
        context.caller.require(Right::AssignRoles)?;
    }
    let is_primary = |role: Uuid| match wanted.primary {
        Said::Value(primary) => primary == role,
        Said::Clear => false,
        Said::Nothing => held.grants.iter().any(|grant| grant.role == role && grant.primary),
    };
    let grant = |(role, division): (Uuid, DivisionScope)| {
        let known = held.grants.iter().find(|g| g.role == role && g.division == division);
        let grant = known.cloned().unwrap_or_else(|| Grant {
            subject: user,
            role,
            division,
            source: context.source.as_str().to_owned(),
            granted: context.now,
            dormant: false,
            purge_at: None,
            primary: false,
        });
        Grant { primary: is_primary(role), ..grant }
    };
    Ok(Some(now_wanted.into_iter().map(grant).collect()))
}

/// Roles with where they are wanted.
struct Roles {
    wanted: Vec<(Uuid, DivisionScope)>,
    found: Vec<Resource>,
    /// Which of them is the primary one, if the client says of them whether they are.
    primary: Said<Uuid>,
}

impl Roles {
    fn pairs(&self) -> BTreeSet<(Uuid, DivisionScope)> {
        self.wanted.iter().copied().collect()
    }
}

/// What `roleGrants` says.
fn by_grants(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    standing: &Standing,
    grants: &[(String, Option<DivisionText>)],
) -> Result<Roles, Refusal> {
    let texts: Vec<(&str, Option<&DivisionText>)> =
        grants.iter().map(|(role, division)| (role.as_str(), division.as_ref())).collect();
    let default = default_scope(settings, standing.division.id);
    let mut scoped = scoped(tx, context, default, "roleGrants", &texts)?;
    scoped.retain(|(role, _)| name(role) != EMPLOYEE);
    let wanted = scoped.iter().map(|(role, division)| (role.id, *division)).collect();
    let found = scoped.into_iter().map(|(role, _)| role).collect();
    Ok(Roles { wanted, found, primary: Said::Nothing })
}

/// What `roles` says. A role without a division is satisfied by the divisions in which the account
/// has it, so that a client that sends back what it read changes nothing.
fn by_roles(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    standing: &Standing,
    wishes: &[RoleWish],
    held: &Held,
) -> Result<Roles, Refusal> {
    let known = known_roles(tx, context, wishes)?;
    let parsed: Vec<RoleText> = wishes
        .iter()
        .map(|wish| RoleText::parse(&wish.text, |name| known.contains(&fold(name))))
        .collect();
    let pairs: Vec<(&str, Option<&DivisionText>)> =
        parsed.iter().map(|text| (text.role.as_str(), text.division.as_ref())).collect();
    let default = default_scope(settings, standing.division.id);
    let mut scoped = scoped(tx, context, default, "roles", &pairs)?;
    let primary = scoped.iter().zip(wishes).find(|(_, wish)| wish.primary);
    let primary = primary.map_or(Said::Clear, |((role, _), _)| Said::Value(role.id));
    let mut wanted = Vec::new();
    for ((role, division), text) in scoped.iter().zip(&parsed) {
        if name(role) == EMPLOYEE {
            continue;
        }
        let mut has = held.grants.iter().filter(|grant| grant.role == role.id).peekable();
        if text.division.is_none() && has.peek().is_some() {
            wanted.extend(has.map(|grant| (grant.role, grant.division)));
        } else {
            wanted.push((role.id, *division));
        }
    }
    scoped.retain(|(role, _)| name(role) != EMPLOYEE);
    // In pairs with what is wanted, the roles would be repeated; they are looked up by identifier.
    let found = scoped.into_iter().map(|(role, _)| role).collect();
    Ok(Roles { wanted, found, primary })
}

/// The names and identifiers of roles among what may be the role in these texts, folded.
fn known_roles(
    tx: &mut dyn Tx,
    context: &Context,
    wishes: &[RoleWish],
) -> Result<BTreeSet<String>, Refusal> {
    let (tenant, kind) = (context.caller.tenant, ResourceType::role());
    let mut candidates: Vec<String> = Vec::new();
    for wish in wishes {
        let text = wish.text.trim();
        candidates.push(fold(text));
        candidates.extend(text.rmatch_indices('@').map(|(at, _)| fold(text[..at].trim())));
    }
    candidates.sort_unstable();
    candidates.dedup();
    let mut known = BTreeSet::new();
    for role in tx.objects_named(tenant, kind, &candidates)? {
        known.insert(fold(name(&role)));
    }
    let ids: Vec<Uuid> = candidates.iter().filter_map(|text| parse_id(text)).collect();
    if !ids.is_empty() {
        known.extend(tx.objects_with_ids(tenant, kind, &ids)?.iter().map(|r| r.id.to_string()));
    }
    Ok(known)
}

/// The roles of these names, each with where it is meant; `default` where its text does not say it.
///
/// # Errors
/// Refuses roles and divisions that do not exist.
pub(crate) fn scoped(
    tx: &mut dyn Tx,
    context: &Context,
    default: DivisionScope,
    attribute: &str,
    texts: &[(&str, Option<&DivisionText>)],
) -> Result<Vec<(Resource, DivisionScope)>, Refusal> {
    let tenant = context.caller.tenant;
    let role_names: Vec<&str> = texts.iter().map(|(role, _)| *role).collect();
    let roles = names::find(tx, tenant, ResourceType::role(), attribute, &role_names)?;
    let of_divisions = texts.iter().filter_map(|(_, division)| match division {
        Some(DivisionText::Named(name)) => Some(name.as_str()),
        _ => None,
    });
    let of_divisions: Vec<&str> = of_divisions.collect();
    let kind = ResourceType::division();
    let mut divisions = names::resolve(tx, tenant, kind, attribute, &of_divisions)?;
    names::hold(tx, tenant, kind, attribute, &divisions)?;
    divisions.reverse();
    let mut scoped = Vec::with_capacity(roles.len());
    for (role, (_, division)) in roles.into_iter().zip(texts) {
        let scope = match division {
            Some(DivisionText::All) => DivisionScope::All,
            Some(DivisionText::Named(_)) => {
                // One was resolved for each.
                let Some(division) = divisions.pop() else { continue };
                DivisionScope::One(division.id)
            }
            None => default,
        };
        scoped.push((role, scope));
    }
    Ok(scoped)
}

/// Rule R28: where a role is granted of which nobody said it; `own` is the division of who gets it.
pub(crate) fn default_scope(settings: &Settings, own: Uuid) -> DivisionScope {
    match settings.policy.default_division_scope {
        GrantScope::Home => DivisionScope::One(settings.home.id),
        GrantScope::Own => DivisionScope::One(own),
        GrantScope::All => DivisionScope::All,
    }
}

/// Checks roles that are to be granted anew (rules R30, R31 and R42).
pub(crate) fn check_new(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    roles: &[&Resource],
) -> Result<(), Refusal> {
    if let Some(off) = roles.iter().find(|role| !is_enabled(role)) {
        return Err(disabled("roles", off));
    }
    let named = |role: &&Resource| Named { id: role.id, name: name(role).to_owned() };
    let held: Vec<Named> = roles.iter().map(named).collect();
    names::hold(tx, context.caller.tenant, ResourceType::role(), "roles", &held)?;
    if context.caller.rights.allow(Right::Admin) || roles.is_empty() {
        return Ok(());
    }
    let grantable = settings.grantable(tx, context)?;
    let is_refused = |role: &&&Resource| !grantable.allows(role);
    match roles.iter().find(is_refused) {
        None => Ok(()),
        Some(role) => Err(Refusal::rule(
            Code::RoleNotGrantable,
            format!(
                "roles: this connection may not grant {}: an administrator can add it to the \
                 connection's grantableRoles, or grant it",
                name(role)
            ),
        )),
    }
}

/// The skills that the account is to have (rules R22, R70 and R71).
///
/// # Errors
/// Refuses skills that do not exist, too many of them, one that is there twice, and a new one that
/// is disabled.
pub(crate) fn skills(
    tx: &mut dyn Tx,
    context: &Context,
    settings: &Settings,
    wished: &[SkillWish],
    held: &Held,
) -> Result<Vec<SkillAssignment>, Refusal> {
    let (tenant, kind) = (context.caller.tenant, ResourceType::skill());
    let wanted: Vec<Wanted<'_>> = wished
        .iter()
        .map(|wish| Wanted { variant: wish.kind.map(SkillKind::as_str), name: &wish.name })
        .collect();
    let found = names::find_variants(tx, tenant, kind, "skills", &wanted)?;
    let is_language =
        |skill: &Resource| skill.attributes.get("kind").and_then(Value::as_str) == Some("language");
    let languages = i64::try_from(found.iter().filter(|s| is_language(s)).count());
    let languages = languages.unwrap_or(i64::MAX);
    let others = i64::try_from(found.len()).unwrap_or(i64::MAX) - languages;
    let policy = &settings.policy;
    if others > policy.max_skills_per_user || languages > policy.max_languages_per_user {
        return Err(Refusal::rule(
            Code::TooManySkills,
            format!(
                "skills: an account has at most {} skills and {} languages",
                policy.max_skills_per_user, policy.max_languages_per_user
            ),
        ));
    }
    let has = |id: Uuid| held.skills.iter().any(|skill| skill.skill == id);
    if let Some(off) = found.iter().find(|skill| !is_enabled(skill) && !has(skill.id)) {
        return Err(disabled("skills", off));
    }
    let new = found.iter().filter(|skill| !has(skill.id));
    let new: Vec<Named> =
        new.map(|skill| Named { id: skill.id, name: name(skill).to_owned() }).collect();
    names::hold(tx, tenant, kind, "skills", &new)?;
    let mut assigned: Vec<SkillAssignment> = Vec::with_capacity(found.len());
    for (skill, wish) in found.iter().zip(wished) {
        // What is shown as inactive because the skill is disabled was not made so by anybody.
        let kept = held.skills.iter().find(|held| held.skill == skill.id);
        let active = match kept {
            Some(kept) if !is_enabled(skill) => kept.active,
            Some(kept) => wish.active.unwrap_or(kept.active),
            None => wish.active.unwrap_or(true),
        };
        if assigned.iter().any(|other| other.skill == skill.id) {
            let detail = format!("skills: {} is there twice", name(skill));
            return Err(Error::invalid_value(detail).into());
        }
        assigned.push(SkillAssignment { skill: skill.id, proficiency: wish.proficiency, active });
    }
    assigned.sort_by_key(|skill| skill.skill);
    Ok(assigned)
}
