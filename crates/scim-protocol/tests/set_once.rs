//! `immutable` (RFC 7643 section 7) in PUT and in PATCH.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

mod sample;

use proptest::prelude::*;
use sample::*;
use scim_protocol::error::ScimType::{self, InvalidValue, Mutability, NoTarget};
use scim_protocol::{Object, immutable};
use serde_json::{Value, json};

/// The kept form of a device with `before` that is replaced by one with `after`.
fn put(before: Value, after: Value) -> scim_protocol::error::Result<Object> {
    let mut replaced = kept(after);
    immutable::carry_over(device(), &kept(before), &mut replaced)?;
    Ok(replaced)
}

#[track_caller]
fn put_becomes(before: Value, after: Value, expected: Value) {
    let text = |object: Object| Value::Object(object).to_string();
    let result = put(before.clone(), after.clone()).map(text);
    assert_eq!(result, Ok(text(kept(expected))), "{before} {after}");
}

#[track_caller]
fn put_is_refused(before: Value, after: Value, why: ScimType) {
    let result = put(before.clone(), after.clone()).map(Value::Object);
    assert_eq!(result.map_err(|error| error.scim_type), Err(why), "{before} {after}");
}

#[test]
fn rfc7644_3_5_1_what_is_immutable_must_match_in_put() {
    let built = json!({"built": "2008-01-23T04:56:22Z"});
    let owner = json!({"owner": {"value": "u", "display": "Ada"}});
    let codes = json!({"codes": ["a", "b"]});
    for (before, same) in [
        (built.clone(), built.clone()),
        (built.clone(), json!({"built": "2008-01-23T05:56:22+01:00"})),
        (owner.clone(), json!({"owner": {"DISPLAY": "ADA", "value": "u"}})),
        (codes.clone(), json!({"codes": ["b", "a", "b"]})),
    ] {
        put_becomes(before.clone(), same, before);
    }
    for (before, other) in [
        (json!({}), json!({"serial": "s-1"})),
        (built.clone(), json!({"built": "2008-01-23T04:56:23Z"})),
        (owner.clone(), json!({"owner": {"value": "U", "display": "Ada"}})),
        (owner.clone(), json!({"owner": {"value": "u"}})),
        (codes.clone(), json!({"codes": ["a", "b", "c"]})),
        (codes.clone(), json!({"codes": ["a"]})),
        (
            json!({(INVENTORY): {"number": "N-1", "booked": "2030-01-01T00:00:00Z"}}),
            json!({(INVENTORY): {"number": "N-1", "booked": "2031-01-01T00:00:00Z"}}),
        ),
    ] {
        put_is_refused(before, other, Mutability);
    }
    for first in [built, owner, codes] {
        put_becomes(json!({}), first.clone(), first);
    }
}

#[test]
fn rfc7644_3_5_1_what_is_immutable_and_left_out_of_put_stays() {
    let full = json!({"built": "2008-01-23T04:56:22Z", "codes": ["a"], "owner": {"value": "u"},
                      "state": "on"});
    let mut stays = full.clone();
    stays.as_object_mut().unwrap().shift_remove("state");
    put_becomes(full.clone(), json!({}), stays.clone());
    put_becomes(full, json!({"built": null, "codes": [], "owner": null}), stays);
    put_becomes(
        json!({(INVENTORY): {"number": "N-1", "booked": "2030-01-01T00:00:00Z"}}),
        json!({(INVENTORY): {"number": "N-2"}}),
        json!({(INVENTORY): {"number": "N-2", "booked": "2030-01-01T00:00:00Z"}}),
    );
    // An optional extension that is left out goes, if nothing of it must stay.
    let until = json!({"until": "2030-01-01T00:00:00Z"});
    put_becomes(json!({(WARRANTY): until}), json!({}), json!({}));
    let sealed = json!({(WARRANTY): {"until": "2030-01-01T00:00:00Z", "seal": "x"}});
    put_is_refused(sealed, json!({}), InvalidValue);
}

