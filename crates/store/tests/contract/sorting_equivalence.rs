//! RFC 7644 section 3.4.2.3: both databases give one and the same order.

use std::cmp::Ordering;

use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::fold::fold;
use scim_protocol::instant;
use scim_protocol::query::{Parameters, Query, Sort, Start};
use scim_protocol::resource::is_primary;
use scim_protocol::schema::{DataType, ResourceType};
use serde_json::Value;
use uuid::Uuid;

use crate::filters::{HEADCOUNT, HEADCOUNT_GROUP, Targets};
use crate::nouns::{computed, nouns};
use crate::plan::{Both, Found, found, list};
use crate::sample::sample;

pub(crate) fn sorted_by(
    kind: &'static ResourceType,
    path: &str,
    descending: bool,
) -> Option<Query> {
    let order = if descending { "descending" } else { "ascending" };
    let parameters = Parameters {
        sort_by: Some(path.to_owned()),
        sort_order: Some(order.to_owned()),
        count: Some("200".to_owned()),
        ..Parameters::default()
    };
    parameters.query(kind, &mut Leniencies::new(Dialect::Standard)).ok()
}

/// What a resource is sorted by; `None` if it is unassigned.
#[derive(Debug, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Number(i64),
    Decimal(f64),
}

fn key(resource: &Object, sort: &Sort) -> Option<Key> {
    let attribute = sort.attribute;
    let mut value = match attribute.extension {
        Some(schema) => resource.get(&schema.id)?.get(&attribute.attribute.name)?,
        None => resource.get(&attribute.attribute.name)?,
    };
    if let Value::Array(elements) = value {
        value = elements.iter().find(|element| is_primary(element)).or(elements.first())?;
    }
    if let Some(sub) = attribute.sub {
        value = value.get(&sub.name)?;
    }
    let leaf = attribute.leaf();
    Some(match value {
        Value::Bool(truth) => Key::Number((*truth).into()),
        Value::String(text) if leaf.data_type == DataType::DateTime => {
            Key::Number(instant::parse(text)?.as_microsecond())
        }
        // The number in `W/"10"` comes after that in `W/"9"`.
        Value::String(text) if leaf.name == "version" => {
            Key::Number(text.trim_matches(['W', '/', '"']).parse().unwrap())
        }
        Value::Number(number) if leaf.data_type == DataType::Integer => {
            Key::Number(number.as_i64()?)
        }
        Value::Number(number) => Key::Decimal(number.as_f64()?),
        Value::String(text) if leaf.case_exact => Key::Text(text.clone()),
        Value::String(text) => Key::Text(fold(text)),
        other => panic!("{other} is nothing to sort by"),
    })
}

/// Unassigned last and equal ones in the order of creation; descending, all of that the other way round.
fn expected(resources: &[Object], sort: &Sort) -> Vec<Uuid> {
    let id = |resource: &Object| resource["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let mut keyed: Vec<_> = resources.iter().map(|r| (key(r, sort), id(r))).collect();
    keyed.sort_by(|(one, one_id), (other, other_id)| {
        let ascending = match (one, other) {
            (None, None) => Ordering::Equal,
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
            (Some(one), Some(other)) => one.partial_cmp(other).unwrap(),
        };
        let ascending = ascending.then(one_id.cmp(other_id));
        if sort.descending { ascending.reverse() } else { ascending }
    });
    keyed.into_iter().map(|(_, id)| id).collect()
}

/// What is in a table of its own has no order, nor what is computed, and where the server is reached is
/// not stored.
const UNSORTABLE: [&str; 6] =
    ["members", "groups", "roles", "entitlements", "meta.location", "meta[location"];

/// The same of our extension.
const UNSORTABLE_OF_ACCOUNTS: [&str; 8] = [
    "roleGrants",
    "effectiveRoles",
    "effectivePermissions",
    "blockedPermissions",
    "blockedPermissionCount",
    "skills",
    "skillSet",
    "dependencies",
];

/// And of that of groups.
const UNSORTABLE_OF_GROUPS: [&str; 4] =
    ["roleGrants", "managers.display", "managers.$ref", "memberCount"];

pub(crate) fn is_unsortable(kind: &ResourceType, path: &str) -> bool {
    if !["User", "Group"].contains(&kind.name) {
        let of_kind = computed(kind).iter().any(|name| path.starts_with(name));
        return of_kind || path.starts_with("meta.location");
    }
    let of_groups = path.strip_prefix(HEADCOUNT_GROUP).and_then(|path| path.strip_prefix(':'));
    if let Some(path) = of_groups {
        return UNSORTABLE_OF_GROUPS.iter().any(|prefix| path.starts_with(prefix));
    }
    let of_accounts = path.strip_prefix(HEADCOUNT).and_then(|path| path.strip_prefix(':'));
    match of_accounts {
        Some(path) => UNSORTABLE_OF_ACCOUNTS.contains(&path.split('.').next().unwrap_or_default()),
        None => UNSORTABLE.iter().any(|prefix| path.starts_with(prefix)),
    }
}

#[test]
fn rfc7644_3_4_2_3_both_databases_sort_by_code_point_of_the_folded_value() {
    each_order_agrees(&Both::populated(), &[ResourceType::user(), ResourceType::group()]);
}

#[test]
fn rfc7644_3_4_2_3_both_databases_sort_every_data_type_alike() {
    each_order_agrees(&Both::of_samples(), &[sample()]);
}

#[test]
fn rfc7644_3_4_2_3_both_databases_sort_nouns_alike() {
    each_order_agrees(&Both::of_nouns(), &nouns().collect::<Vec<_>>());
}

fn each_order_agrees(both: &Both, kinds: &[&'static ResourceType]) {
    let mut failures = Vec::new();
    for kind in kinds.iter().copied() {
        for target in Targets::of(kind, both.resources(kind)).all {
            for descending in [false, true] {
                // A complex attribute without `value` is nothing to sort by.
                let Some(query) = sorted_by(kind, &target.path, descending) else { continue };
                let expected = if is_unsortable(kind, &target.path) {
                    Found::NotSearchable
                } else {
                    Found::These(expected(both.resources(kind), &query.sort.unwrap()))
                };
                for (database, world) in &both.worlds {
                    let found = found(world, kind, &query);
                    if found != expected {
                        let what = format!("{} by {}", kind.name, target.path);
                        let found = format!("{found:?} instead of {expected:?}");
                        failures.push(format!("{database:?} {what} ({descending}): {found}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "other orders:\n{}", failures.join("\n"));
}

#[test]
fn rfc7644_3_4_2_4_pages_of_a_sorted_query_are_parts_of_one_order() {
    let both = Both::populated();
    let kind = ResourceType::user();
    for path in ["nickName", "emails", "externalId", "active", "meta.created"] {
        let query = sorted_by(kind, path, false).expect("it can be sorted by");
        let whole = expected(&both.users, &query.sort.unwrap());
        for (database, world) in &both.worlds {
            let mut ids = Vec::new();
            while ids.len() < whole.len() {
                let start = Start::Index(ids.len() as u64 + 1);
                let page = list(world, kind, Query { start, count: 7, ..query.clone() });
                let page = page.expect("it is found");
                assert_eq!(page.total, Some(whole.len() as u64));
                assert!(!page.resources.is_empty(), "{database:?} {path}");
                ids.extend(page.resources.iter().map(|resource| resource.id));
            }
            assert_eq!(ids, whole, "{database:?} {path}");
        }
    }
}
