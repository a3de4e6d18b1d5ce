//! What becomes of roles when people leave and come back, and who must not leave.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_4_2_leaving_twice_is_leaving_once,
    domain_4_4_roles_sleep_and_privileged_ones_end,
    domain_4_4_roles_of_the_request_that_brings_somebody_back_count,
    domain_4_4_without_days_nothing_comes_back,
    r40_the_last_master_admin_neither_leaves_nor_steps_down,
    r40_a_second_one_counts_once_they_have_logged_in,
    r40_who_leaves_by_bulk_is_counted_too,
    t10_who_is_deleted_keeps_no_role,
    r55_the_log_has_what_depends_on_who_is_deleted,
    r55_what_depends_on_who_is_deleted_is_listed_and_given_to_others,
);

fn with_roles(name: &str, roles: &[&str]) -> Value {
    json!({"schemas": [USER], "userName": name, "roles": members_of(roles)})
}

fn set_roles(roles: &[&str]) -> Value {
    replace("roles", members_of(roles))
}

fn active(is: bool) -> Value {
    replace("active", is)
}

/// The roles of `roleGrants`, with an asterisk if they count now.
fn grants(user: &Answer) -> Vec<String> {
    let grants = user[HEADCOUNT]["roleGrants"].as_array().map_or(&[][..], Vec::as_slice);
    let live = |grant: &Value| if grant["effective"] == true { "*" } else { "" };
    let text = |grant: &Value| format!("{}{}", grant["role"].as_str().unwrap(), live(grant));
    let mut all: Vec<String> = grants.iter().map(text).collect();
    all.sort();
    all
}

fn domain_4_2_leaving_twice_is_leaving_once(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(left[HEADCOUNT]["accountState"], "deactivated", "{}", left.story());
    let again = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(again.body, left.body);
    let id = ada.trim_start_matches("/Users/");
    let log = admin.scim.filter("/ChangeLogEntries", &format!("resourceId eq \"{id}\""));
    let log = log.expect(200);
    assert_eq!(strings(&log["Resources"], "action"), ["create", "deactivate"], "{}", log.story());
}

fn domain_4_4_roles_sleep_and_privileged_ones_end(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &with_roles("ada", &["agent", "supervisor"]));
    admin.scim.patch(&ada, &set_roles(&["agent", "supervisor", "admin"])).expect(200);
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(grants(&left), ["agent", "employee", "supervisor"], "{}", left.story());
    // A role that loses its privilege meanwhile does not come back, nor does one that gains it end.
    admin.set("/Roles", "supervisor", "privileged", true);
    let back = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(grants(&back), ["agent*", "employee*", "supervisor*"], "{}", back.story());
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(grants(&left), ["agent", "employee"], "{}", left.story());
    assert_eq!(left[HEADCOUNT]["blockedPermissionCount"], 0, "{}", left.story());
}

fn domain_4_4_roles_of_the_request_that_brings_somebody_back_count(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    scim.patch(&ada, &active(false)).expect(200);
    let come = json!([{"op": "replace", "value":
        {"active": true, "roles": [{"value": "supervisor"}]}}]);
    let back = scim.patch(&ada, &come).expect(200);
    assert_eq!(grants(&back), ["employee*", "supervisor*"], "{}", back.story());
    // Who is away can be given a role, which counts when they are back.
    scim.patch(&ada, &active(false)).expect(200);
    let given = scim.patch(&ada, &set_roles(&["supervisor", "read-only"])).expect(200);
    assert_eq!(grants(&given), ["employee", "read-only", "supervisor"], "{}", given.story());
    let back = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(grants(&back), ["employee*", "read-only*", "supervisor*"], "{}", back.story());
}

fn domain_4_4_without_days_nothing_comes_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    admin.policy("rehire.restoreGrantsDays", 0);
    let ada = create_user(&scim, &with_roles("ada", &["agent"]));
    let left = scim.patch(&ada, &active(false)).expect(200);
    assert_eq!(grants(&left), ["employee"], "{}", left.story());
    let back = scim.patch(&ada, &active(true)).expect(200);
    assert_eq!(grants(&back), ["employee*"], "{}", back.story());
}

