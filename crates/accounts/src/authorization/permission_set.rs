//! Sets of permissions, as bits.

use std::fmt;

use super::catalogue::{ALL, PermissionId};

const WORDS: usize = ALL.len().div_ceil(64);

/// A set of permissions. It is small and copied; iteration is in the order of the catalogue.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// The set of no permissions.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Puts a permission in; whether it is new.
    pub fn insert(&mut self, id: PermissionId) -> bool {
        let new = !self.contains(id);
        self.0[id.index() / 64] |= 1 << (id.index() % 64);
        new
    }

    /// Whether the permission is in.
    pub fn contains(&self, id: PermissionId) -> bool {
        self.0[id.index() / 64] & (1 << (id.index() % 64)) != 0
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    /// Whether the other set has all that is in this one.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// How many permissions are in.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The permissions, in the order of the catalogue.
    pub fn iter(&self) -> impl Iterator<Item = PermissionId> + use<> {
        let set = *self;
        super::catalogue::all().filter(move |id| set.contains(*id))
    }

    /// Their names, in the order of the catalogue.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.iter().map(|id| id.permission().name())
    }

    fn combine(&self, other: &Self, words: fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|word| words(self.0[word], other.0[word])))
    }
}

impl FromIterator<PermissionId> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = PermissionId>>(ids: I) -> Self {
        let mut set = Self::EMPTY;
        for id in ids {
            set.insert(id);
        }
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
