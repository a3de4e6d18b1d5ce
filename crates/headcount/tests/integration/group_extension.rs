//! What a contact centre knows of a group: the extension of the resource type.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7643_7_the_kind_of_a_group_never_changes,
    rfc7644_3_5_1_put_keeps_what_a_client_does_not_know,
    rfc7644_3_5_2_the_extension_is_patched,
    rfc7644_3_4_2_2_groups_are_filtered_by_the_extension,
    rfc7644_3_4_2_3_groups_are_sorted_by_priority,
    rfc7643_2_2_the_number_of_members_is_told_to_who_asks,
    r22_managers_are_users_that_exist,
    domain_2_16_what_a_connection_may_do_with_groups,
    r74_a_group_is_copied_without_its_members_unless_asked,
    r75_a_group_with_members_is_renamed,
    q43_what_okta_sends_with_each_change_leaves_the_extension,
);

pub(crate) const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";

/// A group's body with this extension.
pub(crate) fn group_with(name: &str, members: &[&str], extension: Value) -> Value {
    let mut body = group(name, members);
    body["schemas"] = json!([GROUP, EXTENSION]);
    body[EXTENSION] = extension;
    body
}

/// Creates a group: its path.
#[track_caller]
pub(crate) fn create(client: &Client, body: &Value) -> String {
    format!("/Groups/{}", client.post("/Groups", body).expect(201).id())
}

/// The operations of a PATCH that sets one attribute of the extension.
pub(crate) fn set(name: &str, value: impl Into<Value>) -> Value {
    replace(&format!("{EXTENSION}:{name}"), value)
}

#[track_caller]
pub(crate) fn expect_code(answer: Answer, status: u16, code: &str) {
    let answer = answer.expect(status);
    assert_eq!(answer[HEADCOUNT_ERROR]["code"], code, "{}", answer.story());
}

fn rfc7643_7_the_kind_of_a_group_never_changes(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let plain = scim.post("/Groups", &group("Plain", &[])).expect(201);
    assert_eq!(plain[EXTENSION], json!({"kind": "access", "enabled": true, "priority": 100}));
    assert_eq!(plain["schemas"], json!([GROUP, EXTENSION]));
    let crew = scim.post("/Groups", &group_with("Crew", &[], json!({"kind": "Agent"}))).expect(201);
    assert_eq!(crew[EXTENSION]["kind"], "agent");
    let path = format!("/Groups/{}", crew.id());
    scim.patch(&path, &set("kind", "access")).expect_error(400, Some("mutability"));
    let other = group_with("Crew", &[], json!({"kind": "directory"}));
    scim.put(&path, &other).expect_error(400, Some("mutability"));
    for same in ["agent", "AGENT"] {
        let put = scim.put(&path, &group_with("Crew", &[], json!({"kind": same}))).expect(200);
        assert_eq!(put["meta"], crew["meta"], "nothing changed: {}", put.story());
    }
    let wrong = group_with("Wrong", &[], json!({"kind": "choir"}));
    scim.post("/Groups", &wrong).expect_error(400, Some("invalidValue"));
    let wrong = group_with("Wrong", &[], json!({"priority": 3_000_000_000_i64}));
    scim.post("/Groups", &wrong).expect_error(400, Some("invalidValue"));
}

fn rfc7644_3_5_1_put_keeps_what_a_client_does_not_know(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let extension = json!({
        "enabled": false, "description": "By night", "site": "Berlin", "priority": 7,
        "roleGrants": [{"role": "agent", "division": "*"}],
    });
    let created = admin.scim.post("/Groups", &group_with("Night", &[], extension)).expect(201);
    let path = format!("/Groups/{}", created.id());
    // Neither the extension nor anything of it is named.
    let put = admin.scim.put(&path, &group("Night", &[])).expect(200);
    assert_eq!(put.body, created.body);
    // What says who gets what stays unless it is named, the rest is replaced.
    let put = admin.scim.put(&path, &group_with("Night", &[], json!({"site": "Bonn"}))).expect(200);
    let ours = &put[EXTENSION];
    assert_eq!((&ours["site"], &ours["description"]), (&json!("Bonn"), &Value::Null));
    assert_eq!((&ours["enabled"], &ours["priority"]), (&json!(false), &json!(100)));
    assert_eq!(ours["roleGrants"], created[EXTENSION]["roleGrants"]);
    let none = group_with("Night", &[], json!({"roleGrants": [], "enabled": null}));
    let put = admin.scim.put(&path, &none).expect(200);
    let expected = json!({"kind": "access", "enabled": true, "priority": 100});
    assert_eq!(put[EXTENSION], expected);
    assert_eq!(admin.scim.get(&path).expect(200).body, put.body);
}

