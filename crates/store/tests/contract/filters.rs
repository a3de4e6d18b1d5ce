//! Filters over every attribute and operator, with literals that are near to what is there.

use proptest::prelude::*;
use proptest::sample::Index;
use scim_protocol::Object;
use scim_protocol::schema::{Attribute, DataType, ResourceType, Returned};
use serde_json::Value;

use crate::population::text;
use crate::sample::{edges, other_numbers};

/// Something that a filter can name.
#[derive(Debug)]
pub(crate) struct Target {
    /// As a filter names it; inside of brackets, the last part.
    pub(crate) path: String,
    /// What is compared.
    leaf: &'static Attribute,
    /// The values that resources have, as JSON.
    literals: Vec<Value>,
    /// Whether any resource has one.
    is_there: bool,
    /// Of a complex attribute, its sub-attributes.
    subs: Vec<Target>,
}

/// All that a filter on a kind of resource can name.
#[derive(Debug)]
pub(crate) struct Targets {
    pub(crate) all: Vec<Target>,
    /// Positions of those that brackets can follow.
    complex: Vec<usize>,
}

/// Our extension of users.
pub(crate) const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
pub(crate) const HEADCOUNT_GROUP: &str =
    "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";

const OPERATORS: [&str; 10] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"];

/// A filter before it has names and literals.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Test(Comparison),
    Not(Box<Shape>),
    And(Vec<Shape>),
    Or(Vec<Shape>),
    /// A value path, and a test behind its brackets.
    Element(Index, Box<Shape>, Option<Comparison>),
}

#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    target: Index,
    operator: Index,
    literal: Index,
    twist: Twist,
}

/// What is done to a value that a resource has before it is compared with.
#[derive(Debug, Clone)]
enum Twist {
    Nothing,
    Upper,
    Lower,
    /// A part of it.
    Part(Index, Index),
    Longer(String),
    Other(String),
    /// `null`, where it can be compared with.
    Null,
}

impl Targets {
    pub(crate) fn of(kind: &'static ResourceType, resources: &[Object]) -> Self {
        let mut all = Vec::new();
        let common = ResourceType::common_attributes().iter();
        for attribute in common.chain(&kind.schema.attributes) {
            let values = resources.iter().filter_map(|resource| resource.get(&attribute.name));
            add("", attribute, &values.collect::<Vec<_>>(), &mut all);
        }
        for schema in kind.extensions.iter().map(|extension| &extension.schema) {
            let of_extension =
                |name| resources.iter().filter_map(move |r| r.get(&schema.id)?.get(name));
            for attribute in &schema.attributes {
                let values = of_extension(&attribute.name).collect::<Vec<_>>();
                add(&format!("{}:", schema.id), attribute, &values, &mut all);
            }
        }
        Self::from(all)
    }

    /// Without those that no resource has a value for, of which filters can tell little.
    pub(crate) fn that_are_there(self) -> Self {
        Self::from(self.all.into_iter().filter(|target| target.is_there).collect())
    }

    /// Without those of which the names begin so.
    pub(crate) fn without(self, names: &[&str]) -> Self {
        let is_one = |target: &Target| names.iter().any(|name| target.path.starts_with(name));
        Self::from(self.all.into_iter().filter(|target| !is_one(target)).collect())
    }

    fn from(all: Vec<Target>) -> Self {
        let complex = (0..all.len()).filter(|at| !all[*at].subs.is_empty()).collect();
        Self { all, complex }
    }

    /// The text of a filter.
    pub(crate) fn write(&self, shape: &Shape) -> String {
        self.write_within(shape, &self.all)
    }

    fn write_within(&self, shape: &Shape, targets: &[Target]) -> String {
        let join = |terms: &[Shape], with: &str| {
            let terms: Vec<_> = terms.iter().map(|term| self.write_within(term, targets)).collect();
            format!("({})", terms.join(with))
        };
        match shape {
            Shape::Test(comparison) => comparison.write(targets),
            Shape::Not(inner) => format!("not ({})", self.write_within(inner, targets)),
            Shape::And(terms) => join(terms, " and "),
            Shape::Or(terms) => join(terms, " or "),
            // Brackets do not stand in brackets.
            Shape::Element(_, inner, _) if !std::ptr::eq(targets, self.all.as_slice()) => {
                self.write_within(inner, targets)
            }
            Shape::Element(target, inner, then) => {
                let target = &self.all[self.complex[target.index(self.complex.len())]];
                let inner = self.write_within(inner, &target.subs);
                let then = then.as_ref().map(|then| format!(".{}", then.write(&target.subs)));
                format!("{}[{inner}]{}", target.path, then.unwrap_or_default())
            }
        }
    }
}

