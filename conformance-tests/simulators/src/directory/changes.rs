//! How people and groups change.

use super::group::{About, Group, GroupKey};
use super::names::{DEPARTMENTS, FAMILY, GIVEN, PROJECTS};
use super::person::{Person, PersonKey, Standing};
use super::recruit::role;
use super::scenario::Change;
use super::{Directory, Event, LEAD};

impl Directory {
    /// Something happens, to somebody who can be found for it.
    pub(super) fn happen(&mut self, change: Change) {
        match change {
            Change::Join => {
                self.recruit();
            }
            Change::Move => self.with(Standing::Active, Self::moves),
            Change::Promote => self.with(Standing::Active, Self::is_promoted),
            Change::ChangeTelephone => self.with(Standing::Active, Self::changes_telephone),
            Change::Rename => self.with(Standing::Active, Self::marries),
            Change::Leave => self.with(Standing::Active, Self::leaves),
            Change::Return => {
                self.with(Standing::Left, |this, key| this.stand(key, Standing::Active));
            }
            Change::Purge => {
                self.with(Standing::Left, |this, key| this.stand(key, Standing::Purged));
            }
            Change::ReturnAnew => self.with(Standing::Purged, Self::comes_back),
            Change::TakeAddress => self.with(Standing::Purged, Self::is_followed),
            Change::SetPassword => {
                self.with(Standing::Active, |this, key| this.tell(Event::Password(key)));
            }
            Change::BeginProject => self.begin_project(),
            Change::RenameGroup => self.with_project(|this, key| {
                this.groups[key.0].name.push_str(" Renewed");
            }),
            Change::Reshuffle => self.with_project(Self::reshuffle),
            Change::EndProject => self.with_project(|this, key| this.groups[key.0].exists = false),
        }
    }

    /// Something happens to one of those to whom nothing has happened today. The first stays.
    fn with(&mut self, standing: Standing, change: impl FnOnce(&mut Self, PersonKey)) {
        let fitting: Vec<PersonKey> = self
            .people()
            .skip(1)
            .filter(|(key, person)| person.standing == standing && !self.touched.contains(key))
            .filter(|(_, person)| standing != Standing::Purged || self.is_free(&person.user_name))
            .map(|(key, _)| key)
            .collect();
        let Some(key) = self.rng.choice(fitting) else { return };
        self.touched.insert(key);
        change(self, key);
    }

    /// Whether nobody has this name but those whose account is deleted.
    fn is_free(&self, user_name: &str) -> bool {
        let mut there = self.people.iter().filter(|person| person.standing != Standing::Purged);
        there.all(|person| person.user_name != user_name)
    }

    fn with_project(&mut self, change: impl FnOnce(&mut Self, GroupKey)) {
        let projects: Vec<GroupKey> = self
            .groups()
            .filter(|(_, group)| group.exists && group.about == About::Project)
            .map(|(key, _)| key)
            .collect();
        if let Some(key) = self.rng.choice(projects) {
            change(self, key);
        }
    }

    fn moves(&mut self, key: PersonKey) {
        let department = self.one_of(DEPARTMENTS);
        let manager =
            self.lead_of(department, false).filter(|manager| !self.is_above(key, *manager));
        let title = *self.one_of(department.titles);
        let (leads, office) = (self.people[key.0].role == LEAD, self.one_of(super::names::OFFICES));
        let person = &mut self.people[key.0];
        person.department = department.name;
        person.cost_center = department.cost_center;
        person.office = office;
        person.manager = manager.or(Some(PersonKey(0)));
        if !leads {
            person.title = title;
            person.role = role(department, false);
        }
        self.touch(key);
    }

    /// Whether somebody is, or leads, directly or not, somebody else.
    fn is_above(&self, key: PersonKey, other: PersonKey) -> bool {
        let above = |key: &PersonKey| self.people[key.0].manager;
        std::iter::successors(Some(other), above).any(|one| one == key)
    }

    fn is_promoted(&mut self, key: PersonKey) {
        let person = &mut self.people[key.0];
        person.title = "Team Lead";
        person.role = LEAD;
        self.touch(key);
    }

    fn changes_telephone(&mut self, key: PersonKey) {
        let number = self.rng.u32(10_000..99_999);
        let person = &mut self.people[key.0];
        let keeps = !number.is_multiple_of(3) || person.mobile.is_none();
        person.mobile = keeps.then(|| format!("{} {number}", person.office.dial));
        person.fax = None;
        self.touch(key);
    }

    fn marries(&mut self, key: PersonKey) {
        let (family, plain_family) = *self.one_of(FAMILY);
        let given = self.people[key.0].given;
        let plain = GIVEN.iter().find(|(name, _)| *name == given).map_or(given, |(_, plain)| plain);
        let nickname = self.free_name(plain, plain_family);
        let user_name = format!("{nickname}@{}", self.domain);
        let person = &mut self.people[key.0];
        person.family = family;
        person.mail_nickname = nickname;
        person.alias = Some(std::mem::replace(&mut person.user_name, user_name));
        self.touch(key);
    }

    fn leaves(&mut self, key: PersonKey) {
        let next = self.people[key.0].manager;
        let led: Vec<PersonKey> = self
            .active()
            .filter(|(_, person)| person.manager == Some(key))
            .map(|(key, _)| key)
            .collect();
        for one in led {
            self.people[one.0].manager = next.filter(|next| *next != one).or(Some(PersonKey(0)));
            self.touch(one);
        }
        self.stand(key, Standing::Left);
    }

    fn stand(&mut self, key: PersonKey, standing: Standing) {
        self.people[key.0].standing = standing;
        self.ensure_manager(key);
        self.touch(key);
    }

    /// Whose manager has left meanwhile is led by the first.
    fn ensure_manager(&mut self, key: PersonKey) {
        let manager = self.people[key.0].manager;
        if manager.is_some_and(|manager| !self.people[manager.0].is_active()) {
            self.people[key.0].manager = Some(PersonKey(0));
        }
    }

    /// Payroll knows the person, and the provider makes a new object.
    fn comes_back(&mut self, key: PersonKey) {
        self.people[key.0].object = self.new_object();
        self.stand(key, Standing::Active);
    }

    /// Somebody else gets the address of a person who is gone.
    fn is_followed(&mut self, key: PersonKey) {
        let gone: Person = self.people[key.0].clone();
        let follower = self.recruit();
        let person = &mut self.people[follower.0];
        person.user_name = gone.user_name;
        person.given = gone.given;
        person.family = gone.family;
    }

    fn begin_project(&mut self) {
        let begun = self.groups.iter().filter(|group| group.about == About::Project).count();
        let name = PROJECTS[begun % PROJECTS.len()];
        let name = if begun < PROJECTS.len() { name.to_owned() } else { format!("{name} {begun}") };
        let mut group = Group::new(self.new_object(), name, About::Project);
        let active: Vec<PersonKey> = self.active().map(|(key, _)| key).collect();
        group.members.extend(self.rng.choose_multiple(active, 8));
        self.groups.push(group);
    }

    fn reshuffle(&mut self, key: GroupKey) {
        let active: Vec<PersonKey> = self.active().map(|(key, _)| key).collect();
        let (come, members) =
            (self.rng.choose_multiple(active, 4), self.groups[key.0].members.clone());
        let go = self.rng.choose_multiple(members, 3);
        let group = &mut self.groups[key.0];
        group.members.retain(|member| !go.contains(member));
        group.members.extend(come);
    }
}
