//! What identity providers do beyond the RFC.

use super::*;
use ScimType::{InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};

/// Done in the dialects of identity providers, refused in strict.
#[track_caller]
fn lenient(before: Value, operation: Value, after: Value, strictly: ScimType) {
    refused(STRICT, before.clone(), operation.clone(), strictly);
    becomes(STANDARD, before, operation, after);
}

#[test]
fn q1_operations_in_any_case() {
    let operation = json!({"op": "Replace", "path": "title", "value": "x"});
    lenient(json!({}), operation, json!({"title": "x"}), InvalidSyntax);
}

#[test]
fn q2_booleans_as_text() {
    lenient(json!({}), replace("active", json!("False")), json!({"active": false}), InvalidValue);
    let path_less = json!({"op": "replace", "value": {"active": "True"}});
    lenient(json!({}), path_less, json!({"active": true}), InvalidValue);
}

#[test]
fn q3_keys_that_are_paths() {
    for (key, value, after) in [
        ("name.givenName".to_owned(), json!("Ada"), json!({"name": {"givenName": "Ada"}})),
        (format!("{ENTERPRISE}:department"), json!("R"), json!({ENTERPRISE: {"department": "R"}})),
        (
            format!("{ENTERPRISE}:employeeNumber"),
            json!(["7"]),
            json!({ENTERPRISE: {"employeeNumber": "7"}}),
        ),
        (
            format!("{ENTERPRISE}:manager.value"),
            json!("m"),
            json!({ENTERPRISE: {"manager": {"value": "m"}}}),
        ),
        (
            "emails[type eq \"work\"].value".to_owned(),
            json!("w@x"),
            json!({"emails": [{"value": "w@x", "type": "work"}]}),
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User".to_owned(),
            json!({"title": "x"}),
            json!({"title": "x"}),
        ),
    ] {
        lenient(json!({}), json!({"op": "add", "value": {key: value}}), after, InvalidSyntax);
    }
    let nested = json!({"op": "add", "value": {ENTERPRISE: {"manager.value": "m"}}});
    let after = json!({ENTERPRISE: {"manager": {"value": "m"}}});
    lenient(json!({}), nested, after, InvalidSyntax);
    let path_less = json!({"op": "replace", "value": {ENTERPRISE: null}});
    becomes_in_all(json!({ENTERPRISE: {"department": "R"}}), path_less, json!({}));
}

#[test]
fn q3_only_keys_that_are_paths_count_as_such() {
    let mut leniencies = Leniencies::new(STANDARD);
    let value =
        json!({"title": "x", "shoeSize": 9, "department": "R", ENTERPRISE: {"division": "D"}});
    let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "value": value}]});
    assert_eq!(parse(ResourceType::user(), &body, &mut leniencies).unwrap().len(), 3);
    let fired: Vec<&str> = leniencies.fired().map(|(leniency, _)| leniency.as_str()).collect();
    assert_eq!(fired, ["unknownAttribute", "unprefixedExtension"]);
}

#[test]
fn q4_what_the_filter_describes_is_created_as_the_client_wrote_it() {
    for (path, value, created) in [
        ("emails[type eq \"Pager\"].value", json!("P@x"), json!({"value": "P@x", "type": "Pager"})),
        (
            "emails[TYPE EQ \"Straße\"]",
            json!({"value": "P@x"}),
            json!({"value": "P@x", "type": "Straße"}),
        ),
        (
            "emails[type eq \"Fax\" and (display eq \"É\" and primary eq false)].value",
            json!("P@x"),
            json!({"value": "P@x", "display": "É", "type": "Fax", "primary": false}),
        ),
        (
            "emails[type eq \"a\" and display eq 7].value",
            json!("x"),
            json!({"value": "x", "display": "7", "type": "a"}),
        ),
        ("emails[value eq \"X@x\"].type", json!("Fax"), json!({"value": "X@x", "type": "Fax"})),
    ] {
        let mut after = work_and_home();
        after["emails"].as_array_mut().unwrap().push(created);
        becomes(STANDARD, work_and_home(), add(path, value.clone()), after.clone());
        lenient(work_and_home(), replace(path, value), after, strict_refusal(path));
    }
}

/// A number for a text is refused before the target is sought.
fn strict_refusal(path: &str) -> ScimType {
    if path.contains('7') { ScimType::InvalidFilter } else { NoTarget }
}

