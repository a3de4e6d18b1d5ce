//! PATCH (RFC 7644 section 3.5.2) for a resource type of which nothing is known but its schemas.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

mod sample;

use sample::*;
use scim_protocol::dialect::{Leniencies, Leniency};
use scim_protocol::error::ScimType::{InvalidFilter, InvalidPath, InvalidValue, Mutability};
use scim_protocol::message::PATCH_OP;
use scim_protocol::{patch, resource};
use serde_json::{Value, json};

#[test]
fn rfc7644_3_5_2_each_data_type_is_added_replaced_and_removed() {
    for (path, one, two) in [
        ("state", json!("a"), json!("b")),
        ("size", json!(1), json!(-2)),
        ("weight", json!(1), json!(2.5)),
        ("portable", json!(true), json!(false)),
        ("key", json!("AQID"), json!("AQ==")),
        ("manual", json!("https://example.com/a"), json!("../b")),
        ("pin", json!("1"), json!("2")),
        ("secret", json!("1"), json!("2")),
        ("notes", json!("1"), json!("2")),
        ("tags", json!(["a"]), json!(["b", "c"])),
        ("numbers", json!([1]), json!([2, 3])),
        ("levels", json!([1.5]), json!([2, 3])),
        ("switches", json!([true]), json!([false])),
        ("dates", json!(["2008-01-23T04:56:22Z"]), json!(["2009-01-23T04:56:22Z"])),
        ("blobs", json!(["AQ"]), json!(["Ag"])),
        ("links", json!(["urn:a:a"]), json!(["urn:a:b"])),
        ("ports", json!([{"value": "1"}]), json!([{"value": "2", "speed": 3}])),
    ] {
        becomes(json!({}), add(path, one.clone()), json!({(path): one}));
        becomes(json!({}), replace(path, one.clone()), json!({(path): one}));
        becomes(json!({(path): one}), replace(path, two.clone()), json!({(path): two}));
        becomes(json!({(path): one}), replace(path, Value::Null), json!({}));
        becomes(json!({(path): one}), remove(path), json!({}));
        becomes(json!({(path): one}), add(path, one.clone()), json!({(path): one}));
        let without_path = json!({"op": "add", "value": {(path): two}});
        becomes(json!({}), without_path, json!({(path): two}));
    }
}

#[test]
fn rfc7644_3_5_2_1_values_of_simple_lists_are_appended_once() {
    for (path, before, added, after) in [
        ("tags", json!(["a"]), json!(["A", "b"]), json!(["a", "b"])),
        ("numbers", json!([1]), json!([1, 2]), json!([1, 2])),
        ("levels", json!([1.5]), json!([1.5]), json!([1.5])),
        ("blobs", json!(["AQID"]), json!(["aqid"]), json!(["AQID", "aqid"])),
        ("links", json!(["urn:a:a"]), json!(["urn:a:A"]), json!(["urn:a:a", "urn:a:A"])),
    ] {
        becomes(json!({(path): before}), add(path, added), json!({(path): after}));
    }
}

#[test]
fn q6_values_of_simple_lists_are_removed_by_value() {
    let operations = json!([{"op": "remove", "path": "tags", "value": ["A", "x"]}]);
    let after = patched(&kept(json!({"tags": ["a", "b"]})), operations, STANDARD);
    assert_eq!(after, Ok(kept(json!({"tags": ["b"]}))));
}

#[test]
fn rfc7644_3_5_2_values_must_fit_their_attributes() {
    for (path, value) in [
        ("size", json!(1.5)),
        ("weight", json!("x")),
        ("portable", json!("maybe")),
        ("built", json!("today")),
        ("state", json!({})),
        ("numbers", json!(["x"])),
        ("place", json!({"site": 1.5})),
        ("place.floor", json!("x")),
        ("ports", json!([{"value": "1", "speed": "fast"}])),
    ] {
        refused(json!({}), add(path, value.clone()), InvalidValue);
        refused(json!({}), replace(path, value), InvalidValue);
    }
}

#[test]
fn rfc7644_3_5_2_what_is_read_only_is_refused_with_a_path() {
    for path in ["firmware", "place.seenBy", "ports[value eq \"1\"].seen", "id", "meta.created"] {
        refused(json!({"place": {"site": "a"}}), remove(path), Mutability);
        let result = patched(&kept(json!({})), json!([replace(path, json!("x"))]), STRICT);
        assert_eq!(result.unwrap_err().scim_type, Mutability, "{path}");
    }
    // Without a path it is ignored, where the dialect says so.
    let operations = json!([{"op": "replace", "value": {"firmware": "x", "state": "on"}}]);
    let before = kept(json!({}));
    let after = patched(&before, operations.clone(), STANDARD);
    assert_eq!(after, Ok(kept(json!({"state": "on"}))));
    assert_eq!(patched(&before, operations, STRICT).unwrap_err().scim_type, Mutability);
}

