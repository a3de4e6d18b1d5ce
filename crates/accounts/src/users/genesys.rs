//! The extension of a user for mappings that were made for Genesys Cloud: other names for skills and
//! externalIds that the account has anyway. Only connections that are told to have it see it.

use scim_protocol::Object;
use scim_protocol::error::Error;
use serde_json::{Value, json};

use super::extension::{self, HEADCOUNT};
use crate::refusal::Refusal;

/// The extension of Genesys Cloud.
pub(crate) const GENESYS: &str =
    "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User";

/// What of our skills is what of its attributes.
const ROUTING: [(&str, &str); 2] = [("routingSkills", "skill"), ("routingLanguages", "language")];

/// Attributes that stay if a PUT does not name them.
pub(crate) const GIVEN: [(&str, &str); 3] =
    [(GENESYS, "routingSkills"), (GENESYS, "routingLanguages"), (GENESYS, "externalIds")];

/// Adds the extension to an account that has what it says.
pub(crate) fn add(attributes: &mut Object) {
    let of_kind = |kind: &str| -> Vec<Value> {
        skills(attributes)
            .filter(|skill| skill["type"] == kind)
            .map(|skill| json!({"name": skill["value"], "proficiency": skill["proficiency"]}))
            .collect()
    };
    let routing = ROUTING.map(|(name, kind)| (name, of_kind(kind)));
    for (name, values) in routing {
        let values = (!values.is_empty()).then(|| values.into());
        extension::set(attributes, Some(GENESYS), name, values);
    }
    let ids = extension::get(attributes, Some(HEADCOUNT), "externalIds").cloned();
    extension::set(attributes, Some(GENESYS), "externalIds", ids);
}

fn skills(attributes: &Object) -> impl Iterator<Item = &Value> {
    let skills = extension::get(attributes, Some(HEADCOUNT), "skills");
    skills.and_then(Value::as_array).into_iter().flatten()
}

/// Takes the extension out of what is wanted, and says what differs from `shown` by our own.
///
/// # Errors
/// `invalidValue`: both extensions say something new of the same.
pub(crate) fn take(shown: &Object, wanted: &mut Object) -> Result<(), Refusal> {
    let differs = |wanted: &Object, urn: &str, name: &str| {
        extension::get(wanted, Some(urn), name) != extension::get(shown, Some(urn), name)
    };
    let says_skills = ["skills", "skillSet"].iter().any(|name| differs(wanted, HEADCOUNT, name));
    for (name, kind) in ROUTING {
        if !differs(wanted, GENESYS, name) {
            continue;
        }
        if says_skills {
            return Err(twice(name));
        }
        let others = skills(wanted).filter(|skill| skill["type"] != kind).cloned();
        let listed = extension::get(wanted, Some(GENESYS), name).and_then(Value::as_array);
        let listed = listed.into_iter().flatten().map(|skill| own(skill, kind));
        let all: Vec<Value> = others.chain(listed).collect();
        let all = (!all.is_empty()).then(|| all.into());
        extension::set(wanted, Some(HEADCOUNT), "skills", all);
    }
    if differs(wanted, GENESYS, "externalIds") {
        if differs(wanted, HEADCOUNT, "externalIds") {
            return Err(twice("externalIds"));
        }
        let ids = extension::get(wanted, Some(GENESYS), "externalIds").cloned();
        extension::set(wanted, Some(HEADCOUNT), "externalIds", ids);
    }
    wanted.shift_remove(GENESYS);
    Ok(())
}

/// A skill in our words.
fn own(skill: &Value, kind: &str) -> Value {
    let mut own = json!({"value": skill["name"], "type": kind});
    if let Some(proficiency) = skill.get("proficiency") {
        own["proficiency"] = proficiency.clone();
    }
    own
}

fn twice(name: &str) -> Refusal {
    Error::invalid_value(format!(
        "{name}: this extension and that of Headcount say different things: send one of them"
    ))
    .into()
}