/// A Master Admin who has logged in, and the administrator's client.
fn ruled(database: Database) -> (Server, Administrator, String) {
    let (server, _, admin) = serve_admin(database);
    let boss = create_user(&admin.scim, &with_roles("boss", &["master-admin"]));
    activate(&server, &boss);
    (server, admin, boss)
}

#[track_caller]
fn refused(answer: Answer) {
    answer.expect_code(403, "lastMasterAdmin", Some("R40"));
}

fn r40_the_last_master_admin_neither_leaves_nor_steps_down(database: Database) {
    let (_server, admin, boss) = ruled(database);
    let before = admin.scim.get(&boss).expect(200);
    refused(admin.scim.patch(&boss, &active(false)));
    refused(admin.scim.delete(&boss));
    refused(admin.scim.patch(&boss, &set_roles(&[])));
    refused(admin.scim.patch(&boss, &set_roles(&["agent"])));
    refused(admin.scim.patch(&boss, &json!([{"op": "remove", "path": "roles"}])));
    let mut body = user("boss");
    body["roles"] = json!([]);
    refused(admin.scim.put(&boss, &body));
    body = user("boss");
    body["active"] = json!(false);
    refused(admin.scim.put(&boss, &body));
    assert_eq!(admin.scim.get(&boss).expect(200).body, before.body);
    // Other things, and another division of the role, are no matter.
    admin.scim.patch(&boss, &replace("title", "Boss")).expect(200);
    let everywhere = admin.scim.patch(&boss, &set_roles(&["master-admin@*"])).expect(200);
    assert_eq!(grants(&everywhere), ["employee*", "master-admin*"], "{}", everywhere.story());
}

fn r40_a_second_one_counts_once_they_have_logged_in(database: Database) {
    let (server, admin, boss) = ruled(database);
    let deputy = create_user(&admin.scim, &with_roles("deputy", &["master-admin"]));
    refused(admin.scim.patch(&boss, &active(false)));
    refused(admin.scim.delete(&boss));
    // Who never logged in is no loss.
    let other = create_user(&admin.scim, &with_roles("other", &["master-admin"]));
    admin.scim.delete(&other).expect(204);
    activate(&server, &deputy);
    let left = admin.scim.patch(&boss, &active(false)).expect(200);
    assert_eq!(grants(&left), ["employee"], "{}", left.story());
    refused(admin.scim.delete(&deputy));
    admin.scim.delete(&boss).expect(204);
}

fn r40_who_leaves_by_bulk_is_counted_too(database: Database) {
    let (server, admin, boss) = ruled(database);
    let deputy = create_user(&admin.scim, &with_roles("deputy", &["master-admin"]));
    activate(&server, &deputy);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": boss}, {"method": "DELETE", "path": deputy}],
    });
    let done = admin.scim.post("/Bulk", &bulk).expect(200);
    let statuses = strings(&done["Operations"], "status");
    assert_eq!(statuses, ["204", "403"], "{}", done.story());
    let told = &done["Operations"][1]["response"][HEADCOUNT_ERROR];
    assert_eq!(told["code"], "lastMasterAdmin", "{}", done.story());
    admin.scim.get("/Users").expect_user_names(&["deputy"]);
}

fn t10_who_is_deleted_keeps_no_role(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let role = admin.create("/Roles", "Helper");
    let ada = create_user(&scim, &with_roles("ada", &["Helper"]));
    admin.scim.delete(&role).expect_code(409, "roleInUse", Some("R32"));
    scim.patch(&ada, &active(false)).expect(200);
    // What sleeps may come back.
    admin.scim.delete(&role).expect_code(409, "roleInUse", Some("R32"));
    scim.delete(&ada).expect(204);
    admin.scim.delete(&role).expect(204);
    server.command(&["verify-log"]).succeeded();
}

/// Somebody on whom a report, a queue and a colleague depend.
fn indispensable(scim: &Client, admin: &Administrator, name: &str) -> (String, String) {
    let path = create_user(scim, &user(name));
    for (kind, reference) in [("scheduledReport", "monthly"), ("queueMembership", "sales")] {
        let body = json!({"kind": kind, "ref": reference});
        admin.act(&format!("{path}/report-dependency"), &body).expect(204);
    }
    let mut managed = user(&format!("{name}.two"));
    managed["schemas"] = json!([USER, ENTERPRISE]);
    managed[ENTERPRISE] = json!({"manager": {"value": path["/Users/".len()..]}});
    (path, create_user(scim, &managed)["/Users/".len()..].to_owned())
}

