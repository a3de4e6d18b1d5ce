//! From a parsed filter to a [`Predicate`].

use scim_filter_parser::{Filter, Operator, Options, Test as Parsed, Value};

use super::{Operand, Predicate, Test};
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::fold::fold;
use crate::instant;
use crate::resource::boolean;
use crate::schema::{AttributeRef, DataType, ResourceType, Target};

/// Parses a filter and resolves it against a resource type.
///
/// # Errors
/// `invalidFilter`: the syntax is wrong, a name is unknown, or a literal or operator does not fit
/// the attribute.
pub fn parse(
    kind: &'static ResourceType,
    text: &str,
    leniencies: &mut Leniencies,
) -> Result<Predicate> {
    resolve(kind, &parse_text(text, leniencies)?, leniencies)
}

fn parse_text(text: &str, leniencies: &mut Leniencies) -> Result<Filter> {
    let options = Options::default();
    let strict = match Filter::parse_with(text, &options) {
        Ok(filter) => return Ok(filter),
        Err(error) => Error::invalid_filter(format!("the filter is wrong {error}")),
    };
    if !leniencies.permits(Leniency::UnquotedLiteral) {
        return Err(strict);
    }
    let options = Options { unquoted_values: true, ..options };
    let Ok(filter) = Filter::parse_with(text, &options) else { return Err(strict) };
    leniencies.allow(Leniency::UnquotedLiteral);
    Ok(filter)
}

/// Resolves the names and literals of a filter.
///
/// # Errors
/// `invalidFilter`, as [`parse`].
pub fn resolve(
    kind: &'static ResourceType,
    filter: &Filter,
    leniencies: &mut Leniencies,
) -> Result<Predicate> {
    Resolver { scope: Scope::Resource(kind), leniencies, foreign: Foreign::Refused }.filter(filter)
}

/// Parses the filter of a query over several resource types and resolves it against one of them:
/// an attribute that the type does not have has no value there (RFC 7644 section 3.4.2.1).
///
/// # Errors
/// `invalidFilter`, as [`parse`], but for names.
pub fn parse_for_one_of_many(
    kind: &'static ResourceType,
    text: &str,
    leniencies: &mut Leniencies,
) -> Result<Predicate> {
    let filter = parse_text(text, leniencies)?;
    Resolver { scope: Scope::Resource(kind), leniencies, foreign: Foreign::Unassigned }
        .filter(&filter)
}

/// Resolves the filter of a value path, whose names are sub-attributes of `attribute`.
///
/// # Errors
/// `invalidFilter`, as [`parse`].
pub fn resolve_element(
    attribute: AttributeRef,
    filter: &Filter,
    leniencies: &mut Leniencies,
) -> Result<Predicate> {
    Resolver { scope: Scope::Element(attribute), leniencies, foreign: Foreign::Refused }
        .filter(filter)
}

enum Scope {
    Resource(&'static ResourceType),
    Element(AttributeRef),
}

/// What a name is that the resource type does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Foreign {
    Refused,
    Unassigned,
}

struct Resolver<'a> {
    scope: Scope,
    leniencies: &'a mut Leniencies,
    foreign: Foreign,
}

