//! The schemas of the account model, as data.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use scim_protocol::schema::{
    self, Attribute, DataType, Mutability, ResourceType, Returned, Schema, Uniqueness,
};
use serde_json::{Value, json};

const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

/// Every resource type, each with all the extensions it can have.
fn kinds() -> Vec<&'static ResourceType> {
    let mut kinds = ResourceType::all().to_vec();
    kinds[0] = ResourceType::user_with_genesys();
    kinds
}

fn schemas() -> Vec<&'static Schema> {
    kinds().into_iter().flat_map(ResourceType::schemas).chain(schema::of_discovery()).collect()
}

#[test]
fn every_data_file_is_in_force_and_says_each_characteristic_in_one_form() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut files = 0;
    for file in fs::read_dir(directory).unwrap() {
        let (path, text) = {
            let path = file.unwrap().path();
            (path.display().to_string(), fs::read_to_string(&path).unwrap())
        };
        if path.ends_with("common.json") {
            continue;
        }
        let found: Value = serde_json::from_str(&text).unwrap();
        let in_force = schemas().into_iter().find(|schema| found["id"] == schema.id.as_str());
        let Some(schema) = in_force else { panic!("{path} is no schema of any resource type") };
        let mut whole = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"]});
        let Value::Object(members) = serde_json::to_value(schema).unwrap() else { panic!() };
        whole.as_object_mut().unwrap().extend(members);
        let written = format!("{}\n", serde_json::to_string_pretty(&whole).unwrap());
        assert!(written == text, "{path} differs from its own form:\n{written}");
        files += 1;
    }
    assert_eq!(files, schemas().len());
}

#[test]
fn rfc7643_6_every_resource_type_has_a_name_an_endpoint_and_a_schema_of_its_own() {
    let names: Vec<_> = ResourceType::all().iter().map(|kind| kind.name).collect();
    assert_eq!(
        names,
        [
            "User",
            "Group",
            "Role",
            "Division",
            "Skill",
            "LicenseTier",
            "CapacityRule",
            "UserTemplate",
            "ProvisioningRule",
            "RehireCase",
            "ChangeLogEntry",
            "Connection",
            "Tenant",
            "ProvisioningLogEntry",
        ]
    );
    for kind in &ResourceType::all()[2..] {
        assert_eq!(
            kind.schema.id,
            format!("urn:ietf:params:scim:schemas:headcount:2.0:{}", kind.name)
        );
        assert_eq!(kind.schema.name, kind.name);
        assert!(kind.extensions.is_empty());
    }
    for kind in kinds() {
        let plural = format!("/{}s", kind.name).replace("ys", "ies");
        assert_eq!(kind.endpoint, plural);
        assert!(!kind.description.is_empty());
    }
    let urns: BTreeSet<_> = schemas().iter().map(|schema| schema.id.to_lowercase()).collect();
    assert_eq!(urns.len(), schemas().len());
    let served = ResourceType::all().map(|kind| kind.name);
    assert!(served.iter().all(|name| names.contains(name)));
}

/// What one attribute must be to make sense.
fn check(schema: &Schema, attribute: &Attribute, parent: Option<&Attribute>) {
    let name = format!("{} {}", schema.id, attribute.name);
    assert!(attribute.description.ends_with('.'), "{name} is described in a sentence");
    assert_eq!(attribute.is_complex(), !attribute.sub_attributes.is_empty(), "{name}");
    assert!(!(attribute.is_complex() && parent.is_some()), "{name}: RFC 7643 section 2.3.8");
    let is_reference = attribute.data_type == DataType::Reference;
    assert_eq!(is_reference, !attribute.reference_types.is_empty(), "{name}");
    assert!(!is_reference || attribute.case_exact, "{name}: RFC 7643 section 2.3.7");
    let is_string = attribute.data_type == DataType::String;
    assert!(is_string || attribute.canonical_values.is_empty(), "{name}");
    let hidden = attribute.mutability == Mutability::WriteOnly;
    assert_eq!(hidden, attribute.returned == Returned::Never, "{name}: RFC 7643 section 7");
    if let Some(parent) = parent {
        let both = [parent.mutability, attribute.mutability];
        assert!(both != [Mutability::ReadOnly, Mutability::ReadWrite], "{name} can be written");
        assert!(parent.returned != Returned::Never, "{name}");
    }
    let names: BTreeSet<_> =
        attribute.sub_attributes.iter().map(|sub| sub.name.to_lowercase()).collect();
    assert_eq!(names.len(), attribute.sub_attributes.len(), "{name}");
}

#[test]
fn rfc7643_7_the_characteristics_of_every_attribute_fit_together() {
    for schema in kinds().into_iter().flat_map(ResourceType::schemas) {
        let names: BTreeSet<_> = schema.attributes.iter().map(|a| a.name.to_lowercase()).collect();
        assert_eq!(names.len(), schema.attributes.len(), "{}", schema.id);
        assert!(schema.description.ends_with('.'), "{}", schema.id);
        for attribute in &schema.attributes {
            check(schema, attribute, None);
            for sub in &attribute.sub_attributes {
                check(schema, sub, Some(attribute));
            }
        }
    }
}

#[test]
fn rfc7643_3_1_no_resource_type_has_an_attribute_named_as_a_common_one() {
    for kind in kinds() {
        for common in ResourceType::common_attributes() {
            assert_eq!(kind.schema.attribute(&common.name), None, "{}", kind.name);
        }
    }
}