#[test]
fn rfc7644_3_5_1_immutable_sub_attributes_in_put() {
    let place = |place: Value| json!({"place": place});
    let anchored = place(json!({"site": "a", "room": "1", "anchor": "x"}));
    put_becomes(
        anchored.clone(),
        place(json!({"site": "b"})),
        place(json!({"site": "b", "anchor": "x"})),
    );
    put_becomes(
        anchored.clone(),
        place(json!({"site": "b", "anchor": "X"})),
        place(json!({"site": "b", "anchor": "x"})),
    );
    put_becomes(place(json!({"site": "a"})), anchored.clone(), anchored.clone());
    put_is_refused(anchored.clone(), place(json!({"site": "a", "anchor": "y"})), Mutability);
    // The anchor stays, and so the site is required.
    put_is_refused(anchored, json!({}), InvalidValue);

    let ports = |ports: Value| json!({"ports": ports});
    let two = ports(json!([{"value": "1", "mac": "a", "speed": 1}, {"value": "2", "mac": "b"}]));
    put_becomes(
        two.clone(),
        ports(json!([{"value": "2"}, {"value": "3", "mac": "c"}, {"value": "4"}])),
        ports(json!([{"value": "2", "mac": "b"}, {"value": "3", "mac": "c"}, {"value": "4"}])),
    );
    put_becomes(two.clone(), json!({}), json!({}));
    put_is_refused(two.clone(), ports(json!([{"value": "1", "mac": "b"}])), Mutability);
    // The same value once more, of another type.
    let more = ports(json!([{"value": "1", "mac": "a", "speed": 1}, {"value": "2", "mac": "b"},
                            {"value": "1", "type": "lan", "mac": "z"}]));
    put_becomes(two, more.clone(), more);
}

#[test]
fn rfc7644_3_5_2_what_is_immutable_is_added_once() {
    for (path, first, same, other) in [
        (
            "built",
            json!("2008-01-23T04:56:22Z"),
            json!("2008-01-23T06:56:22+02:00"),
            json!("2008-01-23T04:56:23Z"),
        ),
        (
            "owner",
            json!({"value": "u", "display": "d"}),
            json!({"value": "u", "display": "D"}),
            json!({"value": "v"}),
        ),
        ("codes", json!(["a", "b"]), json!(["b", "a"]), json!(["c"])),
    ] {
        let (nothing, full) = (json!({}), json!({(path): first}));
        for edit in [add, replace] {
            becomes(nothing.clone(), edit(path, first.clone()), full.clone());
            becomes(full.clone(), edit(path, same.clone()), full.clone());
            refused(full.clone(), edit(path, other.clone()), Mutability);
        }
        refused(full.clone(), remove(path), Mutability);
        refused(full.clone(), replace(path, Value::Null), Mutability);
        becomes(nothing.clone(), remove(path), nothing);
        let without_path = json!({"op": "replace", "value": {(path): other}});
        refused(full, without_path, Mutability);
    }
    refused(json!({"codes": ["a"]}), add("codes", json!(["b"])), Mutability);
    refused(json!({"owner": {"value": "u"}}), replace("owner.value", json!("v")), Mutability);
    refused(json!({"owner": {"value": "u"}}), add("owner.display", json!("d")), Mutability);
    refused(json!({"owner": {"value": "u"}}), remove("owner.value"), Mutability);
    becomes(
        json!({"owner": {"value": "u"}}),
        replace("owner.value", json!("u")),
        json!({"owner": {"value": "u"}}),
    );
    refused(json!({}), replace("serial", json!("S-2")), Mutability);
    becomes(json!({}), replace("serial", json!("S-1")), json!({}));
}

#[test]
fn rfc7644_3_5_2_each_edit_is_held_to_what_the_one_before_left() {
    let first = json!("2008-01-23T04:56:22Z");
    let operations = json!([add("built", first), replace("built", json!("2009-01-23T04:56:22Z"))]);
    let result = patched(&kept(json!({})), operations, STRICT);
    assert_eq!(result.unwrap_err().scim_type, Mutability);
}

#[test]
fn rfc7644_3_5_2_immutable_sub_attributes_are_set_once() {
    let place = |place: Value| json!({"place": place});
    let anchored = place(json!({"site": "a", "anchor": "x"}));
    becomes(place(json!({"site": "a"})), add("place.anchor", json!("x")), anchored.clone());
    becomes(anchored.clone(), replace("place.anchor", json!("X")), anchored.clone());
    becomes(
        anchored.clone(),
        replace("place", json!({"site": "b"})),
        place(json!({"site": "b", "anchor": "x"})),
    );
    for refused_edit in [
        replace("place.anchor", json!("y")),
        replace("place", json!({"anchor": "y"})),
        replace("place", json!({"anchor": null})),
        remove("place.anchor"),
        remove("place"),
    ] {
        refused(anchored.clone(), refused_edit, Mutability);
    }
}

