//! What an administrator sets up before people come: skills, divisions, seats, the tenant's policy.

use serde_json::{Value, json};

use super::{Administrator, Answer, Client, HEADCOUNT_ERROR, replace, tenant_id};

impl Administrator {
    /// Creates a resource with a name and nothing else: its path.
    #[track_caller]
    pub(crate) fn create(&self, endpoint: &str, name: &str) -> String {
        self.create_as(endpoint, &json!({"name": name}))
    }

    /// Creates a resource: its path.
    #[track_caller]
    pub(crate) fn create_as(&self, endpoint: &str, body: &Value) -> String {
        let created = self.scim.post(endpoint, body).expect(201);
        format!("{endpoint}/{}", created.id())
    }

    /// The path of the resource of an endpoint that has this name.
    #[track_caller]
    pub(crate) fn path_of(&self, endpoint: &str, name: &str) -> String {
        format!("{endpoint}/{}", self.named(endpoint, name)["id"].as_str().expect("it has an id"))
    }

    /// Sets an attribute of a resource that has this name.
    #[track_caller]
    pub(crate) fn set(&self, endpoint: &str, name: &str, path: &str, value: impl Into<Value>) {
        let resource = self.path_of(endpoint, name);
        self.scim.patch(&resource, &replace(path, value)).expect(200);
    }

    /// Sets an attribute of the tenant's policy.
    #[track_caller]
    pub(crate) fn policy(&self, path: &str, value: impl Into<Value>) {
        let tenant = format!("/Tenants/{}", tenant_id(&self.scim));
        self.scim.patch(&tenant, &replace(path, value)).expect(200);
    }

    /// How many seats of a tier are used, and how many are free, if there is a limit.
    #[track_caller]
    pub(crate) fn seats(&self, tier: &str) -> (u64, Option<u64>) {
        let tier = self.named("/LicenseTiers", tier);
        let used = tier["usedSeats"].as_u64().expect("used seats are counted");
        (used, tier["freeSeats"].as_u64())
    }

    /// Limits the seats of a tier.
    #[track_caller]
    pub(crate) fn limit(&self, tier: &str, seats: u64) {
        self.set("/LicenseTiers", tier, "totalSeats", seats);
    }
}

impl Answer {
    /// The answer, if it is a refusal of the account model with this code and rule.
    #[track_caller]
    pub(crate) fn expect_code(self, status: u16, code: &str, rule: Option<&str>) -> Self {
        let answer = self.expect(status);
        let told = &answer[HEADCOUNT_ERROR];
        assert_eq!(told["code"], code, "{}", answer.story());
        assert_eq!(told["rule"].as_str(), rule, "{}", answer.story());
        answer
    }
}

/// Creates a user: its path.
#[track_caller]
pub(crate) fn create_user(scim: &Client, body: &Value) -> String {
    format!("/Users/{}", scim.post("/Users", body).expect(201).id())
}