#[test]
fn rfc7644_3_5_2_2_what_is_required_cannot_be_removed() {
    let full = || {
        json!({"place": {"site": "a", "room": "1"}, "ports": [{"value": "1", "speed": 1}],
               (WARRANTY): {"until": "2030-01-01T00:00:00Z", "partner": "p"}})
    };
    for path in [
        "name",
        "place.site",
        "ports.value",
        "ports[speed eq 1].value",
        INVENTORY,
        &format!("{INVENTORY}:number"),
        &format!("{WARRANTY}:until"),
    ] {
        refused(full(), remove(path), Mutability);
    }
    for (path, value) in [
        ("name", Value::Null),
        ("name", json!(" ")),
        ("place", json!({"site": null})),
        ("place.site", Value::Null),
        ("ports[speed eq 1].value", Value::Null),
        ("ports", json!([{"speed": 2}])),
        (&format!("{WARRANTY}:until"), Value::Null),
    ] {
        refused(full(), replace(path, value), InvalidValue);
    }
    let added = json!({"op": "add", "value": {"ports": [{"speed": 1}]}});
    refused(json!({}), added, InvalidValue);
    refused(json!({}), add("place.room", json!("1")), InvalidValue);
    refused(json!({}), add(&format!("{WARRANTY}:partner"), json!("p")), InvalidValue);
    // A value that is not required may go with all it has, and so may an extension.
    let rest = json!({"ports": [{"value": "1", "speed": 1}]});
    let operations = json!([remove("place"), remove(WARRANTY)]);
    assert_eq!(patched(&kept(full()), operations, STRICT), Ok(kept(rest)));
}

#[test]
fn rfc7644_3_5_2_2_the_last_attribute_of_a_required_extension_stays() {
    // Not by way of what is left either.
    let mut before = kept(json!({}));
    before[INVENTORY] = json!({"booked": "2030-01-01T00:00:00Z"});
    let result = patched(&before, json!([remove(INVENTORY)]), STRICT);
    assert_eq!(result.unwrap_err().scim_type, Mutability);
}

#[test]
fn rfc7644_3_5_2_1_an_extension_that_is_added_is_in_schemas() {
    let before = kept(json!({}));
    let until = add(&format!("{WARRANTY}:until"), json!("2030-01-01T00:00:00Z"));
    let after = patched(&before, json!([until]), STRICT).unwrap();
    assert_eq!(resource::schemas(device(), &after), [DEVICE, INVENTORY, WARRANTY]);
    let after = patched(&after, json!([remove(WARRANTY)]), STRICT).unwrap();
    assert_eq!(resource::schemas(device(), &after), [DEVICE, INVENTORY]);
}

#[test]
fn rfc7643_7_what_is_hidden_is_written_but_not_selected_by() {
    becomes(
        json!({"ports": [{"value": "1", "token": "a"}]}),
        replace("ports[value eq \"1\"].token", json!("b")),
        json!({"ports": [{"value": "1", "token": "b"}]}),
    );
    let before = json!({"ports": [{"value": "1", "token": "a"}]});
    refused(before, remove("ports[token eq \"a\"]"), InvalidFilter);
}

#[test]
fn rfc7643_2_4_a_new_primary_ends_the_old_one() {
    let ports = json!([{"value": "1", "primary": true}, {"value": "2"}]);
    let after = json!([{"value": "1", "primary": false}, {"value": "2", "primary": true}]);
    becomes(
        json!({"ports": ports}),
        replace("ports[value eq \"2\"].primary", json!(true)),
        json!({"ports": after}),
    );
}

#[test]
fn rfc7643_2_4_an_edit_does_not_leave_the_same_value_twice() {
    becomes(
        json!({"ports": [{"value": "1", "type": "usb", "speed": 1}, {"value": "2", "type": "usb"}]}),
        replace("ports[type eq \"usb\"].value", json!("3")),
        json!({"ports": [{"value": "3", "type": "usb", "speed": 1}]}),
    );
}

#[test]
fn rfc7644_3_5_2_erratum_7122_a_list_of_simple_values_has_no_value_paths() {
    let before = json!({"tags": ["a"]});
    refused(before, remove("tags[value eq \"a\"]"), InvalidPath);
}

#[test]
fn q6_a_removal_by_value_is_counted() {
    let body = json!({"schemas": [PATCH_OP], "Operations": [
        {"op": "remove", "path": "ports", "value": [{"value": "1"}]}]});
    let mut leniencies = Leniencies::new(STANDARD);
    let edits = patch::parse(device(), &body, &mut leniencies).unwrap();
    let mut after = kept(json!({"ports": [{"value": "1", "speed": 1}]}));
    patch::apply(device(), &mut after, &edits, &mut leniencies).unwrap();
    assert_eq!(after, kept(json!({})));
    assert_eq!(leniencies.fired().collect::<Vec<_>>(), [(Leniency::RemoveByValue, 1)]);
}

#[test]
fn rfc7644_3_5_2_1_one_simple_value_is_added_without_a_list() {
    becomes(json!({"numbers": [1]}), add("numbers", json!(2)), json!({"numbers": [1, 2]}));
    becomes(json!({}), add("tags", json!("a")), json!({"tags": ["a"]}));
}

#[test]
fn rfc7644_3_5_2_1_the_same_number_or_instant_is_there_however_it_is_written() {
    for (name, kept, again) in [
        ("levels", json!([1]), json!([1.0])),
        ("dates", json!(["2008-01-23T05:56:22+01:00"]), json!(["2008-01-23T04:56:22Z"])),
    ] {
        becomes(json!({(name): kept.clone()}), add(name, again), json!({(name): kept}));
    }
}

#[test]
fn rfc7643_7_what_no_client_sees_is_added_to_a_value_that_is_there() {
    let port = |token: &str| json!([{"value": "1", "token": token}]);
    becomes(json!({"ports": port("a")}), add("ports", port("b")), json!({"ports": port("b")}));
}
