//! What clients see and find of a resource type of which nothing is known but its schemas.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

mod sample;

use sample::*;
use scim_protocol::dialect::Leniencies;
use scim_protocol::error::ScimType::{InvalidFilter, InvalidPath};
use scim_protocol::filter::{self, evaluate, search_document};
use scim_protocol::projection::Projection;
use scim_protocol::query::Parameters;
use scim_protocol::{Object, message, resource};
use serde_json::{Value, json};

/// A device as it is sent, with every attribute that there is.
fn full() -> Object {
    let mut device_ = kept(json!({
        "state": "On", "size": 7, "weight": 2.5, "portable": true,
        "built": "2008-01-23T04:56:22+01:00", "key": "AQID", "manual": "https://Example.com/",
        "pin": "1234", "secret": "s", "notes": "n", "tags": ["A", "b"], "codes": ["A", "b"],
        "numbers": [1, 2], "levels": [1, 2.5], "switches": [true],
        "dates": ["2008-01-23T04:56:22Z"], "blobs": ["AQ"], "links": ["urn:a:b"],
        "place": {"site": "s", "room": "r", "floor": 1, "label": "l", "anchor": "a", "hint": "h",
                  "code": "c", "trace": "t"},
        "owner": {"value": "u", "display": "d"},
        "ports": [{"value": "1", "type": "usb", "speed": 1, "token": "x", "owner": "Users/1"},
                  {"value": "2", "type": "lan", "primary": true, "mac": "m"}],
        "locks": [{"value": "x", "type": "door"}, {"value": "y"}],
        "vault": {"value": "x", "hint": "h"},
        (INVENTORY): {"number": "N-1", "booked": "2030-01-01T00:00:00Z", "audit": "a"},
        (WARRANTY): {"until": "2030-01-01T00:00:00Z", "partner": "p", "ticket": "t"},
    }));
    device_.insert("id".to_owned(), "1".into());
    device_.insert("firmware".to_owned(), "v1".into());
    message::with_schemas(resource::schemas(device(), &device_), device_)
}

fn projected(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let mut leniencies = Leniencies::new(STRICT);
    let projection = Projection::parse(device(), attributes, excluded, &mut leniencies).unwrap();
    let mut device_ = full();
    projection.apply(device(), &mut device_);
    Value::Object(device_)
}

/// What every answer has, and these members.
#[track_caller]
fn has_only(attributes: &str, rest: Value) {
    let mut expected = json!({"schemas": [DEVICE, WARRANTY], "id": "1", "name": "Scanner",
                              (WARRANTY): {"ticket": "t"}});
    for (name, value) in rest.as_object().unwrap() {
        expected[name] = value.clone();
    }
    assert_eq!(projected(Some(attributes), None), expected, "{attributes}");
}

#[test]
fn rfc7643_7_without_a_wish_what_is_returned_by_default() {
    let mut expected = Value::Object(full());
    let members = expected.as_object_mut().unwrap();
    for hidden in ["pin", "secret", "notes", "vault"] {
        members.shift_remove(hidden).unwrap();
    }
    for hidden in ["hint", "code", "trace"] {
        members["place"].as_object_mut().unwrap().shift_remove(hidden).unwrap();
    }
    for hidden in ["token", "owner"] {
        members["ports"][0].as_object_mut().unwrap().shift_remove(hidden).unwrap();
    }
    members["locks"] = json!([{"type": "door"}]);
    members[INVENTORY].as_object_mut().unwrap().shift_remove("audit").unwrap();
    assert_eq!(projected(None, None), expected);
}

#[test]
fn rfc7644_3_9_what_is_named_and_what_is_always_returned() {
    has_only("state", json!({"state": "On"}));
    has_only("notes", json!({"notes": "n"}));
    has_only("pin,secret,locks.value,vault,vault.hint", json!({}));
    has_only("place.code,place.trace", json!({"place": {"label": "l"}}));
    has_only(
        "place",
        json!({"place": {"site": "s", "room": "r", "floor": 1, "label": "l", "anchor": "a"}}),
    );
    has_only("place.hint", json!({"place": {"label": "l", "hint": "h"}}));
    has_only("place.ROOM", json!({"place": {"room": "r", "label": "l"}}));
    has_only("ports.owner", json!({"ports": [{"owner": "Users/1"}]}));
    has_only(
        "ports[type eq \"lan\"]",
        json!({"ports": [{"value": "2", "type": "lan", "primary": true, "mac": "m"}]}),
    );
    has_only("tags,numbers", json!({"tags": ["A", "b"], "numbers": [1, 2]}));
    has_only(&format!("{WARRANTY}:partner"), json!({(WARRANTY): {"partner": "p", "ticket": "t"}}));
    let inventory = projected(Some(INVENTORY), None);
    let booked = json!({"number": "N-1", "booked": "2030-01-01T00:00:00Z"});
    assert_eq!(inventory[INVENTORY], booked);
    assert_eq!(inventory["schemas"], json!([DEVICE, INVENTORY, WARRANTY]));
}

