//! What holds of every resource type, of bodies made from its schemas.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

use proptest::prelude::*;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::filter::{self, search_document};
use scim_protocol::message::PATCH_OP;
use scim_protocol::projection::Projection;
use scim_protocol::schema::{Attribute, DataType, Mutability, ResourceType};
use scim_protocol::{Object, patch, resource};
use serde_json::{Value, json};

fn kind() -> impl Strategy<Value = &'static ResourceType> {
    let mut kinds = ResourceType::all().to_vec();
    kinds.push(ResourceType::user_with_genesys());
    prop::sample::select(kinds)
}

/// A resource type and the body of a POST that the RFC allows.
fn body() -> impl Strategy<Value = (&'static ResourceType, Object)> {
    kind()
        .prop_flat_map(|kind| (Just(kind), members(&kind.schema.attributes), extensions(kind)))
        .prop_map(|(kind, own, extensions)| {
            let urns: Vec<_> = kind.schemas().map(|schema| schema.id.as_str()).collect();
            let mut body = Object::from_iter([("schemas".to_owned(), json!(urns))]);
            body.extend(own);
            body.extend(extensions);
            (kind, body)
        })
}

fn extensions(kind: &'static ResourceType) -> impl Strategy<Value = Object> {
    let schemas = || kind.extensions.iter().map(|extension| &extension.schema);
    let each: Vec<_> = schemas().map(|schema| members(&schema.attributes)).collect();
    each.prop_map(move |values| {
        schemas().zip(values).map(|(schema, members)| (schema.id.clone(), members.into())).collect()
    })
}

/// Most of the attributes, also those that are read-only.
fn members(attributes: &'static [Attribute]) -> impl Strategy<Value = Object> {
    let option = |attribute: &'static Attribute| {
        if attribute.required {
            return values(attribute).prop_map(Some).boxed();
        }
        prop::option::weighted(0.6, values(attribute)).boxed()
    };
    let each: Vec<_> = attributes.iter().map(option).collect();
    each.prop_map(|values| {
        let members = attributes.iter().zip(values);
        members.filter_map(|(a, value)| Some((a.name.clone(), value?))).collect()
    })
}

fn values(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    if attribute.multi_valued {
        return prop::collection::vec(value(attribute), 0..4).prop_map(Value::from).boxed();
    }
    value(attribute)
}