#[test]
fn q4_what_no_element_can_be_is_not_created() {
    for filter in [
        "type eq \"a\" or type eq \"b\"",
        "not (type pr)",
        "type sw \"a\"",
        "type ne \"home\" and type ne \"work\"",
        "type eq \"a\" and type eq \"b\"",
        "display eq null and type eq \"a\"",
        "type eq \"a\" and value pr",
    ] {
        let path = format!("emails[{filter}].value");
        refused_in_all(work_and_home(), replace(&path, json!("x")), NoTarget);
    }
    // A single value that the filter does not select must not be lost to the one it describes.
    let ada = json!({"name": {"givenName": "Ada", "familyName": "King"}});
    refused_in_all(ada, replace("name[givenName eq \"Eve\"].familyName", json!("x")), NoTarget);
    let path = "name[givenName eq \"Eve\"].familyName";
    let eve = json!({"name": {"givenName": "Eve", "familyName": "x"}});
    lenient(json!({}), replace(path, json!("x")), eve, NoTarget);
}

#[test]
fn q4_q19_q20_nothing_is_created_for_nothing() {
    for value in [json!(null), json!("")] {
        let path = "emails[type eq \"pager\"].value";
        lenient(work_and_home(), replace(path, value.clone()), work_and_home(), NoTarget);
        let or = "emails[type eq \"pager\" or type eq \"fax\"].value";
        lenient(work_and_home(), add(or, value), work_and_home(), NoTarget);
    }
    for value in [json!({"value": ""}), json!({"value": null}), json!({}), json!({"shoeSize": 9})] {
        becomes(
            STANDARD,
            work_and_home(),
            replace("emails[type eq \"pager\"]", value),
            work_and_home(),
        );
    }
    becomes_in_all(json!({}), remove("emails.type"), json!({}));
}

#[test]
fn q5_e17_a_primary_role_in_three_operations() {
    let set = |name: &str| json!({"op": "Add", "path": format!("roles[primary eq \"True\"].{name}"), "value": "Admin"});
    let after = ada(
        &json!({"roles": [{"value": "Admin", "display": "Admin", "type": "Admin", "primary": true}]}),
    );
    for order in
        [["value", "display", "type"], ["type", "display", "value"], ["display", "type", "value"]]
    {
        assert_eq!(patched(&json!({}), &json!(order.map(set)), Dialect::Entra), Ok(after.clone()));
    }
    // Setting the type twice takes nothing away.
    let twice = patched(&json!({}), &json!([set("type"), set("type")]), Dialect::Entra);
    assert_eq!(twice, Ok(ada(&json!({"roles": [{"type": "Admin", "primary": true}]}))));
}

#[test]
fn q6_remove_with_a_list_of_values() {
    let home = json!({"emails": [work_and_home()["emails"][1]]});
    for (value, after) in [
        (json!([{"value": "W@x.example"}]), home.clone()),
        (json!([{"value": "w@x.example", "type": "work"}, {"value": "nobody"}]), home.clone()),
        (json!({"value": "w@x.example"}), home.clone()),
        (json!("w@x.example"), home),
        (json!([{"value": "w@x.example", "type": "home"}]), work_and_home()),
        (
            json!([{"value": "h@x.example", "primary": false}]),
            json!({"emails": [work_and_home()["emails"][0]]}),
        ),
        (json!([]), work_and_home()),
        (json!([{}]), work_and_home()),
        (json!([{"shoeSize": 9}]), work_and_home()),
        (json!(""), work_and_home()),
    ] {
        let operation = json!({"op": "remove", "path": "emails", "value": value});
        lenient(work_and_home(), operation, after, InvalidSyntax);
    }
    let all = json!({"op": "remove", "path": "emails", "value": null});
    becomes_in_all(work_and_home(), all, json!({}));
}