#[test]
fn rfc7644_3_9_what_is_excluded_but_never_what_is_always_returned() {
    let all = projected(None, None);
    for (excluded, gone) in [
        ("state", vec!["/state"]),
        ("id,name,place.label", vec![]),
        ("PLACE.room,ports.type", vec!["/place/room", "/ports/0/type", "/ports/1/type"]),
        ("place", vec!["/place"]),
        ("pin,notes", vec![]),
    ] {
        let mut expected = all.clone();
        for pointer in gone {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            expected.pointer_mut(parent).unwrap().as_object_mut().unwrap().shift_remove(name);
        }
        assert_eq!(projected(None, Some(excluded)), expected, "{excluded}");
    }
    let without = projected(None, Some(&format!("{INVENTORY},{WARRANTY}")));
    assert_eq!(without.get(INVENTORY), None);
    assert_eq!(without[WARRANTY], json!({"ticket": "t"}));
    assert_eq!(without["schemas"], json!([DEVICE, WARRANTY]), "what the answer has");
}

#[test]
fn rfc7643_7_what_is_hidden_is_wanted_by_nobody() {
    let projection = |attributes| {
        let mut leniencies = Leniencies::new(STRICT);
        Projection::parse(device(), attributes, None, &mut leniencies).unwrap()
    };
    let wants = |attributes, name: &str| {
        projection(attributes).wants(None, device().attribute(name).unwrap())
    };
    assert!(!wants(None, "pin") && !wants(Some("pin"), "pin"));
    assert!(!wants(None, "secret") && !wants(Some("secret"), "secret"));
    assert!(!wants(None, "notes") && wants(Some("notes"), "notes"));
    assert!(wants(None, "state") && !wants(Some("notes"), "state"));
    assert!(wants(Some("notes"), "name"));
}

