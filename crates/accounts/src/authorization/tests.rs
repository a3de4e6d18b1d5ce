//! The rules of what is effective, one by one.

use uuid::Uuid;

use super::catalogue::named;
use super::effective::given;
use super::explain::explain;
use super::templates::template;
use super::*;

const SALES: Uuid = Uuid::from_u128(1);
const SUPPORT: Uuid = Uuid::from_u128(2);

fn set(names: &[&str]) -> PermissionSet {
    names.iter().map(|name| id(name)).collect()
}

fn id(name: &str) -> PermissionId {
    named(name).unwrap_or_else(|| panic!("no permission {name}"))
}

fn grant(role_name: &str, permissions: PermissionSet, division: DivisionScope) -> HeldGrant {
    HeldGrant {
        role: Uuid::from_u128(99),
        role_name: role_name.to_owned(),
        role_enabled: true,
        permissions,
        division,
        via: Via::Direct,
        dormant: false,
    }
}

fn by_group(grant: HeldGrant, enabled: bool) -> HeldGrant {
    let via = Via::Group { id: Uuid::from_u128(50), name: "Team Leads".to_owned(), enabled };
    HeldGrant { via, ..grant }
}

fn active(tier: Tier) -> Holder {
    Holder { active: true, tier }
}

fn division_name(division: Uuid) -> String {
    if division == SALES { "Sales".to_owned() } else { "Support".to_owned() }
}

fn effective(grants: &[HeldGrant]) -> Vec<String> {
    Access::of(active(Tier::Cx2), grants).effective.texts(division_name)
}

#[test]
fn r14_the_tier_is_the_ceiling_of_what_roles_give() {
    let supervisor = template("supervisor").unwrap().permissions();
    let grants = [grant("supervisor", supervisor, DivisionScope::All)];
    let on_cx1 = Access::of(active(Tier::Cx1), &grants);
    assert!(on_cx1.blocked_count() > 0);
    assert_eq!(on_cx1.blocked_count() + on_cx1.effective.len(), supervisor.len());
    assert!(!on_cx1.allows(id("analytics:userObservation:view"), DivisionScope::All));
    let on_cx2 = Access::of(active(Tier::Cx2), &grants);
    assert_eq!(on_cx2.blocked_count(), 0);
    assert!(on_cx2.allows(id("analytics:userObservation:view"), DivisionScope::All));
}

#[test]
fn r14_what_is_blocked_is_counted_for_each_division_once() {
    let permissions = set(&["conversation:email:send", "reporting:scheduledReport:view"]);
    let grants = [
        grant("a", permissions, DivisionScope::One(SALES)),
        grant("b", permissions, DivisionScope::One(SALES)),
        grant("c", permissions, DivisionScope::One(SUPPORT)),
    ];
    let access = Access::of(active(Tier::Cx1), &grants);
    let expected = [
        "conversation:email:send@Sales",
        "conversation:email:send@Support",
        "reporting:scheduledReport:view@*",
    ];
    assert_eq!(access.blocked.texts(division_name), expected);
    assert_eq!(access.blocked_count(), 3);
}

#[test]
fn r14_what_is_blocked_does_not_depend_on_the_state_of_the_account() {
    let permissions = set(&["conversation:email:send", "directory:user:view"]);
    let grants = [grant("a", permissions, DivisionScope::All)];
    let pending = Access::of(Holder { active: false, tier: Tier::Cx1 }, &grants);
    assert!(pending.effective.is_empty());
    assert_eq!(pending.blocked.texts(division_name), ["conversation:email:send@*"]);
}

#[test]
fn r26_permissions_are_additive() {
    let view = set(&["directory:user:view"]);
    let edit = set(&["directory:user:edit", "directory:user:view"]);
    let grants = [
        grant("editor", edit, DivisionScope::One(SUPPORT)),
        grant("viewer", view, DivisionScope::One(SALES)),
        by_group(grant("viewer", view, DivisionScope::All), true),
    ];
    let expected = [
        "directory:user:edit@Support",
        "directory:user:view@*",
        "directory:user:view@Sales",
        "directory:user:view@Support",
    ];
    assert_eq!(effective(&grants), expected);
}

