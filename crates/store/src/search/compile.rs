//! Predicates, compiled.
//!
//! A condition is three-valued in SQL and two-valued in SCIM: what is not true is not selected.
//! So only NOT has to turn "unknown" into "false" first.

use std::cell::Cell;

use accounts::{Scope, StorageResult, parse_id};
use scim_protocol::filter::{Operand, Operator, Predicate, Test};
use scim_protocol::schema::AttributeRef;

use super::nesting::in_groups;
use super::place::{
    Column, Form, GROUPS_ABOVE_USER, GROUPS_OF_USER, Place, SideTable, Table, place,
};
use super::value::{EVERYTHING, InDocument, NOTHING, path, too_costly, unsearchable};
use super::{Bind, Dialect, Pieces};
use crate::types::Stamp;

/// So many tables of values PostgreSQL may weigh against each other in one statement: the time that
/// it takes to plan grows with the cube of their number.
const PLANNED_LOOKUPS: usize = 8;

/// So many tests may be in one filter of what a query of its own finds for all users of the tenant,
/// such as the roles that they hold: 500 of these would keep a lane for minutes.
const MAX_QUERIES: usize = 20;

/// The condition of a predicate on the row `resource` of a table.
///
/// # Errors
/// [`accounts::StorageError::NotSearchable`], [`accounts::StorageError::TooCostly`]
pub(crate) fn condition(
    dialect: &dyn Dialect,
    table: Table,
    scope: Scope,
    predicate: &Predicate,
) -> StorageResult<Pieces> {
    let mut pieces = Pieces::default();
    let (lookups, queries) = (Cell::new(0), Cell::new(0));
    let within = Within::Resource;
    Compiler { dialect, table, scope, within, lookups: &lookups, queries: &queries }
        .predicate(predicate, &mut pieces)?;
    pieces.at(scope.now);
    Ok(pieces)
}

/// What the names of a predicate are relative to.
#[derive(Clone, Copy)]
enum Within {
    /// The resource's row.
    Resource,
    /// `element`, an element of a list in the search document.
    Element,
    /// `side`, a row of a side table.
    Side(&'static SideTable),
}

#[derive(Clone, Copy)]
struct Compiler<'a> {
    dialect: &'a dyn Dialect,
    table: Table,
    scope: Scope,
    within: Within,
    /// How many tables of values were looked into so far.
    lookups: &'a Cell<usize>,
    /// How many tests so far are of what a query of its own finds.
    queries: &'a Cell<usize>,
}