/// Adds an attribute, and each of its sub-attributes with and without brackets.
fn add(prefix: &str, attribute: &'static Attribute, values: &[&Value], all: &mut Vec<Target>) {
    if attribute.returned == Returned::Never {
        return;
    }
    let elements: Vec<&Value> = values
        .iter()
        .flat_map(|value| match value {
            Value::Array(elements) => elements.iter().collect(),
            single => vec![*single],
        })
        .collect();
    let of_sub = |sub: &Attribute| elements.iter().filter_map(|e| e.get(&sub.name)).collect();
    let path = format!("{prefix}{}", attribute.name);
    for sub in &attribute.sub_attributes {
        all.push(Target::new(format!("{path}.{}", sub.name), sub, of_sub(sub), Vec::new()));
    }
    let sub = |sub: &'static Attribute| Target::new(sub.name.clone(), sub, of_sub(sub), Vec::new());
    let subs: Vec<Target> = attribute.sub_attributes.iter().map(sub).collect();
    // A complex attribute stands for its `value`.
    let leaf = attribute.sub_attribute("value").unwrap_or(attribute);
    let values = if leaf.name == attribute.name { elements } else { of_sub(leaf) };
    all.push(Target::new(path, leaf, values, subs));
}

impl Target {
    fn new(path: String, leaf: &'static Attribute, values: Vec<&Value>, subs: Vec<Self>) -> Self {
        let is_there = !values.is_empty();
        let mut literals: Vec<Value> = values.into_iter().cloned().collect();
        literals.retain(|value| !value.is_object());
        match leaf.data_type {
            DataType::Boolean => literals = vec![true.into(), false.into(), "True".into()],
            // Some instant that is none of theirs, others written otherwise, and the ends of time.
            DataType::DateTime => literals.extend(
                [
                    "2023-11-14T22:13:22.1234567Z",
                    "2023-11-14T23:13:21.25+01:00",
                    "2023-11-14T22:13:21",
                    "0001-01-01T00:00:00Z",
                    "9999-12-30T22:00:00Z",
                ]
                .map(Value::from),
            ),
            DataType::Integer | DataType::Decimal => {
                literals.extend([DataType::Integer, DataType::Decimal].into_iter().flat_map(edges));
                literals.extend(other_numbers());
            }
            // A number and another resource's identifier in capitals.
            DataType::String => literals.extend(["0".into(), 0.into(), "0191ABCD".into()]),
            _ => literals.push("x".into()),
        }
        Self { path, leaf, literals, is_there, subs }
    }

