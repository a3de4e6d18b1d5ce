//! What RFC 7644 section 3.5.2 says.

use super::*;
use ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};

#[test]
fn rfc7644_3_5_2_1_add_sets_single_values() {
    let department = format!("{ENTERPRISE}:department");
    let manager = format!("{ENTERPRISE}:manager.value");
    for (before, operation, after) in [
        (json!({}), add("title", json!("Boss")), json!({"title": "Boss"})),
        (json!({"title": "Clerk"}), add("title", json!("Boss")), json!({"title": "Boss"})),
        (json!({}), add("TITLE", json!("Boss")), json!({"title": "Boss"})),
        (json!({}), add("name.givenName", json!("Ada")), json!({"name": {"givenName": "Ada"}})),
        (
            json!({"name": {"familyName": "King"}}),
            add("name", json!({"givenName": "Ada"})),
            json!({"name": {"familyName": "King", "givenName": "Ada"}}),
        ),
        (json!({}), add(&department, json!("R")), json!({ENTERPRISE: {"department": "R"}})),
        (
            json!({ENTERPRISE: {"department": "R"}}),
            add(&manager, json!("m")),
            json!({ENTERPRISE: {"department": "R", "manager": {"value": "m"}}}),
        ),
        (
            json!({ENTERPRISE: {"department": "R"}}),
            add(ENTERPRISE, json!({"costCenter": "9"})),
            json!({ENTERPRISE: {"costCenter": "9", "department": "R"}}),
        ),
        (
            json!({}),
            add("urn:ietf:params:scim:schemas:core:2.0:User:title", json!("Boss")),
            json!({"title": "Boss"}),
        ),
    ] {
        becomes_in_all(before, operation, after);
    }
}

#[test]
fn rfc7644_3_5_2_1_add_without_path() {
    let value = json!({"emails": [{"value": "n@x.example", "type": "other"}], "NICKNAME": "Babs",
                       "name": {"givenName": "Ada"}, ENTERPRISE: {"department": "R"},
                       "schemas": [ENTERPRISE]});
    let mut after = work_and_home();
    after["emails"].as_array_mut().unwrap().push(json!({"value": "n@x.example", "type": "other"}));
    after["nickName"] = "Babs".into();
    after["name"] = json!({"givenName": "Ada"});
    after[ENTERPRISE] = json!({"department": "R"});
    becomes_in_all(work_and_home(), json!({"op": "add", "value": value}), after);
}

#[test]
fn rfc7644_3_5_2_1_add_appends_what_is_not_there_yet() {
    let one = json!({"emails": [{"value": "a@x", "type": "work", "display": "A"}]});
    let two = json!({"emails": [{"value": "a@x", "type": "work", "display": "A"},
                                {"value": "a@x", "type": "home"}]});
    for (given, after) in [
        (json!([{"value": "a@x"}]), one.clone()),
        (json!([{"value": "a@x", "type": "work"}]), one.clone()),
        (json!([{"value": "a@x", "type": "work", "primary": false}]), one.clone()),
        (json!([{"value": "A@X", "type": "Work"}]), one.clone()),
        (json!([]), one.clone()),
        (json!([{"value": "a@x", "type": "home"}, {"value": "a@x", "type": "home"}]), two),
        (
            json!([{"value": "a@x", "type": "work", "display": "B", "primary": true}]),
            json!({"emails": [{"value": "a@x", "display": "B", "type": "work", "primary": true}]}),
        ),
    ] {
        becomes_in_all(one.clone(), add("emails", given), after);
    }
    let photo = json!({"photos": [{"value": "https://x.example/A"}]});
    let both =
        json!({"photos": [{"value": "https://x.example/A"}, {"value": "https://x.example/a"}]});
    becomes_in_all(photo, add("photos", json!([{"value": "https://x.example/a"}])), both);
}

#[test]
fn rfc7644_3_5_2_a_new_primary_takes_the_place_of_the_old() {
    let moved = json!({"emails": [{"value": "w@x.example", "type": "work", "primary": false},
                                  {"value": "h@x.example", "type": "home", "primary": true}]});
    for operation in [
        add("emails", json!([{"value": "h@x.example", "type": "home", "primary": true}])),
        add("emails[type eq \"home\"]", json!({"primary": true})),
        replace("emails[type eq \"home\"].primary", json!(true)),
        replace("emails[type eq \"home\"]", json!({"value": "h@x.example", "primary": true})),
    ] {
        becomes_in_all(work_and_home(), operation, moved.clone());
    }
    let added = json!({"emails": [{"value": "w@x.example", "type": "work", "primary": false},
        {"value": "h@x.example", "type": "home"}, {"value": "n@x.example", "primary": true}]});
    let new = json!([{"value": "n@x.example", "primary": true}]);
    becomes_in_all(work_and_home(), add("emails", new), added);
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    refused_in_all(json!({}), add("emails", two.clone()), InvalidValue);
    refused_in_all(json!({}), replace("emails", two), InvalidValue);
}

