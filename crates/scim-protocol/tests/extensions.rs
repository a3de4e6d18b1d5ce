//! The extensions of the account model: how clients write them, and the one that a connection may
//! not have.
#![allow(clippy::unwrap_used, reason = "what panics here fails the test")]
#![allow(clippy::needless_pass_by_value, reason = "rows read better without borrowing")]

use scim_protocol::dialect::{Dialect, Leniencies, Leniency};
use scim_protocol::discovery::{self, CanonicalValues, View};
use scim_protocol::error::{Result, ScimType};
use scim_protocol::message::PATCH_OP;
use scim_protocol::projection::Projection;
use scim_protocol::schema::ResourceType;
use scim_protocol::{Object, filter, patch, resource};
use serde_json::{Value, json};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";
const GENESYS: &str = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User";
const BASE: &str = "https://example.com/scim/v2";

const STRICT: Dialect = Dialect::Strict;
const LENIENT: [Dialect; 3] = [Dialect::Standard, Dialect::Entra, Dialect::Okta];

/// What a POST of a user with these members becomes, and the leniencies that it took.
fn parsed(
    kind: &'static ResourceType,
    members: Value,
    dialect: Dialect,
) -> Result<(Object, Vec<(Leniency, u64)>)> {
    let mut body = json!({"schemas": [CORE], "userName": "ada"});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut leniencies = Leniencies::new(dialect);
    let user = resource::parse(kind, &body, &mut leniencies)?;
    Ok((user, leniencies.fired().collect()))
}

/// A user after one operation.
fn patched(
    kind: &'static ResourceType,
    before: &Object,
    operation: Value,
    dialect: Dialect,
) -> Result<(Object, Vec<(Leniency, u64)>)> {
    let mut leniencies = Leniencies::new(dialect);
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let edits = patch::parse(kind, &body, &mut leniencies)?;
    let mut after = before.clone();
    patch::apply(kind, &mut after, &edits, &mut leniencies)?;
    Ok((after, leniencies.fired().collect()))
}

/// A user with this extension.
fn user_with(urn: &str, members: Value) -> Object {
    let listed = json!({"schemas": [CORE, urn], (urn): members});
    parsed(ResourceType::user_with_genesys(), listed, STRICT).unwrap().0
}

fn why<T>(result: Result<T>) -> ScimType {
    result.map(drop).unwrap_err().scim_type
}

mod genesys {
    use super::*;

    fn skills() -> Value {
        json!({"routingSkills": [{"name": "Billing", "proficiency": 4}]})
    }

    #[test]
    fn rfc7643_6_a_connection_without_the_extension_does_not_know_its_urn_in_bodies() {
        let body = json!({"schemas": [CORE, GENESYS], (GENESYS): skills()});
        let (with, without) = (ResourceType::user_with_genesys(), ResourceType::user());
        let (user, used) = parsed(with, body.clone(), STRICT).unwrap();
        assert_eq!((&user[GENESYS], used), (&skills(), vec![]));
        assert_eq!(resource::schemas(with, &user), [json!(CORE), json!(GENESYS)]);

        assert_eq!(why(parsed(without, body.clone(), STRICT)), ScimType::InvalidSyntax);
        let unlisted = json!({(GENESYS): skills()});
        assert_eq!(why(parsed(without, unlisted, STRICT)), ScimType::InvalidSyntax);
        for dialect in LENIENT {
            let (user, used) = parsed(without, body.clone(), dialect).unwrap();
            assert_eq!(Value::Object(user), json!({"userName": "ada"}));
            assert_eq!(used, [(Leniency::UnknownAttribute, 1), (Leniency::UnknownSchema, 1)]);
        }
    }

    #[test]
    fn rfc7644_3_4_2_2_a_connection_without_the_extension_cannot_filter_by_it() {
        let user = user_with(GENESYS, skills());
        for text in [
            format!("{GENESYS}:routingSkills[name eq \"Billing\" and proficiency ge 4]"),
            format!("{GENESYS}:routingSkills.proficiency gt 3.5"),
        ] {
            for (_, dialect) in Dialect::ALL {
                let parse = |kind| filter::parse(kind, &text, &mut Leniencies::new(dialect));
                let found = parse(ResourceType::user_with_genesys()).unwrap();
                assert!(filter::evaluate(&found, &user), "{text}");
                assert_eq!(why(parse(ResourceType::user())), ScimType::InvalidFilter, "{text}");
            }
        }
    }

