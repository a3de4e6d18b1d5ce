//! The parameters of a query (RFC 7644 section 3.4.2, RFC 9865 section 2), from a query string or a
//! search request.

use scim_filter_parser::AttributePath;
use serde_json::json;

use crate::cursor::Position;
use crate::dialect::Leniencies;
use crate::error::{Error, Result, ScimType};
use crate::filter::{self, Predicate};
use crate::projection::Projection;
use crate::schema::{AttributeRef, ResourceType, Target};

/// Resources on a page if the client does not say.
pub const DEFAULT_COUNT: u32 = 100;
/// Resources on a page at most.
pub const MAX_COUNT: u32 = 200;

/// The parameters as text, before they are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `filter`
    pub filter: Option<String>,
    /// `sortBy`
    pub sort_by: Option<String>,
    /// `sortOrder`
    pub sort_order: Option<String>,
    /// `startIndex`
    pub start_index: Option<String>,
    /// `count`
    pub count: Option<String>,
    /// `cursor`; empty for the first page
    pub cursor: Option<String>,
    /// `attributes`
    pub attributes: Option<String>,
    /// `excludedAttributes`
    pub excluded_attributes: Option<String>,
}

impl Parameters {
    /// Sets the parameter of this name, in any case; one that SCIM does not know is ignored.
    pub fn set(&mut self, name: &str, value: String) {
        let place = match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "sortby" => &mut self.sort_by,
            "sortorder" => &mut self.sort_order,
            "startindex" => &mut self.start_index,
            "count" => &mut self.count,
            "cursor" => &mut self.cursor,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded_attributes,
            _ => return,
        };
        *place = Some(value);
    }

    /// Which attributes the answer has.
    ///
    /// # Errors
    /// As [`Projection::parse`].
    pub fn projection(
        &self,
        kind: &'static ResourceType,
        leniencies: &mut Leniencies,
    ) -> Result<Projection> {
        let attributes = self.attributes.as_deref();
        Projection::parse(kind, attributes, self.excluded_attributes.as_deref(), leniencies)
    }

    /// The query of one resource type that they ask for.
    ///
    /// # Errors
    /// `invalidFilter` for the filter, `invalidPath` for `sortBy`, `invalidCount` for the `count` of
    /// a page by cursor, `invalidValue` for the others.
    pub fn query(&self, kind: &'static ResourceType, leniencies: &mut Leniencies) -> Result<Query> {
        let filter = self.filter.as_deref().map(|text| filter::parse(kind, text, leniencies));
        let filter = filter.transpose()?;
        self.page(filter, self.sort(kind, leniencies)?)
    }

    /// The part that one resource type has in a query over several (RFC 7644 section 3.4.2.1): what
    /// the type does not have has no value there, and orders nothing.
    ///
    /// # Errors
    /// As [`Self::query`], but for names.
    pub fn query_of_many(
        &self,
        kind: &'static ResourceType,
        leniencies: &mut Leniencies,
    ) -> Result<Query> {
        let parse = |text| filter::parse_for_one_of_many(kind, text, leniencies);
        let filter = self.filter.as_deref().map(parse).transpose()?;
        let sort = match self.sort(kind, leniencies) {
            Err(error) if error.scim_type == ScimType::InvalidPath => None,
            sort => sort?,
        };
        self.page(filter, sort)
    }

    /// What must be the same for every page of a query that is paged by cursor, as one text: all
    /// but `cursor` and `count`, which have errors of their own.
    pub fn of_every_page(&self) -> String {
        let Self { filter, sort_by, sort_order, attributes, excluded_attributes, .. } = self;
        json!([filter, sort_by, sort_order, attributes, excluded_attributes]).to_string()
    }

    fn page(&self, filter: Option<Predicate>, sort: Option<Sort>) -> Result<Query> {
        let start_index = number("startIndex", self.start_index.as_deref())?;
        let (start, count) = if self.cursor.is_none() {
            let start_index = start_index.unwrap_or(1).max(1).unsigned_abs();
            (Start::Index(start_index), number("count", self.count.as_deref())?)
        } else if start_index.is_some() {
            return Err(Error::invalid_value(
                "cursor and startIndex are two ways of paging: give one of them",
            ));
        } else {
            (Start::After(None), self.count_by_cursor()?)
        };
        let count = count.unwrap_or(DEFAULT_COUNT.into()).clamp(0, MAX_COUNT.into());
        let count = u32::try_from(count).unwrap_or(MAX_COUNT);
        Ok(Query { filter, sort, start, count, wants_total: true })
    }

    /// RFC 9865 section 2.1: what is too large is refused here, not reduced.
    fn count_by_cursor(&self) -> Result<Option<i64>> {
        match number("count", self.count.as_deref()) {
            Ok(count) if count.is_none_or(|count| count <= MAX_COUNT.into()) => Ok(count),
            _ => Err(Error::invalid_count(format!("count must be a number from 0 to {MAX_COUNT}"))),
        }
    }

    fn sort(
        &self,
        kind: &'static ResourceType,
        leniencies: &mut Leniencies,
    ) -> Result<Option<Sort>> {
        let descending = match self.sort_order.as_deref() {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => {
                return Err(Error::invalid_value("sortOrder must be ascending or descending"));
            }
        };
        let Some(text) = self.sort_by.as_deref() else { return Ok(None) };
        let unknown = || Error::invalid_path(format!("sortBy: {text} is no attribute to sort by"));
        let path = AttributePath::parse(text).map_err(|_| unknown())?;
        let Some(Target::Attribute(attribute)) = kind.resolve(&path, leniencies) else {
            return Err(unknown());
        };
        let attribute = attribute.comparable().ok_or_else(unknown)?;
        if attribute.is_hidden() {
            return Err(unknown());
        }
        Ok(Some(Sort { attribute, descending }))
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!("{name} must be a whole number")));
    }
    // What does not fit is beyond every page on its side.
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(Some(text.parse().unwrap_or(beyond)))
}

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which resources; all if there is none.
    pub filter: Option<Predicate>,
    /// In which order; by id if there is none.
    pub sort: Option<Sort>,
    /// Where the page begins.
    pub start: Start,
    /// How many resources at most, up to [`MAX_COUNT`].
    pub count: u32,
    /// Whether all results are to be counted, also those that are not on the page. By index they
    /// always are.
    pub wants_total: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// At the resource with this number, from 1 (RFC 7644 section 3.4.2.4).
    Index(u64),
    /// After this resource; at the first if there is none (RFC 9865).
    After(Option<Position>),
}