    /// Those that fit it; `pr` last.
    fn operators(&self) -> &'static [&'static str] {
        match self.leaf.data_type {
            DataType::Complex => &["pr"],
            DataType::Boolean => &["eq", "ne", "pr"],
            DataType::Integer | DataType::Decimal | DataType::DateTime => {
                &["eq", "ne", "gt", "ge", "lt", "le", "pr"]
            }
            DataType::Binary => &["eq", "ne", "co", "sw", "ew", "pr"],
            _ => &OPERATORS,
        }
    }

    /// How its values are compared.
    pub(crate) fn comparison(&self) -> String {
        format!("{:?} {} {}", self.leaf.data_type, self.leaf.case_exact, self.leaf.multi_valued)
    }

    /// What is special about one of its tests: the operator, the data type, and where the value is.
    pub(crate) fn position(&self, test: &str) -> String {
        let (place, subs) = (self.path.contains('.'), !self.subs.is_empty());
        let leaf = match test.strip_prefix(&self.path).and_then(|rest| rest.strip_prefix('[')) {
            Some(inner) => {
                let name = inner.trim_start_matches("not (").split(' ').next();
                self.subs
                    .iter()
                    .find(|sub| Some(sub.path.as_str()) == name)
                    .map_or(self.leaf, |s| s.leaf)
            }
            None => self.leaf,
        };
        let rest = test.replacen(&self.path, "", 1);
        let operator = rest.split(' ').find(|word| OPERATORS.contains(word)).unwrap_or_default();
        let (exact, list) = (leaf.case_exact, leaf.multi_valued);
        let (negated, within) = (test.contains("not ("), rest.starts_with('['));
        let data_type = leaf.data_type;
        format!("{operator} {data_type:?} {exact} {list} {negated} {within} {place} {subs}")
    }

    /// Each operator by itself and negated, also within brackets.
    pub(crate) fn tests(&self) -> Vec<String> {
        let mut tests = self.own_tests();
        for (at, sub) in self.subs.iter().enumerate() {
            // A quarter of them, and another one for each sub-attribute, to be done in time.
            let inner = sub.own_tests().into_iter().skip(at % 4).step_by(4);
            tests.extend(inner.map(|test| format!("{}[{test}]", self.path)));
        }
        tests
    }

    fn own_tests(&self) -> Vec<String> {
        let mut tests = Vec::new();
        for operator in self.operators() {
            let of = |literal| format!("{} {operator} {literal}", self.path);
            let written: Vec<String> = match *operator {
                "pr" => ["pr", "eq null", "ne null"].map(|t| format!("{} {t}", self.path)).into(),
                operator => self.sample(operator).into_iter().map(of).collect(),
            };
            tests.push(format!("not ({})", written[0]));
            tests.extend(written);
        }
        tests
    }

    /// Each operator with so many of its literals, other ones for other operators.
    pub(crate) fn tests_of_values(&self, literals: usize) -> Vec<String> {
        let mut tests = Vec::new();
        for (at, operator) in self.operators().iter().enumerate() {
            if *operator == "pr" {
                tests.extend(["pr", "eq null", "ne null"].map(|t| format!("{} {t}", self.path)));
                continue;
            }
            let from = at * self.literals.len() / self.operators().len();
            let step = self.literals.len() / literals + 1;
            let in_turn = self.literals.iter().cycle().skip(from).step_by(step).take(literals);
            tests.extend(in_turn.map(|literal| format!("{} {operator} {literal}", self.path)));
        }
        let inner = self.subs.iter().flat_map(|sub| sub.tests_of_values(literals));
        tests.extend(inner.map(|test| format!("{}[{test}]", self.path)));
        tests
    }

    /// Each operator on text with each of these literals; nothing if it is no text.
    pub(crate) fn tests_with(&self, literals: &[&str]) -> Vec<String> {
        if !self.leaf.is_text() {
            return Vec::new();
        }
        let of = |literal: &&str| {
            let literal = Value::from(*literal);
            ["eq", "co", "sw", "ew"].map(|o| format!("{} {o} {literal}", self.path))
        };
        literals.iter().flat_map(of).collect()
    }

    /// Literals among, between and beyond its values: two for each operator, other ones for other
    /// operators.
    fn sample(&self, operator: &str) -> Vec<Value> {
        let mut sample = self.literals.clone();
        if self.leaf.is_text() {
            let first = self.literals[0].as_str().unwrap_or_default();
            let part: String = first.chars().skip(1).take(1).collect();
            sample.extend(["".into(), "\u{10FFFF}".into(), part.into(), "É".into()]);
        }
        let position = self.operators().iter().position(|known| *known == operator);
        let from = position.unwrap_or_default() * sample.len() / self.operators().len();
        let in_turn = sample.iter().cycle().skip(from);
        in_turn.step_by(sample.len() / 2 + 1).take(2).cloned().collect()
    }
}

impl Comparison {
    fn write(&self, targets: &[Target]) -> String {
        let target = &targets[self.target.index(targets.len())];
        let operator = *self.operator.get(target.operators());
        if operator == "pr" {
            return format!("{} pr", target.path);
        }
        let literal = self.literal.get(&target.literals);
        match literal {
            _ if matches!(self.twist, Twist::Null) && matches!(operator, "eq" | "ne") => {
                format!("{} {operator} null", target.path)
            }
            Value::String(text) if target.leaf.is_text() => {
                let text = self.twist.of(text);
                format!("{} {operator} {}", target.path, Value::from(text))
            }
            literal => format!("{} {operator} {literal}", target.path),
        }
    }
}

impl Twist {
    fn of(&self, text: &str) -> String {
        match self {
            Self::Nothing | Self::Null => text.to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Part(from, length) => {
                let from = from.index(text.chars().count() + 1);
                let rest: Vec<char> = text.chars().skip(from).collect();
                rest[..length.index(rest.len() + 1)].iter().collect()
            }
            Self::Longer(more) => format!("{text}{more}"),
            Self::Other(other) => other.clone(),
        }
    }
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let twist = prop_oneof![
        4 => Just(Twist::Nothing),
        1 => Just(Twist::Upper),
        1 => Just(Twist::Lower),
        3 => any::<(Index, Index)>().prop_map(|(from, length)| Twist::Part(from, length)),
        1 => text().prop_map(Twist::Longer),
        1 => text().prop_map(Twist::Other),
        1 => Just(Twist::Null),
    ];
    (any::<(Index, Index, Index)>(), twist).prop_map(|((target, operator, literal), twist)| {
        Comparison { target, operator, literal, twist }
    })
}

/// Any filter.
pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    comparison().prop_map(Shape::Test).prop_recursive(4, 12, 3, |inner| {
        let terms = prop::collection::vec(inner.clone(), 2..4);
        let then = prop::option::weighted(0.3, comparison());
        prop_oneof![
            2 => inner.clone().prop_map(|inner| Shape::Not(Box::new(inner))),
            2 => terms.clone().prop_map(Shape::And),
            2 => terms.prop_map(Shape::Or),
            3 => (any::<Index>(), inner, then).prop_map(|(target, inner, then)| {
                Shape::Element(target, Box::new(inner), then)
            }),
        ]
    })
}