#[test]
fn rfc7644_3_5_2_2_remove() {
    let full = json!({"title": "T", "name": {"givenName": "Ada", "familyName": "King"},
                      ENTERPRISE: {"department": "R", "costCenter": "9"}});
    for (path, gone) in [
        ("title".to_owned(), "/title".to_owned()),
        ("name".to_owned(), "/name".to_owned()),
        ("name.givenName".to_owned(), "/name/givenName".to_owned()),
        (ENTERPRISE.to_owned(), format!("/{ENTERPRISE}")),
        (format!("{ENTERPRISE}:department"), format!("/{ENTERPRISE}/department")),
        ("nickName".to_owned(), "/nickName".to_owned()),
        ("emails".to_owned(), "/emails".to_owned()),
    ] {
        let mut after = full.clone();
        let (parent, name) = gone.rsplit_once('/').unwrap();
        after.pointer_mut(parent).unwrap().as_object_mut().unwrap().shift_remove(name);
        becomes_in_all(full.clone(), remove(&path), after);
    }
    becomes_in_all(json!({"name": {"givenName": "A"}}), remove("name.givenName"), json!({}));
    becomes_in_all(work_and_home(), remove("emails"), json!({}));
}

#[test]
fn rfc7644_3_5_2_2_remove_by_filter() {
    let work = json!({"emails": [work_and_home()["emails"][0]]});
    let home = json!({"emails": [work_and_home()["emails"][1]]});
    for (filter, after) in [
        ("type eq \"work\"", home.clone()),
        ("type eq \"work\" and value ew \"example\"", home.clone()),
        ("not (type eq \"work\")", work.clone()),
        ("primary pr", home),
        ("primary ne true", work),
        ("value sw \"w\" or value sw \"h\"", json!({})),
        ("type eq \"pager\"", work_and_home()),
    ] {
        becomes_in_all(work_and_home(), remove(&format!("emails[{filter}]")), after);
    }
    let mut without_type = work_and_home();
    without_type["emails"][1].as_object_mut().unwrap().shift_remove("type");
    becomes_in_all(work_and_home(), remove("emails[type eq \"home\"].type"), without_type);
}

#[test]
fn rfc7644_3_5_2_2_required_and_read_only_attributes_cannot_be_removed() {
    for path in
        ["userName", "id", "meta", "meta.created", "groups", "groups[value eq \"g\"]", "schemas"]
    {
        refused_in_all(json!({}), remove(path), Mutability);
    }
    refused_in_all(json!({}), remove(&format!("{ENTERPRISE}:manager.displayName")), Mutability);
    refused_in_all(json!({}), json!({"op": "remove"}), NoTarget);
}

#[test]
fn rfc7644_3_5_2_3_replace() {
    let new = json!([{"value": "n@x.example", "type": "other"}]);
    for (before, operation, after) in [
        (json!({}), replace("title", json!("Boss")), json!({"title": "Boss"})),
        (work_and_home(), replace("emails", new.clone()), json!({"emails": new})),
        (work_and_home(), replace("emails", json!([])), json!({})),
        (
            json!({"name": {"givenName": "Ada", "familyName": "King"}}),
            replace("name", json!({"familyName": "Byron", "middleName": "Augusta"})),
            json!({"name": {"familyName": "Byron", "givenName": "Ada", "middleName": "Augusta"}}),
        ),
        (
            json!({"name": {"givenName": "Ada", "familyName": "King"}}),
            replace("name", json!({"familyName": null})),
            json!({"name": {"givenName": "Ada"}}),
        ),
        (
            json!({"name": {"givenName": "A"}}),
            replace("name", json!({})),
            json!({"name": {"givenName": "A"}}),
        ),
        (json!({"active": true}), replace("active", json!(false)), json!({"active": false})),
        (
            json!({"title": "T"}),
            json!({"op": "replace", "value": {"title": "Boss", "emails": new}}),
            json!({"title": "Boss", "emails": new}),
        ),
    ] {
        becomes_in_all(before, operation, after);
    }
}

