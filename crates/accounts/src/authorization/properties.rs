//! Laws of what is effective, whatever the grants are.

use proptest::prelude::*;
use uuid::Uuid;

use super::effective::given;
use super::explain::explain;
use super::*;

fn permissions() -> impl Strategy<Value = PermissionSet> {
    let ids: Vec<_> = catalogue::all().collect();
    let few = prop::collection::vec(prop::sample::select(ids), 0..8);
    let templates: Vec<_> = templates::ALL.iter().map(Template::permissions).collect();
    prop_oneof![
        3 => few.prop_map(|ids| ids.into_iter().collect()),
        1 => prop::sample::select(templates),
    ]
}

fn division() -> impl Strategy<Value = Uuid> {
    (1_u128..4).prop_map(Uuid::from_u128)
}

fn scope() -> impl Strategy<Value = DivisionScope> {
    prop_oneof![Just(DivisionScope::All), division().prop_map(DivisionScope::One)]
}

fn via() -> impl Strategy<Value = Via> {
    let group = |enabled| Via::Group { id: Uuid::nil(), name: "group".to_owned(), enabled };
    prop_oneof![2 => Just(Via::Direct), 2 => Just(group(true)), 1 => Just(group(false))]
}

prop_compose! {
    fn grant()(
        permissions in permissions(),
        division in scope(),
        via in via(),
        role_enabled in prop::bool::weighted(0.8),
        dormant in prop::bool::weighted(0.2),
    ) -> HeldGrant {
        let (role, role_name) = (Uuid::nil(), "role".to_owned());
        HeldGrant { role, role_name, role_enabled, permissions, division, via, dormant }
    }
}

fn grants() -> impl Strategy<Value = Vec<HeldGrant>> {
    prop::collection::vec(grant(), 0..6)
}

fn tier() -> impl Strategy<Value = Tier> {
    prop::sample::select(Tier::ALL.to_vec())
}

fn is_subset(some: &ScopedPermissions, all: &ScopedPermissions) -> bool {
    some.iter().all(|(permission, scope)| all.contains(permission, scope))
}

fn active(tier: Tier) -> Holder {
    Holder { active: true, tier }
}

proptest! {
    #[test]
    fn r14_roles_give_what_is_effective_and_what_is_blocked(
        grants in grants(), tier in tier(), active in any::<bool>(),
    ) {
        let given = given(&grants);
        let access = Access::of(Holder { active, tier }, &grants);
        prop_assert!(is_subset(&access.effective, &given));
        prop_assert!(is_subset(&access.blocked, &given));
        for (permission, scope) in given.iter() {
            let blocked = access.blocked.contains(permission, scope);
            let ceiling = tier.lacks(permission.permission()).is_empty();
            prop_assert_eq!(blocked, !ceiling);
            prop_assert_eq!(access.effective.contains(permission, scope), active && !blocked);
        }
        prop_assert_eq!(access.blocked.iter().count(), access.blocked_count());
    }

    #[test]
    fn r26_another_grant_takes_nothing_away(
        grants in grants(), another in grant(), place in any::<prop::sample::Index>(), tier in tier(),
    ) {
        let before = Access::of(active(tier), &grants);
        let mut more = grants.clone();
        more.insert(place.index(grants.len() + 1), another);
        let after = Access::of(active(tier), &more);
        prop_assert!(is_subset(&before.effective, &after.effective));
    }

    #[test]
    fn r15_an_upgrade_takes_nothing_away(grants in grants(), from in tier(), to in tier()) {
        let effective = |tier| Access::of(active(tier), &grants).effective;
        if from.change_to(to) == TierChange::Upgrade {
            prop_assert!(is_subset(&effective(from), &effective(to)));
        }
    }

    #[test]
    fn r31_what_does_not_count_is_as_if_it_were_not_there(grants in grants(), tier in tier()) {
        let live: Vec<_> = grants.iter().filter(|grant| grant.is_live()).cloned().collect();
        prop_assert_eq!(Access::of(active(tier), &grants), Access::of(active(tier), &live));
    }

    #[test]
    fn an_explanation_agrees_with_the_access(
        grants in grants(), tier in tier(), active in prop::bool::weighted(0.8),
        asked in prop::option::of(division()),
    ) {
        let holder = Holder { active, tier };
        let access = Access::of(holder, &grants);
        for permission in catalogue::all() {
            let allowed = match asked {
                Some(division) => access.allows(permission, DivisionScope::One(division)),
                None => access.effective.anywhere().contains(permission),
            };
            let explained = explain(holder, &grants, permission, asked);
            prop_assert_eq!(explained.allowed, allowed);
        }
    }

    #[test]
    fn sets_of_permissions_keep_the_laws_of_sets(a in permissions(), b in permissions()) {
        let (union, both) = (a.union(&b), a.intersect(&b));
        prop_assert_eq!(union.len() + both.len(), a.len() + b.len());
        prop_assert_eq!(a.difference(&b).union(&both), a);
        prop_assert!(both.is_subset(&a) && a.is_subset(&union));
        prop_assert_eq!(a.is_subset(&b), union == b);
        prop_assert_eq!(a.iter().collect::<PermissionSet>(), a);
    }
}
