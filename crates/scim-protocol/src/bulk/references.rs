//! References to resources that the same request creates (RFC 7644 section 3.7.2).
//!
//! `bulkId:NAME` is one where it is all of a string, where it is the last segment of a URI, as the
//! identifier in an operation's path, and as a literal in the filter of a PATCH path.

use std::collections::HashSet;

use serde_json::Value;

use super::{Call, Method, Operation};

/// What a reference begins with.
pub(super) const PREFIX: &str = "bulkId:";

impl Operation {
    /// The bulkIds that the operation refers to, each once. Nothing is put in their place.
    pub fn references(&mut self) -> Vec<String> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        if let Ok(call) = &mut self.call {
            call.visit(&mut |bulk_id| {
                if seen.insert(bulk_id.to_owned()) {
                    found.push(bulk_id.to_owned());
                }
                None
            });
        }
        found
    }

    /// Puts identifiers in the place of references; `id_of` has that of a bulkId. References to
    /// others stay as they are.
    pub fn resolve(&mut self, id_of: &dyn Fn(&str) -> Option<String>) {
        if let Ok(call) = &mut self.call {
            call.visit(&mut |bulk_id| id_of(bulk_id));
        }
    }
}

impl Call {
    /// The data without the values that refer to what is not there yet. A complex value whose
    /// `value` is taken away goes as a whole.
    pub fn data_without(&self, is_missing: &dyn Fn(&str) -> bool) -> Value {
        let mut data = self.data.clone();
        if remove(&mut data, is_missing) {
            return Value::Object(crate::Object::new());
        }
        data
    }

    fn visit(&mut self, replace: &mut dyn FnMut(&str) -> Option<String>) {
        if let Some(id) = self.id.strip_prefix(PREFIX).and_then(&mut *replace) {
            self.id = id;
        }
        visit_values(&mut self.data, replace);
        if self.method == Method::Patch {
            visit_paths(&mut self.data, replace);
        }
    }
}

/// The name in a string that is a reference, and what is before the reference.
fn reference(text: &str) -> Option<(&str, &str)> {
    if let Some(bulk_id) = text.strip_prefix(PREFIX) {
        return Some(("", bulk_id));
    }
    let at = text.rfind("/bulkId:")? + 1;
    Some((&text[..at], &text[at + PREFIX.len()..]))
}

fn visit_values(value: &mut Value, replace: &mut dyn FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            let id = reference(text)
                .and_then(|(before, bulk_id)| replace(bulk_id).map(|id| format!("{before}{id}")));
            if let Some(id) = id {
                *text = id;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| visit_values(value, replace)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| visit_values(value, replace));
        }
        _ => {}
    }
}

/// The literals in the paths of PATCH operations.
fn visit_paths(data: &mut Value, replace: &mut dyn FnMut(&str) -> Option<String>) {
    let Value::Object(members) = data else { return };
    let operations = members.iter_mut().filter(|(key, _)| key.eq_ignore_ascii_case("Operations"));
    let operations = operations.filter_map(|(_, value)| value.as_array_mut()).flatten();
    let members =
        operations.filter_map(Value::as_object_mut).flat_map(|members| members.iter_mut());
    for (_, path) in members.filter(|(key, _)| key.eq_ignore_ascii_case("path")) {
        if let Value::String(path) = path {
            *path = with_literals(path, replace);
        }
    }
}

/// Literals are strings of JSON: a bulkId with a quotation mark has it escaped.
fn with_literals(path: &str, replace: &mut dyn FnMut(&str) -> Option<String>) -> String {
    let (mut done, mut rest) = (String::new(), path);
    while let Some(at) = rest.find('"') {
        let mut literals = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<String>();
        let Some(Ok(literal)) = literals.next() else { break };
        let end = at + literals.byte_offset();
        done.push_str(&rest[..at]);
        match literal.strip_prefix(PREFIX).and_then(&mut *replace) {
            Some(id) => done.push_str(&Value::String(id).to_string()),
            None => done.push_str(&rest[at..end]),
        }
        rest = &rest[end..];
    }
    done + rest
}

/// Takes out what refers to something missing; whether nothing is left.
fn remove(value: &mut Value, is_missing: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => reference(text).is_some_and(|(_, bulk_id)| is_missing(bulk_id)),
        Value::Array(values) => {
            values.retain_mut(|value| !remove(value, is_missing));
            false
        }
        Value::Object(members) => {
            let mut goes = false;
            members.retain(|name, value| {
                let removed = remove(value, is_missing);
                goes |= removed && name.eq_ignore_ascii_case("value");
                !removed
            });
            goes
        }
        _ => false,
    }
}
