//! How accounts go from one state to another (domain model 4.2).

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    t1_a_new_account_waits_for_its_person,
    t2_an_account_is_created_without_a_seat,
    t9_deactivation_frees_the_seat_and_puts_roles_to_sleep,
    t9_no_op_leaves_no_entry,
    t10_deletion_takes_roles_and_groups,
    t11_reactivation_needs_a_seat,
    t11_privileged_roles_do_not_come_back,
    t12_a_deleted_account_is_restored,
    t12_what_is_gone_meanwhile_is_not_restored,
    t12_only_what_was_deleted_is_restored,
    t14_only_what_was_deleted_is_erased,
    r59_why_a_rehire_case_was_decided_is_forgotten_with_the_person,
    r40_the_last_master_admin_stays,
);

const OURS: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

#[track_caller]
fn expect_code(answer: Answer, status: u16, code: &str) {
    let answer = answer.expect(status);
    assert_eq!(answer[HEADCOUNT_ERROR]["code"], code, "{}", answer.story());
}

fn limit(admin: &Administrator, tier: &str, total: u32) {
    let found = admin.named("/LicenseTiers", tier);
    let path = format!("/LicenseTiers/{}", found["id"].as_str().unwrap());
    admin.scim.patch(&path, &replace("totalSeats", total)).expect(200);
}

fn with_roles(name: &str, roles: &[&str]) -> Value {
    let mut body = user(name);
    body["roles"] = roles.iter().map(|role| json!({"value": role})).collect();
    body
}

fn because(reason: &str) -> Value {
    json!({"reason": reason})
}

fn t1_a_new_account_waits_for_its_person(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    limit(&admin, "CX1", 1);
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let ours = &ada[OURS];
    assert_eq!(
        (&ada["active"], &ours["accountState"]),
        (&json!(true), &json!("pendingActivation"))
    );
    assert_eq!(ours["licenseTier"], "CX1");
    assert_eq!(strings(&ada["roles"], "value"), ["employee"]);
    expect_code(scim.post("/Users", &user("grace")), 403, "seatLimitExceeded");
}

fn t2_an_account_is_created_without_a_seat(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    limit(&admin, "CX1", 0);
    let mut body = user("ada");
    body["active"] = json!(false);
    let ada = scim.post("/Users", &body).expect(201);
    assert_eq!(ada[OURS]["accountState"], "deactivated", "{}", ada.story());
    assert_eq!(ada[OURS]["seatAssignedAt"], Value::Null);
}

fn t9_deactivation_frees_the_seat_and_puts_roles_to_sleep(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    limit(&admin, "CX1", 1);
    let id = scim.post("/Users", &with_roles("ada", &["agent"])).expect(201).id();
    scim.post("/Groups", &group("Team", &[&id])).expect(201);
    let path = format!("/Users/{id}");
    let gone = scim.patch(&path, &replace("active", false)).expect(200);
    assert_eq!(gone[OURS]["accountState"], "deactivated", "{}", gone.story());
    assert!(gone[OURS]["deactivatedAt"].is_string());
    let grants = gone[OURS]["roleGrants"].as_array().unwrap();
    assert!(grants.iter().all(|grant| grant["effective"] == false), "{}", gone.story());
    assert_eq!(gone["groups"][0]["display"], "Team");
    scim.post("/Users", &user("grace")).expect(201);
}

fn t9_no_op_leaves_no_entry(database: Database) {
    let (_server, scim, _) = serve_admin(database);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let first = scim.patch(&path, &replace("active", false)).expect(200);
    assert_eq!(scim.patch(&path, &replace("active", false)).expect(200).body, first.body);
}

fn t10_deletion_takes_roles_and_groups(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &with_roles("ada", &["agent"])).expect(201).id();
    let team = scim.post("/Groups", &group("Team", &[&id])).expect(201).id();
    scim.delete(&format!("/Users/{id}")).expect(204);
    let team = scim.get(&format!("/Groups/{team}")).expect(200);
    assert_eq!(team["members"], Value::Null, "{}", team.story());
    let back = admin.act(&format!("/Users/{id}/restore"), &because("a mistake")).expect(200);
    assert_eq!(strings(&back["roles"], "value"), ["employee"], "{}", back.story());
    assert_eq!(back["groups"], Value::Null);
}

