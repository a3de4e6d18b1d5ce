//! Values in the search document, and what is said of places in general.

use accounts::StorageError;
use scim_protocol::schema::{AttributeRef, DataType};

use super::Dialect;
use super::place::kept_as;

/// A condition that no row satisfies.
pub(super) const NOTHING: &str = "(1 = 0)";
/// A condition that every row satisfies.
pub(super) const EVERYTHING: &str = "(1 = 1)";

/// A value in the search document.
pub(super) enum InDocument<'p> {
    /// At a path of a document.
    At(&'static str, Vec<&'p str>),
    /// An element of a list of simple values.
    Element,
}

impl InDocument<'_> {
    pub(super) fn typed(&self, dialect: &dyn Dialect, data_type: DataType) -> String {
        // An element is itself what is at the path of no names.
        let (document, path) = match self {
            Self::At(document, path) => (*document, path.as_slice()),
            Self::Element => ("element.value", &[][..]),
        };
        match data_type {
            DataType::Boolean => dialect.json_boolean(document, path),
            DataType::Integer | DataType::Decimal | DataType::DateTime => {
                dialect.json_number(document, path)
            }
            _ => dialect.json_text(document, path),
        }
    }

    pub(super) fn present(&self, dialect: &dyn Dialect) -> String {
        match self {
            Self::At(document, path) => dialect.json_present(document, path),
            Self::Element => EVERYTHING.to_owned(),
        }
    }
}

/// Where the document has an attribute.
pub(super) fn path(attribute: AttributeRef) -> Vec<&'static str> {
    let urn = attribute.extension.map(|schema| kept_as(&schema.id));
    let sub = attribute.sub.map(|sub| sub.name.as_str());
    urn.into_iter().chain([attribute.attribute.name.as_str()]).chain(sub).collect()
}

/// The name of an attribute, for a refusal.
pub(super) fn name(attribute: AttributeRef) -> String {
    let name = &attribute.attribute.name;
    match attribute.sub {
        Some(sub) => format!("{name}.{}", sub.name),
        None => name.clone(),
    }
}

/// The refusal of a filter that asks for too much.
pub(super) fn too_costly(attribute: AttributeRef, limit: usize) -> StorageError {
    StorageError::TooCostly { attribute: name(attribute), limit }
}

/// The refusal of a filter.
pub(super) fn unsearchable(attribute: AttributeRef) -> StorageError {
    StorageError::NotSearchable(name(attribute))
}
