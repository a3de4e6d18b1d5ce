//! Okta's discovery of entitlements (O16).

use serde_json::Value;

use super::Okta;
use crate::http::{Request, Unreachable};

/// The schemas of what Okta takes for entitlements.
const ENTITLEMENTS: [&str; 2] =
    ["urn:okta:scim:schemas:core:1.0:Role", "urn:okta:scim:schemas:core:1.0:Entitlement"];
/// The schemas that Okta knows, and does not look up.
const KNOWN: &str = "urn:ietf:params:scim:schemas:";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    types: usize,
    found: u64,
}

impl Discovered {
    pub(super) fn note(&self) -> String {
        let Self { types, found } = self;
        format!("entitlement discovery found {found} entitlements of {types} types")
    }
}

impl Okta {
    /// Reads the resource types, the schemas of extensions that it does not know, and the first
    /// page of every endpoint of entitlements.
    pub(super) fn discover_entitlements(&mut self) -> Result<(), Unreachable> {
        let answer = self.client.send(&Request::get("discover entitlements", "/ResourceTypes"))?;
        if !self.judge("discover entitlements", "/ResourceTypes", &answer) {
            return Ok(());
        }
        let types: Vec<&Value> =
            answer.resources().iter().filter(|kind| is_entitlement(kind)).collect();
        self.entitlements.types = types.len();
        if types.iter().any(|kind| has_unknown_extension(kind)) {
            let schemas = self.client.send(&Request::get("discover entitlements", "/Schemas"))?;
            self.judge("discover entitlements", "/Schemas", &schemas);
        }
        for endpoint in types.iter().filter_map(|kind| kind["endpoint"].as_str()) {
            let page = format!("{endpoint}?startIndex=1&count=100");
            let found = self.client.send(&Request::get("discover entitlements", page))?;
            if self.judge("discover entitlements", endpoint, &found) {
                self.entitlements.found += found.body["totalResults"].as_u64().unwrap_or(0);
            }
        }
        Ok(())
    }
}

fn is_entitlement(kind: &Value) -> bool {
    kind["schema"].as_str().is_some_and(|schema| ENTITLEMENTS.contains(&schema))
}

fn has_unknown_extension(kind: &Value) -> bool {
    let extensions = kind["schemaExtensions"].as_array().into_iter().flatten();
    extensions
        .filter_map(|extension| extension["schema"].as_str())
        .any(|schema| !schema.starts_with(KNOWN))
}
