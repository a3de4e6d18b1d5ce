//! Each leniency by itself: what a client sends, that it is taken and counted where the dialect allows
//! it and the connection does not do without, and what becomes of it otherwise.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

use scim_protocol::dialect::{Dialect, Leniencies, Leniency, LeniencySet};
use scim_protocol::error::Error;
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, bulk, filter, message, patch, resource};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

/// What comes of a request that is not allowed its leniency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictly {
    /// It is refused.
    Refused,
    /// It means what the RFC says that it means.
    AsWritten,
}
use Strictly::{AsWritten, Refused};

type Result = std::result::Result<Value, Error>;

/// Reads a request that needs this one leniency.
type Read = fn(&mut Leniencies) -> Result;

#[track_caller]
fn check(leniency: Leniency, strictly: Strictly, read: Read) {
    let name = leniency.as_str();
    for (_, dialect) in Dialect::ALL {
        let mut leniencies = Leniencies::new(dialect);
        let allowed = read(&mut leniencies);
        let fired: Vec<Leniency> = leniencies.fired().map(|(fired, _)| fired).collect();
        let mut without = Leniencies::without(LeniencySet::named([name]), dialect);
        let refused = read(&mut without);
        let used_all_the_same = without.fired().any(|(fired, _)| fired == leniency);
        assert!(!used_all_the_same, "{name}: {dialect} does without");
        if dialect.permits(leniency) {
            assert_eq!(fired, [leniency], "{name}: {dialect}");
            assert!(allowed.is_ok(), "{name}: {dialect}: {allowed:?}");
            assert_ne!(allowed, refused, "{name}: it makes a difference in {dialect}");
        } else {
            assert!(fired.is_empty(), "{name}: {dialect}: {fired:?}");
            assert_eq!(allowed, refused, "{name}: {dialect}");
        }
        // In other dialects another leniency may take it then.
        if dialect == Dialect::Strict {
            assert_eq!(refused.is_err(), strictly == Refused, "{name}: {refused:?}");
        }
    }
}

