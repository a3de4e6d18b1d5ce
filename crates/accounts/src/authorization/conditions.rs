//! Conditions of policies: kept as they were sent and given back, never evaluated here.
//!
//! A condition is the text of a JSON object: either terms joined by a conjunction,
//! `{"conjunction": "AND", "terms": […]}`, or a comparison, `{"variableName": "Queue.id",
//! "operator": "EQ", "operands": [{"type": "SCALAR", "value": "…"}]}`. It is text because SCIM has
//! no attribute that holds itself (RFC 7643 section 2.3.8).

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

/// How deep terms may be inside of terms.
pub const MAX_DEPTH: usize = 8;

/// The longest text of a condition, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;

/// A condition that is well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Terms that are all true, or one of which is.
    Joined {
        /// Which of the two.
        conjunction: Conjunction,
        /// The terms; at least one.
        terms: Vec<Condition>,
    },
    /// A variable, compared with operands.
    Comparison {
        /// The variable, as the consumer knows it.
        variable: String,
        /// How it is compared.
        operator: Operator,
        /// With what; at least one.
        operands: Vec<Operand>,
    },
}

/// One of the values that a variable is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// What the value is.
    pub kind: OperandKind,
    /// The value.
    pub value: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
        pub enum $name { $($(#[$of])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The word in the text of a condition.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// How terms are joined.
    Conjunction {
        /// All must be true.
        And = "AND",
        /// One must be true.
        Or = "OR",
    }
}

words! {
    /// How a variable is compared.
    Operator {
        /// Equal.
        Eq = "EQ",
        /// One of.
        In = "IN",
        /// Greater or equal.
        Ge = "GE",
        /// Greater.
        Gt = "GT",
        /// Less or equal.
        Le = "LE",
        /// Less.
        Lt = "LT",
    }
}

words! {
    /// What an operand is.
    OperandKind {
        /// A value.
        Scalar = "SCALAR",
        /// The name of another variable.
        Variable = "VARIABLE",
        /// An account.
        User = "USER",
        /// A team.
        Team = "TEAM",
        /// A queue.
        Queue = "QUEUE",
    }
}

/// Why a text is no condition.
#[derive(Debug, thiserror::Error)]
pub enum BadCondition {
    /// It is too long to be read.
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It has terms inside of too many others.
    #[error("it is deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It is not JSON, or has members that a condition does not have.
    #[error("{0}")]
    NotReadable(#[from] serde_json::Error),
    /// It is neither of the two forms, or both.
    #[error(
        "each part has either conjunction and terms, or variableName, operator and operands, \
         and none of them empty"
    )]
    NeitherForm,
}

impl FromStr for Condition {
    type Err = BadCondition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LENGTH {
            return Err(BadCondition::TooLong);
        }
        let Strict::<Node>(node) = serde_json::from_str(text)?;
        condition(node, MAX_DEPTH)
    }
}

impl fmt::Display for Condition {
    /// The text that reads as this condition, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

impl Condition {
    fn to_json(&self) -> Value {
        match self {
            Self::Joined { conjunction, terms } => json!({
                "conjunction": conjunction.as_str(),
                "terms": terms.iter().map(Self::to_json).collect::<Vec<_>>(),
            }),
            Self::Comparison { variable, operator, operands } => json!({
                "variableName": variable,
                "operator": operator.as_str(),
                "operands": operands.iter().map(Operand::to_json).collect::<Vec<_>>(),
            }),
        }
    }
}

impl Operand {
    fn to_json(&self) -> Value {
        json!({"type": self.kind.as_str(), "value": self.value})
    }
}

fn condition(node: Node, levels: usize) -> Result<Condition, BadCondition> {
    let Some(below) = levels.checked_sub(1) else { return Err(BadCondition::TooDeep) };
    match node {
        Node {
            conjunction: Some(conjunction),
            terms: Some(terms),
            variable_name: None,
            operator: None,
            operands: None,
        } if !terms.is_empty() => {
            let terms = terms.into_iter().map(|Strict(term)| condition(term, below));
            Ok(Condition::Joined { conjunction, terms: terms.collect::<Result<_, _>>()? })
        }
        Node {
            conjunction: None,
            terms: None,
            variable_name: Some(variable),
            operator: Some(operator),
            operands: Some(operands),
        } if !variable.is_empty() && !operands.is_empty() => {
            let operands = operands
                .into_iter()
                .map(|Strict(RawOperand { kind, value })| Operand { kind, value })
                .collect();
            Ok(Condition::Comparison { variable, operator, operands })
        }
        _ => Err(BadCondition::NeitherForm),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Node {
    conjunction: Option<Conjunction>,
    terms: Option<Vec<Strict<Node>>>,
    variable_name: Option<String>,
    operator: Option<Operator>,
    operands: Option<Vec<Strict<RawOperand>>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperand {
    #[serde(rename = "type")]
    kind: OperandKind,
    value: String,
}

/// What is read from a JSON object only: serde takes an array for a struct too.
struct Strict<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfMap(PhantomData)).map(Strict)
    }
}

struct OfMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUEUE: &str = r#"{"variableName":"Queue.id","operator":"IN","operands":[{"type":"QUEUE","value":"q1"},{"type":"SCALAR","value":"q2"}]}"#;

