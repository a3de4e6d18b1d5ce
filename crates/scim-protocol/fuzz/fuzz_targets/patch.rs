//! A PATCH in any dialect is refused, or leaves a resource in its kept form. Nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_protocol::Object;
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::patch::{self, Edit, EditTarget};
use scim_protocol::schema::ResourceType;
use scim_protocol_fuzz::{dialects, in_text, is_lenient, samples, sent_again};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    for (kind, before) in samples() {
        let body = scim_protocol_fuzz::patch(kind, bytes);
        for dialect in dialects() {
            check(kind, &body, before, dialect);
        }
    }
});

fn check(kind: &'static ResourceType, body: &Value, before: &Object, dialect: Dialect) {
    let mut leniencies = Leniencies::new(dialect);
    let Ok(edits) = patch::parse(kind, body, &mut leniencies) else { return };
    let mut apply = |resource: &Object, edits: &[Edit]| {
        let mut after = resource.clone();
        patch::apply(kind, &mut after, edits, &mut leniencies).ok()?;
        Some(after)
    };
    let Some(after) = apply(before, &edits) else { return };
    let twice = apply(&after, &edits);
    if is_lenient(&leniencies) {
        return;
    }
    assert_eq!(in_text(&sent_again(kind, &after)), in_text(&after), "{dialect}: {body}");
    // One edit that selects nothing by value says how it shall be, however it was.
    if let [edit] = edits.as_slice()
        && !is_selective(edit)
    {
        let twice = twice.expect("what was done can be done again");
        assert_eq!(in_text(&twice), in_text(&after), "{dialect}: twice {body}");
    }
}

/// Whether an edit may change what it selects.
fn is_selective(edit: &Edit) -> bool {
    match &edit.target {
        EditTarget::Attribute(target) => target.filter.is_some(),
        EditTarget::Extension(_) => false,
    }
}