/// An order of resources (RFC 7644 section 3.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sort {
    /// By what; of a multi-valued attribute by the primary value, else the first.
    pub attribute: AttributeRef,
    /// Whether the largest comes first.
    pub descending: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn page(start_index: &str, count: &str) -> Result<(Start, u32)> {
        let mut parameters = Parameters::default();
        parameters.set("startindex", start_index.to_owned());
        parameters.set("COUNT", count.to_owned());
        parameters
            .query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict))
            .map(|query| (query.start, query.count))
    }

    #[test]
    fn rfc7644_3_4_2_4_edges_of_start_index_and_count() {
        assert_eq!(page("0", "-5"), Ok((Start::Index(1), 0)));
        assert_eq!(page("-3", "0"), Ok((Start::Index(1), 0)));
        assert_eq!(page("7", "1000000"), Ok((Start::Index(7), MAX_COUNT)));
        assert_eq!(page("99999999999999999999", "1").map(|page| page.1), Ok(1));
        assert!(page("one", "1").is_err());
        assert!(page("1", "").is_err());
    }

    #[test]
    fn rfc9865_2_1_a_page_by_cursor_has_no_start_index_and_a_count_within_bounds() {
        let page = |count: Option<&str>, start_index: Option<&str>| {
            let mut parameters = Parameters::default();
            parameters.set("CURSOR", String::new());
            parameters.count = count.map(ToOwned::to_owned);
            parameters.start_index = start_index.map(ToOwned::to_owned);
            let query =
                parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
            query.map(|query| (query.start, query.count)).map_err(|error| error.scim_type)
        };
        let first = |count| Ok((Start::After(None), count));
        assert_eq!(page(None, None), first(DEFAULT_COUNT));
        assert_eq!(page(Some("200"), None), first(MAX_COUNT));
        assert_eq!(page(Some("0"), None), first(0));
        assert_eq!(page(Some("-5"), None), first(0));
        for count in ["201", "99999999999999999999", "many", ""] {
            assert_eq!(page(Some(count), None), Err(ScimType::InvalidCount), "{count}");
        }
        assert_eq!(page(None, Some("1")), Err(ScimType::InvalidValue));
    }

    #[test]
    fn rfc9865_2_every_parameter_but_cursor_and_count_makes_another_query() {
        let with = |name: &str| {
            let mut parameters = Parameters::default();
            parameters.set(name, "a".to_owned());
            parameters.of_every_page()
        };
        let none = Parameters::default().of_every_page();
        assert_eq!((with("cursor"), with("count")), (none.clone(), none.clone()));
        let mut different = vec![none];
        for name in ["filter", "sortBy", "sortOrder", "attributes", "excludedAttributes"] {
            different.push(with(name));
        }
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 6);
    }

    #[test]
    fn rfc7643_7_what_is_never_returned_is_no_order() {
        let sorted_by = |name: &str| {
            let parameters = Parameters { sort_by: Some(name.to_owned()), ..Parameters::default() };
            parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Standard))
        };
        assert!(sorted_by("userName").is_ok());
        assert!(sorted_by("emails").is_ok());
        assert!(sorted_by("password").is_err());
        assert!(sorted_by("name").is_err());
    }
}
