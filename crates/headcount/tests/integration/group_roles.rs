//! What groups give their members: roles, directly and through other groups.

use accounts::parse_id;
use serde_json::{Value, json};

use crate::group_extension::{EXTENSION, create, expect_code, group_with, set};
use crate::harness::*;

on_each_database!(
    r30_r42_nobody_is_put_into_a_group_whose_roles_the_connection_may_not_grant,
    r29_roles_of_groups_are_inherited_and_never_the_users_own,
    r30_a_connection_gives_groups_only_the_roles_that_it_may_grant,
    r31_a_disabled_role_is_not_granted_anew,
    r22_r28_roles_and_divisions_of_groups_are_named,
    r40_the_last_master_admin_is_not_lost_by_a_group,
    r40_a_pending_master_admin_does_not_count_once_one_is_activated,
    r72_deleting_a_group_leaves_its_members,
    r73_a_disabled_group_confers_nothing_and_keeps_its_members,
    domain_2_8_who_is_in_a_nested_group_is_in_those_above_it,
    rfc7644_3_4_2_2_indirect_groups_are_found,
);

const USER_EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

fn path_of(id: &str) -> String {
    format!("/Users/{id}")
}

fn giving(role: &str) -> Value {
    json!({"roleGrants": [{"role": role, "division": "*"}]})
}

/// The roles that take effect for a user, through groups.
#[track_caller]
fn through_groups(scim: &Client, user: &str) -> Vec<String> {
    let asked = format!("{USER_EXTENSION}:effectiveRoles");
    let read = scim.query(&path_of(user), &[("attributes", &asked)]).expect(200);
    let roles = read[USER_EXTENSION]["effectiveRoles"].as_array().cloned().unwrap_or_default();
    let through = roles.iter().filter(|role| role["via"] == "group");
    through.map(|role| format!("{} by {}", role["role"], role["group"]).replace('"', "")).collect()
}

fn r29_roles_of_groups_are_inherited_and_never_the_users_own(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    create(&admin.scim, &group_with("Crew", &[&ada], giving("agent")));
    let read = scim.get(&path_of(&ada)).expect(200);
    assert_eq!(strings(&read["roles"], "value"), ["employee"], "{}", read.story());
    assert_eq!(strings(&read[USER_EXTENSION]["roleGrants"], "role"), ["employee"]);
    assert_eq!(through_groups(&scim, &ada), ["agent by Crew"]);
    // What was read can be sent back, and changes nothing.
    let put = scim.put(&path_of(&ada), &read.body).expect(200);
    assert_eq!(put["meta"], read["meta"], "{}", put.story());
    let remove = json!([{"op": "remove", "path": "roles[value eq \"agent\"]"}]);
    scim.patch(&path_of(&ada), &remove).expect(200);
    assert_eq!(through_groups(&scim, &ada), ["agent by Crew"], "only the group gives it away");
    assert_eq!(scim.get(&path_of(&ada)).expect(200)["meta"], read["meta"]);
}

fn r30_a_connection_gives_groups_only_the_roles_that_it_may_grant(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    for privileged in ["admin", "master-admin"] {
        let refused = scim.post("/Groups", &group_with("Crew", &[], giving(privileged)));
        expect_code(refused, 403, "roleNotGrantable");
    }
    let path = create(&scim, &group_with("Crew", &[], giving("agent")));
    expect_code(
        scim.patch(&path, &set("roleGrants", giving("admin")["roleGrants"].clone())),
        403,
        "roleNotGrantable",
    );
    // Of what an administrator has granted nothing is granted anew.
    let both = json!([{"role": "agent", "division": "*"}, {"role": "admin", "division": "*"}]);
    admin.scim.patch(&path, &set("roleGrants", both)).expect(200);
    let read = scim.get(&path).expect(200);
    assert_eq!(scim.put(&path, &read.body).expect(200).body, read.body);
}

fn r31_a_disabled_role_is_not_granted_anew(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let path = create(&scim, &group_with("Crew", &[&ada], giving("agent")));
    let agent = admin.named("/Roles", "agent")["id"].as_str().unwrap().to_owned();
    admin.scim.patch(&format!("/Roles/{agent}"), &replace("state", "disabled")).expect(200);
    expect_code(
        scim.post("/Groups", &group_with("Late", &[], giving("agent"))),
        400,
        "disabledObject",
    );
    let read = scim.get(&path).expect(200);
    assert_eq!(strings(&read[EXTENSION]["roleGrants"], "role"), ["agent"], "the grant stays");
    assert!(through_groups(&scim, &ada).is_empty());
    admin.scim.patch(&format!("/Roles/{agent}"), &replace("state", "enabled")).expect(200);
    assert_eq!(through_groups(&scim, &ada), ["agent by Crew"]);
}

