//! What the accounts of the population have been given: tiers, divisions, roles, skills and the
//! like, past the rules, so that everything occurs that a database can hold.

use std::sync::Arc;

use accounts::authorization::{DivisionScope, Tier};
use accounts::capacity_rules::CapacityRules;
use accounts::divisions::Divisions;
use accounts::objects::{self, ObjectType};
use accounts::roles::Roles;
use accounts::skill_set::Proficiency;
use accounts::skills::Skills;
use accounts::{Context, Grant, Named, Refusal, Resource, SkillAssignment, Tx};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use scim_protocol::Object;
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{CALLER, context, strict_body};
use crate::population::text;

/// What accounts refer to, by what is wanted of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    divisions: Vec<Object>,
    roles: Vec<Object>,
    skills: Vec<Object>,
    capacity_rules: Vec<Object>,
    /// One for each user, in the order of creation.
    pub(crate) users: Vec<Given>,
    /// One for each group.
    pub(crate) groups: Vec<Vec<Held>>,
}

/// A role somewhere, in all divisions if there is none, and whether it sleeps.
type Held = (Index, Option<Index>, bool);

/// What one account has.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    tiers: (Index, Option<Index>),
    division: Index,
    capacity_rule: Option<Index>,
    agent: bool,
    /// Enabled, activated, locked, and has logged in.
    state: (bool, bool, bool, bool),
    grants: Vec<Held>,
    skills: Vec<(Index, u8, bool)>,
}

impl Plan {
    pub(crate) fn of(runner: &mut TestRunner, users: usize, groups: usize) -> Self {
        let mut named = |count: usize, kind, more: &dyn Fn(usize) -> Value| {
            let names = prop::collection::vec(text(), count).new_tree(runner).unwrap().current();
            let of = |(at, name): (usize, String)| {
                let mut body = more(at);
                // Whole names that are like each other, too; some are refused, by both databases.
                let is_as_it_is = at % 3 != 0 && !name.is_empty();
                let name = if is_as_it_is { name } else { format!("{name}#{at}") };
                body["name"] = name.into();
                strict_body(kind, body)
            };
            names.into_iter().enumerate().map(of).collect::<Vec<Object>>()
        };
        let state = |at: usize| if at.is_multiple_of(4) { "disabled" } else { "enabled" };
        let everything = json!([{"domain": "*", "entityName": "*", "actionSet": "*"}]);
        let policies = |at: usize| match at % 2 {
            0 => everything.clone(),
            _ => json!([{"domain": "directory", "entityName": "user", "actionSet": "view,add"}]),
        };
        let divisions = named(9, ResourceType::division(), &|_| json!({}));
        let roles = named(
            9,
            ResourceType::role(),
            &|at| json!({"state": state(at), "policies": policies(at)}),
        );
        let skills = named(12, ResourceType::skill(), &|at| {
            let kind = if at % 3 == 0 { "language" } else { "skill" };
            json!({"state": state(at), "kind": kind})
        });
        let capacity_rules = named(
            6,
            ResourceType::capacity_rule(),
            &|_| json!({"mediaRules": [{"media": "voice", "maxCapacity": 1}]}),
        );
        let given = prop::collection::vec(given(), users).new_tree(runner).unwrap().current();
        let held = prop::collection::vec(held(0..3), groups).new_tree(runner).unwrap().current();
        Self { divisions, roles, skills, capacity_rules, users: given, groups: held }
    }

    /// Creates what accounts refer to; what the rules refuse is left out.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn create(&self, tx: &mut dyn Tx, context: &Context) -> Result<(), Refusal> {
        create::<Divisions>(tx, context, &self.divisions)?;
        create::<Roles>(tx, context, &self.roles)?;
        create::<Skills>(tx, context, &self.skills)?;
        create::<CapacityRules>(tx, context, &self.capacity_rules)
    }
}

fn create<T: ObjectType>(
    tx: &mut dyn Tx,
    context: &Context,
    bodies: &[Object],
) -> Result<(), Refusal> {
    let mut created = 0;
    for body in bodies {
        let one = accounts::atomically(tx, |tx| {
            objects::create::<T>(tx, context, (context.new_id)(), body.clone())
        });
        match one {
            Ok(_) => created += 1,
            Err(Refusal::Rule { .. } | Refusal::Protocol(_)) => {}
            Err(error) => return Err(error),
        }
    }
    assert!(created > bodies.len() / 3, "{}: only {created}", T::resource_type().name);
    Ok(())
}

