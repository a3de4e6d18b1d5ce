//! The body of any request, as it comes off the wire, in any dialect: as a resource, a PATCH, a search and a
//! bulk request with all that is in it. Each is refused or read; nothing panics.
#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use scim_protocol::bulk::{self, Call, Method};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::schema::ResourceType;
use scim_protocol::{message, patch, resource};
use scim_protocol_fuzz::{dialects, kinds};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return };
    for dialect in dialects() {
        for kind in kinds() {
            alone(kind, &body, dialect);
        }
        in_bulk(&body, dialect);
    }
});

/// The body of a request that is no bulk request.
fn alone(kind: &'static ResourceType, body: &Value, dialect: Dialect) {
    let mut leniencies = Leniencies::new(dialect);
    let _ = resource::parse(kind, body, &mut leniencies);
    let _ = resource::named(kind, body);
    let _ = patch::parse(kind, body, &mut leniencies);
    let Ok(asked) = message::search_request(body) else { return };
    let _ = asked.projection(kind, &mut leniencies);
    let _ = asked.query(kind, &mut leniencies);
    let _ = asked.query_of_many(kind, &mut leniencies);
}

/// A bulk request: its operations are put in order, their references are replaced, and each is read as
/// the single request that it stands for.
fn in_bulk(body: &Value, dialect: Dialect) {
    let mut leniencies = Leniencies::new(dialect);
    let Ok(mut asked) = bulk::parse(body.clone(), &mut leniencies) else { return };
    let mut creators = HashMap::new();
    for (at, operation) in asked.operations.iter().enumerate() {
        if let Some(name) = &operation.bulk_id {
            creators.entry(name.clone()).or_insert(at);
        }
    }
    let names = asked.operations.iter_mut().map(bulk::Operation::references);
    let positions: Vec<Vec<usize>> = names
        .map(|names| names.iter().filter_map(|name| creators.get(name).copied()).collect())
        .collect();
    let mut ordered: Vec<usize> = bulk::order(&positions).concat();
    ordered.sort_unstable();
    assert!(ordered.into_iter().eq(0..asked.operations.len()), "each is done once: {body}");
    for mut operation in asked.operations {
        operation.resolve(&|name| creators.get(name).map(usize::to_string));
        let Ok(call) = operation.call else { continue };
        assert!(!call.data_without(&|_| true).to_string().is_empty());
        read(&call, &mut leniencies);
    }
}

fn read(Call { method, kind, data, .. }: &Call, leniencies: &mut Leniencies) {
    match method {
        Method::Post | Method::Put => drop(resource::parse(kind, data, leniencies)),
        Method::Patch => drop(patch::parse(kind, data, leniencies)),
        Method::Delete => {}
    }
}
