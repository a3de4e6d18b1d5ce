//! What stays with an account whatever becomes of it: its names, its division, its row.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    r6_another_name_moves_nothing_else_and_names_are_not_swapped,
    r16_who_only_reads_takes_a_whole_seat,
    r50_there_is_no_hard_delete,
    r53_deactivation_counts_at_once,
    r54_who_left_can_still_be_referred_to,
    r56_the_division_is_kept_by_who_comes_back,
);

fn division(admin: &Client, name: &str) {
    admin.post("/Divisions", &json!({"name": name})).expect(201);
}

fn r6_another_name_moves_nothing_else_and_names_are_not_swapped(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ada = scim.post("/Users", &person("Ada", "King", "ada@example.com")).expect(201);
    let bob = scim.post("/Users", &person("Bob", "Ross", "bob@example.com")).expect(201);
    let path = format!("/Users/{}", ada.id());
    let renamed = scim.patch(&path, &replace("userName", "ada.king@example.com")).expect(200);
    for attribute in ["id", "emails", "name", "roles", HEADCOUNT] {
        assert_eq!(renamed[attribute], ada[attribute], "{attribute}");
    }
    let swap = |id: &str, name: &str| {
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "emails[type eq \"work\"].value", "value": name}]}})
    };
    let swapped = scim.post(
        "/Bulk",
        &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            swap(&ada.id(), "bob@example.com"), swap(&bob.id(), "ada@example.com")]}),
    );
    let swapped = swapped.expect(200);
    assert_eq!(strings(&swapped["Operations"], "status"), ["409", "409"], "{}", swapped.story());
}

fn r16_who_only_reads_takes_a_whole_seat(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let used = || {
        let tier = admin.filter("/LicenseTiers", "name eq \"CX1\"").expect(200);
        tier["Resources"][0]["usedSeats"].as_i64().unwrap()
    };
    let mut reader = user("reader");
    reader["roles"] = json!([{"value": "read-only"}]);
    scim.post("/Users", &reader).expect(201);
    assert_eq!(used(), 1);
    let mut supervisor = user("supervisor");
    supervisor["roles"] = json!([{"value": "supervisor"}]);
    scim.post("/Users", &supervisor).expect(201);
    assert_eq!(used(), 2);
}

fn r50_there_is_no_hard_delete(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let id = scim.post("/Users", &user("ada")).expect(201).id();
    scim.delete(&format!("/Users/{id}")).expect(204);
    let deleted = admin.act("/Users/list-deleted", &json!({})).expect(200);
    assert!(deleted.text.contains(&id), "{}", deleted.story());
    let row = by_rule(&server, move |tx, context| {
        let id = accounts::parse_id(&id).unwrap();
        Ok(tx.account_for_update(context.caller.scope(), id)?.is_some())
    });
    assert!(row.unwrap());
}

fn r53_deactivation_counts_at_once(database: Database) {
    let (server, admin, scim) = serve_nouns(database);
    let path = format!("/Users/{}", scim.post("/Users", &user("ada")).expect(201).id());
    activate(&server, &path);
    let asked = format!("{HEADCOUNT}:effectivePermissions");
    let effective = || admin.query(&path, &[("attributes", asked.as_str())]).expect(200);
    assert!(effective()[HEADCOUNT]["effectivePermissions"].is_array());
    let left = scim.patch(&path, &replace("active", false)).expect(200);
    assert_eq!(left[HEADCOUNT]["accountState"], "deactivated");
    assert_eq!(left[HEADCOUNT]["seatAssignedAt"], Value::Null);
    assert_eq!(effective()[HEADCOUNT]["effectivePermissions"], Value::Null);
}

fn r54_who_left_can_still_be_referred_to(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    let ada = scim.post("/Users", &user("ada")).expect(201).id();
    let team = scim.post("/Groups", &group("Team", &[&ada])).expect(201).id();
    scim.patch(&format!("/Users/{ada}"), &replace("active", false)).expect(200);
    let team = scim.get(&format!("/Groups/{team}")).expect(200);
    assert_eq!(member_ids(&team.body), [ada.as_str()]);
    scim.delete(&format!("/Users/{ada}")).expect(204);
    let history = admin.filter("/ChangeLogEntries", &format!("resourceId eq \"{ada}\""));
    let actions: Vec<_> =
        history.expect(200).resources().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["create", "deactivate", "tombstone"]);
}

fn r56_the_division_is_kept_by_who_comes_back(database: Database) {
    let (_server, admin, scim) = serve_nouns(database);
    division(&admin, "Berlin");
    let mut ada = user("ada");
    ada["externalId"] = json!("e1");
    ada[HEADCOUNT] = json!({"division": "Berlin"});
    let id = scim.post("/Users", &ada).expect(201).id();
    let path = format!("/Users/{id}");
    scim.patch(&path, &replace("active", false)).expect(200);
    let back = scim.patch(&path, &replace("active", true)).expect(200);
    assert_eq!(back[HEADCOUNT]["division"], "Berlin");
    scim.delete(&path).expect(204);
    let mut again = user("ada");
    again["externalId"] = json!("e1");
    let back = scim.post("/Users", &again).expect(201);
    assert_eq!((back.id(), &back[HEADCOUNT]["division"]), (id, &json!("Berlin")));
}
