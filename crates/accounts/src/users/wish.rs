//! What a request wants of an account beyond its attributes.
//!
//! A request says what the account is to look like. What differs from how it looks now is wanted;
//! what is the same, because the client sent back what it had read, is not.

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::fold::fold;
use serde_json::Value;

use super::extension::{self, ENTERPRISE, HEADCOUNT};
use super::view::BESIDE;
use crate::refusal::Refusal;
use crate::role_text::DivisionText;
use crate::skill_set::{self, Proficiency, SkillKind};

/// What a request says of one attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// Nothing: it stays what it is.
    #[default]
    Nothing,
    /// It is to have no value, or the default one.
    Clear,
    /// It is to be this.
    Value(T),
}

impl<T> Said<T> {
    /// The value that is wanted, if there is one.
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Clear => None,
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    fn map<U>(self, f: impl FnOnce(Option<T>) -> U) -> Option<U> {
        match self {
            Self::Nothing => None,
            Self::Clear => Some(f(None)),
            Self::Value(value) => Some(f(Some(value))),
        }
    }
}

/// What is wanted; `None` is no wish.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// A licence tier, or the default one.
    pub(crate) tier: Said<String>,
    /// A division, or the default one.
    pub(crate) division: Said<String>,
    /// Whether it is to be an agent.
    pub(crate) agent: Option<bool>,
    /// A capacity rule, or none.
    pub(crate) capacity_rule: Said<String>,
    /// The roles, as `roles` has them.
    pub(crate) roles: Option<Vec<RoleWish>>,
    /// The roles, as `roleGrants` has them.
    pub(crate) role_grants: Option<Vec<(String, Option<DivisionText>)>>,
    /// The skills.
    pub(crate) skills: Option<Vec<SkillWish>>,
}

/// A role that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleWish {
    /// Its name or identifier, with a division behind an `@` or without one.
    pub(crate) text: String,
    /// Whether it is the primary one.
    pub(crate) primary: bool,
}

/// A skill that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkillWish {
    /// Its name or identifier.
    pub(crate) name: String,
    /// Its kind, if the client says it.
    pub(crate) kind: Option<SkillKind>,
    pub(crate) proficiency: Proficiency,
    /// Whether it is to count, if the client says it.
    pub(crate) active: Option<bool>,
}

impl Wish {
    /// Takes out of `wanted` what is not kept in the document, and reads what of it is a wish:
    /// what differs from `shown`, which is the account as it looks now. `kept` is its document.
    ///
    /// # Errors
    /// `invalidValue`: a value that cannot be read, and two attributes that say the same thing
    /// differently.
    pub(crate) fn take(
        kept: &Object,
        shown: &Object,
        wanted: &mut Object,
    ) -> Result<Self, Refusal> {
        let wish = Self {
            tier: text_wish(shown, wanted, HEADCOUNT, "licenseTier"),
            division: division(shown, wanted)?,
            agent: differing(shown, wanted, Some(HEADCOUNT), "agent")
                .map(|value| value == Some(&Value::Bool(true))),
            capacity_rule: text_wish(shown, wanted, HEADCOUNT, "capacityRule"),
            roles: differing(shown, wanted, None, "roles").map(roles),
            role_grants: role_grants(shown, wanted),
            skills: skills(shown, wanted)?,
        };
        let says_skill_set = !differing(shown, wanted, Some(HEADCOUNT), "skillSet").is_nothing();
        for (urn, name) in BESIDE {
            extension::set(wanted, urn, name, None);
        }
        // The text is kept as it was sent, while it says what the skills are.
        if !says_skill_set {
            let literal = extension::get(kept, Some(HEADCOUNT), "skillSet").cloned();
            extension::set(wanted, Some(HEADCOUNT), "skillSet", literal);
        }
        Ok(wish)
    }

    /// Whether it says anything of roles or skills.
    pub(crate) fn says_roles_or_skills(&self) -> bool {
        self.roles.is_some() || self.role_grants.is_some() || self.skills.is_some()
    }

    /// The roles of a new account alone.
    pub(crate) fn of_roles(body: &Object) -> Self {
        let nothing = Object::new();
        Self {
            roles: differing(&nothing, body, None, "roles").map(roles),
            role_grants: role_grants(&nothing, body),
            ..Self::default()
        }
    }

    /// Whether nothing is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.tier.is_nothing()
            && self.division.is_nothing()
            && self.agent.is_none()
            && self.capacity_rule.is_nothing()
            && self.roles.is_none()
            && self.role_grants.is_none()
            && self.skills.is_none()
    }
}

/// The value that is wanted, if it is another one than there is.
fn differing<'a>(
    shown: &Object,
    wanted: &'a Object,
    urn: Option<&str>,
    name: &str,
) -> Said<&'a Value> {
    match extension::get(wanted, urn, name) {
        value if value == extension::get(shown, urn, name) => Said::Nothing,
        None => Said::Clear,
        Some(value) => Said::Value(value),
    }
}

