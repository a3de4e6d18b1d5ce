//! From a `PatchOp` message to edits.

use scim_filter_parser::{Filter, Operator, Options, Path, Test, Value as Literal};
use serde_json::Value;

use super::{AttributeTarget, Edit, EditTarget, Op};
use crate::Object;
use crate::dialect::{Leniencies, Leniency};
use crate::error::{Error, Result};
use crate::filter::resolve_element;
use crate::message::{PATCH_OP, lists_schema, member};
use crate::resource::{self, MAX_MEMBERS};
use crate::schema::{Attribute, AttributeRef, Mutability, ResourceType, Schema, Target};

/// The operations of one PATCH that are carried out; more are refused.
pub const MAX_OPERATIONS: usize = 10_000;

/// Reads the body of a PATCH.
///
/// # Errors
/// `invalidSyntax` if it is no `PatchOp` message; `invalidPath`, `invalidFilter`, `noTarget`,
/// `mutability` and `invalidValue` as RFC 7644 section 3.5.2 has them.
pub fn parse(
    kind: &'static ResourceType,
    body: &Value,
    leniencies: &mut Leniencies,
) -> Result<Vec<Edit>> {
    let Value::Object(body) = body else {
        return Err(Error::invalid_syntax("the body must be a JSON object"));
    };
    if !lists_schema(body, PATCH_OP) && !leniencies.allow(Leniency::MissingSchemas) {
        return Err(Error::invalid_syntax(format!("schemas must list {PATCH_OP}")));
    }
    let Some(Value::Array(operations)) = member(body, "Operations") else {
        return Err(Error::invalid_syntax("Operations must be a list"));
    };
    if operations.is_empty() && !leniencies.allow(Leniency::EmptyOperations) {
        return Err(Error::invalid_syntax("Operations must not be empty"));
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::invalid_syntax(format!(
            "more than {MAX_OPERATIONS} operations in one PATCH"
        )));
    }
    let mut edits = Vec::with_capacity(operations.len());
    for operation in operations {
        Parser { kind, leniencies, edits: &mut edits }.operation(operation)?;
    }
    check_members(&edits)?;
    Ok(edits)
}

/// Refuses more than [`MAX_MEMBERS`] members in all operations together.
fn check_members(edits: &[Edit]) -> Result<()> {
    let named = |edit: &Edit| match (&edit.target, &edit.value) {
        (EditTarget::Attribute(target), Value::Array(given))
            if target.attribute.attribute.name == "members" =>
        {
            given.len()
        }
        _ => 0,
    };
    if edits.iter().map(named).sum::<usize>() > MAX_MEMBERS {
        return Err(Error::invalid_value(format!("members has more than {MAX_MEMBERS} values")));
    }
    Ok(())
}

struct Parser<'a> {
    kind: &'static ResourceType,
    leniencies: &'a mut Leniencies,
    edits: &'a mut Vec<Edit>,
}