impl Resolver<'_> {
    fn filter(&mut self, filter: &Filter) -> Result<Predicate> {
        Ok(match filter {
            Filter::And(terms) => Predicate::And(self.filters(terms)?),
            Filter::Or(terms) => Predicate::Or(self.filters(terms)?),
            Filter::Not(inner) => Predicate::Not(Box::new(self.filter(inner)?)),
            Filter::Attribute(expression) => match self.attribute(&expression.path) {
                Err(_) if self.foreign == Foreign::Unassigned => of_unassigned(&expression.test),
                attribute => self.test(attribute?, &expression.test)?,
            },
            Filter::ValuePath(value_path) => {
                let attribute = match self.attribute(&value_path.path) {
                    Err(_) if self.foreign == Foreign::Unassigned => return Ok(NEVER),
                    attribute => attribute?,
                };
                if !attribute.attribute.is_complex() || attribute.sub.is_some() {
                    return Err(Error::invalid_filter(format!(
                        "{} has no sub-attributes to select by",
                        value_path.path
                    )));
                }
                let mut inner = Resolver {
                    scope: Scope::Element(attribute),
                    leniencies: self.leniencies,
                    foreign: self.foreign,
                };
                let mut predicate = inner.filter(&value_path.filter)?;
                if let Some((name, test)) = &value_path.then {
                    let sub = Self::sub_attribute(attribute, name)?;
                    let then = inner.test(sub, test)?;
                    predicate = Predicate::And(vec![predicate, then]);
                }
                Predicate::Element { attribute, predicate: Box::new(predicate) }
            }
        })
    }

    fn filters(&mut self, filters: &[Filter]) -> Result<Vec<Predicate>> {
        filters.iter().map(|filter| self.filter(filter)).collect()
    }

    fn attribute(&mut self, path: &scim_filter_parser::AttributePath) -> Result<AttributeRef> {
        match self.scope {
            Scope::Resource(kind) => match kind.resolve(path, self.leniencies) {
                Some(Target::Attribute(attribute)) => not_hidden(attribute),
                _ => Err(Error::invalid_filter(format!("{path} is no attribute of {}", kind.name))),
            },
            Scope::Element(parent) => {
                if path.schema.is_some() || path.sub_attribute.is_some() {
                    return Err(Error::invalid_filter(format!(
                        "{path}: inside [ ] only sub-attributes of {} can be named",
                        parent.attribute.name
                    )));
                }
                Self::sub_attribute(parent, &path.attribute)
            }
        }
    }

    fn sub_attribute(parent: AttributeRef, name: &str) -> Result<AttributeRef> {
        let sub = parent.attribute.sub_attribute(name).ok_or_else(|| {
            Error::invalid_filter(format!(
                "{name} is no sub-attribute of {}",
                parent.attribute.name
            ))
        })?;
        not_hidden(AttributeRef { sub: Some(sub), ..parent })
    }

    fn test(&mut self, attribute: AttributeRef, test: &Parsed) -> Result<Predicate> {
        let present = Predicate::Test { attribute, test: Test::Present };
        let (operator, value) = match test {
            Parsed::Present | Parsed::Compare(Operator::NotEqual, Value::Null) => {
                return Ok(present);
            }
            Parsed::Compare(Operator::Equal, Value::Null) => {
                return Ok(Predicate::Not(Box::new(present)));
            }
            Parsed::Compare(operator, value) => (*operator, value),
        };
        let name = &attribute.leaf().name;
        let Some(attribute) = attribute.comparable() else {
            return Err(Error::invalid_filter(format!(
                "{name} is complex: compare one of its sub-attributes"
            )));
        };
        let leaf = not_hidden(attribute)?.leaf();
        if !fits(leaf.data_type, operator) {
            return Err(Error::invalid_filter(format!(
                "{operator} cannot be used with {name}, a {:?}",
                leaf.data_type
            )));
        }
        if let (DataType::Integer, Value::Decimal(number)) = (leaf.data_type, value) {
            return Ok(of_integer(attribute, operator, *number));
        }
        let operand = self.operand(attribute, value)?;
        Ok(Predicate::Test { attribute, test: Test::Compare(operator, operand) })
    }

    fn operand(&mut self, attribute: AttributeRef, value: &Value) -> Result<Operand> {
        let leaf = attribute.leaf();
        let text = |text: &str| {
            if leaf.case_exact { text.to_owned() } else { fold(text) }
        };
        let operand = match (leaf.data_type, value) {
            // No value holds this character, and not every database can be asked for it.
            (_, Value::String(literal)) if literal.contains('\0') => None,
            (_, Value::String(literal)) if leaf.is_text() => Some(Operand::Text(text(literal))),
            (DataType::String, Value::Integer(number)) => self
                .leniencies
                .allow(Leniency::NumberAsString)
                .then(|| Operand::Text(number.to_string())),
            (DataType::Boolean, Value::Boolean(truth)) => Some(Operand::Boolean(*truth)),
            (DataType::Boolean, Value::String(literal)) => boolean(literal)
                .filter(|_| self.leniencies.allow(Leniency::StringBoolean))
                .map(Operand::Boolean),
            (DataType::Integer, Value::Integer(number)) => Some(Operand::Integer(*number)),
            #[allow(clippy::cast_precision_loss, reason = "a decimal is compared as f64")]
            (DataType::Decimal, Value::Integer(number)) => Some(Operand::Decimal(*number as f64)),
            (DataType::Decimal, Value::Decimal(number)) => Some(Operand::Decimal(*number)),
            (DataType::DateTime, Value::String(literal)) => {
                instant::parse(literal).map(Operand::Instant)
            }
            _ => None,
        };
        operand.ok_or_else(|| {
            Error::invalid_filter(format!(
                "the value compared with {} must be a {:?}",
                leaf.name, leaf.data_type
            ))
        })
    }
}

/// A filter on what no client sees would give it away, one letter after another.
fn not_hidden(attribute: AttributeRef) -> Result<AttributeRef> {
    if attribute.is_hidden() {
        let name = &attribute.leaf().name;
        return Err(Error::invalid_filter(format!("{name} cannot be filtered by")));
    }
    Ok(attribute)
}

const NEVER: Predicate = Predicate::Or(Vec::new());
const ALWAYS: Predicate = Predicate::And(Vec::new());

/// The result of a test of an attribute that is not there.
fn of_unassigned(test: &Parsed) -> Predicate {
    match test {
        Parsed::Compare(Operator::Equal, Value::Null) => ALWAYS,
        Parsed::Compare(Operator::NotEqual, value) if *value != Value::Null => ALWAYS,
        _ => NEVER,
    }
}

/// A whole number compared with one that may have a fraction: with the whole number below it, so
/// that no digit is lost on either side.
fn of_integer(attribute: AttributeRef, operator: Operator, number: f64) -> Predicate {
    use Operator::{Equal, GreaterOrEqual, GreaterThan, LessOrEqual, LessThan, NotEqual};
    // Two to the power of 63, which no `i64` reaches.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let below = number.floor();
    #[allow(clippy::cast_possible_truncation, reason = "what is beyond all becomes the last")]
    let bound = below as i64;
    let fits = (-END..END).contains(&below);
    #[allow(clippy::float_cmp, reason = "whether it has a fraction")]
    let is_whole = fits && below == number;
    let operator = match operator {
        Equal if !is_whole => return NEVER,
        NotEqual if !is_whole => return ALWAYS,
        GreaterThan | GreaterOrEqual if number < -END => GreaterOrEqual,
        LessThan | LessOrEqual if number < -END => LessThan,
        GreaterThan | GreaterOrEqual if !is_whole => GreaterThan,
        LessThan | LessOrEqual if !is_whole => LessOrEqual,
        operator => operator,
    };
    Predicate::Test { attribute, test: Test::Compare(operator, Operand::Integer(bound)) }
}

/// RFC 7644 table 3: ordering needs an order, substrings need text.
fn fits(data_type: DataType, operator: Operator) -> bool {
    use Operator::{Contains, EndsWith, Equal, NotEqual, StartsWith};
    match operator {
        Equal | NotEqual => true,
        Contains | StartsWith | EndsWith => {
            matches!(data_type, DataType::String | DataType::Reference | DataType::Binary)
        }
        _ => !matches!(data_type, DataType::Boolean | DataType::Binary),
    }
}
