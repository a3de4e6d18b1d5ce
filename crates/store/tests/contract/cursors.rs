//! RFC 9865: pages by cursor, each of which begins where the page before ended.

use std::collections::HashSet;

use accounts::{Page, Refusal};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{MAX_COUNT, Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::filters::Targets;
use crate::harness::{TestDatabase, World, context, on_each_database, strict_body};
use crate::plan::{Both, Found, found, page};
use crate::population::is_tried;
use crate::sample::sample;
use crate::sorting_equivalence::{is_unsortable, sorted_by};

/// The identifiers on the pages of a query, each of which has so many.
fn walked(world: &World, kind: &'static ResourceType, query: &Query, count: u32) -> Vec<Vec<Uuid>> {
    let first = Query { start: Start::After(None), count, ..query.clone() };
    let walked = world.read(move |tx| {
        let (mut query, mut pages) = (first.clone(), Vec::new());
        loop {
            let page = page(tx, kind, &query)?;
            assert_eq!(page.total.is_some(), query.wants_total);
            pages.push(page.resources.iter().map(|resource| resource.id).collect());
            assert!(pages.len() < MAX_COUNT as usize, "it does not end");
            let Some(last) = page.resources.last().filter(|_| page.has_next) else { break };
            query.start = Start::After(Some(last.position(kind, query.sort.as_ref())));
            query.wants_total = false;
        }
        Ok::<_, Refusal>(pages)
    });
    walked.expect("every page is found")
}

/// The whole in pages that are all full but the last, none of which is empty.
fn in_pages(whole: &[Uuid], count: u32) -> Vec<Vec<Uuid>> {
    whole.chunks(count as usize).map(<[Uuid]>::to_vec).collect()
}

#[test]
fn rfc9865_2_2_pages_by_cursor_are_the_sorted_whole_in_both_databases() {
    each_order_in_pages(&Both::populated(), &[ResourceType::user(), ResourceType::group()]);
}

#[test]
fn rfc9865_2_2_pages_by_cursor_are_the_sorted_whole_for_every_data_type() {
    each_order_in_pages(&Both::of_samples(), &[sample()]);
}

/// What has a column or table of its own.
const OWN_PLACE: [&str; 10] = [
    "id",
    "externalId",
    "userName",
    "displayName",
    "active",
    "emails",
    "meta",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
    "urn:ietf:params:scim:schemas:extension:headcount:2.0:User:",
];

/// What is kept in a way of its own, the first of each data type, and of the others every fourth.
fn each_order_in_pages(both: &Both, kinds: &[&'static ResourceType]) {
    let (mut seen, mut failures) = (HashSet::new(), Vec::new());
    for kind in kinds.iter().copied() {
        for (number, target) in Targets::of(kind, both.resources(kind)).all.iter().enumerate() {
            for descending in [false, true] {
                let alone = OWN_PLACE.iter().any(|name| target.path.starts_with(name))
                    || seen.insert((target.comparison(), descending));
                if !alone && !is_tried(number + 2 * usize::from(descending), 4) {
                    continue;
                }
                let Some(query) = sorted_by(kind, &target.path, descending) else { continue };
                if is_unsortable(kind, &target.path) {
                    continue;
                }
                for (database, world) in &both.worlds {
                    let Found::These(whole) = found(world, kind, &query) else {
                        panic!("{} cannot be sorted by", target.path)
                    };
                    // So every resource ends a page.
                    let walked = walked(world, kind, &query, 1);
                    if walked != in_pages(&whole, 1) {
                        let what = format!("{database:?} {} by {}", kind.name, target.path);
                        let found = format!("{walked:?} instead of {whole:?}");
                        failures.push(format!("{what} ({descending}): {found}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "other pages:\n{}", failures.join("\n"));
}

#[test]
fn rfc9865_2_pages_by_cursor_have_what_the_filter_selects() {
    let both = Both::populated();
    let kind = ResourceType::user();
    for filter in [
        "title pr",
        "not (title pr)",
        "emails.type eq \"home\" or nickName pr",
        "active eq true and meta.created gt \"2023-11-14T22:13:21Z\"",
        "userName eq \"nobody at all\"",
    ] {
        for sort_by in [None, Some("title"), Some("externalId"), Some("displayName")] {
            for sort_order in [None, Some("descending")] {
                let parameters = Parameters {
                    filter: Some(filter.to_owned()),
                    sort_by: sort_by.map(ToOwned::to_owned),
                    sort_order: sort_order.map(ToOwned::to_owned),
                    ..Parameters::default()
                };
                let query = parameters.query(kind, &mut Leniencies::new(Dialect::Standard));
                let query = query.expect("it is a query");
                for (database, world) in &both.worlds {
                    let what = format!("{database:?} {filter} by {sort_by:?} {sort_order:?}");
                    let Found::These(whole) = found(world, kind, &query) else { panic!("{what}") };
                    let mut pages = in_pages(&whole, 3);
                    if pages.is_empty() {
                        pages.push(Vec::new());
                    }
                    assert_eq!(walked(world, kind, &query, 3), pages, "{what}");
                }
            }
        }
    }
}

fn by_cursor(world: &World, count: u32, start: Start, wants_total: bool) -> Page {
    let parameters = Parameters { sort_by: Some("title".to_owned()), ..Parameters::default() };
    let query = parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
    let query = Query { start, count, wants_total, ..query.expect("it is a query") };
    let page = world.read(move |tx| page(tx, ResourceType::user(), &query));
    page.expect("it is found")
}

fn rfc9865_2_a_page_knows_whether_there_are_more(database: &TestDatabase) {
    let world = World::on(database);
    let first = |count| {
        let page = by_cursor(&world, count, Start::After(None), true);
        (page.resources.len(), page.has_next, page.total)
    };
    assert_eq!(first(5), (0, false, Some(0)));
    assert_eq!(first(0), (0, false, Some(0)));
    for (name, title) in [("a", None), ("b", Some("x")), ("c", None), ("d", Some("x"))] {
        let mut body = json!({"userName": name});
        if let Some(title) = title {
            body["title"] = title.into();
        }
        world.create_user(strict_body(ResourceType::user(), body)).expect("it is new");
    }
    assert_eq!(first(5), (4, false, Some(4)));
    assert_eq!(first(4), (4, false, Some(4)), "the last page may be full");
    assert_eq!(first(3), (3, true, Some(4)));
    assert_eq!(first(0), (0, true, Some(4)));

    // Between what is assigned and what is not the next page is found too.
    let two = by_cursor(&world, 2, Start::After(None), true);
    let sort = sorted_by(ResourceType::user(), "title", false).and_then(|query| query.sort);
    let last = two.resources[1].position(ResourceType::user(), sort.as_ref());
    assert!(last.key.is_some());
    for (count, found, has_next) in [(1, 1, true), (2, 2, false), (0, 0, true)] {
        let page = by_cursor(&world, count, Start::After(Some(last.clone())), false);
        assert_eq!((page.resources.len(), page.has_next, page.total), (found, has_next, None));
    }
}

fn rfc9865_2_what_a_page_ended_with_may_be_gone(database: &TestDatabase) {
    let world = World::on(database);
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let body = strict_body(ResourceType::user(), json!({"userName": name, "title": "x"}));
        ids.push(world.create_user(body).expect("it is new"));
    }
    let page = by_cursor(&world, 2, Start::After(None), true);
    let sort = sorted_by(ResourceType::user(), "title", false).and_then(|query| query.sort);
    let last = page.resources[1].position(ResourceType::user(), sort.as_ref());
    let gone = ids[1];
    let deleted = world.write(move |tx| {
        accounts::users::delete(tx, &context(), gone, &accounts::Precondition::default())
    });
    deleted.map_err(|error: Refusal| error.to_string()).expect("it is there");
    let page = by_cursor(&world, 2, Start::After(Some(last)), false);
    assert_eq!(page.resources.iter().map(|user| user.id).collect::<Vec<_>>(), ids[2..]);
}

on_each_database!(
    rfc9865_2_a_page_knows_whether_there_are_more,
    rfc9865_2_what_a_page_ended_with_may_be_gone,
);