#[test]
fn rfc7644_3_5_2_immutable_sub_attributes_of_one_of_many_values() {
    let ports = |ports: Value| json!({"ports": ports});
    let two = || ports(json!([{"value": "1", "mac": "a", "speed": 1}, {"value": "2"}]));
    let one_changed = |first: Value| ports(json!([first, {"value": "2"}]));
    becomes(
        two(),
        replace("ports[value eq \"1\"].speed", json!(2)),
        one_changed(json!({"value": "1", "mac": "a", "speed": 2})),
    );
    // Whole values come and go.
    becomes(two(), remove("ports[value eq \"1\"]"), ports(json!([{"value": "2"}])));
    becomes(two(), remove("ports"), json!({}));
    let third = json!({"value": "3", "mac": "c"});
    becomes(
        two(),
        add("ports", json!([third])),
        ports(json!([{"value": "1", "mac": "a", "speed": 1}, {"value": "2"}, third])),
    );
    becomes(two(), replace("ports", json!([third])), ports(json!([third])));
    // The value without a mac gets one.
    becomes(
        two(),
        add("ports[value eq \"2\"].mac", json!("b")),
        ports(json!([{"value": "1", "mac": "a", "speed": 1}, {"value": "2", "mac": "b"}])),
    );
    becomes(two(), replace("ports[value eq \"1\"].mac", json!("A")), two());
    for refused_edit in [
        replace("ports[value eq \"1\"].mac", json!("b")),
        replace("ports[value eq \"1\"].mac", Value::Null),
        replace("ports[value eq \"1\"]", json!({"value": "1", "mac": "b"})),
        replace("ports[value eq \"1\"]", json!({"value": "1", "speed": 2})),
        replace("ports", json!([{"value": "1", "mac": "b"}])),
        replace("ports", json!([{"value": "1"}])),
        replace("ports.mac", json!("b")),
        add("ports", json!([{"value": "1", "mac": "b"}])),
        remove("ports[value eq \"1\"].mac"),
        remove("ports.mac"),
    ] {
        refused(two(), refused_edit, Mutability);
    }
    let none =
        patched(&kept(two()), json!([replace("ports[value eq \"9\"].mac", json!("b"))]), STRICT);
    assert_eq!(none.unwrap_err().scim_type, NoTarget);
}

#[test]
fn rfc7644_3_5_2_immutable_attributes_of_an_extension() {
    let until = "2030-01-01T00:00:00Z";
    let sealed = || json!({(WARRANTY): {"until": until, "partner": "p", "seal": "x"}});
    let path = |name: &str| format!("{WARRANTY}:{name}");
    becomes(
        json!({(WARRANTY): {"until": until}}),
        add(&path("seal"), json!("x")),
        json!({(WARRANTY): {"until": until, "seal": "x"}}),
    );
    becomes(sealed(), replace(WARRANTY, json!({"seal": "X"})), sealed());
    refused(sealed(), replace(&path("seal"), json!("y")), Mutability);
    refused(sealed(), replace(WARRANTY, json!({"seal": "y"})), Mutability);
    refused(sealed(), remove(&path("seal")), Mutability);
    refused(sealed(), remove(WARRANTY), Mutability);
    let terms = |version| json!({(WARRANTY): {"until": until, "terms": {"version": version}}});
    refused(terms("1"), replace(&path("terms.version"), json!("2")), Mutability);
    refused(terms("1"), remove(&path("terms")), Mutability);
}

fn operation() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "built",
        "owner",
        "owner.value",
        "codes",
        "place",
        "place.anchor",
        "place.site",
        "ports",
        "ports.mac",
        "ports[value eq \"1\"]",
        "ports[value eq \"1\"].mac",
        "ports[value eq \"1\"].value",
    ]);
    let value = prop::sample::select(vec![
        json!("1"),
        json!("2"),
        json!("2008-01-23T04:56:22Z"),
        json!("2009-01-23T04:56:22Z"),
        json!(["1"]),
        json!([]),
        Value::Null,
        json!({"value": "1"}),
        json!({"value": "1", "mac": "2", "site": "1", "anchor": "2"}),
        json!({"value": "2", "mac": "1", "site": "2"}),
        json!([{"value": "1", "mac": "1"}, {"value": "2"}]),
    ]);
    let op = prop::sample::select(vec!["add", "replace", "remove"]);
    (op, path, value).prop_map(|(op, path, value)| match op {
        "remove" => remove(path),
        op => json!({"op": op, "path": path, "value": value}),
    })
}

proptest! {
    #[test]
    fn rfc7643_7_no_edits_change_what_is_set(
        edits in prop::collection::vec(operation(), 1..8),
        put in any::<bool>(),
    ) {
        let before = kept(json!({"place": {"site": "1", "anchor": "1"}, "owner": {"value": "1"}}));
        // Edits that are refused are as if they were not made.
        let mut after = before.clone();
        for edit in edits {
            let earlier = after.clone();
            if let Ok(edited) = patched(&after, json!([edit]), STANDARD) {
                after = edited;
            }
            for name in ["serial", "built", "owner", "codes"] {
                let is_set = earlier.contains_key(name);
                prop_assert!(!is_set || after.get(name) == earlier.get(name), "{}: {:?}", name, edit);
            }
            prop_assert_eq!(&after["place"]["anchor"], "1");
        }
        if put {
            let mut replaced = after.clone();
            immutable::carry_over(device(), &after, &mut replaced).unwrap();
            prop_assert_eq!(replaced, after);
        }
    }
}