    #[test]
    fn rfc7644_3_5_2_a_connection_without_the_extension_cannot_patch_it() {
        let before = user_with(GENESYS, skills());
        let added = json!({"name": "Sales", "proficiency": 2.5});
        for operation in [
            json!({"op": "add", "path": format!("{GENESYS}:routingSkills"), "value": [added]}),
            json!({"op": "add", "value": {(GENESYS): {"routingSkills": [added]}}}),
        ] {
            let (with, without) = (ResourceType::user_with_genesys(), ResourceType::user());
            let (after, _) = patched(with, &before, operation.clone(), STRICT).unwrap();
            assert_eq!(after[GENESYS]["routingSkills"][1], added);
            assert!(patched(without, &before, operation.clone(), STRICT).is_err());
            for dialect in LENIENT {
                let bare = parsed(without, json!({}), dialect).unwrap().0;
                let (after, used) = patched(without, &bare, operation.clone(), dialect).unwrap();
                assert_eq!(after, bare);
                assert!(used.contains(&(Leniency::UnknownAttribute, 1)), "{used:?}");
            }
        }
    }

    #[test]
    fn rfc7644_3_9_a_connection_without_the_extension_cannot_ask_for_it() {
        let user = user_with(GENESYS, skills());
        let with = ResourceType::user_with_genesys();
        for name in [GENESYS.to_owned(), format!("{GENESYS}:routingSkills")] {
            let asked = |kind| {
                let mut leniencies = Leniencies::new(STRICT);
                Projection::parse(kind, Some(&name), None, &mut leniencies).unwrap()
            };
            for (projection, left) in
                [(asked(with), Some(&user[GENESYS])), (asked(ResourceType::user()), None)]
            {
                let mut answer = user.clone();
                projection.apply(with, &mut answer);
                assert_eq!(answer.get(GENESYS), left, "{name}");
            }
        }
    }

    #[test]
    fn rfc7644_4_discovery_shows_the_extension_to_those_who_have_it() {
        for genesys in [false, true] {
            let view = View { genesys, ..View::default() };
            let user = discovery::resource_type("User", BASE, &view).unwrap();
            assert_eq!(discovery::resource_types(BASE, &view)[0], user);
            let listed = user["schemaExtensions"].as_array().unwrap();
            assert_eq!(listed.iter().any(|extension| extension["schema"] == GENESYS), genesys);
            let schemas = discovery::schemas(BASE, &view);
            assert_eq!(schemas.iter().any(|schema| schema["id"] == GENESYS), genesys);
            let one = discovery::schema(&GENESYS.to_uppercase(), BASE, &view);
            assert_eq!(one.is_some(), genesys);
            for schema in &schemas {
                let urn = schema["id"].as_str().unwrap();
                assert_eq!(discovery::schema(urn, BASE, &view).as_ref(), Some(schema));
            }
        }
    }
}

mod canonical_values {
    use super::*;

    fn view(values: &[(&str, &str, &[&str])]) -> View {
        let mut canonical_values = CanonicalValues::default();
        for (urn, path, values) in values {
            canonical_values.add(urn, path, values.iter().copied());
        }
        View { canonical_values, ..View::default() }
    }

    fn attribute<'a>(schema: &'a Value, name: &str) -> &'a Value {
        let list = schema["attributes"].as_array().or_else(|| schema["subAttributes"].as_array());
        list.unwrap().iter().find(|attribute| attribute["name"] == name).unwrap()
    }

    #[test]
    fn rfc7643_7_canonical_values_of_a_tenant_are_added_to_those_of_the_schema() {
        let view = view(&[
            (CORE, "roles.value", &["Admin", "Agent", "admin"]),
            (HEADCOUNT, "licenseTier", &["cx2", "CX9"]),
            (HEADCOUNT, "externalIds.authority", &["HR", "hr"]),
        ]);
        let schema = |urn| discovery::schema(urn, BASE, &view).unwrap();
        let roles = attribute(&schema(CORE), "roles").clone();
        assert_eq!(attribute(&roles, "value")["canonicalValues"], json!(["Admin", "Agent"]));
        let ours = schema(HEADCOUNT);
        let tiers = json!(["CX1", "CX2D", "CX2", "CX3D", "CX3", "CX4", "CX9"]);
        assert_eq!(attribute(&ours, "licenseTier")["canonicalValues"], tiers);
        let authority = attribute(attribute(&ours, "externalIds"), "authority").clone();
        assert_eq!(authority["canonicalValues"], json!(["HR", "hr"]), "case counts there");
        assert!(discovery::schemas(BASE, &view).contains(&ours));
    }

    #[test]
    fn rfc7643_7_canonical_values_of_a_tenant_change_nothing_else() {
        let ours = view(&[(CORE, "roles.value", &["Admin"])]);
        let of_all = discovery::schemas(BASE, &View::default());
        let mut of_tenant = discovery::schemas(BASE, &ours);
        assert_ne!(of_tenant, of_all);
        let user = of_tenant.iter_mut().find(|schema| schema["id"] == CORE).unwrap();
        for attribute in user["attributes"].as_array_mut().unwrap() {
            if attribute["name"] == "roles" {
                attribute["subAttributes"][0].as_object_mut().unwrap().remove("canonicalValues");
            }
        }
        assert_eq!(of_tenant, of_all);
        // What no schema has is nowhere.
        let nowhere = view(&[(CORE, "roles.colour", &["a"]), ("urn:x", "roles.value", &["a"])]);
        assert_eq!(discovery::schemas(BASE, &nowhere), of_all);
    }
}

