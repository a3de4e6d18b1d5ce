//! Microsoft Entra ID: what the replays of its users and groups share.

use serde_json::{Value, json};

use crate::harness::*;

/// The two ways in which Entra writes a PATCH; the second is asked for with
/// `?aadOptscim062020` behind the tenant's URL.
#[derive(Clone, Copy)]
pub(crate) enum Flavour {
    Classic,
    Flagged,
}

impl Flavour {
    pub(crate) const BOTH: [Self; 2] = [Self::Classic, Self::Flagged];

    /// The operations that disable or restore a user.
    pub(crate) fn activity(self, active: bool) -> Value {
        match self {
            Self::Classic => {
                let text = if active { "True" } else { "False" };
                json!([{"op": "Replace", "path": "active", "value": text}])
            }
            Self::Flagged => json!([{"op": "replace", "path": "active", "value": active}]),
        }
    }

    /// The operations that remove one member of a group.
    pub(crate) fn member_removal(self, id: &str) -> Value {
        match self {
            Self::Classic => json!([{"op": "Remove", "path": "members",
                "value": [{"$ref": null, "value": id}]}]),
            Self::Flagged => {
                json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])
            }
        }
    }
}

pub(crate) fn entra(server: &Server) -> Client {
    let client = server.tenant("acme").client(Dialect::Entra);
    client.with_header("Content-Type", "application/scim+json; charset=utf-8")
}

/// E3, with its roles.
pub(crate) fn new_user(name: &str, roles: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "externalId": format!("external-{name}"), "userName": name, "active": true,
        "emails": [{"primary": true, "type": "work", "value": name}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName",
            "givenName": "givenName"},
        "roles": roles})
}

/// The path of a new user.
pub(crate) fn create(scim: &Client, name: &str) -> String {
    format!("/Users/{}", scim.post("/Users", &new_user(name, &json!([]))).expect(201).id())
}
