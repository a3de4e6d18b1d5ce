use super::*;

const ID: &str = "0190a000-0000-7000-8000-000000000001";

fn request() -> Request {
    let text = |text: &str| Some(text.to_owned());
    Request {
        id: Uuid::from_u128(1),
        at: Timestamp::UNIX_EPOCH,
        connection: Uuid::from_u128(2),
        method: "PATCH".to_owned(),
        path: format!("/scim/v2/Users/{ID}"),
        resource: None,
        filter: text("userName eq \"ada@x.org\""),
        found: Some(1),
        status: 404,
        problem: Some(Problem {
            scim_type: None,
            code: None,
            rule: None,
            detail: "User ada@x.org not found".to_owned(),
        }),
        operations: vec![Operation {
            method: text("POST"),
            path: text("/Users/ada@x.org"),
            bulk_id: text("ada@x.org"),
            status: 409,
            problem: Some(Problem {
                scim_type: text("uniqueness"),
                code: text("userNameTaken"),
                rule: text("R1"),
                detail: "ada@x.org is taken".to_owned(),
            }),
        }],
        leniencies: vec![(Leniency::OperationCase, 2)],
        micros: 1_500,
        request: Uuid::from_u128(3),
        omitted: 4,
    }
}

#[test]
fn an_entry_says_what_was_asked_and_answered_and_names_nobody() {
    let entry = request().entry(Some("Okta"), &LogPolicy::default());
    let expected = json!({
        "at": "1970-01-01T00:00:00Z",
        "connection": {"value": Uuid::from_u128(2), "display": "Okta"},
        "method": "PATCH",
        "path": format!("/scim/v2/Users/{ID}"),
        "resourceType": "User",
        "resourceId": ID,
        "filter": "userName eq \"a***@x.org\"",
        "found": 1,
        "status": 404,
        "detail": "User a***@x.org not found",
        "operations": [{"method": "POST", "path": "/Users/a***@x.org", "bulkId": "a***@x.org",
            "status": 409, "scimType": "uniqueness", "code": "userNameTaken",
            "detail": "a***@x.org is taken"}],
        "leniencies": [{"value": "operationCase", "count": 2}],
        "durationMs": 1.5,
        "requestId": Uuid::from_u128(3),
        "omitted": 4,
    });
    assert_eq!(json!(entry.resource.attributes), expected);
    assert_eq!((entry.about, entry.is_clear), (parse_id(ID), false));
}

#[test]
fn a_tenant_may_have_it_in_clear() {
    let policy = LogPolicy { personal_data: PersonalData::Clear, ..LogPolicy::default() };
    let entry = request().entry(None, &policy);
    assert!(entry.is_clear);
    assert_eq!(entry.resource.attributes["filter"], "userName eq \"ada@x.org\"");
    assert_eq!(entry.resource.attributes["operations"][0]["path"], "/Users/ada@x.org");
    assert_eq!(entry.resource.attributes["detail"], "User ada@x.org not found");
}

#[test]
fn r59_an_erasure_is_known_by_its_verb() {
    let erasure = Request { path: format!("/admin/v1/Users/{ID}/erase"), status: 204, ..request() };
    assert!(erasure.is_erasure());
    assert!(!Request { status: 403, ..erasure }.is_erasure());
    assert!(!Request { status: 200, ..request() }.is_erasure());
}

#[test]
fn what_was_made_or_found_counts_more_than_the_path() {
    let made = Uuid::from_u128(9);
    let request = Request { path: "/scim/v2/Users".into(), resource: Some(made), ..request() };
    let entry = request.entry(None, &LogPolicy::default());
    assert_eq!(entry.about, Some(made));
    assert_eq!(entry.resource.attributes["resourceType"], "User");
}