macro_rules! each_has_its_own_test {
    ($($test:ident: $leniency:ident, $strictly:ident, $read:expr;)*) => {
        $(#[test] fn $test() { check(Leniency::$leniency, $strictly, $read); })*

        #[test]
        fn none_is_left_out() {
            let tested = [$(Leniency::$leniency,)*];
            let elsewhere = [Leniency::UnknownMember];
            for leniency in Leniency::ALL {
                assert!(tested.contains(leniency) ^ elsewhere.contains(leniency), "{leniency:?}");
            }
        }
    };
}

/// A body of a user, as it is kept.
fn body(leniencies: &mut Leniencies, body: &Value) -> Result {
    resource::parse(ResourceType::user(), body, leniencies).map(Value::Object)
}

fn user(leniencies: &mut Leniencies, more: &Value) -> Result {
    let mut whole = json!({"schemas": [USER, ENTERPRISE, HEADCOUNT], "userName": "ada"});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body(leniencies, &whole)
}

/// A user after a PATCH with these operations.
fn patched(leniencies: &mut Leniencies, before: &Value, operations: &Value) -> Result {
    let body = json!({"schemas": [message::PATCH_OP], "Operations": operations});
    let kind = ResourceType::user();
    let edits = patch::parse(kind, &body, leniencies)?;
    let mut user = Object::from_iter([("userName".to_owned(), "ada".into())]);
    user.extend(before.as_object().unwrap().clone());
    patch::apply(kind, &mut user, &edits, leniencies)?;
    Ok(Value::Object(user))
}

fn found(leniencies: &mut Leniencies, text: &str) -> Result {
    let predicate = filter::parse(ResourceType::user(), text, leniencies)?;
    let ada = json!({"userName": "ada", "title": "Lead"});
    Ok(filter::evaluate(&predicate, ada.as_object().unwrap()).into())
}

/// How many operations a bulk request has.
fn bulk_of(leniencies: &mut Leniencies, body: &Value) -> Result {
    let request = bulk::parse(body.clone(), leniencies)?;
    request
        .operations
        .into_iter()
        .map(|one| one.call)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(true.into())
}

each_has_its_own_test! {
    operation_case: OperationCase, Refused, |l| {
        patched(l, &json!({}), &json!([{"op": "Add", "path": "title", "value": "x"}]))
    };
    string_boolean: StringBoolean, Refused, |l| user(l, &json!({"active": "False"}));
    number_as_string: NumberAsString, Refused, |l| {
        user(l, &json!({ENTERPRISE: {"employeeNumber": 701_984}}))
    };
    empty_string_clears: EmptyStringClears, AsWritten, |l| user(l, &json!({"title": ""}));
    bare_value: BareValue, Refused, |l| user(l, &json!({ENTERPRISE: {"manager": "m"}}));
    object_for_list: ObjectForList, Refused, |l| user(l, &json!({"emails": {"value": "a@x.org"}}));
    joined_list: JoinedList, Refused, |l| {
        user(l, &json!({HEADCOUNT: {"businessUnits": "Sales;Support"}}))
    };
    list_for_object: ListForObject, Refused, |l| {
        user(l, &json!({ENTERPRISE: {"manager": [{"value": "m"}]}}))
    };
    json_in_string: JsonInString, AsWritten, |l| {
        user(l, &json!({"roles": [{"value": "{\"id\": \"1\", \"value\": \"Admin\"}"}]}))
    };
    display_name_for_display: DisplayNameForDisplay, Refused, |l| {
        user(l, &json!({"roles": [{"value": "Admin", "displayName": "A"}]}))
    };
    unknown_attribute: UnknownAttribute, Refused, |l| user(l, &json!({"adreses": []}));
    unknown_schema: UnknownSchema, Refused, |l| {
        body(l, &json!({"schemas": [USER, "urn:x:User"], "userName": "ada"}))
    };
    missing_schemas: MissingSchemas, Refused, |l| body(l, &json!({"userName": "ada"}));
    unlisted_extension: UnlistedExtension, Refused, |l| {
        let extension = json!({"department": "Sales"});
        body(l, &json!({"schemas": [USER], "userName": "ada", ENTERPRISE: extension}))
    };
    repeated_schema: RepeatedSchema, Refused, |l| {
        body(l, &json!({"schemas": [USER, USER], "userName": "ada"}))
    };
    not_base64: NotBase64, Refused, |l| {
        user(l, &json!({"x509Certificates": [{"value": "no base64!"}]}))
    };
    path_as_key: PathAsKey, Refused, |l| {
        patched(l, &json!({}), &json!([{"op": "add", "value": {"name.givenName": "Ada"}}]))
    };
    unprefixed_extension: UnprefixedExtension, Refused, |l| {
        patched(l, &json!({}), &json!([{"op": "add", "path": "department", "value": "Sales"}]))
    };
    dot_after_urn: DotAfterUrn, Refused, |l| {
        let path = format!("{ENTERPRISE}.department");
        patched(l, &json!({}), &json!([{"op": "add", "path": path, "value": "Sales"}]))
    };
    create_on_no_match: CreateOnNoMatch, Refused, |l| {
        let path = "emails[type eq \"work\"].value";
        patched(l, &json!({}), &json!([{"op": "replace", "path": path, "value": "a@x.org"}]))
    };
    remove_by_value: RemoveByValue, Refused, |l| {
        let emails = json!([{"value": "a@x.org"}, {"value": "b@x.org"}]);
        let value = json!([{"value": "a@x.org"}]);
        let operation = json!([{"op": "remove", "path": "emails", "value": value}]);
        patched(l, &json!({"emails": emails}), &operation)
    };
    read_only_in_patch: ReadOnlyInPatch, Refused, |l| {
        patched(l, &json!({}), &json!([{"op": "replace", "value": {"id": "1", "title": "x"}}]))
    };
    null_value: NullValue, Refused, |l| {
        let path = "emails[type ne \"work\"].value";
        patched(l, &json!({}), &json!([{"op": "replace", "path": path, "value": null}]))
    };
    unquoted_literal: UnquotedLiteral, Refused, |l| found(l, "userName eq ada");
    missing_bulk_id: MissingBulkId, Refused, |l| {
        let data = json!({"schemas": [USER], "userName": "ada"});
        let operation = json!({"method": "POST", "path": "/Users", "data": data});
        bulk_of(l, &json!({"schemas": [bulk::BULK_REQUEST], "Operations": [operation]}))
    };
    empty_operations: EmptyOperations, Refused, |l| patched(l, &json!({}), &json!([]));
}
