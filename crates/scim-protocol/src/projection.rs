//! Which attributes an answer has (RFC 7644 sections 3.4.2.5 and 3.9; `returned` in RFC 7643
//! section 7).
//!
//! ```
//! use scim_protocol::dialect::{Dialect, Leniencies};
//! use scim_protocol::{projection::Projection, schema::ResourceType};
//! use serde_json::json;
//!
//! let kind = ResourceType::user();
//! let mut leniencies = Leniencies::new(Dialect::Strict);
//! let asked = Projection::parse(kind, Some("name.givenName,password"), None, &mut leniencies)?;
//! let mut user = json!({"id": "1", "userName": "ada", "password": "x",
//!                       "name": {"givenName": "Ada", "familyName": "King"}});
//! asked.apply(kind, user.as_object_mut().unwrap());
//! assert_eq!(user, json!({"id": "1", "name": {"givenName": "Ada"}}));
//! # Ok::<(), scim_protocol::error::Error>(())
//! ```

use scim_filter_parser::{Options, Path};
use serde_json::Value;

use crate::Object;
use crate::dialect::Leniencies;
use crate::error::{Error, Result};
use crate::filter::{Predicate, evaluate_element, resolve_element};
use crate::schema::{Attribute, AttributeRef, ResourceType, Returned, Schema, Target};

/// The attributes that a client asks for or excludes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projection {
    mode: Mode,
    selected: Vec<Selected>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Default,
    Only,
    Except,
}

#[derive(Debug, Clone, PartialEq)]
enum Selected {
    Attribute { attribute: AttributeRef, filter: Option<Predicate> },
    Extension(&'static Schema),
}

impl Selected {
    fn terms(&self) -> usize {
        match self {
            Self::Attribute { filter: Some(filter), .. } => filter.terms(),
            _ => 0,
        }
    }

    fn is_in(&self, extension: Option<&Schema>) -> bool {
        let urn = |schema: Option<&Schema>| schema.map(|schema| schema.id.clone());
        match self {
            Self::Attribute { attribute, .. } => urn(attribute.extension) == urn(extension),
            Self::Extension(schema) => extension.is_some_and(|e| e.id == schema.id),
        }
    }
}

/// The most names that a client can list, which is more than there are.
pub const MAX_NAMES: usize = 200;

/// The most conditions that the filters in those names can have: each is tested on each value of
/// each resource of a page, and the RFC has none there.
pub const MAX_TERMS: usize = 20;

impl Projection {
    /// Reads `attributes` and `excludedAttributes`. A name that no schema has selects nothing.
    ///
    /// # Errors
    /// `invalidValue` if both are given or one has more than [`MAX_NAMES`] or [`MAX_TERMS`];
    /// `invalidPath` if a name is malformed.
    pub fn parse(
        kind: &'static ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
        leniencies: &mut Leniencies,
    ) -> Result<Self> {
        let given = |text: Option<&'_ str>| text.is_some_and(|text| !text.trim().is_empty());
        let (mode, text) = match (given(attributes), given(excluded)) {
            (true, true) => {
                return Err(Error::invalid_value(
                    "attributes and excludedAttributes cannot be used together",
                ));
            }
            (true, false) => (Mode::Only, attributes),
            (false, true) => (Mode::Except, excluded),
            (false, false) => return Ok(Self::default()),
        };
        let mut selected = Vec::new();
        if text.is_some_and(|text| text.len() > Options::default().max_length)
            || split(text.unwrap_or_default()).nth(MAX_NAMES).is_some()
        {
            return Err(Error::invalid_value(format!(
                "attributes and excludedAttributes take at most {MAX_NAMES} names"
            )));
        }
        for name in split(text.unwrap_or_default()) {
            let path = Path::parse_with(name, &Options::default())
                .map_err(|error| Error::invalid_path(format!("{name:.100}: {error}")))?;
            selected.extend(select(kind, &path, leniencies)?);
        }
        let terms = selected.iter().map(Selected::terms).sum::<usize>();
        if terms > MAX_TERMS {
            return Err(Error::invalid_value(format!(
                "attributes and excludedAttributes take at most {MAX_TERMS} conditions in [ ]"
            )));
        }
        Ok(Self { mode, selected })
    }

    /// Whether the client named the attributes it wants.
    pub fn names_attributes(&self) -> bool {
        self.mode == Mode::Only
    }

