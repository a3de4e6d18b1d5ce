#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

use super::*;
use crate::dialect::Dialect;
use crate::error::ScimType;
use serde_json::json;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user(body: Value, dialect: Dialect) -> Result<Value> {
    parse(ResourceType::user(), &body, &mut Leniencies::new(dialect)).map(Value::Object)
}

#[test]
fn rfc7643_2_5_absent_null_and_empty_are_one_state() {
    let body = json!({"schemas": [CORE], "userName": "a", "title": null, "emails": [],
                      "name": {"givenName": null}, "addresses": [{}]});
    assert_eq!(user(body, Dialect::Strict), Ok(json!({"userName": "a"})));
}

#[test]
fn rfc7644_3_3_read_only_attributes_are_ignored() {
    let body = json!({"schemas": [CORE], "userName": "a", "id": "1", "meta": {}, "groups": [{"value": "g"}]});
    assert_eq!(user(body, Dialect::Strict), Ok(json!({"userName": "a"})));
}

#[test]
fn rfc7643_4_1_1_user_name_is_required_and_not_empty() {
    for body in [
        json!({"schemas": [CORE]}),
        json!({"schemas": [CORE], "userName": " "}),
        json!({"schemas": [CORE], "userName": ""}),
        json!({"schemas": [CORE], "userName": null}),
    ] {
        let refused = user(body, Dialect::Standard).unwrap_err();
        assert_eq!(refused.scim_type, ScimType::InvalidValue);
        assert!(refused.detail.contains("userName"));
    }
}

#[test]
fn rfc7643_2_4_at_most_one_primary() {
    let body = json!({"schemas": [CORE], "userName": "a",
        "emails": [{"value": "x", "primary": true}, {"value": "y", "primary": true}]});
    assert_eq!(user(body, Dialect::Standard).unwrap_err().scim_type, ScimType::InvalidValue);
}

#[test]
fn what_strict_refuses_the_others_read() {
    for (extra, kept) in [
        (json!({"active": "False"}), json!({"active": false})),
        (json!({"externalId": 701_984}), json!({"externalId": "701984"})),
        (json!({"emails": {"value": "x"}}), json!({"emails": [{"value": "x"}]})),
        (json!({"emails": ["x"]}), json!({"emails": [{"value": "x"}]})),
        (json!({"title": ""}), json!({})),
        (json!({"name": ""}), json!({})),
        (json!({"title": ["Engineer"]}), json!({"title": "Engineer"})),
        (json!({"adreses": []}), json!({})),
        (
            json!({(ENTERPRISE): {"manager": "m"}}),
            json!({(ENTERPRISE): {"manager": {"value": "m"}}}),
        ),
        (
            json!({(ENTERPRISE): {"manager": [{"value": "m"}]}}),
            json!({(ENTERPRISE): {"manager": {"value": "m"}}}),
        ),
        (
            json!({"roles": [{"value": "{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Boss\"}"}]}),
            json!({"roles": [{"value": "Admin", "display": "Boss"}]}),
        ),
        (
            json!({"roles": [{"Value": ["{\"value\":\"Admin\"}"]}]}),
            json!({"roles": [{"value": "Admin"}]}),
        ),
        (
            json!({"roles": [{"value": "Admin", "displayName": "Boss"}]}),
            json!({"roles": [{"value": "Admin", "display": "Boss"}]}),
        ),
    ] {
        let mut body = json!({"schemas": [CORE, ENTERPRISE], "userName": "a"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mut expected = json!({"userName": "a"});
        expected.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
        assert_eq!(user(body.clone(), Dialect::Standard), Ok(expected), "{body}");
        let lossless = body.to_string().contains("{\\\"id") || body["title"] == "";
        assert!(lossless || user(body.clone(), Dialect::Strict).is_err(), "{body}");
    }
}

#[test]
fn values_that_fit_no_type_are_refused_in_every_dialect() {
    for extra in [
        json!({"active": "maybe"}),
        json!({"userName": true}),
        json!({"title": {}}),
        json!({"name": "Ada"}),
        json!({"emails": [[1, 2]]}),
        json!({"schemas": "x"}),
    ] {
        let mut body = json!({"schemas": [CORE], "userName": "a"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert!(user(body.clone(), Dialect::Standard).is_err(), "{body}");
    }
}

#[test]
fn names_given_twice_in_different_case_are_refused() {
    let body = json!({"schemas": [CORE], "userName": "a", "USERNAME": "b"});
    assert_eq!(user(body, Dialect::Standard).unwrap_err().scim_type, ScimType::InvalidSyntax);
}

#[test]
fn q15_a_schema_that_is_not_known_is_refused_in_strict_alone() {
    let unknown = "http://schemas.example.com/2006/11/ResourceManagement/ADSCIM/2.0/User";
    for urns in [[CORE, unknown], [unknown, CORE]] {
        let body = json!({"schemas": urns, "userName": "a"});
        assert_eq!(user(body.clone(), Dialect::Standard), Ok(json!({"userName": "a"})));
        let refused = user(body, Dialect::Strict).map_err(|error| error.scim_type);
        assert_eq!(refused, Err(ScimType::InvalidSyntax));
    }
}

#[test]
fn e17_display_name_stands_for_display_if_there_is_none() {
    let body = json!({"schemas": [CORE], "userName": "a", "roles": [
        {"value": "r", "Display": "kept", "displayName": "passed over"}]});
    let kept = json!({"userName": "a", "roles": [{"value": "r", "display": "kept"}]});
    assert_eq!(user(body, Dialect::Standard), Ok(kept));
}

#[test]
fn values_are_limited_but_those_of_members() {
    let list =
        |count: usize| (0..count).map(|n| json!({"value": n.to_string()})).collect::<Value>();
    let body = |count| json!({"schemas": [CORE], "userName": "a", "roles": list(count)});
    assert!(user(body(MAX_VALUES), Dialect::Strict).is_ok());
    assert!(user(body(MAX_VALUES + 1), Dialect::Strict).is_err());
    let group = ResourceType::group();
    let body =
        json!({"schemas": [group.schema.id], "displayName": "g", "members": list(MAX_VALUES + 1)});
    assert!(parse(group, &body, &mut Leniencies::new(Dialect::Strict)).is_ok());
}

#[test]
fn text_that_cannot_be_kept_is_refused() {
    for text in ["a\0b".to_owned(), "a".repeat(MAX_TEXT + 1)] {
        let body = json!({"schemas": [CORE], "userName": "a", "title": text});
        assert_eq!(user(body, Dialect::Standard).unwrap_err().scim_type, ScimType::InvalidValue);
    }
}

#[test]
fn a_list_is_no_element_of_a_list() {
    for emails in [json!([[]]), json!([["x"]]), json!([[{"value": "x"}]])] {
        let body = json!({"schemas": [CORE], "userName": "a", "emails": emails});
        assert_eq!(user(body, Dialect::Standard).unwrap_err().scim_type, ScimType::InvalidValue);
    }
}
