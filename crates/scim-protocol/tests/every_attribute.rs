//! RFC 7643 for a resource type of which nothing is known but its schemas: bodies and schemas.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

mod sample;

use std::collections::BTreeSet;

use sample::*;
use scim_protocol::dialect::{Dialect, Leniencies, Leniency};
use scim_protocol::error::ScimType::{self, InvalidSyntax, InvalidValue};
use scim_protocol::schema::{self, Attribute, DataType, ResourceType};
use scim_protocol::{discovery, resource};
use serde_json::{Value, json};

const LENIENT: [Dialect; 3] = [Dialect::Standard, Dialect::Entra, Dialect::Okta];

/// In every dialect the body is refused for this reason.
#[track_caller]
fn is_refused(body: &Value, why: ScimType) {
    for (_, dialect) in Dialect::ALL {
        let refused = parsed(body, dialect).map_err(|error| error.scim_type);
        assert_eq!(refused, Err(why), "{dialect}: {body}");
    }
}

/// Refused in the strict dialect, and a leniency of the others.
#[track_caller]
fn is_lenient(body: &Value, why: ScimType, leniency: Leniency) {
    assert_eq!(parsed(body, STRICT).map_err(|error| error.scim_type), Err(why), "{body}");
    for dialect in LENIENT {
        let mut leniencies = Leniencies::new(dialect);
        assert!(resource::parse(device(), body, &mut leniencies).is_ok(), "{dialect}: {body}");
        assert_eq!(leniencies.fired().collect::<Vec<_>>(), [(leniency, 1)], "{dialect}: {body}");
    }
}

fn all_attributes() -> Vec<&'static Attribute> {
    let extensions = device().extensions.iter().flat_map(|e| &e.schema.attributes);
    let attributes: Vec<_> = device().schema.attributes.iter().chain(extensions).collect();
    let subs = attributes.iter().flat_map(|attribute| &attribute.sub_attributes);
    subs.chain(attributes.iter().copied()).collect()
}

#[test]
fn the_sample_has_every_characteristic() {
    let all = all_attributes();
    let types: BTreeSet<_> =
        all.iter().map(|a| format!("{:?} {}", a.data_type, a.multi_valued)).collect();
    assert_eq!(types.len(), 16, "each type, single and multi-valued: {types:?}");
    let mutability: BTreeSet<_> = all.iter().map(|a| format!("{:?}", a.mutability)).collect();
    assert_eq!(mutability.len(), 4);
    let returned: BTreeSet<_> = all.iter().map(|a| format!("{:?}", a.returned)).collect();
    assert_eq!(returned.len(), 4);
}

#[test]
fn rfc7643_2_3_each_data_type_takes_its_values_and_no_others() {
    for (name, good, bad) in [
        ("state", json!("a"), json!({})),
        ("portable", json!(false), json!("maybe")),
        ("size", json!(-7), json!(7.5)),
        ("size", json!(9_007_199_254_740_993_i64), json!("7")),
        ("size", json!(0), json!(1e2)),
        ("size", json!(i64::MIN), json!(u64::MAX)),
        ("weight", json!(2), json!("2")),
        ("weight", json!(2.25), json!(true)),
        ("built", json!("2008-01-23T04:56:22Z"), json!("2008-01-23")),
        ("built", json!("2008-01-23T04:56:22+05:00"), json!("04:56:22Z")),
        ("built", json!("2008-01-23T04:56:22"), json!(1_201_064_182)),
        ("key", json!("AQID"), json!(1.5)),
        ("manual", json!("../Manuals/1"), json!({"value": "x"})),
        ("place", json!({"site": "a"}), json!("a")),
    ] {
        let kept = kept(json!({(name): good}));
        assert_eq!(kept[name], good);
        is_refused(&body(json!({(name): bad})), InvalidValue);
    }
}

