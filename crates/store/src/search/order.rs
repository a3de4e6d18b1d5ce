//! The ORDER BY of a query (RFC 7644 section 3.4.2.3).

use accounts::{Scope, StorageError, StorageResult};
use scim_protocol::query::Sort;
use scim_protocol::schema::AttributeRef;

use super::place::{Column, Form, Place, SideTable, Table, place};
use super::value::{InDocument, NOTHING, name, path};
use super::{Dialect, Pieces};

/// The ORDER BY of a query: what is unassigned is last ascending and first descending, and equal
/// values are in the order of creation.
///
/// # Errors
/// [`StorageError::NotSortable`]
pub(crate) fn order(
    dialect: &dyn Dialect,
    table: Table,
    scope: Scope,
    sort: Option<&Sort>,
) -> StorageResult<Pieces> {
    let mut pieces = Pieces::default();
    pieces.sql(" ORDER BY ");
    if let Some(sort) = sort
        && let Some(key) = key(dialect, table, scope, sort.attribute)?
    {
        pieces.extend(key);
        pieces.sql(if sort.descending { " DESC NULLS FIRST, " } else { " ASC NULLS LAST, " });
    }
    pieces.sql("resource.id ASC");
    Ok(pieces)
}

/// What is sorted by; none if it is the same for all.
fn key(
    dialect: &dyn Dialect,
    table: Table,
    scope: Scope,
    attribute: AttributeRef,
) -> StorageResult<Option<Pieces>> {
    let unsortable = || StorageError::NotSortable(name(attribute));
    let mut key = Pieces::default();
    match place(table, attribute) {
        Place::Column(Column { form: Form::Always(_), .. }) => return Ok(None),
        Place::Column(column) => key.sql(column.sql),
        Place::Side(side) if side.of_connection.is_some() => {
            return of_connection(side, scope, attribute).map(Some).ok_or_else(unsortable);
        }
        // The e-mails are in the search document too.
        Place::Side(_) if attribute.attribute.name == "emails" => {
            key.sql(document_key(dialect, attribute))
        }
        Place::Document => key.sql(document_key(dialect, attribute)),
        Place::Side(_) | Place::Nowhere => return Err(unsortable()),
    };
    Ok(Some(key))
}

/// The one value that a resource has for the scope's connection.
fn of_connection(side: &SideTable, scope: Scope, attribute: AttributeRef) -> Option<Pieces> {
    let (column, resource_type) = (side.column(&attribute.leaf().name)?, side.of_connection?);
    let mut key = Pieces::default();
    key.sql(format!("(SELECT {} FROM {} WHERE side.tenant_id = ", column.sql, side.from));
    key.id(scope.tenant).sql(" AND side.connection_id = ").id(scope.connection);
    let owner = side.owner;
    key.sql(format!(" AND side.resource_type = '{resource_type}' AND {owner} = resource.id)"));
    Some(key)
}

/// The value of a list by which it is sorted is that of its primary element, else its first.
fn document_key(dialect: &dyn Dialect, attribute: AttributeRef) -> String {
    let leaf = attribute.leaf().data_type;
    if !attribute.attribute.multi_valued {
        return InDocument::At("resource.search", path(attribute)).typed(dialect, leaf);
    }
    let whole = AttributeRef { sub: None, ..attribute };
    let elements = dialect.json_elements("resource.search", &path(whole));
    let Some(sub) = attribute.sub else {
        let value = InDocument::Element.typed(dialect, leaf);
        return format!("(SELECT {value} FROM {elements} ORDER BY element.position LIMIT 1)");
    };
    let value = InDocument::At("element.value", vec![&sub.name]).typed(dialect, leaf);
    let primary = dialect.json_boolean("element.value", &["primary"]);
    format!(
        "(SELECT {value} FROM {elements} ORDER BY COALESCE({primary}, {NOTHING}) DESC, \
         element.position LIMIT 1)"
    )
}