fn value(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    let text = |texts: &[&'static str]| prop::sample::select(texts.to_vec()).prop_map(Value::from);
    match attribute.data_type {
        DataType::Complex => members(&attribute.sub_attributes).prop_map(Value::from).boxed(),
        // At most one value of a list may say that it is the primary one.
        DataType::Boolean if attribute.name == "primary" => Just(Value::from(false)).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Integer => (-3..30_i64).prop_map(Value::from).boxed(),
        DataType::Decimal => (0..10_i8).prop_map(|half| (f64::from(half) / 2.0).into()).boxed(),
        DataType::DateTime => {
            text(&["2026-11-22T08:30:00Z", "2026-11-22T09:30:00.5+01:00"]).boxed()
        }
        DataType::Binary => text(&["AQID", "YQ=="]).boxed(),
        DataType::Reference => text(&["https://x.example/Users/1", "../Users/1"]).boxed(),
        DataType::String => text(&["a", "A", "ß;b", "*", "{\"a\":1}", "x y"]).boxed(),
    }
}

fn kept(kind: &'static ResourceType, body: &Object, dialect: Dialect) -> Object {
    resource::parse(kind, &Value::Object(body.clone()), &mut Leniencies::new(dialect)).unwrap()
}

fn in_text(resource: &Object) -> String {
    serde_json::to_string(resource).unwrap()
}

/// Whether nothing read-only is left.
fn is_writable(attributes: &[Attribute], members: &Object) -> bool {
    members.iter().all(|(name, value)| {
        let attribute = attributes.iter().find(|a| a.name == *name).unwrap();
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        attribute.mutability != Mutability::ReadOnly
            && elements
                .iter()
                .filter_map(Value::as_object)
                .all(|element| is_writable(&attribute.sub_attributes, element))
    })
}

/// The writable attributes that a resource has, by the path that names them anywhere.
fn paths(
    kind: &'static ResourceType,
    resource: &Object,
) -> Vec<(String, &'static Attribute, Value)> {
    let mut paths = Vec::new();
    for schema in kind.schemas() {
        let members = match resource.get(&schema.id) {
            Some(Value::Object(members)) => members,
            _ if schema.id == kind.schema.id => resource,
            _ => continue,
        };
        for attribute in &schema.attributes {
            if let Some(value) = members.get(&attribute.name) {
                paths.push((format!("{}:{}", schema.id, attribute.name), attribute, value.clone()));
            }
        }
    }
    paths
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn rfc7643_2_what_the_schemas_allow_is_kept_without_what_is_read_only(
        (kind, body) in body(),
    ) {
        let kept = kept(kind, &body, Dialect::Strict);
        let (mut own, mut count) = (kept.clone(), 1);
        for extension in &kind.extensions {
            if let Some(Value::Object(members)) = own.shift_remove(&extension.schema.id) {
                prop_assert!(is_writable(&extension.schema.attributes, &members));
                count += 1;
            }
        }
        prop_assert!(is_writable(&kind.schema.attributes, &own));
        prop_assert_eq!(resource::schemas(kind, &kept).len(), count);
    }

    #[test]
    fn rfc7643_2_a_kept_form_is_read_as_itself((kind, body) in body()) {
        for (_, dialect) in Dialect::ALL {
            let kept = kept(kind, &body, dialect);
            let mut again = kept.clone();
            again.insert("schemas".to_owned(), resource::schemas(kind, &kept).into());
            prop_assert_eq!(in_text(&self::kept(kind, &again, dialect)), in_text(&kept));
        }
    }

    #[test]
    fn rfc7644_3_5_2_replacing_each_attribute_by_its_own_value_changes_nothing(
        (kind, body) in body(),
    ) {
        let kept = kept(kind, &body, Dialect::Strict);
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let replace = |(path, _, value)| json!({"op": "replace", "path": path, "value": value});
        let operations: Vec<_> = paths(kind, &kept).into_iter().map(replace).collect();
        prop_assume!(!operations.is_empty());
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let edits = patch::parse(kind, &body, &mut leniencies).unwrap();
        let mut patched = kept.clone();
        patch::apply(kind, &mut patched, &edits, &mut leniencies).unwrap();
        prop_assert_eq!(in_text(&patched), in_text(&kept));
    }

    #[test]
    fn rfc7644_3_4_2_2_each_attribute_that_is_there_is_found_present(
        (kind, body) in body(),
    ) {
        let kept = kept(kind, &body, Dialect::Strict);
        for (path, attribute, _) in paths(kind, &kept) {
            let mut leniencies = Leniencies::new(Dialect::Strict);
            let filter = filter::parse(kind, &format!("{path} pr"), &mut leniencies);
            if attribute.is_hidden() {
                prop_assert!(filter.is_err(), "{path}");
            } else {
                prop_assert!(filter::evaluate(&filter.unwrap(), &kept), "{path}");
            }
        }
        let document = search_document(kind, &kept);
        prop_assert_eq!(in_text(&search_document(kind, &document)), in_text(&document));
    }

    #[test]
    fn rfc7644_3_9_asking_for_an_attribute_leaves_that_and_what_is_always_returned(
        (kind, body) in body(),
    ) {
        let kept = kept(kind, &body, Dialect::Strict);
        for (path, attribute, _) in paths(kind, &kept) {
            let mut leniencies = Leniencies::new(Dialect::Strict);
            let projection = Projection::parse(kind, Some(&path), None, &mut leniencies).unwrap();
            let mut answer = kept.clone();
            projection.apply(kind, &mut answer);
            let left: Vec<_> = paths(kind, &answer).into_iter().map(|(path, _, _)| path).collect();
            prop_assert_eq!(left.contains(&path), !attribute.is_hidden());
            prop_assert!(left.len() <= 1, "{path} leaves {left:?}");
        }
    }
}
