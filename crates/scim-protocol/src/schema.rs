//! Schemas as data (RFC 7643 section 7): the one description of every attribute, from which
//! validation, filtering, PATCH, projection and discovery follow.
//!
//! The data is in the JSON files of `schemas/`; this module gives it types and finds attributes
//! by the names and paths that clients write.

use scim_filter_parser::AttributePath;
use serde::{Deserialize, Serialize};

use crate::dialect::{Leniencies, Leniency};

use self::types::COMMON;
pub use self::types::of_discovery;

mod types;

/// The type of an attribute (RFC 7643 section 2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    /// A sequence of Unicode characters.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An instant.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI.
    Reference,
    /// An object with sub-attributes.
    Complex,
}

/// Who may change an attribute (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service provider.
    ReadOnly,
    /// The client, at any time.
    #[default]
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody can read it.
    WriteOnly,
}

/// When an attribute is returned (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer.
    Always,
    /// In none.
    Never,
    /// Unless the client excludes it or asks for others.
    #[default]
    Default,
    /// Only if the client asks for it.
    Request,
}

/// Among whom a value is unique (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Nobody.
    #[default]
    None,
    /// The resources of a tenant.
    Server,
    /// All resources.
    Global,
}

/// An attribute and its characteristics (RFC 7643 section 7). Data that leaves one out means the
/// default of section 2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// The name as the service provider writes it.
    pub name: String,
    /// The type of its value or values.
    #[serde(rename = "type", default)]
    pub data_type: DataType,
    /// Whether it has a list of values.
    #[serde(default)]
    pub multi_valued: bool,
    /// What it is, for a person.
    #[serde(default)]
    pub description: String,
    /// Whether a resource must have it.
    #[serde(default)]
    pub required: bool,
    /// Whether comparison distinguishes case.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may change it.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is returned.
    #[serde(default)]
    pub returned: Returned,
    /// Among whom a value is unique.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// Values that clients are advised to use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// What a reference may point to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The attributes of a complex one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// The sub-attribute of this name, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// Whether it has sub-attributes.
    pub fn is_complex(&self) -> bool {
        self.data_type == DataType::Complex
    }

    /// Whether its values are text.
    pub fn is_text(&self) -> bool {
        matches!(self.data_type, DataType::String | DataType::Binary | DataType::Reference)
    }

    /// Whether an answer has it unless the client says otherwise.
    pub(crate) fn is_shown(&self) -> bool {
        !self.is_hidden() && self.returned != Returned::Request
    }

    /// Whether an answer has it with all its sub-attributes unless the client says otherwise.
    pub(crate) fn is_always_whole(&self) -> bool {
        self.is_shown() && self.sub_attributes.iter().all(Self::is_shown)
    }

    /// Whether no client ever sees its value, so that it must not be found out by a filter or an
    /// order either: what is `writeOnly` is hidden whatever `returned` says (RFC 7643 section 7).
    pub fn is_hidden(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }
}

/// A named set of attributes (RFC 7643 section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The URN.
    pub id: String,
    /// The name for a person.
    pub name: String,
    /// What it describes.
    pub description: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// An extension of a resource type (RFC 7643 section 6).
#[derive(Debug, Clone)]
pub struct Extension {
    /// The schema of its attributes.
    pub schema: Schema,
    /// Whether every resource has it.
    pub required: bool,
}

/// A kind of resource: its endpoint and schemas (RFC 7643 section 6). Which kind it is its name
/// tells: there may be several forms of one that differ in their extensions.
#[derive(Debug, Clone)]
pub struct ResourceType {
    /// The name, which is also its id: `User`.
    pub name: &'static str,
    /// The path below the base URL: `/Users`.
    pub endpoint: &'static str,
    /// What it is, for a person.
    pub description: &'static str,
    /// The schema of its own attributes.
    pub schema: Schema,
    /// The schemas that extend it.
    pub extensions: Vec<Extension>,
}

/// An attribute, or one of its sub-attributes, of a resource type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeRef {
    /// The extension it belongs to; none for the type's own and the common attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute, if one is named.
    pub sub: Option<&'static Attribute>,
}

impl AttributeRef {
    /// The attribute whose values are meant: the sub-attribute if one is named.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// Whether no client ever sees the values that are meant: the attribute or the sub-attribute
    /// is hidden.
    pub fn is_hidden(&self) -> bool {
        self.attribute.is_hidden() || self.leaf().is_hidden()
    }

    /// For a comparison: a complex attribute stands for its `value` (RFC 7644 section 3.4.2.2
    /// writes `emails co "…"`). `None` if it is complex and has none.
    pub fn comparable(self) -> Option<Self> {
        if !self.leaf().is_complex() {
            return Some(self);
        }
        Some(Self { sub: Some(self.attribute.sub_attribute("value")?), ..self })
    }
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// An attribute or sub-attribute.
    Attribute(AttributeRef),
    /// A whole extension, by its URN.
    Extension(&'static Schema),
}

impl ResourceType {
    /// The common attributes (`id`, `externalId`, `meta`, `schemas`; RFC 7643 section 3).
    pub fn common_attributes() -> &'static [Attribute] {
        &COMMON
    }