impl Parser<'_> {
    fn operation(&mut self, operation: &Value) -> Result<()> {
        let Value::Object(operation) = operation else {
            return Err(Error::invalid_syntax("an operation must be an object"));
        };
        let op = self.op(operation)?;
        let value = match member(operation, "value") {
            Some(value) => value.clone(),
            None if op == Op::Remove => Value::Null,
            // Not the same as null: who forgot the value did not ask to clear the attribute.
            None => return Err(Error::invalid_value("add and replace need a value")),
        };
        match member(operation, "path") {
            None | Some(Value::Null) => self.without_path(op, value),
            Some(Value::String(path)) => self.with_path(op, path, value, true),
            Some(_) => Err(Error::invalid_path("path must be a string")),
        }
    }

    fn op(&mut self, operation: &Object) -> Result<Op> {
        let Some(Value::String(name)) = member(operation, "op") else {
            return Err(Error::invalid_syntax("an operation needs op: add, remove or replace"));
        };
        let op = match name.to_ascii_lowercase().as_str() {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            _ => return Err(Error::invalid_syntax("op must be add, remove or replace")),
        };
        let exact = name.bytes().all(|byte| byte.is_ascii_lowercase());
        if exact || self.leniencies.allow(Leniency::OperationCase) {
            return Ok(op);
        }
        Err(Error::invalid_syntax("op must be add, remove or replace, in lower case"))
    }

    fn without_path(&mut self, op: Op, value: Value) -> Result<()> {
        if op == Op::Remove {
            return Err(Error::no_target("remove needs a path"));
        }
        let Value::Object(members) = value else {
            return Err(Error::invalid_value("an operation without path needs an object as value"));
        };
        for (key, value) in members {
            let is_name = self.kind.extension(&key).is_some();
            self.with_key(op, &key, is_name, &key, value)?;
        }
        Ok(())
    }

    /// `key`, whose full path is `path`, in a value that holds attributes.
    fn with_key(
        &mut self,
        op: Op,
        key: &str,
        is_name: bool,
        path: &str,
        value: Value,
    ) -> Result<()> {
        let is_path = !is_name && key.contains(['.', ':', '[']);
        if is_path && !self.leniencies.allow(Leniency::PathAsKey) {
            return Err(Error::invalid_syntax(format!("{key}: a path cannot be a key")));
        }
        self.with_path(op, path, value, false)
    }

    /// `explicit`: the path was given as such, not as a key of a path-less value.
    fn with_path(&mut self, op: Op, text: &str, value: Value, explicit: bool) -> Result<()> {
        let is_own_schema = text.eq_ignore_ascii_case(&self.kind.schema.id);
        if is_own_schema && op != Op::Remove && self.leniencies.allow(Leniency::PathAsKey) {
            return self.without_path(op, value);
        }
        let refuse = |detail: String| {
            if explicit { Error::invalid_path(detail) } else { Error::invalid_syntax(detail) }
        };
        let path = match Path::parse_with(text, &Options::default()) {
            Ok(path) => path,
            Err(_) if !explicit && self.leniencies.allow(Leniency::UnknownAttribute) => {
                return Ok(());
            }
            Err(error) if explicit && is_in_brackets(text, error.position()) => {
                let detail = format!("the filter in the path is wrong {error}");
                return Err(Error::invalid_filter(detail));
            }
            Err(error) => return Err(refuse(format!("the path is wrong {error}"))),
        };
        let target = self.kind.resolve(&path.attribute, self.leniencies);
        let Some(target) = target.filter(|target| has_sub_attribute(target, &path)) else {
            if self.leniencies.allow(Leniency::UnknownAttribute) {
                return Ok(());
            }
            return Err(refuse(format!("{text} names no attribute of {}", self.kind.name)));
        };
        let attribute = match target {
            Target::Extension(schema) if path.filter.is_none() => {
                return self.extension(op, schema, value);
            }
            Target::Extension(_) => {
                return Err(Error::invalid_path(format!("{text}: an extension has no elements")));
            }
            Target::Attribute(attribute) => attribute,
        };
        // The schemas of a resource follow from the attributes it has.
        if attribute.attribute.name == "schemas" {
            return match op {
                Op::Remove => Err(Error::mutability("schemas is required")),
                Op::Add | Op::Replace => Ok(()),
            };
        }
        let target = self.target(&path, attribute)?;
        let named = [Some(attribute.attribute), target.sub];
        if named.into_iter().flatten().any(|named| named.mutability == Mutability::ReadOnly) {
            return self.read_only(op, text, attribute, explicit);
        }
        self.edits.push(Edit { op, target: EditTarget::Attribute(target), value });
        Ok(())
    }

    fn target(&mut self, path: &Path, attribute: AttributeRef) -> Result<AttributeTarget> {
        let whole = AttributeRef { sub: None, ..attribute };
        let Some(filter) = &path.filter else {
            let sub = attribute.sub;
            return Ok(AttributeTarget { attribute: whole, filter: None, template: None, sub });
        };
        if attribute.sub.is_some() || !attribute.attribute.is_complex() {
            return Err(Error::invalid_path(format!("{path}: only a complex attribute has [ ]")));
        }
        let sub = path.sub_attribute.as_deref();
        Ok(AttributeTarget {
            attribute: whole,
            filter: Some(resolve_element(whole, filter, self.leniencies)?),
            template: template(attribute.attribute, filter, self.leniencies),
            sub: sub.and_then(|name| attribute.attribute.sub_attribute(name)),
        })
    }

    fn extension(&mut self, op: Op, schema: &'static Schema, value: Value) -> Result<()> {
        if op == Op::Remove || value.is_null() {
            let target = EditTarget::Extension(schema);
            self.edits.push(Edit { op: Op::Remove, target, value: Value::Null });
            return Ok(());
        }
        let Value::Object(members) = value else {
            return Err(Error::invalid_value(format!("{} must be an object", schema.id)));
        };
        for (key, value) in members {
            self.with_key(op, &key, false, &format!("{}:{key}", schema.id), value)?;
        }
        Ok(())
    }

    fn read_only(
        &mut self,
        op: Op,
        text: &str,
        attribute: AttributeRef,
        explicit: bool,
    ) -> Result<()> {
        // Okta's group rename echoes id, and some clients meta and groups.
        let echoed = matches!(attribute.attribute.name.as_str(), "id" | "meta" | "groups");
        let ignored = op != Op::Remove && (!explicit || echoed);
        if ignored && self.leniencies.allow(Leniency::ReadOnlyInPatch) {
            return Ok(());
        }
        Err(Error::mutability(format!("{text} is read-only")))
    }
}

/// Whether the sub-attribute after the brackets, if there is one, is one of the attribute.
fn has_sub_attribute(target: &Target, path: &Path) -> bool {
    match (target, &path.sub_attribute) {
        (Target::Attribute(found), Some(name)) => found.attribute.sub_attribute(name).is_some(),
        _ => true,
    }
}

/// The sub-attributes that an element must have for `eq` terms joined by `and` to select it.
/// `None` if the filter says anything else, or contradicts itself.
fn template(
    attribute: &'static Attribute,
    filter: &Filter,
    leniencies: &Leniencies,
) -> Option<Object> {
    let mut terms = Vec::new();
    equalities(filter, &mut terms).then_some(())?;
    // Resolving the filter has counted the leniencies that its literals need.
    let mut counted = leniencies.clone();
    let mut template = Object::new();
    for (name, literal) in terms {
        let sub = attribute.sub_attribute(name)?;
        let literal = match literal {
            Literal::String(text) => Value::from(text.as_str()),
            Literal::Integer(number) => Value::from(*number),
            Literal::Decimal(number) => Value::from(*number),
            Literal::Boolean(truth) => Value::from(*truth),
            Literal::Null => return None,
        };
        let Some(value) = resource::parse_attribute(sub, &literal, &mut counted).ok()? else {
            continue;
        };
        if template.get(&sub.name).is_some_and(|earlier| *earlier != value) {
            return None;
        }
        template.insert(sub.name.clone(), value);
    }
    Some(template)
}

fn equalities<'a>(filter: &'a Filter, terms: &mut Vec<(&'a str, &'a Literal)>) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|term| equalities(term, terms)),
        Filter::Attribute(term) => match &term.test {
            Test::Compare(Operator::Equal, literal) => {
                terms.push((&term.path.attribute, literal));
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a position is between a bracket and the one that closes it.
fn is_in_brackets(text: &str, position: usize) -> bool {
    let (before, after) = text.split_at_checked(position).unwrap_or((text, ""));
    before.contains('[') && after.contains(']')
}