#[test]
fn rfc7643_2_4_each_data_type_can_have_many_values() {
    for (name, values, bad) in [
        ("tags", json!(["a", "b"]), json!([{}])),
        ("numbers", json!([1, 2]), json!([1, 2.5])),
        ("levels", json!([1, 2.5]), json!([1, "2"])),
        ("switches", json!([true, false]), json!(["maybe"])),
        ("dates", json!(["2008-01-23T04:56:22Z"]), json!(["today"])),
        ("blobs", json!(["AQID", "AQ"]), json!([1.5])),
        ("links", json!(["https://example.com/a", "urn:a:b"]), json!([1.5])),
        ("ports", json!([{"value": "1"}, {"value": "2"}]), json!([[{"value": "1"}]])),
    ] {
        assert_eq!(kept(json!({(name): values}))[name], values);
        assert_eq!(kept(json!({(name): [null, values[0]]}))[name], json!([values[0]]));
        assert_eq!(kept(json!({(name): []})), kept(json!({})));
        is_refused(&body(json!({(name): bad})), InvalidValue);
        is_lenient(&body(json!({(name): values[0]})), InvalidValue, Leniency::ObjectForList);
    }
}

#[test]
fn rfc7643_2_4_the_same_type_and_value_are_one_value() {
    let ports = |ports: Value| kept(json!({"ports": ports}))["ports"].clone();
    let twice = json!([{"value": "A", "type": "usb", "speed": 1},
                       {"value": "a", "type": "USB", "speed": 2, "mac": "m", "primary": true}]);
    let once = json!([{"value": "A", "type": "usb", "primary": true, "mac": "m", "speed": 1}]);
    assert_eq!(ports(twice), once);
    // Quirk Q37: several values of one type, or one value of several.
    for different in [
        json!([{"value": "a", "type": "usb"}, {"value": "b", "type": "usb"}]),
        json!([{"value": "a", "type": "usb"}, {"value": "a", "type": "lan"}, {"value": "a"}]),
    ] {
        assert_eq!(ports(different.clone()), different);
    }
    assert_eq!(kept(json!({"tags": ["a", "A", "b"]}))["tags"], json!(["a", "b"]));
    assert_eq!(kept(json!({"codes": ["a", "A", "a"]}))["codes"], json!(["a", "A"]));
}

#[test]
fn rfc7643_2_4_primary_is_true_once_and_false_if_absent() {
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    is_refused(&body(json!({"ports": two})), InvalidValue);
    let one = json!([{"value": "a", "primary": true}, {"value": "b"}]);
    assert_eq!(kept(json!({"ports": one}))["ports"], one);
}

#[test]
fn rfc7643_2_3_6_binary_is_base64_in_strict() {
    for good in ["", "AQ", "AQ==", "AQI=", "+/+/", "-_-_"] {
        assert_eq!(kept(json!({"key": good}))["key"], good);
    }
    for bad in ["A", "no base64", "AQ==AQ", "+_", "-----BEGIN CERTIFICATE-----"] {
        is_lenient(&body(json!({"key": bad})), InvalidValue, Leniency::NotBase64);
    }
}

#[test]
fn rfc7643_2_1_names_have_no_case() {
    let shouted = json!({
        "SCHEMAS": [DEVICE.to_uppercase(), INVENTORY.to_uppercase(), WARRANTY.to_uppercase()],
        "SERIAL": "S-1", "NAME": "Scanner", "PLACE": {"SITE": "a"}, "PORTS": [{"VALUE": "1"}],
        (INVENTORY.to_uppercase()): {"NUMBER": "N-1"},
        (WARRANTY.to_uppercase()): {"UNTIL": "2030-01-01T00:00:00Z"},
    });
    let plain = kept(json!({"place": {"site": "a"}, "ports": [{"value": "1"}],
                            (WARRANTY): {"until": "2030-01-01T00:00:00Z"}}));
    assert_eq!(parsed(&shouted, STRICT), Ok(Value::Object(plain)));
}

#[test]
fn rfc7643_2_2_characteristics_that_are_left_out_have_defaults() {
    let attribute: Attribute = serde_json::from_value(json!({"name": "colour"})).unwrap();
    let all = json!({"name": "colour", "type": "string", "multiValued": false, "description": "",
        "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default",
        "uniqueness": "none"});
    assert_eq!(serde_json::to_value(attribute).unwrap(), all);
}

