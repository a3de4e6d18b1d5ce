//! An administrator of a tenant: its SCIM endpoint with all rights, and the verbs.

use serde_json::Value;

use super::{Answer, Client, Database, Dialect, Server, serve};

/// A client that may do everything in its tenant.
pub(crate) struct Administrator {
    pub(crate) scim: Client,
    verbs: Client,
}

/// A server, a client of one tenant that provisions people, and the tenant's administrator.
pub(crate) fn serve_admin(database: Database) -> (Server, Client, Administrator) {
    let (server, client) = serve(database, Dialect::Standard);
    let admin = Administrator::of(&server, "acme");
    (server, client, admin)
}

impl Administrator {
    /// The administrator of a tenant that there is.
    #[track_caller]
    pub(crate) fn of(server: &Server, tenant: &str) -> Self {
        let scopes = ["--scopes", "admin", "--connection", "admin"];
        let create = ["token", "create", "--tenant", tenant];
        let token = server.command(&[&create[..], &scopes].concat()).succeeded();
        Self::of_token(server, token.stdout.trim())
    }

    /// The administrator who has this token.
    pub(crate) fn of_token(server: &Server, token: &str) -> Self {
        let scim = server.client_with_token(token);
        Self { verbs: verbs_of(&scim), scim }
    }

    /// Does something with a resource or a type: `/Roles/{id}/copy`.
    #[track_caller]
    pub(crate) fn act(&self, path: &str, body: &Value) -> Answer {
        self.verbs.send("POST", path, Some(("application/json", &body.to_string())))
    }

    /// The client of the verbs.
    pub(crate) fn verbs(&self) -> &Client {
        &self.verbs
    }

    /// The resource of an endpoint that has this name.
    #[track_caller]
    pub(crate) fn named(&self, endpoint: &str, name: &str) -> Value {
        let found = self.scim.filter(endpoint, &format!("name eq {name:?}")).expect(200);
        assert_eq!(found.resources().len(), 1, "{}", found.story());
        found.resources()[0].clone()
    }
}

/// A client of the verbs with the token of another.
pub(crate) fn verbs_of(client: &Client) -> Client {
    let base_url = client.base_url().replace("/scim/v2", "/admin/v1");
    Client::new(&base_url, Some(client.token()))
}
