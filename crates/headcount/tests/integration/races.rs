//! Requests that meet: what is answered is what is kept.

use std::collections::HashSet;
use std::thread;

use serde_json::{Value, json};

use crate::harness::*;

on_each_database!(
    what_a_patch_answers_is_what_is_kept,
    groups_nested_at_once_form_no_cycle,
    parallel_additions_to_one_group_are_all_there,
    rfc7644_3_14_of_parallel_guarded_writes_one_wins,
);

/// Runs each of these at the same time as the others.
fn together<T: Send>(work: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = work.into_iter().map(|work| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    })
}

fn replace(path: &str, value: &str) -> Value {
    json!([{"op": "replace", "path": path, "value": value}])
}

fn what_a_patch_answers_is_what_is_kept(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let scim = &scim;
    for round in 0..20 {
        let mut body = user(&format!("ada{round}"));
        let (start, other) = (format!("a{round}"), format!("b{round}"));
        body["externalId"] = json!(start);
        let path = &format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
        let patch =
            |value: String| move || scim.patch(path, &replace("externalId", &value)).expect(200);
        let mut answers = together(vec![patch(other), patch(start)]);
        answers.sort_by_key(|answer| answer.version());
        let last = answers.pop().expect("two answers");
        let kept = scim.get(path).expect(200);
        assert_eq!(kept["externalId"], last["externalId"], "{}", last.story());
        assert_eq!(kept.version(), last.version());
    }
}

fn groups_nested_at_once_form_no_cycle(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let scim = &scim;
    for round in 0..10 {
        let create = |name: &str, members: &[&str]| {
            scim.post("/Groups", &group(&format!("{name}{round}"), members)).expect(201).id()
        };
        let (first, third) = (create("1", &[]), create("3", &[]));
        let (second, fourth) = (create("2", &[&third]), create("4", &[&first]));
        let nest = |outer: &String, inner: &String| {
            let path = format!("/Groups/{outer}");
            let add = json!([{"op": "add", "path": "members", "value": [{"value": inner}]}]);
            move || scim.patch(&path, &add).status
        };
        let mut statuses = together(vec![nest(&first, &second), nest(&third, &fourth)]);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "one of them closes the cycle");
    }
}

fn parallel_additions_to_one_group_are_all_there(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let ids: Vec<String> = (0..24)
        .map(|number| scim.post("/Users", &user(&format!("user{number}"))).expect(201).id())
        .collect();
    let path = &format!("/Groups/{}", scim.post("/Groups", &group("All", &[])).expect(201).id());
    let scim = &scim;
    let add = |ids: Vec<String>| {
        move || {
            for id in ids {
                let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
                scim.patch(path, &add).expect(200);
            }
        }
    };
    together(ids.chunks(4).map(|chunk| add(chunk.to_vec())).collect());
    let found = scim.get(path).expect(200);
    let members: HashSet<&str> = member_ids(&found.body).into_iter().collect();
    assert_eq!(members, ids.iter().map(String::as_str).collect());
    assert_eq!(found.version(), "W/\"25\"", "one version for each change");
}

fn rfc7644_3_14_of_parallel_guarded_writes_one_wins(database: Database) {
    let (_server, scim) = serve(database, Dialect::Standard);
    let created = scim.post("/Users", &user("ada")).expect(201);
    let path = &format!("/Users/{}", created.id());
    let scim = &scim.with_header("If-Match", &created.version());
    let rename = |title: String| move || scim.patch(path, &replace("title", &title)).status;
    let statuses = together((0..8).map(|number| rename(format!("t{number}"))).collect());
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 7, "{statuses:?}");
}