    /// Whether the client says nothing of attributes: it gets what is returned by default.
    pub fn takes_all(&self) -> bool {
        self.mode == Mode::Default
    }

    /// Whether an answer needs the value of this attribute, which is the type's own or that of an
    /// extension: what is not wanted need not be loaded.
    pub fn wants(&self, extension: Option<&Schema>, attribute: &Attribute) -> bool {
        let named = |whole_only: bool| {
            self.selected.iter().any(|selected| match selected {
                Selected::Attribute { attribute: found, filter } => {
                    selected.is_in(extension)
                        && found.attribute.name == attribute.name
                        && !(whole_only && (found.sub.is_some() || filter.is_some()))
                }
                // A whole extension is what it has without being asked for each.
                Selected::Extension(_) => {
                    selected.is_in(extension) && attribute.returned != Returned::Request
                }
            })
        };
        match (attribute.returned, self.mode) {
            _ if attribute.is_hidden() => false,
            (Returned::Always, _) | (Returned::Default, Mode::Default) => true,
            (Returned::Never, _) => false,
            (_, Mode::Only) => named(false),
            (Returned::Request, _) => false,
            (Returned::Default, Mode::Except) => !named(true),
        }
    }

    /// As [`wants`](Self::wants), by the name of an attribute of the type itself or of an extension
    /// with its URN before it: `urn:…:User:manager`.
    pub fn wants_named(&self, kind: &'static ResourceType, name: &str) -> bool {
        let (extension, attribute) = match name.rsplit_once(':') {
            Some((urn, name)) => {
                let extension = kind.extension(urn);
                (extension, extension.and_then(|schema| schema.attribute(name)))
            }
            None => (None, kind.attribute(name)),
        };
        attribute.is_some_and(|attribute| self.wants(extension, attribute))
    }

    /// Leaves in a resource what the answer has; in `schemas` the extensions of which something is
    /// left (RFC 7643 section 3). A sub-attribute that is always returned is returned with its
    /// attribute.
    pub fn apply(&self, kind: &'static ResourceType, resource: &mut Object) {
        let own: Vec<&Selected> = self.selected.iter().filter(|s| s.is_in(None)).collect();
        for extension in &kind.extensions {
            let schema = &extension.schema;
            let Some(Value::Object(members)) = resource.get_mut(&schema.id) else { continue };
            let of_it: Vec<&Selected> =
                self.selected.iter().filter(|s| s.is_in(Some(schema))).collect();
            let whole = of_it.iter().any(|s| matches!(s, Selected::Extension(_)));
            match (whole, self.mode) {
                // Nothing but what is always returned.
                (true, Mode::Except) => project(&schema.attributes, &[], Mode::Only, members),
                (true, _) => project(&schema.attributes, &of_it, Mode::Default, members),
                (false, mode) => project(&schema.attributes, &of_it, mode, members),
            }
            if members.is_empty() {
                resource.shift_remove(&schema.id);
            }
        }
        for extension in &kind.extensions {
            let urn = &extension.schema.id;
            if let (false, Some(Value::Array(schemas))) =
                (resource.contains_key(urn), resource.get_mut("schemas"))
            {
                schemas.retain(|listed| listed != urn);
            }
        }
        let extensions: Vec<(String, Value)> = kind
            .extensions
            .iter()
            .filter_map(|extension| resource.shift_remove_entry(&extension.schema.id))
            .collect();
        project(ResourceType::common_attributes(), &own, self.mode, resource);
        project(&kind.schema.attributes, &own, self.mode, resource);
        resource.extend(extensions);
    }
}

fn select(
    kind: &'static ResourceType,
    path: &Path,
    leniencies: &mut Leniencies,
) -> Result<Option<Selected>> {
    Ok(match kind.resolve(&path.attribute, leniencies) {
        None => None,
        Some(Target::Extension(schema)) => Some(Selected::Extension(schema)),
        Some(Target::Attribute(attribute)) => {
            let filter = match &path.filter {
                Some(filter) => Some(resolve_element(attribute, filter, leniencies)?),
                None => None,
            };
            let sub = match path.sub_attribute.as_deref() {
                None => attribute.sub,
                Some(name) => match attribute.attribute.sub_attribute(name) {
                    None => return Ok(None),
                    found => found,
                },
            };
            Some(Selected::Attribute { attribute: AttributeRef { sub, ..attribute }, filter })
        }
    })
}

/// The names of a comma-separated list; a comma in brackets or quotes does not separate.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    text.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ',' => return depth == 0 && !quoted,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|name| !name.is_empty())
}