#[test]
fn rfc7643_2_2_an_attribute_is_optional_and_can_be_changed_unless_its_schema_says_otherwise() {
    for attribute in all_attributes() {
        let plain = attribute.mutability == schema::Mutability::ReadWrite && !attribute.required;
        let is_own = device().attribute(&attribute.name) == Some(attribute);
        if !plain || !is_own || attribute.data_type != DataType::String || attribute.multi_valued {
            continue;
        }
        let path = attribute.name.as_str();
        becomes(json!({}), add(path, json!("x")), json!({(path): "x"}));
        becomes(json!({(path): "x"}), replace(path, json!("y")), json!({(path): "y"}));
        becomes(json!({(path): "x"}), remove(path), json!({}));
    }
}

#[test]
fn rfc7643_2_5_absent_null_and_empty_are_one_state() {
    let nothing = json!({"state": null, "tags": [], "dates": null, "place": null, "owner": {},
                         "ports": [{}], "size": null, (WARRANTY): null});
    assert_eq!(kept(nothing), kept(json!({})));
    let inside = json!({"place": {"site": "a", "room": null, "floor": null}});
    assert_eq!(kept(inside), kept(json!({"place": {"site": "a"}})));
    assert_eq!(kept(json!({(WARRANTY): {}})), kept(json!({})));
}

#[test]
fn rfc7643_2_3_1_an_empty_string_is_a_value_in_strict_alone() {
    assert_eq!(kept(json!({"state": ""}))["state"], "");
    for dialect in LENIENT {
        let parsed = parsed(&body(json!({"state": ""})), dialect).unwrap();
        assert_eq!(parsed.get("state"), None);
    }
    is_refused(&body(json!({"name": " "})), InvalidValue);
    is_refused(&body(json!({"place": {"site": ""}})), InvalidValue);
}

#[test]
fn rfc7643_7_what_is_required_must_be_there() {
    for missing in ["serial", "name", INVENTORY] {
        let mut body = body(json!({}));
        body.as_object_mut().unwrap().shift_remove(missing);
        is_refused(&body, InvalidValue);
        let error = parsed(&body, STRICT).unwrap_err();
        assert!(error.detail.contains(missing), "{error}");
        body[missing] = Value::Null;
        is_refused(&body, InvalidValue);
    }
    for (members, name) in [
        (json!({"place": {"room": "1"}}), "place.site"),
        (json!({"ports": [{"value": "1"}, {"type": "usb"}]}), "ports.value"),
        (json!({(INVENTORY): {"booked": "2030-01-01T00:00:00Z"}}), "Device:number"),
        (json!({(WARRANTY): {"partner": "p"}}), "Device:until"),
    ] {
        is_refused(&body(members.clone()), InvalidValue);
        let error = parsed(&body(members), STRICT).unwrap_err();
        assert!(error.detail.contains(name), "{error}");
    }
}

#[test]
fn rfc7643_6_a_required_extension_must_be_there() {
    for inventory in [Value::Null, json!({}), json!({"number": null})] {
        is_refused(&body(json!({(INVENTORY): inventory})), InvalidValue);
    }
}

#[test]
fn rfc7644_3_3_what_is_read_only_is_ignored() {
    let sent = json!({"id": "x", "meta": {"created": "never"}, "firmware": 7,
                      "place": {"site": "a", "seenBy": "b"}, "ports": [{"value": "1", "seen": 1}]});
    let kept_of_it = json!({"place": {"site": "a"}, "ports": [{"value": "1"}]});
    assert_eq!(kept(sent), kept(kept_of_it));
}

#[test]
fn rfc7643_7_canonical_values_and_reference_types_are_advice() {
    let other = json!({"state": "asleep", "links": ["mailto:a@example.com"],
                       "ports": [{"value": "1", "type": "serial"}]});
    let kept = kept(other.clone());
    for (name, value) in other.as_object().unwrap() {
        assert_eq!(kept[name], *value);
    }
}

#[test]
fn rfc7643_7_the_case_of_values_is_kept() {
    let kept = kept(json!({"state": "On", "manual": "HTTPS://Example.com/A", "tags": ["MiXed"]}));
    assert_eq!(kept["state"], "On");
    assert_eq!(kept["manual"], "HTTPS://Example.com/A");
    assert_eq!(kept["tags"], json!(["MiXed"]));
}

