//! The two documents of a resource.

use scim_protocol::Object;
use scim_protocol::filter::search_document;
use scim_protocol::resource::schemas;
use scim_protocol::schema::ResourceType;
use serde_json::Value;

/// What is kept, and the form in which it is searched. The `externalId` of users and groups is in
/// neither: it differs from connection to connection.
pub(crate) fn document(kind: &'static ResourceType, attributes: &Object) -> (Object, Object) {
    let mut kept = attributes.clone();
    if matches!(kind.name, "User" | "Group") {
        kept.shift_remove("externalId");
    }
    let mut search = search_document(kind, &kept);
    search.insert("schemas".to_owned(), Value::Array(schemas(kind, &kept)));
    (kept, search)
}