fn project(attributes: &[Attribute], selected: &[&Selected], mode: Mode, members: &mut Object) {
    let as_it_is = mode == Mode::Default && selected.is_empty();
    for attribute in attributes {
        if as_it_is && attribute.is_always_whole() {
            continue;
        }
        let Some(value) = members.get_mut(&attribute.name) else { continue };
        let named: Vec<Named<'_>> = selected
            .iter()
            .filter_map(|selected| match selected {
                Selected::Attribute { attribute: found, filter }
                    if found.attribute.name == attribute.name =>
                {
                    Some((found.sub, filter.as_ref()))
                }
                _ => None,
            })
            .collect();
        let keep = match (attribute.returned, mode) {
            _ if attribute.is_hidden() => false,
            (Returned::Always, Mode::Except) => keep_parts(attribute, &[], value),
            (Returned::Always, _) | (Returned::Default, Mode::Default) => {
                keep_parts(attribute, &named, value)
            }
            (Returned::Request, Mode::Default) | (_, Mode::Only) => {
                !named.is_empty() && keep_only(attribute, &named, value)
            }
            (Returned::Default, Mode::Except) => keep_rest(attribute, &named, value),
            (Returned::Never | Returned::Request, _) => false,
        };
        if !keep {
            members.shift_remove(&attribute.name);
        }
    }
}

type Named<'a> = (Option<&'static Attribute>, Option<&'a Predicate>);