#[test]
fn rfc7644_3_5_2_3_replace_by_filter() {
    let address = json!({"addresses": [{"streetAddress": "1", "locality": "A", "type": "work"},
                                       {"streetAddress": "2", "type": "home"}]});
    for (path, value, first) in [
        (
            "addresses[type eq \"work\"].streetAddress",
            json!("9"),
            json!({"streetAddress": "9", "locality": "A", "type": "work"}),
        ),
        (
            "addresses[TYPE eq \"WORK\"]",
            json!({"streetAddress": "9", "region": "CA"}),
            json!({"streetAddress": "9", "region": "CA", "type": "work"}),
        ),
        (
            "addresses[locality sw \"a\"]",
            json!({"streetAddress": "9", "type": "other"}),
            json!({"streetAddress": "9", "type": "other"}),
        ),
        (
            "addresses[type eq \"work\"]",
            json!({"country": "US", "type": null}),
            json!({"country": "US"}),
        ),
    ] {
        let after = json!({"addresses": [first, address["addresses"][1]]});
        becomes_in_all(address.clone(), replace(path, value), after);
    }
    let all = json!({"addresses": [{"streetAddress": "9", "locality": "A", "type": "work"},
                                   {"streetAddress": "9", "type": "home"}]});
    becomes_in_all(address.clone(), replace("addresses.streetAddress", json!("9")), all.clone());
    becomes_in_all(address.clone(), replace("addresses[type pr].streetAddress", json!("9")), all);
    let equal = json!({"addresses": [{"country": "US"}]});
    becomes_in_all(address, replace("addresses[type pr]", json!({"country": "US"})), equal);
}

#[test]
fn rfc7644_3_5_2_3_a_filter_that_selects_nothing_has_no_target_in_strict() {
    for operation in [
        replace("emails[type eq \"pager\"].value", json!("p@x")),
        replace("emails[type eq \"pager\"]", json!({"value": "p@x"})),
        add("emails[type eq \"pager\"].value", json!("p@x")),
        replace("emails[type eq \"pager\"].value", json!(null)),
    ] {
        refused(STRICT, work_and_home(), operation, NoTarget);
    }
}

#[test]
fn rfc7644_3_5_2_a_required_attribute_cannot_be_emptied() {
    for value in [json!(""), json!(" "), json!(null)] {
        refused_in_all(json!({}), replace("userName", value.clone()), InvalidValue);
        refused_in_all(json!({}), json!({"op": "add", "value": {"userName": value}}), InvalidValue);
    }
}

#[test]
fn rfc7644_3_5_2_operations_that_are_none() {
    for (operation, why) in [
        (json!({"op": "move", "path": "title"}), InvalidSyntax),
        (json!({"path": "title", "value": "x"}), InvalidSyntax),
        (json!({"op": 1, "path": "title", "value": "x"}), InvalidSyntax),
        (json!("remove"), InvalidSyntax),
        (json!({"op": "add", "path": "title"}), InvalidValue),
        (json!({"op": "replace", "path": "emails"}), InvalidValue),
        (json!({"op": "add"}), InvalidValue),
        (json!({"op": "replace", "value": "x"}), InvalidValue),
        (json!({"op": "add", "path": 1, "value": "x"}), InvalidPath),
        (add("", json!("x")), InvalidPath),
        (add("name.givenName.x", json!("x")), InvalidPath),
        (add("emails[type eq", json!("x")), InvalidPath),
        (add("emails[type eq].value", json!("x")), InvalidFilter),
        (add("emails[nonsense eq 1].value", json!("x")), InvalidFilter),
        (add("title[value eq \"x\"]", json!("x")), InvalidPath),
        (add(&format!("{ENTERPRISE}[value eq \"x\"]"), json!({})), InvalidPath),
        (add(ENTERPRISE, json!("x")), InvalidValue),
        (add("title", json!({"value": "x"})), InvalidValue),
        (add("name", json!("Ada")), InvalidValue),
        (add("active", json!("maybe")), InvalidValue),
    ] {
        refused_in_all(json!({"title": "T"}), operation, why);
    }
}

