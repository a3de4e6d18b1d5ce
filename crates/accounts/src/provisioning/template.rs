//! What a template adds to a user.

use std::collections::BTreeSet;

use scim_protocol::Object;
use scim_protocol::error::Error;
use scim_protocol::fold::fold;
use serde_json::{Value, json};

use super::{ENTERPRISE, HEADCOUNT, Mode};
use crate::role_text::{DivisionText, RoleText};
use crate::skill_set;

/// Where a user has an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Core,
    Extension(&'static str),
}

/// The attributes that are simply set: the name in the template, and the places in the user. The
/// division has two, which must agree.
const SET: [(&str, &[Place]); 11] = [
    ("title", &[Place::Core]),
    ("locale", &[Place::Core]),
    ("timezone", &[Place::Core]),
    ("preferredLanguage", &[Place::Core]),
    ("department", &[Place::Extension(ENTERPRISE)]),
    ("division", &[Place::Extension(ENTERPRISE), Place::Extension(HEADCOUNT)]),
    ("licenseTier", &[Place::Extension(HEADCOUNT)]),
    ("capacityRule", &[Place::Extension(HEADCOUNT)]),
    ("site", &[Place::Extension(HEADCOUNT)]),
    ("businessUnits", &[Place::Extension(HEADCOUNT)]),
    ("agent", &[Place::Extension(HEADCOUNT)]),
];

/// A group that the template names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateGroup {
    /// The identifier.
    pub value: Option<String>,
    /// The name.
    pub display: Option<String>,
}

/// Completes a user by a `UserTemplate` resource, both in their kept form, and says which groups the
/// account is to join. Joining takes nothing away, so that it does not depend on the mode.
///
/// [`Mode::FillMissing`] leaves every attribute that the user has. [`Mode::Enforce`] replaces them,
/// but unites roles and skills: a skill of both has the template's proficiency. What a user says in
/// two forms - `roles` and `roleGrants`, `skills` and `skillSet` - must have been found to agree; it
/// still does so afterwards. A `skillSet` that gains a skill becomes `skills`.
///
/// # Errors
/// `invalidValue`: the user's `skillSet` cannot be read.
pub fn apply_template(
    user: &mut Object,
    template: &Object,
    mode: Mode,
) -> Result<Vec<TemplateGroup>, Error> {
    for (name, places) in SET {
        let Some(value) = assigned(template, name) else { continue };
        let is_said = places.iter().any(|place| get(user, *place, name).is_some());
        if is_said && mode == Mode::FillMissing {
            continue;
        }
        for place in places {
            edit(user, *place, |members| {
                members.insert(name.to_owned(), value.clone());
            });
        }
    }
    add_roles(user, template, mode);
    add_skills(user, template, mode)?;
    let text = |group: &Value, name| group.get(name).and_then(Value::as_str).map(str::to_owned);
    let group =
        |group| TemplateGroup { value: text(group, "value"), display: text(group, "display") };
    Ok(elements(template, "groups").iter().map(group).collect())
}

/// Adds to `roles` or `roleGrants`, whichever the user has, so that the two never differ.
fn add_roles(user: &mut Object, template: &Object, mode: Mode) {
    let ours = Place::Extension(HEADCOUNT);
    let grants = elements(template, "roleGrants");
    let has_roles = assigned(user, "roles").is_some();
    let has_grants = get(user, ours, "roleGrants").is_some();
    if grants.is_empty() || (mode == Mode::FillMissing && (has_roles || has_grants)) {
        return;
    }
    if has_roles {
        let roles: Vec<_> =
            grants.iter().map(|grant| json!({"value": role_text(grant).to_string()})).collect();
        unite(user, "roles", &roles, |role| fold(member(role, "value")), Precedence::User);
    }
    if has_grants || !has_roles {
        let key = |grant: &Value| fold(&role_text(grant).to_string());
        edit(user, ours, |members| {
            unite(members, "roleGrants", grants, key, Precedence::User);
        });
    }
}

fn role_text(grant: &Value) -> RoleText {
    let division = Some(member(grant, "division")).filter(|division| !division.is_empty());
    RoleText { role: member(grant, "role").to_owned(), division: division.map(DivisionText::of) }
}

fn add_skills(user: &mut Object, template: &Object, mode: Mode) -> Result<(), Error> {
    let ours = Place::Extension(HEADCOUNT);
    let skills = elements(template, "skills");
    let flat = get(user, ours, "skillSet").and_then(Value::as_str).map(str::to_owned);
    let has_skills = get(user, ours, "skills").is_some();
    if skills.is_empty() || (mode == Mode::FillMissing && (has_skills || flat.is_some())) {
        return Ok(());
    }
    let said = flat.as_deref().map(skill_set::parse).transpose()?.unwrap_or_default();
    let key = |skill: &Value| {
        let kind = skill_set::SkillKind::named(member(skill, "type"));
        (kind == Some(skill_set::SkillKind::Language), fold(member(skill, "value")))
    };
    edit(user, ours, |members| {
        if !has_skills {
            members.insert("skills".to_owned(), said.iter().map(skill_element).collect());
        }
        // The text would not say all of them any more.
        members.remove("skillSet");
        unite(members, "skills", skills, key, Precedence::Template);
    });
    Ok(())
}