/// Leaves what a value has without being asked, and what is named; whether any is left.
fn keep_parts(attribute: &Attribute, named: &[Named<'_>], value: &mut Value) -> bool {
    let all = Attribute::is_shown;
    if attribute.sub_attributes.iter().all(all) {
        return true;
    }
    keep_elements(value, |element| {
        let Value::Object(members) = element else { return true };
        members.retain(|name, _| {
            attribute.sub_attribute(name).is_some_and(|sub| all(sub) || is_asked_for(sub, named))
        });
        !members.is_empty()
    })
}

/// Leaves the named parts of a value; whether any is left.
fn keep_only(attribute: &Attribute, named: &[Named<'_>], value: &mut Value) -> bool {
    keep_elements(value, |element| {
        let selecting: Vec<Named<'_>> = named
            .iter()
            .filter(|(_, filter)| filter.is_none_or(|filter| evaluate_element(filter, element)))
            .copied()
            .collect();
        if selecting.iter().any(|(sub, _)| sub.is_none()) {
            return keep_parts(attribute, &selecting, element);
        }
        let Value::Object(members) = element else { return false };
        members.retain(|name, _| {
            attribute.sub_attribute(name).is_some_and(|sub| {
                let always = sub.returned == Returned::Always && !sub.is_hidden();
                always || is_asked_for(sub, &selecting)
            })
        });
        !selecting.is_empty() && !members.is_empty()
    })
}

/// Takes the named parts out of a value; whether any is left.
fn keep_rest(attribute: &Attribute, named: &[Named<'_>], value: &mut Value) -> bool {
    let left = keep_elements(value, |element| {
        for (sub, filter) in named {
            if filter.is_some_and(|filter| !evaluate_element(filter, element)) {
                continue;
            }
            match (sub, &mut *element) {
                (Some(sub), _) if sub.returned == Returned::Always => {}
                (Some(sub), Value::Object(members)) => {
                    members.shift_remove(&sub.name);
                }
                _ => return false,
            }
        }
        !element.as_object().is_some_and(Object::is_empty)
    });
    left && keep_parts(attribute, &[], value)
}

fn is_asked_for(sub: &Attribute, named: &[Named<'_>]) -> bool {
    !sub.is_hidden() && named.iter().any(|(named, _)| named.is_some_and(|n| n.name == sub.name))
}

/// Leaves the elements of which something is left; whether there are any.
fn keep_elements(value: &mut Value, mut keep: impl FnMut(&mut Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => {
            elements.retain_mut(keep);
            !elements.is_empty()
        }
        single => keep(single),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use serde_json::json;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn project(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let projection =
            Projection::parse(ResourceType::user(), attributes, excluded, &mut leniencies).unwrap();
        let mut user = json!({
            "schemas": ["x"], "id": "1", "userName": "a", "password": "p",
            "name": {"givenName": "g", "familyName": "f"},
            "emails": [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}],
            (ENTERPRISE): {"department": "d", "costCenter": "c"},
        });
        projection.apply(ResourceType::user(), user.as_object_mut().unwrap());
        user
    }

    #[test]
    fn rfc7644_3_9_only_what_is_named_and_what_is_always_returned() {
        let department = format!("{ENTERPRISE}:department");
        for (attributes, rest) in [
            ("userName", json!({"userName": "a"})),
            ("USERNAME , name.givenname", json!({"userName": "a", "name": {"givenName": "g"}})),
            ("emails.type", json!({"emails": [{"type": "work"}, {"type": "home"}]})),
            ("emails[type eq \"work\"]", json!({"emails": [{"value": "w", "type": "work"}]})),
            (
                "emails[type eq \"work\" or value eq \"a,b\"].value",
                json!({"emails": [{"value": "w"}]}),
            ),
            (department.as_str(), json!({(ENTERPRISE): {"department": "d"}})),
            (ENTERPRISE, json!({(ENTERPRISE): {"department": "d", "costCenter": "c"}})),
            ("password", json!({})),
            ("nonsense", json!({})),
            ("emails[type eq \"work\"].nonsense", json!({})),
        ] {
            let mut expected = json!({"schemas": ["x"], "id": "1"});
            expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            assert_eq!(project(Some(attributes), None), expected, "{attributes}");
        }
    }

    /// An attribute that is only returned on request can be asked for beside its whole extension.
    #[test]
    fn rfc7644_3_9_what_is_returned_on_request_beside_its_extension() {
        const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
        let of = |attributes: &str| {
            let (kind, mut leniencies) = (ResourceType::user(), Leniencies::new(Dialect::Strict));
            let projection =
                Projection::parse(kind, Some(attributes), None, &mut leniencies).unwrap();
            let mut user = json!({(HEADCOUNT): {"site": "Kiel", "effectivePermissions": ["a"]}});
            projection.apply(kind, user.as_object_mut().unwrap());
            let wanted = projection.wants_named(kind, &format!("{HEADCOUNT}:effectivePermissions"));
            (user[HEADCOUNT].clone(), wanted)
        };
        let both = json!({"site": "Kiel", "effectivePermissions": ["a"]});
        let asked = format!("{HEADCOUNT}:effectivePermissions");
        assert_eq!(of(HEADCOUNT), (json!({"site": "Kiel"}), false));
        assert_eq!(of(&format!("{HEADCOUNT},{asked}")), (both.clone(), true));
        assert_eq!(of(&format!("{asked},{HEADCOUNT}")), (both, true));
        assert_eq!(of(&asked), (json!({"effectivePermissions": ["a"]}), true));
    }

    #[test]
    fn rfc7644_3_9_all_but_what_is_excluded() {
        let rest = project(None, Some(&format!("id,userName,name.givenName,emails,{ENTERPRISE}")));
        assert_eq!(rest, json!({"schemas": ["x"], "id": "1", "name": {"familyName": "f"}}));
    }

    #[test]
    fn rfc7644_3_9_not_both() {
        let mut leniencies = Leniencies::new(Dialect::Standard);
        let both = Projection::parse(ResourceType::user(), Some("a"), Some("b"), &mut leniencies);
        assert!(both.is_err());
    }

    #[test]
    fn rfc7644_7_7_conditions_on_what_is_returned_are_few() {
        let with_terms = |count: usize| {
            let name = vec!["emails[type eq \"work\"]"; count].join(",");
            let mut leniencies = Leniencies::new(Dialect::Strict);
            Projection::parse(ResourceType::user(), Some(&name), None, &mut leniencies)
        };
        assert!(with_terms(MAX_TERMS).is_ok());
        assert!(with_terms(MAX_TERMS + 1).is_err());
    }

    #[test]
    fn q30_excluded_members_need_not_be_loaded() {
        let group = ResourceType::group();
        let members = group.attribute("members").unwrap();
        let wants = |attributes, excluded| {
            Projection::parse(group, attributes, excluded, &mut Leniencies::new(Dialect::Strict))
                .unwrap()
                .wants(None, members)
        };
        assert!(wants(None, None));
        assert!(wants(Some("members.value"), None));
        assert!(!wants(Some("displayName"), None));
        assert!(!wants(None, Some("members")));
        assert!(wants(None, Some("members.display")));
    }
}