#[test]
fn r26_every_division_covers_each() {
    let access = |scope| {
        let grants = [grant("viewer", set(&["directory:user:view"]), scope)];
        Access::of(active(Tier::Cx1), &grants)
    };
    let view = id("directory:user:view");
    let everywhere = access(DivisionScope::All);
    assert!(everywhere.allows(view, DivisionScope::All));
    assert!(everywhere.allows(view, DivisionScope::One(SALES)));
    let in_sales = access(DivisionScope::One(SALES));
    assert!(in_sales.allows(view, DivisionScope::One(SALES)));
    assert!(!in_sales.allows(view, DivisionScope::One(SUPPORT)));
    assert!(!in_sales.allows(view, DivisionScope::All));
}

#[test]
fn a_permission_without_a_division_is_held_everywhere() {
    let permissions = set(&["authorization:role:view"]);
    let grants = [grant("auditor", permissions, DivisionScope::One(SALES))];
    assert_eq!(effective(&grants), ["authorization:role:view@*"]);
    let access = Access::of(active(Tier::Cx1), &grants);
    assert!(access.allows(id("authorization:role:view"), DivisionScope::One(SUPPORT)));
}

#[test]
fn r30_nobody_grants_what_they_do_not_have() {
    let own = set(&["authorization:grant:add", "directory:user:view", "directory:user:edit"]);
    let grants = [
        grant("leader", own, DivisionScope::One(SALES)),
        grant("reader", set(&["recording:recording:view"]), DivisionScope::One(SUPPORT)),
        grant("writer", set(&["conversation:email:send"]), DivisionScope::One(SALES)),
    ];
    let access = Access::of(active(Tier::Cx1), &grants);
    let lacks = |role: &[&str], scope| -> Vec<&str> {
        access.lacks_to_grant(&set(role), scope).names().collect()
    };
    let sales = DivisionScope::One(SALES);
    assert_eq!(lacks(&["directory:user:view"], sales), Vec::<&str>::new());
    // Elsewhere, and so everywhere, the right to grant is missing too.
    let everything = ["authorization:grant:add", "directory:user:view"];
    assert_eq!(lacks(&["directory:user:view"], DivisionScope::One(SUPPORT)), everything);
    assert_eq!(lacks(&["directory:user:view"], DivisionScope::All), everything);
    assert_eq!(lacks(&["recording:recording:view"], sales), ["recording:recording:view"]);
    // What the tier blocks can be passed on: the other account has a ceiling of its own.
    assert_eq!(lacks(&["conversation:email:send"], sales), Vec::<&str>::new());
}

#[test]
fn r30_who_is_not_active_grants_nothing() {
    let own = set(&["authorization:grant:add", "conversation:email:send"]);
    let grants = [grant("leader", own, DivisionScope::All)];
    let access = Access::of(Holder { active: false, tier: Tier::Cx1 }, &grants);
    let lacking = access.lacks_to_grant(&set(&["conversation:email:send"]), DivisionScope::All);
    assert_eq!(lacking, set(&["authorization:grant:add"]));
}

#[test]
fn r31_a_disabled_role_grants_nothing() {
    let mut grants = [grant("viewer", set(&["directory:user:view"]), DivisionScope::All)];
    grants[0].role_enabled = false;
    assert_eq!(effective(&grants), Vec::<String>::new());
    grants[0].role_enabled = true;
    assert_eq!(effective(&grants), ["directory:user:view@*"]);
}

#[test]
fn r36_a_change_of_a_role_counts_at_once() {
    let mut grants = [grant("viewer", set(&["directory:user:view"]), DivisionScope::All)];
    assert_eq!(effective(&grants), ["directory:user:view@*"]);
    grants[0].permissions = set(&["directory:group:view"]);
    assert_eq!(effective(&grants), ["directory:group:view@*"]);
}

