//! The URNs of SCIM, and small bodies to send.

use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
#[allow(dead_code, reason = "the conformance tests know no such groups")]
pub(crate) const HEADCOUNT_GROUP: &str =
    "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";
pub(crate) const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub(crate) const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An id that no resource has.
pub(crate) const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// How many resources a new tenant has that every client may read.
pub(crate) const FURNITURE: usize = 14;

/// Their names, in the order in which a query over all types finds them: roles, a division, tiers.
pub(crate) const FURNITURE_NAMES: &str = "master-admin admin supervisor agent employee read-only \
    trusted-external-user Home CX1 CX2D CX2 CX3D CX3 CX4";

/// The smallest user.
pub(crate) fn user(user_name: &str) -> Value {
    json!({"schemas": [USER], "userName": user_name})
}

/// A user as most clients send one.
pub(crate) fn person(given: &str, family: &str, email: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": email,
        "name": {"givenName": given, "familyName": family},
        "displayName": format!("{given} {family}"),
        "title": "Agent",
        "emails": [{"value": email, "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "+1 555 0100", "type": "work"}],
        "active": true,
        ENTERPRISE: {"department": "Sales"},
    })
}

pub(crate) fn group(display_name: &str, members: &[&str]) -> Value {
    json!({"schemas": [GROUP], "displayName": display_name, "members": members_of(members)})
}

/// `[{"value": id}, ...]`
pub(crate) fn members_of(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

/// The strings that the elements of an array hold under one name.
pub(crate) fn strings<'a>(array: &'a Value, member: &str) -> Vec<&'a str> {
    let elements = array.as_array().map_or(&[][..], Vec::as_slice);
    elements.iter().filter_map(|element| element[member].as_str()).collect()
}

/// The member ids of a group, sorted.
pub(crate) fn member_ids(group: &Value) -> Vec<&str> {
    let mut ids = strings(&group["members"], "value");
    ids.sort_unstable();
    ids
}

/// The element of an array whose member is this string.
pub(crate) fn element<'a>(array: &'a Value, member: &str, value: &str) -> &'a Value {
    let found = array.as_array().and_then(|all| all.iter().find(|one| one[member] == value));
    found.unwrap_or(&Value::Null)
}

/// Where an error says which rule refuses.
pub(crate) const HEADCOUNT_ERROR: &str = "urn:ietf:params:scim:api:messages:headcount:2.0:Error";

/// The operations of a PATCH that sets one attribute.
pub(crate) fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!([{"op": "replace", "path": path, "value": value.into()}])
}

/// The id of the client's own tenant.
#[track_caller]
pub(crate) fn tenant_id(admin: &super::Client) -> String {
    let tenants = admin.get("/Tenants").expect(200);
    tenants["Resources"][0]["id"].as_str().expect("a tenant is one resource").to_owned()
}