#[test]
fn q8_an_element_without_its_value_is_dropped() {
    let home = json!({"emails": [work_and_home()["emails"][1]]});
    let path = "emails[type eq \"work\"].value";
    let old = json!({"op": "remove", "path": path, "value": "w@x.example"});
    becomes_in_all(work_and_home(), remove(path), home.clone());
    becomes_in_all(work_and_home(), old, home.clone());
    becomes(STANDARD, work_and_home(), replace(path, json!("")), home.clone());
    becomes(STANDARD, work_and_home(), replace(path, json!(null)), home.clone());
    for value in [json!({"value": ""}), json!({"value": null}), json!(""), json!(null)] {
        let whole = "emails[type eq \"work\"]";
        becomes(STANDARD, work_and_home(), replace(whole, value), home.clone());
    }
    let named = json!({"emails": [{"value": "a", "display": "A", "type": "work"}]});
    becomes_in_all(named, remove(path), json!({"emails": [{"display": "A", "type": "work"}]}));
}

#[test]
fn q9_e16_manager_in_every_form() {
    let none = json!({ENTERPRISE: {"department": "R"}});
    let set = json!({ENTERPRISE: {"department": "R", "manager": {"value": "m"}}});
    let with_reference = json!({ENTERPRISE: {"department": "R", "manager": {"value": "m", "$ref": "https://x.example/m"}}});
    let other = json!({ENTERPRISE: {"department": "R", "manager": {"value": "o", "$ref": "https://x.example/o"}}});
    let path = format!("{ENTERPRISE}:manager");
    let bare = json!({"op": "Add", "path": "manager", "value": [{"$ref": "https://x.example/m", "value": "m"}]});
    for before in [&none, &other] {
        becomes(STANDARD, before.clone(), bare.clone(), with_reference.clone());
        lenient(before.clone(), add(&path, json!("m")), set.clone(), InvalidValue);
        lenient(before.clone(), replace(&path, json!([{"value": "m"}])), set.clone(), InvalidValue);
        becomes_in_all(before.clone(), replace(&path, json!({"value": "m"})), set.clone());
        becomes_in_all(before.clone(), replace(&format!("{path}.value"), json!("m")), set.clone());
        lenient(before.clone(), replace(&path, json!("")), none.clone(), InvalidValue);
        becomes_in_all(before.clone(), replace(&path, json!(null)), none.clone());
        becomes(STANDARD, before.clone(), replace(&path, json!({"value": ""})), none.clone());
        becomes(
            STANDARD,
            before.clone(),
            replace(&path, json!([{"value": "", "$ref": "x"}])),
            none.clone(),
        );
        becomes_in_all(before.clone(), replace(&path, json!({"value": null})), none.clone());
        becomes_in_all(before.clone(), remove(&path), none.clone());
        becomes_in_all(before.clone(), remove(&format!("{path}.value")), none.clone());
    }
    // What is not the manager's identity leaves it alone.
    let reference = replace(&path, json!({"$ref": "https://x.example/m"}));
    becomes_in_all(set.clone(), reference, with_reference.clone());
    becomes_in_all(
        with_reference.clone(),
        replace(&path, json!({"displayName": "M"})),
        with_reference,
    );
    refused_in_all(set.clone(), replace(&format!("{path}.displayName"), json!("M")), Mutability);
    let dot = format!("{ENTERPRISE}.manager");
    becomes(STANDARD, none, add(&dot, json!("m")), set);
}

#[test]
fn q10_attributes_of_the_extension_without_its_urn() {
    lenient(
        json!({}),
        add("department", json!("R")),
        json!({ENTERPRISE: {"department": "R"}}),
        InvalidPath,
    );
    let key = json!({"op": "add", "value": {"department": "R"}});
    lenient(json!({}), key, json!({ENTERPRISE: {"department": "R"}}), InvalidSyntax);
}

#[test]
fn q19_an_empty_text_clears() {
    let before = json!({"title": "T", "name": {"givenName": "Ada", "familyName": "King"}});
    for (operation, after) in [
        (replace("title", json!("")), json!({"name": {"givenName": "Ada", "familyName": "King"}})),
        (
            replace("name.givenName", json!("")),
            json!({"title": "T", "name": {"familyName": "King"}}),
        ),
        (
            replace("name", json!({"givenName": ""})),
            json!({"title": "T", "name": {"familyName": "King"}}),
        ),
        (replace("name", json!("")), json!({"title": "T"})),
    ] {
        becomes(STANDARD, before.clone(), operation, after);
    }
    lenient(work_and_home(), replace("emails", json!("")), json!({}), InvalidValue);
    becomes(STANDARD, work_and_home(), replace("emails", json!([{"value": ""}])), json!({}));
    becomes_in_all(work_and_home(), replace("emails", json!(null)), json!({}));
}

