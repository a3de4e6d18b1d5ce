//! What the fuzz targets found, kept from coming back.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

use scim_protocol::dialect::{Dialect, Leniencies, Leniency};
use scim_protocol::message::PATCH_OP;
use scim_protocol::schema::ResourceType;
use scim_protocol::{patch, resource};
use serde_json::{Value, json};

/// The roles that are kept of those that a client of the dialect `standard` sends.
fn roles(sent: &Value) -> Value {
    let user = ResourceType::user();
    let body = json!({"schemas": [user.schema.id], "userName": "ada", "roles": sent});
    let kept = resource::parse(user, &body, &mut Leniencies::new(Dialect::Standard)).unwrap();
    kept["roles"].clone()
}

#[test]
fn rfc7643_2_1_json_in_the_text_of_a_role_is_read_whatever_the_case_of_the_names() {
    let text = r#"{"value":"Admin","displayName":"Admin"}"#;
    let admin = json!([{"value": "Admin", "display": "Admin"}]);
    assert_eq!(roles(&json!([{"value": text}])), admin);
    assert_eq!(roles(&json!([{"vaLue": text}])), admin);
    assert_eq!(roles(&json!([{"value": text, "Display": "x"}])), admin);
}

#[test]
fn json_in_json_in_the_text_of_a_role_is_read_at_once() {
    let text = json!({"value": json!({"value": "Admin"}).to_string()}).to_string();
    assert_eq!(roles(&json!([{"value": text}])), json!([{"value": "Admin"}]));
}

#[test]
fn rfc7643_2_3_6_what_a_filter_describes_is_counted_when_it_is_created() {
    let user = ResourceType::user();
    let mut leniencies = Leniencies::new(Dialect::Standard);
    let path = "x509Certificates[value eq \"é\"].display";
    let body = json!({"schemas": [PATCH_OP],
        "Operations": [{"op": "add", "path": path, "value": "work"}]});
    let edits = patch::parse(user, &body, &mut leniencies).unwrap();
    let mut ada = json!({"userName": "ada"}).as_object().unwrap().clone();
    patch::apply(user, &mut ada, &edits, &mut leniencies).unwrap();
    assert_eq!(ada["x509Certificates"], json!([{"value": "é", "display": "work"}]));
    let counted: Vec<Leniency> = leniencies.fired().map(|(leniency, _)| leniency).collect();
    assert_eq!(counted, [Leniency::NotBase64, Leniency::CreateOnNoMatch]);
}
