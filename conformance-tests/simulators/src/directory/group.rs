//! A group of the directory.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::person::{Person, PersonKey, Standing};

/// Which group one is in the directory, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey(pub(super) usize);

/// Whom a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Everybody,
    Leads,
    Department(&'static str),
    Office(&'static str),
    /// Those who were put into it.
    Project,
}

impl About {
    /// Whether somebody belongs to it; nothing if that is not for a rule to say.
    fn holds(self, person: &Person) -> Option<bool> {
        match self {
            Self::Everybody => Some(true),
            Self::Leads => Some(person.role == super::LEAD),
            Self::Department(name) => Some(person.department == name),
            Self::Office(locality) => Some(person.office.locality == locality),
            Self::Project => None,
        }
    }
}

/// A group, as the directory has it.
#[derive(Debug, Clone)]
pub struct Group {
    /// The provider's object.
    pub object: Uuid,
    /// The name.
    pub name: String,
    /// Who is in it, those who have left too, as long as they are not deleted.
    pub members: BTreeSet<PersonKey>,
    /// Whether it still is.
    pub exists: bool,
    pub(super) about: About,
}

impl Group {
    pub(super) fn new(object: Uuid, name: impl Into<String>, about: About) -> Self {
        Self { object, name: name.into(), members: BTreeSet::new(), exists: true, about }
    }

    /// Puts in whom the group's rule says, and takes out who is deleted.
    pub(super) fn follow(&mut self, people: &[Person]) {
        for (key, person) in people.iter().enumerate() {
            let key = PersonKey(key);
            let was = self.members.contains(&key);
            if person.standing != Standing::Purged && self.about.holds(person).unwrap_or(was) {
                self.members.insert(key);
            } else {
                self.members.remove(&key);
            }
        }
    }
}
