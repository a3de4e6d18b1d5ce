//! The extension for mappings that were made for Genesys Cloud, which a connection can be given.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    domain_7_a_genesys_mapping_works_unchanged_where_the_connection_has_the_extension,
    domain_7_without_the_extension_its_urn_is_unknown,
    domain_7_what_the_extension_says_is_what_ours_says,
);

const GENESYS: &str = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// An administrator, and a client whose connection has the extension.
fn with_alias(database: Database) -> (Server, Client, Client) {
    let (server, admin, scim) = serve_nouns(database);
    let connections = admin.filter("/Connections", "name eq \"standard\"").expect(200);
    let path = format!("/Connections/{}", connections["Resources"][0]["id"].as_str().unwrap());
    admin.patch(&path, &replace("genesysAlias", true)).expect(200);
    for (name, kind) in [("Billing", "skill"), ("Sales", "skill"), ("Spanish", "language")] {
        admin.post("/Skills", &json!({"name": name, "kind": kind})).expect(201);
    }
    (server, admin, scim)
}

fn ada() -> Value {
    json!({
        "schemas": [CORE, GENESYS],
        "userName": "ada@example.com",
        GENESYS: {
            "routingSkills": [{"name": "Billing", "proficiency": 4.5}],
            "routingLanguages": [{"name": "Spanish", "proficiency": 3}],
            "externalIds": [{"authority": "microsoftteams", "value": "t-1"}],
        },
    })
}

fn domain_7_a_genesys_mapping_works_unchanged_where_the_connection_has_the_extension(
    database: Database,
) {
    let (_server, _, scim) = with_alias(database);
    let made = scim.post("/Users", &ada()).expect(201);
    let theirs = &made[GENESYS];
    assert_eq!(theirs["routingSkills"], json!([{"name": "Billing", "proficiency": 4.5}]));
    assert_eq!(theirs["routingLanguages"], json!([{"name": "Spanish", "proficiency": 3}]));
    assert_eq!(theirs["externalIds"], json!([{"authority": "microsoftteams", "value": "t-1"}]));
    let path = format!("/Users/{}", made.id());

    // As the gallery application of Entra ID maps it.
    let teams = format!("{GENESYS}:externalIds[authority eq \"microsoftteams\"].value");
    let changed = scim.patch(&path, &replace(&teams, "t-2")).expect(200);
    assert_eq!(changed[GENESYS]["externalIds"][0]["value"], "t-2");
    let skills = format!("{GENESYS}:routingSkills");
    let sales = json!([{"name": "sales", "proficiency": 1}]);
    let changed = scim.patch(&path, &replace(&skills, sales)).expect(200);
    assert_eq!(changed[GENESYS]["routingSkills"], json!([{"name": "Sales", "proficiency": 1}]));
    assert_eq!(strings(&changed[HEADCOUNT]["skills"], "value"), ["Sales", "Spanish"]);

    for filter in [
        format!("{GENESYS}:routingSkills[name eq \"sales\" and proficiency le 1]"),
        format!("{GENESYS}:routingLanguages.name sw \"span\""),
        format!("{GENESYS}:externalIds[authority eq \"microsoftteams\" and value eq \"t-2\"]"),
    ] {
        scim.filter("/Users", &filter).expect(200).expect_user_names(&["ada@example.com"]);
    }
    let filter = format!("{GENESYS}:routingSkills.name eq \"Billing\"");
    scim.filter("/Users", &filter).expect(200).expect_empty_list();

    // What is sent back as it was read changes nothing.
    let read = scim.get(&path).expect(200);
    let sent = scim.put(&path, &read.body).expect(200);
    assert_eq!(sent["meta"]["version"], read["meta"]["version"], "{}", sent.story());
    let unknown = json!([{"name": "Juggling"}]);
    let refused = scim.patch(&path, &replace(&skills, unknown));
    refused.expect_error(400, Some("invalidValue"));
}

fn domain_7_without_the_extension_its_urn_is_unknown(database: Database) {
    let (server, admin, scim) = with_alias(database);
    let arguments = ["token", "create", "--tenant", "acme", "--connection", "plain"];
    let made = server.command(&[&arguments[..], &["--dialect", "strict"]].concat()).succeeded();
    let other = server.client_with_token(made.stdout.trim());
    let refused = other.post("/Users", &ada());
    refused.expect_error(400, Some("invalidSyntax"));
    let made = scim.post("/Users", &ada()).expect(201);
    let seen = other.get(&format!("/Users/{}", made.id())).expect(200);
    assert_eq!(seen[GENESYS], Value::Null);
    assert!(!seen["schemas"].as_array().unwrap().contains(&json!(GENESYS)));
    other.get(&format!("/Schemas/{GENESYS}")).expect_error(404, None);
    scim.get(&format!("/Schemas/{GENESYS}")).expect(200);
    let filter = format!("{GENESYS}:routingSkills pr");
    admin.filter("/Users", &filter).expect_error(400, Some("invalidFilter"));
}

fn domain_7_what_the_extension_says_is_what_ours_says(database: Database) {
    let (_server, admin, scim) = with_alias(database);
    let made = scim.post("/Users", &ada()).expect(201);
    let path = format!("/Users/{}", made.id());
    let skill_set = format!("{HEADCOUNT}:skillSet");
    admin.patch(&path, &replace(&skill_set, "Sales=2;Spanish[language]=5")).expect(200);
    let seen = scim.get(&path).expect(200);
    assert_eq!(seen[GENESYS]["routingSkills"], json!([{"name": "Sales", "proficiency": 2}]));
    assert_eq!(seen[GENESYS]["routingLanguages"], json!([{"name": "Spanish", "proficiency": 5}]));
    let both = json!({"schemas": [CORE], "userName": "bob",
        GENESYS: {"routingSkills": [{"name": "Sales"}]},
        HEADCOUNT: {"skillSet": "Billing=1"}});
    scim.post("/Users", &both).expect_error(400, Some("invalidValue"));
}
