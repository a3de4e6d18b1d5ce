//! Members of a group that come many at once: those who are members already do not come again.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use accounts::{MemberKind, Refusal, StorageResult, Tx, atomically};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Listener, TestDatabase, Unit, World, context, group, on_each_database, user,
};
use crate::units_that_collide::{Meeting, any, patch_group};

on_each_database!(
    of_many_members_those_come_who_are_none_yet,
    many_new_members_are_looked_up_and_added_by_one_statement,
    of_many_members_one_who_cannot_come_keeps_all_away,
    many_members_go_with_the_part_that_added_them,
    of_two_who_add_the_same_members_one_adds_each,
    who_is_deleted_while_many_are_added_is_no_member,
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
    if tx.add_all_members(CALLER.tenant, group, people, CALLER.now)? {
        return Ok(people.to_vec());
    }
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
    assert_eq!(team.world.write(team.adding(5)).expect("they come"), team.people[..5]);
    assert_eq!(team.world.write(team.adding(MANY)).expect("the others come"), team.people[5..]);
    assert_eq!(team.members(), team.people);
    assert_eq!(team.world.write(team.adding(MANY)).expect("nobody comes"), [] as [Uuid; 0]);
    assert_eq!(team.members(), team.people);
}

fn many_new_members_are_looked_up_and_added_by_one_statement(database: &TestDatabase) {
    let listener = Listener::of(database);
    let team = team(database);
    let mut added = Vec::new();
    let heard = listener.during(|| {
        added = team.world.write(team.adding(MANY)).expect("they come");
    });
    assert_eq!((&added, &team.members()), (&team.people, &team.people));
    let looks = heard.iter().filter(|text| text.contains("memberships") || text.contains("users"));
    assert_eq!(looks.count(), 1, "{heard:#?}");
}

/// One who does not exist, one who is deleted, a group, and one who is a member already.
fn of_many_members_one_who_cannot_come_keeps_all_away(database: &TestDatabase) {
    let team = team(database);
    let (id, gone) = (team.id, team.people[0]);
    team.world
        .write(move |tx| accounts::users::delete(tx, &context(), gone, &any()))
        .expect("gone");
    let other = team.world.create_group(group("other", &[])).expect("it is new");
    let member = team.world.create_user(user("member")).expect("it is new");
    team.world.write(move |tx| add(tx, id, &[member])).expect("it comes");
    for bad in [Uuid::from_u128(1), gone, other, member] {
        let mut people = team.people[1..].to_vec();
        people.push(bad);
        let tenant = CALLER.tenant;
        let added = team.world.write(move |tx| tx.add_all_members(tenant, id, &people, CALLER.now));
        assert!(!added.expect("it is no error"), "{bad}");
        assert_eq!(team.members(), [member], "{bad}");
    }
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

fn who_is_deleted_while_many_are_added_is_no_member(database: &TestDatabase) {
    let team = team(database);
    let (id, gone) = (team.id, team.people[0]);
    let meeting = Meeting::of_two(database.kind);
    let values: Vec<_> = team.people.iter().map(|id| json!({"value": id})).collect();
    let add = json!({"op": "add", "path": "members", "value": values});
    let added = Arc::clone(&meeting);
    let adding: Unit<()> = Box::new(move |tx| {
        patch_group(tx, id, &add)?;
        added.meet();
        // Whoever does not wait for this unit is done by then.
        thread::sleep(Duration::from_millis(200));
        Ok(())
    });
    let deleting: Unit<()> = Box::new(move |tx| {
        meeting.meet();
        accounts::users::delete(tx, &context(), gone, &any())
    });
    let results = team.world.write_together(vec![adding, deleting]);
    assert!(results[1].is_ok(), "{results:?}");
    let kept = if results[0].is_ok() { &team.people[1..] } else { &[] };
    assert_eq!(team.members(), kept);
}