fn rfc7644_3_5_2_the_extension_is_patched(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let path = create(&scim, &group("Night", &[]));
    let all = json!([{"op": "add", "value": {EXTENSION: {
        "description": "By night", "businessUnit": "Support", "priority": 3,
    }}}]);
    let patched = scim.patch(&path, &all).expect(200);
    let expected = json!({
        "kind": "access", "enabled": true, "description": "By night",
        "businessUnit": "Support", "priority": 3,
    });
    assert_eq!(patched[EXTENSION], expected);
    let again = scim.patch(&path, &all).expect(200);
    assert_eq!(again.body, patched.body, "nothing changed");
    let without = ["priority", "description", "enabled"]
        .map(|name| json!({"op": "remove", "path": format!("{EXTENSION}:{name}")}));
    let patched = scim.patch(&path, &json!(without)).expect(200);
    let expected = json!({
        "kind": "access", "enabled": true, "businessUnit": "Support", "priority": 100,
    });
    assert_eq!(patched[EXTENSION], expected);
    scim.patch(&path, &set("memberCount", 3)).expect_error(400, Some("mutability"));
}

fn rfc7644_3_4_2_2_groups_are_filtered_by_the_extension(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let scim = &admin.scim;
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    scim.post(
        "/CapacityRules",
        &json!({"name": "Calls",
        "mediaRules": [{"media": "voice", "maxCapacity": 1}]}),
    )
    .expect(201);
    scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201);
    for (name, extension) in [
        ("Crew", json!({"kind": "agent", "capacityRule": "calls", "priority": 5})),
        ("Staff", json!({"description": "All of US", "managers": [{"value": ada}]})),
        (
            "Bosses",
            json!({"enabled": false, "roleGrants": [
            {"role": "supervisor", "division": "Berlin"}, {"role": "agent", "division": "*"}]}),
        ),
    ] {
        create(scim, &group_with(name, &[], extension));
    }
    let at = |rest: &str| format!("{EXTENSION}:{rest}");
    for (filter, expected) in [
        (at("kind eq \"AGENT\""), &["Crew"][..]),
        (at("kind ne \"agent\""), &["Bosses", "Staff"]),
        (at("enabled eq false"), &["Bosses"]),
        (at("description co \"of us\""), &["Staff"]),
        (at("description pr"), &["Staff"]),
        (at("capacityRule eq \"CALLS\""), &["Crew"]),
        (at("capacityRule pr"), &["Crew"]),
        (at("capacityRule ne \"calls\""), &["Bosses", "Staff"]),
        (at("priority lt 100"), &["Crew"]),
        (at("roleGrants.role eq \"Supervisor\""), &["Bosses"]),
        (at("roleGrants.division eq \"berlin\""), &["Bosses"]),
        (at("roleGrants[role eq \"agent\" and division eq \"*\"]"), &["Bosses"]),
        (at("roleGrants[role eq \"agent\" and division eq \"berlin\"]"), &[]),
        (at("roleGrants pr"), &["Bosses"]),
        (at(&format!("managers.value eq \"{ada}\"")), &["Staff"]),
        (at(&format!("managers[value eq \"{ada}\"]")), &["Staff"]),
        (format!("schemas eq \"{EXTENSION}\""), &["Bosses", "Crew", "Staff"]),
    ] {
        let found = scim.filter("/Groups", &filter).expect(200);
        let mut names = strings(&found["Resources"], "displayName");
        names.sort_unstable();
        assert_eq!(names, expected, "{filter}: {}", found.story());
    }
    for computed in ["memberCount gt 0", "managers.display eq \"ada\""] {
        scim.filter("/Groups", &at(computed)).expect_error(400, Some("invalidFilter"));
    }
}

