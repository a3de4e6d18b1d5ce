//! What is wrong with a capacity rule, and what is odd about it.

use std::collections::BTreeSet;

use scim_protocol::Object;
use serde_json::Value;

use super::{MAX_CAPACITY, MediaRule, Medium, parse};

/// The most media rules of one rule: more media than anybody has, and few enough to be checked in no
/// time.
const MAX_MEDIA_RULES: usize = 50;

/// What is to be said of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validation {
    /// Why it cannot be used.
    pub errors: Vec<String>,
    /// What its author may not have meant.
    pub warnings: Vec<String>,
}

impl Validation {
    /// Whether it can be assigned to people (rule R76).
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Errors and warnings, for a person to read.
    pub fn messages(&self) -> impl Iterator<Item = String> + '_ {
        let errors = self.errors.iter().map(|error| format!("error: {error}"));
        errors.chain(self.warnings.iter().map(|warning| format!("warning: {warning}")))
    }
}

/// Checks the attributes of a `CapacityRule` resource.
pub fn validate(attributes: &Object) -> Validation {
    let (rules, errors) = read(attributes);
    Validation { errors, warnings: warnings(&rules) }
}

/// The media rules that can be read, and all that is wrong.
pub(super) fn read(attributes: &Object) -> (Vec<MediaRule>, Vec<String>) {
    let elements = attributes.get("mediaRules").and_then(Value::as_array);
    let elements = elements.map(Vec::as_slice).unwrap_or_default();
    if elements.is_empty() || elements.len() > MAX_MEDIA_RULES {
        let error = format!("mediaRules must have from 1 to {MAX_MEDIA_RULES} elements");
        return (Vec::new(), vec![error]);
    }
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for element in elements {
        match parse::media_rule(element) {
            Ok(rule) => rules.push(rule),
            Err(error) => wrong.push(error),
        }
    }
    wrong.extend(errors(&rules));
    (rules, wrong)
}

fn errors(rules: &[MediaRule]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for rule in rules {
        let media = &rule.media;
        if !seen.insert(media) {
            errors.push(format!("{media}: there must be only one media rule for a medium"));
        }
        if !(0..=MAX_CAPACITY).contains(&rule.max_capacity) {
            errors.push(format!("{media}: maxCapacity must be from 0 to {MAX_CAPACITY}"));
        }
        for (other, _) in rule.block_when.iter().flatten().filter(|(_, at_least)| **at_least < 1) {
            errors.push(format!("{media}: blockWhen must ask for at least 1 of {other}"));
        }
    }
    errors
}

fn warnings(rules: &[MediaRule]) -> Vec<String> {
    let mut warnings: Vec<String> = media(rules)
        .into_iter()
        .filter(|medium| !medium.is_known())
        .map(|medium| format!("{medium} is a medium of this tenant only"))
        .collect();
    for rule in rules {
        warnings.extend(warnings_of(rule, rules));
    }
    if !rules.is_empty() && rules.iter().all(|rule| rule.max_capacity == 0) {
        warnings.push("the rule never accepts anything".to_owned());
    }
    warnings
}

/// Every medium that the rules name.
fn media(rules: &[MediaRule]) -> BTreeSet<&Medium> {
    rules.iter().flat_map(named_by).collect()
}

fn named_by(rule: &MediaRule) -> impl Iterator<Item = &Medium> {
    let conditions = rule.block_when.iter().flat_map(|conjunction| conjunction.keys());
    std::iter::once(&rule.media).chain(conditions).chain(&rule.interrupted_by)
}

fn warnings_of(rule: &MediaRule, rules: &[MediaRule]) -> Vec<String> {
    let media = &rule.media;
    let mut warnings = Vec::new();
    if rule.max_capacity == 0 {
        warnings.push(format!("{media} is never accepted: its maxCapacity is 0"));
    }
    if rule.interrupted_by.contains(media) {
        warnings.push(format!("{media} cannot interrupt itself: its maxCapacity says how many"));
    }
    for conjunction in &rule.block_when {
        if let (1, Some(at_least)) = (conjunction.len(), conjunction.get(media)) {
            warnings.push(blocks_itself(rule, *at_least));
            continue;
        }
        let most = |medium: &Medium| {
            let of_medium = rules.iter().find(|rule| rule.media == *medium);
            of_medium.map_or(0, |rule| rule.max_capacity)
        };
        let never = conjunction.iter().find(|(medium, at_least)| **at_least > most(medium));
        if let Some((medium, at_least)) = never {
            warnings.push(format!(
                "{media} is never blocked by {medium} ge {at_least}: the rule lets through only {}",
                most(medium)
            ));
        }
    }
    warnings
}