/// Microsoft Entra ID sends attributes of one's own as single texts, and does not list their URN.
mod flat {
    use super::*;

    fn user() -> &'static ResourceType {
        ResourceType::user()
    }

    #[test]
    fn q16_an_extension_s_attributes_may_come_without_its_urn_in_schemas() {
        let body = json!({(HEADCOUNT): {"licenseTier": "CX2", "site": "Daly City"}});
        assert_eq!(why(parsed(user(), body.clone(), STRICT)), ScimType::InvalidSyntax);
        for dialect in LENIENT {
            let (kept, used) = parsed(user(), body.clone(), dialect).unwrap();
            assert_eq!(kept[HEADCOUNT], body[HEADCOUNT]);
            assert_eq!(used, [(Leniency::UnlistedExtension, 1)]);
        }
    }

    #[test]
    fn q10_q11_keys_of_a_patch_may_be_paths_into_the_extension() {
        let before = parsed(user(), json!({}), STRICT).unwrap().0;
        for (key, leniencies) in [
            (format!("{HEADCOUNT}:licenseTier"), vec![Leniency::PathAsKey]),
            (format!("{HEADCOUNT}.licenseTier"), vec![Leniency::PathAsKey, Leniency::DotAfterUrn]),
            ("licenseTier".to_owned(), vec![Leniency::UnprefixedExtension]),
        ] {
            let operation = json!({"op": "add", "value": {(key): "CX2"}});
            assert!(patched(user(), &before, operation.clone(), STRICT).is_err(), "{operation}");
            for dialect in LENIENT {
                let (after, used) = patched(user(), &before, operation.clone(), dialect).unwrap();
                assert_eq!(after[HEADCOUNT], json!({"licenseTier": "CX2"}));
                let used: Vec<_> = used.into_iter().map(|(leniency, _)| leniency).collect();
                assert_eq!(used, leniencies, "{operation}");
            }
        }
    }

    #[test]
    fn business_units_may_be_joined_in_one_text_but_not_in_strict() {
        for (sent, kept) in [
            ("Sales;Support", json!(["Sales", "Support"])),
            (" Sales ; Support ;; sales", json!(["Sales", "Support"])),
            ("Sales;", json!(["Sales"])),
        ] {
            let body = json!({"schemas": [CORE, HEADCOUNT], (HEADCOUNT): {"businessUnits": sent}});
            assert_eq!(why(parsed(user(), body.clone(), STRICT)), ScimType::InvalidValue);
            for dialect in LENIENT {
                let (user, used) = parsed(user(), body.clone(), dialect).unwrap();
                assert_eq!(user[HEADCOUNT]["businessUnits"], kept, "{sent}");
                assert_eq!(used, [(Leniency::JoinedList, 1)]);
            }
        }
        // Nothing but separators is no value at all.
        let nothing = json!({"schemas": [CORE, HEADCOUNT], (HEADCOUNT): {"businessUnits": " ; "}});
        assert_eq!(parsed(user(), nothing, LENIENT[0]).unwrap().0.get(HEADCOUNT), None);
        // A value of a list is what it is.
        let list = json!({"schemas": [CORE, HEADCOUNT], (HEADCOUNT): {"businessUnits": ["a;b"]}});
        let (user, used) = parsed(user(), list.clone(), LENIENT[0]).unwrap();
        assert_eq!((&user[HEADCOUNT], used), (&list[HEADCOUNT], vec![]));
    }

    #[test]
    fn business_units_may_be_joined_in_a_patch() {
        let before = user_with(HEADCOUNT, json!({"businessUnits": ["Sales", "Billing"]}));
        let path = format!("{HEADCOUNT}:businessUnits");
        let joined = |op| json!({"op": op, "path": path, "value": "Support;sales"});
        for (op, left, strict) in [
            (
                "add",
                json!(["Sales", "Billing", "Support"]),
                Some(json!(["Sales", "Billing", "Support;sales"])),
            ),
            ("replace", json!(["Support", "sales"]), None),
            ("remove", json!(["Billing"]), None),
        ] {
            for dialect in LENIENT {
                let (after, used) = patched(user(), &before, joined(op), dialect).unwrap();
                assert_eq!(after[HEADCOUNT]["businessUnits"], left, "{op}");
                assert!(used.contains(&(Leniency::JoinedList, 1)), "{op} {used:?}");
            }
            let result = patched(user(), &before, joined(op), STRICT).ok();
            let left = result.map(|(after, _)| after[HEADCOUNT]["businessUnits"].clone());
            assert_eq!(left, strict, "{op}");
        }
    }

    #[test]
    fn the_values_in_a_joined_text_count_as_comparisons_of_a_patch() {
        let many: Vec<String> = (0..resource::MAX_VALUES).map(|n| n.to_string()).collect();
        let before = user_with(HEADCOUNT, json!({"businessUnits": many}));
        let joined = json!({"op": "add", "path": format!("{HEADCOUNT}:businessUnits"),
                            "value": many.join(";")});
        let mut leniencies = Leniencies::new(Dialect::Entra);
        let times = |times| json!({"schemas": [PATCH_OP], "Operations": vec![&joined; times]});
        for (count, refused) in [(1, None), (2, Some(ScimType::TooMany))] {
            let edits = patch::parse(user(), &times(count), &mut leniencies).unwrap();
            let result = patch::apply(user(), &mut before.clone(), &edits, &mut leniencies);
            assert_eq!(result.err().map(|error| error.scim_type), refused);
        }
    }
}

