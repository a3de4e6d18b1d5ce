//! What is granted and assigned, and the names of what is referred to.

use std::sync::{Arc, Mutex};

use accounts::authorization::DivisionScope;
use accounts::objects::UniqueName;
use accounts::skill_set::Proficiency;
use accounts::{Grant, Refusal, Resource, SkillAssignment, Tx};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::Parameters;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::filters::HEADCOUNT;
use crate::harness::{CALLER, Kind, TestDatabase, World, context, group, on_each_database, user};

on_each_database!(
    r25_a_grant_is_renewed_and_removed_by_role_and_division,
    r29_roles_come_down_through_groups_in_groups,
    r73_a_disabled_group_on_the_way_confers_nothing,
    r40_holders_at_work_are_those_who_are_enabled,
    r70_a_user_has_the_skills_that_were_set_last,
    what_a_user_holds_is_read_again_once_it_is_locked,
    a_name_is_unique_in_its_type_and_part,
    a_name_that_was_deleted_is_free_again,
);

fn named(world: &World, kind: &'static ResourceType, name: &str) -> Uuid {
    assert!(insert(world, CALLER.tenant, kind, "", name).1, "{name} is free");
    world
        .read({
            let name = name.to_owned();
            move |tx| tx.objects_named(CALLER.tenant, kind, std::slice::from_ref(&name))
        })
        .expect("it can be read")[0]
        .id
}

/// Past the rules; the resource, and whether the name was free.
fn insert(
    world: &World,
    tenant: Uuid,
    kind: &'static ResourceType,
    variant: &str,
    name: &str,
) -> (Resource, bool) {
    let made = context();
    let attributes = json!({"name": name}).as_object().cloned().unwrap_or_default();
    let resource = Resource {
        id: (made.new_id)(),
        version: 1,
        created: made.now,
        last_modified: made.now,
        attributes,
    };
    let name = UniqueName { variant: variant.to_owned(), name: name.to_owned() };
    let inserted = resource.clone();
    let is_free = is_written(world, move |tx| {
        Ok(tx.insert_object(tenant, kind, Some(name.clone()), &inserted)?)
    });
    (resource, is_free)
}