#[test]
fn rfc7644_3_4_2_2_filters_on_each_data_type() {
    let matches = |text: &str| {
        let mut leniencies = Leniencies::new(STRICT);
        let predicate = filter::parse(device(), text, &mut leniencies).expect(text);
        evaluate(&predicate, &full())
    };
    for text in [
        "state eq \"ON\"",
        "serial eq \"S-1\"",
        "size ge 7",
        "size lt 7.5",
        "weight gt 2",
        "weight eq 2.5",
        "portable eq true",
        "built eq \"2008-01-23T03:56:22Z\"",
        "built lt \"2008-01-23T04:56:22Z\"",
        "key eq \"AQID\"",
        "manual sw \"https://Example\"",
        "tags eq \"B\"",
        "codes eq \"b\"",
        "numbers gt 1",
        "levels eq 2.5",
        "switches eq true",
        "dates le \"2008-01-23T04:56:22Z\"",
        "blobs pr",
        "links ew \":b\"",
        "place.floor eq 1",
        "owner eq \"u\"",
        "ports.mac eq \"M\"",
        "ports[type eq \"lan\" and primary eq true].mac sw \"m\"",
        "notes eq \"n\"",
        &format!("{INVENTORY}:number eq \"N-1\" and {WARRANTY}:partner eq \"P\""),
        &format!("schemas eq \"{WARRANTY}\""),
    ] {
        assert!(matches(text), "{text}");
    }
    for text in [
        "serial eq \"s-1\"",
        "key eq \"aqid\"",
        "manual eq \"https://example.com/\"",
        "codes eq \"a\"",
        "owner eq \"U\"",
        "numbers gt 2",
        "ports[type eq \"lan\" and speed eq 1]",
        &format!("{INVENTORY}:number eq \"n-1\""),
    ] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn rfc7643_2_3_4_integers_are_compared_with_all_their_digits() {
    let satisfies = |size: i64, test: &str| {
        let sized = kept(json!({"size": size}));
        let filter = format!("size {test}");
        let parsed = filter::parse(device(), &filter, &mut Leniencies::new(STRICT));
        filter::evaluate(&parsed.unwrap(), &sized)
    };
    for (size, test) in [
        (9_007_199_254_740_993, "ne 9007199254740992.0"),
        (9_007_199_254_740_993, "gt 9007199254740992.0"),
        (i64::MAX, "ne 9223372036854775808"),
        (i64::MAX, "lt 9223372036854775808"),
        (i64::MIN, "eq -9223372036854775808.0"),
        (i64::MIN, "gt -1e19"),
        (-1, "lt -0.5"),
        (100, "eq 1e2"),
        (7, "ne 7.5"),
    ] {
        assert!(satisfies(size, test), "{size} {test}");
    }
    for (size, test) in
        [(i64::MAX, "ge 9223372036854775808"), (i64::MIN, "le -1e19"), (7, "ge 7.5")]
    {
        assert!(!satisfies(size, test), "{size} {test}");
    }
}

#[test]
fn rfc7643_7_what_is_hidden_is_neither_filtered_nor_sorted_by() {
    for path in [
        "pin",
        "secret",
        "place.code",
        "place.trace",
        "locks",
        "locks.value",
        "ports.token",
        "vault",
        "vault.hint",
    ] {
        for text in [format!("{path} eq \"x\""), format!("not ({path} sw \"x\")")] {
            let result = filter::parse(device(), &text, &mut Leniencies::new(STANDARD));
            assert_eq!(result.map_err(|error| error.scim_type), Err(InvalidFilter), "{text}");
        }
        let sorted = Parameters { sort_by: Some(path.to_owned()), ..Parameters::default() };
        let result = sorted.query(device(), &mut Leniencies::new(STANDARD));
        assert_eq!(result.map_err(|error| error.scim_type), Err(InvalidPath), "{path}");
    }
    for text in
        ["ports[token eq \"x\"]", "ports[type eq \"usb\"].token pr", "pin pr", "vault[hint pr]"]
    {
        let result = filter::parse(device(), text, &mut Leniencies::new(STANDARD));
        assert_eq!(result.map_err(|error| error.scim_type), Err(InvalidFilter), "{text}");
    }
}

#[test]
fn rfc7644_3_4_2_3_sort_keys_of_each_data_type() {
    let sort = |path: &str| {
        let sorted = Parameters { sort_by: Some(path.to_owned()), ..Parameters::default() };
        let query = sorted.query(device(), &mut Leniencies::new(STRICT))?;
        let attribute = query.sort.unwrap().attribute;
        let sub = attribute.sub.map_or(String::new(), |sub| format!(".{}", sub.name));
        Ok::<_, scim_protocol::error::Error>(format!("{}{sub}", attribute.attribute.name))
    };
    for (path, found) in [
        ("STATE", "state"),
        ("size", "size"),
        ("weight", "weight"),
        ("built", "built"),
        ("tags", "tags"),
        ("place.room", "place.room"),
        ("ports", "ports.value"),
        ("owner", "owner.value"),
        (&format!("{INVENTORY}:number"), "number"),
    ] {
        assert_eq!(sort(path), Ok(found.to_owned()));
    }
    for path in ["place", INVENTORY, "colour", "place.colour", "size eq 1"] {
        assert_eq!(sort(path).map_err(|error| error.scim_type), Err(InvalidPath), "{path}");
    }
}

#[test]
fn rfc7643_7_values_are_searched_as_they_are_compared() {
    let document = search_document(device(), &full());
    assert_eq!(document["state"], "on");
    assert_eq!(document["serial"], "S-1");
    assert_eq!(document["built"], 1_201_060_582_000_000_i64);
    assert_eq!(document["dates"], json!([1_201_064_182_000_000_i64]));
    assert_eq!(document["tags"], json!(["a", "b"]));
    assert_eq!(document["codes"], json!(["A", "b"]));
    assert_eq!(document["manual"], "https://Example.com/");
    assert_eq!(document["levels"], json!([1.0, 2.5]));
    assert_eq!(document["ports"][1]["mac"], "m");
    assert_eq!(document[WARRANTY]["partner"], "p");
    for hidden in ["/pin", "/secret", "/place/code", "/place/trace", "/ports/0/token"] {
        assert_eq!(Value::Object(document.clone()).pointer(hidden), None, "{hidden}");
    }
    assert_eq!(document[INVENTORY].get("audit"), None);
}
