//! What the fuzz targets share: resources to work on, and JSON made of arbitrary bytes.
//!
//! Bytes that are JSON are taken as they are, so that seeds can be read and written by people. Any
//! others choose among the names and types of the schemas, which gets much further than noise.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use scim_protocol::dialect::{Dialect, Leniencies, Leniency};
use scim_protocol::message::PATCH_OP;
use scim_protocol::schema::{Attribute, DataType, ResourceType};
use scim_protocol::{Object, resource};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
const HEADCOUNT_GROUP: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:Group";
const GENESYS: &str = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User";

/// Texts that mean something somewhere.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "a",
    "A",
    "b",
    "work",
    "Work",
    "home",
    "a;B",
    "language",
    "True",
    "false",
    "0",
    "ß",
    "SS",
    "İ",
    "é",
    "e\u{301}",
    "%",
    "2026-01-01T00:00:00+01:00",
    "{\"value\":\"x\"}",
    "\0",
];

/// Every dialect.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().map(|(_, dialect)| dialect)
}

/// The kinds of resources that have extensions, with all of them: the others have no attribute
/// that these have not the like of, and would take most of the time.
pub fn kinds() -> impl Iterator<Item = &'static ResourceType> {
    [ResourceType::user_with_genesys(), ResourceType::group()].into_iter()
}

static SAMPLES: LazyLock<Vec<Object>> = LazyLock::new(|| kinds().map(kept).collect());
static RENDERED: LazyLock<Vec<Object>> = LazyLock::new(|| kinds().map(as_sent).collect());

/// Each kind of resource, with one of them as it is kept.
pub fn samples() -> impl Iterator<Item = (&'static ResourceType, &'static Object)> {
    kinds().zip(SAMPLES.iter())
}

/// Each kind of resource, with one of them as a client is sent it.
pub fn rendered() -> impl Iterator<Item = (&'static ResourceType, &'static Object)> {
    kinds().zip(RENDERED.iter())
}

fn kept(kind: &'static ResourceType) -> Object {
    let body = if kind.name == "Group" { group() } else { user() };
    let mut leniencies = Leniencies::new(Dialect::Strict);
    resource::parse(kind, &body, &mut leniencies).expect("the sample is a resource")
}

/// With what only the server assigns.
fn as_sent(kind: &'static ResourceType) -> Object {
    let kept = kept(kind);
    let mut resource = Object::new();
    resource.insert("schemas".to_owned(), resource::schemas(kind, &kept).into());
    resource.insert("id".to_owned(), "2819c223-7f76-453a-919d-413861904646".into());
    resource.extend(kept);
    if kind.name == "User" {
        let groups = json!([{"value": "e9e30dba-f08f-4109-8486-d5c6a331660a", "display": "Tours",
            "$ref": "https://x.example/Groups/e9e30dba", "type": "direct"}]);
        resource.insert("groups".to_owned(), groups);
    }
    let meta = json!({"resourceType": kind.name, "created": "2010-01-23T04:56:22.123456Z",
        "lastModified": "2011-05-13T04:42:34Z", "version": "W/\"3\"",
        "location": "https://x.example/2819c223"});
    resource.insert("meta".to_owned(), meta);
    resource
}

/// Whether what was read leniently may be refused by the RFC alone: text that is not base64 is kept
/// as it was sent.
pub fn is_lenient(used: &Leniencies) -> bool {
    used.fired().any(|(leniency, _)| leniency == Leniency::NotBase64)
}

/// The kept form sent in again under the RFC alone, which must change nothing.
pub fn sent_again(kind: &'static ResourceType, kept: &Object) -> Object {
    let mut body = kept.clone();
    body.insert("schemas".to_owned(), resource::schemas(kind, kept).into());
    let mut leniencies = Leniencies::new(Dialect::Strict);
    match resource::parse(kind, &Value::Object(body), &mut leniencies) {
        Ok(again) => again,
        Err(error) => panic!("{error:?}: {}", in_text(kept)),
    }
}

/// The text of a resource, in which the order of its attributes counts.
pub fn in_text(resource: &Object) -> String {
    serde_json::to_string(resource).expect("every key is text")
}

/// The body of a POST or PUT.
pub fn body(kind: &'static ResourceType, bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let mut body = members_of(kind, &mut Unstructured::new(bytes)).unwrap_or_default();
        for attribute in kind.schema.attributes.iter().filter(|attribute| attribute.required) {
            body.entry(&attribute.name).or_insert_with(|| "ada".into());
        }
        body.insert("schemas".to_owned(), json!([kind.schema.id]));
        Value::Object(body)
    })
}

