//! Users and groups with every attribute and the values that are likeliest to be read differently,
//! the same ones in a database of each kind.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use scim_protocol::Object;
use scim_protocol::resource::is_primary;
use scim_protocol::schema::{Attribute, DataType, Mutability, ResourceType, Schema};
use serde_json::Value;

use crate::harness::strict_body;

/// Text is made of these: what folding changes, what SQL and LIKE give a meaning, what lies at the
/// edges of the range of characters - and what types are usually called.
pub(crate) const TOKENS: [&str; 46] = [
    "a",
    "B",
    "i",
    "I",
    "z",
    "Z",
    "0",
    "9",
    " ",
    "-",
    ".",
    "@",
    "%",
    "_",
    "'",
    "\"",
    "\\",
    "\\u",
    "/",
    "*",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "ſ",
    "ﬀ",
    "Σ",
    "ς",
    "Å",
    "ＡＢ",
    "é",
    "e\u{301}",
    "\u{301}",
    "\u{345}",
    "ｶﾞ",
    "😀",
    "\u{10FFFF}",
    "\u{D7FF}",
    "\u{E000}",
    "\u{FFFF}",
    "\u{2028}",
    "\t",
    "\u{1}",
    "\u{7F}",
    "work",
    "Home",
];

/// The same one every time, unless `HEADCOUNT_TEST_SEED` has another number.
pub(crate) fn seed() -> u64 {
    std::env::var("HEADCOUNT_TEST_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// How many times as much is tried as in a run that must be short: `HEADCOUNT_TEST_EFFORT`, a
/// number from 1. A long run, such as one of every night, sets it to 8 and takes the date for the
/// seed: what a short run leaves out is another part for each seed.
pub(crate) fn effort() -> u32 {
    std::env::var("HEADCOUNT_TEST_EFFORT").map_or(1, |effort| effort.parse().unwrap())
}

/// Whether the thing with this number is in the part of `every` that is tried.
pub(crate) fn is_tried(number: usize, every: u32) -> bool {
    (number as u64).wrapping_add(seed()) % u64::from(every) < u64::from(effort())
}

/// Runs with the same values for the same seed.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let seed = seed();
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// A group before its members have identifiers: they are positions among all resources, and
/// positions of groups follow those of users.
#[derive(Debug, Clone)]
pub(crate) struct PlannedGroup {
    pub(crate) body: Object,
    pub(crate) members: Vec<usize>,
}

pub(crate) fn users(runner: &mut TestRunner, count: usize) -> Vec<Object> {
    let strategy = prop::collection::vec(user(), count);
    let users = strategy.new_tree(runner).unwrap().current();
    users.into_iter().enumerate().map(|(at, user)| distinct(user, at)).collect()
}

pub(crate) fn groups(runner: &mut TestRunner, users: usize, count: usize) -> Vec<PlannedGroup> {
    let planned = |at: usize| {
        let members = prop::collection::vec(0..users + at, 0..6);
        (text(), option(text()), members, extensions(ResourceType::group())).prop_map(
            move |(name, external_id, members, mut body)| {
                body["displayName"] = format!("{name}#{at}").into();
                if let Some(external_id) = external_id {
                    body["externalId"] = format!("{external_id}{at}").into();
                }
                PlannedGroup { body: strict_body(ResourceType::group(), body), members }
            },
        )
    };
    (0..count).map(|at| planned(at).new_tree(runner).unwrap().current()).collect()
}

fn user() -> impl Strategy<Value = Value> {
    let kind = ResourceType::user();
    let own = members(kind.schema.attributes.iter().filter(|a| !GIVEN.contains(&a.name.as_str())));
    (own, extensions(kind), option(text())).prop_map(|(mut user, extensions, external_id)| {
        if let (Value::Object(user), Value::Object(extensions)) = (&mut user, extensions) {
            user.extend(extensions);
        }
        if let Some(external_id) = external_id {
            user["externalId"] = external_id.into();
        }
        user
    })
}

/// Attributes of the account model that any text, number or switch is good for: the others name
/// things that must be there.
const PLAIN: [&str; 7] = [
    "site",
    "businessUnits",
    "deactivationReason",
    "enabled",
    "description",
    "businessUnit",
    "priority",
];

/// Attributes of users that name what must be there: [`crate::given`] gives it.
const GIVEN: [&str; 2] = ["roles", "entitlements"];

/// An object with some of the extensions of a kind.
fn extensions(kind: &'static ResourceType) -> impl Strategy<Value = Value> {
    let schemas = || kind.extensions.iter().map(|extension| &extension.schema);
    let attributes = |schema: &'static Schema| {
        let is_ours = schema.id.contains(":headcount:");
        let taken = move |a: &&Attribute| {
            if is_ours { PLAIN.contains(&a.name.as_str()) } else { a.name != "division" }
        };
        schema.attributes.iter().filter(taken)
    };
    let each: Vec<_> = schemas().map(|schema| option(members(attributes(schema)))).collect();
    each.prop_map(move |values| {
        let found = schemas().zip(values).filter_map(|(s, value)| Some((s.id.clone(), value?)));
        Value::Object(found.collect())
    })
}

/// Makes unique what must be, and gives the user the primary value that it may have.
fn distinct(mut user: Value, at: usize) -> Object {
    let name = user["userName"].as_str().unwrap_or_default().to_owned();
    user["userName"] = format!("{name}{at}").into();
    if let Some(external_id) = user.get("externalId").and_then(Value::as_str) {
        user["externalId"] = format!("{external_id}#{at}").into();
    }
    let lists = user.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut);
    for elements in lists {
        let mut primary_found = false;
        for element in elements {
            if is_primary(element) && std::mem::replace(&mut primary_found, true) {
                element["primary"] = false.into();
            }
        }
    }
    let emails = user.get_mut("emails").and_then(Value::as_array_mut).into_iter().flatten();
    for (position, email) in emails.enumerate() {
        let is_work = email.get("type").is_some_and(|kind| kind == "work");
        if is_work || is_primary(email) {
            let value = email.get("value").and_then(Value::as_str).unwrap_or_default();
            email["value"] = format!("{value}{at}.{position}@x.example").into();
        }
    }
    strict_body(ResourceType::user(), user)
}

