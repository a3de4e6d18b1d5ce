//! How people come to the company.

use uuid::{Builder, Uuid};

use super::names::{self, Department};
use super::person::{Person, PersonKey, Standing};
use super::{Directory, Event, LEAD};

/// One of so many people of a department leads a team.
const TEAM: usize = 12;

impl Directory {
    pub(super) fn new_object(&mut self) -> Uuid {
        Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid()
    }

    pub(super) fn one_of<T>(&mut self, all: &'static [T]) -> &'static T {
        &all[self.rng.usize(..all.len())]
    }

    /// Somebody begins. The first leads everybody, then come those who lead a department.
    pub(super) fn recruit(&mut self) -> PersonKey {
        let number = self.people.len();
        let department = &names::DEPARTMENTS[number.saturating_sub(1) % names::DEPARTMENTS.len()];
        let office = self.one_of(names::OFFICES);
        let (given, plain_given) = *self.one_of(names::GIVEN);
        let (family, plain_family) = *self.one_of(names::FAMILY);
        let mail_nickname = self.free_name(plain_given, plain_family);
        let is_head = number <= names::DEPARTMENTS.len();
        let leads = is_head || (number / names::DEPARTMENTS.len()).is_multiple_of(TEAM);
        let manager = self.lead_of(department, is_head);
        let line = self.rng.u16(1000..9999);
        let mobile = format!("{} {}", office.dial, self.rng.u32(10_000..99_999));
        let title = if leads { "Team Lead" } else { *self.one_of(department.titles) };
        let person = Person {
            object: self.new_object(),
            given,
            family,
            user_name: format!("{mail_nickname}@{}", self.domain),
            home_mail: self.rng.bool().then(|| format!("{plain_given}.{number}@mail.example.net")),
            mail_nickname,
            alias: None,
            work_phone: format!("{} {line}", office.dial),
            mobile: (self.rng.u8(..4) > 0).then_some(mobile),
            fax: (self.rng.u8(..5) == 0).then(|| format!("{} {}", office.dial, line + 1)),
            department: department.name,
            cost_center: department.cost_center,
            title,
            office,
            desk: format!("Floor {}, desk {}", self.rng.u8(1..6), self.rng.u8(1..80)),
            employee_number: format!("E{:05}", 10_000 + number),
            manager,
            role: role(department, leads),
            standing: Standing::Active,
        };
        self.people.push(person);
        let key = PersonKey(number);
        self.touch(key);
        key
    }

    pub(super) fn touch(&mut self, key: PersonKey) {
        self.touched.insert(key);
        self.tell(Event::Person(key));
    }

    /// A name for a mailbox that nobody ever had.
    pub(super) fn free_name(&mut self, given: &str, family: &str) -> String {
        let name = format!("{given}.{family}");
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let free =
            std::iter::once(name.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(name);
        self.taken.insert(free.clone());
        free
    }

    /// Who leads somebody who comes to a department: the first for its head, else one of its leads.
    pub(super) fn lead_of(&mut self, department: &Department, is_head: bool) -> Option<PersonKey> {
        let first = (!self.people.is_empty()).then_some(PersonKey(0));
        if is_head {
            return first;
        }
        let leads: Vec<PersonKey> = self
            .active()
            .filter(|(_, person)| person.role == LEAD)
            .filter(|(_, person)| person.department == department.name)
            .map(|(key, _)| key)
            .collect();
        self.rng.choice(leads).or(first)
    }
}

/// What somebody may do in the service.
pub(super) fn role(department: &Department, leads: bool) -> &'static str {
    match department.name {
        _ if leads => LEAD,
        "Quality & Training" => "read-only",
        _ => "agent",
    }
}