/// A condition on nothing but the medium itself contradicts its maximum, or adds nothing to it.
fn blocks_itself(rule: &MediaRule, at_least: i64) -> String {
    let MediaRule { media, max_capacity, .. } = rule;
    if at_least < *max_capacity {
        format!(
            "{media} blocks itself at {at_least} and never reaches its maxCapacity of {max_capacity}"
        )
    } else {
        format!("{media} ge {at_least} adds nothing to its own maxCapacity of {max_capacity}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::CapacityRule;
    use serde_json::json;

    fn check(media_rules: &Value) -> Validation {
        validate(json!({"name": "x", "mediaRules": media_rules}).as_object().unwrap())
    }

    #[test]
    fn r76_what_is_wrong_with_a_rule() {
        for (media_rules, error) in [
            (json!([]), "mediaRules must have from 1 to 50 elements"),
            (
                vec![json!({"media": "voice"}); 51].into(),
                "mediaRules must have from 1 to 50 elements",
            ),
            (
                json!([{"media": "voice"}, {"media": "Voice"}]),
                "voice: there must be only one media rule for a medium",
            ),
            (
                json!([{"media": "voice", "maxCapacity": 26}]),
                "voice: maxCapacity must be from 0 to 25",
            ),
            (
                json!([{"media": "voice", "maxCapacity": -1}]),
                "voice: maxCapacity must be from 0 to 25",
            ),
            (
                json!([{"media": "voice", "maxCapacity": 1.5}]),
                "voice: maxCapacity must be a whole number",
            ),
            (
                json!([{"media": "voice", "blockWhen": "email ge 0"}]),
                "voice: blockWhen must ask for at least 1 of email",
            ),
            (
                json!([{"media": "voice", "blockWhen": "not (email ge 1)"}]),
                "voice: blockWhen, such as email ge 1 and chat ge 1: a condition is made of \
              comparisons, and, or and parentheses",
            ),
            (
                json!([{"media": "voice", "interruptedBy": "e mail"}]),
                "voice: interruptedBy, such as voice, callback: \"e mail\" is no medium: a letter, \
              then at most 49 letters, digits, - and _",
            ),
            (
                json!([{"media": ""}]),
                "\"\" is no medium: a letter, then at most 49 letters, digits, - and _",
            ),
            (
                json!([{"maxCapacity": 1}]),
                "\"\" is no medium: a letter, then at most 49 letters, digits, - and _",
            ),
            (
                json!([{"media": "1st"}]),
                "\"1st\" is no medium: a letter, then at most 49 letters, digits, - and _",
            ),
        ] {
            let validation = check(&media_rules);
            assert_eq!(validation.errors, [error], "{media_rules}");
            assert!(!validation.is_valid());
            let rule = json!({"name": "x", "mediaRules": media_rules});
            assert!(CapacityRule::of(rule.as_object().unwrap()).is_err(), "{media_rules}");
        }
        let validation = check(&json!([{"media": "voice", "maxCapacity": 99},
                                       {"media": "?"}, {"media": "email", "blockWhen": "x"}]));
        assert_eq!(validation.errors.len(), 3, "all are said at once: {validation:?}");
    }

    #[test]
    fn r76_what_is_odd_about_a_rule() {
        for (media_rules, warnings) in [
            (
                json!([{"media": "voice", "maxCapacity": 25}, {"media": "email", "maxCapacity": 2,
                     "blockWhen": "voice ge 25", "interruptedBy": "voice, callback"}]),
                vec![],
            ),
            (
                json!([{"media": "fax"}, {"media": "voice", "interruptedBy": "telex"}]),
                vec![
                    "fax is a medium of this tenant only",
                    "telex is a medium of this tenant only",
                ],
            ),
            (
                json!([{"media": "voice", "maxCapacity": 0}]),
                vec![
                    "voice is never accepted: its maxCapacity is 0",
                    "the rule never accepts anything",
                ],
            ),
            (
                json!([{"media": "voice", "maxCapacity": 0}, {"media": "chat"}]),
                vec!["voice is never accepted: its maxCapacity is 0"],
            ),
            (
                json!([{"media": "voice", "maxCapacity": 3, "blockWhen": "voice ge 2"}]),
                vec!["voice blocks itself at 2 and never reaches its maxCapacity of 3"],
            ),
            (
                json!([{"media": "voice", "blockWhen": "voice ge 1"}]),
                vec!["voice ge 1 adds nothing to its own maxCapacity of 1"],
            ),
            (
                json!([{"media": "voice", "blockWhen": "email ge 1"}]),
                vec!["voice is never blocked by email ge 1: the rule lets through only 0"],
            ),
            (
                json!([{"media": "voice", "blockWhen": "email ge 3"},
                    {"media": "email", "maxCapacity": 2}]),
                vec!["voice is never blocked by email ge 3: the rule lets through only 2"],
            ),
            (
                json!([{"media": "voice", "interruptedBy": "voice"}]),
                vec!["voice cannot interrupt itself: its maxCapacity says how many"],
            ),
        ] {
            let validation = check(&media_rules);
            assert_eq!(validation.warnings, warnings, "{media_rules}");
            assert!(validation.is_valid());
            let messages: Vec<_> = validation.messages().collect();
            assert_eq!(messages.len(), warnings.len());
            assert!(messages.iter().all(|message| message.starts_with("warning: ")));
        }
    }
}