    /// Its schema, then those of its extensions.
    pub fn schemas(&'static self) -> impl Iterator<Item = &'static Schema> {
        std::iter::once(&self.schema).chain(self.extensions.iter().map(|e| &e.schema))
    }

    /// The extension of this URN, in any case.
    pub fn extension(&'static self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().map(|e| &e.schema).find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The own or common attribute of this name, in any case.
    pub fn attribute(&'static self, name: &str) -> Option<&'static Attribute> {
        self.schema.attribute(name).or_else(|| find(&COMMON, name))
    }

    /// What a path names, in any case; `None` if no schema of the type has it.
    ///
    /// ```
    /// use scim_protocol::dialect::{Dialect, Leniencies};
    /// use scim_protocol::schema::{ResourceType, Target};
    ///
    /// let user = ResourceType::user();
    /// let mut leniencies = Leniencies::new(Dialect::Strict);
    /// let mut resolve = |path: &str| user.resolve(&path.parse().unwrap(), &mut leniencies);
    /// let Some(Target::Attribute(found)) = resolve("NAME.givenname") else { panic!() };
    /// assert_eq!(found.attribute.name, "name");
    /// assert_eq!(found.leaf().name, "givenName");
    /// let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    /// assert!(matches!(resolve(enterprise), Some(Target::Extension(_))));
    /// assert_eq!(resolve("manager"), None); // it needs the URN of its extension
    /// ```
    ///
    /// An attribute of an extension may be named without its URN, and a dot may follow a URN,
    /// where the dialect allows that.
    pub fn resolve(
        &'static self,
        path: &AttributePath,
        leniencies: &mut Leniencies,
    ) -> Option<Target> {
        if path.schema.is_none() {
            let name = &path.attribute;
            if let Some(attribute) = self.attribute(name) {
                return with_sub(None, attribute, path.sub_attribute.as_deref());
            }
            let (schema, attribute) = self
                .extensions
                .iter()
                .find_map(|e| Some((&e.schema, e.schema.attribute(name)?)))?;
            leniencies.allow(Leniency::UnprefixedExtension).then_some(())?;
            return with_sub(Some(schema), attribute, path.sub_attribute.as_deref());
        }
        self.resolve_qualified(&path.to_string(), leniencies)
    }

    /// A URN holds dots and colons itself, so only the schemas tell where it ends.
    fn resolve_qualified(&'static self, path: &str, leniencies: &mut Leniencies) -> Option<Target> {
        let extensions = self.extensions.iter().map(|e| (Some(&e.schema), &e.schema));
        for (extension, schema) in std::iter::once((None, &self.schema)).chain(extensions) {
            let Some(rest) = strip_prefix_ignore_case(path, &schema.id) else { continue };
            if rest.is_empty() {
                return extension.map(Target::Extension);
            }
            let Some(name) = rest.strip_prefix([':', '.']) else { continue };
            if rest.starts_with('.') && !leniencies.allow(Leniency::DotAfterUrn) {
                return None;
            }
            let (name, sub) = match name.split_once('.') {
                Some((name, sub)) => (name, Some(sub)),
                None => (name, None),
            };
            let common = || extension.is_none().then(|| find(&COMMON, name)).flatten();
            let attribute = schema.attribute(name).or_else(common)?;
            return with_sub(extension, attribute, sub);
        }
        None
    }
}

fn with_sub(
    extension: Option<&'static Schema>,
    attribute: &'static Attribute,
    sub: Option<&str>,
) -> Option<Target> {
    let sub = match sub {
        Some(name) => Some(attribute.sub_attribute(name)?),
        None => None,
    };
    Some(Target::Attribute(AttributeRef { extension, attribute, sub }))
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn resolve(text: &str, dialect: Dialect) -> Option<String> {
        let path = text.parse().unwrap();
        match ResourceType::user().resolve(&path, &mut Leniencies::new(dialect))? {
            Target::Extension(schema) => Some(format!("<{}>", schema.name)),
            Target::Attribute(found) => {
                let prefix = found.extension.map_or(String::new(), |s| format!("<{}>", s.name));
                let sub = found.sub.map_or(String::new(), |sub| format!(".{}", sub.name));
                Some(format!("{prefix}{}{sub}", found.attribute.name))
            }
        }
    }

    #[test]
    fn rfc7643_2_1_names_are_found_in_any_case() {
        assert_eq!(resolve("USERNAME", Dialect::Strict).as_deref(), Some("userName"));
        assert_eq!(resolve("Name.familyname", Dialect::Strict).as_deref(), Some("name.familyName"));
        assert_eq!(
            resolve("meta.lastmodified", Dialect::Strict).as_deref(),
            Some("meta.lastModified")
        );
        assert_eq!(resolve("nonsense", Dialect::Standard), None);
        assert_eq!(resolve("userName.value", Dialect::Standard), None);
    }

    #[test]
    fn rfc7644_3_10_urn_qualified_names_are_found_in_any_case() {
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        for (text, found) in [
            (format!("{core}:userName"), "userName"),
            (format!("{core}:name.givenName"), "name.givenName"),
            (format!("{}:id", core.to_uppercase()), "id"),
            (format!("{ENTERPRISE}:manager.value"), "<EnterpriseUser>manager.value"),
            (format!("{}:Department", ENTERPRISE.to_lowercase()), "<EnterpriseUser>department"),
            (ENTERPRISE.to_owned(), "<EnterpriseUser>"),
        ] {
            let resolved = resolve(&text, Dialect::Strict);
            assert_eq!(
                resolved.map(|r| r.replace("Enterprise User", "EnterpriseUser")).as_deref(),
                Some(found),
                "{text}"
            );
        }
        assert_eq!(resolve(&format!("{ENTERPRISE}:userName"), Dialect::Standard), None);
    }

    #[test]
    fn q10_an_extension_attribute_may_come_without_its_urn() {
        assert!(resolve("manager", Dialect::Entra).is_some());
        assert_eq!(resolve("manager", Dialect::Strict), None);
    }

    #[test]
    fn q11_a_dot_may_follow_the_urn() {
        assert!(resolve(&format!("{ENTERPRISE}.manager"), Dialect::Entra).is_some());
        assert_eq!(resolve(&format!("{ENTERPRISE}.manager"), Dialect::Strict), None);
    }
}
