//! The parameters of a query (RFC 7644 section 3.4.2), from a query string or a search request.

use scim_filter_parser::AttributePath;

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
    /// `invalidFilter` for the filter, `invalidPath` for `sortBy`, `invalidValue` for the others.
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

    fn page(&self, filter: Option<Predicate>, sort: Option<Sort>) -> Result<Query> {
        let start_index = number("startIndex", self.start_index.as_deref())?.unwrap_or(1).max(1);
        let count = number("count", self.count.as_deref())?.unwrap_or(DEFAULT_COUNT.into());
        Ok(Query {
            filter,
            sort,
            start_index: start_index.unsigned_abs(),
            count: u32::try_from(count.clamp(0, MAX_COUNT.into())).unwrap_or(MAX_COUNT),
        })
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
    /// The position of the first resource wanted, from 1.
    pub start_index: u64,
    /// How many resources at most, up to [`MAX_COUNT`].
    pub count: u32,
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

    fn page(start_index: &str, count: &str) -> Result<(u64, u32)> {
        let mut parameters = Parameters::default();
        parameters.set("startindex", start_index.to_owned());
        parameters.set("COUNT", count.to_owned());
        parameters
            .query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict))
            .map(|query| (query.start_index, query.count))
    }

    #[test]
    fn rfc7644_3_4_2_4_edges_of_start_index_and_count() {
        assert_eq!(page("0", "-5"), Ok((1, 0)));
        assert_eq!(page("-3", "0"), Ok((1, 0)));
        assert_eq!(page("7", "1000000"), Ok((7, MAX_COUNT)));
        assert_eq!(page("99999999999999999999", "1").map(|page| page.1), Ok(1));
        assert!(page("one", "1").is_err());
        assert!(page("1", "").is_err());
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