fn skill_element(skill: &skill_set::SkillText) -> Value {
    json!({"value": skill.name, "type": skill.kind.as_str(),
           "proficiency": skill.proficiency.to_value()})
}

/// Whose element stays where both have one of the same key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precedence {
    User,
    Template,
}

/// Adds elements to a multi-valued attribute, each key once.
fn unite<K: Ord>(
    members: &mut Object,
    name: &str,
    added: &[Value],
    key: impl Fn(&Value) -> K,
    precedence: Precedence,
) {
    let own = elements(members, name).to_vec();
    let (first, second) = match precedence {
        Precedence::User => (own.as_slice(), added),
        Precedence::Template => (added, own.as_slice()),
    };
    let mut seen = BTreeSet::new();
    let united = first.iter().chain(second).filter(|element| seen.insert(key(element)));
    let united = united.cloned().collect();
    members.insert(name.to_owned(), Value::Array(united));
}

fn get<'a>(user: &'a Object, place: Place, name: &str) -> Option<&'a Value> {
    match place {
        Place::Core => assigned(user, name),
        Place::Extension(urn) => assigned(user.get(urn)?.as_object()?, name),
    }
}

/// Changes the attributes of a place, which is made if it is not there.
fn edit(user: &mut Object, place: Place, change: impl FnOnce(&mut Object)) {
    let Place::Extension(urn) = place else { return change(user) };
    let extension = user.entry(urn).or_insert(Value::Null);
    let mut members = match extension.take() {
        Value::Object(members) => members,
        _ => Object::new(),
    };
    change(&mut members);
    *extension = Value::Object(members);
}

fn assigned<'a>(members: &'a Object, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}