/// Whether a unit writes what it wants to; one that meets a name that is taken is rolled back, as the
/// rules do it.
fn is_written(
    world: &World,
    write: impl Fn(&mut dyn Tx) -> Result<bool, Refusal> + Send + 'static,
) -> bool {
    let written = world.write(move |tx| {
        if write(tx)? { Ok(()) } else { Err(Refusal::not_found("name", "that is free")) }
    });
    match written {
        Ok(()) => true,
        Err(Refusal::Rule { .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

fn grant(subject: Uuid, role: Uuid, division: Option<Uuid>) -> Grant {
    Grant {
        subject,
        role,
        division: division.map_or(DivisionScope::All, DivisionScope::One),
        source: "scim".to_owned(),
        granted: context().now,
        dormant: false,
        purge_at: None,
        primary: false,
    }
}

fn put(world: &World, grants: &[Grant], to_groups: bool) {
    let grants = grants.to_vec();
    world.write(move |tx| tx.put_grants(CALLER.tenant, &grants, to_groups)).expect("they are put");
}

fn r25_a_grant_is_renewed_and_removed_by_role_and_division(database: &TestDatabase) {
    let world = World::on(database);
    let (role, other) =
        (named(&world, ResourceType::role(), "r"), named(&world, ResourceType::role(), "s"));
    let berlin = named(&world, ResourceType::division(), "berlin");
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let of = |subject: Uuid| {
        world.read(move |tx| tx.grants_of(CALLER.tenant, &[subject])).expect("they can be read")
    };
    let end = context().now;
    let asleep = Grant { dormant: true, purge_at: Some(end), ..grant(ada, role, None) };
    let there = [asleep.clone(), grant(ada, role, Some(berlin)), grant(ada, other, None)];
    put(&world, &there, false);
    put(&world, &[grant(bob, role, Some(berlin))], false);
    let mut expected = there.to_vec();
    expected.sort_by_key(|grant| (grant.role, grant.division != DivisionScope::All));
    assert_eq!(of(ada), expected);

    let awake = Grant { source: "admin".to_owned(), ..grant(ada, role, None) };
    put(&world, std::slice::from_ref(&awake), false);
    let found = of(ada);
    assert_eq!(found.len(), 3, "none is there twice: {found:?}");
    let renewed = found.iter().find(|one| (one.role, one.division) == (role, DivisionScope::All));
    let renewed = renewed.expect("it is there");
    assert_eq!((renewed.dormant, renewed.purge_at), (false, None));

    world
        .write(move |tx| {
            let unwanted = [(role, DivisionScope::All), (other, DivisionScope::One(berlin))];
            tx.remove_grants(CALLER.tenant, ada, &unwanted)
        })
        .expect("they are removed");
    let left: Vec<_> = of(ada).into_iter().map(|grant| (grant.role, grant.division)).collect();
    let mut expected = vec![(role, DivisionScope::One(berlin)), (other, DivisionScope::All)];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(of(bob).len(), 1, "his stay");
}

/// Ada is in `inner`, which is in `middle`, which is in `outer`; Bob is in `middle`.
struct Nested {
    ada: Uuid,
    bob: Uuid,
    groups: [Uuid; 3],
}

fn nested(world: &World) -> Nested {
    let ada = world.create_user(user("ada")).expect("she is new");
    let bob = world.create_user(user("bob")).expect("he is new");
    let inner = world.create_group(group("inner", &[ada])).expect("it is new");
    let middle = world.create_group(group("middle", &[inner, bob])).expect("it is new");
    let outer = world.create_group(group("outer", &[middle])).expect("it is new");
    Nested { ada, bob, groups: [inner, middle, outer] }
}

/// Who has the role by way of groups: whether it counts, by what the store says of each.
fn inherited(world: &World, users: &[Uuid], role: Uuid) -> Vec<(Uuid, Uuid, bool)> {
    let users = users.to_vec();
    let found = world.read(move |tx| tx.inherited_grants(CALLER.tenant, &users));
    let found = found.expect("it can be read");
    assert!(found.iter().all(|grant| grant.role == role));
    for grant in &found {
        let (user, enabled) = (grant.user, grant.enabled);
        let holds = world.read(move |tx| tx.holds_role(CALLER.tenant, user, role));
        assert_eq!(holds.expect("it can be read"), enabled);
    }
    let in_effect = found.iter().filter(|grant| grant.enabled).map(|grant| grant.user);
    assert_eq!(found_by(world, "effectiveRoles[role eq \"R\"]"), in_effect.collect::<Vec<_>>());
    found.into_iter().map(|grant| (grant.user, grant.group, grant.enabled)).collect()
}

/// The users that a filter on our extension selects.
fn found_by(world: &World, filter: &str) -> Vec<Uuid> {
    let filter = Some(format!("{HEADCOUNT}:{filter}"));
    let parameters = Parameters { filter, ..Parameters::default() };
    let query = parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
    let query = query.expect("it is a query");
    let page = world.read(move |tx| accounts::users::list(tx, &CALLER, &query));
    page.expect("it is found").resources.iter().map(|user| user.id).collect()
}

fn users_of(world: &World, role: Uuid) -> i64 {
    world.read(move |tx| tx.count_role_users(CALLER.tenant, &[role])).expect("it is counted")[0].1
}

fn r29_roles_come_down_through_groups_in_groups(database: &TestDatabase) {
    let world = World::on(database);
    let role = named(&world, ResourceType::role(), "r");
    let Nested { ada, bob, groups: [inner, middle, outer] } = nested(&world);
    put(&world, &[grant(outer, role, None)], true);
    assert_eq!(inherited(&world, &[ada, bob], role), [(ada, outer, true), (bob, outer, true)]);
    assert_eq!(users_of(&world, role), 2);
    for group in [inner, middle, outer] {
        let confers = world.read(move |tx| tx.group_confers(CALLER.tenant, group, role));
        assert!(confers.expect("it can be read"));
    }
    let beside = world.create_group(group("beside", &[ada])).expect("it is new");
    let confers = world.read(move |tx| tx.group_confers(CALLER.tenant, beside, role));
    assert!(!confers.expect("it can be read"));
    let found = world.read(move |tx| tx.holders_of_role(CALLER.tenant, role, CALLER.now, 9));
    assert_eq!(found.expect("it can be read"), [(outer, true)]);
    let elsewhere = world.read(move |tx| tx.inherited_grants(Uuid::from_u128(77), &[ada]));
    assert!(elsewhere.expect("it can be read").is_empty());
}

fn r73_a_disabled_group_on_the_way_confers_nothing(database: &TestDatabase) {
    let (world, mut raw) = (World::on(database), database.raw());
    let role = named(&world, ResourceType::role(), "r");
    let Nested { ada, bob, groups: [inner, _, outer] } = nested(&world);
    put(&world, &[grant(outer, role, None)], true);
    for (disabled, of_ada, of_bob) in
        [("outer", false, false), ("middle", false, false), ("inner", false, true)]
    {
        let set = |enabled| {
            format!("UPDATE \"groups\" SET enabled = {enabled} WHERE display = '{disabled}'")
        };
        raw.execute(&set(false)).expect("it is there");
        let found = inherited(&world, &[ada, bob], role);
        assert_eq!(found, [(ada, outer, of_ada), (bob, outer, of_bob)], "{disabled}");
        assert_eq!(users_of(&world, role), i64::from(of_ada) + i64::from(of_bob), "{disabled}");
        raw.execute(&set(true)).expect("it is there");
    }
    // Another way that is open counts, be the first one closed.
    put(&world, &[grant(inner, role, None)], true);
    raw.execute("UPDATE \"groups\" SET enabled = false WHERE display = 'outer'").unwrap();
    let found = inherited_by_group(&world, ada);
    assert_eq!(found, [(inner, true), (outer, false)]);
    assert_eq!(users_of(&world, role), 1);
}

fn inherited_by_group(world: &World, user: Uuid) -> Vec<(Uuid, bool)> {
    let found = world.read(move |tx| tx.inherited_grants(CALLER.tenant, &[user]));
    let found = found.expect("it can be read");
    found.into_iter().map(|grant| (grant.group, grant.enabled)).collect()
}

fn r40_holders_at_work_are_those_who_are_enabled(database: &TestDatabase) {
    let world = World::on(database);
    let role = named(&world, ResourceType::role(), "r");
    let Nested { ada, bob, groups: [inner, ..] } = nested(&world);
    let at_work =
        || world.read(move |tx| tx.holders_at_work(CALLER.tenant, role)).expect("they are counted");
    assert_eq!(at_work(), (0, 0));
    put(&world, &[grant(inner, role, None)], true);
    put(&world, &[grant(bob, role, None), grant(ada, role, None)], false);
    assert_eq!(at_work(), (2, 0), "each once");
    let set = |id: Uuid, enabled: bool| {
        let changed = world.write(move |tx| {
            let before = tx.user_for_update(CALLER.scope(), id)?.expect("it is there");
            let mut after = before.clone();
            let now = context().now;
            after.standing.activated = Some(now);
            after.standing.seat_since = enabled.then_some(now);
            Ok::<_, Refusal>(tx.update_user(CALLER.tenant, &before, &after)?)
        });
        assert!(changed.expect("it can be written"));
    };
    set(ada, true);
    assert_eq!(at_work(), (2, 1));
    set(ada, false);
    assert_eq!(at_work(), (1, 0));
    put(&world, &[Grant { dormant: true, ..grant(bob, role, None) }], false);
    assert_eq!(at_work(), (0, 0), "what sleeps is not held");
}

fn r70_a_user_has_the_skills_that_were_set_last(database: &TestDatabase) {
    let world = World::on(database);
    let skills = ["a", "b", "c"].map(|name| named(&world, ResourceType::skill(), name));
    let [ada, bob] = ["ada", "bob"].map(|name| world.create_user(user(name)).unwrap());
    let has = |at: usize, tenths: u8, active: bool| SkillAssignment {
        skill: skills[at],
        proficiency: Proficiency::of_tenths(tenths).expect("it is in range"),
        active,
    };
    let set = |user: Uuid, skills: Vec<SkillAssignment>| {
        let set = world.write(move |tx| tx.set_skills(CALLER.tenant, user, &skills));
        set.expect("they are set");
    };
    set(ada, vec![has(0, 0, true), has(1, 50, false)]);
    set(bob, vec![has(1, 7, true)]);
    set(ada, vec![has(1, 45, true), has(2, 1, false)]);
    let found = world.read(move |tx| tx.skills_of(CALLER.tenant, &[ada, bob]));
    let expected = [(ada, has(1, 45, true)), (ada, has(2, 1, false)), (bob, has(1, 7, true))];
    assert_eq!(found.expect("they can be read"), expected);
    for (at, limit, users) in [(0, 9, vec![]), (1, 9, vec![ada, bob]), (1, 1, vec![ada])] {
        let skill = skills[at];
        let found = world.read(move |tx| tx.users_with_skill(CALLER.tenant, skill, limit));
        assert_eq!(found.expect("they can be read"), users);
    }
    set(ada, Vec::new());
    let found = world.read(move |tx| tx.skills_of(CALLER.tenant, &[ada]));
    assert!(found.expect("they can be read").is_empty());
}

fn a_name_is_unique_in_its_type_and_part(database: &TestDatabase) {
    let world = World::on(database);
    let (skill, division) = (ResourceType::skill(), ResourceType::division());
    world
        .write(|tx| {
            let now = context();
            accounts::tenancy::create_tenant(tx, "Globex", Uuid::from_u128(5), now.now, now.new_id)
        })
        .expect("it is new");
    let mine = CALLER.tenant;
    for (tenant, kind, variant, name, is_free) in [
        (mine, skill, "skill", "thai", true),
        (mine, skill, "skill", "thai", false),
        (mine, skill, "language", "thai", true),
        (mine, skill, "language", "thai", false),
        (mine, division, "", "thai", true),
        (Uuid::from_u128(5), skill, "skill", "thai", true),
        (mine, skill, "skill", "thai food", true),
    ] {
        let (_, found) = insert(&world, tenant, kind, variant, name);
        assert_eq!(found, is_free, "{tenant} {} {variant} {name}", kind.name);
    }
    let named = world.read(move |tx| tx.objects_named(mine, skill, &["thai".to_owned()]));
    assert_eq!(named.expect("they can be read").len(), 2);
    let all = world.read(move |tx| tx.objects_of(mine, &[skill, division]));
    let all = all.expect("they can be read");
    let of = |name: &str| all.iter().filter(|(kind, _)| *kind == name).count();
    assert_eq!((of("Skill"), of("Division")), (3, 2), "with the home division");
}

fn a_name_that_was_deleted_is_free_again(database: &TestDatabase) {
    let world = World::on(database);
    let (kind, tenant) = (ResourceType::skill(), CALLER.tenant);
    let name = || UniqueName { variant: "skill".to_owned(), name: "thai".to_owned() };
    let (mut old, _) = insert(&world, tenant, kind, "skill", "thai");
    old.version = 2;
    let gone = old.clone();
    world.write(move |tx| tx.tombstone_object(tenant, &gone)).expect("it is there");
    let found = world.read(move |tx| tx.objects_named(tenant, kind, &["thai".to_owned()]));
    assert!(found.expect("it can be read").is_empty());
    let (mut new, is_free) = insert(&world, tenant, kind, "skill", "thai");
    assert!(is_free);

    let restored = old.clone();
    let back =
        move |tx: &mut dyn Tx| Ok(tx.restore_object(tenant, kind, Some(name()), &restored)?);
    assert!(!is_written(&world, back.clone()), "another has the name");
    new.version = 2;
    world.write(move |tx| tx.tombstone_object(tenant, &new)).expect("it is there");
    assert!(is_written(&world, back));
    let found = world.read(move |tx| tx.objects_named(tenant, kind, &["thai".to_owned()]));
    assert_eq!(found.expect("it can be read"), [Arc::new(old)]);
}

/// What was read with the user before is of before the lock was waited for.
fn what_a_user_holds_is_read_again_once_it_is_locked(database: &TestDatabase) {
    // The one writer of SQLite waits for nobody, and nobody writes beside it.
    if database.kind == Kind::Sqlite {
        return;
    }
    let world = World::on(database);
    let ada = world.create_user(user("ada")).expect("it is new");
    let team = world.create_group(group("team", &[])).expect("it is new");
    let [tenant, member, of] = [CALLER.tenant, ada, team].map(|id| database.kind.id(id));
    let join = format!(
        "INSERT INTO memberships (tenant_id, group_id, member_id, is_group, added_at) \
         VALUES ({tenant}, {of}, {member}, FALSE, now())"
    );
    let beside = Mutex::new(database.raw());
    let found = world.write(move |tx| {
        tx.user(CALLER.scope(), ada)?;
        let before = tx.groups_of(CALLER.tenant, &[ada])?.len();
        beside.lock().expect("one uses it").execute(&join).expect("the user joins");
        tx.user_for_update(CALLER.scope(), ada)?;
        Ok::<_, Refusal>((before, tx.groups_of(CALLER.tenant, &[ada])?.len()))
    });
    assert_eq!(found.expect("it is read"), (0, 1));
}