#[test]
fn rfc7644_3_5_2_bodies_that_are_none() {
    let title = json!([add("title", json!("x"))]);
    for body in [
        json!([]),
        json!({"schemas": [PATCH_OP]}),
        json!({"schemas": [PATCH_OP], "Operations": title[0]}),
    ] {
        let refused = parse(ResourceType::user(), &body, &mut Leniencies::new(STANDARD));
        assert_eq!(refused.map_err(|e| e.scim_type), Err(InvalidSyntax), "{body}");
    }
    let body = json!({"Operations": title});
    assert!(parse(ResourceType::user(), &body, &mut Leniencies::new(STRICT)).is_err());
    let many = vec![title[0].clone(); super::super::MAX_OPERATIONS + 1];
    assert!(patched(&json!({}), &json!(many), STANDARD).is_err());
}

#[test]
fn rfc7644_3_5_2_each_operation_sees_what_the_one_before_left() {
    let operations = json!([
        add("emails", json!([{"value": "a@x", "type": "work"}])),
        replace("emails[type eq \"work\"].value", json!("b@x")),
        remove("name"),
        add("name.givenName", json!("Ada")),
    ]);
    let before = json!({"name": {"familyName": "King"}});
    let after = json!({"name": {"givenName": "Ada"}, "emails": [{"value": "b@x", "type": "work"}]});
    assert_eq!(patched(&before, &operations, STRICT), Ok(ada(&after)));
    let last_fails =
        json!([add("title", json!("x")), replace("emails[type eq \"a\"].value", json!("b"))]);
    assert!(patched(&json!({}), &last_fails, STRICT).is_err());
}

#[test]
fn rfc7644_3_5_2_what_ends_where_it_began_is_equal() {
    for operations in [
        json!([add("title", json!("x")), remove("title")]),
        json!([replace("emails", work_and_home()["emails"].clone())]),
        json!([add("emails", work_and_home()["emails"].clone())]),
        json!([remove("emails[type eq \"pager\"]"), remove("nickName")]),
        json!([add("schemas", json!([ENTERPRISE])), add(ENTERPRISE, json!({}))]),
        json!([replace(&format!("{ENTERPRISE}:department"), json!("R")), remove(ENTERPRISE)]),
        json!([remove("emails"), add("emails", work_and_home()["emails"].clone())]),
    ] {
        let after = patched(&work_and_home(), &operations, STRICT);
        assert_eq!(
            after.map(|user| user.to_string()),
            Ok(ada(&work_and_home()).to_string()),
            "{operations}"
        );
    }
}

#[test]
fn an_attribute_does_not_grow_without_limit() {
    let list = |from: usize| {
        (from..from + 600).map(|n| json!({"value": n.to_string()})).collect::<Value>()
    };
    assert!(
        patched(&json!({}), &json!([add("roles", list(0)), add("roles", list(100))]), STRICT)
            .is_ok()
    );
    let grown =
        patched(&json!({}), &json!([add("roles", list(0)), add("roles", list(600))]), STRICT);
    assert_eq!(grown.map_err(|e| e.scim_type), Err(InvalidValue));
}

#[test]
fn a_patch_does_a_bounded_amount_of_work() {
    let emails: Vec<Value> =
        (0..1_000).map(|n| json!({"value": format!("{n}@x.example")})).collect();
    let filter: Vec<String> = (0..100).map(|n| format!("value eq \"{n}\"")).collect();
    let operation = remove(&format!("emails[{}]", filter.join(" or ")));
    let some = vec![operation.clone(); 2];
    let many = vec![operation; 20];
    let before = ada(&json!({"emails": emails}));
    assert!(patched(&before, &json!(some), Dialect::Strict).is_ok());
    let refused = patched(&before, &json!(many), Dialect::Strict).map_err(|error| error.scim_type);
    assert_eq!(refused, Err(ScimType::TooMany));
}

#[test]
fn rfc7644_7_7_text_that_takes_long_to_fold_counts_for_more() {
    let filter = vec!["value co \"x\""; 200].join(" or ");
    let operations = [remove(&format!("roles[{filter}]"))];
    for (letter, expected) in [("e", Ok(())), ("é", Err(ScimType::TooMany))] {
        let role = |at: usize| json!({"value": format!("{at}{}", letter.repeat(500))});
        let before = ada(&json!({"roles": (0..100).map(role).collect::<Vec<_>>()}));
        let result = patched(&before, &json!(operations), Dialect::Strict);
        assert_eq!(result.map(drop).map_err(|error| error.scim_type), expected, "{letter}");
    }
}

#[test]
fn rfc7644_3_5_2_1_what_is_added_may_be_one_object() {
    let email = json!({"value": "a@x.example"});
    becomes_in_all(json!({}), add("emails", email.clone()), json!({"emails": [email]}));
}
