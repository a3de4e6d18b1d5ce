//! Capacity rules: how many interactions of which media a person may have at once (rule R76).
//!
//! A rule has one media rule for each medium that it lets through:
//!
//! | Attribute | Says |
//! |---|---|
//! | `media` | `voice`, `callback`, `chat`, `email`, `message`, or a medium of the tenant's own |
//! | `maxCapacity` | how many of them at once, 0 to 25; 1 if it is not said |
//! | `blockWhen` | no more of them while this holds: `email ge 1 and chat ge 1 or voice ge 1` |
//! | `interruptedBy` | the media that may alert all the same: `voice, callback` |
//! | `includeNonAcd` | whether interactions that no queue has routed count as well |
//!
//! [`validate`] says what is wrong with a rule, [`choose`] which rule is that of a person, and
//! [`accept`] and [`interrupts`] what the rule says of one more interaction.

mod evaluate;
mod parse;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use scim_protocol::Object;
use scim_protocol::error::Error;

pub use evaluate::{
    Chosen, Decision, GroupRule, Load, Refused, Source, Work, accept, choose, interrupts,
};
pub use validate::{Validation, validate};

/// The most interactions of one medium at once.
pub const MAX_CAPACITY: i64 = 25;

/// The media that every tenant has.
pub const KNOWN_MEDIA: [&str; 5] = ["voice", "callback", "chat", "email", "message"];

/// A kind of interaction, by its name in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Medium(String);

impl Medium {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 50;

    /// The medium of this name, in any case: at most 50 letters, digits, `-` and `_`, of ASCII and
    /// with a letter first, so that a condition can name it.
    pub fn named(name: &str) -> Option<Self> {
        let is_name = name.len() <= Self::MAX_NAME
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        is_name.then(|| Self(name.to_ascii_lowercase()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether every tenant has it; otherwise it is of the tenant's own.
    pub fn is_known(&self) -> bool {
        KNOWN_MEDIA.contains(&self.as_str())
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Media of which there are at least so many at the same time.
pub type Conjunction = BTreeMap<Medium, i64>;

/// What a rule says of one medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRule {
    /// The medium.
    pub media: Medium,
    /// How many of it at once.
    pub max_capacity: i64,
    /// No more of it while one of these holds.
    pub block_when: BTreeSet<Conjunction>,
    /// The media that may alert although there is one of this.
    pub interrupted_by: BTreeSet<Medium>,
    /// Whether what no queue has routed counts.
    pub include_non_acd: bool,
}

/// A capacity rule that is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityRule {
    /// Its name.
    pub name: String,
    /// Whether it is in force; if not, the next one counts.
    pub enabled: bool,
    /// Whether a person takes something only if there is nothing else.
    pub only_when_idle: bool,
    /// What it says of each medium.
    pub media: BTreeMap<Medium, MediaRule>,
}

impl CapacityRule {
    /// Reads the attributes of a `CapacityRule` resource in their kept form.
    ///
    /// # Errors
    /// `invalidValue`, with all that [`validate`] finds wrong.
    pub fn of(attributes: &Object) -> Result<Self, Error> {
        let (rules, errors) = validate::read(attributes);
        if !errors.is_empty() {
            return Err(Error::invalid_value(errors.join("; ")));
        }
        let text = |name: &str| attributes.get(name).and_then(serde_json::Value::as_str);
        Ok(Self {
            name: text("name").unwrap_or_default().to_owned(),
            enabled: text("state").is_none_or(|state| state.eq_ignore_ascii_case("enabled")),
            only_when_idle: false,
            media: rules.into_iter().map(|rule| (rule.media.clone(), rule)).collect(),
        })
    }

    /// The rule of those for whom there is none: one call, and only when there is nothing else.
    pub fn fallback() -> Self {
        let voice = MediaRule {
            media: Medium("voice".to_owned()),
            max_capacity: 1,
            block_when: BTreeSet::new(),
            interrupted_by: BTreeSet::new(),
            include_non_acd: false,
        };
        Self {
            name: "default".to_owned(),
            enabled: true,
            only_when_idle: true,
            media: BTreeMap::from([(voice.media.clone(), voice)]),
        }
    }
}