mod identifiers {
    use super::*;

    fn ids(ids: Value) -> Object {
        user_with(HEADCOUNT, json!({"externalIds": ids}))
    }

    #[test]
    fn rfc7643_2_4_one_value_of_two_authorities_is_two_values() {
        let two = json!([{"authority": "hr", "value": "7"}, {"authority": "HR", "value": "7"},
                         {"value": "7"}]);
        assert_eq!(ids(two.clone())[HEADCOUNT]["externalIds"], two);
        let twice = json!([{"authority": "hr", "value": "7"}, {"authority": "hr", "value": "7"}]);
        assert_eq!(ids(twice.clone())[HEADCOUNT]["externalIds"], json!([twice[0]]));
    }

    #[test]
    fn rfc7644_3_5_2_1_adding_the_value_of_another_authority_adds_it() {
        let before = ids(json!([{"authority": "hr", "value": "7"}]));
        let path = format!("{HEADCOUNT}:externalIds");
        let add = |value| json!({"op": "add", "path": path, "value": [value]});
        let other = json!({"authority": "crm", "value": "7"});
        let (after, _) =
            patched(ResourceType::user(), &before, add(other.clone()), STRICT).unwrap();
        assert_eq!(after[HEADCOUNT]["externalIds"][1], other);
        let same = before[HEADCOUNT]["externalIds"][0].clone();
        assert_eq!(patched(ResourceType::user(), &before, add(same), STRICT).unwrap().0, before);
    }

    #[test]
    fn q8_an_authority_without_its_value_is_nothing() {
        let before = ids(json!([{"authority": "hr", "value": "7"}]));
        let path = format!("{HEADCOUNT}:externalIds[authority eq \"hr\"].value");
        let remove = json!({"op": "remove", "path": path});
        let (after, _) = patched(ResourceType::user(), &before, remove, STRICT).unwrap();
        assert_eq!(after.get(HEADCOUNT), None);
    }

    #[test]
    fn an_extension_s_attribute_has_a_limit_of_values_too() {
        let many = |count: usize| {
            let id = |n: usize| json!({"authority": "hr", "value": n.to_string()});
            let ids: Vec<_> = (0..count).map(id).collect();
            json!({"schemas": [CORE, HEADCOUNT], (HEADCOUNT): {"externalIds": ids}})
        };
        for (_, dialect) in Dialect::ALL {
            assert!(parsed(ResourceType::user(), many(resource::MAX_VALUES), dialect).is_ok());
            let one_more = parsed(ResourceType::user(), many(resource::MAX_VALUES + 1), dialect);
            assert_eq!(why(one_more), ScimType::InvalidValue);
        }
    }
}
