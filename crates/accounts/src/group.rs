//! What a group is besides the attributes that it only keeps.

use crate::account::Named;
use crate::tx::Resource;

/// A group as the store keeps it, without its members.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its identifier, version and the attributes that are only kept.
    pub resource: Resource,
    /// What rules and queries are about.
    pub standing: GroupStanding,
}

/// What rules and queries are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStanding {
    /// What the group is for; never changes.
    pub kind: GroupKind,
    /// Whether it takes effect for its members (rule R73).
    pub enabled: bool,
    /// The capacity rule of its members; only an agent group has one.
    pub capacity_rule: Option<Named>,
    /// Whose capacity rule counts for a member of several groups: that of the lowest number.
    pub priority: i32,
}

impl GroupStanding {
    /// The priority of a group of which nobody says it.
    pub const DEFAULT_PRIORITY: i32 = 100;

    /// The standing of a new group of which nothing else is said.
    pub fn of_kind(kind: GroupKind) -> Self {
        let priority = Self::DEFAULT_PRIORITY;
        Self { kind, enabled: true, capacity_rule: None, priority }
    }
}

/// What a group is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// It gives its members roles.
    #[default]
    Access,
    /// It holds agents.
    Agent,
    /// It only lists people.
    Directory,
}

impl GroupKind {
    /// As `kind` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Agent => "agent",
            Self::Directory => "directory",
        }
    }

    /// The kind of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Access, Self::Agent, Self::Directory];
        all.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name.trim()))
    }
}