fn elements<'a>(members: &'a Object, name: &str) -> &'a [Value] {
    members.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn member<'a>(element: &'a Value, name: &str) -> &'a str {
    element.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(user: Value, template: &Value, mode: Mode) -> Value {
        let Value::Object(mut user) = user else { panic!("no object") };
        apply_template(&mut user, template.as_object().unwrap(), mode).unwrap();
        Value::Object(user)
    }

    fn full() -> Value {
        json!({
            "name": "Sales", "description": "not copied", "state": "enabled",
            "title": "Agent", "locale": "de-DE", "timezone": "Europe/Berlin",
            "preferredLanguage": "de", "department": "Sales", "division": "Berlin",
            "licenseTier": "CX2", "capacityRule": "Two chats", "site": "HQ",
            "businessUnits": ["North"], "agent": true,
            "roleGrants": [{"role": "Agent", "division": "Berlin"}, {"role": "Coach"}],
            "skills": [{"value": "Billing", "type": "skill", "proficiency": 4},
                       {"value": "Spanish", "type": "language", "proficiency": 5}],
            "groups": [{"value": "g-1", "display": "Sales"}, {"display": "All"}]})
    }

    fn said() -> Value {
        json!({"userName": "ada", "title": "Boss", "locale": "en", "timezone": "UTC",
            "preferredLanguage": "en",
            ENTERPRISE: {"department": "Board", "division": "Home", "employeeNumber": "7"},
            HEADCOUNT: {"licenseTier": "CX4", "capacityRule": "None", "site": "Attic",
                "businessUnits": ["South"], "agent": false, "division": "Home",
                "roleGrants": [{"role": "admin"}],
                "skills": [{"value": "billing", "type": "skill", "proficiency": 1},
                           {"value": "Spanish", "type": "skill", "proficiency": 2}]}})
    }

    #[test]
    fn domain_2_10_what_the_request_does_not_say_is_filled() {
        let expected = json!({"userName": "ada", "title": "Agent", "locale": "de-DE",
            "timezone": "Europe/Berlin", "preferredLanguage": "de",
            ENTERPRISE: {"department": "Sales", "division": "Berlin"},
            HEADCOUNT: {"licenseTier": "CX2", "division": "Berlin", "capacityRule": "Two chats",
                "site": "HQ", "businessUnits": ["North"], "agent": true,
                "roleGrants": full()["roleGrants"], "skills": full()["skills"]}});
        for mode in [Mode::FillMissing, Mode::Enforce] {
            assert_eq!(applied(json!({"userName": "ada"}), &full(), mode), expected);
        }
    }

    #[test]
    fn domain_2_10_to_fill_leaves_all_that_is_said() {
        assert_eq!(applied(said(), &full(), Mode::FillMissing), said());
        assert_eq!(applied(said(), &json!({"name": "Empty"}), Mode::Enforce), said());
    }

    #[test]
    fn domain_2_10_to_enforce_replaces_and_unites_roles_and_skills() {
        let expected = json!({"userName": "ada", "title": "Agent", "locale": "de-DE",
            "timezone": "Europe/Berlin", "preferredLanguage": "de",
            ENTERPRISE: {"department": "Sales", "division": "Berlin", "employeeNumber": "7"},
            HEADCOUNT: {"licenseTier": "CX2", "division": "Berlin", "capacityRule": "Two chats",
                "site": "HQ", "businessUnits": ["North"], "agent": true,
                "roleGrants": [{"role": "admin"}, {"role": "Agent", "division": "Berlin"},
                               {"role": "Coach"}],
                "skills": [{"value": "Billing", "type": "skill", "proficiency": 4},
                           {"value": "Spanish", "type": "language", "proficiency": 5},
                           {"value": "Spanish", "type": "skill", "proficiency": 2}]}});
        let once = applied(said(), &full(), Mode::Enforce);
        assert_eq!(once, expected);
        assert_eq!(applied(once, &full(), Mode::Enforce), expected);
    }

    #[test]
    fn one_of_the_two_places_of_the_division_is_enough_to_say_it() {
        for urn in [ENTERPRISE, HEADCOUNT] {
            let user = || json!({"userName": "ada", urn: {"division": "Home"}});
            let template = json!({"division": "Berlin"});
            assert_eq!(applied(user(), &template, Mode::FillMissing), user());
            let enforced = applied(user(), &template, Mode::Enforce);
            for urn in [ENTERPRISE, HEADCOUNT] {
                assert_eq!(enforced[urn]["division"], "Berlin");
            }
        }
    }

    #[test]
    fn domain_7_5_roles_stay_in_the_form_in_which_they_are_said() {
        let user = || json!({"userName": "ada", "roles": [{"value": "COACH"}, {"value": "admin"}]});
        assert_eq!(
            applied(user(), &full(), Mode::FillMissing).get(HEADCOUNT).unwrap().get("roleGrants"),
            None
        );
        let enforced = applied(user(), &full(), Mode::Enforce);
        assert_eq!(
            enforced["roles"],
            json!([{"value": "COACH"}, {"value": "admin"}, {"value": "Agent@Berlin"}])
        );
        assert_eq!(enforced[HEADCOUNT].get("roleGrants"), None);

        let both = json!({"userName": "ada", "roles": [{"value": "Agent@berlin"}],
                          HEADCOUNT: {"roleGrants": [{"role": "agent", "division": "Berlin"}]}});
        let enforced = applied(both, &full(), Mode::Enforce);
        assert_eq!(enforced["roles"], json!([{"value": "Agent@berlin"}, {"value": "Coach"}]));
        assert_eq!(
            enforced[HEADCOUNT]["roleGrants"],
            json!([{"role": "agent", "division": "Berlin"}, {"role": "Coach"}])
        );
    }

    #[test]
    fn domain_7_6_a_skill_set_says_skills() {
        let template = json!({"skills": full()["skills"]});
        let user = || json!({"userName": "ada", HEADCOUNT: {"skillSet": "Billing=1;Sales=2.5"}});
        assert_eq!(applied(user(), &template, Mode::FillMissing), user());
        assert_eq!(
            applied(user(), &template, Mode::Enforce)[HEADCOUNT],
            json!({"skills": [
                {"value": "Billing", "type": "skill", "proficiency": 4},
                {"value": "Spanish", "type": "language", "proficiency": 5},
                {"value": "Sales", "type": "skill", "proficiency": 2.5}]})
        );
        let mut broken = json!({HEADCOUNT: {"skillSet": "Billing=9"}});
        let broken = broken.as_object_mut().unwrap();
        let template = template.as_object().unwrap();
        assert!(apply_template(broken, template, Mode::Enforce).is_err());
        assert!(apply_template(broken, template, Mode::FillMissing).is_ok());
    }

    #[test]
    fn domain_2_10_groups_are_to_be_joined_in_both_modes() {
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            TemplateGroup { value: some("g-1"), display: some("Sales") },
            TemplateGroup { value: None, display: some("All") },
        ];
        for mode in [Mode::FillMissing, Mode::Enforce] {
            let Value::Object(mut user) = said() else { panic!("no object") };
            let groups = apply_template(&mut user, full().as_object().unwrap(), mode);
            assert_eq!(groups.unwrap(), expected);
            assert_eq!(user.get("groups"), None);
        }
    }
}