fn text_wish(shown: &Object, wanted: &Object, urn: &str, name: &str) -> Said<String> {
    let said = differing(shown, wanted, Some(urn), name);
    let text = said.value().and_then(|value| value.as_str()).map(str::trim);
    match text.filter(|text| !text.is_empty()) {
        Some(text) => Said::Value(text.to_owned()),
        None if said.is_nothing() => Said::Nothing,
        None => Said::Clear,
    }
}

/// Both extensions have a division, and it is the same one.
fn division(shown: &Object, wanted: &Object) -> Result<Said<String>, Refusal> {
    let ours = text_wish(shown, wanted, HEADCOUNT, "division");
    let enterprise = text_wish(shown, wanted, ENTERPRISE, "division");
    if !ours.is_nothing() && !enterprise.is_nothing() && ours != enterprise {
        return Err(Error::invalid_value(
            "division: the enterprise extension and the headcount extension name different ones",
        )
        .into());
    }
    Ok(if ours.is_nothing() { enterprise } else { ours })
}

fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn member<'a>(element: &'a Value, name: &str) -> Option<&'a str> {
    element.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn roles(value: Option<&Value>) -> Vec<RoleWish> {
    let wish = |role: &Value| {
        let text = member(role, "value").or_else(|| member(role, "display"))?.to_owned();
        let primary = role.get("primary").and_then(Value::as_bool) == Some(true);
        Some(RoleWish { text, primary })
    };
    elements(value).filter_map(wish).collect()
}

/// A grant is its role and division; the rest is the service provider's to say.
fn role_grants(shown: &Object, wanted: &Object) -> Option<Vec<(String, Option<DivisionText>)>> {
    let grants = |attributes: &Object| -> Vec<(String, Option<DivisionText>)> {
        elements(extension::get(attributes, Some(HEADCOUNT), "roleGrants"))
            .filter_map(|grant| {
                let division = member(grant, "division").map(DivisionText::of);
                Some((member(grant, "role")?.to_owned(), division))
            })
            .collect()
    };
    let wanted = grants(wanted);
    (wanted != grants(shown)).then_some(wanted)
}

/// `skills` and `skillSet` say the same; of the two the one that differs counts.
fn skills(shown: &Object, wanted: &Object) -> Result<Option<Vec<SkillWish>>, Refusal> {
    let listed = differing(shown, wanted, Some(HEADCOUNT), "skills");
    let flat = differing(shown, wanted, Some(HEADCOUNT), "skillSet");
    let listed = listed.map(|value| elements(value).map(skill).collect()).transpose()?;
    let flat = flat.map(|value| flat_skills(value.and_then(Value::as_str))).transpose()?;
    match (listed, flat) {
        (Some(listed), Some(flat)) => {
            let same = in_agreement(listed, flat).ok_or_else(|| {
                Error::invalid_value("skills and skillSet name different skills: send one of them")
            })?;
            Ok(Some(same))
        }
        (listed, flat) => Ok(listed.or(flat)),
    }
}

/// The skills of a list, each of the kind that the text says; none if the text names others. What
/// the list says nothing of is as in the text.
fn in_agreement(listed: Vec<SkillWish>, flat: Vec<SkillWish>) -> Option<Vec<SkillWish>> {
    if listed.len() != flat.len() {
        return None;
    }
    let keyed = |skill: SkillWish| ((fold(&skill.name), skill.proficiency), skill);
    let mut flat: Vec<_> = flat.into_iter().map(keyed).collect();
    let mut listed: Vec<_> = listed.into_iter().map(keyed).collect();
    // Who says the kind comes first, lest another skill of the name be taken for it.
    listed.sort_by_key(|(_, skill)| skill.kind.is_none());
    let same = |(key, skill): (_, SkillWish)| {
        let is_it = |(other, said): &(_, SkillWish)| {
            *other == key && (skill.kind.is_none() || skill.kind == said.kind)
        };
        let (_, said) = flat.swap_remove(flat.iter().position(is_it)?);
        Some(SkillWish { kind: said.kind, ..skill })
    };
    listed.into_iter().map(same).collect()
}

fn skill(element: &Value) -> Result<SkillWish, Refusal> {
    let name = member(element, "value").or_else(|| member(element, "display"));
    let name = name.ok_or_else(|| Error::invalid_value("skills: a skill needs a value"))?;
    let kind = member(element, "type");
    let unknown = || Error::invalid_value("skills.type is skill or language");
    let kind = kind.map(|kind| SkillKind::named(kind).ok_or_else(unknown)).transpose()?;
    let proficiency = element.get("proficiency").map(Proficiency::of).transpose()?;
    let active = element.get("active").and_then(Value::as_bool);
    let proficiency = proficiency.unwrap_or_default();
    Ok(SkillWish { name: name.to_owned(), kind, proficiency, active })
}

fn flat_skills(text: Option<&str>) -> Result<Vec<SkillWish>, Refusal> {
    let skills = skill_set::parse(text.unwrap_or_default())?;
    let wish = |skill: skill_set::SkillText| SkillWish {
        name: skill.name,
        kind: Some(skill.kind),
        proficiency: skill.proficiency,
        active: None,
    };
    Ok(skills.into_iter().map(wish).collect())
}
