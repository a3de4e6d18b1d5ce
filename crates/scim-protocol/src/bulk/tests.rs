use serde_json::{Value, json};

use super::*;
use crate::dialect::Dialect;

fn parsed(operations: &Value, dialect: Dialect) -> Vec<Operation> {
    let body = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    parse(body, &mut Leniencies::new(dialect)).unwrap().operations
}

fn refusal(operation: &Value) -> &'static str {
    let operation = parsed(&json!([operation]), Dialect::Strict).remove(0);
    operation.call.unwrap_err().scim_type.as_str()
}

#[test]
fn rfc7644_3_7_operations_are_read() {
    let operations = parsed(
        &json!([
            {"method": "post", "path": "/Users", "bulkId": "a", "data": {"userName": "ada"}},
            {"Method": "DELETE", "Path": "/Groups/1", "version": "W/\"3\""},
        ]),
        Dialect::Strict,
    );
    let post = operations[0].call.as_ref().unwrap();
    assert_eq!((post.method, post.kind.name, post.id.as_str()), (Method::Post, "User", ""));
    assert_eq!(post.data, json!({"userName": "ada"}));
    let delete = operations[1].call.as_ref().unwrap();
    assert_eq!((delete.method, delete.kind.name), (Method::Delete, "Group"));
    assert_eq!((delete.id.as_str(), delete.version.as_deref()), ("1", Some("W/\"3\"")));
}

#[test]
fn rfc7644_3_7_what_is_no_bulk_request_is_refused() {
    let parse = |body: &Value| parse(body.clone(), &mut Leniencies::new(Dialect::Strict));
    for body in [
        json!([]),
        json!({"Operations": []}),
        json!({"schemas": [BULK_RESPONSE], "Operations": []}),
        json!({"schemas": [BULK_REQUEST]}),
        json!({"schemas": [BULK_REQUEST], "Operations": {}}),
        json!({"schemas": [BULK_REQUEST], "Operations": [], "failOnErrors": 0}),
        json!({"schemas": [BULK_REQUEST], "Operations": [], "failOnErrors": "1"}),
    ] {
        assert!(parse(&body).is_err(), "{body}");
    }
    let body = json!({"schemas": [BULK_REQUEST], "Operations": [], "FAILONERRORS": 2});
    assert_eq!(parse(&body).unwrap().fail_on_errors, Some(2));
}

#[test]
fn rfc7644_3_7_what_is_wrong_with_one_operation_is_its_own() {
    assert_eq!(refusal(&json!("POST")), "invalidSyntax");
    assert_eq!(refusal(&json!({"method": "GET", "path": "/Users/1"})), "invalidSyntax");
    assert_eq!(refusal(&json!({"method": "PUT", "path": "/Users/1"})), "invalidSyntax");
    assert_eq!(refusal(&json!({"method": "DELETE"})), "invalidSyntax");
    for path in ["/Users", "/Users/", "/Usersx/1", "Users/1", "/Me", "/Users/1/2", "/Users/1?x=y"] {
        assert_eq!(refusal(&json!({"method": "DELETE", "path": path})), "invalidPath", "{path}");
    }
    let post =
        |path, bulk_id| json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": {}});
    assert_eq!(refusal(&post("/Users/1", json!("a"))), "invalidPath");
    assert_eq!(refusal(&post("/Users", json!(""))), "invalidValue");
    assert_eq!(refusal(&post("/Users", Value::Null)), "invalidValue");
    assert_eq!(refusal(&post("/Users", json!(7))), "invalidSyntax");
}

#[test]
fn rfc7644_3_7_a_bulk_id_is_unique_and_of_a_post_required() {
    let post = |bulk_id: Option<&str>| json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {}});
    let operations =
        parsed(&json!([post(Some("a")), post(Some("a")), post(None)]), Dialect::Strict);
    let is_ok: Vec<bool> = operations.iter().map(|operation| operation.call.is_ok()).collect();
    assert_eq!(is_ok, [true, false, false]);
    assert!(parsed(&json!([post(None)]), Dialect::Standard)[0].call.is_ok());
}

