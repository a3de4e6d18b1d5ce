//! The order of a query (RFC 7644 section 3.4.2.3), and where a page in it begins.

use accounts::{Scope, StorageError, StorageResult, parse_id};
use jiff::Timestamp;
use scim_protocol::cursor::{Key, Position};
use scim_protocol::query::Sort;
use scim_protocol::schema::AttributeRef;

use super::place::{Column, Form, Place, SideTable, Table, place};
use super::value::{InDocument, NOTHING, name, path};
use super::{Bind, Dialect, Pieces};
use crate::types::{Id, Stamp};

/// The order of a query's resources: what is unassigned is last ascending and first descending,
/// and equal values are in the order of creation, descending in the opposite one, so that an index
/// serves both.
pub(crate) struct Order {
    /// What is sorted by; none if it is the same for all.
    key: Option<SortKey>,
    descending: bool,
}

/// What is sorted by.
struct SortKey {
    sql: Pieces,
    /// The form of a column; none of a value in the search document.
    form: Option<Form>,
}

impl Order {
    /// The order that a query asks for.
    ///
    /// # Errors
    /// [`StorageError::NotSortable`]
    pub(crate) fn of(
        dialect: &dyn Dialect,
        table: Table,
        scope: Scope,
        sort: Option<&Sort>,
    ) -> StorageResult<Self> {
        let Some(sort) = sort else { return Ok(Self { key: None, descending: false }) };
        let key = key(dialect, table, scope, sort.attribute)?;
        Ok(Self { key, descending: sort.descending })
    }

    /// The ORDER BY.
    pub(crate) fn by(&self) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.sql(" ORDER BY ");
        if let Some(key) = &self.key {
            pieces.extend(key.sql.clone());
            pieces.sql(if self.descending { " DESC NULLS FIRST, " } else { " ASC NULLS LAST, " });
        }
        pieces.sql(if self.descending { "resource.id DESC" } else { "resource.id ASC" });
        pieces
    }

    /// The conditions of what comes after a position, part by part: each part is a range of an
    /// index that has the key and the identifier, and comes after the part before it.
    ///
    /// # Errors
    /// The position is none in this order.
    pub(crate) fn after(&self, position: &Position) -> StorageResult<Vec<Pieces>> {
        let wrong = |what: &str| StorageError::Failed(format!("a position's {what}").into());
        let id = Id(parse_id(&position.id).ok_or_else(|| wrong("identifier"))?);
        let mut after_id = Pieces::default();
        after_id.sql(if self.descending { "resource.id < " } else { "resource.id > " });
        after_id.bind(Bind::Id(id));
        let Some(SortKey { sql: key, form }) = &self.key else { return Ok(vec![after_id]) };
        let with = |symbol: &'static str, then: Option<Pieces>| {
            let mut pieces = key.clone();
            pieces.sql(symbol).extend(then.unwrap_or_default());
            pieces
        };
        let unassigned_after_id = || with(" IS NULL AND ", Some(after_id.clone()));
        let Some(value) = &position.key else {
            return Ok(if self.descending {
                vec![unassigned_after_id(), with(" IS NOT NULL", None)]
            } else {
                vec![unassigned_after_id()]
            });
        };
        let bind = bound(value, *form).ok_or_else(|| wrong("key"))?;
        let (from, beyond) = if self.descending { (" <= ", " < ") } else { (" >= ", " > ") };
        let mut range = with(from, None);
        range.bind(bind.clone()).sql(" AND (").extend(with(beyond, None));
        range.bind(bind).sql(" OR ").extend(after_id.clone()).sql(")");
        Ok(if self.descending { vec![range] } else { vec![range, with(" IS NULL", None)] })
    }
}

/// A key as it is bound beside what has this form.
fn bound(key: &Key, form: Option<Form>) -> Option<Bind> {
    Some(match (form, key) {
        (Some(Form::Id), Key::Text(text)) => Bind::Id(Id(parse_id(text)?)),
        (Some(Form::Instant), Key::Integer(micros)) => {
            Bind::Stamp(Stamp(Timestamp::from_microsecond(*micros).ok()?))
        }
        (None | Some(Form::Text), Key::Text(text)) => Bind::Text(text.clone()),
        (None | Some(Form::Boolean), Key::Boolean(truth)) => Bind::Boolean(*truth),
        (None | Some(Form::Version | Form::Integer | Form::Decimal), Key::Integer(number)) => {
            Bind::Integer(*number)
        }
        (None | Some(Form::Decimal), Key::Decimal(number)) => Bind::Decimal(*number),
        _ => return None,
    })
}

/// What is sorted by; none if it is the same for all.
fn key(
    dialect: &dyn Dialect,
    table: Table,
    scope: Scope,
    attribute: AttributeRef,
) -> StorageResult<Option<SortKey>> {
    let unsortable = || StorageError::NotSortable(name(attribute));
    let in_document = || {
        let mut sql = Pieces::default();
        sql.sql(document_key(dialect, attribute));
        SortKey { sql, form: None }
    };
    Ok(Some(match place(table, attribute) {
        Place::Column(Column { form: Form::Always(_), .. }) => return Ok(None),
        Place::Column(Column { sql: id, form: Form::Named(_) }) => {
            let mut sql = Pieces::default();
            sql.sql(format!(
                "(SELECT named.name_key FROM objects AS named \
                 WHERE named.tenant_id = resource.tenant_id AND named.id = {id})"
            ));
            SortKey { sql, form: Some(Form::Text) }
        }
        Place::Column(Column { sql: words, form: Form::Words }) => {
            let mut sql = Pieces::default();
            sql.sql(dialect.by_code_point(words)).at(scope.now);
            SortKey { sql, form: Some(Form::Text) }
        }
        Place::Column(column) => {
            let mut sql = Pieces::default();
            sql.sql(column.sql).at(scope.now);
            SortKey { sql, form: Some(column.form) }
        }
        Place::Side(side) if side.of_connection.is_some() => {
            of_connection(side, scope, attribute).ok_or_else(unsortable)?
        }
        // The e-mails are in the search document too.
        Place::Side(_) if attribute.attribute.name == "emails" => in_document(),
        Place::Document => in_document(),
        Place::Side(_) | Place::Groups | Place::Nowhere => return Err(unsortable()),
    }))
}

/// The one value that a resource has for the scope's connection.
fn of_connection(side: &SideTable, scope: Scope, attribute: AttributeRef) -> Option<SortKey> {
    let (column, resource_type) = (side.column(&attribute.leaf().name)?, side.of_connection?);
    let mut sql = Pieces::default();
    sql.sql(format!("(SELECT {} FROM {} WHERE side.tenant_id = ", column.sql, side.from));
    sql.id(scope.tenant).sql(" AND side.connection_id = ").id(scope.connection);
    let owner = side.owner;
    sql.sql(format!(" AND side.resource_type = '{resource_type}' AND {owner} = resource.id)"));
    Some(SortKey { sql, form: Some(column.form) })
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