fn t11_reactivation_needs_a_seat(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    scim.patch(&path, &replace("active", false)).expect(200);
    limit(&admin, "CX1", 0);
    let refused = scim.patch(&path, &replace("active", true));
    expect_code(refused, 403, "seatLimitExceeded");
    let refused = admin.act(&format!("{path}/reactivate"), &because("back"));
    expect_code(refused, 403, "seatLimitExceeded");
    assert_eq!(scim.get(&path).expect(200)["active"], false);
    limit(&admin, "CX1", 1);
    scim.patch(&path, &replace("active", true)).expect(200);
}

fn t11_privileged_roles_do_not_come_back(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let body = with_roles("ada", &["agent", "admin"]);
    let path = format!("/Users/{}", admin.scim.post("/Users", &body).expect(201).id());
    scim.patch(&path, &replace("active", false)).expect(200);
    let back = scim.patch(&path, &replace("active", true)).expect(200);
    let mut roles = strings(&back["roles"], "value");
    roles.sort_unstable();
    assert_eq!(roles, ["agent", "employee"], "{}", back.story());
}

fn t12_a_deleted_account_is_restored(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201);
    admin.scim.post("/Skills", &json!({"name": "Sales"})).expect(201);
    let mut body = with_roles("ada", &["agent"]);
    body["externalId"] = json!("E1");
    body["title"] = json!("Agent");
    body["schemas"] = json!([USER, OURS]);
    body[OURS] = json!({"division": "Berlin", "skillSet": "Sales=4"});
    let id = scim.post("/Users", &body).expect(201).id();
    let path = format!("/Users/{id}");
    let restore = format!("{path}/restore");
    limit(&admin, "CX1", 1);
    scim.delete(&path).expect(204);
    let back = admin.act(&restore, &because("a mistake")).expect(200);
    assert_eq!((back.id(), &back["active"]), (id, &json!(false)), "{}", back.story());
    assert_eq!(back[OURS]["accountState"], "deactivated");
    assert_eq!((&back["title"], &back[OURS]["division"]), (&json!("Agent"), &json!("Berlin")));
    assert_eq!(back[OURS]["skills"][0]["value"], "Sales", "{}", back.story());
    assert_eq!(scim.get(&path).expect(200)["externalId"], "E1");
    scim.delete(&path).expect(204);
    let other = format!("/Users/{}", scim.post("/Users", &user("grace")).expect(201).id());
    let at_work = json!({"reason": "a mistake", "active": true});
    expect_code(admin.act(&restore, &at_work), 403, "seatLimitExceeded");
    scim.get(&path).expect_error(404, None);
    scim.delete(&other).expect(204);
    let back = admin.act(&restore, &at_work).expect(200);
    assert_eq!(back["active"], true, "{}", back.story());
    assert!(server.database().dump().contains("a mistake"), "the log has why");
    server.command(&["verify-log"]).succeeded();
}

fn t12_what_is_gone_meanwhile_is_not_restored(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let berlin = admin.scim.post("/Divisions", &json!({"name": "Berlin"})).expect(201).id();
    let sales = admin.scim.post("/Skills", &json!({"name": "Sales"})).expect(201).id();
    let mut body = user("ada");
    body["schemas"] = json!([USER, OURS]);
    body[OURS] = json!({"division": "Berlin", "skillSet": "Sales=4"});
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    scim.delete(&path).expect(204);
    admin.scim.delete(&format!("/Divisions/{berlin}")).expect(204);
    admin.scim.delete(&format!("/Skills/{sales}")).expect(204);
    let back = admin.act(&format!("{path}/restore"), &because("a mistake")).expect(200);
    assert_eq!(back[OURS]["skills"], Value::Null, "{}", back.story());
    let home = scim.post("/Users", &user("grace")).expect(201);
    assert_eq!(back[OURS]["divisionId"], home[OURS]["divisionId"], "R56: {}", back.story());
}

