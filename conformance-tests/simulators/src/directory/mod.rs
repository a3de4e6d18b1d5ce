//! A company: its people and groups, and how they change.
//!
//! Everything follows from the number of people and the seed, so that a run can be repeated.

mod changes;
mod group;
mod names;
mod person;
mod recruit;
mod scenario;

use std::collections::BTreeSet;

use fastrand::Rng;

pub use group::{Group, GroupKey};
pub use names::Office;
pub use person::{Person, PersonKey, Standing};
pub use scenario::{Change, DAYS, Day, Often};

use group::About;

/// The role of those who lead a team.
const LEAD: &str = "supervisor";

/// Something that a provider gets to know of its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Something of a person has changed.
    Person(PersonKey),
    /// Somebody has set a password.
    Password(PersonKey),
    /// Something of a group has changed, or of somebody in it.
    Group(GroupKey),
}

/// A company.
#[derive(Debug)]
pub struct Directory {
    rng: Rng,
    /// What is behind the @ of addresses: another one for each seed.
    domain: String,
    people: Vec<Person>,
    groups: Vec<Group>,
    /// Names that were ever given.
    taken: BTreeSet<String>,
    /// To whom something has happened today; nothing else happens to them.
    touched: BTreeSet<PersonKey>,
    news: Vec<Event>,
}

impl Directory {
    /// A company of so many people (ten at least), with its standing groups.
    pub fn new(people: usize, seed: u64) -> Self {
        let mut directory = Self {
            rng: Rng::with_seed(seed),
            domain: format!("seed{seed}.example.com"),
            people: Vec::new(),
            groups: Vec::new(),
            taken: BTreeSet::new(),
            touched: BTreeSet::new(),
            news: Vec::new(),
        };
        for _ in 0..people.max(10) {
            directory.recruit();
        }
        directory.found_groups();
        directory.touched.clear();
        directory.news.clear();
        directory
    }

    /// Somebody.
    pub fn person(&self, key: PersonKey) -> &Person {
        &self.people[key.0]
    }

    /// A group.
    pub fn group(&self, key: GroupKey) -> &Group {
        &self.groups[key.0]
    }

    /// Everybody there ever was.
    pub fn people(&self) -> impl Iterator<Item = (PersonKey, &Person)> {
        self.people.iter().enumerate().map(|(key, person)| (PersonKey(key), person))
    }

    /// Everybody who works there.
    pub fn active(&self) -> impl Iterator<Item = (PersonKey, &Person)> {
        self.people().filter(|(_, person)| person.is_active())
    }

    /// All groups there ever were.
    pub fn groups(&self) -> impl Iterator<Item = (GroupKey, &Group)> {
        self.groups.iter().enumerate().map(|(key, group)| (GroupKey(key), group))
    }

    /// Everybody who works there and every group, as a provider finds them in its first push.
    pub fn everything(&self) -> Vec<Event> {
        let groups = self.groups().filter(|(_, group)| group.exists);
        self.active()
            .map(|(key, _)| Event::Person(key))
            .chain(groups.map(|(key, _)| Event::Group(key)))
            .collect()
    }

    /// Lives through a day: what there is to tell, people first, each once.
    pub fn live(&mut self, day: &Day) -> Vec<Event> {
        let groups = self.groups.clone();
        self.touched.clear();
        self.news.clear();
        for (change, often) in day.changes {
            let times = match often {
                Often::Once => 1,
                Often::Percent(percent) => (self.people.len() * percent / 100).max(1),
            };
            for _ in 0..times {
                self.happen(*change);
            }
        }
        self.tell_of_groups(&groups);
        std::mem::take(&mut self.news)
    }

    fn tell(&mut self, event: Event) {
        if !self.news.contains(&event) {
            self.news.push(event);
        }
    }

    /// Groups follow their rules; each is told of that has changed, or whose people have.
    fn tell_of_groups(&mut self, before: &[Group]) {
        for key in 0..self.groups.len() {
            self.groups[key].follow(&self.people);
            let group = &self.groups[key];
            let is_same = before.get(key).is_some_and(|before| {
                before.name == group.name
                    && before.exists == group.exists
                    && before.members == group.members
            });
            if !is_same || !self.touched.is_disjoint(&group.members) {
                self.tell(Event::Group(GroupKey(key)));
            }
        }
    }

    fn found_groups(&mut self) {
        let mut standing = vec![
            ("All Staff".to_owned(), About::Everybody),
            ("Team Leads".to_owned(), About::Leads),
        ];
        let departments = names::DEPARTMENTS.iter().map(|department| department.name);
        standing.extend(departments.map(|name| (name.to_owned(), About::Department(name))));
        let offices = names::OFFICES.iter().map(|office| office.locality);
        standing.extend(offices.map(|name| (format!("Office {name}"), About::Office(name))));
        for (name, about) in standing {
            let mut group = Group::new(self.new_object(), name, about);
            group.follow(&self.people);
            self.groups.push(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_can_be_repeated() {
        let story = |seed| {
            let mut directory = Directory::new(60, seed);
            let events: Vec<_> = DAYS.iter().map(|day| directory.live(day)).collect();
            format!("{events:?}{:?}{:?}", directory.people, directory.groups)
        };
        assert_eq!(story(7), story(7));
        assert_ne!(story(7), story(8));
    }

    #[test]
    fn nobody_shares_a_name_but_with_the_deleted() {
        let mut directory = Directory::new(300, 1);
        for day in DAYS {
            directory.live(day);
            let there =
                directory.people.iter().filter(|person| person.standing != Standing::Purged);
            let names: Vec<_> = there.map(|person| &person.user_name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", day.title);
        }
    }

    #[test]
    fn every_change_of_the_scenario_happens() {
        let mut directory = Directory::new(60, 3);
        for day in DAYS {
            let events = directory.live(day);
            assert_eq!(events.is_empty(), day.changes.is_empty(), "{}", day.title);
        }
        let standing =
            |standing| directory.people.iter().filter(|person| person.standing == standing).count();
        assert!(standing(Standing::Left) > 0 && standing(Standing::Purged) > 0);
        assert!(directory.people.len() > 60);
        assert!(directory.groups.iter().any(|group| !group.exists));
        let alias = |person: &&Person| person.alias.is_some();
        assert!(directory.people.iter().filter(alias).count() > 0, "somebody was renamed");
    }

    #[test]
    fn nobody_is_above_themselves() {
        let mut directory = Directory::new(150, 4);
        for day in DAYS {
            directory.live(day);
            for (_, person) in directory.people() {
                let chain =
                    std::iter::successors(person.manager, |key| directory.person(*key).manager);
                assert!(chain.take(1000).count() < 100, "{}: {person:?}", day.title);
            }
        }
    }

    #[test]
    fn who_has_left_leads_nobody() {
        let mut directory = Directory::new(200, 5);
        for day in DAYS {
            directory.live(day);
            for (_, person) in directory.people().filter(|(_, person)| person.is_active()) {
                let manager = person.manager.map(|manager| directory.person(manager));
                assert!(manager.is_none_or(Person::is_active), "{}: {person:?}", day.title);
            }
        }
    }
}
