//! A body in any dialect is refused, or becomes the kept form, which is its own. Nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_protocol::dialect::Leniencies;
use scim_protocol::filter::search_document;
use scim_protocol::resource;
use scim_protocol_fuzz::{body, dialects, in_text, is_lenient, kinds, sent_again};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    for kind in kinds() {
        let body = body(kind, bytes);
        for dialect in dialects() {
            let mut leniencies = Leniencies::new(dialect);
            let Ok(kept) = resource::parse(kind, &body, &mut leniencies) else { continue };
            if !is_lenient(&leniencies) {
                assert_eq!(in_text(&sent_again(kind, &kept)), in_text(&kept), "{dialect}: {body}");
            }
            // A client of the same dialect may send back what it was sent.
            let mut echo = kept.clone();
            echo.insert("schemas".to_owned(), resource::schemas(kind, &kept).into());
            let echoed = resource::parse(kind, &Value::Object(echo), &mut Leniencies::new(dialect));
            assert_eq!(in_text(&echoed.unwrap()), in_text(&kept), "{dialect}: {body}");
            // Folding is idempotent, so the document in which it is searched is its own.
            let document = search_document(kind, &kept);
            assert_eq!(in_text(&search_document(kind, &document)), in_text(&document));
        }
    }
});
