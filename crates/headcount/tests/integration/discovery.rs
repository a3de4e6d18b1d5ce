//! What the server says about itself, to anyone who asks.

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    rfc7643_5_service_provider_config,
    rfc7643_6_resource_types,
    rfc7643_7_schemas,
    rfc7644_4_discovery_is_read_only_and_not_filtered,
);

fn rfc7643_5_service_provider_config(database: Database) {
    let server = Server::start(database);
    let config = server.anonymous().get("/ServiceProviderConfig").expect(200).expect_scim_content();
    let schema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    assert_eq!(config["schemas"], json!([schema]));
    for feature in ["patch", "filter", "sort", "etag"] {
        assert_eq!(config[feature]["supported"], true, "{feature}: {}", config.story());
    }
    let bulk = json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576});
    assert_eq!(config["bulk"], bulk);
    assert_eq!(config["filter"]["maxResults"], 200);
    assert!(config["changePassword"]["supported"].is_boolean());
    let schemes = &config["authenticationSchemes"];
    assert_eq!(strings(schemes, "type"), ["oauthbearertoken", "oauth2", "httpbasic"]);
    assert_eq!(schemes.as_array().unwrap().iter().filter(|one| one["primary"] == true).count(), 1);
    assert!(!strings(schemes, "name").is_empty() && !strings(schemes, "description").is_empty());
    assert_eq!(config["meta"]["resourceType"], "ServiceProviderConfig");
    let location = format!("{}/ServiceProviderConfig", server.base_url());
    assert_eq!(config["meta"]["location"], location);
}

fn rfc7643_6_resource_types(database: Database) {
    let server = Server::start(database);
    let scim = server.anonymous();
    let list = scim.get("/ResourceTypes").expect(200).expect_scim_content();
    assert_eq!(list["schemas"], json!([LIST_RESPONSE]));
    assert_eq!(list["totalResults"], list.resources().len());
    for (id, endpoint, schema) in [("User", "/Users", USER), ("Group", "/Groups", GROUP)] {
        let found = element(&list["Resources"], "id", id);
        assert_eq!(found["endpoint"], endpoint, "{}", list.story());
        assert_eq!(found["schema"], schema);
        assert_eq!(found["name"], id);
        assert_eq!(found["meta"]["resourceType"], "ResourceType");
        let one = scim.get(&format!("/ResourceTypes/{id}")).expect(200);
        assert_eq!(one.body, *found);
    }
    let user_type = element(&list["Resources"], "id", "User");
    let extension = element(&user_type["schemaExtensions"], "schema", ENTERPRISE);
    assert_eq!(extension["required"], false, "{}", list.story());
    scim.get("/ResourceTypes/Spaceship").expect_error(404, None);
}

fn rfc7643_7_schemas(database: Database) {
    let server = Server::start(database);
    let scim = server.anonymous();
    let list = scim.get("/Schemas").expect(200).expect_scim_content();
    assert_eq!(list["totalResults"], list.resources().len());
    for urn in [USER, GROUP, ENTERPRISE] {
        let one = scim.get(&format!("/Schemas/{urn}")).expect(200);
        assert_eq!(one["id"], urn);
        assert_eq!(one["meta"]["resourceType"], "Schema");
        assert_eq!(one.body, *element(&list["Resources"], "id", urn));
        assert_described(&one["attributes"]);
    }
    scim.get("/Schemas/urn:example:none").expect_error(404, None);

    let attributes = &element(&list["Resources"], "id", USER)["attributes"];
    let user_name = element(attributes, "name", "userName");
    assert_eq!(user_name["required"], true);
    assert_eq!(user_name["caseExact"], false);
    assert_eq!(user_name["uniqueness"], "server");
    assert_eq!(user_name["mutability"], "readWrite");
    let password = element(attributes, "name", "password");
    assert_eq!(password["returned"], "never");
    assert_eq!(password["mutability"], "writeOnly");
    assert_eq!(element(attributes, "name", "active")["type"], "boolean");
    assert_eq!(element(attributes, "name", "groups")["mutability"], "readOnly");
    let emails = element(attributes, "name", "emails");
    assert_eq!(emails["multiValued"], true);
    let types = element(&emails["subAttributes"], "name", "type")["canonicalValues"].to_string();
    assert!(types.contains("\"work\"") && types.contains("\"home\""), "{types}");
}

/// Every attribute says all that RFC 7643 section 7 asks for.
#[track_caller]
fn assert_described(attributes: &Value) {
    let attributes = attributes.as_array().expect("a schema has attributes");
    for attribute in attributes {
        let name = attribute["name"].as_str().expect("an attribute has a name");
        for text in ["type", "mutability", "returned"] {
            assert!(attribute[text].is_string(), "{name} has {text}: {attribute}");
        }
        for flag in ["multiValued", "required"] {
            assert!(attribute[flag].is_boolean(), "{name} has {flag}: {attribute}");
        }
        let parts = &attribute["subAttributes"];
        assert_eq!(attribute["type"] == "complex", parts.is_array(), "{name}: {attribute}");
        if parts.is_array() {
            assert_described(parts);
        }
    }
}

fn rfc7644_4_discovery_is_read_only_and_not_filtered(database: Database) {
    let server = Server::start(database);
    let scim = server.tenant("acme").client(Dialect::Standard);
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        let all = scim.get(path).expect(200);
        assert_eq!(scim.get(&format!("{path}?count=1&sortBy=id")).expect(200).body, all.body);
        let strangers = server.anonymous().get(path).expect(200);
        // What the tenant has for its names is told to those who have a token.
        let is_the_same = path != "/Schemas";
        assert_eq!(strangers.body == all.body, is_the_same, "{path}");
        assert_eq!(strangers["totalResults"], all["totalResults"]);
        for method in ["POST", "PUT", "PATCH"] {
            let answer = scim.json(method, path, &json!({})).expect_error(405, None);
            assert!(answer.header("allow").is_some_and(|allow| allow.contains("GET")));
        }
        scim.delete(path).expect_error(405, None);
    }
    for path in ["/ResourceTypes", "/Schemas"] {
        scim.filter(path, "id eq \"User\"").expect_error(403, None);
    }
    scim.delete(&format!("/Schemas/{USER}")).expect_error(405, None);
    scim.delete("/ResourceTypes/User").expect_error(405, None);
}
