use super::*;

fn role(value: &Value) -> Object {
    let mut role = value.as_object().unwrap().clone();
    add_defaults(&mut role);
    role
}

fn default_role(id: &str) -> Object {
    let template = crate::authorization::templates::template(id).unwrap();
    let mut role = template.attributes();
    role.insert(DEFAULT_ROLE_ID.to_owned(), json!(id));
    role.insert(DEFAULT.to_owned(), json!(true));
    role.insert(BUILTIN_LOCK.to_owned(), json!(template.builtin_lock));
    role
}

fn with(role: &Object, attribute: &str, value: Value) -> Object {
    let mut role = role.clone();
    role.insert(attribute.to_owned(), value);
    role
}

fn code(result: Result<(), Refusal>) -> Option<Code> {
    match result {
        Ok(()) => None,
        Err(Refusal::Rule { code, .. }) => Some(code),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_nobody_says_is_said() {
    let expected = json!({
        "name": "Night shift", "privileged": false, "default": false, "builtinLock": "none",
    });
    assert_eq!(Value::Object(role(&json!({"name": "Night shift"}))), expected);
    let privileged = role(&json!({"name": "Owner", "privileged": true}));
    assert_eq!(privileged[PRIVILEGED], true);
}

#[test]
fn r25_a_default_role_keeps_its_name_and_nothing_else() {
    let agent = default_role("agent");
    for name in ["Agents", "Agent"] {
        let renamed = with(&agent, NAME, json!(name));
        assert_eq!(code(check_lock(&agent, &renamed)), Some(Code::DefaultRoleName));
    }
    let mut changed = with(&agent, STATE, json!("disabled"));
    changed.insert("policies".to_owned(), json!([]));
    changed.insert("description".to_owned(), json!("Serves nobody"));
    assert_eq!(code(check_lock(&agent, &changed)), None);
    let own = role(&json!({"name": "a"}));
    assert_eq!(code(check_lock(&own, &with(&own, NAME, json!("b")))), None);
}

#[test]
fn r41_the_master_admin_keeps_name_effect_and_permissions() {
    let master = default_role("master-admin");
    let all = |condition: Value| {
        json!([{"domain": "*", "entityName": "*", "actionSet": "*", "allowConditions": true,
                "resourceCondition": condition}])
    };
    for (attribute, value) in [
        (NAME, json!("Master Admin")),
        (STATE, json!("disabled")),
        (PRIVILEGED, json!(false)),
        ("policies", json!([])),
        ("policies", json!([{"domain": "directory", "entityName": "*", "actionSet": "*"}])),
        ("policies", all(json!("{\"conjunction\":\"OR\",\"terms\":[]}"))),
    ] {
        let changed = with(&master, attribute, value.clone());
        let refused = code(check_lock(&master, &changed));
        assert_eq!(refused, Some(Code::MasterAdminRole), "{attribute} {value}");
    }
    let mut described = with(&master, "description", json!("Ours"));
    described.insert("policies".to_owned(), all(Value::Null));
    assert_eq!(code(check_lock(&master, &described)), None);
}

#[test]
fn r35_what_is_given_under_a_condition_only_is_not_what_the_template_gives() {
    let mut employee = default_role("employee");
    assert!(!defaults::compared(&employee).unwrap().needs_update());
    let condition = "{}";
    employee.insert(
        "policies".to_owned(),
        json!([
            {"domain": "directory", "entityName": "group", "actionSet": "view"},
            {"domain": "directory", "entityName": "user", "actionSet": "view",
             "allowConditions": true, "resourceCondition": condition},
            {"domain": "routing", "entityName": "queue", "actionSet": "view",
             "allowConditions": true, "resourceCondition": condition},
        ]),
    );
    let compared = defaults::compared(&employee).unwrap();
    let names = |set: &PermissionSet| set.names().collect::<Vec<_>>();
    assert_eq!(names(&compared.added), ["routing:queue:view"]);
    assert_eq!(names(&compared.removed), ["directory:user:view"]);
    assert_eq!(names(&compared.same), ["directory:group:view"]);
    assert!(defaults::compared(&role(&json!({"name": "employee"}))).is_none());
}

#[test]
fn r14_what_a_role_needs_of_a_tier_is_told_if_it_is_wanted() {
    let mut agent = default_role("agent");
    derive(&mut agent, &|attribute| attribute == "requiredCapabilities");
    let needed = agent["requiredCapabilities"].as_array().unwrap();
    assert!(needed.contains(&json!("voice")) && needed.contains(&json!("digital.email")));
    assert!(!agent.contains_key("permissions") && !agent.contains_key("needsUpdate"));
    let mut nothing = role(&json!({"name": "nothing"}));
    derive(&mut nothing, &|_| true);
    assert_eq!(nothing["needsUpdate"], false);
    assert!(!nothing.contains_key("requiredCapabilities") && !nothing.contains_key("permissions"));
}