#[test]
fn c2_unknown_attributes_are_ignored_and_counted_or_refused() {
    for unknown in [
        json!({"colour": "red"}),
        json!({"place": {"site": "a", "street": "b"}}),
        json!({(INVENTORY): {"number": "N-1", "shelf": 1}}),
        json!({"urn:example:other": {"a": 1}}),
    ] {
        is_lenient(&body(unknown), InvalidSyntax, Leniency::UnknownAttribute);
    }
}

#[test]
fn rfc7643_3_schemas_list_what_is_used_once_each() {
    let until = json!({"until": "2030-01-01T00:00:00Z"});
    for (urns, leniency) in [
        (json!([DEVICE, INVENTORY]), Leniency::UnlistedExtension),
        (json!([DEVICE, INVENTORY, WARRANTY, DEVICE]), Leniency::RepeatedSchema),
        (json!([DEVICE, INVENTORY, WARRANTY, WARRANTY.to_uppercase()]), Leniency::RepeatedSchema),
        (json!([INVENTORY, WARRANTY]), Leniency::MissingSchemas),
        (json!([DEVICE, INVENTORY, WARRANTY, "urn:example:other"]), Leniency::UnknownSchema),
    ] {
        let body = body(json!({"schemas": urns, (WARRANTY): until}));
        is_lenient(&body, InvalidSyntax, leniency);
    }
    for urns in [json!([WARRANTY, DEVICE, INVENTORY]), json!([INVENTORY, DEVICE, WARRANTY])] {
        let body = body(json!({"schemas": urns, (WARRANTY): until}));
        assert!(parsed(&body, STRICT).is_ok(), "the order has no meaning: {body}");
    }
    is_refused(&body(json!({"schemas": [1]})), InvalidSyntax);
    is_refused(&body(json!({"schemas": DEVICE})), InvalidSyntax);
}

#[test]
fn rfc7643_3_schemas_of_an_answer_are_those_of_its_attributes() {
    let urns = |members: Value| resource::schemas(device(), &kept(members));
    assert_eq!(urns(json!({})), [DEVICE, INVENTORY]);
    let until = json!({"until": "2030-01-01T00:00:00Z"});
    assert_eq!(urns(json!({(WARRANTY): until})), [DEVICE, INVENTORY, WARRANTY]);
}

#[test]
fn rfc7643_3_3_attributes_of_an_extension_are_below_its_urn() {
    is_lenient(&body(json!({"partner": "p"})), InvalidSyntax, Leniency::UnknownAttribute);
    is_refused(&body(json!({(INVENTORY): "N-1"})), InvalidValue);
}

#[test]
fn rfc7643_2_3_8_no_complex_attribute_is_in_another() {
    // The schema of schemas itself has `subAttributes` in `attributes`.
    let kinds = ResourceType::all().into_iter().chain([device()]);
    for kind in kinds {
        let extensions = kind.extensions.iter().map(|extension| &extension.schema);
        for schema in std::iter::once(&kind.schema).chain(extensions) {
            let subs = schema.attributes.iter().flat_map(|attribute| &attribute.sub_attributes);
            for sub in subs {
                assert!(!sub.is_complex(), "{}: {}", schema.id, sub.name);
            }
        }
    }
    is_refused(&body(json!({"place": {"site": {"name": "a"}}})), InvalidValue);
}

#[test]
fn rfc7643_7_schemas_and_resource_types_are_published_as_they_are_in_force() {
    let base = "https://example.com/scim/v2";
    for (schema, file) in [
        (&device().schema, include_str!("sample/device.json")),
        (&device().extensions[0].schema, include_str!("sample/inventory.json")),
        (&device().extensions[1].schema, include_str!("sample/warranty.json")),
    ] {
        let mut expected: Value = serde_json::from_str(file).unwrap();
        expected["meta"] = json!({"resourceType": "Schema",
                                  "location": format!("{base}/Schemas/{}", schema.id)});
        assert_eq!(discovery::schema_resource(schema, base), expected);
    }
    let kind = discovery::resource_type_resource(device(), base);
    assert_eq!(kind["schema"], DEVICE);
    assert_eq!(
        kind["schemaExtensions"],
        json!([
            {"schema": INVENTORY, "required": true},
            {"schema": WARRANTY, "required": false},
        ])
    );
}