fn held(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Held>> {
    let division = prop::option::weighted(0.7, any::<Index>());
    prop::collection::vec((any::<Index>(), division, prop::bool::weighted(0.2)), count)
}

fn given() -> impl Strategy<Value = Given> {
    let is = prop::bool::weighted;
    let skill = (any::<Index>(), prop_oneof![Just(0), Just(40), 0..=50_u8], is(0.8));
    (
        (any::<Index>(), prop::option::weighted(0.2, any::<Index>())),
        any::<Index>(),
        prop::option::weighted(0.6, any::<Index>()),
        any::<bool>(),
        (is(0.75), is(0.7), is(0.3), is(0.6)),
        held(0..4),
        prop::collection::vec(skill, 0..4),
    )
        .prop_map(|(tiers, division, capacity_rule, agent, state, grants, skills)| Given {
            tiers,
            division,
            capacity_rule,
            agent,
            state,
            grants,
            skills,
        })
}

/// Those of a type that can be referred to, but not the role that everybody has.
fn all(tx: &mut dyn Tx, kind: &'static ResourceType) -> Result<Vec<Resource>, Refusal> {
    let mut found = tx.all_objects(CALLER.tenant, kind)?;
    found.retain(|one| kind.name != "Role" || one.attributes["name"] != "employee");
    Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
}

fn grants(tx: &mut dyn Tx, now: Timestamp, to: Uuid, held: &[Held]) -> Result<Vec<Grant>, Refusal> {
    let roles = all(tx, ResourceType::role())?;
    let divisions = all(tx, ResourceType::division())?;
    let later = context().now;
    let sources = ["scim", "admin", "bulk", "template"];
    let grant = |(at, (role, division, dormant)): (usize, &Held)| Grant {
        subject: to,
        role: role.get(&roles).id,
        division: division
            .map_or(DivisionScope::All, |one| DivisionScope::One(one.get(&divisions).id)),
        source: sources[at % sources.len()].to_owned(),
        granted: now,
        dormant: *dormant,
        // Some that sleep are over when somebody looks, and some are not.
        purge_at: dormant.then(|| if at % 2 == 0 { now } else { later }),
        primary: false,
    };
    let mut grants: Vec<Grant> = held.iter().enumerate().map(grant).collect();
    // The first role of some, in every division.
    if let Some(first) = grants.first().filter(|_| held.len() % 2 == 1).map(|one| one.role) {
        for one in &mut grants {
            one.primary = one.role == first;
        }
    }
    Ok(grants)
}

/// Gives an account what is planned for it.
///
/// # Errors
/// The store's.
pub(crate) fn give(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    given: &Given,
) -> Result<(), Refusal> {
    let (tenant, now) = (CALLER.tenant, context.now);
    let before = tx.user_for_update(CALLER.scope(), id)?.expect("it is there");
    let named = |one: &Resource| Named { id: one.id, name: String::new() };
    let later = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let (enabled, activated, locked, logged_in) = given.state;
    let rules = all(tx, ResourceType::capacity_rule())?;
    let mut after = before.clone();
    let standing = &mut after.standing;
    standing.tier = *given.tiers.0.get(&Tier::ALL);
    standing.pending_tier = given.tiers.1.map(|tier| *tier.get(&Tier::ALL));
    standing.division = named(given.division.get(&all(tx, ResourceType::division())?));
    standing.capacity_rule = given.capacity_rule.map(|rule| named(rule.get(&rules)));
    standing.agent = given.agent;
    standing.seat_since = enabled.then_some(now);
    standing.deactivated = (!enabled).then_some(later(1));
    standing.activated = activated.then_some(later(2));
    standing.locked_until = (enabled && locked).then_some(later(300));
    after.resource.attributes.insert("active".to_owned(), enabled.into());
    assert!(tx.update_user(tenant, &before, &after)?, "no name is taken");
    if logged_in {
        tx.record_login(tenant, id, later(3))?;
    }
    let grants = grants(tx, now, id, &given.grants)?;
    tx.put_grants(tenant, &grants, false)?;
    let skills = all(tx, ResourceType::skill())?;
    let mut assigned: Vec<SkillAssignment> = Vec::new();
    for (skill, tenths, active) in &given.skills {
        let skill = skill.get(&skills).id;
        if assigned.iter().all(|one| one.skill != skill) {
            let proficiency = Proficiency::of_tenths(*tenths).expect("it is in range");
            assigned.push(SkillAssignment { skill, proficiency, active: *active });
        }
    }
    Ok(tx.set_skills(tenant, id, &assigned)?)
}

/// Gives a group what is planned for it.
///
/// # Errors
/// The store's.
pub(crate) fn give_to_group(
    tx: &mut dyn Tx,
    context: &Context,
    id: Uuid,
    held: &[Held],
) -> Result<(), Refusal> {
    // What groups hold does not sleep.
    let held: Vec<Held> =
        held.iter().map(|(role, division, _)| (*role, *division, false)).collect();
    let grants = grants(tx, context.now, id, &held)?;
    Ok(tx.put_grants(CALLER.tenant, &grants, true)?)
}