    fn nested(levels: usize) -> String {
        let open = r#"{"conjunction":"AND","terms":["#.repeat(levels - 1);
        format!("{open}{QUEUE}{}", "]}".repeat(levels - 1))
    }

    #[test]
    fn a_condition_reads_and_writes_itself() {
        let joined = format!(r#"{{"conjunction":"OR","terms":[{QUEUE},{QUEUE}]}}"#);
        for text in [QUEUE, &joined] {
            assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let bad = [
            "",
            "null",
            "[]",
            "{}",
            r#"["AND", []]"#,
            r#"{"conjunction":"AND","terms":[]}"#,
            r#"{"conjunction":"XOR","terms":[{}]}"#,
            r#"{"conjunction":"AND","terms":[["AND",[]]]}"#,
            r#"{"variableName":"x","operator":"EQ","operands":[]}"#,
            r#"{"variableName":"","operator":"EQ","operands":[{"type":"SCALAR","value":"1"}]}"#,
            r#"{"variableName":"x","operator":"NE","operands":[{"type":"SCALAR","value":"1"}]}"#,
            r#"{"variableName":"x","operator":"EQ","operands":[{"type":"SCALAR","value":1}]}"#,
            r#"{"variableName":"x","operator":"EQ","operands":[["SCALAR","1"]]}"#,
            r#"{"variableName":"x","operator":"EQ","operands":[{"type":"SITE","value":"1"}]}"#,
            r#"{"variableName":"x","operator":"EQ"}"#,
        ];
        for text in bad {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
        // Both forms at once, a member that there is not, one that is twice, and more than one.
        let mut texts = vec![format!("{QUEUE} {QUEUE}")];
        for more in [r#""conjunction":"AND","#, r#""negated":true,"#, r#""operator":"EQ","#] {
            texts.push(QUEUE.replacen('{', &format!("{{{more}"), 1));
        }
        for text in texts {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_condition_is_only_so_deep_and_so_long() {
        assert!(nested(MAX_DEPTH).parse::<Condition>().is_ok());
        let too_deep = nested(MAX_DEPTH + 1).parse::<Condition>().unwrap_err();
        assert!(matches!(too_deep, BadCondition::TooDeep), "{too_deep}");
        let long = format!("{QUEUE}{}", " ".repeat(MAX_LENGTH));
        let too_long = long.parse::<Condition>().unwrap_err();
        assert!(matches!(too_long, BadCondition::TooLong), "{too_long}");
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let kind = prop::sample::select(vec![
            OperandKind::Scalar,
            OperandKind::Variable,
            OperandKind::User,
            OperandKind::Team,
            OperandKind::Queue,
        ]);
        let operator = prop::sample::select(vec![
            Operator::Eq,
            Operator::In,
            Operator::Ge,
            Operator::Gt,
            Operator::Le,
            Operator::Lt,
        ]);
        let operand = (kind, ".{0,8}").prop_map(|(kind, value)| Operand { kind, value });
        let operands = prop::collection::vec(operand, 1..4);
        let leaf = (".{1,8}", operator, operands).prop_map(|(variable, operator, operands)| {
            Condition::Comparison { variable, operator, operands }
        });
        leaf.prop_recursive(5, 20, 3, |inner| {
            let conjunction = prop::sample::select(vec![Conjunction::And, Conjunction::Or]);
            (conjunction, prop::collection::vec(inner, 1..4))
                .prop_map(|(conjunction, terms)| Condition::Joined { conjunction, terms })
        })
    }

    proptest! {
        #[test]
        fn every_condition_is_read_from_what_it_is_written_as(condition in any_condition()) {
            let read: Condition = condition.to_string().parse().unwrap();
            prop_assert_eq!(read, condition);
        }
    }
}
