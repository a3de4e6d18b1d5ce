//! Members of a group that come many at once: those who are members already do not come again.

use accounts::{MemberKind, Refusal, StorageResult, Tx, atomically};
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, Listener, TestDatabase, Unit, World, group, on_each_database, user,
};

on_each_database!(
    of_many_members_those_come_who_are_none_yet,
    many_members_go_with_the_part_that_added_them,
    of_two_who_add_the_same_members_one_adds_each,
);

const MANY: usize = 120;

struct Team {
    world: World,
    id: Uuid,
    people: Vec<Uuid>,
}

fn team(database: &TestDatabase) -> Team {
    let world = World::on(database);
    let id = world.create_group(group("team", &[])).expect("it is new");
    let create = |number| world.create_user(user(&format!("user{number}"))).expect("it is new");
    let mut people: Vec<Uuid> = (0..MANY).map(create).collect();
    people.sort_unstable();
    Team { world, id, people }
}

/// Adds people to a group: those who came.
fn add(tx: &mut dyn Tx, group: Uuid, people: &[Uuid]) -> StorageResult<Vec<Uuid>> {
    let members: Vec<_> = people.iter().map(|id| (*id, MemberKind::User)).collect();
    let mut added = tx.add_members(CALLER.tenant, group, &members, CALLER.now)?;
    added.sort_unstable();
    Ok(added)
}

impl Team {
    fn members(&self) -> Vec<Uuid> {
        let id = self.id;
        let members = self.world.read(move |tx| tx.members(CALLER.tenant, id, 1000));
        members.expect("it can be read").into_iter().map(|member| member.id).collect()
    }

    fn adding(&self, count: usize) -> Unit<Vec<Uuid>> {
        let (id, people) = (self.id, self.people[..count].to_vec());
        Box::new(move |tx| Ok(add(tx, id, &people)?))
    }
}

fn of_many_members_those_come_who_are_none_yet(database: &TestDatabase) {
    let team = team(database);
    let listener = Listener::of(database);
    assert_eq!(team.world.write(team.adding(5)).expect("they come"), team.people[..5]);
    assert_eq!(team.world.write(team.adding(MANY)).expect("the others come"), team.people[5..]);
    assert_eq!(team.members(), team.people);
    assert_eq!(team.world.write(team.adding(MANY)).expect("nobody comes"), [] as [Uuid; 0]);
    assert_eq!(team.members(), team.people);
    let other = team.world.create_group(group("other", &[])).expect("it is new");
    let other = Team { id: other, ..team };
    let mut added = Vec::new();
    let heard = listener.during(|| {
        added = other.world.write(other.adding(MANY)).expect("they come");
    });
    assert_eq!((&added, &other.members()), (&other.people, &other.people));
    // Where none is a member yet PostgreSQL looks for none.
    let looks = heard.iter().any(|text| text.starts_with("INSERT INTO memberships"));
    assert_eq!(looks, database.kind == Kind::Sqlite, "{heard:#?}");
}

fn many_members_go_with_the_part_that_added_them(database: &TestDatabase) {
    let team = team(database);
    let (id, people) = (team.id, team.people.clone());
    let added = team.world.write(move |tx| {
        let undone = atomically(tx, |tx| {
            assert_eq!(add(tx, id, &people)?, people);
            Err::<(), _>(Refusal::not_found("Group", "nobody"))
        });
        assert!(undone.is_err());
        add(tx, id, &people[..MANY - 1])?;
        Ok::<_, Refusal>(add(tx, id, &people)?)
    });
    assert_eq!(added.expect("the unit goes on"), team.people[MANY - 1..]);
    assert_eq!(team.members(), team.people);
}

fn of_two_who_add_the_same_members_one_adds_each(database: &TestDatabase) {
    let team = team(database);
    let added = team.world.write_together(vec![team.adding(MANY), team.adding(MANY)]);
    let added: Vec<Vec<Uuid>> = added.into_iter().map(|came| came.expect("they come")).collect();
    assert_eq!(added.iter().map(Vec::len).sum::<usize>(), MANY);
    assert_eq!(team.members(), team.people);
}