fn t12_only_what_was_deleted_is_restored(database: Database) {
    let (_server, scim, admin) = serve_admin(database);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    let restore = || admin.act(&format!("{path}/restore"), &because("a mistake"));
    expect_code(restore(), 409, "illegalTransition");
    scim.delete(&path).expect(204);
    admin.act(&format!("{path}/erase"), &because("asked for")).expect(204);
    expect_code(restore(), 409, "illegalTransition");
    let nobody = format!("/Users/{NOBODY}/restore");
    admin.act(&nobody, &because("x")).expect_error(404, None);
}

fn t14_only_what_was_deleted_is_erased(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.scim.post("/Skills", &json!({"name": "Sales"})).expect(201);
    let mut body = person("Ada", "Lovelace", "ada.lovelace@example.com");
    body[OURS] = json!({"skillSet": "Sales=4"});
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let erase = || admin.act(&format!("{path}/erase"), &because("asked for"));
    expect_code(erase(), 409, "illegalTransition");
    let report = json!({"kind": "flowOwner", "ref": "the flow of Lovelace"});
    admin.act(&format!("{path}/report-dependency"), &report).expect(204);
    scim.delete(&path).expect(204);
    erase().expect(204);
    expect_code(erase(), 409, "illegalTransition");
    // The files of SQLite have what was written in the last minutes until they are tidied up.
    if database == Database::Postgres {
        let dump = server.database().dump().to_lowercase();
        assert!(!dump.contains("lovelace"), "nothing personal is left");
    }
    let again = scim.post("/Users", &user("ada.lovelace@example.com"));
    expect_code(again, 409, "identityReserved");
    server.command(&["verify-log"]).succeeded();
}

fn r40_the_last_master_admin_stays(database: Database) {
    let (_server, _, admin) = serve_admin(database);
    let chief = |name: &str| {
        let body = with_roles(name, &["master-admin"]);
        format!("/Users/{}", admin.scim.post("/Users", &body).expect(201).id())
    };
    let (first, second) = (chief("first"), chief("second"));
    admin.act(&format!("{first}/activate"), &json!({})).expect(200);
    let leave = |path: &str| admin.act(&format!("{path}/deactivate"), &because("left"));
    expect_code(leave(&first), 403, "lastMasterAdmin");
    expect_code(admin.scim.delete(&first), 403, "lastMasterAdmin");
    let none = admin.scim.patch(&first, &json!([{"op": "remove", "path": "roles"}]));
    expect_code(none, 403, "lastMasterAdmin");
    admin.act(&format!("{second}/activate"), &json!({})).expect(200);
    leave(&first).expect(200);
    expect_code(leave(&second), 403, "lastMasterAdmin");
}

fn r59_why_a_rehire_case_was_decided_is_forgotten_with_the_person(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let ada = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    scim.delete(&ada).expect(204);
    expect_code(scim.post("/Users", &user("ada")), 409, "rehireConfirmationRequired");
    let case = &admin.scim.get("/RehireCases").expect(200)["Resources"][0];
    let case = format!("/RehireCases/{}", case["id"].as_str().unwrap());
    let why = because("a namesake of Ada Lovelace");
    let decided = admin.act(&format!("{case}/different-person"), &why).expect(200);
    assert_eq!(decided["reason"], "a namesake of Ada Lovelace", "{}", decided.story());
    let of_case = format!("resourceId eq \"{}\"", decided.id());
    let log = admin.scim.filter("/ChangeLogEntries", &of_case).expect(200);
    let decision = &log.resources()[1]["changes"];
    let status = element(decision, "attribute", "status");
    assert_eq!(status["new"], "\"approvedDifferent\"", "the log has how: {}", log.story());
    admin.act(&format!("{ada}/erase"), &because("asked for")).expect(204);
    assert_eq!(admin.scim.get(&case).expect(200)["reason"], Value::Null);
    let log = admin.scim.get("/ChangeLogEntries").expect(200);
    assert!(!log.text.contains("Lovelace"), "{}", log.story());
    server.command(&["verify-log"]).succeeded();
}