fn r22_r28_roles_and_divisions_of_groups_are_named(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let home = admin.scim.filter("/Divisions", "homeDivision eq true").expect(200);
    let home = home["Resources"][0]["name"].as_str().unwrap().to_owned();
    let agent = admin.named("/Roles", "agent")["id"].clone();
    let granted = json!({"roleGrants": [{"role": "AGENT"}, {"role": agent, "division": "*"}]});
    let created = scim.post("/Groups", &group_with("Crew", &[], granted)).expect(201);
    let mut grants = created[EXTENSION]["roleGrants"].as_array().cloned().unwrap();
    grants.sort_by_key(|grant| grant["division"].as_str().map(str::to_owned));
    let expected = [
        json!({"role": "agent", "roleId": agent, "division": "*"}),
        json!({"role": "agent", "roleId": agent, "division": home}),
    ];
    assert_eq!(grants, expected, "{}", created.story());
    for (grant, code) in [
        (json!({"role": "wizard"}), "unknownRole"),
        (json!({"role": "agent", "division": "Atlantis"}), "unknownDivision"),
    ] {
        let body = group_with("Wrong", &[], json!({"roleGrants": [grant]}));
        let refused = scim.post("/Groups", &body).expect_error(400, Some("invalidValue"));
        expect_code(refused, 400, code);
    }
    let path = format!("/Groups/{}", created.id());
    let only = json!([{"op": "remove",
        "path": format!("{EXTENSION}:roleGrants[division eq \"*\"]")}]);
    let left = scim.patch(&path, &only).expect(200);
    assert_eq!(strings(&left[EXTENSION]["roleGrants"], "division"), [home]);
}

fn delete_in_bulk(client: &Client, path: &str) -> Value {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": path}],
    });
    client.json("POST", "/Bulk", &body).expect(200)["Operations"][0].clone()
}

fn r40_the_last_master_admin_is_not_lost_by_a_group(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let inner = create(&admin.scim, &group("Inner", &[&ada]));
    let inner_id = &inner["/Groups/".len()..];
    let outer = create(&admin.scim, &group_with("Outer", &[inner_id], giving("master-admin")));
    assert_eq!(through_groups(&scim, &ada), ["master-admin by Outer"]);
    let remove =
        |id: &str| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    let refused = |answer: Answer| expect_code(answer, 403, "lastMasterAdmin");
    for client in [&scim, &admin.scim] {
        refused(client.patch(&inner, &remove(&ada)));
        refused(client.patch(&inner, &json!([{"op": "remove", "path": "members"}])));
        refused(client.put(&inner, &group("Inner", &[])));
        refused(client.patch(&outer, &remove(inner_id)));
        refused(client.patch(&inner, &set("enabled", false)));
        refused(client.patch(&outer, &set("enabled", false)));
        refused(client.patch(&outer, &set("roleGrants", json!([]))));
        refused(client.delete(&inner));
        refused(client.delete(&outer));
        let operation = delete_in_bulk(client, &outer);
        assert_eq!(operation["status"], "403", "{operation}");
        refused(client.patch(&path_of(&ada), &replace("active", false)));
        refused(client.delete(&path_of(&ada)));
    }
    for path in [&inner, &outer] {
        assert_eq!(scim.get(path).expect(200)["meta"]["version"], "W/\"1\"", "nothing was done");
    }
    // With another one at work, all of it is done.
    let bob = scim.post("/Users", &user("bob")).expect(201).id();
    admin
        .scim
        .patch(
            &path_of(&bob),
            &json!([{"op": "add", "path": "roles",
        "value": [{"value": "master-admin"}]}]),
        )
        .expect(200);
    scim.patch(&inner, &remove(&ada)).expect(200);
    scim.patch(&outer, &remove(inner_id)).expect(200);
    admin.scim.patch(&outer, &set("roleGrants", json!([]))).expect(200);
    scim.delete(&outer).expect(204);
}

