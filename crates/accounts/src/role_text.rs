//! A role and its division as the one text of `roles[].value`: `Agent`, `Agent@Berlin`, `Agent@*`.

use std::fmt;

/// The division of a role that is written with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DivisionText {
    /// `*`: all of them.
    All,
    /// The one of this name.
    Named(String),
}

impl DivisionText {
    /// From what stands after the `@`, or in the `division` of a `roleGrants` element.
    pub fn of(text: &str) -> Self {
        match text.trim() {
            "*" => Self::All,
            name => Self::Named(name.to_owned()),
        }
    }
}

impl fmt::Display for DivisionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "*",
            Self::Named(name) => name,
        })
    }
}

/// A role, and a division if the text has one; without it the tenant's policy says which (rule R28).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleText {
    /// The name or the identifier of the role.
    pub role: String,
    /// The division.
    pub division: Option<DivisionText>,
}

impl RoleText {
    /// Reads the text; `is_role` says whether a name or identifier is that of a role.
    ///
    /// Names of roles and of divisions may have an `@` themselves. The whole text is a role if there
    /// is one of that name; then the text is divided at the last `@` before which a role stands. A
    /// text in which no role can be found is divided at its last `@`, for the refusal to name.
    pub fn parse(text: &str, is_role: impl Fn(&str) -> bool) -> Self {
        let text = text.trim();
        let whole = Self { role: text.to_owned(), division: None };
        if is_role(text) {
            return whole;
        }
        let parts = || text.rmatch_indices('@').filter_map(|(at, _)| split(text, at));
        let known = parts().find(|(role, _)| is_role(role));
        let Some((role, division)) = known.or_else(|| parts().next()) else { return whole };
        Self { role: role.to_owned(), division: Some(DivisionText::of(division)) }
    }
}

impl fmt::Display for RoleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.role)?;
        self.division.as_ref().map_or(Ok(()), |division| write!(f, "@{division}"))
    }
}

/// Both sides of an `@`, if both say something.
fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    let (role, division) = (text[..at].trim(), text[at + 1..].trim());
    (!role.is_empty() && !division.is_empty()).then_some((role, division))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let roles = ["Agent", "sales@home", "a@b", "a"];
        let role =
            RoleText::parse(text, |name| roles.iter().any(|role| role.eq_ignore_ascii_case(name)));
        (role.role, role.division.map(|division| division.to_string()))
    }

    #[test]
    fn domain_7_5_a_role_may_have_a_division() {
        for (text, role, division) in [
            ("Agent", "Agent", None),
            (" agent ", "agent", None),
            ("Agent@Berlin", "Agent", Some("Berlin")),
            ("AGENT @ New York ", "AGENT", Some("New York")),
            ("Agent@*", "Agent", Some("*")),
            // Names with an `@` of their own.
            ("sales@home", "sales@home", None),
            ("sales@home@Berlin", "sales@home", Some("Berlin")),
            ("sales@home@*", "sales@home", Some("*")),
            ("Agent@Team@Home", "Agent", Some("Team@Home")),
            ("a@b", "a@b", None),
            ("a@b@c", "a@b", Some("c")),
            ("a@c", "a", Some("c")),
            // No role that there is.
            ("Nobody", "Nobody", None),
            ("Nobody@Berlin", "Nobody", Some("Berlin")),
            ("Agent@", "Agent@", None),
            ("@Berlin", "@Berlin", None),
            ("@", "@", None),
            ("", "", None),
        ] {
            let expected = (role.to_owned(), division.map(str::to_owned));
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for text in ["Agent", "Agent@Berlin", "Agent@*", "sales@home@Berlin"] {
            let role = RoleText::parse(text, |name| matches!(name, "Agent" | "sales@home"));
            assert_eq!(role.to_string(), text);
        }
    }

    #[test]
    fn the_star_is_all_divisions_and_no_name() {
        assert_eq!(DivisionText::of(" * "), DivisionText::All);
        assert_eq!(DivisionText::of("**"), DivisionText::Named("**".to_owned()));
    }
}
