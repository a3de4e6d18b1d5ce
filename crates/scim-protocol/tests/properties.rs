//! What holds of every resource and every request.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

use proptest::prelude::*;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::filter::search_document;
use scim_protocol::message::PATCH_OP;
use scim_protocol::projection::Projection;
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, patch, resource};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn user() -> &'static ResourceType {
    ResourceType::user()
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.map(|(_, dialect)| dialect).to_vec())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "value",
        "type",
        "primary",
        "display",
        "displayName",
        "$ref",
        "givenName",
        "familyName",
        "formatted",
        "userName",
        "USERNAME",
        "title",
        "active",
        "emails",
        "roles",
        "addresses",
        "photos",
        "name",
        "id",
        "meta",
        "groups",
        "schemas",
        "manager",
        "department",
        ENTERPRISE,
        HEADCOUNT,
        "businessUnits",
        "externalIds",
        "authority",
        "skills",
        "proficiency",
        "name.givenName",
        "emails[type eq \"work\"].value",
        "nonsense",
        "no name",
        "password",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "externalId",
    ])
    .prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            " ",
            "a",
            "A",
            "b",
            "work",
            "Work",
            "home",
            "True",
            "false",
            "a;B",
            "{\"value\":\"x\"}"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        (-1.0_f64..1.0).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    let attribute = prop::sample::select(vec![
        "emails",
        "roles",
        "addresses",
        "photos",
        "name",
        "manager",
        "groups",
    ]);
    let operator = prop::sample::select(vec!["eq", "ne", "co", "sw", "gt"]);
    let sub =
        prop::sample::select(vec!["", ".value", ".type", ".primary", ".display", ".nonsense"]);
    let literal = prop_oneof![
        text().prop_map(|text| json!(text).to_string()),
        Just("true".to_owned()),
        Just("null".to_owned())
    ];
    prop_oneof![
        2 => name(),
        1 => (name(), name()).prop_map(|(name, sub)| format!("{name}.{sub}")),
        1 => (prop::sample::select(vec![ENTERPRISE, HEADCOUNT]), name())
            .prop_map(|(urn, name)| format!("{urn}:{name}")),
        3 => (attribute, name(), operator, literal, sub)
            .prop_map(|(attribute, name, operator, literal, sub)| {
                format!("{attribute}[{name} {operator} {literal}]{sub}")
            }),
        1 => "\\PC{0,8}",
    ]
}

fn operation() -> impl Strategy<Value = Value> {
    let op = || prop::sample::select(vec!["add", "replace", "remove"]);
    let anything = (op(), prop::option::of(path()), prop::option::of(json_value()));
    prop_oneof![anything, (op(), fitting()).prop_map(|(op, (path, value))| (op, Some(path), value))]
        .prop_map(|(op, path, value)| {
            let mut operation = json!({"op": op});
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            if let Some(value) = value {
                operation["value"] = value;
            }
            operation
        })
}

/// A path and a value that has the type of what it names: most operations are to be carried out.
fn fitting() -> impl Strategy<Value = (String, Option<Value>)> {
    let texts = |names: &[&'static str]| {
        let one = (prop::sample::select(names.to_vec()), prop::sample::select(vec!["a", "A", "b"]));
        prop::collection::vec(one, 1..4).prop_map(|members| {
            members.into_iter().map(|(name, text)| (name.to_owned(), text)).collect::<Value>()
        })
    };
    let element = || {
        (texts(&["value", "type", "display"]), prop::option::of(any::<bool>())).prop_map(
            |(mut element, primary)| {
                if let Some(primary) = primary {
                    element["primary"] = primary.into();
                }
                element
            },
        )
    };
    let elements = prop::collection::vec(element(), 0..3).prop_map(Value::from);
    let filter =
        prop::sample::select(vec!["type eq \"work\"", "value sw \"a\"", "primary eq true"]);
    let manager = format!("{ENTERPRISE}:manager");
    let ours = |name: &str| format!("{HEADCOUNT}:{name}");
    let ids = prop::collection::vec(texts(&["value", "authority"]), 0..3).prop_map(Value::from);
    let units = prop::sample::select(vec![json!("a;b"), json!("A"), json!(["b", "c"])]);
    prop_oneof![
        elements.prop_map(|value| ("emails".to_owned(), Some(value))),
        (filter, element()).prop_map(|(filter, value)| (format!("emails[{filter}]"), Some(value))),
        texts(&["formatted", "givenName", "middleName"])
            .prop_map(|value| ("name".to_owned(), Some(value))),
        texts(&["value", "$ref"]).prop_map(move |value| (manager.clone(), Some(value))),
        ids.prop_map(move |value| (ours("externalIds"), Some(value))),
        units.prop_map(move |value| (ours("businessUnits"), Some(value))),
        prop::sample::select(vec!["a", "b"])
            .prop_map(|text| ("emails.value".to_owned(), Some(text.into()))),
        prop::sample::select(vec!["emails", "name", "emails[type pr].value", "name.givenName"])
            .prop_map(|path| (path.to_owned(), None)),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), json_value()), 0..6).prop_map(|members| {
        let mut body: Object = members.into_iter().collect();
        body.insert("userName".to_owned(), "ada".into());
        body.shift_remove("USERNAME");
        body.insert("schemas".to_owned(), json!([user().schema.id]));
        Value::Object(body)
    })
}