fn activate(server: &Server, id: &str) {
    let id = parse_id(id).unwrap();
    by_rule(server, move |tx, context| {
        let before = tx.user_for_update(context.caller.scope(), id)?.unwrap();
        let mut after = before.clone();
        after.standing.activated = Some(context.now);
        tx.update_user(context.caller.tenant, &before, &after)?;
        Ok(())
    })
    .unwrap();
}

fn r40_a_pending_master_admin_does_not_count_once_one_is_activated(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let [ada, bob] = ["ada", "bob"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let masters = create(&admin.scim, &group_with("Masters", &[&ada], giving("master-admin")));
    let others = create(&admin.scim, &group_with("Others", &[&bob], giving("master-admin")));
    let none = json!([{"op": "remove", "path": "members"}]);
    let again = |id: &str| json!([{"op": "add", "path": "members", "value": members_of(&[id])}]);
    // Nobody is activated yet: whoever is enabled counts.
    scim.patch(&masters, &none).expect(200);
    admin.scim.patch(&masters, &again(&ada)).expect(200);
    activate(&server, &ada);
    expect_code(scim.patch(&masters, &none), 403, "lastMasterAdmin");
    scim.patch(&others, &none).expect(200);
    admin.scim.patch(&others, &again(&bob)).expect(200);
    activate(&server, &bob);
    scim.patch(&masters, &none).expect(200);
    expect_code(scim.delete(&others), 403, "lastMasterAdmin");
}

fn r72_deleting_a_group_leaves_its_members(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let crew = create(&admin.scim, &group_with("Crew", &[&ada.id()], giving("agent")));
    scim.delete(&crew).expect(204);
    let read = scim.get(&path_of(&ada.id())).expect(200);
    assert_eq!((&read["active"], &read["meta"]), (&json!(true), &ada["meta"]));
    assert!(strings(&read["groups"], "value").is_empty());
    assert!(through_groups(&scim, &ada.id()).is_empty());
    // A division is not in use by what a deleted group gave.
    let berlin = admin.scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201).id();
    let granted = json!({"roleGrants": [{"role": "agent", "division": "Berlin"}]});
    let crew = create(&admin.scim, &group_with("Crew", &[], granted));
    admin.scim.delete(&format!("/Divisions/{berlin}")).expect_error(409, None);
    scim.delete(&crew).expect(204);
    admin.scim.delete(&format!("/Divisions/{berlin}")).expect(204);
}

