//! Provisioning rules and templates: what an account gets that its identity provider does not send
//! (domain model 2.10).
//!
//! A rule has a SCIM filter on the incoming user, and a template. The first rule that matches counts:
//! [`first_match`]. [`apply_template`] then completes the user, before it is created like any other.

mod template;

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::error::Error;
use scim_protocol::filter::{self, Predicate};
use scim_protocol::fold::fold;
use scim_protocol::schema::ResourceType;
use serde_json::Value;

pub use template::{TemplateGroup, apply_template};

/// The enterprise extension of a user (RFC 7643 section 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The extension of a user with what a contact centre knows.
pub const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

/// The priority of a rule that does not say one.
pub const DEFAULT_PRIORITY: i64 = 100;

/// What a template does to what the request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It stays; the template says only what the request does not.
    FillMissing,
    /// The template's word counts. Roles and skills of both are united.
    Enforce,
}

impl Mode {
    /// As a provisioning rule has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FillMissing => "fillMissing",
            Self::Enforce => "enforce",
        }
    }
}

/// A rule that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The name of the rule.
    pub rule: String,
    /// Its template, as the rule names it.
    pub template: String,
    /// What the template does.
    pub mode: Mode,
}

/// The first of the `ProvisioningRule` resources, by priority and then by name, that is enabled and
/// whose filter matches the user. All are in their kept form.
///
/// # Errors
/// `invalidFilter`, which names the rule: a filter that cannot be read any more. To pass over the
/// rule would give people other rights than were meant for them.
pub fn first_match<'a>(
    rules: impl IntoIterator<Item = &'a Object>,
    user: &Object,
) -> Result<Option<Match>, Error> {
    let mut rules: Vec<_> = rules.into_iter().filter(|rule| is_enabled(rule)).collect();
    rules.sort_by_cached_key(|rule| (priority(rule), fold(text(rule, "name"))));
    for rule in rules {
        let name = text(rule, "name");
        let predicate = read_filter(text(rule, "filter")).map_err(|error| {
            Error::invalid_filter(format!("provisioning rule {name:?}: {}", error.detail))
        })?;
        if filter::evaluate(&predicate, user) {
            return Ok(Some(Match {
                rule: name.to_owned(),
                template: text(rule, "template").to_owned(),
                mode: mode(rule),
            }));
        }
    }
    Ok(None)
}

/// Checks the filter of a rule that is to be saved.
///
/// # Errors
/// `invalidFilter`: it is none, or not one on users.
pub fn check_filter(text: &str) -> Result<(), Error> {
    read_filter(text).map(drop)
}

/// Whether a rule or template is in force: unless its `state` says otherwise.
pub fn is_enabled(resource: &Object) -> bool {
    resource.get("state").is_none_or(|_| text(resource, "state").eq_ignore_ascii_case("enabled"))
}

fn read_filter(text: &str) -> Result<Predicate, Error> {
    // Administrators write filters, so that there is no client's dialect to follow.
    filter::parse(ResourceType::user(), text, &mut Leniencies::new(Dialect::Standard))
}

fn priority(rule: &Object) -> i64 {
    rule.get("priority").and_then(Value::as_i64).unwrap_or(DEFAULT_PRIORITY)
}

fn mode(rule: &Object) -> Mode {
    if text(rule, "mode").eq_ignore_ascii_case("enforce") {
        Mode::Enforce
    } else {
        Mode::FillMissing
    }
}

fn text<'a>(resource: &'a Object, name: &str) -> &'a str {
    resource.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn user() -> Object {
        object(&json!({"userName": "ada@x.example", "title": "Agent",
                       "emails": [{"value": "ada@x.example", "type": "work"}],
                       ENTERPRISE: {"department": "Sales"}}))
    }

    fn matched(rules: &[Value]) -> Option<String> {
        let rules: Vec<_> = rules.iter().map(object).collect();
        first_match(&rules, &user()).unwrap().map(|found| found.rule)
    }

    #[test]
    fn domain_2_10_the_first_rule_that_matches_counts() {
        let all = "userName pr";
        for (rules, expected) in [
            (vec![], None),
            (vec![json!({"name": "no", "filter": "userName eq \"bob\"", "template": "t"})], None),
            (
                vec![json!({"name": "off", "filter": all, "template": "t", "state": "disabled"})],
                None,
            ),
            (
                vec![json!({"name": "on", "filter": all, "template": "t", "state": "Enabled"})],
                Some("on"),
            ),
            (
                vec![
                    json!({"name": "late", "priority": 2, "filter": all, "template": "t"}),
                    json!({"name": "soon", "priority": 1, "filter": all, "template": "t"}),
                ],
                Some("soon"),
            ),
            (
                vec![
                    json!({"name": "unsaid", "filter": all, "template": "t"}),
                    json!({"name": "after", "priority": 101, "filter": all, "template": "t"}),
                ],
                Some("unsaid"),
            ),
            (
                vec![
                    json!({"name": "b", "filter": all, "template": "t"}),
                    json!({"name": "A", "filter": all, "template": "t"}),
                ],
                Some("A"),
            ),
            (
                vec![
                    json!({"name": "no", "priority": 1, "filter": "title eq \"x\"", "template": "t"}),
                    json!({"name": "yes", "priority": 2, "filter": all, "template": "t"}),
                ],
                Some("yes"),
            ),
        ] {
            assert_eq!(matched(&rules).as_deref(), expected, "{rules:?}");
        }
    }

    #[test]
    fn domain_2_10_the_filter_is_a_scim_filter_on_the_user() {
        for (filter, matches) in [
            ("title eq \"agent\"", true),
            ("emails[type eq \"work\" and value ew \"@x.example\"]", true),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw \"sal\"",
                true,
            ),
            ("userName sw \"ada\" and not (title pr)", false),
            ("nickName pr", false),
        ] {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
            let rule = json!({"name": "r", "filter": filter, "template": "t"});
            assert_eq!(matched(&[rule]).is_some(), matches, "{filter}");
        }
        for filter in ["", "title", "nonsense eq 1", "title eq", "active gt true", "password pr"] {
            assert!(check_filter(filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_match_says_which_template_and_how() {
        for (mode, expected) in [
            (None, Mode::FillMissing),
            (Some("fillMissing"), Mode::FillMissing),
            (Some("Enforce"), Mode::Enforce),
        ] {
            let rule = object(&json!({"name": "r", "filter": "userName pr", "template": "Sales",
                                      "mode": mode}));
            let expected =
                Match { rule: "r".to_owned(), template: "Sales".to_owned(), mode: expected };
            assert_eq!(first_match(&[rule], &user()), Ok(Some(expected)));
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_not_passed_over() {
        let broken = object(&json!({"name": "Old", "priority": 1, "filter": "gone pr"}));
        let other = object(&json!({"name": "r", "priority": 2, "filter": "userName pr"}));
        let error = first_match(&[broken, other], &user()).unwrap_err();
        assert_eq!(error.detail, "provisioning rule \"Old\": gone is no attribute of User");
    }
}