/// An object with some of these attributes.
fn members(
    attributes: impl IntoIterator<Item = &'static Attribute>,
) -> impl Strategy<Value = Value> {
    let attributes = attributes.into_iter().filter(|a| a.mutability != Mutability::ReadOnly);
    let (names, each): (Vec<_>, Vec<_>) =
        attributes.map(|a| (a.name.clone(), option(values(a)))).unzip();
    each.prop_map(move |values| {
        let members =
            names.iter().zip(values).filter_map(|(name, value)| Some((name.clone(), value?)));
        Value::Object(members.collect())
    })
}

fn values(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    if attribute.multi_valued {
        return prop::collection::vec(value(attribute), 0..3).prop_map(Value::Array).boxed();
    }
    value(attribute)
}

fn value(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    match attribute.data_type {
        DataType::Complex => members(&attribute.sub_attributes).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Integer => (-2..20_i64).prop_map(Value::from).boxed(),
        DataType::Binary => {
            prop::sample::select(vec!["", "AQID", "aqid", "YQ==", "YWI", "+/+/", "-_-_"])
                .prop_map(Value::from)
                .boxed()
        }
        _ if attribute.name == "type" => prop_oneof![
            2 => prop::sample::select(vec!["work", "home", "Other"]).prop_map(Value::from),
            1 => text().prop_map(Value::from),
        ]
        .boxed(),
        _ => text().prop_map(Value::from).boxed(),
    }
}

fn option<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::weighted(0.45, strategy)
}

/// Text, mostly short, so that some of it occurs twice.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let token = prop::sample::select(TOKENS.as_slice());
    prop::collection::vec(token, 0..5).prop_map(|tokens| tokens.concat())
}