#[test]
fn r73_a_disabled_group_confers_no_roles() {
    let viewer = grant("viewer", set(&["directory:user:view"]), DivisionScope::All);
    assert_eq!(effective(&[by_group(viewer.clone(), true)]), ["directory:user:view@*"]);
    assert_eq!(effective(&[by_group(viewer, false)]), Vec::<String>::new());
}

#[test]
fn a_dormant_grant_gives_nothing_and_blocks_nothing() {
    let permissions = set(&["directory:user:view", "conversation:email:send"]);
    let mut dormant = grant("agent", permissions, DivisionScope::All);
    dormant.dormant = true;
    assert!(given(&[dormant.clone()]).is_empty());
    assert_eq!(Access::of(active(Tier::Cx1), &[dormant]), Access::default());
}

#[test]
fn an_explanation_names_every_grant_and_what_keeps_it_from_counting() {
    let monitor = set(&["conversation:email:monitor", "directory:user:view"]);
    let all = DivisionScope::All;
    let mut disabled = grant("old", monitor, all);
    disabled.role_enabled = false;
    let mut dormant = grant("sleeper", monitor, all);
    dormant.dormant = true;
    let grants = [
        by_group(grant("leader", monitor, all), false),
        disabled,
        dormant,
        grant("local", monitor, DivisionScope::One(SUPPORT)),
        grant("supervisor", monitor, all),
        grant("other", set(&["audits:changeLog:view"]), all),
    ];
    let codes = |holder, name, division| {
        let explained = explain(holder, &grants, id(name), division);
        let line = |source: &Source| {
            let codes: Vec<_> = source.obstacles.iter().map(Obstacle::code).collect();
            format!("{}: {}", source.role_name, codes.join(" "))
        };
        (explained.allowed, explained.sources.iter().map(line).collect::<Vec<_>>())
    };
    let (allowed, sources) = codes(active(Tier::Cx1), "directory:user:view", Some(SALES));
    assert!(allowed);
    let expected = [
        "supervisor: ",
        "leader: groupDisabled",
        "old: roleDisabled",
        "sleeper: dormant",
        "local: otherDivision",
    ];
    assert_eq!(sources, expected);
    let locked = Holder { active: false, tier: Tier::Cx1 };
    let (allowed, sources) = codes(locked, "conversation:email:monitor", None);
    assert!(!allowed);
    let expected = [
        "local: accountNotActive blockedByTier",
        "supervisor: accountNotActive blockedByTier",
        "leader: accountNotActive groupDisabled blockedByTier",
        "old: accountNotActive roleDisabled blockedByTier",
        "sleeper: accountNotActive dormant blockedByTier",
    ];
    assert_eq!(sources, expected);
}

#[test]
fn an_explanation_is_one_sentence_for_a_person() {
    let permissions = set(&["conversation:email:send", "audits:changeLog:view"]);
    let local = grant("agent", permissions, DivisionScope::One(SALES));
    let sentence = |grants: &[HeldGrant], name, division| {
        explain(active(Tier::Cx1), grants, id(name), division).summary(division_name)
    };
    assert_eq!(
        sentence(&[], "audits:changeLog:view", None),
        "Not allowed: no role of the account gives audits:changeLog:view."
    );
    assert_eq!(
        sentence(std::slice::from_ref(&local), "audits:changeLog:view", Some(SUPPORT)),
        r#"Allowed: role "agent", held directly, gives audits:changeLog:view."#
    );
    assert_eq!(
        sentence(&[by_group(local, true)], "conversation:email:send", Some(SUPPORT)),
        "Not allowed: role \"agent\", held through group \"Team Leads\", gives \
         conversation:email:send in division \"Sales\", but that is another division, and tier \
         CX1 lacks digital.email."
    );
}