/// The body of a PATCH.
pub fn patch(kind: &'static ResourceType, bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let mut bytes = Unstructured::new(bytes);
        let mut operations = Vec::new();
        while !bytes.is_empty() && operations.len() < 8 {
            operations.extend(operation(kind, &mut bytes));
        }
        json!({"schemas": [PATCH_OP], "Operations": operations})
    })
}

fn operation(kind: &'static ResourceType, bytes: &mut Unstructured) -> Result<Value> {
    let mut operation = json!({"op": bytes.choose(&["add", "remove", "replace", "Add"])?});
    if bytes.ratio(1, 6)? {
        operation["value"] = members_of(kind, bytes)?.into();
        return Ok(operation);
    }
    let (prefix, attributes) = schema(kind, bytes)?;
    let attribute = bytes.choose(attributes)?;
    let sub = match attribute.sub_attributes.as_slice() {
        [] => None,
        subs => bytes.arbitrary::<bool>()?.then(|| bytes.choose(subs)).transpose()?,
    };
    let mut path = format!("{prefix}{}", attribute.name);
    if attribute.is_complex() && bytes.arbitrary()? {
        path = format!("{path}[{}]", filter(attribute, bytes)?);
    }
    if let Some(sub) = sub {
        path = format!("{path}.{}", sub.name);
    }
    operation["path"] = path.into();
    if operation["op"] != "remove" || bytes.ratio(1, 4)? {
        operation["value"] = match sub {
            Some(sub) => value(sub, bytes)?,
            // The elements that a filter selects are each given the same object.
            None if bytes.ratio(1, 3)? => single(attribute, bytes)?,
            None => value(attribute, bytes)?,
        };
    }
    Ok(operation)
}

fn filter(attribute: &Attribute, bytes: &mut Unstructured) -> Result<String> {
    let mut terms = Vec::new();
    loop {
        let sub = &bytes.choose(&attribute.sub_attributes)?.name;
        let operator = bytes.choose(&["eq", "eq", "eq", "ne", "co", "sw", "gt", "pr"])?;
        terms.push(match *operator {
            "pr" => format!("{sub} pr"),
            _ => format!("{sub} {operator} {}", leaf(bytes)?),
        });
        if terms.len() == 3 || bytes.ratio(2, 3)? {
            return Ok(terms.join(bytes.choose(&[" and ", " or "])?));
        }
    }
}

/// One of the schemas of a kind, with what comes before the names of its attributes in a path.
fn schema(
    kind: &'static ResourceType,
    bytes: &mut Unstructured,
) -> Result<(String, &'static [Attribute])> {
    Ok(match kind.extensions.as_slice() {
        [] => (String::new(), &kind.schema.attributes),
        extensions if bytes.ratio(1, 5)? => {
            let schema = &bytes.choose(extensions)?.schema;
            (format!("{}:", schema.id), &schema.attributes)
        }
        _ => (String::new(), &kind.schema.attributes),
    })
}

/// Some attributes of a kind, and of one of its extensions.
fn members_of(kind: &'static ResourceType, bytes: &mut Unstructured) -> Result<Object> {
    let mut members = members(&kind.schema.attributes, bytes)?;
    if !kind.extensions.is_empty() && bytes.ratio(1, 3)? {
        let extension = bytes.choose(&kind.extensions)?;
        let of_extension = self::members(&extension.schema.attributes, bytes)?;
        members.insert(extension.schema.id.clone(), of_extension.into());
    }
    if bytes.ratio(1, 4)? {
        let name = *bytes.choose(&["externalId", "id", "meta", "nonsense", "USERNAME"])?;
        members.insert(name.to_owned(), anything(bytes, 2)?);
    }
    Ok(members)
}

fn members(attributes: &[Attribute], bytes: &mut Unstructured) -> Result<Object> {
    let mut members = Object::new();
    for _ in 0..bytes.int_in_range(0..=5)? {
        let attribute = bytes.choose(attributes)?;
        members.insert(attribute.name.clone(), value(attribute, bytes)?);
    }
    Ok(members)
}

/// A value that mostly has the type of the attribute.
fn value(attribute: &Attribute, bytes: &mut Unstructured) -> Result<Value> {
    if attribute.multi_valued && !bytes.ratio(1, 10)? {
        let count = bytes.int_in_range(0..=3)?;
        return (0..count).map(|_| single(attribute, bytes)).collect();
    }
    single(attribute, bytes)
}

