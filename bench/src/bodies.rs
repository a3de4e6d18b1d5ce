//! What identity providers send. Every name is made from a run and a number, so that no two are
//! alike.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Reply;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

const GIVEN: [&str; 16] = [
    "Mira", "Jonas", "Aisha", "Pavel", "Lucia", "Tomas", "Ingrid", "Kwame", "Sofia", "Hiroshi",
    "Elena", "Marcus", "Priya", "Liam", "Noor", "Anton",
];
const FAMILY: [&str; 16] = [
    "Okafor",
    "Lindqvist",
    "Haddad",
    "Novak",
    "Marino",
    "Berg",
    "Tanaka",
    "Mensah",
    "Costa",
    "Fischer",
    "Petrov",
    "Walsh",
    "Nair",
    "Silva",
    "Jansen",
    "Moreau",
];
const TITLES: [&str; 4] = ["Agent", "Senior Agent", "Team Lead", "Workforce Planner"];
const DEPARTMENTS: [&str; 5] = ["Sales", "Support", "Retention", "Back Office", "Claims"];

/// Who a request is about: one of many people of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// The name that logs in, which is the e-mail address too.
    pub user_name: String,
    /// The identifier that the identity provider has for the person, 20 characters as Okta's.
    pub external_id: String,
    number: u64,
}

impl Newcomer {
    /// The person with a number in a run.
    pub fn new(run: &str, number: u64) -> Self {
        let (given, family) = names(number);
        let user_name = format!("{given}.{family}.{run}.{number:07}@example.com").to_lowercase();
        Self { user_name, external_id: format!("00u{run}{number:0>9}"), number }
    }

    /// What Okta sends to create the person: the profile that an administrator maps, and a password
    /// that is sent whether asked for or not.
    pub fn create(&self) -> Value {
        let mut body = self.profile(TITLES[at(self.number, TITLES.len())]);
        body["groups"] = json!([]);
        body["password"] = json!("1mz050nq");
        body
    }

    /// What is sent to create somebody who does not work yet.
    pub fn create_inactive(&self) -> Value {
        let mut body = self.create();
        body["active"] = json!(false);
        body
    }

    /// The profile with a title.
    fn profile(&self, title: &str) -> Value {
        let (given, family) = names(self.number);
        profile(&self.user_name, &self.external_id, given, family, title, self.number)
    }
}

/// What Okta sends to change somebody it has read: the whole profile.
pub fn put(id: &str, user_name: &str, external_id: &str, title: &str, number: u64) -> Value {
    let (given, family) = names(number);
    let mut body = profile(user_name, external_id, given, family, title, number);
    body["id"] = json!(id);
    body["groups"] = json!([]);
    body["meta"] = json!({"resourceType": "User"});
    body
}

fn profile(
    user_name: &str,
    external_id: &str,
    given: &str,
    family: &str,
    title: &str,
    number: u64,
) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": user_name,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": true, "value": user_name, "type": "work"}],
        "displayName": format!("{given} {family}"),
        "title": title,
        "phoneNumbers": [{"value": format!("+1 555 {:07}", number % 10_000_000), "type": "work"}],
        "locale": "en-US",
        "timezone": "America/Chicago",
        "externalId": external_id,
        "active": true,
        ENTERPRISE: {
            "department": DEPARTMENTS[at(number, DEPARTMENTS.len())],
            "costCenter": format!("{}", 1000 + number % 50),
            "organization": "Example Contact Centre",
        },
    })
}

fn names(number: u64) -> (&'static str, &'static str) {
    (GIVEN[at(number, GIVEN.len())], FAMILY[at(number / 16, FAMILY.len())])
}

fn at(number: u64, length: usize) -> usize {
    (number % length as u64) as usize
}

/// A new group with nobody in it.
pub fn group(display_name: &str) -> Value {
    json!({"schemas": [GROUP], "displayName": display_name, "members": []})
}