fn rfc7644_3_4_2_3_groups_are_sorted_by_priority(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    for (name, priority) in [("B", 200), ("A", -1), ("C", 7)] {
        create(&scim, &group_with(name, &[], json!({"priority": priority})));
    }
    let by = format!("{EXTENSION}:priority");
    let sorted = [("sortBy", by.as_str()), ("sortOrder", "descending")];
    let found = scim.query("/Groups", &sorted).expect(200);
    assert_eq!(strings(&found["Resources"], "displayName"), ["B", "C", "A"]);
    // Page by page, each found by where the one before ended.
    let mut names: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = [("sortBy", by.as_str()), ("count", "1"), ("cursor", cursor.as_str())];
        let page = scim.query("/Groups", &page).expect(200);
        names.extend(strings(&page["Resources"], "displayName").into_iter().map(str::to_owned));
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(names, ["A", "C", "B"]);
}

fn rfc7643_2_2_the_number_of_members_is_told_to_who_asks(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ids = ["ada", "bob"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let path = create(&scim, &group("Team", &[&ids[0], &ids[1]]));
    let empty = create(&scim, &group("Nobody", &[]));
    assert_eq!(scim.get(&path).expect(200)[EXTENSION]["memberCount"], Value::Null);
    let asked = format!("{EXTENSION}:memberCount");
    for (path, expected) in [(&path, 2), (&empty, 0)] {
        let read = scim.query(path, &[("attributes", &asked)]).expect(200);
        assert_eq!(read[EXTENSION], json!({"memberCount": expected}), "{}", read.story());
        assert_eq!(read["members"], Value::Null);
    }
}

fn r22_managers_are_users_that_exist(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let (strict, scim) = (tenant.client(Dialect::Strict), tenant.client(Dialect::Standard));
    let [ada, bob] = ["ada", "bob"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let other = scim.post("/Groups", &group("Other", &[])).expect(201).id();
    let managed = |id: &str| group_with("Team", &[], json!({"managers": [{"value": id}]}));
    for nobody in [NOBODY, other.as_str(), "ada"] {
        expect_code(strict.post("/Groups", &managed(nobody)), 400, "unknownMember");
    }
    let path = create(&strict, &managed(&ada));
    let read = scim.get(&path).expect(200);
    let location = format!("{}/Users/{ada}", scim.base_url());
    let expected = json!([{"value": ada, "$ref": location, "display": "ada"}]);
    assert_eq!(read[EXTENSION]["managers"], expected, "{}", read.story());
    let add = json!([{"op": "add", "path": format!("{EXTENSION}:managers"),
        "value": [{"value": bob}, {"value": ada}]}]);
    let patched = strict.patch(&path, &add).expect(200);
    assert_eq!(strings(&patched[EXTENSION]["managers"], "value"), [&ada, &bob]);
    let same = strict.put(&path, &patched.body).expect(200);
    assert_eq!(same.body, patched.body, "what was read can be sent back");
    // As unknown members are, unknown managers are left out where a client is forgiven that.
    let lenient = create(
        &scim,
        &group_with(
            "Lenient",
            &[],
            json!({"managers": [
        {"value": NOBODY}, {"value": ada}]}),
        ),
    );
    let read = scim.get(&lenient).expect(200);
    assert_eq!(strings(&read[EXTENSION]["managers"], "value"), [&ada]);
    // Who is deleted leaves nothing that stands in the way.
    scim.delete(&format!("/Users/{ada}")).expect(204);
    let read = strict.get(&path).expect(200);
    let changed = strict.put(&path, &read.body).expect(200);
    assert_eq!(changed["meta"], read["meta"], "{}", changed.story());
}

fn domain_2_16_what_a_connection_may_do_with_groups(database: Database) {
    let (server, scim, _admin) = serve_admin(database);
    let path = create(&scim, &group("Team", &[]));
    let with = |scopes: &[&str]| {
        let (connection, scopes) = (format!("only-{}", scopes.len()), scopes.join(","));
        let arguments = ["token", "create", "--tenant", "acme", "--connection", &connection];
        let arguments = [&arguments[..], &["--scopes", &scopes]].concat();
        let token = server.command(&arguments).succeeded();
        server.client_with_token(token.stdout.trim())
    };
    let refused = |answer: Answer| expect_code(answer, 403, "scopeMissing");
    let reader = with(&["scim.groups.read"]);
    reader.get(&path).expect(200);
    reader.get("/Groups").expect(200);
    refused(reader.post("/Groups", &group("Mine", &[])));
    refused(reader.put(&path, &group("Mine", &[])));
    refused(reader.patch(&path, &replace("displayName", "Mine")));
    refused(reader.delete(&path));
    let writer = with(&["scim.groups.write", "scim.groups.read"]);
    writer.patch(&path, &replace("displayName", "Crew")).expect(200);
    refused(writer.delete(&path));
    let grant = json!([{"role": "agent", "division": "*"}]);
    refused(writer.patch(&path, &set("roleGrants", grant.clone())));
    refused(writer.post("/Groups", &group_with("Mine", &[], json!({"roleGrants": grant}))));
    let user_only = with(&["scim.users.read", "scim.users.write", "scim.delete"]);
    refused(user_only.get(&path));
    refused(user_only.get("/Groups"));
    assert_eq!(scim.get(&path).expect(200)["meta"]["version"], "W/\"2\"");
    user_only.delete(&path).expect(204);
}

fn r74_a_group_is_copied_without_its_members_unless_asked(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    admin.scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201);
    let extension = json!({
        "description": "By night", "priority": 4, "site": "Berlin",
        "roleGrants": [{"role": "agent", "division": "Berlin"}, {"role": "read-only"}],
    });
    let mut body = group_with("Night", &[&ada], extension);
    body["externalId"] = json!("night");
    let original = admin.scim.post("/Groups", &body).expect(201);
    let copy = format!("/Groups/{}/copy", original.id());
    let copied = admin.act(&copy, &json!({})).expect(201);
    assert_ne!(copied.id(), original.id());
    assert_eq!(copied["displayName"], "Night (copy)");
    assert_eq!((&copied["externalId"], &copied["members"]), (&Value::Null, &Value::Null));
    let (was, is) = (&original[EXTENSION], &copied[EXTENSION]);
    for name in ["kind", "description", "priority", "roleGrants"] {
        assert_eq!(is[name], was[name], "{name}: {}", copied.story());
    }
    assert_eq!(is["site"], Value::Null);
    expect_code(admin.act(&copy, &json!({})), 409, "groupNameTaken");
    expect_code(admin.act(&copy, &json!({"name": " "})), 400, "badName");
    let whole = admin.act(&copy, &json!({"name": "Late", "withMembers": true})).expect(201);
    assert_eq!((&whole["displayName"], member_ids(&whole.body)), (&json!("Late"), vec![&*ada]));
    expect_code(
        verbs_of(&scim).send("POST", &copy, Some(("application/json", "{}"))),
        403,
        "scopeMissing",
    );
    admin.act(&format!("/Groups/{NOBODY}/copy"), &json!({})).expect_error(404, None);
}

fn r75_a_group_with_members_is_renamed(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let path = create(&scim, &group("Before", &[&ada]));
    let renamed = scim.patch(&path, &replace("displayName", "After")).expect(200);
    assert_eq!(
        (&renamed["displayName"], member_ids(&renamed.body)),
        (&json!("After"), vec![&*ada])
    );
    let read = scim.get(&format!("/Users/{ada}")).expect(200);
    assert_eq!(strings(&read["groups"], "display"), ["After"]);
}

fn q43_what_okta_sends_with_each_change_leaves_the_extension(database: Database) {
    let server = Server::start(database);
    let tenant = server.tenant("acme");
    let (okta, scim) = (tenant.client(Dialect::Okta), tenant.client(Dialect::Standard));
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let path = create(&scim, &group_with("Team", &[], json!({"description": "Ours"})));
    let id = &path["/Groups/".len()..];
    let pushed = json!([
        {"op": "replace", "value": {"id": id, "displayName": "Team"}},
        {"op": "add", "path": "members", "value": [{"value": ada, "display": "ada"}]},
    ]);
    okta.patch(&path, &pushed).expect_done();
    let read = scim.get(&path).expect(200);
    assert_eq!(read[EXTENSION]["description"], "Ours", "{}", read.story());
    assert_eq!(member_ids(&read.body), [ada.as_str()]);
}