#[test]
fn rfc7644_3_7_2_references_are_found_anywhere_in_paths_and_data() {
    let mut operations = parsed(
        &json!([{"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": [
            {"op": "add", "path": "members", "value": [
                {"value": "bulkId:a", "$ref": "https://example.com/v2/Users/bulkId:a"},
                {"value": "not bulkId:x"}]},
            {"op": "remove", "path": "members[value eq \"bulkId:b\" or value eq \"bulkId:c d\"]"},
            {"op": "add", "path": "displayName", "value": "\"bulkId:y\""},
        ]}}]),
        Dialect::Strict,
    );
    assert_eq!(operations[0].references(), ["g", "a", "b", "c d"]);
    operations[0].resolve(&|bulk_id| (bulk_id != "b").then(|| format!("id-of-{bulk_id}")));
    let call = operations[0].call.as_ref().unwrap();
    assert_eq!(call.id, "id-of-g");
    let operations = call.data["Operations"].as_array().unwrap();
    assert_eq!(
        operations[0]["value"][0],
        json!({"value": "id-of-a", "$ref": "https://example.com/v2/Users/id-of-a"})
    );
    assert_eq!(operations[0]["value"][1], json!({"value": "not bulkId:x"}));
    assert_eq!(operations[1]["path"], "members[value eq \"bulkId:b\" or value eq \"id-of-c d\"]");
    assert_eq!(operations[2]["value"], "\"bulkId:y\"");
}

#[test]
fn rfc7644_3_7_2_literals_in_paths_are_strings_of_json() {
    let path =
        r#"members[value eq "bulkId:a\"b\\c" or value eq "say \"bulkId:d\"" or display eq "é\n"]"#;
    let mut operations = parsed(
        &json!([{"method": "PATCH", "path": "/Groups/1", "data": {"Operations": [
            {"op": "remove", "path": path}, {"op": "remove", "path": "members[value eq \"bulkId:e"},
        ]}}]),
        Dialect::Strict,
    );
    assert_eq!(operations[0].references(), [r#"a"b\c"#]);
    operations[0].resolve(&|_| Some("id".to_owned()));
    let operations = &operations[0].call.as_ref().unwrap().data["Operations"];
    let resolved = r#"members[value eq "id" or value eq "say \"bulkId:d\"" or display eq "é\n"]"#;
    assert_eq!(operations[0]["path"], resolved);
    assert_eq!(operations[1]["path"], "members[value eq \"bulkId:e");
}

#[test]
fn rfc7644_3_7_1_what_is_not_there_yet_can_be_left_out() {
    let operations = parsed(
        &json!([{"method": "POST", "path": "/Users", "bulkId": "a", "data": {
            "userName": "ada", "nickName": "bulkId:b",
            "urn:x": {"department": "d", "manager": {"value": "bulkId:b", "$ref": "../Users/1"}},
            "roles": [{"value": "bulkId:c"}, {"value": "bulkId:b"}, {"display": "bulkId:b"}],
        }}]),
        Dialect::Strict,
    );
    let data = operations[0].call.as_ref().unwrap().data_without(&|bulk_id| bulk_id == "b");
    assert_eq!(
        data,
        json!({"userName": "ada", "urn:x": {"department": "d"},
               "roles": [{"value": "bulkId:c"}, {}]})
    );
}

#[test]
fn rfc7644_3_7_1_operations_come_after_what_they_refer_to() {
    assert_eq!(order(&[vec![], vec![], vec![]]), [[0], [1], [2]]);
    assert_eq!(order(&[vec![2], vec![], vec![1]]), [[1], [2], [0]]);
    assert_eq!(order(&[vec![], vec![0], vec![0, 1]]), [[0], [1], [2]]);
}

#[test]
fn rfc7644_3_7_1_a_circle_is_one_group() {
    assert_eq!(order(&[vec![1], vec![0]]), [vec![0, 1]]);
    // 0 -> 1 <-> 2, 2 -> 3, 4 alone.
    let groups = order(&[vec![1], vec![2], vec![1, 3], vec![], vec![]]);
    assert_eq!(groups, [vec![3], vec![1, 2], vec![0], vec![4]]);
    assert_eq!(order(&[vec![0]]), [[0]]);
    // Two circles that share an operation are one.
    assert_eq!(order(&[vec![1, 2], vec![0], vec![0]]), [vec![0, 1, 2]]);
}

#[test]
fn long_chains_are_ordered_without_recursion() {
    let length = 100_000;
    let chain: Vec<Vec<usize>> =
        (0..length).map(|at| if at + 1 < length { vec![at + 1] } else { vec![] }).collect();
    let groups = order(&chain);
    assert_eq!(groups.len(), length);
    assert_eq!(
        (groups[0].as_slice(), groups[length - 1].as_slice()),
        (&[length - 1][..], &[0][..])
    );
}
