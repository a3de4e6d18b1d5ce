//! Microsoft Entra ID provisions groups.

use serde_json::json;

use crate::entra::{Flavour, create, entra};
use crate::harness::*;

on_each_database!(
    e9_to_e12_create_look_up_and_rename,
    e13_e14_add_and_remove_members,
    e15_delete,
    validator_patches_of_groups,
);

/// E9.
fn new_group(scim: &Client, name: &str) -> String {
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": format!("external-{name}"), "displayName": name,
        "meta": {"resourceType": "Group"}});
    let created = scim.post("/Groups", &body).expect(201);
    assert_eq!(created["displayName"], name);
    assert!(member_ids(&created.body).is_empty(), "{}", created.story());
    format!("/Groups/{}", created.id())
}

fn e9_to_e12_create_look_up_and_rename(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let member = create(&scim, "member@testuser.com");
    let path = new_group(&scim, "displayName");
    let add = json!([{"op": "Add", "path": "members",
        "value": [{"$ref": null, "value": member["/Users/".len()..]}]}]);
    scim.patch(&path, &add).expect_done();

    for name in ["displayName", "DISPLAYNAME"] {
        let filter = format!("displayName eq \"{name}\"");
        let parameters = [("excludedAttributes", "members"), ("filter", filter.as_str())];
        let found = scim.query("/Groups", &parameters).expect(200);
        assert_eq!(found["totalResults"], 1, "{}", found.story());
        assert!(found["Resources"][0]["members"].is_null(), "{}", found.story());
        let with_members = scim.filter("/Groups", &filter).expect(200);
        assert_eq!(member_ids(&with_members["Resources"][0]), [&member["/Users/".len()..]]);
    }
    let read = scim.get(&format!("{path}?excludedAttributes=members")).expect(200);
    assert!(read["members"].is_null(), "{}", read.story());

    let rename = json!([{"op": "Replace", "path": "displayName", "value": "1879db59-3bdf-4490"}]);
    scim.patch(&path, &rename).expect_done();
    assert_eq!(scim.get(&path).expect(200)["displayName"], "1879db59-3bdf-4490");
    scim.filter("/Groups", "displayName eq \"displayName\"").expect_empty_list();
    let renamed = json!({"schemas": [GROUP], "displayName": "1879DB59-3BDF-4490"});
    scim.post("/Groups", &renamed).expect_error(409, Some("uniqueness"));
}

fn e13_e14_add_and_remove_members(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let ids = ["one", "two", "three"].map(|name| create(&scim, name)["/Users/".len()..].to_owned());
    for (flavour, name) in Flavour::BOTH.into_iter().zip(["classic", "flagged"]) {
        let path = new_group(&scim, name);
        let gid = &path["/Groups/".len()..];
        let members: Vec<_> = ids.iter().map(|id| json!({"$ref": null, "value": id})).collect();
        let add = json!([{"op": "Add", "path": "members", "value": members}]);
        scim.patch(&path, &add).expect_done();
        scim.patch(&path, &add).expect_done();
        assert_eq!(member_ids(&scim.get(&path).expect(200).body).len(), 3);

        let filter = format!("id eq \"{gid}\" and members eq \"{}\"", ids[1]);
        let is_member = || scim.filter("/Groups", &filter).expect(200)["totalResults"].clone();
        assert_eq!(is_member(), 1);
        scim.patch(&path, &flavour.member_removal(&ids[1])).expect_done();
        scim.patch(&path, &flavour.member_removal(&ids[1])).expect_done();
        assert_eq!(is_member(), 0);
        let mut left = [ids[0].as_str(), ids[2].as_str()];
        left.sort_unstable();
        assert_eq!(member_ids(&scim.get(&path).expect(200).body), left, "only those listed");
    }
}

fn e15_delete(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let path = new_group(&scim, "displayName");
    scim.delete(&path).expect(204);
    scim.delete(&path).expect_error(404, None);
    scim.get(&path).expect_error(404, None);
    let filter = "displayName eq \"displayName\"";
    scim.filter("/Groups", filter).expect_empty_list();
    new_group(&scim, "displayName");
}

/// What Microsoft's validators send beyond the documented requests.
fn validator_patches_of_groups(database: Database) {
    let server = Server::start(database);
    let scim = entra(&server);
    let member = create(&scim, "member@testuser.com")["/Users/".len()..].to_owned();
    let path = new_group(&scim, "validated");
    scim.patch(&path, &json!([])).expect(204);
    let external = json!([{"op": "replace", "value": {"externalId": "new-external"}}]);
    scim.patch(&path, &external).expect_done();
    let replace = json!([{"op": "replace", "path": "members", "value": [{"value": member}]}]);
    scim.patch(&path, &replace).expect_done();
    let unknown = json!([{"op": "add", "path": "members", "value": "string id 1"}]);
    scim.patch(&path, &unknown).expect_done();
    let read = scim.get(&path).expect(200);
    assert_eq!(read["externalId"], "new-external");
    assert_eq!(member_ids(&read.body), [member.as_str()]);
    let named = json!([{"name": "addMember", "op": "add", "path": "members",
        "value": [{"displayName": "VP", "$ref": null, "value": member}]}]);
    scim.patch(&path, &named).expect_done();
    assert_eq!(scim.get(&path).expect(200).body, read.body, "already a member");
    let both = json!([
        {"op": "add", "path": "members", "value": [{"value": member}]},
        {"op": "remove", "path": format!("members[value eq \"{member}\"]")},
    ]);
    scim.patch(&path, &both).expect_done();
    assert!(member_ids(&scim.get(&path).expect(200).body).is_empty());
}
