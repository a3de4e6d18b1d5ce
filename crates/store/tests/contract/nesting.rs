//! Groups in groups: how who is in them is found, and what cannot be lost by two at once.

use accounts::authorization::DivisionScope;
use accounts::roles::master_admin;
use accounts::{
    Code, Grant, Group, GroupKind, GroupOf, GroupStanding, Named, Precondition, Refusal, Tx,
};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::Parameters;
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, Unit, World, context, group, new_group, new_user, on_each_database,
    strict_body, user,
};

on_each_database!(
    domain_2_8_the_groups_of_a_page_of_users_are_read_at_once,
    domain_2_8_users_are_found_by_groups_that_hold_theirs,
    domain_2_8_what_a_group_is_is_kept,
    r40_two_that_each_leave_one_master_admin_do_not_leave_none,
);

const USERS: usize = 400;
const GROUPS: usize = 200;

/// Many users in groups, of which a few are in another: the last one.
fn populate(world: &World) -> (Vec<Uuid>, Vec<Uuid>) {
    let created = world.write(|tx| {
        let mut users = Vec::new();
        for number in 0..USERS {
            users.push(new_user(tx, &context(), user(&format!("user{number}")))?.id);
        }
        let mut groups = Vec::new();
        for (number, members) in users.chunks(USERS / GROUPS).enumerate() {
            let body = group(&format!("Group {number}"), members);
            groups.push(new_group(tx, &context(), body, Dialect::Strict)?.id);
        }
        let above = group("Above", &groups[..3]);
        groups.push(new_group(tx, &context(), above, Dialect::Strict)?.id);
        Ok::<_, Refusal>((users, groups))
    });
    created.expect("nothing stands in the way")
}

fn domain_2_8_the_groups_of_a_page_of_users_are_read_at_once(database: &TestDatabase) {
    let world = World::on(database);
    let (users, groups) = populate(&world);
    let [first, last] = [users[0], users[USERS - 1]];
    let found = world.read(move |tx| tx.groups_of(CALLER.tenant, &[first, last])).unwrap();
    let of = |user, at: usize, display: &str, direct| GroupOf {
        user,
        group: groups[at],
        display: display.to_owned(),
        direct,
    };
    let expected = [
        of(first, 0, "Group 0", true),
        of(first, GROUPS, "Above", false),
        of(last, GROUPS - 1, "Group 199", true),
    ];
    assert_eq!(found, expected);
    let none = world.read(|tx| tx.groups_of(CALLER.tenant, &[])).unwrap();
    assert!(none.is_empty());
}

/// What the plan of each filter has to hold. Nobody reads all users, nor all memberships.
fn domain_2_8_users_are_found_by_groups_that_hold_theirs(database: &TestDatabase) {
    let world = World::on(database);
    let (_, groups) = populate(&world);
    database.raw().execute("ANALYZE").expect("statistics are made");
    let (direct, above) = (groups[7], groups[GROUPS]);
    for filter in [
        format!("groups.value eq \"{direct}\""),
        format!("groups.value eq \"{above}\""),
        format!("groups[value eq \"{above}\" and type eq \"indirect\"]"),
    ] {
        let parameters = Parameters { filter: Some(filter.clone()), ..Parameters::default() };
        let query = parameters.query(ResourceType::user(), &mut Leniencies::new(Dialect::Strict));
        let plan =
            store::explain(&database.url, ResourceType::user(), CALLER.scope(), &query.unwrap())
                .unwrap();
        let plan = plan.join("\n");
        let (wanted, unwanted) = match database.kind {
            Kind::Sqlite => (
                [
                    "sqlite_autoindex_users_1 (tenant_id=? AND id=?)",
                    "SEARCH side USING PRIMARY KEY (tenant_id=? AND group_id=?)",
                    "SEARCH held USING PRIMARY KEY (tenant_id=? AND group_id=?)",
                ],
                &["SCAN resource", "SCAN side", "SCAN lower", "SCAN held", "SCAN own"][..],
            ),
            Kind::Postgres => {
                (["users_pkey", "memberships_of_groups", "(group_id = "], &["Seq Scan"][..])
            }
        };
        let found = wanted.iter().all(|part| plan.contains(part));
        let scans = unwanted.iter().any(|part| plan.contains(part));
        assert!(found && !scans, "{filter}: wanted {wanted:?}\n{plan}");
    }
}

fn domain_2_8_what_a_group_is_is_kept(database: &TestDatabase) {
    let world = World::on(database);
    let rule = json!({"name": "Calls", "mediaRules": [{"media": "voice", "maxCapacity": 1}]});
    let rule = strict_body(ResourceType::capacity_rule(), rule);
    let id = world.create_group(group("Crew", &[])).unwrap();
    let read = world.write(move |tx| {
        let rule = accounts::objects::create::<accounts::capacity_rules::CapacityRules>(
            tx,
            &context(),
            (context().new_id)(),
            rule.clone(),
        )?;
        let before = tx.group_for_update(CALLER.scope(), id)?.expect("it was created");
        assert_eq!(before.standing, GroupStanding::of_kind(GroupKind::Access));
        let standing = GroupStanding {
            kind: GroupKind::Agent,
            enabled: false,
            capacity_rule: Some(Named { id: rule.id, name: "Calls".to_owned() }),
            priority: -7,
        };
        let after = Group { standing, ..before };
        tx.update_group(CALLER.tenant, &after)?;
        let read = tx.group(CALLER.scope(), id)?.expect("it is there");
        assert_eq!(read, after);
        Ok::<_, Refusal>(tx.count_with_capacity_rule(CALLER.tenant, rule.id)?)
    });
    assert_eq!(read.unwrap(), 1);
}

fn confer(tx: &mut dyn Tx, group: Uuid) -> Result<(), Refusal> {
    let role = master_admin(tx, CALLER.tenant)?.id;
    let grant = Grant {
        subject: group,
        role,
        division: DivisionScope::All,
        source: "admin".to_owned(),
        granted: context().now,
        dormant: false,
        purge_at: None,
        primary: false,
    };
    Ok(tx.put_grants(CALLER.tenant, &[grant], true)?)
}

fn r40_two_that_each_leave_one_master_admin_do_not_leave_none(database: &TestDatabase) {
    let world = World::on(database);
    for round in 0..5 {
        let groups = [0, 1].map(|at| {
            let ada = world.create_user(user(&format!("user{round}-{at}"))).unwrap();
            let id = world.create_group(group(&format!("Masters {round} {at}"), &[ada])).unwrap();
            world.write(move |tx| confer(tx, id)).unwrap();
            id
        });
        let units = groups.map(|id| -> Unit<()> {
            Box::new(move |tx| {
                accounts::groups::delete(tx, &context(), id, &Precondition::default())
            })
        });
        let results = world.write_together(units.into());
        let refused = |result: &&Result<(), Refusal>| {
            matches!(result, Err(Refusal::Rule { code: Code::LastMasterAdmin, .. }))
        };
        let done = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!((done, results.iter().filter(refused).count()), (1, 1), "{results:?}");
        // The next round begins with nobody.
        for id in groups {
            let left = world.write(move |tx| {
                let role = master_admin(tx, CALLER.tenant)?.id;
                Ok::<_, Refusal>(tx.remove_grants(
                    CALLER.tenant,
                    id,
                    &[(role, DivisionScope::All)],
                )?)
            });
            left.unwrap();
        }
    }
}
