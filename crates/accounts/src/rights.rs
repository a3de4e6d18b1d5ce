//! What a connection may do.

use scim_protocol::error::Error;

use crate::Caller;
use crate::refusal::{Code, Refusal};

macro_rules! rights {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A thing that a connection may do, or not: an OAuth scope.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Right { $($(#[$doc])* $variant,)* }

        impl Right {
            /// Every one, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name of the scope.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

rights! {
    /// Reads users, and what they can be given.
    ReadUsers = "scim.users.read",
    /// Creates and changes users.
    WriteUsers = "scim.users.write",
    /// Reads groups.
    ReadGroups = "scim.groups.read",
    /// Creates and changes groups.
    WriteGroups = "scim.groups.write",
    /// Deletes users and groups.
    Delete = "scim.delete",
    /// Grants and revokes roles.
    AssignRoles = "scim.roles.assign",
    /// Sets licence tiers.
    AssignLicenses = "scim.license.assign",
    /// Sets passwords.
    SetPasswords = "scim.password.set",
    /// Reports how logins ended: what the login service does.
    ReportLogins = "login.report",
    /// Everything, what only an administrator does too.
    Admin = "admin",
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    /// Everything.
    pub const ALL: Self = Self(u16::MAX);

    /// Nothing.
    pub const NONE: Self = Self(0);

    /// One right, and nothing else.
    pub fn of(right: Right) -> Self {
        Self::NONE.with(right)
    }

    /// What a client that provisions people needs.
    pub fn of_provisioning() -> Self {
        let others = [Right::Admin, Right::ReportLogins];
        let rights = Right::ALL.iter().filter(|right| !others.contains(*right));
        rights.fold(Self::NONE, |set, right| set.with(*right))
    }

    /// The rights with these names.
    ///
    /// # Errors
    /// `invalidValue` for a name that no right has.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        names.into_iter().try_fold(Self::NONE, |set, name| {
            let right = Right::ALL.iter().find(|right| right.as_str() == name);
            right.map(|right| set.with(*right)).ok_or_else(|| unknown(name))
        })
    }

    /// The names of the rights, in their order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Right::ALL.iter().filter(move |right| self.has(**right)).map(|right| right.as_str())
    }

    /// Whether the right is among them. Who is an administrator may do everything.
    pub fn allow(self, right: Right) -> bool {
        self.has(Right::Admin) || self.has(right)
    }

    /// Those of these rights that are wanted too; all of them, if everything is wanted.
    #[must_use]
    pub fn narrowed_to(self, wanted: Self) -> Self {
        if wanted == Self::ALL {
            return self;
        }
        let both = Right::ALL.iter().filter(|right| wanted.has(**right) && self.allow(**right));
        both.fold(Self(0), |set, right| set.with(*right))
    }

    /// The set as a number, of which [`from_bits`](Self::from_bits) makes it again.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set of a number that [`bits`](Self::bits) gave.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u16)
    }
}

fn unknown(name: &str) -> Error {
    let known: Vec<_> = Right::ALL.iter().map(|right| right.as_str()).collect();
    Error::invalid_value(format!("scopes: {name} is none of {}", known.join(", ")))
}

impl Caller {
    /// Checks that the caller has a right.
    ///
    /// # Errors
    /// [`Code::ScopeMissing`]
    pub fn require(&self, right: Right) -> Result<(), Refusal> {
        if self.rights.allow(right) {
            return Ok(());
        }
        if self.person.is_some() {
            let detail = "your account has not the role for that: a Master Admin has it";
            return Err(Refusal::rule(Code::ScopeMissing, detail));
        }
        Err(Refusal::rule(
            Code::ScopeMissing,
            format!(
                "this connection has not the scope {}: an administrator can add it to the \
                 connection's scopes, or use a token of a connection that has it",
                right.as_str()
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sets_say_the_same() {
        let rights = Rights::named(["scim.users.read", "scim.delete"]).unwrap();
        assert_eq!(rights.names().collect::<Vec<_>>(), ["scim.users.read", "scim.delete"]);
        assert!(rights.allow(Right::Delete) && !rights.allow(Right::WriteUsers));
        assert!(Rights::named(["scim.everything"]).is_err());
        assert!(!Rights::of_provisioning().allow(Right::Admin));
    }

    #[test]
    fn nobody_gets_more_by_wanting_more() {
        let named = |names: &[&str]| Rights::named(names.iter().copied()).unwrap();
        let reader = named(&["scim.users.read", "scim.groups.read"]);
        assert_eq!(reader.narrowed_to(Rights::ALL), reader);
        let wanted = named(&["scim.users.read", "scim.users.write", "admin"]);
        assert_eq!(reader.narrowed_to(wanted), named(&["scim.users.read"]));
        let narrow = named(&["admin"]).narrowed_to(named(&["scim.users.read"]));
        assert!(narrow.allow(Right::ReadUsers) && !narrow.allow(Right::WriteUsers));
        assert_eq!(Rights::from_bits(wanted.bits()), wanted);
    }

    #[test]
    fn an_administrator_may_do_everything() {
        let admin = Rights::named(["admin"]).unwrap();
        assert!(Right::ALL.iter().all(|right| admin.allow(*right)));
    }
}
