//! What an operation targets, for those who carry edits out themselves.

use super::super::{Edit, Op};
use super::*;
use crate::filter::evaluate_element;

fn edits(operation: Value, dialect: Dialect) -> Result<Vec<Edit>> {
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    parse(ResourceType::group(), &body, &mut Leniencies::new(dialect))
}

fn edit(operation: Value) -> Edit {
    edits(operation, STANDARD).unwrap().remove(0)
}

#[test]
fn rfc7644_3_5_2_members_as_a_whole() {
    let listed = json!([{"value": "a"}, {"value": "b"}]);
    for (operation, op, value) in [
        (add("members", listed.clone()), Op::Add, listed.clone()),
        (add("Members", json!("a")), Op::Add, json!("a")),
        (replace("members", json!([])), Op::Replace, json!([])),
        (remove("members"), Op::Remove, json!(null)),
        (json!({"op": "Remove", "path": "members", "value": listed}), Op::Remove, listed.clone()),
        (json!({"op": "add", "value": {"members": listed}}), Op::Add, listed),
    ] {
        let edit = edit(operation);
        assert_eq!((edit.op, &edit.value), (op, &value));
        let target = edit.targets("members").unwrap();
        assert_eq!((&target.filter, &target.template, target.sub), (&None, &None, None));
    }
}

#[test]
fn q7_members_by_filter() {
    let edit = edit(remove("members[value eq \"A1b\"]"));
    let target = edit.targets("members").unwrap();
    assert_eq!(target.template.clone().map(Value::Object), Some(json!({"value": "A1b"})));
    let selects =
        |id: &str| evaluate_element(target.filter.as_ref().unwrap(), &json!({"value": id}));
    assert!(selects("A1b"));
    assert!(!selects("a1b"));
    let edit = self::edit(remove("members[type eq \"Group\" or value eq \"a\"]"));
    let target = edit.targets("members").unwrap();
    assert!(target.filter.is_some() && target.template.is_none());
}

#[test]
fn rfc7643_7_parts_of_members() {
    let edit = edit(replace("members[value eq \"a\"].value", json!("b")));
    let target = edit.targets("members").unwrap();
    assert_eq!(target.sub.map(|sub| sub.name.as_str()), Some("value"));
    let display = replace("members[value eq \"a\"].display", json!("b"));
    assert_eq!(edits(display, STANDARD).unwrap_err().scim_type, ScimType::Mutability);
}

#[test]
fn rfc7644_3_5_2_figure_8_an_unknown_part_of_members() {
    let operation = replace("members[value eq \"a\"].displayName", json!("b"));
    assert_eq!(edits(operation.clone(), STANDARD), Ok(Vec::new()));
    assert_eq!(edits(operation, STRICT).unwrap_err().scim_type, ScimType::InvalidPath);
}

#[test]
fn q22_a_rename_that_echoes_the_id_targets_the_name_alone() {
    let echo = json!({"op": "replace", "value": {"id": "1", "displayName": "Team"}});
    let edits = edits(echo, Dialect::Okta).unwrap();
    assert_eq!(edits.len(), 1);
    assert!(edits[0].targets("displayName").is_some());
    assert!(edits[0].targets("members").is_none());
}