/// A PATCH of one attribute, without a path, as Okta sends it.
pub fn set(attribute: &str, value: impl Into<Value>) -> Value {
    patch(&json!({"op": "replace", "value": {attribute: value.into()}}))
}

/// A PATCH that adds members to a group.
pub fn add_members<'a>(ids: impl IntoIterator<Item = &'a str>) -> Value {
    let members: Vec<Value> = ids.into_iter().map(|id| json!({"value": id})).collect();
    patch(&json!({"op": "add", "path": "members", "value": members}))
}

/// A PATCH that takes one member out of a group, as Okta sends it.
pub fn remove_member(id: &str) -> Value {
    patch(&json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": [PATCH], "Operations": [operation]})
}

/// A bulk request that creates people (RFC 7644 section 3.7).
pub fn bulk(people: &[Newcomer]) -> Value {
    let operation = |(number, person): (usize, &Newcomer)| {
        let bulk_id = number.to_string();
        json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": person.create()})
    };
    let operations: Vec<Value> = people.iter().enumerate().map(operation).collect();
    json!({"schemas": [BULK], "Operations": operations})
}

/// The operations of a bulk answer that did not succeed, for people.
///
/// # Errors
/// If it is no bulk answer.
pub fn refused(reply: &Reply) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Answers {
        #[serde(rename = "Operations")]
        operations: Vec<Operation>,
    }
    #[derive(Deserialize)]
    struct Operation {
        /// A text in the RFC, a number of some servers.
        status: Value,
        response: Option<Value>,
    }
    let answers: Answers = reply.json()?;
    ensure!(!answers.operations.is_empty(), "no operation was answered: {}", reply.story());
    let story = |operation: &Operation| {
        let status = operation.status.to_string().trim_matches('"').to_owned();
        let response = operation.response.as_ref().map(Value::to_string).unwrap_or_default();
        (!status.starts_with('2')).then(|| format!("{status} {response}"))
    };
    Ok(answers.operations.iter().filter_map(story).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_names_of_their_own() {
        let (one, two) = (Newcomer::new("r1", 3), Newcomer::new("r1", 4));
        assert_eq!(one, Newcomer::new("r1", 3));
        assert_ne!(one.user_name, two.user_name);
        assert_ne!(one.external_id, two.external_id);
        assert_ne!(one.user_name, Newcomer::new("r2", 3).user_name);
        assert_eq!(one.create()["emails"][0]["value"], one.user_name);
    }

    #[test]
    fn rfc7644_3_7_a_bulk_request_creates_everybody() {
        let people: Vec<Newcomer> = (0..3).map(|number| Newcomer::new("r", number)).collect();
        let body = bulk(&people);
        let operations = body["Operations"].as_array().unwrap();
        assert_eq!(operations.len(), 3);
        assert_eq!(operations[2]["data"]["userName"], people[2].user_name);
        assert!(
            bulk(&(0..1000).map(|n| Newcomer::new("xxxxxxxx", n)).collect::<Vec<_>>())
                .to_string()
                .len()
                < 1 << 20,
            "a limit of many servers"
        );
        assert_eq!(
            (&operations[2]["method"], &operations[2]["bulkId"]),
            (&json!("POST"), &json!("2"))
        );
    }

    #[test]
    fn what_bulk_refused_is_told() {
        let reply = |text: &'static str| Reply { status: 200, body: text.as_bytes().into() };
        let mixed =
            reply(r#"{"Operations":[{"status":"201"},{"status":409,"response":{"detail":"x"}}]}"#);
        assert_eq!(refused(&mixed).unwrap(), ["409 {\"detail\":\"x\"}"]);
        assert!(refused(&reply(r#"{"Operations":[]}"#)).is_err());
    }

    #[test]
    fn a_member_is_taken_out_by_a_filter() {
        let body = remove_member("abc");
        assert_eq!(body["Operations"][0]["path"], "members[value eq \"abc\"]");
    }
}