fn single(attribute: &Attribute, bytes: &mut Unstructured) -> Result<Value> {
    if bytes.ratio(1, 12)? {
        return anything(bytes, 3);
    }
    Ok(match attribute.data_type {
        DataType::Complex => members(&attribute.sub_attributes, bytes)?.into(),
        DataType::Boolean => bytes.arbitrary::<bool>()?.into(),
        DataType::Integer => bytes.int_in_range(-2..=5)?.into(),
        DataType::Decimal => (f64::from(bytes.int_in_range(-2..=11_i8)?) / 2.0).into(),
        DataType::DateTime => "2026-01-01T00:00:00+01:00".into(),
        _ => text(bytes)?.into(),
    })
}

fn leaf(bytes: &mut Unstructured) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=9)? {
        0 => Value::Null,
        1 | 2 => bytes.arbitrary::<bool>()?.into(),
        3 => bytes.arbitrary::<i64>()?.into(),
        4 => bytes.arbitrary::<f64>()?.into(),
        _ => text(bytes)?.into(),
    })
}

fn text(bytes: &mut Unstructured) -> Result<String> {
    if bytes.ratio(1, 8)? {
        return String::arbitrary(bytes);
    }
    Ok((*bytes.choose(&TEXTS)?).to_owned())
}

fn anything(bytes: &mut Unstructured, depth: usize) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=if depth == 0 { 3 } else { 5 })? {
        4 => {
            let count = bytes.int_in_range(0..=2)?;
            (0..count).map(|_| anything(bytes, depth - 1)).collect::<Result<_>>()?
        }
        5 => {
            let mut members = Object::new();
            for _ in 0..bytes.int_in_range(0..=2)? {
                let name =
                    *bytes.choose(&["value", "type", "primary", "VALUE", "x", ENTERPRISE])?;
                members.insert(name.to_owned(), anything(bytes, depth - 1)?);
            }
            members.into()
        }
        _ => leaf(bytes)?,
    })
}

fn user() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE, HEADCOUNT, GENESYS],
        "externalId": "701984", "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen",
            "givenName": "Barbara", "honorificSuffix": "III"},
        "displayName": "Babs Jensen", "nickName": "Babs", "title": "Straße 100%", "active": true,
        "profileUrl": "https://login.example.com/bjensen", "userType": "Employee",
        "preferredLanguage": "en-US", "locale": "tr-TR", "timezone": "America/Los_Angeles",
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.example", "type": "home"}],
        "phoneNumbers": [{"value": "tel:555-555-5555", "type": "work"},
            {"value": "tel:555-555-4444", "type": "mobile"}],
        "addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza",
            "locality": "İzmir", "postalCode": "91608", "country": "TR", "primary": true}],
        "ims": [{"value": "someaimhandle", "type": "aim"}],
        "photos": [{"value": "https://photos.example.com/p", "type": "photo"}],
        "roles": [{"value": "Admin", "display": "Admin"}],
        "x509Certificates": [{"value": "MIIDQzCCAqyg"}],
        (ENTERPRISE): {"employeeNumber": "701984", "department": "Tour Operations",
            "manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d",
                "$ref": "https://x.example/Users/26118915"}},
        (HEADCOUNT): {"licenseTier": "CX2", "agent": true, "skillSet": "Billing=4",
            "roleGrants": [{"role": "Agent", "division": "*"}, {"role": "Agent"}],
            "skills": [{"value": "Billing", "type": "skill", "proficiency": 4.5, "active": true},
                {"value": "billing", "type": "language"}],
            "businessUnits": ["Sales", "Support"],
            "externalIds": [{"authority": "hr", "value": "7"}, {"authority": "crm", "value": "7"}]},
        (GENESYS): {"routingSkills": [{"name": "Billing", "proficiency": 4}]},
    })
}

fn group() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", HEADCOUNT_GROUP],
        "externalId": "g", "displayName": "Tour Guides",
        "members": [
            {"value": "2819c223-7f76-453a-919d-413861904646", "type": "User"},
            {"value": "902c246b-6245-4190-8e05-00816be7344a",
                "$ref": "https://x.example/Users/902c246b"}],
        (HEADCOUNT_GROUP): {"kind": "agent", "enabled": false, "priority": 7,
            "roleGrants": [{"role": "Agent", "division": "Home"}],
            "managers": [{"value": "2819c223-7f76-453a-919d-413861904646"}]},
    })
}
