//! What a request wants of a group beyond its attributes: what differs from how it looks now.

use scim_protocol::Object;
use scim_protocol::error::Error;
use serde_json::Value;

use super::view::{BESIDE, EXTENSION};
use crate::group::{GroupKind, GroupStanding};
use crate::refusal::Refusal;
use crate::role_text::DivisionText;
use crate::users::extension;

/// What is wanted; `None` is no wish.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// Whether it is to take effect.
    pub(crate) enabled: Option<bool>,
    /// A capacity rule; empty for none.
    pub(crate) capacity_rule: Option<String>,
    /// Its priority.
    pub(crate) priority: Option<i32>,
    /// Roles, each with its division if the client says it.
    pub(crate) role_grants: Option<Vec<RoleWish>>,
}

/// A role and where it is wanted.
pub(crate) type RoleWish = (String, Option<DivisionText>);

impl Wish {
    /// Takes out of `wanted` what is not kept in the document, and reads what of it is a wish: what
    /// differs from `shown`, which is the group as it looks now.
    ///
    /// # Errors
    /// `invalidValue`: a priority that is too large or too small.
    pub(crate) fn take(shown: &Object, wanted: &mut Object) -> Result<Self, Refusal> {
        let wish = Self {
            enabled: differing(shown, wanted, "enabled").map(|value| *value != Value::Bool(false)),
            capacity_rule: differing(shown, wanted, "capacityRule")
                .map(|value| text(Some(value)).unwrap_or_default()),
            priority: differing(shown, wanted, "priority").map(priority).transpose()?,
            role_grants: role_grants(shown, wanted),
        };
        for name in BESIDE {
            extension::set(wanted, Some(EXTENSION), name, None);
        }
        Ok(wish)
    }
}

/// The kind that a body names.
///
/// # Errors
/// `invalidValue`: there is no such kind.
pub(crate) fn kind(wanted: &Object) -> Result<Option<GroupKind>, Refusal> {
    let Some(text) = text(extension::get(wanted, Some(EXTENSION), "kind")) else {
        return Ok(None);
    };
    let wrong = || Error::invalid_value("kind must be one of access, agent, directory");
    Ok(Some(GroupKind::named(&text).ok_or_else(wrong)?))
}

/// The value that is wanted, null for none, if it is another one than there is.
fn differing<'a>(shown: &Object, wanted: &'a Object, name: &str) -> Option<&'a Value> {
    let value = extension::get(wanted, Some(EXTENSION), name);
    let differs = value != extension::get(shown, Some(EXTENSION), name);
    differs.then(|| value.unwrap_or(&Value::Null))
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(Into::into)
}

fn priority(value: &Value) -> Result<i32, Error> {
    let Some(value) = value.as_i64() else {
        return Ok(GroupStanding::DEFAULT_PRIORITY);
    };
    let wrong = || Error::invalid_value("priority must be from -2147483648 to 2147483647");
    i32::try_from(value).map_err(|_| wrong())
}

/// A grant is its role and division; the rest is the service provider's to say.
fn role_grants(shown: &Object, wanted: &Object) -> Option<Vec<RoleWish>> {
    let grants = |attributes: &Object| -> Vec<RoleWish> {
        let listed = extension::get(attributes, Some(EXTENSION), "roleGrants");
        let listed = listed.and_then(Value::as_array).into_iter().flatten();
        let wish = |grant: &Value| {
            let division = text(grant.get("division")).map(|text| DivisionText::of(&text));
            Some((text(grant.get("role"))?, division))
        };
        listed.filter_map(wish).collect()
    };
    let wanted = grants(wanted);
    (wanted != grants(shown)).then_some(wanted)
}
