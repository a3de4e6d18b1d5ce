//! RFC 7644 section 3.4.2.2: a filter selects the same resources in memory, in SQLite and in
//! PostgreSQL.

use std::cell::Cell;
use std::collections::HashSet;

use proptest::test_runner::TestError;
use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::filter::{self, Predicate};
use scim_protocol::query::{MAX_COUNT, Query, Start};
use scim_protocol::schema::{ResourceType, Returned};
use serde_json::Value;
use uuid::Uuid;

use crate::filters::{HEADCOUNT, HEADCOUNT_GROUP, Target, Targets, shape};
use crate::nouns::{computed, nouns};
use crate::plan::{Both, Found, found};
use crate::population::{effort, is_tried, runner};
use crate::sample::sample;

/// Filters by chance for each kind of resource.
const CASES: u32 = 150;

fn parsed(kind: &'static ResourceType, text: &str) -> Predicate {
    filter::parse(kind, text, &mut Leniencies::new(Dialect::Standard))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn id(resource: &Object) -> Uuid {
    resource["id"].as_str().unwrap().parse().unwrap()
}

/// What each database finds, if that is not what is found in memory.
fn disagreement(both: &Both, kind: &'static ResourceType, text: &str) -> Result<Found, String> {
    let predicate = parsed(kind, text);
    let query = Query {
        filter: Some(predicate),
        sort: None,
        start: Start::Index(1),
        count: MAX_COUNT,
        wants_total: true,
    };
    let [sqlite, postgres] = both.worlds.each_ref().map(|(_, world)| found(world, kind, &query));
    let expected = if sqlite == Found::NotSearchable && may_be_refused(kind, text) {
        Found::NotSearchable
    } else {
        let predicate = query.filter.as_ref().unwrap();
        let selected = both.resources(kind).iter().filter(|r| filter::evaluate(predicate, r));
        Found::These(selected.map(id).collect())
    };
    if sqlite == expected && postgres == expected {
        return Ok(expected);
    }
    let difference = |(database, found): (&str, &Found)| match (found, &expected) {
        (found, expected) if found == expected => String::new(),
        (Found::These(found), Found::These(expected)) => {
            let named = |ids: &[Uuid], others: &[Uuid]| {
                let missing: Vec<&Uuid> = ids.iter().filter(|id| !others.contains(id)).collect();
                let first = both.resources(kind).iter().find(|r| Some(&&id(r)) == missing.first());
                let first = first.cloned().map_or(Value::Null, Value::Object);
                format!("{} ({first:#})", missing.len())
            };
            let (wrong, lacking) = (named(found, expected), named(expected, found));
            format!("\n{database} finds {wrong} and does not find {lacking}")
        }
        (found, expected) => format!("\n{database}: {found:?} instead of {expected:?}"),
    };
    let differences = [("SQLite", &sqlite), ("PostgreSQL", &postgres)].map(difference);
    Err(format!("{} filter {text}{}", kind.name, differences.concat()))
}

/// URLs of other resources depend on where the server is reached, and are not stored; other things are
/// computed when a resource is read.
fn may_be_refused(kind: &ResourceType, text: &str) -> bool {
    if computed(kind).iter().any(|name| text.contains(name)) {
        return true;
    }
    let names = ["meta.location", "location", "meta[", "$ref", "entitlements"];
    let of_effective_roles = || {
        let parts = ["division", "via", "group"];
        text.contains(":effectiveRoles") && parts.iter().any(|part| text.contains(part))
    };
    names.iter().any(|name| text.contains(name))
        || NOT_FILTERABLE.iter().any(|name| text.contains(&format!("{HEADCOUNT}:{name}")))
        || of_effective_roles()
        || NOT_FILTERABLE_OF_GROUPS
            .iter()
            .any(|name| text.contains(&format!("{HEADCOUNT_GROUP}:{name}")))
        || (text.contains(&format!("{HEADCOUNT_GROUP}:managers")) && text.contains("display"))
}

/// The same of groups; of managers only the identifiers are kept.
const NOT_FILTERABLE_OF_GROUPS: [&str; 1] = ["memberCount"];

/// What the account model does not let clients filter by.
const NOT_FILTERABLE: [&str; 4] =
    ["effectivePermissions", "blockedPermissions", "skillSet", "dependencies"];

/// Every attribute with every operator, by itself.
fn each_operator_agrees(both: &Both, kind: &'static ResourceType) {
    let targets = Targets::of(kind, both.resources(kind));
    each_test_agrees(both, kind, &targets, Target::tests);
}

/// Every fourth of the tests, and the first of each operator with each data type in each position.
fn each_test_agrees(
    both: &Both,
    kind: &'static ResourceType,
    targets: &Targets,
    tests: impl Fn(&Target) -> Vec<String>,
) {
    let mut seen = HashSet::new();
    let of_target =
        |target| tests(target).into_iter().map(move |test| (target.position(&test), test));
    let all = targets.all.iter().flat_map(of_target).enumerate();
    let tried =
        all.filter(|(number, (position, _))| seen.insert(position.clone()) || is_tried(*number, 4));
    all_agree(both, kind, tried.map(|(_, (_, test))| test));
}

/// What none of these filters is answered differently for. Gives what each found.
fn all_agree(
    both: &Both,
    kind: &'static ResourceType,
    filters: impl IntoIterator<Item = String>,
) -> Vec<Found> {
    let (mut agreed, mut failures) = (Vec::new(), Vec::new());
    for filter in filters {
        match disagreement(both, kind, &filter) {
            Ok(found) => agreed.push(found),
            Err(failure) => failures.push(failure),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} disagree:\n{}",
        failures.len(),
        failures.len() + agreed.len(),
        failures[..failures.len().min(5)].join("\n\n")
    );
    agreed
}

/// Filters by chance.
fn any_filter_agrees(both: &Both, kind: &'static ResourceType) {
    so_many_filters_agree(both, kind, CASES * effort());
}

fn so_many_filters_agree(both: &Both, kind: &'static ResourceType, cases: u32) {
    let targets = Targets::of(kind, both.resources(kind)).that_are_there().without(computed(kind));
    let (all, telling) = (both.resources(kind).len(), Cell::new(0));
    let result = runner(cases).run(&shape(), |shape| {
        match disagreement(both, kind, &targets.write(&shape)) {
            Ok(Found::These(ids)) if !ids.is_empty() && ids.len() < all => {
                telling.set(telling.get() + 1);
            }
            Ok(_) => {}
            Err(difference) => return Err(proptest::test_runner::TestCaseError::fail(difference)),
        }
        Ok(())
    });
    if let Err(TestError::Fail(why, shape)) = &result {
        panic!("{why}\n(the least such filter: {})", targets.write(shape));
    }
    assert!(result.is_ok(), "{result:?}");
    assert!(
        telling.get() > cases / 8,
        "{}: only {} filters tell resources apart",
        kind.name,
        telling.get()
    );
}

#[test]
fn rfc7644_3_4_2_2_each_operator_on_each_attribute_of_users_agrees() {
    each_operator_agrees(&Both::populated(), ResourceType::user());
}

/// The change log and what is defined by administrators.
#[test]
fn rfc7644_3_4_2_2_each_operator_on_each_attribute_of_nouns_agrees() {
    let both = Both::of_nouns();
    for kind in nouns() {
        each_operator_agrees(&both, kind);
    }
}

#[test]
fn rfc7644_3_4_2_2_any_filter_on_nouns_agrees() {
    let both = Both::of_nouns();
    for kind in nouns() {
        so_many_filters_agree(&both, kind, CASES / 3 * effort());
    }
}

/// What one filter finds in both databases.
fn found_in_both(both: &Both, text: &str) -> [Found; 2] {
    let kind = ResourceType::user();
    let filter = Some(parsed(kind, text));
    let query =
        Query { filter, sort: None, start: Start::Index(1), count: MAX_COUNT, wants_total: true };
    both.worlds.each_ref().map(|(_, world)| found(world, kind, &query))
}

/// Section 7.4 of the domain model: every attribute of our extension that it does not except.
#[test]
fn rfc7644_3_4_2_2_what_the_account_model_lets_clients_filter_by_is_not_refused() {
    let both = Both::populated();
    let extension = ResourceType::user().extension(HEADCOUNT).expect("users have it");
    let mut tried = 0;
    for attribute in &extension.attributes {
        let name = attribute.name.as_str();
        let is_refused = NOT_FILTERABLE.contains(&name);
        if attribute.returned != Returned::Never {
            let found = found_in_both(&both, &format!("{HEADCOUNT}:{name} pr"));
            let refused = found.map(|found| found == Found::NotSearchable);
            assert_eq!(refused, [is_refused; 2], "{name}");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
    for test in [
        "blockedPermissionCount gt 0",
        "effectiveRoles[role eq \"agent\"]",
        "roleGrants[role eq \"agent\" and division eq \"*\"]",
        "skills[value sw \"a\" and type eq \"skill\" and proficiency ge 4 and active eq true]",
    ] {
        let [one, other] = found_in_both(&both, &format!("{HEADCOUNT}:{test}"));
        assert!(matches!(one, Found::These(_)) && one == other, "{test}: {one:?}, {other:?}");
    }
    let [some, _] = found_in_both(&both, &format!("{HEADCOUNT}:blockedPermissionCount gt 0"));
    let [none, _] = found_in_both(&both, &format!("{HEADCOUNT}:blockedPermissionCount eq 0"));
    let has = |found| matches!(found, Found::These(ids) if !ids.is_empty());
    assert!(has(some) && has(none), "there are users of both kinds");
}

#[test]
fn rfc7644_3_4_2_2_each_operator_on_each_attribute_of_groups_agrees() {
    each_operator_agrees(&Both::populated(), ResourceType::group());
}

#[test]
fn rfc7644_3_4_2_2_any_filter_on_users_agrees() {
    any_filter_agrees(&Both::populated(), ResourceType::user());
}

#[test]
fn rfc7644_3_4_2_2_any_filter_on_groups_agrees() {
    any_filter_agrees(&Both::populated(), ResourceType::group());
}

#[test]
fn rfc7643_2_3_each_operator_on_each_data_type_agrees() {
    let (both, kind) = (Both::of_samples(), sample());
    let targets = Targets::of(kind, both.resources(kind));
    each_test_agrees(&both, kind, &targets, |target| target.tests_of_values(4));
}

#[test]
fn rfc7643_2_3_any_filter_on_every_data_type_agrees() {
    any_filter_agrees(&Both::of_samples(), sample());
}

/// Characters that SQL, LIKE or JSON give a meaning, that folding changes, and that lie at the
/// edges, each by itself.
const ODD: [&str; 20] = [
    "",
    "%",
    "_",
    "\\",
    "'",
    "\"",
    "*",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "ς",
    "é",
    "e\u{301}",
    "\u{301}",
    "ＡＢ",
    "😀",
    "\u{D7FF}",
    "\u{FFFF}",
    "\u{10FFFF}",
];

/// One attribute for each way in which text is kept.
const KEPT: [&str; 9] = [
    "userName",
    "externalId",
    "displayName",
    "name.familyName",
    "emails.value",
    "emails.display",
    "ims.value",
    "x509Certificates.value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
];

#[test]
fn rfc7644_3_4_2_2_characters_with_a_meaning_stand_for_themselves() {
    let (both, kind) = (Both::populated(), ResourceType::user());
    let targets = Targets::of(kind, both.resources(kind));
    let kept = targets.all.iter().filter(|target| KEPT.contains(&target.path.as_str()));
    let filters: Vec<String> = kept.flat_map(|target| target.tests_with(&ODD)).collect();
    assert_eq!(filters.len(), KEPT.len() * ODD.len() * 4);
    let found = all_agree(&both, kind, filters);
    let telling =
        found.iter().filter(|found| matches!(found, Found::These(ids) if !ids.is_empty()));
    let (telling, all) = (telling.count(), found.len());
    assert!(telling > all / 10, "only {telling} of {all} are anywhere");
}

/// Pairs of conditions that two elements of a resource satisfy together, and neither alone.
fn split_between_elements(kind: &ResourceType, resources: &[Object]) -> Vec<[String; 2]> {
    let mut pairs = Vec::new();
    for attribute in kind.schema.attributes.iter().filter(|a| a.multi_valued && a.is_complex()) {
        let lists = resources.iter().filter_map(|r| r.get(&attribute.name)?.as_array());
        let subs = || attribute.sub_attributes.iter().map(|sub| &sub.name).filter(|n| *n != "$ref");
        for (list, one, other) in lists
            .flat_map(|list| subs().flat_map(move |a| subs().map(move |b| (list, a, b))))
            .filter(|(_, a, b)| a < b)
        {
            let [first, .., last] = list.as_slice() else { continue };
            let (Some(a), Some(b)) = (first.get(one), last.get(other)) else { continue };
            let name = &attribute.name;
            pairs.push([
                format!("{name}[{one} eq {a} and {other} eq {b}]"),
                format!("{name}.{one} eq {a} and {name}.{other} eq {b}"),
            ]);
        }
    }
    pairs
}

#[test]
fn rfc7644_3_4_2_2_brackets_hold_for_one_and_the_same_element() {
    let both = Both::populated();
    for kind in [ResourceType::user(), ResourceType::group()] {
        let pairs = split_between_elements(kind, both.resources(kind));
        let pairs: Vec<_> = pairs.iter().step_by(pairs.len() / 60 + 1).collect();
        let within = all_agree(&both, kind, pairs.iter().map(|pair| pair[0].clone()));
        let anywhere = all_agree(&both, kind, pairs.iter().map(|pair| pair[1].clone()));
        let different = within.iter().zip(&anywhere).filter(|(a, b)| a != b).count();
        assert!(different > pairs.len() / 3, "{}: {different} of {}", kind.name, pairs.len());
    }
}

/// So many tests, so deeply nested, are parsed at most.
const MOST_TESTS: usize = 500;
const DEEPEST: usize = 32;
/// So many may be of what a query of its own finds.
const MOST_QUERIES: usize = 20;

/// PostgreSQL's planner took minutes for what it makes joins of; SQLite's parser has a limit of
/// depth. (A run that hangs here is one that a client could cause.)
#[test]
fn the_longest_filter_that_is_parsed_is_searched_on_both() {
    let (both, kind) = (Both::populated(), ResourceType::user());
    let blocked = format!("{HEADCOUNT}:blockedPermissionCount gt 0");
    for (test, most) in [
        ("title pr", MOST_TESTS),
        ("emails pr", MOST_TESTS),
        ("ims pr", MOST_TESTS),
        ("emails[type eq \"work\"]", MOST_TESTS),
        ("groups.display sw \"a\"", MOST_QUERIES),
        ("roles eq \"agent\"", MOST_QUERIES),
        (&blocked, MOST_QUERIES),
    ] {
        for connective in [" or ", " and "] {
            let filter = vec![test; most].join(connective);
            disagreement(&both, kind, &filter).unwrap_or_else(|why| panic!("{why:.9000}"));
        }
    }
    let (open, close) = ("not (".repeat(DEEPEST - 1), ")".repeat(DEEPEST - 1));
    for test in ["title pr", "emails.value ne \"x\"", "ims.value co \"a\""] {
        disagreement(&both, kind, &format!("{open}{test}{close}")).unwrap();
    }
}
