//! What identity providers do beyond the RFC, by name, and which connection may do it.
//!
//! A [`Leniency`] is one deviation that a client in the field needs. A [`Dialect`] is the set of
//! those that a connection allows. Code that can be lenient asks [`Leniencies::allow`], which also
//! counts the use, so that an operator can see what a client really sends.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How a connection's client is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The RFC and nothing else.
    Strict,
    /// The RFC plus what identity providers in the field need.
    #[default]
    Standard,
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
}

impl Dialect {
    /// Every dialect, by its name on the command line.
    pub const ALL: [(&'static str, Self); 4] = [
        ("strict", Self::Strict),
        ("standard", Self::Standard),
        ("entra", Self::Entra),
        ("okta", Self::Okta),
    ];

    /// The name as it is written on the command line and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Standard => "standard",
            Self::Entra => "entra",
            Self::Okta => "okta",
        }
    }

    /// Whether a client of this dialect may do this.
    pub fn permits(self, leniency: Leniency) -> bool {
        match leniency {
            Leniency::UnquotedLiteral | Leniency::EmptyOperations => self == Self::Entra,
            _ => self != Self::Strict,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect {0:?}: one of strict, standard, entra, okta")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, dialect)| *dialect)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

macro_rules! leniencies {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One deviation from the RFC that a client in the field needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Leniency { $($(#[$doc])* $variant,)* }

        impl Leniency {
            /// Every one, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name under which it is counted.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

leniencies! {
    /// `"op": "Add"`: operation names in any case.
    OperationCase = "operationCase",
    /// `"active": "False"`: a string where the schema has a boolean.
    StringBoolean = "stringBoolean",
    /// `"employeeNumber": 701984`: a number where the schema has a string.
    NumberAsString = "numberAsString",
    /// `""` where a value is to be cleared.
    EmptyStringClears = "emptyStringClears",
    /// `"manager": "id"` or `"members": ["id"]`: the bare value of a complex attribute.
    BareValue = "bareValue",
    /// `"emails": {…}`: one object where the schema has a list.
    ObjectForList = "objectForList",
    /// `"businessUnits": "Sales;Support"`: the values of a list in one text.
    JoinedList = "joinedList",
    /// `"manager": [{…}]`: a list of one where the schema has a single value.
    ListForObject = "listForObject",
    /// `roles[].value` holding a JSON object as text.
    JsonInString = "jsonInString",
    /// `displayName` for the sub-attribute `display`.
    DisplayNameForDisplay = "displayNameForDisplay",
    /// An attribute that no schema of the resource type has.
    UnknownAttribute = "unknownAttribute",
    /// A schema URN that the resource type does not have.
    UnknownSchema = "unknownSchema",
    /// A body without the `schemas` that the RFC requires.
    MissingSchemas = "missingSchemas",
    /// An extension's attributes without its URN in `schemas`.
    UnlistedExtension = "unlistedExtension",
    /// A URN that `schemas` lists twice.
    RepeatedSchema = "repeatedSchema",
    /// Text that is not base64 where the schema has binary data.
    NotBase64 = "notBase64",
    /// Keys of a path-less PATCH value that are paths: `"name.givenName"`.
    PathAsKey = "pathAsKey",
    /// `manager` for the enterprise extension's attribute, without its URN.
    UnprefixedExtension = "unprefixedExtension",
    /// `urn:…:User.manager`: a dot after the URN.
    DotAfterUrn = "dotAfterUrn",
    /// An `add` or `replace` on a value path that matches nothing creates the element.
    CreateOnNoMatch = "createOnNoMatch",
    /// `remove` with the list of values to remove.
    RemoveByValue = "removeByValue",
    /// A read-only attribute in a path-less PATCH.
    ReadOnlyInPatch = "readOnlyInPatch",
    /// `null` for a value path that selects nothing.
    NullValue = "nullValue",
    /// A group member that does not exist.
    UnknownMember = "unknownMember",
    /// `externalId eq jyoung`: a literal without quotes.
    UnquotedLiteral = "unquotedLiteral",
    /// A bulk POST without the `bulkId` that the RFC requires.
    MissingBulkId = "missingBulkId",
    /// A PATCH without operations.
    EmptyOperations = "emptyOperations",
}

impl Leniency {
    /// Which one it is, as a bit.
    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// Leniencies that a connection does without, whatever its dialect allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeniencySet(u64);

impl LeniencySet {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Those of these names; a name that no leniency has names nothing.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let of = |name: &str| Leniency::ALL.iter().find(|leniency| leniency.as_str() == name);
        names.into_iter().filter_map(of).fold(Self::NONE, |set, known| Self(set.0 | known.bit()))
    }

    /// Whether this one is in it.
    pub fn contains(self, leniency: Leniency) -> bool {
        self.0 & leniency.bit() != 0
    }
}

/// What a request may do beyond the RFC, and what it did.
#[derive(Debug, Clone)]
pub struct Leniencies {
    dialect: Dialect,
    refused: LeniencySet,
    fired: BTreeMap<Leniency, u64>,
}

impl Leniencies {
    /// None used yet, under this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self::without(LeniencySet::NONE, dialect)
    }

    /// As [`Self::new`], but for those that the connection does without.
    pub fn without(refused: LeniencySet, dialect: Dialect) -> Self {
        Self { dialect, refused, fired: BTreeMap::new() }
    }

    /// Whether the deviation is allowed; counts it if so.
    pub fn allow(&mut self, leniency: Leniency) -> bool {
        let permitted = self.permits(leniency);
        if permitted {
            *self.fired.entry(leniency).or_default() += 1;
        }
        permitted
    }

    /// Whether the deviation would be allowed, without counting it.
    pub fn permits(&self, leniency: Leniency) -> bool {
        self.dialect.permits(leniency) && !self.refused.contains(leniency)
    }

    /// The deviations used so far, with how often.
    pub fn fired(&self) -> impl Iterator<Item = (Leniency, u64)> + '_ {
        self.fired.iter().map(|(leniency, count)| (*leniency, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_permits_nothing_and_counts_nothing() {
        let mut leniencies = Leniencies::new(Dialect::Strict);
        assert!(!leniencies.allow(Leniency::StringBoolean));
        assert_eq!(leniencies.fired().count(), 0);
    }

    #[test]
    fn each_use_is_counted() {
        let mut leniencies = Leniencies::new(Dialect::Okta);
        assert!(leniencies.allow(Leniency::StringBoolean));
        assert!(leniencies.allow(Leniency::StringBoolean));
        assert_eq!(leniencies.fired().collect::<Vec<_>>(), [(Leniency::StringBoolean, 2)]);
    }

    #[test]
    fn c1_c2_a_connection_can_do_without_what_its_dialect_allows() {
        let refused = LeniencySet::named(["createOnNoMatch", "unknownAttribute", "magic"]);
        let mut leniencies = Leniencies::without(refused, Dialect::Entra);
        for leniency in Leniency::ALL {
            let is_refused =
                matches!(leniency, Leniency::CreateOnNoMatch | Leniency::UnknownAttribute);
            assert_eq!(leniencies.allow(*leniency), !is_refused, "{leniency:?}");
        }
        assert_eq!(leniencies.fired().count(), Leniency::ALL.len() - 2);
    }

    #[test]
    fn the_schema_of_connections_names_every_leniency() {
        let schema = &crate::schema::ResourceType::connection().schema;
        let names: Vec<_> = Leniency::ALL.iter().map(|leniency| leniency.as_str()).collect();
        let listed = schema.attribute("refusedLeniencies").unwrap();
        assert_eq!(listed.canonical_values, names);
    }

    #[test]
    fn unquoted_literals_and_empty_patches_are_entra_s_alone() {
        for (_, dialect) in Dialect::ALL {
            assert_eq!(dialect.permits(Leniency::UnquotedLiteral), dialect == Dialect::Entra);
            assert_eq!(dialect.permits(Leniency::EmptyOperations), dialect == Dialect::Entra);
        }
    }

    #[test]
    fn the_readme_lists_every_leniency_and_who_is_allowed_it() {
        let readme = include_str!("../README.md");
        for leniency in Leniency::ALL {
            let allowed = |d: &Dialect| d.permits(*leniency);
            let dialects: Vec<_> =
                Dialect::ALL.map(|(_, d)| d).into_iter().filter(allowed).collect();
            let who = match dialects.as_slice() {
                [one] => format!("`{one}`"),
                [Dialect::Standard, Dialect::Entra, Dialect::Okta] => "all others".to_owned(),
                other => panic!("{leniency:?} needs words for {other:?}"),
            };
            let row = |line: &str| {
                line.starts_with(&format!("| `{}` | ", leniency.as_str()))
                    && line.ends_with(&format!(" | {who} |"))
            };
            assert!(readme.lines().any(row), "README.md has no row of {leniency:?} for {who}");
        }
    }

    #[test]
    fn names_parse_back() {
        for (name, dialect) in Dialect::ALL {
            assert_eq!(name.parse(), Ok(dialect));
            assert_eq!(dialect.to_string(), name);
        }
        assert!("Azure".parse::<Dialect>().is_err());
    }
}