fn r73_a_disabled_group_confers_nothing_and_keeps_its_members(database: Database) {
    let (_server, scim, _admin) = serve_admin(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let crew = create(&scim, &group_with("Crew", &[&ada], giving("agent")));
    let disabled = scim.patch(&crew, &set("enabled", "False")).expect(200);
    assert_eq!(disabled[EXTENSION]["enabled"], false);
    assert_eq!(member_ids(&disabled.body), [ada.as_str()]);
    assert_eq!(strings(&disabled[EXTENSION]["roleGrants"], "role"), ["agent"]);
    assert!(through_groups(&scim, &ada).is_empty());
    scim.patch(&crew, &set("enabled", true)).expect(200);
    assert_eq!(through_groups(&scim, &ada), ["agent by Crew"]);
}

/// Three groups, each in the next, with ada in the first and bob in the second; ada is also in the
/// last.
fn nested(scim: &Client) -> ([String; 2], [String; 3]) {
    let [ada, bob] = ["ada", "bob"].map(|name| scim.post("/Users", &user(name)).expect(201).id());
    let low = scim.post("/Groups", &group("Low", &[&ada])).expect(201).id();
    let middle = scim.post("/Groups", &group("Middle", &[&low, &bob])).expect(201).id();
    let high = group_with("High", &[&middle, &ada], giving("agent"));
    let high = scim.post("/Groups", &high).expect(201).id();
    ([ada, bob], [low, middle, high])
}

#[track_caller]
fn expect_groups(scim: &Client, user: &str, expected: &[(&str, &str)]) {
    let read = scim.get(&path_of(user)).expect(200);
    let listed = strings(&read["groups"], "display").into_iter();
    let mut found: Vec<_> = listed.zip(strings(&read["groups"], "type")).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{}", read.story());
}

fn domain_2_8_who_is_in_a_nested_group_is_in_those_above_it(database: Database) {
    let (_server, scim, _admin) = serve_admin(database);
    let ([ada, bob], [low, middle, high]) = nested(&scim);
    expect_groups(&scim, &ada, &[("High", "direct"), ("Low", "direct"), ("Middle", "indirect")]);
    expect_groups(&scim, &bob, &[("High", "indirect"), ("Middle", "direct")]);
    assert_eq!(through_groups(&scim, &bob), ["agent by High"]);
    let listed = scim.get("/Users").expect(200);
    for found in listed.resources() {
        let alone = scim.get(&path_of(found["id"].as_str().unwrap())).expect(200);
        assert_eq!(found["groups"], alone["groups"], "{}", listed.story());
    }
    let path = format!("/Groups/{low}");
    let circle = json!([{"op": "add", "path": "members", "value": members_of(&[&high])}]);
    scim.patch(&path, &circle).expect_error(400, Some("invalidValue"));
    let circle = group("Low", &[&middle]);
    scim.put(&path, &circle).expect_error(400, Some("invalidValue"));
}

fn rfc7644_3_4_2_2_indirect_groups_are_found(database: Database) {
    let (_server, scim, _admin) = serve_admin(database);
    let (_, [low, middle, high]) = nested(&scim);
    scim.post("/Users", &user("eve")).expect(201);
    let value = |id: &str| format!("groups.value eq \"{id}\"");
    for (filter, expected) in [
        (value(&low), &["ada"][..]),
        (value(&middle), &["ada", "bob"]),
        (value(&high), &["ada", "bob"]),
        (value(NOBODY), &[]),
        (format!("not (groups[value eq \"{high}\"])"), &["eve"]),
        ("groups.display eq \"HIGH\"".to_owned(), &["ada", "bob"]),
        ("groups.display sw \"l\"".to_owned(), &["ada"]),
        ("groups.type eq \"direct\"".to_owned(), &["ada", "bob"]),
        ("groups.type eq \"indirect\"".to_owned(), &["ada", "bob"]),
        // Who is in a group in both ways is in it directly.
        (format!("groups[value eq \"{high}\" and type eq \"indirect\"]"), &["bob"]),
        (format!("groups[value eq \"{high}\" and type eq \"direct\"]"), &["ada"]),
        ("groups[type eq \"indirect\" and display eq \"middle\"]".to_owned(), &["ada"]),
        ("groups pr".to_owned(), &["ada", "bob"]),
        ("groups.type ne \"direct\"".to_owned(), &["ada", "bob", "eve"]),
        (format!("groups.value ne \"{low}\""), &["ada", "bob", "eve"]),
    ] {
        let found = scim.filter("/Users", &filter).expect(200);
        let mut names = found.user_names();
        names.sort_unstable();
        assert_eq!(names, expected, "{filter}: {}", found.story());
    }
}

fn r30_r42_nobody_is_put_into_a_group_whose_roles_the_connection_may_not_grant(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let grants = |role: &str| json!({"roleGrants": [{"role": role, "division": "*"}]});
    let make = |name: &str, role: &str| {
        let mut made = group(name, &[]);
        made["schemas"] = json!([GROUP, HEADCOUNT_GROUP]);
        made[HEADCOUNT_GROUP] = grants(role);
        admin.post("/Groups", &made).expect(201).id()
    };
    let (masters, agents) = (make("Masters", "master-admin"), make("Agents", "agent"));
    let mallory = scim.post("/Users", &user("mallory")).expect(201).id();
    let join = |group: &str, member: &str| {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
        scim.patch(&format!("/Groups/{group}"), &add)
    };
    join(&agents, &mallory).expect_done();
    let refused = join(&masters, &mallory).expect_error(403, None);
    assert_eq!(refused[HEADCOUNT_ERROR]["code"], "roleNotGrantable", "{}", refused.story());
    // Nor by way of a group of their own.
    let own = scim.post("/Groups", &group("Own", &[&mallory])).expect(201).id();
    join(&masters, &own).expect_error(403, None);
    let path = format!("/Groups/{masters}");
    let enabled = format!("{HEADCOUNT_GROUP}:enabled");
    admin.patch(&path, &replace(&enabled, false)).expect_done();
    scim.patch(&path, &replace(&enabled, true)).expect_error(403, None);
    // What an administrator has put together, a client may go on naming.
    admin.patch(&path, &replace("members", json!([{"value": mallory}]))).expect_done();
    scim.patch(&path, &replace("displayName", "Owners")).expect_done();
}