#[test]
fn q21_a_role_as_json_in_text() {
    let role = json!([{"value": "{\"id\":\"06b0\",\"value\":\"Admin\",\"displayName\":\"Boss\"}"}]);
    let after = json!({"roles": [{"value": "Admin", "display": "Boss"}]});
    becomes(Dialect::Entra, json!({}), add("roles", role.clone()), after.clone());
    becomes(Dialect::Entra, after.clone(), add("roles", role), after);
    let listed = json!([{"value": "User", "displayName": "User", "primary": "False"}]);
    let after = json!({"roles": [{"value": "User", "display": "User", "primary": false}]});
    becomes(
        Dialect::Entra,
        json!({"roles": [{"value": "Admin"}]}),
        replace("roles", listed),
        after,
    );
}

#[test]
fn q22_read_only_attributes_that_are_echoed() {
    let echo = json!({"op": "replace", "value": {"id": "1", "meta": {}, "title": "x"}});
    lenient(json!({}), echo, json!({"title": "x"}), Mutability);
    lenient(json!({}), replace("id", json!("2")), json!({}), Mutability);
}

#[test]
fn q28_empty_operations_in_entra_only() {
    assert_eq!(patched(&json!({}), &json!([]), Dialect::Entra), Ok(ada(&json!({}))));
    for dialect in [STRICT, STANDARD, Dialect::Okta] {
        let refused = patched(&json!({}), &json!([]), dialect).map_err(|e| e.scim_type);
        assert_eq!(refused, Err(InvalidSyntax), "{dialect}");
    }
}

#[test]
fn q37_all_elements_of_a_type_are_changed() {
    let before = json!({"emails": [{"value": "a", "display": "A", "type": "work"}, {"value": "b", "type": "work"}]});
    let after = json!({"emails": [{"value": "c", "display": "A", "type": "work"}, {"value": "c", "type": "work"}]});
    becomes_in_all(before, replace("emails[type eq \"work\"].value", json!("c")), after);
    let primary =
        json!({"emails": [{"value": "a", "primary": false}, {"value": "b", "primary": true}]});
    let before = json!({"emails": [{"value": "a"}, {"value": "b"}]});
    becomes_in_all(before, replace("emails.primary", json!(true)), primary);
}

#[test]
fn c2_what_no_schema_has_changes_nothing() {
    let before = json!({"name": {"givenName": "Ada"}, "emails": [{"value": "a", "type": "work"}]});
    for (operation, strictly) in [
        (add("shoeSize", json!(9)), InvalidPath),
        (replace("name.nickname", json!("x")), InvalidPath),
        (replace("name", json!({"nickname": "x"})), InvalidSyntax),
        (replace("emails", json!({"shoeSize": 9})), InvalidValue),
        (replace("emails", json!([{"shoeSize": 9}])), InvalidSyntax),
        (replace("emails[type eq \"work\"]", json!({"shoeSize": 9})), InvalidSyntax),
        (replace("emails[type eq \"work\"].shoeSize", json!(9)), InvalidPath),
        (remove("emails[type eq \"work\"].shoeSize"), InvalidPath),
        (json!({"op": "add", "value": {"shoeSize": 9}}), InvalidSyntax),
        (json!({"op": "add", "value": {"no name": 9}}), InvalidSyntax),
        (add("urn:example:2.0:User:shoeSize", json!(9)), InvalidPath),
    ] {
        lenient(before.clone(), operation, before.clone(), strictly);
    }
}

#[test]
fn q8_remove_with_a_value_removes_that_value_and_no_other() {
    let path = "emails[type eq \"work\"].value";
    let of = |value: &str| json!({"op": "Remove", "path": path, "value": value});
    let before = json!({"emails": [{"value": "new@x.example", "type": "work"}]});
    becomes(STANDARD, before.clone(), of("old@x.example"), before.clone());
    becomes(STANDARD, before, of("NEW@x.example"), json!({}));
}

#[test]
fn q35_a_number_is_kept_as_written_or_refused() {
    becomes(STANDARD, json!({}), add("title", json!(701_984)), json!({"title": "701984"}));
    refused(STANDARD, json!({}), add("title", json!(1.5)), InvalidValue);
    let digits = serde_json::from_str("107691503500061150733").unwrap_or_default();
    refused(STANDARD, json!({}), add("title", digits), InvalidValue);
}