impl Compiler<'_> {
    fn predicate(&self, predicate: &Predicate, out: &mut Pieces) -> StorageResult<()> {
        match predicate {
            Predicate::And(none) if none.is_empty() => {
                out.sql(EVERYTHING);
                Ok(())
            }
            Predicate::Or(none) if none.is_empty() => {
                out.sql(NOTHING);
                Ok(())
            }
            Predicate::And(terms) => self.join(terms, " AND ", out),
            Predicate::Or(terms) => self.join(terms, " OR ", out),
            Predicate::Not(inner) => {
                out.sql("NOT COALESCE(");
                self.predicate(inner, out)?;
                out.sql(format!(", {NOTHING})"));
                Ok(())
            }
            Predicate::Test { attribute, test } => self.test(*attribute, test, out),
            Predicate::Element { attribute, predicate } => self.element(*attribute, predicate, out),
        }
    }

    fn join(&self, terms: &[Predicate], with: &'static str, out: &mut Pieces) -> StorageResult<()> {
        for (at, term) in terms.iter().enumerate() {
            out.sql(if at == 0 { "(" } else { with });
            self.predicate(term, out)?;
        }
        out.sql(")");
        Ok(())
    }

    fn test(&self, attribute: AttributeRef, test: &Test, out: &mut Pieces) -> StorageResult<()> {
        match self.within {
            Within::Element => {
                let value = InDocument::At("element.value", vec![&attribute.leaf().name]);
                self.value_test(&value, attribute, test, out);
                Ok(())
            }
            Within::Side(side) => {
                let column =
                    side.column(&attribute.leaf().name).ok_or_else(|| unsearchable(attribute))?;
                self.column_test(column, test, out);
                Ok(())
            }
            Within::Resource => self.resource_test(attribute, test, out),
        }
    }

    /// Where an attribute of the resource is, if the filter may ask for it once more.
    fn place(&self, attribute: AttributeRef) -> StorageResult<Place> {
        let place = place(self.table, attribute);
        if place.is_query() {
            self.queries.set(self.queries.get() + 1);
            if self.queries.get() > MAX_QUERIES {
                return Err(too_costly(attribute, MAX_QUERIES));
            }
        }
        Ok(place)
    }

    fn resource_test(
        &self,
        attribute: AttributeRef,
        test: &Test,
        out: &mut Pieces,
    ) -> StorageResult<()> {
        match self.place(attribute)? {
            Place::Nowhere => Err(unsearchable(attribute)),
            Place::Column(column) => {
                self.column_test(column, test, out);
                Ok(())
            }
            Place::Side(side) => self.side_test(side, attribute, test, out),
            Place::Groups => self.groups_test(attribute, test, out),
            Place::Document if attribute.attribute.multi_valued => {
                self.list_test(attribute, test, out);
                Ok(())
            }
            Place::Document => {
                let value = InDocument::At("resource.search", path(attribute));
                self.value_test(&value, attribute, test, out);
                Ok(())
            }
        }
    }

    /// A test of any value of an attribute that has a table of its own.
    fn side_test(
        &self,
        side: &'static SideTable,
        attribute: AttributeRef,
        test: &Test,
        out: &mut Pieces,
    ) -> StorageResult<()> {
        let name = &attribute.leaf().name;
        if let (Test::Present, None) = (test, attribute.sub) {
            match side.of_others {
                Some(_) => _ = out.sql(EVERYTHING),
                None => self.in_side(side, None, out),
            }
            return Ok(());
        }
        let Some(column) = side.column(name) else {
            if attribute.attribute.name == "emails" {
                self.list_test(attribute, test, out);
                return Ok(());
            }
            return Err(unsearchable(attribute));
        };
        let mut inner = Pieces::default();
        self.column_test(column, test, &mut inner);
        if let Some(of_others) = side.of_others {
            out.sql("((NOT ");
            self.in_side(side, None, out);
            out.sql(" AND ");
            self.column_test(of_others, test, out);
            out.sql(") OR ");
            self.in_side(side, Some(inner), out);
            out.sql(")");
            return Ok(());
        }
        if is_not_equal(test) {
            // An attribute without values is unassigned, which is not identical to the operand.
            out.sql("(NOT ");
            self.in_side(side, None, out);
            out.sql(" OR ");
            self.in_side(side, Some(inner), out);
            out.sql(")");
            return Ok(());
        }
        self.in_side(side, Some(inner), out);
        Ok(())
    }

    /// A test of any group that a user is in, directly or through others.
    fn groups_test(
        &self,
        attribute: AttributeRef,
        test: &Test,
        out: &mut Pieces,
    ) -> StorageResult<()> {
        // Who is in a group through others is in one directly too.
        if let (Test::Present, None) = (test, attribute.sub) {
            self.in_side(&GROUPS_OF_USER, None, out);
            return Ok(());
        }
        let condition = |side: &SideTable| {
            let column =
                side.column(&attribute.leaf().name).ok_or_else(|| unsearchable(attribute))?;
            let mut condition = Pieces::default();
            self.column_test(column, test, &mut condition);
            Ok(condition)
        };
        let (direct, above) = (condition(&GROUPS_OF_USER)?, condition(&GROUPS_ABOVE_USER)?);
        if is_not_equal(test) {
            out.sql("(NOT ");
            self.in_side(&GROUPS_OF_USER, None, out);
            out.sql(" OR ");
            self.in_groups(direct, above, out);
            out.sql(")");
            return Ok(());
        }
        self.in_groups(direct, above, out);
        Ok(())
    }

    /// A value path of the groups that a user is in.
    fn groups_element(&self, predicate: &Predicate, out: &mut Pieces) -> StorageResult<()> {
        let condition = |side: &'static SideTable| {
            let mut condition = Pieces::default();
            let within = Self { within: Within::Side(side), ..*self };
            within.predicate(predicate, &mut condition)?;
            Ok::<_, accounts::StorageError>(condition)
        };
        let (direct, above) = (condition(&GROUPS_OF_USER)?, condition(&GROUPS_ABOVE_USER)?);
        self.in_groups(direct, above, out);
        Ok(())
    }

    fn in_groups(&self, direct: Pieces, above: Pieces, out: &mut Pieces) {
        let before = self.lookups.replace(self.lookups.get() + 1);
        out.sql("((resource.id IN (").extend(in_groups(self.scope.tenant, direct, above));
        out.sql(if before < PLANNED_LOOKUPS { ")))" } else { ")) IS TRUE)" });
    }

    fn in_side(&self, side: &SideTable, condition: Option<Pieces>, out: &mut Pieces) {
        let SideTable { from, owner, .. } = side;
        let before = self.lookups.replace(self.lookups.get() + 1);
        out.sql(format!("((resource.id IN (SELECT {owner} FROM "));
        self.of_scope(from, out);
        out.sql(" WHERE side.tenant_id = ").id(self.scope.tenant);
        if let Some(resource_type) = side.of_connection {
            out.sql(" AND side.connection_id = ").id(self.scope.connection);
            out.sql(format!(" AND side.resource_type = '{resource_type}'"));
        }
        if let Some(condition) = condition {
            out.sql(" AND ").extend(condition);
        }
        // What is said so is looked up by itself, and not made a join.
        out.sql(if before < PLANNED_LOOKUPS { ")))" } else { ")) IS TRUE)" });
    }

    /// The FROM item of a side table, with the tenant filled in.
    fn of_scope(&self, from: &str, out: &mut Pieces) {
        for (at, part) in from.split("{tenant}").enumerate() {
            if at > 0 {
                out.id(self.scope.tenant);
            }
            out.sql(part.to_owned());
        }
    }

    /// A test of any element of a list in the search document.
    fn list_test(&self, attribute: AttributeRef, test: &Test, out: &mut Pieces) {
        let whole = AttributeRef { sub: None, ..attribute };
        if let (Test::Present, None) = (test, attribute.sub) {
            out.sql(self.dialect.json_present("resource.search", &path(whole)));
            return;
        }
        let value = match attribute.sub {
            Some(sub) => InDocument::At("element.value", vec![&sub.name]),
            None => InDocument::Element,
        };
        let mut inner = Pieces::default();
        self.value_test(&value, attribute, test, &mut inner);
        if is_not_equal(test) {
            let present = self.dialect.json_present("resource.search", &path(whole));
            out.sql(format!("(NOT ({present}) OR "));
            self.any_element(whole, inner, out);
            out.sql(")");
            return;
        }
        self.any_element(whole, inner, out);
    }

    fn any_element(&self, attribute: AttributeRef, condition: Pieces, out: &mut Pieces) {
        let elements = self.dialect.json_elements("resource.search", &path(attribute));
        out.sql(format!("EXISTS (SELECT 1 FROM {elements} WHERE ")).extend(condition).sql(")");
    }

    /// A value path: all conditions hold for one element.
    fn element(
        &self,
        attribute: AttributeRef,
        predicate: &Predicate,
        out: &mut Pieces,
    ) -> StorageResult<()> {
        let place = self.place(attribute)?;
        if let Place::Groups = place {
            return self.groups_element(predicate, out);
        }
        if let Place::Side(side) = place {
            let mut inner = Pieces::default();
            let within = Self { within: Within::Side(side), ..*self };
            match within.predicate(predicate, &mut inner) {
                Ok(()) => {
                    self.in_side(side, Some(inner), out);
                    return Ok(());
                }
                // The e-mails are in the search document too, with every sub-attribute.
                Err(_) if attribute.attribute.name == "emails" => {}
                Err(error) => return Err(error),
            }
        } else if !matches!(place, Place::Document) {
            return Err(unsearchable(attribute));
        }
        if attribute.attribute.multi_valued {
            let mut inner = Pieces::default();
            Self { within: Within::Element, ..*self }.predicate(predicate, &mut inner)?;
            self.any_element(attribute, inner, out);
            return Ok(());
        }
        let present = self.dialect.json_present("resource.search", &path(attribute));
        out.sql(format!("({present} AND "));
        self.predicate(predicate, out)?;
        out.sql(")");
        Ok(())
    }

    fn column_test(&self, column: Column, test: &Test, out: &mut Pieces) {
        let sql = column.sql;
        match (column.form, test) {
            (Form::Either(..) | Form::Always(_) | Form::Version | Form::Words, Test::Present) => {
                out.sql(EVERYTHING);
            }
            (_, Test::Present) => {
                out.sql(format!("{sql} IS NOT NULL"));
            }
            (Form::Id, Test::Compare(Operator::Equal, Operand::Text(text))) => {
                match parse_id(text) {
                    Some(id) => out.sql(format!("{sql} = ")).id(id),
                    None => out.sql(NOTHING),
                };
            }
            (Form::Id, Test::Compare(operator, operand)) => {
                self.compare(&self.dialect.id_text(sql), *operator, operand, out);
            }
            (Form::Version, Test::Compare(operator, operand)) => {
                let text = format!("('W/\"' || {} || '\"')", self.dialect.integer_text(sql));
                self.compare(&text, *operator, operand, out);
            }
            (Form::Either(when, otherwise), Test::Compare(operator, operand)) => {
                let text = format!("(CASE WHEN {sql} THEN '{when}' ELSE '{otherwise}' END)");
                self.compare(&self.dialect.by_code_point(&text), *operator, operand, out);
            }
            (Form::Always(text), Test::Compare(operator, operand)) => {
                let text = self.dialect.by_code_point(&format!("'{text}'"));
                self.compare(&text, *operator, operand, out);
            }
            (Form::Words, Test::Compare(operator, operand)) => {
                self.compare(&self.dialect.by_code_point(sql), *operator, operand, out);
            }
            (Form::Named(kind), Test::Compare(operator, operand)) => {
                self.named_test(sql, kind, *operator, operand, out);
            }
            (
                Form::Text | Form::Boolean | Form::Instant | Form::Decimal | Form::Integer,
                Test::Compare(operator, operand),
            ) => {
                let instant = column.form == Form::Instant;
                self.compare_as(sql, *operator, operand, instant, out);
            }
        }
    }

    /// A test of the name of a resource that the row refers to. The resources are found first: there
    /// are few of them, and an index finds the rows.
    fn named_test(
        &self,
        sql: &str,
        kind: &str,
        operator: Operator,
        operand: &Operand,
        out: &mut Pieces,
    ) {
        if operator == Operator::NotEqual {
            out.sql(format!("({sql} IS NULL OR "));
        }
        // At most one has just this name, so that what is found comes in the order of an index.
        let symbol = if operator == Operator::Equal { "=" } else { "IN" };
        out.sql(format!(
            "{sql} {symbol} (SELECT named.id FROM objects AS named WHERE named.tenant_id = "
        ));
        out.id(self.scope.tenant);
        out.sql(format!(" AND named.resource_type = '{kind}' AND named.deleted_at IS NULL AND "));
        self.compare("named.name_key", operator, operand, out);
        out.sql(if operator == Operator::NotEqual { "))" } else { ")" });
    }

    fn value_test(
        &self,
        value: &InDocument<'_>,
        attribute: AttributeRef,
        test: &Test,
        out: &mut Pieces,
    ) {
        match test {
            Test::Present => {
                out.sql(value.present(self.dialect));
            }
            Test::Compare(operator, operand) => {
                let sql = value.typed(self.dialect, attribute.leaf().data_type);
                self.compare(&sql, *operator, operand, out);
            }
        }
    }

    fn compare(&self, sql: &str, operator: Operator, operand: &Operand, out: &mut Pieces) {
        self.compare_as(sql, operator, operand, false, out);
    }

    /// `instant`: the column holds an instant; in the search document it is a number.
    fn compare_as(
        &self,
        sql: &str,
        operator: Operator,
        operand: &Operand,
        instant: bool,
        out: &mut Pieces,
    ) {
        let bind = match operand {
            Operand::Text(text) => return self.compare_text(sql, operator, text, out),
            Operand::Boolean(truth) => Bind::Boolean(*truth),
            Operand::Integer(number) => Bind::Integer(*number),
            Operand::Decimal(number) => Bind::Decimal(*number),
            Operand::Instant(at) if instant => Bind::Stamp(Stamp(*at)),
            Operand::Instant(at) => Bind::Integer(at.as_microsecond()),
        };
        ordered(sql, operator, bind, out);
    }

    fn compare_text(&self, sql: &str, operator: Operator, text: &str, out: &mut Pieces) {
        let bind = |text: &str| Bind::Text(text.to_owned());
        match operator {
            Operator::Contains => self.dialect.contains(sql, text, out),
            Operator::StartsWith => {
                out.sql(format!("({sql} >= ")).bind(bind(text));
                if let Some(end) = after_all_with_prefix(text) {
                    out.sql(format!(" AND {sql} < ")).bind(Bind::Text(end));
                }
                out.sql(")");
            }
            Operator::EndsWith if text.is_empty() => {
                out.sql(format!("{sql} IS NOT NULL"));
            }
            Operator::EndsWith => self.dialect.ends_with(sql, text, out),
            _ => ordered(sql, operator, bind(text), out),
        }
    }
}

fn ordered(sql: &str, operator: Operator, bind: Bind, out: &mut Pieces) {
    let symbol = match operator {
        Operator::NotEqual => {
            out.sql(format!("({sql} IS NULL OR {sql} <> ")).bind(bind).sql(")");
            return;
        }
        Operator::GreaterThan => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::LessThan => "<",
        Operator::LessOrEqual => "<=",
        _ => "=",
    };
    out.sql(format!("{sql} {symbol} ")).bind(bind);
}

/// The least text that is greater than all that begin with `prefix`; none if there is no such.
fn after_all_with_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points between the two halves of the range of `char` are no characters.
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(last as u32 + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn is_not_equal(test: &Test) -> bool {
    matches!(test, Test::Compare(Operator::NotEqual, _))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_prefix_range_holds_just_what_begins_so(prefix in "\\PC{0,3}", text in "\\PC{0,5}") {
            let end = after_all_with_prefix(&prefix);
            let in_range = text >= prefix && end.is_none_or(|end| text < end);
            prop_assert_eq!(in_range, text.starts_with(&prefix));
        }
    }
}
