//! One attribute after another, with an error that says which one is wrong and what it may be.

use std::ops::RangeInclusive;

use scim_protocol::Object;
use scim_protocol::error::Error;
use serde_json::Value;

/// One of a few words.
pub(super) trait Choice: Copy + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

/// The tenant's attributes, or the sub-attributes of one of them.
pub(super) struct Attributes<'a> {
    parent: Option<&'static str>,
    members: Option<&'a Object>,
}

impl<'a> Attributes<'a> {
    pub(super) fn top(tenant: &'a Object) -> Self {
        Self { parent: None, members: Some(tenant) }
    }

    pub(super) fn of(tenant: &'a Object, parent: &'static str) -> Result<Self, Error> {
        let members = match tenant.get(parent) {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(_) => return Err(Error::invalid_value(format!("{parent} must be an object"))),
        };
        Ok(Self { parent: Some(parent), members })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn wrong(&self, name: &str, allowed: &str) -> Error {
        let parent = self.parent.map(|parent| format!("{parent}.")).unwrap_or_default();
        Error::invalid_value(format!("{parent}{name} must be {allowed}"))
    }

    pub(super) fn truth(&self, name: &str, default: bool) -> Result<bool, Error> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.wrong(name, "true or false"))
    }

    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = range.into_inner();
            let end = if most == i64::MAX { "on".to_owned() } else { format!("to {most}") };
            self.wrong(name, &format!("a whole number from {least} {end}"))
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
        text.map(Some).ok_or_else(|| self.wrong(name, "a name"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let texts = value.as_array().and_then(|values| {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        let texts = texts.ok_or_else(|| self.wrong(name, "a list of names"))?;
        Ok(Some(texts).filter(|texts| !texts.is_empty()))
    }

    pub(super) fn choice<C: Choice>(&self, name: &str, default: C) -> Result<C, Error> {
        let Some(value) = self.get(name) else { return Ok(default) };
        self.one_of(name, value.as_str().unwrap_or_default())
    }

    pub(super) fn one_of<C: Choice>(&self, name: &str, text: &str) -> Result<C, Error> {
        let known = C::ALL.iter().find(|choice| choice.name().eq_ignore_ascii_case(text));
        known.copied().ok_or_else(|| {
            let names: Vec<_> = C::ALL.iter().map(|choice| choice.name()).collect();
            self.wrong(name, &format!("one of {}", names.join(", ")))
        })
    }
}