/// One row: the type (`*` for many values), who writes it, when it is returned, and `exact` or
/// `server` where the case of values or their uniqueness counts.
fn row(attribute: &Attribute) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = serde_json::to_value(attribute).unwrap();
    let list = if attribute.multi_valued { "*" } else { "" };
    let mut row = format!(
        "{}{list} {} {}",
        text(&all["type"]),
        text(&all["mutability"]),
        text(&all["returned"])
    );
    if attribute.case_exact {
        row.push_str(" exact");
    }
    if attribute.uniqueness == Uniqueness::Server {
        row.push_str(" server");
    }
    row
}

/// The rows of a schema, by path.
fn rows(schema: &Schema) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for attribute in &schema.attributes {
        rows.insert(attribute.name.clone(), row(attribute));
        for sub in &attribute.sub_attributes {
            rows.insert(format!("{}.{}", attribute.name, sub.name), row(sub));
        }
    }
    rows
}

#[test]
fn rfc7643_7_the_account_model_s_extension_of_user_has_these_characteristics() {
    let expected = [
        ("licenseTier", "string readWrite default"),
        ("pendingLicenseTier", "string readOnly default"),
        ("division", "string readWrite default"),
        ("divisionId", "string readOnly default exact"),
        ("roleGrants", "complex* readWrite default"),
        ("roleGrants.role", "string readWrite default"),
        ("roleGrants.roleId", "string readOnly default exact"),
        ("roleGrants.division", "string readWrite default"),
        ("roleGrants.source", "string readOnly default"),
        ("roleGrants.effective", "boolean readOnly default"),
        ("effectiveRoles", "complex* readOnly request"),
        ("effectiveRoles.role", "string readOnly default"),
        ("effectiveRoles.division", "string readOnly default"),
        ("effectiveRoles.via", "string readOnly default"),
        ("effectiveRoles.group", "string readOnly default"),
        ("effectivePermissions", "string* readOnly request exact"),
        ("blockedPermissionCount", "integer readOnly default"),
        ("blockedPermissions", "string* readOnly request exact"),
        ("agent", "boolean readWrite default"),
        ("skills", "complex* readWrite default"),
        ("skills.value", "string readWrite default"),
        ("skills.type", "string readWrite default"),
        ("skills.proficiency", "decimal readWrite default"),
        ("skills.active", "boolean readWrite default"),
        ("skills.display", "string readOnly default"),
        ("skillSet", "string readWrite default"),
        ("capacityRule", "string readWrite default"),
        ("site", "string readWrite default"),
        ("businessUnits", "string* readWrite default"),
        ("template", "string writeOnly never"),
        ("externalIds", "complex* readWrite default exact server"),
        ("externalIds.authority", "string readWrite default exact"),
        ("externalIds.value", "string readWrite default exact"),
        ("accountState", "string readOnly default"),
        ("activatedAt", "dateTime readOnly default"),
        ("activationSentAt", "dateTime readOnly default"),
        ("activationExpiresAt", "dateTime readOnly default"),
        ("activationExpired", "boolean readOnly default"),
        ("lastLogin", "dateTime readOnly default"),
        ("lockedUntil", "dateTime readOnly default"),
        ("seatAssignedAt", "dateTime readOnly default"),
        ("deactivatedAt", "dateTime readOnly default"),
        ("deactivationReason", "string readWrite default"),
        ("dependencies", "complex* readOnly request"),
        ("dependencies.kind", "string readOnly default"),
        ("dependencies.ref", "string readOnly default"),
        ("dependencies.disposition", "string readOnly default"),
    ];
    let expected: BTreeMap<_, _> =
        expected.map(|(path, row)| (path.to_owned(), row.to_owned())).into();
    let schema = ResourceType::user().extension(HEADCOUNT).unwrap();
    assert_eq!(rows(schema), expected);
    let canonical = |name: &str| schema.attribute(name).unwrap().canonical_values.join(" ");
    assert_eq!(canonical("licenseTier"), "CX1 CX2D CX2 CX3D CX3 CX4");
    assert_eq!(canonical("accountState"), "pendingActivation active locked deactivated");
}

#[test]
fn rfc7643_7_the_account_model_s_extension_of_group_has_these_characteristics() {
    let expected = [
        ("kind", "string immutable default"),
        ("enabled", "boolean readWrite default"),
        ("description", "string readWrite default"),
        ("roleGrants", "complex* readWrite default"),
        ("roleGrants.role", "string readWrite default"),
        ("roleGrants.roleId", "string readOnly default exact"),
        ("roleGrants.division", "string readWrite default"),
        ("managers", "complex* readWrite default"),
        ("managers.value", "string readWrite default exact"),
        ("managers.$ref", "reference readWrite default exact"),
        ("managers.display", "string readOnly default"),
        ("capacityRule", "string readWrite default"),
        ("businessUnit", "string readWrite default"),
        ("site", "string readWrite default"),
        ("priority", "integer readWrite default"),
        ("memberCount", "integer readOnly request"),
    ];
    let expected: BTreeMap<_, _> =
        expected.map(|(path, row)| (path.to_owned(), row.to_owned())).into();
    assert_eq!(rows(&ResourceType::group().extensions[0].schema), expected);
}

#[test]
fn rfc7643_4_1_roles_are_the_client_s_and_entitlements_the_server_s() {
    let rows = rows(&ResourceType::user().schema);
    for sub in ["value", "display", "type", "primary"] {
        let of = |attribute: &str| rows[&format!("{attribute}.{sub}")].clone();
        assert!(of("roles").ends_with(" readWrite default"), "{sub}");
        assert!(of("entitlements").ends_with(" readOnly default"), "{sub}");
    }
    assert_eq!(rows["roles"], "complex* readWrite default");
    assert_eq!(rows["entitlements"], "complex* readOnly request");
}
