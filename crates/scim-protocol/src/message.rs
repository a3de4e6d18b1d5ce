//! The messages of the protocol (RFC 7644 section 3).

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result, ScimType};
use crate::{Object, query};

/// The URN of a PATCH request.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The URN of the answer to a query.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URN of a query that is sent by POST.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The URN of an error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An error's body (section 3.12). `status` is a string, as the RFC has it.
///
/// ```
/// use scim_protocol::{error::ScimType, message};
///
/// let body = message::error(400, Some(ScimType::NoTarget), "remove needs a path");
/// assert_eq!(body["status"], "400");
/// assert_eq!(body["scimType"], "noTarget");
/// ```
pub fn error(status: u16, scim_type: Option<ScimType>, detail: &str) -> Value {
    let mut body = json!({ "schemas": [ERROR], "status": status.to_string() });
    if let Some(scim_type) = scim_type {
        body["scimType"] = scim_type.as_str().into();
    }
    body["detail"] = detail.into();
    body
}

/// The answer to a query (section 3.4.2), of resources as they are sent: trees of values, or text.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse<R> {
    schemas: [&'static str; 1],
    total_results: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<u64>,
    items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(rename = "Resources")]
    resources: Vec<R>,
}

/// The answer to a query (section 3.4.2).
pub fn list_response<R>(total: u64, start_index: u64, resources: Vec<R>) -> ListResponse<R> {
    ListResponse { start_index: Some(start_index), ..cursor_response(total, None, resources) }
}

/// The answer to a query that is paged by cursor (RFC 9865 section 2): without a `startIndex`, and
/// with a `nextCursor` unless it is the last page.
pub fn cursor_response<R>(
    total: u64,
    next_cursor: Option<String>,
    resources: Vec<R>,
) -> ListResponse<R> {
    ListResponse {
        schemas: [LIST_RESPONSE],
        total_results: total,
        start_index: None,
        items_per_page: resources.len(),
        next_cursor,
        resources,
    }
}

/// Reads the body of `POST …/.search` (section 3.4.3).
///
/// # Errors
/// `invalidSyntax` if it is no `SearchRequest`, `invalidValue` if a member has the wrong type.
pub fn search_request(body: &Value) -> Result<query::Parameters> {
    let Value::Object(body) = body else {
        return Err(Error::invalid_syntax("the body must be a JSON object"));
    };
    if !lists_schema(body, SEARCH_REQUEST) {
        return Err(Error::invalid_syntax(format!("schemas must list {SEARCH_REQUEST}")));
    }
    let mut parameters = query::Parameters::default();
    for (name, value) in body.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("schemas")) {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(names) => names_in(name, names)?,
            // To pass over a filter of the wrong type would be to answer with everybody.
            Value::Bool(_) | Value::Object(_) => {
                return Err(Error::invalid_value(format!(
                    "{name} must be text, a number or a list"
                )));
            }
        };
        parameters.set(name, value);
    }
    Ok(parameters)
}

fn names_in(member: &str, names: &[Value]) -> Result<String> {
    let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
    names
        .map(|names| names.join(","))
        .ok_or_else(|| Error::invalid_value(format!("{member} must be a list of strings")))
}

/// The member of this name, in any case (RFC 7643 section 2.1).
pub(crate) fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// As [`member`], taken out of the message, which has null there afterwards.
pub(crate) fn take_member(object: &mut Object, name: &str) -> Option<Value> {
    let mut members = object.iter_mut();
    members.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.take())
}

/// Whether a message says that it is of this schema.
pub(crate) fn lists_schema(message: &Object, urn: &str) -> bool {
    let urns = member(message, "schemas").and_then(Value::as_array).into_iter().flatten();
    urns.filter_map(Value::as_str).any(|listed| listed.eq_ignore_ascii_case(urn))
}

/// The schemas, then the members of a resource.
pub fn with_schemas(schemas: Vec<Value>, members: Object) -> Object {
    std::iter::once(("schemas".to_owned(), Value::Array(schemas))).chain(members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7644_3_4_3_parameters_of_a_search_request() {
        let body = json!({"Schemas": [SEARCH_REQUEST], "filter": "title pr", "startIndex": 2,
                          "count": null, "attributes": ["userName", "emails.value"]});
        let parameters = search_request(&body).unwrap();
        assert_eq!(parameters.filter.as_deref(), Some("title pr"));
        assert_eq!(parameters.start_index.as_deref(), Some("2"));
        assert_eq!(parameters.count, None);
        assert_eq!(parameters.attributes.as_deref(), Some("userName,emails.value"));
    }

    #[test]
    fn rfc9865_3_a_search_request_may_bring_a_cursor() {
        let cursor = |cursor: Value| {
            let body = json!({"schemas": [SEARCH_REQUEST], "cursor": cursor});
            search_request(&body).map(|parameters| parameters.cursor)
        };
        assert_eq!(cursor(json!("")), Ok(Some(String::new())));
        assert_eq!(cursor(json!("VZUTiyhEQJ94IR")), Ok(Some("VZUTiyhEQJ94IR".to_owned())));
        assert_eq!(cursor(Value::Null), Ok(None), "null is not given");
        assert!(cursor(json!(true)).is_err());
    }

    #[test]
    fn rfc7644_3_4_3_what_is_no_search_request_is_refused() {
        for body in [
            json!([]),
            json!({"filter": "title pr"}),
            json!({"schemas": [PATCH_OP], "filter": "title pr"}),
            json!({"schemas": [SEARCH_REQUEST], "filter": {"title": "x"}}),
            json!({"schemas": [SEARCH_REQUEST], "filter": true}),
            json!({"schemas": [SEARCH_REQUEST], "attributes": [1]}),
        ] {
            assert!(search_request(&body).is_err(), "{body}");
        }
    }
}