/// What the last entry of the log says of the dependencies of an account.
fn logged_dependencies(admin: &Administrator, path: &str) -> Value {
    let id = path.trim_start_matches("/Users/");
    let log = admin.scim.filter("/ChangeLogEntries", &format!("resourceId eq \"{id}\""));
    let log = log.expect(200);
    let last = log.resources().last().expect("it was created");
    let told = element(&last["changes"], "attribute", "dependencies")["new"].as_str();
    told.map_or(Value::Null, |told| serde_json::from_str(told).expect("it is JSON"))
}

fn r55_the_log_has_what_depends_on_who_is_deleted(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let (ada, managed) = indispensable(&scim, &admin, "ada");
    let (bob, managed_by_bob) = indispensable(&scim, &admin, "bob");
    let all = |managed: &str| {
        json!([
            {"kind": "queueMembership", "ref": "sales", "disposition": "needsReassign"},
            {"kind": "scheduledReport", "ref": "monthly", "disposition": "needsReassign"},
            {"kind": "managerOf", "ref": managed, "disposition": "needsReassign"},
        ])
    };
    scim.delete(&ada).expect(204);
    assert_eq!(logged_dependencies(&admin, &ada), all(&managed));
    // What is still open when somebody is deleted who left before is told again.
    scim.patch(&bob, &active(false)).expect(200);
    assert_eq!(logged_dependencies(&admin, &bob), all(&managed_by_bob));
    let report = json!({"kind": "scheduledReport", "ref": "monthly"});
    admin.act(&format!("{bob}/remove-dependency"), &report).expect(204);
    scim.delete(&bob).expect(204);
    let left = logged_dependencies(&admin, &bob);
    assert_eq!(strings(&left, "kind"), ["queueMembership", "managerOf"]);
    admin.policy("dependencies.onDeactivate", "autoclean");
    let (eve, _) = indispensable(&scim, &admin, "eve");
    scim.delete(&eve).expect(204);
    let left = logged_dependencies(&admin, &eve);
    assert_eq!(strings(&left, "kind"), ["scheduledReport", "managerOf"], "queues let go");
    let free = create_user(&scim, &user("free"));
    scim.delete(&free).expect(204);
    assert_eq!(logged_dependencies(&admin, &free), Value::Null);
}

fn r55_what_depends_on_who_is_deleted_is_listed_and_given_to_others(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let (ada, managed) = indispensable(&scim, &admin, "ada");
    let heir = create_user(&scim, &user("heir"));
    scim.delete(&ada).expect(204);
    let list = || admin.act(&format!("{ada}/list-dependencies"), &json!({}));
    let listed = list().expect(200);
    let kinds = strings(&listed["dependencies"], "kind");
    assert_eq!(kinds, ["queueMembership", "scheduledReport", "managerOf"], "{}", listed.story());
    for (kind, reference) in [("scheduledReport", "monthly"), ("managerOf", managed.as_str())] {
        let body = json!({"kind": kind, "ref": reference, "to": heir["/Users/".len()..]});
        admin.act(&format!("{ada}/reassign-dependency"), &body).expect(204);
    }
    let queue = json!({"kind": "queueMembership", "ref": "sales"});
    admin.act(&format!("{ada}/remove-dependency"), &queue).expect(204);
    assert_eq!(list().expect(200)["dependencies"], json!([]));
    let of_heir = admin.act(&format!("{heir}/list-dependencies"), &json!({})).expect(200);
    assert_eq!(strings(&of_heir["dependencies"], "kind"), ["scheduledReport", "managerOf"]);
    // Nothing new comes to depend on who is gone, and of who was erased nothing is told.
    admin.act(&format!("{ada}/report-dependency"), &queue).expect_error(404, None);
    admin.act(&format!("{ada}/erase"), &json!({"reason": "asked for"})).expect(204);
    list().expect_error(404, None);
    verbs_of(&scim).post(&format!("{ada}/list-dependencies"), &json!({})).expect_error(403, None);
}