fn sample() -> Object {
    let sample = json!({
        "externalId": "7", "userName": "ada", "name": {"familyName": "King", "givenName": "Ada"},
        "title": "Countess", "active": true,
        "emails": [{"value": "w@x.example", "type": "work", "primary": true},
                   {"value": "h@x.example", "type": "home"}],
        "roles": [{"value": "Admin", "display": "Admin"}],
        (ENTERPRISE): {"department": "R", "manager": {"value": "m", "$ref": "https://x.example/m"}},
        (HEADCOUNT): {"businessUnits": ["a"], "externalIds": [{"authority": "a", "value": "b"}]},
    });
    sample.as_object().unwrap().clone()
}

/// The same resource sent in again.
fn reparsed(kept: &Object, dialect: Dialect) -> Object {
    let mut body = kept.clone();
    body.insert("schemas".to_owned(), resource::schemas(user(), kept).into());
    resource::parse(user(), &Value::Object(body), &mut Leniencies::new(dialect)).unwrap()
}

fn in_text(resource: &Object) -> String {
    serde_json::to_string(resource).unwrap()
}

/// Whether two values have their objects, lists and leaves in the same places.
fn same_shape(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| same_shape(a, b))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (a, b) => !a.is_object() && !a.is_array() && !b.is_object() && !b.is_array(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_patch_leaves_the_kept_form_or_is_refused(
        operations in prop::collection::vec(operation(), 0..5),
        dialect in dialect(),
    ) {
        let mut leniencies = Leniencies::new(dialect);
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let Ok(edits) = patch::parse(user(), &body, &mut leniencies) else { return Ok(()) };
        let mut patched = sample();
        if patch::apply(user(), &mut patched, &edits, &mut leniencies).is_ok() {
            // A list of the RFC is kept as it is; the others read more into what it holds.
            prop_assert_eq!(in_text(&reparsed(&patched, Dialect::Strict)), in_text(&patched));
        }
    }

    #[test]
    fn a_kept_form_is_read_as_itself(body in body(), dialect in dialect()) {
        let parsed = resource::parse(user(), &body, &mut Leniencies::new(dialect));
        let Ok(kept) = parsed else { return Ok(()) };
        prop_assert_eq!(in_text(&reparsed(&kept, dialect)), in_text(&kept));
    }

    #[test]
    fn projecting_twice_is_projecting_once(
        names in prop::collection::vec((name(), prop::option::of(name())), 1..4),
        exclude in any::<bool>(),
    ) {
        let names: Vec<String> = names
            .into_iter()
            .map(|(name, sub)| sub.map_or(name.clone(), |sub| format!("{name}.{sub}")))
            // A filter may select by what the first projection takes away.
            .filter(|name| !name.contains('['))
            .collect();
        let names = names.join(",");
        let (only, except) = if exclude { (None, Some(names.as_str())) } else { (Some(names.as_str()), None) };
        let mut leniencies = Leniencies::new(Dialect::Standard);
        let Ok(projection) = Projection::parse(user(), only, except, &mut leniencies) else { return Ok(()) };
        let mut once = sample();
        projection.apply(user(), &mut once);
        let mut twice = once.clone();
        projection.apply(user(), &mut twice);
        prop_assert_eq!(in_text(&twice), in_text(&once));
    }

    #[test]
    fn a_search_document_has_the_shape_of_its_resource(body in body(), dialect in dialect()) {
        let parsed = resource::parse(user(), &body, &mut Leniencies::new(dialect));
        let Ok(mut kept) = parsed else { return Ok(()) };
        let document = search_document(user(), &kept);
        // But for what nobody can search.
        kept.shift_remove("password");
        prop_assert!(same_shape(&Value::Object(document.clone()), &Value::Object(kept)));
        // Folding is idempotent, so the document is its own.
        prop_assert_eq!(in_text(&search_document(user(), &document)), in_text(&document));
    }
}
